"""CPU kernels from moments of features to the spread of edges and nodes, and back.

``count`` (inputs, groups), ``mean`` (inputs, groups, rows) and ``square`` (inputs, groups, rows,
rows) are the moments of groups of samples, see ``kernels_groups``; a small grid makes one group of
all samples in which all features are active. Row r of group o is feature o + r; the last one is the
base function if ``has_base`` is 1. All are float64, which the weight need not be.
"""

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_common import Array


@compiled
def spreads(
    has_base: int,
    weight: Array,
    count: Array,
    mean: Array,
    square: Array,
    room: Array,
    edges: Array,
) -> None:
    """Write the variances of all edges.

    Parameters
    ----------
    has_base, count, mean, square
        See above.
    weight : (inputs, width, outputs)
        Coefficients.
    room : (4, outputs)
        Is overwritten.
    edges : (inputs, outputs)
        Gets the variances (divisor n), at least 0.
    """
    inputs, groups, rows = mean.shape
    middle, part, total = room[0], room[1], room[2]
    for i in range(inputs):
        samples = _find_middle(has_base, weight[i], count[i], mean[i], middle)
        for j in range(total.size):
            total[j] = 0
        for group in range(groups):
            n = count[i, group]
            for r in range(rows if n > 0 else 0):
                _combine(group, has_base, weight[i], square[i, group, r], part)
                row = weight[i, _feature(group, r, rows, weight.shape[1], has_base)]
                for j in range(total.size):
                    total[j] += row[j] * part[j]
            if groups > 1 and n > 0:
                _combine(group, has_base, weight[i], mean[i, group], part)
                for j in range(total.size):
                    total[j] += n * (part[j] - middle[j]) ** 2
        for j in range(total.size):
            edges[i, j] = total[j] / samples if not total[j] < 0 else 0.0  # a NaN stays


@compiled
def spread_slopes(
    has_base: int,
    weight: Array,
    count: Array,
    mean: Array,
    square: Array,
    factor: Array,
    room: Array,
    slope: Array,
    pull: Array,
    between: Array,
) -> None:
    """Lead slopes in the variances of the edges back to the weight and to the features.

    Parameters
    ----------
    has_base, weight, count, mean, square, room
        See ``spreads``.
    factor : (inputs, outputs)
        Slopes in the variances.
    slope : (inputs, width, outputs)
        Of the type of the weight: the slope in the weight is added.
    pull, between : (inputs, groups, rows, rows), (inputs, groups, rows)
        Get what ``kernels_groups.active_pull`` takes; without elements if that is not wanted. For
        one group the second would be 0 and is left as it is.
    """
    inputs, groups, rows = mean.shape
    middle, apart, gain, part = room[0], room[1], room[2], room[3]
    for i in range(inputs):
        samples = _find_middle(has_base, weight[i], count[i], mean[i], middle)
        for j in range(gain.size):
            gain[j] = 2 * factor[i, j] / samples
            apart[j] = 0
        for group in range(groups):
            n = count[i, group]
            if groups > 1 and n > 0:
                _combine(group, has_base, weight[i], mean[i, group], apart)
                for j in range(gain.size):
                    apart[j] -= middle[j]
            for r in range(rows if n > 0 else 0):
                own = _feature(group, r, rows, weight.shape[1], has_base)
                row, out, c = weight[i, own], slope[i, own], n * mean[i, group, r]
                _combine(group, has_base, weight[i], square[i, group, r], part)
                for j in range(gain.size):
                    out[j] += gain[j] * (part[j] + c * apart[j])
                if pull.size > 0:
                    _pull(r, group, has_base, weight[i], gain, pull[i, group])
                    if groups > 1:
                        between[i, group, r] = _dot(gain, row, apart)


@compiled
def describe(y: Array, nodes: Array) -> None:
    """Write means and standard deviations (2, outputs) of the values y (outputs, samples)."""
    outputs, samples = y.shape
    for j in range(outputs):
        row, total, square = y[j], 0.0, 0.0
        for e in range(samples):
            total += row[e]
        mean = total / samples
        for e in range(samples):
            square += (row[e] - mean) ** 2
        nodes[0, j] = mean
        nodes[1, j] = (square / samples) ** 0.5


@compiled
def add_node_slopes(y: Array, nodes: Array, factor: Array, g: Array) -> None:
    """Add to g (outputs, samples) what slopes in the standard deviations of the nodes lead to."""
    outputs, samples = y.shape
    for j in range(outputs):
        centre, spread, row, out = nodes[0, j], nodes[1, j], y[j], g[j]
        gain = factor[j] / (spread * samples) if spread > 0 else 0.0
        for e in range(samples):
            out[e] += gain * (row[e] - centre)


@compiled
def _feature(group: int, r: int, rows: int, width: int, has_base: int) -> int:
    return width - 1 if has_base == 1 and r == rows - 1 else group + r


@compiled
def _combine(group: int, has_base: int, weight: Array, factor: Array, out: Array) -> None:
    """Write the sum over active features of factor times weight, for every output."""
    for r in range(factor.size):
        row, c = weight[_feature(group, r, factor.size, weight.shape[0], has_base)], factor[r]
        if r == 0:
            for j in range(out.size):
                out[j] = c * row[j]
        else:
            for j in range(out.size):
                out[j] += c * row[j]


@compiled
def _find_middle(has_base: int, weight: Array, count: Array, mean: Array, middle: Array) -> float:
    """Return the number of samples; write the mean of every edge if there are many groups."""
    samples, rows = 0.0, mean.shape[1]
    for group in range(count.size):
        samples += count[group]
    for j in range(middle.size):
        middle[j] = 0
    for group in range(count.size if count.size > 1 else 0):
        for r in range(rows if count[group] > 0 else 0):
            row = weight[_feature(group, r, rows, weight.shape[0], has_base)]
            c = mean[group, r] * count[group] / samples
            for j in range(middle.size):
                middle[j] += c * row[j]
    return samples


@compiled
def _pull(r: int, group: int, has_base: int, weight: Array, gain: Array, pull: Array) -> None:
    """Write row r of the sum over outputs of gain times weight times weight, symmetric."""
    rows, width = pull.shape[0], weight.shape[0]
    row = weight[_feature(group, r, rows, width, has_base)]
    for q in range(r + 1):
        product = _dot(gain, row, weight[_feature(group, q, rows, width, has_base)])
        pull[r, q] = product
        pull[q, r] = product


@compiled
def _dot(gain: Array, a: Array, b: Array) -> float:
    total = 0.0
    for j in range(gain.size):
        total += gain[j] * a[j] * b[j]
    return total
