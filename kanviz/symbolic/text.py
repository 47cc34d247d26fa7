"""Expressions as text that ``parse`` reads back to an equal expression."""

import sympy
from sympy.printing.str import StrPrinter

from kanviz.symbolic.exponents import PRINTED, gathered
from kanviz.symbolic.language import HEADS


def to_text(expression: sympy.Expr) -> str:
    """Return an expression as one line; numbers keep all their digits.

    Examples
    --------
    >>> to_text(2.5 * sympy.asin(sympy.Symbol("x", real=True)) + sympy.Rational(1, 3))
    '2.5*arcsin(x) + 1/3'
    """
    return str(_Printer().doprint(gathered(expression, PRINTED)))


class _Printer(StrPrinter):  # type: ignore[misc]
    """sympy's own text, but for numbers and the names of functions."""

    def _print_Float(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    def _print_Function(self, expr: sympy.Expr) -> str:
        name = HEADS.get(expr.func, expr.func.__name__)
        return f"{name}({', '.join(self._print(argument) for argument in expr.args)})"

    def _print_Abs(self, expr: sympy.Expr) -> str:
        return self._print_Function(expr)

    def _print_besselj(self, expr: sympy.Expr) -> str:
        return f"J{expr.args[0]}({self._print(expr.args[1])})"

    def _print_Max(self, expr: sympy.Expr) -> str:
        (inner,) = (argument for argument in expr.args if argument != 0)
        return f"relu({self._print(inner)})"
