"""The diagram in further hosts than JupyterLab and marimo, which the other tests see.

    .venv/bin/pip install -e ".[hosts]" && apt-get install firefox-esr
    .venv/bin/pytest tests/browser/hosts.py -s

It says the version of each host. Where one is missing its test is skipped. The gate leaves it out:
these hosts run the same script as JupyterLab does, and cost it half a minute and 300 MB.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from model_helpers import make_data, make_model

from browser import firefox
from browser.chromium import WAIT, Console
from browser.diagram import Diagram, bends
from browser.lab import Lab
from browser.notebook import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

Note = Callable[..., None]

CELL = """import torch, kanviz as kv
data = kv.from_function(lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2, dtype=torch.float64)
model = kv.KAN([2, 3, 1], seed=0, dtype=torch.float64)
model.explore(data)"""


def needs(package: str) -> pytest.MarkDecorator:
    """Skip where a package is missing."""
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"needs {package}")


class Classic(Lab):
    """Notebook 7: one notebook to a page."""

    module, page = "notebook", "notebooks"

    def _command(self) -> list[str]:
        return [*super()._command(), "--JupyterNotebookApp.expose_app_in_browser=True"]


@pytest.fixture
def classic(tmp_path: Path) -> Iterator[Classic]:
    """Return Notebook 7."""
    server = Classic(tmp_path)
    yield server
    server.stop()


@needs("notebook")
def test_notebook_7_shows_and_edits_the_diagram(page: "Page", classic: Classic, note: Note) -> None:
    at = Notebook(page, classic, classic.write("a.ipynb", CELL))
    at.run(0)
    bends(at.diagram)
    note("Notebook", version=importlib.metadata.version("notebook"))


@needs("voila")
def test_voila_shows_and_edits_the_diagram(page: "Page", lab: Lab, note: Note) -> None:
    name = lab.write("voila.ipynb", CELL)
    console = Console(page)
    page.set_default_timeout(WAIT)
    page.goto(f"{lab.url}/voila/render/{name}?token={lab.token}")
    diagram = Diagram(page)
    diagram.root.wait_for()
    bends(diagram)
    assert [error for error in console.errors if "kanviz" in error] == []
    note("Voila", version=importlib.metadata.version("voila"))


def test_nbconvert_keeps_a_snapshot_alive(page: "Page", lab: Lab, note: Note) -> None:
    name = lab.write("converted.ipynb", CELL.replace("explore(data)", "explore(data).snapshot()"))
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", name]
    subprocess.run(command, cwd=lab.work, env=lab.environment(), check=True, capture_output=True)
    page.set_default_timeout(WAIT)
    page.goto((lab.work / "converted.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator(".kv-edge[aria-label]").first.wait_for(state="attached")
    frame.locator('.kv-edge[data-key="0,0,0"] rect').click()
    frame.locator(".kv-editor .kv-title").filter(visible=True).wait_for()
    note("nbconvert", version=importlib.metadata.version("nbconvert"))


@pytest.mark.skipif(bool(firefox.why_not()), reason=firefox.why_not() or "-")
def test_the_page_is_alive_in_firefox(tmp_path: Path, artefacts: Path, note: Note) -> None:
    model, data = make_model(), make_data()
    model.fit(data, steps=2, progress=False)
    model.to_html(tmp_path / "model.html", data)
    with firefox.Firefox(tmp_path) as browser:
        browser.open((tmp_path / "model.html").as_uri())
        browser.wait("document.querySelectorAll('.kv-edge[aria-label]').length === 9")
        browser.drag(browser.evaluate(middle_of('[data-key="0,0,0"] rect')))
        browser.wait("document.querySelectorAll('.kv-handle').length > 2")
        before = browser.evaluate("Number(document.querySelectorAll('.kv-handle')[2].ariaValueNow)")
        browser.drag(browser.evaluate(middle_of(".kv-handle", 2)), down=-25)
        now = "Number(document.querySelectorAll('.kv-handle')[2].ariaValueNow)"
        browser.wait(f"{now} > {before}")
        buttons = "[...document.querySelectorAll('button')]"
        for text in ("Probe", "Start the probe"):
            browser.evaluate(f"{buttons}.find((one) => one.textContent === {text!r}).click()")
        assert browser.wait("document.querySelectorAll('.kv-bar-row .kv-number').length")
        browser.screenshot(artefacts / "firefox.png")
        assert browser.errors == []
        note("Firefox", version=browser.version)


def middle_of(selector: str, n: int = 0) -> str:
    """Return JavaScript for the place of the middle of an element."""
    box = f"document.querySelectorAll('{selector}')[{n}].getBoundingClientRect()"
    return f"(({{left, top, width, height}}) => [left + width / 2, top + height / 2])({box})"
