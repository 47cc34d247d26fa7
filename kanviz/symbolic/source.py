"""Formulas as source code in Python and C: text to keep, never run here."""

import keyword
import re
from collections.abc import Sequence

import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.numpy import SciPyPrinter

from kanviz.symbolic.exponents import PRINTED, gathered
from kanviz.symbolic.language import check_expression

C_WORDS = frozenset(
    re.findall(
        r"\w+",
        "auto break case char const continue default do double else enum extern float for goto if "
        "inline int long register restrict return short signed sizeof static struct switch typedef "
        "union unsigned void volatile while main "
        "exp log fabs sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf sqrt cbrt "
        "pow fmax j0 j1 jn",
    )
)
"""Keywords, and the functions that formulas use."""

PYTHON_WORDS = frozenset({*keyword.kwlist, "numpy", "scipy", "float", "return"})


def python_source(
    expressions: Sequence[sympy.Expr], variables: Sequence[str], names: Sequence[str]
) -> str:
    """Return Python code: one function per formula, on numbers or numpy arrays.

    The code needs numpy, and scipy for erf and the Bessel functions.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        The formulas.
    variables : sequence of str
        The names of the inputs, in order; what is no name in Python is made one.
    names : sequence of str
        What to call the functions.

    Raises
    ------
    ValueError
        If a formula has a part that is no formula yet, such as a spline.
    """
    printer = _PythonPrinter({"fully_qualified_modules": True})
    arguments = identifiers(variables, PYTHON_WORDS)
    functions = []
    for expression, name in zip(
        expressions, identifiers(names, PYTHON_WORDS | set(arguments)), strict=True
    ):
        formula = printer.doprint(_renamed(expression, variables, arguments))
        floats = "".join(f"    {a} = numpy.asarray({a}, dtype=float)\n" for a in arguments)
        functions.append(f"def {name}({', '.join(arguments)}):\n{floats}    return {formula}\n")
    imports = ["import numpy"]
    imports += ["import scipy.special"] if any("scipy." in text for text in functions) else []
    return "\n".join(imports) + "\n\n\n" + "\n\n".join(functions)


def c_source(
    expressions: Sequence[sympy.Expr], variables: Sequence[str], names: Sequence[str]
) -> str:
    """Return C code (C99, and POSIX for the Bessel functions): one function per formula.

    Parameters and errors are those of ``python_source``.
    """
    printer = _CPrinter()
    arguments = identifiers(variables, C_WORDS)
    parameters = ", ".join(f"double {argument}" for argument in arguments) or "void"
    functions = []
    for expression, name in zip(
        expressions, identifiers(names, C_WORDS | set(arguments)), strict=True
    ):
        formula = printer.doprint(_renamed(expression, variables, arguments))
        functions.append(f"double {name}({parameters}) {{\n    return {formula};\n}}\n")
    return "#include <math.h>\n\n" + "\n".join(functions)


def identifiers(names: Sequence[str], taken: frozenset[str] | set[str]) -> list[str]:
    """Return names that a programming language accepts, different from each other and ``taken``."""
    used = set(taken)
    found = []
    for name in names:
        plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_") or "x"
        plain = f"x_{plain}" if plain[0].isdigit() else plain
        unique, number = plain, 2
        while unique in used:
            unique, number = f"{plain}_{number}", number + 1
        used.add(unique)
        found.append(unique)
    return found


def _renamed(
    expression: sympy.Expr, variables: Sequence[str], arguments: Sequence[str]
) -> sympy.Expr:
    """Return the expression in the new names; raise if it has no code."""
    check_expression("formula", expression, variables)
    new = dict(zip(variables, arguments, strict=True))
    symbols = expression.free_symbols
    renamed = expression.xreplace({s: sympy.Symbol(new[s.name], real=True) for s in symbols})
    return gathered(renamed, PRINTED)


class _PythonPrinter(SciPyPrinter):  # type: ignore[misc]
    """sympy's own, but for short numbers and a maximum of arrays."""

    def _print_Float(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    def _print_NumberSymbol(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    _print_Pi = _print_Exp1 = _print_NumberSymbol

    def _print_sinc(self, expr: sympy.Expr) -> str:
        return f"numpy.sinc(({self._print(expr.args[0])})/numpy.pi)"

    def _print_Max(self, expr: sympy.Expr) -> str:
        return f"numpy.maximum({', '.join(self._print(argument) for argument in expr.args)})"


class _CPrinter(C99CodePrinter):  # type: ignore[misc]
    """sympy's own, but for short numbers, numbers in place of M_PI, and the Bessel functions."""

    def _print_Float(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    def _print_NumberSymbol(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    _print_Pi = _print_Exp1 = _print_NumberSymbol

    def _print_sinc(self, expr: sympy.Expr) -> str:
        argument = self._print(expr.args[0])
        return f"(({argument}) != 0 ? sin({argument})/({argument}) : 1.0)"

    def _print_besselj(self, expr: sympy.Expr) -> str:
        order, argument = int(expr.args[0]), self._print(expr.args[1])
        return f"j{order}({argument})" if order < 2 else f"jn({order}, {argument})"
