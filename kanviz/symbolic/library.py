"""The functions that an edge may become, and how a user adds one."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from kanviz.checks import check_integer, did_you_mean
from kanviz.symbolic.language import X, check_expression
from kanviz.symbolic.parse import parse
from kanviz.symbolic.program import Curve, curve
from kanviz.symbolic.text import to_text

INFINITY = float("inf")
LONGEST_NAME = 40


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
    torch : Curve
        Computes the function for tensors: exact inside the domain, finite and differentiable twice
        everywhere. Made from the expression.
    """

    name: str
    expression: sympy.Expr
    complexity: int = 3
    domain: tuple[float, float] = (-INFINITY, INFINITY)
    torch: Curve = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check everything and compile the expression."""
        is_text = isinstance(self.name, str) and self.name.isprintable() and self.name.strip()
        if not is_text or len(self.name) > LONGEST_NAME:
            raise ValueError(
                f"name must be one line of 1 to {LONGEST_NAME} characters; got {self.name!r}. "
                "Choose another name."
            )
        check_integer("complexity", self.complexity, 0)
        if not self.domain[0] < self.domain[1]:
            raise ValueError(
                f"domain must be (low, high) with low < high; got {self.domain!r}. Swap the ends."
            )
        check_expression("expression", self.expression)
        object.__setattr__(self, "torch", curve(self.expression))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Function":
        """Return the function itself: nothing in it ever changes."""
        return self

    @property
    def text(self) -> str:
        """The formula as text, which ``parse`` reads back."""
        return to_text(self.expression)

    @property
    def singularities(self) -> tuple[float, ...]:
        """The finite ends of the domain."""
        return tuple(end for end in self.domain if abs(end) != INFINITY)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that ``from_dict`` reads back, for files."""
        domain = [None if abs(end) == INFINITY else end for end in self.domain]
        return {
            "name": self.name,
            "formula": self.text,
            "complexity": self.complexity,
            "domain": domain,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Function":
        """Return the function that ``to_dict`` wrote; its formula is parsed, never run."""
        low, high = values["domain"]
        domain = (-INFINITY if low is None else low, INFINITY if high is None else high)
        return cls(values["name"], parse(values["formula"]), values["complexity"], domain)


@dataclass(frozen=True)
class Library(Mapping[str, Function]):
    """Functions by name, in order; never changed in place.

    Parameters
    ----------
    functions : tuple of Function
        With different names.
    """

    functions: tuple[Function, ...]

    def __getitem__(self, name: str) -> Function:
        """Return a function; a KeyError names the nearest ones."""
        for function in self.functions:
            if function.name == name:
                return function
        hint = did_you_mean(name, list(self)) or "List the library for all names."
        raise KeyError(f"function must be in the library; got {name!r}. {hint}")

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

    def parse(self, text: str) -> sympy.Expr:
        """Return the expression of a formula that may name functions of this library too."""
        known = {f.name: f.expression for f in self.functions if f.name.isidentifier()}
        return parse(text, functions=known)


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
        Such as ``"x**2 / (1 + x**2)"``, or an expression in one symbol of any name.
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
    if isinstance(formula, str):
        expression = library.parse(formula) if library else parse(formula)
    else:
        expression = _in_x(formula)
    return Function(name, expression, complexity, domain)


def _in_x(formula: sympy.Expr) -> sympy.Expr:
    """Return the expression with its only symbol replaced by ``X``."""
    symbols = formula.free_symbols if isinstance(formula, sympy.Expr) else ()
    if len(symbols) > 1:
        names = ", ".join(sorted(str(symbol) for symbol in symbols))
        raise ValueError(
            f"expression must have one symbol; got {names}. Put numbers in place of the others."
        )
    return formula.xreplace(dict.fromkeys(symbols, X)) if symbols else formula


class Registry:
    """A library that can be exchanged: the one that ``register`` adds to.

    Parameters
    ----------
    library : Library
        What it starts with.
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
        """Make a function (see ``make_function``), add it to the library, return it."""
        with self._lock:
            function = make_function(
                name, formula, complexity=complexity, domain=domain, library=self._library
            )
            self._library = self._library.with_function(function)
        return function
