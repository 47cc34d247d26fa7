from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from kanviz.course import teaching
from kanviz.course.teaching.bspline import BSpline as BSplineWidget
from kanviz.nn.basis import active_basis, extend_knots, greville_points, scatter_rows

Recipe = tuple[np.ndarray, list[float], int]


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Knots, coefficients and order of splines, some of whose knots lie in one place."""
    k = draw(st.integers(0, 5))
    gaps = draw(st.lists(st.sampled_from([0.0, 0.25, 1.0, 2.5]), min_size=2 * k + 2, max_size=16))
    knots = np.cumsum(gaps)
    right = np.unique(knots, return_counts=True)[1].max() <= k + 1 and knots[k] < knots[-1 - k]
    if not right:
        knots = np.arange(float(len(gaps)))
    n = len(knots) - k - 1
    coef = draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n))
    return knots, coef, k


def points_of(spline: BSplineWidget) -> np.ndarray:
    """Points of the grid: both ends, all knots in it, and some between."""
    knots, k = spline.knots, spline.spline_order
    grid = knots[k : len(knots) - k]
    return np.unique(np.concatenate([grid, np.linspace(grid[0], grid[-1], 50)]))


@settings(max_examples=50)
@given(recipes())
def test_the_curve_equals_that_of_scipy(recipe: Recipe) -> None:
    spline = teaching.bspline(*recipe)
    x, k = points_of(spline), spline.spline_order
    if spline.knots[-2 - k] == spline.knots[-1 - k]:
        x = x[:-1]  # where knots fall together there scipy takes the empty interval
    expected = BSpline(spline.knots, spline.coef, k)(x)
    np.testing.assert_allclose(spline.curve(x), expected, atol=1e-12)


@settings(max_examples=50)
@given(recipes())
def test_the_functions_sum_to_one_on_the_grid_and_none_is_negative(recipe: Recipe) -> None:
    spline = teaching.bspline(*recipe)
    values = spline.basis(points_of(spline))
    np.testing.assert_allclose(values.sum(axis=-1), 1, atol=1e-12)
    assert values.min() >= 0
    assert (np.count_nonzero(values, axis=-1) <= spline.spline_order + 1).all()


@settings(max_examples=50)
@given(recipes())
def test_with_heights_at_their_places_the_curve_is_a_straight_line(recipe: Recipe) -> None:
    spline = teaching.bspline(*recipe)
    if spline.spline_order == 0:
        return
    x = points_of(spline)
    spline.coef = spline.points[:, 0]
    np.testing.assert_allclose(spline.curve(x), x, atol=1e-10)


def test_by_default_it_is_an_edge_of_a_kan() -> None:
    spline = teaching.bspline(spline_order=3, grid_size=5)
    grid = torch.linspace(-1, 1, 6, dtype=torch.float64)[None]
    knots = extend_knots(grid, 3)
    np.testing.assert_allclose(spline.knots, knots[0].numpy(), atol=1e-12)
    np.testing.assert_allclose(spline.points[:, 0], greville_points(knots, 3)[0].numpy())
    x = torch.linspace(-1, 1, 33, dtype=torch.float64)[:, None]
    first, values = active_basis(x, knots, 3, uniform=True)
    expected = scatter_rows(first, values[0], 8)[:, 0]
    np.testing.assert_allclose(spline.basis(x[:, 0].numpy()), expected.numpy(), atol=1e-12)


def test_one_coefficient_moves_the_curve_on_its_own_stretch_only() -> None:
    spline = teaching.bspline()
    x = np.linspace(-0.995, 0.995, 200)
    before = spline.curve(x)
    spline.coef = spline.coef + 0.5 * np.eye(8)[2]
    moved = np.abs(spline.curve(x) - before) > 1e-12
    inside = (x > spline.knots[2]) & (x < spline.knots[6])
    np.testing.assert_array_equal(moved, inside)


def test_beyond_the_grid_there_is_no_curve() -> None:
    curve = teaching.bspline().curve([-1.01, -1, 1, 1.01])
    assert np.isnan(curve).tolist() == [True, False, False, True]


def test_a_browser_may_change_order_knots_and_coefficients_together() -> None:
    spline = teaching.bspline()
    change = {"order": 1, "knots": [0, 1, 2, 3, 4], "coef": [1, 2, 3]}
    message = {"type": "change", "view": "a", "turn": 1, "change": change}
    spline._handle_custom_msg(message, [])
    assert spline.spline_order == 1
    assert spline.points.tolist() == [[1, 1], [2, 2], [3, 3]]
    message["change"] = {"order": 2}
    spline._handle_custom_msg(message, [])
    assert spline.spline_order == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spline_order": 6}, "spline_order must be at most 5; got 6"),
        ({"spline_order": -1}, "spline_order must be an integer of at least 0; got -1"),
        ({"grid_size": 0}, "grid_size must be an integer of at least 1; got 0"),
        ({"knots": [0, 1, 2]}, "knots must be G . 2k . 1 for a grid of G = 1 to 50 intervals"),
        ({"knots": [0, 2, 1, 3], "spline_order": 1}, "knots must not decrease"),
        ({"knots": [0, 0, 0, 1, 2], "spline_order": 1}, "knots must be at most 2 in one place"),
        ({"knots": [0, 1, 1, 2], "spline_order": 1}, "knots must leave a grid between"),
        ({"knots": [0, 1, 2, np.inf], "spline_order": 1}, "knots must be finite"),
        ({"coef": [1, 2, 3]}, "coef must have 8 values because there are 12 knots"),
        ({"coef": [[1] * 8]}, r"coef must be a list of numbers; got shape \(1, 8\)"),
    ],
)
def test_what_cannot_be_a_spline_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.bspline(**options)


def test_what_cannot_be_set_changes_nothing() -> None:
    spline = teaching.bspline()
    before = dict(spline.state)
    with pytest.raises(ValueError, match="coef must have 8 values"):
        spline.coef = [1.0, 2.0]
    with pytest.raises(ValueError, match="knots must not decrease"):
        spline.knots = spline.knots[::-1]
    assert spline.state == before
