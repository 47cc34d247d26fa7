"""Every notebook keeps the form of the course, and runs from top to bottom in time."""

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from notebook_form import faults, idle_claims

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

CONTENTS = (FOLDER / "README.md").read_text(encoding="utf-8")

MOST_SECONDS = 60
"""Of a core's work, not of the clock, which would count what else the machine is doing.

So all of them, on two cores, take less than ten minutes as long as they are 20.
"""

MOST_BYTES = 60_000
"""Of a picture on the page of contents."""

SITE = os.environ.get("KANVIZ_SITE", "")
"""A folder in which the pages of the course are left, beside those of the documentation."""

FIRST_CELL = """import pathlib, kernel_page
page_of_the_site = kernel_page.KernelPage(
    get_ipython(), pathlib.Path({path!r}), pathlib.Path({site!r}) / "course"
)
"""

LAST_CELL = """import json, os, pathlib, notebook_form
idle = notebook_form.idle_claims(pathlib.Path({path!r}), globals())
spent = sum(os.times()[:4]) - (page_of_the_site.seconds if {site!r} else 0)
assert not {site!r} or not page_of_the_site.failed, page_of_the_site.failed
print(json.dumps([spent, idle]))
"""


class Run(NamedTuple):
    """What came of a notebook: its outputs, its kernel's seconds of work, and its idle claims."""

    outputs: list[Any]
    seconds: float
    idle_claims: list[str]


def execute(path: Path, folder: Path, site: str = "") -> Run:
    """Run a notebook in a folder of its own, since it may write files.

    With a folder for a site it becomes a page there.
    """
    import nbformat  # takes seconds to import: only when a notebook is run
    from nbclient import NotebookClient

    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)
    names = {"path": str(path), "site": site}
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL.format(**names)))
    if site:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FIRST_CELL.format(**names)))
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    here = os.pathsep.join([str(ROOT), str(ROOT / "tests")])  # this checkout, installed or not
    environment = {**os.environ, "PYTHONPATH": here}
    asyncio.run(client.async_execute(env=environment))  # which also closes the thread's loop
    *cells, last = notebook.cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return Run(outputs, *answer_in(last.outputs))


def answer_in(outputs: list[Any]) -> Any:
    """Return what a cell printed last, as JSON.

    A kernel sends a line in as many chunks as it likes, and the last may be a lone line break.
    """
    printed = "".join(out["text"] for out in outputs if out.get("name") == "stdout")
    return json.loads(printed.splitlines()[-1])


def test_there_are_notebooks_and_they_are_few_enough() -> None:
    assert 0 < len(NOTEBOOKS) <= 20


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_form_of_the_course(path: Path) -> None:
    assert faults(path) == []


@pytest.fixture(scope="module")
def compiled() -> None:
    """Compile all kernels, as a machine does once: no notebook's time depends on which runs first.

    In a new checkout that took half the time of the first notebooks.
    """
    there = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", "import kanviz; kanviz.warmup()"], env=there, check=True)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_in_time_without_error_or_warning(path: Path, tmp_path: Path) -> None:
    outputs, seconds, idle = execute(path, tmp_path / "work", site=SITE)
    assert outputs, "no cell of the notebook shows anything"
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    assert idle == []
    assert seconds < MOST_SECONDS


def test_the_extra_that_opens_the_notebooks_brings_what_they_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    brought = {re.split(r"[^\w-]", line)[0] for line in asked} | {"kanviz"}
    lacking, installed = set(), packages_distributions()
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        for text in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
            for node in ast.walk(ast.parse(text)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                rooms = {name.split(".")[0] for name in names} - sys.stdlib_module_names
                known = {room: installed.get(room, [room]) for room in rooms}
                lacking |= {(path.stem, room) for room in rooms if not brought & set(known[room])}
    assert lacking == set()


def test_a_notebook_whose_claim_is_false_fails(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(make_notebook(tmp_path, "found == 3"), tmp_path / "work")


@pytest.mark.parametrize(
    "chunks",
    [["[1.5, []]\n"], ["[1.5, []]", "\n"], ["[1.5, ", "[]]", "\n"], ["a\nb\n[1.5", ", []]\n"]],
)
def test_an_answer_is_read_from_all_chunks(chunks: list[str]) -> None:
    outputs: list[Any] = [
        {"output_type": "stream", "name": "stdout", "text": text} for text in chunks
    ]
    noise = {"output_type": "stream", "name": "stderr", "text": "a warning\n"}
    assert answer_in([*outputs[:1], noise, *outputs[1:]]) == [1.5, []]


def test_contents_list_every_notebook_in_order_with_a_picture() -> None:
    row = r'^\| <img src="(images/\w+\.png)" .*?\*\*\[\w+\]\((\w+\.ipynb)\)\*\*'
    rows = re.findall(row, CONTENTS, flags=re.MULTILINE)
    assert [name for _, name in rows] == [path.name for path in NOTEBOOKS]
    numbers = [path.stem.split("_")[0] for path in NOTEBOOKS]
    assert [picture for picture, _ in rows] == [f"images/{number}.png" for number in numbers]
    sizes = {picture: (FOLDER / picture).stat().st_size for picture, _ in rows}
    assert {picture: size for picture, size in sizes.items() if size > MOST_BYTES} == {}


class TestForm:
    """A notebook that breaks a rule is told so; ``make_notebook`` breaks one at a time."""

    def test_a_notebook_in_form_has_no_faults(self, tmp_path: Path) -> None:
        assert faults(make_notebook(tmp_path)) == []

    @pytest.mark.parametrize(
        ("cell", "text", "other", "fault"),
        [
            (0, "# Title", "Title", "the first cell has no title"),
            (0, "Why?", "So.", "the first cell asks no question"),
            (1, "found = 2", "found = 2\n" + "found\n" * 11, "cell 1 has 13 lines"),
            (2, "## Try it yourself", "## Try", "it has no '## Try it yourself'"),
            (2, "2. That?\n", "", "2 of 1 exercises are solved in <details>"),
            (2, "1. This?\n2. That?", "This? That?", "it has 0 numbered exercises"),
            (2, "2. No.\n", "", "1 of 2 exercises are solved in <details>"),
            (2, "<details>", "", "0 of 4 exercises are solved in <details>"),
            (2, "Source: A paper", "A paper", "it names no source"),
            (2, "A paper", "[A paper](a.pdf)", "no file a.pdf"),
            (3, "assert found == 2", "found", "a cell of claims asserts nothing"),
            (3, "found == 2", "abs(-2) == 2", "nothing measured: assert abs(-2) == 2"),
            (3, "found == 2", "json.loads('1')", "nothing measured: assert json.loads('1')"),
            (3, "found == 2", "all(found for found in [1])", "nothing measured: assert all"),
        ],
    )
    def test_a_broken_rule_is_named(
        self, tmp_path: Path, cell: int, text: str, other: str, fault: str
    ) -> None:
        path = make_notebook(tmp_path)
        content = json.loads(path.read_text())
        assert text in content["cells"][cell]["source"]
        content["cells"][cell]["source"] = content["cells"][cell]["source"].replace(text, other)
        path.write_text(json.dumps(content))
        assert any(found.startswith(fault) for found in faults(path)), faults(path)

    @pytest.mark.parametrize(
        ("cell", "key", "value", "fault"),
        [
            (1, "outputs", [{}], "cell 1 holds outputs"),
            (1, "execution_count", 1, "cell 1 holds outputs"),
            (3, "metadata", {"tags": ["claims"]}, "its claims are not folded"),
            (3, "metadata", {}, "it does not end with its claims"),
        ],
    )
    def test_a_cell_in_the_wrong_state_is_named(
        self, tmp_path: Path, cell: int, key: str, value: Any, fault: str
    ) -> None:
        path = make_notebook(tmp_path)
        content = json.loads(path.read_text())
        content["cells"][cell][key] = value
        path.write_text(json.dumps(content))
        assert fault in faults(path)

    @pytest.mark.parametrize(
        "claim", ["found == 2", "found > 1", "not found - 2", "{found} == {2}"]
    )
    def test_a_claim_that_what_it_reads_can_break_is_firm(self, tmp_path: Path, claim: str) -> None:
        assert idle_claims(make_notebook(tmp_path, claim), {"found": 2}) == []

    @pytest.mark.parametrize(
        "claim", ["found == 2 or True", "all((each == 2 for each in [2] if found))", "[found]"]
    )
    def test_a_claim_that_nothing_can_break_is_idle(self, tmp_path: Path, claim: str) -> None:
        assert idle_claims(make_notebook(tmp_path, claim), {"found": 2}) == [f"assert {claim}"]

    def test_another_kernel_is_named(self, tmp_path: Path) -> None:
        path = make_notebook(tmp_path)
        path.write_text(path.read_text().replace("python3", "my-env"))
        assert faults(path) == ["its kernel is my-env"]


def make_notebook(folder: Path, claim: str = "found == 2") -> Path:
    """Write the shortest notebook that is in form."""
    end = "## Try it yourself\n\n1. This?\n2. That?\n\n<details><summary>Found</summary>\n\n"
    end += "1. Yes.\n2. No.\n\n</details>\n\nSource: A paper."
    code = "import json\n\nfound = 2"
    claims = {"tags": ["claims"], "jupyter": {"source_hidden": True}}
    new: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Title\n\nWhy?"},
        {**new, "metadata": {}, "source": code},
        {"cell_type": "markdown", "metadata": {}, "source": end},
        {**new, "metadata": claims, "source": f"assert {claim}"},
    ]
    path = folder / "made.ipynb"
    content = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
