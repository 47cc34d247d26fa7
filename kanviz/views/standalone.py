"""A page of its own around a front end: no kernel, nothing from outside."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path

from kanviz.views import style

# A stand-in for a widget's model, which the front end takes for a notebook's. What stands in the
# page stays until the front end has drawn, and for good where it cannot.
_BEGIN = """
const load = (id) => JSON.parse(document.getElementById(id).textContent);
"""
_END = """
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


def standalone_page(
    heading: str, *, still: str, front: tuple[Path, Path], state: tuple[str, str, str]
) -> str:
    """Return a whole page that runs a front end on a state which lies in the page.

    Parameters
    ----------
    heading : str
        Of the page, and of its window.
    still : str
        HTML that is shown where no script runs, below the heading.
    front : tuple of path
        The script and the style sheet of the front end.
    state : tuple of str
        A name, the text that lies in the page by this name, and JavaScript that makes ``state``,
        the traits of the widget, from ``load(name)``.
    """
    script, sheet = front
    name, text, reading = state
    module = f"{_BEGIN}{reading}{_END}"
    rules = sheet.read_text("utf-8").replace("</", "<\\/")
    return (
        '<!DOCTYPE html>\n<html lang="en" class="kanviz">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(module)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(heading)}</title>\n'
        f"<style>{style.PAGE}</style>\n<style>{rules}</style>\n</head>\n<body>\n<main>\n"
        f'<div id="kanviz-live"></div>\n<div id="kanviz-still">\n<h1>{escape(heading)}</h1>\n'
        f"{still}\n</div>\n</main>\n"
        f"{_data(name, text)}\n{_data('kanviz-script', script.read_text('utf-8'))}\n"
        f'<script type="module">{module}</script>\n</body>\n</html>\n'
    )


def _policy(module: str) -> str:
    """Let no script run but this one and the front end that it loads: not one that slipped in."""
    mark = base64.b64encode(hashlib.sha256(module.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{mark}' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:"
    )


def _data(name: str, text: str) -> str:
    """Return text as a part of a page that no browser runs or reads as tags."""
    content = json.dumps(text).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{content}</script>'
