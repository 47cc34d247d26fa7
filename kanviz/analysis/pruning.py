"""Which edges a network can do without."""

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor

from kanviz.checks import check_integer
from kanviz.nn.network import Network
from kanviz.snapshot import Edge


def live_edges(network: Network) -> list[Edge]:
    """Return the edges that are not removed, in order."""
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in layer.mask.nonzero().tolist()
    ]


def weakest_first(network: Network, scores: list[Tensor]) -> list[Edge]:
    """Return the live edges by score, the lowest first; ties in order of address."""
    return sorted(live_edges(network), key=lambda e: (float(scores[e.layer][e.i, e.j]), e))


def below(network: Network, scores: list[Tensor], threshold: float) -> list[Edge]:
    """Return the live edges whose score is below a threshold, and what dies with them."""
    weak = [e for e in weakest_first(network, scores) if scores[e.layer][e.i, e.j] < threshold]
    return with_dead(network, weak)


def weakest(network: Network, scores: list[Tensor], count: int) -> list[Edge]:
    """Return the ``count`` weakest live edges, and what dies with them."""
    check_integer("count", count, 0)
    return with_dead(network, weakest_first(network, scores)[:count])


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


def without(network: Network, edges: Iterable[Edge]) -> list[Tensor]:
    """Return the masks of the network's layers with some edges removed."""
    masks = [layer.mask.clone() for layer in network.layers]
    for edge in edges:
        masks[edge.layer][edge.i, edge.j] = False
    return masks


def is_connected(masks: list[Tensor]) -> bool:
    """Return whether every output is still reached by an edge."""
    return bool(torch.stack([mask.any() for mask in masks]).all()) and bool(masks[-1].any(0).all())
