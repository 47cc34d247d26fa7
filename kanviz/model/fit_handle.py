"""A fit that runs, as others see it: to pause, step, change, stop, and wait for."""

import contextlib
import copy
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from kanviz.checks import check_choice
from kanviz.data.dataset import About
from kanviz.edits import Fitted
from kanviz.edits.code import call_code
from kanviz.interrupts import Shield, start_thread, uninterrupted
from kanviz.model.history import History, Watchers
from kanviz.nn.network import Network
from kanviz.training.fit import Trainer
from kanviz.training.report import FitReport, Progress
from kanviz.training.task import FitOptions, Task

logger = logging.getLogger(__name__)

CHANGEABLE = (
    "optimizer",
    "steps",
    "learning_rate",
    "sparsity",
    "smoothing",
    "patience",
    "update_grid",
)
"""Options that make sense in the middle of a fit."""

WORK, NAP = 0.015, 0.001
"""Seconds after which a watched fit sleeps, and for how long: a thread of many short calls keeps
the interpreter to itself otherwise, and the other threads wait for seconds."""

LOOK_AGAIN = 0.1
"""Seconds after which a waiting fit looks up, so that Ctrl-C ends it on every system."""

NOT_EXACT = "so a replay is alike, not equal to the last bit"

StepWatcher = Callable[[Progress], object]


class Gate:
    """Others hold the fit here, pause it, or grant it single steps; all calls are thread-safe.

    The fit takes no lock of anybody's while others hold it here, so they can take what they like.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._n_holders = 0
        self._is_resting = self._is_granted = self._is_used = self._is_stopped = False
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
        self._set(is_paused=not self._is_stopped, _is_granted=True, _is_used=False)

    def stop(self) -> None:
        """Never again let it wait for ``resume``; who holds it still holds it."""
        self._set(is_paused=False, _is_stopped=True)

    def finish(self) -> None:
        """Say that the fit is over: nobody need wait for it any more."""
        self._set(is_paused=False, is_over=True)

    def pass_through(self, *, took_step: bool, rest: float = 0.0) -> None:
        """Wait while others want it to; called by the fit between two steps.

        ``took_step`` says whether what lies behind was one, and so uses up a granted step. ``rest``
        is for how many seconds it waits in any case, unless it is stopped or granted a step.
        """
        if not (self._n_holders or self.is_paused or rest > 0):  # nearly always: no lock, no wait
            return
        end = time.monotonic() + rest
        with self._change:
            if took_step and self._is_used:  # a step granted while another was told of is to come
                self._is_granted = self._is_used = False
            self._is_resting = True
            self._change.notify_all()
            try:
                while (
                    self._n_holders
                    or (self.is_paused and not self._is_granted)
                    or not (self._is_stopped or self._is_granted or time.monotonic() >= end)
                ):
                    left = end - time.monotonic()
                    self._change.wait(min(LOOK_AGAIN, left) if left > 0 else LOOK_AGAIN)
            finally:
                self._is_resting, self._is_used = False, self._is_granted

    def _set(self, **values: bool) -> None:
        with self._change:
            if not self.is_over:
                self.__dict__.update(values)
            self._change.notify_all()


@dataclass(frozen=True)
class FitCall:
    """The call that began a fit, as the history tells it.

    Parameters
    ----------
    method : str
        Of the model, such as ``"model.fit"``.
    argument : str
        What the script calls its argument, told apart from others of that name by ``tensors``.
    tensors : tuple of Tensor
    options : dict
        What was asked for beyond the defaults.
    about : About
        What is known of the data from now on.
    edit : type
        The kind of step that the fit becomes.
    """

    method: str
    argument: str
    tensors: tuple[Tensor, ...]
    options: dict[str, Any]
    about: About
    edit: type[Fitted] = Fitted


class FitHandle:
    """One fit, in a thread of its own or in a cell; every method may be called from any thread.

    Made by ``KAN.fit(..., background=True)``, or found as ``KAN.running_fit`` while a fit runs.
    Once the fit is over, the methods that steer it do nothing.

    Parameters
    ----------
    trainer : Trainer
        Ready to start; from now on it belongs to this.
    call : FitCall
        How the fit reads in the history.
    background : bool
        Whether it shares the interpreter with whoever started it.

    Examples
    --------
    >>> import torch
    >>> from kanviz import KAN
    >>> x = torch.linspace(-1, 1, 50).unsqueeze(1)
    >>> model = KAN([1, 1])
    >>> fit = model.fit((x, x**2), steps=50, background=True, progress=False)
    >>> fit.pause()
    >>> fit.step()
    >>> fit.resume()
    >>> fit.wait().loss < 1e-4
    True
    """

    def __init__(self, trainer: Trainer, call: FitCall, *, background: bool) -> None:
        self.gate = Gate()
        self.call = call
        self.key = object()
        """What the fit's own steps in the history have in common."""
        self.progress: Progress | None = None
        """Of the last step."""
        self.options: FitOptions = trainer.task.options
        """What was asked for last."""
        self.error: BaseException | None = None
        """What the fit failed with."""
        self._trainer = trainer
        self._asked: Task | None = None  # what ``set`` asks for, until the next step
        self._asking = threading.Lock()
        self._given = call.options  # as the script is to write them
        self._is_changed = False
        self._n_written = 0  # steps that are in the history already
        self._is_patient = background
        self._is_stopped = False
        self._watchers: Watchers[Progress] = Watchers("A watcher of a fit failed at")
        self._thread_id: int | None = None
        self.is_begun = False
        """Whether it runs, or did."""
        self._ended = threading.Event()
        self._last_nap = 0.0
        self._pace: float | None = None
        self._last_step = 0.0

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

    @property
    def about(self) -> About:
        """Names, units and a sample of the data that it is trained on."""
        return self.call.about

    @property
    def network(self) -> Network:
        """The network in training; read it at rest or in a callback only."""
        return self._trainer.network

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
        self._is_stopped = True
        self.gate.stop()

    def slow_down(self, steps_per_second: float | None) -> None:
        """Take at most so many steps a second from now on, to be watched; None: all that it can.

        Raises
        ------
        ValueError
            If it is not above 0.
        """
        if steps_per_second is not None and not 0 < steps_per_second < math.inf:
            raise ValueError(
                f"steps_per_second must be a number above 0; got {steps_per_second}. Pass 5, or "
                "None for as fast as it goes."
            )
        self._pace = steps_per_second

    def set(self, **options: Any) -> None:
        """Change options from the next step on.

        Parameters
        ----------
        **options
            ``optimizer``, ``steps`` (per grid level), ``learning_rate``, ``sparsity``,
            ``smoothing``, ``patience`` or ``update_grid``; see ``FitOptions``.

        Raises
        ------
        ValueError, TypeError
            If an option is none of these or makes no sense here; then nothing is changed.
        """
        for name in options:
            check_choice("option", name, CHANGEABLE)
        with self._asking:
            wanted = replace(self.options, **options)
            self._asked = self._trainer.task.asked_again(wanted)
            self.options = wanted
            self._given, self._is_changed = self._given | options, True

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
                "A callback of a fit cannot wait for it: it would wait forever. Use stop to end it."
            )
        if not self._ended.wait(timeout):
            raise TimeoutError(f"The fit is not over after {timeout:g} s. Wait longer, or stop it.")
        if self.error is not None:
            raise self.error
        return self.report

    def is_mine(self) -> bool:
        """Return whether the calling thread is the one that the fit runs in."""
        return self._thread_id == threading.get_ident() and not self._ended.is_set()

    # ---- what the session asks for ---------------------------------------------------------------

    def run(self, on_end: Callable[["FitHandle"], None]) -> None:
        """Run to the end in this thread; errors are kept, not raised.

        Parameters
        ----------
        on_end : callable
            Called with this when nothing more is trained, to bring the outcome home.
        """
        with torch.inference_mode(mode=False), uninterrupted() as shield:
            self.is_begun, self._thread_id = True, threading.get_ident()
            try:
                self._keep_error(lambda: self._train(shield))
                self._keep_error(lambda: on_end(self))
            finally:
                self.gate.finish()
                self._ended.set()

    def start(self, on_end: Callable[["FitHandle"], None]) -> None:
        """Run in a thread of its own, which does not keep Python from ending."""
        self.is_begun = True
        start_thread(lambda: self.run(on_end), name="kanviz-fit", stop=self.stop)

    def take_over(self, network: Network) -> None:
        """Go on from a copy of an edited network; only while the fit is at rest."""
        self._trainer.take_over(network)
        self._n_written = self.report.n_steps

    def learnt(self, history: History) -> Fitted | None:
        """Return the steps since the last edit as an edit of their own; None if there are none."""
        n_steps = self.report.n_steps - self._n_written
        if n_steps == 0:
            return None
        loss = self.report.history["loss"][-1]
        words = f"{self.report.optimizer}: {n_steps} steps, loss {loss:.3g}, then edited"
        code = self._code(history, self._given | self._as_taken(n_steps), "edited while it ran")
        return self.call.edit(copy.deepcopy(self.network), code, words)

    def outcome(self, history: History) -> Fitted | None:
        """Return what the fit comes to as an edit; None where it failed or nothing is new."""
        best, report = self._trainer.best, self.report
        if self.error is not None or best is None:
            return None
        if self._n_written and report.n_steps == self._n_written:
            return None
        if not self._n_written:
            note = {"interrupted": "was interrupted", "stopped": "was stopped"}
            code = self._code(history, self._given, note.get(report.stopped, ""))
            return self.call.edit(best, code, str(report), self._trainer.doubt)
        n_steps = report.n_steps - self._n_written
        words = f"{report.optimizer}: {n_steps} more steps, loss {report.loss:.3g}"
        code = self._code(history, self._given | self._as_taken(n_steps), "went on after an edit")
        words = f"{words}, stopped: {report.stopped}"
        return self.call.edit(best, code, words, self._trainer.doubt)

    def _train(self, shield: Shield) -> None:
        """Take all steps, and let others in between them."""
        steps = iter(self._trainer)
        try:
            with shield.lowered():
                for progress in steps:
                    self._between(progress)
                    if self._is_stopped:
                        steps.close()
                        return
        except KeyboardInterrupt:  # it struck between two steps: the trainer has not seen it
            with contextlib.suppress(StopIteration):
                steps.throw(KeyboardInterrupt())

    def _between(self, progress: Progress | None) -> None:
        """Tell of a step, let others in before the next, and hand on what they ask for."""
        if progress is not None:
            self.progress = progress
            self._watchers.tell(progress)
        if (self._is_patient or self._watchers) and time.perf_counter() - self._last_nap > WORK:
            time.sleep(NAP)
            self._last_nap = time.perf_counter()
        rest, now, pace = 0.0, time.monotonic(), self._pace
        if progress is not None:
            rest = 0.0 if pace is None else self._last_step + 1 / pace - now
            self._last_step = now + max(0.0, rest)
        self.gate.pass_through(took_step=progress is not None, rest=rest)
        with self._asking:
            asked, self._asked = self._asked, None
        if asked is not None:
            self._trainer.change(asked)

    def _keep_error(self, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - ``wait`` raises it
            self.error = self.error or error

    def _as_taken(self, n_steps: int) -> dict[str, Any]:
        """Return options that give about the last ``n_steps`` steps when run on their own."""
        grids = sorted({int(size) for size in self.report.history["grid_size"][-n_steps:]})
        options: dict[str, Any] = {"steps": math.ceil(n_steps / len(grids))}
        if "grids" in self._given:
            options["grids"] = grids
        if "starts" in self._given and self._n_written:
            options["starts"] = 1
        return options

    def _code(self, history: History, options: dict[str, Any], note: str) -> str:
        name = history.name_of(self.call.argument, self.call.tensors)
        code = call_code(self.call.method, name, **options)
        if self._is_changed:
            note = f"{note}, with options changed" if note else "options were changed while it ran"
        return f"{code}  # {note}, {NOT_EXACT}" if note else code
