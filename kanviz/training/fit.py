"""A fit: through a start and level after level of the grid to a trained network and a report.

Who owns what: ``FitOptions`` is what the user asks for, a ``Task`` the same checked against network
and data, the ``Trainer`` the loop and the network in training, its ``Monitor`` the best state and
the ``FitReport``. Nothing here knows of threads, of a history, or of who looks on.
"""

import copy
import inspect
import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from kanviz.checks import listed
from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.nn.basis import adapted_points, uneven_columns
from kanviz.nn.state import NetworkState
from kanviz.training.doubt import Doubt, shares_of_noise
from kanviz.training.errors import overfit
from kanviz.training.evidence import (
    STEPS_OF_ROUND,
    Candidate,
    Neighbours,
    Smoothing,
    has_few_rows,
    has_sums,
)
from kanviz.training.families import FAR, NUMBERS, Robust
from kanviz.training.gradient import Descent, where_it_breaks
from kanviz.training.jacobian import n_weights
from kanviz.training.least_squares import MOST_EXACT, minimise
from kanviz.training.penalties import EdgeForms, smoothness, sparse_forms
from kanviz.training.report import FitReport, Measures, Monitor, Progress, kept_numbers
from kanviz.training.task import (
    MOST_STARTS,
    DataTask,
    StreamTask,
    Task,
    name_of,
    prepare,
    read_options,
)

LEAST_CURVATURE = 1e-10
"""Default of "lm": far below what a fit can see, yet it settles intervals without data."""

SPARSE_CURVATURE = 1e-6
"""The same where sparsity is asked for: a calm curve is easier to do without."""

DEFAULT_LM_STEPS, DEFAULT_STEPS = 150, 100

ROUND_ENDS = (0.25, 0.5, 1.0)
"""Ends of a level's rounds; before each the grids move to where the activations are now."""

MOVING = 0.6
"""Share of the steps of a level in which grids move, where the data choose how smooth it is."""

ENOUGH, MOST_WAITED = 0.05, 4
"""Rounds in a row whose logarithm of the evidence rises by less are the last."""

DECIDING_STEPS = 10
"""Steps of a trial by which a trained network's data are told to have noise or none; a fit of fewer
steps has no such trial."""

LEAST_TRIALS, TRIED_WEIGHTS = 4, 3200
"""Exact starts, and their weights together, that are tried where no neighbours tell of noise."""

NO_NOISE = 1e-3
"""Noise below this share of the deviation of y is none: what is left exact steps can learn."""

SPARSE_STEPS = 5
"""Steps of a round of "lm" with sparsity, whose quadratic holds near the present weights only."""


def fit(network: Network, data: Dataset, **options: Any) -> FitReport:
    """Train a network in place on a data set.

    Nothing is changed before the end: if the fit fails the network is as it was. Ctrl-C ends the
    fit with the best state so far. The state before the fit is one of those that are compared, and
    what the report tells is measured on the network that is handed back, in its own dtype. The same
    seed gives the same numbers on the same machine.

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
    trainer = Trainer(prepare(network, data, read_options(options)))
    for _ in trainer:
        pass
    if trainer.best is not None:
        network.take(trainer.best)
    return trainer.report


class Trainer:
    """Trains a copy of a task's network, level by level; an iterator of its steps.

    ``for progress in trainer`` takes one step after the other: ``progress`` is the ``Progress`` of
    each, or None for a step of a trial of random starts. In between, and only then, whoever takes
    the steps may look at ``network``, the one in training, hand in another (``take_over``) or
    another task (``change``), or leave off. In the end ``best`` and ``report`` tell what became of
    it. The task's own network is never changed.
    """

    def __init__(self, task: Task) -> None:
        options = task.options
        self.task = task
        self.network = copy.deepcopy(task.network).to(task.x)
        self.report = FitReport(name_of(task.optimizer))
        self.monitor = Monitor(
            self.report,
            patience=options.patience,
            callbacks=options.callbacks,
            show=options.progress,
            total=self.n_steps,
            variance=task.scale**2,
        )
        self.candidate: Candidate | None = None
        """The network in training where the data choose how smooth it is."""
        self.doubt: Doubt | None = None
        """What the data leave open of ``best``, where they chose how smooth it is."""
        self._generator = torch.Generator().manual_seed(options.seed)
        self._has_noise = False  # by its own judgement, where that was left to it
        self._is_untouched = task.network.is_untouched()
        self._grid_size_before = _grid_size(task.network)
        self._before = NetworkState.capture(task.network)
        self._handed_back: Network | None = None
        self._is_edited = False  # then the state before the fit no longer counts
        self._is_judged = False  # by a prior, and no state before the fit was
        self._edited: Network | None = None
        self._changed: Task | None = None

    @property
    def steps(self) -> int:
        """Most steps of a level."""
        default = DEFAULT_LM_STEPS if self.task.optimizer == "lm" else DEFAULT_STEPS
        return self.task.options.steps or default

    @property
    def by_evidence(self) -> bool:
        """Whether the data choose how smooth the curves are: asked for, or because of noise."""
        return self.task.by_evidence or (self._has_noise and self._is_open)

    @property
    def _is_open(self) -> bool:
        """Whether it is left to the fit to find out whether the data have noise.

        Held-out data, or a price of edges, are other ways not to follow it.
        """
        task, options = self.task, self.task.options
        return (
            isinstance(task, DataTask)
            and not isinstance(task, StreamTask)
            and task.optimizer == "lm"
            and task.family is NUMBERS
            and options.smoothing is None
            and options.validation is None
            and task.sparsity is None
            and self.steps >= DECIDING_STEPS
            and n_weights(self.network) <= MOST_EXACT
        )

    @property
    def n_steps(self) -> int:
        """Most steps of all levels together."""
        return self.steps * len(self.task.grids)

    @property
    def best(self) -> Network | None:
        """The best state, in the dtype of the task's network; None before the end.

        None also where the fit ended before it had seen the last edit.
        """
        return None if self._edited is not None else self._handed_back

    def change(self, task: Task) -> None:
        """Go on with another task from the next step on; the grids stay as planned."""
        self._changed = replace(task, grids=self.task.grids)

    def take_over(self, network: Network) -> None:
        """Go on from a copy of an edited network, with the steps that are left."""
        self._edited = copy.deepcopy(network)

    def __iter__(self) -> Generator[Progress | None, None, None]:
        """Take all steps; Ctrl-C, or whoever leaves off, ends them with the best state so far.

        During a step torch has as many threads as it can feed; in between the user's setting holds.
        """
        steps, threads = self._run(), threads_for(self.network, self.task)
        go_on: Callable[[], Progress | None] = partial(next, steps)
        while True:
            try:
                with at_most(threads):
                    progress = go_on()
            except StopIteration:
                return
            except KeyboardInterrupt as error:
                if inspect.getgeneratorstate(steps) == inspect.GEN_CLOSED:
                    raise
                go_on = partial(steps.throw, error)  # it struck just outside of the step
                continue
            try:
                yield progress
                go_on = partial(next, steps)
            except GeneratorExit:
                with at_most(threads):
                    steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it is for the steps to see
                go_on = partial(steps.throw, error)

    def _run(self) -> Generator[Progress | None, None, None]:
        self.report.notes.extend((*self.task.notes, *self._notes()))
        try:
            self.monitor.consider(self.network, self._measured(self.network))
            yield from self._start()
            yield from self._levels()
        except KeyboardInterrupt:
            self.report.stopped = "interrupted"
        except GeneratorExit:
            self.report.stopped = self.report.stopped or "stopped"
        finally:
            self.monitor.close()
        self._hand_back()

    def _hand_back(self) -> None:
        """Bring the best state into the dtype of the task's network, and measure it there.

        Where that costs so many digits that the state before the fit was better, that one is handed
        back instead.
        """
        best, like, report = self.monitor.best, self._before.layers[0].weight, self.report
        task = self.task
        if report.n_steps == 0 and report.stopped in ("interrupted", "stopped"):
            return
        if best is None:
            raise FloatingPointError(where_it_breaks(self.network, self.task.x))
        beyond = FloatingPointError(
            f"What was learnt has numbers beyond the range or the digits of {like.dtype}, so "
            "the model stays as it was. Use dtype=torch.float64, or data with normalize=True."
        )
        try:
            own = best.to(like)
        except ValueError:  # knots that fall together
            raise beyond from None
        found = self._measured(own)
        if not (math.isfinite(found.objective) and own.is_sound()):
            raise beyond
        then, now = (math.sqrt(max(0.0, loss)) for loss in (report.loss, found.loss))
        if now > 2 * then + LOST_DIGITS * task.scale:
            report.notes.append(
                f"{like.dtype} has too few digits for these data: the loss was {report.loss:.2g} "
                f"in the fit and is {found.loss:.2g} in the model. Use dtype=torch.float64, or "
                "data with normalize=True."
            )
        is_comparable = not (self._is_edited or self._is_judged)
        if is_comparable:
            before = self._before.build(like.device)
            first = self._measured(before)
            if first.objective < found.objective:
                own, found, report.kept_step = before, first, 0
        if is_comparable and not report.kept_step and report.n_steps:
            report.notes.append("No step was better than the state before the first one.")
        report.kept = kept_numbers(found)
        report.errors = task.quality_of(own)
        if isinstance(task, DataTask) and not task.data.is_classification:
            report.outputs = task.data.output_names
        if warning := overfit(report.errors):
            report.notes.append(warning)
        self._handed_back = own
        likely = self.candidate
        if self.by_evidence and likely is not None and likely.evidence and report.kept_step:
            assert isinstance(task, DataTask)
            self.doubt = self._doubt(own, task, likely.smoothing)

    @torch.no_grad()
    def _doubt(self, network: Network, task: DataTask, smoothing: Smoothing) -> Doubt:
        """Return what the data leave open, and note in the report which rows are far off."""
        noise = math.sqrt(smoothing.variance) * task.scale
        family = task.family.at(noise)
        if isinstance(family, Robust):
            far = family.is_far(network(task.x.to(network.layers[0].weight)), task.y).any(1)
            self.report.notes.append(
                f"{int(far.sum())} of {len(far)} rows are more than {FAR} times the noise away"
            )
        y = task.y if family.has_noise else None
        return Doubt.of(network, task.x, smoothing, task.scale, task.sample_weight, family, y)

    @torch.no_grad()
    def _measured(self, network: Network, loss: float | None = None) -> Measures:
        """Return what a network of any dtype is compared by; its loss, where that is known."""
        task, curvature = self.task, self.task.options.price_of_bends
        sparsity = bending = 0.0
        if task.sparsity:
            x = task.x.to(network.layers[0].weight)
            sparsity = task.sparsity.weight * float(task.sparsity.penalty(network, x))
        if curvature:
            bending = float(smoothness(network, curvature, task.scale).of(network))
        return Measures(
            task.loss_of(network) if loss is None else loss,
            task.validation_loss(network),
            task.scale**2 * sparsity,
            task.scale**2 * bending,
        )

    def _notes(self) -> Iterator[str]:
        """Say what about the data a fit does not do as usual."""
        task = self.task
        if isinstance(task, DataTask) and task.options.update_grid:
            far = [task.data.input_names[column] for column in uneven_columns(task.x)]
            if far:
                yield f"knots of {listed(far)} stand where most values are: a few lie far out"

    def _start(self) -> Iterator[None]:
        """Choose among random starts where the network is untouched or starts were asked for."""
        task = self.task
        if self._is_untouched:
            if _grid_size(self.network) != task.grids[0]:
                self.network = self.network.remade(self.network.seed, grid_size=task.grids[0])
            self.network = suited(self.network, task)
        if task.optimizer == "lm":
            search = self._trials()
            while self._edited is None:  # an edit makes the search pointless
                try:
                    yield next(search)
                except StopIteration:
                    break
        self._take_news()
        self.monitor.consider(self.network, self._measured(self.network))

    def _count(self) -> int:
        """Return how many starts to try: unasked no more than steps, which they are to serve."""
        asked = self.task.options.starts
        if asked is None and self._is_untouched:
            most = self.task.most_starts
            most = affordable_starts(self.network, most, by_evidence=self.by_evidence)
            return min(most, self.steps)
        return asked or 1

    def _trials(self) -> Iterator[None]:
        """Find out whether the data have noise, where that is open; go on with the best start."""
        if self._is_open and (yield from self._is_exact()):
            return
        task, count = self.task, self._count()
        if count == 1:
            return
        if isinstance(task, DataTask) and self.by_evidence:
            search = likeliest_start(self.network, task, count, is_new=self._is_untouched)
            self.candidate, self.report.starts = yield from search
            self.network = self.candidate.network
        else:
            rows = task.in_memory()
            self.network, self.report.starts = yield from best_start(self.network, rows, count)

    def _is_exact(self) -> Generator[None, None, bool]:
        """Say whether the data have no noise, and go on with the best of exact starts if so.

        Exact steps are tried for that, where the rows are enough to judge them by. They find laws
        that a smooth start may miss, so that noise must be certain to end them early.
        """
        task, count = self.task, self._count()
        assert isinstance(task, DataTask)
        self._has_noise = has_few_rows(self.network, task)
        if self._has_noise:
            return False
        near = Neighbours(task)
        if count == 1:
            found = copy.deepcopy(self.network)
            yield from _trial(found, task, (DECIDING_STEPS,))
        else:
            if not near.can_tell and task.options.starts is None:
                count = max(LEAST_TRIALS, min(count, TRIED_WEIGHTS // n_weights(self.network)))
            first = copy.deepcopy(self.network)
            found, losses = yield from best_start(first, task, count, leaves=near.find_noise)
        has_noise = near.find_noise(found)
        if has_noise is None:
            free = min(n_weights(found), task.count - 1)
            left = task.loss_of(found) / (1 - free / task.count)
            has_noise = left**0.5 > GOOD_ENOUGH * task.scale
        self._has_noise = has_noise
        if not has_noise and count > 1:
            self.network, self.report.starts = found, losses
        return not has_noise

    def _levels(self) -> Iterator[Progress]:
        """Train on one grid after the other, as long as that is of use."""
        for level, grid_size in enumerate(self.task.grids):
            self._reach(grid_size, level)
            self.monitor.new_level()
            self.report.stopped = ""
            yield from self._by_evidence() if self._needs_smoothing(level) else self._level()
            if self.report.stopped == "callback":
                return
            if level and "validation_loss" in self.report.history and self.monitor.is_no_better:
                self.report.notes.append(f"grid {grid_size} was no better on the validation data")
                return

    def _needs_smoothing(self, level: int) -> bool:
        """Say whether the data choose how smooth it is; a finer grid may come to the noise."""
        if level and self._is_open and not self._has_noise:
            assert isinstance(self.task, DataTask)
            self._has_noise = bool(Neighbours(self.task).find_noise(self.network))
        return self.by_evidence

    def _reach(self, grid_size: int, level: int) -> None:
        """Refine to the grid of a level, unless a finer one was made by hand meanwhile."""
        now = _grid_size(self.network)
        if now < grid_size or (level == 0 and grid_size < now <= self._grid_size_before):
            self.network.refine(grid_size)
            if self.candidate is not None:
                self.candidate.smoothing = self.candidate.smoothing.refined(grid_size / now)

    def _level(self, at: int = 0) -> Iterator[Progress]:
        """Train on one grid, in rounds before which the knots follow the activations.

        ``at`` steps of the level were taken before, in another way.
        """
        ended = "steps"
        while (end := self._end_of_round(at)) > at:
            if self.task.options.update_grid:
                self.network.update_grid(self.task.x, digits=self._dtype)
            while at < end:
                before = self.report.n_steps
                ended = yield from self._watched(self._steps(end - at))
                if self.report.stopped:  # the monitor has said why
                    return
                if not self._take_news():
                    break
                at, ended = at + self.report.n_steps - before, "steps"
                if self.by_evidence:
                    yield from self._by_evidence(at)
                    return
                end = self._end_of_round(at)
            at = end
        self.report.stopped = ended

    def _by_evidence(self, at: int = 0) -> Iterator[Progress]:
        """Train on one grid, and choose the precisions anew after every few steps.

        The likeliest state is taken, as it is: with its precisions held, more steps would only move
        scale from layer to layer, which the precisions else follow. ``at`` steps of the level were
        taken before, in another way.
        """
        best: Candidate | None = None
        waited = kept_step = 0
        moves, ended = self.task.options.update_grid, "steps"
        while at < self.steps:
            now, task = self._candidate(), self.task
            assert isinstance(task, DataTask)
            if moves := moves and at < MOVING * self.steps:
                now.update_grids(task)
            problem, before = now.problem(task), self.report.n_steps
            count = min(STEPS_OF_ROUND, self.steps - at)
            yield from self._watched(now.steps(problem, count))
            if self.report.stopped:
                return
            at += max(1, self.report.n_steps - before)
            if self._take_news():
                if not self.by_evidence:
                    yield from self._level(at)
                    return
                now.best = now.known = best = None
                waited = 0
                continue
            now.judge(problem)
            self._tell(now)
            waited += 1
            if best is None or now.log_evidence > best.log_evidence + ENOUGH:
                waited = 0
            if best is not now.best:
                best, kept_step = now.best, self.report.n_steps
            if waited >= MOST_WAITED:
                if not moves:
                    ended = "converged"
                    break
                moves, waited = False, 0
        if best is not None:
            self.candidate, self.network = best, best.network
            self._tell(best)
            if self.task.options.validation is None:
                self.monitor.take(best.network, self._measured(best.network), kept_step)
            if self._has_noise and best.evidence and best.evidence.noise < NO_NOISE:
                self._has_noise = self._is_judged = False  # few rows, but exact ones
                self.report.forget_evidence()
                yield from self._level()
                return
        self.report.stopped = ended

    def _candidate(self) -> Candidate:
        """Return the network in training with its precisions: those to begin with at first."""
        if self.candidate is None:
            assert isinstance(self.task, DataTask)
            self.candidate = Candidate.of(self.network, self.task)
        self.candidate.network = self.network
        return self.candidate

    def _tell(self, now: Candidate) -> None:
        """Note in the report what the data say by now, and judge states by the new measure."""
        task = self.task
        assert isinstance(task, DataTask)
        assert now.evidence is not None
        found, report = now.evidence, self.report
        if task.family.has_noise:
            units = task.scale * task.data.y_scaling.scale
            shares = torch.ones(1, dtype=torch.float64)
            if task.y.shape[1] > 1:
                outputs = now.network(task.x.to(now.network.layers[0].weight))
                family = task.family.at(found.noise * task.scale)
                shares = shares_of_noise(outputs, task.y, family, task.sample_weight)
            noise = (found.noise * shares * units).tolist()
            report.noise = noise[0] if len(noise) == 1 else noise
        report.log_evidence, report.effective_dof = found.log_evidence, found.dof
        report.edge_dof = found.edges
        if task.options.validation is None:
            self._is_judged = True
            self.monitor.new_measure()

    def _end_of_round(self, at: int) -> int:
        """Return the step of the level that ends the round which step ``at`` is in."""
        if self.task.optimizer == "lm" and self.task.sparsity:
            return max(at, min(at - at % SPARSE_STEPS + SPARSE_STEPS, self.steps))
        shares = ROUND_ENDS if self.task.options.update_grid else ROUND_ENDS[-1:]
        return next((end for share in shares if (end := round(share * self.steps)) > at), at)

    def _watched(self, steps: Generator[float, None, str]) -> Generator[Progress, None, str]:
        """Log each step and show it; return why they ended, or "" where something broke them off.

        That is the monitor, which says why in the report, or news to go on with.
        """
        while True:
            try:
                loss = next(steps)
            except StopIteration as end:
                return str(end.value)
            progress, goes_on = self.monitor.step(
                self.network,
                self._measured(self.network, loss),
                partial(self.task.errors, self.network, loss),
            )
            yield progress
            if not goes_on or self._edited is not None or self._changed is not None:
                return ""

    def _take_news(self) -> bool:
        """Go on with what was handed in since the last step; return whether anything was."""
        network, self._edited = self._edited, None
        task, self._changed = self._changed, None
        is_other = network is not None
        if task is not None:
            is_other |= (task.sparsity, task.options.smoothing) != (
                self.task.sparsity,
                self.task.options.smoothing,
            )
            self.task = task
            self.report.optimizer = name_of(task.optimizer)
            self.monitor.patience = task.options.patience
        if network is not None:
            self.network = network
        self.network = self.network.to(self.task.x)
        if is_other:  # the best of another network, or by another measure, is no longer the best
            self._is_edited = True
            self.monitor.forget_best()
            self.monitor.consider(self.network, self._measured(self.network))
        return task is not None or network is not None

    def _steps(self, steps: int) -> Generator[float, None, str]:
        """Return what takes so many steps by the task's optimizer."""
        if self.task.optimizer == "lm":
            return self._least_squares(steps)
        return self._descent().run(steps)

    def _least_squares(self, steps: int) -> Generator[float, None, str]:
        task, sparsity = self.task, self.task.sparsity
        curvature = task.options.price_of_bends
        if curvature is None:
            curvature = SPARSE_CURVATURE if sparsity else LEAST_CURVATURE
        penalties: list[EdgeForms] = [smoothness(self.network, curvature, task.scale)]
        if sparsity:
            penalties.append(sparse_forms(self.network, task.x, sparsity))
        return minimise(task.problem(self.network, penalties), steps)

    def _descent(self) -> Descent:
        task, options = self.task, self.task.options
        assert isinstance(task, DataTask)  # an equation is solved by "lm" alone
        scale = (task.scale / task.unit) ** 2  # of y in the unit that the steps are taken in
        curvature = smoothness(self.network, options.price_of_bends or 0.0, task.scale / task.unit)

        def evaluate(network: Network, x: Tensor) -> tuple[Tensor, Tensor | None]:
            penalty: Tensor | None = None
            if task.sparsity:
                factor = scale * task.sparsity.weight
                outputs, penalty = task.sparsity.penalised(network, x, scale=factor)
            else:
                outputs = network(x)
            if options.price_of_bends:
                bending = scale * curvature.of(network)
                penalty = bending if penalty is None else penalty + bending
            return outputs, penalty

        return Descent(
            network=self.network,
            rows=task.rows(self._generator),
            loss=task.loss,
            evaluate=evaluate,
            optimizer=task.optimizer,
            learning_rate=options.learning_rate or (1.0 if task.optimizer == "lbfgs" else 0.01),
            unit=task.unit,
        )

    @property
    def _dtype(self) -> torch.dtype:
        """The dtype of the network that is handed back."""
        return self._before.layers[0].weight.dtype


WORK_OF_A_THREAD = 3e7
"""Multiplications of a step for which it is worth to wake a thread, about a millisecond: on a busy
machine threads of smaller parts wait for each other, many times longer than they work."""


def threads_for(network: Network, task: Task) -> int:
    """Return how many threads the steps of a task can feed."""
    weights = n_weights(network) * task.grids[-1] / _grid_size(network)
    rows = min(len(task.x), task.options.batch_size or len(task.x)) * network.widths[-1]
    each = weights if task.optimizer == "lm" else 3.0  # A = J^T J; or forward and backward
    return max(1, int(2 * rows * weights * each / WORK_OF_A_THREAD))


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """Let torch use no more than so many threads inside the block, which is of this thread alone.

    The sums of kernels do not depend on it: see ``kernels.jit.sum_over_parts``.
    """
    before = torch.get_num_threads()
    if threads >= before:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


LOST_DIGITS = 1e-4
"""Share of the standard deviation of y by which an error may grow in the model's dtype unsaid."""


def _grid_size(network: Network) -> int:
    return network.layers[0].spec.grid_size


FAR_OFF = 100
"""Half lengths of the first grid that raw data may lie off it, or be within each other."""


def suited(network: Network, task: Task) -> Network:
    """Return an untouched network made for the units of the data, where they are far from its own.

    Its first functions are then as high as y and vary over the range of x. From other ones a fit
    would have to find small differences of large numbers, which no dtype has the digits for.
    """
    given = network.layers[0].grid_points.double()[:, [0, -1]]
    middle, half = given.mean(1), given.diff(dim=1)[:, 0] / 2
    x = task.x.double()
    farthest = (x - middle).abs().amax(0) / half
    spread = (x.amax(0) - x.amin(0)) / (2 * half)
    is_far = (farthest > FAR_OFF) | ((spread > 0) & (spread < 1 / FAR_OFF))
    if task.options.update_grid and bool(is_far.any()):
        digits, size = task.network.layers[0].weight.dtype, _grid_size(network)
        points = adapted_points(x, size, grid_eps=1.0, margin=0.01, digits=digits)
        seen = points[:, [0, -1]]
        network = network.remade(
            network.seed, grid_range=torch.where(is_far.unsqueeze(1), seen, given).cpu()
        )
    if task.unit != 1:
        network.scale_outputs(task.unit)
    return network


# ---- random starts -------------------------------------------------------------------------------
# From one random start a deep KAN finds the law behind the data about one time in six, and a short
# trial on a coarse grid costs a tenth of a second: so many are begun, the better part goes on.

TRIAL_SAMPLES = 1000
TRIAL_CURVATURE = 1e-5
ROUNDS = ((10, 15), (30,), (60,))
"""Steps of each trial; between rounds the better quarter goes on, within one the grid moves."""

EVIDENCE_ROUNDS = (6, 8, 15)
"""The same where the data choose how smooth it is: choices of the precisions in each round."""

GOOD_ENOUGH = 0.02
"""A trial whose error is below this share of the standard deviation of y ends the search."""

ENOUGH_STARTS, TWINS = 6, 3.0
"""Of so many starts two random ones whose logarithms of the evidence are as near to the best end
the search."""

SUMS = 2
"""Starts of a new network that begin with the likeliest sum of functions of single inputs."""

T = TypeVar("T")

Entries = list[tuple[int, T]]
"""Number and candidate of each start that is still in the field."""


def affordable_starts(
    network: Network, most: int = MOST_STARTS, *, by_evidence: bool = False
) -> int:
    """Return how many starts are worth it: many for small networks, 1 where nothing is hidden."""
    if len(network.layers) == 1:
        return 1
    if by_evidence:
        return max(4, min(32, 2400 // n_weights(network)))
    return max(1, min(most, 8_000 // n_weights(network)))


def tournament(
    count: int,
    make: Callable[[int], Generator[None, None, T]],
    train: Callable[[T, int, int], Generator[None, None, float]],
    *,
    badness: Callable[[T, float], float],
    is_enough: Callable[[Entries[T], float], bool],
) -> Generator[None, None, tuple[T, list[float]]]:
    """Try starts, each trained a bit; the better quarter of them is trained on, and again.

    Parameters
    ----------
    count : int
        Number of candidates.
    make, train : callable
        ``make(number)`` makes a candidate, ``train(candidate, number, round)`` goes on with it, for
        the rounds 0, 1 and 2, and returns its loss; both yield after each step.
    badness : callable
        Of a candidate and its loss; the smallest wins, and of equal ones the first.
    is_enough : callable
        Whether the field so far, whose last one has this loss, makes further ones needless.

    Yields
    ------
    None
        After each step, so that the search can be left.

    Returns
    -------
    best : candidate
    losses : list of float
        Of each candidate at the end of its trial.
    """
    losses: list[float] = []
    field: Entries[T] = []
    for number in range(count):
        made = yield from make(number)
        losses.append((yield from train(made, number, 0)))
        field.append((number, made))
        if is_enough(field, losses[-1]):
            break

    def rank(entry: tuple[int, T]) -> tuple[float, int]:
        return badness(entry[1], losses[entry[0]]), entry[0]

    for later in (1, 2):
        field = sorted(field, key=rank)[: max(1, (len(field) + 3) // 4)]
        if len(field) == 1:
            break
        for number, made in field:
            losses[number] = yield from train(made, number, later)
    return min(field, key=rank)[1], losses


def sibling(network: Network, task: Task, number: int) -> Network:
    """Return a network made like this one, with the seed of a start."""
    return suited(network.remade(task.options.seed + 1_000_003 * number), task)


def best_start(
    network: Network,
    task: Task,
    count: int,
    *,
    leaves: Callable[[Network], bool | None] = lambda _: False,
) -> Generator[None, None, tuple[Network, list[float]]]:
    """Try the network, trained in place, and ``count - 1`` siblings; see ``tournament``.

    The network is in float64; the first trials see no more than 1000 samples. Losses are in the
    unit of y squared. The search ends early with a network of which ``leaves`` says so.
    """
    quick = task.trial(TRIAL_SAMPLES)

    def make(number: int) -> Generator[None, None, Network]:
        yield from ()  # made in one go
        return sibling(network, task, number) if number else network

    return tournament(
        count,
        make,
        lambda made, _, later: _trial(made, task if later else quick, ROUNDS[later]),
        badness=lambda _, loss: loss,
        is_enough=lambda field, loss: (
            loss**0.5 < GOOD_ENOUGH * task.scale or bool(leaves(field[-1][1]))
        ),
    )


def likeliest_start(
    network: Network, task: DataTask, count: int, *, is_new: bool
) -> Generator[None, None, tuple[Candidate, list[float]]]:
    """Try starts as ``best_start`` does, and take the one that makes the data likeliest.

    The first is the network, and if it is new (nobody has trained or edited it) the likeliest sum
    of functions of single inputs, and the second that sum with a bend behind it.
    """
    has_sum, sums = is_new and has_sums(network), list[Candidate]()

    def make(number: int) -> Generator[None, None, Candidate]:
        if has_sum and number == 0:
            sums.append((yield from Candidate.additive(network, task)))
            return sums[0]
        if has_sum and number == 1:
            return sums[0].livelier()
        if number:
            return Candidate.smooth(sibling(network, task, number), task)
        return Candidate.of(network, task)

    def train(made: Candidate, _: int, later: int) -> Generator[None, None, float]:
        return made.train(task, EVIDENCE_ROUNDS[later])

    def is_enough(field: Entries[Candidate], loss: float) -> bool:
        if loss**0.5 < GOOD_ENOUGH * task.scale:
            return True
        if len(field) < ENOUGH_STARTS:
            return False
        best = min(_unlikely(made) for _, made in field)
        near = (number for number, made in field if _unlikely(made) - best < TWINS)
        return len([number for number in near if number >= SUMS or not has_sum]) >= 2

    best, losses = yield from tournament(
        count, make, train, badness=lambda made, _: _unlikely(made), is_enough=is_enough
    )
    return best.best or best, losses


def _unlikely(made: Candidate) -> float:
    return -made.best.evidence.rank if made.best and made.best.evidence else math.inf


def _trial(network: Network, task: Task, rounds: tuple[int, ...]) -> Generator[None, None, float]:
    """Train in place, with a yield after each step; return the loss."""
    for steps in rounds:
        if task.options.update_grid:
            network.update_grid(task.x, digits=task.network.layers[0].weight.dtype)
        problem = task.problem(network, [smoothness(network, TRIAL_CURVATURE, task.scale)])
        for _ in minimise(problem, steps):
            yield
    return problem.loss()
