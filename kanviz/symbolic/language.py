"""The language of formulas: the numbers, functions and names that a formula may be made of.

Whatever is made of these can be read from text, computed, differentiated, printed and saved.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import sympy
from sympy.core.function import AppliedUndef

X = sympy.Symbol("x", real=True)
"""The variable of one-variable formulas."""


def symbol(name: str) -> sympy.Symbol:
    """Return the symbol of a free constant of a formula, which is a real number."""
    return sympy.Symbol(name, real=True)


LARGEST_NUMBER = 1e100

LONGEST_NUMBER = 1000
"""Most digits above or below the line of a fraction: Python itself writes 4300, slowly."""

LONGEST_BITS = 3322
"""What so many digits are in binary, where they are counted at once."""

LARGEST_EXPONENT = 100

HIGHEST_BESSEL_ORDER = 8

MOST_PARTS = 3000
"""Most numbers, variables, signs and functions of one edge's formula, when it is written out."""

DEEPEST_PARTS = 100
"""How deep they may stand in each other: sympy walks a formula by recursion."""

COMPUTED = 30.0
"""Largest |log k| of a factor that is computed as it stands; float32 has numbers to 88."""

PRINTED = 200.0
"""Largest |log k| of a factor that is printed as it stands; it can be read back."""

HEADS: Mapping[type[sympy.Basic], str] = MappingProxyType(
    {
        sympy.exp: "exp",
        sympy.log: "log",
        sympy.Abs: "abs",
        sympy.sign: "sgn",
        sympy.sin: "sin",
        sympy.cos: "cos",
        sympy.tan: "tan",
        sympy.sinh: "sinh",
        sympy.cosh: "cosh",
        sympy.tanh: "tanh",
        sympy.asin: "arcsin",
        sympy.acos: "arccos",
        sympy.atan: "arctan",
        sympy.asinh: "arcsinh",
        sympy.acosh: "arccosh",
        sympy.atanh: "arctanh",
        sympy.erf: "erf",
        sympy.sinc: "sinc",
    }
)
"""The sympy functions of one argument, and what each is called in text. ``relu`` is Max(0, x), the
Bessel functions J0, J1 ... are besselj(n, x)."""


def _relu(u: sympy.Expr) -> sympy.Expr:
    return sympy.Max(0, u)


def _sigmoid(u: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-u))


def _softplus(u: sympy.Expr) -> sympy.Expr:
    return sympy.log(1 + sympy.exp(u))


def _gaussian(u: sympy.Expr) -> sympy.Expr:
    return sympy.exp(-(u**2))


def _bessel(order: int) -> Callable[[sympy.Expr], sympy.Expr]:
    return lambda u: sympy.besselj(order, u)


WORDS: Mapping[str, Callable[[sympy.Expr], sympy.Expr]] = MappingProxyType(
    {
        **{word: head for head, word in HEADS.items()},
        **{f"J{n}": _bessel(n) for n in range(HIGHEST_BESSEL_ORDER + 1)},
        "relu": _relu,
        "sigmoid": _sigmoid,
        "softplus": _softplus,
        "gaussian": _gaussian,
        "sqrt": sympy.sqrt,
        "ln": sympy.log,
        "sign": sympy.sign,
        "asin": sympy.asin,
        "acos": sympy.acos,
        "atan": sympy.atan,
        "asinh": sympy.asinh,
        "acosh": sympy.acosh,
        "atanh": sympy.atanh,
        "Abs": sympy.Abs,
        "j0": _bessel(0),
        "j1": _bessel(1),
    }
)
"""Every function that text may name, and what makes its sympy expression from the argument's."""

CONSTANTS: Mapping[str, sympy.Expr] = MappingProxyType({"pi": sympy.pi, "e": sympy.E, "E": sympy.E})


def check_expression(
    name: str,
    expression: object,
    variables: Sequence[str] = ("x",),
    functions: Sequence[str] = (),
    constants: Sequence[str] = (),
) -> None:
    """Raise unless kanviz can compute ``expression``.

    Parameters
    ----------
    name : str
        What the expression is called in the message.
    expression : sympy.Expr
        Any expression.
    variables : sequence of str
        Names of the symbols that it may contain.
    functions : sequence of str
        Names of the undefined functions that it may contain, such as splines.
    constants : sequence of str
        Names of the symbols that stand for numbers: they may be exponents too.

    Raises
    ------
    TypeError
        If it is no sympy expression.
    ValueError
        Naming the first part that is not of the language.
    """
    if not isinstance(expression, sympy.Expr):
        raise TypeError(
            f"{name} must be a sympy expression; got {type(expression).__name__}. "
            "Make one with sympy, or parse text."
        )
    for part in sympy.preorder_traversal(absorb_factors(expression, COMPUTED)):
        rule = _broken_rule(part, [*variables, *constants], functions, constants)
        if rule:
            raise ValueError(f"{name} must {rule}; got {_shown(part)}.")


def _shown(part: sympy.Basic) -> str:
    """Return the begin of a part's text, or how long it is where Python writes no such number."""
    if any(_bits_of(number) > LONGEST_BITS for number in part.atoms(sympy.Rational)):
        return "a number of thousands of digits"
    return repr(str(part)[:80])


def _bits_of(number: sympy.Rational) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def _broken_rule(
    part: sympy.Basic,
    variables: Sequence[str],
    functions: Sequence[str],
    constants: Sequence[str],
) -> str:
    """Return which rule one node of an expression breaks, its children aside; empty if none."""
    if isinstance(part, sympy.Symbol):
        return "" if part.name in variables else f"have no variables but {', '.join(variables)}"
    if isinstance(part, AppliedUndef):
        known = part.func.__name__ in functions and len(part.args) == 1
        return "" if known else "be made of known functions"
    if isinstance(part, sympy.Rational) and _bits_of(part) > LONGEST_BITS:
        return f"have fractions of at most {LONGEST_NUMBER} digits"
    if part.is_number and constant_value(part) is None:
        return "have real numbers of at most 1e100"
    if isinstance(part, sympy.Pow):
        return _broken_power_rule(part, constants)
    if isinstance(part, sympy.besselj):
        order = part.args[0]
        allowed = order.is_Integer and 0 <= int(order) <= HIGHEST_BESSEL_ORDER
        return "" if allowed else f"have Bessel functions of order 0 to {HIGHEST_BESSEL_ORDER}"
    if isinstance(part, sympy.Max):
        return "" if len(part.args) == 2 and 0 in part.args else "have no maximum but Max(0, u)"
    structure = sympy.Add | sympy.Mul | sympy.UnevaluatedExpr
    known = isinstance(part, structure) or part.func in HEADS
    return "" if known or (part.is_number and part.is_Atom) else "be made of known functions"


def _broken_power_rule(part: sympy.Pow, constants: Sequence[str]) -> str:
    free = {symbol.name for symbol in part.exp.free_symbols}
    if free and free <= set(constants):
        return ""
    if part.exp.is_number:
        value = constant_value(part.exp)
        allowed = value is not None and abs(value) <= LARGEST_EXPONENT
        return "" if allowed else f"have exponents of at most {LARGEST_EXPONENT}"
    value = constant_value(part.base) if part.base.is_number else None
    is_positive = value is not None and value > 0
    return "" if is_positive else "have a number as exponent, or a positive number as base"


def parts_of(expression: sympy.Basic, most: float = math.inf) -> int:
    """Return how many parts an expression has, written out; counting ends above ``most``."""
    count, waiting = 0, [expression]
    while waiting and count <= most:
        count += 1
        waiting.extend(waiting.pop().args)
    return count


def depth_of(expression: sympy.Basic) -> int:
    """Return how deep the parts of an expression stand in each other; 1 for a single one."""
    depth, level = 0, [expression]
    while level:
        depth, level = depth + 1, [inner for part in level for inner in part.args]
    return depth


def constant_value(expression: sympy.Expr) -> float | None:
    """Return the value of a number; None unless it is real, finite and of at most 1e100."""
    try:
        value = complex(expression)
    except (TypeError, ValueError, OverflowError):
        return None
    if value.imag != 0 or not math.isfinite(value.real) or abs(value.real) > LARGEST_NUMBER:
        return None
    return value.real


def number(value: float) -> sympy.Expr:
    """Return a number as sympy has it, one that leaves no trace where it is 0 or 1."""
    return sympy.Integer(int(value)) if value in (0, 1, -1) else sympy.Float(value)


def absorb_factors(expression: sympy.Expr, most: float) -> sympy.Expr:
    """Return the expression with k exp(u) as exp(u + log k) wherever |log k| is above ``most``.

    sympy makes k exp(a x) of exp(a x + b) with decimal b. For x in thousands, years for instance,
    k leaves the range of floating-point numbers although the exponential itself stays near 1.
    The new exponents are wrapped in ``UnevaluatedExpr``, so that sympy leaves them as they are.
    """
    if not expression.has(sympy.exp):
        return expression
    return expression.replace(lambda part: _log_factor(part) > most, _into_exponent)


def _log_factor(part: sympy.Basic) -> float:
    """Return |log k| for k exp(u) times anything; 0 for other expressions."""
    if not part.is_Mul or not any(isinstance(factor, sympy.exp) for factor in part.args):
        return 0.0
    return float(abs(sympy.log(abs(part.as_coeff_Mul()[0]))))


def _into_exponent(product: sympy.Mul) -> sympy.Expr:
    factor, _ = product.as_coeff_Mul()
    exponential = next(part for part in product.args if isinstance(part, sympy.exp))
    # Not by dividing: for sympy exp(u) / exp(u) need not be 1 where u has decimals.
    rest = [part for part in product.args if part not in (factor, exponential)]
    exponent = exponential.args[0] + sympy.log(abs(sympy.Float(factor)))
    return sympy.Mul(sympy.sign(factor), sympy.exp(sympy.UnevaluatedExpr(exponent)), *rest)
