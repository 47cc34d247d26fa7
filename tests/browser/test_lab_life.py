"""What stays and what goes: other views, reloaded pages, restarted kernels, closed cells."""

import json
from collections.abc import Callable
from pathlib import Path

from effort import crowding

from browser.cells import COEFFICIENT, IMPORTS, SHOW, START, THREADS
from browser.diagram import Diagram
from browser.lab import ROOT, Lab
from browser.notebook import Notebook

Open = Callable[..., Notebook]
Note = Callable[..., None]

COMMS = "len(__import__('comm').get_comm_manager().comms)"
REMOVED = (
    "[(n, i, j) for n, layer in enumerate(large.network.layers)"
    " for i, j in (~layer.mask).nonzero().tolist()]"
)


def test_the_first_notebook_shows_the_diagram(notebook: Open, note: Note) -> None:
    path = ROOT / "notebooks" / "01_hello_kan.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    at = notebook(*sources, "large.explore(data)", "large.prune(fraction=0.3)")
    at.python("def bytes_of(): return [p.tolist() for p in large.parameters()]")
    first = next(n for n, source in enumerate(sources) if ".explore(" in source)
    for index in range(len(sources)):
        if index == first:
            start, end = at.seconds_to_paint(index)
            note("first notebook: picture", s_from_start=start, s_from_end_of_cell=end)
            assert end < 1.5 * crowding()
        else:
            at.run(index)
    _prune_and_undo(at, len(sources))
    assert at.console.errors == []


def _prune_and_undo(at: Notebook, index: int) -> None:
    """Prune in a cell, take it back in the picture."""
    at.run(index)
    diagram = Diagram(at.page, 1)
    before, gone = at.value("bytes_of()"), at.value(REMOVED)
    at.run(index + 1)
    removed = [edge for edge in at.value(REMOVED) if edge not in gone]
    assert removed
    for edge in removed:
        diagram.is_now("removed", *edge)
    diagram.tab("History")
    diagram.button("Undo").click()
    at.until("bytes_of()", lambda now: now == before)
    diagram.is_now("spline", *removed[-1])


def test_nothing_is_left_behind(notebook: Open) -> None:
    at = notebook(START, SHOW, SHOW, fresh=True)
    for index in range(3):
        at.run(index)
    second = Diagram(at.page, 1)
    at.python("model.remove_edge((0, 0, 0))")
    for view in (at.diagram, second):
        view.is_now("removed", 0, 0, 0)
    second.tab("History")
    second.button("Undo").click()
    at.diagram.is_now("spline", 0, 0, 0)

    at.reload()
    _drag(at)
    at.restart()
    at.run(0)
    at.run(1)
    _drag(at)

    at.delete(2)
    at.delete(1)
    at.diagram.root.wait_for(state="detached")
    at.python("explorer.close(); del explorer")
    at.until(COMMS, lambda count: count == 0)
    at.until(THREADS, lambda names: names == [])
    assert at.console.errors == []


def _drag(at: Notebook) -> None:
    at.diagram.open(0, 0, 0)
    before = at.value(COEFFICIENT)
    at.diagram.drag(3, -20)
    at.until(COEFFICIENT, lambda c: c != before and abs(c - at.diagram.height(3)) < 1e-6)


def test_a_notebook_without_its_kernel_shows_a_still_picture(notebook: Open, lab: Lab) -> None:
    at = notebook(START, SHOW)
    at.run(0)
    at.run(1)
    at.diagram.root.wait_for()
    outputs = at.outputs(1)
    assert {"text/html", "text/plain", "image/png"} <= outputs[0]["data"].keys()
    # One that came by mail, say: Jupyter shows the HTML of a notebook that it does not trust.
    page = at.page
    name = lab.write_cells("received.ipynb", [(SHOW, outputs)])
    page.goto(lab.address(name), wait_until="domcontentloaded")
    picture = page.locator(".jp-OutputArea img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert page.locator(".kv-root").count() == 0
    lab.end_kernel(name)


def test_a_large_network_is_shown_and_panned(notebook: Open, note: Note, lab: Lab) -> None:
    make = f"{IMPORTS}\nmodel = kv.KAN([784, 64, 10], seed=0)"
    at = notebook(make, "model.explore()")
    at.run(0)
    # What was never compiled on this machine is compiled now.
    at.python("from kanviz.live.desk import Desk; _ = Desk(model).scene()")
    seconds, _ = at.seconds_to_paint(1)
    at.diagram.root.locator(".kv-canvas").wait_for()
    frames = at.diagram.frames_while_panning()
    at.command("docmanager:save")
    (path,) = Path(lab.work).glob("test_a_large_network*.ipynb")
    size = path.stat().st_size
    left_out = at.diagram.root.locator(".kv-left-out").inner_text()
    note("[784, 64, 10]", s_from_start=seconds, frames_per_second=frames, notebook_bytes=size)
    crowd = crowding()
    assert seconds < 3 * crowd
    assert frames >= 15 / crowd
    assert size < 2_000_000
    assert "of 50816" in left_out.replace(",", "")
    assert at.console.errors == []
