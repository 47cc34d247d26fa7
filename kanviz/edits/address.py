"""Addresses of edges and nodes: checked, and looked up in a network."""

import operator
from collections.abc import Sequence
from typing import Any

from kanviz.nn.network import Network
from kanviz.snapshot import Edge


def check_edge(network: Network, layer: int, i: int, j: int) -> Edge:
    """Return the address of an edge of the network.

    Raises
    ------
    IndexError
        If the network has no such edge.
    TypeError
        If a part is not an integer.
    """
    widths = network.widths
    layer = check_index("layer", layer, len(widths) - 1, f"widths are {widths}")
    i = check_index("i", i, widths[layer], f"layer {layer} has {widths[layer]} inputs")
    nodes = network.layers[layer].nodes
    kind = "outputs" if not nodes.arities else "sums, factors of products counted one by one"
    j = check_index("j", j, nodes.n_sums, f"layer {layer} has {nodes.n_sums} {kind}")
    return Edge(layer, i, j)


def check_node(network: Network, layer: int, i: int) -> tuple[int, int]:
    """Return the address of a node of the network that is not an output.

    Raises
    ------
    IndexError
        If the network has no such node, or it is an output.
    TypeError
        If a part is not an integer.
    """
    widths = network.widths
    reason = f"widths are {widths} and outputs stay"
    layer = check_index("layer", layer, len(widths) - 1, reason)
    return layer, check_index("i", i, widths[layer], f"layer {layer} has {widths[layer]} nodes")


def edges_at(network: Network, layer: int, i: int) -> list[Edge]:
    """Return the edges into and out of node ``i`` of ``layer``, of a product into all factors."""
    into = edges_into(network, layer, i) if layer else []
    return into + edges_from(network, layer, i)


def edges_into(network: Network, layer: int, i: int) -> list[Edge]:
    """Return the edges into node ``i`` of ``layer``, which is at least 1."""
    below = network.layers[layer - 1]
    sums = below.nodes.sums_of(i)
    return [Edge(layer - 1, h, j) for h in range(below.in_features) for j in sums]


def edges_from(network: Network, layer: int, i: int) -> list[Edge]:
    """Return the edges out of node ``i`` of ``layer``, which is not the last."""
    return [Edge(layer, i, j) for j in range(network.layers[layer].out_features)]


def are_live(network: Network, edges: list[Edge]) -> list[bool]:
    """Return for each edge whether it is not removed."""
    masks = [layer.mask.tolist() for layer in network.layers]
    return [masks[edge.layer][edge.i][edge.j] for edge in edges]


def set_live(network: Network, edges: list[Edge], *, live: bool) -> None:
    """Remove the edges or bring them back."""
    for number, layer in enumerate(network.layers):
        chosen = [(edge.i, edge.j) for edge in edges if edge.layer == number]
        if chosen:
            mask = layer.mask.clone()
            mask[tuple(zip(*chosen, strict=True))] = live
            layer.set_mask(mask)


def check_index(name: str, value: int, count: int, reason: str) -> int:
    """Return ``value``, or raise unless it is an integer from 0 to ``count - 1``."""
    try:
        index = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer; got {value!r}. Count from 0.") from None
    if not 0 <= index < count:
        raise IndexError(
            f"{name} must be from 0 to {count - 1} because {reason}; got {index}. Count from 0."
        )
    return index


def read_edge(network: Network, edge: Sequence[int]) -> Edge:
    """Return the address of an edge of the network, from an ``Edge`` or a plain (layer, i, j).

    Raises
    ------
    TypeError
        If it is no such address.
    IndexError
        If the network has no such edge.
    """
    return check_edge(network, *_parts("edge", edge, ("layer", "i", "j"), "(0, 1, 2)"))


def read_node(network: Network, node: Sequence[int]) -> tuple[int, int]:
    """Return the address of a node of the network that is not an output, from (layer, i).

    Raises
    ------
    TypeError
        If it is no such address.
    IndexError
        If the network has no such node, or it is an output.
    """
    return check_node(network, *_parts("node", node, ("layer", "i"), "(1, 0)"))


def _parts(name: str, address: Any, parts: tuple[str, ...], example: str) -> tuple[int, ...]:
    is_several = isinstance(address, Sequence) and not isinstance(address, str)
    if not is_several or len(address) != len(parts):
        raise TypeError(
            f"{name} must be ({', '.join(parts)}); got {address!r}. Pass for example {example}."
        )
    return tuple(address)


def read_edges(edges: Sequence[Sequence[int]]) -> tuple[Edge, ...]:
    """Return addresses as edges, or raise a TypeError if they are not such."""
    found = [tuple(edge) if isinstance(edge, Sequence) else (edge,) for edge in edges]
    if any(len(edge) != 3 for edge in found):
        raise TypeError(
            f"edges must be a list of (layer, i, j); got {edges!r}. "
            "Pass for example [(0, 0, 0), (0, 1, 0)]."
        )
    return tuple(Edge(*edge) for edge in found)


def read_place(place: int | Sequence[int]) -> tuple[int, ...]:
    """Return a layer, (layer, i) or (layer, i, j) as a tuple."""
    return tuple(place) if isinstance(place, Sequence) else (place,)
