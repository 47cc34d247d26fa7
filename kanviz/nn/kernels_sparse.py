"""CPU kernels of large grids: what is done with the active features of a chunk.

``offset`` (samples, inputs) and ``values`` (rows, samples, inputs) come from ``kernels_basis``; the
rows are the active basis functions, then the base function if ``has_base``. Only the active rows of
``weight``, (inputs * width, outputs), are met, so that the cost does not depend on the grid size;
the kernels for one output take all numbers of a chunk in a row.
"""

import numpy as np

from kanviz.nn.compiled import compiled, compiled_with_memory
from kanviz.nn.kernels_common import Array

TILE = 16
"""Samples that visit the weight of one input together, while it is in the cache."""


@compiled
def evaluate_rows(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
    """Write the sum of features times weight, (samples, outputs)."""
    samples, inputs = offset.shape
    width = weight.shape[0] // inputs
    has_base = values.shape[0] > active
    for b in range(samples):
        for j in range(out.shape[1]):
            out[b, j] = 0
    for tile in range(0, samples, TILE):
        for i in range(inputs):
            for b in range(tile, min(tile + TILE, samples)):
                y = out[b]
                for r in range(active + has_base):
                    v = values[r, b, i]
                    row = weight[offset[b, i] + r if r < active else (i + 1) * width - 1]
                    for j in range(y.size):
                        y[j] += v * row[j]


@compiled
def slope_rows(
    active: int, offset: Array, values: Array, weight: Array, gradient: Array, out: Array
) -> None:
    """Write, for each sample and input, features times weight times gradient (samples, outputs)."""
    samples, inputs = offset.shape
    zero = values.dtype.type(0)
    width = weight.shape[0] // inputs
    has_base = values.shape[0] > active
    for tile in range(0, samples, TILE):
        for i in range(inputs):
            for b in range(tile, min(tile + TILE, samples)):
                g, total = gradient[b], zero
                for r in range(active + has_base):
                    row = weight[offset[b, i] + r if r < active else (i + 1) * width - 1]
                    product = zero
                    for j in range(g.size):
                        product += row[j] * g[j]
                    total += values[r, b, i] * product
                out[b, i] = total


@compiled
def outer_rows(active: int, offset: Array, values: Array, gradient: Array, out: Array) -> None:
    """Add the sum over samples of features times gradient to ``out``, (inputs * width, outputs)."""
    samples, inputs = offset.shape
    width = out.shape[0] // inputs
    has_base = values.shape[0] > active
    for tile in range(0, samples, TILE):
        for i in range(inputs):
            for b in range(tile, min(tile + TILE, samples)):
                g = gradient[b]
                for r in range(active + has_base):
                    v = values[r, b, i]
                    row = out[offset[b, i] + r if r < active else (i + 1) * width - 1]
                    for j in range(g.size):
                        row[j] += v * g[j]


@compiled_with_memory
def evaluate_one(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
    """``evaluate_rows`` for one output: ``weight`` (inputs * width,), ``out`` (samples,)."""
    samples, inputs = offset.shape
    products = np.empty((samples, inputs), values.dtype)
    _products(active, offset, values, weight, products)
    for b in range(samples):
        total = values.dtype.type(0)
        for i in range(inputs):
            total += products[b, i]
        out[b] = total


@compiled
def slope_one(
    active: int, offset: Array, values: Array, weight: Array, gradient: Array, out: Array
) -> None:
    """``slope_rows`` for one output: ``weight`` (inputs * width,), ``gradient`` (samples,)."""
    _products(active, offset, values, weight, out)
    for b in range(offset.shape[0]):
        for i in range(offset.shape[1]):
            out[b, i] *= gradient[b]


@compiled
def _products(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
    """Write, for each sample and input, the sum of features times weight."""
    samples, inputs = offset.shape
    width = weight.size // inputs
    place, flat = offset.reshape(-1), out.reshape(-1)
    for e in range(flat.size):
        flat[e] = 0
    for r in range(active):
        row, later = values[r].reshape(-1), weight[r:]
        for e in range(flat.size):
            flat[e] += row[e] * later[place[e]]
    if values.shape[0] > active:
        for b in range(samples):
            for i in range(inputs):
                out[b, i] += values[active, b, i] * weight[(i + 1) * width - 1]


@compiled
def outer_one(active: int, offset: Array, values: Array, gradient: Array, out: Array) -> None:
    """``outer_rows`` for one output: ``gradient`` (samples,), ``out`` (inputs * width,)."""
    samples, inputs = offset.shape
    width = out.size // inputs
    has_base = values.shape[0] > active
    for b in range(samples):
        g = gradient[b]
        for i in range(inputs):
            for r in range(active):
                out[offset[b, i] + r] += values[r, b, i] * g
            if has_base:
                out[(i + 1) * width - 1] += values[active, b, i] * g
