"""The course as a site: notebooks run and become pages that need nothing."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kanviz import cli
from kanviz.course.formulas import mathml

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\s](?:[^$]*?[^$\s])?)\$", re.DOTALL)


def make_notebook(path: Path, *cells: str) -> None:
    """Write a notebook: cells that begin with "# " or hold a dollar are text."""
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code" if cell.startswith("!") else "markdown",
            "metadata": {},
            "source": cell.lstrip("!").splitlines(keepends=True),
        }
        for cell in cells
    ]
    path.write_text(json.dumps({"cells": made}), "utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site of two small notebooks."""
    folder = tmp_path_factory.mktemp("course")
    make_notebook(
        folder / "00_one.ipynb",
        "# One\n\nWhat is $x_1^2$? Then [two](00_two.ipynb).\n\n| a | b |\n|---|---|\n| `$` | 2 |",
        "!from kanviz.course import predict, teaching\n\npredict('How many?', lambda: found)",
        "!found = 7\nprint('<b>', found)",
        "!teaching.bezier()",
        "!from matplotlib.figure import Figure\n\nFigure()",
        "<details><summary>Found</summary>\n\n1. Seven.\n\n</details>",
    )
    make_notebook(folder / "00_two.ipynb", "# Two\n\nWhy?", "!{'a': 1}")
    cli.main(["course", "--folder", str(folder), "--out", str(folder / "site")])
    return folder / "site"


def test_a_page_has_what_its_notebook_shows(site: Path) -> None:
    page = (site / "00_one.html").read_text("utf-8")
    for part in (
        "<title>One</title>",
        "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>",
        "<table>",
        "<code>$</code>",
        "&lt;b&gt; 7",
        'src="data:image/png;base64,',
        "<li>Seven.</li>",
    ):
        assert part in page, part
    assert '<pre class="out">{&#x27;a&#x27;: 1}</pre>' in (site / "00_two.html").read_text("utf-8")


def test_no_link_is_broken_and_none_leaves_the_site(site: Path) -> None:
    pages = sorted(site.glob("*.html"))
    assert [page.name for page in pages] == [
        "00_one.html",
        "00_two.html",
        "index.html",
        "playground.html",
    ]
    for page in pages[:3]:
        links = re.findall(r'(?:href|src)="([^"]+)"', page.read_text("utf-8"))
        files = [link for link in links if not link.startswith("data:")]
        assert files
        assert [link for link in files if not (site / link).is_file()] == []


def test_a_prediction_is_sealed_with_what_was_measured_after_it(site: Path) -> None:
    assert r"sealed\": 7.0" in (site / "live" / "00_one-1.html").read_text("utf-8")


def test_every_formula_of_the_course_becomes_mathml() -> None:
    found = 0
    for book in NOTEBOOKS.glob("*.ipynb"):
        for cell in json.loads(book.read_text("utf-8"))["cells"]:
            text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
            for block, inline in FORMULA.findall(
                re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.S)
            ):
                ElementTree.fromstring(mathml(block or inline))
                found += 1
    assert found > 100


def test_a_command_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\\unknown must be a command known to"):
        mathml(r"\unknown x")


def test_a_folder_without_notebooks_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["course", "--folder", str(tmp_path), "--out", str(tmp_path / "site")]) != 0
    assert "must hold notebooks; got none" in capsys.readouterr().err
