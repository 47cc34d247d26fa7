"""The geometry of the network picture: a snapshot in, marks in pixels out.

Inputs stand below, outputs on top. The curve of every edge stands in a box between its two nodes;
the boxes of the edges into one node stand together below that node, which sums them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from kanviz.layout import GAP, Rect, Slot, edge_slots, rise
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.views import labels, legend, paths
from kanviz.views.marks import Badge, EdgeMark, KeyMark, NodeMark, Picture, TextMark

PrunedStyle = Literal["ghost", "off"]

BOX = 54.0
"""Side of a box where there is room; lengths are in pixels."""

RISE = 165.0
"""Distance of two layers with few edges between them."""

NARROWEST, WIDEST = 380.0, 1200.0
"""Width of the canvas when it is ours to choose."""

NODE = 6.0
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
        The canvas; by default as large as the network needs.

    Raises
    ------
    ValueError
        If ``pruned`` is neither.
    """
    if pruned not in get_args(PrunedStyle):
        raise ValueError(f"pruned must be one of {get_args(PrunedStyle)}; got {pruned!r}.")
    views = [view for view in snapshot.edges if pruned == "ghost" or view.state != "pruned"]
    width = size[0] if size else _preferred_width(snapshot.widths, views)
    page = _Page(snapshot, views, width)
    height = size[1] if size else page.top + page.bottom + _preferred_rise(snapshot.widths)
    frame = Rect(SIDE, page.top, width - 2 * SIDE, max(1.0, height - page.top - page.bottom))
    nodes = _node_marks(snapshot, views, frame)
    return Picture(
        width=width,
        height=height,
        nodes=nodes,
        edges=tuple(_edge_marks(snapshot, views, nodes, frame)),
        texts=tuple(page.texts(nodes, height)),
        key=tuple(page.key(height)),
    )


class _Page:
    """The words of a picture and the room that they take above and below the network."""

    def __init__(self, snapshot: Snapshot, views: Sequence[EdgeView], width: float) -> None:
        self.snapshot = snapshot
        self.width = width
        self.last = len(snapshot.widths) - 1
        inner = width - 2 * SIDE
        self.inputs = legend.row_labels(snapshot, views, 0, inner)
        self.outputs = legend.row_labels(snapshot, views, self.last, inner)
        self.title = labels.fit(snapshot.title, inner, legend.LETTERS)
        self.note = labels.left_out(len(snapshot.edges), snapshot.n_edges)
        self.kinds = legend.key_kinds(views)
        self.top = 10 + (legend.LINE if self.title else 0) + self.outputs.height
        self.bottom = 12 + legend.LINE * (bool(self.note) + bool(self.kinds)) + self.inputs.height

    def texts(self, nodes: Sequence[NodeMark], height: float) -> list[TextMark]:
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
            texts.append(TextMark(middle, height - 12, note, small, "note"))
        if self.title:
            texts.append(TextMark(middle, 22, self.title, legend.LETTERS, "title"))
        return [text for text in texts if text.text]

    def key(self, height: float) -> list[KeyMark]:
        y = height - 12 - (legend.LINE if self.note else 0)
        return legend.key_marks(self.kinds, self.width / 2, y)


def _preferred_width(widths: Sequence[int], views: Sequence[EdgeView]) -> float:
    """Return the width at which the boxes of every layer stand in one row, within limits."""
    columns = [0.0]
    for layer, width in enumerate(widths[1:]):
        columns.append(sum(view.layer == layer for view in views) + GAP * width)
    return min(max(1.3 * BOX * max(columns) + 2 * SIDE, NARROWEST), WIDEST)


def _preferred_rise(widths: Sequence[int]) -> float:
    return RISE * sum(rise(before * after) for before, after in itertools.pairwise(widths))


def _node_marks(
    snapshot: Snapshot, views: Sequence[EdgeView], frame: Rect
) -> tuple[NodeMark, ...]:
    live = {end for view in views if view.state != "pruned" for end in _ends(view)}
    marks = []
    for node in snapshot.nodes:
        radius = min(NODE, 0.36 * frame.width / snapshot.widths[node.layer])
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


def _ends(view: EdgeView) -> tuple[tuple[int, int], tuple[int, int]]:
    return (view.layer, view.i), (view.layer + 1, view.j)


def _edge_marks(
    snapshot: Snapshot, views: Sequence[EdgeView], nodes: Sequence[NodeMark], frame: Rect
) -> list[EdgeMark]:
    """Return the marks of all edges, in the order of ``views``."""
    by_address = {(mark.node.layer, mark.node.index): mark for mark in nodes}
    marks: dict[object, EdgeMark] = {}
    for layer in range(len(snapshot.widths) - 1):
        here = [view for view in views if view.layer == layer]
        if here:
            lower = [by_address[layer, i] for i in range(snapshot.widths[layer])]
            upper = [by_address[layer + 1, j] for j in range(snapshot.widths[layer + 1])]
            for mark in _Layer(here, lower, upper, frame).marks():
                marks[mark.view.edge] = mark
    return [marks[view.edge] for view in views]


@dataclass(frozen=True)
class _Layer:
    """The edges of one layer between two rows of nodes."""

    views: Sequence[EdgeView]
    lower: Sequence[NodeMark]
    upper: Sequence[NodeMark]
    frame: Rect

    def marks(self) -> list[EdgeMark]:
        slots = edge_slots(
            [(view.i, view.j) for view in self.views],
            [node.x for node in self.upper],
            self._area(),
            BOX,
        )
        largest = max(_range(view) for view in self.views)
        floor = max(slot.box.bottom for slot in slots)
        ceiling = min(slot.box.top for slot in slots)
        return [
            self._mark(view, slot, largest, floor, ceiling)
            for view, slot in zip(self.views, slots, strict=True)
        ]

    def _area(self) -> Rect:
        """Return the part of the gap between the rows in which boxes stand: lines need the rest."""
        high = self.upper[0].y + self.upper[0].radius
        low = self.lower[0].y - self.lower[0].radius
        above, below = min(0.2 * (low - high), 64.0), min(0.27 * (low - high), 90.0)
        return Rect(self.frame.left, high + above, self.frame.width, low - high - above - below)

    def _mark(
        self, view: EdgeView, slot: Slot, largest: float, floor: float, ceiling: float
    ) -> EdgeMark:
        start, end = self.lower[view.i], self.upper[view.j]
        return EdgeMark(
            view=view,
            box=slot.box,
            curve=paths.scaled_curve(view.curve_x, view.curve_y, slot.box, largest),
            zero=paths.zero_line(view.curve_y, slot.box, largest),
            connectors=(
                paths.entry((start.x, start.y - start.radius), slot, floor),
                paths.leave(slot, (end.x, end.y + end.radius), ceiling),
            ),
            badges=_badges(view, slot.box),
            caption=_caption(view, slot),
        )


def _range(view: EdgeView) -> float:
    return max(view.curve_y) / 2 - min(view.curve_y) / 2 if view.curve_y else 0.0


def _badges(view: EdgeView, box: Rect) -> tuple[Badge, ...]:
    """Return the signs on the upper corners: frozen at the right, locked at the left."""
    radius = min(5.5, 0.2 * box.width)
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
    text = labels.fit(view.formula, slot.pitch - 4, legend.SMALL)
    return TextMark(slot.box.middle, slot.box.bottom + 13, text, legend.SMALL, "formula")
