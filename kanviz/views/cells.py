"""One function of a layer as a small plot with data points, knots, numbers and formula."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kanviz.snapshot import EdgeView
from kanviz.views import labels, legend, paths
from kanviz.views.band import badges_at
from kanviz.views.marks import Badge, PlotMark, Point, Rect, TextMark

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
