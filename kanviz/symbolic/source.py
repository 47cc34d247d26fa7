"""Expressions as computers read them: Python, C and JavaScript source, SQL, cells of a sheet."""

import keyword
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar

import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.codeprinter import CodePrinter
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from kanviz.symbolic.language import HEADS, PRINTED, absorb_factors, check_expression

C_WORDS = frozenset(
    re.findall(
        r"\w+",
        "auto break case char const continue default do double else enum extern float for goto if "
        "inline int long register restrict return short signed sizeof static struct switch typedef "
        "union unsigned void volatile while main "
        "exp log fabs sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf sqrt cbrt "
        "pow fmax j0 j1 jn y0 y1 yn gamma lgamma tgamma signgam sinc sgn exp2 log2 log10 expm1 "
        "log1p erfc hypot ceil floor round rint trunc fmod remainder remquo fma fdim fmin logb "
        "ilogb ldexp frexp modf scalb scalbn nan nextafter copysign isnan isinf isfinite isnormal "
        "signbit fpclassify drem significand double_t float_t NAN INFINITY HUGE_VAL HUGE_VALF "
        "HUGE_VALL linux unix i386 asm typeof",
    )
)
"""Keywords, what math.h names, and the functions that formulas use."""

JAVASCRIPT_WORDS = frozenset(
    re.findall(
        r"\w+",
        "arguments await break case catch class const continue debugger default delete do else "
        "enum eval export extends false finally for function if implements import in instanceof "
        "interface let new null package private protected public return static super switch this "
        "throw true try typeof var void while with yield undefined NaN Infinity Math "
        "sinc erf besselj",
    )
)
"""Keywords, what nobody may name anew, and the functions that formulas use."""

PYTHON_WORDS = frozenset({*keyword.kwlist, "numpy", "scipy", "float", "return"})


# ---- programs ------------------------------------------------------------------------------------


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
    arguments, formulas = _written(
        _PythonPrinter({"fully_qualified_modules": True}),
        expressions,
        variables,
        names,
        PYTHON_WORDS,
    )
    functions = []
    for name, formula in formulas:
        floats = "".join(f"    {a} = numpy.asarray({a}, dtype=float)\n" for a in arguments)
        functions.append(f"def {name}({', '.join(arguments)}):\n{floats}    return {formula}\n")
    renamed = _renamed_comment("#", variables, arguments)
    imports = ["import numpy"]
    imports += ["import scipy.special"] if any("scipy." in text for text in functions) else []
    return "\n".join(imports) + "\n\n" + renamed + "\n" + "\n\n".join(functions)


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
    arguments, formulas = _written(_CPrinter(), expressions, variables, names, C_WORDS)
    parameters = ", ".join(f"double {argument}" for argument in arguments) or "void"
    functions = []
    for name, formula in formulas:
        functions.append(f"double {name}({parameters}) {{\n    return {formula};\n}}\n")
    helpers = [text for name, text in C_HELPERS.items() if any(f"{name}(" in f for f in functions)]
    renamed = _renamed_comment("//", variables, arguments)
    return "#include <math.h>\n\n" + renamed + "\n".join([*helpers, *functions])


C_HELPERS = {
    "sinc": "static double sinc(double u) {\n    return u != 0 ? sin(u)/u : 1.0;\n}\n",
    "sgn": "static double sgn(double u) {\n    return (u > 0) - (u < 0);\n}\n",
}
"""What C lacks. As functions, since each names its argument twice."""


def javascript_source(
    expressions: Sequence[sympy.Expr], variables: Sequence[str], names: Sequence[str]
) -> str:
    """Return JavaScript code: one function per formula, on numbers.

    Parameters and errors are those of ``python_source``.

    >>> x = sympy.Symbol("x", real=True)
    >>> print(javascript_source([sympy.sin(x) / 2], ["x"], ["half_a_sine"]).strip())
    function half_a_sine(x) {
      return (1/2)*Math.sin(x);
    }
    """
    arguments, formulas = _written(
        _JavascriptPrinter(), expressions, variables, names, JAVASCRIPT_WORDS
    )
    functions = []
    for name, formula in formulas:
        functions.append(f"function {name}({', '.join(arguments)}) {{\n  return {formula};\n}}\n")
    helpers = [
        text
        for name, text in JAVASCRIPT_HELPERS.items()
        if any(f"{name}(" in function for function in functions)
    ]
    return _renamed_comment("//", variables, arguments) + "\n".join([*helpers, *functions])


JAVASCRIPT_HELPERS = {
    "sinc": "function sinc(u) {\n  return u !== 0 ? Math.sin(u) / u : 1;\n}\n",
    # Abramowitz and Stegun 7.1.6: all terms have one sign, so nothing cancels.
    "erf": (
        "function erf(u) {\n"
        "  if (Math.abs(u) > 6) return Math.sign(u);\n"
        "  let term = u, sum = u;\n"
        "  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {\n"
        "    term *= (2 * u * u) / (2 * n + 1);\n"
        "    sum += term;\n"
        "  }\n"
        "  return (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u) * sum;\n"
        "}\n"
    ),
    # Bessel's integral; the trapezoid rule is exact to rounding for a periodic function.
    "besselj": (
        "function besselj(n, u) {\n"
        "  const count = 2 * Math.ceil(Math.abs(u) + n + 40);\n"
        "  let sum = 0;\n"
        "  for (let k = 0; k < count; k++) {\n"
        "    const t = (2 * Math.PI * k) / count;\n"
        "    sum += Math.cos(n * t - u * Math.sin(t));\n"
        "  }\n"
        "  return sum / count;\n"
        "}\n"
    ),
}
"""What JavaScript lacks."""


def _renamed_comment(mark: str, variables: Sequence[str], arguments: Sequence[str]) -> str:
    """Return a line of comment for each variable that has another name in the code."""
    pairs = zip(arguments, variables, strict=True)
    # As Python writes a text: on one line, whatever is in it.
    return "".join(f"{mark} {new} is {old!a}\n" for new, old in pairs if new != old)


def identifiers(names: Sequence[str], taken: frozenset[str] | set[str]) -> list[str]:
    """Return names that a programming language accepts, different from each other and ``taken``.

    >>> identifiers(["heat flux [W/m^2]", "0", "if"], PYTHON_WORDS)
    ['heat_flux_W_m_2', 'x_0', 'if_2']
    """
    used = set(taken)
    # A name that can stay does, whatever comes before it.
    kept = {name for name in names if _is_plain(name) and name not in taken}
    found: list[str] = []
    for name in names:
        if name in kept and name not in found:
            found.append(name)
            continue
        plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_") or "x"
        plain = f"x_{plain}" if plain[0].isdigit() else plain
        unique, number = plain, 2
        while unique in used or unique in kept:
            unique, number = f"{plain}_{number}", number + 1
        used.add(unique)
        found.append(unique)
    return found


def _is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) is not None and not name.endswith("_")


def _renamed(
    expression: sympy.Expr, variables: Sequence[str], arguments: Sequence[str]
) -> sympy.Expr:
    """Return the expression in the new names; raise if it has no code."""
    check_expression("formula", expression, variables)
    new = dict(zip(variables, arguments, strict=True))
    symbols = expression.free_symbols
    renamed = expression.xreplace({s: sympy.Symbol(new[s.name], real=True) for s in symbols})
    return absorb_factors(renamed, PRINTED)


def _written(
    printer: CodePrinter,
    expressions: Sequence[sympy.Expr],
    variables: Sequence[str],
    names: Sequence[str],
    taken: frozenset[str],
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return what a language calls the variables, and the name and the code of each formula."""
    arguments = identifiers(variables, taken)
    pairs = zip(identifiers(names, taken | set(arguments)), expressions, strict=True)
    return arguments, [
        (name, printer.doprint(_renamed(expression, variables, arguments)))
        for name, expression in pairs
    ]


class _PlainNumbers:
    """Numbers as short as they can be, and in place of constants that a language may lack."""

    def _print_Float(self, expr: sympy.Expr) -> str:
        return repr(float(expr))

    _print_NumberSymbol = _print_Pi = _print_Exp1 = _print_Float


class _PythonPrinter(_PlainNumbers, SciPyPrinter):  # type: ignore[misc]
    """sympy's own, but for numbers and a maximum of arrays."""

    def _print_sinc(self, expr: sympy.Expr) -> str:
        return f"numpy.sinc(({self._print(expr.args[0])})/numpy.pi)"

    def _print_Max(self, expr: sympy.Expr) -> str:
        return f"numpy.maximum({', '.join(self._print(argument) for argument in expr.args)})"


class _CPrinter(_PlainNumbers, C99CodePrinter):  # type: ignore[misc]
    """sympy's own, but for numbers, sinc, the sign and the Bessel functions."""

    def _print_sinc(self, expr: sympy.Expr) -> str:
        return f"sinc({self._print(expr.args[0])})"

    def _print_sign(self, expr: sympy.Expr) -> str:
        return f"sgn({self._print(expr.args[0])})"

    def _print_besselj(self, expr: sympy.Expr) -> str:
        order, argument = int(expr.args[0]), self._print(expr.args[1])
        return f"j{order}({argument})" if order < 2 else f"jn({order}, {argument})"


class _JavascriptPrinter(_PlainNumbers, JavascriptCodePrinter):  # type: ignore[misc]
    """sympy's own, but for numbers and what is lacking."""

    def _print_sinc(self, expr: sympy.Expr) -> str:
        return f"sinc({self._print(expr.args[0])})"

    def _print_erf(self, expr: sympy.Expr) -> str:
        return f"erf({self._print(expr.args[0])})"

    def _print_besselj(self, expr: sympy.Expr) -> str:
        return f"besselj({int(expr.args[0])}, {self._print(expr.args[1])})"


# ---- tables --------------------------------------------------------------------------------------

LONGEST_CELL, DEEPEST_CELL = 8192, 64
"""Most characters of a formula in a cell, and how deep calls may stand in each other (Excel)."""


def sheet_source(
    expressions: Sequence[sympy.Expr], variables: Sequence[str], cells: Sequence[str]
) -> list[str]:
    """Return formulas for a spreadsheet, one per expression.

    In the words of Excel, which LibreOffice and the others know too; arguments are separated by
    commas.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        The formulas.
    variables : sequence of str
        The names of the inputs, in order.
    cells : sequence of str
        The cell of each, such as ``"A2"`` or ``"$B$1"``.

    Raises
    ------
    ValueError
        If a formula has a part that is no formula yet, is too long for a cell, or a cell is none.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> sheet_source([sympy.sin(x) ** 2 / 2], ["x"], ["A2"])
    ['=POWER(SIN(A2),2)/2']
    """
    if len(cells) != len(variables):
        raise ValueError(
            f"cells must be one per input; got {len(cells)} for {len(variables)} inputs. Write for "
            f"example {[f'{letter}2' for letter in 'ABC'[: len(variables)]]}."
        )
    for cell in cells:
        if re.fullmatch(r"\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6}", cell, re.ASCII) is None:
            raise ValueError(f"cells must be names of cells such as 'A2' or '$B$1'; got {cell!r}.")
    places = dict(zip(identifiers(variables, set()), cells, strict=True))
    printer, found = _SheetPrinter(places), []
    for expression in expressions:
        text = "=" + printer.doprint(_renamed(expression, variables, list(places)))
        depth = max(accumulate((char == "(") - (char == ")") for char in text))
        if len(text) > LONGEST_CELL or depth > DEEPEST_CELL:
            raise ValueError(
                f"A cell holds {LONGEST_CELL} characters and calls {DEEPEST_CELL} deep; this "
                f"formula has {len(text)} and {depth}. Round its numbers: formula.rounded(4)."
            )
        found.append(text)
    return found


def sql_source(
    expressions: Sequence[sympy.Expr], variables: Sequence[str], names: Sequence[str], table: str
) -> str:
    """Return a query that adds a column per formula to those of a table.

    In the words that SQLite (3.35 and newer), PostgreSQL and DuckDB share.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        The formulas.
    variables : sequence of str
        The columns that are the inputs, in order.
    names : sequence of str
        What to call the new columns.
    table : str
        The table.

    Raises
    ------
    ValueError
        If a formula has a part that is no formula yet, or that SQL has no function for.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> print(sql_source([sympy.sin(x) ** 2 / 2], ["x"], ["y"], "data"))
    SELECT *,
      1.0*power(sin("x"), 2.0)/2.0 AS "y"
    FROM "data";
    """
    columns = {
        plain: _quoted(name)
        for plain, name in zip(identifiers(variables, set()), variables, strict=True)
    }
    printer = _SqlPrinter(columns)
    parts = [
        f"  {printer.doprint(_renamed(expression, variables, list(columns)))} AS {_quoted(name)}"
        for expression, name in zip(expressions, names, strict=True)
    ]
    return "SELECT *,\n" + ",\n".join(parts) + f"\nFROM {_quoted(table)};"


def column_letters(number: int) -> str:
    """Return what a spreadsheet calls its column of a number, counted from 0.

    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(702)
    ('A', 'Z', 'AA', 'AAA')
    """
    letters = ""
    while number >= 0:
        number, letter = divmod(number, 26)
        letters, number = chr(ord("A") + letter) + letters, number - 1
    return letters


def _quoted(name: str) -> str:
    if not name or "\0" in name:
        raise ValueError(f"SQL has no column or table called {name!r}. Give it another name.")
    return '"' + name.replace('"', '""') + '"'


class _TablePrinter(_PlainNumbers, StrPrinter):  # type: ignore[misc]
    """Operators as in Python, but powers as calls: who binds closer, a sign or a power, differs."""

    functions: ClassVar[dict[str, str]]
    """What is called otherwise than in kanviz's own text."""

    def __init__(self, places: dict[str, str]) -> None:
        super().__init__()
        self._places = places

    def call(self, name: str, *arguments: sympy.Expr) -> str:
        """Return a call."""
        raise NotImplementedError

    def _print_Symbol(self, expr: sympy.Symbol) -> str:
        return self._places[expr.name]

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002
        base, exponent = expr.args
        if exponent == -1:
            return f"{self._print(sympy.Integer(1))}/{self.parenthesize(base, PRECEDENCE['Pow'])}"
        if exponent == sympy.Rational(1, 2):
            return self.call("sqrt", base)
        return self.call("power", base, exponent)

    def _print_Function(self, expr: sympy.Expr) -> str:
        return self.call(HEADS[expr.func], *expr.args)

    def _print_Abs(self, expr: sympy.Expr) -> str:
        return self._print_Function(expr)


class _SheetPrinter(_TablePrinter):
    """Functions of spreadsheets."""

    functions: ClassVar = {
        **{
            f"arc{name}": f"A{name.upper()}"
            for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")
        },
        "log": "LN",
        "sgn": "SIGN",
    }

    def call(self, name: str, *arguments: sympy.Expr) -> str:
        printed = ",".join(map(self._print, arguments))
        return f"{self.functions.get(name, name.upper())}({printed})"

    def _print_Max(self, expr: sympy.Expr) -> str:
        return self.call("max", *expr.args)

    def _print_sinc(self, expr: sympy.Expr) -> str:
        u = self._print(expr.args[0])
        return f"IF({u}=0,1,SIN({u})/({u}))"

    def _print_besselj(self, expr: sympy.Expr) -> str:
        order, argument = expr.args
        return self.call("besselj", argument, order)


class _SqlPrinter(_TablePrinter):
    """Functions of SQL; all numbers with a point, and quotients of columns too: 1/2 is 0 there."""

    functions: ClassVar = {
        **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
        "log": "ln",
        "sgn": "sign",
    }

    def call(self, name: str, *arguments: sympy.Expr) -> str:
        return f"{self.functions.get(name, name)}({', '.join(map(self._print, arguments))})"

    def _print_Mul(self, expr: sympy.Mul) -> str:
        text = str(super()._print_Mul(expr))
        return f"1.0*{text}" if "/" in text else text

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return repr(float(expr))

    def _print_Rational(self, expr: sympy.Rational) -> str:
        return repr(float(expr))

    def _print_Max(self, expr: sympy.Expr) -> str:
        (inner,) = (argument for argument in expr.args if argument != 0)
        u = self._print(inner)
        return f"CASE WHEN {u} > 0.0 THEN {u} ELSE 0.0 END"

    def _print_sinc(self, expr: sympy.Expr) -> str:
        u = self._print(expr.args[0])
        return f"CASE WHEN {u} = 0.0 THEN 1.0 ELSE sin({u})/({u}) END"

    def _print_erf(self, expr: sympy.Expr) -> str:
        raise ValueError(f"SQL has no function for {expr.func.__name__}. Export to Python or C.")

    _print_besselj = _print_erf
