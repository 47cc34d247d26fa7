"""The sum of a layer's edges over the active features only: for large grids.

A chunk of the batch at a time, ``basis`` writes ``offset`` (samples, inputs) and ``values`` (rows,
samples, inputs): the active basis functions, then the base function if there is one. Only the
active rows of ``weight``, (inputs * width, outputs), are met, so that the cost does not depend on
the grid size; the kernels for one output take all numbers of a chunk in a row.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from kanviz.nn.kernels.basis import gaussian_features, general_features, uniform_features
from kanviz.nn.kernels.jit import kernel, kernel_with_memory, over_parts
from kanviz.nn.kernels.plan import GAUSSIAN, GENERAL, UNIFORM, Active, Array, Plan

FEATURES = {
    GENERAL: general_features,
    UNIFORM: uniform_features,
    GAUSSIAN: gaussian_features,
}

CHUNK = 1 << 15
"""Numbers (samples times inputs) whose active features are held at once: second-level cache."""

TILE = 16
"""Samples that visit the weight of one input together, while it is in the cache."""


def forward(
    x: Tensor, knots: Tensor, weight: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Active | None]:
    """Return y (samples, outputs), and the active features if they are all in one chunk."""
    outputs = weight.shape[2]
    y = np.empty((x.shape[0], outputs), plan.dtype)
    table, target = _rows(weight, outputs), y if outputs > 1 else y.reshape(-1)
    run = _forward_one if outputs == 1 else _forward_rows

    def work(part: Active) -> None:
        run(plan.active, part.offset, part.values, table, target[part.start : part.stop])

    cache = for_each_chunk(x, knots, scale, plan, work)
    return torch.from_numpy(y), cache


def grad_input(x: Tensor, knots: Tensor, weight: Tensor, grad: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs) for the gradient g (samples, outputs) of y."""
    outputs = weight.shape[2]
    target = np.empty(x.shape, plan.dtype)
    table, source = _rows(weight, outputs), _rows(grad, outputs)
    run = _grad_input_one if outputs == 1 else _grad_input_rows

    def work(part: Active) -> None:
        here = slice(part.start, part.stop)
        run(plan.active, part.offset, part.values, table, source[here], target[here])

    for_each_chunk(x, knots, None, plan, work)
    return torch.from_numpy(target)


def grad_weight(
    x: Tensor,
    knots: Tensor,
    grad: Tensor,
    scale: Tensor | None,
    plan: Plan,
    cache: Active | None,
) -> Tensor:
    """Return h (inputs, features, outputs) for the gradient g (samples, outputs) of y."""
    inputs, outputs = x.shape[1], grad.shape[1]
    source = _rows(grad, outputs)
    run = _grad_weight_one if outputs == 1 else _grad_weight_rows
    h = np.zeros((inputs, plan.width, outputs), plan.dtype)
    target = h.reshape((-1, outputs) if outputs > 1 else -1)

    def work(part: Active) -> None:
        run(plan.active, part.offset, part.values, source[part.start : part.stop], target)

    if cache is not None:
        work(cache)
    else:
        # One thread: h is large here, and one of its own for each would not fit any cache.
        for_each_chunk(x, knots, scale, plan, work, in_order=True)
    return torch.from_numpy(h)


def for_each_chunk(
    x: Tensor,
    knots: Tensor,
    scale: Tensor | None,
    plan: Plan,
    work: Callable[[Active], None],
    *,
    in_order: bool = False,
) -> Active | None:
    """Call ``work`` with chunks of the batch; return the chunk if it was all of the batch.

    ``in_order``: one after the other, because all add to one target.
    """
    points = np.ascontiguousarray(x.numpy(force=True))
    grid = np.ascontiguousarray(knots.numpy(force=True))
    factors = None if scale is None else np.ascontiguousarray(scale.numpy(force=True))
    inputs = points.shape[1]
    length = max(1, CHUNK // inputs)

    def run(first: int, last: int) -> Active:
        part = make_active(points[first:last], grid, plan, first)
        if factors is not None:
            np.multiply(part.values, factors[first:last], out=part.values)
        work(part)
        return part

    def run_in_chunks(first: int, last: int) -> None:
        for start in range(first, last, length):
            run(start, min(start + length, last))

    if len(points) <= length:
        return run(0, len(points))
    if in_order:
        run_in_chunks(0, len(points))
    else:
        over_parts(run_in_chunks, *points.shape)
    return None


def make_active(points: Array, grid: Array, plan: Plan, start: int) -> Active:
    """Return the active features of ``points`` (samples, inputs), which begin at ``start``."""
    samples, inputs = points.shape
    offset = np.empty((samples, inputs), np.uint32)
    values = np.empty((plan.rows, samples, inputs), points.dtype)
    run = FEATURES[plan.kind]
    run(points.reshape(-1), grid, *plan.family, offset.reshape(-1), values.reshape(plan.rows, -1))
    return Active(start, start + samples, offset, values)


def _rows(tensor: Tensor, outputs: int) -> Array:
    """Return the array as (rows, outputs), or with one axis if there is one output."""
    array: Array = np.ascontiguousarray(tensor.numpy(force=True))
    return array.reshape((-1, outputs) if outputs > 1 else -1)


@kernel
def _forward_rows(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
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


@kernel
def _grad_input_rows(
    active: int, offset: Array, values: Array, weight: Array, grad: Array, out: Array
) -> None:
    """Write, for each sample and input, features times weight times grad (samples, outputs)."""
    samples, inputs = offset.shape
    zero = values.dtype.type(0)
    width = weight.shape[0] // inputs
    has_base = values.shape[0] > active
    for tile in range(0, samples, TILE):
        for i in range(inputs):
            for b in range(tile, min(tile + TILE, samples)):
                g, total = grad[b], zero
                for r in range(active + has_base):
                    row = weight[offset[b, i] + r if r < active else (i + 1) * width - 1]
                    product = zero
                    for j in range(g.size):
                        product += row[j] * g[j]
                    total += values[r, b, i] * product
                out[b, i] = total


@kernel
def _grad_weight_rows(active: int, offset: Array, values: Array, grad: Array, out: Array) -> None:
    """Add the sum over samples of features times grad to ``out``, (inputs * width, outputs)."""
    samples, inputs = offset.shape
    width = out.shape[0] // inputs
    has_base = values.shape[0] > active
    for tile in range(0, samples, TILE):
        for i in range(inputs):
            for b in range(tile, min(tile + TILE, samples)):
                g = grad[b]
                for r in range(active + has_base):
                    v = values[r, b, i]
                    row = out[offset[b, i] + r if r < active else (i + 1) * width - 1]
                    for j in range(g.size):
                        row[j] += v * g[j]


@kernel_with_memory
def _forward_one(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
    """``_forward_rows`` for one output: ``weight`` (inputs * width,), ``out`` (samples,)."""
    samples, inputs = offset.shape
    products = np.empty((samples, inputs), values.dtype)
    _write_products(active, offset, values, weight, products)
    for b in range(samples):
        total = values.dtype.type(0)
        for i in range(inputs):
            total += products[b, i]
        out[b] = total


@kernel
def _grad_input_one(
    active: int, offset: Array, values: Array, weight: Array, grad: Array, out: Array
) -> None:
    """``_grad_input_rows`` for one output: ``weight`` (inputs * width,), ``grad`` (samples,)."""
    _write_products(active, offset, values, weight, out)
    for b in range(offset.shape[0]):
        for i in range(offset.shape[1]):
            out[b, i] *= grad[b]


@kernel
def _write_products(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
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


@kernel
def _grad_weight_one(active: int, offset: Array, values: Array, grad: Array, out: Array) -> None:
    """``_grad_weight_rows`` for one output: ``grad`` (samples,), ``out`` (inputs * width,)."""
    samples, inputs = offset.shape
    width = out.size // inputs
    has_base = values.shape[0] > active
    for b in range(samples):
        g = grad[b]
        for i in range(inputs):
            for r in range(active):
                out[offset[b, i] + r] += values[r, b, i] * g
            if has_base:
                out[(i + 1) * width - 1] += values[active, b, i] * g
