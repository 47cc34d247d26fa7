"""Where things stand in a picture, and how strongly they are drawn: plain numbers, no drawing.

Everything here is a pure function of plain values, computed once, so that the figure, the page, the
graph and the live diagram agree.
"""

import heapq
import itertools
import math
from collections.abc import Sequence

from kanviz.snapshot import Edge

FAINTEST = 0.25
"""Strength of an edge of score 0 beside stronger ones: pale, yet there."""

MAX_EDGES = 512
"""Most edges of a network that is drawn whole; [10, 20, 10, 3] has 430."""

SELECTED = 200
"""Edges drawn of a larger network: few enough that each curve can be read."""

DOUBLE = 160
"""Edges for which a layer is twice as high as one of few; up to ``SELECTED`` it goes on so."""


def node_positions(
    widths: Sequence[int], order: Sequence[Sequence[int]] | None = None
) -> list[list[tuple[float, float]]]:
    """Return the place of every node in the unit square.

    Parameters
    ----------
    widths : sequence of int, at least two
        Number of nodes of every layer, inputs first.
    order : sequence over layers of sequence over nodes of int, optional
        Place of every node from the left, as ``untangled`` finds it; by their numbers by default.

    Returns
    -------
    list over layers of list over nodes of (x, y)
        The nodes of a layer share the width evenly, ``x = (place + 1/2) / width``; layers stand one
        above the other from the inputs, ``y = 0``, to the outputs, ``y = 1``, further apart where
        more edges run between them.
    """
    rises = [rise(before * after) for before, after in itertools.pairwise(widths)]
    heights = [height / sum(rises) for height in itertools.accumulate(rises, initial=0.0)]
    rows = order or [range(width) for width in widths]
    return [
        [((place + 0.5) / len(row), y) for place in row]
        for row, y in zip(rows, heights, strict=True)
    ]


def rise(n_edges: int) -> float:
    """Return the height that a layer of ``n_edges`` edges wants, in that of a layer of few."""
    return 1 + min(n_edges, SELECTED) / DOUBLE


def strengths(scores: Sequence[float]) -> tuple[float, ...]:
    """Return how strongly to draw each of some edges, from ``FAINTEST`` to 1.

    The strongest edge gets 1 and a score of 0 gets ``FAINTEST``; between them the strength grows
    with the square root of the score, because eyes tell pale tones apart better than dark ones.
    Equal scores, zeros too, all get 1: where nothing is stronger, nothing fades.

    Parameters
    ----------
    scores : sequence of float
        Finite and at least 0, in any unit. Pass the scores of one layer: those of a wide layer are
        all small, and a layer should not fade for its width.

    Raises
    ------
    ValueError
        If a score is negative, infinite or NaN.
    """
    for score in scores:
        if not (math.isfinite(score) and score >= 0):
            raise ValueError(f"scores must be finite and at least 0; got {score}.")
    largest = max(scores, default=0.0)
    if largest == min(scores, default=0.0):
        return (1.0,) * len(scores)
    return tuple(FAINTEST + (1 - FAINTEST) * math.sqrt(score / largest) for score in scores)


def strongest(scores: Sequence[Sequence[Sequence[float]]], limit: int | None = None) -> list[Edge]:
    """Return the edges to draw: all of a small network, the strongest of each layer of a large one.

    The limit is shared fairly: a layer with fewer edges than its share is drawn whole and leaves
    the rest to the others, so that no layer is empty. Of equal scores the lower ``(i, j)`` comes
    first.

    Parameters
    ----------
    scores : list over layers of (in_features, out_features)
        ``scores[layer][i][j]`` is the score of ``Edge(layer, i, j)``.
    limit : int, optional
        Most edges to return, at least the number of layers. By default all edges up to
        ``MAX_EDGES``; of more, ``SELECTED``.

    Returns
    -------
    list of Edge
        Sorted by address.

    Raises
    ------
    ValueError
        If ``limit`` is less than the number of layers.
    """
    counts = [sum(map(len, layer)) for layer in scores]
    if limit is None:
        limit = MAX_EDGES if sum(counts) <= MAX_EDGES else max(SELECTED, len(counts))
    if limit < len(counts):
        raise ValueError(f"limit must be at least {len(counts)}, one edge per layer; got {limit}.")
    chosen: list[Edge] = []
    for layer, share in enumerate(_shares(counts, limit)):
        ranked = ((-s, i, j) for i, row in enumerate(scores[layer]) for j, s in enumerate(row))
        chosen += sorted(Edge(layer, i, j) for _, i, j in heapq.nsmallest(share, ranked))
    return chosen


def _shares(counts: Sequence[int], limit: int) -> list[int]:
    """Share ``limit`` among layers of ``counts`` edges, the smallest layers first."""
    shares = [0] * len(counts)
    for done, layer in enumerate(sorted(range(len(counts)), key=lambda layer: counts[layer])):
        shares[layer] = min(counts[layer], (limit - sum(shares)) // (len(counts) - done))
    return shares
