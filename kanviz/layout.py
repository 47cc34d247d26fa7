"""Where things stand in a picture, and how strongly they are drawn: plain numbers, no drawing.

Everything here is a pure function of plain values, computed once, so that the figure, the page, the
graph and the live diagram agree.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kanviz.snapshot import Edge

FAINTEST = 0.25
"""Strength of an edge of score 0 beside stronger ones: pale, yet there."""

MAX_EDGES = 512
"""Most edges of a network that is drawn whole; [10, 20, 10, 3] has 430."""

SELECTED = 200
"""Edges drawn of a larger network: few enough that each curve can be read."""

FILL = 0.8
"""Side of a square as a part of its cell; the rest is the gap for lines."""

GAP = 0.5
"""Room between two blocks, in columns."""

ROOMY = 1.7
"""Widest distance between columns, in cells."""

NEARLY = 0.9
"""Part of the largest possible square that is large enough, if it saves rows."""

CROWDED = 0.7
"""Blocks are given up where they make squares smaller than this part of those without blocks."""


def node_positions(widths: Sequence[int]) -> list[list[tuple[float, float]]]:
    """Return the place of every node in the unit square.

    Parameters
    ----------
    widths : sequence of int, at least two
        Number of nodes of every layer, inputs first.

    Returns
    -------
    list over layers of list over nodes of (x, y)
        The nodes of a layer share the width evenly, ``x = (index + 1/2) / width``; layers stand one
        above the other from the inputs, ``y = 0``, to the outputs, ``y = 1``, further apart where
        more edges run between them.
    """
    rises = [rise(before * after) for before, after in itertools.pairwise(widths)]
    heights = [height / sum(rises) for height in itertools.accumulate(rises, initial=0.0)]
    return [
        [((index + 0.5) / width, y) for index in range(width)]
        for width, y in zip(widths, heights, strict=True)
    ]


def rise(n_edges: int) -> float:
    """Return the height that a layer of ``n_edges`` edges wants, in that of a layer of few."""
    return 1 + min(n_edges, SELECTED) / 160


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


class Rect(NamedTuple):
    """An upright rectangle; ``top`` is the smaller y, as on screens."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The larger x."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The larger y."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """The x half-way."""
        return self.left + self.width / 2


class Slot(NamedTuple):
    """The place of one edge's small plot.

    ``box`` is a square. ``pitch`` is the distance between the middles of neighbouring columns, so
    that ``pitch - box.width`` is the gap in which lines pass. ``lowest`` and ``highest`` say
    whether no other box of the column stands below or above.
    """

    box: Rect
    pitch: float
    lowest: bool
    highest: bool


def edge_slots(
    ends: Sequence[tuple[int, int]], target_x: Sequence[float], area: Rect, largest: float
) -> list[Slot]:
    """Place one square per edge of a layer inside ``area``, as large as fits, none overlapping.

    The edges into one node stand together as a block below that node, so that what a node sums is
    seen at a glance; inside a block they go left to right by input. Where there are so many nodes
    that this would make tiny squares, neighbouring nodes share columns.

    Parameters
    ----------
    ends : sequence of (i, j)
        The edges, in any order, each once.
    target_x : sequence of float
        ``target_x[j]`` is the x of node j above, in the unit of ``area``.
    area : Rect
        Where the squares may stand; rows are filled from its top.
    largest : float
        Longest side wanted.

    Returns
    -------
    list of Slot
        In the order of ``ends``.
    """
    if not ends:
        return []
    ordered = sorted(ends, key=lambda end: (end[1], end[0]))
    blocks = [list(block) for _, block in itertools.groupby(ordered, key=lambda end: end[1])]
    grid = _best_grid(
        lambda rows: [math.ceil(len(block) / rows) for block in blocks],
        max(map(len, blocks)),
        area,
        largest,
    )
    packed = _best_grid(lambda rows: [1] * math.ceil(len(ends) / rows), len(ends), area, largest)
    if grid.cell < CROWDED * packed.cell:
        grid, blocks = packed, _parts(ordered, len(packed.columns))
    wanted = [sum(target_x[j] for _, j in block) / len(block) for block in blocks]
    sizes = [(columns + GAP) * grid.pitch for columns in grid.columns]
    middles = spread(wanted, sizes, area.left, area.right)
    slots: dict[tuple[int, int], Slot] = {}
    for block, columns, middle in zip(blocks, grid.columns, middles, strict=True):
        slots |= _fill_block(_parts(block, columns), middle, grid, area.top)
    return [slots[end] for end in ends]


class _Grid(NamedTuple):
    """How squares are stacked: side of a cell, distance of columns, columns of every block."""

    cell: float
    pitch: float
    columns: list[int]


def _best_grid(columns: Callable[[int], list[int]], most: int, area: Rect, largest: float) -> _Grid:
    """Return the stacking in 1 to ``most`` rows that has the fewest rows of nearly the best.

    ``columns(rows)`` is the number of columns of every block where it may have that many rows.
    """
    grids = []
    for rows in range(1, most + 1):
        counts = columns(rows)
        room = area.width / (sum(counts) + GAP * len(counts))
        cell = min(room, area.height / rows, largest / FILL)
        grids.append(_Grid(cell, min(room, ROOMY * cell), counts))
    best = max(grid.cell for grid in grids)
    return next(grid for grid in grids if grid.cell >= NEARLY * best)


def _parts(items: Sequence[tuple[int, int]], n: int) -> list[list[tuple[int, int]]]:
    """Cut a sequence into ``n`` parts of nearly equal length."""
    cuts = [part * len(items) // n for part in range(n + 1)]
    return [list(items[start:end]) for start, end in itertools.pairwise(cuts)]


def _fill_block(
    stacks: Sequence[Sequence[tuple[int, int]]], middle: float, grid: _Grid, top: float
) -> dict[tuple[int, int], Slot]:
    """Place a block of columns around x = ``middle``, each from the top down."""
    side = FILL * grid.cell
    slots = {}
    for column, stack in enumerate(stacks):
        left = middle + (column - (len(stacks) - 1) / 2) * grid.pitch - side / 2
        for row, end in enumerate(stack):
            box = Rect(left, top + row * grid.cell, side, side)
            slots[end] = Slot(box, grid.pitch, lowest=end == stack[-1], highest=row == 0)
    return slots


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return middles of intervals that keep their order, do not overlap and stay in [low, high].

    Of all such middles these are nearest to ``wanted`` in least squares: with the sizes taken off
    it is isotonic regression, solved by pooling neighbours that collide.

    Parameters
    ----------
    wanted : sequence of float
        Wanted middle of every interval, in the order to keep.
    sizes : sequence of float
        Length of every interval; their sum must be at most ``high - low``.

    References
    ----------
    M. J. Best, N. Chakravarti, Active set algorithms for isotonic regression, 1990.
    """
    offsets = [0.0]
    for before, after in itertools.pairwise(sizes):
        offsets.append(offsets[-1] + (before + after) / 2)
    pools: list[list[float]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append([want - offset, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            total = count + pools[-1][1]
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / total, total]
    level = [mean for mean, count in pools for _ in range(int(count))]
    first, last = low + sizes[0] / 2, high - sizes[-1] / 2 - offsets[-1]
    return [min(max(z, first), last) + o for z, o in zip(level, offsets, strict=True)]
