"""A fit that runs, as others see it: to pause, step, change, stop, and wait for."""

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kanviz.checks import check_choice
from kanviz.data import Dataset
from kanviz.edits import Fitted
from kanviz.history import History
from kanviz.model.fit_record import FitRecord
from kanviz.model.watchers import Watchers
from kanviz.nn.network import Network
from kanviz.training.equation import Equation
from kanviz.training.gate import Gate
from kanviz.training.options import FitOptions
from kanviz.training.report import FitReport, Progress
from kanviz.training.trainer import Trainer

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


class Training:
    """One fit, in a thread of its own or in a cell; every method may be called from any thread.

    Made by ``KAN.fit(..., background=True)``, or found as ``KAN.running_fit`` while a fit runs.
    Once the fit is over, the methods that steer it do nothing.

    Parameters
    ----------
    trainer : Trainer
        Ready to start.
    data : Dataset or Equation
        What it is trained on.
    record : FitRecord
        Says how it reads in the history.
    in_background : bool
        Whether it shares the interpreter with whoever started it.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Dataset | Equation,
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
        self._trainer, self._data = trainer, data
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
            self._trainer.change(wanted, self._data)
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

    def run(self, on_end: Callable[["Training"], None]) -> None:
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

    def start(self, on_end: Callable[["Training"], None]) -> None:
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


def _end_with_python(training: weakref.ref[Training], thread: threading.Thread) -> None:
    """Stop a fit that still runs when Python ends, and give its step a moment."""
    running = training()
    if running is not None and thread.is_alive():
        running.stop()
        thread.join(LAST_STEP)
