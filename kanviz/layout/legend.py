"""The words around a network picture: node labels, title, what was left out, and the key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kanviz.layout import labels, paths
from kanviz.layout.marks import Anchor, Chain, KeyKind, KeyMark, NodeMark, TextMark
from kanviz.snapshot import EdgeView, NodeView, Snapshot

LETTERS = 14.0
"""Font size of level node labels and of the title, in pixels."""

SMALL = 12.0
"""Font size of upright labels, formulas, notes and the key."""

SECOND = 15.0
"""How far the second line of a label stands below its first."""

LEVEL = 64.0
"""Narrowest room in which a level label is cut rather than turned upright."""

LONGEST = 112.0
"""Longest label that is set upright."""

TIGHT = 1.25
"""Nearest distance of two upright labels, in the height of their letters."""

NAME_ROOM = 60.0
"""Narrowest room of a hidden node that has its short name beside it."""

BARE = 6.0
"""Height of a row of nodes without labels."""

LINE = 22.0
"""Height of a line of notes."""

KEY_SAMPLE, KEY_GAP = 18.0, 16.0
"""Width of a sample in the key, and room between two entries."""

MEANING: dict[KeyKind, str] = {
    "spline": "spline",
    "symbolic": "formula",
    "pruned": "removed",
    "frozen": "frozen",
    "locked": "locked together",
}


@dataclass(frozen=True)
class RowLabels:
    """The labels of one row of nodes, by index, all level or all upright."""

    words: Mapping[int, tuple[str, str]]
    """Two lines, the second, which is smaller, often empty; upright labels have one."""
    upright: bool
    height: float
    """What the row takes of the height, with the gap to the nodes; also where it is not drawn."""

    def marks(self, nodes: Iterable[NodeMark], *, below: bool) -> list[TextMark]:
        """Return the labels at their nodes, below them or above."""
        side = 1 if below else -1
        anchor: Anchor = "end" if below else "start"
        texts = []
        for node in (node for node in nodes if node.node.index in self.words):
            word, second = self.words[node.node.index]
            y = node.y + side * (node.radius + 6)
            if self.upright:
                x = node.x + 0.35 * SMALL
                texts.append(TextMark(x, y, word, SMALL, "label", anchor, upright=True))
            else:
                y += 0.75 * LETTERS if below else -SECOND if second else 0.0
                texts.append(TextMark(node.x, y, word, LETTERS, "label"))
                texts.append(TextMark(node.x, y + SECOND, second, SMALL, "note"))
        return texts


def row_labels(
    snapshot: Snapshot, views: Sequence[EdgeView], layer: int, width: float
) -> RowLabels:
    """Choose the labels of the nodes of ``layer`` that fit a row of ``width`` pixels.

    Where not even upright labels fit side by side, only nodes with a drawn edge are labelled,
    those at the strongest edges first.
    """
    nodes = [node for node in snapshot.nodes if node.layer == layer and labels.plain(node.label)]
    pitch = width / snapshot.widths[layer]
    widest = max((labels.text_width(labels.plain(n.label), LETTERS) for n in nodes), default=0.0)
    if widest <= pitch - 6 or pitch >= LEVEL:
        words = {node.index: labels.lines(node.label, pitch - 6, LETTERS) for node in nodes}
        more = SECOND if any(second for _, second in words.values()) else 0.0
        return RowLabels(words, upright=False, height=LETTERS + 12 + more if nodes else BARE)
    words = {node.index: (labels.cut_middle(node.label, LONGEST, SMALL), "") for node in nodes}
    height = max(labels.text_width(word, SMALL) for word, _ in words.values()) + 14
    if pitch < TIGHT * SMALL:
        words = {node.index: words[node.index] for node in _apart(nodes, views, width)}
    return RowLabels(words, upright=True, height=height)


def _apart(nodes: Sequence[NodeView], views: Sequence[EdgeView], width: float) -> list[NodeView]:
    """Return nodes with edges, far enough apart for upright labels, strongest edges first."""
    best: dict[tuple[int, int], float] = {}
    for view in views:
        for end in ((view.layer, view.i), (view.layer + 1, view.j)):
            best[end] = max(best.get(end, 0.0), view.strength)
    touched = [node for node in nodes if (node.layer, node.index) in best]
    kept: list[NodeView] = []
    for node in sorted(touched, key=lambda n: (-best[n.layer, n.index], n.index)):
        if all(abs(node.x - other.x) * width >= TIGHT * SMALL for other in kept):
            kept.append(node)
    return kept


def hidden_labels(nodes: Sequence[NodeMark], room: float) -> list[TextMark]:
    """Return the words at the right of the nodes of a hidden layer, where there is ``room``.

    These are their labels; a node without one has its short name, ``h1.2``.
    """
    texts = []
    for mark in nodes:
        word = labels.plain(mark.node.label)
        if word and room >= LEVEL:
            word = labels.fit(word, room / 2 - mark.radius - 8, SMALL)
        else:
            word = labels.node_name(mark.node) if room >= NAME_ROOM and not word else ""
        x, y = mark.x + mark.radius + 5, mark.y + 0.35 * SMALL
        texts.append(TextMark(x, y, word, SMALL, "note", "start"))
    return texts


def key_kinds(views: Iterable[EdgeView]) -> list[KeyKind]:
    """Return what the key must explain: nothing where all edges are plain splines."""
    present: dict[KeyKind, bool] = dict.fromkeys(MEANING, False)
    for view in views:
        present[view.state] = True
        present["frozen"] |= view.frozen
        present["locked"] |= view.locked
    kinds = [kind for kind in MEANING if present[kind]]
    return [] if kinds == ["spline"] else kinds


def key_width(kinds: Sequence[KeyKind]) -> float:
    """Return the width of the key, which is one line."""
    return max(sum(map(_entry_width, kinds)) - KEY_GAP, 0.0)


def key_marks(kinds: Sequence[KeyKind], middle: float, y: float) -> list[KeyMark]:
    """Return the key as one line around ``middle``, its text on the baseline ``y``."""
    x = middle - key_width(kinds) / 2
    marks = []
    for kind in kinds:
        text = TextMark(x + KEY_SAMPLE + 6, y, MEANING[kind], SMALL, "note", "start")
        marks.append(KeyMark(kind, _sample(kind, x, y - 0.33 * SMALL, KEY_SAMPLE), text))
        x += _entry_width(kind)
    return marks


def _entry_width(kind: KeyKind) -> float:
    return KEY_SAMPLE + 6 + labels.text_width(MEANING[kind], SMALL) + KEY_GAP


def _sample(kind: KeyKind, x: float, y: float, width: float) -> tuple[Chain, ...]:
    if kind == "frozen":
        return paths.snowflake(x + width / 2, y, 5.0)
    if kind == "locked":
        return paths.rings(x + width / 2, y, 5.0)
    return (((x, y), (x + width, y)),)
