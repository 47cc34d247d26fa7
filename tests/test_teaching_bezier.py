from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BPoly

from kanviz.course import teaching

coordinates = st.floats(-5, 5, allow_nan=False)
control_points = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=10)
shares = np.linspace(0, 1, 41)


@settings(max_examples=50)
@given(control_points)
def test_the_curve_equals_that_of_scipy(points: list[tuple[float, float]]) -> None:
    curve = teaching.bezier(points).curve(shares)
    expected = BPoly(np.array(points)[:, np.newaxis, :], [0, 1])(shares)
    np.testing.assert_allclose(curve, expected, atol=1e-12)


@settings(max_examples=50)
@given(control_points)
def test_the_curve_begins_and_ends_at_its_points_and_stays_among_them(
    points: list[tuple[float, float]],
) -> None:
    widget = teaching.bezier(points)
    curve = widget.curve(shares)
    np.testing.assert_array_equal(curve[[0, -1]], widget.points[[0, -1]])
    assert (curve <= widget.points.max(axis=0) + 1e-12).all()
    assert (curve >= widget.points.min(axis=0) - 1e-12).all()


def test_one_share_gives_one_point_and_a_table_a_table() -> None:
    widget = teaching.bezier()
    assert widget.curve(0.5).shape == (2,)
    assert widget.curve(np.zeros((3, 4))).shape == (3, 4, 2)


def test_setting_points_moves_them_and_later_changes_of_the_array_do_not() -> None:
    widget = teaching.bezier()
    points = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 0.0]])
    widget.points = points
    points[1] = 9
    widget.points[0] = 9
    assert widget.points.tolist() == [[0, 0], [1, 2], [2, 0]]
    assert widget.state["points"] == [[0, 0], [1, 2], [2, 0]]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0, 0)], "points must be 2 to 10 rows; got 1"),
        ([(0, 0)] * 11, "points must be 2 to 10 rows; got 11"),
        ([(0, 0, 0), (1, 1, 1)], r"points must be pairs \(x, y\); got shape \(2, 3\)"),
        ([0, 1], r"points must be a table of rows of numbers; got shape \(2,\)"),
        ([(0, 0), (1, np.nan)], "points must be finite"),
        ([(0, 0), (1,)], "points must be numbers"),
        ("points", "points must be numbers; got 'points'"),
    ],
)
def test_points_that_cannot_be_are_named_and_change_nothing(points: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.bezier(points)
    widget = teaching.bezier([(0, 0), (1, 1)])
    with pytest.raises(ValueError, match=message):
        widget.points = points
    assert widget.points.tolist() == [[0, 0], [1, 1]]
