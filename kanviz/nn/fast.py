"""The fused CPU path of ``kanviz.nn.features.evaluate``: numpy views, kernels, few torch calls.

With features F(x) of shape (samples, inputs, features), a derivative order d and a scale c of shape
(samples, inputs), everything is one of three contractions:

    evaluate: y = sum_if c F^(d) W        outer: H = sum_b c F^(d) g        slope: s = sum_fo F^(d) W g

Their derivatives are such contractions again (x takes d to d + 1), so ``contractions`` can
differentiate them to any order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kanviz.nn import kernels
from kanviz.nn.compiled import over_batch
from kanviz.nn.plan import Plan

Array = NDArray[Any]
Work = Callable[[int, int, Array, Array], None]

CHUNK = 1 << 15
"""Numbers (samples times inputs) whose active features are held at once: second-level cache."""

SPARSE_EVALUATE, SPARSE_SLOPE, SPARSE_OUTER = 6.0, 2.0, 6.0
"""Features per active row from which on the sparse kernels are faster, as measured."""


def is_sparse(plan: Plan, outputs: int, crossover: float) -> bool:
    """Return whether the sparse kernel is the faster one."""
    return outputs == 1 or plan.width >= crossover * plan.rows


def evaluate_now(
    x: Tensor, weight: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Tensor | None]:
    """Return y (samples, outputs), and the matrix of features if it was made."""
    outputs = weight.shape[2]
    if not is_sparse(plan, outputs, SPARSE_EVALUATE):
        matrix = _feature_matrix(x, knots, scale, plan)
        return matrix @ weight.flatten(0, 1), matrix
    y = x.new_empty(x.shape[0], outputs)
    table, target = _weight_array(weight), _column_array(y)
    kernel = kernels.evaluate_one if outputs == 1 else kernels.evaluate_rows

    def work(start: int, stop: int, offset: Array, values: Array) -> None:
        kernel(plan.active, offset, values, table, target[start:stop])

    _for_each_chunk(x, knots, scale, plan, work)
    return y, None


def slope_now(x: Tensor, weight: Tensor, gradient: Tensor, knots: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs)."""
    outputs = weight.shape[2]
    slope = torch.empty_like(x, memory_format=torch.contiguous_format)
    target = _array(slope)
    if is_sparse(plan, outputs, SPARSE_SLOPE):
        table, source = _weight_array(weight), _column_array(gradient)
        kernel = kernels.slope_one if outputs == 1 else kernels.slope_rows

        def work(start: int, stop: int, offset: Array, values: Array) -> None:
            kernel(plan.active, offset, values, table, source[start:stop], target[start:stop])
    else:
        matrix = _array(gradient @ weight.flatten(0, 1).T)

        def work(start: int, stop: int, offset: Array, values: Array) -> None:
            kernels.gather_features(
                plan.active, offset, values, matrix[start:stop], target[start:stop]
            )

    _for_each_chunk(x, knots, None, plan, work)
    return slope


def outer_now(
    x: Tensor,
    gradient: Tensor,
    knots: Tensor,
    scale: Tensor | None,
    plan: Plan,
    matrix: Tensor | None = None,
) -> Tensor:
    """Return H (inputs, features, outputs); ``matrix`` is that of ``evaluate_now``."""
    inputs, outputs = x.shape[1], gradient.shape[1]
    shape = (inputs, plan.width, outputs)
    if matrix is None and not is_sparse(plan, outputs, SPARSE_OUTER):
        matrix = _feature_matrix(x, knots, scale, plan)
    if matrix is not None:
        return (matrix.T @ gradient).view(shape)
    source = _column_array(gradient)
    kernel = kernels.outer_one if outputs == 1 else kernels.outer_rows

    def work(start: int, stop: int, offset: Array, values: Array) -> None:
        kernel(plan.active, offset, values, source[start:stop], target)

    total = x.new_zeros(shape)
    target = _weight_array(total)
    _for_each_chunk(x, knots, scale, plan, work)
    return total


def _feature_matrix(x: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan) -> Tensor:
    matrix = x.new_empty(x.shape[0], x.shape[1] * plan.width)
    target = _array(matrix)

    def work(start: int, stop: int, offset: Array, values: Array) -> None:
        kernels.spread_features(plan.active, offset, values, target[start:stop])

    _for_each_chunk(x, knots, scale, plan, work)
    return matrix


def _for_each_chunk(
    x: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan, work: Work
) -> None:
    """Call ``work(start, stop, offset, values)`` with the active features of parts of the batch."""
    points, grid = _array(x), _array(knots)
    factors = None if scale is None else _array(scale)
    inputs = points.shape[1]
    length = max(1, CHUNK // inputs)

    def run(first: int, last: int) -> None:
        for start in range(first, last, length):
            stop = min(start + length, last)
            shape = (stop - start, inputs)
            offset = np.empty(shape, np.uint32)
            values = np.empty((plan.rows, *shape), points.dtype)
            flat = points[start:stop].reshape(-1)
            plan.kernel(
                flat, grid, plan.numbers, plan.tables, plan.base,
                offset.reshape(-1), values.reshape(plan.rows, -1),
            )
            if factors is not None:
                values *= factors[start:stop]
            work(start, stop, offset, values)

    over_batch(run, points.shape[0])


def _array(tensor: Tensor) -> Array:
    """Return a contiguous numpy view (a copy only if it must be)."""
    array: Array = tensor.detach().contiguous().numpy()
    return array


def _weight_array(weight: Tensor) -> Array:
    """Return (inputs * features, outputs), or one axis if there is one output."""
    return _array(weight).reshape(-1, weight.shape[2]) if weight.shape[2] > 1 else _array(weight).reshape(-1)


def _column_array(column: Tensor) -> Array:
    """Return (samples, outputs), or one axis if there is one output."""
    return _array(column) if column.shape[1] > 1 else _array(column).reshape(-1)
