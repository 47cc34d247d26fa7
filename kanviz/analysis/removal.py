"""What a network can do without, what goes with it, and how it is taken out without a jump.

An edge that hardly varies may still add a large constant, which a score from spreads cannot see.
Before such an edge goes, its mean moves to another edge into the same node; a spline whose basis
sums to 1 and a formula c f(a x + b) + d can take up a constant exactly. This by itself changes no
output; only then is the edge, now of mean 0, removed. The last edge of a factor takes the factor
out of its product: its mean goes into another factor as a scale.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.analysis.attribution import Score, Scores, scores
from kanviz.analysis.trace import node_values, rows_at_once
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.snapshot import Edge

What = Literal["edges", "nodes", "inputs"]
"""What goes as a whole: single edges, inputs and hidden nodes, or inputs only."""

Means = list[Float[Tensor, "_inputs _outputs"]]


class Candidate(NamedTuple):
    """Something that may go as a whole.

    Parameters
    ----------
    name : str
        Such as ``"edge (0, 1, 2)"``, ``"node (1, 3)"`` or ``"input 0"``.
    score : float
        How much it matters, at least 0, in the unit of the score.
    edges : tuple of Edge
        Its live edges.
    """

    name: str
    score: float
    edges: tuple[Edge, ...]


def live_edges(network: Network) -> list[Edge]:
    """Return the edges that are not removed, in order of address.

    >>> live_edges(Network([2, 1], seed=0))
    [Edge(layer=0, i=0, j=0), Edge(layer=0, i=1, j=0)]
    """
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

    Examples
    --------
    >>> network = Network([2, 3, 1], seed=0)
    >>> ranked = candidates(network, scores(network, torch.rand(50, 2)), "nodes")
    >>> sorted(candidate.name for candidate in ranked)
    ['input 0', 'input 1', 'node (1, 0)', 'node (1, 1)', 'node (1, 2)']
    """
    if what == "edges":
        scores = [layer.tolist() for layer in found.edges]
        named = [
            Candidate(f"edge {tuple(edge)}", scores[edge.layer][edge.i][edge.j], (edge,))
            for edge in live_edges(network)
        ]
    else:
        layers = found.nodes[:-1] if what == "nodes" else found.nodes[:1]
        nodes = [
            Candidate(name_of_node(depth, i), score, _edges_at(network, depth, i))
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
    score: Score = scores,
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
    score : callable
        Scores a network on a sample, as ``kanviz.analysis.scores`` does.
    """
    if edges is not None:
        return [Edge(*edge) for edge in edges]
    ranked = candidates(network, score(network, x), what)
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

    A hidden node that nothing leaves has no effect, and one that nothing enters is a constant 0:
    the edges at such nodes go too, until none is left. A product is entered through any factor.

    >>> with_dead(Network([1, 2, 1], seed=0), [Edge(0, 0, 1)])
    [Edge(layer=0, i=0, j=1), Edge(layer=1, i=1, j=0)]
    """
    made = [layer.nodes for layer in network.layers]
    masks = [layer.mask.clone() for layer in network.layers]
    before = [mask.clone() for mask in masks]
    for edge in removed:
        masks[edge.layer][edge.i, edge.j] = False
    for _ in masks:
        for (first, nodes), (second, _) in pairwise(zip(masks, made, strict=True)):
            first &= nodes.to_sums(second.any(1))
            second &= nodes.any_of(first.any(0)).unsqueeze(1)
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
    entered = [empty[0], *(layer.nodes.any_of(layer.mask.any(0)) for layer in network.layers)]
    left = [*(mask.any(1) for mask in masks), empty[1]]
    return [int((into | out).sum()) for into, out in zip(entered, left, strict=True)]


def _edges_at(network: Network, depth: int, i: int) -> tuple[Edge, ...]:
    """Return the live edges into and out of a node."""
    into: list[Edge] = []
    if depth:
        below = network.layers[depth - 1]
        sums = list(below.nodes.sums_of(i))
        found = below.mask[:, sums].nonzero().tolist()
        into = [Edge(depth - 1, h, sums[n]) for h, n in found]
    out = network.layers[depth].mask[i].nonzero().flatten().tolist()
    return (*into, *(Edge(depth, i, j) for j in out))


@torch.no_grad()
def edge_means(network: Network, x: Float[Tensor, "samples inputs"]) -> Means:
    """Return what each edge adds on average over the sample x, 0 where it is removed; float64."""
    values = node_values(network, x)
    return [_means(layer, value) for layer, value in zip(network.layers, values, strict=False)]


def takes_constants(layer: KANLayer) -> Bool[Tensor, "inputs outputs"]:
    """Return which edges can take up a constant exactly and may be changed.

    Formulas can, and B-splines that go on along their tangents; radial functions and splines that
    fade outside the grid cannot. Frozen edges and those that share a function stay as they are.
    """
    exact = layer.spec.is_spline and layer.spec.extrapolation == "linear"
    able = torch.full_like(layer.mask, exact)
    if layer.symbols is not None:
        able[layer.symbols.inputs, layer.symbols.outputs] = True
    return able & ~layer.frozen & ~layer.locked


@torch.no_grad()
def take_out(network: Network, edges: Iterable[Edge], means: Means) -> None:
    """Remove edges in place; the mean of each moves to the first other edge into its sum.

    Where no edge is left that can take it up (``takes_constants``), the mean goes with the edge. Of
    a factor that loses all its edges, the mean becomes a scale of the first other factor of its
    product that is left and may be changed.

    Parameters
    ----------
    network : Network
        Changed in place.
    edges : iterable of Edge
        What goes, as from ``with_dead``.
    means : list over layers of (in_features, out_features)
        As from ``edge_means``; kept up to date in place.
    """
    chosen = list(edges)
    for depth, layer in enumerate(network.layers):
        places = [(edge.i, edge.j) for edge in chosen if edge.layer == depth]
        if not places:
            continue
        gone = torch.zeros_like(layer.mask)
        gone[tuple(zip(*places, strict=True))] = True
        able = takes_constants(layer)
        takers = layer.mask & ~gone & able
        moved = torch.where(gone & takers.any(0), means[depth], 0.0)
        change = torch.where(able, -moved, 0.0)
        columns = torch.arange(layer.out_features, device=moved.device)
        change[takers.byte().argmax(0), columns] += moved.sum(0)
        _add_constants(layer, change)
        means[depth] += change
        scales = _scales_of_factors(layer, gone, means[depth])
        _scale_edges(layer, scales)
        means[depth] *= scales
        layer.set_mask(layer.mask & ~gone)


def _scales_of_factors(
    layer: KANLayer, gone: Bool[Tensor, "inputs outputs"], means: Float[Tensor, "inputs outputs"]
) -> Float[Tensor, " outputs"]:
    """Return by what each sum is multiplied where factors beside it lose all their edges."""
    scales = torch.ones_like(means[0])
    left = layer.mask & ~gone
    dying = layer.mask.any(0) & ~left.any(0)
    free = left.any(0) & ~(left & (layer.frozen | layer.locked)).any(0)
    for node in range(layer.nodes.alone, len(layer.nodes)):
        factors = layer.nodes.sums_of(node)
        taker = next((j for j in factors if free[j]), None)
        if taker is not None:
            for j in factors:
                if dying[j]:
                    scales[taker] *= (means[:, j] * layer.mask[:, j]).sum()
    return scales


def _scale_edges(layer: KANLayer, scales: Float[Tensor, " outputs"]) -> None:
    """Multiply every edge function by the scale of its sum."""
    if bool((scales == 1).all()):
        return
    scales = scales.to(layer.weight)
    layer.weight.mul_(scales)
    if layer.symbols is not None:
        layer.symbols.affine[:, 2:4] *= scales[layer.symbols.outputs].unsqueeze(1)


@torch.no_grad()
def _means(layer: KANLayer, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "inputs outputs"]:
    total = sum(layer.features(part).double().sum(0) for part in x.split(rows_at_once(layer)))
    means = torch.einsum("if,ifo->io", total / len(x), layer.live_weight().double())
    if layer.symbols is not None:
        values = layer.symbol_outputs(x).double().mean(0)
        means[layer.symbols.inputs, layer.symbols.outputs] = values
    return means


def _add_constants(layer: KANLayer, change: Float[Tensor, "inputs outputs"]) -> None:
    """Add a constant to each edge function; to a formula's d where it is one."""
    change = change.to(layer.weight)
    if layer.symbols is not None:
        where = layer.symbols.inputs, layer.symbols.outputs
        layer.symbols.affine[:, 3] += change[where]
        change = change.index_put(where, change.new_zeros(()))
    layer.weight[:, : layer.spec.n_basis] += change.unsqueeze(1)


def named(name: str, edges: Sequence[Edge]) -> str:
    """Return what goes in words: its name, and how many other edges go with it.

    >>> named("edge (0, 1, 2)", [Edge(0, 1, 2), Edge(1, 2, 0)])
    'edge (0, 1, 2) and 1 more'
    >>> named("input 1", [Edge(0, 1, 0), Edge(0, 1, 1)])
    'input 1 (2 edges)'
    """
    if name.startswith("edge "):
        return f"{name} and {len(edges) - 1} more" if len(edges) > 1 else name
    return f"{name} ({len(edges)} edge{'s' if len(edges) > 1 else ''})"
