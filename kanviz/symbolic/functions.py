"""The functions that an edge may become: built in or registered, and what is known of each."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_integer, did_you_mean
from kanviz.symbolic.language import (
    CONSTANTS,
    DEEPEST_PARTS,
    MOST_PARTS,
    WORDS,
    X,
    check_expression,
    depth_of,
    number,
    parts_of,
    symbol,
)
from kanviz.symbolic.parse import WRITTEN, checked_constants, constants_in, parse
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.program import Curve, curve
from kanviz.symbolic.simplify import in_time

INFINITY = float("inf")

LONGEST_NAME = 60


@dataclass(frozen=True)
class Function:
    """A function f of one variable; an edge that has it computes c f(a x + b) + d.

    Parameters
    ----------
    name : str
        What users call it, such as ``"sin"`` or ``"1/x^2"``.
    expression : sympy.Expr
        The function, in the variable ``X``.
    complexity : int
        How much it costs to read, at least 0; 1 is a straight line.
    domain : (low, high)
        Where a x + b stays in a fit. Finite ends are singularities: the function or its slope is
        infinite or has no value there. Of two sides of a pole one is enough, since a may be
        negative.
    constants : tuple of str
        The free constants of the expression, in order: numbers of its own, which each edge that
        has the function fits and trains instead of a, b, c and d.
    torch : Curve
        Computes the function for tensors: exact inside the domain, finite and differentiable twice
        everywhere. Made from the expression.
    """

    name: str
    expression: sympy.Expr
    complexity: int = 3
    domain: tuple[float, float] = (-INFINITY, INFINITY)
    constants: tuple[str, ...] = ()
    torch: Curve = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check everything and compile the expression."""
        is_text = isinstance(self.name, str) and self.name.isprintable() and self.name.strip()
        if not is_text or len(self.name) > LONGEST_NAME:
            raise ValueError(
                f"name must be one line of 1 to {LONGEST_NAME} characters; got {self.name!r}."
            )
        check_integer("complexity", self.complexity, 0)
        if not self.domain[0] < self.domain[1]:
            raise ValueError(
                f"domain must be (low, high) with low < high; got {self.domain!r}. Swap the ends."
            )
        check_expression("expression", self.expression, constants=self.constants)
        object.__setattr__(self, "torch", curve(self.expression, self.constants))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Function":
        """Return the function itself: nothing in it ever changes."""
        return self

    def values(
        self, x: Float[Tensor, " samples"], numbers: Sequence[float]
    ) -> Float[Tensor, " samples"]:
        """Return c f(a x + b) + d for a, b, c, d and the free constants of f; finite everywhere."""
        a, b, c, d, *constants = numbers
        return c * self.torch(a * x + b, *map(x.new_tensor, constants)) + d

    @property
    def text(self) -> str:
        """The formula as text, which ``parse`` reads back."""
        return to_text(self.expression)

    @property
    def singularities(self) -> tuple[float, ...]:
        """The finite ends of the domain."""
        return tuple(end for end in self.domain if abs(end) != INFINITY)

    @cached_property
    def period(self) -> float | None:
        """By how much of its variable it repeats, where that can be seen from the formula.

        Examples
        --------
        >>> BUILT_IN["sin"].period == 2 * math.pi
        True
        >>> BUILT_IN["exp"].period is None
        True
        """
        return _period(self.expression)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``from_dict`` reads back, for files."""
        domain = [None if abs(end) == INFINITY else end for end in self.domain]
        return {
            "name": self.name,
            "formula": self.text,
            "complexity": self.complexity,
            "domain": domain,
        } | ({"constants": list(self.constants)} if self.constants else {})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Function":
        """Return the function that ``to_dict`` wrote; its formula is parsed, never run."""
        low, high = values["domain"]
        domain = (-INFINITY if low is None else low, INFINITY if high is None else high)
        constants = checked_constants(values.get("constants", ()))
        expression = parse(values["formula"], constants=constants, limits=WRITTEN)
        return cls(values["name"], expression, values["complexity"], domain, constants)

    def with_numbers(self, constants: Sequence[float]) -> sympy.Expr:
        """Return the expression with a number in the place of each free constant."""
        pairs = zip(self.constants, constants, strict=True)
        return self.expression.xreplace({symbol(name): number(value) for name, value in pairs})


def _period(expression: sympy.Expr) -> float | None:
    """Return the period of a function of ``X``: X must stand in sines and the like alone."""
    slopes: set[sympy.Expr] = set()

    def repeats(part: sympy.Basic) -> bool:
        if not part.has(X):
            return True
        if isinstance(part, sympy.sin | sympy.cos | sympy.tan):
            slope = part.args[0].coeff(X)
            if slope.is_number and not (part.args[0] - slope * X).has(X):
                slopes.add(abs(slope))
                return True
        return bool(part.args) and all(map(repeats, part.args))

    if not repeats(expression) or not slopes:
        return None
    if len(slopes) == 1:
        return float(2 * sympy.pi / slopes.pop())
    if not all(slope.is_Rational for slope in slopes):
        return None
    return float(2 * sympy.pi / sympy.gcd_list(list(slopes)))


@dataclass(frozen=True)
class Library(Mapping[str, Function]):
    """Functions by name, in order; never changed in place.

    Parameters
    ----------
    functions : tuple of Function
        With different names.

    Examples
    --------
    >>> BUILT_IN["sin"].text
    'sin(x)'
    >>> list(BUILT_IN.only(["x", "exp"]))
    ['x', 'exp']
    """

    functions: tuple[Function, ...]

    def __getitem__(self, name: str) -> Function:
        """Return a function; a KeyError names the nearest ones."""
        for function in self.functions:
            if function.name == name:
                return function
        hint = did_you_mean(name, list(self)) or "list(library) has all names."
        raise KeyError(f"No function of the library is called {name!r}. {hint}")

    def __iter__(self) -> Iterator[str]:
        return (function.name for function in self.functions)

    def __len__(self) -> int:
        return len(self.functions)

    def with_function(self, function: Function) -> "Library":
        """Return a library that has ``function`` too, in the place of one with its name if any."""
        if function.name not in self:
            return replace(self, functions=(*self.functions, function))
        return replace(
            self,
            functions=tuple(
                function if known.name == function.name else known for known in self.functions
            ),
        )

    def only(self, names: Iterable[str]) -> "Library":
        """Return a library of the named functions, in the order given."""
        return replace(self, functions=tuple(self[name] for name in dict.fromkeys(names)))

    def parse(
        self,
        text: str,
        constants: Sequence[str] = (),
        variables: Sequence[str] = (X.name,),
        unknown: Sequence[str] = (),
    ) -> sympy.Expr:
        """Return the expression of a formula that may name functions of this library too.

        The ``unknown`` ones are functions of which nothing is known but the name.
        """
        words = self._words | {name: sympy.Function(name)(X) for name in unknown}
        return parse(text, variables, words, constants=constants)

    def constants_in(self, text: str) -> tuple[str, ...]:
        """Return the free constants of a formula, see ``kanviz.symbolic.parse.constants_in``."""
        return constants_in(text, self._words)

    @property
    def _words(self) -> dict[str, sympy.Expr]:
        return {f.name: f.expression for f in self.functions if f.name.isidentifier()}


def checked(name: str, make: Callable[[], Function]) -> Function:
    """Return the function that is made, once it is sure that a model with it can be used.

    Parameters
    ----------
    name : str
        What to call the formula in a message.
    make : callable
        Makes the function of what a user wrote.

    Raises
    ------
    ValueError
        If the formula could not be drawn, or not be read from a file again; or if that takes long.
    """
    problem = f"formula must be less intricate; got {_short(name)}. Take a simpler one."
    return in_time(SECONDS, lambda: _usable(name, make()), problem)


def _usable(name: str, function: Function) -> Function:
    for rule, size, most in (
        ("numbers, variables, signs and functions", parts_of, MOST_PARTS),
        ("levels of parts within parts", depth_of, DEEPEST_PARTS),
    ):
        if (found := size(function.expression)) > most:
            raise ValueError(
                f"formula must have at most {most} {rule}, written out; got {found} in "
                f"{_short(name)}. Take a simpler one."
            )
    trial = [0.377 + 0.219 * n for n in range(len(function.constants))]
    for expression in (function.expression, _with_numbers(function.with_numbers(trial))):
        parse(to_text(expression), constants=function.constants, limits=WRITTEN)
    return function


SECONDS = 3.0
"""How long making a function may take; most take milliseconds."""


def _with_numbers(expression: sympy.Expr) -> sympy.Expr:
    """Return c f(a x + b) + d with numbers as they may come."""
    a, b, c, d = map(sympy.Float, (0.731, -0.257, 1.193, 0.419))
    return c * expression.xreplace({X: a * X + b}) + d


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def make_function(
    name: str,
    formula: str | sympy.Expr,
    *,
    complexity: int = 3,
    domain: tuple[float, float] = (-INFINITY, INFINITY),
    library: Library | None = None,
) -> Function:
    """Return a function made from text or from a sympy expression in one symbol.

    Parameters
    ----------
    name, complexity, domain
        As in ``Function``.
    formula : str or sympy.Expr
        Such as ``"x**2 / (1 + x**2)"``, or an expression in one symbol of any name. Text may have
        free constants, as ``"p*exp(-q*x)"`` has.
    library : Library, optional
        Whose functions the text may name.

    Raises
    ------
    TypeError, ValueError
        If a value is out of its range, or the formula cannot be read or computed.

    Examples
    --------
    >>> make_function("hill", "x**2 / (1 + x**2)").text
    'x**2/(x**2 + 1)'
    """
    shown = str(formula) if isinstance(formula, str) else name

    def make() -> Function:
        if not isinstance(formula, str):
            return Function(name, _in_x(formula), complexity, domain)
        known = library or BUILT_IN
        constants = known.constants_in(formula)
        return Function(name, known.parse(formula, constants), complexity, domain, constants)

    return checked(shown, make)


def _in_x(formula: sympy.Expr) -> sympy.Expr:
    """Return the expression with its only symbol replaced by ``X``."""
    symbols = formula.free_symbols if isinstance(formula, sympy.Expr) else ()
    if len(symbols) > 1:
        names = ", ".join(sorted(str(symbol) for symbol in symbols))
        raise ValueError(
            f"A function has one variable; got {names}. Put numbers in the place of the others."
        )
    return formula.xreplace(dict.fromkeys(symbols, X)) if symbols else formula


class Registry:
    """A library that can be exchanged: the one that ``register`` adds to.

    Parameters
    ----------
    library : Library
        What it starts with.

    Examples
    --------
    >>> registry = Registry(BUILT_IN)
    >>> hill = registry.register("hill", "x**2 / (1 + x**2)")
    >>> "hill" in registry.library, "hill" in BUILT_IN
    (True, False)
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()

    @property
    def library(self) -> Library:
        """What there is now; later additions do not change it."""
        return self._library

    def register(
        self,
        name: str,
        formula: str | sympy.Expr,
        *,
        complexity: int = 3,
        domain: tuple[float, float] = (-INFINITY, INFINITY),
    ) -> Function:
        """Make a function, add it to the library under its name, and return it.

        Suggestions and ``symbolify`` try it from then on, for every model of this process.

        Parameters
        ----------
        name, formula, complexity, domain
            As for ``make_function``; the formula may name functions of the library.

        Returns
        -------
        Function

        Raises
        ------
        TypeError, ValueError
            If a value is out of its range, the formula cannot be read or computed, or the name
            means something else already: a built-in function, or a formula as it stands.
        """
        with self._lock:
            function = make_function(
                name, formula, complexity=complexity, domain=domain, library=self._library
            )
            _check_name_is_free(function)
            self._library = self._library.with_function(function)
        return function


def _check_name_is_free(function: Function) -> None:
    """Raise if users mean something else by a function's name already."""
    name = function.name
    if name in BUILT_IN:
        meaning: sympy.Expr | None = BUILT_IN[name].expression
    elif name in WORDS or name in CONSTANTS:
        meaning = WORDS[name](X) if name in WORDS else CONSTANTS[name]
    else:
        try:
            meaning = parse(name)
        except ValueError:
            return
    if meaning != function.expression:
        raise ValueError(
            f"name must not be one that means something else; got {name!r}, which is "
            f"{to_text(meaning)}. Choose another name."
        )


_TABLE = (
    # name, formula, complexity
    ("0", "0", 0),
    ("x", "x", 1),
    ("x^2", "x**2", 2),
    ("x^3", "x**3", 3),
    ("x^4", "x**4", 3),
    ("x^5", "x**5", 3),
    ("exp", "exp(x)", 2),
    ("sin", "sin(x)", 2),
    ("cos", "cos(x)", 2),
    ("abs", "abs(x)", 3),
    ("sgn", "sgn(x)", 3),
    ("relu", "relu(x)", 3),
    ("tanh", "tanh(x)", 3),
    ("sigmoid", "1/(1 + exp(-x))", 3),
    ("softplus", "log(1 + exp(x))", 4),
    ("silu", "x/(1 + exp(-x))", 4),
    ("sinh", "sinh(x)", 3),
    ("cosh", "cosh(x)", 3),
    ("gaussian", "exp(-x**2)", 3),
    ("1/(1+x^2)", "1/(1 + x**2)", 4),
    ("arctan", "arctan(x)", 4),
    ("arcsinh", "arcsinh(x)", 4),
    ("erf", "erf(x)", 4),
    ("sinc", "sinc(x)", 4),
    ("J0", "J0(x)", 5),
    ("J1", "J1(x)", 5),
)

_ON_A_DOMAIN = (
    # name, formula, complexity, low, high
    ("1/x", "1/x", 2, 0.0, INFINITY),
    ("1/x^2", "x**-2", 2, 0.0, INFINITY),
    ("1/x^3", "x**-3", 3, 0.0, INFINITY),
    ("1/x^4", "x**-4", 4, 0.0, INFINITY),
    ("1/x^5", "x**-5", 5, 0.0, INFINITY),
    ("sqrt", "sqrt(x)", 2, 0.0, INFINITY),
    ("1/sqrt(x)", "1/sqrt(x)", 2, 0.0, INFINITY),
    ("x^1.5", "x**(3/2)", 4, 0.0, INFINITY),
    ("log", "log(x)", 2, 0.0, INFINITY),
    ("arccosh", "arccosh(x)", 4, 1.0, INFINITY),
    ("tan", "tan(x)", 3, -1.5707963267948966, 1.5707963267948966),
    ("arcsin", "arcsin(x)", 4, -1.0, 1.0),
    ("arccos", "arccos(x)", 4, -1.0, 1.0),
    ("arctanh", "arctanh(x)", 4, -1.0, 1.0),
)

BUILT_IN = Library(
    tuple(Function(name, parse(text), complexity) for name, text, complexity in _TABLE)
    + tuple(
        Function(name, parse(text), complexity, (low, high))
        for name, text, complexity, low, high in _ON_A_DOMAIN
    )
)
"""All functions that kanviz comes with. Complexities are those of pykan 0.2.8 where it has them."""

REGISTRY = Registry(BUILT_IN)
"""The library of this process: the one thing in kanviz that a call changes for all that follow.

It is only ever read when a user asks for suggestions or names a function. A model keeps the
formula itself, so it works and is saved without what was registered.
"""

register_function = REGISTRY.register


def default_library() -> Library:
    """Return the built-in functions and those registered so far."""
    return REGISTRY.library


PROBES = 23

SAME = 1e-9


@dataclass(frozen=True)
class Traits:
    """Which of a, b, c, d a fit needs to search for.

    Parameters
    ----------
    scale_free : bool
        f(s u) = p f(u) + q for every s > 0: c and d do what a does, so a is 1 or -1.
    shift_free : bool
        f(u + s) = p f(u) + q: b is not needed.
    mirror : (p, q) or None
        f(-u) = p f(u) + q: a is never negative.
    is_periodic : bool
        f(u + 2 pi) = f(u): b can be kept within half a turn.
    is_wave : bool
        It goes up and down without end, so that fits with many waves must be tried.
    is_flat : bool
        Its slope is 0 (but at jumps), so that only trying finds a and b.
    """

    scale_free: bool
    shift_free: bool
    mirror: tuple[float, float] | None
    is_periodic: bool
    is_wave: bool
    is_flat: bool


@cache
def traits(function: Function) -> Traits:
    """Return the traits of a function.

    >>> traits(BUILT_IN["exp"]).shift_free, traits(BUILT_IN["sin"]).is_periodic
    (True, True)
    """
    if function.constants:  # a, b, c, d are not searched for
        return Traits(
            scale_free=False,
            shift_free=False,
            mirror=None,
            is_periodic=False,
            is_wave=False,
            is_flat=False,
        )
    u = probes(function.domain)
    f = function.torch.plain
    at_u = f(u)
    is_open = function.domain == (-INFINITY, INFINITY)
    heads = (sympy.sin, sympy.cos, sympy.sinc, sympy.besselj)
    stretched = (_line(at_u, f(s * u)) for s in (0.5, 0.7, 1.9))
    shifted = (_line(at_u, f(u + s)) for s in (0.4, 1.3))
    return Traits(
        scale_free=all(line is not None for line in stretched),
        shift_free=is_open and all(line is not None for line in shifted),
        mirror=_line(at_u, f(-u)),
        is_periodic=_line(at_u, f(u + 2 * math.pi)) == (1.0, 0.0),
        is_wave=is_open and bool(function.expression.has(*heads)),
        is_flat=_is_flat(function, u),
    )


def probes(domain: tuple[float, float]) -> Float[Tensor, " probes"]:
    """Return numbers within the domain, not arranged about 0."""
    low, high = domain
    if abs(low) == INFINITY and abs(high) == INFINITY:
        low, high = -2.13, 1.87
    elif abs(high) == INFINITY:
        low, high = low + 0.21, low + 3.3
    elif abs(low) == INFINITY:
        low, high = high - 3.3, high - 0.21
    else:
        low, high = low + 0.11 * (high - low), high - 0.17 * (high - low)
    return torch.linspace(low, high, PROBES, dtype=torch.float64)


def _line(first: Tensor, second: Tensor) -> tuple[float, float] | None:
    """Return (p, q), rounded, with second = p first + q, if there are such numbers."""
    if not bool(first.isfinite().all() and second.isfinite().all()):
        return None
    centered = first - first.mean()
    spread = float(centered @ centered)
    p = float(centered @ (second - second.mean())) / spread if spread > 0 else 0.0
    q = float((second - p * first).mean())
    size = float(second.abs().max()) + 1e-300
    if float((second - p * first - q).abs().max()) > SAME * size:
        return None
    return round(p, 8) + 0.0, (round(q, 8) if abs(q) > SAME * size else 0.0) + 0.0


def _is_flat(function: Function, u: Tensor) -> bool:
    with torch.enable_grad():
        u = u.clone().requires_grad_()
        (slope,) = torch.autograd.grad(function.torch.plain(u).sum(), u)
    return bool((slope == 0).all())


def free_numbers(function: Function) -> int:
    """Return how many of a, b, c, d a function really has, or how many constants of its own.

    >>> free_numbers(BUILT_IN["x"]), free_numbers(BUILT_IN["exp"]), free_numbers(BUILT_IN["sin"])
    (2, 3, 4)
    """
    if function.constants:
        return len(function.constants)
    known = traits(function)
    return 4 - known.scale_free - known.shift_free
