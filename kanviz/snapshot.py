"""The one plain record that every picture is drawn from.

A ``Snapshot`` holds finite Python numbers and text only: no tensor, no array, no model. It is made
once (``kanviz.analysis.capture``), so no two views can disagree about what a network looks like.
``Snapshot.to_dict`` gives values that JSON can hold, ``Snapshot.from_dict`` reads them exactly.
"""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

EdgeState = Literal["spline", "symbolic", "pruned"]

FORMAT = "kanviz.snapshot"
VERSION = 1


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

    def __post_init__(self) -> None:
        """Check every value, so that a picture never has to."""
        name = f"node ({self.layer}, {self.index})"
        _check_kind(f"the address of {name}", (self.layer, self.index), {int})
        _check_text(f"the label of {name}", self.label)
        _check_at_least_zero(f"the score of {name}", self.score)
        _check_fraction(f"x of {name}", self.x)
        _check_fraction(f"y of {name}", self.y)


@dataclass(frozen=True)
class EdgeView:
    """One edge: its curve over the visited range, its control points, and its standing.

    ``curve_x`` and ``curve_y`` are samples of the edge function over the range that the data
    visits; ``knots`` the grid points of the base interval; ``control_x`` and ``control_y`` the
    control points (Greville point, coefficient); ``sample_x`` and ``sample_y`` a few of the data
    points as they lie on the curve. ``score`` is at least 0; ``strength`` in [0, 1] is how strongly
    the edge is drawn. ``formula`` is text such as ``"3*sin(2*x) + 1"`` or None for a spline,
    ``function`` the short name of what it is made of, such as ``"sin"``, and ``quality`` its R^2;
    each may be None.
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
    function: str | None = None

    def __post_init__(self) -> None:
        """Check every value, so that a picture never has to."""
        name = repr(self.edge)
        _check_kind(f"the address of {name}", tuple(self.edge), {int})
        _check_finite(f"knots of {name}", self.knots)
        for kind in ("curve", "control", "sample"):
            _check_points(name, kind, getattr(self, f"{kind}_x"), getattr(self, f"{kind}_y"))
        _check_at_least_zero(f"the score of {name}", self.score)
        _check_fraction(f"the strength of {name}", self.strength)
        if self.state not in get_args(EdgeState):
            raise ValueError(
                f"the state of {name} must be one of {get_args(EdgeState)}; got {self.state!r}."
            )
        _check_kind(f"frozen and locked of {name}", (self.frozen, self.locked), {bool})
        for kind, text in (("formula", self.formula), ("function", self.function)):
            if text is not None:
                _check_text(f"the {kind} of {name}", text)
        if self.quality is not None:
            _check_finite(f"the quality of {name}", (self.quality,))

    @property
    def edge(self) -> Edge:
        """The edge's address."""
        return Edge(self.layer, self.i, self.j)


@dataclass(frozen=True)
class Snapshot:
    """A whole network at one moment, as plain values.

    ``nodes`` holds every node, layer by layer. ``edges`` holds the edges to draw, strongest kept
    where there are too many; ``n_edges`` counts all edges of the network, so
    ``n_edges - len(edges)`` is the number left out.
    """

    widths: tuple[int, ...]
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    n_edges: int
    title: str = ""

    def __post_init__(self) -> None:
        """Check that the nodes and edges are those of a network of these widths."""
        _check_text("title", self.title)
        _check_kind("widths", self.widths, {int})
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(
                "widths must hold at least two whole numbers of at least 1; "
                f"got {self.widths!r}. Give the number of nodes of every layer."
            )
        _check_nodes(self.widths, self.nodes)
        _check_edges(self.widths, self.edges)
        if type(self.n_edges) is not int or self.n_edges < len(self.edges):
            raise ValueError(
                f"n_edges must be a whole number of at least the {len(self.edges)} edges given; "
                f"got {self.n_edges!r}. Count all edges of the network."
            )

    @property
    def n_left_out(self) -> int:
        """How many edges of the network are not in ``edges``."""
        return self.n_edges - len(self.edges)

    def node(self, layer: int, index: int) -> NodeView:
        """Return node ``index`` of ``layer``, both 0-based."""
        return self.nodes[sum(self.widths[:layer]) + index]

    def to_dict(self) -> dict[str, Any]:
        """Return the snapshot as dictionaries, lists, numbers and text, ready for JSON."""
        record = {"format": FORMAT, "version": VERSION} | _plain(self)
        record["nodes"] = [_plain(node) for node in self.nodes]
        record["edges"] = [_plain(edge) for edge in self.edges]
        return record

    @classmethod
    def from_dict(cls, record: Any) -> "Snapshot":
        """Return the snapshot that ``to_dict`` wrote: equal in every bit, through JSON too.

        Raises
        ------
        ValueError, TypeError
            If ``record`` was not written by ``to_dict``, is of another version or is damaged.
        """
        if not isinstance(record, Mapping) or record.get("format") != FORMAT:
            raise ValueError(
                f"record must be a dictionary written by Snapshot.to_dict; got {_short(record)}."
            )
        if record.get("version") != VERSION:
            raise ValueError(
                f"record must have version {VERSION}; got {_short(record.get('version'))}. "
                "Read it with the version of kanviz that wrote it."
            )
        values = {key: value for key, value in record.items() if key not in ("format", "version")}
        for key, kind in (("nodes", NodeView), ("edges", EdgeView)):
            if not isinstance(values.get(key), list | tuple):
                raise ValueError(
                    f"{key} of the record must be a list; got {_short(values.get(key))}. "
                    "Write the record with Snapshot.to_dict."
                )
            values[key] = [_build(kind, item) for item in values[key]]
        snapshot: Snapshot = _build(cls, values)
        return snapshot


def _plain(item: NodeView | EdgeView | Snapshot) -> dict[str, Any]:
    """Return the fields of one record by name, tuples as lists."""
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}


def _build(kind: Any, values: Any) -> Any:
    """Return a ``kind`` from the dictionary that ``_plain`` gave, lists as tuples."""
    known = {field.name: field for field in fields(kind)}
    required = {name for name, f in known.items() if f.default is dataclasses.MISSING}
    if not isinstance(values, Mapping) or not required <= set(values) <= set(known):
        raise ValueError(
            f"each {kind.__name__} of the record must have the fields {', '.join(known)}; "
            f"got {_short(values)}. Write the record with Snapshot.to_dict."
        )
    tuples = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    return kind(**tuples)


def _short(value: Any) -> str:
    """Return a few words that say what ``value`` is, for an error message."""
    if isinstance(value, Mapping):
        return f"a dictionary with the keys {sorted(map(str, value))}"[:200]
    return repr(value)[:80]


def _check_nodes(widths: tuple[int, ...], nodes: tuple[NodeView, ...]) -> None:
    total = sum(widths)
    expected = ((layer, index) for layer, width in enumerate(widths) for index in range(width))
    if len(nodes) != total or [(node.layer, node.index) for node in nodes] != list(expected):
        raise ValueError(
            f"nodes must hold each of the {total} nodes of widths {widths} once, "
            f"layer by layer; got {len(nodes)} nodes or another order."
        )


def _check_edges(widths: tuple[int, ...], edges: tuple[EdgeView, ...]) -> None:
    seen: set[Edge] = set()
    for view in edges:
        layer, i, j = edge = view.edge
        inside = (
            0 <= layer < len(widths) - 1 and 0 <= i < widths[layer] and 0 <= j < widths[layer + 1]
        )
        if not inside or edge in seen:
            problem = "is there twice" if inside else f"is not an edge of widths {widths}"
            raise ValueError(f"edges must be different edges of the network; {edge} {problem}.")
        seen.add(edge)


def _check_kind(name: str, values: Any, kinds: set[type]) -> None:
    if not isinstance(values, tuple) or not set(map(type, values)) <= kinds:
        words = " or ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"{name} must be plain Python {words}; got {_short(values)}.")


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text; got {_short(value)}.")


def _check_finite(name: str, values: Any) -> None:
    _check_kind(name, values, {float, int})
    # Compared rather than asked, because an int may be larger than every float.
    bad = [value for value in values if not -sys.float_info.max <= value <= sys.float_info.max]
    if bad:
        raise ValueError(f"{name} must be finite; got {_short(bad[0])}.")


def _check_points(name: str, kind: str, x: Any, y: Any) -> None:
    _check_finite(f"{kind}_x of {name}", x)
    _check_finite(f"{kind}_y of {name}", y)
    if len(x) != len(y):
        raise ValueError(
            f"{kind}_x and {kind}_y of {name} must have the same length; got {len(x)} and {len(y)}."
        )


def _check_at_least_zero(name: str, value: Any) -> None:
    _check_finite(name, (value,))
    if value < 0:
        raise ValueError(f"{name} must be at least 0; got {value}.")


def _check_fraction(name: str, value: Any) -> None:
    _check_finite(name, (value,))
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1]; got {value}.")
