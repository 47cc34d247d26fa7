"""JupyterLab with the keyboard alone, and what a hostile hand may type."""

from collections.abc import Callable

from browser.cells import SHOW, START
from browser.notebook import Notebook

Open = Callable[..., Notebook]

HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "$x$",
    "__import__('os').system('true')",
    "x.__class__",
    "(lambda: x)()",
    "eval('x')",
    "x; import os",
    "9**9**9**9*x",
    "{{window.hacked=1}}",
)

CELLS = "jupyterapp.shell.currentWidget.content.model.cells.length"


def test_the_diagram_is_used_by_keys_alone_in_a_notebook(notebook: Open) -> None:
    at = notebook(START, SHOW)
    at.run(0)
    at.run(1)
    diagram, keys = at.diagram, at.page.keyboard
    diagram.edge(0, 0, 0).focus()
    for key in ("b", "a", "x", "ArrowRight", "ArrowLeft", "Enter"):
        keys.press(key)
    assert at.page.evaluate(CELLS) == 2  # no shortcut of Lab's added or cut a cell
    keys.press("Enter")
    diagram.root.locator(".kv-handle:focus").wait_for()
    keys.press("Escape")
    diagram.root.locator(".kv-edge:focus").wait_for()
    diagram.tab_to("input[type=text]")
    keys.type("sin")
    keys.press("Enter")
    diagram.is_now("formula", 0, 0, 0)
    assert at.value("model.steps[-1]").startswith("fixed edge (0, 0, 0)")
    diagram.tab_to("[role=tab]", back=True)
    diagram.tab_by_keys("History")
    diagram.tab_to("button:text('Undo')")
    keys.press("Enter")
    at.until("len(model.steps)", lambda length: length == 0)
    diagram.is_now("spline", 0, 0, 0)
    diagram.tab_to("[role=tab]", back=True)
    diagram.tab_by_keys("Probe")
    diagram.tab_to("button:text('Start the probe')")
    keys.press("Enter")
    diagram.button("Close the probe").wait_for()
    for _ in range(80):
        keys.press("Tab")
        if at.page.evaluate("!document.activeElement.closest('.kv-root')"):
            break
    assert at.page.evaluate("!document.activeElement.closest('.kv-root')")
    assert at.console.errors == []


def test_hostile_formulas_are_refused_as_text(notebook: Open) -> None:
    at = notebook(START, SHOW)
    at.run(0)
    at.run(1)
    at.diagram.open(0, 0, 0)
    box = at.diagram.field("Formula")
    for formula in HOSTILE:
        box.fill(formula)
        box.press("Enter")
        at.diagram.root.locator("input[aria-invalid=true]").wait_for()
        said = at.diagram.root.locator(".kv-wrong").filter(visible=True).first.inner_text()
        assert len(said) > 20, formula
    assert at.value("len(model.steps)") == 0
    assert at.page.evaluate("window.hacked") is None
    assert at.diagram.root.locator("img, script").count() == 0
    assert at.console.errors == []
