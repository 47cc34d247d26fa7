import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path

import pytest
from model_helpers import bytes_of, fitted_model, make_model, make_sample

from kanviz.live.packing import unpack
from kanviz.live.page import SCRIPT
from kanviz.model import KAN

HOSTILE = '<img src=x onerror=alert(1)></script><script>alert("&")</script>'


def page_of(model: KAN, folder: Path, **options: object) -> str:
    model.to_html(folder / "m.html", **options)  # type: ignore[arg-type]
    return (folder / "m.html").read_text()


def data_of(page: str, name: str) -> str:
    """Return a text that lies in the page, as a browser reads it."""
    match = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page)
    assert match is not None
    text: str = json.loads(match[1])
    return text


def test_a_page_holds_the_scene_and_the_front_end_to_the_last_byte(tmp_path: Path) -> None:
    model = fitted_model()
    page = page_of(model, tmp_path)
    scene = unpack(base64.b64decode(data_of(page, "kanviz-scene")))
    assert scene["widths"] == [2, 3, 1]
    assert scene["edges"][0]["curve_y"].tolist() == list(model.snapshot().edges[0].curve_y)
    assert scene["recipe"]["layers"][0]["weight"].size > 0
    assert data_of(page, "kanviz-script") == SCRIPT.read_text()


def test_only_the_scripts_of_the_page_may_run(tmp_path: Path) -> None:
    page = page_of(make_model(), tmp_path, title=HOSTILE)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    modules = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert len(modules) == 1
    mark = base64.b64encode(hashlib.sha256(modules[0].encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{mark}' blob:"


def test_a_hostile_title_is_text(tmp_path: Path) -> None:
    page = page_of(make_model(), tmp_path, title=HOSTILE)
    assert page.count("<script") == 3
    assert "<img" not in page
    scene = unpack(base64.b64decode(data_of(page, "kanviz-scene")))
    assert scene["title"] == HOSTILE


def test_a_page_needs_nothing_from_outside_and_is_small(tmp_path: Path) -> None:
    page = page_of(KAN([2, 5, 1]), tmp_path)
    text = page.replace(data_of(page, "kanviz-script"), "")
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert len(page) < 400_000


def test_without_scripts_the_picture_and_its_table_are_there(tmp_path: Path) -> None:
    page = page_of(fitted_model(), tmp_path)
    still = page.partition('<div id="kanviz-still">')[2]
    assert "<svg" in still
    assert "<table>" in still


def test_a_page_of_a_sample_shows_what_it_visits(tmp_path: Path) -> None:
    model = make_model()
    page = page_of(model, tmp_path, x=make_sample(samples=30, reach=0.5))
    scene = unpack(base64.b64decode(data_of(page, "kanviz-scene")))
    assert scene["edges"][0]["curve_x"][-1] < 0.5
    assert scene["sample"].size == 60


def test_a_still_page_has_no_script(tmp_path: Path) -> None:
    assert "<script" not in page_of(make_model(), tmp_path, live=False)


def test_a_page_changes_nothing_and_watches_nothing(tmp_path: Path) -> None:
    model = fitted_model()
    before = bytes_of(model), model.steps
    page_of(model, tmp_path)
    assert (bytes_of(model), model.steps) == before
    assert not model.session._watchers


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"The folder of .* does not exist"):
        make_model().to_html(tmp_path / "none" / "m.html")


def test_the_frame_of_a_page_is_closed_off_from_its_notebook() -> None:
    explorer = make_model().explore(height=500)
    frame = explorer.snapshot()._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts" ')
    assert "height: 540px" in frame
    inner = re.search('srcdoc="(.*?)"', frame, re.DOTALL)
    assert inner is not None
    assert unescape(inner[1]) == explorer.snapshot().page
    explorer.close()
