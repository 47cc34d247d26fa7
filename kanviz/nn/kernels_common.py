"""CPU kernels, what all bases share: where x lies, the continuation, the base function."""

import inspect
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from kanviz.nn.compiled import compiled, compiled_as_written, compiled_with_memory

Array = NDArray[Any]

BLOCK = 1024
"""Numbers that are worked on at once: they fit the first-level cache."""

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer in the low bits
LN2_SINGLE_HIGH, LN2_SINGLE_LOW = 0.693359375, -2.12194440e-4
ROUNDER_SINGLE = 12582912.0  # 1.5 * 2**23


class Settings(NamedTuple):
    """The family of functions and the wanted derivative; built from an array of integers."""

    size: int
    padding: int
    active: int
    width: int
    derivative: int
    fades: int
    kind: int
    basis: int


class Grid(NamedTuple):
    """Low end, high end and inverse spacing of each number's grid; first row of its weight."""

    low: Array
    high: Array
    inverse: Array
    row: Array


@compiled
def read_settings(numbers: Array) -> Settings:
    """Return the settings from the integers that Python passed."""
    size, padding, active, width, derivative, fades, kind, basis = numbers
    return Settings(size, padding, active, width, derivative, fades, kind, basis)


@compiled
def block_length(x: Array, knots: Array) -> int:
    """Return how many numbers to work on at once: some samples, all inputs of each."""
    inputs = knots.shape[0]
    length = min(x.size, max(1, BLOCK // inputs) * inputs)
    return max(1, int(length))  # an empty batch has no block, but a step may not be 0


@compiled_with_memory
def scratch_rows(values: Array, n: int) -> Array:
    """Return scratch rows for the wanted derivative, the values and the slopes of a block."""
    return np.empty((3, values.shape[0], n), values.dtype)


@compiled_with_memory
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


@compiled_as_written
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


@compiled
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


@compiled
def count_parts(s: Settings, is_outside: bool) -> int:  # noqa: FBT001 - no keywords in kernels
    """Return 3 where the continuation needs values and slopes beside the wanted derivative."""
    return 3 if is_outside and (s.fades == 1 or s.derivative == 0) else 1


@compiled
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
        base_row(
            x, base, extra[0, s.active], extra[1, s.active], values[s.active, begin : begin + n]
        )


@compiled
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


@compiled
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


@compiled
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
