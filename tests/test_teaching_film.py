import base64
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_snapshot import make_snapshot

from kanviz.course import teaching
from kanviz.course.teaching.widget import TeachingWidget
from kanviz.live.packing import unpack
from kanviz.snapshot import Snapshot
from kanviz.training import FitReport

HISTORY: dict[str, list[float]] = {
    "step": [1, 2, 3, 4, 5, 6],
    "loss": [1.0, 0.5, 0.3, 0.1, 0.05, 0.04],
    "grid_size": [3, 3, 5, 5, 10, 10],
}


def snapshots(count: int) -> list[Snapshot]:
    return [make_snapshot((2, 5, 1), seed=seed) for seed in range(count)]


def frames_of(widget: TeachingWidget) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = unpack(base64.b64decode(widget.state["frames"]))["frames"]
    return frames


def report(**changes: Any) -> Any:
    return FitReport("lm", history={**HISTORY, **changes})


def test_a_film_holds_the_curves_of_each_frame() -> None:
    shown = snapshots(3)
    film = teaching.film(shown, ["a", "b", "c"], label="lambda")
    for frame, snapshot in zip(frames_of(film), shown, strict=True):
        for edge, view in zip(frame["edges"], snapshot.edges, strict=True):
            np.testing.assert_allclose(edge["curve_x"], view.curve_x, rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(edge["curve_y"], view.curve_y, rtol=1e-6, atol=1e-6)
            assert (edge["i"], edge["j"], edge["state"]) == (view.i, view.j, view.state)
    assert film.state["captions"] == ["a", "b", "c"]
    assert film.state["label"] == "lambda"
    assert film.state["chart"] is None


def test_forty_frames_fit_in_a_page_that_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film.html"
    teaching.film(snapshots(40), [str(n) for n in range(40)]).to_html(path)
    page = path.read_text("utf-8")
    assert len(page) < 1_000_000
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_equal_curves_are_sent_once() -> None:
    twice = teaching.film(snapshots(1) * 2, ["a", "b"]).state["frames"]
    moved = teaching.film(snapshots(2), ["a", "b"]).state["frames"]
    n_bytes = sum(4 * len(view.curve_y) for view in snapshots(1)[0].edges)
    assert len(moved) - len(twice) >= n_bytes


def test_losses_have_names_or_are_one_line() -> None:
    single = teaching.film(snapshots(2), ["a", "b"], losses=[1, 0.5])
    assert single.state["chart"]["lines"] == {"loss": [1.0, 0.5]}
    named = teaching.film(snapshots(2), ["a", "b"], losses={"train": [1, 2], "test": [3, 4]})
    assert named.state["chart"]["lines"] == {"train": [1.0, 2.0], "test": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("count", "captions", "losses", "message"),
    [
        (2, ["a"], None, "captions must be as many as snapshots, .*; got 1 captions for 2"),
        (0, [], None, "at least one; got 0 captions for 0 snapshots"),
        (2, ["a", "b"], [1.0], "losses must hold one number per frame; got 1 under 'loss'"),
        (2, ["a", "b"], {"test": [1.0, math.nan]}, "losses must be finite; got .* under 'test'"),
    ],
)
def test_a_film_says_what_does_not_fit(
    count: int, captions: list[str], losses: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.film(snapshots(count), captions, losses=losses)


def test_a_theme_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="theme must be one of"):
        teaching.film(snapshots(1), ["a"], theme="red")


def test_a_staircase_marks_refinements_and_shows_the_last_picture_until_then() -> None:
    two = snapshots(2)
    stairs = teaching.staircase(report(), {2: two[0], 6: two[1]})
    chart = stairs.state["chart"]
    assert chart["marks"] == [
        {"step": 1, "grid": 3},
        {"step": 3, "grid": 5},
        {"step": 5, "grid": 10},
    ]
    assert chart["lines"] == {"training": HISTORY["loss"]}
    assert stairs.state["shown"] == [0, 0, 0, 0, 0, 1]
    assert stairs.state["captions"][3] == "step 4: 5 intervals, training loss 0.1"
    assert len(frames_of(stairs)) == 2


def test_a_staircase_needs_no_pictures() -> None:
    stairs = teaching.staircase(report(validation_loss=[2.0] * 6))
    assert stairs.state["frames"] is None
    assert set(stairs.state["chart"]["lines"]) == {"training", "validation"}


def test_a_staircase_shows_what_is_left_at_the_last_step_that_was_kept() -> None:
    rows = [[[0.0, 1.0], [1.0, -1.0]], [[0.0, 0.123456], [1.0, 0.0]]]
    stairs = teaching.staircase(report(), left=dict(zip((1, 4), map(np.array, rows), strict=True)))
    assert stairs.state["left"]["shown"] == [0, 0, 0, 1, 1, 1]
    assert stairs.state["left"]["rows"][1] == [[0.0, 0.1235], [1.0, 0.0]]


def test_a_staircase_says_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="left must be of steps of the report; got one of step 9"):
        teaching.staircase(report(), left={9: [[0.0, 1.0]]})
    with pytest.raises(ValueError, match="report must hold at least one step; got none"):
        teaching.staircase(report(step=[]))
    with pytest.raises(ValueError, match="snapshots must be of steps of the report; got one of"):
        teaching.staircase(report(), {9: snapshots(1)[0]})


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    hostile = "</script><script>window.hacked=1</script>"
    shown = dataclasses.replace(snapshots(1)[0], title=hostile)
    film = teaching.film([shown], [hostile], label=hostile)
    film.to_html(tmp_path / "film.html")
    assert "<script>window" not in (tmp_path / "film.html").read_text("utf-8")
