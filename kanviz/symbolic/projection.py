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

ROUNDING = 1e-30
"""Of the mean square of y: nothing but rounding is left."""

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
    if (lacking := terms.shape[2] - terms.shape[1]) > 0:  # rows of 0 add nothing to the squares
        terms = torch.nn.functional.pad(terms, (0, 0, 0, lacking))
        target = torch.nn.functional.pad(target, (0, lacking))
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
    if 0 in inner.shape:
        return solve(columns, inner, part)
    # The starts tell the unit of each number, for a number of 0 has none.
    unit = inner.abs().amax(0)
    unit = torch.where(unit > 0, unit, 1.0)
    now, slopes = _with_slopes(columns, inner, part, unit)
    damping = torch.full_like(now.cost, FIRST_DAMPING)
    enough = ROUNDING * float(part.weights @ part.z.square())
    for _ in range(steps):
        matrix = slopes @ slopes.mT
        gradient = slopes @ now.residual.unsqueeze(-1)
        diagonal = matrix.diagonal(dim1=1, dim2=2)
        extra = damping.unsqueeze(-1) * diagonal + 1e-30 * diagonal.amax(1, keepdim=True) + 1e-300
        change, failed = torch.linalg.solve_ex(matrix + torch.diag_embed(extra), -gradient)
        change = torch.where((failed > 0)[:, None, None], 0.0, change).squeeze(-1)
        limit = 0.5 * now.inner.abs() + unit
        trial, then = _with_slopes(columns, now.inner + change.clamp(-limit, limit), part, unit)
        better = trial.cost < now.cost
        row = better.unsqueeze(-1)
        now = Fits(
            torch.where(row, trial.inner, now.inner),
            torch.where(row, trial.linear, now.linear),
            torch.where(row, trial.residual, now.residual),
            torch.where(better, trial.cost, now.cost),
        )
        slopes = torch.where(row.unsqueeze(-1), then, slopes)
        damping = torch.where(better, damping / 8, damping * 6).clamp(1e-12, 1e12)
        if float(now.cost.min()) <= enough or float(damping.min()) > 1e5:
            break
    return now


def _with_slopes(
    columns: Columns,
    inner: Float[Tensor, "starts inner"],
    part: Subset,
    unit: Float[Tensor, " inner"],
) -> tuple[Fits, Float[Tensor, "starts inner samples"]]:
    """Return the fits, and the derivatives of their residuals in the inner numbers."""
    n_starts, n_inner = inner.shape
    step = STEP * (inner.abs() + STEP**0.5 * unit)
    moved = inner.unsqueeze(0) + torch.diag_embed(step).movedim(1, 0)
    both = solve(columns, torch.cat([inner, moved.flatten(0, 1)]), part)
    now = Fits(*(value[:n_starts] for value in vars(both).values()))
    beside = both.residual[n_starts:].view(n_inner, n_starts, -1) - now.residual
    known = both.cost[n_starts:].isfinite().view(n_inner, n_starts, 1)
    slopes = torch.where(known, beside / step.T.unsqueeze(-1), 0.0).nan_to_num(0.0, 0.0, 0.0)
    return now, slopes.movedim(0, 1)
