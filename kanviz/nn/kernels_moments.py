"""CPU kernels of small grids: the moments of all features, and their way back to x.

Moments are summed in double precision whatever x is in, because an edge may add up large features
to almost a constant.
"""

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_columns import PIECES, fill
from kanviz.nn.kernels_common import Array, read_settings

BLOCK = 256
"""Samples that are worked on at once: the features in double precision fit the nearest cache."""


@compiled
def dense_moments(
    start: int,
    stop: int,
    room: Array,
    wide: Array,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    features: Array,
    mean: Array,
    square: Array,
) -> None:
    """Write the moments of the features of samples ``start`` to ``stop``, at least one.

    Parameters
    ----------
    room : (PIECES + k + 1 + 2 * width + 1, BLOCK)
        Is overwritten; each thread has its own.
    wide : (width + 1, BLOCK) float64
        Is overwritten.
    x, knots, numbers, tables, base
        See ``kernels_dense.dense_sums``.
    features : (inputs * width, samples) or nothing
        The features, where they are made already.
    mean : (inputs, width) float64
        Gets the means.
    square : (inputs, width, width) float64
        Gets the sums of products of the distances from the mean; 0 before.
    """
    s = read_settings(numbers)
    own, sums = PIECES + s.padding + 1, wide[s.width]
    for i in range(x.shape[0]):
        # About the first sample: its own distance from the mean is part of the sum of squares, so
        # that the subtraction at the end can cost no more digits than the samples have.
        origin = mean[i]
        for m in range(s.width):
            sums[m] = 0
        for begin in range(start, stop, BLOCK):
            n = min(BLOCK, stop - begin)
            rows, first, place = features, i * s.width, begin
            if features.size == 0:
                rows, first, place = room, own, 0
                fill(x[i, begin : begin + n], knots[i], s, tables, base, room, rows, first, place)
            for m in range(s.width):
                row, far, total = rows[first + m, place : place + n], wide[m], 0.0
                origin[m] = row[0] if begin == start else origin[m]
                centre = origin[m]
                for e in range(n):
                    far[e] = row[e] - centre
                    total += far[e]
                sums[m] += total
            _add_squares(n, wide, square[i])
        _recentre(stop - start, sums, origin, square[i])


@compiled
def _recentre(samples: int, sums: Array, mean: Array, square: Array) -> None:
    """Turn moments about any point, which ``mean`` holds, into those about the mean."""
    for m in range(mean.size):
        step = sums[m] / samples
        mean[m] += step
        for q in range(m + 1):
            square[m, q] -= step * sums[q]
            square[q, m] = square[m, q]


@compiled
def _add_squares(n: int, wide: Array, square: Array) -> None:
    """Add the products of rows, four at a time; above the diagonal what comes along."""
    width = square.shape[0]
    for m in range(width):
        row, fours = wide[m], min(m // 4 * 4 + 4, width - width % 4)
        for q in range(0, fours, 4):
            a, b, c, d = wide[q], wide[q + 1], wide[q + 2], wide[q + 3]
            p, r, s, t = 0.0, 0.0, 0.0, 0.0
            for e in range(n):
                p += row[e] * a[e]
                r += row[e] * b[e]
                s += row[e] * c[e]
                t += row[e] * d[e]
            square[m, q] += p
            square[m, q + 1] += r
            square[m, q + 2] += s
            square[m, q + 3] += t
        for q in range(fours, m + 1):
            a, p = wide[q], 0.0
            for e in range(n):
                p += row[e] * a[e]
            square[m, q] += p


@compiled
def dense_pull(
    start: int,
    stop: int,
    room: Array,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    next_numbers: Array,
    next_tables: Array,
    next_base: Array,
    features: Array,
    products: Array,
    mean: Array,
    pull: Array,
    slope: Array,
) -> None:
    """Write the slope of what depends on y and on the moments.

    Parameters
    ----------
    start, stop, room, x, knots, numbers, tables, base, features
        See ``dense_moments``; the ``next`` ones are of the first derivative.
    products, slope
        See ``kernels_dense.dense_sums``.
    mean : (inputs, width) float64
        Means of the features.
    pull : (inputs, width, width) of the type of x
        The slope in a feature is ``pull`` times the features' distances from their mean.
    """
    s, s_next = read_settings(numbers), read_settings(next_numbers)
    own = PIECES + s.padding + 1
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        end = begin + n
        for i in range(x.shape[0]):
            here, t = x[i, begin:end], knots[i]
            if features.size == 0:
                fill(here, t, s, tables, base, room, room, own, 0)
            for m in range(s.width):
                centre, far = room.dtype.type(mean[i, m]), room[own + m]
                rows, at, place = room, own + m, 0
                if features.size > 0:
                    rows, at, place = features, i * s.width + m, begin
                row = rows[at, place : place + n]
                for e in range(n):
                    far[e] = row[e] - centre
            fill(here, t, s_next, next_tables, next_base, room, room, own + s.width, 0)
            _lead_to_x(n, i, begin, pull[i], room, own, products, slope[i, begin:end])


@compiled
def _lead_to_x(
    n: int,
    i: int,
    begin: int,
    pull: Array,
    room: Array,
    own: int,
    products: Array,
    out: Array,
) -> None:
    """Write the slope from centred features, which begin at row ``own``, and their derivatives."""
    width = pull.shape[0]
    line = room[own + 2 * width]
    for m in range(width):
        _combine(n, pull[m], own, room, line)
        a, c = room[own + width + m], products[i * width + m, begin : begin + n]
        if m == 0:
            for e in range(n):
                out[e] = a[e] * (line[e] + c[e])
        else:
            for e in range(n):
                out[e] += a[e] * (line[e] + c[e])


@compiled
def _combine(n: int, factor: Array, first: int, rows: Array, out: Array) -> None:
    """Write the sum of factors times rows, four at a time."""
    width = factor.size
    fours = width - width % 4
    for e in range(n if fours == 0 else 0):
        out[e] = 0
    for q in range(0, fours, 4):
        a, b, c, d = rows[first + q], rows[first + q + 1], rows[first + q + 2], rows[first + q + 3]
        p, r, s, t = factor[q], factor[q + 1], factor[q + 2], factor[q + 3]
        if q == 0:
            for e in range(n):
                out[e] = (a[e] * p + b[e] * r) + (c[e] * s + d[e] * t)
        else:
            for e in range(n):
                out[e] += (a[e] * p + b[e] * r) + (c[e] * s + d[e] * t)
    for q in range(fours, width):
        a, p = rows[first + q], factor[q]
        for e in range(n):
            out[e] += a[e] * p
