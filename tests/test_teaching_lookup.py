"""What one input reads of a table: the same as all bumps at once, and never more than k + 1."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanviz.course import teaching


@settings(max_examples=40, deadline=None)
@given(st.floats(-1, 1), st.integers(1, 40), st.integers(0, 5))
def test_the_bumps_that_light_up_are_all_that_are_not_zero(x: float, size: int, order: int) -> None:
    looked = teaching.lookup(x, grid_size=size, spline_order=order)
    dense = teaching.bspline(grid_size=size, spline_order=order)
    assert len(looked.rows) == len(looked.bumps) == order + 1
    coef = np.random.default_rng(0).uniform(-1, 1, size + order)
    all_of_them = dense.basis(x) @ coef
    read = looked.bumps @ coef[looked.rows.start : looked.rows.stop]
    assert order == 0 or read == pytest.approx(all_of_them, abs=1e-9)


def test_a_browser_moves_x_and_the_grid() -> None:
    looked = teaching.lookup()
    change = {"x": -1, "grid_size": 2000, "order": 1}
    looked._handle_custom_msg({"type": "change", "view": "a", "turn": 1, "change": change}, [])
    assert list(looked.rows) == [0, 1]
    change = {"x": 3}
    looked._handle_custom_msg({"type": "change", "view": "a", "turn": 2, "change": change}, [])
    assert looked.state["x"] == -1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": 1.5}, "x must lie from -1 to 1; got 1.5"),
        ({"grid_size": 3000}, "grid_size must be at most 2000; got 3000"),
        ({"spline_order": 6}, "spline_order must be at most 5; got 6"),
    ],
)
def test_what_cannot_be_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.lookup(**options)
