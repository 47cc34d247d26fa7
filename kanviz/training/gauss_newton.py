"""The Gauss-Newton model of a cost around one point, and the damped steps that it asks for.

The model of the cost at a step s is c + 2 g^T s + s^T A s, with A = J^T J and penalties.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SMALLEST_DIAGONAL = 1e-6
"""Share of the largest diagonal entry that each entry counts for at least, so that a coefficient
without data is damped too."""


@dataclass(frozen=True)
class Quadratic:
    """The model with A written down, for up to a few thousand weights: exact steps."""

    matrix: Float[Tensor, "weights weights"]
    gradient: Float[Tensor, " weights"]

    def step(self, damping: float) -> tuple[Tensor, float] | None:
        """Return s with (A + damping * diag(A)) s = -g, and by how much the model says it wins.

        None where rounding leaves the matrix without an inverse: more damping helps.
        """
        matrix, gradient = self.matrix, self.gradient
        scales = scales_of(matrix.diagonal())
        factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag(damping * scales))
        if int(failed):
            return None
        step = -torch.cholesky_solve(gradient.unsqueeze(-1), factor).squeeze(-1)
        return step, -float(2 * gradient @ step + step @ (matrix @ step))


def scales_of(diagonal: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
    """Return what the damping multiplies: the diagonal of A, nowhere too small."""
    return diagonal.clamp(min=SMALLEST_DIAGONAL * float(diagonal.max()) + 1e-300)
