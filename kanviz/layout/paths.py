"""The lines of a picture: curves scaled into their boxes, connectors, and small marks.

Coordinates are pixels with y downwards. A connector is a chain of cubic Bezier pieces: a start and
then three points per piece, which both matplotlib and SVG draw as they are.
"""

import math
from collections.abc import Callable, Sequence

from kanviz.layout.marks import Chain, PlotMark, Point, Rect
from kanviz.layout.slots import Slot
from kanviz.snapshot import EdgeView

MARGIN = 0.12
"""Free part of a box at each side of its curve."""

FLAT = 1e-6
"""A curve is drawn as flat where its range is below this part of its layer's largest: rounding."""


def small_plot(view: EdgeView, box: Rect, largest: float) -> PlotMark:
    """Return the plot of an edge: its curve fills ``box`` but for a margin.

    A flat curve runs through the middle, and so does a removed one, which adds nothing: what it
    keeps for the day it comes back would only draw the eye. ``largest`` is the largest
    ``half_range`` of the layer, by which a flat curve is told from a small one.
    """
    flat = math.inf if view.state == "pruned" else FLAT * largest
    xs, ys = view.curve_x.tolist(), view.curve_y.tolist()
    across = scale(xs, box.left, box.right, 0.0)
    up = scale(ys, box.bottom, box.top, flat)
    curve = tuple((across(x), up(y)) for x, y in zip(xs, ys, strict=True))
    if len(curve) == 1:
        margin = MARGIN * box.width
        curve = ((box.left + margin, curve[0][1]), (box.right - margin, curve[0][1]))
    crosses = bool(curve) and min(ys) < 0 < max(ys)
    zero = up(0.0) if crosses and half_range(view) > flat else None
    return PlotMark(view, box, curve, zero, _band(view, box, across, up, flat))


def _band(
    view: EdgeView,
    box: Rect,
    across: Callable[[float], float],
    up: Callable[[float], float],
    flat: float,
) -> tuple[Point, ...]:
    """Return the outline of the band of a curve, cut off at the box; none of a flat curve."""
    if view.band is None or view.curve_x.size < 2 or not half_range(view) > flat:
        return ()
    xs, ys, reach = view.curve_x.tolist(), view.curve_y.tolist(), view.band.tolist()
    inside = [min(max(up(y + r), box.top), box.bottom) for y, r in zip(ys, reach, strict=True)]
    below = [min(max(up(y - r), box.top), box.bottom) for y, r in zip(ys, reach, strict=True)]
    rim = [(across(x), y) for x, y in zip(xs, inside, strict=True)]
    return (*rim, *reversed([(across(x), y) for x, y in zip(xs, below, strict=True)]))


def half_range(view: EdgeView) -> float:
    """Return half the range of a curve; half, because the whole may overflow."""
    return float(view.curve_y.max() / 2 - view.curve_y.min() / 2) if view.curve_y.size else 0.0


def scale(
    values: Sequence[float], start: float, end: float, flat: float
) -> Callable[[float], float]:
    """Return the map of the range of ``values`` onto [start, end] less the margins."""
    low, high = min(values, default=0.0) / 2, max(values, default=0.0) / 2
    middle, room = (start + end) / 2, (1 - 2 * MARGIN) * (end - start)
    if high - low <= flat:
        return lambda _: middle
    # Divided first, because a product with a huge range may overflow.
    return lambda value: middle + room * ((value / 2 - (low + high) / 2) / (high - low))


def entry(start: Point, slot: Slot, foot: float, floor: float) -> Chain:
    """Return the connector from a node below to the box, entering from below or from the left.

    ``floor`` is a y below all boxes of the layer, ``foot`` where a line from below ends. Under the
    floor the line swings to its column, above it runs straight up beside or below its own box, so
    it crosses no box.
    """
    box = slot.box
    if slot.lowest:
        return (start, *_swing(start, (box.middle, floor)), *_run((box.middle, foot)))
    lane, level = box.left - _lane(slot), _level(box)
    bend, corner = (lane, level + _lane(slot)), (lane, level)
    rise = (*_swing(start, (lane, floor)), *_run(bend))
    return (start, *rise, corner, corner, (box.left, level))


def leave(slot: Slot, end: Point, ceiling: float) -> Chain:
    """Return the connector from the box to a node above, leaving upwards or to the right.

    ``ceiling`` is a y above all boxes of the layer; see ``entry``.
    """
    box = slot.box
    if slot.highest:
        turn = (box.middle, ceiling)
        return ((box.middle, box.top), *_run(turn), *_swing(turn, end))
    lane, level = box.right + _lane(slot), _level(box)
    turn, corner, bend = (lane, ceiling), (lane, level), (lane, level - _lane(slot))
    return ((box.right, level), corner, corner, bend, *_run(turn), *_swing(turn, end))


def _swing(start: Point, end: Point) -> Chain:
    """Return the Bezier piece from ``start`` to ``end``, upright at both."""
    middle = (start[1] + end[1]) / 2
    return ((start[0], middle), (end[0], middle), end)


def _run(end: Point) -> Chain:
    """Return the Bezier piece of a straight line to ``end``."""
    return (end, end, end)


def _lane(slot: Slot) -> float:
    """Return how far from a box the lines of its column run: a third of the gap."""
    return (slot.pitch - slot.box.width) / 3


def _level(box: Rect) -> float:
    return box.top + box.height / 2


def snowflake(x: float, y: float, radius: float) -> tuple[Chain, ...]:
    """Return three strokes through (x, y): the mark of a frozen edge."""
    turns = (math.pi / 2, math.pi / 6, -math.pi / 6)
    arms = [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]
    return tuple(((x - dx, y - dy), (x + dx, y + dy)) for dx, dy in arms)


def cross(x: float, y: float, radius: float) -> tuple[Chain, ...]:
    """Return two strokes through (x, y): the sign of a node that multiplies."""
    arm = radius * math.sqrt(0.5)
    return tuple(((x - arm, y - way * arm), (x + arm, y + way * arm)) for way in (1, -1))


SIGNS: dict[str, tuple[float, ...]] = {
    "increasing": (-1, 0.8, 1, -0.8),
    "decreasing": (-1, -0.8, 1, 0.8),
    "convex": (-1, -0.8, -0.55, 0.35, 0, 0.8, 0.55, 0.35, 1, -0.8),
    "concave": (-1, 0.8, -0.55, -0.35, 0, -0.8, 0.55, -0.35, 1, 0.8),
    "even": (-1, -0.8, 0, 0.7, 1, -0.8),
    "odd": (-1, 0.7, -0.25, 0.7, 0.25, -0.7, 1, -0.7),
}
"""The sign of each shape that a curve may keep: x, y, x, y ... in a square of half side 1."""


def shape_sign(shape: str, x: float, y: float, radius: float) -> tuple[Chain, ...]:
    """Return the sign of a shape about (x, y); nothing for a shape that has none."""
    line = SIGNS.get(shape, ())
    points = zip(line[::2], line[1::2], strict=True)
    return (tuple((x + radius * u, y + radius * v) for u, v in points),) if line else ()


def rings(x: float, y: float, radius: float) -> tuple[Chain, ...]:
    """Return two linked rings around (x, y): the mark of edges locked to one function."""
    turns = [math.tau * n / 16 for n in range(17)]
    small = 0.62 * radius
    return tuple(
        tuple((x + shift + small * math.cos(t), y + small * math.sin(t)) for t in turns)
        for shift in (-0.45 * radius, 0.45 * radius)
    )


def rounded(box: Rect, corner: float) -> Chain:
    """Return the outline of ``box`` with corners of that radius, as a closed line of points."""
    centres = (
        (box.right - corner, box.bottom - corner),
        (box.left + corner, box.bottom - corner),
        (box.left + corner, box.top + corner),
        (box.right - corner, box.top + corner),
    )
    return tuple(
        (x + corner * math.cos(turn), y + corner * math.sin(turn))
        for quarter, (x, y) in enumerate(centres)
        for turn in ((quarter + step / 4) * math.pi / 2 for step in range(5))
    )
