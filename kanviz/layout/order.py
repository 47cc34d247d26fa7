"""The order in which the nodes of each layer stand, such that few lines cross.

Each node goes to the mean place of its neighbours, up and down the network a few times (K.
Sugiyama, S. Tagawa, M. Toda, Methods for visual understanding of hierarchical system structures,
1981). Only places change, never names; inputs and outputs stay as the user numbered them.

The order depends on which edges there are and on nothing else: nodes stay where they are while a
network learns, and every picture of one network has the same places.
"""

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence
from functools import lru_cache

from kanviz.snapshot import Edge

Order = tuple[tuple[int, ...], ...]
"""For each layer the place of each node, from the left: ``order[layer][index]``."""

WORTH = 0.1
"""Part of the crossings that another order must save, or nodes would leave their numbers' order."""

SWEEPS = 8
"""Ways through the network, in turn upwards and downwards."""


def natural(widths: Sequence[int]) -> Order:
    """Return the order in which all nodes stand by their numbers."""
    return tuple(tuple(range(width)) for width in widths)


@lru_cache(maxsize=64)
def untangled(widths: tuple[int, ...], edges: tuple[Edge, ...]) -> Order:
    """Return an order with few crossings, or the natural one where that is nearly as good.

    Parameters
    ----------
    widths : tuple of int
        Number of nodes of every layer.
    edges : tuple of Edge
        Those that are not pruned.

    Examples
    --------
    >>> untangled((2, 2, 1), (Edge(0, 0, 1), Edge(0, 1, 0), Edge(1, 0, 0), Edge(1, 1, 0)))
    ((0, 1), (1, 0), (0,))
    """
    layers: list[list[Edge]] = [[] for _ in widths[1:]]
    for edge in edges:
        layers[edge.layer].append(edge)
    before = best = order = natural(widths)
    if len(edges) == sum(a * b for a, b in itertools.pairwise(widths)):
        return before  # where every node is joined to all, all orders cross alike
    least = fewest = _crossings(layers, before)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        order = _swept(layers, order, upwards=sweep % 2 == 0)
        found = _crossings(layers, order)
        if found < fewest:
            best, fewest = order, found
    return best if fewest <= (1 - WORTH) * least else before


def _swept(layers: Sequence[Sequence[Edge]], order: Order, *, upwards: bool) -> Order:
    """Return the order after one way over the hidden layers."""
    rows = [list(row) for row in order]
    hidden = range(1, len(rows) - 1)
    for layer in hidden if upwards else reversed(hidden):
        means: list[list[float]] = [[] for _ in rows[layer]]
        other = layer - 1 if upwards else layer + 1
        for edge in layers[layer - 1 if upwards else layer]:
            own, far = (edge.j, edge.i) if upwards else (edge.i, edge.j)
            means[own].append((rows[other][far] + 0.5) / len(rows[other]))
        row = rows[layer]
        wanted = [
            # A node without such an edge stays; of equal ones the order stays.
            (sum(found) / len(found) if found else (place + 0.5) / len(row), place)
            for found, place in zip(means, row, strict=True)
        ]
        ranked = sorted(range(len(row)), key=wanted.__getitem__)
        for place, index in enumerate(ranked):
            row[index] = place
    return tuple(map(tuple, rows))


def _crossings(layers: Sequence[Sequence[Edge]], order: Order) -> int:
    """Count the pairs of lines that cross."""
    total = 0
    for layer, edges in enumerate(layers):
        ends = sorted((order[layer][edge.i], order[layer + 1][edge.j]) for edge in edges)
        seen: list[int] = []
        for _, group in itertools.groupby(ends, key=lambda end: end[0]):
            tops = [top for _, top in group]
            total += sum(len(seen) - bisect_right(seen, top) for top in tops)
            for top in tops:
                insort(seen, top)
    return total
