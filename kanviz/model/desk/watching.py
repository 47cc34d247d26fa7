"""Watching a model: pictures of it, of a fit that runs, and word of all that happens to it."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch import Tensor

from kanviz.analysis.capture import capture
from kanviz.analysis.curves import moving_curves
from kanviz.analysis.recipe import recipe_of
from kanviz.data.about import About
from kanviz.model.desk.losses import LossLog
from kanviz.model.desk.scene import Rows, drawing, errors_now
from kanviz.model.fit_handle import FitHandle
from kanviz.model.inputs import grid_sample
from kanviz.model.kan import KAN
from kanviz.recipe import MOST_WEIGHTS
from kanviz.snapshot import Edge, EdgeView, Snapshot
from kanviz.symbolic.built_in import default_library

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
        self.data = None if data is None else model.session.dataset(data)
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
        network, like = training.progress.network, self._sample(training.record.about)
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
