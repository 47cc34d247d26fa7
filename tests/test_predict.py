"""A prediction keeps its answer closed until a guess is committed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kanviz.course import predict
from kanviz.course.teaching.prediction import compared


def test_the_answer_stays_closed_until_a_guess_is_committed(tmp_path: Path) -> None:
    asked: list[int] = []

    def measure() -> float:
        asked.append(1)
        return 0.002

    widget = predict("How large is the error?", measure, unit="m")
    assert widget.guess is None
    assert not asked
    assert "0.002" not in json.dumps(widget.state) + repr(widget)
    widget._handle_custom_msg(
        {"type": "change", "view": "a", "turn": 1, "change": {"guess": 0.1}}, []
    )
    assert [widget.state[name] for name in ("guess", "answer")] == [0.1, 0.002]
    assert repr(widget).splitlines()[1:] == [
        "your guess: 0.1 m",
        "measured:   0.002 m (50 times too large)",
    ]
    assert widget.commit(7).guess == 0.1  # the first counts


@pytest.mark.parametrize("change", [{}, {"guess": None}, {"guess": "many"}, {"answer": 1}])
def test_what_is_no_guess_opens_nothing(change: dict[str, Any]) -> None:
    widget = predict("How many?", 3)
    widget._handle_custom_msg({"type": "change", "view": "a", "turn": 1, "change": change}, [])
    assert widget.guess is widget.state["answer"] is None


def test_a_page_has_its_answer_sealed_in_it(tmp_path: Path) -> None:
    widget = predict("Sine or cosine?", "sine", choices=["sine", "cosine"])
    widget.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert re.search(r'sealed\\+": \\+"sine', page)
    assert "sealed" not in widget.state


def test_a_measurement_may_come_later() -> None:
    later: dict[str, float] = {}
    widget = predict("How many?", lambda: later["n"])
    assert "not measured yet" in repr(widget.commit(3))
    later["n"] = 4
    widget._handle_custom_msg(
        {"type": "change", "view": "a", "turn": 1, "change": {"guess": 5}}, []
    )
    assert repr(widget).endswith("measured:   4 (1.3 times too small)")


@pytest.mark.parametrize(
    ("guess", "answer", "words"),
    [
        (3.0, 3.0, "right"),
        (4.0, 5.0, "close"),
        (1.0, 30.0, "30 times too small"),
        (1e5, 1.0, "1e5 times too large"),
        (1.0, 0.0, "off by 1"),
        ("KAN", "MLP", "not so"),
        (1.0, None, ""),
    ],
)
def test_a_guess_is_compared_in_words(guess: Any, answer: Any, words: str) -> None:
    assert compared(guess, answer) == words


def test_what_cannot_be_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"answer must be one of choices=\['a'\]; got 'b'"):
        predict("Which?", "b", choices=["a"])
    with pytest.raises(ValueError, match=r"guess must be one of \['a'\]; got 'c'"):
        predict("Which?", "a", choices=["a"]).commit("c")
    with pytest.raises(ValueError, match="guess must be a finite number; got 'many'"):
        predict("How many?", 1).commit("many")
