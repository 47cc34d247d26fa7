"""Formula text that a user typed, read by an allow-list: nothing in it is ever executed.

The text is cut into tokens, Python's own parser makes a tree of them, and only numbers, variables,
``+ - * / **`` (or ``^``) and calls of known functions become a sympy expression. A name of any kind
may stand between backquotes, as ``to_text`` writes it: ```T-T0`*2``.
"""

import ast
import keyword
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import sympy
from sympy.core.function import AppliedUndef

from kanviz.checks import did_you_mean
from kanviz.symbolic.language import (
    CONSTANTS,
    LARGEST_EXPONENT,
    LARGEST_NUMBER,
    MOST_PARTS,
    WORDS,
    X,
    check_expression,
    constant_value,
    parts_of,
    symbol,
)
from kanviz.symbolic.simplify import in_time


class Limits(NamedTuple):
    """How much text is read: characters, tokens, how deep it may be nested, and for how long."""

    characters: int
    tokens: int
    depth: int
    seconds: float


TYPED = Limits(2000, 400, 100, 3.0)
"""Of what a user types."""

WRITTEN = Limits(400_000, 80_000, 300, 8.0)
"""Of what ``to_text`` writes: a formula may be longer in full than it was typed, and the machine
that reads it slower."""

LARGEST_CONSTANT_ARGUMENT = 1e4
"""For a function of a number, such as exp(2): beyond, the number might fill the memory."""

TAME = (sympy.log, sympy.Abs, sympy.sign, sympy.atan, sympy.asinh, sympy.Max, sympy.Pow)
"""What large numbers may be the argument of."""

SMALLEST_NUMBER = 1e-300
"""Of powers; nearer to 0, a number could not be told from it in a file."""

PLAIN_NUMBER = 16
"""Most parts of a number that is kept as it is; a longer one becomes a decimal."""

LARGEST_DENOMINATOR = 100
"""Of an exponent that is kept as a fraction: to the power of one, sympy takes numbers to the power
of its parts."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<name>[^\W\d]\w*)|(?P<quoted>`(?:[^`]|``)*`)|(?P<operator>\*\*|[-+*/^(),]))"
)


def parse(
    text: str,
    variables: Sequence[str] = ("x",),
    functions: Mapping[str, sympy.Expr] | None = None,
    *,
    constants: Sequence[str] = (),
    limits: Limits = TYPED,
) -> sympy.Expr:
    """Return the sympy expression that the text stands for.

    Parameters
    ----------
    text : str
        Such as ``"0.5*x**2 + 1"`` or ``"sin(2*x)"``; ``^`` is a power too. Functions: those of
        ``WORDS``. Constants: pi, e.
    variables : sequence of str
        The names that may stand for variables; symbols of the expression are real. One that is no
        word, or that of a constant, stands between backquotes.
    functions : mapping of str to sympy.Expr
        Further functions by name, each as an expression in ``X``.
    constants : sequence of str
        Names that stand for numbers yet to be found; they may be exponents too.
    limits : Limits
        ``TYPED``, or ``WRITTEN`` for what ``to_text`` wrote.

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
    tree, names = _tree(text, limits)
    symbols = {name: X if name == X.name else symbol(name) for name in (*variables, *constants)}
    builder = _Builder(text, symbols, functions or {}, limits.depth, tuple(constants), names)
    problem = str(_refusal(text, "be less intricate", "Simplify it."))
    return in_time(limits.seconds, lambda: builder.read(tree), problem)


MOST_CONSTANTS = 12
"""Of one formula: a curve does not tell more."""

_CONSTANT = re.compile(r"[^\W\d_](_?\d{1,2})?")
"""One letter, with a number after it if need be."""


def constants_in(text: str, functions: Mapping[str, sympy.Expr] | None = None) -> tuple[str, ...]:
    """Return the free constants of a formula of x, such as a and b of ``"a*exp(-b*x)"``.

    A free constant is one letter, with a number after it if need be, that means nothing else. Other
    names are left for ``parse`` to refuse.

    Parameters
    ----------
    text : str
        The formula.
    functions : mapping of str to sympy.Expr, optional
        Further functions by name.

    Raises
    ------
    ValueError
        If there are more than ``MOST_CONSTANTS``, or no x beside them.

    Examples
    --------
    >>> constants_in("a*exp(-b*x) + c")
    ('a', 'b', 'c')
    """
    if not isinstance(text, str):
        return ()
    tokens = _tokens(text, TYPED)
    known = {X.name, *CONSTANTS, *WORDS, *(functions or {})}
    called = {name for name, then in pairwise([*tokens, ""]) if then == "("}
    names = dict.fromkeys(
        name for name in tokens if _CONSTANT.fullmatch(name) and name not in known | called
    )
    if len(names) > MOST_CONSTANTS:
        rule = f"have at most {MOST_CONSTANTS} free constants"
        raise _refusal(text, rule, f"Write numbers for some of {', '.join(names)}.")
    if names and X.name not in tokens:
        first = next(iter(names))
        raise _refusal(text, "have the variable x", f"Write x in the place of {first!r}.")
    return tuple(names)


def checked_constants(names: object) -> tuple[str, ...]:
    """Return the names of free constants that a file holds.

    Raises
    ------
    ValueError
        If they are no such names, come twice, or are too many.
    """
    if not isinstance(names, list | tuple) or len(names) > MOST_CONSTANTS:
        raise ValueError(f"constants must be at most {MOST_CONSTANTS} names; got {names!r:.60}.")
    known = {X.name, *CONSTANTS, *WORDS}
    for name in names:
        if not isinstance(name, str) or not _CONSTANT.fullmatch(name) or name in known:
            raise ValueError(f"constants must be single letters; got {name!r:.60}.")
    if len(set(names)) < len(names):
        raise ValueError("constants must have different names.")
    return tuple(names)


def _tree(text: str, limits: Limits) -> tuple[ast.expr, dict[str, str]]:
    """Return Python's syntax tree of the text, which has only harmless tokens.

    Names that Python would read otherwise, or not at all, are others in the tree: which they stand
    for is returned too. A name between backquotes keeps the first of them.
    """
    tokens = _tokens(text, limits)
    names: dict[str, str] = {}
    for token in dict.fromkeys(tokens):
        if token[0] == "`" or keyword.iskeyword(token) or _is_folded(token):
            name = f"name{len(names)}_"
            while name in tokens:
                name += "_"
            names[token] = name
    tokens = [names.get(token, token) for token in tokens]
    try:
        # Tokens are put together again: so a line break or a tab means no more than a space.
        plain = " ".join("**" if token == "^" else token for token in tokens)
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _refusal(text, "be a complete expression", "Look for a missing sign.") from error
    return tree, {
        name: token if token[0] != "`" else "`" + token[1:-1].replace("``", "`")
        for token, name in names.items()
    }


def _is_folded(token: str) -> bool:
    """Return whether Python takes a name for another one that looks like it."""
    return not token.isascii() and unicodedata.normalize("NFKC", token) != token


def _tokens(text: str, limits: Limits) -> list[str]:
    if len(text) > limits.characters:
        raise _refusal(text, f"have at most {limits.characters} characters", "Split it.")
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].strip()[:10]
            remedy = f"Look at {rest!r}; write 2*x for a product, x**2 for a power."
            raise _refusal(text, "have only numbers, names and + - * / ** ( )", remedy)
        tokens.append(match.group().strip())
        place = match.end()
    if len(tokens) > limits.tokens:
        rule = f"have at most {limits.tokens} numbers, names and signs"
        raise _refusal(text, rule, "Split it.")
    return tokens


def _refusal(text: str, rule: str, remedy: str) -> ValueError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ValueError(f"formula must {rule}; got {shown!r}. {remedy}")


def _chain(
    node: ast.AST, plus: type[ast.operator], minus: type[ast.operator]
) -> list[tuple[int, ast.AST]]:
    """Return sign and term of a chain such as a + b - c, which is long but not deep."""
    terms: list[tuple[int, ast.AST]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, plus | minus):
        terms.append((1 if isinstance(node.op, plus) else -1, node.right))
        node = node.left
    return [(1, node), *reversed(terms)]


@dataclass(frozen=True)
class _Builder:
    """Makes a sympy expression of a syntax tree, node by node."""

    text: str
    symbols: Mapping[str, sympy.Symbol]
    functions: Mapping[str, sympy.Expr]
    deepest: int
    constants: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def read(self, tree: ast.AST) -> sympy.Expr:
        """Return the expression of a whole tree."""
        expression = self.build(tree, 0)
        undefined = [part.func.__name__ for part in expression.atoms(AppliedUndef)]
        check_expression("formula", expression, list(self.symbols), undefined, self.constants)
        return expression

    def build(self, node: ast.AST, depth: int) -> sympy.Expr:
        """Return the expression of a node; ``depth`` is how many stand around it."""
        if depth > self.deepest:
            raise self._refusal(f"be nested at most {self.deepest} deep", "Simplify it.")
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
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                chain = _chain(node, ast.Add, ast.Sub)
                terms = (sign * self.build(part, depth + 1) for sign, part in chain)
                return self._checked(sympy.Add(*terms))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self._product(_chain(node, ast.Mult, ast.Div), depth)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
                return self._call(name, self.build(argument, depth + 1))
        rule = "be made of numbers, variables, + - * / ** and functions of one argument"
        raise self._refusal(rule, f"Rewrite {self._shown(node)[:40]!r}.")

    def _product(self, factors: Sequence[tuple[int, ast.AST]], depth: int) -> sympy.Expr:
        """Return the product of factors, each with its power, 1 or -1.

        Made at once: of two factors sympy multiplies a sum out, and what it wrote would read
        otherwise.
        """
        number, others = sympy.Integer(1), []
        for power, node in factors:
            factor = self.build(node, depth + 1)
            if power < 0 and factor.is_Number and factor.is_zero:
                raise self._refusal("not divide by 0", "Look for 0, or a number below 1e-308.")
            if not factor.is_number:
                others.append(factor**power)
            elif power > 0:
                number = self._plain(number * factor)
            else:
                number = self._plain(number / factor)
        return self._checked(sympy.Mul(number, *others))

    def _shown(self, node: ast.AST) -> str:
        """Return a part of the tree as it was written."""
        text = ast.unparse(node)
        for name, own in self.names.items():
            text = text.replace(name, own + "`" * own.startswith("`"))
        return text

    def _number(self, value: float) -> sympy.Expr:
        if abs(value) > LARGEST_NUMBER:
            raise self._refusal("have numbers of at most 1e100", "Choose other units.")
        return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)

    def _name(self, name: str) -> sympy.Expr:
        name = self.names.get(name, name)
        if name.startswith("`"):
            if name[1:] in self.symbols:
                return self.symbols[name[1:]]
            raise self._unknown(name[1:], list(self.symbols))
        known = {**self.symbols, **CONSTANTS}
        if name in CONSTANTS and name in self.symbols and f"`{name}" not in self.names.values():
            rule = f"say which {name} it means, the constant or the variable"
            raise self._refusal(rule, f"Write `{name}` for the variable.")
        if name in known:
            return known[name]
        if name in WORDS or name in self.functions:
            if name == "x":  # the identity of the library: whoever writes it means a variable
                raise self._unknown(name, list(known))
            inner = next(iter(self.symbols), "x")
            raise self._refusal(f"give {name} an argument", f"Write {name}({inner}).")
        raise self._unknown(name, [*known, *WORDS, *self.functions])

    def _call(self, name: str, argument: sympy.Expr) -> sympy.Expr:
        name = self.names.get(name, name).removeprefix("`")
        if name in self.functions:
            function = self.functions[name]
            self._check_number(function.func, argument)
            places = sum(part == X for part in sympy.preorder_traversal(function))
            parts = parts_of(function) + places * parts_of(argument)
            if parts > MOST_PARTS:
                rule = f"have at most {MOST_PARTS} parts, its functions written out"
                raise self._refusal(rule, "Nest fewer functions.")
            return self._checked(function.xreplace({X: argument}))
        if name in WORDS:
            self._check_number(WORDS[name](X).func, argument)
            return self._checked(WORDS[name](argument))
        if name in self.symbols or name in CONSTANTS:
            raise self._refusal("have a sign between factors", f"Write {name}*(...).")
        raise self._unknown(name, [*WORDS, *self.functions])

    def _check_number(self, head: type[sympy.Basic], argument: sympy.Expr) -> None:
        """Raise if the argument is so large a number that the function's value fills memory."""
        if head in TAME or not argument.is_number:
            return
        if abs(constant_value(argument) or 0) > LARGEST_CONSTANT_ARGUMENT:
            raise self._refusal("not take a function of so large a number", "Write its value.")

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        value = constant_value(exponent) if exponent.is_number else None
        if value is None and {free.name for free in exponent.free_symbols} <= set(self.constants):
            return self._checked(base**exponent)
        if value is None:
            if not base.is_number or (constant_value(base) or 0) <= 0:
                rule = "have a number as exponent, or a positive number as base"
                raise self._refusal(rule, "Write exp(p*log(b)) for another power b**p.")
        elif abs(value) > LARGEST_EXPONENT:
            raise self._refusal(f"have exponents of at most {LARGEST_EXPONENT}", "Use exp(...).")
        else:
            self._check_power(base, value)
            if exponent.is_Rational and exponent.q > LARGEST_DENOMINATOR:
                exponent = sympy.Float(value)
        return self._checked(base**exponent)

    def _check_power(self, base: sympy.Expr, exponent: float) -> None:
        """Raise if a number of the power would be too large or too small, before it is made."""
        factor = base if base.is_number else base.as_coeff_Mul()[0]
        if factor.is_Rational:
            digits = abs(exponent) * math.log(max(abs(factor.p), factor.q))
            fits = digits <= math.log(LARGEST_NUMBER)
        else:
            size = abs(constant_value(factor) or 0)
            power = exponent * math.log(size) if size > 0 else 0.0
            fits = math.log(SMALLEST_NUMBER) <= power <= math.log(LARGEST_NUMBER)
        if not fits:
            raise self._refusal("have numbers of 1e-300 to 1e100", "Choose other units.")

    def _checked(self, result: sympy.Expr) -> sympy.Expr:
        """Return a result that is within the limits: sympy may have put numbers together."""
        if result.is_number:
            return self._plain(result)
        for part in sympy.Mul.make_args(result):
            exponent = part.exp if isinstance(part, sympy.Pow) else sympy.Integer(1)
            if exponent.is_number and abs(constant_value(exponent) or 0) > LARGEST_EXPONENT:
                rule = f"have exponents of at most {LARGEST_EXPONENT}"
                raise self._refusal(rule, "Use exp(...).")
        if isinstance(result, sympy.Mul | sympy.Add):
            # Not decimals: exp(400 - x) has a large one, and is computed as it stands.
            for part in (part for part in result.args if part.is_Rational):
                self._plain(part)
        return result

    def _plain(self, number: sympy.Expr) -> sympy.Expr:
        """Return a number that is small enough to go on with: a long one as a decimal."""
        value = constant_value(number)
        if value is None:
            raise self._refusal("have real, finite numbers", "Look for 1/0, sqrt(-1) or log(-1).")
        if number.is_Rational and max(abs(number.p), number.q) > LARGEST_NUMBER:
            raise self._refusal("have numbers of 1e-300 to 1e100", "Choose other units.")
        if number.is_Float and value == 0 and number != 0:
            raise self._refusal("have numbers of 1e-300 to 1e100", "Choose other units.")
        is_long = parts_of(number, PLAIN_NUMBER) > PLAIN_NUMBER
        return sympy.Float(value) if is_long else number

    def _unknown(self, name: str, known: Sequence[str]) -> ValueError:
        hint = did_you_mean(name, list(known)) or f"Variables: {', '.join(self.symbols)}."
        return self._refusal(f"have only known names, unlike {name[:40]!r}", hint)

    def _refusal(self, rule: str, remedy: str) -> ValueError:
        return _refusal(self.text, rule, remedy)
