"""The live diagram as one page without a kernel: the front end, the scene, nothing from outside."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from kanviz.snapshot import Snapshot
from kanviz.views import labels, style
from kanviz.views.bundle import SCRIPT, STYLE
from kanviz.views.html import edge_table, scrolling
from kanviz.views.packing import pack
from kanviz.views.svg import network_svg
from kanviz.writing import write_whole

# A stand-in for a widget's model, which the front end takes for a notebook's. What stands in the
# page stays until the front end has drawn, and for good where it cannot.
_SHIM = """
const load = (id) => JSON.parse(document.getElementById(id).textContent);
const bytes = Uint8Array.from(atob(load("kanviz-scene")), (c) => c.charCodeAt(0));
const state = { scene: new DataView(bytes.buffer), local: true, theme: "auto", height: null };
const model = {
  get: (name) => state[name], set: (name, value) => { state[name] = value; },
  save_changes() {}, on() {}, off() {}, send() {},
};
const url = URL.createObjectURL(new Blob([load("kanviz-script")], { type: "text/javascript" }));
const front = await import(url);
URL.revokeObjectURL(url);
const el = document.getElementById("kanviz-live");
await front.default.render({ model, el, signal: new AbortController().signal });
document.getElementById("kanviz-still").hidden = true;
document.querySelector("main").style.cssText = "max-width: none; padding: 1rem";
"""

# No script runs but the one above and the front end that it loads: not even one that slipped in.
_HASH = base64.b64encode(hashlib.sha256(_SHIM.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; script-src 'sha256-{_HASH}' blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)


def live_page(snapshot: Snapshot, scene: Mapping[str, Any]) -> str:
    """Return a whole page that draws a scene, and computes and edits it in the browser.

    Parameters
    ----------
    snapshot : Snapshot
        The same moment as a still picture, for browsers without scripts.
    scene : mapping
        The contract's ``Scene``.
    """
    name = labels.network_name(snapshot)
    heading = labels.plain(snapshot.title) or name
    still = scrolling(network_svg(replace(snapshot, title="")), "Picture of the network")
    table = scrolling(edge_table(snapshot), "Table of edges")
    packed = base64.b64encode(pack(scene)).decode()
    return (
        '<!DOCTYPE html>\n<html lang="en" class="kanviz">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(heading)}</title>\n'
        f"<style>{style.PAGE}</style>\n<style>{_style_sheet()}</style>\n</head>\n<body>\n<main>\n"
        f'<div id="kanviz-live"></div>\n<div id="kanviz-still">\n<h1>{escape(heading)}</h1>\n'
        f"{still}\n<h2>Edges</h2>\n{table}\n</div>\n</main>\n"
        f"{_data('kanviz-scene', packed)}\n{_data('kanviz-script', SCRIPT.read_text('utf-8'))}\n"
        f'<script type="module">{_SHIM}</script>\n</body>\n</html>\n'
    )


def write_live_page(
    snapshot: Snapshot, scene: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    """Write ``live_page`` to a file; the file appears whole or not at all.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    OSError
        If the file cannot be written; one that was there is as before.
    """
    write_whole(path, live_page(snapshot, scene).encode())


MARGINS = 40
"""Pixels that a page needs above and below its diagram."""


@dataclass(frozen=True)
class PageFrame:
    """A page inside a notebook, closed off from it: shows itself where a cell ends with it.

    Parameters
    ----------
    page : str
        The whole page.
    height : int
        Of the diagram in it, in pixels.
    """

    page: str
    height: int

    def _repr_html_(self) -> str:
        return (
            '<iframe sandbox="allow-scripts" title="Network" loading="lazy" '
            f'style="width: 100%; height: {self.height + MARGINS}px; border: 0" '
            f'srcdoc="{escape(self.page)}"></iframe>'
        )


def _data(name: str, text: str) -> str:
    """Return text as a part of a page that no browser runs or reads as tags."""
    content = json.dumps(text).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{content}</script>'


def _style_sheet() -> str:
    return STYLE.read_text("utf-8").replace("</", "<\\/")
