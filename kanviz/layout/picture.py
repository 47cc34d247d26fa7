"""The geometry of the network picture: a snapshot in, marks in pixels out.

Inputs stand below, outputs on top. The curve of every edge stands in a box between its two nodes;
the boxes of the edges into one node stand together below that node, which sums them.

The browser places by the same rules (``frontend/src/diagram/layout.ts``), because its window may
change at any time; the constants are written for it from here, and a test holds both to the same
places.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from kanviz.layout import labels, legend, paths
from kanviz.layout.marks import (
    Badge,
    EdgeMark,
    FactorMark,
    KeyMark,
    NodeMark,
    Picture,
    Rect,
    TextMark,
)
from kanviz.layout.places import rise
from kanviz.layout.slots import GAP, Slot, edge_slots
from kanviz.snapshot import EdgeView, Snapshot

PrunedStyle = Literal["ghost", "off"]

RISE = 158.0
"""Distance of two layers with few edges between them; lengths are in pixels."""

NARROWEST, WIDEST = 380.0, 1200.0
"""Width of the canvas when it is ours to choose."""

COLUMN = 70.0
"""Width of a box and the room beside it, when the width of the canvas is ours to choose."""

SLOPE = 0.05
"""Part of the width that every layer is higher."""

SHRINK = 0.6
"""Least size of a network on a canvas of given size, as part of what it prefers."""

NODE = 5.5
"""Radius of a node where there is room."""

NODE_SHARE = 0.24
"""Largest radius of a node as a part of the room that it has in its row."""

SMALLEST_NODE = 0.8
"""Radius of a node in a row of very many."""

PRODUCT = 1.6
"""Radius of a node that multiplies, in that of one that adds."""

CROSS = 0.6
"""Length of an arm of its sign, as a part of its radius."""

FACTOR = 0.6
"""Radius of the dot of a factor, in that of a node that adds."""

DROP = 4.0
"""How far the dots of its factors stand below a product, in the radius of a node that adds."""

APART = 6.0
"""How far apart the dots of its factors stand, in the radius of a node that adds."""

FACTORS_SHARE = 0.7
"""Largest width of a product's factors as a part of the room that it has in its row."""

SIDE = 22.0
"""Free margin at the left and the right."""

RIM = 10.0
"""Free margin above the labels of the outputs and below those of the inputs."""

LARGEST = 200.0
"""Side of a box where there is room."""

CAPTION = 20.0
"""Height of a formula below its box."""

LINES = 0.46
"""Part of the height between two rows of nodes that lines get, the rest being for boxes."""

FEW_LINES = 0.36
"""The same where there are more than ``MANY`` boxes, which need the height."""

MANY = 100
"""Most boxes of a layer whose lines get their full part of the height."""

ENOUGH = 150.0
"""Height for lines that is enough however high the band."""

LEAST_BOXES = 0.2
"""Part of the height that boxes keep where captions take much of it."""

SIDES = (0.35, 0.6)
"""Least and largest part of the height for lines that stands above the boxes."""

BADGE = 7.0
"""Largest radius of a sign on the corner of a box."""

BADGE_SHARE = 0.2
"""The same as a part of the side of the box."""


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
    nodes = _node_marks(snapshot, views, page.frame)
    return Picture(
        width=page.width,
        height=page.height,
        area=page.area,
        nodes=nodes,
        edges=tuple(_edge_marks(snapshot, views, nodes, page.frame)),
        texts=tuple(page.texts(nodes)),
        key=tuple(page.key()),
    )


def _page(
    snapshot: Snapshot, views: Sequence[EdgeView], size: tuple[float, float] | None
) -> "_Page":
    """Return a page of the preferred size, or of the proportions of ``size`` and large enough."""
    sums = [len(snapshot.owners_of(layer)) for layer in range(len(snapshot.widths))]
    width = _preferred_width(sums, views)
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
        above = legend.LINE if self.title else 0.0
        below = legend.LINE * (bool(self.note) + bool(self.kinds))
        rows = 2 * RIM + self.inputs.height + self.outputs.height
        rises = sum(rise(before * after) for before, after in itertools.pairwise(snapshot.widths))
        self.least = above + below + rows + SHRINK * RISE * rises
        # Higher for more edges, and for lines that go far aside.
        preferred = above + below + rows + RISE * rises + SLOPE * width * self.last
        self.height = preferred if height is None else height
        self.area = Rect(0.0, above, width, self.height - above - below)
        top = above + RIM + self.outputs.height
        self.frame = Rect(SIDE, top, inner, self.area.height - rows)

    def texts(self, nodes: Sequence[NodeMark]) -> list[TextMark]:
        rows: dict[int, list[NodeMark]] = {}
        for mark in nodes:
            rows.setdefault(mark.node.layer, []).append(mark)
        texts = self.inputs.marks(rows[0], below=True)
        texts += self.outputs.marks(rows[self.last], below=False)
        for layer in range(1, self.last):
            room = self.frame.width / self.snapshot.widths[layer]
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


def _preferred_width(sums: Sequence[int], views: Sequence[EdgeView]) -> float:
    """Return the width at which the boxes of every layer stand in one row, within limits.

    The key fits at any rate.
    """
    columns = [0.0]
    for layer, count in enumerate(sums[1:]):
        columns.append(sum(view.layer == layer for view in views) + GAP * count)
    narrowest = max(NARROWEST, legend.key_width(legend.key_kinds(views)) + 2 * SIDE)
    return min(max(COLUMN * max(columns) + 2 * SIDE, narrowest), WIDEST)


def _node_marks(snapshot: Snapshot, views: Sequence[EdgeView], frame: Rect) -> tuple[NodeMark, ...]:
    used = [view for view in views if view.state != "pruned"]
    live = {(view.layer, view.i) for view in used}
    live |= {(view.layer + 1, snapshot.end(view).index) for view in used}
    marks = []
    for node in snapshot.nodes:
        room = frame.width / snapshot.widths[node.layer]
        mark = NodeMark(
            node=node,
            x=frame.left + node.x * frame.width,
            y=frame.bottom - node.y * frame.height,
            radius=max(min(NODE, NODE_SHARE * room), SMALLEST_NODE),
            live=(node.layer, node.index) in live,
        )
        marks.append(_multiplying(mark, room) if node.factors else mark)
    return tuple(marks)


def _multiplying(mark: NodeMark, room: float) -> NodeMark:
    """Return the mark of a product: larger, with its sign, and its factors in a row below it."""
    factors, plain = mark.node.factors, mark.radius
    step = min(APART * plain, FACTORS_SHARE * room / (len(factors) - 1))
    left, y = mark.x - step * (len(factors) - 1) / 2, mark.y + DROP * plain
    dots = tuple(FactorMark(j, left + n * step, y, FACTOR * plain) for n, j in enumerate(factors))
    radius = PRODUCT * plain
    cross = paths.cross(mark.x, mark.y, CROSS * radius)
    return replace(mark, radius=radius, factors=dots, cross=cross)


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
        ends = [upper[node].end(j) for j, node in enumerate(snapshot.owners_of(layer + 1))]
        marks += band_marks(here, lower, ends, frame)
    return sorted(
        marks, key=lambda mark: -1.0 if mark.view.state == "pruned" else mark.view.strength
    )


def band_marks(
    views: Sequence[EdgeView],
    lower: Sequence[NodeMark],
    upper: Sequence[NodeMark | FactorMark],
    frame: Rect,
) -> list[EdgeMark]:
    """Return the marks of the edges between two rows of nodes.

    Parameters
    ----------
    views : sequence of EdgeView
        Edges of one layer.
    lower : sequence of NodeMark
        All nodes at their start, by index.
    upper : sequence of NodeMark or FactorMark
        Where they end, by sum.
    frame : Rect
        Its left and right are the limits for boxes.
    """
    if not views:
        return []
    caption = CAPTION if any(view.state == "symbolic" for view in views) else 0.0
    slots = _slots(views, lower, upper, frame, caption)
    # Formulas stand below the boxes where these are one row: between rows there is no room.
    if not all(slot.lowest and slot.highest for slot in slots):
        caption = 0.0
    floor = max(slot.box.bottom for slot in slots) + caption
    ceiling = min(slot.box.top for slot in slots)
    largest = max(map(paths.half_range, views))
    marks = []
    for view, slot in zip(views, slots, strict=True):
        start, end = lower[view.i], upper[view.j]
        has_words = caption > 0 and view.state == "symbolic" and bool(view.formula)
        foot = slot.box.bottom + (caption if has_words else 0.0)
        # From and to the middle of a node, which lies on top.
        into = paths.entry((start.x, start.y), slot, foot, floor)
        out = paths.leave(slot, (end.x, end.y), ceiling)
        marks.append(
            EdgeMark(
                plot=paths.small_plot(view, slot.box, largest),
                connectors=(into, out),
                badges=badges_at(view, slot.box),
                caption=_caption(view, slot) if has_words else None,
            )
        )
    return marks


def _slots(
    views: Sequence[EdgeView],
    lower: Sequence[NodeMark],
    upper: Sequence[NodeMark | FactorMark],
    frame: Rect,
    caption: float,
) -> list[Slot]:
    """Return the places of the boxes: the side where lines go further aside gets more height."""
    high = max(node.y + node.radius for node in upper)
    low = min(node.y - node.radius for node in lower)
    height = max(low - high, 1.0)
    lines = FEW_LINES if len(views) > MANY else LINES
    room = max((1 - lines) * height, height - ENOUGH)
    area = Rect(frame.left, 0.0, frame.width, max(room - caption, LEAST_BOXES * height))
    # Left to right as the nodes stand, which need not be the order of their numbers.
    starts, ends = _ranks(lower), _ranks(upper)
    pairs = [(starts[view.i], ends[view.j]) for view in views]
    slots = edge_slots(pairs, sorted(node.x for node in upper), area, LARGEST)
    above = below = height / 2
    for view, slot in zip(views, slots, strict=True):
        above = max(above, abs(slot.box.middle - upper[view.j].x))
        below = max(below, abs(slot.box.middle - lower[view.i].x))
    share = min(max(above / (above + below), SIDES[0]), SIDES[1])
    top = high + share * (height - caption - max(slot.box.bottom for slot in slots))
    return [slot._replace(box=slot.box._replace(top=slot.box.top + top)) for slot in slots]


def _ranks(nodes: Sequence[NodeMark | FactorMark]) -> list[int]:
    """Return the place of each node, or end of edges, in its row, from the left."""
    ranks = [0] * len(nodes)
    for place, index in enumerate(sorted(range(len(nodes)), key=lambda index: nodes[index].x)):
        ranks[index] = place
    return ranks


def badges_at(view: EdgeView, box: Rect) -> tuple[Badge, ...]:
    """Return the signs on the corners: frozen upper right, locked upper left, shapes below."""
    radius = min(BADGE, BADGE_SHARE * box.width)
    badges = []
    if view.frozen:
        strokes = paths.snowflake(box.right, box.top, 0.75 * radius)
        badges.append(Badge("frozen", box.right, box.top, radius, strokes))
    if view.locked:
        strokes = paths.rings(box.left, box.top, 0.75 * radius)
        badges.append(Badge("locked", box.left, box.top, radius, strokes))
    for n, shape in enumerate(view.shapes):
        x = box.right - 2.4 * n * radius
        strokes = paths.shape_sign(shape, x, box.bottom, 0.65 * radius)
        badges.append(Badge("shape", x, box.bottom, radius, strokes))
    return tuple(badges)


def _caption(view: EdgeView, slot: Slot) -> TextMark | None:
    """Return the formula below the box, or the name of its function where there is little room."""
    text = labels.formula(view, slot.pitch - 4, legend.SMALL)
    y = slot.box.bottom + 13
    return TextMark(slot.box.middle, y, text, legend.SMALL, "formula") if text else None
