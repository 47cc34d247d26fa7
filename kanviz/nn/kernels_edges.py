"""CPU kernels of small grids and few outputs: the values of single edges, a block at a time.

With few outputs it costs less to see every edge's values pass by than to sum moments of features.
"""

import numpy as np

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_columns import PIECES, fill
from kanviz.nn.kernels_common import Array, read_settings
from kanviz.nn.kernels_products import ZERO, add_dots, write_products

BLOCK = 256
"""Samples that are worked on at once: two sets of features then fit the first-level cache."""


@compiled
def edge_moments(
    start: int,
    stop: int,
    room: Array,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    features: Array,
    weight: Array,
    y: Array,
    mean: Array,
    square: Array,
) -> None:
    """Evaluate samples ``start`` to ``stop``, at least one, and write the moments of each edge.

    Parameters
    ----------
    room : (PIECES + k + 1 + width + outputs + 1, BLOCK)
        Is overwritten; each thread has its own.
    x, knots, numbers, tables, base, weight, y
        See ``kernels_dense.dense_sums``.
    features : (inputs * width, samples) or nothing
        Gets all features.
    mean, square : (inputs, outputs) float64
        Get mean and sum of squared distances from it, in double precision because an edge may be
        almost constant; 0 before.
    """
    s = read_settings(numbers)
    own, z = PIECES + s.padding + 1, room[PIECES + s.padding + 1 + s.width]
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        for i in range(x.shape[0]):
            rows, first, place = room, own, 0
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            fill(x[i, begin : begin + n], knots[i], s, tables, base, room, rows, first, place)
            for j in range(y.shape[0]):
                write_products(n, j, rows, first, place, weight[i], z[:n])
                out = y[j, begin : begin + n]
                if i == 0:
                    for e in range(n):
                        out[e] = z[e]
                else:
                    for e in range(n):
                        out[e] += z[e]
                _add_moments(n, begin - start, z, i, j, mean, square)


@compiled
def _add_moments(n: int, seen: int, z: Array, i: int, j: int, mean: Array, square: Array) -> None:
    """Add numbers to the moments of those seen before (Chan, Golub, LeVeque, 1979, eq. 2.1)."""
    origin, total, squares = z[0], 0.0, 0.0
    for e in range(n):
        far = np.float64(z[e] - origin)
        total += far
        squares += far * far
    step = origin + total / n - mean[i, j]
    mean[i, j] += step * n / (seen + n)
    square[i, j] += squares - total * total / n + step * step * (n * seen / (seen + n))


@compiled
def edge_slopes(
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
    weight: Array,
    g: Array,
    mean: Array,
    gain: Array,
    h: Array,
    slope: Array,
) -> None:
    """Lead slopes in y and in the variances of the edges back to the weight and to x.

    Parameters
    ----------
    start, stop, room, x, knots, numbers, tables, base, weight
        See ``edge_moments``; the ``next`` ones are of the first derivative.
    features : (inputs * width, samples) or nothing
        The features, where they are made already.
    g : (outputs, samples)
        Slopes in y.
    mean, gain : (inputs, outputs) of the type of x
        Means of the edges; the slope in an edge is g plus gain times its distance from its mean.
    h : (inputs, width, outputs)
        The slope in the weight is added.
    slope : (inputs, samples) or nothing
        Gets the slope in x.
    """
    s, s_next = read_settings(numbers), read_settings(next_numbers)
    own, outputs = PIECES + s.padding + 1, g.shape[0]
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        end = begin + n
        for i in range(x.shape[0]):
            here = x[i, begin:end]
            rows, first, place = room, own, 0
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            else:
                fill(here, knots[i], s, tables, base, room, rows, first, place)
            for j in range(outputs):
                u = room[own + s.width + j, :n]
                write_products(n, j, rows, first, place, weight[i], u)
                _pull(g[j, begin:end], mean[i, j], gain[i, j], u)
                add_dots(n, j, rows, first, place, u, h[i])
            if slope.size > 0:
                fill(here, knots[i], s_next, next_tables, next_base, room, room, own, 0)
                _lead_to_x(n, weight[i], room, own, slope[i, begin:end])


@compiled
def _pull(g: Array, mean: float, gain: float, u: Array) -> None:
    """Turn the values of an edge into the slopes in them."""
    for e in range(g.size):
        u[e] = g[e] + gain * (u[e] - mean)


@compiled
def _lead_to_x(n: int, weight: Array, room: Array, own: int, out: Array) -> None:
    """Write slopes of features times weight times the slopes in the edges, which follow them."""
    width, outputs = weight.shape
    line = room[own + width + outputs, :n]
    for j in range(outputs):
        u = room[own + width + j]
        write_products(n, j, room, own, ZERO, weight, line)
        if j == 0:
            for e in range(n):
                out[e] = u[e] * line[e]
        else:
            for e in range(n):
                out[e] += u[e] * line[e]
