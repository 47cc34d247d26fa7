"""A network as one web page: the live diagram without a kernel, or a still picture and a table."""

import base64
import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from kanviz.interrupts import uninterrupted
from kanviz.layout import labels
from kanviz.live.packing import pack
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.theme import DARK, LIGHT
from kanviz.views.svg import network_svg
from kanviz.writing import write_whole

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE = STATIC / "explorer.js", STATIC / "explorer.css"
TEACHING_SCRIPT, TEACHING_STYLE = STATIC / "teaching.js", STATIC / "teaching.css"
PLAYGROUND_SCRIPT, PLAYGROUND_STYLE = STATIC / "playground.js", STATIC / "playground.css"

PAGE = """
html.kanviz{background:var(--kanviz-paper);color:var(--kanviz-ink);color-scheme:light dark;
font:16px/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0}
main{max-width:1200px;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{margin:0;font-size:1.6rem;line-height:1.25;font-weight:600;overflow-wrap:anywhere;
text-wrap:balance}
h2{margin:3rem 0 0;font-size:1.1rem;font-weight:600}
p{margin:.3rem 0 0;color:var(--kanviz-muted)}
.kanviz-scroll:focus-visible{outline:2px solid var(--kanviz-spline);outline-offset:4px}
.kanviz-scroll svg{margin:2rem auto 0}
table{width:100%;margin-top:1rem;border-collapse:collapse;font-size:.9rem;
font-variant-numeric:tabular-nums}
th,td{padding:.45rem 1.25rem .45rem 0;text-align:left;vertical-align:baseline;
border-bottom:1px solid var(--kanviz-hair)}
th{font-weight:600;color:var(--kanviz-muted);white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
td{white-space:nowrap}
td.kanviz-words{white-space:normal;overflow-wrap:anywhere;min-width:4rem;max-width:22rem}
td.kanviz-words:last-child{min-width:12rem}
th.kanviz-number,td.kanviz-number{text-align:right}
td small{color:var(--kanviz-muted)}
code{font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.kanviz-lead{margin-bottom:1rem;color:CanvasText}
.kanviz-lead h1{font-size:1.6em}
.kanviz-lead p{max-width:70ch;color:color-mix(in srgb,CanvasText 75%,Canvas)}
.kanviz-lead .kanviz-asked{color:CanvasText;font-size:1.15em}
@media (min-width:1500px){.kanviz-lead{font-size:1.3rem}.kv-course{zoom:1.35}}
@media (min-width:1800px){.kanviz-lead{font-size:1.5rem}.kv-course{zoom:1.6}}
.kanviz-dot{display:inline-block;width:.6em;height:.6em;margin-right:.5em;border-radius:50%;
background:var(--kanviz-state)}
@media (max-width:600px){
main{padding:1.5rem 1rem 3rem}h1{font-size:1.3rem}
td.kanviz-words:last-child{white-space:nowrap;max-width:none}
}
@media print{
main{max-width:none;padding:0}
.kanviz-scroll{overflow:visible}
.kanviz-scroll svg{min-width:0!important}
table{font-size:8pt}
tr{break-inside:avoid}h2{break-after:avoid}
.kanviz-dot{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
"""Style sheet of a page around a picture, whose own holds the colours."""


_COLORS = ";".join(
    f"--kanviz-{name}:light-dark({getattr(LIGHT, name)},{getattr(DARK, name)})"
    for name in ("paper", "ink", "muted", "hair")
)
GROUND = f"html.kanviz{{{_COLORS}}}"
"""The colours of a page that holds a front end, and no picture to bring them."""

# What the page may load: nothing but its own style and pictures written into it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_HEAD = f"""<!DOCTYPE html>
<html lang="en" class="kanviz">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>{PAGE}</style>
"""

_NUMBER, _WORDS = ' class="kanviz-number"', ' class="kanviz-words"'

_COLUMNS = ("From", "To", "Score", "State", "Range of x", "Range of y", "Formula")


def page(snapshot: Snapshot, *, title: str | None = None) -> str:
    """Return a whole page: a heading, the picture, and a table of its edges, strongest first.

    Parameters
    ----------
    snapshot : Snapshot
        What to show.
    title : str, optional
        The heading; by default the title of the snapshot, else the widths of the network.
    """
    name = labels.network_name(snapshot)
    heading = labels.plain(snapshot.title if title is None else title) or name
    subtitle = "" if heading == name else f"<p>{escape(name)}</p>\n"
    # The heading says the title; the picture need not repeat it.
    drawing = network_svg(dataclasses.replace(snapshot, title=""))
    return (
        f"{_HEAD}<title>{escape(heading)}</title>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(heading)}</h1>\n{subtitle}"
        f"{scrolling(drawing, 'Picture of the network')}\n"
        f"<h2>Edges</h2>\n<p>{escape(_count(snapshot))}</p>\n"
        f"{scrolling(edge_table(snapshot), 'Table of edges')}\n"
        "</main>\n</body>\n</html>\n"
    )


def write_page(
    snapshot: Snapshot, path: str | os.PathLike[str], *, title: str | None = None
) -> None:
    """Write ``page`` to a file; the file appears whole or not at all.

    Raises
    ------
    FileNotFoundError
        If the folder of ``path`` does not exist.
    OSError
        If the file cannot be written; one that was there is as before.
    """
    write_whole(path, page(snapshot, title=title).encode())


def scrolling(content: str, name: str) -> str:
    """Return ``content`` in a frame that scrolls where it is too wide, by keyboard too."""
    return (
        f'<div class="kanviz-scroll" role="region" aria-label="{name}" tabindex="0">\n'
        f"{content}\n</div>"
    )


def _count(snapshot: Snapshot) -> str:
    note = labels.left_out(len(snapshot.edges), snapshot.n_edges)
    if note:
        return f"Strongest first: {note}."
    return f"Strongest first: all {snapshot.n_edges:,} edges."


def edge_table(snapshot: Snapshot) -> str:
    """Return all edges drawn as a table, strongest first."""
    ranked = sorted(snapshot.edges, key=lambda view: (-view.score, view.edge))
    head = "".join(
        f'<th scope="col"{_NUMBER if name == "Score" else ""}>{name}</th>' for name in _COLUMNS
    )
    rows = "\n".join(_row(snapshot, view) for view in ranked)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(snapshot: Snapshot, view: EdgeView) -> str:
    start = labels.node_name(snapshot.node(view.layer, view.i))
    end = labels.end_name(snapshot, view.layer + 1, view.j)
    dot = f'<span class="kanviz-dot kanviz-{view.state}"></span>'
    cells = (
        (_WORDS, escape(start)),
        (_WORDS, escape(end)),
        (_NUMBER, labels.number(view.score)),
        ("", dot + labels.standing(view)),
        ("", labels.interval(view.curve_x)),
        ("", labels.interval(view.curve_y)),
        (_WORDS, _formula(view)),
    )
    return "<tr>" + "".join(f"<td{kind}>{text}</td>" for kind, text in cells) + "</tr>"


def _formula(view: EdgeView) -> str:
    if not view.formula:
        return ""
    note = labels.quality(view)
    formula = f"<code>{escape(labels.plain(view.formula))}</code>"
    return f"{formula} <small>{note}</small>" if note else formula


def still_bundle(
    snapshot: Snapshot, text: str, most_edges: int | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a picture as PNG, HTML and text by their MIME types, and the size of the PNG.

    The HTML holds the drawing as an image: Jupyter takes elements of SVG out of the HTML of a
    notebook that is not trusted, and would show nothing. With ``most_edges`` there is no PNG of a
    network with more: it is by far the dearest part, in time and in bytes.
    """
    drawing = base64.b64encode(network_svg(snapshot).encode()).decode()
    html = f'<img alt="{escape(text)}" src="data:image/svg+xml;base64,{drawing}">'
    found = {"text/html": html, "text/plain": text}
    if most_edges is not None and len(snapshot.edges) > most_edges:
        return found, {}
    with uninterrupted():
        from kanviz.views.figure import network_figure  # brings matplotlib

    image, size = network_figure(snapshot)._repr_png_()
    return found | {"image/png": image}, {"image/png": size}


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
if (parent !== window) {
  document.querySelector("main").style.padding = "1rem 0";
  const tell = () => parent.postMessage({ height: document.body.offsetHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
}
"""


def standalone_page(
    heading: str,
    *,
    still: str,
    front: tuple[Path, Path],
    state: tuple[str, str, str],
    lead: str = "",
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
    lead : str
        HTML that stays above the picture: a visible heading, and what to do with it.
    """
    script, sheet = front
    heading_of_still = "" if lead else f"<h1>{escape(heading)}</h1>\n"
    name, text, reading = state
    module = f"{_BEGIN}{reading}{_END}"
    rules = sheet.read_text("utf-8").replace("</", "<\\/")
    return (
        '<!DOCTYPE html>\n<html lang="en" class="kanviz">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(module)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(heading)}</title>\n'
        f"<style>{PAGE}{GROUND}</style>\n<style>{rules}</style>\n</head>\n<body>\n<main>\n"
        f'{lead}<div id="kanviz-live"></div>\n<div id="kanviz-still">\n{heading_of_still}'
        f"{still}\n</div>\n</main>\n"
        f"{_data(name, text)}\n{_data('kanviz-script', script.read_text('utf-8'))}\n"
        f'<script type="module">{module}</script>\n</body>\n</html>\n'
    )


def _policy(module: str) -> str:
    """Let no script run but this one and the front end that it loads: not one that slipped in."""
    mark = base64.b64encode(hashlib.sha256(module.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{mark}' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:"
    )


def _data(name: str, text: str) -> str:
    """Return text as a part of a page that no browser runs or reads as tags."""
    content = json.dumps(text).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{content}</script>'


_READING = """
const bytes = Uint8Array.from(atob(load("kanviz-scene")), (c) => c.charCodeAt(0));
const state = { scene: new DataView(bytes.buffer), local: true, theme: "auto", height: null };
"""


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
    still = scrolling(network_svg(replace(snapshot, title="")), "Picture of the network")
    table = scrolling(edge_table(snapshot), "Table of edges")
    packed = base64.b64encode(pack(scene)).decode()
    return standalone_page(
        labels.plain(snapshot.title) or name,
        still=f"{still}\n<h2>Edges</h2>\n{table}",
        front=(SCRIPT, STYLE),
        state=("kanviz-scene", packed, _READING),
    )


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
