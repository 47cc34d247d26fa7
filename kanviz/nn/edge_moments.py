"""The spread of single edges by CPU kernels: for small grids and few outputs."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kanviz.nn import kernels_edges
from kanviz.nn.compiled import over_batch
from kanviz.nn.dense import KEPT, NONE, ONE_THREAD
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
    is_kept, parts = columns.size * plan.width <= KEPT, {}
    features = NONE[plan.dtype]
    if is_kept:
        features = np.empty((inputs * plan.width, samples), plan.dtype)
    y = np.empty((outputs, samples), plan.dtype)

    def work(start: int, stop: int) -> None:
        room = np.empty((plan.n_scratch_rows + outputs + 1, BLOCK), plan.dtype)
        mean, square = moments = np.zeros((2, inputs, outputs))
        few = columns, grid, *plan.arguments, features, table, y
        kernels_edges.edge_moments(start, stop, room, *few, mean, square)
        parts[start] = stop - start, moments

    over_batch(work, samples, 1 if columns.size <= ONE_THREAD else None)
    mean, square = _together([parts[start] for start in sorted(parts)])
    variances = square / samples if samples else square * np.nan
    return torch.from_numpy(y).T, variances, Edges(columns, grid, table, features, mean)


def _together(parts: list[tuple[int, Array]]) -> Array:
    """Return the moments of all parts together (Chan, Golub, LeVeque, 1979, eq. 2.1)."""
    seen, moments = parts[0]
    for n, (mean, square) in parts[1:]:
        step = mean - moments[0]
        moments[0] += step * (n / (seen + n))
        moments[1] += square + step**2 * (seen * n / (seen + n))
        seen += n
    return moments


def lead_edges_back(
    edges: Edges, g: Array, factor: Array, plans: tuple[Plan, Plan], *, wants_x: bool
) -> tuple[Tensor | None, Tensor]:
    """Return the slopes in x, if wanted, and in the weight.

    ``g`` (outputs, samples) are the slopes in y, ``factor`` (in, out) those in the variances of the
    edges; ``plans`` are of the features and of their derivatives.
    """
    kind, (inputs, samples), parts = plans[0].dtype, edges.columns.shape, {}
    slope = np.empty((inputs, samples), kind) if wants_x else NONE[kind]
    moments = edges.mean.astype(kind), (2 / max(samples, 1) * factor).astype(kind)

    def work(start: int, stop: int) -> None:
        room = np.empty((plans[0].n_scratch_rows + len(g) + 1, BLOCK), kind)
        h = np.zeros(edges.table.shape, kind)
        arguments = *plans[0].arguments, *plans[1].arguments
        few = edges.columns, edges.grid, *arguments, edges.features, edges.table, g
        kernels_edges.edge_slopes(start, stop, room, *few, *moments, h, slope)
        parts[start] = h

    over_batch(work, samples, 1 if edges.columns.size <= ONE_THREAD else None)
    first, *others = (parts[start] for start in sorted(parts))
    to_weight = torch.from_numpy(sum(others, first))
    return torch.from_numpy(slope).T if wants_x else None, to_weight
