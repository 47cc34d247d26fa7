import base64
import gc
import hashlib
import json
import re
import weakref
from pathlib import Path
from typing import Any

import pytest

from kanviz.course import teaching
from kanviz.course.teaching.widget import TeachingWidget
from kanviz.live.page import TEACHING_SCRIPT


def say(widget: TeachingWidget, change: dict[str, Any], turn: int = 1) -> None:
    """Send what a browser sends."""
    message = {"type": "change", "view": "a", "turn": turn, "change": change}
    widget._handle_custom_msg(message, [])


def test_a_browser_moves_points_and_is_told_that_it_was_heard() -> None:
    widget = teaching.bezier([(0, 0), (1, 1)])
    say(widget, {"points": [[0, 0], [0.5, 2]]}, turn=7)
    assert widget.points.tolist() == [[0, 0], [0.5, 2]]
    assert widget.state["heard"] == {"view": "a", "turn": 7}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"points": None},
        {"points": [[0, 0]]},
        {"points": [[0, 0], [1, "x"]]},
        {"points": [[0, 0, 0], [1, 1, 1]]},
        {"points": [[0, 0], [1, None]]},
        {"else": 1},
        "points",
        None,
    ],
)
def test_what_cannot_be_changes_nothing_but_is_answered(change: Any) -> None:
    widget = teaching.bezier([(0, 0), (1, 1)])
    say(widget, change, turn=3)
    assert widget.points.tolist() == [[0, 0], [1, 1]]
    assert widget.state["heard"] == {"view": "a", "turn": 3}


@pytest.mark.parametrize("message", [None, "hello", {"type": "other"}, {}])
def test_other_messages_are_passed_over(message: Any) -> None:
    widget = teaching.bezier()
    before = dict(widget.state)
    widget._handle_custom_msg(message, [])
    assert widget.state == before


def test_a_kind_that_wants_nothing_from_a_browser_takes_nothing() -> None:
    widget = TeachingWidget("film", {"at": 0}, title="Film", alt="A film")
    say(widget, {"at": 5})
    assert widget.state["at"] == 0


def test_a_state_must_be_numbers_that_a_browser_can_read() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        TeachingWidget("film", {"at": float("nan")}, title="Film", alt="A film")


def test_the_theme_must_be_known() -> None:
    with pytest.raises(ValueError, match="theme must be one of"):
        teaching.bezier(theme="sepia")


def test_a_page_holds_the_state_and_the_front_end_and_runs_nothing_else(tmp_path: Path) -> None:
    widget = teaching.bezier([(0, 0), (1, 1)], theme="dark")
    widget.points = [(0, 0), (0.25, 3)]
    widget.to_html(tmp_path / "bezier.html")
    page = (tmp_path / "bezier.html").read_text()
    data = {
        name: json.loads(text)
        for name, text in re.findall(r'<script type="application/json" id="(.*?)">(.*?)<', page)
    }
    traits = json.loads(data["kanviz-state"])
    assert traits["kind"] == "bezier"
    assert traits["theme"] == "dark"
    assert traits["state"]["points"] == [[0, 0], [0.25, 3]]
    assert data["kanviz-script"] == TEACHING_SCRIPT.read_text("utf-8")
    modules = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    mark = base64.b64encode(hashlib.sha256(modules[0].encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{mark}' blob:;" in page
    assert page.count("<script") == 3
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_hostile_words_are_words_in_a_page(tmp_path: Path) -> None:
    hostile = '</script><script>alert("&")</script><img src=x onerror=alert(1)>'
    widget = TeachingWidget("film", {"caption": hostile}, title=hostile, alt=hostile)
    widget.to_html(tmp_path / "film.html")
    page = (tmp_path / "film.html").read_text()
    assert page.count("<script") == 3
    assert "<img" not in page


def test_a_page_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"The folder of .* does not exist"):
        teaching.bezier().to_html(tmp_path / "none" / "bezier.html")


def test_a_closed_widget_is_let_go() -> None:
    widget = teaching.bezier()
    gone = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert gone() is None


def test_where_no_browser_draws_the_words_stand() -> None:
    bundle = teaching.bspline()._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"].startswith("A B-spline over its basis functions")
