"""The free constants of a formula that a user wrote, fitted to a curve."""

from functools import lru_cache
from typing import NamedTuple

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.functions import Function
from kanviz.symbolic.language import symbol
from kanviz.symbolic.program import Curve, curve
from kanviz.symbolic.projection import Columns, descend, solve
from kanviz.symbolic.samples import Numbers, Samples, Subset, prepare_samples

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
