"""The one plain record that every picture is drawn from.

A ``Snapshot`` holds finite Python numbers and text only: no tensor, no array, no model. It is made
once (``kanviz.analysis.capture``), so no two views can disagree about what a network looks like.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

EdgeState = Literal["spline", "symbolic", "pruned"]


class Edge(NamedTuple):
    """The edge from node ``i`` of ``layer`` to node ``j`` of ``layer + 1``; all 0-based."""

    layer: int
    i: int
    j: int


@dataclass(frozen=True)
class NodeView:
    """One node: where it stands in the network, what it is called and how much it matters.

    ``x`` and ``y`` are the place in the picture, each in [0, 1]; ``y`` grows from the inputs (0) to
    the outputs (1). ``score`` is the node score of ``kanviz.analysis.attribution``, at least 0.
    """

    layer: int
    index: int
    label: str
    score: float
    x: float
    y: float


@dataclass(frozen=True)
class EdgeView:
    """One edge: its curve over the visited range, its control points, and its standing.

    ``curve_x`` and ``curve_y`` are samples of the edge function over the range that the data
    visits; ``knots`` the grid points of the base interval; ``control_x`` and ``control_y`` the
    control points (Greville point, coefficient); ``sample_x`` and ``sample_y`` a few of the data
    points as they lie on the curve. ``score`` is at least 0; ``strength`` in [0, 1] is how strongly
    the edge is drawn. ``formula`` is text such as ``"sin(2*x)"`` or None for a spline, and
    ``quality`` the R^2 of that formula, or None.
    """

    layer: int
    i: int
    j: int
    curve_x: tuple[float, ...]
    curve_y: tuple[float, ...]
    knots: tuple[float, ...]
    control_x: tuple[float, ...]
    control_y: tuple[float, ...]
    sample_x: tuple[float, ...]
    sample_y: tuple[float, ...]
    score: float
    strength: float
    state: EdgeState = "spline"
    frozen: bool = False
    locked: bool = False
    formula: str | None = None
    quality: float | None = None

    @property
    def edge(self) -> Edge:
        """The edge's address."""
        return Edge(self.layer, self.i, self.j)


@dataclass(frozen=True)
class Snapshot:
    """A whole network at one moment, as plain values.

    ``edges`` holds the edges to draw, strongest kept where there are too many; ``n_edges`` counts
    all edges of the network, so ``n_edges - len(edges)`` is the number left out.
    """

    widths: tuple[int, ...]
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    n_edges: int
    title: str = ""

    @property
    def n_left_out(self) -> int:
        """How many edges of the network are not in ``edges``."""
        return self.n_edges - len(self.edges)
