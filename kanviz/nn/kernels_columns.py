"""CPU kernels of small grids: all features of one input for a block of samples.

The samples lie in a row, so every loop fills vector registers and meets the numbers of one input as
scalars. ``room`` is scratch: the rows named here, then the polynomial pieces of an interval. The
features go to the rows from ``first`` on of the matrix ``out``, from column ``start`` on.
"""

import numpy as np

from kanviz.nn.compiled import compiled, compiled_as_written
from kanviz.nn.kernels_common import Array, Settings, base_row, exp

UNIFORM, GAUSSIAN = 0, 1
"""``Settings.kind``: B-splines on equally spaced knots, or Gaussian radial functions."""

AWAY, PLACE, INTERVAL, FIRST_EXTRA, SECOND_EXTRA, PIECES = range(6)
"""Rows of ``room``: distances from the grid, places in an interval, which interval."""


@compiled
def fill(
    x: Array,
    knots: Array,
    s: Settings,
    tables: Array,
    base: Array,
    room: Array,
    out: Array,
    first: int,
    start: int,
) -> None:
    """Write the features of one input, continued by their tangents outside the grid.

    Parameters
    ----------
    x : (n,)
        Any numbers.
    knots : (G + 2k + 1,) or (G + 5,)
        Knots or centres of the input.
    s : Settings
        Says which functions, and the order of their derivative.
    tables : (3, powers, functions)
        Of the wanted derivative, the values, the slopes; see ``Plan``.
    base : (2, powers)
        See ``kernels_common.base_row``.
    room, out, first, start
        See above; one row per basis function, then one for the base function.
    """
    n, low, high = x.size, knots[s.padding], knots[s.padding + s.size]
    if s.kind == UNIFORM:
        is_outside = _locate(x, s.size, low, high, room)
        _pieces(n, s, tables[0], (high - low) / s.size, room)
        if is_outside and s.derivative != 1:
            _continue(n, s, tables[2], (high - low) / s.size, room)
        _place(n, s, room, out, first, start)
    else:
        _bells(x, knots, s, tables[0, 0], room, out, first, start)
    if base.shape[1] > 0:
        extra = room[FIRST_EXTRA, :n], room[SECOND_EXTRA, :n]
        base_row(x, base, extra[0], extra[1], out[first + s.basis, start : start + n])


@compiled_as_written
def _locate(x: Array, size: int, low: float, high: float, room: Array) -> bool:
    """Find interval and place within it, from 0 to 1, of the point of the grid nearest to x.

    Rounded as in ``kanviz.nn.basis``, so that both find the same interval. Writes the signed
    distance from the grid too; returns whether any is not 0.
    """
    far, away, interval, place = 0, room[AWAY], room[INTERVAL], room[PLACE]
    number = room.dtype.type
    zero, last, inverse = number(0), number(size - 1), number(1) / (high - low) * number(size)
    for e in range(x.size):
        inside = low if x[e] < low else x[e]
        inside = high if inside > high else inside  # a NaN stays
        away[e] = x[e] - inside
        far |= x[e] != inside
        position = (inside - low) * inverse
        safe = position if position > zero else zero  # 0 for a NaN
        index = number(np.int32(safe if safe < last else last))
        interval[e] = index
        place[e] = position - index
    return far != 0


@compiled
def _pieces(n: int, s: Settings, table: Array, step: float, room: Array) -> None:
    """Evaluate the k + 1 polynomial pieces of the interval of each number."""
    scale, place = room.dtype.type(1 / step**s.derivative), room[PLACE]
    for r in range(s.padding + 1):
        _horner(n, table, r, scale, place, room[PIECES + r])


@compiled
def _continue(n: int, s: Settings, slopes: Array, step: float, room: Array) -> None:
    """Let the pieces go on along their tangents outside the grid."""
    number, place, away, slope = room.dtype.type, room[PLACE], room[AWAY], room[FIRST_EXTRA]
    zero = number(0)
    for r in range(s.padding + 1):
        row = room[PIECES + r]
        if s.derivative == 0:
            _horner(n, slopes, r, number(1 / step), place, slope)
            for e in range(n):
                row[e] += slope[e] * away[e]
        else:
            for e in range(n):
                row[e] = row[e] if away[e] == zero else zero


@compiled
def _horner(n: int, table: Array, r: int, scale: float, place: Array, row: Array) -> None:
    """Evaluate a polynomial with the coefficients ``scale`` times ``table[:, r]``."""
    k = table.shape[0] - 1
    top, second = table[k, r] * scale, table[k - 1, r] * scale
    if k == 3:  # in one go, for the most used splines
        third, last = table[1, r] * scale, table[0, r] * scale
        for e in range(n):
            row[e] = ((top * place[e] + second) * place[e] + third) * place[e] + last
        return
    for e in range(n):
        row[e] = top * place[e] + second
    for power in range(k - 2, -1, -1):
        c = table[power, r] * scale
        for e in range(n):
            row[e] = row[e] * place[e] + c


@compiled
def _place(n: int, s: Settings, room: Array, out: Array, first: int, start: int) -> None:
    """Give every basis function the piece that it has in the interval of each number."""
    number, interval = room.dtype.type, room[INTERVAL]
    zero = number(0)
    for m in range(s.basis):
        row, lowest = out[first + m, start : start + n], 0
        if s.padding >= 3:  # four in one go, for the most used splines
            a, b, c, d = room[PIECES], room[PIECES + 1], room[PIECES + 2], room[PIECES + 3]
            p, q, u, t = number(m), number(m - 1), number(m - 2), number(m - 3)
            for e in range(n):
                v = interval[e]
                low = (a[e] if v == p else zero) + (b[e] if v == q else zero)
                row[e] = low + (c[e] if v == u else zero) + (d[e] if v == t else zero)
            lowest = 4
        else:
            for e in range(n):
                row[e] = zero
        for r in range(lowest, s.padding + 1):
            piece, where = room[PIECES + r], number(m - r)
            for e in range(n):
                row[e] += piece[e] if interval[e] == where else zero


@compiled
def _bells(
    x: Array,
    centres: Array,
    s: Settings,
    factor: Array,
    room: Array,
    out: Array,
    first: int,
    start: int,
) -> None:
    """Write H(r) exp(-r^2) / h^order with r = (x - centre) / h for each centre."""
    n, low, high = x.size, centres[s.padding], centres[s.padding + s.size]
    r, h, away, number = room[PLACE], room[INTERVAL], room[AWAY], room.dtype.type
    inverse = number(1) / ((centres[s.basis - 1] - centres[0]) / number(s.basis - 1))
    scale, zero, two, order = number(inverse**s.derivative), number(0), number(2), s.derivative
    for m in range(s.basis):
        row, centre = out[first + m, start : start + n], centres[m]
        for e in range(n):
            inside = low if x[e] < low else x[e]
            inside = high if inside > high else inside  # a NaN stays
            away[e] = x[e] - inside
            r[e] = (inside - centre) * inverse
            row[e] = exp(-r[e] * r[e])
        if order == 0:
            for e in range(n):
                row[e] -= two * r[e] * inverse * away[e] * row[e]
            continue
        for e in range(n):
            h[e] = factor[order] * scale
        for power in range(order - 1, -1, -1):
            c = factor[power] * scale
            for e in range(n):
                h[e] = h[e] * r[e] + c
        for e in range(n):
            row[e] *= h[e] if order == 1 or away[e] == zero else zero
