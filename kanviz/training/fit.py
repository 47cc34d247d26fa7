"""``fit``: trains a network through a schedule of grids and says what it did."""

import copy
from typing import Any

import torch

from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.gradient import Descent
from kanviz.training.levenberg_marquardt import LeastSquares, minimise
from kanviz.training.monitor import Monitor, evaluation
from kanviz.training.options import FitOptions
from kanviz.training.prepare import Task, prepare
from kanviz.training.report import FitReport
from kanviz.training.smoothness import Smoothness
from kanviz.training.starts import affordable_starts, best_start

LEAST_CURVATURE = 1e-10
"""Default of "lm": far below what a fit can see, yet it settles intervals without data."""

DEFAULT_LM_STEPS, DEFAULT_STEPS = 150, 100

ROUND_ENDS = (0.25, 0.5, 1.0)
"""Ends of a level's rounds; before each the grids move to where the activations are now."""


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
    task = prepare(network, data, FitOptions(**options))
    trainer = _Trainer(task)
    try:
        trainer.run()
    except KeyboardInterrupt:
        task.report.stopped = "interrupted"
    finally:
        trainer.monitor.close()
    if trainer.monitor.best is not None:
        network.take(trainer.monitor.best)
    return task.report


class _Trainer:
    """Runs the levels of one task on a copy of its network."""

    def __init__(self, task: Task) -> None:
        self.task, self.options, self.report = task, task.options, task.report
        self.work = copy.deepcopy(task.network)
        if task.optimizer == "lm":
            self.work = self.work.double()
        validation = task.validation and evaluation(*task.validation, task.loss)
        self.steps = self.options.steps or (
            DEFAULT_LM_STEPS if task.optimizer == "lm" else DEFAULT_STEPS
        )
        self.monitor = Monitor(
            task.report,
            validation,
            patience=self.options.patience,
            callbacks=self.options.callbacks,
            show=self.options.progress,
            total=self.steps * len(task.grids),
        )
        self.generator = torch.Generator().manual_seed(self.options.seed)

    def run(self) -> None:
        """Start, then train and refine level by level."""
        self._begin()
        for level, grid_size in enumerate(self.task.grids):
            if self.work.layers[0].spec.grid_size != grid_size:
                self.work.refine(grid_size)
            best_before = self.monitor.best_loss
            self.monitor.new_level()
            self.report.stopped = ""
            self._level()
            if self.report.stopped == "callback":
                return
            worse = self.monitor.best_loss >= best_before
            if self.task.validation and level and worse:
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
            count = affordable_starts(self.work) if untouched else 1
        if task.optimizer == "lm" and count > 1:
            self.work, self.report.starts = best_start(
                self.work,
                task.x,
                task.y,
                count,
                seed=self.options.seed,
                grids_move=self.options.update_grid,
            )

    def _level(self) -> None:
        """Train on one grid, in rounds between which the knots follow the activations."""
        ended, done = "", 0
        for share in ROUND_ENDS if self.options.update_grid else (1.0,):
            steps = round(share * self.steps) - done
            if not steps:
                continue
            if self.options.update_grid:
                self.work.update_grid(self.task.x)
            ended = self._round(steps)
            done += steps
            if self.report.stopped:  # the monitor has said why
                return
        self.report.stopped = ended

    def _round(self, steps: int) -> str:
        task, options = self.task, self.options

        def on_step(loss: float) -> bool:
            return self.monitor.step(self.work, loss)

        if task.optimizer == "lm":
            curvature = LEAST_CURVATURE if options.curvature is None else options.curvature
            smoothness = Smoothness(self.work, curvature, task.scale)
            problem = LeastSquares(self.work, task.x, task.y, smoothness, task.scale)
            return minimise(problem, steps, on_step)
        unit = task.scale**2 * (options.curvature or 0.0)
        descent = Descent(
            network=self.work,
            x=task.x,
            y=task.y,
            loss=task.loss,
            penalty=Smoothness(self.work, unit, task.scale).of,
            optimizer=task.optimizer,
            learning_rate=options.learning_rate or (1.0 if task.optimizer == "lbfgs" else 0.01),
            batch_size=options.batch_size,
            generator=self.generator,
        )
        return descent.run(steps, on_step)
