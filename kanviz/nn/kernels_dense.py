"""The CPU kernel of small grids: the contractions of ``kanviz.nn.fast`` over all features."""

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_columns import PIECES, fill
from kanviz.nn.kernels_common import Array, Settings, read_settings
from kanviz.nn.kernels_products import ZERO, add_dots, add_products, clear, write_products

BLOCK = 512
"""Samples that are worked on at once: the features of an input then fit the first-level cache."""


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
            clear(y[j, begin : begin + n])
        for i in range(x.shape[0]):
            rows, first, place = room, own, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            if not is_filled:
                here = x[i, begin : begin + n]
                fill(here, knots[i], s, tables, base, room, rows, first, place)
            for j in range(y.shape[0]):
                add_products(n, j, rows, first, place, weight[i], y[j, begin : begin + n])
            for j in range(h.shape[2]):
                add_dots(n, j, rows, first, place, g[j, begin : begin + n], h[i])
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
    if products.size > 0:
        _dot_rows(s.width, rows, first, place, products, i * s.width, begin, out)
    elif g.shape[0] == 1:  # one output: its gradient comes last
        write_products(n, ZERO, rows, first, place, weight[i], out)
        factor = g[0, begin : begin + n]
        for e in range(n):
            out[e] *= factor[e]
    else:
        own = PIECES + s.padding + 1 + s.width
        for m in range(s.width):
            row = room[own + m, :n]
            clear(row)
            for j in range(g.shape[0]):
                w, factor = weight[i, m, j], g[j, begin : begin + n]
                for e in range(n):
                    row[e] += w * factor[e]
        _dot_rows(s.width, rows, first, place, room, own, ZERO, out)


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
    """Write to ``out`` (n,) the sums over rows of rows times others."""
    n = out.size
    clear(out)
    for m in range(width):
        a, b = rows[first + m, place : place + n], others[top + m, begin : begin + n]
        for e in range(n):
            out[e] += a[e] * b[e]
