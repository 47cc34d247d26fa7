"""Simplification that ends in time."""

import time
from collections.abc import Callable

import sympy

SMALL, LARGE = 60, 400
"""Operations up to which sympy's whole ``simplify`` ends within a second or so, and up to which its
single rules do. Nothing breaks sympy off in the middle, so larger expressions stay as they are."""

SYMPY_GIVES_UP = (
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def with_unit_terms(expression: sympy.Expr) -> sympy.Expr:
    """Return the expression with each root of a sum divided by the number of the sum's first term.

    So c sqrt(k x + k y) gives up k to c, and is sqrt(x + y) where both cancel. Likewise for other
    powers that are no positive integers.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> with_unit_terms(0.5 * sympy.sqrt(4.0 * x + 4.0 * y))
    1.0*sqrt(1.0*x + 1.0*y)
    """

    def is_power_of_sum(part: sympy.Basic) -> bool:
        if not isinstance(part, sympy.Pow) or not part.exp.is_number or not part.base.is_Add:
            return False
        return not (part.exp.is_Integer and part.exp.is_positive)

    def divided(power: sympy.Pow) -> sympy.Expr:
        first = next(t for t in power.base.as_ordered_terms() if not t.is_number)
        factor = abs(first.as_coeff_Mul()[0])
        terms = [term / factor for term in power.base.args]
        return factor**power.exp * sympy.Add(*terms) ** power.exp

    return expression.replace(is_power_of_sum, divided)


def _rational(expression: sympy.Expr) -> sympy.Expr:
    """Return tanh of logarithms, and sums of tanh and arctanh, as fractions."""
    if not expression.has(sympy.tanh) or not expression.has(sympy.log):
        return expression
    return sympy.cancel(sympy.powsimp(sympy.expand(expression.rewrite(sympy.exp))))


def simplified(expression: sympy.Expr, seconds: float = 2.0) -> sympy.Expr:
    """Return an equal expression with fewer operations, if one is found in time.

    Several ways are tried, each on the shortest result so far, until the time is over. A way that
    has begun is not broken off; how large an expression may be for it keeps each short. Variables
    are taken to be real.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    seconds : float
        Time after which no further way is begun; 0 returns the expression as it is.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> simplified(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 + x)
    x + 1
    """
    end = time.monotonic() + seconds
    symbols = expression.free_symbols
    real = {symbol: sympy.Dummy(symbol.name, real=True) for symbol in symbols}
    best = expression.xreplace(real)
    rules: tuple[tuple[Callable[[sympy.Expr], sympy.Expr], int], ...] = (
        (sympy.powsimp, LARGE),
        (sympy.factor_terms, LARGE),
        (sympy.expand_mul, LARGE),
        (_rational, SMALL),
        (sympy.simplify, SMALL),
    )
    for rule, largest in rules:
        if time.monotonic() >= end or best.count_ops() > largest:
            continue
        try:
            shorter = rule(best)
        except SYMPY_GIVES_UP:
            continue
        if shorter.count_ops() < best.count_ops():
            best = shorter
    return best.xreplace({dummy: symbol for symbol, dummy in real.items()})
