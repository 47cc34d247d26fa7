"""The playground from a file, in Chromium: it learns, its curves move, and it can be linked to."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import kanviz as kv
from browser.chromium import WAIT, Console
from browser.diagram import Diagram
from browser.pages import faults
from kanviz.course import playground

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Counts drawings of the picture while a fit runs.
WATCH = """() => {
  window.drawn = 0;
  new MutationObserver(() => { window.drawn += 1; }).observe(
    document.querySelector(".kv-paint"), { subtree: true, attributes: true, childList: true });
}"""

# How much of the panel there is, and how far its row of names runs into the line below.
HEIGHTS = """() => {
  const box = (part) => document.querySelector(`.kv-play-stage ${part}`).getBoundingClientRect();
  return {
    panel: box(".kv-panels").height,
    overlap: box(".kv-tabs").bottom - box(".kv-statusbar").top,
  };
}"""


def test_a_network_learns_in_the_page_and_a_link_opens_the_lesson(
    page: "Page", tmp_path: Path
) -> None:
    path, console = tmp_path / "p.html", Console(page)
    playground(path, law="x_1*x_2", hidden=[2], rows=150, question="How does it multiply?")
    page.set_default_timeout(WAIT)
    page.goto(f"{path.as_uri()}#law=x_1*x_2&hidden=2&rows=150&steps=40&seed=1")
    run = page.locator(".kv-play-run")
    page.locator(".kv-edge[data-key='0,0,0']").wait_for(state="attached")
    page.evaluate(WATCH)
    run.click()
    page.locator(".kv-head-about").get_by_text(re.compile(r"trained \d+ steps")).wait_for()
    assert run.inner_text() == "Train"
    assert page.evaluate("window.drawn") > 2  # it moved while it learnt
    share = page.locator(".kv-result-figure b").inner_text()
    assert float(share.removesuffix(" %").replace("\u2212", "-")) < 2  # per cent of the spread
    assert faults(Diagram(page)) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save .kan").click()
    download.value.save_as(tmp_path / "saved.kan")
    assert kv.load(tmp_path / "saved.kan").widths == (2, 2, 1)
    page.get_by_role("button", name="More nodes in hidden layer 1").click()
    page.get_by_text("[2, 3, 1]").wait_for()
    assert re.search("hidden=3", page.evaluate("location.hash"))
    page.get_by_label("A .kan file").set_input_files(tmp_path / "saved.kan")
    page.get_by_text("[2, 2, 1]").wait_for()
    (tmp_path / "mine.csv").write_text("p,q\n" + "1,2\n3,5\n" * 9)
    page.get_by_label("A CSV file").set_input_files(tmp_path / "mine.csv")
    page.locator(".kv-head-title").get_by_text("p", exact=True).wait_for()
    page.get_by_label("Law", exact=True).select_option("Product")
    law = page.get_by_label("The law as a formula")
    law.fill("sin(x")
    law.press("Enter")
    page.get_by_text("A parenthesis of the formula is not closed.").wait_for()
    law.fill("sin(3*x) + z^2")
    law.press("Enter")
    page.locator(".kv-head-title").get_by_text("z", exact=True).wait_for()
    page.get_by_role("button", name="Remove hidden layer 1").or_(
        page.get_by_role("button", name="Fewer nodes in hidden layer 1")
    ).click()
    page.get_by_role("button", name="Remove hidden layer 1").click()
    run.click()
    page.locator(".kv-head-about").get_by_text(re.compile(r"trained \d+ steps")).wait_for()
    page.get_by_role("button", name="Name curves").click()
    page.locator(".kv-head-about").get_by_text("named 2").wait_for()
    assert "sin" in page.locator(".kv-head-title").inner_text()
    for width, height in ((390, 844), (810, 600), (944, 620), (1090, 620), (1110, 620)):
        page.set_viewport_size({"width": width, "height": height})
        heights = page.evaluate(HEIGHTS)
        assert heights["panel"] > 100, (width, height)
        assert heights["overlap"] <= 0, (width, height)
    assert console.errors == []
