"""A formula's numbers by least squares, and no more terms and numbers than the data ask for.

Noise leaves a formula that was read from curves with terms that are next to nothing, and with
numbers that are next to nice ones. Where the size of the noise is known, the likelihood tells which
of them the data have seen: a change is taken where it lowers the deviance plus the logarithm of the
number of rows for each free number (Schwarz, Estimating the dimension of a model, 1978).
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.formula import constants_of
from kanviz.symbolic.program import Program, compile_expressions
from kanviz.symbolic.simplify import MOST_TERMS, snap, terms_when_expanded
from kanviz.training.doubt import errors_of_numbers

STEPS, FIRST_DAMPING = 40, 1e-3
"""Of Levenberg and Marquardt."""

SETTLED = 1e-4
"""Fall of the deviance below which the numbers are found."""

NEAR = 3.0, 2.0, 1.0, 0.5
"""Standard errors within which a nice number is tried, the widest first in which nice numbers are
rare; the likelihood decides."""

NAMES: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = (
    sympy.sin,
    sympy.cos,
    sympy.exp,
    sympy.tanh,
    sympy.atan,
    sympy.sinh,
    lambda u: sympy.log(1 + u),
    lambda u: sympy.sqrt(1 + u),
)
"""What a sum of powers may be the beginning of."""

RATES = (0.7, -0.7, 2.0)
"""What their arguments are multiplied by to begin with."""

MOST_NAMED, MOST_GAINED = 3, 3
"""So many of them are polished, if so many nice numbers could make them likelier."""

MOST_NUMBERS = 30
"""Of a formula that is polished: each round tries to go without each term."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Parameters
    ----------
    inputs : tuple of str
        The names of the columns of x.
    x : (rows, inputs)
        In the units of the formula, in float64.
    y : (rows,)
        The same.
    noise : float
        Standard deviation of the noise in y.
    weight : (rows,), optional
        How many times each row counts.
    """

    inputs: tuple[str, ...]
    x: Float[Tensor, "rows inputs"]
    y: Float[Tensor, " rows"]
    noise: float
    weight: Float[Tensor, " rows"] | None = None

    @property
    def root(self) -> Float[Tensor, " rows"]:
        """What the error of a row is multiplied by: the root of its weight over the noise."""
        weight = torch.ones_like(self.y) if self.weight is None else self.weight
        return weight.sqrt() / self.noise

    @property
    def price(self) -> float:
        """By how much the deviance has to fall for a number."""
        return math.log(len(self.y) if self.weight is None else float(self.weight.sum()))


@dataclass(frozen=True)
class Polished:
    """A formula whose numbers are those of least squares.

    Parameters
    ----------
    expression : sympy.Expr
        Its decimal numbers are the free ones.
    deviance : float
        Sum of squares of what is left, in standard deviations of the noise.
    score : float
        The same, and the price of each free number: the lower the likelier.
    errors : list of float
        Standard errors of the free numbers, in the order of ``constants_of``.
    """

    expression: sympy.Expr
    deviance: float
    score: float
    errors: list[float]


def polish(expression: sympy.Expr, rows: Measured) -> Polished:
    """Return a formula with the numbers that the rows tell, without what they do not.

    The numbers are fitted; terms of sums go, and numbers near a simple one become it, where that
    makes the formula likelier.

    Parameters
    ----------
    expression : sympy.Expr
        A formula without unknown functions, in the names of the columns.
    rows : Measured
        What it is to be true of.

    Examples
    --------
    >>> x = torch.linspace(-1, 1, 200, dtype=torch.float64)
    >>> noise = 0.01 * torch.randn(200, generator=torch.Generator().manual_seed(0)).double()
    >>> rows = Measured(("x",), x[:, None], x**2 / 2 + noise, 0.01)
    >>> print(polish(sympy.sympify("0.497*x**2 + 0.002*x - 0.001"), rows).expression)
    x**2/2
    """
    real = {one: sympy.Symbol(one.name, real=True) for one in expression.free_symbols}
    expression = expression.xreplace(real)
    forms = [freed(expression)]
    if terms_when_expanded(expression) <= MOST_TERMS:
        forms.append(freed(sympy.expand_mul(expression)))
    begun = [fitted(expression, rows)]
    begun += [
        _least(fitted(form, rows), rows)
        for form in dict.fromkeys(forms)
        if len(constants_of(form)[1]) <= MOST_NUMBERS
    ]
    best = _named(min(begun, key=lambda one: one.score), rows)
    back = {one: name for name, one in real.items()}
    return Polished(best.expression.xreplace(back), best.deviance, best.score, best.errors)


def freed(expression: sympy.Expr) -> sympy.Expr:
    """Return a formula in which fractions are decimal numbers, those in exponents left out."""
    if expression.is_Rational and not expression.is_Integer:
        return sympy.Float(expression)
    if expression.is_Pow:
        return freed(expression.base) ** expression.exp
    return expression.func(*map(freed, expression.args)) if expression.args else expression


def _least(now: Polished, rows: Measured) -> Polished:
    """Return what is left once no change makes a formula likelier."""
    while True:
        shorter = min(
            (fitted(one, rows) for one in _without_a_term(now.expression)),
            key=lambda one: one.score,
            default=now,
        )
        if shorter.score < now.score:
            now = shorter
            continue
        nicer = _nicer(now, rows)
        if nicer is None:
            return now
        now = nicer


def _without_a_term(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield the formula without each term of each sum in it, while a variable is left."""
    for total in expression.atoms(sympy.Add):
        for term in total.args:
            rest = expression.xreplace({total: total - term})
            if rest.free_symbols and not rest.has(sympy.nan, sympy.zoo, sympy.oo):
                yield rest


def _nicer(now: Polished, rows: Measured) -> Polished | None:
    """Return the formula with one number more made a nice one, the nearest that can be."""
    lettered, constants = constants_of(now.expression, rows.inputs)
    found: list[tuple[float, sympy.Symbol, sympy.Expr]] = []
    for (letter, value), error in zip(constants.items(), now.errors, strict=True):
        if value == 0 or not 0 < error < math.inf:
            continue
        for near in NEAR:
            nice = snap(float(value), min(0.1, near * error / abs(float(value))))
            if not nice.is_Float and nice != 0:
                found.append((abs(float(value - nice)) / error, letter, nice))
                break
    for _, letter, nice in sorted(found, key=lambda one: one[0]):
        trial = fitted(lettered.xreplace({**constants, letter: nice}), rows)
        if trial.score < now.score:
            return trial
    return None


def _named(now: Polished, rows: Measured) -> Polished:
    """Return the formula with a sum of powers made one function, where that is likelier.

    The first terms of its series are all that noise leaves of one: b**2 - b**6/6 for sin(b**2).
    """
    best = now
    for total, rest, variable in _series(now.expression):
        trials = [
            fitted(now.expression.xreplace({total: rest + curve}), rows)
            for curve in _curves(variable, with_offset=bool(rest.as_coeff_Add()[0]))
        ]
        for trial in sorted(trials, key=lambda one: one.score)[:MOST_NAMED]:
            if trial.score < best.score + MOST_GAINED * rows.price:
                best = min(best, _least(trial, rows), key=lambda one: one.score)
    return best


def _series(expression: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr, sympy.Symbol]]:
    """Yield each sum with several powers of one variable: it, what is beside them, the variable."""
    for total in expression.atoms(sympy.Add):
        for variable in sorted(total.free_symbols, key=str):
            own = [
                term
                for term in total.args
                if term.free_symbols == {variable} and term.is_polynomial(variable)
            ]
            if len(own) > 1:
                yield total, total - sympy.Add(*own), variable


def _curves(variable: sympy.Symbol, *, with_offset: bool) -> Iterator[sympy.Expr]:
    """Yield functions of a variable, or of its square, to begin with."""
    for function, power, rate in itertools.product(NAMES, (1, 2), RATES):
        curve = function(sympy.Float(rate) * variable**power) / sympy.Float(rate)
        is_zero = function(sympy.Integer(0)) == 0
        yield curve if is_zero and not with_offset else curve + sympy.Float(0.01)


def fitted(expression: sympy.Expr, rows: Measured) -> Polished:
    """Return a formula with its decimal numbers by least squares, begun where they are."""
    lettered, constants = constants_of(expression, rows.inputs)
    names = [str(letter) for letter in constants]
    program = compile_expressions([lettered], rows.inputs, constants=names)
    values = torch.tensor([float(value) for value in constants.values()], dtype=torch.float64)
    left, slopes = _left(program, values, rows)
    deviance, damping = _squares(left), FIRST_DAMPING
    for _ in range(STEPS if names else 0):
        if not math.isfinite(deviance):
            break
        size = slopes.norm(dim=0).clamp_min(1e-300)
        steep = slopes / size
        matrix = steep.T @ steep + damping * torch.eye(len(values), dtype=torch.float64)
        trial = values + torch.linalg.solve(matrix, steep.T @ left) / size
        then_left, then_slopes = _left(program, trial, rows)
        then = _squares(then_left)
        if then >= deviance or not math.isfinite(then):
            damping *= 10
            if damping > 1e6:
                break
            continue
        fall, damping = deviance - then, damping / 10
        values, left, slopes, deviance = trial, then_left, then_slopes, then
        if fall < SETTLED:
            break
    numbers = dict(zip(constants, map(sympy.Float, values.tolist()), strict=True))
    # What sums and products of numbers come to is one number.
    done = lettered.xreplace(numbers)
    count = len(constants_of(done)[1])
    if count != len(names) and math.isfinite(deviance):
        return fitted(done, rows)
    errors = errors_of_numbers(slopes, 1.0) if names else []
    return Polished(done, deviance, deviance + rows.price * count, errors)


def _squares(left: Float[Tensor, " rows"]) -> float:
    return float(left.square().sum().nan_to_num(math.inf, math.inf))


def _left(
    program: Program, values: Float[Tensor, " numbers"], rows: Measured
) -> tuple[Float[Tensor, " rows"], Float[Tensor, "rows numbers"]]:
    """Return what a formula leaves of y, and its derivatives in the numbers, over the noise."""
    own = values.expand(len(rows.x), -1).clone().requires_grad_()
    with torch.enable_grad():
        said = program.plain(torch.cat([rows.x, own], dim=1))[:, 0]
        # Each row has numbers of its own here, so that one gradient has them all.
        (slopes,) = torch.autograd.grad(said.sum(), own, allow_unused=True)
    root = rows.root
    slopes = torch.zeros_like(own) if slopes is None else slopes.nan_to_num(0.0, 0.0, 0.0)
    return (rows.y - said.detach()) * root, slopes * root.unsqueeze(1)
