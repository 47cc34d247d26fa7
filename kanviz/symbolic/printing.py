"""Expressions as others read them: text that ``parse`` reads back, MathML, Python and C source."""

import html
import keyword
import re
from collections.abc import Sequence
from typing import Any

import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.str import StrPrinter

from kanviz.symbolic.language import HEADS, PRINTED, absorb_factors, check_expression


def to_text(expression: sympy.Expr) -> str:
    """Return an expression as one line; numbers keep all their digits.

    Examples
    --------
    >>> to_text(2.5 * sympy.asin(sympy.Symbol("x", real=True)) + sympy.Rational(1, 3))
    '2.5*arcsin(x) + 1/3'
    """
    return str(_TextPrinter().doprint(absorb_factors(expression, PRINTED)))


class _TextPrinter(StrPrinter):  # type: ignore[misc]
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


TAGS = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "mtext", "msup", "msub"),
        *("mfrac", "msqrt", "mroot", "mtable", "mtr", "mtd"),
    )
)
"""All tags that are ever written; the front end draws these and no others."""


def to_mathml(expression: sympy.Expr) -> str:
    """Return an expression as one MathML element.

    Examples
    --------
    >>> to_mathml(sympy.Symbol("x_1") ** 2)
    '<math><msup><msub><mi>x</mi><mn>1</mn></msub><mn>2</mn></msup></math>'
    """
    return f"<math>{_written(expression)}</math>"


def equations(names: Sequence[str], expressions: Sequence[sympy.Expr]) -> str:
    """Return one MathML element with a row ``name = expression`` for each expression.

    A single expression stands alone, without its name.
    """
    if len(expressions) == 1:
        return to_mathml(expressions[0])
    rows = [
        f"<mtr><mtd>{_written(sympy.Symbol(name))}</mtd><mtd><mo>=</mo></mtd>"
        f"<mtd>{_written(expression)}</mtd></mtr>"
        for name, expression in zip(names, expressions, strict=True)
    ]
    return f"<math><mtable>{''.join(rows)}</mtable></math>"


def _written(expression: sympy.Expr) -> str:
    return _markup(_MathMLPrinter()._print(absorb_factors(expression, PRINTED)))


def _markup(node: Any) -> str:
    """Return an element as text. Its own texts are HTML, as sympy and the printer write."""
    if node.nodeType == node.TEXT_NODE:
        return html.escape(html.unescape(node.data), quote=False)
    if node.tagName not in TAGS:
        raise TypeError(f"formulas must print as {sorted(TAGS)}; got {node.tagName!r}.")
    inner = "".join(map(_markup, node.childNodes))
    return f"<{node.tagName}>{inner}</{node.tagName}>"


class _MathMLPrinter(MathMLPresentationPrinter):  # type: ignore[misc]
    """sympy's own MathML, but for names, numbers and how functions are called."""

    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> Any:  # noqa: ARG002
        # Names are the user's: sympy would take "alpha" for a letter, and "<b>" for a tag.
        return self.name(expr.name)

    def _print_Float(self, expr: sympy.Expr) -> Any:
        mantissa, _, exponent = f"{float(expr):.15g}".partition("e")
        if not exponent:
            return self.leaf("mn", mantissa)
        power = self.node("msup", self.leaf("mn", "10"), self.leaf("mn", str(int(exponent))))
        return self.node("mrow", self.leaf("mn", mantissa), self.leaf("mo", "&middot;"), power)

    def _print_Exp1(self, expr: sympy.Expr) -> Any:  # noqa: ARG002
        return self.leaf("mi", "e")

    def _print_exp(self, expr: sympy.Expr) -> Any:
        return self.node("msup", self.leaf("mi", "e"), self._print(expr.args[0]))

    def _print_Function(self, expr: sympy.Expr) -> Any:
        name = HEADS.get(expr.func)
        head = self.name(expr.func.__name__) if name is None else self.leaf("mi", name)
        return self.call(head, expr.args[0])

    def _print_besselj(self, expr: sympy.Expr) -> Any:
        order = self.leaf("mn", str(expr.args[0]))
        return self.call(self.node("msub", self.leaf("mi", "J"), order), expr.args[1])

    def _print_Max(self, expr: sympy.Expr) -> Any:
        (inner,) = (argument for argument in expr.args if argument != 0)
        return self.call(self.leaf("mi", "relu"), inner)

    def _print_UnevaluatedExpr(self, expr: sympy.Expr) -> Any:
        return self._print(expr.args[0])

    def name(self, name: str) -> Any:
        """Return a name: ``x_1`` with a subscript, one that is no identifier as text."""
        match = re.fullmatch(r"([A-Za-z]+)_?(\d+(?:_\d+)*)", name, re.ASCII)
        if match is None:
            return self.leaf("mi" if name.isidentifier() else "mtext", html.escape(name))
        stem = "&phi;" if match[1] == "phi" else match[1]
        return self.node("msub", self.leaf("mi", stem), self.leaf("mn", match[2].replace("_", ",")))

    def call(self, head: Any, argument: sympy.Expr) -> Any:
        """Return ``head(argument)``."""
        marks = self.leaf("mo", "("), self._print(argument), self.leaf("mo", ")")
        return self.node("mrow", head, self.node("mrow", *marks))

    def leaf(self, tag: str, text: str) -> Any:
        """Return an element with text, which is HTML."""
        element = self.dom.createElement(tag)
        element.appendChild(self.dom.createTextNode(text))
        return element

    def node(self, tag: str, *children: Any) -> Any:
        """Return an element of elements."""
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(child)
        return element


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

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> print(python_source([sympy.sin(x) / 2], ["x"], ["half_a_sine"]).strip())
    import numpy
    <BLANKLINE>
    <BLANKLINE>
    def half_a_sine(x):
        x = numpy.asarray(x, dtype=float)
        return (1/2)*numpy.sin(x)
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

    >>> x = sympy.Symbol("x", real=True)
    >>> print(c_source([sympy.sin(x) / 2], ["x"], ["half_a_sine"]).strip())
    #include <math.h>
    <BLANKLINE>
    double half_a_sine(double x) {
        return (1.0/2.0)*sin(x);
    }
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
    """Return names that a programming language accepts, different from each other and ``taken``.

    >>> identifiers(["heat flux [W/m^2]", "0", "if"], PYTHON_WORDS)
    ['heat_flux_W_m_2', 'x_0', 'if_2']
    """
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
    return absorb_factors(renamed, PRINTED)


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
