import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accuracy.playground import FACTOR, compared, fitted_in_page
from make_frontend_fixture import fixture

import kanviz as kv
from kanviz.live.packing import unpack
from kanviz.live.page import (
    PLAYGROUND_SCRIPT,
    PLAYGROUND_STYLE,
    SCRIPT,
    STYLE,
    TEACHING_SCRIPT,
    TEACHING_STYLE,
)

FRONTEND = SCRIPT.parent.parent / "frontend"
MOST_BYTES = {SCRIPT: 200_000, TEACHING_SCRIPT: 115_000, PLAYGROUND_SCRIPT: 320_000}
COMMITTED = (*MOST_BYTES, STYLE, TEACHING_STYLE, PLAYGROUND_STYLE)

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (FRONTEND / "node_modules").is_dir(),
    reason="needs node, and `npm ci` in kanviz/live/frontend",
)


def run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=FRONTEND,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
def test_the_committed_bundles_are_what_their_sources_give(tmp_path: Path) -> None:
    run("node", "build.mjs", "--out", str(tmp_path))
    for committed in COMMITTED:
        fresh = tmp_path / committed.name
        assert fresh.read_bytes() == committed.read_bytes(), "run: node build.mjs"


@pytest.mark.parametrize("path", MOST_BYTES, ids=lambda path: path.stem)
def test_a_bundle_is_small_and_names_nothing_outside(path: Path) -> None:
    script = path.read_text("utf-8")
    assert len(script.encode()) < MOST_BYTES[path]
    addresses = script.replace("http://www.w3.org/", "")
    assert "http://" not in addresses
    assert "https://" not in addresses
    assert "eval(" not in script
    assert "innerHTML" not in script


@needs_node
@pytest.mark.parametrize("project", [".", "test"], ids=["sources", "tests"])
def test_the_types_of_the_front_end_are_right(project: str) -> None:
    run("node", "node_modules/typescript/bin/tsc", "--noEmit", "-p", project)


@needs_node
def test_the_front_end_is_linted_and_formatted() -> None:
    run("node", "node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings")


@needs_node
@pytest.mark.long
def test_the_units_of_the_front_end_pass_on_what_python_computed(tmp_path: Path) -> None:
    path = tmp_path / "fixture.bin"
    path.write_bytes(fixture())
    run("node", "build.mjs", "--tests")
    units = sorted(map(str, (FRONTEND / ".tests").glob("*.mjs")))
    assert units
    run("node", "--test", *units, KANVIZ_FIXTURE=str(path), KANVIZ_WRITTEN=str(tmp_path))
    _check_written(tmp_path / "written.kan", unpack(path.read_bytes())["file"])


@needs_node
@pytest.mark.long
def test_the_playground_fits_two_laws_about_as_well_as_python(tmp_path: Path) -> None:
    found = [compared(each) for each in fitted_in_page((1, 11), tmp_path)]
    assert [each["law"] for each in found] == ["x_1*x_2", "exp(-x)*sin(3*x)"]
    assert max(each["ratio"] for each in found) <= FACTOR


def _check_written(path: Path, wanted: Any) -> None:
    """Check that what the page wrote is a model, and computes what it computes there."""
    model = kv.load(path)
    assert model.input_names == ("x_1", "\u03b2")
    found = np.asarray(model.predict(wanted["x"].reshape(-1, 2))).ravel()
    np.testing.assert_allclose(found, wanted["outputs"], rtol=1e-9)
