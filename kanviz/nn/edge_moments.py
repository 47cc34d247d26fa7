"""The spread of single edges by CPU kernels: for small grids and few outputs."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kanviz.nn import kernels_edges
from kanviz.nn.compiled import sum_over_parts
from kanviz.nn.dense import KEPT, NONE
from kanviz.nn.kernels_edges import BLOCK
from kanviz.nn.plan import Array, Plan, contiguous


class Edges(NamedTuple):
    """What is of use on the way back: ``mean`` (in, out) of the edges, the rest as in ``Dense``."""

    columns: Array
    grid: Array
    table: Array
    features: Array
    mean: Array


def evaluate_edges(
    x: Tensor, weight: Tensor, knots: Tensor, plan: Plan
) -> tuple[Tensor, Array, Edges]:
    """Return y (samples, outputs), the variances (in, out) of the edges, and what made them."""
    (samples, inputs), outputs = x.shape, weight.shape[2]
    columns, grid, table = contiguous(x.T), contiguous(knots), contiguous(weight)
    is_kept = columns.size * plan.width <= KEPT
    features = NONE[plan.dtype]
    if is_kept:
        features = np.empty((inputs * plan.width, samples), plan.dtype)
    y = np.empty((outputs, samples), plan.dtype)

    def work(start: int, stop: int) -> tuple[int, Array]:
        room = np.empty((plan.n_scratch_rows + outputs + 1, BLOCK), plan.dtype)
        mean, square = moments = np.zeros((2, inputs, outputs))
        few = columns, grid, *plan.arguments, features, table, y
        kernels_edges.edge_moments(start, stop, room, *few, mean, square)
        return stop - start, moments

    _, (mean, square) = sum_over_parts(work, samples, inputs, _together)
    variances = square / samples if samples else square * np.nan
    return torch.from_numpy(y).T, variances, Edges(columns, grid, table, features, mean)


def _together(a: tuple[int, Array], b: tuple[int, Array]) -> tuple[int, Array]:
    """Return samples and moments of two parts together (Chan, Golub, LeVeque, 1979, eq. 2.1)."""
    (seen, (mean, square)), (n, (other_mean, other_square)) = a, b
    step = other_mean - mean
    mean += step * (n / (seen + n))
    square += other_square + step**2 * (seen * n / (seen + n))
    return seen + n, a[1]


def lead_edges_back(
    edges: Edges, g: Array, factor: Array, plans: tuple[Plan, Plan], *, wants_x: bool
) -> tuple[Tensor | None, Tensor]:
    """Return the slopes in x, if wanted, and in the weight.

    ``g`` (outputs, samples) are the slopes in y, ``factor`` (in, out) those in the variances of the
    edges; ``plans`` are of the features and of their derivatives.
    """
    kind, (inputs, samples) = plans[0].dtype, edges.columns.shape
    slope = np.empty((inputs, samples), kind) if wants_x else NONE[kind]
    moments = edges.mean.astype(kind), (2 / max(samples, 1) * factor).astype(kind)

    def work(start: int, stop: int) -> Array:
        room = np.empty((plans[0].n_scratch_rows + len(g) + 1, BLOCK), kind)
        h = np.zeros(edges.table.shape, kind)
        arguments = *plans[0].arguments, *plans[1].arguments
        few = edges.columns, edges.grid, *arguments, edges.features, edges.table, g
        kernels_edges.edge_slopes(start, stop, room, *few, *moments, h, slope)
        return h

    to_weight = torch.from_numpy(sum_over_parts(work, samples, inputs))
    return torch.from_numpy(slope).T if wants_x else None, to_weight
