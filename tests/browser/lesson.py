"""What a student does on the playground, as functions that any browser runs in the page.

``python -m browser.lesson`` in the folder ``tests`` follows the lesson that the page opens with, in
Chromium and Firefox, and prints its seconds, its frames per second and how far it is from Python.
"""

import base64
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kanviz as kv
from browser import firefox
from browser.chromium import Console, chromium
from browser.firefox import Firefox
from kanviz.course import playground

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LEARN = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  while (!document.querySelector(".kv-edge[data-key='0,0,0']")) await frame();
  const about = document.querySelector(".kv-head-about");
  const share = document.querySelector(".kv-result-figure b");
  let [moved, first, last, drawn, good, dirty] = [0, NaN, NaN, 0, NaN, false];
  const watch = new MutationObserver(() => { dirty = true; });
  const all = { subtree: true, attributes: true, childList: true };
  watch.observe(document.querySelector(".kv-paint"), all);
  document.querySelector(".kv-play-run").click();
  const start = performance.now();
  while (!/trained \\d+ steps/.test(about.textContent)) {
    last = await frame();
    if (Number.isNaN(first)) first = last;
    drawn += 1;
    moved += dirty ? 1 : 0;
    dirty = false;
    if (Number.isNaN(good) && parseFloat(share.textContent) < 0.1) good = performance.now() - start;
  }
  watch.disconnect();
  return {
    seconds: (performance.now() - start) / 1000,
    to_a_thousandth: good / 1000,
    frames: (1000 * drawn) / (last - first),
    pictures: (1000 * moved) / (last - first),
    share: parseFloat(share.textContent) / 100,
  };
}"""
"""Presses Train and counts frames, and those in which the curves moved, until it is done."""

PRESS = """async (name, says) => {
  const button = [...document.querySelectorAll("button")].find((b) => b.textContent === name);
  const about = document.querySelector(".kv-head-about");
  const start = performance.now();
  button.click();
  while (!new RegExp(says).test(about.textContent)) await new Promise(requestAnimationFrame);
  return (performance.now() - start) / 1000;
}"""
"""Presses a button and waits for what the head says then; returns the seconds."""

SAVED = """async () => {
  const made = URL.createObjectURL;
  const file = new Promise((found) => {
    URL.createObjectURL = (blob) => (found(blob), made.call(URL, blob));
  });
  HTMLAnchorElement.prototype.click = () => undefined;
  [...document.querySelectorAll("button")].find((b) => b.textContent === "Save .kan").click();
  const bytes = new Uint8Array(await (await file).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}"""
"""Saves the network, and returns the file in base 64 in the place of a download."""

COMPUTED = """async (shares) => {
  const named = (all, text) => [...document.querySelectorAll(all)]
    .find((e) => e.textContent === text && e.checkVisibility());
  const seen = (all) => [...document.querySelectorAll(all)]
    .filter((element) => element.checkVisibility() && !element.closest(".kv-play-side"));
  named("[role=tab]", "Probe").click();
  named("button", "Start the probe").click();
  await new Promise(requestAnimationFrame);
  const sliders = seen(".kv-slider");
  const found = [];
  for (const row of shares) {
    sliders.forEach((slider, n) => {
      slider.value = String(+slider.min + row[n] * (slider.max - slider.min));
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await new Promise(requestAnimationFrame);
    const values = seen(".kv-bar-row .kv-number").map((value) => Number(value.title));
    found.push({ x: sliders.map(({ value }) => Number(value)), y: values.at(-1) });
  }
  return found;
}"""
"""Opens the probe and returns, for inputs as shares of the sliders, what the page computes."""

WAY = (("1 Prune", "took out"), ("Train", "trained"), ("2 Name curves", "named"))
"""What a hand presses after the fit, and what the head says when that is done."""

Ask = Callable[..., Any]
"""Runs one of these functions in the page, with what it is given, and returns its answer."""


def opened_in_chromium(browser: "Browser", path: Path) -> tuple[Ask, list[str]]:
    """Open a page; return how to ask it, and what it complains of."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    console = Console(page)
    page.goto(path.as_uri())

    def ask(function: str, *given: Any) -> Any:
        return page.evaluate(f"(given) => ({function})(...given)", list(given))

    return ask, console.errors


def opened_in_firefox(browser: Firefox, path: Path) -> tuple[Ask, list[str]]:
    """Open a page; return how to ask it, and what it complains of."""
    browser.open(path.as_uri())

    def ask(function: str, *given: Any) -> Any:
        return browser.evaluate(f"({function})(...{json.dumps(given)})")

    return ask, browser.errors


def followed(ask: Ask, folder: Path) -> dict[str, Any]:
    """Learn, save, compare with Python, prune, learn, name; return what was seen on the way."""
    learnt = ask(LEARN)
    saved = folder / "saved.kan"
    saved.write_bytes(base64.b64decode(ask(SAVED)))
    model = kv.load(saved)
    shares = np.random.default_rng(0).uniform(size=(20, len(model.input_names))).tolist()
    rows = ask(COMPUTED, shares)
    wanted = np.ravel(model.predict([row["x"] for row in rows]))
    apart = np.abs(np.array([row["y"] for row in rows]) - wanted).max()
    clicks = [ask(PRESS, name, says) for name, says in WAY]
    formula = ask("() => document.querySelector('.kv-head-title').textContent")
    seconds = learnt["seconds"] + sum(clicks)
    return {**learnt, "apart": float(apart), "to_the_formula": seconds, "formula": formula}


def main() -> None:
    """Follow the lesson that the page opens with, in each browser that is there."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "playground.html"
        playground(path)
        with chromium() as browser:
            ask, errors = opened_in_chromium(browser, path)
            print("Chromium", json.dumps(followed(ask, path.parent)), errors)  # noqa: T201
        if not firefox.why_not():
            with Firefox(path.parent) as other:
                ask, errors = opened_in_firefox(other, path)
                print("Firefox", json.dumps(followed(ask, path.parent)), errors)  # noqa: T201


if __name__ == "__main__":
    main()
