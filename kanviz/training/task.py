"""What a fit is to do, checked and in the dtype of the work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from kanviz.nn import Network
from kanviz.training.equation import Equation
from kanviz.training.forms import EdgeForms
from kanviz.training.levenberg_marquardt import LeastSquares
from kanviz.training.options import FitOptions
from kanviz.training.problem import Problem
from kanviz.training.report import FitReport
from kanviz.training.residuals import ResidualSquares
from kanviz.training.sparsity import Sparsity

Loss = Callable[[Tensor, Tensor], Tensor]

LOSS_FUNCTIONS: dict[str, Loss] = {
    "mse": torch.nn.functional.mse_loss,
    "cross_entropy": torch.nn.functional.cross_entropy,
}


@dataclass(frozen=True)
class Task:
    """All that a fit needs, checked: data in the dtype of the work, names resolved.

    ``scale`` is the standard deviation of y (1 for classes), the unit of the penalties;
    ``validation`` a pair (x, y) or None; ``grids`` the grid sizes in order;
    ``sparsity`` is None where its weight is 0. With an ``equation`` x are its points, y has no
    rows, and ``scale`` is the size of the residuals of u = 0.
    """

    network: Network
    x: Tensor
    y: Tensor
    validation: tuple[Tensor, Tensor] | None
    loss: Loss
    optimizer: str | type[torch.optim.Optimizer]
    grids: Sequence[int]
    scale: float
    sparsity: Sparsity | None
    options: FitOptions
    report: FitReport
    equation: Equation | None = None

    def problem(self, network: Network, penalties: Sequence[EdgeForms]) -> Problem:
        """Return the task as a problem of least squares for a network in float64."""
        if self.equation is not None:
            return ResidualSquares(network, self.equation, penalties, self.scale)
        return LeastSquares(network, self.x, self.y, penalties, self.scale)

    def first(self, samples: int) -> "Task":
        """Return the task with only that many samples; an equation keeps all its points."""
        if self.equation is not None:
            return self
        y = self.y[:samples]
        return replace(self, x=self.x[:samples], y=y, scale=float(y.std(correction=0)) or 1.0)


def name_of(optimizer: str | type[torch.optim.Optimizer]) -> str:
    """Return what reports call an optimizer."""
    return optimizer if isinstance(optimizer, str) else optimizer.__name__


def sparsity_of(options: FitOptions) -> Sparsity | None:
    """Return what was asked for; None for no sparsity, so that none is computed."""
    asked = options.sparsity
    sparsity = asked if isinstance(asked, Sparsity) else Sparsity(asked)
    return sparsity if sparsity.weight else None
