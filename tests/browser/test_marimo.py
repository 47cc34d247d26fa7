"""The diagram in marimo, which puts it into a shadow root."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.chromium import WAIT, Console
from browser.diagram import Diagram, bends
from browser.marimo_server import Marimo

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="needs marimo")
def test_marimo_shows_and_edits_the_diagram(page: "Page", tmp_path: Path) -> None:
    server = Marimo(tmp_path)
    try:
        page.set_default_timeout(2 * WAIT)
        console = Console(page)
        page.goto(server.url)
        diagram = Diagram(page)
        diagram.root.wait_for()
        assert diagram.root.evaluate("root => root.getRootNode() instanceof ShadowRoot")
        bends(diagram)
        # No font is looked for in a shadow root.
        fonts = "[...document.fonts].filter(font => font.family.includes('kanviz math')).length"
        page.wait_for_function(f"() => {fonts} === 1", timeout=20_000)
        assert [error for error in console.errors if "kanviz" in error] == []
    finally:
        server.stop()
