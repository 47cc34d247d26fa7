"""The formula of a network as it stands, checked against the network itself."""

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.about import About
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.symbols import EdgeFunction
from kanviz.symbolic.compose import compose, spline_symbol
from kanviz.symbolic.formula import Formula, Splines
from kanviz.symbolic.in_network import cancellation
from kanviz.symbolic.language import X, number
from kanviz.symbolic.library import Function
from kanviz.symbolic.rounding import rounded, snapped
from kanviz.symbolic.text import to_text

MOST_DIFFERENCE = 1e-6
"""Largest difference between formula and network, as a share of the outputs' size."""

ROUNDING = 1e-9
"""Numbers this near to a nice one are shown as it, so that no 1e-17 stands in a picture."""


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


def check_formula(
    formula: Formula, network: Network, about: About, x: Float[Tensor, "samples inputs"]
) -> None:
    """Raise unless the formula gives what the network gives, on x in the network's units.

    Raises
    ------
    ArithmeticError
        If they differ by more than a millionth of the outputs' size; where huge terms of an edge
        cancel, and the network itself has fewer digits, by more than these.
    """
    difference = difference_of(formula, network, about, x)
    digits_left = 100 * torch.finfo(torch.float64).eps * cancellation(network, x)
    limit = max(MOST_DIFFERENCE, 100 * torch.finfo(x.dtype).eps, digits_left)
    if difference > limit:
        raise ArithmeticError(
            f"the formula must equal the network to {limit:.0e}; got a difference of "
            f"{difference:.1e}. Look for an edge whose formula leaves its domain."
        )


@torch.no_grad()
def difference_of(
    formula: Formula, network: Network, about: About, x: Float[Tensor, "samples inputs"]
) -> float:
    """Return the largest difference of formula and network, as a share of the outputs' size.

    It is inf where the formula has no value.
    """
    user_x = about.x_scaling.undo(x.double())
    wanted = about.y_scaling.undo(network(x).double())
    try:
        found = formula.to_torch(_splines(network))(user_x)
    except ValueError:  # a number that is not real
        return float("inf")
    size = wanted.abs().max().clamp(min=1e-12)
    return float(((found - wanted).abs().max() / size).nan_to_num(nan=torch.inf))


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
    return {edge: _edge_text(f, tuple(numbers), digits) for edge, f, numbers in triples}  # type: ignore[arg-type]  # functions are frozen


@lru_cache(maxsize=4096)
def _edge_text(function: EdgeFunction, numbers: tuple[float, ...], digits: int) -> str:
    """Return one edge's formula as text; remembered, for it takes a millisecond."""
    return to_text(rounded(snapped(edge_expression(function, numbers), ROUNDING), digits))


def _splines(network: Network) -> Splines:
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
