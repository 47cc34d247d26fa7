"""What a network can do without: candidates in order of their scores, and what goes with them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import Scores, scores
from kanviz.nn.network import Network
from kanviz.snapshot import Edge

What = Literal["edges", "nodes", "inputs"]
"""What goes as a whole: single edges, inputs and hidden nodes, or inputs only."""


class Candidate(NamedTuple):
    """Something that may go as a whole: its name, its score, and its live edges."""

    name: str
    score: float
    edges: tuple[Edge, ...]


def live_edges(network: Network) -> list[Edge]:
    """Return the edges that are not removed, in order."""
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in layer.mask.nonzero().tolist()
    ]


def candidates(network: Network, found: Scores, what: What) -> list[Candidate]:
    """Return what is in use and may go, by score, the lowest first; ties in order of address.

    Parameters
    ----------
    network : Network
        Is only read.
    found : Scores
        Of its edges and nodes.
    what : str
        ``"edges"``, ``"nodes"`` (hidden nodes and inputs) or ``"inputs"``.
    """
    if what == "edges":
        scores = [layer.tolist() for layer in found.edges]
        named = [
            Candidate(f"edge {tuple(edge)}", scores[edge.layer][edge.i][edge.j], (edge,))
            for edge in live_edges(network)
        ]
    else:
        layers = found.nodes[:-1] if what == "nodes" else found.nodes[:1]
        masks = [layer.mask for layer in network.layers]
        nodes = [
            Candidate(name_of_node(depth, i), score, _edges_at(masks, depth, i))
            for depth, scores_of_layer in enumerate(layers)
            for i, score in enumerate(scores_of_layer.tolist())
        ]
        named = [node for node in nodes if node.edges]
    return sorted(named, key=lambda candidate: candidate.score)  # stable


def selected(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    what: What,
    *,
    threshold: float | None = None,
    fraction: float | None = None,
    edges: Sequence[tuple[int, ...]] | None = None,
) -> list[Edge]:
    """Return the edges that a limit, at most one, allows to go; all that are live without one.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        For the scores.
    what : str
        See ``candidates``.
    threshold : float, optional
        Those that score below it.
    fraction : float, optional
        The weakest, this share of all, rounded down.
    edges : sequence of (layer, i, j), optional
        These.
    """
    if edges is not None:
        return [Edge(*edge) for edge in edges]
    ranked = candidates(network, scores(network, x), what)
    if threshold is not None:
        ranked = [candidate for candidate in ranked if candidate.score < threshold]
    elif fraction is not None:
        # A little more than rounding takes away: 0.29 * 100 is 28.999999999999996.
        ranked = ranked[: int(fraction * len(ranked) + 1e-9)]
    return [edge for candidate in ranked for edge in candidate.edges]


def name_of_node(layer: int, i: int) -> str:
    """Return what a node is called in reports: ``"input 0"``, ``"node (1, 3)"``."""
    return f"node ({layer}, {i})" if layer else f"input {i}"


def with_dead(network: Network, removed: Iterable[Edge]) -> list[Edge]:
    """Return the given edges and all that leads nowhere or comes from nowhere without them.

    A hidden node that nothing leaves is not seen, and one that nothing enters is a constant 0:
    the edges at such nodes go too, until none is left.
    """
    masks = [layer.mask.clone() for layer in network.layers]
    before = [mask.clone() for mask in masks]
    for edge in removed:
        masks[edge.layer][edge.i, edge.j] = False
    for _ in masks:
        for first, second in pairwise(masks):
            first &= second.any(1)
            second &= first.any(0).unsqueeze(1)
    return [
        Edge(depth, i, j)
        for depth, (old, new) in enumerate(zip(before, masks, strict=True))
        for i, j in (old & ~new).nonzero().tolist()
    ]


def cut_off(network: Network, gone: Iterable[Edge]) -> tuple[int, ...]:
    """Return the outputs that would lose their last edge, given all that goes (``with_dead``)."""
    mask = network.layers[-1].mask
    left = mask.clone()
    for edge in gone:
        if edge.layer == len(network.layers) - 1:
            left[edge.i, edge.j] = False
    return tuple((mask.any(0) & ~left.any(0)).nonzero().flatten().tolist())


def nodes_in_use(network: Network) -> list[int]:
    """Return how many nodes of each layer have a live edge, inputs first."""
    masks = [layer.mask for layer in network.layers]
    empty = torch.zeros_like(masks[0][:, 0]), torch.zeros_like(masks[-1][0])
    entered = [empty[0], *(mask.any(0) for mask in masks)]
    left = [*(mask.any(1) for mask in masks), empty[1]]
    return [int((into | out).sum()) for into, out in zip(entered, left, strict=True)]


def _edges_at(masks: list[Tensor], depth: int, i: int) -> tuple[Edge, ...]:
    """Return the live edges into and out of a node."""
    into = masks[depth - 1][:, i].nonzero().flatten().tolist() if depth else []
    out = masks[depth][i].nonzero().flatten().tolist()
    return (*(Edge(depth - 1, h, i) for h in into), *(Edge(depth, i, j) for j in out))
