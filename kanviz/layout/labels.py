"""Text in pictures: made harmless, cut to fit, and the words for an edge.

Every word that reaches a picture goes through here, so that the figure and the page say the same.
"""

import itertools
import unicodedata

import numpy as np

from kanviz.snapshot import EdgeView, NodeView, Snapshot

ELLIPSIS = "\u2026"

WIDE_LETTERS = f"mwMW@%{ELLIPSIS}"
"""As wide as the font is high, in the font of matplotlib and most others."""

LAST_NARROW = "\u2e7f"
"""Beyond it stand the letters of East Asia and signs as wide as the font is high."""

NARROW, BROAD, WIDE = 0.65, 0.85, 1.05
"""Width of small letters, of other letters, and of wide ones; of those in ``WIDE_LETTERS`` too."""

BROAD_SIGNS = "+=<>#~^"
"""Signs of ASCII that are broader than its small letters."""

BOLD = 1.15
"""Width of bold letters, in that of plain ones."""

MOST_ACCENTS = 3
"""Most combining marks on one letter; more would climb out of the line."""


def plain(text: str) -> str:
    """Return ``text`` on one line, without characters that break a page or turn its direction.

    Control characters, halves of surrogate pairs and non-characters, which neither XML nor a font
    can hold, become U+FFFD; white space becomes single spaces; marks that override the direction of
    writing are taken out, and so are accents beyond the third on one letter.
    """
    letters = []
    accents = 0
    for letter in " ".join(text.split()):
        accents = accents + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if accents <= MOST_ACCENTS:
            letters.append(_safe(letter))
    return "".join(letters)


def _safe(letter: str) -> str:
    if "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069":
        return ""
    broken = unicodedata.category(letter) in ("Cc", "Cs") or ord(letter) & 0xFFFE == 0xFFFE
    return "\ufffd" if broken else letter


def text_width(text: str, size: float) -> float:
    """Return a generous guess of the width of ``text`` at font size ``size``, in the same unit."""
    return size * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if letter in WIDE_LETTERS or letter > LAST_NARROW:
        return WIDE
    return (
        NARROW if letter.isascii() and not letter.isupper() and letter not in BROAD_SIGNS else BROAD
    )


def fit(text: str, room: float, size: float) -> str:
    """Return ``text`` made plain and, where it is wider than ``room``, cut with an ellipsis."""
    text = plain(text)
    if text_width(text, size) <= room:
        return text
    ends = itertools.accumulate(map(_letter_width, text))
    kept = sum(size * (end + _letter_width(ELLIPSIS)) <= room for end in ends)
    return text[:kept] + ELLIPSIS if kept else ""


def formula(view: EdgeView, room: float, size: float) -> str:
    """Return the formula of an edge, or only its function's name where there is no room for all."""
    whole = plain(view.formula or "")
    if view.function and text_width(whole, size) > room:
        return fit(view.function, room, size)
    return fit(whole, room, size)


def number(value: float) -> str:
    """Return ``value`` to three digits, short."""
    return f"{value + 0.0:.3g}"


def interval(values: np.ndarray) -> str:
    """Return the range of ``values`` as text, such as ``[-1, 1]``; nothing for no values."""
    return f"[{number(values.min())}, {number(values.max())}]" if values.size else ""


def node_name(node: NodeView) -> str:
    """Return what a node is called: its label, or its address where it has none."""
    return plain(node.label) or f"({node.layer}, {node.index})"


def edge_name(snapshot: Snapshot, view: EdgeView) -> str:
    """Return the two ends of an edge, such as ``x_1 to y``."""
    start = snapshot.node(view.layer, view.i)
    end = snapshot.node(view.layer + 1, view.j)
    return f"{node_name(start)} to {node_name(end)}"


def standing(view: EdgeView) -> str:
    """Return an edge's state in words, such as ``symbolic, frozen``."""
    marks = [word for word, on in (("frozen", view.frozen), ("locked", view.locked)) if on]
    return ", ".join([view.state, *marks])


def quality(view: EdgeView) -> str:
    """Return how well the formula of an edge fits, by its R^2; nothing if that is unknown."""
    return "" if view.quality is None else f"R\u00b2 {view.quality:.5f}"


def details(snapshot: Snapshot, view: EdgeView) -> str:
    """Return what there is to know of an edge, line by line."""
    lines = [edge_name(snapshot, view), f"score {number(view.score)}, {standing(view)}"]
    for name, values in (("x", view.curve_x), ("y", view.curve_y)):
        lines += [f"{name} in {interval(values)}"] if values.size else []
    if view.formula:
        lines.append(", ".join(filter(None, [f"y = {plain(view.formula)}", quality(view)])))
    others = locked_with(snapshot, view)
    if others:
        lines.append("same function as " + ", ".join(edge_name(snapshot, o) for o in others))
    return "\n".join(lines)


def locked_with(snapshot: Snapshot, view: EdgeView) -> list[EdgeView]:
    """Return the edges drawn that are locked to the same function as this one.

    They have the same knots and control points to the last bit, so these tell groups apart.
    """
    return [
        other
        for other in snapshot.edges
        if view.locked and other.locked and other is not view and other.layer == view.layer
        if np.array_equal(other.knots, view.knots)
        if np.array_equal(other.control_y, view.control_y)
    ]


def network_name(snapshot: Snapshot) -> str:
    """Return what the picture shows, such as ``Kolmogorov-Arnold network [2, 5, 1]``."""
    return f"Kolmogorov-Arnold network {list(snapshot.widths)}"


def left_out(drawn: int, total: int) -> str:
    """Return the sentence that says how many edges are not drawn; nothing when all are."""
    if drawn == total:
        return ""
    return f"the strongest {drawn:,} of {total:,} edges; {total - drawn:,} left out"
