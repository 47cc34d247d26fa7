"""Trying a change inside the network: refit everything briefly, then judge on held-out data."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.errors import deviation_of, relative_error
from kanviz.training.evidence import Smoothing
from kanviz.training.families import family_of
from kanviz.training.gradient import Descent
from kanviz.training.least_squares import LeastSquares, count_of, minimise
from kanviz.training.penalties import Penalty, smoothness

CURVATURE = 1e-10
HELD_OUT = 0.2

Frozen = Sequence[Bool[Tensor, "_edges _numbers"] | None]


@dataclass(frozen=True)
class Judge:
    """Data to refit on, data to judge on, and the unit of the errors.

    For numbers an error is the root mean square on the held-out part as a share of the standard
    deviation of y; for classes the square root of the mean cross entropy. ``smoothing`` is what
    refits keep to where the data have chosen how smooth each curve is. ``weight`` and
    ``weight_held`` say how many times each row counts, None for once each.
    """

    x: Tensor
    y: Tensor
    x_held: Tensor
    y_held: Tensor
    scale: float
    smoothing: Smoothing | None = None
    weight: Tensor | None = None
    weight_held: Tensor | None = None

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
            x=self.x,
            y=self.y,
            loss=torch.nn.functional.cross_entropy,
            evaluate=lambda work, x: (work(x), penalty.of(work)),
            optimizer="lbfgs",
            learning_rate=1.0,
            batch_size=None,
            generator=torch.Generator().manual_seed(0),
            sample_weight=self.weight,
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
