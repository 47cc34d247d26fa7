"""Formula text that a user typed, read by an allow-list: nothing in it is ever executed.

The text is cut into tokens, Python's own parser makes a tree of them, and only numbers, variables,
``+ - * / **`` (or ``^``) and calls of known functions become a sympy expression.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from kanviz.checks import did_you_mean
from kanviz.symbolic.language import (
    CONSTANTS,
    LARGEST_EXPONENT,
    LARGEST_NUMBER,
    WORDS,
    X,
    check_expression,
    constant_value,
)

LONGEST_TEXT = 2000
MOST_TOKENS = 400
DEEPEST = 100
LARGEST_CONSTANT_ARGUMENT = 1e4
"""For a function of a number, such as exp(2): beyond, the number might fill the memory."""

_SIGNS: Mapping[type[ast.operator], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<name>[^\W\d]\w*)|(?P<operator>\*\*|[-+*/^(),]))"
)


def parse(
    text: str,
    variables: Sequence[str] = ("x",),
    functions: Mapping[str, sympy.Expr] | None = None,
) -> sympy.Expr:
    """Return the sympy expression that the text stands for.

    Parameters
    ----------
    text : str
        Such as ``"0.5*x**2 + 1"`` or ``"sin(2*x)"``; ``^`` is a power too. Functions: those of
        ``WORDS``. Constants: pi, e.
    variables : sequence of str
        The names that may stand for variables; symbols of the expression are real.
    functions : mapping of str to sympy.Expr
        Further functions by name, each as an expression in ``X``.

    Raises
    ------
    TypeError
        If ``text`` is no string.
    ValueError
        One sentence, if the text is not such a formula, too large, or no real number.

    Examples
    --------
    >>> parse("0.5*x^2 + sin(pi*x)")
    0.5*x**2 + sin(pi*x)
    """
    if not isinstance(text, str):
        raise TypeError(
            f"formula must be a string; got {type(text).__name__}. Write it as in 'sin(2*x)'."
        )
    tree = _tree(text)
    symbols = {name: X if name == X.name else sympy.Symbol(name, real=True) for name in variables}
    expression = _Builder(text, symbols, functions or {}).build(tree, 0)
    check_expression("formula", expression, variables)
    return expression


def _tree(text: str) -> ast.expr:
    """Return Python's syntax tree of the text, which has only harmless tokens."""
    tokens = _tokens(text)
    try:
        # Tokens are put together again: so a line break or a tab means no more than a space.
        plain = " ".join("**" if token == "^" else token for token in tokens)
        return ast.parse(plain, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _refusal(text, "be a complete expression", "Look for a missing sign.") from error


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST_TEXT:
        raise _refusal(text, f"have at most {LONGEST_TEXT} characters", "Split it.")
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].strip()[:10]
            remedy = f"Look at {rest!r}; write 2*x for a product, x**2 for a power."
            raise _refusal(text, "have only numbers, names and + - * / ** ( )", remedy)
        tokens.append(match.group().strip())
        place = match.end()
    if len(tokens) > MOST_TOKENS:
        raise _refusal(text, f"have at most {MOST_TOKENS} numbers, names and signs", "Split it.")
    return tokens


def _refusal(text: str, rule: str, remedy: str) -> ValueError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ValueError(f"formula must {rule}; got {shown!r}. {remedy}")


@dataclass(frozen=True)
class _Builder:
    """Makes a sympy expression of a syntax tree, node by node."""

    text: str
    symbols: Mapping[str, sympy.Symbol]
    functions: Mapping[str, sympy.Expr]

    def build(self, node: ast.AST, depth: int) -> sympy.Expr:
        """Return the expression of a node; ``depth`` is how many stand around it."""
        if depth > DEEPEST:
            raise self._refusal(f"be nested at most {DEEPEST} deep", "Simplify it.")
        match node:
            case ast.Constant(value=bool() | complex() | str() | bytes() | None):
                pass
            case ast.Constant(value=int() | float() as value):
                return self._number(value)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                inner = self.build(operand, depth + 1)
                return -inner if isinstance(sign, ast.USub) else inner
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self.build(left, depth + 1), self.build(right, depth + 1))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
                operands = self.build(left, depth + 1), self.build(right, depth + 1)
                return self._checked(_SIGNS[type(sign)](*operands))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
                return self._call(name, self.build(argument, depth + 1))
        rule = "be made of numbers, variables, + - * / ** and functions of one argument"
        raise self._refusal(rule, f"Rewrite {ast.unparse(node)[:40]!r}.")

    def _number(self, value: float) -> sympy.Expr:
        if abs(value) > LARGEST_NUMBER:
            raise self._refusal("have numbers of at most 1e100", "Choose other units.")
        return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)

    def _name(self, name: str) -> sympy.Expr:
        known = {**CONSTANTS, **self.symbols}
        if name in known:
            return known[name]
        if name in WORDS or name in self.functions:
            raise self._refusal(f"give {name} an argument", f"Write {name}(x).")
        raise self._unknown(name, [*known, *WORDS, *self.functions])

    def _call(self, name: str, argument: sympy.Expr) -> sympy.Expr:
        if argument.is_number and abs(constant_value(argument) or 0) > LARGEST_CONSTANT_ARGUMENT:
            raise self._refusal("not take a function of so large a number", "Write its value.")
        if name in self.functions:
            return self._checked(self.functions[name].xreplace({X: argument}))
        if name in WORDS:
            return self._checked(WORDS[name](argument))
        if name in self.symbols or name in CONSTANTS:
            raise self._refusal("have a sign between factors", f"Write {name}*(...).")
        raise self._unknown(name, [*WORDS, *self.functions])

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        value = constant_value(exponent) if exponent.is_number else None
        if value is None:
            if not base.is_number or (constant_value(base) or 0) <= 0:
                rule = "have a number as exponent, or a positive number as base"
                raise self._refusal(rule, "Write exp(p*log(b)) for another power b**p.")
        elif abs(value) > LARGEST_EXPONENT:
            raise self._refusal(f"have exponents of at most {LARGEST_EXPONENT}", "Use exp(...).")
        elif base.is_number and abs(constant_value(base) or 0) ** min(value, 1) > LARGEST_NUMBER:
            raise self._refusal("have numbers of at most 1e100", "Choose other units.")
        return self._checked(base**exponent)

    def _checked(self, result: sympy.Expr) -> sympy.Expr:
        """Return a result that is within the limits: sympy may have put numbers together."""
        if result.is_number and constant_value(result) is None:
            raise self._refusal("have real, finite numbers", "Look for 1/0, sqrt(-1) or log(-1).")
        exponent = result.exp if isinstance(result, sympy.Pow) else sympy.Integer(1)
        if exponent.is_number and abs(constant_value(exponent) or 0) > LARGEST_EXPONENT:
            raise self._refusal(f"have exponents of at most {LARGEST_EXPONENT}", "Use exp(...).")
        return result

    def _unknown(self, name: str, known: Sequence[str]) -> ValueError:
        hint = did_you_mean(name, list(known)) or f"Variables: {', '.join(self.symbols)}."
        return self._refusal(f"have only known names, unlike {name[:40]!r}", hint)

    def _refusal(self, rule: str, remedy: str) -> ValueError:
        return _refusal(self.text, rule, remedy)
