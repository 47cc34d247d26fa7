"""Small laws that one curve may be: more than one function, and no more than the curve asks for.

A curve is a problem of one variable, where search is cheap. All sums of powers up to the sixth are
fitted, by linear algebra alone; for the other forms, the sums, products and compositions of two
functions in ``FORMS``, the inner numbers are searched from a grid that the form's letters lay out,
and the outer ones are solved for (``projection``). Frequencies come from a periodogram, poles from
the linear form of a rational function. A more complex law is kept if its error is at most half that
of all simpler ones.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.scaling import PLAIN
from kanviz.symbolic.affine import AffineFit, fit_affine
from kanviz.symbolic.affine_search import frequencies
from kanviz.symbolic.functions import INFINITY, Function
from kanviz.symbolic.language import X, parts_of
from kanviz.symbolic.parse import constants_in, parse
from kanviz.symbolic.projection import Fits, columns_of, descend, linear_form, solve
from kanviz.symbolic.samples import Samples, Subset

GAIN = 0.5
"""A law is worth reading if its error is at most this share of that of all simpler ones: a curve
of a network bends by the knots of its spline, and a law with more numbers follows that too."""

EXACT = 1e-9
"""Below this error nothing more is looked for."""

HIGHEST = 6
"""The highest power in a sum of powers."""

FORMS: tuple[str, ...] = (
    # sums
    "a*exp(k*x) + b*x + c",
    "a*sin(w*x + s) + b*x + c",
    "a*log(x - m) + b*x + c",
    "a*log(m - x) + b*x + c",
    "a*sqrt(x - m) + b*x + c",
    "a*sqrt(m - x) + b*x + c",
    "a*abs(x - n) + b*x + c",
    "a*tanh(g*(x - n)) + b*x + c",
    "a*exp(-h*(x - n)^2) + b*x + c",
    "a*sin(w*x + s) + b*x^2 + c*x + d",
    "a*exp(k*x) + b*x^2 + c*x + d",
    "a*exp(k*x) + b*exp(l*x) + c",
    "a*exp(k*x) + b*sin(w*x + s) + c",
    "a*sin(w*x + s) + b*sin(u*x + t) + c",
    "a*sin(w*x + s) + b*sin(v*x^2 + u*x) + c",
    "a*log(x - m) + b*log(x^2 + q) + c",
    "a*exp(-h*(x - n)^2) + b*sin(w*x + s) + c",
    # fractions
    "a/(x - m) + b*x + c",
    "a/(x^2 + k*x + q) + b",
    "(a*x + b)/(x^2 + k*x + q) + c",
    "a*x + (b*x + c)/(x^2 + k*x + q) + d",
    "a*x^2 + b*x + c/(x - m) + d",
    # products
    "(a*x + b)*exp(k*x) + c",
    "(a*x^2 + b*x + c)*exp(k*x) + d",
    "(a*x + b)*sin(w*x + s) + c",
    "(a*x + b)*log(x - m) + c",
    "(a*x + b)*log(m - x) + c",
    "(a*x + b)*sqrt(x - m) + c",
    "(a*x + b)*exp(-h*(x - n)^2) + c",
    "a*exp(k*x)*sin(w*x + s) + b",
    "a*exp(-h*(x - n)^2)*sin(w*x + s) + b",
    "a*sin(v*x^2 + t)*sin(w*x + s) + b",
    "a*sin(w*x + s)/(x - m) + b",
    # one function of another
    "a*sin(v*x^2 + w*x + s) + b",
    "a*exp(g*sin(w*x + s)) + b",
    "a*sin(g*exp(k*x) + s) + b",
    "a*sin(g*sin(w*x + s) + t) + b",
    "a*exp(r*x^2 + k*x) + b",
    "a*log(x^2 + k*x + q) + b",
    "a*sqrt(x^2 + k*x + q) + b",
    "a*exp(g*sqrt(x - m)) + b",
    "a*sin(u*sqrt(x - m) + s) + b",
    "a*tanh(g*sin(w*x + s)) + b",
    "a*log(y + sin(w*x + s)) + b",
    "a/(y + sin(w*x + s)) + b",
)
"""Letters from the front of the alphabet are solved for; the others say where their search begins:
g, y a factor, h 1/width^2, k, l a rate, m a place beside the data, n one among them, q what keeps a
square from 0, r, v a factor of x^2, s, t a phase, u, w a frequency."""

SCREENED_SAMPLES, COARSE_SAMPLES, FINE_SAMPLES = 40, 90, 400
MOST_STARTS, BASINS, FINALISTS = 320, 8, 3
PROMISING = 10
"""So many forms of all are worth the whole search."""

COARSE_STEPS, FINE_STEPS = 8, 40

LARGEST_FACTOR = 1e3
"""Terms that go so many times further than what is left of them are another function in disguise,
as a tiny piece of a huge sine is a parabola."""

LEFTOVER = 1e-12
"""A term that is never larger than this share of what the curve varies by is rounding: 0."""

DENOMINATORS = (2, 3, 4, 5)


def find_laws(samples: Samples, below: float) -> list[AffineFit]:
    """Return the laws that a curve may be, the simplest first; each much better than those before.

    Parameters
    ----------
    samples : Samples
        The curve.
    below : float
        The error of what is known already; laws must be much better.

    Returns
    -------
    list of AffineFit
        Functions with free constants, a = c = 1 and b = d = 0; or powers with a broken exponent.

    Examples
    --------
    >>> from kanviz.symbolic.samples import prepare_samples
    >>> x = torch.linspace(-1, 1, 200, dtype=torch.float64)
    >>> [law.function.name for law in find_laws(prepare_samples(x, x**3 + x**2 + x), 0.1)]
    ['a*x^3 + b*x^2 + c*x + d']
    """
    with torch.no_grad():
        found = [*sums_of_powers(samples), *_powers(samples)]
        if min((law.error for law in found), default=INFINITY) > EXACT:
            found += _forms(samples)
    kept: list[AffineFit] = []
    for law in sorted(found, key=lambda law: (law.function.complexity, law.error)):
        if below > EXACT and law.error <= GAIN * below:
            kept.append(law)
            below = law.error
    return kept


def complexity_of(expression: sympy.Expr) -> int:
    """Return how many nodes the tree of an expression has: numbers, variables, signs, functions.

    >>> complexity_of(parse("x**3 + x"))
    5
    """
    return parts_of(expression)


@cache
def form(text: str) -> Function:
    """Return the function that a form stands for."""
    constants = constants_in(text)
    expression = parse(text, constants=constants)
    return Function(text, expression, complexity_of(expression), constants=constants)


def sums_of_powers(samples: Samples) -> list[AffineFit]:
    """Return the best sum of each number of powers of x, from 2 on."""
    highest = HIGHEST if abs(samples.center) < 10 * samples.half else 3
    highest = min(highest, len(samples.train.t) // 3)
    train = _in_user_x(samples, samples.train)
    powers = torch.stack([train.t**n for n in range(1, highest + 1)], dim=-1)
    ones = torch.ones_like(powers[:, :1])
    found = []
    for size in range(2, highest + 1):
        sets = list(itertools.combinations(range(highest), size))
        chosen = torch.tensor(sets)
        columns = torch.cat([powers[:, chosen].movedim(1, 0), ones.expand(len(sets), -1, -1)], -1)
        nothing = columns.new_zeros(columns.shape[:2])
        inner = columns.new_zeros(len(sets), 0)
        fits = solve(lambda _, __, c=columns, n=nothing: (c, n), inner, train)  # type: ignore[misc]
        best = int(fits.cost.argmin())
        exponents = [n + 1 for n in reversed(sets[best])]
        reach = (columns[best] * fits.linear[best]).abs().amax(0)
        linear = torch.where(reach > LEFTOVER * samples.scale, fits.linear[best], 0.0)
        numbers = [*linear[:-1].flip(0).tolist(), float(linear[-1])]
        found.append(_judged(form(_sum_text(exponents)), numbers, samples))
    return found


def _sum_text(exponents: Sequence[int]) -> str:
    letters = "abcdfgh"
    terms = [
        f"{letter}*x^{n}" if n > 1 else f"{letter}*x"
        for letter, n in zip(letters, exponents, strict=False)
    ]
    return " + ".join([*terms, letters[len(exponents)]])


def _powers(samples: Samples) -> list[AffineFit]:
    """Return the best (a x + b)^p with a broken p, as functions of their own."""
    functions: list[Function] = []
    for side in ("a*(x - m)^p + b", "a*(m - x)^p + b"):
        fits = _searched(form(side), samples, COARSE_SAMPLES, COARSE_STEPS)
        at = linear_form(form(side)).inner.index(form(side).constants.index("p"))
        for exponent in fits.best(2)[:, at].tolist():
            functions += _broken(exponent)
    unique = list({function.name: function for function in functions}.values())
    return fit_affine(unique, samples) if unique else []


def _broken(exponent: float) -> list[Function]:
    """Return the powers whose exponents are simple fractions near a number."""
    found = []
    for denominator in DENOMINATORS:
        numerator = round(exponent * denominator)
        share = sympy.Rational(numerator, denominator)
        if abs(float(share) - exponent) < 0.05 and share.q == denominator and abs(share) < 6:
            name = f"x^({share.p}/{share.q})"
            complexity = complexity_of(X**share) + 2
            found.append(Function(name, X**share, complexity, (0.0, INFINITY)))
    return found


def _forms(samples: Samples) -> list[AffineFit]:
    """Return the best fit of each form that is worth the whole search."""
    grids = _grids(samples)
    whole = _in_user_x(samples, samples.train)
    coarse: list[tuple[float, str, Tensor]] = []
    for text in FORMS:
        function = form(text)
        if len(whole.t) < 3 * len(function.constants):  # so few samples tell nothing of it
            continue
        columns = columns_of(linear_form(function))
        starts = _starts(function, grids)
        inner = solve(columns, starts, whole.thinned(SCREENED_SAMPLES)).best(BASINS)
        if not len(inner):
            continue
        fits = descend(columns, inner, whole.thinned(COARSE_SAMPLES), COARSE_STEPS)
        coarse.append((float(fits.cost.min()), text, fits.best(FINALISTS)))
    found = []
    for _, text, inner in sorted(coarse, key=lambda row: row[0])[:PROMISING]:
        columns = columns_of(linear_form(form(text)))
        fits = descend(columns, inner, whole.thinned(FINE_SAMPLES), FINE_STEPS)
        best = fits.best(1)
        if len(best):
            law = _law(form(text), best, whole, samples)
            found += [law] if law is not None else []
    return found


def _searched(function: Function, samples: Samples, size: int, steps: int) -> Fits:
    columns, whole = columns_of(linear_form(function)), _in_user_x(samples, samples.train)
    starts = _starts(function, _grids(samples))
    inner = solve(columns, starts, whole.thinned(SCREENED_SAMPLES)).best(BASINS)
    return descend(columns, inner, whole.thinned(size), steps)


def _law(
    function: Function, inner: Float[Tensor, "1 inner"], whole: Subset, samples: Samples
) -> AffineFit | None:
    """Return a form with its numbers; None where they cancel so far that it is another one."""
    parts = linear_form(function)
    columns = columns_of(parts)
    fit = solve(columns, inner, whole)
    terms, _ = columns(inner, whole.t)
    size = (terms[0] * fit.linear[0]).abs().amax(0)  # of each term, where it is largest
    numbers = torch.zeros(len(function.constants), dtype=torch.float64)
    numbers[list(parts.linear)] = torch.where(size > LEFTOVER * samples.scale, fit.linear[0], 0.0)
    numbers[list(parts.inner)] = fit.inner[0]
    if disguise(function, numbers.tolist(), whole.t) > LARGEST_FACTOR:
        return None
    return _judged(function, numbers.tolist(), samples)


def disguise(function: Function, constants: Sequence[float], x: Float[Tensor, " samples"]) -> float:
    """Return how many times further the terms of a law go than their sum does."""
    parts, numbers = linear_form(function), x.new_tensor(constants)
    terms, beside = columns_of(parts)(numbers[list(parts.inner)].unsqueeze(0), x)
    terms = terms[0] * numbers[list(parts.linear)]
    if not terms.shape[1]:
        return 1.0
    total = terms.sum(1) + beside[0]
    reach = (terms.amax(0) - terms.amin(0)).amax()
    return float(reach / (total.amax() - total.amin() + 1e-300))


def _judged(function: Function, constants: Sequence[float], samples: Samples) -> AffineFit:
    """Return a law with its error on held-out samples and its R^2 on all."""

    def mean_square(part: Subset) -> float:
        own = _in_user_x(samples, part)
        left = (function.values(own.t, (*PLAIN, *constants)) - own.z) / samples.scale
        return float(left.square() @ part.weights)

    error, r2 = math.sqrt(mean_square(samples.held_out)), 1 - mean_square(samples.all)
    return AffineFit(function, *PLAIN, error=error, r2=r2, constants=tuple(constants))


def _in_user_x(samples: Samples, part: Subset) -> Subset:
    """Return samples with x and y as they came."""
    x, y = samples.center + samples.half * part.t, samples.mean + samples.scale * part.z
    return Subset(x, y, part.weights)


# ---- where the inner numbers begin


def _starts(
    function: Function, grids: Mapping[str, Float[Tensor, " values"]]
) -> Float[Tensor, "starts inner"]:
    """Return the grid of a form's inner numbers, thinned out by chance where it is large."""
    names = [function.constants[place] for place in linear_form(function).inner]
    lists = [grids[name] for name in names]
    total = math.prod(len(values) for values in lists)
    if total <= MOST_STARTS:
        return torch.cartesian_prod(*lists).view(total, len(names))
    source = torch.Generator().manual_seed(0)
    picked = [
        values[torch.randint(len(values), (MOST_STARTS,), generator=source)] for values in lists
    ]
    return torch.stack(picked, dim=-1)


def _grids(samples: Samples) -> dict[str, Float[Tensor, " values"]]:
    """Return the values of each letter to start from, in the unit of x."""
    half, center = samples.half, samples.center
    low, high = center - half, center + half

    def row(values: Iterator[float] | Sequence[float]) -> Tensor:
        return torch.tensor(list(values), dtype=torch.float64)

    rates = row(sign * size / half for size in (0.3, 1.0, 2.5, 6.0) for sign in (1, -1))
    away = (0.003, 0.05, 0.2, 0.6, 1.5, 4.0)
    beside = row([low - 2 * half * d for d in away] + [high + 2 * half * d for d in away])
    among = row(center + half * k / 4 for k in range(-5, 6))
    waves = torch.cat([row((0.8, 1.6, 2.4, 3.3, 4.5, 6.0)), frequencies(samples)]) / half
    phases = row(2 * math.pi * k / 5 for k in range(5))
    bends = row(sign * size / half**2 for size in (0.5, 1.0, 2.0, 4.0, 8.0) for sign in (1, -1))
    near = row((0.3, 1.0, 2.5))
    squares = row([center**2 + size * half**2 for size in (0.02, 0.1, 0.4, 1.0, 4.0, 10.0)])
    middles = row(-2 * (center + half * k / 3) for k in range(-4, 5))
    factors = row((0.4, 0.8, 1.5, 3.0, -0.4, -0.8, -1.5, -3.0))
    return {
        "g": factors,
        "h": row(size / half**2 for size in (0.3, 1.0, 4.0, 16.0, 60.0)),
        "k": torch.cat([rates, middles]),
        "l": rates,
        "m": beside,
        "n": among,
        "p": row((-3.0, -1.5, -0.7, -0.4, 0.25, 0.4, 0.6, 0.75, 1.4, 1.7, 2.4, 3.5)),
        "q": torch.cat([squares, near]),
        "r": bends,
        "s": phases,
        "t": phases,
        "u": waves,
        "v": bends,
        "w": waves,
        "y": row((1.05, 1.3, 2.0, 4.0, -1.3, -2.0)),
    }
