"""Charts show the numbers that they are given, and the slope that those numbers have."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from kanviz.views.charts import lines_figure, maps_figure, scaling_figure
from kanviz.views.figure import NotebookFigure

SIZES = np.array([3.0, 5.0, 10.0, 20.0])


def key_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_slope_in_the_key_is_the_power_of_the_series() -> None:
    series = {"KAN": (SIZES, 7 * SIZES**-4.0), "MLP": (SIZES[:1], np.array([0.1]))}
    figure = scaling_figure(series, x_label="G", y_label="error", theory={"KAN": -4, "flat": 0})
    assert key_of(figure) == [
        "KAN (slope -4.00)",
        "MLP",
        "theory for KAN (slope -4)",
        "flat (slope 0)",
    ]
    (axes,) = figure.axes
    kan, _, theory, flat = axes.get_lines()
    assert np.array_equal(kan.get_xdata(), SIZES)
    assert np.array_equal(kan.get_ydata(), 7 * SIZES**-4.0)
    below = np.log(np.asarray(kan.get_ydata())[[0, -1]] / np.asarray(theory.get_ydata()))
    assert below[0] == pytest.approx(below[1])
    assert below[0] > 0.1
    assert theory.get_color() == kan.get_color()
    assert np.ptp(np.asarray(flat.get_ydata())) == 0
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert np.array_equal(axes.get_xticks(), SIZES)


@pytest.mark.parametrize("row", [[1.0, 0.0], [1.0, -1.0], [1.0, np.nan]])
def test_number_without_a_logarithm_is_named(row: list[float]) -> None:
    with pytest.raises(ValueError, match=r"series\['a'\] must hold positive numbers"):
        scaling_figure({"a": ([1, 2], row)}, x_label="", y_label="")


def test_lines_share_a_row_of_x_or_have_one_each() -> None:
    shared = lines_figure([0, 1, 2], {"a": [1, 2, 3], "b": [3, 2, 1]}, log_y=True)
    assert (shared.axes[0].get_xscale(), shared.axes[0].get_yscale()) == ("linear", "log")
    sizes = lines_figure([3, 6, 12], {"a": [1, 2, 3]}, log_x=True)
    assert list(sizes.axes[0].get_xticks()) == [3, 6, 12]
    x = {"a": [0, 1], "b": [5, 6, 7]}
    own = lines_figure(x, {"a": [1, 2], "b": [1, 2, 3]}, x_label="$x$", title="$t$")
    drawn = {line.get_label(): list(np.asarray(line.get_xdata())) for line in own.axes[0].lines}
    assert drawn == x
    assert own.axes[0].get_xlabel() == "$x$"
    assert isinstance(own, NotebookFigure)
    assert own._repr_png_()[0].startswith(b"\x89PNG")


def test_lines_that_do_not_fit_say_so(unchecked: None) -> None:
    with pytest.raises(ValueError, match="series must hold at least one line; got none"):
        lines_figure([0], {})
    with pytest.raises(ValueError, match=r"series\['a'\] must be two rows of equal length"):
        lines_figure([0, 1], {"a": [1]})
    with pytest.raises(ValueError, match=r"x must have the names of series, \['a'\]; got \['b'\]"):
        lines_figure({"b": [1]}, {"a": [1]})
    with pytest.raises(ValueError, match="theme must be one of"):
        lines_figure([0], {"a": [1]}, theme="blue")  # type: ignore[arg-type]


def test_whole_numbers_have_whole_ticks() -> None:
    for x, is_whole in (([-2, -1, 0, 1], True), ([-2.0, -0.5, 1.0, 2.0], False)):
        figure = lines_figure(x, {"edges": [4, 3, 2, 1]})
        ticks = figure.axes[0].get_xticks()
        assert bool((ticks == np.round(ticks)).all()) is is_whole


def test_five_series_have_five_colours() -> None:
    figure = lines_figure([0, 1], {str(place): [place, place] for place in range(5)})
    assert len({line.get_color() for line in figure.axes[0].lines}) == 5


def test_maps_are_drawn_with_y_upwards() -> None:
    table = np.arange(6.0).reshape(2, 3)
    figure = maps_figure({"u": table, "error": table * 0}, extent=(0, 3, 0, 2))
    names = [axes.get_title() for axes in figure.axes if axes.images]
    (image,) = figure.axes[0].images
    assert names == ["u", "error"]
    assert np.array_equal(np.asarray(image.get_array()), table)
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (0, 3, 0, 2)
    with pytest.raises(ValueError, match=r"maps\['u'\] must be a table"):
        maps_figure({"u": [1.0, 2.0]}, extent=(0, 1, 0, 1))
    with pytest.raises(ValueError, match="maps must hold at least one table; got none"):
        maps_figure({}, extent=(0, 1, 0, 1))
