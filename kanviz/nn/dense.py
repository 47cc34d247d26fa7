"""The contractions of ``kanviz.nn.fast`` over all features: for small grids and radial bases.

Numbers lie with the samples in a row, as columns of the usual matrices: the y of one layer is the x
of the next without a copy.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from kanviz.nn.compiled import over_batch
from kanviz.nn.kernels_dense import BLOCK, dense_sums
from kanviz.nn.plan import Array, Plan, contiguous

SMALL_PRODUCT = 1 << 20
"""Multiplications up to which the kernel does without torch's matrix product, as measured."""

FEW_OUTPUTS = 8
"""Outputs up to which it always does."""

KEPT = 1 << 18
"""Most features that are kept for the way back: beyond, making them again costs less."""

ONE_THREAD = 1 << 15
"""Numbers (samples times inputs) up to which a second thread costs more than it gains."""

NONE = {kind: np.empty((0, 0), kind) for kind in (np.float32, np.float64)}
NO_WEIGHT = {kind: np.empty((0, 0, 0), kind) for kind in (np.float32, np.float64)}


def evaluate_dense(
    x: Tensor, weight: Tensor, knots: Tensor, plan: Plan
) -> tuple[Tensor, Tensor | None]:
    """Return y (samples, outputs), and the features (inputs * width, samples) if kept."""
    columns, grid = contiguous(x.T), contiguous(knots)
    (inputs, samples), outputs = columns.shape, weight.shape[2]
    size, none, no_weight = inputs * plan.width * samples, NONE[plan.dtype], NO_WEIGHT[plan.dtype]
    by_kernel = _by_kernel(size, outputs)
    keep = size <= KEPT or not by_kernel
    features = np.empty((inputs * plan.width, samples), plan.dtype) if keep else none
    y = np.empty((outputs, samples), plan.dtype) if by_kernel else none
    table = contiguous(weight) if by_kernel else no_weight

    def work(start: int, stop: int) -> None:
        dense_sums(
            start, stop, _room(plan), columns, grid, *plan.arguments,
            False, features, table, none, y, no_weight, none, none,
        )  # fmt: skip

    _share(work, inputs, samples)
    if by_kernel:
        return torch.from_numpy(y).T, torch.from_numpy(features) if keep else None
    kept = torch.from_numpy(features)
    return (weight.flatten(0, 1).T @ kept).T, kept


def outer_dense(
    x: Tensor, gradient: Tensor, knots: Tensor, plan: Plan, kept: Tensor | None
) -> Tensor:
    """Return h (inputs, features, outputs)."""
    (samples, inputs), outputs = x.shape, gradient.shape[1]
    if not _by_kernel(inputs * plan.width * samples, outputs):
        if kept is None:
            kept = evaluate_dense(x, gradient.new_empty(0, 0, outputs), knots, plan)[1]
        assert kept is not None
        return (kept @ gradient).view(inputs, plan.width, outputs)
    columns, grid, g = contiguous(x.T), contiguous(knots), contiguous(gradient.T)
    none, no_weight, parts = NONE[plan.dtype], NO_WEIGHT[plan.dtype], []
    features = none if kept is None else kept.numpy()

    def work(start: int, stop: int) -> None:
        h = np.zeros((inputs, plan.width, outputs), plan.dtype)
        dense_sums(
            start, stop, _room(plan), columns, grid, *plan.arguments,
            kept is not None, features, no_weight, g, none, h, none, none,
        )  # fmt: skip
        parts.append(h)

    _share(work, inputs, samples)
    return torch.from_numpy(parts[0] if len(parts) == 1 else np.sum(parts, axis=0))


def slope_dense(x: Tensor, weight: Tensor, gradient: Tensor, knots: Tensor, plan: Plan) -> Tensor:
    """Return s (samples, inputs)."""
    columns, grid = contiguous(x.T), contiguous(knots)
    (inputs, samples), outputs = columns.shape, gradient.shape[1]
    none, no_weight = NONE[plan.dtype], NO_WEIGHT[plan.dtype]
    table, g, products = no_weight, none, none
    if _by_kernel(inputs * plan.width * samples, outputs):
        table, g = contiguous(weight), contiguous(gradient.T)
    else:
        products = contiguous(weight.flatten(0, 1) @ gradient.T)
    s = np.empty(columns.shape, plan.dtype)

    def work(start: int, stop: int) -> None:
        dense_sums(
            start, stop, _room(plan), columns, grid, *plan.arguments,
            False, none, table, g, none, no_weight, products, s,
        )  # fmt: skip

    _share(work, inputs, samples)
    return torch.from_numpy(s).T


def _by_kernel(size: int, outputs: int) -> bool:
    """Return whether the kernel multiplies a matrix of ``size`` features by itself."""
    return outputs <= FEW_OUTPUTS or size * outputs <= SMALL_PRODUCT


def _room(plan: Plan) -> Array:
    return np.empty((plan.n_scratch_rows, BLOCK), plan.dtype)


def _share(work: Callable[[int, int], None], inputs: int, samples: int) -> None:
    over_batch(work, samples, 1 if inputs * samples <= ONE_THREAD else None)
