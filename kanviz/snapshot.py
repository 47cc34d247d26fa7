"""The one plain record that every picture is drawn from.

A ``Snapshot`` holds finite numbers, read-only arrays and text only: no tensor, no model. It is made
once (``kanviz.analysis.capture``), so no two views can disagree about what a network looks like.
``Snapshot.to_dict`` gives values that JSON can hold, ``Snapshot.from_dict`` reads them exactly.

Numbers that kanviz made are trusted; what comes from outside, through ``from_dict``, is checked in
every value.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

EdgeState = Literal["spline", "symbolic", "pruned"]

FORMAT = "kanviz.snapshot"
VERSION = 1


class Edge(NamedTuple):
    """The edge from node ``i`` of ``layer`` to sum ``j`` of the next; all 0-based.

    Sum j is node ``j`` of ``layer + 1``, but for products, each of which has several sums: see
    ``Snapshot.owners``.
    """

    layer: int
    i: int
    j: int


@dataclass(frozen=True)
class NodeView:
    """One node: where it stands in the network, what it is called and how much it matters.

    ``x`` and ``y`` are the place in the picture, each in [0, 1]; ``y`` grows from the inputs (0) to
    the outputs (1). ``score`` is the node score of ``kanviz.analysis.attribution``, at least 0.
    ``factors`` are the sums that are multiplied in it now, at least two, by the ``j`` of their
    edges; empty where it is a sum.
    """

    layer: int
    index: int
    label: str
    score: float
    x: float
    y: float
    factors: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class EdgeView:
    """One edge: its curve over the visited range, its control points, and its standing.

    Its points are one-dimensional arrays of float64, finite and read-only: edges that leave one
    node may share them. ``curve_x`` and ``curve_y`` are samples of the edge function over the range
    that the data visits; ``knots`` the grid points of the base interval; ``control_x`` and
    ``control_y`` the control points (Greville point, coefficient); ``sample_x`` and ``sample_y`` a
    few of the data points as they lie on the curve. ``score`` is at least 0; ``strength`` in [0, 1]
    is how strongly the edge is drawn. ``formula`` is text such as ``"3*sin(2*x) + 1"`` or None for
    a spline, ``function`` the short name of what it is made of, such as ``"sin"``, and ``quality``
    its R^2; each may be None. ``band`` is how far the curve may be off, up and down, at each of its
    points, or None where that is not known, or is nothing to be seen. ``shapes`` are those that the
    curve keeps whatever is learnt, such as ``"increasing"``.
    """

    layer: int
    i: int
    j: int
    curve_x: np.ndarray
    curve_y: np.ndarray
    knots: np.ndarray
    control_x: np.ndarray
    control_y: np.ndarray
    sample_x: np.ndarray
    sample_y: np.ndarray
    score: float
    strength: float
    state: EdgeState = "spline"
    frozen: bool = False
    locked: bool = False
    formula: str | None = None
    quality: float | None = None
    function: str | None = None
    band: np.ndarray | None = None
    shapes: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        """Say whether all that the two hold is equal."""
        if not isinstance(other, EdgeView):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return all(
            mine is its
            if mine is None or its is None
            else np.array_equal(mine, its)
            if isinstance(mine, np.ndarray)
            else mine == its
            for mine, its in pairs
        )

    @property
    def edge(self) -> Edge:
        """The edge's address."""
        return Edge(self.layer, self.i, self.j)


@dataclass(frozen=True)
class Snapshot:
    """A whole network at one moment, as plain values and arrays.

    ``nodes`` holds every node, layer by layer. ``edges`` holds the edges to draw, strongest kept
    where there are too many; ``n_edges`` counts all edges of the network, so
    ``n_edges - len(edges)`` is the number left out. ``owners[layer][j]`` is the node of a layer
    that sum j is, or is a factor of; without products it is empty, for there node j is sum j.
    """

    widths: tuple[int, ...]
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    n_edges: int
    title: str = ""
    owners: tuple[tuple[int, ...], ...] = ()

    def owners_of(self, layer: int) -> tuple[int, ...]:
        """Return for each sum of a layer the node that it is, or is a factor of."""
        return self.owners[layer] if self.owners else tuple(range(self.widths[layer]))

    def end(self, view: EdgeView) -> NodeView:
        """Return the node that an edge leads to."""
        return self.node(view.layer + 1, self.owners_of(view.layer + 1)[view.j])

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
        record["owners"] = [list(row) for row in self.owners]
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
            values[key] = tuple(_build(kind, item) for item in values[key])
        owners = values.get("owners", ())  # records without products have none
        if not isinstance(owners, list | tuple) or not all(
            isinstance(row, list | tuple) for row in owners
        ):
            raise ValueError(
                f"owners of the record must be a list of lists; got {_short(owners)}. "
                "Write the record with Snapshot.to_dict."
            )
        values["owners"] = tuple(map(tuple, owners))
        snapshot: Snapshot = _build(cls, values)
        return snapshot


def _plain(item: NodeView | EdgeView | Snapshot) -> dict[str, Any]:
    """Return the fields of one record by name, tuples and arrays as lists."""
    values = {field.name: getattr(item, field.name) for field in fields(item)}
    lists = {key: list(v) for key, v in values.items() if isinstance(v, tuple)}
    arrays = {key: v.tolist() for key, v in values.items() if isinstance(v, np.ndarray)}
    return values | lists | arrays


def _build(kind: Any, values: Any) -> Any:
    """Return a ``kind`` from the dictionary that ``_plain`` gave, checked in every value."""
    known = {field.name: field for field in fields(kind)}
    required = {name for name, f in known.items() if f.default is dataclasses.MISSING}
    if not isinstance(values, Mapping) or not required <= set(values) <= set(known):
        raise ValueError(
            f"each {kind.__name__} of the record must have the fields {', '.join(known)}; "
            f"got {_short(values)}. Write the record with Snapshot.to_dict."
        )
    read = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    defaults = {name: f.default for name, f in known.items() if name not in required}
    _CHECKS[kind](defaults | read)
    is_array = {name for name, f in known.items() if f.type in (np.ndarray, np.ndarray | None)}
    arrays = {name: _array(read[name]) for name in is_array if read.get(name) is not None}
    return kind(**read | arrays)


def _array(values: tuple[float, ...]) -> np.ndarray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _short(value: Any) -> str:
    """Return a few words that say what ``value`` is, for an error message."""
    if isinstance(value, Mapping):
        return f"a dictionary with the keys {sorted(map(str, value))}"[:200]
    return repr(value)[:80]


def _check_node(node: dict[str, Any]) -> None:
    name = f"node ({node['layer']}, {node['index']})"
    _check_kind(f"the address of {name}", (node["layer"], node["index"]), {int})
    _check_text(f"the label of {name}", node["label"])
    _check_at_least_zero(f"the score of {name}", node["score"])
    _check_fraction(f"x of {name}", node["x"])
    _check_fraction(f"y of {name}", node["y"])
    _check_kind(f"the factors of {name}", node["factors"], {int})


def _check_edge(edge: dict[str, Any]) -> None:
    address = edge["layer"], edge["i"], edge["j"]
    name = repr(Edge(*address))
    _check_kind(f"the address of {name}", address, {int})
    _check_finite(f"knots of {name}", edge["knots"])
    for kind in ("curve", "control", "sample"):
        _check_points(name, kind, edge[f"{kind}_x"], edge[f"{kind}_y"])
    _check_at_least_zero(f"the score of {name}", edge["score"])
    _check_fraction(f"the strength of {name}", edge["strength"])
    if edge["state"] not in get_args(EdgeState):
        raise ValueError(
            f"the state of {name} must be one of {get_args(EdgeState)}; got {edge['state']!r}."
        )
    _check_kind(f"frozen and locked of {name}", (edge["frozen"], edge["locked"]), {bool})
    _check_kind(f"the shapes of {name}", edge["shapes"], {str})
    for kind in ("formula", "function"):
        if edge[kind] is not None:
            _check_text(f"the {kind} of {name}", edge[kind])
    if edge["band"] is not None:
        _check_finite(f"the band of {name}", edge["band"])
        if len(edge["band"]) != len(edge["curve_x"]) or min(edge["band"], default=0) < 0:
            raise ValueError(
                f"the band of {name} must be at least 0 at each point of the curve; got "
                f"{_short(edge['band'])}."
            )
    if edge["quality"] is not None:
        _check_finite(f"the quality of {name}", (edge["quality"],))


def _check_whole(record: dict[str, Any]) -> None:
    """Check that the nodes and edges are those of a network of the widths."""
    widths, edges = record["widths"], record["edges"]
    _check_text("title", record["title"])
    _check_kind("widths", widths, {int})
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(
            "widths must hold at least two whole numbers of at least 1; "
            f"got {widths!r}. Give the number of nodes of every layer."
        )
    _check_nodes(widths, record["nodes"])
    _check_owners(widths, record["owners"])
    sums = [*map(len, record["owners"])] or widths
    _check_edges(widths, sums, edges)
    if type(record["n_edges"]) is not int or record["n_edges"] < len(edges):
        raise ValueError(
            f"n_edges must be a whole number of at least the {len(edges)} edges given; "
            f"got {record['n_edges']!r}. Count all edges of the network."
        )


_CHECKS: dict[Any, Callable[[dict[str, Any]], None]] = {
    NodeView: _check_node,
    EdgeView: _check_edge,
    Snapshot: _check_whole,
}


def _check_nodes(widths: tuple[int, ...], nodes: tuple[NodeView, ...]) -> None:
    total = sum(widths)
    expected = ((layer, index) for layer, width in enumerate(widths) for index in range(width))
    if len(nodes) != total or [(node.layer, node.index) for node in nodes] != list(expected):
        raise ValueError(
            f"nodes must hold each of the {total} nodes of widths {widths} once, "
            f"layer by layer; got {len(nodes)} nodes or another order."
        )


def _check_owners(widths: tuple[int, ...], owners: tuple[tuple[int, ...], ...]) -> None:
    """Check that each node has at least one sum, in order, and that inputs and outputs have one."""
    if not owners:
        return
    for row in owners:
        _check_kind("owners", row, {int})
    every = len(owners) == len(widths) and all(
        list(row) == sorted(row) and set(row) == set(range(width))
        for row, width in zip(owners, widths, strict=True)
    )
    if not every or len(owners[0]) != widths[0] or len(owners[-1]) != widths[-1]:
        raise ValueError(
            f"owners must name the node of each sum of every layer of widths {widths}, in order; "
            f"got {_short(owners)}. Write the record with Snapshot.to_dict."
        )


def _check_edges(widths: tuple[int, ...], sums: Sequence[int], edges: tuple[EdgeView, ...]) -> None:
    seen: set[Edge] = set()
    for view in edges:
        layer, i, j = edge = view.edge
        inside = (
            0 <= layer < len(widths) - 1 and 0 <= i < widths[layer] and 0 <= j < sums[layer + 1]
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
