"""CPU kernels of large grids: the moments of the active features, and their way back to x.

The samples of an input are told apart by the first of their active features, which makes groups.
Within a group the same ``rows`` features are active, so that its moments are small; the spread of
an edge is that within its groups and that between them.
"""

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_common import Array


@compiled
def active_moments(
    width: int, offset: Array, values: Array, count: Array, mean: Array, sums: Array, square: Array
) -> None:
    """Add the active features of a chunk to the moments about the first sample of each group.

    Parameters
    ----------
    width : int
        Number of all features of an input.
    offset, values
        See ``kernels_sparse``.
    count : (inputs, groups) float64
        Samples of each group so far.
    mean, sums : (inputs, groups, rows) float64
        The first sample, and the sum of the distances from it.
    square : (inputs, groups, rows, rows) float64
        The sum of their products, on and below the diagonal.
    """
    samples, inputs = offset.shape
    rows = values.shape[0]
    for b in range(samples):
        for i in range(inputs):
            group = offset[b, i] - i * width
            first, total, part = mean[i, group], sums[i, group], square[i, group]
            if count[i, group] == 0:
                for r in range(rows):
                    first[r] = values[r, b, i]
            count[i, group] += 1
            for r in range(rows):
                far = values[r, b, i] - first[r]
                total[r] += far
                for q in range(r + 1):
                    part[r, q] += far * (values[q, b, i] - first[q])


@compiled
def recentre(count: Array, mean: Array, sums: Array, square: Array) -> None:
    """Turn moments about the first sample into moments about the mean."""
    inputs, groups, rows = mean.shape
    for i in range(inputs):
        for group in range(groups):
            n = count[i, group]
            for r in range(rows if n > 0 else 0):
                step = sums[i, group, r] / n
                mean[i, group, r] += step
                for q in range(r + 1):
                    square[i, group, r, q] -= step * sums[i, group, q]
                    square[i, group, q, r] = square[i, group, r, q]


@compiled
def active_pull(
    width: int,
    offset: Array,
    values: Array,
    slopes: Array,
    mean: Array,
    pull: Array,
    between: Array,
    out: Array,
) -> None:
    """Add to ``out`` (samples, inputs) the slope of what depends on the moments.

    ``slopes`` are the derivatives of ``values``. The slope in an active feature is ``pull``
    (inputs, groups, rows, rows) times the features' distances from their mean in the group, plus
    ``between`` (inputs, groups, rows); both float64.
    """
    samples, inputs = offset.shape
    rows = values.shape[0]
    for b in range(samples):
        for i in range(inputs):
            group, total = offset[b, i] - i * width, 0.0
            for r in range(rows):
                inner = between[i, group, r]
                for q in range(rows):
                    inner += pull[i, group, r, q] * (values[q, b, i] - mean[i, group, q])
                total += slopes[r, b, i] * inner
            out[b, i] += total
