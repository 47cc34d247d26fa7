"""The CPU kernel of small grids: the contractions of ``kanviz.nn.fast`` over all features."""

from typing import Any

import numpy as np

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_columns import PIECES, fill
from kanviz.nn.kernels_common import Array, Settings, read_settings

BLOCK = 512
"""Samples that are worked on at once: the features of an input then fit the first-level cache."""


ZERO: Any = np.int64(0)
"""Written 0, it would make a function of another type of argument, which is compiled again."""


def n_scratch_rows(padding: int, width: int) -> int:
    """Return how many rows of BLOCK numbers ``dense_sums`` works in."""
    return PIECES + padding + 1 + 2 * width


@compiled
def dense_sums(
    start: int,
    stop: int,
    room: Array,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    is_filled: bool,  # noqa: FBT001 - no keywords in kernels
    features: Array,
    weight: Array,
    g: Array,
    y: Array,
    h: Array,
    products: Array,
    slope: Array,
) -> None:
    """Work on samples ``start`` to ``stop``; what is without elements is not there, not wanted.

    Parameters
    ----------
    start, stop : int
        So that threads can share a batch.
    room : (n_scratch_rows, BLOCK)
        Is overwritten; each thread has its own.
    x, knots : (inputs, samples), (inputs, knots)
        Here and below the samples lie in a row.
    numbers, tables, base
        See ``Plan``.
    is_filled : bool
        Whether ``features`` are there already; else they are written.
    features : (inputs * width, samples)
        All features.
    weight : (inputs, width, outputs)
        For ``y`` and ``slope``.
    g : (outputs, samples)
        For ``h`` and ``slope``.
    y : (outputs, samples)
        Gets the sum over inputs and features of features times weight.
    h : (inputs, width, outputs)
        The sum over samples of features times g is added.
    products : (inputs * width, samples)
        Weight times g, for ``slope``; without it they are made here.
    slope : (inputs, samples)
        Gets the sum over features of features times weight times g.
    """
    s = read_settings(numbers)
    own = PIECES + s.padding + 1
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        for j in range(y.shape[0]):
            _clear(y[j, begin : begin + n])
        for i in range(x.shape[0]):
            rows, first, place = room, own, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            if not is_filled:
                here = x[i, begin : begin + n]
                fill(here, knots[i], s, tables, base, room, rows, first, place)
            if y.size > 0:
                _add_products(n, rows, first, place, weight[i], y, ZERO, begin)
            if h.size > 0:
                _add_dots(n, rows, first, place, g, begin, h[i])
            if slope.size > 0:
                _slope(n, s, rows, first, place, i, begin, weight, g, products, room, slope)


@compiled
def _slope(
    n: int,
    s: Settings,
    rows: Array,
    first: int,
    place: int,
    i: int,
    begin: int,
    weight: Array,
    g: Array,
    products: Array,
    room: Array,
    slope: Array,
) -> None:
    """Write features times weight times g of input i and samples from ``begin`` on."""
    out = slope[i, begin : begin + n]
    _clear(out)
    if products.size > 0:
        _dot_rows(s.width, rows, first, place, products, i * s.width, begin, out)
    elif g.shape[0] == 1:  # one output: its gradient comes last
        _add_products(n, rows, first, place, weight[i], slope, i, begin)
        factor = g[0, begin : begin + n]
        for e in range(n):
            out[e] *= factor[e]
    else:
        own = PIECES + s.padding + 1 + s.width
        for m in range(s.width):
            row = room[own + m, :n]
            _clear(row)
            for j in range(g.shape[0]):
                w, factor = weight[i, m, j], g[j, begin : begin + n]
                for e in range(n):
                    row[e] += w * factor[e]
        _dot_rows(s.width, rows, first, place, room, own, ZERO, out)


@compiled
def _clear(row: Array) -> None:
    for e in range(row.size):
        row[e] = 0


@compiled
def _add_products(
    n: int, rows: Array, first: int, place: int, weight: Array, y: Array, top: int, begin: int
) -> None:
    """Add weight (width, outputs) times rows to rows of y, four at a time."""
    width, outputs = weight.shape
    fours, end = width - width % 4, place + n
    for j in range(outputs):
        out = y[top + j, begin : begin + n]
        for m in range(0, fours, 4):
            a, b = rows[first + m, place:end], rows[first + m + 1, place:end]
            c, d = rows[first + m + 2, place:end], rows[first + m + 3, place:end]
            p, q, r, s = weight[m, j], weight[m + 1, j], weight[m + 2, j], weight[m + 3, j]
            for e in range(n):
                out[e] += (a[e] * p + b[e] * q) + (c[e] * r + d[e] * s)
        for m in range(fours, width):
            a, p = rows[first + m, place:end], weight[m, j]
            for e in range(n):
                out[e] += a[e] * p


@compiled
def _add_dots(n: int, rows: Array, first: int, place: int, g: Array, begin: int, h: Array) -> None:
    """Add to h (width, outputs) the sums over samples of rows times g, four at a time."""
    width, outputs = h.shape
    fours, end, zero = width - width % 4, place + n, h.dtype.type(0)
    for j in range(outputs):
        factor = g[j, begin : begin + n]
        for m in range(0, fours, 4):
            a, b = rows[first + m, place:end], rows[first + m + 1, place:end]
            c, d = rows[first + m + 2, place:end], rows[first + m + 3, place:end]
            p, q, r, s = zero, zero, zero, zero
            for e in range(n):
                p += a[e] * factor[e]
                q += b[e] * factor[e]
                r += c[e] * factor[e]
                s += d[e] * factor[e]
            h[m, j] += p
            h[m + 1, j] += q
            h[m + 2, j] += r
            h[m + 3, j] += s
        for m in range(fours, width):
            a, p = rows[first + m, place:end], zero
            for e in range(n):
                p += a[e] * factor[e]
            h[m, j] += p


@compiled
def _dot_rows(
    width: int,
    rows: Array,
    first: int,
    place: int,
    others: Array,
    top: int,
    begin: int,
    out: Array,
) -> None:
    """Add to ``out`` (n,) the sums over rows of rows times others."""
    n = out.size
    for m in range(width):
        a, b = rows[first + m, place : place + n], others[top + m, begin : begin + n]
        for e in range(n):
            out[e] += a[e] * b[e]
