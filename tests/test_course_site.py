"""The course as a site: notebooks run and become pages that need nothing."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from kernel_page import KernelPage

from kanviz import cli
from kanviz.course.formulas import mathml
from kanviz.course.site import in_dark, picture, words_of, write_site
from kanviz.theme import DARK, LIGHT, blend
from kanviz.views.charts import lines_figure

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
        "## A blank\n\nNothing in it:",
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
        '<table tabindex="0">',
        "<code>$</code>",
        "&lt;b&gt; 7",
        'alt="A blank" src="data:image/svg+xml;base64,',
        'media="(prefers-color-scheme:dark)" srcset="data:image/svg+xml;base64,',
        "<li>Seven.</li>",
    ):
        assert part in page, part
    assert '<pre class="out" tabindex="0">{&#x27;a&#x27;: 1}</pre>' in (
        site / "00_two.html"
    ).read_text("utf-8")


@given(
    token=st.sampled_from([each.name for each in dataclasses.fields(LIGHT)]),
    share=st.floats(0.3, 1),
)
def test_a_color_of_the_theme_fades_into_the_dark_as_into_the_light(
    token: str, share: float
) -> None:
    """By as much, so that what is strong stays strong, and no dark letter stays on dark paper."""
    made = in_dark(blend(getattr(LIGHT, token), LIGHT.paper, share))
    wanted = blend(getattr(DARK, token), DARK.paper, share)
    pairs = zip(bytes.fromhex(made[1:]), bytes.fromhex(wanted[1:]), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 24  # several greys fade along nearly one line


def test_black_and_grey_turn_and_the_colors_of_a_map_stay() -> None:
    assert in_dark("#000000") == DARK.ink
    assert in_dark("#ffffff") == DARK.paper
    assert in_dark("#b0b0b0") == blend(DARK.ink, DARK.paper, 1 - 176 / 255)
    for color in ("#440154", "#21918c", "#fde725"):  # of viridis
        assert in_dark(color) == color


def test_a_figure_is_told_in_the_words_that_stand_in_it() -> None:
    figure = lines_figure([1, 2], {"<KAN>": [3, 4], "MLP": [1, 2]}, x_label="size", y_label="error")
    assert words_of(figure, "Above") == "Above. error against size. <KAN>, MLP"
    figure.suptitle("Own title")
    assert 'alt="Own title. error against size. &lt;KAN&gt;, MLP"' in picture(figure, "Above")


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


def test_a_kernel_makes_the_same_page_while_it_runs_the_cells(site: Path, tmp_path: Path) -> None:
    shell = InteractiveShell()
    for part in ("write_output_prompt", "write_format_data", "finish_displayhook"):
        # A kernel sends what a cell ends with; this shell would print it.
        setattr(shell.displayhook, part, lambda *_: None)
    book = site.parent / "00_one.ipynb"
    KernelPage(shell, book, tmp_path)
    for cell in json.loads(book.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert shell.run_cell("".join(cell["source"])).success
    made, wanted = ((each / "00_one.html").read_text("utf-8") for each in (tmp_path, site))
    assert made == wanted
    assert len(list((tmp_path / "live").iterdir())) == 2


def test_pages_that_are_there_can_be_kept(site: Path, tmp_path: Path) -> None:
    folder = site.parent
    (tmp_path / "00_two.html").write_text("mine")
    told: list[str] = []
    write_site(folder, tmp_path, told.append, keep=True, home="../index.html")
    assert told == ["00_one (1 of 2)"]
    assert (tmp_path / "00_two.html").read_text() == "mine"
    assert '<a href="../index.html">' in (tmp_path / "index.html").read_text("utf-8")


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
