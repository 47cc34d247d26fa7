"""The playground: the page as it is written, and a command for it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import torch

from kanviz import cli
from kanviz.course import playground


def lesson_of(page: str) -> dict[str, list[str]]:
    """Return what a page is prepared with."""
    found = re.search(r'id="kanviz-lesson">(.*?)</script>', page)
    assert found is not None
    text = found[1].encode().decode("unicode_escape")
    prepared = re.search(r'"lesson": "(.*?)"', text)
    assert prepared is not None
    return parse_qs(prepared[1], keep_blank_values=True)


def test_the_page_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    assert playground(tmp_path / "p.html") is None
    page = (tmp_path / "p.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert lesson_of(page) == {}


def test_a_lesson_is_prepared_in_the_page(tmp_path: Path) -> None:
    path = tmp_path / "p.html"
    question = 'Why "2" & not <3>?'
    playground(
        path,
        law="x_1*x_2",
        hidden=[2],
        rows=60,
        question=question,
        hide=["data"],
        answer="x",
        mlp=True,
    )
    assert lesson_of(path.read_text("utf-8")) == {
        "law": ["x_1*x_2"],
        "hidden": ["2"],
        "rows": ["60"],
        "question": [question],
        "answer": ["x"],
        "mlp": ["1"],
        "hide": ["data"],
    }
    playground(path, hidden=[])
    assert lesson_of(path.read_text("utf-8")) == {"hidden": [""]}


def test_without_a_path_it_shows_itself_in_a_notebook() -> None:
    shown = playground()
    assert shown is not None
    assert 'sandbox="allow-scripts"' in shown._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hide": ["everything"]}, "hide must be one of"),
        ({"theme": "pink"}, "theme must be one of"),
        ({"noise": -1}, "noise must be a share"),
        ({"rows": 0}, "rows must be"),
        ({"grid_size": 0.5}, "grid_size must be"),
    ],
)
def test_a_lesson_that_cannot_be_is_refused(
    options: dict[str, Any], message: str, tmp_path: Path, unchecked: None
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        playground(tmp_path / "p.html", **options)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_it_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    assert cli.main(["playground", "--law", "x^2", "--question", "Why?"]) == 0
    assert "Open it in a browser" in capsys.readouterr().out
    page = Path("kanviz-playground.html").read_text("utf-8")
    assert lesson_of(page) == {"law": ["x^2"], "question": ["Why?"]}
    assert cli.main(["playground", "--hide", "all"]) == 2
