"""Levenberg-Marquardt: least squares with the exact Jacobian of the whole network.

Each step solves (A + damping * diag(A)) s = -g with A = J^T J, so it is a Gauss-Newton step where
the model is trusted and a short gradient step where it is not. The gain ratio, what a step really
won over what the quadratic model promised, controls the damping (Madsen, Nielsen, Tingleff,
Methods for non-linear least squares problems, 2004, sec. 3.2, eq. 3.14-3.16).

The system is solved by Cholesky, or by conjugate gradients where that pays. CPU seconds of a step
on 2000 samples, one thread, for [10, n, m, 1] of 462, 1876, 4900, 10164 and 19852 weights: Cholesky
0.03, 0.4, 3.4, -, -; conjugate gradients 0.02, 0.05, 0.08, 0.10, 0.15. The matrix takes 1.7, 28,
192, 826 and 3153 MB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.training.by_products import ByProducts
from kanviz.training.forms import EdgeForms
from kanviz.training.gauss_newton import Quadratic
from kanviz.training.linearise import linearise, n_entries, n_weights
from kanviz.training.normal_equations import SPARSE_UP_TO, normal_equations
from kanviz.training.problem import Problem

FIRST_DAMPING = 1e-2
MOST_TRIALS = 12

ALWAYS_EXACT, MOST_EXACT = 500, 5000
"""Up to so many weights the matrix is always written down, and beyond (200 MB) it never is."""

PRODUCTS_OF_A_STEP = 1000
"""Multiplications per sample and weight of a dense matrix product that are worth a step of
conjugate gradients: it takes some 400, but wins less than an exact one."""

ENTRIES_AT_ONCE = 20_000_000


@dataclass
class LeastSquares(Problem):
    """The problem of one round: mean square of (outputs - y) / scale, plus penalties.

    ``network`` is in float64 and is changed in place; ``scale`` is the standard deviation of y;
    ``held`` says which weights, in the order of ``linearise``, stay as they are.
    """

    x: Float[Tensor, "samples inputs"]
    y: Float[Tensor, "samples outputs"]
    penalties: Sequence[EdgeForms]
    scale: float
    held: Bool[Tensor, " weights"] | None = None

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, mean squared error in y's unit); may be inf or NaN."""
        self.put(weights)
        loss = float((self.network(self.x) - self.y).square().mean())
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        return loss / self.scale**2 + extra, loss

    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic | ByProducts:
        """Return the Gauss-Newton model of the cost, as a matrix where that pays."""
        self.put(weights)
        if exact_pays(len(weights), n_entries(self.network), self.y.numel()):
            return self._quadratic(weights)
        return ByProducts.at(
            self.network,
            self.x,
            self.y,
            self.penalties,
            weights=weights,
            unit=self._unit,
            ties=self.ties,
            held=self.held,
        )

    @property
    def _unit(self) -> float:
        return 1 / (self.y.numel() * self.scale**2)

    def _quadratic(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        total = n_weights(self.network)
        matrix, gradient = weights.new_zeros(total, total), weights.new_zeros(total)
        edges = sum(layer.mask.numel() for layer in self.network.layers)
        chunk = max(1, ENTRIES_AT_ONCE // (8 * edges * self.y.shape[1]))
        for x, y in zip(self.x.split(chunk), self.y.split(chunk), strict=True):
            rows = linearise(self.network, x)
            part, slope = normal_equations(rows, rows.outputs - y, total)
            matrix += part
            gradient += slope
        matrix *= self._unit
        gradient *= self._unit
        for penalty in self.penalties:
            penalty.add(matrix, gradient, weights)
        matrix, gradient = self.ties.gather(matrix, gradient)
        if self.held is not None:
            matrix[self.held] = 0
            matrix[:, self.held] = 0
            gradient[self.held] = 0
        return Quadratic(matrix, gradient)


def exact_pays(n: int, n_entries: int, n_residuals: int) -> bool:
    """Return whether steps by Cholesky are worth more than those by conjugate gradients.

    Fine grids keep the rows of the Jacobian sparse, so that narrow networks stay exact for long.

    Parameters
    ----------
    n : int
        Weights.
    n_entries : int
        Entries of a row of the Jacobian that may be other than 0.
    n_residuals : int
        Samples times outputs.
    """
    if not ALWAYS_EXACT < n <= MOST_EXACT:
        return n <= ALWAYS_EXACT
    per_row = min((n_entries / SPARSE_UP_TO) ** 2, n**2)
    return n_residuals * per_row + n**3 / 6 <= PRODUCTS_OF_A_STEP * n_residuals * n


def minimise(
    problem: Problem,
    steps: int,
    on_step: Callable[[float], bool] = lambda _: True,
    *,
    tolerance: float = 1e-7,
) -> str:
    """Take up to ``steps`` Levenberg-Marquardt steps in place; a step that is worse is undone.

    Parameters
    ----------
    problem : Problem
        Holds the network (float64) that is trained.
    steps : int
        Most accepted steps.
    on_step : callable
        Called with the mean squared error after each accepted step; False stops.
    tolerance : float
        Three relative decreases in a row below it count as converged.

    Returns
    -------
    str
        ``"steps"``, ``"converged"``, ``"no better step"`` or ``"stopped"``.
    """
    weights = problem.weights()
    cost, _ = problem.cost(weights)
    damping, small = FIRST_DAMPING, 0
    for _ in range(steps):
        step = _better_step(problem, weights, cost, damping)
        if step is None:
            problem.put(weights)
            return "no better step"
        weights, (new_cost, loss), damping = step
        small = small + 1 if cost - new_cost < tolerance * cost else 0
        cost = new_cost
        if not on_step(loss):
            return "stopped"
        if small == 3 or cost == 0:
            return "converged"
    return "steps"


def _better_step(
    problem: Problem, weights: Tensor, cost: float, damping: float
) -> tuple[Tensor, tuple[float, float], float] | None:
    """Return (weights, (cost, loss), next damping) of the first step that lowers the cost."""
    model = problem.model(weights)
    growth = 2.0
    for _ in range(MOST_TRIALS):
        found = model.step(damping)
        if found is not None:
            step, promised = found
            trial = problem.ties.spread(weights + step)
            new_cost, loss = problem.cost(trial)
            if new_cost < cost:  # false for NaN: such a step is undone and damped
                gain = (cost - new_cost) / max(promised, 1e-300)
                damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3) if gain < 2 else 1 / 3
                return trial, (new_cost, loss), max(damping, 1e-15)
        damping *= growth
        growth *= 2
    return None
