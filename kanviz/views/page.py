"""The live diagram as one page without a kernel: the front end, the scene, nothing from outside."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from kanviz.live.bundle import SCRIPT, STYLE
from kanviz.snapshot import Snapshot
from kanviz.views import labels
from kanviz.views.html import edge_table, scrolling
from kanviz.views.packing import pack
from kanviz.views.standalone import standalone_page
from kanviz.views.svg import network_svg
from kanviz.writing import write_whole

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
