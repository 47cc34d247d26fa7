"""Text in pictures: made harmless, cut to fit, and the words for an edge.

Every word that reaches a picture goes through here, so that the figure and the page say the same.
"""

import itertools
import re
import unicodedata

import numpy as np

from kanviz.snapshot import EdgeState, EdgeView, NodeView, Snapshot

ELLIPSIS = "\u2026"

WIDE_LETTERS = f"mwMW@%{ELLIPSIS}"
"""As wide as the font is high, in the font of matplotlib and most others."""

LAST_NARROW = "\u2e7f"
"""Beyond it stand the letters of East Asia and signs as wide as the font is high."""

SLIM_LETTERS = "fijlrt.,:;'!|()[]/ "
"""Signs of ASCII that are thinner than its other small letters."""

SLIM, NARROW, BROAD, WIDE = 0.45, 0.65, 0.85, 1.05
"""Width of thin letters, small ones, others, and wide ones; of those in ``WIDE_LETTERS`` too."""

BROAD_SIGNS = "+=<>#~^"
"""Signs of ASCII that are broader than its small letters."""

BOLD = 1.15
"""Width of bold letters, in that of plain ones."""

RAISED = "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
"""The minus sign and the digits above the line."""

BREAKS = " =_-/:"
"""Signs after which a long name goes on in a second line."""

STATES: dict[EdgeState, str] = {"spline": "spline", "symbolic": "formula", "pruned": "removed"}
"""Words for what an edge is."""

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
    if letter in SLIM_LETTERS:
        return SLIM
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


def cut_middle(text: str, room: float, size: float) -> str:
    """Return ``text`` made plain and, where it is wider than ``room``, without its middle.

    The end may be what tells it from others.
    """
    text = plain(text)
    if text_width(text, size) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        front = (kept + 1) // 2
        cut = text[:front] + ELLIPSIS + text[len(text) - kept + front :]
        if text_width(cut, size) <= room:
            return cut
    return ELLIPSIS


def name_and_unit(label: str) -> tuple[str, str]:
    """Return the name and the unit of a label such as ``heat flux [W/m^2]`` or ``Druck (Pa)``.

    Powers of the unit stand above the line. A label without a unit has an empty one.
    """
    found = re.fullmatch(r"(.*\S)\s*[\[(]([^\[\]()]*)[\])]", plain(label))
    if found is None:
        return plain(label), ""
    unit = re.sub(r"(?:\^|\*\*)(-?\d+)", lambda power: _raised(power[1]), found[2].strip())
    return found[1], unit


def _raised(digits: str) -> str:
    return digits.translate(str.maketrans("-0123456789", RAISED))


def lines(label: str, room: float, size: float) -> tuple[str, str]:
    """Return a label as the two lines that are read below each other, the second often empty.

    The second line is the unit; of a name that is wider than ``room`` it is the rest with the unit,
    from a sign between two words on, so that names that differ at their end do not look alike.
    """
    name, unit = name_and_unit(label)
    middle = len(name) / 2
    breaks = [n + 1 for n, letter in enumerate(name[:-1]) if letter in BREAKS]
    if breaks and text_width(name, size) > room:
        at = min(breaks, key=lambda n: (abs(n - middle), n))
        rest = f"{name[at:]} [{unit}]" if unit else name[at:]
        if not unit or text_width(rest, size) <= room:
            return fit(name[:at], room, size), fit(rest, room, size)
    return fit(name, room, size), fit(unit, room, size)


def formula(view: EdgeView, room: float, size: float) -> str:
    """Return the formula of an edge, or only its function's name where there is no room for all."""
    whole = plain(view.formula or "")
    if view.function and text_width(whole, size) > room:
        return fit(view.function, room, size)
    return fit(whole, room, size)


def number(value: float) -> str:
    """Return ``value`` to three digits, as the live diagram has it: 31000 is no 3.1e+04."""
    text = f"{value + 0.0:.3g}"
    return f"{float(text):g}" if abs(value) < 1e5 else text


def interval(values: np.ndarray) -> str:
    """Return the range of ``values`` as text, such as ``[-1, 1]``; nothing for no values."""
    return f"[{number(values.min())}, {number(values.max())}]" if values.size else ""


def node_name(node: NodeView) -> str:
    """Return what a node is called: its label, or, as ``h1.2`` for node 2 of layer 1, its place."""
    return plain(node.label) or f"h{node.layer}.{node.index}"


def edge_name(snapshot: Snapshot, view: EdgeView) -> str:
    """Return the two ends of an edge, such as ``x_1 to y``."""
    start = snapshot.node(view.layer, view.i)
    return f"{node_name(start)} to {end_name(snapshot, view.layer + 1, view.j)}"


def end_name(snapshot: Snapshot, layer: int, j: int) -> str:
    """Return what a sum is called: its node, or, as ``h1.2, factor 1``, its place in a product.

    Factors are counted from 1.
    """
    owners = snapshot.owners_of(layer)
    name = node_name(snapshot.node(layer, owners[j]))
    if owners.count(owners[j]) == 1:
        return name
    return f"{name}, factor {j - owners.index(owners[j]) + 1}"


def standing(view: EdgeView) -> str:
    """Return an edge's state in words, such as ``formula, frozen``."""
    marks = [word for word, on in (("frozen", view.frozen), ("locked", view.locked)) if on]
    return ", ".join([STATES[view.state], *view.shapes, *marks])


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
    """Return what the picture shows, such as ``Kolmogorov-Arnold network [2, 5, 1]``.

    A layer with products is a pair, of its sums and of its products.
    """
    shape: list[int | tuple[int, int]] = []
    for layer, width in enumerate(snapshot.widths):
        owners = snapshot.owners_of(layer)
        products = sum(owners.count(node) > 1 for node in set(owners))
        shape.append((width - products, products) if products else width)
    return f"Kolmogorov-Arnold network {shape}"


def left_out(drawn: int, total: int) -> str:
    """Return the sentence that says how many edges are not drawn; nothing when all are."""
    if drawn == total:
        return ""
    return f"the strongest {drawn:,} of {total:,} edges; {total - drawn:,} left out"
