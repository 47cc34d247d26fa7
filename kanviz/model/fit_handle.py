"""A fit that runs, as others see it: to pause, step, change, stop, and wait for."""

import atexit
import copy
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from torch import Tensor

from kanviz.checks import check_choice
from kanviz.data.dataset import About
from kanviz.edits import Fitted
from kanviz.edits.code import call_code
from kanviz.model.history import History
from kanviz.nn.network import Network
from kanviz.training.fit import Trainer
from kanviz.training.report import FitReport, Progress
from kanviz.training.task import FitOptions

logger = logging.getLogger(__name__)

News = TypeVar("News")


class Watchers(Generic[News]):
    """Callbacks that are called in order; what they raise is logged and stops nobody.

    Threads may share it.

    Parameters
    ----------
    failure : str
        What is logged, with the news, where one of them raises.
    """

    def __init__(self, failure: str = "A watcher failed after this change") -> None:
        self._failure = failure
        self._callbacks: dict[object, Callable[[News], object]] = {}

    def __bool__(self) -> bool:
        """Return whether anybody listens."""
        return bool(self._callbacks)

    def add(self, callback: Callable[[News], object]) -> Callable[[], None]:
        """Call ``callback(news)`` from now on; return the function that ends this."""
        key = object()
        self._callbacks[key] = callback
        return lambda: self._callbacks.pop(key, None) and None

    def tell(self, news: News) -> None:
        """Tell everybody, in the order in which they came."""
        for callback in tuple(self._callbacks.values()):
            try:
                callback(news)
            except Exception:
                logger.exception("%s: %s", self._failure, news)


LOOK_AGAIN = 0.1
"""Seconds after which a waiting fit looks up, so that Ctrl-C ends it on every system."""


class Gate:
    """Others hold the fit here, pause it, or grant it single steps; all calls are thread-safe.

    The fit takes no lock of anybody's while others hold it here, so they can take what they like.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._n_holders = 0
        self._is_resting = self._is_granted = self._is_stopped = False
        self.is_paused = False
        self.is_over = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until the fit rests here or is over, and keep it here inside the block."""
        with self._change:
            self._n_holders += 1
        try:
            with self._change:
                self._change.wait_for(lambda: self._is_resting or self.is_over)
            yield
        finally:
            with self._change:
                self._n_holders -= 1
                self._change.notify_all()

    def pause(self) -> None:
        """Make the fit wait here from its next passage on."""
        self._set(is_paused=not self._is_stopped)

    def resume(self) -> None:
        """Let it go on."""
        self._set(is_paused=False)

    def step(self) -> None:
        """Let it take one more step and then wait."""
        self._set(is_paused=not self._is_stopped, _is_granted=True)

    def stop(self) -> None:
        """Never again let it wait for ``resume``; who holds it still holds it."""
        self._set(is_paused=False, _is_stopped=True)

    def finish(self) -> None:
        """Say that the fit is over: nobody need wait for it any more."""
        self._set(is_paused=False, is_over=True)

    def pass_through(self, *, took_step: bool) -> None:
        """Wait while others want it to; called by the fit between two steps.

        ``took_step`` says whether what lies behind was one, and so uses up a granted step.
        """
        if not (self._n_holders or self.is_paused):  # nearly always: no lock, no wait
            return
        with self._change:
            self._is_granted &= not took_step
            self._is_resting = True
            self._change.notify_all()
            try:
                while self._n_holders or (self.is_paused and not self._is_granted):
                    self._change.wait(LOOK_AGAIN)
            finally:
                self._is_resting = False

    def _set(self, **values: bool) -> None:
        with self._change:
            if not self.is_over:
                self.__dict__.update(values)
            self._change.notify_all()


NOT_EXACT = "so a replay is alike, not equal to the last bit"


@dataclass(frozen=True)
class Aim:
    """What a fit is after, as its record tells it.

    ``about`` is what is known of the data from now on; ``call`` the method of the model; ``name``
    what the script calls its argument, told apart from others of that name by ``tensors``.
    """

    about: About
    call: str
    name: str
    tensors: tuple[Tensor, ...]
    edit: type[Fitted] = Fitted


class FitRecord:
    """Writes the steps of one fit.

    Parameters
    ----------
    aim : Aim
        What it is after.
    options : dict
        What was asked for beyond the defaults, for the script.
    report : FitReport
        Of the fit; it grows meanwhile.
    """

    def __init__(self, aim: Aim, options: dict[str, Any], report: FitReport) -> None:
        self.about = aim.about
        self._aim, self._options, self._report = aim, options, report
        self._n_written, self._is_changed = 0, False

    def note_change(self, changes: dict[str, Any]) -> None:
        """Write other options from now on."""
        self._options, self._is_changed = self._options | changes, True

    def part(self, work: Network, history: History) -> Fitted | None:
        """Return the steps since the last part as an edit; None if there are none.

        ``work`` is the network in training, which is only read.
        """
        n_steps = self._report.n_steps - self._n_written
        if n_steps == 0:
            return None
        call = self._call(history, self._options | self._as_taken(n_steps), "edited while it ran")
        loss = self._report.history["loss"][-1]
        words = f"{self._report.optimizer}: {n_steps} steps, loss {loss:.3g}, then edited"
        return self._aim.edit(copy.deepcopy(work), call, words)

    def end_part(self) -> None:
        """Count from here on: what was taken so far is in the history."""
        self._n_written = self._report.n_steps

    def rest(self, best: Network, history: History) -> Fitted:
        """Return the whole fit as an edit, or what came after its last part."""
        report, options = self._report, self._options
        if not self._n_written:
            note = {"interrupted": "was interrupted", "stopped": "was stopped"}
            call = self._call(history, options, note.get(report.stopped, ""))
            return self._aim.edit(best, call, str(report))
        n_steps = report.n_steps - self._n_written
        call = self._call(history, options | self._as_taken(n_steps), "went on after an edit")
        words = f"{report.optimizer}: {n_steps} more steps, loss {report.loss:.3g}"
        return self._aim.edit(best, call, f"{words}, stopped: {report.stopped}")

    def _as_taken(self, n_steps: int) -> dict[str, Any]:
        """Return options that give about the last ``n_steps`` steps when run on their own."""
        grids = sorted({int(size) for size in self._report.history["grid_size"][-n_steps:]})
        options: dict[str, Any] = {"steps": math.ceil(n_steps / len(grids))}
        if "grids" in self._options:
            options["grids"] = grids
        if "starts" in self._options and self._n_written:
            options["starts"] = 1
        return options

    def _call(self, history: History, options: dict[str, Any], note: str) -> str:
        name = history.name_of(self._aim.name, self._aim.tensors)
        call = call_code(self._aim.call, name, **options)
        if self._is_changed:
            note = f"{note}, with options changed" if note else "options were changed while it ran"
        return f"{call}  # {note}, {NOT_EXACT}" if note else call


CHANGEABLE = (
    "optimizer",
    "steps",
    "learning_rate",
    "sparsity",
    "curvature",
    "patience",
    "update_grid",
)
"""Options that make sense in the middle of a fit."""

WORK, NAP = 0.015, 0.001
"""Seconds after which a watched fit sleeps, and for how long: a thread of many short calls keeps
the interpreter to itself otherwise, and the other threads wait for seconds."""

LAST_STEP = 5.0
"""Seconds that the last step of a fit may take when Python ends."""

StepWatcher = Callable[[Progress], object]


class FitHandle:
    """One fit, in a thread of its own or in a cell; every method may be called from any thread.

    Made by ``KAN.fit(..., background=True)``, or found as ``KAN.running_fit`` while a fit runs.
    Once the fit is over, the methods that steer it do nothing.

    Parameters
    ----------
    trainer : Trainer
        Ready to start.
    record : FitRecord
        Says how it reads in the history.
    in_background : bool
        Whether it shares the interpreter with whoever started it.
    """

    def __init__(
        self,
        trainer: Trainer,
        record: FitRecord,
        *,
        in_background: bool,
    ) -> None:
        self.gate = Gate()
        self.key = object()
        """What the fit's own steps in the history have in common."""
        self.record = record
        self.progress: Progress | None = None
        """Of the last step."""
        self.options: FitOptions = trainer.options
        """What was asked for last."""
        self.error: BaseException | None = None
        """What the fit failed with."""
        self._trainer = trainer
        self._is_patient = in_background
        self._watchers: Watchers[Progress] = Watchers("A watcher of a fit failed at")
        self._options_lock = threading.Lock()
        self._thread_id: int | None = None
        self._ended = threading.Event()
        self._last_nap = 0.0

    @property
    def state(self) -> str:
        """``"fitting"``, ``"paused"``, ``"done"`` or ``"failed"``."""
        if self._ended.is_set():
            return "failed" if self.error is not None else "done"
        return "paused" if self.gate.is_paused else "fitting"

    @property
    def report(self) -> FitReport:
        """The report; it grows with each step."""
        return self._trainer.report

    @property
    def total(self) -> int:
        """Most steps of the whole fit."""
        return self._trainer.n_steps

    def pause(self) -> None:
        """Rest after the present step, until ``resume``, ``step`` or ``stop``."""
        self.gate.pause()

    def resume(self) -> None:
        """Go on."""
        self.gate.resume()

    def step(self) -> None:
        """Take one step, then pause."""
        self.gate.step()

    def stop(self) -> None:
        """End after the present step, with the best state so far."""
        self._trainer.stop()
        self.gate.stop()

    def set(self, **options: Any) -> None:
        """Change options from the next step on.

        Parameters
        ----------
        **options
            ``optimizer``, ``steps`` (per grid level), ``learning_rate``, ``sparsity``,
            ``curvature``, ``patience`` or ``update_grid``; see ``FitOptions``.

        Raises
        ------
        ValueError, TypeError
            If an option is none of these or makes no sense here; then nothing is changed.
        """
        for name in options:
            check_choice("option", name, CHANGEABLE)
        with self._options_lock:
            wanted = replace(self.options, **options)
            self._trainer.change(wanted)
            self.options = wanted
            self.record.note_change(options)

    def on_step(self, callback: StepWatcher) -> Callable[[], None]:
        """Call ``callback(progress)`` after each step; return the function that ends this.

        It runs in the thread of the fit, which waits for it. It may ask the model anything, but not
        change it. If it raises, that is logged, and the fit goes on.
        """
        return self._watchers.add(callback)

    def wait(self, timeout: float | None = None) -> FitReport:
        """Return the report once the fit is over.

        Ctrl-C ends the waiting, not the fit.

        Parameters
        ----------
        timeout : float, optional
            Most seconds to wait.

        Raises
        ------
        Exception
            What the fit failed with, if it did.
        TimeoutError
            If it is not over by then.
        RuntimeError
            In a callback of the very fit, which would wait forever.
        """
        if self.is_mine():
            raise RuntimeError(
                "wait must be called outside the fit; got a call from one of its callbacks. "
                "Use stop to end the fit."
            )
        if not self._ended.wait(timeout):
            raise TimeoutError(
                f"the fit must be over within timeout; got {timeout!r} s, which have passed. "
                "Wait longer, or stop it."
            )
        if self.error is not None:
            raise self.error
        return self.report

    def is_mine(self) -> bool:
        """Return whether the calling thread is the one that the fit runs in."""
        return self._thread_id == threading.get_ident() and not self._ended.is_set()

    def work(self) -> Network:
        """Return the network in training; read it at rest or in a callback only."""
        return self._trainer.work

    def take_over(self, network: Network) -> None:
        """Go on from an edited network; only while the fit is at rest."""
        self._trainer.take_over(network)
        self.record.end_part()

    def outcome(self, history: History) -> Fitted | None:
        """Return what the fit comes to as an edit; None where it failed or nothing is new."""
        best = self._trainer.outcome
        if self.error is not None or best is None:
            return None
        return self.record.rest(best, history)

    def run(self, on_end: Callable[["FitHandle"], None]) -> None:
        """Run to the end in this thread; errors are kept, not raised.

        Parameters
        ----------
        on_end : callable
            Called with this when nothing more is trained, to bring the outcome home.
        """
        self._thread_id = threading.get_ident()
        try:
            self._keep_error(lambda: self._trainer.train(self._between))
            self._keep_error(lambda: on_end(self))
        finally:
            self.gate.finish()
            self._ended.set()

    def start(self, on_end: Callable[["FitHandle"], None]) -> None:
        """Run in a thread of its own, which does not keep Python from ending."""
        thread = threading.Thread(target=self.run, args=(on_end,), name="kanviz-fit", daemon=True)
        thread.start()
        # torch ends the process with an abort if one of its operations runs while Python goes away.
        atexit.register(_end_with_python, weakref.ref(self), thread)

    def _keep_error(self, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - ``wait`` raises it
            self.error = self.error or error

    def _between(self, progress: Progress | None) -> None:
        """Tell of a step, and let others in before the next."""
        if progress is not None:
            self.progress = progress
            self._watchers.tell(progress)
        if (self._is_patient or self._watchers) and time.perf_counter() - self._last_nap > WORK:
            time.sleep(NAP)
            self._last_nap = time.perf_counter()
        self.gate.pass_through(took_step=progress is not None)


def _end_with_python(training: weakref.ref[FitHandle], thread: threading.Thread) -> None:
    """Stop a fit that still runs when Python ends, and give its step a moment."""
    running = training()
    if running is not None and thread.is_alive():
        running.stop()
        thread.join(LAST_STEP)
