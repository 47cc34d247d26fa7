"""The desk: sees one model, does with it what a browser asks, and answers."""

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from kanviz.analysis.attribution import contributions
from kanviz.analysis.capture import N_CURVE, Curves, capture, moving_curves, order_of
from kanviz.analysis.pruning import Drop
from kanviz.analysis.recipe import recipe_of
from kanviz.analysis.removal import edge_means, take_out
from kanviz.analysis.trace import trace
from kanviz.data import Dataset
from kanviz.data.dataset import About
from kanviz.data.scaling import NO_UNITS, PLAIN, EdgeUnits
from kanviz.edits import Edit, Freeze, Lock, MovePoint, Refine, Remove, SetCurve, UnfixEdge
from kanviz.edits.address import check_edge
from kanviz.layout import Order, labels
from kanviz.live import contract as c
from kanviz.live.page import live_page
from kanviz.live.patch import Look, changes, is_drawn_alike
from kanviz.live.scene import LossLog, Rows, drawing, errors_now, tail
from kanviz.model.fit_handle import FitHandle
from kanviz.model.inputs import grid_sample
from kanviz.model.kan import KAN
from kanviz.model.user_units import in_user_units, trace_in_user_units
from kanviz.nn.constraints import Shape
from kanviz.nn.network import Network
from kanviz.recipe import MOST_WEIGHTS, Affine
from kanviz.snapshot import Edge, Snapshot
from kanviz.symbolic.functions import Function, default_library
from kanviz.symbolic.printing import equations, to_mathml
from kanviz.symbolic.simplify import rounded
from kanviz.symbolic.suggest import SHOWN_DIGITS, Suggestion
from kanviz.symbolic.symbol_report import EdgeReport
from kanviz.training.doubt import Doubt
from kanviz.training.sparsity import Sparsity

logger = logging.getLogger(__name__)

MOVES = ("undid: ", "redid: ", "went to step ")
"""How sentences begin that tell of a way through the history, not of a new step."""

MOST_SUGGESTIONS = 10

MOST_LETTERS = 600
"""Of what an error says in the picture."""

PATIENCE = 3.0
"""Seconds that the errors of a plan may take; later steps of a large network have none."""

REFUSALS = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, RuntimeError)
"""Errors that say what was wrong with a request, or why it cannot be done."""

Teller = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Sent:
    """The scene that the browser has, as far as a patch is told from it."""

    version: int
    drawn: list[Edge]
    order: Order
    look: Look
    about: About
    history: list[str]
    has_recipe: bool
    doubt: Doubt | None


class Desk:
    """Between one model and one live picture of it, which may be shown in several places.

    It gives and takes plain values only, those of ``kanviz.live.contract``. All its methods may be
    called from any thread but ``frame``.

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
        self.model, self.session, self.title = model, model.session, title
        self._given = data
        self._converted: tuple[About, Dataset] | None = None
        self._x = None if x is None else self.session.inputs(x)
        self._news = None if self.data is None else About.data(self.data)
        # Asked once: edits by hand are not learning, and a patch does not tell of it.
        self._was_new = self.session.is_new()
        self._tell: Teller = lambda _: None
        self._lock = threading.Lock()
        self._version, self._shown = 1, 0  # of the model, and of the last picture
        self._sent: Sent | None = None
        self._look: Look | None = None  # of the last picture, a patch or a scene
        self._must_be_scene = False
        self._max_edges: int | None = None
        self._losses = LossLog()
        self._activity, self._error = "", ""
        self._share: float | None = None
        self._is_cancelled = self._is_held = False
        self._stops: list[Callable[[], None]] = []

    @property
    def data(self) -> Dataset | None:
        """The data in the units that the network has now; None where there are none."""
        about = self.session.about
        if self._given is None or about.is_counts:  # errors and steps here are those of numbers
            return None
        if self._converted is None or self._converted[0] is not about:
            self._converted = about, self.session.dataset(self._given)
        return self._converted[1]

    def watch(self, tell: Teller) -> None:
        """Tell from now on, until ``close``, what happens to the model.

        Parameters
        ----------
        tell : callable
            ``tell("picture")`` when ``news`` are due, ``tell("status")`` when the status is other,
            ``tell("step")`` in a fit's thread after each of its steps. Must return at once.
        """
        self._tell = tell
        fit = self.session.running
        self._stops += [self.session.watch(self._changed), self.session.watch_fits(self._fitted)]
        if fit is not None:
            self._fitted(fit)

    def close(self) -> None:
        """Let go of the model: it is no longer watched."""
        while self._stops:
            self._stops.pop()()

    # ---- pictures --------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the model as it is drawn; ValueError if it holds a number that is not finite."""
        with self._still():
            about, network = self._about(), self.session.network
            found = capture(
                network,
                self._sample(about),
                input_names=about.input_names,
                output_names=about.output_names,
                max_edges=self._max_edges,
                title=self.title,
                doubt=self.session.doubt,
            )
            return in_user_units(found, network, about)

    def scene(self) -> dict[str, Any]:
        """Return the contract's ``Scene`` as it is now; ValueError if that cannot be drawn.

        ``news`` is told from it.
        """
        with self._still():
            version, about, snapshot = self._version, self._about(), self.snapshot()
            scene = self._scene(snapshot, version)
            look = Look.of(self.session.network, self._sample(about), about)
            drawn, has_recipe = [view.edge for view in snapshot.edges], scene["recipe"] is not None
            done = scene["history"]["done"]
            order = order_of(self.session.network)
            doubt = self.session.doubt
            self._sent = Sent(version, drawn, order, look, about, done, has_recipe, doubt)
            self._look, self._must_be_scene, self._shown = look, False, version
            self._losses.count_from_here()
            return scene

    def news(self) -> dict[str, Any]:
        """Return what brings the browser up to date: ``{"patch": Patch}`` or ``{"scene": Scene}``.

        Where nothing has happened since the last picture there is none.

        Raises
        ------
        ValueError
            If the model holds a number that is not finite.
        """
        with self._still():
            if self._version == self._shown:
                return {}
            patch = self._patch()
            if patch is None:
                return {"scene": self.scene()}
            self._shown = patch["version"]
            return {"patch": patch}

    def page(self) -> str:
        """Return the page that needs no kernel."""
        with self._still():
            snapshot = self.snapshot()
            scene = self._scene(snapshot, self._version)
            if not any(bool(layer.spline_mask.any()) for layer in self.session.network.layers):
                with contextlib.suppress(*REFUSALS):  # one that sympy cannot write
                    scene["formula"] = self.formula()
            return live_page(snapshot, scene)

    def formula(self) -> c.FormulaText:
        """Return the formula of the model in the forms in which people take it away."""
        formula = self.model.formula()
        try:
            python = formula.to_python()
        except ValueError as error:  # while some edge is a spline
            python = f"# {error}\n"
        return c.FormulaText(
            text=str(formula),
            mathml=equations(formula.outputs, formula.expressions),
            latex="\n".join(formula.equations_in_latex()),
            python=python,
        )

    def frame(self) -> dict[str, Any] | None:
        """Return the contract's ``Frame`` of the fit that runs, or None where it cannot be drawn.

        Only to be called in ``tell("step")``.
        """
        fit, sent = self.session.running, self._sent
        if fit is None or fit.progress is None or sent is None:
            return None
        self._losses.follow(fit.report, fit.progress.errors())
        network, like = fit.progress.network, self._sample(fit.about)
        sample = like.to(network.layers[0].weight.detach())
        try:
            curves = vars(self._moving(network, sample, sent))
        except ValueError:  # numbers that are not finite: the fit goes back by itself
            return None
        if not all(np.isfinite(values).all() for values in curves.values()):
            return None
        return {"version": sent.version, **curves, **self._losses.news()}

    def _moving(self, network: Network, sample: Tensor, sent: Sent) -> Curves:
        """Return the curves of a network that learns, in the user's units."""
        found = moving_curves(network, sample, sent.drawn)
        if not sent.about.has_units:
            return found
        depth = len(network.layers)
        units = np.array([sent.about.units_at(*edge, depth) for edge in sent.drawn])
        shift, scale, size = units.T
        return replace(
            found,
            low=found.low * scale + shift,
            high=found.high * scale + shift,
            curve_y=(found.curve_y * size[:, None]).astype(np.float32),
        )

    def status(self) -> dict[str, Any]:
        """Return the contract's ``Status`` without ``answered``."""
        fit, activity = self.session.running, self._activity
        found = {"state": "idle", "text": "", "progress": None, "error": self._error}
        if activity:
            return found | {"state": "searching", "text": activity, "progress": self._share}
        if fit is None or fit.state not in ("fitting", "paused"):
            return found
        steps, total = fit.report.n_steps, max(1, fit.total)
        text = f"step {steps} of {total}{self._losses.words()}"
        return found | {"state": fit.state, "text": text, "progress": min(1.0, steps / total)}

    def _scene(self, snapshot: Snapshot, version: int) -> dict[str, Any]:
        about, history = self._about(), self.session.history
        network, rows = self.session.network, Rows.of(about, self._sample(about), self.data)
        spec = network.layers[0].spec
        is_small = sum(layer.weight.numel() for layer in network.layers) <= MOST_WEIGHTS
        return {
            **drawing(snapshot),
            "version": version,
            "recipe": recipe_of(network, about).to_dict() if is_small else None,
            "input_names": list(about.input_names),
            "output_names": list(about.output_names),
            "sample": rows.sample,
            "target": rows.target,
            "history": c.History(done=history.sentences(), undone=history.undone_sentences()),
            "losses": self._losses.record(),
            "error": errors_now(network, self.data),
            "has_data": self.data is not None,
            "is_fresh": self._was_new and self.session.about.sample is None,
            "rows": rows.counts,
            "notes": [] if self.data is None else list(self.data.notes),
            "formula": None,
            "grid_size": spec.grid_size,
            "spline_order": spec.spline_order,
            "basis": spec.basis,
            "functions": list(default_library()),
        }

    def _patch(self) -> dict[str, Any] | None:
        """Return the contract's ``Patch`` of the last scene; None where a scene must be sent."""
        sent, version, about = self._sent, self._version, self._about()
        losses = self._losses.tail()
        if sent is None or self._must_be_scene or about is not sent.about or losses is None:
            return None
        if self.session.history.now.doubt is not sent.doubt:
            return None
        network, history = self.session.network, self.session.history
        look = Look.of(network, self._sample(about), about)
        if not is_drawn_alike(look, sent.drawn, self._max_edges):
            return None
        found = changes(
            sent.look, look, network, sent.drawn, sent.order, has_recipe=sent.has_recipe
        )
        if found is None:
            return None
        self._look = look
        kept, done = tail(sent.history, history.sentences())
        return {
            **found,
            "since": sent.version,
            "version": version,
            "history": c.HistoryTail(kept=kept, done=done, undone=history.undone_sentences()),
            "losses": losses,
            "error": errors_now(network, self.data),
        }

    # ---- what happens to the model ---------------------------------------------------------------

    def _changed(self, sentence: str) -> None:
        """Take note of a change, in the thread that made it."""
        fit = self.session.running
        if fit is not None:
            self._losses.follow(fit.report, None)
        if not sentence.startswith(MOVES):
            self._losses.mark(sentence, self.session.history.position)
        self._error = ""
        self._renew()

    def _fitted(self, fit: FitHandle) -> None:
        """Take note of a fit that begins or is over."""
        if self.session.running is fit:
            if self._is_held:  # before its first step
                self._is_held = False
                fit.step()
            self._losses.begin()
            fit.on_step(lambda _: self._tell("step"))
            self._error = ""
        else:
            self._losses.follow(fit.report, None)
            self._error = "" if fit.error is None else sentence_of(fit.error)
            self._renew()
        self._tell("status")

    def _renew(self) -> None:
        with self._lock:
            self._version += 1
        self._tell("picture")

    @contextlib.contextmanager
    def _still(self) -> Iterator[None]:
        """Keep the network as it is, brought up to what a running fit has learnt."""
        with self.session.at_rest(), self.session.reading():
            yield

    def _about(self) -> About:
        """Return names, units and sample: the model's, or the data's before it has seen any."""
        about = self.session.about
        if self._x is not None:
            return about.seeing(self._x)
        return about if about.sample is not None or self._news is None else self._news

    def _sample(self, about: About) -> Tensor:
        if about.sample is None:
            return grid_sample(self.session.network)
        return about.sample.to(self.session.network.layers[0].weight.detach())

    # ---- requests --------------------------------------------------------------------------------

    def answer(self, message: object) -> dict[str, Any]:
        """Do what a browser asks and return the contract's ``Reply``; never raises.

        A request that makes no sense gets one sentence that says why, and changes nothing.
        """
        reply = {"type": "reply", "seq": c.number_of(message)}
        try:
            ask = c.decode(message)
            value = HANDLERS[type(ask)](self, ask)
        except REFUSALS as error:
            return reply | {"ok": False, "error": sentence_of(error)}
        except (Exception, SystemExit) as error:  # a callback that exits ends no diagram
            logger.exception("A request of the live diagram failed.")
            words = shortened(f"This went wrong in Python: {error!r}")
            return reply | {"ok": False, "error": words}
        return reply | {"ok": True, "value": c.plain(self.done() if value is None else value)}

    def done(self) -> c.Done:
        """Return the reply to what was done: the version of the picture that will show it."""
        return c.Done(version=self._version)

    def change(self, edit: Edit[Any], burst: object = None) -> None:
        """Apply an edit; edits in a row of one burst become one step of the history."""
        self.session.change(edit, burst=burst)

    def send_scene(self) -> None:
        """Send the whole picture next."""
        self._must_be_scene = True
        self._renew()

    def draw_at_most(self, count: int | None) -> None:
        """Draw so many edges, the strongest of each layer; None: as ``capture`` thinks fit."""
        lowest = len(self.session.network.layers)
        if count is not None and count < lowest:
            raise ValueError(
                f"max_edges must be a whole number from {lowest} to {c.MOST_DRAWN}, one edge per "
                f"layer; got {count}. Draw more edges."
            )
        self._max_edges = count
        self.send_scene()

    def fit(self) -> FitHandle:
        """Return the fit that runs; ValueError without one."""
        if self.session.running is None:
            raise ValueError("No fit is running.")
        return self.session.running

    def needed_data(self) -> Any:
        """Return the data as they were given, for the public calls; ValueError without them."""
        if self._given is None:
            raise ValueError("This needs data: call model.explore(data).")
        return self._given

    def units_at(self, edge: Edge) -> "UnitsThere":
        """Return the units at an edge: those of the picture, and those of the model's calls."""
        about, depth = self.session.about, len(self.session.network.layers)
        try:
            own = about.units_at(*edge, depth)
            if about.sample is not None or self._news is None:
                return UnitsThere(own, own)
            shown = self._news.units_at(*edge, depth)
        except IndexError:  # no such edge, as the edit itself will say
            return UnitsThere(NO_UNITS, NO_UNITS)
        return UnitsThere(shown, own)

    def steered(self) -> None:
        """Show what steering a fit came to: the last step before a pause may have had no frame."""
        self._renew()
        self._tell("status")

    def curve_x(self, edge: Edge) -> np.ndarray:
        """Return where the curve of an edge is drawn, in the user's units.

        IndexError if it is not drawn.
        """
        if self._sent is None or self._look is None or edge not in self._sent.drawn:
            raise IndexError(f"Edge {tuple(edge)} is not drawn. Show more edges first.")
        layer = self._look.layers[edge.layer]
        low, high = layer.low[edge.i], layer.high[edge.i]
        points: np.ndarray = low + (high - low) * np.arange(N_CURVE) / (N_CURVE - 1)
        return points

    @contextlib.contextmanager
    def searching(self, words: str) -> Iterator[None]:
        """Say what goes on inside the block, which ``cancel`` breaks off."""
        self._is_cancelled = False
        self.note(words)
        try:
            yield
        finally:
            self.note("")

    def cancel(self) -> None:
        """Break off the search that runs, once it tells of its progress next; in any thread."""
        if self._activity:
            self._is_cancelled = True
            self.note("Breaking off ...")

    def go_on(self, words: str, share: float | None = None) -> None:
        """Say how far a search is.

        Raises
        ------
        ValueError
            If it was cancelled meanwhile, which ends it.
        """
        if self._is_cancelled:
            raise ValueError("The search was broken off. The network is as it was.")
        self.note(words, share)

    def hold_next(self, *, is_held: bool) -> None:
        """Let the next fit wait after its first step, or not."""
        self._is_held = is_held

    def note(self, words: str, share: float | None = None) -> None:
        """Say what goes on, and how much of it is done, if known."""
        self._activity, self._share = words, share
        self._tell("status")


class UnitsThere(NamedTuple):
    """The units at an edge, in which a browser speaks of it and in which the model does.

    They differ while the model has not seen the data that it is shown with: the picture is in
    their units from the start, the model has its own until it is trained on them.
    """

    shown: EdgeUnits
    own: EdgeUnits

    def places(self, x: tuple[float, ...]) -> tuple[float, ...]:
        """Return inputs of the edge in the model's units."""
        if self.shown == self.own:
            return x
        shown, own = self.shown, self.own
        return tuple((value - shown.shift) / shown.scale * own.scale + own.shift for value in x)

    def heights(self, y: tuple[float, ...]) -> tuple[float, ...]:
        """Return outputs of the edge in the model's units."""
        if self.shown == self.own:
            return y
        return tuple(value / self.shown.size * self.own.size for value in y)

    def to_model(self, affine: Affine) -> Affine:
        """Return the numbers of a formula in the model's units."""
        if self.shown == self.own:
            return affine
        return self.own.to_user(self.shown.to_network(affine))

    def to_picture(self, affine: Affine) -> Affine:
        """Return the numbers of a formula in the units of the picture."""
        return UnitsThere(self.own, self.shown).to_model(affine)


def sentence_of(error: BaseException) -> str:
    """Return what an error says, as one line of no more than a few."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return shortened(" ".join(text.split())) or type(error).__name__


def shortened(text: str) -> str:
    """Return a text that fits into a picture's corner, without what UTF-8 cannot write."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]} ..."


# ---- edits: each is one step of the history ------------------------------------------------------


def _move_point(desk: Desk, ask: c.MovePoint) -> None:
    units, burst = desk.units_at(ask.edge), ("drag", id(desk), ask.edge, ask.drag)
    (height,) = units.heights((ask.height,))
    desk.change(MovePoint(*ask.edge, ask.m, height, units.own), burst)


def _set_curve(desk: Desk, ask: c.SetCurve) -> None:
    units, burst = desk.units_at(ask.edge), ("drag", id(desk), ask.edge, ask.drag)
    x, y = units.places(ask.x), units.heights(ask.y)
    desk.change(SetCurve(*ask.edge, x, y, units.own, ask.how), burst)


def _fix(desk: Desk, ask: c.Fix) -> None:
    fix(desk.model, ask.edge, ask.formula, ask.numbers, desk.units_at(ask.edge))


def fix(
    model: KAN,
    edge: Edge,
    formula: str,
    numbers: tuple[float, ...] | None,
    units: UnitsThere,
) -> None:
    """Make an edge a formula.

    A known function is fitted; one that was typed is taken as it is, but for its free constants.
    ``numbers`` are a, b, c, d and the free constants, in the units of the picture.
    """
    check_edge(model.network, *edge)
    library = default_library()
    if numbers is None and formula not in library:
        numbers = PLAIN
    if numbers is None:
        model.fix(edge, formula)
        return
    if len(numbers) < len(PLAIN):
        raise ValueError(
            f"numbers must be the numbers a, b, c, d and the free constants; got {len(numbers)} of "
            "them. Ask again with another value."
        )
    a, b, c, d, *found = numbers
    constants = None
    if found:
        names = () if formula in library else library.constants_in(formula)
        if len(names) != len(found):
            raise ValueError(
                f"numbers must have {len(names)} for the free constants behind a, b, c and d; got "
                f"{len(found)}. Ask again with another value."
            )
        constants = dict(zip(names, found, strict=True))
    model.fix(edge, formula, affine=units.to_model((a, b, c, d)), constants=constants)


def _constrain(desk: Desk, ask: c.Constrain) -> None:
    if ask.shapes:
        desk.model.constrain(ask.edge, *cast(tuple[Shape, ...], ask.shapes))
    else:
        desk.model.unconstrain(ask.edge)


def _update_grid(desk: Desk, _: c.UpdateGrid) -> None:
    has_seen = desk.session.about.sample is not None or desk.data is None
    desk.model.update_grid(None if has_seen else desk.needed_data())


def _undo(desk: Desk, _: c.Undo) -> None:
    desk.model.undo()


def _redo(desk: Desk, _: c.Redo) -> None:
    desk.model.redo()


def _prune(desk: Desk, ask: c.Prune) -> None:
    desk.model.prune(edges=ask.edges)


# ---- training ------------------------------------------------------------------------------------


def _train(desk: Desk, ask: c.Train) -> None:
    data, options = desk.needed_data(), dict(ask.options)
    pace = _pace_of(options)
    desk.hold_next(is_held=bool(options.pop("hold", False)))
    try:
        fit = desk.model.fit(data, background=True, progress=False, **_fit_options(options))
    finally:
        desk.hold_next(is_held=False)
    if pace is not None:
        fit.slow_down(pace)


def _set_training(desk: Desk, ask: c.SetTraining) -> None:
    fit = desk.session.running  # without one there is nothing to change
    if fit is None:
        return
    options = dict(ask.options)
    options.pop("hold", None)
    if "pace" in options:
        fit.slow_down(_pace_of(options))
    if options:
        fit.set(**_fit_options(options, fit.options.sparsity))


def _pace_of(options: dict[str, Any]) -> float | None:
    """Take the steps a second out of options."""
    pace: float | None = options.pop("pace", None)
    if pace is not None and not c.LEAST_PACE <= pace <= c.MOST_PACE:
        raise ValueError(
            f"pace must be from {c.LEAST_PACE:g} to {c.MOST_PACE:g} steps a second; got {pace:g}. "
            "Choose another."
        )
    return pace


def _fit_options(options: dict[str, Any], now: float | Sparsity = 0.0) -> dict[str, Any]:
    """Return options as ``KAN.fit`` takes them.

    ``now`` is the sparsity so far: of its weight and its entropy one may change alone.
    """
    found: dict[str, Any] = dict(options)
    if found.keys() & {"sparsity", "entropy"}:
        before = now if isinstance(now, Sparsity) else Sparsity(now)
        weight = found.pop("sparsity", before.weight)
        chosen = Sparsity(weight, entropy=found.pop("entropy", before.entropy))
        # A plain number where it says the same: it can be read in the script.
        found["sparsity"] = weight if chosen == Sparsity(weight) else chosen
    return found


def _pause(desk: Desk, _: c.Pause) -> None:
    desk.fit().pause()
    desk.steered()


def _resume(desk: Desk, _: c.Resume) -> None:
    desk.fit().resume()
    desk.steered()


def _step(desk: Desk, _: c.Step) -> None:
    desk.fit().step()
    desk.steered()


def _stop(desk: Desk, _: c.Stop) -> None:
    desk.fit().stop()
    desk.steered()


# ---- searches: they take seconds and end in one step of the history ------------------------------


def _prune_in_context(desk: Desk, _: c.PruneInContext) -> c.Pruned:
    data = desk.needed_data()
    tries = itertools.count(1)

    def on_drop(drop: Drop) -> None:
        desk.go_on(f"Pruning: try {next(tries)}, {drop.name} {drop.verdict}")

    with desk.searching("Pruning: each edge is tried inside the network"):
        report = desk.model.prune(data, on_drop=on_drop)
    tried = [
        c.Try(
            edges=list(drop.edges),
            score=drop.score,
            before=drop.before,
            after=drop.after,
            removed=drop.removed,
        )
        for drop in report.drops
    ]
    return c.Pruned(tried=tried, **desk.done())


def _symbolify(desk: Desk, _: c.Symbolify) -> c.Symbolified:
    data = desk.needed_data()
    total = sum(int(layer.spline_mask.sum()) for layer in desk.session.network.layers)
    seen: set[Edge] = set()
    now = desk.snapshot()
    names = {view.edge: labels.edge_name(now, view) for view in now.edges}

    def on_edge(report: EdgeReport) -> None:
        seen.add(report.edge)
        verdict = report.chosen or "stays a spline"
        name = names.get(report.edge, f"edge {tuple(report.edge)}")
        words = f"Naming the curves: {len(seen)} of {total}, {name}: {verdict}"
        desk.go_on(words, len(seen) / max(1, total))

    with desk.searching("Naming the curves: known functions are tried on each"):
        report = desk.model.symbolify(data, on_edge=on_edge)
    edges = [
        c.Choice(edge=one.edge, chosen=one.chosen, before=one.before, after=one.after)
        for one in report.edges
    ]
    return c.Symbolified(edges=edges, before=report.before, after=report.after, **desk.done())


# ---- questions: they change nothing --------------------------------------------------------------


def _suggest(desk: Desk, ask: c.AskSuggest) -> list[c.Suggestion]:
    """Return which functions an edge may be, best first, each with its curve over the drawn one."""
    x = desk.curve_x(ask.edge)
    table = desk.model.suggest(ask.edge, top=MOST_SUGGESTIONS)
    units = desk.units_at(ask.edge)
    return [_suggestion(row, x, units) for row in table]


def _suggestion(row: Suggestion, x: np.ndarray, units: UnitsThere) -> c.Suggestion:
    a, b, outer, d = units.to_picture((row.a, row.b, row.c, row.d))
    row = replace(row, a=a, b=b, c=outer, d=d)
    numbers = (a, b, outer, d, *row.constants)
    return c.Suggestion(
        name=row.name,
        formula=row.text,
        mathml=to_mathml(rounded(row.expression, SHOWN_DIGITS)),
        r2=row.r2,
        complexity=row.complexity,
        on_front=row.on_front,
        numbers=numbers,
        curve_y=_values(row.function, numbers, x),
    )


def _preview(desk: Desk, ask: c.AskPreview) -> c.Preview:
    """Return an edge's curve and the errors as they would be with a formula on it."""
    x = desk.curve_x(ask.edge)
    trial = desk.model.copy()
    units = desk.units_at(ask.edge)
    fix(trial, ask.edge, ask.formula, ask.numbers, units)
    symbols = trial.network.layers[ask.edge.layer].symbols
    assert symbols is not None
    place = symbols.edges.index((ask.edge.i, ask.edge.j))
    function = cast(Function, symbols.functions[place])
    a, b, factor, d, *rest = symbols.affine[place].tolist()
    constants = rest[: len(function.constants)]
    numbers = (*units.shown.to_user((a, b, factor, d)), *constants)
    errors = errors_now(trial.network, desk.data)
    curve_y = _values(function, numbers, x)
    return c.Preview(curve_y=curve_y, train=errors["train"], test=errors["test"])


def _values(function: Function, numbers: Sequence[float], x: np.ndarray) -> list[float]:
    """Return c f(a x + b) + d."""
    with torch.no_grad():
        values: list[float] = function.values(torch.tensor(x), numbers).tolist()
    return values


def _plan(desk: Desk, _: c.AskPlan) -> c.Plan:
    """Return what pruning would take step by step, with the errors after each, no refit."""
    found = desk.model.plan(desk.data)
    with desk.session.reading():
        work, sample = desk.session.copy_network(), desk.session.inputs(None).double()
    means, start = edge_means(work, sample), time.perf_counter()
    steps = []
    for step in found.steps:
        take_out(work, step.edges, means)
        is_late = time.perf_counter() - start > PATIENCE
        errors = errors_now(work, None if is_late else desk.data)
        train, test = errors["train"], errors["test"]
        edges = list(step.edges)
        steps.append(c.PlanStep(edges=edges, score=step.score, train=train, test=test))
    return c.Plan(steps=steps)


MOST_ROWS, MOST_CELLS = 1000, 40_000
"""Rows of each part in a diagnosis, and numbers in them."""


def _diagnosis(desk: Desk, ask: c.AskDiagnosis) -> c.Diagnosis:
    """Return measured and predicted outputs of rows of both parts."""
    desk.needed_data()
    data, network = cast(Dataset, desk.data), desk.session.network
    if ask.output >= network.widths[-1]:
        raise ValueError(
            f"output must be below {network.widths[-1]}, the number of outputs; got {ask.output}. "
            "Choose another."
        )
    found = c.Diagnosis(x=[], measured=[], predicted=[], test=[], guess=None)
    guess: list[int] = []
    most = min(MOST_ROWS, max(1, MOST_CELLS // data.n_inputs))
    for is_test, x, y in ((False, data.x, data.y), (True, data.x_test, data.y_test)):
        if x is None or y is None:
            continue
        count = min(len(x), most)
        rows = torch.arange(count, device=x.device) * len(x) // count
        with desk.session.reading(), torch.no_grad():
            outputs = network(x[rows].to(network.layers[0].weight)).double().cpu()
        measured = y[rows].cpu()
        if data.is_classification:
            shares = outputs.softmax(1)
            guess += shares.argmax(1).tolist()
            predicted = shares.gather(1, measured[:, None])[:, 0]
        else:
            predicted = data.to_user_outputs(outputs)[:, ask.output]
            measured = data.to_user_outputs(measured.double())[:, ask.output]
        found["x"] += data.to_user_inputs(x[rows].double()).flatten().tolist()
        found["measured"] += measured.double().tolist()
        found["predicted"] += predicted.tolist()
        found["test"] += [is_test] * count
    found["guess"] = guess if data.is_classification else None
    return found


def _contributions(desk: Desk, ask: c.AskContributions) -> c.Contributions:
    """Return what each input adds to an output at one row."""
    about, network = desk._about(), desk.session.network
    if len(ask.x) != len(about.input_names) or ask.output >= network.widths[-1]:
        raise ValueError(
            f"A row must have {len(about.input_names)} numbers, and the output be below "
            f"{network.widths[-1]}; got {len(ask.x)} and {ask.output}. Pass one row of the data."
        )
    with desk.session.reading(), torch.no_grad():
        like = network.layers[0].weight.detach()
        row = about.x_scaling.apply(torch.tensor([ask.x], dtype=torch.float64))[0].to(like)
        parts = contributions(network, row, desk._sample(about))[:, ask.output].double()
        said = network(row[None])[0].double()
    scale, shift = (
        float(values[ask.output]) for values in (about.y_scaling.scale, about.y_scaling.shift)
    )
    value = float(said[ask.output]) * scale + shift
    shares = (parts * scale).tolist()
    return c.Contributions(base=value - sum(shares), parts=shares, value=value)


def _probe(desk: Desk, ask: c.AskProbe) -> c.Probe:
    """Return the value of every node and edge for one row in the user's units."""
    about, network = desk._about(), desk.session.network
    if len(ask.x) != len(about.input_names):
        raise ValueError(
            f"x must have {len(about.input_names)} numbers, one per input; got {len(ask.x)}. "
            "Pass one row of the data."
        )
    with desk.session.reading():
        inputs = about.x_scaling.apply(torch.tensor([ask.x], dtype=torch.float64))
        found = trace(network, inputs.to(network.layers[0].weight.detach()))
        found = trace_in_user_units(found, about)
    nodes = [layer.inputs[0].tolist() for layer in found.layers]
    edges = [layer.edge_outputs[0].flatten().tolist() for layer in found.layers]
    return c.Probe(nodes=[*nodes, found.outputs[0].tolist()], edges=edges)


HANDLERS: dict[type[c.Ask], Callable[[Desk, Any], Any]] = {
    c.MovePoint: _move_point,
    c.SetCurve: _set_curve,
    c.Fix: _fix,
    c.Unfix: lambda desk, ask: desk.change(UnfixEdge(*ask.edge)),
    c.RemoveEdge: lambda desk, ask: desk.change(Remove(ask.edge)),
    c.RestoreEdge: lambda desk, ask: desk.change(Remove(ask.edge, removed=False)),
    c.Freeze: lambda desk, ask: desk.change(Freeze(ask.edge)),
    c.Unfreeze: lambda desk, ask: desk.change(Freeze(ask.edge, frozen=False)),
    c.Constrain: _constrain,
    c.RemoveNode: lambda desk, ask: desk.change(Remove((ask.layer, ask.index))),
    c.RestoreNode: lambda desk, ask: desk.change(Remove((ask.layer, ask.index), removed=False)),
    c.Lock: lambda desk, ask: desk.change(Lock(ask.edges)),
    c.Unlock: lambda desk, ask: desk.change(Lock(ask.edges, locked=False)),
    c.Refine: lambda desk, ask: desk.change(Refine(ask.grid_size)),
    c.UpdateGrid: _update_grid,
    c.Prune: _prune,
    c.Undo: _undo,
    c.Redo: _redo,
    c.Jump: lambda desk, ask: desk.session.jump(ask.position),
    c.Train: _train,
    c.SetTraining: _set_training,
    c.Pause: _pause,
    c.Resume: _resume,
    c.Step: _step,
    c.Stop: _stop,
    c.Cancel: lambda desk, _: desk.cancel(),
    c.PruneInContext: _prune_in_context,
    c.Symbolify: _symbolify,
    c.AskSuggest: _suggest,
    c.AskPreview: _preview,
    c.AskPlan: _plan,
    c.AskProbe: _probe,
    c.AskDiagnosis: _diagnosis,
    c.AskContributions: _contributions,
    c.AskFormula: lambda desk, _: desk.formula(),
    c.AskScript: lambda desk, _: desk.model.script(),
    c.AskPage: lambda desk, _: desk.page(),
    c.AskScene: lambda desk, _: desk.send_scene(),
    c.AskShow: lambda desk, ask: desk.draw_at_most(ask.max_edges),
}
"""What is done for each request, and its answer; None is answered by ``Desk.done``."""
