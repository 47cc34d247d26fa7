"""The documentation keeps its word: code runs, the reference is whole, and it builds strictly."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from browser.chromium import why_not
from browser.site import serious_faults
from whole_site import broken_links, pages_of

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


def test_it_builds_without_a_warning_and_no_link_is_broken(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    # Where the gate gathers one site, the course comes into it when all notebooks have run.
    whole = os.environ.get("KANVIZ_SITE")
    site = Path(whole) if whole else tmp_path / "site"
    tags = ["-t", "course", "-t", "later"] if whole else []
    command = [sys.executable, "-m", "sphinx", "-W", "-q", *tags, "-b", "html"]
    built = subprocess.run(
        [*command, str(DOCS), str(site)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (built.returncode, built.stderr) == (0, "")
    broken = broken_links(page for page in pages_of(site) if "course" not in page.parts)
    assert [link for _, link in broken if not whole or not link.startswith("course/")] == []
    # Where there is a browser, are some pages for everyone? The gate looks at all of them later.
    if not whole and not why_not():
        assert serious_faults(site / name for name in LOOKED_AT) == {}
