"""The desk: does with a model what a browser asks, and answers."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kanviz.model.desk import questions, searching, steering
from kanviz.model.desk.edits import EDITS
from kanviz.model.desk.request import Request, plain
from kanviz.model.desk.watching import Watching, sentence_of
from kanviz.snapshot import Edge, EdgeView
from kanviz.symbolic.symbol_report import EdgeReport

logger = logging.getLogger(__name__)

MOST_EDGES = 5000
"""Edges that a browser may ask to be drawn."""

REFUSALS = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, RuntimeError)
"""Errors that say what was wrong with a request, or why it cannot be done."""


class Desk(Watching):
    """Between one model and one live picture of it, which may be shown in several places.

    It gives and takes plain values only, those of frontend/src/contract.ts.
    """

    def answer(self, message: object) -> dict[str, Any]:
        """Do what a browser asks and return the contract's ``Reply``; never raises.

        A request that makes no sense gets one sentence that says why, and changes nothing.
        """
        seq = message.get("seq") if isinstance(message, Mapping) else None
        reply = {"type": "reply", "seq": seq if isinstance(seq, int | float) else None}
        try:
            value = self._value(Request(message))
        except REFUSALS as error:
            return reply | {"ok": False, "error": sentence_of(error)}
        except Exception as error:
            logger.exception("A request of the live diagram failed.")
            return reply | {"ok": False, "error": f"This went wrong in Python: {error!r}"}
        return reply | {"ok": True, "value": plain(value)}

    def _value(self, request: Request) -> Any:
        model, kind = self.model, request.type
        if kind in EDITS:
            EDITS[kind](model, request, id(self))
            return self._done()
        if kind in steering.STEERING:
            steering.STEERING[kind](model, request)
            self._renew()  # the last step before a pause may have had no frame
            self._tell("status")
            return self._done()
        if kind in _OTHERS:
            return _OTHERS[kind](self, request)
        raise ValueError(f"type must be a known request; got {kind[:60]!r}. Reload the picture.")

    def _done(self) -> dict[str, Any]:
        """Return the reply to what was done: the version of the scene that will show it."""
        return {"version": self._version}

    def _ask_update_grid(self, _: Request) -> dict[str, Any]:
        has_seen = self.model.session.about.sample is not None or self.data is None
        self.model.update_grid(None if has_seen or self.data is None else self.data.x)
        return self._done()

    def _ask_train(self, request: Request) -> dict[str, Any]:
        steering.train(self.model, self.data, request)
        return self._done()

    def _ask_set_training(self, request: Request) -> dict[str, Any]:
        steering.set_training(self.model, request)
        return self._done()

    def _ask_prune_in_context(self, _: Request) -> dict[str, Any]:
        data = steering.needed(self.data)
        with self._searching("Pruning: each edge is tried inside the network"):
            report = self.model.prune(data)
        return searching.pruned(report) | self._done()

    def _ask_symbolify(self, _: Request) -> dict[str, Any]:
        data = steering.needed(self.data)
        total = sum(int(layer.spline_mask.sum()) for layer in self.model.network.layers)
        seen: set[Edge] = set()

        def on_edge(report: EdgeReport) -> None:
            seen.add(report.edge)
            verdict = report.chosen or "stays a spline"
            words = f"Symbolify: edge {len(seen)} of {total}: {tuple(report.edge)} {verdict}"
            self._note(words, len(seen) / max(1, total))

        with self._searching("Symbolify: formulas are tried edge by edge"):
            report = self.model.symbolify(data, on_edge=on_edge)
        return searching.symbolified(report) | self._done()

    def _ask_suggest(self, request: Request) -> list[dict[str, Any]]:
        return questions.suggestions(self.model, self._view(request))

    def _ask_preview(self, request: Request) -> dict[str, Any]:
        return questions.preview(self.model, self.data, self._view(request), request)

    def _ask_plan(self, _: Request) -> dict[str, Any]:
        return questions.plan(self.model, self.data)

    def _ask_probe(self, request: Request) -> dict[str, Any]:
        return questions.probe(self.model, self._about(), request)

    def _ask_formula(self, _: Request) -> dict[str, str]:
        return questions.formula_text(self.model.formula())

    def _ask_script(self, _: Request) -> str:
        return self.model.script()

    def _ask_page(self, _: Request) -> str:
        from kanviz.views.page import live_page

        scene = self.scene()
        return live_page(self.snapshot(), scene)

    def _ask_scene(self, _: Request) -> dict[str, Any]:
        self._renew()
        return self._done()

    def _ask_show(self, request: Request) -> dict[str, Any]:
        n_layers = len(self.model.network.layers)
        is_free = request.is_none("max_edges")
        self._max_edges = None if is_free else request.integer("max_edges", n_layers, MOST_EDGES)
        self._renew()
        return self._done()

    @contextlib.contextmanager
    def _searching(self, words: str) -> Iterator[None]:
        self._note(words)
        try:
            yield
        finally:
            self._note("")

    def _note(self, words: str, share: float | None = None) -> None:
        """Say what goes on, and how much of it is done, if known."""
        self._activity, self._share = words, share
        self._tell("status")

    def _view(self, request: Request) -> EdgeView:
        edge = request.edge()
        if edge not in self._drawn:
            raise IndexError(
                f"edge must be one that is drawn; got {tuple(edge)}. Show more edges first."
            )
        return self._drawn[edge]


_OTHERS: dict[str, Callable[[Desk, Request], Any]] = {
    name.removeprefix("_ask_"): method
    for name, method in vars(Desk).items()
    if name.startswith("_ask_")
}
"""What answers each request that is no edit."""
