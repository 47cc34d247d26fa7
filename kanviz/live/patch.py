"""What is another in a picture since the scene that the browser has: a few numbers instead of all.

One moved point of [10, 20, 5] changes one edge, the range of one node, and all scores. Where the
browser has the network's recipe it computes curves by itself, so of an edge only its weights are
sent, and of a node only what the sample visits there. Elsewhere the edges come whole.

A patch is always told from the last scene, not from the last patch: scene and patch together are
the whole picture, whatever patch was lost, and for a view that opens late too. What is compared are
the numbers that were sent with those of now, so it does not matter who changed them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import Scores, scores
from kanviz.analysis.capture import (
    check_finite,
    edge_views,
    order_of,
    sample_rows,
    standings,
    visited_range,
)
from kanviz.analysis.recipe import array_of, formulas_of
from kanviz.analysis.trace import node_values
from kanviz.data.dataset import About
from kanviz.data.scaling import Scaling
from kanviz.layout import Order, strongest
from kanviz.live.contract import EdgeChange, Visited
from kanviz.live.scene import drawn_edge, mathml_of
from kanviz.model.user_units import formula_in_user_units, views_in_user_units
from kanviz.nn.constraints import Constraint
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.spec import FunctionSpec
from kanviz.snapshot import Edge

MOST_CHANGES = 64
"""Edges and nodes in the largest patch; beyond, a new scene serves better."""


@dataclass(frozen=True, eq=False)
class LayerLook:
    """One layer as the browser knows it: what its curves are computed from."""

    spec: FunctionSpec
    knots: np.ndarray
    weight: np.ndarray
    """(inputs, features, outputs), as in ``LayerRecipe``."""
    flags: np.ndarray
    """(inputs, outputs, 3): live, frozen, locked."""
    formulas: dict[tuple[int, int], tuple[Any, ...]]
    constraints: dict[tuple[int, int], Constraint]
    low: np.ndarray
    high: np.ndarray
    sample: np.ndarray
    """(inputs, rows): a few of the values that each input node has; with ``low`` and ``high`` in
    the user's units at the inputs of the network."""


@dataclass(frozen=True, eq=False)
class Look:
    """A network at one moment, seen through a sample: all that a patch may have to tell."""

    layers: tuple[LayerLook, ...]
    values: list[Tensor]
    scores: Scores
    about: About

    @classmethod
    @torch.no_grad()
    def of(cls, network: Network, x: Float[Tensor, "samples inputs"], about: About) -> "Look":
        """Return the network as it is now; ValueError if a number of it is not finite."""
        values = node_values(network, x)
        check_finite(network, values)
        units: list[Scaling | None] = [None] * len(network.layers)
        if about.has_units:
            units[0] = about.x_scaling
        looks = tuple(map(_layer_look, network.layers, values, units))  # the outputs have no layer
        return cls(looks, values, scores(network, x, values=values), about)


def _layer_look(
    layer: KANLayer, values: Float[Tensor, "samples inputs"], units: Scaling | None
) -> LayerLook:
    low, high = visited_range(layer, values)
    symbols, formulas = layer.symbols, {}
    if symbols is not None:
        numbers = zip(symbols.functions, layer.affine.tolist(), symbols.quality, strict=True)
        formulas = dict(zip(symbols.edges, numbers, strict=True))
    # As one table, for each step to numpy takes its time.
    table = torch.cat([low[None], high[None], values[sample_rows(values)]])
    visited = array_of(table if units is None else units.undo(table))
    return LayerLook(
        spec=layer.spec,
        knots=array_of(layer.knots),
        weight=array_of(layer.tied_weight()),
        flags=torch.stack([layer.mask, layer.frozen, layer.locked], -1).cpu().numpy(),
        formulas=formulas,
        constraints=dict(layer.constraints),
        low=visited[0],
        high=visited[1],
        sample=visited[2:].T,
    )


def changes(
    before: Look,
    now: Look,
    network: Network,
    drawn: Sequence[Edge],
    order: Order,
    *,
    has_recipe: bool,
) -> dict[str, Any] | None:
    """Return what of a ``Patch`` the network says; None where a scene must be sent.

    Parameters
    ----------
    before, now : Look
        What the browser's scene shows, and what is the case.
    network : Network
        As it is now.
    drawn : sequence of Edge
        The edges of the scene, in its order.
    order : Order
        In which the nodes of the scene stand.
    has_recipe : bool
        Whether the browser can compute the network.
    """
    pairs = list(zip(before.layers, now.layers, strict=True))
    edges: list[Edge] = []  # layer by layer
    nodes: list[tuple[int, int]] = []
    has_other_edges = False
    for n, (one, two) in enumerate(pairs):
        if one.spec != two.spec or not np.array_equal(one.knots, two.knots):
            return None
        if one.constraints != two.constraints:
            return None
        has_other_edges |= bool((one.flags != two.flags)[..., 0].any())
        if network.layers[n].nodes.arities and has_other_edges:
            entered = one.flags[..., 0].any(0), two.flags[..., 0].any(0)
            if not np.array_equal(*entered):  # a product has other factors
                return None
        edges += _edges_between(n, one, two)
        nodes += _nodes_between(n, one, two)
    # With other edges the nodes may stand in another order.
    if has_other_edges and order_of(network) != order:
        return None
    if len(edges) + len(nodes) > MOST_CHANGES:
        return None
    found: dict[str, Any] = {"visited": [], "edges": [], "views": []}
    if has_recipe:
        found["visited"] = [_visited(now.layers[n], n, i) for n, i in nodes]
        found["edges"] = _edge_changes(network, now, edges)
    else:
        moved, changed = {*nodes}, {*edges}
        views = [edge for edge in drawn if edge in changed or edge[:2] in moved]
        if len(views) > MOST_CHANGES:
            return None
        found["views"] = _whole(network, now, views)
    found["score"] = _scores_of(now, drawn)
    found["node_score"] = array_of(torch.cat(now.scores.nodes)).astype(np.float32)
    return found


def _scores_of(now: Look, drawn: Sequence[Edge]) -> np.ndarray:
    """Return the scores of the edges in their order, as float32."""
    found = np.empty(len(drawn), dtype=np.float32)
    layers, i, j = np.array(drawn).T
    for n, part in enumerate(now.scores.edges):
        here = layers == n
        found[here] = array_of(part)[i[here], j[here]]
    return found


def is_drawn_alike(now: Look, drawn: Sequence[Edge], limit: int | None) -> bool:
    """Say whether a scene of now would draw the same edges."""
    if len(drawn) == sum(map(Tensor.numel, now.scores.edges)):
        return True
    return strongest([part.tolist() for part in now.scores.edges], limit) == list(drawn)


def _edges_between(layer: int, before: LayerLook, now: LayerLook) -> list[Edge]:
    """Return the edges that are another, but for what the sample visits."""
    others = (before.weight != now.weight).any(1) | (before.flags != now.flags).any(-1)
    if before.formulas != now.formulas:
        for edge in before.formulas.keys() | now.formulas.keys():
            others[edge] |= before.formulas.get(edge) != now.formulas.get(edge)
    return [Edge(layer, i, j) for i, j in np.argwhere(others).tolist()]


def _nodes_between(layer: int, before: LayerLook, now: LayerLook) -> list[tuple[int, int]]:
    """Return the input nodes at which the sample visits something else."""
    others = (before.low != now.low) | (before.high != now.high)
    is_longer = before.sample.shape != now.sample.shape
    others |= True if is_longer else (before.sample != now.sample).any(1)
    return [(layer, i) for i in others.nonzero()[0].tolist()]


def _visited(look: LayerLook, layer: int, i: int) -> Visited:
    low, high = float(look.low[i]), float(look.high[i])
    return Visited(layer=layer, i=i, low=low, high=high, sample=look.sample[i])


def _edge_changes(network: Network, now: Look, edges: list[Edge]) -> list[EdgeChange]:
    found, depth = [], len(network.layers)
    for n, group in groupby(edges, itemgetter(0)):
        here, layer, look = list(group), network.layers[n], now.layers[n]
        programs = {(one.i, one.j): one for one in formulas_of(layer)}
        for edge, standing in zip(here, standings(layer, here), strict=True):
            live, frozen, locked = look.flags[edge.i, edge.j].tolist()
            formula = standing.get("formula")
            if formula is not None and now.about.has_units:
                formula = formula_in_user_units(layer, edge, now.about.units_at(*edge, depth))
            program = programs.get((edge.i, edge.j))
            change = EdgeChange(
                layer=n,
                i=edge.i,
                j=edge.j,
                weight=look.weight[edge.i, :, edge.j],
                live=live,
                program=None if program is None else program.to_dict(),  # type: ignore[typeddict-item]
                state=standing["state"],
                frozen=frozen,
                locked=locked,
                formula=formula,
                mathml=None if formula is None else mathml_of(formula),
                function=standing.get("function"),
                quality=standing.get("quality"),
            )
            found.append(change)
    return found


def _whole(network: Network, now: Look, edges: list[Edge]) -> list[dict[str, Any]]:
    found = []
    for n, group in groupby(edges, itemgetter(0)):
        here = list(group)
        edge_score = [float(now.scores.edges[n][edge.i, edge.j]) for edge in here]
        views = edge_views(network.layers[n], here, edge_score, now.values[n])
        if now.about.has_units:
            views = views_in_user_units(views, network, now.about)
        found += [drawn_edge(view) for view in views]
    return found
