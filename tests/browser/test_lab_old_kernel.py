"""A kernel that hears nothing while a cell runs: the diagram says so, and nothing is lost."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from browser.cells import COEFFICIENT, SHOW, START
from browser.lab import Lab
from browser.notebook import Notebook

Open = Callable[..., Notebook]

OLD = os.environ.get("KANVIZ_OLD_IPYKERNEL", "")


@pytest.mark.skipif(not OLD, reason="needs KANVIZ_OLD_IPYKERNEL, a folder with ipykernel 6")
def test_an_old_kernel_takes_an_edit_when_its_cell_ends(notebook: Open, lab: Lab) -> None:
    lab.add_kernel("old", Path(OLD).resolve())
    wait = "import time\nend = time.time() + 4\nwhile time.time() < end: time.sleep(0.05)"
    at = notebook(START, SHOW, wait, kernel="old")
    assert at.value("__import__('ipykernel').version_info[0]") == 6
    at.run(0)
    at.run(1)
    at.diagram.open(0, 0, 0)
    at.run(2, wait=False)
    at.diagram.drag(3, -30)
    at.diagram.says("applied when the cell ends")
    assert at.is_running(2)
    at.wait_for_cell(2)
    at.until(COEFFICIENT, lambda c: abs(c - at.diagram.height(3)) < 1e-6)
    at.diagram.root.locator(".kv-late", has_text="busy").wait_for(state="detached")
    _steer_a_fit(at)
    assert at.console.errors == []


def _steer_a_fit(at: Notebook) -> None:
    """Pause and stop a fit of the diagram, which is live with any kernel."""
    at.diagram.start_training()
    at.diagram.button("Pause").click()
    at.until("model.running_fit.state", lambda state: state == "paused")
    at.diagram.button("Stop").click()
    at.until("model.running_fit is None", bool)
