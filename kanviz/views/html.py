"""A network as one web page that needs nothing else: no script, no network, no other file."""

import dataclasses
import os
from html import escape

from kanviz.snapshot import EdgeView, Snapshot
from kanviz.views import labels, style
from kanviz.views.svg import network_svg
from kanviz.writing import write_whole

# What the page may load: nothing but its own style and pictures written into it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_HEAD = f"""<!DOCTYPE html>
<html lang="en" class="kanviz">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>{style.PAGE}</style>
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
    end = labels.node_name(snapshot.node(view.layer + 1, view.j))
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
