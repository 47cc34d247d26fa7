"""The lines of a picture: curves scaled into their boxes, connectors, and small marks.

Coordinates are pixels with y downwards. A connector is a chain of cubic Bezier pieces: a start and
then three points per piece, which both matplotlib and SVG draw as they are.
"""

import math

from kanviz.layout import Rect, Slot
from kanviz.views.marks import Chain, Point

MARGIN = 0.12
"""Free part of a box at each side of its curve."""

FLAT = 1e-6
"""A curve whose range is below this part of its layer's largest is drawn as flat: it is rounding."""


def scaled_curve(
    x: tuple[float, ...], y: tuple[float, ...], box: Rect, largest_range: float
) -> tuple[Point, ...]:
    """Return the curve scaled to fill ``box`` but for a margin; a flat one runs through the middle.

    Parameters
    ----------
    x, y : (points,)
        The curve in its own units.
    box : Rect
        Where to draw it.
    largest_range : float
        Largest range of y among the curves of the layer, for telling a flat curve from a small one.
    """
    across = _scale(x, box.left, box.right, 0.0)
    down = _scale(y, box.bottom, box.top, FLAT * largest_range)
    if len(x) == 1:
        return ((box.left + MARGIN * box.width, down[0]), (box.right - MARGIN * box.width, down[0]))
    return tuple(zip(across, down, strict=True))


def zero_line(y: tuple[float, ...], box: Rect, largest_range: float) -> float | None:
    """Return the height in ``box`` at which its curve is 0; None where it never is."""
    if not y or not min(y) < 0 < max(y) or max(y) - min(y) <= FLAT * largest_range:
        return None
    return _scale((*y, 0.0), box.bottom, box.top, 0.0)[-1]


def _scale(values: tuple[float, ...], start: float, end: float, flat: float) -> list[float]:
    """Map the range of ``values`` onto [start, end] less the margins; to the middle if flat."""
    if not values:
        return []
    low, high = min(values), max(values)
    middle, room = (start + end) / 2, (1 - 2 * MARGIN) * (end - start)
    # Halves, because the range of two finite numbers may overflow.
    half = high / 2 - low / 2
    if half * 2 <= flat or half == 0:
        return [middle] * len(values)
    centre = high / 2 + low / 2
    return [middle + room * (value / 2 - centre / 2) / half for value in values]


def entry(start: Point, slot: Slot, floor: float) -> Chain:
    """Return the connector from a node below to the box, entering from below or from the left.

    ``floor`` is a y below all boxes of the layer. Under it the line swings to its column, above it
    runs straight up beside or below its own box, so it crosses no box.
    """
    box = slot.box
    if slot.lowest:
        return (start, *_swing(start, (box.middle, floor)), *_run((box.middle, box.bottom)))
    turn = (box.left - _lane(slot), floor)
    corner, end = (turn[0], _level(box)), (box.left, _level(box))
    return (start, *_swing(start, turn), *_run((corner[0], corner[1] + _lane(slot))), corner, corner, end)


def leave(slot: Slot, end: Point, ceiling: float) -> Chain:
    """Return the connector from the box to a node above, leaving upwards or to the right."""
    box = slot.box
    if slot.highest:
        turn = (box.middle, ceiling)
        return ((box.middle, box.top), *_run(turn), *_swing(turn, end))
    turn = (box.right + _lane(slot), ceiling)
    corner, start = (turn[0], _level(box)), (box.right, _level(box))
    bend = (corner[0], corner[1] - _lane(slot))
    return (start, corner, corner, bend, *_run(turn), *_swing(turn, end))


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
