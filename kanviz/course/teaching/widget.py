"""What all teaching widgets have in common: a checked state shared with the browser, and a page."""

import base64
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, ClassVar

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from kanviz.checks import check_choice
from kanviz.live.explorer import keep_routes
from kanviz.live.packing import pack
from kanviz.live.page import TEACHING_SCRIPT, TEACHING_STYLE, standalone_page
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.writing import write_whole

THEMES = ("auto", "light", "dark")


class TeachingWidget(anywidget.AnyWidget):
    """One picture to touch, which any number of cells may show.

    Parameters
    ----------
    kind : str
        Which renderer of the front end draws it.
    state : mapping
        What is drawn, as JSON: finite numbers, strings, lists and dictionaries.
    title : str
        Heading of its page.
    alt : str
        What the picture shows, in words, for where it cannot be drawn.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If there is no such theme, or a number of the state is not finite.
    """

    # As text: of a file, anywidget would keep every widget alive to tell it of changes.
    _esm = TEACHING_SCRIPT.read_text("utf-8")
    _css = TEACHING_STYLE.read_text("utf-8")

    kind = traitlets.Unicode().tag(sync=True)
    """Which renderer draws it."""

    state = traitlets.Dict().tag(sync=True)
    """What is drawn. Python to browser only: browsers ask for changes by messages."""

    theme = traitlets.Unicode("auto").tag(sync=True)
    """``"auto"``, ``"light"`` or ``"dark"``."""

    def __init__(
        self, kind: str, state: Mapping[str, Any], *, title: str, alt: str, theme: str = "auto"
    ) -> None:
        check_choice("theme", theme, THEMES)
        json.dumps(state, allow_nan=False)
        self._lock = threading.RLock()
        self._title, self._alt = title, alt
        super().__init__(kind=kind, state=dict(state), theme=theme)
        self.on_msg(self._asked)
        keep_routes(self)

    lesson: ClassVar[tuple[str, str]] = ("", "")
    """What its page asks, and what to try on it."""

    def to_html(self, path: str | os.PathLike[str], *, next_page: str = "") -> None:
        """Write the widget as it now is to a page of its own, alive without kernel or network.

        Parameters
        ----------
        path : str or path
            The file.
        next_page : str
            The address of the page that comes after it, for a link at its end.

        Raises
        ------
        FileNotFoundError
            If the folder of ``path`` does not exist.
        OSError
            If the file cannot be written; one that was there is as before.
        """
        traits = json.dumps({"kind": self.kind, "state": self._page_state(), "theme": self.theme})
        page = standalone_page(
            self._title,
            still=f"<p>{escape(self._alt)}</p>\n<p>To move it, let this page run its script.</p>",
            front=(TEACHING_SCRIPT, TEACHING_STYLE),
            state=("kanviz-state", traits, 'const state = JSON.parse(load("kanviz-state"));\n'),
            lead=self._lead(next_page),
        )
        write_whole(path, page.encode())

    def _lead(self, next_page: str) -> str:
        """Return the head of a page: its title, one question, something to try, the way on."""
        question, attempt = self.lesson
        parts = [f"<h1>{escape(self._title)}</h1>"] if question else []
        parts += [f'<p class="kanviz-asked">{escape(question)}</p>'] if question else []
        parts += [f"<p>Try: {escape(attempt)}</p>"] if attempt else []
        parts += [f'<p><a href="{escape(next_page)}">Next</a></p>'] if next_page else []
        return f'<header class="kanviz-lead">{"".join(parts)}</header>\n' if parts else ""

    def _page_state(self) -> dict[str, Any]:
        """Return the state of a page of its own, which no Python can answer any more."""
        return dict(self.state)

    @property
    def title(self) -> str:
        """Heading of its page."""
        return self._title

    def close(self) -> None:
        """End it: pictures in the notebook stay as they are."""
        self.layout.close()  # made along with every widget, and not ended with it
        super().close()

    def _update(self, **changes: Any) -> None:
        """Change values of the state; all views follow."""
        with self._lock:
            self.state = {**self.state, **changes}

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Return what becomes of values that a browser asks for; nothing, unless a kind says so.

        Raises
        ------
        ValueError, TypeError, KeyError
            If they cannot be: then the state stays, and the browser goes back to it.
        """
        del change
        return {}

    def _asked(self, _: object, message: Any, buffers: object) -> None:  # noqa: ARG002
        """Change what a browser asks for; called in any thread."""
        if not isinstance(message, Mapping) or message.get("type") != "change":
            return
        heard = {"view": message.get("view"), "turn": message.get("turn")}
        with self._lock:
            try:
                accepted = self._accept(message.get("change", {}))
            except (ValueError, TypeError, KeyError):
                accepted = {}
            self._update(**accepted, heard=heard)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, details = found if isinstance(found, tuple) else (found, {})
        return {**data, "text/plain": self._alt}, details


Arrays = dict[bytes, np.ndarray]

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


def _shared(values: np.ndarray, arrays: Arrays) -> np.ndarray:
    return arrays.setdefault(values.tobytes(), values.astype(np.float32))


Array = npt.NDArray[np.float64]

Listed = Sequence[Any] | npt.NDArray[Any]
"""Numbers as a hand writes them: a list, a list of pairs, or an array."""

Places = float | Listed
"""One number, or any number of them."""


def finite(name: str, values: Any, *, axes: int = 1) -> Array:
    """Return numbers as an array of that many axes.

    Raises
    ------
    ValueError
        If they are no such array of finite numbers.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers; got {values!r}.") from None
    if array.ndim != axes:
        shape = "a list" if axes == 1 else "a table of rows"
        raise ValueError(f"{name} must be {shape} of numbers; got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {array.tolist()}.")
    return array
