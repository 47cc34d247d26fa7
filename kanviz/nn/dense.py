"""The contractions of ``kanviz.nn.fast`` over all features: for small grids and radial bases.

Numbers lie with the samples in a row, as columns of the usual matrices: the y of one layer is the x
of the next without a copy.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from kanviz.nn.compiled import over_parts, sum_over_parts
from kanviz.nn.kernels_dense import BLOCK, dense_sums
from kanviz.nn.plan import Array, Plan, columns_of, contiguous

SMALL_PRODUCT = 1 << 20
"""Multiplications up to which the kernel does without torch's matrix product, as measured."""

FEW_OUTPUTS = 8
"""Outputs up to which it always does."""

KEPT = 1 << 18
"""Most features that are kept for the way back: beyond, making them again costs less."""

NONE = {kind: np.empty((0, 0), kind) for kind in (np.float32, np.float64)}
NO_WEIGHT = {kind: np.empty((0, 0, 0), kind) for kind in (np.float32, np.float64)}


FILLS = False
"""The kernel's ``is_filled`` where the features are still to be made."""


class Dense(NamedTuple):
    """What the kernel takes of x (samples, inputs), the knots and the weight.

    ``columns`` is x with the samples in a row; ``features`` (inputs * width, samples) holds all
    features, or nothing.
    """

    columns: Array
    grid: Array
    table: Array
    features: Array


def prepare(x: Tensor, knots: Tensor, weight: Tensor | None, plan: Plan) -> Dense:
    """Return the arrays for a call, without features; ``outer_dense`` needs no weight."""
    table = NO_WEIGHT[plan.dtype] if weight is None else contiguous(weight)
    return Dense(columns_of(x), contiguous(knots), table, NONE[plan.dtype])


def evaluate_dense(x: Tensor, weight: Tensor, knots: Tensor, plan: Plan) -> tuple[Tensor, Dense]:
    """Return y (samples, outputs), and what is of use for the way back."""
    dense = prepare(x, knots, weight, plan)
    (inputs, samples), outputs = dense.columns.shape, weight.shape[2]
    size = inputs * plan.width * samples
    if not _by_kernel(size, outputs):
        dense = _filled(dense, plan)
        return (weight.flatten(0, 1).T @ torch.from_numpy(dense.features)).T, dense
    if size <= KEPT:
        dense = _with_room(dense, plan)
    y = np.empty((outputs, samples), plan.dtype)
    none = NONE[plan.dtype]
    _run(dense, plan, FILLS, dense.table, none, y, NO_WEIGHT[plan.dtype], none, none)
    return torch.from_numpy(y.T), dense


def outer_dense(dense: Dense, gradient: Tensor, plan: Plan) -> Tensor:
    """Return h (inputs, features, outputs) for the gradient g (samples, outputs)."""
    (inputs, samples), outputs = dense.columns.shape, gradient.shape[1]
    if not _by_kernel(inputs * plan.width * samples, outputs):
        features = (dense if dense.features.size else _filled(dense, plan)).features
        return (torch.from_numpy(features) @ gradient).view(inputs, plan.width, outputs)
    g, none = columns_of(gradient), NONE[plan.dtype]
    is_filled, no_weight = dense.features.size > 0, NO_WEIGHT[plan.dtype]

    def work(start: int, stop: int) -> Array:
        h = np.zeros((inputs, plan.width, outputs), plan.dtype)
        _sums(start, stop, dense, plan, is_filled, no_weight, g, none, h, none, none)
        return h

    return torch.from_numpy(sum_over_parts(work, samples, inputs))


def slope_dense(dense: Dense, gradient: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs) for the gradient g (samples, outputs)."""
    columns, grid, table, _ = dense
    none, no_weight = NONE[plan.dtype], NO_WEIGHT[plan.dtype]
    s, again = np.empty(columns.shape, plan.dtype), Dense(columns, grid, table, none)
    if _by_kernel(s.size * plan.width, gradient.shape[1]):
        g = columns_of(gradient)
        _run(again, plan, FILLS, table, g, none, no_weight, none, s)
    else:
        products = contiguous(torch.from_numpy(table).flatten(0, 1) @ gradient.T)
        _run(again, plan, FILLS, no_weight, none, none, no_weight, products, s)
    return torch.from_numpy(s.T)


def _by_kernel(size: int, outputs: int) -> bool:
    """Return whether the kernel multiplies a matrix of ``size`` features by itself."""
    return outputs <= FEW_OUTPUTS or size * outputs <= SMALL_PRODUCT


def _with_room(dense: Dense, plan: Plan) -> Dense:
    inputs, samples = dense.columns.shape
    return dense._replace(features=np.empty((inputs * plan.width, samples), plan.dtype))


def _filled(dense: Dense, plan: Plan) -> Dense:
    """Return the same with all features."""
    dense, none, no_weight = _with_room(dense, plan), NONE[plan.dtype], NO_WEIGHT[plan.dtype]
    _run(dense, plan, FILLS, no_weight, none, none, no_weight, none, none)
    return dense


def _run(dense: Dense, plan: Plan, *rest: Any) -> None:
    """Let the kernel go over the batch, in as many threads as pay."""
    inputs, samples = dense.columns.shape
    over_parts(lambda start, stop: _sums(start, stop, dense, plan, *rest), samples, inputs)


def _sums(start: int, stop: int, dense: Dense, plan: Plan, *rest: Any) -> None:
    """Call the kernel for some samples; ``rest``: its last arguments, without the features."""
    room = np.empty((plan.n_scratch_rows, BLOCK), plan.dtype)
    columns, grid, _, features = dense
    is_filled, *others = rest
    dense_sums(start, stop, room, columns, grid, *plan.arguments, is_filled, features, *others)
