"""Whatever is done in the diagram while a fit runs arrives: in order, once."""

from collections.abc import Callable
from itertools import groupby

from browser.cells import LOGGED, SHOW
from browser.diagram import Diagram
from browser.notebook import Notebook

Open = Callable[..., Notebook]

ASKED = ["move_point", "set_training", "prune", "pause", "resume", "undo"]
SENTENCES = "[step for step in model.steps]"


def test_a_fit_of_the_diagram_takes_all_that_hands_do(notebook: Open) -> None:
    at = notebook(LOGGED, SHOW)
    at.run(0)
    at.run(1)
    at.diagram.start_training()
    _touch_everything(at.diagram)
    at.diagram.button("Stop").click()
    at.until("model.running_fit is None", bool)
    _check(at, ["train", *ASKED, "stop"])


def test_a_fit_in_a_cell_takes_all_that_hands_do(notebook: Open) -> None:
    fit = "report = model.fit(data, optimizer='adam', steps=1_000_000, progress=False)"
    at = notebook(LOGGED, SHOW, fit)
    at.run(0)
    at.run(1)
    at.run(2, wait=False)
    at.diagram.says("step ")
    _touch_everything(at.diagram)
    assert at.is_running(2)
    at.diagram.button("Stop").click()
    at.wait_for_cell(2)
    _check(at, [*ASKED, "stop"])


def _touch_everything(diagram: Diagram) -> None:
    """Drag, change lambda, prune, pause, resume and undo, each once the one before is seen."""
    diagram.open(0, 0, 0)
    diagram.drag(3, -30)
    diagram.tab("History")
    diagram.shows("moved point")
    diagram.tab("Train")
    diagram.slide("Sparsity", 0.5)
    diagram.tab("Simplify")
    diagram.field("Weakest edges").hover()
    diagram.shows("steps are possible")
    diagram.slide("Weakest edges", 1 / 8)
    diagram.button("Remove").click()
    diagram.tab("History")
    diagram.shows("pruned")
    diagram.tab("Train")
    diagram.button("Pause").click()
    diagram.button("Resume").click()
    diagram.tab("History")
    diagram.button("Undo").click()
    diagram.hides("pruned")
    diagram.tab("Train")


def _check(at: Notebook, expected: list[str]) -> None:
    asked = [kind for kind in at.value("asked") if kind != "plan"]  # a question
    assert [kind for kind, _ in groupby(asked)] == expected
    assert [kind for kind in expected if asked.count(kind) > 1 and kind != "move_point"] == []
    sentences = at.value(SENTENCES)
    assert len([text for text in sentences if text.startswith("moved point")]) == 1
    assert at.value("sum(int((~layer.mask).sum()) for layer in model.network.layers)") == 0
    assert at.console.errors == []
