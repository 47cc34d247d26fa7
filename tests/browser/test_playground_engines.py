"""A lesson from the first press to the law, in Chromium and in Firefox, from a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from browser import firefox, lesson
from kanviz.course import playground

Note = Callable[..., None]


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_a_lesson_from_the_first_press_to_the_law(
    engine: str, tmp_path: Path, note: Note, request: pytest.FixtureRequest
) -> None:
    if engine == "firefox" and firefox.why_not():
        pytest.skip(firefox.why_not())
    path = tmp_path / "playground.html"
    playground(path, law="exp(x_1 + x_2^2)", hidden=[1], rows=200)
    if engine == "firefox":
        with firefox.Firefox(tmp_path) as browser:
            ask, errors = lesson.opened_in_firefox(browser, path)
            found = lesson.followed(ask, tmp_path)
    else:
        ask, errors = lesson.opened_in_chromium(request.getfixturevalue("chromium"), path)
        found = lesson.followed(ask, tmp_path)
    note(f"a short lesson in {engine}", **found)
    assert found["share"] < 2e-3
    assert found["apart"] < 1e-9
    assert found["formula"] == "y=exp(x1+x22)"
    assert errors == []
