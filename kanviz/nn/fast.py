"""The contractions that make a KAN layer, by CPU kernels: few torch calls, numpy views, chunks.

With the features F(x) of shape (samples, inputs, features), a derivative order d of them and a
scale c of shape (samples, inputs), a layer and all its derivatives are made of three sums:

    evaluate  y = sum_if c F^(d) W      outer  h = sum_b c F^(d) g      slope  s = sum_fo F^(d) W g

``contractions`` makes them differentiable.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kanviz.nn import kernels
from kanviz.nn.compiled import over_batch
from kanviz.nn.plan import Plan

Array = NDArray[Any]

CHUNK = 1 << 15
"""Numbers (samples times inputs) whose active features are held at once: second-level cache."""

SPARSE, SPARSE_SLOPE = 2.5, 6.0
"""Features per active row from which on the sparse kernels are the faster ones, as measured."""


class Active(NamedTuple):
    """The active features of samples ``start`` to ``stop``, see ``kernels``."""

    start: int
    stop: int
    offset: Array
    values: Array


class Kept(NamedTuple):
    """What ``evaluate_now`` made on its way and ``outer_now`` can use: one of the two, or none."""

    matrix: Tensor | None = None
    active: Active | None = None


NOTHING_KEPT = Kept()


def evaluate_now(
    x: Tensor, weight: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Kept]:
    """Return y (samples, outputs)."""
    outputs = weight.shape[2]
    if outputs > 1 and plan.width < SPARSE * plan.rows:
        matrix = _feature_matrix(x, knots, scale, plan)
        return matrix @ weight.flatten(0, 1), Kept(matrix)
    y = np.empty((x.shape[0], outputs), plan.tables.dtype)
    table, target = _rows(weight, outputs), y if outputs > 1 else y.reshape(-1)
    kernel = kernels.evaluate_one if outputs == 1 else kernels.evaluate_rows

    def work(part: Active) -> None:
        kernel(plan.active, part.offset, part.values, table, target[part.start : part.stop])

    kept = Kept(active=_for_each_chunk(x, knots, scale, plan, work))
    return torch.from_numpy(y), kept


def slope_now(x: Tensor, weight: Tensor, gradient: Tensor, knots: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs)."""
    outputs = weight.shape[2]
    target = np.empty(x.shape, plan.tables.dtype)
    if outputs > 1 and plan.width < SPARSE_SLOPE * plan.rows:
        matrix = _array(gradient @ weight.flatten(0, 1).T)

        def work(part: Active) -> None:
            here = slice(part.start, part.stop)
            kernels.gather_features(
                plan.active, part.offset, part.values, matrix[here], target[here]
            )
    else:
        table, source = _rows(weight, outputs), _rows(gradient, outputs)
        kernel = kernels.slope_one if outputs == 1 else kernels.slope_rows

        def work(part: Active) -> None:
            here = slice(part.start, part.stop)
            kernel(plan.active, part.offset, part.values, table, source[here], target[here])

    _for_each_chunk(x, knots, None, plan, work)
    return torch.from_numpy(target)


def outer_now(
    x: Tensor, gradient: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan, kept: Kept
) -> Tensor:
    """Return h (inputs, features, outputs); ``kept`` is of the same x, scale and plan."""
    inputs, outputs = x.shape[1], gradient.shape[1]
    matrix = kept.matrix
    if matrix is None and outputs > 1 and plan.width < SPARSE * plan.rows:
        matrix = _feature_matrix(x, knots, scale, plan)
    if matrix is not None:
        return (matrix.T @ gradient).view(inputs, plan.width, outputs)
    source = _rows(gradient, outputs)
    kernel = kernels.outer_one if outputs == 1 else kernels.outer_rows
    h = np.zeros((inputs, plan.width, outputs), plan.tables.dtype)
    target = h.reshape((-1, outputs) if outputs > 1 else -1)

    def work(part: Active) -> None:
        kernel(plan.active, part.offset, part.values, source[part.start : part.stop], target)

    if kept.active is not None:
        work(kept.active)
    else:
        _for_each_chunk(x, knots, scale, plan, work, threads=1)  # all add to one target
    return torch.from_numpy(h)


def _feature_matrix(x: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan) -> Tensor:
    target = np.empty((x.shape[0], x.shape[1] * plan.width), plan.tables.dtype)

    def work(part: Active) -> None:
        here = target[part.start : part.stop]
        kernels.spread_features(plan.active, part.offset, part.values, here)

    _for_each_chunk(x, knots, scale, plan, work)
    return torch.from_numpy(target)


def _for_each_chunk(
    x: Tensor,
    knots: Tensor,
    scale: Tensor | None,
    plan: Plan,
    work: Callable[[Active], None],
    *,
    threads: int | None = None,
) -> Active | None:
    """Call ``work`` with parts of the batch; return the part if it was all of the batch."""
    points, grid = _array(x), _array(knots)
    factors = None if scale is None else _array(scale)
    inputs = points.shape[1]
    length = max(1, CHUNK // inputs)

    def run(first: int, last: int) -> Active:
        part = _active(points[first:last], grid, plan, first)
        if factors is not None:
            np.multiply(part.values, factors[first:last], out=part.values)
        work(part)
        return part

    def run_in_chunks(first: int, last: int) -> None:
        for start in range(first, last, length):
            run(start, min(start + length, last))

    if len(points) <= length:
        return run(0, len(points))
    over_batch(run_in_chunks, len(points), threads)
    return None


def _active(points: Array, grid: Array, plan: Plan, start: int) -> Active:
    samples, inputs = points.shape
    offset = np.empty((samples, inputs), np.uint32)
    values = np.empty((plan.rows, samples, inputs), points.dtype)
    flat = points.reshape(-1)
    plan.kernel(
        flat,
        grid,
        plan.numbers,
        plan.tables,
        plan.base,
        offset.reshape(-1),
        values.reshape(plan.rows, -1),
    )
    return Active(start, start + samples, offset, values)


def _array(tensor: Tensor) -> Array:
    """Return a contiguous numpy view, or a copy where there is none."""
    array: Array = (tensor if tensor.is_contiguous() else tensor.contiguous()).numpy(force=True)
    return array


def _rows(tensor: Tensor, outputs: int) -> Array:
    """Return the array as (rows, outputs), or with one axis if there is one output."""
    return _array(tensor).reshape((-1, outputs) if outputs > 1 else -1)
