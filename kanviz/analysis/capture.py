"""From a network and a sample to the plain record that every picture is drawn from.

All numbers are computed for many edges at once in torch; each edge gets rows of the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.analysis.attribution import Metric, scores
from kanviz.analysis.recipe import array_of
from kanviz.analysis.trace import node_values
from kanviz.interrupts import uninterrupted
from kanviz.layout import MAX_EDGES, Order, natural, node_positions, strengths, strongest, untangled
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.snapshot import Edge, EdgeView, NodeView, Snapshot
from kanviz.training.doubt import Doubt

N_CURVE = 65
"""Points of a drawn curve."""

N_SAMPLES = 24
"""Data points drawn on a curve."""

LEVEL = 0.95
"""How often a band that is drawn covers the truth."""

INVISIBLE = 2e-3
"""Share of the height of its curve below which no band of a network is worth drawing."""


@torch.no_grad()
def capture(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    *,
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
    metric: Metric = "backward",
    max_edges: int | None = None,
    n_curve: int = N_CURVE,
    n_samples: int = N_SAMPLES,
    title: str = "",
    doubt: Doubt | None = None,
) -> Snapshot:
    """Return a network at this moment as plain values, seen through the sample x.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device. Curves are drawn over the range that it visits at each
        node; where that is a single value, over the base grid.
    input_names, output_names : sequence of str
        Labels of the first and the last layer; hidden nodes have none.
    metric : str
        Of the scores, see ``kanviz.analysis.attribution``.
    max_edges : int, optional
        Most edges to keep: the strongest of every layer. By default see ``layout.strongest``.
    n_curve : int
        Points per curve, equally spaced, at least 2.
    n_samples : int
        Most data points per curve: rows of x at equal steps.
    title : str
        A line above the picture.
    doubt : Doubt, optional
        What the data leave open, for the bands of the curves.

    Raises
    ------
    ValueError
        If a number is not finite, naming the layer and the edge or node.
    """
    values = node_values(network, x)
    check_finite(network, values)
    found = scores(network, x, metric, values=values)
    edge_scores = [layer.tolist() for layer in found.edges]
    chosen = strongest(edge_scores, max_edges)
    views: list[EdgeView] = []
    for number, layer in enumerate(network.layers):
        edges = [edge for edge in chosen if edge.layer == number]
        edge_score = [edge_scores[number][edge.i][edge.j] for edge in edges]
        views += edge_views(layer, edges, edge_score, values[number], n_curve, n_samples)
    if doubt is not None:
        grids = [
            curve_grid(layer, z, n_curve)
            for layer, z in zip(network.layers, values[:-1], strict=True)
        ]
        views = with_bands(views, doubt, network, grids)
    return Snapshot(
        widths=network.widths,
        nodes=_node_views(network, found.nodes, input_names, output_names),
        edges=tuple(views),
        n_edges=sum(layer.mask.numel() for layer in network.layers),
        title=title,
        owners=owners_of(network),
    )


def owners_of(network: Network) -> tuple[tuple[int, ...], ...]:
    """Return the owners of the sums of each layer of nodes; nothing where all sums are nodes."""
    if not any(layer.nodes.arities for layer in network.layers):
        return ()
    return (
        tuple(range(network.widths[0])),
        *(tuple(layer.nodes.owners) for layer in network.layers),
    )


def factors_of(network: Network, layer: int, index: int) -> tuple[int, ...]:
    """Return the sums that a node multiplies now; none where it is a sum."""
    if layer == 0 or not network.layers[layer - 1].nodes.arities:
        return ()
    live = network.layers[layer - 1].live_sums_of(index)
    return tuple(live) if len(live) > 1 else ()


def _node_views(
    network: Network,
    node_scores: list[Tensor],
    input_names: Sequence[str],
    output_names: Sequence[str],
) -> tuple[NodeView, ...]:
    labels = [[""] * width for width in network.widths]
    labels[0] = list(input_names) or labels[0]
    labels[-1] = list(output_names) or labels[-1]
    places = node_positions(network.widths, order_of(network))
    return tuple(
        NodeView(
            layer,
            index,
            labels[layer][index],
            score,
            *places[layer][index],
            factors_of(network, layer, index),
        )
        for layer, layer_scores in enumerate(node_scores)
        for index, score in enumerate(layer_scores.tolist())
    )


def order_of(network: Network) -> Order:
    """Return the order of the nodes in which few lines cross; by their numbers where very many."""
    masks = [layer.mask for layer in network.layers]
    if sum(int(mask.sum()) for mask in masks) > MAX_EDGES:
        return natural(network.widths)
    edges = [
        Edge(depth, i, layer.nodes.owners[j])
        for depth, layer in enumerate(network.layers)
        for i, j in layer.mask.nonzero().tolist()
    ]
    return untangled(network.widths, tuple(dict.fromkeys(edges)))


def curve_grid(
    layer: KANLayer, values: Float[Tensor, "samples inputs"], n_curve: int
) -> Float[Tensor, "points inputs"]:
    """Return equally spaced points over the visited range of each input, ends included."""
    low, high = visited_range(layer, values)
    share = torch.linspace(0, 1, n_curve, dtype=values.dtype, device=values.device)
    return torch.lerp(low, high, share.unsqueeze(-1))


def visited_range(
    layer: KANLayer, values: Float[Tensor, "samples inputs"]
) -> tuple[Float[Tensor, " inputs"], Float[Tensor, " inputs"]]:
    """Return the lowest and highest value of each input; for a single value, the base grid too."""
    low, high = values.amin(0), values.amax(0)
    rounding = 1e3 * torch.finfo(values.dtype).eps * torch.maximum(low.abs(), high.abs())
    is_single = high - low <= rounding
    base_low, base_high = layer.grid_points[:, 0], layer.grid_points[:, -1]
    low = torch.where(is_single, torch.minimum(low, base_low), low)
    high = torch.where(is_single, torch.maximum(high, base_high), high)
    return low, high


def sample_rows(
    values: Float[Tensor, "samples inputs"], n_samples: int = N_SAMPLES
) -> Int[Tensor, " rows"]:
    """Return which samples are drawn on the curves: at most so many, at equal steps."""
    count = min(n_samples, len(values))
    return torch.arange(count, device=values.device) * len(values) // count


def edge_views(
    layer: KANLayer,
    edges: Sequence[Edge],
    edge_scores: Sequence[float],
    values: Float[Tensor, "samples inputs"],
    n_curve: int = N_CURVE,
    n_samples: int = N_SAMPLES,
) -> list[EdgeView]:
    """Return the views of some edges of one layer; a removed edge shows the function it keeps.

    Parameters
    ----------
    layer : KANLayer
        Is only read.
    edges : sequence of Edge
        Of this layer, at least one.
    edge_scores : sequence of float
        One per edge; how strongly an edge is drawn is its share in the largest of them.
    values : (samples, inputs)
        What the layer's inputs are for the sample.
    n_curve, n_samples : int
        As for ``capture``.
    """
    grid, sample = curve_grid(layer, values, n_curve), values[sample_rows(values, n_samples)]
    i, j = (
        torch.tensor(index, device=grid.device)
        for index in zip(*[e[1:] for e in edges], strict=True)
    )
    curve_y, sample_y = (rows_of(edge_values(layer, points, i, j)) for points in (grid, sample))
    control_y = rows_of(layer.coef[i, j])
    standing = standings(layer, edges)
    frozen, locked = layer.frozen[i, j].tolist(), layer.locked[i, j].tolist()
    # By input, so that edges from one node share their arrays.
    by_input = [grid.T, layer.grid_points, layer.control_points, sample.T]
    curve_x, knots, control_x, sample_x = map(rows_of, by_input)
    return [
        EdgeView(
            *edge,
            curve_x=curve_x[edge.i],
            curve_y=curve_y[n],
            knots=knots[edge.i],
            control_x=control_x[edge.i],
            control_y=control_y[n],
            sample_x=sample_x[edge.i],
            sample_y=sample_y[n],
            score=edge_scores[n],
            strength=strength,
            frozen=frozen[n],
            locked=locked[n],
            **standing[n],
        )
        for n, (edge, strength) in enumerate(zip(edges, strengths(edge_scores), strict=True))
    ]


def with_bands(
    views: Sequence[EdgeView], doubt: Doubt, network: Network, grids: Sequence[Tensor]
) -> list[EdgeView]:
    """Return views with the bands of their curves, where there is noise to be seen.

    Parameters
    ----------
    views : sequence of EdgeView
        In the network's units.
    doubt : Doubt
        Of the network, or of what it was.
    network : Network
        Is only read.
    grids : sequence of (points, in)
        Where the curves of each layer are drawn.
    """
    errors = doubt.errors_of_edges(network, grids)
    factor = doubt.factor(LEVEL)
    bands = [rows_of((factor * errors[v.layer][:, v.i, v.j]).unsqueeze(0))[0] for v in views]
    known = [band if np.isfinite(band).all() else None for band in bands]
    shares = [
        band.max() / max(float(np.ptp(view.curve_y)), 1e-300)
        for view, band in zip(views, known, strict=True)
        if band is not None
    ]
    if max(shares, default=0.0) < INVISIBLE:
        return list(views)
    return [replace(view, band=band) for view, band in zip(views, known, strict=True)]


def rows_of(table: Float[Tensor, "rows points"]) -> list[np.ndarray]:
    """Return the rows of a table as arrays that nobody can write to."""
    numbers = array_of(table)
    numbers.setflags(write=False)
    return list(numbers)


def edge_values(
    layer: KANLayer,
    x: Float[Tensor, "points inputs"],
    i: Int[Tensor, " edges"],
    j: Int[Tensor, " edges"],
) -> Float[Tensor, "edges points"]:
    """Return the values of some edge functions, removed or not."""
    values = torch.einsum("pef,ef->ep", layer.features(x)[:, i], layer.tied_weight()[i, :, j])
    if layer.symbols is None:
        return values
    place = {edge: n for n, edge in enumerate(layer.symbols.edges)}
    found = [place.get(edge, -1) for edge in zip(i.tolist(), j.tolist(), strict=True)]
    which = torch.tensor(found, device=x.device)
    formulas = layer.symbols(x, layer.affine).T[which]
    return torch.where(which.unsqueeze(-1) < 0, values, formulas)


def standings(layer: KANLayer, edges: Sequence[Edge]) -> list[dict[str, Any]]:
    """Return state, formula, function's name and shapes of some edges, as ``EdgeView`` has them."""
    symbols, texts, mask = layer.symbols, _texts(layer), layer.mask.tolist()
    functions = () if symbols is None else zip(symbols.edges, symbols.functions, strict=True)
    names = {edge: function.name for edge, function in functions}
    quality = {} if symbols is None else dict(zip(symbols.edges, symbols.quality, strict=True))
    found: list[dict[str, Any]] = []
    for _, i, j in edges:
        if not mask[i][j]:
            found.append({"state": "pruned"})
        elif (i, j) in names:
            standing = {"state": "symbolic", "formula": texts[i, j], "function": names[i, j]}
            found.append(standing | {"quality": quality[i, j]})
        else:
            found.append({"state": "spline"})
        if constraint := layer.constraints.get((i, j)):
            found[-1]["shapes"] = constraint.shapes
    return found


def _texts(layer: KANLayer) -> dict[tuple[int, int], str]:
    """Return the formulas of a layer's symbolic edges as text."""
    if layer.symbols is None:
        return {}
    with uninterrupted():
        from kanviz.symbolic.formula import edge_texts  # brings sympy, which splines do not need

    return edge_texts(layer)


def check_finite(network: Network, values: list[Tensor]) -> None:
    """Raise a ValueError that names the first edge or node with a number that is not finite."""
    for number, layer in enumerate(network.layers):
        bad = (~layer.weight.isfinite()).any(1).nonzero().tolist()
        if bad:
            raise ValueError(
                f"weight of edge {(number, *bad[0])} must be finite to be drawn; got nan or inf. "
                "Take it back with undo(), or train with a smaller step."
            )
    for number, column in enumerate(values):
        bad = (~column.isfinite()).any(0).nonzero().tolist()
        if bad:
            raise ValueError(
                f"the value at node {(number, *bad[0])} must be finite to be drawn; got nan or "
                "inf. Look at the range of x and of the edges into that node."
            )


@dataclass(frozen=True, eq=False)
class Curves:
    """What moves in a picture; row n of each array belongs to edge n.

    Parameters
    ----------
    low, high : (edges,) float64
        The ends of ``curve_x`` of an ``EdgeView``, whose points are equally spaced.
    curve_y : (edges, points) float32
        As in ``EdgeView``.
    strength, score : (edges,) float32
        As in ``EdgeView``.
    """

    low: np.ndarray
    high: np.ndarray
    curve_y: np.ndarray
    strength: np.ndarray
    score: np.ndarray


@torch.no_grad()
def moving_curves(
    network: Network, x: Float[Tensor, "samples inputs"], edges: Sequence[Edge]
) -> Curves:
    """Return the curves of some edges as ``capture`` would draw them.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.
    edges : sequence of Edge
        Layer by layer, inputs first.
    """
    values = node_values(network, x)
    found = scores(network, x, values=values).edges
    parts = []
    for number, layer in enumerate(network.layers):
        chosen = [edge for edge in edges if edge.layer == number]
        if not chosen:
            continue
        index = torch.tensor(chosen, device=x.device)
        i, j = index[:, 1], index[:, 2]
        grid = curve_grid(layer, values[number], N_CURVE)
        score = found[number][i, j]
        strength = torch.tensor(strengths(score.tolist()))
        low, high = grid[0, i].double(), grid[-1, i].double()
        parts.append((low, high, edge_values(layer, grid, i, j), strength, score))
    starts, ends, *columns = (array_of(torch.cat(column)) for column in zip(*parts, strict=True))
    return Curves(starts, ends, *(column.astype(np.float32) for column in columns))
