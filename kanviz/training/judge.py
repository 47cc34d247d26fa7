"""Trying a change inside the network: refit everything briefly, then judge on held-out data."""

import copy
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool
from torch import Tensor

from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.doubt import Doubt
from kanviz.training.errors import deviation_of, relative_error
from kanviz.training.evidence import NO_RESIDUAL, Neighbours, Smoothing
from kanviz.training.families import family_of
from kanviz.training.gradient import Descent, HeldRows
from kanviz.training.jacobian import learning_weights
from kanviz.training.least_squares import LeastSquares, count_of, minimise
from kanviz.training.penalties import Penalty, smoothness
from kanviz.training.task import FitOptions, prepare

CURVATURE = 1e-10
HELD_OUT = 0.2

Frozen = Sequence[Bool[Tensor, "_edges _numbers"] | None]


@dataclass(frozen=True)
class Judge:
    """Data to refit on, data to judge on, and the unit of the errors.

    For numbers an error is the root mean square on the held-out part as a share of the standard
    deviation of y; for classes the square root of the mean cross entropy. ``smoothing`` is what
    refits keep to where the data have chosen how smooth each curve is. ``weight`` and
    ``weight_held`` say how many times each row counts, None for once each. ``noise`` is that of
    y in the unit of the errors, where it is known: then all training rows judge, and what an error
    may rise by is asked of chance.
    """

    x: Tensor
    y: Tensor
    x_held: Tensor
    y_held: Tensor
    scale: float
    smoothing: Smoothing | None = None
    weight: Tensor | None = None
    weight_held: Tensor | None = None
    noise: float | None = None

    @property
    def unit_of_chance(self) -> float | None:
        """By how much the square of an error rises where the deviance rises by 1, if known."""
        if self.noise is None:
            return None
        return self.noise**2 / count_of(self.y_held, self.weight_held)

    @property
    def is_classification(self) -> bool:
        """Whether y holds class numbers."""
        return not self.y.is_floating_point()

    @torch.no_grad()
    def error(self, network: Network) -> float:
        """Return the error on the held-out part; NaN and inf count as inf."""
        return self.error_of(network(self.x_held))

    @torch.no_grad()
    def error_of(self, outputs: Tensor) -> float:
        """Return the error of outputs (samples, outputs) at the held-out points."""
        return relative_error(outputs, self.y_held, self.scale, self.weight_held)

    def refit(self, network: Network, steps: int, frozen: Frozen | None = None) -> None:
        """Train all that may learn in place, on the training part; never to a worse loss.

        Parameters
        ----------
        network : Network
            In float64.
        steps : int
            Most steps.
        frozen : one (edges, numbers) bool tensor or None per layer, optional
            True for each number of a formula that stays as it is. A classifier whose smoothness
            the data did not choose is left as it is.
        """
        penalty = smoothness(network, CURVATURE, self.scale)
        if not self.is_classification or self.smoothing is not None:
            kept = None if frozen is None else _frozen_weights(network, frozen)
            penalties: list[Penalty] = [penalty]
            if self.smoothing is not None:
                n = count_of(self.y, self.weight)
                penalties = [*self.smoothing.penalties(network, n, self.scale)]
            problem = LeastSquares(
                network,
                self.x,
                self.y,
                penalties,
                self.scale,
                kept,
                sample_weight=self.weight,
                family=family_of(self.y),
            )
            deque(minimise(problem, steps), maxlen=0)
            return
        if frozen is not None:  # its optimizer cannot freeze single numbers
            return
        descent = Descent(
            network=network,
            rows=HeldRows(self.x, self.y, self.weight),
            loss=torch.nn.functional.cross_entropy,
            evaluate=lambda work, x: (work(x), penalty.of(work)),
            optimizer="lbfgs",
            learning_rate=1.0,
        )
        deque(descent.run(steps), maxlen=0)


def _frozen_weights(network: Network, frozen: Frozen) -> Bool[Tensor, " weights"]:
    """Return which of all weights are frozen, in the order of ``linearise``."""
    parts = []
    for layer, numbers in zip(network.layers, frozen, strict=True):
        parts.append(torch.zeros(layer.weight.numel(), dtype=torch.bool))
        if layer.symbols is not None:
            none = torch.zeros(layer.symbols.affine.shape, dtype=torch.bool)
            parts.append((none if numbers is None else numbers).flatten())
    return torch.cat(parts).to(network.layers[0].weight.device)


def noisy_judge_of(data: Dataset, doubt: Doubt) -> Judge:
    """Return a judge by the likelihood, for data whose noise a fit has found.

    What was learnt is as smooth as the data ask for, so that no rows need be held out for it.
    """
    held = replace(data, x_test=data.x, y_test=data.y, sample_weight_test=None)
    judge = judge_of(held, smoothing=doubt.smoothing)
    noise = math.sqrt(0.5) if judge.is_classification else doubt.noise / judge.scale
    return replace(judge, noise=noise, weight_held=data.sample_weight)


TRIED_GRIDS, STEPS_OF_GRID = 3, 20
"""Grids, each twice as fine as the last one, and steps on each, to tell noise from what splines are
too coarse for."""


def measured_judge_of(data: Dataset, network: Network, *, seed: int = 0) -> Judge:
    """Return a judge by the likelihood where a network's residuals show noise; else ``judge_of``.

    Where they are what the splines are too coarse for, so that neighbours share them, finer ones
    tell whether there is noise below.
    """
    judge, task = judge_of(data, seed=seed), prepare(network, data, FitOptions())
    if judge.is_classification or len(task.x) < 2:
        return judge
    near, work = Neighbours(task), copy.deepcopy(network)
    if not near.can_tell:
        return judge
    for _ in range(TRIED_GRIDS):
        n, free = count_of(task.y, task.sample_weight), int(learning_weights(work).sum())
        error = relative_error(work(task.x), task.y, task.scale, task.sample_weight)
        if error < NO_RESIDUAL or free > n / 4:
            return judge
        if near.find_noise(work):
            held = replace(data, x_test=data.x, y_test=data.y, sample_weight_test=None)
            noise = error / math.sqrt(1 - free / n)
            found = judge_of(held)
            return replace(found, noise=noise, weight_held=data.sample_weight)
        work.refine(2 * work.layers[0].spec.grid_size)
        work.update_grid(task.x)
        problem = task.problem(work, [smoothness(work, CURVATURE, task.scale)])
        deque(minimise(problem, STEPS_OF_GRID), maxlen=0)
    return judge


def doubt_after(network: Network, data: Dataset, judge: Judge) -> Doubt:
    """Return what the data leave open of a network that was judged by the likelihood."""
    smoothing = judge.smoothing or Smoothing.first(network)
    family = family_of(data.y)
    if judge.noise is not None and family.has_noise:
        smoothing = replace(smoothing, variance=judge.noise**2)
    y = data.y.double() if family.has_noise else None
    return Doubt.of(network, data.x.double(), smoothing, judge.scale, data.sample_weight, family, y)


def judge_of(data: Dataset, *, smoothing: Smoothing | None = None, seed: int = 0) -> Judge:
    """Return a judge in float64; without a test part a fifth of the training data is held out."""
    x, y = data.x.double(), data.y.double() if data.y.is_floating_point() else data.y
    weight, weight_held = data.sample_weight, data.sample_weight_test
    if data.x_test is not None and data.y_test is not None:
        x_held, y_held = data.x_test.double(), data.y_test.to(y.dtype)
    else:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
        order = order.to(x.device)
        held = max(1, round(HELD_OUT * len(x)))
        x_held, y_held = x[order[:held]], y[order[:held]]
        x, y = x[order[held:]], y[order[held:]]
        if weight is not None:
            weight, weight_held = weight[order[held:]], weight[order[:held]]
    scale = 1.0 if data.is_classification else deviation_of(y, weight)
    return Judge(x, y, x_held, y_held, scale, smoothing, weight, weight_held)
