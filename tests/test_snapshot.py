"""A snapshot holds only what every picture can draw, and survives JSON bit by bit."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_snapshot import make_edge, make_nodes, make_snapshot
from type_checks import type_checks_off

from kanviz.snapshot import Edge, EdgeView, NodeView, Snapshot

finite = st.floats(allow_nan=False, allow_infinity=False)
CHANGES: dict[Edge, dict[str, Any]] = {
    Edge(0, 0, 1): {"state": "symbolic", "formula": "sin(2*x)", "quality": 0.999},
    Edge(0, 1, 2): {"state": "pruned", "score": 0.0},
    Edge(1, 2, 0): {"frozen": True, "locked": True},
}


EDGE = make_edge(Edge(0, 0, 0), math.sin)


def read_edge(view: EdgeView, **fields: Any) -> Snapshot:
    """Return what is read where one edge of a snapshot came with other fields."""
    widths = (view.i + 1, view.j + 1)
    record = Snapshot(widths, make_nodes(widths), (view,), widths[0] * widths[1]).to_dict()
    return Snapshot.from_dict(record | {"edges": [record["edges"][0] | fields]})


def through_json(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict(), allow_nan=False)))


def test_a_dictionary_gives_the_snapshot_back() -> None:
    snapshot = make_snapshot([2, 5, 1], changes=CHANGES, title="<b>$x$</b> \u00e9")
    assert Snapshot.from_dict(snapshot.to_dict()) == snapshot
    assert through_json(snapshot) == snapshot


def test_each_field_of_each_edge_survives_json() -> None:
    before = make_snapshot([2, 5, 1], changes=CHANGES)
    after = through_json(before)
    for old, new in zip(before.edges, after.edges, strict=True):
        assert old == new
        for name in (field.name for field in dataclasses.fields(EdgeView)):
            one, two = getattr(old, name), getattr(new, name)
            assert type(one) is type(two)
            assert one is two or bool(np.all(one == two))


@given(values=st.lists(finite, min_size=1, max_size=8), score=st.floats(0, 1e300))
def test_numbers_survive_json_in_every_bit(values: list[float], score: float) -> None:
    curve = tuple(values)
    edge = make_edge(Edge(0, 0, 0), math.sin, curve_x=curve, curve_y=curve, score=score)
    snapshot = Snapshot((1, 1), make_nodes([1, 1]), (edge,), 1)
    after = through_json(snapshot).edges[0]
    # Bytes and text, because 0.0 == -0.0.
    wanted = np.array(curve).tobytes()
    assert (after.curve_x.tobytes(), after.curve_y.tobytes()) == (wanted, wanted)
    assert repr(after.score) == repr(score)


def test_points_cannot_be_written_to_and_a_view_differs_with_each_of_its_fields() -> None:
    view = through_json(make_snapshot([1, 1])).edges[0]
    for field in dataclasses.fields(EdgeView):
        value: Any = getattr(view, field.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[0] = 1.0
        other: Any = value + 1.0 if isinstance(value, np.ndarray) else "other"
        assert dataclasses.replace(view, **{field.name: value}) == view
        with type_checks_off():
            assert dataclasses.replace(view, **{field.name: other}) != view
    assert view != "view"


def test_left_out_edges_are_counted() -> None:
    snapshot = make_snapshot([4, 4], limit=5)
    assert (len(snapshot.edges), snapshot.n_edges, snapshot.n_left_out) == (5, 16, 11)


def test_a_node_is_found_by_its_address() -> None:
    snapshot = make_snapshot([3, 2, 4])
    for node in snapshot.nodes:
        assert snapshot.node(node.layer, node.index) is node


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "field",
    ["curve_x", "curve_y", "knots", "control_x", "control_y", "sample_x", "sample_y"],
)
def test_an_edge_must_hold_finite_numbers(field: str, value: float) -> None:
    view = make_edge(Edge(0, 1, 0), math.sin)
    damaged = [value, *getattr(view, field).tolist()[1:]]
    with pytest.raises(ValueError, match=rf"{field} of Edge\(layer=0, i=1, j=0\) must be finite"):
        read_edge(view, **{field: damaged})


@pytest.mark.parametrize("kind", ["curve", "control", "sample"])
def test_points_must_come_in_pairs(kind: str) -> None:
    message = rf"{kind}_x and {kind}_y of .* must have the same length; got 3 and 2"
    with pytest.raises(ValueError, match=message):
        read_edge(EDGE, **{f"{kind}_x": [0.0, 1.0, 2.0], f"{kind}_y": [0.0, 1.0]})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strength": 1.01}, r"strength of .* must be in \[0, 1\]; got 1.01"),
        ({"strength": -0.1}, r"strength of .* must be in \[0, 1\]"),
        ({"strength": math.nan}, "strength of .* must be finite"),
        ({"score": -1.0}, "score of .* must be at least 0; got -1.0"),
        ({"score": math.inf}, "score of .* must be finite"),
        ({"quality": math.nan}, "quality of .* must be finite"),
        ({"state": "gone"}, "state of .* must be one of .* got 'gone'"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_an_edge_names_the_number_that_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_edge(EDGE, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"curve_x": "0", "curve_y": [0.0]}, "curve_x of .* must be plain Python float or int"),
        ({"knots": ("0",)}, "knots of .* must be plain Python float or int"),
        ({"score": "1"}, "score of .* must be plain Python float or int"),
        ({"score": True}, "score of .* must be plain Python float or int"),
        ({"formula": 3}, "formula of .* must be text; got 3"),
        ({"frozen": 1}, "frozen and locked of .* must be plain Python bool"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_an_edge_holds_plain_values_only(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        read_edge(EDGE, **fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"x": 1.5}, ValueError, r"x of node \(0, 0\) must be in \[0, 1\]; got 1.5"),
        ({"y": math.nan}, ValueError, "y of node .* must be finite"),
        ({"score": -2.0}, ValueError, "score of node .* must be at least 0"),
        ({"label": None}, TypeError, "label of node .* must be text; got None"),
        ({"index": 0.0}, TypeError, "address of node .* must be plain Python int"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_node_names_the_value_that_is_wrong(
    fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    values: dict[str, Any] = {"layer": 0, "index": 0, "label": "", "score": 0.0, "x": 0.5, "y": 0.0}
    record = make_snapshot([1, 1]).to_dict()
    record["nodes"][0] = values | fields
    with pytest.raises(error, match=message):
        Snapshot.from_dict(record)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widths": (1,)}, "widths must hold at least two whole numbers"),
        ({"widths": (1, 0)}, "widths must hold at least two whole numbers"),
        ({"widths": (10**12, 1)}, "nodes must hold each of the 1000000000001 nodes"),
        ({"nodes": ()}, r"nodes must hold each of the 2 nodes of widths \(1, 1\) once"),
        ({"nodes": make_nodes([1, 1])[::-1]}, "nodes must hold each .* another order"),
        ({"edges": (EDGE, EDGE)}, "edges must be different edges .* is there twice"),
        (
            {"edges": (dataclasses.replace(EDGE, j=1),)},
            r"edges must be .* j=1\) is not an edge of widths \(1, 1\)",
        ),
        ({"n_edges": 0}, "n_edges must be a whole number of at least the 1 edges given; got 0"),
    ],
)
def test_nodes_and_edges_must_be_those_of_the_network(fields: dict[str, Any], message: str) -> None:
    record = Snapshot((1, 1), make_nodes([1, 1]), (EDGE,), 1).to_dict()
    plain = {key: [dict(vars(one)) for one in fields[key]] for key in fields.keys() & {"nodes"}}
    edges = [record["edges"][0] | {"j": view.j} for view in fields.get("edges", ())]
    plain |= {"edges": edges} if edges else {}
    with pytest.raises(ValueError, match=message):
        Snapshot.from_dict(record | fields | plain)


@pytest.mark.parametrize("record", [None, [], "snapshot", {}, {"widths": [1, 1]}, {"format": "x"}])
def test_a_foreign_record_gives_one_clear_error(record: Any) -> None:
    with pytest.raises(ValueError, match=r"must be a dictionary written by Snapshot\.to_dict; got"):
        Snapshot.from_dict(record)


def test_a_newer_record_says_so() -> None:
    record = make_snapshot([1, 1]).to_dict() | {"version": 2}
    with pytest.raises(ValueError, match=r"must have version 1; got 2\. Read it with the version"):
        Snapshot.from_dict(record)


@pytest.mark.parametrize("key", ["nodes", "edges"])
def test_a_damaged_list_gives_one_clear_error(key: str) -> None:
    record = make_snapshot([1, 1]).to_dict()
    with pytest.raises(ValueError, match=f"{key} of the record must be a list; got 3"):
        Snapshot.from_dict(record | {key: 3})
    kind = {"nodes": NodeView, "edges": EdgeView}[key].__name__
    with pytest.raises(ValueError, match=f"each {kind} of the record must have the fields"):
        Snapshot.from_dict(record | {key: [{"layer": 0}]})


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Snapshot)])
def test_a_record_with_a_missing_or_unknown_field_gives_one_clear_error(field: str) -> None:
    record = make_snapshot([1, 1]).to_dict()
    with pytest.raises(ValueError, match="each Snapshot of the record must have the fields"):
        Snapshot.from_dict(record | {"colour": "red"})
    if field not in ("title", "owners"):  # records of networks without them have none
        del record[field]
        with pytest.raises(ValueError, match="of the record must"):
            Snapshot.from_dict(record)


@pytest.mark.parametrize("junk", [None, 5, -1, 1.5, "x", [None], {}, [[1]], 10**400, [10**400]])
@pytest.mark.usefixtures("unchecked")
def test_junk_in_any_field_gives_one_clear_error_if_any(junk: Any) -> None:
    record = make_snapshot([2, 1]).to_dict()
    damaged = [record | {key: junk} for key in record]
    for key in ("nodes", "edges"):
        first, *others = record[key]
        damaged += [record | {key: [first | {field: junk}, *others]} for field in first]
    for copy in damaged:
        try:
            snapshot = Snapshot.from_dict(copy)
        except (ValueError, TypeError) as error:
            assert " must " in str(error)  # noqa: PT017 - some junk is right: 5 as a number
        else:
            assert through_json(snapshot) == snapshot
