"""What a network picture is made of: marks in pixels, y downwards, without colours.

The figure and the page draw these records and nothing else, so the two cannot disagree.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from kanviz.layout import FAINTEST
from kanviz.snapshot import EdgeView, NodeView

Point = tuple[float, float]
Chain = tuple[Point, ...]

GHOST = 0.55
"""How strongly a pruned edge is drawn, in a grey that is pale by itself."""

CROWD = 100
"""More edges than this have paler lines, so that the curves stay in front."""

PALER = 0.6
"""How much paler these are."""

READABLE = 0.72
"""How strongly the weakest edge is drawn: on paper its colour still stands out by 3 to 1 (WCAG 2.2,
1.4.11), in both themes; a test holds that. What is weak is told by a thin line."""

SOFT = 0.25
"""How strongly the band around a curve is drawn, as a part of the curve."""

OUTLINE = 0.75
"""How strongly the outline of a box is drawn, as a part of its curve."""

THIN, THICK = 0.8, 2.0
"""Width of the curve of the weakest edge, and what is added for the strongest."""

SLENDER, THICKEST = 0.55, 1.4
"""Curves in small boxes are thinner: by this factor in a tiny one, at most by that in a large."""

CONNECTOR = 0.7
"""Width of connectors and outlines, as a part of that of the curve."""

CORNER, CORNER_SHARE = 5.0, 0.12
"""Largest radius of the corners of a box, and the same as a part of its side."""

ZERO = 0.06
"""Free part of a box at each side of its line at 0."""

Role = Literal["label", "formula", "note", "title"]
Anchor = Literal["start", "middle", "end"]
BadgeKind = Literal["frozen", "locked", "shape"]
KeyKind = Literal["spline", "symbolic", "pruned", "frozen", "locked"]


class Rect(NamedTuple):
    """An upright rectangle; ``top`` is the smaller y, as on screens."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The larger x."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The larger y."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """The x half-way."""
        return self.left + self.width / 2


@dataclass(frozen=True)
class TextMark:
    """A word at a baseline point; ``upright`` text is turned to read from below."""

    x: float
    y: float
    text: str
    size: float
    role: Role
    anchor: Anchor = "middle"
    upright: bool = False


@dataclass(frozen=True)
class FactorMark:
    """A factor of a product: a dot below the product, where the edges to sum ``j`` end."""

    j: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class NodeMark:
    """A node as a circle; ``live`` if an edge that is not pruned touches it.

    ``factors`` are the dots of a product; a line leads from each to the node, in which ``cross``
    are the two strokes of a sign of multiplication.
    """

    node: NodeView
    x: float
    y: float
    radius: float
    live: bool
    factors: tuple[FactorMark, ...] = ()
    cross: tuple[Chain, ...] = ()

    def end(self, j: int) -> "NodeMark | FactorMark":
        """Return where the edges of sum j end, which is the node's or one of its factors."""
        return next((dot for dot in self.factors if dot.j == j), self)


@dataclass(frozen=True)
class Badge:
    """A small sign on the corner of a box, as strokes on a disc."""

    kind: BadgeKind
    x: float
    y: float
    radius: float
    strokes: tuple[Chain, ...]


@dataclass(frozen=True)
class PlotMark:
    """The small plot of one edge: its box and the curve in it, a line through points.

    ``zero`` is the y at which the curve is 0, None where it never is. ``band`` is the outline of
    where the true curve may be, as far as it lies in the box; empty where that is not known.
    """

    view: EdgeView
    box: Rect
    curve: tuple[Point, ...]
    zero: float | None
    band: tuple[Point, ...] = ()

    @property
    def opacity(self) -> float:
        """How strongly to draw the edge, in [READABLE, 1], so that none vanishes."""
        if self.view.state == "pruned":
            return GHOST
        return READABLE + (1 - READABLE) * self._share

    @property
    def _share(self) -> float:
        """Where the strength of the edge is between that of the weakest, 0, and the strongest."""
        return max(0.0, (self.view.strength - FAINTEST) / (1 - FAINTEST))

    @property
    def thickness(self) -> float:
        """Width of the line of the curve."""
        slender = min(THICKEST, SLENDER + self.box.width / 100)
        share = 0.0 if self.view.state == "pruned" else self._share
        return (THIN + THICK * share) * slender

    @property
    def thin(self) -> float:
        """Width of the connectors and of the outline of the box."""
        return CONNECTOR * self.thickness

    @property
    def corner(self) -> float:
        """Radius of the rounded corners of the box."""
        return min(CORNER, CORNER_SHARE * self.box.width)


@dataclass(frozen=True)
class EdgeMark:
    """An edge of the network: a connector from below, its plot, a connector upwards, its signs.

    A connector is a chain of cubic Bezier pieces: a start and then three points per piece.
    """

    plot: PlotMark
    connectors: tuple[Chain, Chain]
    badges: tuple[Badge, ...]
    caption: TextMark | None

    @property
    def view(self) -> EdgeView:
        """The edge that is drawn."""
        return self.plot.view


@dataclass(frozen=True)
class KeyMark:
    """One entry of the key: a sample of the sign, and what it means."""

    kind: KeyKind
    strokes: tuple[Chain, ...]
    text: TextMark


@dataclass(frozen=True)
class Picture:
    """All marks of a network picture on a canvas of ``width`` times ``height`` pixels.

    ``area`` is the part of the canvas that holds the network and its labels, without the title,
    the notes and the key: what a browser shows of the same network.
    """

    width: float
    height: float
    area: Rect
    nodes: tuple[NodeMark, ...]
    edges: tuple[EdgeMark, ...]
    texts: tuple[TextMark, ...]
    key: tuple[KeyMark, ...]
