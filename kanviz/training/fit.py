"""A fit: through a start and level after level of the grid to a trained network and a report."""

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from kanviz.checks import check_choice
from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.gradient import Descent
from kanviz.training.jacobian import n_weights
from kanviz.training.least_squares import minimise
from kanviz.training.monitor import Monitor
from kanviz.training.penalties import EdgeForms, smoothness, sparse_forms
from kanviz.training.report import FitReport, Progress
from kanviz.training.task import MOST_STARTS, DataTask, FitOptions, Task, name_of, prepare

TRIAL_SAMPLES = 1000
TRIAL_CURVATURE = 1e-5
ROUNDS = ((10, 15), (30,), (60,))
"""Steps of each trial; between rounds the better quarter goes on, within one the grid moves."""

GOOD_ENOUGH = 0.02
"""A trial whose error is below this share of the standard deviation of y ends the search."""


def affordable_starts(network: Network, most: int = MOST_STARTS) -> int:
    """Return how many starts are worth it: many for small networks, 1 where nothing is hidden."""
    if len(network.layers) == 1:
        return 1
    return max(1, min(most, 8_000 // n_weights(network)))


def best_start(
    network: Network,
    task: Task,
    count: int,
    *,
    seed: int,
    grids_move: bool,
    is_called_off: Callable[[], bool] = lambda: False,
) -> tuple[Network, list[float]]:
    """Try the network and ``count - 1`` siblings with other seeds; return the best, trained a bit.

    Parameters
    ----------
    network : Network
        In float64; the first candidate. It is not changed.
    task : Task
        What to train on; the first trials see no more than 1000 samples.
    count : int
        Number of candidates.
    seed : int
        Seed of the siblings.
    grids_move : bool
        Whether knots may follow the data.
    is_called_off : callable
        Asked after every step; once it says so what is returned means nothing.

    Returns
    -------
    best : Network
    losses : list of float
        Mean squared error of each candidate at the end of its trial, in the unit of y squared.
    """
    how: dict[str, Any] = {"grids_move": grids_move, "is_called_off": is_called_off}
    losses: list[float] = []
    field: list[tuple[float, int, Network]] = []
    for number in range(count):
        candidate = network.remade(seed + 1_000_003 * number) if number else copy.deepcopy(network)
        loss = _trial(candidate, task.trial(TRIAL_SAMPLES), ROUNDS[0], **how)
        losses.append(loss)
        field.append((loss, number, candidate))
        if loss**0.5 < GOOD_ENOUGH * task.scale or is_called_off():
            break
    for steps in ROUNDS[1:]:
        field = sorted(field, key=lambda entry: entry[:2])[: max(1, (len(field) + 3) // 4)]
        if len(field) == 1 or is_called_off():
            break
        for place, (_, number, candidate) in enumerate(field):
            losses[number] = _trial(candidate, task, steps, **how)
            field[place] = (losses[number], number, candidate)
    return min(field, key=lambda entry: entry[:2])[2], losses


def _trial(
    network: Network,
    task: Task,
    rounds: tuple[int, ...],
    *,
    grids_move: bool,
    is_called_off: Callable[[], bool],
) -> float:
    for steps in rounds:
        if grids_move:
            network.update_grid(task.x)
        problem = task.problem(network, [smoothness(network, TRIAL_CURVATURE, task.scale)])
        minimise(problem, steps, lambda _: not is_called_off())
    return problem.cost(problem.weights())[1]


LEAST_CURVATURE = 1e-10
"""Default of "lm": far below what a fit can see, yet it settles intervals without data."""

SPARSE_CURVATURE = 1e-6
"""The same where sparsity is asked for: a calm curve is easier to do without."""

DEFAULT_LM_STEPS, DEFAULT_STEPS = 150, 100

ROUND_ENDS = (0.25, 0.5, 1.0)
"""Ends of a level's rounds; before each the grids move to where the activations are now."""

SPARSE_STEPS = 5
"""Steps of a round of "lm" with sparsity, whose quadratic holds near the present weights only."""


Between = Callable[[Progress | None], None]


def _do_nothing(_: Progress | None) -> None:
    """Let nobody in."""


class Trainer:
    """Runs the levels of one task on a copy of its network; ``monitor`` holds the best state.

    Between two steps it calls the ``between`` of ``train``. There, and only there, others may look
    at ``work``, the network in training, and hand it back edited.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.options = task, task.options
        self.report = FitReport(name_of(task.optimizer))
        self.work = copy.deepcopy(task.network).to(task.x)
        self.monitor = Monitor(
            self.report,
            self._sparsity_now,
            task.validation_loss,
            measure=task.errors,
            patience=self.options.patience,
            callbacks=self.options.callbacks,
            show=self.options.progress,
            total=self.n_steps,
        )
        self.generator = torch.Generator().manual_seed(self.options.seed)
        self._between: Between = _do_nothing
        self._is_stopped = False
        self._edited: Network | None = None
        self._changed: deque[Task] = deque(maxlen=1)  # its calls are atomic: no lock is needed

    @property
    def steps(self) -> int:
        """Most steps of a level."""
        default = DEFAULT_LM_STEPS if self.task.optimizer == "lm" else DEFAULT_STEPS
        return self.options.steps or default

    @property
    def n_steps(self) -> int:
        """Most steps of all levels together."""
        return self.steps * len(self.task.grids)

    @property
    def outcome(self) -> Network | None:
        """The best state; None where no step was taken, or none since the last edit."""
        return None if self._edited is not None else self.monitor.best

    def train(self, between: Between | None = None) -> None:
        """Start, then train and refine level by level; Ctrl-C ends it.

        Parameters
        ----------
        between : callable, optional
            Called after each step with its ``Progress``, and with None between steps of trials.
        """
        self._between = between or _do_nothing
        try:
            self._run()
        except KeyboardInterrupt:
            self.report.stopped = "interrupted"
        finally:
            self._between = _do_nothing
            self.monitor.close()

    def stop(self) -> None:
        """End at the next step."""
        self._is_stopped = True

    def change(self, options: FitOptions) -> None:
        """Go on with other options from the next step on; the grids stay as planned.

        Raises
        ------
        ValueError
            If the options do not fit the data or the network; then all stays as it was.
        """
        self._changed.append(replace(self.task.asked_again(options), grids=self.task.grids))

    def take_over(self, network: Network) -> None:
        """Go on from an edited network, with the steps that are left."""
        self._edited = network

    def _run(self) -> None:
        self._begin()
        for level, grid_size in enumerate(self.task.grids):
            if self._is_stopped:
                self.report.stopped = "stopped"
                return
            self._reach(grid_size, level)
            self.monitor.new_level()
            self.report.stopped = ""
            self._level()
            if self.report.stopped in ("callback", "stopped"):
                return
            if level and self.report.history.get("validation_loss") and self.monitor.is_no_better:
                self.report.notes.append(f"grid {grid_size} was no better on the validation data")
                return

    def _begin(self) -> None:
        """Choose among random starts where the network is untouched or starts were asked for."""
        task, first = self.task, self.task.grids[0]
        untouched = task.network.is_untouched()
        if untouched and self.work.layers[0].spec.grid_size != first:
            self.work = self.work.remade(self.work.seed, grid_size=first)
        count = self.options.starts
        if count is None:
            count = affordable_starts(self.work, task.most_starts) if untouched else 1
        if task.optimizer == "lm" and count > 1 and not self._is_called_off():
            best, losses = best_start(
                self.work,
                task,
                count,
                seed=self.options.seed,
                grids_move=self.options.update_grid,
                is_called_off=self._is_called_off,
            )
            if not self._is_called_off():
                self.work, self.report.starts = best, losses
        self._take_news()

    def _is_called_off(self) -> bool:
        """Let others in during the trials; return whether they made the search pointless."""
        self._between(None)
        return self._is_stopped or self._edited is not None

    def _reach(self, grid_size: int, level: int) -> None:
        """Refine to the grid of a level, unless a finer one was made by hand meanwhile."""
        now, at_first = (net.layers[0].spec.grid_size for net in (self.work, self.task.network))
        if now < grid_size or (level == 0 and grid_size < now <= at_first):
            self.work.refine(grid_size)

    def _level(self) -> None:
        """Train on one grid, in rounds before which the knots follow the activations."""
        ended, at = "steps", 0
        while (end := self._end_of_round(at)) > at:
            if self.options.update_grid:
                self.work.update_grid(self.task.x)
            while at < end:
                before = self.report.n_steps
                is_lm = self.task.optimizer == "lm"
                ended = self._least_squares(end - at) if is_lm else self._descend(end - at)
                if self.report.stopped:  # the monitor has said why, or somebody stopped it
                    return
                if not self._take_news():
                    break
                at, ended = at + self.report.n_steps - before, "steps"
                end = self._end_of_round(at)
            at = end
        self.report.stopped = ended

    def _end_of_round(self, at: int) -> int:
        """Return the step of the level that ends the round which step ``at`` is in."""
        if self.task.optimizer == "lm" and self.task.sparsity:
            return max(at, min(at - at % SPARSE_STEPS + SPARSE_STEPS, self.steps))
        shares = ROUND_ENDS if self.options.update_grid else ROUND_ENDS[-1:]
        return next((end for share in shares if (end := round(share * self.steps)) > at), at)

    def _take_news(self) -> bool:
        """Take over what others have handed in since the last step; return whether they have."""
        network, self._edited = self._edited, None
        task = self._changed.pop() if self._changed else None
        if task is not None:
            if task.sparsity != self.task.sparsity:
                self.monitor.forget_best()  # the best by another measure is no longer the best
            self.task, self.options = task, task.options
            self.report.optimizer = name_of(task.optimizer)
            self.monitor.patience = task.options.patience
            self.work = self.work.to(task.x)
        if network is not None:
            self.work = copy.deepcopy(network).to(self.task.x)
            self.monitor.forget_best()
        return task is not None or network is not None

    def _least_squares(self, steps: int) -> str:
        task, sparsity = self.task, self.task.sparsity
        curvature = self.options.curvature
        if curvature is None:
            curvature = SPARSE_CURVATURE if sparsity else LEAST_CURVATURE
        penalties: list[EdgeForms] = [smoothness(self.work, curvature, task.scale)]
        if sparsity:
            penalties.append(sparse_forms(self.work, task.x, sparsity))
        return minimise(task.problem(self.work, penalties), steps, self._on_step)

    def _descend(self, steps: int) -> str:
        task, options, scale = self.task, self.options, self.task.scale**2
        assert isinstance(task, DataTask)  # an equation is solved by "lm" alone
        curvature = smoothness(self.work, options.curvature or 0.0, task.scale)

        def evaluate(network: Network, x: Tensor) -> tuple[Tensor, Tensor | None]:
            penalty: Tensor | None = None
            if task.sparsity:
                factor = scale * task.sparsity.weight
                outputs, penalty = task.sparsity.penalised(network, x, scale=factor)
            else:
                outputs = network(x)
            if options.curvature:
                bending = scale * curvature.of(network)
                penalty = bending if penalty is None else penalty + bending
            return outputs, penalty

        descent = Descent(
            network=self.work,
            x=task.x,
            y=task.y,
            loss=task.loss,
            evaluate=evaluate,
            optimizer=task.optimizer,
            learning_rate=options.learning_rate or (1.0 if task.optimizer == "lbfgs" else 0.01),
            batch_size=options.batch_size,
            generator=self.generator,
        )
        return descent.run(steps, self._on_step)

    def _on_step(self, loss: float) -> bool:
        """Log a step and let others in; return whether to go on as if nothing had happened."""
        goes_on = self.monitor.step(self.work, loss)
        self._between(self.monitor.progress)
        if self._is_stopped and goes_on:
            self.report.stopped = "stopped"
        return goes_on and not (self._is_stopped or self._changed or self._edited is not None)

    def _sparsity_now(self, network: Network) -> float:
        """Return the sparsity penalty in the unit of the loss; 0 where none was asked for."""
        sparsity = self.task.sparsity
        if not sparsity:
            return 0.0
        with torch.no_grad():
            penalty = float(sparsity.penalty(network, self.task.x))
        return self.task.scale**2 * sparsity.weight * penalty


def fit(network: Network, data: Dataset, **options: Any) -> FitReport:
    """Train a network in place on a data set.

    Nothing is changed before the end: if the fit fails the network is as it was. Ctrl-C ends the
    fit with the best state so far. The same seed gives the same numbers on the same machine.

    Parameters
    ----------
    network : Network
        Trained in place, in its own dtype ("lm" works in float64 within).
    data : Dataset
        ``x`` (samples, widths[0]) and ``y`` (samples, widths[-1]) or class numbers (samples,).
    **options
        See ``FitOptions``.

    Returns
    -------
    FitReport
        The history, what stopped it, seconds, starts tried.

    Raises
    ------
    ValueError
        If data and network do not fit together, or an option is out of range.
    FloatingPointError
        If no finite step could be made; names the layer and edge.
    """
    trainer = trainer_of(network, data, **options)
    trainer.train()
    if trainer.outcome is not None:
        network.take(trainer.outcome)
    return trainer.report


def trainer_of(network: Network, data: Dataset, **options: Any) -> Trainer:
    """Return what is ready to train a copy of the network; arguments and errors as for ``fit``."""
    return Trainer(prepare(network, data, read_options(options)))


def read_options(options: dict[str, Any]) -> FitOptions:
    """Return options by name, checked one by one; ValueError for a name that is none."""
    known = [field.name for field in fields(FitOptions)]
    for name in options:
        check_choice("option", name, known)
    return FitOptions(**options)
