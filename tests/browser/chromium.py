"""The browser: Debian's Chromium, driven by playwright, which meets nobody but this machine."""

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # where it is not installed the tests are collected all the same, and skipped
    from playwright.sync_api import Browser, ConsoleMessage, Error, Page

PATH = os.environ.get("KANVIZ_CHROMIUM") or shutil.which("chromium")

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

WAIT = 120_000
"""Milliseconds after which a test gives up waiting; a busy machine needs more than a user would."""


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """Run the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class Console:
    """What a page complains of."""

    def __init__(self, page: "Page") -> None:
        self.errors: list[str] = []
        page.on("pageerror", self._failed)
        page.on("console", self._said)

    def _failed(self, error: "Error") -> None:
        self.errors.append(str(error))

    def _said(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.errors.append(message.text)


def why_not() -> str:
    """Return why no browser can be had; empty where one can."""
    missing = [] if PATH and Path(PATH).exists() else ["Chromium (apt-get install chromium)"]
    modules = ("playwright", "jupyterlab", "axe_playwright_python")
    missing += [name for name in modules if importlib.util.find_spec(name) is None]
    return f"needs {', '.join(missing)}" if missing else ""
