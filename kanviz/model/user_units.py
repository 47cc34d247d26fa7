"""What a model shows of its edges, in the user's units where they meet an input or an output."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.capture import N_CURVE, curve_grid
from kanviz.analysis.trace import LayerTrace, Trace, node_values
from kanviz.data.dataset import About
from kanviz.data.scaling import NO_UNITS, EdgeUnits
from kanviz.interrupts import uninterrupted
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.snapshot import Edge, EdgeView, Snapshot
from kanviz.training.doubt import Doubt

DUST = 1e-6
"""Share of the height of a curve below which a constant of its formula is what rounding left."""

Curve = tuple[Float[Tensor, " samples"], Float[Tensor, " samples"]]


def trace_in_user_units(found: Trace, about: About) -> Trace:
    """Return a trace whose first inputs, last edges and outputs are in the user's units."""
    if not about.has_units:
        return found
    layers, like = list(found.layers), found.outputs
    size = about.y_scaling.scale.to(like)
    last = layers[-1]
    layers[-1] = LayerTrace(last.inputs, last.edge_outputs * size)
    first = layers[0]
    layers[0] = LayerTrace(about.x_scaling.undo(first.inputs).to(like), first.edge_outputs)
    return Trace(tuple(layers), about.y_scaling.undo(like).to(like))


def curve_in_user_units(curve: Curve, units: EdgeUnits) -> Curve:
    """Return inputs and outputs (samples,) of an edge in the user's units."""
    x, y = curve
    return x * units.scale + units.shift, y * units.size


def in_user_units(snapshot: Snapshot, network: Network, about: About) -> Snapshot:
    """Return a snapshot whose curves and formulas are in the user's units.

    The curves of the first edges go over the user's inputs, those of the last are as high as what
    they add to the outputs; what is between has no unit.
    """
    if not about.has_units:
        return snapshot
    return replace(snapshot, edges=tuple(views_in_user_units(snapshot.edges, network, about)))


def views_in_user_units(
    views: Sequence[EdgeView], network: Network, about: About
) -> list[EdgeView]:
    """Return edges as they are drawn, in the user's units; edges of one node share their arrays."""
    seen: dict[int, np.ndarray] = {}
    return [_view(view, network, about, seen) for view in views]


def _view(view: EdgeView, network: Network, about: About, seen: dict[int, np.ndarray]) -> EdgeView:
    units = about.units_at(*view.edge, len(network.layers))
    if units == NO_UNITS:
        return view

    def x(values: np.ndarray) -> np.ndarray:
        if units.scale == 1 and units.shift == 0:
            return values
        if id(values) not in seen:
            seen[id(values)] = _read_only(values * units.scale + units.shift)
        return seen[id(values)]

    def y(values: np.ndarray) -> np.ndarray:
        return _read_only(values * units.size)

    return replace(
        view,
        curve_x=x(view.curve_x),
        curve_y=y(view.curve_y),
        knots=x(view.knots),
        control_x=x(view.control_x),
        control_y=y(view.control_y),
        sample_x=x(view.sample_x),
        sample_y=y(view.sample_y),
        band=None if view.band is None else y(view.band),
        formula=None
        if view.formula is None
        else formula_in_user_units(
            network.layers[view.layer],
            view.edge,
            units,
            dust=DUST * float(abs(view.curve_y * units.size).max()),
        ),
    )


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def formula_in_user_units(layer: KANLayer, edge: Edge, units: EdgeUnits, dust: float = 0.0) -> str:
    """Return the formula of an edge as text, with the numbers that it has in the user's units.

    A constant term below ``dust`` is not written.
    """
    with uninterrupted():
        from kanviz.symbolic.formula import edge_text

    assert layer.symbols is not None  # an edge with a formula
    row = layer.symbols.edges.index((edge.i, edge.j))
    a, b, c, d, *constants = layer.affine[row].tolist()
    function = layer.symbols.functions[row]
    return edge_text(function, (*units.to_user((a, b, c, d)), *constants), dust=dust)  # type: ignore[arg-type]  # functions are frozen


class Band(NamedTuple):
    """The curve of an edge, and between which curves the truth is; (points,) arrays.

    In the units of the nodes that the edge comes from and leads to.
    """

    x: np.ndarray
    """Where the curve is told."""

    low: np.ndarray
    """The lower end of the band."""

    curve: np.ndarray
    """The curve itself."""

    high: np.ndarray
    """The upper end."""


@torch.no_grad()
def bands_of(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    doubt: Doubt,
    about: About,
    level: float,
) -> dict[Edge, Band]:
    """Return the bands of all edges that have one, in the user's units.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        In the network's units: its range is where the bands are.
    doubt : Doubt
        Of the network, or of what it was.
    about : About
        For the units.
    level : float
        How often they are to cover the truth.
    """
    values = node_values(network, x)[:-1]
    grids = [
        curve_grid(layer, z, N_CURVE).double()
        for layer, z in zip(network.layers, values, strict=True)
    ]
    errors, factor, found = doubt.errors_of_edges(network, grids), doubt.factor(level), {}
    for depth, layer in enumerate(network.layers):
        curves = layer.edge_outputs(grids[depth].to(x)).double()
        reach = factor * errors[depth]
        for i, j in reach.isfinite().all(0).nonzero().tolist():
            units = about.units_at(depth, i, j, len(network.layers))
            at = (grids[depth][:, i] * units.scale + units.shift).cpu().numpy()
            curve, half = ((part[:, i, j] * units.size).cpu().numpy() for part in (curves, reach))
            found[Edge(depth, i, j)] = Band(at, curve - half, curve, curve + half)
    return found
