"""The places of the small plots between two rows of nodes: squares in blocks, none overlapping."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kanviz.layout.marks import Rect

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
    grid = _tightened(grid, wanted, area)
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


def _tightened(grid: _Grid, wanted: Sequence[float], area: Rect) -> _Grid:
    """Move the columns together as far as it takes for each block to stand where it is wanted."""
    halves = [(columns + GAP) / 2 for columns in grid.columns]
    rooms = [
        (b - a) / (half_a + half_b)
        for (a, half_a), (b, half_b) in itertools.pairwise(zip(wanted, halves, strict=True))
    ]
    rooms += [(wanted[0] - area.left) / halves[0], (area.right - wanted[-1]) / halves[-1]]
    return grid._replace(pitch=max(grid.cell, min(grid.pitch, *rooms)))


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
