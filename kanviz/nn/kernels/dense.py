"""The sum of a layer's edges over all features: for small grids and radial bases.

Numbers lie with the samples in a row, as columns of the usual matrices. So every loop of a kernel
runs over many samples, fills vector registers and meets knots and weights as scalars; and the y of
one layer, which lies so too, is the x of the next without a copy.
"""

import numpy as np
import torch
from torch import Tensor

from kanviz.nn.kernels.basis import ZERO, Settings, base_row, exp, read_settings
from kanviz.nn.kernels.jit import (
    ONE_PART,
    kernel,
    kernel_as_written,
    over_parts,
    sum_over_parts,
)
from kanviz.nn.kernels.plan import (
    AWAY,
    BLOCK,
    FIRST_EXTRA,
    INTERVAL,
    PIECES,
    PLACE,
    SECOND_EXTRA,
    UNIFORM,
    Array,
    Cache,
    Plan,
)

SMALL_PRODUCT = 1 << 20
"""Multiplications up to which the kernels do without torch's matrix product, as measured: they
spare the features a way through memory, but torch's product is the better one of large matrices."""

FEW_OUTPUTS = 8
"""Outputs up to which they always do: each feature is then met too rarely to be worth writing."""

KEPT = 1 << 18
"""Most features that are kept for backward: beyond they leave the cache of a core, and making them
again costs less than reading them."""

SMALL_COPY = 1 << 15
"""Numbers from which torch is the quicker one to transpose."""

NONE = {kind: np.empty((0, 0), kind) for kind in (np.float32, np.float64)}
NO_WEIGHT = {kind: np.empty((0, 0, 0), kind) for kind in (np.float32, np.float64)}
"""What is not there or not wanted: of the type of what it stands for, so that a kernel is compiled
once only."""


def prepare(x: Tensor, knots: Tensor, weight: Tensor | None, plan: Plan) -> Cache:
    """Return what the kernels take, without features; ``grad_weight`` needs no weight."""
    return Cache(
        np.ascontiguousarray(x.numpy(force=True).T) if x.numel() <= SMALL_COPY else columns_of(x),
        np.ascontiguousarray(knots.numpy(force=True)),
        NO_WEIGHT[plan.dtype] if weight is None else np.ascontiguousarray(weight.numpy(force=True)),
        NONE[plan.dtype],
    )


def forward(x: Tensor, knots: Tensor, weight: Tensor, plan: Plan) -> tuple[Tensor, Cache]:
    """Return y (samples, outputs), and what is of use for backward."""
    cache = prepare(x, knots, weight, plan)
    (inputs, samples), outputs = cache.x.shape, weight.shape[2]
    size = inputs * plan.width * samples
    by_kernel = outputs <= FEW_OUTPUTS or size * outputs <= SMALL_PRODUCT
    if size <= KEPT or not by_kernel:
        cache = cache._replace(features=np.empty((inputs * plan.width, samples), plan.dtype))
    y = np.empty((outputs if by_kernel else 0, samples), plan.dtype)

    if samples * inputs <= ONE_PART:  # at once: this is the most frequent call of all
        scratch = np.empty((plan.scratch_rows, BLOCK), plan.dtype)
        _forward(0, samples, *cache[:3], *plan.family, scratch, cache.features, y)
    else:

        def work(start: int, stop: int) -> None:
            scratch = np.empty((plan.scratch_rows, BLOCK), plan.dtype)
            _forward(start, stop, *cache[:3], *plan.family, scratch, cache.features, y)

        over_parts(work, samples, inputs)
    if by_kernel:
        return torch.from_numpy(y.T), cache
    return (weight.flatten(0, 1).T @ torch.from_numpy(cache.features)).T, cache


def grad_weight(cache: Cache, grad: Tensor, plan: Plan) -> Tensor:
    """Return h (inputs, features, outputs) for the gradient g (samples, outputs) of y."""
    (inputs, samples), outputs = cache.x.shape, grad.shape[1]
    if not _by_kernel(inputs * plan.width * samples, outputs):
        features = torch.from_numpy(cache.features if cache.features.size else _all(cache, plan))
        return (features @ grad).view(inputs, plan.width, outputs)
    g = columns_of(grad)

    def work(start: int, stop: int) -> Array:
        h = np.zeros((inputs, plan.width, outputs), plan.dtype)
        scratch = np.empty((plan.scratch_rows, BLOCK), plan.dtype)
        x, knots, _, features = cache
        _grad_weight(start, stop, x, knots, g, *plan.family, scratch, features, h)
        return h

    return torch.from_numpy(sum_over_parts(work, samples, inputs))


def grad_input(cache: Cache, grad: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs) for the gradient g (samples, outputs) of y.

    ``plan`` is of the next derivative, which is that of what the sum was made of.
    """
    (inputs, samples), outputs = cache.x.shape, grad.shape[1]
    g = products = NONE[plan.dtype]
    if _by_kernel(inputs * plan.width * samples, outputs):
        g = columns_of(grad)
    else:
        weight = torch.from_numpy(cache.weight).flatten(0, 1)
        products = np.ascontiguousarray((weight @ grad.T).numpy(force=True))
    s = np.empty((inputs, samples), plan.dtype)

    def work(start: int, stop: int) -> None:
        scratch = np.empty((plan.scratch_rows + plan.width, BLOCK), plan.dtype)
        _grad_input(start, stop, *cache[:3], g, products, *plan.family, scratch, s)

    over_parts(work, samples, inputs)
    return torch.from_numpy(s.T)


def columns_of(matrix: Tensor) -> Array:
    """Return the transposed matrix as an array that lies in one piece, or a copy if need be."""
    if matrix.numel() > SMALL_COPY:
        array: Array = matrix.T.contiguous().numpy(force=True)
        return array
    return np.ascontiguousarray(matrix.numpy(force=True).T)


def _by_kernel(size: int, outputs: int) -> bool:
    """Return whether the kernels multiply a matrix of ``size`` features by themselves."""
    return outputs <= FEW_OUTPUTS or size * outputs <= SMALL_PRODUCT


def _all(cache: Cache, plan: Plan) -> Array:
    """Return all features."""
    inputs, samples = cache.x.shape
    features = np.empty((inputs * plan.width, samples), plan.dtype)
    none, no_weight = NONE[plan.dtype], NO_WEIGHT[plan.dtype]

    def work(start: int, stop: int) -> None:
        scratch = np.empty((plan.scratch_rows, BLOCK), plan.dtype)
        _forward(
            start, stop, cache.x, cache.knots, no_weight, *plan.family, scratch, features, none
        )

    over_parts(work, samples, inputs)
    return features


@kernel
def _forward(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    weight: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    scratch: Array,
    features: Array,
    y: Array,
) -> None:
    """Write the sums of samples ``start`` to ``stop``, so that threads can share a batch.

    Parameters
    ----------
    x, knots, weight
        See ``Cache``; here and below the samples lie in a row.
    numbers, tables, base
        See ``Plan.family``.
    scratch : (scratch_rows, BLOCK)
        Is overwritten; each thread has its own.
    features : (inputs * width, samples) or nothing
        Gets all features.
    y : (outputs, samples), or no outputs
        Gets the sums over inputs and features of features times weight.
    """
    s = read_settings(numbers)
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        for j in range(y.shape[0]):
            clear(y[j, begin : begin + n])
        for i in range(x.shape[0]):
            rows, first, place = scratch, s.first_feature, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            here = x[i, begin : begin + n]
            write_features(here, knots[i], s, tables, base, scratch, rows, first, place)
            for j in range(y.shape[0]):
                add_products(n, j, rows, first, place, weight[i], y[j, begin : begin + n])


@kernel
def _grad_weight(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    g: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    scratch: Array,
    features: Array,
    h: Array,
) -> None:
    """Add to h (inputs, width, outputs) the sums over samples of features times g.

    ``g`` (outputs, samples); ``features`` are all there, or none is and they are made again; the
    rest as in ``_forward``.
    """
    s = read_settings(numbers)
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        for i in range(x.shape[0]):
            rows, first, place = scratch, s.first_feature, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            else:
                here = x[i, begin : begin + n]
                write_features(here, knots[i], s, tables, base, scratch, rows, first, place)
            for j in range(h.shape[2]):
                add_dots(n, j, rows, first, place, g[j, begin : begin + n], h[i])


@kernel
def _grad_input(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    weight: Array,
    g: Array,
    products: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    scratch: Array,
    out: Array,
) -> None:
    """Write to ``out`` (inputs, samples) the sums over features of features times weight times g.

    ``products`` (inputs * width, samples) are weight times g (outputs, samples); where they have no
    elements they are made here, in as many rows of ``scratch`` as there are features, behind these.
    """
    s = read_settings(numbers)
    first, top = s.first_feature, s.first_feature + s.width
    for begin in range(start, stop, BLOCK):
        n = min(BLOCK, stop - begin)
        for i in range(x.shape[0]):
            here, row = x[i, begin : begin + n], out[i, begin : begin + n]
            write_features(here, knots[i], s, tables, base, scratch, scratch, first, ZERO)
            if products.size > 0:
                _dot_rows(s.width, scratch, first, products, i * s.width, begin, row)
            elif g.shape[0] == 1:  # one output: its gradient comes last
                write_products(n, ZERO, scratch, first, ZERO, weight[i], row)
                factor = g[0, begin : begin + n]
                for e in range(n):
                    row[e] *= factor[e]
            else:
                for m in range(s.width):
                    product = scratch[top + m, :n]
                    clear(product)
                    for j in range(g.shape[0]):
                        w, factor = weight[i, m, j], g[j, begin : begin + n]
                        for e in range(n):
                            product[e] += w * factor[e]
                _dot_rows(s.width, scratch, first, scratch, top, ZERO, row)


@kernel
def _dot_rows(
    width: int, rows: Array, first: int, others: Array, top: int, begin: int, out: Array
) -> None:
    """Write to ``out`` (n,) the sums over rows of rows times others."""
    n = out.size
    clear(out)
    for m in range(width):
        a, b = rows[first + m, :n], others[top + m, begin : begin + n]
        for e in range(n):
            out[e] += a[e] * b[e]


@kernel
def write_features(
    x: Array,
    knots: Array,
    s: Settings,
    tables: Array,
    base: Array,
    scratch: Array,
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
        See ``basis.base_row``.
    scratch : (rows, BLOCK)
        The rows named in ``plan``, then one for each polynomial piece of an interval.
    out, first, start
        The features go to the rows of ``out`` from ``first`` on, from column ``start`` on: one per
        basis function, then one for the base function.
    """
    n, low, high = x.size, knots[s.padding], knots[s.padding + s.size]
    if s.kind == UNIFORM:
        is_outside = _locate(x, s.size, low, high, scratch)
        _pieces(n, s, tables[0], (high - low) / s.size, scratch)
        if is_outside and s.order != 1:
            _continue(n, s, tables[2], (high - low) / s.size, scratch)
        _place(n, s, scratch, out, first, start)
    else:
        _bells(x, knots, s, tables[0, 0], scratch, out, first, start)
    if base.shape[1] > 0:
        extra = scratch[FIRST_EXTRA, :n], scratch[SECOND_EXTRA, :n]
        base_row(x, base, extra[0], extra[1], out[first + s.basis, start : start + n])


@kernel_as_written
def _locate(x: Array, size: int, low: float, high: float, scratch: Array) -> bool:
    """Find interval and place within it, from 0 to 1, of the point of the grid nearest to x.

    Rounded as in ``kanviz.nn.basis``, so that both find the same interval. Writes the signed
    distance from the grid too; returns whether any is not 0.
    """
    far, away, interval, place = 0, scratch[AWAY], scratch[INTERVAL], scratch[PLACE]
    number = scratch.dtype.type
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


@kernel
def _pieces(n: int, s: Settings, table: Array, step: float, scratch: Array) -> None:
    """Evaluate the k + 1 polynomial pieces of the interval of each number."""
    scale, place = scratch.dtype.type(1 / step**s.order), scratch[PLACE]
    for r in range(s.padding + 1):
        _horner(n, table, r, scale, place, scratch[PIECES + r])


@kernel
def _continue(n: int, s: Settings, slopes: Array, step: float, scratch: Array) -> None:
    """Let the pieces go on along their tangents outside the grid."""
    number, place, away, slope = (
        scratch.dtype.type,
        scratch[PLACE],
        scratch[AWAY],
        scratch[FIRST_EXTRA],
    )
    zero = number(0)
    for r in range(s.padding + 1):
        row = scratch[PIECES + r]
        if s.order == 0:
            _horner(n, slopes, r, number(1 / step), place, slope)
            for e in range(n):
                row[e] += slope[e] * away[e]
        else:
            for e in range(n):
                row[e] = row[e] if away[e] == zero else zero


@kernel
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


@kernel
def _place(n: int, s: Settings, scratch: Array, out: Array, first: int, start: int) -> None:
    """Give every basis function the piece that it has in the interval of each number."""
    number, interval = scratch.dtype.type, scratch[INTERVAL]
    zero = number(0)
    for m in range(s.basis):
        row, lowest = out[first + m, start : start + n], 0
        if s.padding >= 3:  # four in one go, for the most used splines
            a, b, c, d = (
                scratch[PIECES],
                scratch[PIECES + 1],
                scratch[PIECES + 2],
                scratch[PIECES + 3],
            )
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
            piece, where = scratch[PIECES + r], number(m - r)
            for e in range(n):
                row[e] += piece[e] if interval[e] == where else zero


@kernel
def _bells(
    x: Array,
    centres: Array,
    s: Settings,
    factor: Array,
    scratch: Array,
    out: Array,
    first: int,
    start: int,
) -> None:
    """Write H(r) exp(-r^2) / h^order with r = (x - centre) / h for each centre."""
    n, low, high = x.size, centres[s.padding], centres[s.padding + s.size]
    r, h, away, number = scratch[PLACE], scratch[INTERVAL], scratch[AWAY], scratch.dtype.type
    inverse = number(1) / ((centres[s.basis - 1] - centres[0]) / number(s.basis - 1))
    scale, zero, two, order = number(inverse**s.order), number(0), number(2), s.order
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


# Products of rows of features, four at a time, so that a sum is read and written a quarter as
# often. A row is ``rows[first + m, place : place + n]``: a slice of two axes would do, but the
# compiler then takes its rows for strided ones.


@kernel
def clear(row: Array) -> None:
    """Write zeros."""
    for e in range(row.size):
        row[e] = 0


@kernel
def write_products(
    n: int, j: int, rows: Array, first: int, place: int, weight: Array, out: Array
) -> None:
    """Write to ``out`` (n,) what ``add_products`` adds."""
    clear(out)
    add_products(n, j, rows, first, place, weight, out)


@kernel
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


@kernel
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
