"""The desk: sees one model, does with it what a browser asks, and answers."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanviz.analysis.capture import capture
from kanviz.analysis.curves import moving_curves
from kanviz.analysis.pruning import PruneReport
from kanviz.analysis.recipe import recipe_of
from kanviz.analysis.removal import edge_means, take_out
from kanviz.analysis.trace import trace
from kanviz.data import Dataset
from kanviz.data.dataset import About
from kanviz.data.scaling import EdgeUnits
from kanviz.edits import MovePoint, SetCurve
from kanviz.edits.address import check_edge
from kanviz.live.contract import Request, plain
from kanviz.live.page import live_page
from kanviz.live.scene import LossLog, Rows, drawing, errors_now
from kanviz.model.fit_handle import FitHandle
from kanviz.model.inputs import grid_sample
from kanviz.model.kan import KAN
from kanviz.nn.symbols import EdgeFunction
from kanviz.recipe import MOST_WEIGHTS
from kanviz.snapshot import Edge, EdgeView, Snapshot
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.functions import default_library
from kanviz.symbolic.printing import equations, to_mathml
from kanviz.symbolic.simplify import rounded
from kanviz.symbolic.suggest import SHOWN_DIGITS, Suggestion
from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport
from kanviz.training.sparsity import Sparsity

MOVES = ("undid: ", "redid: ", "went to step ")
"""How sentences begin that tell of a way through the history, not of a new step."""

Teller = Callable[[str], object]


class Watching:
    """Sees one model and makes plain values of it, those of frontend/src/contract.ts.

    All its methods may be called from any thread but ``frame``.

    Parameters
    ----------
    model : KAN
        What is shown and edited.
    data : Dataset or (x, y), optional
        For errors, for training and for searches that the browser starts.
    x : (samples, inputs), optional
        What ranges and scores are of, in the network's units; by default what the model remembers.
    title : str
        A line above the picture.

    Raises
    ------
    ValueError, TypeError
        If the data do not fit the model.
    """

    def __init__(self, model: KAN, data: Any = None, *, x: Any = None, title: str = "") -> None:
        self.model, self.title = model, title
        self._given = data
        self._converted: tuple[About, Dataset] | None = None
        self._x = None if x is None else model.session.inputs(x)
        self._news = None if self.data is None else About.data(self.data)
        self._tell: Teller = lambda _: None
        self._lock = threading.Lock()
        self._version = 1
        self._drawn: dict[Edge, EdgeView] = {}
        self._drawn_version = 0
        self._max_edges: int | None = None
        self._losses = LossLog()
        self._activity, self._error = "", ""
        self._share: float | None = None
        self._stops: list[Callable[[], None]] = []

    @property
    def data(self) -> Dataset | None:
        """The data in the units that the network has now; None where there are none."""
        if self._given is None:
            return None
        about = self.model.session.about
        if self._converted is None or self._converted[0] is not about:
            self._converted = about, self.model.session.dataset(self._given)
        return self._converted[1]

    def watch(self, tell: Teller) -> None:
        """Tell from now on, until ``close``, what happens to the model.

        Parameters
        ----------
        tell : callable
            ``tell("scene")`` when a new scene is due, ``tell("status")`` when the status is other,
            ``tell("step")`` in a fit's thread after each of its steps. Must return at once.
        """
        self._tell = tell
        session, training = self.model.session, self.model.running_fit
        self._stops += [self.model.on_change(self._changed), session.watch_fits(self._fitted)]
        if training is not None:
            self._fitted(training)

    def close(self) -> None:
        """Let go of the model: it is no longer watched."""
        while self._stops:
            self._stops.pop()()

    def snapshot(self) -> Snapshot:
        """Return the model as it is drawn; ValueError if it holds a number that is not finite."""
        with self._still():
            about = self._about()
            return capture(
                self.model.network,
                self._sample(about),
                input_names=about.input_names,
                output_names=about.output_names,
                max_edges=self._max_edges,
                title=self.title,
            )

    def scene(self) -> dict[str, Any]:
        """Return the contract's ``Scene`` as it is now; ValueError if that cannot be drawn."""
        with self._still():
            version = self._version
            snapshot = self.snapshot()
            self._drawn, self._drawn_version = {e.edge: e for e in snapshot.edges}, version
            return {**drawing(snapshot), **self._facts(), "version": version}

    def _facts(self) -> dict[str, Any]:
        """Return what of a scene is not drawn by itself."""
        model, about = self.model, self._about()
        network, history = model.network, model.session.history
        spec = network.layers[0].spec
        is_small = sum(layer.weight.numel() for layer in network.layers) <= MOST_WEIGHTS
        rows = Rows.of(about, self._sample(about), self.data)
        return {
            "recipe": recipe_of(network, about).to_dict() if is_small else None,
            "input_names": list(about.input_names),
            "output_names": list(about.output_names),
            "sample": rows.sample,
            "target": rows.target,
            "history": {"done": history.sentences(), "undone": history.undone_sentences()},
            "losses": self._losses.record(),
            "error": errors_now(network, self.data),
            "has_data": self.data is not None,
            "grid_size": spec.grid_size,
            "spline_order": spec.spline_order,
            "basis": spec.basis,
            "functions": list(default_library()),
        }

    def frame(self) -> dict[str, Any] | None:
        """Return the contract's ``Frame`` of the fit that runs, or None where it cannot be drawn.

        Only to be called in ``tell("step")``.
        """
        training = self.model.running_fit
        if training is None or training.progress is None or not self._drawn:
            return None
        self._losses.follow(training.report, training.progress.errors())
        network, like = training.progress.network, self._sample(training.about)
        sample = like.to(network.layers[0].weight.detach())
        try:
            curves = moving_curves(network, sample, list(self._drawn))
        except ValueError:  # numbers that are not finite: the fit goes back by itself
            return None
        is_finite = all(np.isfinite(values).all() for values in vars(curves).values())
        known = {"version": self._drawn_version, **vars(curves), **self._losses.news()}
        return known if is_finite else None

    def status(self) -> dict[str, Any]:
        """Return the contract's ``Status`` without ``answered``."""
        training, activity = self.model.running_fit, self._activity
        found = {"state": "idle", "text": "", "progress": None, "error": self._error}
        if activity:
            return found | {"state": "searching", "text": activity, "progress": self._share}
        if training is None or training.state not in ("fitting", "paused"):
            return found
        steps, total = training.report.n_steps, max(1, training.total)
        text = f"step {steps} of {total}{self._losses.words()}"
        return found | {"state": training.state, "text": text, "progress": min(1.0, steps / total)}

    def _changed(self, sentence: str) -> None:
        """Take note of a change, in the thread that made it."""
        if self.model.running_fit is not None:
            self._losses.follow(self.model.running_fit.report, None)
        if not sentence.startswith(MOVES):
            self._losses.mark(sentence, self.model.session.history.position)
        self._error = ""
        self._renew()

    def _fitted(self, training: FitHandle) -> None:
        """Take note of a fit that begins or is over."""
        if self.model.running_fit is training:
            self._losses.begin()
            training.on_step(lambda _: self._tell("step"))
            self._error = ""
        else:
            self._losses.follow(training.report, None)
            self._error = "" if training.error is None else sentence_of(training.error)
            self._renew()
        self._tell("status")

    def _renew(self) -> None:
        with self._lock:
            self._version += 1
        self._tell("scene")

    @contextlib.contextmanager
    def _still(self) -> Iterator[None]:
        """Keep the network as it is, brought up to what a running fit has learnt."""
        with self.model.session.at_rest(), self.model.session.reading():
            yield

    def _about(self) -> About:
        """Return names, units and sample: the model's, or the data's before it has seen any."""
        about = self.model.session.about
        if self._x is not None:
            return about.seeing(self._x)
        return about if about.sample is not None or self._news is None else self._news

    def _sample(self, about: About) -> Tensor:
        if about.sample is None:
            return grid_sample(self.model.network)
        return about.sample.to(self.model.network.layers[0].weight.detach())


def sentence_of(error: BaseException) -> str:
    """Return what an error says, as one line."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return " ".join(text.split()) or type(error).__name__


FINEST_GRID = 1000
"""Intervals that the grid slider may ask for: memory grows with them."""

EditOf = Callable[[KAN, Request, Hashable], Any]


def move_point(model: KAN, request: Request, who: Hashable) -> None:
    """Move a control point; what one drag does is one step of the history."""
    edge = check_edge(model.network, *request.edge())
    units = model.session.units_at(edge)
    edit = MovePoint(*edge, request.integer("m"), request.number("height") * units.size, units)
    model.session.change(edit, burst=("drag", who, edge, request.integer("drag")))


def set_curve(model: KAN, request: Request, who: Hashable) -> None:
    """Bend an edge through points; what one stroke does is one step of the history."""
    edge = check_edge(model.network, *request.edge())
    units = model.session.units_at(edge)
    x = tuple(value * units.scale + units.shift for value in request.numbers("x"))
    y = tuple(value * units.size for value in request.numbers("y"))
    edit = SetCurve(*edge, x, y, units)
    model.session.change(edit, burst=("drag", who, edge, request.integer("drag")))


def jump(model: KAN, request: Request, _: Hashable) -> None:
    """Undo or redo until so many steps are done."""
    history = model.session.history
    with model.session.at_rest():
        most = history.position + len(history.undone_sentences())
        model.session.jump(request.integer("position", 0, most))


def fix(model: KAN, request: Request) -> None:
    """Make an edge a formula; what a browser writes is in the network's units, as what it draws."""
    edge = check_edge(model.network, *request.edge())
    text, affine, units = request.text("formula"), request.affine(), model.session.units_at(edge)
    if affine is None and text not in default_library():
        affine = (1.0, 0.0, 1.0, 0.0)
    model.fix(edge, text, affine=None if affine is None else units.to_user(affine))


def _remove_node(model: KAN, request: Request, _: Hashable) -> None:
    model.remove_node((request.integer("layer"), request.integer("index")))


def _restore_node(model: KAN, request: Request, _: Hashable) -> None:
    model.restore_node((request.integer("layer"), request.integer("index")))


EDITS: dict[str, EditOf] = {
    "move_point": move_point,
    "set_curve": set_curve,
    "fix": lambda model, r, _: fix(model, r),
    "unfix": lambda model, r, _: model.unfix(r.edge()),
    "remove_edge": lambda model, r, _: model.remove_edge(r.edge()),
    "restore_edge": lambda model, r, _: model.restore_edge(r.edge()),
    "freeze": lambda model, r, _: model.freeze(r.edge()),
    "unfreeze": lambda model, r, _: model.unfreeze(r.edge()),
    "remove_node": _remove_node,
    "restore_node": _restore_node,
    "lock": lambda model, r, _: model.lock(r.edges()),
    "unlock": lambda model, r, _: model.unlock(r.edges()),
    "refine": lambda model, r, _: model.refine(r.integer("grid_size", 1, FINEST_GRID)),
    "prune": lambda model, r, _: model.prune(edges=r.edges()),
    "undo": lambda model, _r, _: model.undo(),
    "redo": lambda model, _r, _: model.redo(),
    "jump": jump,
}
"""What each request of this kind does; the last argument tells one browser's bursts from others."""


MOST_STEPS = 1_000_000


def train(model: KAN, data: Any, request: Request) -> None:
    """Start a fit in the background."""
    model.fit(needed(data), background=True, progress=False, **options(request.fields("options")))


def set_training(model: KAN, request: Request) -> None:
    """Change how the running fit goes on; without one there is nothing to change."""
    training = model.running_fit
    if training is not None:
        training.set(**options(request.fields("options"), training.options.sparsity))


def pause(model: KAN, _: Request) -> None:
    """Let the running fit wait."""
    running(model).pause()


def resume(model: KAN, _: Request) -> None:
    """Let it go on."""
    running(model).resume()


def step_once(model: KAN, _: Request) -> None:
    """Let it take one more step and wait."""
    running(model).step()


def stop(model: KAN, _: Request) -> None:
    """End it with the best that it found."""
    running(model).stop()


STEERING = {"pause": pause, "resume": resume, "step": step_once, "stop": stop}


def running(model: KAN) -> FitHandle:
    """Return the fit that runs, or raise a ValueError."""
    training = model.running_fit
    if training is None:
        raise ValueError("a fit must be running for this; got none. Start one first.")
    return training


def needed(data: Any) -> Any:
    """Return the data, or raise a ValueError where there are none."""
    if data is None:
        raise ValueError("data must be there for this; got none. Call model.explore(data).")
    return data


def options(request: Request, now: float | Sparsity = 0.0) -> dict[str, Any]:
    """Return the options that are in the request as ``KAN.fit`` takes them.

    ``now`` is the sparsity so far: of its weight and its entropy one may change alone.
    """
    found: dict[str, Any] = {}
    if "optimizer" in request:
        found["optimizer"] = request.text("optimizer")
    if "steps" in request:
        found["steps"] = request.integer("steps", 1, MOST_STEPS)
    if "learning_rate" in request:
        is_default = request.is_none("learning_rate")
        found["learning_rate"] = None if is_default else request.number("learning_rate")
    if "sparsity" in request or "entropy" in request:
        before = now if isinstance(now, Sparsity) else Sparsity(now)
        weight = request.number("sparsity") if "sparsity" in request else before.weight
        entropy = request.number("entropy") if "entropy" in request else before.entropy
        chosen = Sparsity(weight, entropy=entropy)
        # A plain number where it says the same: it can be read in the script.
        found["sparsity"] = weight if chosen == Sparsity(weight) else chosen
    return found


def pruned(report: PruneReport) -> dict[str, Any]:
    """Return what pruning in context tried, as the contract's ``Pruned``."""
    tried = [
        {
            "edges": [list(edge) for edge in drop.edges],
            "score": drop.score,
            "before": drop.before,
            "after": drop.after,
            "removed": drop.removed,
        }
        for drop in report.drops
    ]
    return {"tried": tried}


def symbolified(report: SymbolReport) -> dict[str, Any]:
    """Return what became of each edge, as the contract's ``Symbolified``."""
    edges = [
        {"edge": list(r.edge), "chosen": r.chosen, "before": r.before, "after": r.after}
        for r in report.edges
    ]
    return {"edges": edges, "before": report.before, "after": report.after}


MOST_SUGGESTIONS = 10

PATIENCE = 3.0
"""Seconds that the errors of a plan may take; later steps of a large network have none."""


def suggestions(model: KAN, view: EdgeView) -> list[dict[str, Any]]:
    """Return which functions an edge may be, best first, each with its curve over the drawn one."""
    units = model.session.units_at(view.edge)
    table = model.suggest(view.edge, top=MOST_SUGGESTIONS)
    return [_suggestion(row, view, units) for row in table]


def _suggestion(row: Suggestion, view: EdgeView, units: EdgeUnits) -> dict[str, Any]:
    numbers = units.to_network((row.a, row.b, row.c, row.d))
    a, b, c, d = numbers
    row = replace(row, a=a, b=b, c=c, d=d)
    return {
        "name": row.name,
        "formula": row.text,
        "mathml": to_mathml(rounded(row.expression, SHOWN_DIGITS)),
        "r2": row.r2,
        "complexity": row.complexity,
        "on_front": row.on_front,
        "numbers": numbers,
        "curve_y": _values(row.function, numbers, view),
    }


def preview(model: KAN, data: Dataset | None, view: EdgeView, request: Request) -> dict[str, Any]:
    """Return an edge's curve and the errors as they would be with a formula on it."""
    trial = model.copy()
    fix(trial, request)
    symbols = trial.network.layers[view.layer].symbols
    assert symbols is not None
    place = symbols.edges.index((view.i, view.j))
    numbers = symbols.affine[place].tolist()
    errors = errors_now(trial.network, data)
    return {
        "curve_y": _values(symbols.functions[place], numbers, view),
        "train": errors["train"],
        "test": errors["test"],
    }


def _values(function: EdgeFunction, numbers: Any, view: EdgeView) -> list[float]:
    """Return c f(a x + b) + d at the points of an edge's curve."""
    a, b, c, d = numbers
    x = torch.tensor(view.curve_x, dtype=torch.float64)
    with torch.no_grad():
        values: list[float] = (c * function.torch(a * x + b) + d).tolist()
    return values


def plan(model: KAN, data: Dataset | None) -> dict[str, Any]:
    """Return what pruning would take step by step, with the errors after each, no refit."""
    found = model.plan(data)
    with model.session.reading():
        work, sample = model.session.copy_network(), model.session.inputs(None).double()
    means, start = edge_means(work, sample), time.perf_counter()
    steps = []
    for step in found.steps:
        take_out(work, step.edges, means)
        is_late = time.perf_counter() - start > PATIENCE
        errors = errors_now(work, None if is_late else data)
        parts = {"train": errors["train"], "test": errors["test"]}
        steps.append({"edges": [list(edge) for edge in step.edges], "score": step.score, **parts})
    return {"steps": steps}


def probe(model: KAN, about: About, request: Request) -> dict[str, Any]:
    """Return the value of every node and edge for one row in the user's units."""
    row = request.numbers("x")
    if len(row) != len(about.input_names):
        raise ValueError(
            f"x must have {len(about.input_names)} numbers, one per input; got {len(row)}. "
            "Pass one row of the data."
        )
    with model.session.reading():
        inputs = about.x_scaling.apply(torch.tensor([row], dtype=torch.float64))
        found = trace(model.network, inputs.to(model.network.layers[0].weight.detach()))
    nodes = [layer.inputs[0].tolist() for layer in found.layers]
    edges = [layer.edge_outputs[0].flatten().tolist() for layer in found.layers]
    return {"nodes": [*nodes, found.outputs[0].tolist()], "edges": edges}


def formula_text(formula: Formula) -> dict[str, str]:
    """Return a formula in the forms in which people take it away."""
    try:
        python = formula.to_python()
    except ValueError as error:  # while some edge is a spline
        python = f"# {error}\n"
    return {
        "text": str(formula),
        "mathml": equations(formula.outputs, formula.expressions),
        "latex": "\n".join(formula.to_latex()),
        "python": python,
    }


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
        if kind in STEERING:
            STEERING[kind](model, request)
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
        has_seen = self.model.session.about.sample is not None or self._given is None
        self.model.update_grid(None if has_seen else self._given)
        return self._done()

    def _ask_train(self, request: Request) -> dict[str, Any]:
        train(self.model, self._given, request)
        return self._done()

    def _ask_set_training(self, request: Request) -> dict[str, Any]:
        set_training(self.model, request)
        return self._done()

    def _ask_prune_in_context(self, _: Request) -> dict[str, Any]:
        data = needed(self._given)
        with self._searching("Pruning: each edge is tried inside the network"):
            report = self.model.prune(data)
        return pruned(report) | self._done()

    def _ask_symbolify(self, _: Request) -> dict[str, Any]:
        data = needed(self._given)
        total = sum(int(layer.spline_mask.sum()) for layer in self.model.network.layers)
        seen: set[Edge] = set()

        def on_edge(report: EdgeReport) -> None:
            seen.add(report.edge)
            verdict = report.chosen or "stays a spline"
            words = f"Symbolify: edge {len(seen)} of {total}: {tuple(report.edge)} {verdict}"
            self._note(words, len(seen) / max(1, total))

        with self._searching("Symbolify: formulas are tried edge by edge"):
            report = self.model.symbolify(data, on_edge=on_edge)
        return symbolified(report) | self._done()

    def _ask_suggest(self, request: Request) -> list[dict[str, Any]]:
        return suggestions(self.model, self._view(request))

    def _ask_preview(self, request: Request) -> dict[str, Any]:
        return preview(self.model, self.data, self._view(request), request)

    def _ask_plan(self, _: Request) -> dict[str, Any]:
        return plan(self.model, self.data)

    def _ask_probe(self, request: Request) -> dict[str, Any]:
        return probe(self.model, self._about(), request)

    def _ask_formula(self, _: Request) -> dict[str, str]:
        return formula_text(self.model.formula())

    def _ask_script(self, _: Request) -> str:
        return self.model.script()

    def _ask_page(self, _: Request) -> str:
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
