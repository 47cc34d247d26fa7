"""CPU kernels, first half: the features that are not zero at each x.

For a chunk of N numbers (samples times inputs, inputs last) each kernel here writes
``offset`` (N), the row of the weight where the active basis functions of the number begin, and
``values`` (active + 1, N), one row per active function and one for the base function. All loops run
over many numbers in a row, so that they fill vector registers whatever the spline order.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kanviz.nn.compiled import compiled, compiled_as_written

Array = NDArray[Any]

BLOCK = 1024
"""Numbers that are worked on at once: they fit the first-level cache."""

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer in the low bits


class Settings(NamedTuple):
    """The family of functions and the wanted derivative; built from an array of integers."""

    size: int
    padding: int
    active: int
    width: int
    derivative: int
    fades: int


class Grid(NamedTuple):
    """Low end, high end and inverse spacing of each number's grid; first row of its weight."""

    low: Array
    high: Array
    inverse: Array
    row: Array


@compiled
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
    numbers : (6,) int64
        The fields of ``Settings``.
    tables : (3, k + 1, k + 1)
        Coefficients [power, active function] of the wanted derivative, the values, the slopes.
    base : (2, powers)
        See ``_base``.
    offset, values
        Written, see above.
    """
    s, n = _settings(numbers), _block_length(x, knots)
    grid = _grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), _extra(values, n)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = _clamp(x[begin : begin + count], grid, place, away)
        _count(count, s.size, grid, place, offset[begin : begin + count])
        for part in range(_n_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _horner(count, order, tables[part], grid, place, extra[part])
        _finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@compiled
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
    s, n = _settings(numbers), _block_length(x, knots)
    grid = _grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), _extra(values, n)
    local = np.empty((2 * s.padding + 3, n), knots.dtype)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = _clamp(x[begin : begin + count], grid, place, away)
        _search(count, knots, s, place, local, grid, offset[begin : begin + count])
        for part in range(_n_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _recursion(count, s.padding, order, place, local, extra[part])
        _finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@compiled
def gaussian_features(
    x: Array, knots: Array, numbers: Array, tables: Array, base: Array, offset: Array, values: Array
) -> None:
    """Write the features of a Gaussian basis; all are active.

    ``tables`` (3, 1, powers) holds the polynomials H(r) that stand before exp(-r^2).
    """
    s, n = _settings(numbers), _block_length(x, knots)
    grid = _grid(knots, s, n, knots.shape[1] - 1, 0)
    base_grid = _grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), _extra(values, n)
    repeated = _repeat(knots, n)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = _clamp(x[begin : begin + count], base_grid, place, away)
        for e in range(count):
            offset[begin + e] = grid.row[e]
        for part in range(_n_parts(s, is_outside)):
            order = s.derivative if part == 0 else part - 1
            _bells(count, repeated, order, tables[part, 0], grid, place, extra[part])
        _finish(
            x[begin : begin + count], s, is_outside, base, base_grid, away, extra, begin, values
        )


@compiled
def _settings(numbers: Array) -> Settings:
    size, padding, active, width, derivative, fades = numbers
    return Settings(size, padding, active, width, derivative, fades)


@compiled
def _block_length(x: Array, knots: Array) -> int:
    inputs = knots.shape[0]
    return max(1, min(x.size, max(1, BLOCK // inputs) * inputs))  # a step may not be 0


@compiled
def _extra(values: Array, n: int) -> Array:
    """Return scratch rows for the wanted derivative, the values and the slopes of a block."""
    return np.empty((3, values.shape[0], n), values.dtype)


@compiled
def _grid(knots: Array, s: Settings, n: int, size: int, padding: int) -> Grid:
    """Repeat the grid of each input for all samples of a block."""
    low, high, inverse = (
        np.empty(n, knots.dtype),
        np.empty(n, knots.dtype),
        np.empty(n, knots.dtype),
    )
    row = np.empty(n, np.uint32)
    inputs = knots.shape[0]
    for i in range(min(inputs, n)):
        low[i], high[i] = knots[i, padding], knots[i, padding + size]
        inverse[i] = size / (high[i] - low[i])
        row[i] = i * s.width
    for e in range(inputs, n):
        low[e], high[e] = low[e - inputs], high[e - inputs]
        inverse[e], row[e] = inverse[e - inputs], row[e - inputs]
    return Grid(low, high, inverse, row)


@compiled
def _clamp(x: Array, grid: Grid, nearest: Array, away: Array) -> bool:
    """Write the nearest point of the grid and the signed distance from it; say if any is not 0."""
    far = 0
    for e in range(x.size):
        inside = grid.low[e] if x[e] < grid.low[e] else x[e]
        inside = grid.high[e] if inside > grid.high[e] else inside  # a NaN stays
        nearest[e] = inside
        away[e] = x[e] - inside
        far |= x[e] != inside
    return far != 0


@compiled_as_written
def _count(n: int, size: int, grid: Grid, place: Array, offset: Array) -> None:
    """Find the interval of each number by its distance; leave its place within it, from 0 to 1.

    Rounded as in ``kanviz.nn.bspline``, so that both find the same interval.
    """
    zero, last = place.dtype.type(0), place.dtype.type(size - 1)
    for e in range(n):
        position = (place[e] - grid.low[e]) * grid.inverse[e]
        safe = position if position > zero else zero  # 0 for a NaN
        index = np.uint32(safe if safe < last else last)
        offset[e] = grid.row[e] + index
        place[e] = position - place.dtype.type(index)


@compiled
def _n_parts(s: Settings, is_outside: bool) -> int:  # noqa: FBT001 - no keywords in kernels
    """Return 3 where the continuation needs values and slopes beside the wanted derivative."""
    return 3 if is_outside and (s.fades == 1 or s.derivative == 0) else 1


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
def _repeat(knots: Array, n: int) -> Array:
    """Return the centres (centres, n), those of each input once for each sample of a block."""
    repeated = np.empty((knots.shape[1], n), knots.dtype)
    for m in range(knots.shape[1]):
        for i in range(min(n, knots.shape[0])):
            repeated[m, i] = knots[i, m]
        for e in range(knots.shape[0], n):
            repeated[m, e] = repeated[m, e - knots.shape[0]]
    return repeated


@compiled
def _bells(
    n: int, centres: Array, order: int, factor: Array, grid: Grid, x: Array, out: Array
) -> None:
    """Write H(r) exp(-r^2) / h^order with r = (x - centre) / h for each centre."""
    r, h = np.empty_like(x), np.empty_like(x)
    for m in range(centres.shape[0]):
        row, centre = out[m], centres[m]
        for e in range(n):
            r[e] = (x[e] - centre[e]) * grid.inverse[e]
            row[e] = _exp(-np.float64(r[e]) * r[e])
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


@compiled
def _finish(
    x: Array,
    s: Settings,
    is_outside: bool,  # noqa: FBT001
    base: Array,
    grid: Grid,
    away: Array,
    extra: Array,
    begin: int,
    values: Array,
) -> None:
    """Move a block to its place, continued outside the grid; add the base function's row."""
    n, zero = x.size, x.dtype.type(0)
    for r in range(s.active):
        row, level, slope, out = extra[0, r], extra[1, r], extra[2, r], values[r, begin : begin + n]
        if is_outside and s.fades == 1:
            _fade_out(n, s.derivative, row, level, slope, grid, away, out)
        elif is_outside and s.derivative == 0:
            for e in range(n):
                out[e] = row[e] + slope[e] * away[e]
        elif is_outside and s.derivative > 1:
            for e in range(n):
                out[e] = row[e] if away[e] == zero else zero
        else:
            for e in range(n):
                out[e] = row[e]
    if base.shape[1] > 0:
        _base(x, base, extra[0, s.active], extra[1, s.active], values[s.active, begin : begin + n])


@compiled
def _fade_out(
    n: int, d: int, row: Array, level: Array, slope: Array, grid: Grid, away: Array, out: Array
) -> None:
    """Write the derivative of order d of tangent times fade, as ``kanviz.nn.features`` does."""
    for e in range(n):
        scale = 2 / (grid.high[e] - grid.low[e])
        tangent = level[e] + slope[e] * away[e]
        faded = tangent * _fade(away[e] * scale, d) * scale**d
        if d > 0:
            faded += d * slope[e] * _fade(away[e] * scale, d - 1) * scale ** (d - 1)
        out[e] = row[e] if away[e] == 0 else faded


@compiled
def _fade(u: float, derivative: int) -> float:
    """Return a derivative of the cubic smoothstep from 1 at u = 0 to 0 at |u| = 1."""
    s = abs(u)
    if s >= 1 or derivative > 3:
        return 0.0
    sign = 1.0 if u >= 0 else -1.0
    if derivative == 0:
        return 1 - s * s * (3 - 2 * s)
    if derivative == 1:
        return -6 * s * (1 - s) * sign
    return -6 + 12 * s if derivative == 2 else 12 * sign


@compiled
def _base(x: Array, base: Array, sigmoid: Array, alone: Array, out: Array) -> None:
    """Write a(s) + x b(s), s = sigmoid(x), with the polynomials a, b in the rows of ``base``."""
    n, last = x.size, base.shape[1] - 1
    for e in range(n if last > 0 else 0):
        sigmoid[e] = 1 / (1 + _exp(-np.float64(x[e])))
    for e in range(n):
        out[e], alone[e] = base[1, last], base[0, last]
    for power in range(last - 1, -1, -1):
        c, d = base[1, power], base[0, power]
        for e in range(n):
            out[e] = out[e] * sigmoid[e] + c
            alone[e] = alone[e] * sigmoid[e] + d
    for e in range(n):
        out[e] = out[e] * x[e] + alone[e]


@compiled_as_written
def _exp(z: float) -> float:
    """Return e^z for |z| <= 700, and e^-700 or e^700 beyond, in operations that vectorise.

    2^m by writing the exponent bits, and the Taylor series of degree 13 on |r| <= ln 2 / 2, whose
    error is below the rounding (Muller, Elementary Functions, ch. 11). A NaN stays.
    """
    z = 700.0 if z > 700.0 else z
    z = -700.0 if z < -700.0 else z
    shifted = z * LOG2_E + ROUNDER
    m = shifted - ROUNDER
    r = (z - m * LN2_HIGH) - m * LN2_LOW
    p = 1.0 / 6227020800
    p = p * r + 1.0 / 479001600
    p = p * r + 1.0 / 39916800
    p = p * r + 1.0 / 3628800
    p = p * r + 1.0 / 362880
    p = p * r + 1.0 / 40320
    p = p * r + 1.0 / 5040
    p = p * r + 1.0 / 720
    p = p * r + 1.0 / 120
    p = p * r + 1.0 / 24
    p = p * r + 1.0 / 6
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    bits = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52)
    return p * np.int64(bits).view(np.float64)
