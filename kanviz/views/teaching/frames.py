"""Pictures of a network as plain records for the browser, small enough to send forty of them."""

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

from kanviz.live.packing import pack
from kanviz.snapshot import EdgeView, Snapshot

Arrays = dict[tuple[float, ...], np.ndarray]

KEPT = ("layer", "i", "j", "score", "strength", "state", "frozen", "locked", "formula", "function")
"""What of an edge is drawn besides its curve."""


def packed_frames(snapshots: Iterable[Snapshot]) -> str:
    """Return pictures as text for the state of a widget: packed, in base 64.

    Curves become float32, which is far below a pixel, and curves that are equal are written once.
    """
    arrays: Arrays = {}
    frames = [frame(snapshot, arrays) for snapshot in snapshots]
    return packed({"frames": frames})


def packed(record: dict[str, Any]) -> str:
    """Return a record of arrays and plain values as text; see ``kanviz.live.packing``."""
    return base64.b64encode(pack(record)).decode()


def frame(snapshot: Snapshot, arrays: Arrays) -> dict[str, Any]:
    """Return one picture; ``arrays`` collects the curves of all."""
    return {
        "widths": list(snapshot.widths),
        "nodes": [dict(vars(node)) for node in snapshot.nodes],
        "edges": [_edge(view, arrays) for view in snapshot.edges],
        "n_edges": snapshot.n_edges,
    }


def _edge(view: EdgeView, arrays: Arrays) -> dict[str, Any]:
    curve = {name: _shared(getattr(view, name), arrays) for name in ("curve_x", "curve_y")}
    return {name: getattr(view, name) for name in KEPT} | curve


def _shared(values: tuple[float, ...], arrays: Arrays) -> np.ndarray:
    return arrays.setdefault(values, np.array(values, dtype=np.float32))
