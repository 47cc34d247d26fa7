"""The formula of a whole network: composed from its edges, checked against it, and in short form.

``formula_of`` reads the network, ``Comparison`` tells how far a formula is from it, ``shown``
shortens the numbers as far as the outputs allow, and ``Formula`` has all the forms in which people
take one away.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import numpy as np
import sympy
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.data.dataset import About
from kanviz.nn.features import features
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.nodes import Nodes
from kanviz.nn.symbols import EdgeFunction, near_phase
from kanviz.symbolic.dimensions import Dimensions, check_units, dimensions_of
from kanviz.symbolic.functions import Function
from kanviz.symbolic.language import X, check_expression, constant_value, number, symbol
from kanviz.symbolic.printing import latex_names, text_name, to_latex, to_text
from kanviz.symbolic.program import Program, compile_expressions, curve
from kanviz.symbolic.simplify import (
    MOST_TERMS,
    SYMPY_GIVES_UP,
    in_time,
    rounded,
    simplified,
    snapped,
    terms_when_expanded,
    with_unit_terms,
)
from kanviz.symbolic.source import (
    c_source,
    column_letters,
    javascript_source,
    python_source,
    sheet_source,
    sql_source,
)
from kanviz.training.doubt import errors_of_numbers

ArrayFunction = Callable[
    [Float[np.ndarray, "*samples inputs"]], Float[np.ndarray, "*samples outputs"]
]

SplineFunctions = Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class Formula:
    """One expression per output of a network.

    Parameters
    ----------
    expressions : tuple of sympy.Expr
        In plain symbols with the names of the inputs; splines are undefined functions.
    inputs : tuple of str
        The names of the network's inputs, used or not.
    outputs : tuple of str
        The names of the outputs.
    error : float or None
        How far the formula as it stands here is from the model that it is of: their largest
        difference on the model's sample, as a share of what an output varies by. None if it was not
        compared.
    errors : tuple of tuple of float, or None
        Standard errors of the decimal numbers of each expression, in the order of
        ``constants_of``; nan where the data do not tell a number. None if they were not asked for.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> formula = Formula((1.9999 * x * (x + y),), ("x", "y"), ("z",))
    >>> print(formula.snapped(1e-3).expanded())
    2*x**2 + 2*x*y
    >>> formula.to_callable()(np.array([[1.0, 2.0]])).round(3)
    array([[6.]])
    """

    expressions: tuple[sympy.Expr, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    error: float | None = None
    errors: tuple[tuple[float, ...], ...] | None = None

    @property
    def splines(self) -> tuple[str, ...]:
        """The names of the edges that have no formula yet."""
        found = {
            part.func.__name__
            for expression in self.expressions
            for part in expression.atoms(sympy.core.function.AppliedUndef)
        }
        return tuple(sorted(found))

    def map(self, change: Callable[[sympy.Expr], sympy.Expr]) -> "Formula":
        """Return the formula with each output's expression changed, by sympy or by a rule of yours.

        Parameters
        ----------
        change : callable
            Takes an expression in the names of the inputs and returns another.

        Examples
        --------
        >>> x = sympy.Symbol("x")
        >>> print(Formula((sympy.sin(x) * sympy.cos(x),), ("x",), ("y",)).map(sympy.trigsimp))
        sin(2*x)/2
        """
        changed = tuple(change(part) for part in self.expressions)
        return replace(self, expressions=changed, error=None, errors=None)

    def expanded(self) -> "Formula":
        """Return the formula with products of sums multiplied out, also within functions."""
        return self.map(_expanded)

    def with_unit_terms(self) -> "Formula":
        """Return the formula with factors taken out of roots and logarithms of sums."""
        return self.map(with_unit_terms)

    def rounded(self, digits: int) -> "Formula":
        """Return the formula with decimal numbers of so many significant digits, at least 1."""
        return self.map(lambda expression: rounded(expression, digits))

    def snapped(self, tolerance: float = 1e-3) -> "Formula":
        """Return the formula with each number that is near a nice one replaced, as by ``snap``.

        ``tolerance`` is the largest relative difference, from 0 to 0.1.
        """
        return self.map(lambda expression: snapped(expression, tolerance))

    def simplified(self, seconds: float = 2.0) -> "Formula":
        """Return a shorter formula that means the same, if one is found in so many seconds."""
        share = seconds / max(1, len(self.expressions))
        return self.map(lambda expression: simplified(expression, share))

    def to_latex(self) -> list[str]:
        """Return LaTeX for each output, without dollar signs; names are text where need be."""
        shown = latex_names(self.inputs)
        symbols = {symbol for expression in self.expressions for symbol in expression.free_symbols}
        names = {symbol: shown[symbol.name] for symbol in symbols if symbol.name in shown}
        return [to_latex(expression, names) for expression in self.expressions]

    def to_torch(self, splines: SplineFunctions | None = None) -> Program:
        """Return what computes the formula for tensors (*samples, inputs), finite everywhere.

        Parameters
        ----------
        splines : mapping of str to callable, optional
            What computes each name in ``splines``, tensor to tensor.

        Raises
        ------
        ValueError
            If a spline is not given, or a part cannot be computed.
        """
        return compile_expressions(self.expressions, self.inputs, splines)

    def to_callable(self, splines: SplineFunctions | None = None) -> ArrayFunction:
        """Return what computes the formula for arrays (*samples, inputs), NaN off its domain.

        Parameters and errors are those of ``to_torch``.
        """
        return self.to_torch(splines).numpy

    def to_python(self) -> str:
        """Return Python source, one function per output; ValueError if a spline is left."""
        return python_source(self.expressions, self.inputs, self.outputs)

    def to_c(self) -> str:
        """Return C source, one function per output; ValueError if a spline is left."""
        return c_source(self.expressions, self.inputs, self.outputs)

    def to_javascript(self) -> str:
        """Return JavaScript source, one function per output; ValueError if a spline is left."""
        return javascript_source(self.expressions, self.inputs, self.outputs)

    def to_excel(self, cells: Sequence[str] | None = None) -> list[str]:
        """Return a formula for a cell of a spreadsheet per output.

        Parameters
        ----------
        cells : sequence of str, optional
            Where each input stands, such as ``"$B$1"``; by default A2, B2 and so on.

        Raises
        ------
        ValueError
            If a spline is left, a cell is none, or a formula is too long for one.

        Examples
        --------
        >>> x, y = sympy.symbols("x y", real=True)
        >>> Formula((sympy.sin(x) * y**2,), ("x", "y"), ("z",)).to_excel()
        ['=POWER(B2,2)*SIN(A2)']
        """
        if cells is None:
            cells = [f"{column_letters(number)}2" for number in range(len(self.inputs))]
        return sheet_source(self.expressions, self.inputs, cells)

    def to_sql(self, table: str = "data") -> str:
        """Return a query that adds the outputs to a table with the inputs as columns.

        Parameters
        ----------
        table : str
            Its name.

        Raises
        ------
        ValueError
            If a spline is left, or SQL has no such function (erf, the Bessel functions).
        """
        return sql_source(self.expressions, self.inputs, self.outputs, table)

    def dimensions(self, units: Mapping[str, str]) -> Dimensions:
        """Return whether the dimensions of the formula agree, as a sentence with what it found.

        Numbers of a law may carry units, as 9.81 m/s^2 does: it says what they would have to be in.

        Parameters
        ----------
        units : mapping of str to str
            The unit of each input that has one, and of outputs, such as ``{"m": "kg", "E": "J"}``;
            what is not named is a plain number, or for outputs anything.

        Raises
        ------
        ValueError
            If a name or a unit is not known, or a spline is left.

        Examples
        --------
        >>> m, h = sympy.symbols("m h")
        >>> fall = Formula((9.81 * m * h,), ("m", "h"), ("E",))
        >>> print(fall.dimensions({"m": "kg", "h": "m", "E": "J"}))
        dimensions agree with 9.81 in m/s**2
        """
        check_units(units, (*self.inputs, *self.outputs))
        if self.splines:
            raise ValueError(
                f"Dimensions are told where all edges are formulas; {self.splines[0]} is a spline. "
                "Use symbolify or fix."
            )
        known = {name: unit for name, unit in units.items() if name in self.inputs}
        found = [
            dimensions_of(expression, known, units.get(name))
            for expression, name in zip(self.expressions, self.outputs, strict=True)
        ]
        return Dimensions(
            tuple(fault for one in found for fault in one.faults),
            {number: unit for one in found for number, unit in one.numbers.items()},
        )

    def with_errors(self, x: Float[np.ndarray, "rows inputs"], noise: Sequence[float]) -> "Formula":
        """Return the formula with standard errors of its decimal numbers.

        Those of least squares for exactly this formula, near its numbers: V = s^2 (J^T J)^-1 with J
        the derivatives in the numbers (Seber, Wild, Nonlinear regression, 1989, sec. 2.1.2).

        Parameters
        ----------
        x : (rows, inputs)
            Where y was measured, in the units of the inputs.
        noise : sequence of float
            Standard deviation of the noise in each output, on one row.

        Raises
        ------
        ValueError
            If a spline is left.
        """
        if self.splines:
            raise ValueError(
                f"Numbers have standard errors where all edges are formulas; {self.splines[0]} is "
                "a spline. Use symbolify or fix, or ask bands()."
            )
        found: list[tuple[float, ...]] = []
        for expression, own in zip(self.expressions, noise, strict=True):
            lettered, constants = constants_of(expression, self.inputs)
            if not constants:
                found.append(())
                continue
            names = tuple(map(str, constants))
            slopes = tuple(sympy.diff(lettered, letter) for letter in constants)
            slope = Formula(slopes, (*self.inputs, *names), names).to_callable()
            rows = np.tile([float(value) for value in constants.values()], (len(x), 1))
            at = slope(np.hstack([x, rows]))
            found.append(tuple(errors_of_numbers(torch.from_numpy(at), own)))
        return replace(self, errors=tuple(found))

    def _text(self, part: int) -> str:
        """Return an expression as one line, with the standard errors where they are known."""
        if self.errors is None:
            return to_text(self.expressions[part])
        lettered, constants = constants_of(self.expressions[part], self.inputs)
        text = to_text(lettered)
        # The longest first: constant_1 is in constant_10.
        for letter, error in reversed([*zip(constants, self.errors[part], strict=True)]):
            text = text.replace(str(letter), _with_error(float(constants[letter]), error))
        return text

    def __str__(self) -> str:
        if len(self.expressions) == 1:
            return self._text(0)
        return "\n".join(self.equations())

    def equations(self) -> list[str]:
        """Return a line of text for each output, its name on the left, as in ``z = x**2``."""
        names = enumerate(self.outputs)
        return [f"{text_name(name)} = {self._text(part)}" for part, name in names]

    def equations_in_latex(self) -> list[str]:
        """Return LaTeX for each output with its name on the left, as in ``z = x^{2}``."""
        names = latex_names(self.outputs)
        lines = zip(self.outputs, self.to_latex(), strict=True)
        return [f"{names[name]} = {text}" for name, text in lines]

    def _repr_latex_(self) -> str:
        lines = (rf"$\displaystyle {line}$" for line in self.equations_in_latex())
        return "\n\n".join(lines)


def constants_of(
    expression: sympy.Expr, names: Sequence[str] = ()
) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Float]]:
    """Return an expression with a letter in the place of each decimal number, and the numbers.

    No letter is part of one of the names, or of a symbol in the expression.

    >>> lettered, constants = constants_of(1.5 * sympy.Symbol("x") + 0.25)
    >>> len(constants), lettered.subs(constants)
    (2, 1.5*x + 0.25)
    """
    constants: dict[sympy.Symbol, sympy.Float] = {}
    taken, stem = [*names, *(one.name for one in expression.free_symbols)], "constant_"
    while any(stem in name for name in taken):
        stem = f"_{stem}"

    def lettered(part: sympy.Expr) -> sympy.Expr:
        if part.is_Float:
            letter = symbol(f"{stem}{len(constants)}")
            constants[letter] = part
            return letter
        return part.func(*map(lettered, part.args)) if part.args else part

    return lettered(expression), constants


def _with_error(value: float, error: float) -> str:
    """Return a number with its standard error of two digits; alone where it has none.

    >>> _with_error(3.14159, 0.0123), _with_error(-2.0, float("nan")), _with_error(12345.6, 230.0)
    ('(3.142 +- 0.012)', '(-2.0 +- ?)', '(12350 +- 230)')
    """
    if not np.isfinite(error):
        return f"({value:.6g} +- ?)" if value != int(value) else f"({value} +- ?)"
    if error == 0:
        return f"{value:.6g}"
    places = 1 - int(np.floor(np.log10(error)))
    shown, off = round(value, places), round(error, places)
    if places > 0 and places < 12:
        return f"({shown:.{places}f} +- {off:.{places}f})"
    return f"({shown:.6g} +- {off:.2g})" if places >= 12 else f"({shown:.0f} +- {off:.0f})"


MOST_DIFFERENCE = 1e-6
"""Largest difference between formula and network, as a share of what an output varies by."""

ROUNDING = 1e-9
"""Numbers this near to a nice one are shown as it, so that no 1e-17 stands in a picture."""

MOST_DIGITS = 16
"""As many as tell float64 numbers of everyday size apart."""

SLACK = 100.0
"""Moving each number by a share may move the outputs by this many times it, as sums and powers
add up; what moves them more has broken the formula."""

MOST_ERROR = 0.1


MOST_PARTS = 30_000
"""Most numbers, variables, signs and functions of a network's formula: about 150 kB of text."""

DEEPEST = 150
"""How deep functions may stand in each other: sympy walks formulas by recursion."""

SECONDS = 20.0
"""How long composing a formula, or writing it with other numbers, may take."""

CHANGE_SECONDS, TRIES_SECONDS = 6.0, 3.0
"""How long one way to shorten a formula may take, as to expand Bessel functions within each other;
and the seconds of the processor after which no other way is tried."""


def formula_of(network: Network, about: About) -> Formula:
    """Return what the network computes, in the user's units and names; splines are symbols.

    Raises
    ------
    ValueError
        If the formula would be too long to be written; nothing of it is made then.
    """
    _check_size(network)
    edges = [_layer_functions(depth, layer) for depth, layer in enumerate(network.layers)]
    nodes = [layer.nodes for layer in network.layers]
    units = [
        list(zip(scaling.shift.tolist(), scaling.scale.tolist(), strict=True))
        for scaling in (about.x_scaling, about.y_scaling)
    ]
    names = about.input_names, about.output_names
    return in_time(
        SECONDS,
        lambda: compose(edges, *names, input_units=units[0], output_units=units[1], nodes=nodes),
        f"The formula could not be written within {SECONDS:.0f} s. Take simpler formulas on the "
        "edges, or prune the network.",
    )


def _layer_functions(depth: int, layer: KANLayer) -> list[list[object]]:
    live = layer.mask.tolist()
    functions: list[list[object]] = [
        [spline_symbol(depth, i, j) if live[i][j] else None for j in range(layer.out_features)]
        for i in range(layer.in_features)
    ]
    symbols = layer.symbols
    if symbols is None:
        return functions
    for (i, j), function, numbers in zip(
        symbols.edges, symbols.functions, layer.affine.tolist(), strict=True
    ):
        if live[i][j]:
            functions[i][j] = edge_expression(function, numbers)
    return functions


def _check_size(network: Network) -> None:
    """Raise if a network's formula would be too long, by counting alone."""
    sizes, depths = [7.0] * network.widths[0], [3] * network.widths[0]  # (x - shift) / scale
    for layer in network.layers:
        shapes = _shapes(layer)
        live = layer.mask.nonzero().tolist()
        next_sizes, next_depths = [1.0] * layer.out_features, [1] * layer.out_features
        for i, j in live:
            parts, places, depth = shapes.get((i, j), (1, 1, 1))
            next_sizes[j] += parts + places * sizes[i]
            next_depths[j] = max(next_depths[j], 1 + depth + depths[i])
        parts_of = [layer.nodes.sums_of(node) for node in range(len(layer.nodes))]
        sizes = [sum(next_sizes[j] for j in parts) for parts in parts_of]
        depths = [max(next_depths[j] + len(parts) - 1 for j in parts) for parts in parts_of]
    if (size := sum(sizes)) > MOST_PARTS:
        raise ValueError(
            f"The formula would have about {size:.1e} numbers, variables and functions; at most "
            f"{MOST_PARTS} can be written. Prune the network first, or make it smaller."
        )
    if (deepest := max(depths)) > DEEPEST:
        raise ValueError(
            f"The formula would have functions within functions {deepest} deep; at most {DEEPEST} "
            "can be written. Take simpler formulas on the edges."
        )


def _shapes(layer: KANLayer) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return parts, places of the variable, and depth of each edge's formula c f(a x + b) + d."""
    if layer.symbols is None:
        return {}
    shapes = {}
    for edge, function in zip(layer.symbols.edges, layer.symbols.functions, strict=True):
        parts, places, depth = _shape(cast(Function, function).expression)
        shapes[edge] = parts + 4 + 4 * places, places, depth + 4
    return shapes


@lru_cache(maxsize=1024)
def _shape(expression: sympy.Expr) -> tuple[int, int, int]:
    """Return how many parts an expression has, how often the variable stands in it, its depth."""
    if not expression.args:
        return 1, int(expression == X), 1
    shapes = [_shape(part) for part in expression.args]
    parts, places, depths = zip(*shapes, strict=True)
    return 1 + sum(parts), sum(places), 1 + max(depths)


def edge_expression(function: EdgeFunction, numbers: Sequence[float]) -> sympy.Expr:
    """Return c f(a x + b) + d in the variable ``X``, for numbers a, b, c, d, constants of f.

    Where a is 0 and b outside the domain of f, it is what the network makes of it.
    """
    numbers = near_phase(function, numbers)
    a, b, c, d = map(number, numbers[:4])
    # Layers know functions by what they compute; a model's come from the library.
    known = cast(Function, function)
    expression = known.with_numbers(numbers[4 : 4 + len(known.constants)])
    return c * _applied(expression, a * X + b) + d


def edge_texts(layer: KANLayer, digits: int = 3) -> dict[tuple[int, int], str]:
    """Return the formula of every symbolic edge of a layer as text, with rounded numbers."""
    symbols = layer.symbols
    if symbols is None:
        return {}
    triples = zip(symbols.edges, symbols.functions, layer.affine.tolist(), strict=True)
    return {edge: edge_text(f, tuple(numbers), digits) for edge, f, numbers in triples}  # type: ignore[arg-type]  # functions are frozen


@lru_cache(maxsize=4096)
def edge_text(
    function: EdgeFunction, numbers: tuple[float, ...], digits: int = 3, dust: float = 0.0
) -> str:
    """Return one edge's formula as text; remembered, for it takes a millisecond.

    A constant term smaller than ``dust``, such as rounding leaves, is not written.
    """
    shown = rounded(snapped(edge_expression(function, numbers), ROUNDING), digits)
    # A factor that is 1 to all digits shown need not be shown.
    floats = shown.atoms(sympy.Float)
    shown = shown.xreplace({f: sympy.Integer(int(f)) for f in floats if abs(float(f)) == 1})
    constant, rest = shown.as_coeff_Add()
    return to_text(rest if rest != 0 and abs(constant) < dust else shown)


class Comparison:
    """A network on a sample, with which its formulas are compared.

    Parameters
    ----------
    network : Network
        Is only read.
    about : About
        Names and units.
    x : (samples, inputs)
        In the network's units.
    """

    @torch.no_grad()
    def __init__(self, network: Network, about: About, x: Float[Tensor, "samples inputs"]) -> None:
        self.user_x = about.x_scaling.undo(x.double())
        self.wanted = about.y_scaling.undo(network(x).double())
        self.variation = variation_of(self.wanted)
        self.splines = _splines(network)
        self.inside = rows_in_domain(network, x)
        self._known: dict[tuple[sympy.Expr, ...], Float[Tensor, " samples"]] = {}

    def error(self, formula: Formula) -> float:
        """Return the largest difference from the network, as a share of what an output varies by.

        It is inf where the formula has no value.
        """
        return float(self._differences(formula).max())

    def error_inside(self, formula: Formula) -> float:
        """Return ``error`` over the rows where no edge leaves the domain of its function.

        Elsewhere a network goes on as its ``Function.torch`` does, but sqrt(x)^2 is written x.
        Where no row is inside, all count.
        """
        rows = self.inside if bool(self.inside.any()) else slice(None)
        return float(self._differences(formula)[rows].max())

    @torch.no_grad()
    def _differences(self, formula: Formula) -> Float[Tensor, " samples"]:
        if formula.expressions not in self._known:
            self._known[formula.expressions] = self._compare(formula)
        return self._known[formula.expressions]

    def _compare(self, formula: Formula) -> Float[Tensor, " samples"]:
        try:
            found = formula.to_torch(self.splines)(self.user_x)
        except ValueError:  # a number that is not real
            return torch.full_like(self.user_x[:, 0], torch.inf)
        share = (found - self.wanted).abs() / self.variation
        return share.nan_to_num(nan=torch.inf).amax(1)


def variation_of(outputs: Float[Tensor, "samples outputs"]) -> Float[Tensor, " outputs"]:
    """Return how far each output goes from its mean at most; of constant ones the size, or 1."""
    size = outputs.abs().amax(0)
    found = (outputs - outputs.mean(0)).abs().amax(0)
    is_constant = found <= 8 * torch.finfo(outputs.dtype).eps * size
    return torch.where(is_constant, torch.where(size > 0, size, 1.0), found)


@torch.no_grad()
def rows_in_domain(
    network: Network, x: Float[Tensor, "samples inputs"]
) -> Bool[Tensor, " samples"]:
    """Return where no edge that is a formula is used outside the domain of its function."""
    inside = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for layer in network.layers:
        if layer.symbols is not None:
            rows = zip(
                layer.symbols.edges, layer.symbols.functions, layer.affine.unbind(), strict=True
            )
            for (i, j), function, (a, b, _, _, *numbers) in rows:
                if bool(layer.mask[i, j]):
                    known = cast(Function, function)
                    constants = numbers[: len(known.constants)]
                    values = known.torch.plain(a * x[:, i] + b, *constants)
                    inside &= values.isfinite()
        x = layer(x)
    return inside


def check_formula(
    formula: Formula, network: Network, about: About, x: Float[Tensor, "samples inputs"]
) -> None:
    """Raise unless the formula gives what the network gives, on x in the network's units.

    Rows where an edge leaves the domain of its function do not count, if there are others.

    Raises
    ------
    ArithmeticError
        If they differ by more than a millionth of what the outputs vary by; where huge terms of an
        edge cancel, or the offset of an output is huge, and there are fewer digits, by more than
        these.
    """
    _check(formula, Comparison(network, about, x), network, x)


def _check(
    formula: Formula,
    comparison: Comparison,
    network: Network,
    x: Float[Tensor, "samples inputs"],
) -> None:
    difference = comparison.error_inside(formula)
    offset = float((comparison.wanted.abs().amax(0) / comparison.variation).max())
    lost = max(cancellation(network, x), offset)
    digits_left = 100 * torch.finfo(torch.float64).eps * lost
    limit = max(MOST_DIFFERENCE, 100 * torch.finfo(x.dtype).eps, digits_left)
    if difference > limit and bool(comparison.inside.any()):
        raise ArithmeticError(
            f"The formula differs from the network by {difference:.1e}; {limit:.0e} is the most "
            "that rounding explains. Look for an edge whose formula leaves its domain."
        )


@torch.no_grad()
def cancellation(network: Network, x: Float[Tensor, "samples inputs"]) -> float:
    """Return how many times the terms of a formula are larger than what is left of them, at most.

    At 1e6, six digits of the edge are lost in rounding.
    """
    worst = 1.0
    for layer in network.layers:
        if layer.symbols is not None:
            terms = layer.symbols(x, layer.affine) - layer.affine[:, 3]
            ratio = terms.abs().amax(0) / terms.std(0)
            worst = max(worst, *ratio[ratio.isfinite()].tolist(), 1.0)
        x = layer(x)
    return worst


def _splines(network: Network) -> SplineFunctions:
    """Return what computes each spline by the name that it has in the formula."""
    found = {}
    for depth, layer in enumerate(network.layers):
        weight = layer.tied_weight()
        for i, j in layer.spline_mask.nonzero().tolist():
            found[spline_name(depth, i, j)] = _spline(layer, weight[i, :, j], i)
    return found


def _spline(
    layer: KANLayer, coef: Float[Tensor, " features"], i: int
) -> Callable[[Tensor], Tensor]:
    """Return what computes one spline of input i: alone, for a formula names each by itself."""
    knots = layer.knots[i : i + 1]

    def compute(z: Tensor) -> Tensor:
        columns = features(z.reshape(-1, 1).to(coef), knots, layer.spec)[:, 0]
        return (columns @ coef).reshape(z.shape).to(z)

    return compute


def formula_to_read(
    network: Network,
    about: About,
    x: Float[Tensor, "samples inputs"],
    *,
    digits: int | None,
    snap: float,
    simplify: float,
) -> Formula:
    """Return what a network computes, compared with it on x, see ``KAN.formula``.

    Parameters
    ----------
    network : Network
        In float64; is only read.
    about : About
        Names and units of its inputs and outputs.
    x : (samples, inputs)
        In the network's units.
    digits, snap, simplify
        See ``KAN.formula``.

    Raises
    ------
    ArithmeticError
        If formula and network differ on x.
    """
    exact = formula_of(network, about)
    comparison = Comparison(network, about, x)
    _check(exact, comparison, network, x)
    found = shown(exact, comparison.error_inside, digits=digits, snap=snap, simplify=simplify)
    return replace(found, error=comparison.error(found))


def shown(
    exact: Formula,
    error: Callable[[Formula], float],
    *,
    digits: int | None,
    snap: float,
    simplify: float,
) -> Formula:
    """Return the formula with nice, short numbers, in a short form, and its error.

    Numbers within the share ``snap`` of a nice one become it, and all are rounded to ``digits``.
    Where that breaks the formula (beyond ``SLACK`` times the share, or 10 %), fewer are snapped and
    more digits kept, down to the exact formula.

    Parameters
    ----------
    exact : Formula
        What the model computes.
    error : callable
        The largest difference of a formula from the model, as a share of what an output varies by.
    digits, snap, simplify
        See ``KAN.formula``.
    """
    nice, off = _nice(exact, error, snap, simplify)
    if digits is None:
        return replace(nice, error=off)
    most = off + min(MOST_ERROR, SLACK * 10.0**-digits)
    for count in range(digits, MOST_DIGITS):
        short = _tried(nice, lambda formula, count=count: formula.rounded(count))  # type: ignore[misc]
        if short is None:
            break
        if (found := error(short)) <= most:
            return replace(short, error=found)
    return replace(nice, error=off)


def _nice(
    exact: Formula, error: Callable[[Formula], float], snap: float, simplify: float
) -> tuple[Formula, float]:
    """Return the formula with nice numbers in a short form, and its error."""
    shares = (snap, snap / 100, snap / 1e4) if snap > 0 else ()
    end = time.process_time() + TRIES_SECONDS
    for share in (*shares, 0.0):
        if time.process_time() > end:
            break
        formula = _tried(exact, lambda formula, share=share: _shorter(formula, share, simplify))  # type: ignore[misc]
        if formula is None:
            continue
        off = error(formula)
        if off <= max(1e-6, min(MOST_ERROR, SLACK * share)):
            return formula, off
    return exact, error(exact)  # to shorten it left a domain


def _shorter(formula: Formula, share: float, simplify: float) -> Formula:
    """Return a formula in a short form, its numbers snapped before and after."""
    if share > 0:
        formula = formula.map(_expanded_if_short).with_unit_terms().snapped(share)
    if simplify > 0:
        formula = formula.simplified(simplify)
    return formula.snapped(share) if share > 0 else formula


def _tried(formula: Formula, change: Callable[[Formula], Formula]) -> Formula | None:
    """Return a formula with a change that may take too long; None if it does, or if sympy fails."""
    try:
        return in_time(CHANGE_SECONDS, lambda: change(formula), "too long")
    except SYMPY_GIVES_UP:
        return None


def _expanded_if_short(expression: sympy.Expr) -> sympy.Expr:
    if terms_when_expanded(expression) > MOST_TERMS:
        return expression
    return _expanded(expression)


def _expanded(expression: sympy.Expr) -> sympy.Expr:
    return expression.expand(power_exp=False, power_base=False, log=False, basic=False)


Edges = Sequence[Sequence[Sequence[sympy.Expr | None]]]

ColumnUnits = Sequence[tuple[float, float]]


def spline_name(layer: int, i: int, j: int) -> str:
    """Return what an edge without a formula is called."""
    return f"phi_{layer}_{i}_{j}"


def spline_symbol(layer: int, i: int, j: int) -> sympy.Expr:
    """Return the unknown function, of ``X``, that stands for an edge without a formula."""
    return sympy.Function(spline_name(layer, i, j))(X)


def compose(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    *,
    input_units: ColumnUnits | None = None,
    output_units: ColumnUnits | None = None,
    nodes: Sequence[Nodes] | None = None,
) -> Formula:
    """Return what a network computes, as one expression per output.

    Parameters
    ----------
    edges : layers of (inputs, outputs)
        ``edges[layer][i][j]`` is the function of Edge(layer, i, j), in the variable ``X``:
        an expression, ``spline_symbol(layer, i, j)``, or None for an edge that was removed.
    input_names, output_names : sequence of str
        One per input and output of the network.
    input_units, output_units : sequence of (shift, scale), optional
        One per column: the network sees (value - shift) / scale. By default the user's values.
    nodes : sequence of Nodes, optional
        What each layer makes of its sums; by default these are its nodes.

    Raises
    ------
    ValueError
        If numbers of nodes do not fit together, or a result is no real number.
    """
    made = nodes or [Nodes(len(layer[0])) for layer in edges if layer]
    _check_widths(edges, input_names, output_names, input_units, output_units, made)
    symbols = [sympy.Symbol(name) for name in input_names]
    units = input_units or [(0.0, 1.0)] * len(symbols)
    values = [_scaled(symbol, *unit) for symbol, unit in zip(symbols, units, strict=True)]
    for layer, own in zip(edges, made, strict=True):
        columns = list(zip(*layer, strict=True))
        live = [any(function is not None for function in column) for column in columns]
        sums = [_sum(values, column) for column in columns]
        parts = [own.sums_of(node) for node in range(len(own))]
        values = [_node([sums[j] for j in some if live[j]]) for some in parts]
    units = output_units or [(0.0, 1.0)] * len(values)
    outputs = [
        number(scale) * value + number(shift)
        for value, (shift, scale) in zip(values, units, strict=True)
    ]
    for output in outputs:
        names = {f.func.__name__ for f in output.atoms(sympy.core.function.AppliedUndef)}
        check_expression("formula", output, list(input_names), sorted(names))
    return Formula(tuple(outputs), tuple(input_names), tuple(output_names))


def _node(factors: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return the product of the factors of one node; 0 without any."""
    if len(factors) == 1:
        return factors[0]
    return _settled(sympy.Mul(*factors)) if factors else sympy.Integer(0)


def _sum(values: Sequence[sympy.Expr], functions: Sequence[sympy.Expr | None]) -> sympy.Expr:
    """Return the sum of the functions that lead to one sum, each of its own input."""
    terms = [
        _applied(function, value)
        for function, value in zip(functions, values, strict=True)
        if function is not None
    ]
    return _settled(sympy.Add(*terms))


def _settled(total: sympy.Expr) -> sympy.Expr:
    """Return an expression, or where it is a number that as a decimal."""
    if not total.is_number or total.is_Rational:
        return total
    # As a decimal, so that functions of constants do not pile up from layer to layer.
    value = constant_value(total)
    if value is None:
        raise ValueError(
            f"A formula must have real numbers of at most 1e100; got {str(total)[:60]!r}. "
            "Look for an edge whose function is used outside its domain."
        )
    return number(value)


def _applied(function: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
    """Return f(value); where that is a number outside the domain of f, what the network makes."""
    found = function.xreplace({X: value})
    if not value.is_number or not found.is_number or constant_value(found) is not None:
        return found
    at = constant_value(value)
    if at is None:
        return found
    return number(float(curve(function)(torch.tensor(at, dtype=torch.float64))))


def _scaled(symbol: sympy.Symbol, shift: float, scale: float) -> sympy.Expr:
    return (symbol - number(shift)) / number(scale)


def _check_widths(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    input_units: ColumnUnits | None,
    output_units: ColumnUnits | None,
    nodes: Sequence[Nodes],
) -> None:
    if not edges or not all(layer and layer[0] for layer in edges):
        raise ValueError("edges is empty. Pass at least one layer of functions.")
    widths = [len(input_names), *map(len, nodes)]
    for n, layer in enumerate(edges):
        sums = nodes[n].n_sums
        if len(layer) != widths[n] or any(len(row) != sums for row in layer):
            raise ValueError(
                f"edges[{n}] must have {widths[n]} rows of {sums} functions; got rows of "
                f"{[len(row) for row in layer]}. Pass None for an edge that was removed."
            )
    counts = {
        "input_names": (len(input_names), widths[0]),
        "output_names": (len(output_names), widths[-1]),
        "input_units": (len(input_units or input_names), widths[0]),
        "output_units": (len(output_units or output_names), widths[-1]),
    }
    for name, (count, wanted) in counts.items():
        if count != wanted:
            raise ValueError(
                f"{name} must have one entry per column, {wanted} of them; got {count}."
            )
    if len(set(input_names)) != len(input_names):
        raise ValueError(
            f"input_names must differ; got {list(input_names)}. Give each input its own name."
        )
