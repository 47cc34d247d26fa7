"""Pages without a kernel: models written to files, and what their probe computes."""

import importlib.resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from browser.chromium import WAIT, Console
from browser.diagram import Diagram
from kanviz.model import KAN

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Moves all sliders at once, picks a node, and reads what it is made of one frame later.
PROBE = """async (root, [rows, nodes]) => {
  const all = (selector) => [...root.querySelectorAll(selector)];
  const seen = (selector) => all(selector).filter((element) => element.checkVisibility());
  const sliders = seen(".kv-slider");
  const pick = seen("select").find((box) => [...box.options].some((o) => o.value === nodes[0]));
  const tell = (element, type) => element.dispatchEvent(new Event(type, { bubbles: true }));
  const found = [];
  const start = performance.now();
  for (const [n, row] of rows.entries()) {
    const x = sliders.map(({ min, max }, at) => Number(min) + row[at] * (max - min));
    sliders.forEach((slider, at) => { slider.value = String(x[at]); tell(slider, "input"); });
    pick.value = nodes[n % nodes.length];
    tell(pick, "change");
    await new Promise(requestAnimationFrame);
    const values = seen(".kv-bar-row .kv-number").map((value) => Number(value.title));
    found.push({ x: sliders.map((slider) => Number(slider.value)), node: pick.value, values });
  }
  return [found, (1000 * rows.length) / (performance.now() - start)];
}"""

AUDIT = """async (root) => {
  const { violations } = await axe.run(root, { resultTypes: ["violations"] });
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" ")}`);
}"""


# Words of the picture that lie over each other, that leave it, or that stand out too little.
UNREADABLE = """(root) => {
  const stage = root.querySelector(".kv-stage").getBoundingClientRect();
  const all = [...root.querySelectorAll(
    ".kv-node-words text, .kv-axis-words text, .kv-caption")];
  const words = all.filter((one) => one.checkVisibility() && one.textContent.trim());
  const boxes = words.map((one) => one.getBoundingClientRect());
  const light = (color) => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => Number(part) / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(root).backgroundColor);
  const found = [];
  words.forEach((one, n) => {
    const a = boxes[n];
    const said = one.textContent;
    const isIn = a.left > stage.left - 1 && a.right < stage.right + 1
      && a.top > stage.top - 1 && a.bottom < stage.bottom + 1;
    if (!isIn) found.push(`"${said}" leaves the picture`);
    const style = getComputedStyle(one);
    const ink = light(one instanceof SVGElement ? style.fill : style.color);
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push(`"${said}" has a contrast of ${contrast.toFixed(1)}`);
    words.slice(n + 1).forEach((other, m) => {
      const b = boxes[n + 1 + m];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Letters are lower than their lines.
      if (across > 1 && down > 4) found.push(`"${said}" meets "${other.textContent}"`);
    });
  });
  return found;
}"""


class ModelPage:
    """The page of a model, open in the browser."""

    def __init__(self, page: "Page", model: KAN, path: Path, **options: Any) -> None:
        self.page, self.model, self.console = page, model, Console(page)
        model.to_html(path, **options)
        page.set_default_timeout(WAIT)
        page.goto(path.as_uri())
        self.diagram = Diagram(page)
        self.diagram.root.locator(".kv-edge[aria-label]").first.wait_for(state="attached")

    def start_probe(self) -> None:
        """Open the probe."""
        self.diagram.tab("Probe")
        self.diagram.button("Start the probe").click()
        self.diagram.button("Close the probe").wait_for()

    def probe(self, rows: np.ndarray) -> tuple[list[dict[str, Any]], float]:
        """Return what the probe says of inputs, given as shares of their ranges.

        Each is a dictionary of ``x``, one ``node`` (all nodes in turn), and the ``values`` of its
        terms and of their sum. Also returns how many inputs were answered in a second.
        """
        widths = self.model.network.widths
        nodes = [f"{layer},{j}" for layer in range(1, len(widths)) for j in range(widths[layer])]
        found: tuple[list[dict[str, Any]], float] = self.diagram.root.evaluate(
            f"(root, given) => ({PROBE})(root, given)", [rows.tolist(), nodes]
        )
        return found

    def expected(self, x: list[float], node: str) -> list[float]:
        """Return what Python says of the terms of a node, in order of size, and of their sum."""
        layer, j = map(int, node.split(","))
        network = self.model.network
        inputs = self.model.session.about.x_scaling.apply(torch.tensor([x], dtype=torch.float64))
        with torch.no_grad():
            for each in network.layers[: layer - 1]:
                inputs = each.edge_outputs(inputs).sum(dim=1)
            terms = network.layers[layer - 1].edge_outputs(inputs)[0, :, j]
        kept = terms[network.layers[layer - 1].mask[:, j]]
        return [*sorted(kept.tolist()), float(terms.sum())]


def unreadable(diagram: Diagram) -> list[str]:
    """Return the words of the picture that cannot be read, and why."""
    found: list[str] = diagram.root.evaluate(UNREADABLE)
    return found


def faults(diagram: Diagram) -> list[str]:
    """Return what axe-core finds of serious faults in what is shown."""
    axe = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    diagram.page.evaluate(axe.read_text("utf-8"))
    found: list[str] = diagram.root.evaluate(f"root => ({AUDIT})(root)")
    return found
