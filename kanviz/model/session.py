"""A network with its history, its lock and the fit that runs: all changes go through here."""

import copy
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from kanviz.data.arrays import Task as DataTask
from kanviz.data.arrays import as_dataset
from kanviz.data.dataset import About, Dataset
from kanviz.data.scaling import EdgeUnits, Scaling
from kanviz.edits import Edit
from kanviz.interrupts import uninterrupted
from kanviz.model.fit_handle import FitCall, FitHandle
from kanviz.model.history import History, Watchers
from kanviz.model.inputs import grid_sample, read_dataset, read_inputs
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.training.doubt import Doubt
from kanviz.training.families import ROBUST
from kanviz.training.fit import Trainer
from kanviz.training.task import Task, check_fits

Result = TypeVar("Result")
Watcher = Callable[[str], object]
FitWatcher = Callable[[FitHandle], object]


class Session:
    """A network, its history, and the fit that runs: whoever changes a model goes through here.

    ``KAN`` holds one as ``model.session``; its methods, the live diagram and fits in the background
    use nothing else. Threads may share it. A fit trains a copy, so questions are always answered,
    as of the last step of the history. A change from another thread waits until the fit stands
    between two steps; what it has learnt by then becomes a step of the history, then the change,
    and the fit goes on from there.

    Three things are held, always in this order, so that no two threads wait for each other: the
    gate of the fit, the turn (one thread changes at a time, perhaps for a minute), and ``reading``
    (the network is being read or written, shortly). Copies and pickles leave out watchers and fit.

    Parameters
    ----------
    network : Network
        Edited in place from now on.
    about : About
        What is known of the data.
    start : str
        Python that makes the model as it is now, for ``History.script``.
    doubt : Doubt, optional
        What the data that it was fitted to leave open.

    Examples
    --------
    >>> from kanviz import KAN
    >>> from kanviz.edits import MovePoint
    >>> session = KAN([2, 3, 1]).session
    >>> leave = session.watch(print)
    >>> session.change(MovePoint(0, 1, 2, 3, 0.5))
    moved point 3 of edge (0, 1, 2)
    >>> sentence = session.undo()
    undid: moved point 3 of edge (0, 1, 2)
    >>> leave()
    """

    running: FitHandle | None = None
    """The fit that runs now; None if there is none."""

    _editor: int | None = None
    """The thread whose turn it is."""

    _first_position = 0
    """The length of the history below which no step is the running fit's."""

    def __init__(
        self, network: Network, about: About, start: str, doubt: Doubt | None = None
    ) -> None:
        self.network = network
        self.history = History(network, about, start, doubt)
        self._forget_threads()

    def change(
        self, edit: Edit[Result], *, about: About | None = None, burst: object = None
    ) -> Result:
        """Apply an edit, remember it and tell; if it raises, nothing is changed.

        Parameters
        ----------
        edit : Edit
            What to do; see ``kanviz.edits``.
        about : About, optional
            Takes the place of what is known of the data, where the edit brings news of it.
        burst : object, optional
            Edits in a row of the same burst, such as one drag of the mouse, become one step.

        Returns
        -------
        What the edit returns.

        Raises
        ------
        ValueError, IndexError
            If the edit does not fit the network.
        RuntimeError
            In a callback of a fit.
        """
        self.check_numbers()
        with self.at_rest(burst), uninterrupted():
            with self.reading():
                result = self.history.do(self.network, edit, about=about, burst=burst)
            self._watchers.tell(edit.sentence())
        return result

    @property
    def about(self) -> About:
        """Names, units and a sample of the data, as far as the model knows them."""
        return self.history.about

    @property
    def doubt(self) -> Doubt | None:
        """What the data of the last fit leave open; None where it did not ask."""
        return self.history.now.doubt

    def inputs(self, x: Any = None) -> Tensor:
        """Return x in the network's units, or what stands in for it.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units. Without it the remembered sample stands in, or, before any data
            were seen, points spread over the base grids of the inputs.

        Raises
        ------
        ValueError, TypeError
            If x does not fit the network.
        """
        self.check_numbers()
        like = self.network.layers[0].weight.detach()
        if x is not None:
            return read_inputs(x, self.about, like)
        sample = self.about.sample
        return grid_sample(self.network) if sample is None else sample.to(like)

    def dataset(
        self,
        data: Any,
        *,
        task: DataTask = "auto",
        sample_weight: Any = None,
        is_new: bool | None = None,
        one_row: bool = False,
        as_given: bool = False,
    ) -> Dataset:
        """Return data (a ``Dataset`` or (x, y)) as a ``Dataset`` in the network's units.

        A pair is in the user's units. Where the model is new, the units of the data are those that
        it will have: a pair is scaled to mean 0 and standard deviation 1.

        Parameters
        ----------
        data : Dataset or (x, y)
            With one column for each input and output, or labels of classes.
        task : str
            As for ``from_arrays``, for a pair and a new model.
        sample_weight : (samples,), optional
            How many times each row of a pair counts; rows of weight 0 are left out.
        is_new : bool, optional
            What ``is_new`` says, where it was asked just before: it makes a network to compare.
        one_row : bool
            Whether a single training sample will do: it can be measured, but nothing learnt of it.
        as_given : bool
            Whether it stays what it is, to be learnt or measured. Else counts, and the data of a
            fit by Huber's loss, become what least squares take for them near what the model says:
            so all that asks by squares asks by the likelihood.

        Raises
        ------
        ValueError, TypeError
            If it does not fit the network, or is no data set.
        """
        self.check_numbers()
        if not (self.is_new() if is_new is None else is_new):
            known = read_dataset(data, self.about, self.network, sample_weight)
            if not one_row:
                known.check_several()
            return known if as_given else self._for_squares(known)
        # In float64: the network's dtype takes what it can of it, errors are measured against all.
        dataset = as_dataset(
            data, task=task, normalize=True, sample_weight=sample_weight, dtype=torch.float64
        )
        check_fits(self.network, dataset)
        return dataset

    @torch.no_grad()
    def _for_squares(self, data: Dataset) -> Dataset:
        """Return data in the network's units as least squares take them near what it says."""
        is_robust = self.doubt is not None and self.doubt.is_robust
        if not (data.is_counts or is_robust):
            return data

        def said(x: Tensor) -> Tensor:
            outputs: Tensor = self.network(x.to(self.network.layers[0].weight))
            return outputs.double()

        tests = None if data.x_test is None else said(data.x_test)
        if data.is_counts:
            return data.linearised(said(data.x), tests)
        assert self.doubt is not None
        family = ROBUST.at(self.doubt.noise)
        changes: dict[str, Any] = {
            "sample_weight": family.weight(said(data.x), data.y, data.sample_weight)
        }
        if tests is not None and data.y_test is not None:
            weight = family.weight(tests, data.y_test, data.sample_weight_test)
            changes["sample_weight_test"] = weight
        return replace(data, **changes)

    def is_new(self) -> bool:
        """Return whether the model has neither learnt nor seen anything, nor was edited.

        Raises
        ------
        ValueError
            On the ``meta`` device, where nobody knows.
        """
        self.check_numbers()
        about = self.about
        has_seen = about.sample is not None or about.has_units or about.classes is not None
        return not has_seen and self.network.is_untouched()

    def check_numbers(self) -> None:
        """Raise a ValueError for a network on torch's ``meta`` device: shapes without numbers.

        Whatever asks or changes such a network calls this; to copy it, to move it and to load a
        state dict nobody needs its numbers.
        """
        for layer in self.network.layers:
            if layer.weight.is_meta or layer.mask.is_meta:
                raise ValueError(
                    "This model is on the meta device, which holds no numbers. Give it some first: "
                    "model.load_state_dict(state, assign=True)."
                )

    def take_units(self, x: Tensor, y: Tensor) -> None:
        """Take over other units of the inputs and outputs, as those of a state dict.

        Parameters
        ----------
        x : (2, inputs)
            Shift and scale of each input.
        y : (2, outputs)
            The same for the outputs.
        """
        with self.at_rest(), uninterrupted(), self.reading():
            about = replace(self.about, x_scaling=Scaling(*x), y_scaling=Scaling(*y))
            self.history.take_units(self.network, about)

    def units_at(self, edge: Edge) -> EdgeUnits:
        """Return the user's units at an edge: those of the network, but at its two ends."""
        return self.about.units_at(*edge, len(self.network.layers))

    def copy_network(self, dtype: torch.dtype | None = torch.float64) -> Network:
        """Return a copy of the network to work on, by default in float64."""
        self.check_numbers()
        with self.reading():
            return copy.deepcopy(self.network).to(dtype=dtype)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep others from changing the network inside the block, which should be short.

        A fit trains a copy and goes on meanwhile. Blocks may be nested.
        """
        with self._lock:
            yield

    def undo(self) -> str:
        """Take back the last step and return its sentence; IndexError if there is none.

        While a fit runs that is the last edit made meanwhile, with all that was learnt since; if
        none was made, all that the fit has learnt so far.
        """
        with self.at_rest(), uninterrupted():
            with self.reading():
                sentence = self._undo()
            self._watchers.tell(f"undid: {sentence}")
        return sentence

    def redo(self) -> str:
        """Do again the step undone last and return its sentence; IndexError if there is none."""
        with self.at_rest(), uninterrupted():
            with self.reading():
                sentence = self.history.redo(self.network)
            self._watchers.tell(f"redid: {sentence}")
        return sentence

    def jump(self, position: int) -> None:
        """Undo or redo, step by step, until so many steps are done; tell once.

        Raises
        ------
        IndexError
            If there are not so many, or what is on the way is forgotten; then nothing is changed.
        """
        with self.at_rest(), uninterrupted():
            with self.reading():
                self.history.jump(self.network, position)
                self._first_position = min(self._first_position, position)
            self._watchers.tell(f"went to step {position} of the history")

    @contextmanager
    def at_rest(self, burst: object = None) -> Iterator[None]:
        """Keep the network still: no fit trains and no other thread edits inside the block.

        At its begin ``network`` is brought up to what the fit has learnt, at its end the fit goes
        on from what became of it. If nothing was edited all is as if it had never been. Blocks may
        be nested. Do not enter one inside ``reading``.

        Parameters
        ----------
        burst : object, optional
            Of the edit to come: if the last step is of the same, what the fit has learnt since
            joins it.

        Raises
        ------
        RuntimeError
            In a callback of the fit.
        """
        if self._editor == threading.get_ident():
            yield
            return
        with self._turn_at_rest() as fit:
            if fit is None:
                yield
                return
            before, version = self.history.bookmark(), None
            try:
                with uninterrupted():
                    self._bring_home(fit, burst)
                    version = self.history.version
                yield
            finally:
                with uninterrupted(), self.reading():
                    if version in (None, self.history.version):
                        self.history.return_to(self.network, before)
                    else:
                        fit.take_over(self.network)

    def fit(self, ask: Callable[[Network], tuple[Task, FitCall]], *, background: bool) -> FitHandle:
        """Train a copy of the network; the outcome becomes one step of the history.

        Returns when the fit is over, or at once if it runs in the background. Errors of the fit are
        kept in what is returned.

        Parameters
        ----------
        ask : callable
            ``ask(network)`` returns what to do with the network, which nobody changes meanwhile,
            and how the call reads.
        background : bool
            Whether to return at once and train in a thread.

        Raises
        ------
        RuntimeError
            If a fit is running already, or an edit is being made by this thread.
        """
        self.check_numbers()
        if self._editor == threading.get_ident():
            raise RuntimeError(
                "A fit cannot begin while the model is being changed. Start it after the change."
            )
        end = weakref.WeakMethod(self._end)  # the fit must not keep the model alive

        def on_end(over: FitHandle) -> None:
            bring_home = end()
            if bring_home is not None:
                bring_home(over)

        fit = None
        try:
            with self._turn():
                if self.running is not None:
                    raise RuntimeError(
                        "A fit is running already. Wait for it (model.running_fit.wait()) or "
                        "stop it."
                    )
                task, call = ask(self.network)
                fit = FitHandle(Trainer(task), call, background=background)
                with uninterrupted():
                    self.running, self._first_position = fit, self.history.position
                    self._fit_watchers.tell(fit)
                    if background:
                        fit.start(on_end)
            if not background:
                fit.run(on_end)
        finally:
            if fit is not None and self.running is fit and not (background and fit.is_begun):
                self.running = None  # Ctrl-C struck before its first step
                self._fit_watchers.tell(fit)
        return fit

    def live_network(self) -> Network:
        """Return the network that a running fit has right now, or the real one.

        For reading in a callback of the fit (``FitHandle.on_step``) or at rest only.
        """
        fit = self.running
        return self.network if fit is None else fit.network

    def watch(self, callback: Watcher) -> Callable[[], None]:
        """Call ``callback(sentence)`` after each change; return the function that ends this.

        It is called in the thread that made the change (after a fit, in the fit's), in the order of
        the changes, before the next can be made: it must not wait for a thread that edits.
        """
        return self._watchers.add(callback)

    def watch_fits(self, callback: FitWatcher) -> Callable[[], None]:
        """Call ``callback(handle)`` before a fit's first step and when it is over.

        ``running`` tells which: it is None again when the fit is over. Returns the function
        that ends this.
        """
        return self._fit_watchers.add(callback)

    def _bring_home(self, fit: FitHandle, burst: object) -> None:
        """Make a step of what a resting fit has learnt since the last one, if anything."""
        with self.reading():
            part = fit.learnt(self.history)
            if part is not None:
                key = burst if burst == self.history.burst else None
                key = fit.key if key is None else key
                self.history.do(self.network, part, about=fit.about, burst=key)

    def _undo(self) -> str:
        sentence, fit = "", self.running
        if fit is not None and self.history.burst is fit.key:
            sentence = self.history.undo(self.network)
            if self.history.position <= self._first_position:
                return sentence
        sentence = self.history.undo(self.network)
        self._first_position = min(self._first_position, self.history.position)
        return sentence

    def _end(self, fit: FitHandle) -> None:
        """Make the outcome of a fit a step of the history."""
        with self._turn(), uninterrupted():
            try:
                edit = fit.outcome(self.history)
                if edit is not None:
                    about = fit.about
                    with self.reading():
                        self.history.do(self.network, edit, about=about)
            finally:
                self.running = None
                fit.gate.finish()
                self._fit_watchers.tell(fit)
            if edit is not None:
                self._watchers.tell(edit.sentence())

    @contextmanager
    def _turn_at_rest(self) -> Iterator[FitHandle | None]:
        """Hold the gate of the fit, if one runs, then the turn."""
        while True:
            fit = self.running
            if fit is not None and fit.is_mine():
                raise RuntimeError(
                    "A callback of a fit cannot change the model, which waits for it. Make the "
                    "change from another thread: the fit lets it in between two steps."
                )
            gate = nullcontext() if fit is None else fit.gate.held()
            with gate, self._turn():
                if self.running is fit:  # else a fit began or ended meanwhile
                    yield fit
                    return

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # What is made in inference mode could never be trained; a turn is no part of it.
        with self._turn_lock, torch.inference_mode(mode=False):
            outer, self._editor = self._editor, threading.get_ident()
            try:
                yield
            finally:
                self._editor = outer

    def _forget_threads(self) -> None:
        self._lock, self._turn_lock = threading.RLock(), threading.RLock()
        self._watchers: Watchers[str] = Watchers()
        self._fit_watchers: Watchers[FitHandle] = Watchers("A watcher of fits failed at")

    def __getstate__(self) -> dict[str, Any]:
        return {"network": self.network, "history": self.history}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_threads()

    def __del__(self) -> None:
        """Stop a fit whose outcome nobody could see any more."""
        # Where Python goes away nobody may wait for a lock: a thread that is gone may have it.
        if self.running is not None and not sys.is_finalizing():
            self.running.stop()
