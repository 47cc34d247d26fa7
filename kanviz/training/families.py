"""How y scatters around what a network says: what Levenberg-Marquardt makes small, and its metric.

A family gives the deviance of each row, minus twice the logarithm of how likely y is but for a
constant, and a root R of the Fisher information of the row in the network's outputs, with a
residual z: near the present outputs the deviance is about |R (change of outputs) + z|^2. So the
matrix of a step is (R J)^T (R J) and its gradient (R J)^T z: Fisher scoring, or iteratively
reweighted least squares, of a model that is not linear (McCullagh, Nelder, Generalized linear
models, 2nd edition 1989, sec. 2.5; Green, Iteratively reweighted least squares for maximum
likelihood estimation, 1984).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from kanviz.data.scaling import mean_of

Outputs = Float[Tensor, "samples outputs"]
Targets = Shaped[Tensor, "samples ..."]
Each = Float[Tensor, " samples"]
Roots = Float[Tensor, "samples rows outputs"]


class Family(ABC):
    """One kind of y; ``deviance_of_loss`` is how many times the loss the mean deviance is."""

    has_noise = False
    """Whether there is a variance to find; else y scatters as the outputs say."""

    deviance_of_loss = 1.0

    @abstractmethod
    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return the deviance of each row, at least 0."""

    @abstractmethod
    def working(
        self, outputs: Outputs, y: Targets
    ) -> tuple[Roots | None, Float[Tensor, "samples rows"]]:
        """Return the root R of each row's metric, None where it is 1, and the residual z."""

    def some(self, outputs: Outputs) -> Tensor:
        """Return some y, for what depends on the outputs alone."""
        return torch.zeros_like(outputs)

    def at(self, noise: float) -> "Family":
        """Return the same where the noise is known, a standard deviation in the unit of y."""
        del noise  # of most families the deviance does not depend on it
        return self

    def in_unit(self, unit: float) -> "Family":
        """Return the same for y and outputs in another unit."""
        del unit
        return self


class Numbers(Family):
    """Numbers with noise of one variance: least squares."""

    has_noise = True

    def variance(
        self, residuals: Outputs, sample_weight: Float[Tensor, " samples"] | None, dof: float
    ) -> float:
        """Return the variance of the noise by what is left, with so many degrees of freedom."""
        squares = float(mean_of(residuals.square(), sample_weight).mean())
        n = float(residuals.numel())
        if sample_weight is not None:
            n = float(sample_weight.sum()) * residuals.shape[1]
        return n * squares / max(n - dof, LEAST_LEFT * n)

    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return the sum of the squares of each row."""
        return (outputs - y).square().sum(1)

    def working(
        self, outputs: Outputs, y: Targets
    ) -> tuple[Roots | None, Float[Tensor, "samples rows"]]:
        """Return the differences from y."""
        return None, outputs - y


BEND, FAR = 1.345, 2.5
"""Deviations of the noise beyond which a residual counts by its size, not by its square: of normal
noise the estimates keep 95 % of their efficiency (Huber, Robust statistics, 1981, sec. 4.5); and
beyond which it is none of those that the noise is told by."""

MAD = 1.4826
"""Deviation of a normal variable over the median of its size."""


@dataclass(frozen=True)
class Robust(Numbers):
    """Numbers of which some are far off: Huber's loss, with the weights that its slopes give.

    A residual r counts by r^2 up to b = ``BEND`` times the noise, beyond by 2 b |r| - b^2, which is
    the square with the weight b / |r| (Huber, Robust estimation of a location parameter, 1964;
    Holland, Welsch, Robust regression using iteratively reweighted least-squares, 1977).

    Parameters
    ----------
    noise : float
        Standard deviation of the noise of most rows, in the unit of y.
    """

    noise: float = math.inf

    def at(self, noise: float) -> "Robust":
        """Return the same where the noise is known."""
        return replace(self, noise=noise)

    def in_unit(self, unit: float) -> "Robust":
        """Return the same for y and outputs in another unit."""
        return replace(self, noise=self.noise / unit)

    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return Huber's loss of each row, of residuals near 0 the sum of their squares."""
        size, bend = (outputs - y).abs(), BEND * self.noise
        return torch.where(size <= bend, size.square(), 2 * bend * size - bend**2).sum(1)

    def working(self, outputs: Outputs, y: Targets) -> tuple[Roots, Float[Tensor, "samples rows"]]:
        """Return roots of the weights, and the differences times these."""
        left = outputs - y
        roots = (BEND * self.noise / left.abs()).clamp(max=1).sqrt().nan_to_num(nan=1.0)
        return torch.diag_embed(roots), roots * left

    def weight(
        self, outputs: Outputs, y: Targets, sample_weight: Float[Tensor, " samples"] | None
    ) -> Each:
        """Return how much each row counts in squares, as its farthest number does."""
        least = (BEND * self.noise / (outputs - y).abs()).clamp(max=1).nan_to_num(nan=1.0).amin(1)
        return least if sample_weight is None else least * sample_weight

    def is_far(self, outputs: Outputs, y: Targets) -> Outputs:
        """Return True for each number that is too far off to be noise."""
        return (outputs - y).abs() > FAR * self.noise

    def surprise(
        self,
        outputs: Outputs,
        y: Targets,
        sample_weight: Float[Tensor, " samples"] | None,
        scale: float,
    ) -> float:
        """Return minus twice the logarithm of how likely y is, in units of ``scale``.

        Of a mixture: what is no noise is one number in ``ONE_IN``, anywhere in the range of y. By
        Huber's own density, noise that is many times too large would be the likelier one.
        """
        noise = self.noise / scale
        near = ((outputs - y) / self.noise).square() + math.log(2 * math.pi * noise**2)
        width = (y.amax(0) - y.amin(0)) / scale
        far = 2 * (width * ONE_IN).clamp(min=1e-300).log()
        each = torch.minimum(near, far.expand_as(near)).sum(1)
        total = len(y) if sample_weight is None else float(sample_weight.sum())
        return total * float(mean_of(each, sample_weight))

    def variance(
        self, residuals: Outputs, sample_weight: Float[Tensor, " samples"] | None, dof: float
    ) -> float:
        """Return the variance of the noise of those rows that are not far off.

        From the median of the sizes on, those within ``FAR`` deviations are taken, and the
        deviation from those, as a normal variable has it that was cut off there.
        """
        size = residuals.abs()
        weight = torch.ones_like(size)
        if sample_weight is not None:
            weight = weight * sample_weight.unsqueeze(1)
        order = size.flatten().argsort()
        reached = weight.flatten()[order].cumsum(0)
        middle = int((reached < reached[-1] / 2).sum())
        found = MAD * float(size.flatten()[order[middle]])
        density = math.exp(-(FAR**2) / 2) / math.sqrt(2 * math.pi)
        inside = math.erf(FAR / math.sqrt(2))
        seen = 1 - 2 * FAR * density / inside  # share of the variance that is within
        for _ in range(ROUNDS_OF_NOISE):
            near = weight * (size <= FAR * found)
            n = float(near.sum())
            total = float((near * size.square()).sum())
            found = math.sqrt(total / (seen * max(n - dof, LEAST_LEFT * n, 1e-300)))
        return found**2


@dataclass(frozen=True)
class Counts(Family):
    """Counts, whose logarithm of the mean is the output: Poisson.

    Parameters
    ----------
    shift : tuple of float
        Of each output: the logarithm of the mean where the network says 0.
    """

    shift: tuple[float, ...]
    deviance_of_loss = 2.0

    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return 2 (y log(y / mean) - y + mean) of each row, added up over the outputs."""
        return 2 * self._halves(outputs, y).sum(1)

    def loss(self, outputs: Outputs, y: Targets, reduction: str = "mean") -> Tensor:
        """Return half the deviance, as torch has its losses: the mean, or that of each number."""
        halves = self._halves(outputs, y)
        return halves if reduction == "none" else halves.mean()

    def _halves(self, outputs: Outputs, y: Targets) -> Outputs:
        logs = outputs + outputs.new_tensor(self.shift)
        return torch.xlogy(y, y) - y * logs - y + logs.exp()

    def working(self, outputs: Outputs, y: Targets) -> tuple[Roots, Float[Tensor, "samples rows"]]:
        """Return the roots of the means, which are the Fisher information, and the residuals."""
        mean = (outputs + outputs.new_tensor(self.shift)).exp()
        roots = mean.sqrt().clamp(min=LEAST_ROOT)
        return torch.diag_embed(roots), (mean - y) / roots


class Classes(Family):
    """Classes, whose probabilities are the softmax of the outputs: cross entropy.

    With p the probabilities the Fisher information is diag(p) - p p^T. R = diag(q) - q p^T with q
    the square roots of p is a root of it, and R^T z = p - y for z = (p - y) / q. Of two classes the
    one row (p_0 p_1)^(1/2) (-1, 1) is a root as well.
    """

    deviance_of_loss = 2.0

    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return twice the cross entropy of each row."""
        found: Tensor = 2 * torch.nn.functional.cross_entropy(outputs, y, reduction="none")
        return found

    def working(self, outputs: Outputs, y: Targets) -> tuple[Roots, Float[Tensor, "samples rows"]]:
        """Return the root of the Fisher information and the residual in it."""
        logs = torch.log_softmax(outputs, dim=1)
        shares = logs.exp()
        # Where a row is certain the metric is 0, and z without bound if the row is wrong.
        roots = (logs / 2).exp().clamp(min=LEAST_ROOT)
        one = torch.nn.functional.one_hot(y, outputs.shape[1]).to(outputs)
        if outputs.shape[1] == 2:
            both = roots.prod(1, keepdim=True)
            sign = outputs.new_tensor([-1.0, 1.0])
            return both.unsqueeze(2) * sign, (shares - one)[:, 1:] / both
        return torch.diag_embed(roots) - roots.unsqueeze(2) * shares.unsqueeze(1), (
            shares - one
        ) / roots

    def some(self, outputs: Outputs) -> Tensor:
        """Return the first class everywhere."""
        return torch.zeros_like(outputs[:, 0], dtype=torch.int64)


ONE_IN = 20.0
"""Of how many numbers one is thought to be no noise."""

LEAST_LEFT = 0.05
"""Share of the data that count as left to tell the noise by, at least."""

ROUNDS_OF_NOISE = 20
"""In which the noise of the rows that are near settles."""

LEAST_ROOT = 1e-6
"""Square root of a probability, at least: what is less likely is not told from it by a step."""

NUMBERS, ROBUST, CLASSES = Numbers(), Robust(), Classes()


def family_of(y: Targets) -> Family:
    """Return how y scatters: as classes where it holds their numbers."""
    return NUMBERS if y.is_floating_point() else CLASSES
