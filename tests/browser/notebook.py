"""A notebook in JupyterLab, driven through Lab's own commands and looked at from both sides."""

import ast
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from browser.chromium import WAIT, Console
from browser.diagram import Diagram
from browser.lab import Lab

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY = """() => {
  const widget = window.jupyterapp?.shell.currentWidget;
  const kernel = widget?.context?.sessionContext?.session?.kernel;
  return kernel?.status === "idle" && kernel.connectionStatus === "connected";
}"""

RUN = """(index) => {
  const { content } = jupyterapp.shell.currentWidget;
  content.deselectAll();
  content.activeCellIndex = index;
  window.kvRuns ??= {};
  window.kvStarted = performance.now();
  window.kvRuns[index] = "runs";
  const end = (said) => {
    window.kvEnded = performance.now();
    window.kvRuns[index] = said;
  };
  jupyterapp.commands.execute("notebook:run-cell").then(() => end("done"), (e) => end(String(e)));
}"""

# Curves are paths of one group, or lie on a canvas: then the nodes are looked for.
PAINT = """(at) => {
  window.kvPainted = 0;
  const look = () => {
    const root = document.querySelectorAll(".kv-root:not([data-kind=prediction])")[at];
    if (root?.querySelector(".kv-paint path, .kv-node")) window.kvPainted = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""

ASK = """async (code) => {
  const { kernel } = jupyterapp.shell.currentWidget.context.sessionContext.session;
  const future = kernel.requestExecute({ code, store_history: false });
  let said = "";
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream" && content.name === "stdout") said += content.text;
    if (header.msg_type === "error") said += `!${content.ename}: ${content.evalue}`;
  };
  await future.done;
  return said;
}"""

OUTPUTS = """(index) => {
  const cell = jupyterapp.shell.currentWidget.content.model.cells.get(index);
  return cell.outputs.toJSON();
}"""


class Notebook:
    """One open notebook; ``diagram`` is the first live diagram in it."""

    def __init__(self, page: "Page", lab: Lab, name: str) -> None:
        self.page, self.console = page, Console(page)
        page.set_default_timeout(WAIT)
        page.goto(lab.address(name), wait_until="domcontentloaded")
        self.wait(READY)
        self.diagram = Diagram(page)

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript condition holds; a cell may take its time."""
        self.page.wait_for_function(condition, arg=argument, polling=20, timeout=2 * WAIT)

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run a cell; without ``wait`` return at once."""
        self.page.evaluate(RUN, index)
        if wait:
            self.wait_for_cell(index)

    def wait_for_cell(self, index: int) -> None:
        """Wait until a cell is done, and fail if it raised."""
        self.wait("index => window.kvRuns[index] !== 'runs'", index)
        assert self.page.evaluate("index => window.kvRuns[index]", index) == "done"
        errors = [out for out in self.outputs(index) if out["output_type"] == "error"]
        assert not errors, errors[0]["evalue"]

    def is_running(self, index: int) -> bool:
        """Return whether a cell still runs."""
        return bool(self.page.evaluate("index => window.kvRuns[index] === 'runs'", index))

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return what a cell put out, as a notebook holds it."""
        found: list[dict[str, Any]] = self.page.evaluate(OUTPUTS, index)
        return found

    def seconds_to_paint(self, index: int, at: int = 0) -> tuple[float, float]:
        """Run a cell that shows a diagram.

        Returns the seconds to the first curves, from the start of the cell and from its end (0
        where they came before it).
        """
        self.page.evaluate(PAINT, at)
        self.run(index)
        self.wait("() => window.kvPainted")
        start, end = self.page.evaluate(
            "[kvStarted, kvEnded].map((time) => (kvPainted - time) / 1000)"
        )
        return start, max(0.0, end)

    def reload(self) -> None:
        """Save the notebook and load its page again."""
        self.command("docmanager:save")
        self.page.reload(wait_until="domcontentloaded")
        self.wait(READY)

    def restart(self) -> None:
        """Restart the kernel."""
        session = "jupyterapp.shell.currentWidget.context.sessionContext"
        self.page.evaluate(f"{session}.restartKernel()")
        self.wait(READY)

    def delete(self, index: int) -> None:
        """Delete a cell."""
        self.page.evaluate(
            "at => { jupyterapp.shell.currentWidget.content.activeCellIndex = at; }", index
        )
        self.command("notebook:delete-cell")

    def python(self, code: str) -> str:
        """Run code in the kernel, without a cell; return what it printed."""
        said: str = self.page.evaluate(ASK, code)
        assert not said.startswith("!"), said
        return said

    def value(self, expression: str) -> Any:
        """Return what a Python expression is in the kernel."""
        return ast.literal_eval(self.python(f"print(repr({expression}))"))

    def until(self, expression: str, holds: Callable[[Any], bool]) -> Any:
        """Return a Python expression's value once it holds; the kernel must answer."""
        end = time.monotonic() + WAIT / 1000
        while not holds(value := self.value(expression)):
            assert time.monotonic() < end, f"{expression} stays {value!r}"
            self.page.wait_for_timeout(30)
        return value

    def tidy_up(self) -> None:
        """Tell the kernel to close all widgets, without waiting for it."""
        kernel = "jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel"
        code = "import ipywidgets; ipywidgets.Widget.close_all()"
        self.page.evaluate(f"code => {{ {kernel}?.requestExecute({{ code }}); }}", code)

    def command(self, name: str) -> None:
        """Run one of Lab's commands to its end."""
        start = "name => { window.kvDone = 0; jupyterapp.commands.execute(name)"
        end = ".finally(() => { window.kvDone = 1; }); }"
        self.page.evaluate(f"{start}{end}", name)
        self.wait("() => window.kvDone")
