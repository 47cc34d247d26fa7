"""How y scatters around what a network says: what Levenberg-Marquardt makes small, and its metric.

A family gives the deviance of each row, minus twice the logarithm of how likely y is but for a
constant, and a root R of the Fisher information of the row in the network's outputs, with a
residual z: near the present outputs the deviance is about |R (change of outputs) + z|^2. So the
matrix of a step is (R J)^T (R J) and its gradient (R J)^T z: Fisher scoring, or iteratively
reweighted least squares, of a model that is not linear (McCullagh, Nelder, Generalized linear
models, 2nd edition 1989, sec. 2.5; Green, Iteratively reweighted least squares for maximum
likelihood estimation, 1984).
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

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


class Numbers(Family):
    """Numbers with noise of one variance: least squares."""

    has_noise = True

    def deviance(self, outputs: Outputs, y: Targets) -> Each:
        """Return the sum of the squares of each row."""
        return (outputs - y).square().sum(1)

    def working(self, outputs: Outputs, y: Targets) -> tuple[None, Float[Tensor, "samples rows"]]:
        """Return the differences from y."""
        return None, outputs - y


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


LEAST_ROOT = 1e-6
"""Square root of a probability, at least: what is less likely is not told from it by a step."""

NUMBERS, CLASSES = Numbers(), Classes()


def family_of(y: Targets) -> Family:
    """Return how y scatters: as classes where it holds their numbers."""
    return NUMBERS if y.is_floating_point() else CLASSES
