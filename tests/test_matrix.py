"""The functions of one layer as a matrix: which plots there are, what is written, and where."""

import itertools
from typing import Any

import numpy as np
import pytest
from effort import calls_of
from hypothesis import given
from hypothesis import strategies as st
from make_snapshot import make_edge, make_nodes, make_snapshot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_hex

from kanviz.layout import FAINTEST
from kanviz.layout.marks import OUTLINE
from kanviz.snapshot import Edge, Snapshot
from kanviz.theme import DARK, LIGHT, blend
from kanviz.views.figure import NotebookFigure
from kanviz.views.matrix import MAX_EDGES, Cell, Selection, layer_figure, table

HOSTILE = ["$x^2", r"\frac{a}{b}", "<script>", "n" * 5000, "\u202egnp.exe", "e" + "\u0301" * 99, ""]
CHANGES: dict[Edge, dict[str, Any]] = {
    Edge(0, 0, 0): {"state": "pruned", "score": 0.0, "strength": FAINTEST},
    Edge(0, 1, 1): {"state": "symbolic", "formula": "sin(3*x)", "strength": 1.0},
    Edge(0, 2, 2): {"frozen": True, "locked": True},
}


def collection(figure: NotebookFigure, name: str) -> Collection:
    (found,) = (item for item in figure.axes[0].collections if item.get_gid() == name)
    return found


def words(figure: NotebookFigure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def by_edge(snapshot: Snapshot, layer: int = 0, most: int = MAX_EDGES) -> dict[Edge, Cell]:
    return {cell.plot.view.edge: cell for cell in table(snapshot, layer, most).cells}


def collisions(figure: NotebookFigure) -> list[tuple[str, str]]:
    """Return the words that share room with other words or a plot, or that leave the paper."""
    axes = figure.axes[0]
    renderer = FigureCanvasAgg(figure).get_renderer()
    places = [(text.get_text(), text.get_window_extent(renderer)) for text in axes.texts]
    boxes = [
        ("a plot", path.get_extents(axes.transData))
        for path in collection(figure, "boxes").get_paths()
    ]
    pairs = itertools.chain(itertools.combinations(places, 2), itertools.product(places, boxes))
    found = [(a, b) for (a, left), (b, right) in pairs if left.overlaps(right)]
    paper = figure.bbox
    return found + [
        (name, "the paper")
        for name, place in places
        if place.x0 < 0 or place.y0 < 0 or place.x1 > paper.x1 or place.y1 > paper.y1
    ]


def test_a_row_is_an_input_and_a_column_an_output() -> None:
    cells = by_edge(make_snapshot([3, 4, 2]))
    assert set(cells) == {Edge(0, i, j) for i in range(3) for j in range(4)}
    for i in range(3):
        assert len({cells[Edge(0, i, j)].plot.box.top for j in range(4)}) == 1
    for j in range(4):
        assert len({cells[Edge(0, i, j)].plot.box.left for i in range(3)}) == 1
    assert cells[Edge(0, 0, 0)].plot.box.top < cells[Edge(0, 1, 0)].plot.box.top
    assert cells[Edge(0, 0, 0)].plot.box.left < cells[Edge(0, 0, 1)].plot.box.left


def test_the_names_of_the_nodes_stand_at_the_sides() -> None:
    written = words(layer_figure(make_snapshot([2, 3, 1], labels=["mass", "speed"]), 0))
    assert {"mass", "speed", "h1.0", "h1.1", "h1.2"} <= set(written)
    assert {"h1.0", "h1.1", "h1.2", "y"} <= set(words(layer_figure(make_snapshot([2, 3, 1]), 1)))


def test_the_ends_of_both_ranges_are_written_at_a_plot() -> None:
    view = make_edge(Edge(0, 0, 0), lambda x: 2 * x + 0.25)
    (cell,) = by_edge(Snapshot((1, 1), make_nodes([1, 1]), (view,), 1)).values()
    place = {mark.text: mark for mark in cell.texts}
    assert set(place) == {"-1", "1", "-1.75", "2.25"}
    assert place["-1"].x < place["1"].x
    assert place["2.25"].y < place["-1.75"].y


def test_a_flat_curve_has_one_number_at_its_height() -> None:
    view = make_edge(Edge(0, 0, 0), lambda x: 0.5)
    (cell,) = by_edge(Snapshot((1, 1), make_nodes([1, 1]), (view,), 1)).values()
    assert sorted(mark.text for mark in cell.texts) == ["-1", "0.5", "1"]


def test_data_points_lie_on_the_curve_and_knots_at_its_foot() -> None:
    view = make_edge(Edge(0, 0, 0), lambda x: x**2)
    (cell,) = by_edge(Snapshot((1, 1), make_nodes([1, 1]), (view,), 1)).values()
    curve_x, curve_y = np.array(cell.plot.curve).T
    assert len(cell.samples) == len(view.sample_x)
    for x, y in cell.samples:
        assert y == pytest.approx(np.interp(x, curve_x, curve_y), abs=0.1)
    ticks = [start[0] for start, _ in cell.knots]
    assert ticks == pytest.approx(np.linspace(curve_x[0], curve_x[-1], 6))
    assert {end[1] for _, end in cell.knots} == {cell.plot.box.bottom}


def test_knots_and_data_beyond_the_curve_are_not_drawn() -> None:
    ends = {"knots": (-5.0, 0.0, 5.0), "sample_x": (-3.0, 0.0), "sample_y": (0.0, 0.0)}
    view = make_edge(Edge(0, 0, 0), lambda x: x, **ends)
    (cell,) = by_edge(Snapshot((1, 1), make_nodes([1, 1]), (view,), 1)).values()
    assert (len(cell.knots), len(cell.samples)) == (1, 1)


@pytest.mark.parametrize(("theme", "colors"), [("light", LIGHT), ("dark", DARK)])
def test_states_have_their_colours_and_a_pruned_edge_is_a_dashed_ghost(
    theme: Any, colors: Any
) -> None:
    snapshot = make_snapshot([3, 3, 1], changes=CHANGES)
    figure = layer_figure(snapshot, 0, theme=theme)
    assert to_hex(figure.get_facecolor()) == colors.paper
    boxes = collection(figure, "boxes")
    plots = [cell.plot for cell in by_edge(snapshot).values()]
    tones = [to_hex(tone) for tone in np.asarray(boxes.get_edgecolor())]
    assert tones == [
        blend(getattr(colors, plot.view.state), colors.paper, OUTLINE * plot.opacity)
        for plot in plots
    ]
    styles: Any = boxes.get_linestyle()
    dashed = [dash is not None for _, dash in styles]
    assert dashed == [plot.view.state == "pruned" for plot in plots]
    assert dashed.count(True) == 1
    assert "sin(3*x)" in words(figure)


def test_frozen_and_locked_edges_carry_their_signs() -> None:
    cells = by_edge(make_snapshot([3, 3, 1], changes=CHANGES))
    assert [badge.kind for badge in cells[Edge(0, 2, 2)].badges] == ["frozen", "locked"]
    assert cells[Edge(0, 1, 2)].badges == ()


@pytest.mark.parametrize(
    "widths", [[2, 1, 1], [2, 5, 1], [4, 2, 1, 1], [10, 20, 10, 3], [64, 64, 1]]
)
def test_no_words_or_plots_overlap(widths: list[int]) -> None:
    figure = layer_figure(make_snapshot(widths), 0)
    assert collisions(figure) == []


def test_hostile_names_are_short_and_plain_and_overlap_nothing() -> None:
    snapshot = make_snapshot([7, 3, 1], labels=HOSTILE, changes=CHANGES, title="$" * 900)
    figure = layer_figure(snapshot, 0)
    texts = figure.axes[0].texts
    assert not any(text.get_parse_math() or text.get_usetex() for text in texts)
    assert {"$x^2", "<script>", "h0.6"} <= set(words(figure))
    assert max(len(word) for word in words(figure)) < 120
    assert collisions(figure) == []
    assert layer_figure(snapshot, 0)._repr_png_()[0].startswith(b"\x89PNG")


def test_huge_and_tiny_numbers_find_room() -> None:
    extremes = {"curve_x": (-1.23456e-300, 1.23456e300), "curve_y": (-1.7e308, 1.7e308)}
    snapshot = make_snapshot(
        [2, 2], changes={Edge(0, i, j): extremes for i in range(2) for j in range(2)}
    )
    figure = layer_figure(snapshot, 0)
    assert {"1.23e+300", "-1.7e+308"} <= set(words(figure))
    assert collisions(figure) == []


def test_edges_without_a_curve_have_an_empty_plot() -> None:
    nothing = dict.fromkeys(("curve_x", "curve_y", "sample_x", "sample_y", "knots"), ())
    figure = layer_figure(make_snapshot([1, 1], changes={Edge(0, 0, 0): nothing}), 0)
    assert len(collection(figure, "boxes").get_paths()) == 1
    figure._repr_png_()


def test_a_wide_layer_shows_its_strongest_nodes_and_says_what_is_left_out() -> None:
    snapshot = make_snapshot([2, 60, 1])
    figure = layer_figure(snapshot, 0)
    shown = by_edge(snapshot)
    assert len(collection(figure, "boxes").get_paths()) == len(shown) == 24
    assert "24 of 120 edges: 2 of 2 inputs, 12 of 60 outputs; 96 left out" in words(figure)
    kept = {edge.j for edge in shown}
    weight = [sum(v.strength for v in snapshot.edges if v.edge[::2] == (0, j)) for j in range(60)]
    assert min(weight[j] for j in kept) >= max(weight[j] for j in set(range(60)) - kept)


def test_more_plots_can_be_asked_for() -> None:
    snapshot = make_snapshot([10, 20, 1])
    assert len(by_edge(snapshot)) <= MAX_EDGES
    assert len(by_edge(snapshot, most=400)) == 200


def test_nothing_is_said_of_edges_left_out_where_all_are_there() -> None:
    written = words(layer_figure(make_snapshot([2, 5, 1]), 0))
    assert not any("left out" in word for word in written)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 120), st.integers(0, 2**20))
def test_a_selection_keeps_the_limit_and_its_views_lie_in_it(
    before: int, after: int, most: int, seed: int
) -> None:
    views = make_snapshot([before, after], seed=seed, limit=1 + seed % (before * after)).edges
    shown = Selection(views, before, after, most)
    assert 1 <= len(shown.rows) * len(shown.columns) <= most
    assert shown.rows == sorted(set(shown.rows))
    assert shown.columns == sorted(set(shown.columns))
    assert shown.views == [v for v in views if v.i in shown.rows and v.j in shown.columns]
    assert Selection(views, before, after, most).rows == shown.rows


@pytest.mark.parametrize(("before", "after", "kept"), [(60, 2, (20, 2)), (2, 60, (2, 12))])
def test_only_the_side_that_is_too_long_is_cut(
    before: int, after: int, kept: tuple[int, int]
) -> None:
    shown = Selection(make_snapshot([before, after]).edges, before, after, 100)
    assert (len(shown.rows), len(shown.columns)) == kept


def test_pruned_edges_leave_before_live_ones() -> None:
    gone = {"state": "pruned", "strength": 1.0}
    changes = {Edge(0, i, j): gone for i in (0, 1) for j in range(4)}
    assert Selection(make_snapshot([4, 4], changes=changes).edges, 4, 4, 9).rows[-2:] == [2, 3]


@pytest.mark.parametrize("layer", [2, -1, 99])
def test_a_layer_that_is_not_there_is_named(layer: int) -> None:
    with pytest.raises(IndexError, match=rf"layer must be from 0 to 1; got {layer}\. Choose"):
        layer_figure(make_snapshot([2, 3, 1]), layer)


@pytest.mark.usefixtures("unchecked")
def test_wrong_options_are_named() -> None:
    snapshot = make_snapshot([2, 3, 1])
    with pytest.raises(ValueError, match="max_edges must be at least 1; got 0"):
        layer_figure(snapshot, 0, max_edges=0)
    with pytest.raises(ValueError, match="theme must be one of"):
        layer_figure(snapshot, 0, theme="blue")  # type: ignore[arg-type]


def test_the_work_for_a_picture_grows_no_faster_than_its_plots() -> None:
    def effort(widths: list[int]) -> tuple[int, int]:
        snapshot = make_snapshot(widths)
        layer_figure(snapshot, 0)._repr_png_()  # fonts are found at the first
        calls = calls_of(lambda: layer_figure(snapshot, 0)._repr_png_())
        return len(collection(layer_figure(snapshot, 0), "boxes").get_paths()), calls

    (few, small), (many, large) = effort([3, 3, 1]), effort([6, 6, 1])
    assert (few, many) == (9, 36)
    assert small < 280_000
    assert large < 4 * small
