"""The course of one fit: a start, then level after level of the grid, in rounds."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from kanviz.nn import Network
from kanviz.training.forms import EdgeForms, smoothness, sparse_forms
from kanviz.training.gradient import Descent
from kanviz.training.levenberg_marquardt import LeastSquares, minimise
from kanviz.training.monitor import Monitor, evaluation
from kanviz.training.prepare import Task
from kanviz.training.starts import affordable_starts, best_start

LEAST_CURVATURE = 1e-10
"""Default of "lm": far below what a fit can see, yet it settles intervals without data."""

SPARSE_CURVATURE = 1e-6
"""The same where sparsity is asked for: a calm curve is easier to do without."""

DEFAULT_LM_STEPS, DEFAULT_STEPS = 150, 100

ROUND_ENDS = (0.25, 0.5, 1.0)
"""Ends of a level's rounds; before each the grids move to where the activations are now."""

SPARSE_STEPS = 5
"""Steps of a round of "lm" with sparsity, whose quadratic holds near the present weights only."""


class Trainer:
    """Runs the levels of one task on a copy of its network; ``monitor`` holds the best state."""

    def __init__(self, task: Task) -> None:
        self.task, self.options, self.report = task, task.options, task.report
        self.work = copy.deepcopy(task.network)
        if task.optimizer == "lm":
            self.work = self.work.double()
        validation = task.validation and evaluation(*task.validation, task.loss)
        default = DEFAULT_LM_STEPS if task.optimizer == "lm" else DEFAULT_STEPS
        self.steps = self.options.steps or default
        self.monitor = Monitor(
            task.report,
            validation,
            self._sparsity_now,
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
            best_before = self.monitor.best_objective
            self.monitor.new_level()
            self.report.stopped = ""
            self._level()
            if self.report.stopped == "callback":
                return
            worse = self.monitor.best_objective >= best_before
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
        ended = ""
        for steps in self._rounds():
            if self.options.update_grid:
                self.work.update_grid(self.task.x)
            ended = (
                self._least_squares(steps) if self.task.optimizer == "lm" else self._descend(steps)
            )
            if self.report.stopped:  # the monitor has said why
                return
        self.report.stopped = ended

    def _rounds(self) -> Iterator[int]:
        """Yield the steps of each round; together they are ``self.steps``."""
        if self.task.optimizer == "lm" and self.task.sparsity:
            for done in range(0, self.steps, SPARSE_STEPS):
                yield min(SPARSE_STEPS, self.steps - done)
            return
        done = 0
        for share in ROUND_ENDS if self.options.update_grid else (1.0,):
            steps = round(share * self.steps) - done
            done += steps
            if steps:
                yield steps

    def _least_squares(self, steps: int) -> str:
        task, sparsity = self.task, self.task.sparsity
        curvature = self.options.curvature
        if curvature is None:
            curvature = SPARSE_CURVATURE if sparsity else LEAST_CURVATURE
        penalties: list[EdgeForms] = [smoothness(self.work, curvature, task.scale)]
        if sparsity:
            penalties.append(sparse_forms(self.work, task.x, sparsity))
        problem = LeastSquares(self.work, task.x, task.y, penalties, task.scale)
        return minimise(problem, steps, self._on_step)

    def _descend(self, steps: int) -> str:
        task, options = self.task, self.options
        curvature = smoothness(self.work, options.curvature or 0.0, task.scale)

        def penalty(network: Network, x: Tensor) -> Tensor:
            total = curvature.of(network)
            if task.sparsity:
                total = total + task.sparsity.weight * task.sparsity.penalty(network, x)
            return task.scale**2 * total

        descent = Descent(
            network=self.work,
            x=task.x,
            y=task.y,
            loss=task.loss,
            penalty=penalty,
            optimizer=task.optimizer,
            learning_rate=options.learning_rate or (1.0 if task.optimizer == "lbfgs" else 0.01),
            batch_size=options.batch_size,
            generator=self.generator,
        )
        return descent.run(steps, self._on_step)

    def _on_step(self, loss: float) -> bool:
        return self.monitor.step(self.work, loss)

    def _sparsity_now(self, network: Network) -> float:
        """Return the sparsity penalty in the unit of the loss; 0 where none was asked for."""
        sparsity = self.task.sparsity
        if not sparsity:
            return 0.0
        with torch.no_grad():
            penalty = float(sparsity.penalty(network, self.task.x))
        return self.task.scale**2 * sparsity.weight * penalty
