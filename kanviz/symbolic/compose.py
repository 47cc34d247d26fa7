"""From the functions of all edges to the formula of the network, in the user's units."""

from collections.abc import Sequence

import sympy

from kanviz.symbolic.formula import Formula
from kanviz.symbolic.language import X, check_expression, constant_value, number

Edges = Sequence[Sequence[Sequence[sympy.Expr | None]]]
Units = Sequence[tuple[float, float]]


def spline_symbol(layer: int, i: int, j: int) -> sympy.Expr:
    """Return the unknown function, of ``X``, that stands for an edge without a formula."""
    return sympy.Function(f"phi_{layer}_{i}_{j}")(X)


def compose(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    *,
    input_units: Units | None = None,
    output_units: Units | None = None,
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
            f"formula must have real numbers of at most 1e100; got {str(total)[:60]!r}. "
            "Look for an edge whose function is used outside its domain."
        )
    return number(value)


def _scaled(symbol: sympy.Symbol, shift: float, scale: float) -> sympy.Expr:
    return (symbol - number(shift)) / number(scale)


def _check_widths(
    edges: Edges,
    input_names: Sequence[str],
    output_names: Sequence[str],
    input_units: Units | None,
    output_units: Units | None,
) -> None:
    if not edges or not all(layer and layer[0] for layer in edges):
        raise ValueError("edges must have at least one layer of edges; got none. Pass them all.")
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
                f"{name} must have one entry per column, {wanted} of them; got {count}. "
                "Pass one for each."
            )
    if len(set(input_names)) != len(input_names):
        raise ValueError(
            f"input_names must differ; got {list(input_names)}. Give each input its own name."
        )
