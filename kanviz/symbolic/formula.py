"""The formula of a whole network: composed from its edges, checked against it, and in short form.

``formula_of`` reads the network, ``check_formula`` and ``difference_of`` compare, ``shown``
shortens the numbers as far as the outputs allow, and ``Formula`` has all the forms in which people
take one away.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import numpy as np
import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.dataset import About
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.symbols import EdgeFunction
from kanviz.symbolic.functions import Function
from kanviz.symbolic.language import X, check_expression, constant_value, number
from kanviz.symbolic.printing import c_source, python_source, to_text
from kanviz.symbolic.program import Program, compile_expressions
from kanviz.symbolic.simplify import rounded, simplified, snapped, with_unit_terms

ArrayFunction = Callable[
    [Float[np.ndarray, "*samples inputs"]], Float[np.ndarray, "*samples outputs"]
]

SplineFunctions = Mapping[str, Callable[[Tensor], Tensor]]

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


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
        return replace(self, expressions=changed, error=None)

    def expanded(self) -> "Formula":
        """Return the formula with products of sums multiplied out, also within functions."""
        return self.map(
            lambda expression: expression.expand(
                power_exp=False, power_base=False, log=False, basic=False
            )
        )

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
        names = {
            symbol: _latex_name(symbol.name)
            for expression in self.expressions
            for symbol in expression.free_symbols
            if not _NAME.fullmatch(symbol.name)
        }
        return [sympy.latex(expression, symbol_names=names) for expression in self.expressions]

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

    def __str__(self) -> str:
        if len(self.expressions) == 1:
            return to_text(self.expressions[0])
        pairs = zip(self.outputs, self.expressions, strict=True)
        return "\n".join(f"{name} = {to_text(expression)}" for name, expression in pairs)

    def _repr_latex_(self) -> str:
        names = [name if _NAME.fullmatch(name) else _latex_name(name) for name in self.outputs]
        lines = zip(names, self.to_latex(), strict=True)
        return "\n\n".join(rf"$\displaystyle {name} = {text}$" for name, text in lines)


def _latex_name(name: str) -> str:
    """Return a name as LaTeX text, with nothing in it that LaTeX would act on."""
    escaped = re.sub(r"[\\{}$&#^_%~]", lambda match: rf"\{match.group()}", name)
    escaped = re.sub(r"\\([\\^~])", r"\\char`\\\1 ", escaped)
    return rf"\text{{{escaped}}}"


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


def formula_of(network: Network, about: About) -> Formula:
    """Return what the network computes, in the user's units and names; splines are symbols."""
    edges = [_layer_functions(depth, layer) for depth, layer in enumerate(network.layers)]
    units = [
        list(zip(scaling.shift.tolist(), scaling.scale.tolist(), strict=True))
        for scaling in (about.x_scaling, about.y_scaling)
    ]
    return compose(
        edges, about.input_names, about.output_names, input_units=units[0], output_units=units[1]
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


def edge_expression(function: EdgeFunction, numbers: Sequence[float]) -> sympy.Expr:
    """Return c f(a x + b) + d in the variable ``X``, for numbers a, b, c, d."""
    a, b, c, d = map(number, numbers)
    # Layers know functions by what they compute; a model's come from the library.
    return c * cast(Function, function).expression.xreplace({X: a * X + b}) + d


def edge_texts(layer: KANLayer, digits: int = 3) -> dict[tuple[int, int], str]:
    """Return the formula of every symbolic edge of a layer as text, with rounded numbers."""
    symbols = layer.symbols
    if symbols is None:
        return {}
    triples = zip(symbols.edges, symbols.functions, layer.affine.tolist(), strict=True)
    return {edge: edge_text(f, tuple(numbers), digits) for edge, f, numbers in triples}  # type: ignore[arg-type]  # functions are frozen


@lru_cache(maxsize=4096)
def edge_text(function: EdgeFunction, numbers: tuple[float, ...], digits: int = 3) -> str:
    """Return one edge's formula as text; remembered, for it takes a millisecond."""
    return to_text(rounded(snapped(edge_expression(function, numbers), ROUNDING), digits))


def check_formula(
    formula: Formula, network: Network, about: About, x: Float[Tensor, "samples inputs"]
) -> None:
    """Raise unless the formula gives what the network gives, on x in the network's units.

    Raises
    ------
    ArithmeticError
        If they differ by more than a millionth of what the outputs vary by; where huge terms of an
        edge cancel, or the offset of an output is huge, and there are fewer digits, by more than
        these.
    """
    difference = difference_of(formula, network, about, x)
    with torch.no_grad():
        wanted = about.y_scaling.undo(network(x).double())
    offset = float((wanted.abs().amax(0) / variation_of(wanted)).max())
    digits_left = 100 * torch.finfo(torch.float64).eps * max(cancellation(network, x), offset)
    limit = max(MOST_DIFFERENCE, 100 * torch.finfo(x.dtype).eps, digits_left)
    if difference > limit:
        raise ArithmeticError(
            f"The formula differs from the network by {difference:.1e}; {limit:.0e} is the most "
            "that rounding explains. Look for an edge whose formula leaves its domain."
        )


@torch.no_grad()
def difference_of(
    formula: Formula, network: Network, about: About, x: Float[Tensor, "samples inputs"]
) -> float:
    """Return the largest difference of formula and network, as a share of what an output varies by.

    It is inf where the formula has no value.
    """
    user_x = about.x_scaling.undo(x.double())
    wanted = about.y_scaling.undo(network(x).double())
    try:
        found = formula.to_torch(_splines(network))(user_x)
    except ValueError:  # a number that is not real
        return float("inf")
    share = (found - wanted).abs().amax(0) / variation_of(wanted)
    return float(share.max().nan_to_num(nan=torch.inf))


def variation_of(outputs: Float[Tensor, "samples outputs"]) -> Float[Tensor, " outputs"]:
    """Return how far each output goes from its mean at most; of constant ones the size, or 1."""
    size = outputs.abs().amax(0)
    found = (outputs - outputs.mean(0)).abs().amax(0)
    is_constant = found <= 8 * torch.finfo(outputs.dtype).eps * size
    return torch.where(is_constant, torch.where(size > 0, size, 1.0), found)


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
        for i, j in layer.spline_mask.nonzero().tolist():
            name = spline_symbol(depth, i, j).func.__name__

            def compute(z: Tensor, layer: KANLayer = layer, i: int = i, j: int = j) -> Tensor:
                flat = z.reshape(-1, 1).to(layer.weight).expand(-1, layer.in_features)
                return layer.edge_outputs(flat)[:, i, j].reshape(z.shape).to(z)

            found[name] = compute
    return found


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
    check_formula(exact, network, about, x)

    def error(candidate: Formula) -> float:
        return difference_of(candidate, network, about, x)

    return shown(exact, error, digits=digits, snap=snap, simplify=simplify)


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
        short = nice.rounded(count)
        if (found := error(short)) <= most:
            return replace(short, error=found)
    return replace(nice, error=off)


def _nice(
    exact: Formula, error: Callable[[Formula], float], snap: float, simplify: float
) -> tuple[Formula, float]:
    """Return the formula with nice numbers in a short form, and its error."""
    shares = (snap, snap / 100, snap / 1e4) if snap > 0 else ()
    for share in (*shares, 0.0):
        formula = exact
        if share > 0:
            formula = formula.expanded().with_unit_terms().snapped(share)
        if simplify > 0:
            formula = formula.simplified(simplify)
        if share > 0:
            formula = formula.snapped(share)
        off = error(formula)
        if off <= max(1e-6, min(MOST_ERROR, SLACK * share)):
            return formula, off
    return exact, error(exact)  # to shorten it left a domain


Edges = Sequence[Sequence[Sequence[sympy.Expr | None]]]

ColumnUnits = Sequence[tuple[float, float]]


def spline_symbol(layer: int, i: int, j: int) -> sympy.Expr:
    """Return the unknown function, of ``X``, that stands for an edge without a formula."""
    return sympy.Function(f"phi_{layer}_{i}_{j}")(X)


def compose(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    *,
    input_units: ColumnUnits | None = None,
    output_units: ColumnUnits | None = None,
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

    Raises
    ------
    ValueError
        If numbers of nodes do not fit together, or a result is no real number.
    """
    _check_widths(edges, input_names, output_names, input_units, output_units)
    symbols = [sympy.Symbol(name) for name in input_names]
    units = input_units or [(0.0, 1.0)] * len(symbols)
    values = [_scaled(symbol, *unit) for symbol, unit in zip(symbols, units, strict=True)]
    for layer in edges:
        columns = zip(*layer, strict=True)
        values = [_node(values, column) for column in columns]
    units = output_units or [(0.0, 1.0)] * len(values)
    outputs = [
        number(scale) * value + number(shift)
        for value, (shift, scale) in zip(values, units, strict=True)
    ]
    for output in outputs:
        names = {f.func.__name__ for f in output.atoms(sympy.core.function.AppliedUndef)}
        check_expression("formula", output, list(input_names), sorted(names))
    return Formula(tuple(outputs), tuple(input_names), tuple(output_names))


def _node(values: Sequence[sympy.Expr], functions: Sequence[sympy.Expr | None]) -> sympy.Expr:
    """Return the sum of the functions that lead to one node, each of its own input."""
    terms = [
        function.xreplace({X: value})
        for function, value in zip(functions, values, strict=True)
        if function is not None
    ]
    total = sympy.Add(*terms)
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


def _scaled(symbol: sympy.Symbol, shift: float, scale: float) -> sympy.Expr:
    return (symbol - number(shift)) / number(scale)


def _check_widths(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    input_units: ColumnUnits | None,
    output_units: ColumnUnits | None,
) -> None:
    if not edges or not all(layer and layer[0] for layer in edges):
        raise ValueError("edges is empty. Pass at least one layer of functions.")
    widths = [len(input_names), *(len(layer[0]) for layer in edges)]
    for n, layer in enumerate(edges):
        if len(layer) != widths[n] or any(len(row) != widths[n + 1] for row in layer):
            raise ValueError(
                f"edges[{n}] must have {widths[n]} rows of {widths[n + 1]} functions; got rows of "
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
