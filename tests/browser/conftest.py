"""One browser and one JupyterLab for all tests here, a page for each, and a folder of pictures."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.chromium import chromium as run_chromium
from browser.chromium import why_not
from browser.lab import Lab
from browser.notebook import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MISSING = why_not()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here, and skip them where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if MISSING:
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where pictures and figures of the run go: KANVIZ_ARTEFACTS, or a temporary folder."""
    wanted = os.environ.get("KANVIZ_ARTEFACTS")
    folder = Path(wanted).resolve() if wanted else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def note(artefacts: Path) -> Callable[..., None]:
    """Return a function that prints figures and writes them to ``figures.jsonl``."""

    def write(name: str, **figures: Any) -> None:
        line = json.dumps({"figure": name, **figures})
        with (artefacts / "figures.jsonl").open("a") as file:
            file.write(f"{line}\n")
        print(line)  # noqa: T201 - seen with `pytest -s`, and where a test fails

    return write


# For the package, not the session: playwright keeps an event loop running in this thread, in which
# the tests of notebooks could not run theirs.
@pytest.fixture(scope="package")
def chromium() -> Iterator["Browser"]:
    """Return the browser."""
    with run_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return JupyterLab."""
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture
def page(chromium: "Browser", artefacts: Path, request: pytest.FixtureRequest) -> Iterator["Page"]:
    """Return a new page; a picture of its end is kept."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    yield page
    name = re.sub(r"\W+", "_", request.node.name)
    page.screenshot(path=artefacts / f"{name}.png")
    context.close()


@pytest.fixture
def notebook(
    page: "Page", lab: Lab, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Return a function that opens a notebook with these cells.

    Its kernel may have served earlier tests, whose widgets are closed; with ``fresh`` it is new.
    """
    opened: list[Notebook] = []
    own: list[str] = []

    def open_it(*cells: str, kernel: str = "python3", fresh: bool = False) -> Notebook:
        name = lab.write(f"{request.node.name}.ipynb", *cells, kernel=kernel)
        if kernel == "python3" and not fresh:
            lab.give_kernel(name)
        else:
            own.append(name)
        opened.append(Notebook(page, lab, name))
        return opened[-1]

    yield open_it
    for one in opened:
        one.tidy_up()
    for name in own:
        lab.end_kernel(name)
