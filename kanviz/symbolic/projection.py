"""Variable projection: numbers that enter linearly are solved for, only the inner ones searched.

For given inner numbers the best linear ones follow by least squares, so the steps, those of
Levenberg and Marquardt for many starts at once, are taken on what these leave (Golub and Pereyra,
Inverse Problems 19, 2003, sec. 2). The derivatives of what is left are differences: they cost one
evaluation per inner number, and hold for whatever the columns are made of.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.samples import Subset

Columns = Callable[
    [Float[Tensor, "starts inner"], Float[Tensor, " samples"]],
    tuple[Float[Tensor, "starts samples terms"], Float[Tensor, "starts samples"]],
]
"""Of inner numbers and x: the terms that the linear numbers multiply, and what stands beside."""

STEP = 1e-6
"""Of a difference, as a share of an inner number or of its unit."""

FIRST_DAMPING = 1e-2

FAR = 1e150
"""Values beyond it count as infinite: their squares would be."""


@dataclass(frozen=True, eq=False)
class Fits:
    """Inner numbers with the linear ones that they leave, one row per start.

    Parameters
    ----------
    inner : (starts, inner)
    linear : (starts, terms)
    residual : (starts, samples)
        Of the samples, each times the root of its weight.
    cost : (starts,)
        Weighted mean square of what is left; inf where a value is not finite.
    """

    inner: Float[Tensor, "starts inner"]
    linear: Float[Tensor, "starts terms"]
    residual: Float[Tensor, "starts samples"]
    cost: Float[Tensor, " starts"]

    def best(self, count: int) -> Float[Tensor, "chosen inner"]:
        """Return the inner numbers of the best starts, finite ones only."""
        order = self.cost.argsort(stable=True)[:count]
        return self.inner[order[self.cost[order].isfinite()]]


def solve(columns: Columns, inner: Float[Tensor, "starts inner"], part: Subset) -> Fits:
    """Return the best linear numbers for each row of inner ones.

    ``part`` holds x as ``t`` and y as ``z``.
    """
    terms, beside = columns(inner, part.t)
    root = part.weights.sqrt()
    finite = (terms.abs() < FAR).flatten(1).all(1) & (beside.abs() < FAR).all(1)
    terms = torch.where(finite[:, None, None], terms, 0.0) * root.unsqueeze(-1)
    target = (part.z - torch.where(finite[:, None], beside, 0.0)) * root
    if terms.shape[-1] == 0:
        linear, residual = inner.new_zeros(len(inner), 0), target
    else:
        size = terms.norm(dim=1, keepdim=True)
        size = torch.where(size > 0, size, 1.0)
        orthogonal, triangle = torch.linalg.qr(terms / size)
        share = orthogonal.mT @ target.unsqueeze(-1)
        residual = target - (orthogonal @ share).squeeze(-1)
        # Terms that are alike leave a diagonal of rounding: the later ones of them get 0.
        diagonal = triangle.diagonal(dim1=1, dim2=2)
        alike = diagonal.abs() < 1e-13
        triangle = torch.where(torch.diag_embed(alike), 1.0, triangle)
        share = torch.where(alike.unsqueeze(-1), 0.0, share)
        linear = torch.linalg.solve_triangular(triangle, share, upper=True).squeeze(-1)
        linear = linear / size.squeeze(1)
    cost = residual.square().sum(1)
    return Fits(inner, linear, residual, torch.where(finite, cost, torch.inf))


def descend(
    columns: Columns, inner: Float[Tensor, "starts inner"], part: Subset, steps: int
) -> Fits:
    """Improve all starts by so many steps; none becomes worse."""
    now = solve(columns, inner, part)
    n_starts, n_inner = inner.shape
    if n_inner == 0 or n_starts == 0:
        return now
    damping = torch.full_like(now.cost, FIRST_DAMPING)
    for _ in range(steps):
        step = STEP * (now.inner.abs() + STEP**0.5)
        moved = now.inner.unsqueeze(1) + torch.diag_embed(step)
        then = solve(columns, moved.flatten(0, 1), part)
        slopes = then.residual.view(n_starts, n_inner, -1) - now.residual.unsqueeze(1)
        slopes = (slopes / step.unsqueeze(-1)).nan_to_num(0.0, 0.0, 0.0)
        known = then.cost.isfinite().view(n_starts, n_inner, 1)
        slopes = torch.where(known, slopes, 0.0)
        matrix = slopes @ slopes.mT
        gradient = slopes @ now.residual.unsqueeze(-1)
        diagonal = matrix.diagonal(dim1=1, dim2=2)
        extra = damping.unsqueeze(-1) * diagonal + 1e-30 * diagonal.amax(1, keepdim=True) + 1e-300
        change, failed = torch.linalg.solve_ex(matrix + torch.diag_embed(extra), -gradient)
        change = torch.where((failed > 0)[:, None, None], 0.0, change).squeeze(-1)
        limit = 0.5 * now.inner.abs() + 1.0
        trial = solve(columns, now.inner + change.clamp(-limit, limit), part)
        better = trial.cost < now.cost
        now = Fits(
            torch.where(better.unsqueeze(-1), trial.inner, now.inner),
            torch.where(better.unsqueeze(-1), trial.linear, now.linear),
            torch.where(better.unsqueeze(-1), trial.residual, now.residual),
            torch.where(better, trial.cost, now.cost),
        )
        damping = torch.where(better, damping / 8, damping * 6).clamp(1e-12, 1e12)
        if not bool(better.any()) and float(damping.min()) > 1e6:
            break
    return now
