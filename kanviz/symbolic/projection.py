"""Variable projection: numbers that enter linearly are solved for, only the inner ones searched.

For given inner numbers the best linear ones follow by least squares, so the steps, those of
Levenberg and Marquardt for many starts at once, are taken on what these leave (Golub and Pereyra,
Inverse Problems 19, 2003, sec. 2). The derivatives of what is left are differences: they cost one
evaluation per inner number, and hold for whatever the columns are made of.

``fit_constants`` finds the free constants of a formula that a user wrote by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.functions import Function
from kanviz.symbolic.language import symbol
from kanviz.symbolic.program import Curve, curve
from kanviz.symbolic.samples import Numbers, Samples, Subset, prepare_samples

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


SCREENED_SAMPLES, COARSE_SAMPLES = 64, 240
STARTS, BASINS, FINALISTS = 600, 24, 4
"""Starts for each inner constant; how many of them are improved on some, then on all samples."""

COARSE_STEPS, FINE_STEPS = 20, 60


class LinearForm(NamedTuple):
    """A formula as h(x) + sum over k of p_k g_k(x): h and the g_k hold the inner constants only."""

    linear: tuple[int, ...]
    inner: tuple[int, ...]
    terms: tuple[Curve, ...]
    beside: Curve


@lru_cache(maxsize=256)
def linear_form(function: Function) -> LinearForm:
    """Return a formula with as many of its constants as can be, in their order, as factors."""
    chosen: list[str] = []
    expression = function.expression
    for name in function.constants:
        slope = sympy.diff(expression, symbol(name))
        if not slope.free_symbols & {symbol(other) for other in (*chosen, name)}:
            chosen.append(name)
    inner = [name for name in function.constants if name not in chosen]
    places = {name: n for n, name in enumerate(function.constants)}
    slopes = [sympy.diff(expression, symbol(name)) for name in chosen]
    rest = expression.xreplace({symbol(name): sympy.Integer(0) for name in chosen})
    return LinearForm(
        tuple(places[name] for name in chosen),
        tuple(places[name] for name in inner),
        tuple(curve(slope, inner) for slope in slopes),
        curve(rest, inner),
    )


def fit_constants(
    function: Function,
    x: Numbers,
    y: Numbers,
    affine: tuple[float, float, float, float] = (1.0, 0.0, 1.0, 0.0),
) -> tuple[float, ...]:
    """Return the free constants with which c f(a x + b) + d is nearest to a curve.

    Those that enter linearly are solved for; the others are searched, from many starts that are the
    same at each call.

    Parameters
    ----------
    function : Function
        f, with free constants.
    x, y : (samples,)
        The curve; at least 6 samples.
    affine : (a, b, c, d)
        c not 0.

    Raises
    ------
    ValueError
        If the formula has no finite value at some sample, whatever its constants, or c is 0.

    Examples
    --------
    >>> from kanviz.symbolic.functions import make_function
    >>> x = torch.linspace(0, 2, 50, dtype=torch.float64)
    >>> decay = make_function("decay", "p*exp(-q*x) + r")
    >>> [round(value, 6) for value in fit_constants(decay, x, 3 * torch.exp(-2 * x) + 1)]
    [3.0, 2.0, 1.0]
    """
    a, b, c, d = affine
    if c == 0:
        raise ValueError("affine must have a c other than 0; got 0. Take 1 for the formula itself.")
    samples = prepare_samples(x, y)
    parts = linear_form(function)
    columns = columns_of(parts)

    def of(part: Subset) -> Subset:
        """Return a part with x and y as the formula has them; the unit of y stays out of it."""
        at = samples.center + samples.half * part.t
        height = (samples.mean + samples.scale * part.z - d) / c
        return Subset(a * at + b, height, part.weights)

    whole = of(samples.all)
    starts = _starts(len(parts.inner), samples, a, b)
    for size, count, steps in (
        (SCREENED_SAMPLES, BASINS, 0),
        (COARSE_SAMPLES, FINALISTS, COARSE_STEPS),
        (len(whole.t), 1, FINE_STEPS),
    ):
        found = descend(columns, starts, whole.thinned(size), steps)
        starts = found.best(count)
    if not len(starts):
        raise ValueError(
            f"formula must have a value where the data are; got {function.name!r}, which has none "
            "for any constants that were tried. Look for a root or a logarithm of what is below 0."
        )
    best = solve(columns, starts, whole)
    values = torch.zeros(len(function.constants), dtype=torch.float64)
    values[list(parts.linear)] = best.linear[0]
    values[list(parts.inner)] = best.inner[0]
    return tuple(values.tolist())


def columns_of(parts: LinearForm) -> Columns:
    """Return the terms of a form, and what stands beside them, of its inner constants."""

    def columns(inner: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        numbers = [value.unsqueeze(-1) for value in inner.unbind(-1)]
        each = x.expand(len(inner), -1)

        def values(of: Curve) -> Tensor:
            return of.plain(each, *numbers)

        terms = [values(term) for term in parts.terms]
        together = torch.stack(terms, dim=-1) if terms else x.new_zeros(len(inner), len(x), 0)
        return together, values(parts.beside)

    return columns


def _starts(count: int, samples: Samples, a: float, b: float) -> Float[Tensor, "starts inner"]:
    """Return inner constants to start from: factors, rates, places and plain numbers."""
    if count == 0:
        return torch.zeros(1, 0, dtype=torch.float64)
    source = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=source, dtype=torch.float64)

    shape = (STARTS * count, count)
    half = abs(a) * samples.half or 1.0
    center = a * samples.center + b
    size = 10 ** (3.2 * random(*shape) - 1.7)
    sign = (random(*shape) < 0.5).double() * 2 - 1
    kind = random(*shape)
    unit = torch.where(kind < 0.45, 1 / half, torch.where(kind < 0.8, 1.0, half))
    place = sign * (center + half * (3 * random(*shape) - 1.5))
    return torch.where(random(*shape) < 0.15, place, sign * size * unit)
