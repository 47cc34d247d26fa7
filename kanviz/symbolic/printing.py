"""Expressions as people read them: text that ``parse`` reads back, MathML, names in LaTeX."""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE, precedence_traditional
from sympy.printing.str import StrPrinter

from kanviz.symbolic.language import (
    CONSTANTS,
    HEADS,
    PRINTED,
    WORDS,
    absorb_factors,
)


def to_text(expression: sympy.Expr) -> str:
    """Return an expression as one line; numbers keep all their digits.

    Examples
    --------
    >>> to_text(2.5 * sympy.asin(sympy.Symbol("x", real=True)) + sympy.Rational(1, 3))
    '2.5*arcsin(x) + 1/3'
    """
    return str(_TextPrinter().doprint(absorb_factors(expression, PRINTED)))


class _TextPrinter(StrPrinter):  # type: ignore[misc]
    """sympy's own text, but for numbers and names."""

    def _print_Symbol(self, expr: sympy.Symbol) -> str:
        return text_name(expr.name)

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


LONG_EXPONENT = 3
"""An exponent of e with more operations than this is written as exp(...), to be read."""


def _is_small(exponent: sympy.Expr) -> bool:
    """Return whether an exponent is read above the line: short, and without a word in it."""
    is_short = exponent.count_ops() <= LONG_EXPONENT
    return is_short and not any(map(_is_word, exponent.free_symbols))


def _is_word(symbol: sympy.Symbol) -> bool:
    return _subscripted(symbol.name) is None and len(symbol.name) > 1


def to_latex(expression: sympy.Expr, names: Mapping[sympy.Symbol, str]) -> str:
    r"""Return an expression as LaTeX, with a thin space between factors.

    Parameters
    ----------
    expression : sympy.Expr
    names : mapping of sympy.Symbol to str
        How names are set, as from ``latex_names``.

    Examples
    --------
    >>> t, x = sympy.symbols("t x")
    >>> to_latex(0.5 * x * t**2, {t: r"\text{time}\,[\mathrm{s}]"})
    '0.5\\,\\left(\\text{time}\\,[\\mathrm{s}]\\right)^{2}\\,x'
    """
    return str(
        _LatexPrinter({"mul_symbol": r"\,", "symbol_names": dict(names)}).doprint(expression)
    )


class _LatexPrinter(LatexPrinter):  # type: ignore[misc]
    """sympy's own LaTeX, but for long exponents and powers of names that end in a unit."""

    def _print_ExpBase(self, expr: sympy.Expr, exp: str | None = None) -> str:
        if _is_small(expr.args[0]):
            return str(super()._print_ExpBase(expr, exp))
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\exp{power}{{\left({self._print(expr.args[0])}\right)}}"

    def parenthesize_super(self, s: str) -> str:
        # Of a name only: else the power would seem to be the unit's.
        return rf"\left({s}\right)" if s.endswith("]") else str(super().parenthesize_super(s))


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
    return f"<math>{_Written([expression])(expression)}</math>"


def equations(names: Sequence[str], expressions: Sequence[sympy.Expr]) -> str:
    """Return one MathML element with a row ``name = expression`` for each expression.

    A single expression stands alone, without its name.
    """
    if len(expressions) == 1:
        return to_mathml(expressions[0])
    written = _Written(expressions)
    rows = [
        f"<mtr><mtd>{_Written([])(sympy.Symbol(name))}</mtd><mtd><mo>=</mo></mtd>"
        f"<mtd>{written(expression)}</mtd></mtr>"
        for name, expression in zip(names, expressions, strict=True)
    ]
    return f"<math><mtable>{''.join(rows)}</mtable></math>"


class _Written:
    """Writes expressions that stand together, so that their names look different."""

    def __init__(self, expressions: Iterable[sympy.Expr]) -> None:
        names = {symbol.name for one in expressions for symbol in one.free_symbols}
        self._printer = _MathMLPrinter(alike(sorted(names)))

    def __call__(self, expression: sympy.Expr) -> str:
        return _markup(self._printer._print(absorb_factors(expression, PRINTED)))


def _markup(node: Any) -> str:
    """Return an element as text. Its own texts are HTML, as sympy and the printer write."""
    if node.nodeType == node.TEXT_NODE:
        return html.escape(html.unescape(node.data), quote=False)
    if node.tagName not in TAGS:
        raise TypeError(f"formulas must print as {sorted(TAGS)}; got {node.tagName!r}.")
    inner = "".join(map(_markup, node.childNodes))
    return f"<{node.tagName}>{inner}</{node.tagName}>"


class _MathMLPrinter(MathMLPresentationPrinter):  # type: ignore[misc]
    """sympy's own MathML, but for names, numbers, brackets and how functions are called.

    Parameters
    ----------
    as_written : set of str
        The names that are set as they are written, without subscripts.
    """

    def __init__(self, as_written: frozenset[str]) -> None:
        super().__init__()
        self.as_written = as_written

    def parenthesize(self, item: sympy.Expr, level: int, strict: bool = False) -> Any:  # noqa: FBT001, FBT002
        # sympy before 1.14 writes <mfenced>, which browsers no longer draw.
        value = precedence_traditional(item)
        is_unit_raised = (
            isinstance(item, sympy.Symbol)
            and level >= PRECEDENCE["Pow"]
            and _WITH_UNIT.fullmatch(item.name) is not None
        )
        if not is_unit_raised and (value > level or (strict and value == level)):
            return self._print(item)
        return self.node("mrow", self.leaf("mo", "("), self._print(item), self.leaf("mo", ")"))

    def _print_Abs(self, expr: sympy.Expr) -> Any:
        bars = self.leaf("mo", "|"), self._print(expr.args[0]), self.leaf("mo", "|")
        return self.node("mrow", *bars)

    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> Any:  # noqa: ARG002
        # Names are the user's: sympy would take "alpha" for a letter, and "<b>" for a tag.
        return self.name(expr.name)

    def _print_Float(self, expr: sympy.Expr) -> Any:
        mantissa, _, exponent = f"{float(expr):.15g}".partition("e")
        if not exponent:
            return self.leaf("mn", mantissa)
        power = self.node("msup", self.leaf("mn", "10"), self.leaf("mn", str(int(exponent))))
        return self.node("mrow", self.leaf("mn", mantissa), self.leaf("mo", "&middot;"), power)

    def _print_Mul(self, expr: sympy.Expr) -> Any:
        # Else sympy writes exp(-x) as 1 over e^x.
        held = {one: sympy.UnevaluatedExpr(one) for one in expr.args if one.func is sympy.exp}
        return super()._print_Mul(expr.xreplace(held))

    def mathml_tag(self, e: object) -> str:
        # Beside a word a product needs a sign.
        factors = e.args if isinstance(e, sympy.Mul) else ()
        is_wordy = any(factor.is_Symbol and _is_word(factor) for factor in factors)
        return "&middot;" if is_wordy else str(super().mathml_tag(e))

    def _print_Exp1(self, expr: sympy.Expr) -> Any:  # noqa: ARG002
        return self.leaf("mi", "e")

    def _print_exp(self, expr: sympy.Expr) -> Any:
        if not _is_small(expr.args[0]):
            return self.call(self.leaf("mi", "exp"), expr.args[0])
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
        if is_taken(name):
            return self.leaf("mtext", html.escape(f"\u2018{name}\u2019"))
        if chosen := _CATEGORY.fullmatch(name):
            return self.leaf("mtext", html.escape(f"[{chosen[1]} = {chosen[2]}]"))
        match = re.fullmatch(r"([A-Za-z]+)_?(\d+(?:_\d+)*)", name, re.ASCII)
        if match is None or name in self.as_written:
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


# ---- the names of columns ------------------------------------------------------------------------

# A column may be called ``T-T0``, ``pi`` or ``heat flux [W/m^2]``, and must read as itself and as
# nothing else. In text such names stand between backquotes, as in data frames and SQL. In LaTeX and
# MathML a letter with a subscript is set as one; where two names would look alike, and where a name
# is that of a function or a constant, it is set as it is written.

_LETTER = re.compile(r"([A-Za-z])_?(\d+(?:_\d+)*)?", re.ASCII)
_WORD_BELOW = re.compile(r"([A-Za-z])_([A-Za-z][A-Za-z0-9]*)", re.ASCII)
_WITH_UNIT = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]")
_CATEGORY = re.compile(r"(\w[\w .-]*)=(\w[\w .-]*)")
"""A column of 0 and 1 for one category, ``material=steel``: in brackets, as Iverson wrote it."""
_UNIT = re.compile(r"[A-Za-z0-9/^*().,%µμ°Ω·+ -]+")

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|"
    "upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Upsilon|Phi|Psi|Omega"
)
_GREEK_LETTER = re.compile(rf"({_GREEK})_?(\d+(?:_\d+)*)?", re.ASCII)


def is_taken(name: str) -> bool:
    """Return whether a name is that of a function or a constant, however it is written.

    >>> is_taken("sin"), is_taken("J_0"), is_taken("E"), is_taken("time")
    (True, True, True, False)
    """
    return name in WORDS or name in CONSTANTS or re.fullmatch(r"[Jj]_?\d+", name) is not None


def text_name(name: str) -> str:
    """Return a name for a line of text.

    >>> text_name("x_1"), text_name("T-T0"), text_name("pi")
    ('x_1', '`T-T0`', '`pi`')
    """
    if name.isidentifier() and name not in WORDS and name not in CONSTANTS:
        return name
    return "`" + name.replace("`", "``") + "`"


def latex_names(names: Iterable[str]) -> dict[str, str]:
    r"""Return LaTeX for each name, different for different ones.

    >>> latex_names(["x_1", "T_max", "heat flux [W/m^2]"])["heat flux [W/m^2]"]
    '\\text{heat flux}\\,[\\mathrm{W/m^{2}}]'
    """
    return _different(names, _latex, _latex_as_written)


def alike(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are to be set as they are written, lest two look alike.

    >>> sorted(alike(["x_1", "x1", "x_2", "e"]))
    ['e', 'x1']
    """
    plain = _different(names, lambda name: _subscripted(name) or name, lambda name: f"={name}")
    return frozenset(name for name, found in plain.items() if found == f"={name}")


def _different(
    names: Iterable[str], pretty: Callable[[str], str], as_written: Callable[[str], str]
) -> dict[str, str]:
    """Return the pretty form of each name, and as it is written where that is not its own."""
    distinct = list(dict.fromkeys(names))
    found: dict[str, str] = {name: pretty(name) for name in distinct}
    owners: Mapping[str, str] = {
        form: name for name, form in reversed(found.items()) if _subscripted(name) in (None, name)
    }
    counts = Counter(found.values())
    for name, form in found.items():
        is_owner = owners.get(form) == name
        if is_taken(name) or (counts[form] > 1 and not is_owner):
            found[name] = as_written(name)
    forms: set[str] = set()
    for name, form in found.items():  # such as "a b" with one blank and with two
        unique, number = form, 2
        while unique in forms:
            unique, number = rf"{form}_{{({number})}}", number + 1
        forms.add(unique)
        found[name] = unique
    return found


def _subscripted(name: str) -> str | None:
    """Return ``x_1`` for ``x1`` and ``x_1``; None for a name that has no such form."""
    match = _LETTER.fullmatch(name) or _GREEK_LETTER.fullmatch(name)
    if match is None:
        return None
    return f"{match[1]}_{match[2]}" if match[2] else match[1]


def _latex(name: str) -> str:
    """Return a name as it should look; others may look the same."""
    if match := _LETTER.fullmatch(name):
        return match[1] + _below(match[2])
    if match := _GREEK_LETTER.fullmatch(name):
        return rf"\{match[1]}" + _below(match[2])
    if match := _WORD_BELOW.fullmatch(name):
        return rf"{match[1]}_{{\mathrm{{{match[2]}}}}}"
    if match := _CATEGORY.fullmatch(name):
        return rf"[{_as_text(match[1])}={_as_text(match[2])}]"
    if match := _WITH_UNIT.fullmatch(name):
        return rf"{_latex(match[1])}\,[{_unit(match[2])}]"
    return _latex_as_written(name)


def _below(number: str | None) -> str:
    return f"_{{{number.replace('_', ',')}}}" if number else ""


def _unit(unit: str) -> str:
    r"""Return a unit upright, as in \mathrm{W/m^{2}}."""
    if not _UNIT.fullmatch(unit) or re.search(r"\^(?!-?\d)", unit):
        return _as_text(unit)
    upright = re.sub(r"(?:\^|\*\*)(-?\d+)", r"^{\1}", unit)
    for sign, latex in (
        ("*", r"{\cdot}"),
        ("·", r"{\cdot}"),
        (" ", r"\,"),
        ("%", r"\%"),
        ("µ", r"{\mu}"),
        ("μ", r"{\mu}"),
        ("°", r"{^{\circ}}"),
        ("Ω", r"{\Omega}"),
    ):
        upright = upright.replace(sign, latex)
    return rf"\mathrm{{{upright}}}"


def _latex_as_written(name: str) -> str:
    if is_taken(name):
        return rf"\text{{`{_escaped(name)}'}}"
    if re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        return rf"\mathrm{{{_escaped(name)}}}"
    return _as_text(name or "''")


def _as_text(name: str) -> str:
    return rf"\text{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    """Return a name with nothing in it that LaTeX would act on."""
    escaped = re.sub(r"[\\{}$&#^_%~]", lambda match: rf"\{match.group()}", name)
    return re.sub(r"\\([\\^~])", r"\\char`\\\1 ", escaped)
