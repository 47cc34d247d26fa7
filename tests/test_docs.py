"""The documentation keeps its word: code runs, the reference is whole, and it builds strictly."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from browser.chromium import why_not
from browser.site import serious_faults

import kanviz as kv

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
CODE = {page: re.findall(r"```(\w+)\n(.*?)```", page.read_text("utf-8"), re.S) for page in PAGES}
RUNS = {page: [text for kind, text in found if kind == "python"] for page, found in CODE.items()}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if RUNS[page]], ids=lambda page: str(page.relative_to(DOCS))
)
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in RUNS[page]:
        exec(compile(block, str(page), "exec"), names)
    plt.close("all")


def test_all_code_is_python_that_runs_or_a_command() -> None:
    kinds = {kind for found in CODE.values() for kind, _ in found}
    assert kinds == {"python", "sh"}


def test_the_reference_has_every_public_name() -> None:
    pages = "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    listed = re.findall(r"^\.\. auto\w+:: kanviz\.(\w+)$", pages, re.M)
    assert sorted(listed) == sorted(kv.__all__)


LOOKED_AT = ("index.html", "quick_start.html", "how_to/large.html", "reference/data.html")
"""``python tests/browser/site.py site`` looks at all."""


class Links(HTMLParser):
    """Collects what a page leads to, and what can be led to in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down links, sources and ids."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id" and value:
                self.places.add(value)


def test_it_builds_without_a_warning_and_no_link_is_broken(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(site)]
    built = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (built.returncode, built.stderr) == (0, "")
    pages = {page: Links(page) for page in site.rglob("*.html") if "live" not in page.parts}
    broken = []
    for page, found in pages.items():
        for link in found.links:
            file, _, place = link.partition("#")
            if re.match(r"[a-z]+:", link) or page.name in ("genindex.html", "search.html"):
                continue
            target = (page.parent / file.split("?")[0]).resolve() if file else page
            is_there = target.is_file() and (
                not place or target not in pages or place in pages[target].places
            )
            if not is_there:
                broken.append((page.name, link))
    assert broken == []
    if not why_not():  # where there is a browser, see whether some pages are for everyone
        assert serious_faults(site / name for name in LOOKED_AT) == {}
