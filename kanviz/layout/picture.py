"""The geometry of the network picture: a snapshot in, marks in pixels out.

Inputs stand below, outputs on top. The curve of every edge stands in a box between its two nodes;
the boxes of the edges into one node stand together below that node, which sums them.
"""

import itertools
from collections.abc import Sequence
from typing import Literal, get_args

from kanviz.layout import labels, legend, paths, rise
from kanviz.layout.marks import Badge, EdgeMark, KeyMark, NodeMark, Picture, Rect, TextMark
from kanviz.layout.slots import GAP, Slot, edge_slots
from kanviz.snapshot import EdgeView, Snapshot

PrunedStyle = Literal["ghost", "off"]

RISE = 165.0
"""Distance of two layers with few edges between them; lengths are in pixels."""

NARROWEST, WIDEST = 380.0, 1200.0
"""Width of the canvas when it is ours to choose."""

SLOPE = 0.05
"""Part of the width that every layer is higher."""

SHRINK = 0.6
"""Least size of a network on a canvas of given size, as part of what it prefers."""

NODE = 5.5
"""Radius of a node where there is room."""

SIDE = 24.0
"""Free margin at the left and the right."""


def picture(
    snapshot: Snapshot, *, pruned: PrunedStyle = "ghost", size: tuple[float, float] | None = None
) -> Picture:
    """Return every mark of the picture of ``snapshot``.

    Parameters
    ----------
    snapshot : Snapshot
        The network to draw.
    pruned : "ghost" or "off"
        Draw pruned edges pale and dashed, or leave them out.
    size : (width, height) in pixels, optional
        The canvas; by default as large as the network needs. Where it needs much more than this,
        the canvas only has the proportions of ``size``, to be drawn smaller.

    Raises
    ------
    ValueError
        If ``pruned`` is neither.
    """
    if pruned not in get_args(PrunedStyle):
        raise ValueError(f"pruned must be one of {get_args(PrunedStyle)}; got {pruned!r}.")
    views = [view for view in snapshot.edges if pruned == "ghost" or view.state != "pruned"]
    page = _page(snapshot, views, size)
    width, height = page.width, page.height
    frame = Rect(SIDE, page.top, width - 2 * SIDE, height - page.top - page.bottom)
    nodes = _node_marks(snapshot, views, frame)
    return Picture(
        width=width,
        height=height,
        nodes=nodes,
        edges=tuple(_edge_marks(snapshot, views, nodes, frame)),
        texts=tuple(page.texts(nodes)),
        key=tuple(page.key()),
    )


def _page(
    snapshot: Snapshot, views: Sequence[EdgeView], size: tuple[float, float] | None
) -> "_Page":
    """Return a page of the preferred size, or of the proportions of ``size`` and large enough."""
    width = _preferred_width(snapshot.widths, views)
    if size is None:
        return _Page(snapshot, views, width)
    scale = max(1.0, SHRINK * width / size[0])
    least = _Page(snapshot, views, size[0] * scale).least
    scale = max(scale, least / size[1])
    return _Page(snapshot, views, size[0] * scale, size[1] * scale)


class _Page:
    """The words of a picture and the room that they take above and below the network."""

    def __init__(
        self,
        snapshot: Snapshot,
        views: Sequence[EdgeView],
        width: float,
        height: float | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.width = width
        self.last = len(snapshot.widths) - 1
        inner = width - 2 * SIDE
        self.inputs = legend.row_labels(snapshot, views, 0, inner)
        self.outputs = legend.row_labels(snapshot, views, self.last, inner)
        self.title = labels.fit(snapshot.title, inner, legend.LETTERS * labels.BOLD)
        self.note = labels.left_out(len(snapshot.edges), snapshot.n_edges)
        self.kinds = legend.key_kinds(views)
        self.top = 10 + (legend.LINE if self.title else 0) + self.outputs.height
        self.bottom = 12 + legend.LINE * (bool(self.note) + bool(self.kinds)) + self.inputs.height
        rises = sum(rise(before * after) for before, after in itertools.pairwise(snapshot.widths))
        self.least = self.top + self.bottom + SHRINK * RISE * rises
        # Higher for more edges, and for lines that go far aside.
        preferred = self.top + self.bottom + RISE * rises + SLOPE * width * self.last
        self.height = preferred if height is None else height

    def texts(self, nodes: Sequence[NodeMark]) -> list[TextMark]:
        rows: dict[int, list[NodeMark]] = {}
        for mark in nodes:
            rows.setdefault(mark.node.layer, []).append(mark)
        texts = self.inputs.marks(rows[0], below=True)
        texts += self.outputs.marks(rows[self.last], below=False)
        for layer in range(1, self.last):
            room = (self.width - 2 * SIDE) / self.snapshot.widths[layer]
            texts += legend.hidden_labels(rows[layer], room)
        middle, small = self.width / 2, legend.SMALL
        if self.note:
            note = labels.fit(self.note, self.width - 16, small)
            texts.append(TextMark(middle, self.height - 12, note, small, "note"))
        if self.title:
            texts.append(TextMark(middle, 22, self.title, legend.LETTERS, "title"))
        return [text for text in texts if text.text]

    def key(self) -> list[KeyMark]:
        y = self.height - 12 - (legend.LINE if self.note else 0)
        return legend.key_marks(self.kinds, self.width / 2, y)


def _preferred_width(widths: Sequence[int], views: Sequence[EdgeView]) -> float:
    """Return the width at which the boxes of every layer stand in one row, within limits.

    The key fits at any rate.
    """
    columns = [0.0]
    for layer, width in enumerate(widths[1:]):
        columns.append(sum(view.layer == layer for view in views) + GAP * width)
    narrowest = max(NARROWEST, legend.key_width(legend.key_kinds(views)) + 2 * SIDE)
    return min(max(1.3 * BOX * max(columns) + 2 * SIDE, narrowest), WIDEST)


def _node_marks(snapshot: Snapshot, views: Sequence[EdgeView], frame: Rect) -> tuple[NodeMark, ...]:
    used = [view for view in views if view.state != "pruned"]
    live = {(view.layer, view.i) for view in used} | {(view.layer + 1, view.j) for view in used}
    marks = []
    for node in snapshot.nodes:
        radius = min(NODE, 0.24 * frame.width / snapshot.widths[node.layer])
        marks.append(
            NodeMark(
                node=node,
                x=frame.left + node.x * frame.width,
                y=frame.bottom - node.y * frame.height,
                radius=max(radius, 0.8),
                live=(node.layer, node.index) in live,
            )
        )
    return tuple(marks)


def _edge_marks(
    snapshot: Snapshot, views: Sequence[EdgeView], nodes: Sequence[NodeMark], frame: Rect
) -> list[EdgeMark]:
    """Return the marks of all edges, the strongest last so that it lies on top."""
    rows: list[list[NodeMark]] = [[] for _ in snapshot.widths]
    for node in nodes:
        rows[node.node.layer].append(node)
    marks: list[EdgeMark] = []
    for layer, (lower, upper) in enumerate(itertools.pairwise(rows)):
        here = [view for view in views if view.layer == layer]
        marks += band_marks(here, lower, upper, frame)
    return sorted(marks, key=lambda mark: (mark.view.state != "pruned", mark.plot.opacity))


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
