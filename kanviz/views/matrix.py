"""The functions of one layer as a matrix of small plots: their places, and the figure of them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from kanviz.layout import labels, legend, paths
from kanviz.layout.marks import Badge, KeyMark, PlotMark, Point, Rect, TextMark
from kanviz.layout.picture import badges_at
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.theme import Theme, ThemeName, blend, theme_named
from kanviz.views.figure import (
    POINTS,
    NotebookFigure,
    add,
    blank_figure,
    draw_badges,
    draw_key,
    draw_plots,
    draw_texts,
)

TINY = 9.0
"""Font size of the numbers, in pixels."""

TICK = 4.0
"""Length of the tick of a knot."""

FORMULA = legend.SMALL + 6
"""Height of a formula above its plot."""


@dataclass(frozen=True)
class Cell:
    """A plot, the data points on its curve, the ticks of its knots, its signs and words."""

    plot: PlotMark
    samples: tuple[Point, ...]
    knots: tuple[tuple[Point, Point], ...]
    badges: tuple[Badge, ...]
    texts: tuple[TextMark, ...]


def cell(view: EdgeView, box: Rect, largest: float, room: float) -> Cell:
    """Return the plot of ``view`` in ``box`` with its numbers.

    Parameters
    ----------
    view : EdgeView
        The function.
    box : Rect
        Of the plot alone; numbers stand at its left and below it, a formula above it.
    largest : float
        Largest ``paths.half_range`` of the layer.
    room : float
        Widest formula, in pixels.
    """
    plot = paths.small_plot(view, box, largest)
    if not view.curve_x.size:
        return Cell(plot, (), (), _badges(view, box), tuple(_formula(plot, room)))
    xs = view.curve_x.tolist()
    low, high = min(xs), max(xs)
    across = paths.scale(xs, box.left, box.right, 0.0)
    up = paths.scale(view.curve_y.tolist(), box.bottom, box.top, paths.FLAT * largest)
    samples = [
        (across(x), up(y))
        for x, y in zip(view.sample_x.tolist(), view.sample_y.tolist(), strict=True)
        if low <= x <= high
    ]
    knots = [across(knot) for knot in view.knots.tolist() if low <= knot <= high]
    return Cell(
        plot=plot,
        samples=tuple(point for point in samples if box.top < point[1] < box.bottom),
        knots=tuple(((x, box.bottom - TICK), (x, box.bottom)) for x in knots),
        badges=_badges(view, box),
        texts=(*_numbers(plot), *_formula(plot, room)),
    )


def width_beside(views: Iterable[EdgeView]) -> float:
    """Return the width that the numbers at the left of the plots of ``views`` need."""
    ends = (end for view in views for end in _ends(view.curve_y))
    return max((labels.text_width(end, TINY) for end in ends), default=0.0) + 5


def width_below(views: Iterable[EdgeView]) -> float:
    """Return the width that two numbers side by side below a plot need."""
    sums = (sum(labels.text_width(end, TINY) for end in _ends(view.curve_x)) for view in views)
    return max(sums, default=0.0) + 8


def _ends(values: np.ndarray) -> tuple[str, ...]:
    """Return the ends of a range as text: one where both are written alike."""
    if not values.size:
        return ()
    ends = labels.number(float(values.min())), labels.number(float(values.max()))
    return ends if ends[0] != ends[1] else ends[:1]


def _numbers(plot: PlotMark) -> list[TextMark]:
    """Return the ends of the ranges of x, below the plot, and of y, at its left."""
    box, below, drop = plot.box, plot.box.bottom + TINY + 2, 0.35 * TINY
    levels = {max(y for _, y in plot.curve), min(y for _, y in plot.curve)}
    names = _ends(plot.view.curve_y)
    if len(names) < 2 or len(levels) < 2:
        names, levels = names[:1], {box.top + box.height / 2}
    heights = sorted(levels, reverse=True)
    texts = [
        TextMark(box.left - 4, y + drop, name, TINY, "note", "end")
        for name, y in zip(names, heights, strict=True)
    ]
    low, *high = _ends(plot.view.curve_x)
    if not high:
        return [*texts, TextMark(box.middle, below, low, TINY, "note")]
    texts.append(TextMark(box.left, below, low, TINY, "note", "start"))
    return [*texts, TextMark(box.right, below, high[0], TINY, "note", "end")]


def _badges(view: EdgeView, box: Rect) -> tuple[Badge, ...]:
    """Return the signs on the upper edge, clear of the number at the left."""
    return badges_at(view, Rect(box.left + 14, box.top, box.width - 14, box.height))


def _formula(plot: PlotMark, room: float) -> list[TextMark]:
    """Return the formula above the plot, if there is one."""
    text = labels.formula(plot.view, room, legend.SMALL)
    if not text:
        return []
    return [TextMark(plot.box.middle, plot.box.top - 5, text, legend.SMALL, "formula")]


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
    shown = Selection(views, snapshot.widths[layer], len(snapshot.owners_of(layer + 1)), most)
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
        self.inputs, self.outputs = snapshot.widths[layer], len(snapshot.owners_of(layer + 1))
        self.total = self.inputs * self.outputs
        self.title = snapshot.title
        self.kinds = legend.key_kinds(shown.views)
        self.beside = width_beside(shown.views)
        columns = [labels.end_name(snapshot, layer + 1, j) for j in shown.columns]
        self.plot_width = max(PLOT_WIDTH, width_below(shown.views))
        if snapshot.owners:  # which factor it is stands at the end of a name
            widest = max(labels.text_width(name, legend.LETTERS) for name in columns)
            self.plot_width = max(self.plot_width, min(widest, LONGEST) - GAP)
        self.formula = FORMULA if any(view.formula for view in shown.views) else 0.0
        self.pitch = self.beside + self.plot_width + GAP
        self.rise = self.formula + PLOT_HEIGHT + TINY + GAP
        rows = (labels.node_name(snapshot.node(layer, i)) for i in shown.rows)
        self.row_names = _fitted(rows, LONGEST)
        self.column_names = _fitted(columns, self.plot_width + GAP)
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
                cell(view, self._box(view), largest, self.pitch - 4) for view in self.shown.views
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


def _fitted(names: Iterable[str], room: float) -> list[str]:
    return [labels.fit(name, room, legend.LETTERS) for name in names]


MAX_EDGES = 100
"""Most plots by default: as many as can be read on a page."""

DOT, PALE = 3.6, 0.7
"""Width of a data point in pixels, and its share of ink where its edge is strongest."""


def layer_figure(
    snapshot: Snapshot,
    layer: int,
    *,
    theme: ThemeName = "light",
    max_edges: int = MAX_EDGES,
) -> NotebookFigure:
    """Draw the functions of one layer as a matrix: a row for each input, a column for each output.

    Every plot shows the curve over the range that the data visit, a few data points on it, and the
    knots as ticks at the bottom. The ends of the range of x stand below a plot, those of y at its
    left. Colours and dashes are those of ``network_figure``.

    Parameters
    ----------
    snapshot : Snapshot
        Where to find the layer.
    layer : int
        From 0, whose functions start at the inputs of the network.
    theme : "light" or "dark"
        The colours.
    max_edges : int
        Most plots. Of a layer that has more, or that is very long or wide, the nodes with the
        strongest edges are shown, and the number of edges left out is written below.

    Returns
    -------
    NotebookFigure
        Not known to pyplot. Save it with ``figure.savefig(path)``.

    Raises
    ------
    IndexError
        If there is no such layer.
    ValueError
        If ``theme`` is unknown or ``max_edges`` is less than 1.
    """
    colors = theme_named(theme)
    last = len(snapshot.widths) - 2
    if not 0 <= layer <= last:
        raise IndexError(f"layer must be from 0 to {last}; got {layer}. Choose one of these.")
    if max_edges < 1:
        raise ValueError(
            f"max_edges must be at least 1; got {max_edges}. Leave it out to see the strongest."
        )
    drawing = table(snapshot, layer, max_edges)
    figure, axes = blank_figure(drawing.width, drawing.height, colors)
    draw_plots(axes, [cell.plot for cell in drawing.cells], colors)
    _draw_details(axes, drawing.cells, colors)
    draw_badges(axes, [badge for cell in drawing.cells for badge in cell.badges], colors)
    draw_key(axes, drawing.key, colors)
    words = [text for cell in drawing.cells for text in cell.texts]
    words += [entry.text for entry in drawing.key]
    draw_texts(axes, [*drawing.texts, *words], colors)
    return figure


def _draw_details(axes: Axes, cells: Sequence[Cell], colors: Theme) -> None:
    """Draw the ticks of the knots, and the data points."""
    ticks = [tick for cell in cells for tick in cell.knots]
    add(axes, LineCollection(ticks, colors=colors.muted, linewidths=0.8 * POINTS), "knots", 3)
    points = [point for cell in cells for point in cell.samples]
    tones = [tone for cell in cells for tone in [_dot_color(cell, colors)] * len(cell.samples)]
    if points:
        x, y = zip(*points, strict=True)
        dots = axes.scatter(x, y, s=(DOT * POINTS) ** 2, c=tones, linewidths=0, zorder=5)
        dots.set_gid("samples")


def _dot_color(cell: Cell, colors: Theme) -> str:
    return blend(colors.ink, colors.panel, PALE * cell.plot.opacity)
