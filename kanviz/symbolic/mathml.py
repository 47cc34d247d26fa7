"""Expressions as MathML for a web page: tags of one short list, no attributes, all text escaped."""

import html
import re
from collections.abc import Sequence
from typing import Any

import sympy
from sympy.printing.mathml import MathMLPresentationPrinter

from kanviz.symbolic.exponents import PRINTED, gathered
from kanviz.symbolic.language import HEADS

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
    return _markup(_Printer()._print(gathered(expression, PRINTED)))


def _markup(node: Any) -> str:
    """Return an element as text. Its own texts are HTML, as sympy and ``_Printer`` write them."""
    if node.nodeType == node.TEXT_NODE:
        return html.escape(html.unescape(node.data), quote=False)
    if node.tagName not in TAGS:
        raise TypeError(f"formulas must print as {sorted(TAGS)}; got {node.tagName!r}.")
    inner = "".join(map(_markup, node.childNodes))
    return f"<{node.tagName}>{inner}</{node.tagName}>"


class _Printer(MathMLPresentationPrinter):  # type: ignore[misc]
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
