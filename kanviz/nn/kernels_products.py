"""CPU kernels of small grids: products of rows of features, the samples in a row, four at a time.

A row is ``rows[first + m, place : place + n]``: a slice of two axes would do, but the compiler then
takes its rows for strided ones.
"""

from typing import Any

import numpy as np

from kanviz.nn.compiled import compiled
from kanviz.nn.kernels_common import Array

ZERO: Any = np.int64(0)
"""Written 0, it would make a function of another type of argument, which is compiled again."""


@compiled
def clear(row: Array) -> None:
    """Write zeros."""
    for e in range(row.size):
        row[e] = 0


@compiled
def write_products(
    n: int, j: int, rows: Array, first: int, place: int, weight: Array, out: Array
) -> None:
    """Write to ``out`` (n,) what ``add_products`` adds."""
    clear(out)
    add_products(n, j, rows, first, place, weight, out)


@compiled
def add_products(
    n: int, j: int, rows: Array, first: int, place: int, weight: Array, out: Array
) -> None:
    """Add to ``out`` (n,) the rows times column j of weight (width, outputs)."""
    width, end = weight.shape[0], place + n
    fours = width - width % 4
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
def add_dots(n: int, j: int, rows: Array, first: int, place: int, factor: Array, h: Array) -> None:
    """Add to column j of h (width, outputs) the sums over samples of rows times ``factor`` (n,)."""
    width, end, zero = h.shape[0], place + n, h.dtype.type(0)
    fours = width - width % 4
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
