"""The contractions of ``kanviz.nn.fast`` over the active features only: for large grids."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kanviz.nn import kernels_sparse
from kanviz.nn.compiled import over_parts
from kanviz.nn.plan import Array, Plan, contiguous

CHUNK = 1 << 15
"""Numbers (samples times inputs) whose active features are held at once: second-level cache."""


class Active(NamedTuple):
    """The active features of samples ``start`` to ``stop``, see ``kernels_sparse``."""

    start: int
    stop: int
    offset: Array
    values: Array


def evaluate_sparse(
    x: Tensor, weight: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Active | None]:
    """Return y (samples, outputs), and the active features if they are all in one part."""
    outputs = weight.shape[2]
    y = np.empty((x.shape[0], outputs), plan.dtype)
    table, target = _rows(weight, outputs), y if outputs > 1 else y.reshape(-1)
    kernel = kernels_sparse.evaluate_one if outputs == 1 else kernels_sparse.evaluate_rows

    def work(part: Active) -> None:
        kernel(plan.active, part.offset, part.values, table, target[part.start : part.stop])

    kept = for_each_chunk(x, knots, scale, plan, work)
    return torch.from_numpy(y), kept


def slope_sparse(x: Tensor, weight: Tensor, gradient: Tensor, knots: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs)."""
    outputs = weight.shape[2]
    target = np.empty(x.shape, plan.dtype)
    table, source = _rows(weight, outputs), _rows(gradient, outputs)
    kernel = kernels_sparse.slope_one if outputs == 1 else kernels_sparse.slope_rows

    def work(part: Active) -> None:
        here = slice(part.start, part.stop)
        kernel(plan.active, part.offset, part.values, table, source[here], target[here])

    for_each_chunk(x, knots, None, plan, work)
    return torch.from_numpy(target)


def outer_sparse(
    x: Tensor,
    gradient: Tensor,
    knots: Tensor,
    scale: Tensor | None,
    plan: Plan,
    kept: Active | None,
) -> Tensor:
    """Return h (inputs, features, outputs)."""
    inputs, outputs = x.shape[1], gradient.shape[1]
    source = _rows(gradient, outputs)
    kernel = kernels_sparse.outer_one if outputs == 1 else kernels_sparse.outer_rows
    h = np.zeros((inputs, plan.width, outputs), plan.dtype)
    target = h.reshape((-1, outputs) if outputs > 1 else -1)

    def work(part: Active) -> None:
        kernel(plan.active, part.offset, part.values, source[part.start : part.stop], target)

    if kept is not None:
        work(kept)
    else:
        for_each_chunk(x, knots, scale, plan, work, in_order=True)  # all add to one target
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
    """Call ``work`` with parts of the batch; return the part if it was all of the batch."""
    points, grid = contiguous(x), contiguous(knots)
    factors = None if scale is None else contiguous(scale)
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
    flat = points.reshape(-1)
    plan.kernel(flat, grid, *plan.arguments, offset.reshape(-1), values.reshape(plan.rows, -1))
    return Active(start, start + samples, offset, values)


def _rows(tensor: Tensor, outputs: int) -> Array:
    """Return the array as (rows, outputs), or with one axis if there is one output."""
    return contiguous(tensor).reshape((-1, outputs) if outputs > 1 else -1)
