"""The edges between two rows of nodes: their boxes, curves, connectors and signs."""

from collections.abc import Sequence

from kanviz.snapshot import EdgeView
from kanviz.views import labels, legend, paths
from kanviz.views.marks import Badge, EdgeMark, NodeMark, Rect, TextMark
from kanviz.views.slots import Slot, edge_slots

BOX = 54.0
"""Side of a box where there is room; lengths are in pixels."""

CAPTION = 17.0
"""Height of a formula below its box."""

LINES = 0.46
"""Part of the height that lines get, the rest being for boxes."""

ENOUGH = 155.0
"""Height for lines that is enough however high the band."""


def band_marks(
    views: Sequence[EdgeView],
    lower: Sequence[NodeMark],
    upper: Sequence[NodeMark],
    frame: Rect,
) -> list[EdgeMark]:
    """Return the marks of the edges between two rows of nodes.

    Parameters
    ----------
    views : sequence of EdgeView
        Edges of one layer.
    lower, upper : sequences of NodeMark
        All nodes at their start and at their end, by index.
    frame : Rect
        Its left and right are the limits for boxes.
    """
    if not views:
        return []
    slots = _slots(views, lower, upper, frame)
    captions = [_caption(view, slot) for view, slot in zip(views, slots, strict=True)]
    floor = max(slot.box.bottom for slot in slots) + (CAPTION if any(captions) else 0)
    ceiling = min(slot.box.top for slot in slots)
    largest = max(map(paths.half_range, views))
    marks = []
    for view, slot, caption in zip(views, slots, captions, strict=True):
        start, end = lower[view.i], upper[view.j]
        foot = slot.box.bottom + (CAPTION if caption else 0)
        into = paths.entry((start.x, start.y - start.radius), slot, foot, floor)
        out = paths.leave(slot, (end.x, end.y + end.radius), ceiling)
        marks.append(
            EdgeMark(
                plot=paths.small_plot(view, slot.box, largest),
                connectors=(into, out),
                badges=badges_at(view, slot.box),
                caption=caption,
            )
        )
    return marks


def _slots(
    views: Sequence[EdgeView],
    lower: Sequence[NodeMark],
    upper: Sequence[NodeMark],
    frame: Rect,
) -> list[Slot]:
    """Return the places of the boxes: the side where lines go further aside gets more height."""
    high = max(node.y + node.radius for node in upper)
    low = min(node.y - node.radius for node in lower)
    height = max(low - high, 1.0)
    area = Rect(frame.left, 0.0, frame.width, max((1 - LINES) * height, height - ENOUGH))
    slots = edge_slots([(view.i, view.j) for view in views], [n.x for n in upper], area, BOX)
    above = below = height / 2
    for view, slot in zip(views, slots, strict=True):
        above = max(above, abs(slot.box.middle - upper[view.j].x))
        below = max(below, abs(slot.box.middle - lower[view.i].x))
    share = min(max(above / (above + below), 0.35), 0.6)
    top = high + share * (height - max(slot.box.bottom for slot in slots))
    return [slot._replace(box=slot.box._replace(top=slot.box.top + top)) for slot in slots]


def badges_at(view: EdgeView, box: Rect) -> tuple[Badge, ...]:
    """Return the signs on the upper corners: frozen at the right, locked at the left."""
    radius = min(7.0, 0.2 * box.width)
    badges = []
    if view.frozen:
        strokes = paths.snowflake(box.right, box.top, 0.75 * radius)
        badges.append(Badge("frozen", box.right, box.top, radius, strokes))
    if view.locked:
        strokes = paths.rings(box.left, box.top, 0.75 * radius)
        badges.append(Badge("locked", box.left, box.top, radius, strokes))
    return tuple(badges)


def _caption(view: EdgeView, slot: Slot) -> TextMark | None:
    """Return the formula below the box, where the row has room for words."""
    if not view.formula or not (slot.lowest and slot.highest) or slot.pitch < 0.7 * BOX:
        return None
    text = labels.formula(view, slot.pitch - 4, legend.SMALL)
    return TextMark(slot.box.middle, slot.box.bottom + 12, text, legend.SMALL, "formula")
