"""Levenberg-Marquardt steps on the scale and shift of many fits of c f(a x + b) + d at once.

For given a and b the best c and d follow by linear least squares, so steps are taken on what those
leave (variable projection: Golub and Pereyra, Inverse Problems 19, 2003, sec. 2, with Kaufman's
approximation of the derivative).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.symbolic.library import INFINITY, Function
from kanviz.symbolic.samples import Part
from kanviz.symbolic.starts import into_domain
from kanviz.symbolic.traits import traits

FIRST_DAMPING = 1e-2
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Projection:
    """The best c and d for given values of f, and what they leave.

    Parameters
    ----------
    centered : (*fits, samples)
        f less its weighted mean.
    square : (*fits)
        Weighted mean square of ``centered``.
    c, d, cost : (*fits)
        The numbers, and the weighted mean square of ``residual``; inf where a value of f is not
        finite.
    residual : (*fits, samples)
        z - c f - d.
    """

    centered: Float[Tensor, "*fits samples"]
    square: Float[Tensor, "*fits"]
    c: Float[Tensor, "*fits"]
    d: Float[Tensor, "*fits"]
    residual: Float[Tensor, "*fits samples"]
    cost: Float[Tensor, "*fits"]


def project(values: Float[Tensor, "*fits samples"], part: Part) -> Projection:
    """Fit z by c f + d, by weighted least squares."""
    mean, z_mean = values @ part.weights, part.weights @ part.z
    centered, z = values - mean.unsqueeze(-1), part.z - z_mean
    square = centered.square() @ part.weights
    # A constant f has no c; what rounding leaves of its variance must not be divided by.
    is_constant = square <= 1e-28 * mean.square() + TINY
    c = torch.where(is_constant, 0.0, (centered @ (part.weights * z)) / square)
    residual = torch.addcmul(z, c.unsqueeze(-1), centered, value=-1)
    cost = residual.square() @ part.weights
    cost = torch.where(cost.isfinite(), cost, INFINITY)
    return Projection(centered, square, c, z_mean - c * mean, residual, cost)


def descend(
    functions: Sequence[Function],
    pairs: Float[Tensor, "functions starts 2"],
    part: Part,
    steps: int,
) -> tuple[Float[Tensor, "functions starts 2"], Float[Tensor, "functions starts"]]:
    """Improve all pairs (a, b) by so many steps; return them and their costs.

    A pair never leaves the domain of its function, nor becomes worse.
    """
    domains = torch.tensor([function.domain for function in functions], dtype=pairs.dtype)
    now, damping = _quadratic(functions, pairs, part), torch.full_like(pairs[..., 0], FIRST_DAMPING)
    for _ in range(steps):
        limit = 0.5 * pairs[..., :1].abs() + 0.5
        trial = into_domain(pairs + now.step(damping).clamp(-limit, limit), domains)
        then = _quadratic(functions, trial, part)
        better = then.cost < now.cost
        pairs = torch.where(better.unsqueeze(-1), trial, pairs)
        now = then.where(better, now)
        damping = torch.where(better, damping / 8, damping * 6).clamp(1e-12, 1e12)
    return pairs, now.cost


@dataclass(frozen=True, eq=False)
class _Quadratic:
    """The Gauss-Newton model of each cost: cost - 2 gradient s + s matrix s."""

    cost: Float[Tensor, "functions starts"]
    matrix: Float[Tensor, "functions starts 2 2"]
    gradient: Float[Tensor, "functions starts 2"]

    def step(self, damping: Float[Tensor, "functions starts"]) -> Tensor:
        """Return the minimum of the damped model, by Cramer's rule."""
        diagonal = self.matrix.diagonal(dim1=-2, dim2=-1)
        first, second = (diagonal * (1 + damping.unsqueeze(-1))).unbind(-1)
        off = self.matrix[..., 0, 1]
        g0, g1 = self.gradient.unbind(-1)
        determinant = first * second - off * off
        step = torch.stack([second * g0 - off * g1, first * g1 - off * g0], dim=-1)
        return (step / determinant.unsqueeze(-1)).nan_to_num(0.0, 0.0, 0.0)

    def where(self, chosen: Bool[Tensor, "functions starts"], other: "_Quadratic") -> "_Quadratic":
        """Return this model where chosen, else the other."""
        return _Quadratic(
            torch.where(chosen, self.cost, other.cost),
            torch.where(chosen[..., None, None], self.matrix, other.matrix),
            torch.where(chosen[..., None], self.gradient, other.gradient),
        )


def _quadratic(
    functions: Sequence[Function], pairs: Float[Tensor, "functions starts 2"], part: Part
) -> _Quadratic:
    values, slopes = _values_and_slopes(functions, pairs, part)
    fit = project(values, part)
    w, f = part.weights, fit.centered
    slopes = slopes * fit.c.unsqueeze(-1)
    columns = []
    for column in (slopes * part.t, slopes):  # d/da and d/db, at right angles to 1 and f
        column = column - (column @ w).unsqueeze(-1)
        share = ((column * f) @ w) / (fit.square + TINY)
        columns.append(torch.addcmul(column, share.unsqueeze(-1), f, value=-1))
    jacobian = torch.stack(columns, dim=-2)
    weighted = jacobian * w
    free = torch.tensor(
        [[not traits(f).scale_free, not traits(f).shift_free] for f in functions],
        dtype=values.dtype,
    ).unsqueeze(1)
    matrix = weighted @ jacobian.mT * free.unsqueeze(-1) * free.unsqueeze(-2)
    matrix = matrix + torch.diag_embed(1 - free)
    gradient = (weighted @ fit.residual.unsqueeze(-1)).squeeze(-1) * free
    return _Quadratic(fit.cost, matrix, gradient)


def _values_and_slopes(
    functions: Sequence[Function], pairs: Float[Tensor, "functions starts 2"], part: Part
) -> tuple[Float[Tensor, "functions starts samples"], Float[Tensor, "functions starts samples"]]:
    """Return f(a t + b) and f'(a t + b) for all functions and pairs."""
    u = pairs[..., :1] * part.t + pairs[..., 1:]
    values, slopes = torch.empty_like(u), torch.empty_like(u)
    for n, function in enumerate(functions):
        with torch.enable_grad():
            at = u[n].detach().requires_grad_()
            value = function.torch.plain(at)
            (slopes[n],) = torch.autograd.grad(value.sum(), at)
        values[n] = value.detach()
    return values, slopes
