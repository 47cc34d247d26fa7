"""The picture before it is drawn: every edge once, none on another, all on the canvas."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_snapshot import make_edge, make_nodes, make_snapshot

from kanviz.layout import FAINTEST
from kanviz.layout.marks import READABLE, Chain, EdgeMark, Picture, Rect
from kanviz.layout.picture import WIDEST, picture
from kanviz.snapshot import Edge, Snapshot
from kanviz.theme import DARK, LIGHT, Theme, blend

FORMULA: dict[str, Any] = {"state": "symbolic", "formula": "sin(3.14*x)"}
WIDTHS = [[1, 1], [2, 1, 1], [2, 5, 1], [4, 2, 1, 1], [13, 4, 1], [10, 20, 10, 3], [64, 64, 1]]


def make_pair(**fields: Any) -> Snapshot:
    """Return a [1, 1] network whose only edge has these fields."""
    edge = make_edge(Edge(0, 0, 0), math.sin, **fields)
    return Snapshot((1, 1), make_nodes([1, 1]), (edge,), 1)


def only_edge(snapshot: Snapshot) -> EdgeMark:
    (mark,) = picture(snapshot).edges
    return mark


def sides(box: Rect) -> tuple[float, float, float, float]:
    return box.left, box.right, box.top, box.bottom


def overlaps(drawing: Picture) -> int:
    """Count the pairs of boxes that overlap."""
    left, right, top, bottom = np.array([sides(mark.plot.box) for mark in drawing.edges]).T
    across = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    down = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    return int(((across > 1e-6) & (down > 1e-6)).sum() - len(left)) // 2


def crossings(drawing: Picture) -> int:
    """Count the points of connectors that lie inside a box, foreign or their own."""
    x, y = points_on([chain for mark in drawing.edges for chain in mark.connectors])
    inside = 0
    for left, right, top, bottom in (sides(mark.plot.box) for mark in drawing.edges):
        within = (left + 1e-6 < x) & (x < right - 1e-6)
        inside += int((within & (top + 1e-6 < y) & (y < bottom - 1e-6)).sum())
    return inside


def points_on(chains: Sequence[Chain]) -> np.ndarray:
    """Return (2, points) on chains of cubic Bezier pieces, 25 on each piece."""
    pieces = [chain[k : k + 4] for chain in chains for k in range(0, len(chain) - 1, 3)]
    t = np.linspace(0, 1, 25)
    weights = np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
    points: np.ndarray = np.einsum("wt,pwx->xpt", weights, np.array(pieces)).reshape(2, -1)
    return points


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_each_edge_is_drawn_once_from_its_node_to_its_node(widths: list[int]) -> None:
    snapshot = make_snapshot(widths)
    drawing = picture(snapshot)
    assert sorted(mark.view.edge for mark in drawing.edges) == [v.edge for v in snapshot.edges]
    places = {(mark.node.layer, mark.node.index): mark for mark in drawing.nodes}
    assert len(places) == sum(widths)
    for mark in drawing.edges:
        layer, i, j = mark.view.edge
        below, above = places[layer, i], places[layer + 1, j]
        into, out = mark.connectors
        assert into[0] == (below.x, below.y)  # the node lies on top
        assert out[-1] == (above.x, above.y)
        assert len(into) % 3 == len(out) % 3 == 1
        left, right, top, bottom = sides(mark.plot.box)
        for x, y in (into[-1], out[0]):
            assert x == pytest.approx(min(max(x, left), right))
            assert y == pytest.approx(min(max(y, top), bottom))


@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=4),
    st.none() | st.tuples(st.floats(100, 1400), st.floats(100, 1400)),
)
def test_no_boxes_overlap_and_no_line_crosses_a_box(
    widths: list[int], size: tuple[float, float] | None
) -> None:
    drawing = picture(make_snapshot(widths), size=size)
    assert overlaps(drawing) == 0
    assert crossings(drawing) == 0


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_no_boxes_overlap_and_no_line_crosses_a_box_in_large_networks(widths: list[int]) -> None:
    drawing = picture(make_snapshot(widths, title="A title"))
    assert overlaps(drawing) == 0
    assert crossings(drawing) == 0


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_everything_stands_on_the_canvas(widths: list[int]) -> None:
    drawing = picture(make_snapshot(widths, title="A title"))
    assert drawing.width <= WIDEST
    points = [p for mark in drawing.edges for chain in mark.connectors for p in chain]
    points += [p for mark in drawing.edges for p in mark.plot.curve]
    points += [(node.x, node.y) for node in drawing.nodes]
    points += [(text.x, text.y) for text in drawing.texts]
    assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in points)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_each_curve_stays_in_its_box_with_a_margin(widths: list[int]) -> None:
    for mark in picture(make_snapshot(widths)).edges:
        box = mark.plot.box
        xs, ys = zip(*mark.plot.curve, strict=True)
        assert min(xs) == pytest.approx(box.left + 0.12 * box.width)
        assert max(xs) == pytest.approx(box.right - 0.12 * box.width)
        assert box.top + 0.12 * box.height <= min(ys) + 1e-6
        assert max(ys) <= box.bottom - 0.12 * box.height + 1e-6


def test_a_rising_curve_rises_on_the_screen() -> None:
    curve = only_edge(make_pair(curve_y=tuple(float(n) for n in range(61)))).plot.curve
    assert curve[0][0] < curve[-1][0]
    assert curve[0][1] > curve[-1][1]


@pytest.mark.parametrize("value", [0.0, 3.0, -1e308])
def test_a_constant_runs_through_the_middle(value: float) -> None:
    plot = only_edge(make_pair(curve_y=(value,) * 61)).plot
    (level,) = {y for _, y in plot.curve}
    assert level == pytest.approx(plot.box.top + plot.box.height / 2)
    assert plot.zero is None


def test_rounding_is_drawn_flat_beside_a_real_curve() -> None:
    noise = {"curve_y": tuple(1e-17 * math.sin(n) for n in range(61))}
    marks = picture(make_snapshot([2, 1], changes={Edge(0, 0, 0): noise})).edges
    heights = {mark.view.i: {y for _, y in mark.plot.curve} for mark in marks}
    assert len(heights[0]) == 1
    assert len(heights[1]) > 10


def test_the_largest_numbers_are_drawn() -> None:
    top = 1.7e308
    plot = only_edge(make_pair(curve_x=(-top, 0.0, top), curve_y=(-top, 0.0, top))).plot
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in plot.curve)
    assert plot.curve[1] == pytest.approx((plot.box.middle, plot.box.top + plot.box.height / 2))


@pytest.mark.parametrize("n", [0, 1])
def test_a_curve_of_few_points_is_drawn(n: int) -> None:
    plot = only_edge(make_pair(curve_x=(0.5,) * n, curve_y=(2.0,) * n)).plot
    assert len(plot.curve) == 2 * n


def test_the_line_of_zero_stands_where_the_curve_is_zero() -> None:
    plot = only_edge(make_pair(curve_x=(0.0, 1.0), curve_y=(-1.0, 3.0))).plot
    low, high = plot.curve[0][1], plot.curve[1][1]
    assert plot.zero == pytest.approx(low + (high - low) / 4)
    assert only_edge(make_pair(curve_x=(0.0, 1.0), curve_y=(1.0, 3.0))).plot.zero is None


@pytest.mark.parametrize("strength", [0.0, 1e-12, FAINTEST])
def test_the_weakest_edge_is_visible(strength: float) -> None:
    assert only_edge(make_pair(strength=strength)).plot.opacity == READABLE


def test_a_removed_edge_is_flat_whatever_curve_it_keeps() -> None:
    plot = only_edge(make_pair(state="pruned")).plot
    assert len({y for _, y in plot.curve}) == 1
    assert plot.zero is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", ["spline", "symbolic"])
def test_the_weakest_edge_stands_out_from_its_ground(theme: Theme, kind: str) -> None:
    """By 3 to 1, the least contrast of what must be seen (WCAG 2.2, success criterion 1.4.11)."""
    drawn = blend(getattr(theme, kind), theme.paper, READABLE)
    assert min(contrast(drawn, ground) for ground in (theme.paper, theme.panel)) >= 3


def contrast(one: str, two: str) -> float:
    """Return the ratio of two colours' luminances as WCAG 2.2 defines it."""
    lights = sorted((luminance(one), luminance(two)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_strongest_edge_lies_on_top() -> None:
    opacities = [mark.plot.opacity for mark in picture(make_snapshot([5, 5, 2])).edges]
    assert opacities == sorted(opacities)


def test_pruned_edges_are_ghosts_or_off() -> None:
    snapshot = make_snapshot([2, 5, 1], changes={Edge(0, 0, 1): {"state": "pruned"}})
    ghost, off = picture(snapshot), picture(snapshot, pruned="off")
    assert [mark.view.state for mark in ghost.edges].count("pruned") == 1
    assert len(ghost.edges) == 15
    assert len(off.edges) == 14
    assert [entry.kind for entry in ghost.key] == ["spline", "pruned"]
    assert off.key == ()


def test_a_node_without_live_edges_is_bare() -> None:
    gone = {Edge(0, i, 1): {"state": "pruned"} for i in range(2)}
    drawing = picture(make_snapshot([2, 2, 1], changes=gone | {Edge(1, 1, 0): {"state": "pruned"}}))
    bare = [(mark.node.layer, mark.node.index) for mark in drawing.nodes if not mark.live]
    assert bare == [(1, 1)]


def test_a_formula_stands_below_its_box_clear_of_the_line() -> None:
    mark = only_edge(make_pair(**FORMULA))
    assert mark.caption is not None
    assert mark.caption.text == "sin(3.14*x)"
    assert mark.caption.y > mark.plot.box.bottom
    assert mark.connectors[0][-1][1] > mark.caption.y


def test_a_long_formula_is_cut() -> None:
    mark = only_edge(make_pair(state="symbolic", formula="x" * 500))
    assert mark.caption is not None
    assert mark.caption.text.endswith("\u2026")
    assert len(mark.caption.text) < 30


def test_frozen_and_locked_edges_are_marked_and_explained() -> None:
    drawing = picture(make_pair(frozen=True, locked=True))
    assert [badge.kind for badge in drawing.edges[0].badges] == ["frozen", "locked"]
    assert [entry.kind for entry in drawing.key] == ["spline", "frozen", "locked"]


def test_a_shape_that_a_curve_keeps_has_its_sign_below_the_box() -> None:
    edge = picture(make_pair(shapes=("increasing", "convex"))).edges[0]
    box = edge.plot.box
    assert [badge.kind for badge in edge.badges] == ["shape", "shape"]
    assert all(badge.y == box.bottom and len(badge.strokes) == 1 for badge in edge.badges)
    (rising,) = edge.badges[0].strokes
    assert rising[-1][1] < rising[0][1]  # y downwards


def test_plain_splines_need_no_key() -> None:
    assert picture(make_snapshot([2, 5, 1])).key == ()


def test_the_number_of_edges_left_out_is_written() -> None:
    drawing = picture(make_snapshot([64, 64, 1]))
    notes = [text.text for text in drawing.texts if text.role == "note"]
    assert notes == ["the strongest 200 of 4,160 edges; 3,960 left out"]
    notes = [text.text for text in picture(make_snapshot([2, 5, 1])).texts if text.role == "note"]
    assert notes == [f"h1.{n}" for n in range(5)]


def test_names_turn_upright_where_they_do_not_fit_and_none_collide() -> None:
    few, many = picture(make_snapshot([3, 1])), picture(make_snapshot([784, 4, 1]))
    names = [text for text in few.texts if text.role == "label"]
    assert [text.text for text in names] == ["x_1", "x_2", "x_3", "y"]
    assert not any(text.upright for text in names)
    across = sorted(text.x for text in many.texts if text.upright)
    assert 10 < len(across) < 784
    assert all(b - a >= text_height(many) for a, b in itertools.pairwise(across))


def text_height(drawing: Picture) -> float:
    return next(text.size for text in drawing.texts if text.upright)


def test_hidden_names_are_written_where_there_is_room() -> None:
    nodes = list(make_nodes([2, 2, 1]))
    nodes[2] = nodes[2].__class__(1, 0, "energy", 1.0, nodes[2].x, nodes[2].y)
    snapshot = make_snapshot([2, 2, 1])
    drawing = picture(Snapshot(snapshot.widths, tuple(nodes), snapshot.edges, snapshot.n_edges))
    assert "energy" in [text.text for text in drawing.texts]


def test_the_canvas_is_the_size_asked_for() -> None:
    drawing = picture(make_snapshot([3, 4, 2]), size=(700.0, 600.0))
    assert (drawing.width, drawing.height) == (700, 600)


@pytest.mark.parametrize("size", [(100.0, 100.0), (1400.0, 120.0), (110.0, 900.0)])
def test_a_canvas_too_small_keeps_its_proportions(size: tuple[float, float]) -> None:
    drawing = picture(make_snapshot([3, 4, 2]), size=size)
    assert drawing.width / drawing.height == pytest.approx(size[0] / size[1])
    assert drawing.width > size[0]
    assert min(mark.plot.box.width for mark in drawing.edges) > 8


def test_equal_snapshots_give_equal_pictures() -> None:
    assert picture(make_snapshot([4, 6, 2])) == picture(make_snapshot([4, 6, 2]))


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_style_of_pruned_edges_is_named() -> None:
    with pytest.raises(ValueError, match=r"pruned must be one of \('ghost', 'off'\); got 'pale'"):
        picture(make_snapshot([1, 1]), pruned="pale")  # type: ignore[arg-type]
