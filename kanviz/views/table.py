"""Where the plots of one layer stand as a matrix, and which of them where there are too many."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kanviz.snapshot import EdgeView, Snapshot
from kanviz.views import cells, labels, legend, paths
from kanviz.views.cells import Cell
from kanviz.views.marks import KeyMark, Rect, TextMark

PLOT_WIDTH, PLOT_HEIGHT = 80.0, 60.0
"""Size of a plot, in pixels; wider where the numbers below it need more."""

GAP = 14.0
"""Free room between a plot with its numbers and the next."""

LONGEST = 150.0
"""Longest label of an input."""

SIDE = 20.0
"""Free margin around everything."""

WIDE, TALL = 1.2, 2.0
"""Most columns and rows, in those of a square with as many plots: a page scrolls down."""


@dataclass(frozen=True)
class Table:
    """All marks of a matrix on a canvas of ``width`` times ``height`` pixels."""

    width: float
    height: float
    cells: tuple[Cell, ...]
    texts: tuple[TextMark, ...]
    key: tuple[KeyMark, ...]


def table(snapshot: Snapshot, layer: int, most: int) -> Table:
    """Return every mark of the matrix of ``layer``, of at most ``most`` plots."""
    views = [view for view in snapshot.edges if view.layer == layer]
    shown = Selection(views, snapshot.widths[layer], snapshot.widths[layer + 1], most)
    return _Builder(snapshot, layer, shown).table()


class Selection:
    """The inputs ``rows`` and the outputs ``columns`` to show, and the ``views`` between them.

    Where there are more than ``most`` pairs or a side is too long, nodes without an edge leave
    first, and then, one by one, the node whose edges to the nodes still there are weakest on
    average; of equal ones the last.
    """

    def __init__(self, views: Sequence[EdgeView], before: int, after: int, most: int) -> None:
        self._limits = [max(1, round(share * math.sqrt(most))) for share in (TALL, WIDE)]
        self._most = most
        self._sides = [list(range(before)), list(range(after))]
        self.views = list(views)
        if self._is_too_much() and views:
            self._sides = [sorted({view.i for view in views}), sorted({view.j for view in views})]
        while self._is_too_much():
            self._drop_weakest()
        self.rows, self.columns = self._sides

    def _is_too_much(self) -> bool:
        rows, columns = map(len, self._sides)
        return rows * columns > self._most or rows > self._limits[0] or columns > self._limits[1]

    def _drop_weakest(self) -> None:
        """Leave out one node: of a side that is too long, else the weakest of all."""
        found = [self._weakest(side) for side in (0, 1)]
        too_long = [len(self._sides[side]) > self._limits[side] for side in (0, 1)]
        order = sorted((0, 1), key=lambda side: (not too_long[side], found[side]))
        side = next(side for side in order if len(self._sides[side]) > 1)
        gone = -found[side][1]
        self._sides[side].remove(gone)
        self.views = [view for view in self.views if (view.i, view.j)[side] != gone]

    def _weakest(self, side: int) -> tuple[float, int]:
        """Return (mean strength, -index) of the first node of a side to leave out."""
        sums = dict.fromkeys(self._sides[side], 0.0)
        for view in self.views:
            sums[(view.i, view.j)[side]] += 0.0 if view.state == "pruned" else view.strength
        pairs = len(self._sides[1 - side])
        return min((total / pairs, -node) for node, total in sums.items())


class _Builder:
    """The sizes that all cells of a matrix share, and the marks stacked from the top."""

    def __init__(self, snapshot: Snapshot, layer: int, shown: Selection) -> None:
        self.layer, self.shown = layer, shown
        self.total = snapshot.widths[layer] * snapshot.widths[layer + 1]
        self.inputs, self.outputs = snapshot.widths[layer : layer + 2]
        self.title = snapshot.title
        self.kinds = legend.key_kinds(shown.views)
        self.beside = cells.width_beside(shown.views)
        self.plot_width = max(PLOT_WIDTH, cells.width_below(shown.views))
        self.formula = cells.FORMULA if any(view.formula for view in shown.views) else 0.0
        self.pitch = self.beside + self.plot_width + GAP
        self.rise = self.formula + PLOT_HEIGHT + cells.TINY + GAP
        self.row_names = _names(snapshot, layer, shown.rows, LONGEST)
        self.column_names = _names(snapshot, layer + 1, shown.columns, self.plot_width + GAP)
        self.names_width = max(labels.text_width(name, legend.LETTERS) for name in self.row_names)
        self.width = max(
            self._matrix_width() + 2 * SIDE,
            *(labels.text_width(words, legend.SMALL) + 2 * SIDE for words in self._notes()),
            legend.key_width(self.kinds) + 2 * SIDE,
        )
        self.left = (self.width - self._matrix_width()) / 2 + self.names_width + 4
        self.top = SIDE + legend.LINE * (2 if self.title else 1) + legend.LETTERS + 12

    def table(self) -> Table:
        largest = max(map(paths.half_range, self.shown.views), default=0.0)
        bottom = self.top + self.rise * len(self.shown.rows)
        return Table(
            width=self.width,
            height=bottom + legend.LINE * (bool(self.kinds) + bool(self._notes()[1])) + 4,
            cells=tuple(
                cells.cell(view, self._box(view), largest, self.pitch - 4)
                for view in self.shown.views
            ),
            texts=(*self._words(bottom), *self._labels()),
            key=tuple(legend.key_marks(self.kinds, self.width / 2, bottom + 10)),
        )

    def _matrix_width(self) -> float:
        return self.names_width + 4 + self.pitch * len(self.shown.columns)

    def _notes(self) -> tuple[str, str]:
        """Return the words above the matrix, and those that say what is left out."""
        above = f"layer {self.layer}: inputs down the side, outputs along the top"
        shown, total = len(self.shown.views), self.total
        if shown == total:
            return above, ""
        return above, (
            f"{shown:,} of {total:,} edges: {len(self.shown.rows):,} of {self.inputs:,} inputs, "
            f"{len(self.shown.columns):,} of {self.outputs:,} outputs; {total - shown:,} left out"
        )

    def _words(self, bottom: float) -> list[TextMark]:
        """Return title and notes."""
        middle, (above, below) = self.width / 2, self._notes()
        title = labels.fit(self.title, self.width - 2 * SIDE, legend.LETTERS * labels.BOLD)
        y = SIDE + (legend.LINE if title else 0.0) + 4
        under = bottom + 10 + legend.LINE * bool(self.kinds)
        texts = [
            TextMark(middle, SIDE + 4, title, legend.LETTERS, "title"),
            TextMark(middle, y, above, legend.SMALL, "note"),
            TextMark(middle, under, below, legend.SMALL, "note"),
        ]
        return [text for text in texts if text.text]

    def _labels(self) -> list[TextMark]:
        """Return the names of the nodes: inputs at the left, outputs above."""
        size, texts = legend.LETTERS, []
        for column, name in enumerate(self.column_names):
            middle = self._place(0, column).middle
            texts.append(TextMark(middle, self.top - 10, name, size, "label"))
        for row, name in enumerate(self.row_names):
            y = self._place(row, 0).top + PLOT_HEIGHT / 2 + 0.35 * size
            texts.append(TextMark(self.left - 4, y, name, size, "label", "end"))
        return texts

    def _box(self, view: EdgeView) -> Rect:
        return self._place(self.shown.rows.index(view.i), self.shown.columns.index(view.j))

    def _place(self, row: int, column: int) -> Rect:
        """Return the box of the plot in a row and a column."""
        left = self.left + column * self.pitch + self.beside
        top = self.top + row * self.rise + self.formula
        return Rect(left, top, self.plot_width, PLOT_HEIGHT)


def _names(snapshot: Snapshot, layer: int, nodes: Iterable[int], room: float) -> list[str]:
    names = (labels.node_name(snapshot.node(layer, node)) for node in nodes)
    return [labels.fit(name, room, legend.LETTERS) for name in names]
