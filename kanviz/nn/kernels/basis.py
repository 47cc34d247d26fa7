"""CPU kernels of the active features: the basis functions that are not zero at each number.

For a chunk of N numbers (samples times inputs, inputs last) each ``*_features`` writes ``offset``
(N), the row of the weight where the active basis functions of the number begin, and ``values``
(active + 1, N), one row per active function and one for the base function. All loops run over many
numbers in a row, so that they fill vector registers whatever the spline order.

This and ``kanviz.nn.basis`` are the two evaluations of the bases: this is quick, that one is
differentiable to any order and runs on any device, and tests hold them to the same numbers.
"""

import inspect
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from kanviz.nn.kernels.jit import kernel, kernel_as_written, kernel_with_memory
from kanviz.nn.kernels.plan import ACTIVE_BLOCK, Array

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer in the low bits
LN2_SINGLE_HIGH, LN2_SINGLE_LOW = 0.693359375, -2.12194440e-4
ROUNDER_SINGLE = 12582912.0  # 1.5 * 2**23


ZERO: Any = np.int64(0)
"""Written 0, it would make a function of another type of argument, which is compiled again."""


class Settings(NamedTuple):
    """The family of functions and the order of the wanted derivative, see ``FunctionSpec``.

    Numbers, because numba compiles a function anew for each type; they come in one array, because
    every argument of a call from Python costs as much as a small loop.

    Parameters
    ----------
    size, padding : int
        Intervals of the base grid, knots or centres beyond it at each side.
    active, basis, width : int
        Basis functions that may be other than 0 at a point, all of them, all features.
    order : int
        Of the derivative.
    fades : int
        1 where the basis fades outside the grid, else it goes on along its tangent.
    kind : int
        ``plan.GENERAL``, ``UNIFORM`` or ``GAUSSIAN``.
    first_feature : int
        Row of scratch where features begin.
    """

    size: int
    padding: int
    active: int
    width: int
    order: int
    fades: int
    kind: int
    basis: int
    first_feature: int


class Grid(NamedTuple):
    """Low end, high end and inverse spacing of each number's grid; first row of its weight."""

    low: Array
    high: Array
    inverse: Array
    row: Array


@kernel
def read_settings(numbers: Array) -> Settings:
    """Return the settings from the integers that Python passed."""
    size, padding, active, width, order, fades, kind, basis, first = numbers
    return Settings(size, padding, active, width, order, fades, kind, basis, first)


@kernel
def block_length(x: Array, knots: Array) -> int:
    """Return how many numbers to work on at once: some samples, all inputs of each."""
    inputs = knots.shape[0]
    length = min(x.size, max(1, ACTIVE_BLOCK // inputs) * inputs)
    return max(1, int(length))  # an empty batch has no block, but a step may not be 0


@kernel_with_memory
def scratch_rows(values: Array, n: int) -> Array:
    """Return scratch rows for the wanted derivative, the values and the slopes of a block."""
    return np.empty((3, values.shape[0], n), values.dtype)


@kernel_with_memory
def make_grid(knots: Array, s: Settings, n: int, size: int, padding: int) -> Grid:
    """Repeat the grid of each input for all samples of a block."""
    grid = Grid(
        np.empty(n, knots.dtype),
        np.empty(n, knots.dtype),
        np.empty(n, knots.dtype),
        np.empty(n, np.uint32),
    )
    _repeat_grid(knots, s, n, size, padding, grid)
    return grid


@kernel_as_written
def _repeat_grid(knots: Array, s: Settings, n: int, size: int, padding: int, grid: Grid) -> None:
    low, high, inverse, row = grid
    inputs, one = knots.shape[0], knots.dtype.type(1)
    for i in range(min(inputs, n)):
        low[i], high[i] = knots[i, padding], knots[i, padding + size]
        share = one / (high[i] - low[i])  # in two steps, as torch divides
        inverse[i] = share * knots.dtype.type(size)
        row[i] = i * s.width
    for e in range(inputs, n):
        low[e], high[e] = low[e - inputs], high[e - inputs]
        inverse[e], row[e] = inverse[e - inputs], row[e - inputs]


@kernel
def clamp(x: Array, grid: Grid, nearest: Array, away: Array) -> bool:
    """Write the nearest point of the grid and the signed distance from it; say if any is not 0."""
    far = 0
    for e in range(x.size):
        inside = grid.low[e] if x[e] < grid.low[e] else x[e]
        inside = grid.high[e] if inside > grid.high[e] else inside  # a NaN stays
        nearest[e] = inside
        away[e] = x[e] - inside
        far |= x[e] != inside
    return far != 0


@kernel
def count_parts(s: Settings, is_outside: bool) -> int:  # noqa: FBT001 - no keywords in kernels
    """Return 3 where the continuation needs values and slopes beside the wanted derivative."""
    return 3 if is_outside and (s.fades == 1 or s.order == 0) else 1


@kernel
def finish(
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
            _fade_out(n, s.order, row, level, slope, grid, away, out)
        elif is_outside and s.order == 0:
            for e in range(n):
                out[e] = row[e] + slope[e] * away[e]
        elif is_outside and s.order > 1:
            for e in range(n):
                out[e] = row[e] if away[e] == zero else zero
        else:
            for e in range(n):
                out[e] = row[e]
    if base.shape[1] > 0:
        base_row(
            x, base, extra[0, s.active], extra[1, s.active], values[s.active, begin : begin + n]
        )


@kernel
def _fade_out(
    n: int, d: int, row: Array, level: Array, slope: Array, grid: Grid, away: Array, out: Array
) -> None:
    """Write the derivative of order d of tangent times fade, as ``kanviz.nn.features`` does."""
    for e in range(n):
        scale = 2 / (grid.high[e] - grid.low[e])
        tangent = level[e] + slope[e] * away[e]
        faded = tangent * fade(away[e] * scale, d) * scale**d
        if d > 0:
            faded += d * slope[e] * fade(away[e] * scale, d - 1) * scale ** (d - 1)
        out[e] = row[e] if away[e] == 0 else faded


@kernel
def fade(u: float, derivative: int) -> float:
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


@kernel
def base_row(x: Array, base: Array, sigmoid: Array, alone: Array, out: Array) -> None:
    """Write a(s) + x b(s), s = sigmoid(x), with the polynomials a, b in the rows of ``base``."""
    n, last, one = x.size, base.shape[1] - 1, x.dtype.type(1)
    if 0 < last <= 2:  # values and slopes, in one go
        a, b, c = base[0, 0], base[0, 1], base[0, last] if last > 1 else one - one
        p, q, r = base[1, 0], base[1, 1], base[1, last] if last > 1 else one - one
        for e in range(n):
            s = one / (one + exp(-x[e]))
            out[e] = ((r * s + q) * s + p) * x[e] + (c * s + b) * s + a
        return
    for e in range(n if last > 0 else 0):
        sigmoid[e] = one / (one + exp(-x[e]))
    for e in range(n):
        out[e], alone[e] = base[1, last], base[0, last]
    for power in range(last - 1, -1, -1):
        c, d = base[1, power], base[0, power]
        for e in range(n):
            out[e] = out[e] * sigmoid[e] + c
            alone[e] = alone[e] * sigmoid[e] + d
    for e in range(n):
        out[e] = out[e] * x[e] + alone[e]


def exp(z: Any) -> Any:
    """Return e^z in operations that vectorise, in the type of z; a NaN stays.

    2^m by writing the exponent bits, and the Taylor series on |r| <= ln 2 / 2, cut where its error
    is below the rounding (Muller, Elementary Functions, ch. 11). Held at 2^126 and 2^-126 for
    float32, at e^700 and e^-700 for float64.
    """
    raise NotImplementedError("only kernels call this")


@overload(exp, jit_options={"fastmath": False})
def _exp(z: Any) -> Any:
    # Tests wrap every function of the package to check its types: numba needs the bare one.
    return inspect.unwrap(_exp_single if z == types.float32 else _exp_double)


def _exp_single(z: Any) -> Any:
    one, bound = np.float32(1.0), np.float32(87.0)
    z = bound if z > bound else z
    z = -bound if z < -bound else z
    shifted = z * np.float32(LOG2_E) + np.float32(ROUNDER_SINGLE)
    m = shifted - np.float32(ROUNDER_SINGLE)
    r = (z - m * np.float32(LN2_SINGLE_HIGH)) - m * np.float32(LN2_SINGLE_LOW)
    p = np.float32(1.0 / 5040)
    p = p * r + np.float32(1.0 / 720)
    p = p * r + np.float32(1.0 / 120)
    p = p * r + np.float32(1.0 / 24)
    p = p * r + np.float32(1.0 / 6)
    p = p * r + np.float32(0.5)
    p = p * r + one
    p = p * r + one
    bits = np.int32((np.float32(shifted).view(np.int32) + np.int32(127)) << np.int32(23))
    return p * np.int32(bits).view(np.float32)


def _exp_double(z: Any) -> Any:
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


@kernel_with_memory
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
    numbers : (9,) int64
        The fields of ``Settings``.
    tables : (3, k + 1, k + 1)
        Coefficients [power, active function] of the wanted derivative, the values, the slopes.
    base : (2, powers)
        See ``base_row``.
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
            order = s.order if part == 0 else part - 1
            _horner(count, order, tables[part], grid, place, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@kernel_with_memory
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
            order = s.order if part == 0 else part - 1
            _recursion(count, s.padding, order, place, local, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, grid, away, extra, begin, values)


@kernel_with_memory
def gaussian_features(
    x: Array, knots: Array, numbers: Array, tables: Array, base: Array, offset: Array, values: Array
) -> None:
    """Write the features of a Gaussian basis: those of the centres around each number.

    ``tables`` (3, 1, powers) holds the polynomials H(r) that stand before exp(-r^2).
    """
    s, n = read_settings(numbers), block_length(x, knots)
    grid = make_grid(knots, s, n, knots.shape[1] - 1, ZERO)
    base_grid = make_grid(knots, s, n, s.size, s.padding)
    place, away, extra = np.empty_like(grid.low), np.empty_like(grid.low), scratch_rows(values, n)
    centre, centres = np.empty_like(grid.row), knots.reshape(-1)
    for begin in range(0, x.size, n):
        count = min(n, x.size - begin)
        is_outside = clamp(x[begin : begin + count], base_grid, place, away)
        _window(knots, s, grid, place, centre, offset[begin : begin + count])
        for part in range(count_parts(s, is_outside)):
            order = s.order if part == 0 else part - 1
            _bells(count, s, order, tables[part, 0], grid, place, centre, centres, extra[part])
        finish(x[begin : begin + count], s, is_outside, base, base_grid, away, extra, begin, values)


@kernel_as_written
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


@kernel
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


@kernel
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


@kernel
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


@kernel
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


@kernel_with_memory
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
