"""The residuals of an equation as a problem of least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.training.equation import Equation
from kanviz.training.forms import EdgeForms
from kanviz.training.gauss_newton import Quadratic
from kanviz.training.linearise import learning_weights
from kanviz.training.problem import Problem


@dataclass
class ResidualSquares(Problem):
    """The problem of one round: mean square of the residuals over ``scale``, plus penalties.

    ``network`` is in float64 and is changed in place; ``scale`` is the size of the residuals of
    u = 0, the unit of the penalties.
    """

    equation: Equation
    penalties: Sequence[EdgeForms]
    scale: float

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, mean squared residual); may be inf or NaN."""
        self.put(weights)
        loss = float(self.equation.values(self.network).square().mean())
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        return loss / self.scale**2 + extra, loss

    @torch.no_grad()
    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        """Return the Gauss-Newton model of the cost."""
        self.put(weights)
        residuals, slopes = self.equation.linearised(self.network)
        slopes = slopes * learning_weights(self.network).unsqueeze(1)
        unit = 1 / (len(residuals) * self.scale**2)
        matrix, gradient = unit * (slopes @ slopes.T), unit * (slopes @ residuals)
        for penalty in self.penalties:
            penalty.add(matrix, gradient, weights)
        return Quadratic(*self.ties.gather(matrix, gradient))
