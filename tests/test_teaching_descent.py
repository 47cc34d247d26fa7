"""A spline that learns step by step: arrows are slopes, and one step solves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanviz.course import teaching


def test_an_arrow_is_minus_the_slope_of_the_loss() -> None:
    learner = teaching.descent(grid_size=5)
    learner.coef = np.linspace(-1, 1, 8)
    arrows, nudge = learner.arrows, 1e-6
    for m in range(8):
        losses = []
        for sign in (1, -1):
            other = teaching.descent(grid_size=5)
            other.coef = learner.coef + sign * nudge * np.eye(8)[m]
            losses.append(other.loss)
        assert arrows[m] == pytest.approx(-(losses[0] - losses[1]) / (2 * nudge), abs=1e-8)


def test_points_beyond_a_bump_do_not_move_its_arrow() -> None:
    x, y = np.linspace(-1, 1, 41), np.zeros(41)
    far = np.where(x > 0.5, 5.0, y)
    here, there = (teaching.descent(x, heights, grid_size=8) for heights in (y, far))
    assert (here.arrows == there.arrows)[:5].all()
    assert there.arrows[-2] > 0


def test_the_rate_decides_between_down_and_out() -> None:
    slow = teaching.descent(grid_size=5)
    fast = teaching.descent(grid_size=5, rate=1.05 * slow.fastest)
    before = slow.loss
    assert slow.step(50).loss < before / 10
    assert fast.step(400).loss > before


def test_one_levenberg_step_is_least_squares() -> None:
    learner = teaching.descent()
    x = np.array(learner.state["x"])
    rows = teaching.bspline(learner.state["knots"], learner.coef).basis(x)
    best = np.linalg.lstsq(rows, np.array(learner.state["y"]), rcond=None)[1][0] / len(x)
    assert learner.levenberg_step().loss == pytest.approx(best, rel=1e-6)


def test_a_browser_moves_points_and_sets_the_rate() -> None:
    learner = teaching.descent(grid_size=1)
    change = {"coef": [1, 2, 3, 4], "rate": 0.5}
    learner._handle_custom_msg({"type": "change", "view": "a", "turn": 1, "change": change}, [])
    assert learner.coef.tolist() == [1, 2, 3, 4]
    assert learner.state["rate"] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": [0.0, 1.0]}, "x and y must be given together"),
        ({"x": [0.0, 2.0], "y": [0.0, 1.0]}, "x must lie from -1 to 1; got 0 to 2"),
        ({"x": [0.0], "y": [0.0]}, "x and y must be 2 to 400 points each; got 1 and 1"),
        ({"rate": -1.0}, "rate must be above 0; got -1.0"),
    ],
)
def test_what_cannot_be_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.descent(**options)


def test_its_page_has_a_title_a_question_and_a_way_on(tmp_path: Path) -> None:
    teaching.descent().to_html(tmp_path / "page.html", next_page="next.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    for part in ("<h1>How a spline learns</h1>", "300 steps not enough?", 'href="next.html"'):
        assert part in page
