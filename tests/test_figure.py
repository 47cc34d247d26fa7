"""The network as a matplotlib figure: its marks, its colours, and how a notebook shows it."""

from typing import Any

import numpy as np
import pytest
from effort import calls_of
from IPython.core.formatters import DisplayFormatter
from make_snapshot import make_snapshot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection, LineCollection
from matplotlib.colors import to_hex

from kanviz.snapshot import Edge
from kanviz.theme import DARK, LIGHT, Theme
from kanviz.views.figure import NotebookFigure, network_figure

WIDTHS = [[1, 1], [2, 1, 1], [2, 5, 1], [4, 2, 1, 1], [10, 20, 10, 3], [64, 64, 1], [784, 64, 10]]
HOSTILE = [
    "<b>",
    "$x$",
    r"$\frac{",
    "</script>",
    "n" * 400,
    "\u03b1\u2080 \u00fc",
    "a_b^c",
    "%&#~",
    "",
]


def collection(figure: NotebookFigure, name: str) -> Collection:
    (found,) = (item for item in figure.axes[0].collections if item.get_gid() == name)
    return found


def words(figure: NotebookFigure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def colors(figure: NotebookFigure, name: str) -> list[str]:
    rows = np.asarray(collection(figure, name).get_edgecolor(), dtype=float)
    return [to_hex(tuple(row)) for row in rows.tolist()]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_each_edge_of_the_snapshot_is_drawn(widths: list[int]) -> None:
    snapshot = make_snapshot(widths)
    figure = network_figure(snapshot)
    curves = collection(figure, "curves")
    assert isinstance(curves, LineCollection)
    assert len(curves.get_segments()) == len(snapshot.edges)
    for name in ("entries", "exits", "boxes"):
        assert len(collection(figure, name).get_paths()) == len(snapshot.edges)
    assert len(collection(figure, "nodes").get_paths()) == sum(widths)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_edge_stands_out_from_the_paper(theme: Any) -> None:
    paper = {"light": LIGHT, "dark": DARK}[theme].paper
    figure = network_figure(make_snapshot([10, 20, 10, 3]), theme=theme)
    assert min(contrast(color, paper) for color in colors(figure, "curves")) > 1.25


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_strong_edges_have_the_contrast_that_reading_needs(theme: Theme) -> None:
    for color in (theme.ink, theme.muted, theme.spline, theme.symbolic):
        assert contrast(color, theme.paper) >= 4.5


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours, as WCAG 2.1 defines it."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    channels = [value / 255 for value in bytes.fromhex(color[1:])]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_strong_edges_are_darker_and_thicker() -> None:
    changes = {Edge(0, i, 0): {"strength": strength} for i, strength in enumerate((0.2, 0.6, 1.0))}
    figure = network_figure(make_snapshot([3, 1], changes=changes))
    tones = [luminance(color) for color in colors(figure, "curves")]
    assert tones == sorted(tones, reverse=True)
    widths = np.asarray(collection(figure, "curves").get_linewidth())
    assert (np.diff(widths) > 0).all()


def test_formulas_are_orange_and_written() -> None:
    changes = {Edge(1, 0, 0): {"state": "symbolic", "formula": "x^2", "strength": 1.0}}
    figure = network_figure(make_snapshot([2, 1, 1], changes=changes))
    assert LIGHT.symbolic in colors(figure, "curves")
    assert "x^2" in words(figure)


def test_pruned_edges_are_grey_and_dashed_or_off() -> None:
    snapshot = make_snapshot([2, 5, 1], changes={Edge(0, 0, 1): {"state": "pruned"}})
    figure = network_figure(snapshot)
    for name in ("boxes", "entries", "exits"):
        dashes: Any = collection(figure, name).get_linestyle()
        assert [pattern is None for _, pattern in dashes].count(False) == 1
    off = collection(network_figure(snapshot, pruned="off"), "curves")
    assert len(off.get_paths()) == 14


@pytest.mark.parametrize(("theme", "paper"), [("light", LIGHT.paper), ("dark", DARK.paper)])
def test_the_theme_colours_the_paper(theme: Any, paper: str) -> None:
    figure = network_figure(make_snapshot([2, 1]), theme=theme)
    assert to_hex(figure.get_facecolor()) == paper


def test_what_is_left_out_is_written_on_the_figure() -> None:
    assert "the strongest 200 of 50,816 edges; 50,616 left out" in words(
        network_figure(make_snapshot([784, 64, 10]))
    )


def test_the_key_is_whole_on_the_smallest_figure() -> None:
    changes: dict[Edge, dict[str, Any]] = {
        Edge(0, 0, 0): {"state": "pruned", "frozen": True},
        Edge(0, 1, 0): {"state": "symbolic", "locked": True},
    }
    figure = network_figure(make_snapshot([2, 1, 1], changes=changes))
    renderer = FigureCanvasAgg(figure).get_renderer()
    places = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert min(place.x0 for place in places) > 0
    assert max(place.x1 for place in places) < figure.bbox.x1
    assert {"spline", "formula", "removed", "frozen", "locked together"} <= set(words(figure))


def test_hostile_names_are_shown_as_they_are() -> None:
    figure = network_figure(make_snapshot([len(HOSTILE), 2, 1], labels=HOSTILE, title=r"$\bad{"))
    for name in ("<b>", "$x$", r"$\frac{", "</script>", "\u03b1\u2080 \u00fc", "a_b^c", r"$\bad{"):
        assert name in words(figure)
    assert not any(text.get_parse_math() or text.get_usetex() for text in figure.axes[0].texts)
    assert max(map(len, words(figure))) < 40
    figure._repr_png_()


def test_names_stay_plain_where_the_user_lets_tex_set_text() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"text.usetex": True}):
        figure = network_figure(make_snapshot([2, 1], labels=["$", "\\"]))
        assert figure._repr_png_()[0].startswith(b"\x89PNG")
    assert {"$", "\\"} <= set(words(figure))
    assert not any(text.get_usetex() for text in figure.axes[0].texts)


@pytest.mark.parametrize("widths", WIDTHS[:5], ids=str)
def test_a_notebook_shows_the_figure_once_and_in_full(widths: list[int]) -> None:
    figure = network_figure(make_snapshot(widths))
    shown, about = DisplayFormatter().format(figure)
    assert set(shown) == {"image/png", "text/plain"}
    assert shown["image/png"].startswith(b"\x89PNG")
    width, height = figure.get_size_inches() * 100
    assert about["image/png"] == {"width": round(width), "height": round(height)}


def test_equal_snapshots_give_equal_images() -> None:
    first, second = (network_figure(make_snapshot([2, 3, 1]))._repr_png_()[0] for _ in range(2))
    assert first == second


def test_the_size_is_that_asked_for_in_inches() -> None:
    figure = network_figure(make_snapshot([2, 5, 1]), size=(6.0, 4.0))
    assert figure.get_size_inches().tolist() == [6.0, 4.0]


def test_on_small_paper_the_letters_shrink_too() -> None:
    snapshot = make_snapshot([10, 8, 2])
    large, small = network_figure(snapshot), network_figure(snapshot, size=(2.0, 2.0))
    before, after = (
        [float(text.get_fontsize()) for text in figure.axes[0].texts] for figure in (large, small)
    )
    assert max(after) < min(before) / 2
    small._repr_png_()


@pytest.mark.parametrize("size", [(0.5, 4.0), (4.0, float("nan")), (float("inf"), 4.0)])
def test_an_impossible_size_is_named(size: tuple[float, float]) -> None:
    with pytest.raises(
        ValueError, match=r"size must be \(width, height\) in inches, each at least 1"
    ):
        network_figure(make_snapshot([2, 1]), size=size)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_theme_is_named() -> None:
    with pytest.raises(ValueError, match=r"theme must be one of \['dark', 'light'\]; got 'blue'"):
        network_figure(make_snapshot([2, 1]), theme="blue")  # type: ignore[arg-type]


def test_the_work_for_a_picture_grows_no_faster_than_its_edges() -> None:
    def effort(widths: list[int]) -> tuple[int, int]:
        snapshot = make_snapshot(widths)
        network_figure(snapshot)._repr_png_()  # fonts are found at the first
        calls = calls_of(lambda: network_figure(snapshot)._repr_png_())
        return len(snapshot.edges), calls

    (few, small), (many, large) = effort([2, 3, 1]), effort([4, 6, 2])
    assert (few, many) == (9, 36)
    assert small < 130_000
    assert large < 4 * small
