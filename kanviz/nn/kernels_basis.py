"""CPU kernels of large grids: the features that are not zero at each x.

For a chunk of N numbers (samples times inputs, inputs last) each kernel here writes
``offset`` (N), the row of the weight where the active basis functions of the number begin, and
``values`` (active + 1, N), one row per active function and one for the base function. All loops run
over many numbers in a row, so that they fill vector registers whatever the spline order.
"""

import numpy as np

from kanviz.nn.compiled import compiled, compiled_as_written, compiled_with_memory
from kanviz.nn.kernels_common import (
    Array,
    Grid,
    Settings,
    block_length,
    clamp,
    count_parts,
    exp,
    finish,
    make_grid,
    read_settings,
    scratch_rows,
)


@compiled_with_memory
def uniform_features(
    x: Array, knots: Array, numbers: Array, tables: Array, base: Array, offset: Array, values: Array
) -> None:
    """Write the features of a B-spline of degree k >= 1 on equally spaced knots.

    Parameters
    ----------
    x : (N,)
        Begins with the first input of a sample.
    knots : (inputs, G + 2k + 1)
        As in ``kanviz.nn.features``.
    numbers : (8,) int64
        The fields of ``Settings``.
    tables : (3, k + 1, k + 1)
        Coefficients [power, active function] of the wanted derivative, the values, the slopes.
    base : (2, powers)
        See ``kernels_common.base_row``.
    offset, values
        Written, see above.
    """
    s, n = read_settings(numbers), block_length(x, knots)
    grid = make_grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), scratch_rows(values, n)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = clamp(x[begin : begin + count], grid, place, away)
        _count(count, s.size, grid, place, offset[begin : begin + count])
        for part in range(count_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _horner(count, order, tables[part], grid, place, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@compiled_with_memory
def general_features(
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,  # noqa: ARG001 - all three kernels are called alike
    base: Array,
    offset: Array,
    values: Array,
) -> None:
    """Write the features of a B-spline on any knots, by their recursion; needs no table."""
    s, n = read_settings(numbers), block_length(x, knots)
    grid = make_grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), scratch_rows(values, n)
    local = np.empty((2 * s.padding + 3, n), knots.dtype)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = clamp(x[begin : begin + count], grid, place, away)
        _search(count, knots, s, place, local, grid, offset[begin : begin + count])
        for part in range(count_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _recursion(count, s.padding, order, place, local, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@compiled_with_memory
def gaussian_features(
    x: Array, knots: Array, numbers: Array, tables: Array, base: Array, offset: Array, values: Array
) -> None:
    """Write the features of a Gaussian basis: those of the centres around each number.

    ``tables`` (3, 1, powers) holds the polynomials H(r) that stand before exp(-r^2).
    """
    s, n = read_settings(numbers), block_length(x, knots)
    grid = make_grid(knots, s, n, knots.shape[1] - 1, 0)
    base_grid = make_grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), scratch_rows(values, n)
    centre, centres = np.empty_like(grid.row), knots.reshape(-1)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = clamp(x[begin : begin + count], base_grid, place, away)
        _window(knots, s, grid, place, centre, offset[begin : begin + count])
        for part in range(count_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _bells(count, s, order, tables[part, 0], grid, place, centre, centres, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, base_grid, away, extra, begin, values)


@compiled_as_written
def _count(n: int, size: int, grid: Grid, place: Array, offset: Array) -> None:
    """Find the interval of each number by its distance; leave its place within it, from 0 to 1.

    Rounded as in ``kanviz.nn.basis``, so that both find the same interval.
    """
    zero, last = place.dtype.type(0), place.dtype.type(size - 1)
    for e in range(n):
        position = (place[e] - grid.low[e]) * grid.inverse[e]
        safe = position if position > zero else zero  # 0 for a NaN
        index = np.uint32(safe if safe < last else last)
        offset[e] = grid.row[e] + index
        place[e] = position - place.dtype.type(index)


@compiled
def _horner(n: int, order: int, table: Array, grid: Grid, place: Array, out: Array) -> None:
    """Evaluate the closed form, one power at a time for all numbers."""
    k = table.shape[0] - 1
    for r in range(k + 1):
        row, top, second = out[r], table[k, r], table[k - 1, r]
        for e in range(n):
            row[e] = top * place[e] + second
        for power in range(k - 2, -1, -1):
            c = table[power, r]
            for e in range(n):
                row[e] = row[e] * place[e] + c
        for _ in range(order):
            for e in range(n):
                row[e] *= grid.inverse[e]


@compiled
def _search(
    n: int, knots: Array, s: Settings, nearest: Array, local: Array, grid: Grid, offset: Array
) -> None:
    """Find the interval of each number by bisection; gather the 2k + 2 knots around it."""
    k = s.padding
    for e in range(n):
        t = knots[e % knots.shape[0]]
        low, high = 0, s.size - 1
        while low < high:
            middle = (low + high) // 2
            if t[k + 1 + middle] <= nearest[e]:
                low = middle + 1
            else:
                high = middle
        offset[e] = grid.row[e] + low
        for r in range(2 * k + 2):
            local[r, e] = t[low + r]


@compiled
def _recursion(n: int, k: int, order: int, x: Array, local: Array, out: Array) -> None:
    """Cox-de Boor on the active functions, then one degree more per derivative."""
    saved, start = local[2 * k + 2], out.dtype.type(1 if order <= k else 0)
    for e in range(n):
        out[0, e] = start
    for degree in range(1, k + 1):
        is_value, factor = degree <= k - order, out.dtype.type(degree)
        for e in range(n):
            saved[e] = 0
        for r in range(degree):
            left, right, row = local[k + r + 1 - degree], local[k + r + 1], out[r]
            for e in range(n):
                share = row[e] / (right[e] - left[e])
                after = (right[e] - x[e]) * share if is_value else -factor * share
                row[e] = saved[e] + after
                saved[e] = (x[e] - left[e]) * share if is_value else factor * share
        for e in range(n):
            out[degree, e] = saved[e]


@compiled
def _window(
    knots: Array, s: Settings, grid: Grid, nearest: Array, centre: Array, offset: Array
) -> None:
    """Find the first of the centres around each number, and its row of the weight."""
    inputs, count = np.uint32(knots.shape[0]), np.uint32(knots.shape[1])
    number, one = nearest.dtype.type, np.uint32(1)
    zero, last, back = number(0), number(s.basis - s.active), number(s.active // 2 - 1)
    i = np.uint32(0)
    for e in range(offset.size):
        first = (nearest[e] - grid.low[e]) * grid.inverse[e] - back
        safe = first if first > zero else zero  # 0 for a NaN
        index = np.uint32(safe if safe < last else last)
        offset[e] = grid.row[e] + index
        centre[e] = i * count + index
        i = i + one if i + one < inputs else np.uint32(0)


@compiled_with_memory
def _bells(
    n: int,
    s: Settings,
    order: int,
    factor: Array,
    grid: Grid,
    x: Array,
    centre: Array,
    centres: Array,
    out: Array,
) -> None:
    """Write H(r) exp(-r^2) / h^order with r = (x - centre) / h for the centres around x."""
    r, h = np.empty_like(x), np.empty_like(x)
    for m in range(s.active):
        row, later = out[m], centres[m:]
        for e in range(n):
            r[e] = (x[e] - later[centre[e]]) * grid.inverse[e]
            row[e] = exp(-r[e] * r[e])
            h[e] = factor[order]
        for power in range(order - 1, -1, -1):
            c = factor[power]
            for e in range(n):
                h[e] = h[e] * r[e] + c
        for _ in range(order):
            for e in range(n):
                h[e] *= grid.inverse[e]
        for e in range(n if order > 0 else 0):
            row[e] *= h[e]
