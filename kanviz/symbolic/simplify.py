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
