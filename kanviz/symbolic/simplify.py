"""Simplification that ends in time."""

import importlib
import math
import sys
import time
from collections.abc import Callable

import sympy

LARGEST = 2000
"""Operations; beyond, sympy would not end in any time worth waiting."""


def simplified(expression: sympy.Expr, seconds: float = 2.0) -> sympy.Expr:
    """Return an equal expression with fewer operations, if one is found in time.

    Several ways are tried; the shortest result so far counts when the time is over. Variables are
    taken to be real. Where a profiler runs in this thread, nothing is simplified: the limit needs
    its place.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    seconds : float
        Most time to take; 0 returns the expression as it is.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> simplified(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 + x)
    x + 1
    """
    if seconds <= 0 or sys.getprofile() is not None or expression.count_ops() > LARGEST:
        return expression
    symbols = expression.free_symbols
    real = {symbol: sympy.Dummy(symbol.name, real=True) for symbol in symbols}
    best = [expression.xreplace(real)]

    def work() -> None:
        for way in (sympy.powsimp, sympy.factor_terms, sympy.expand_mul, sympy.simplify):
            shorter = way(best[-1])
            if shorter.count_ops() < best[-1].count_ops():
                best.append(shorter)

    # sympy loads this in the midst of its first call, and a load must not be broken off.
    importlib.import_module("sympy.physics.units")
    _run_within(work, seconds)
    return best[-1].xreplace({dummy: symbol for symbol, dummy in real.items()})


SYMPY_GIVES_UP = (
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


class _TimeIsOver(BaseException):
    """Not an ``Exception``, so that sympy does not take it for one of its own."""


def _run_within(work: Callable[[], None], seconds: float) -> None:
    """Call ``work``, and break it off when the time is over or sympy gives up.

    The interpreter calls the profile function of a thread at each call within it, and passes on
    what that raises. So other threads are untouched, and no thread or process is left running.
    """
    end = time.monotonic() + seconds

    def stop() -> None:
        raise _TimeIsOver

    try:
        sys.setprofile(lambda *_: stop() if time.monotonic() > end else None)
        work()
        end = math.inf  # the call that takes the watch away is watched too
    except (_TimeIsOver, *SYMPY_GIVES_UP):
        end = math.inf
    finally:
        sys.setprofile(None)
