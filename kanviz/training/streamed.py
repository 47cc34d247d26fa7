"""Rows in batches as solvers take them: sums over batches, which hold one batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.stream import Streamed
from kanviz.training.gradient import Batch
from kanviz.training.least_squares import (
    LeastSquares,
    Products,
    Quadratic,
    network_normal_equations,
)


@dataclass
class StreamedRows:
    """Rows for a descent: each batch is a step.

    Parameters
    ----------
    streamed : Streamed
    like : Tensor
        Whose dtype and device the rows get.
    unit : float
        What of y counts as 1.
    generator : torch.Generator, optional
        Shuffles where that is not the user's own matter.
    """

    streamed: Streamed
    like: Tensor
    unit: float
    generator: torch.Generator | None = None
    is_whole = False

    def epoch(self) -> Iterator[Batch]:
        """Yield the rows of each step of an epoch."""
        return self._in_unit(self.generator)

    def parts(self) -> Iterator[Batch]:
        """Yield all rows, some at a time."""
        return self._in_unit(None)

    def _in_unit(self, generator: torch.Generator | None) -> Iterator[Batch]:
        for x, y in self.streamed.batches(self.like, generator):
            yield Batch(x, y / self.unit if self.unit != 1 else y)


@dataclass
class StreamedLeastSquares(LeastSquares):
    """Least squares of rows in batches: cost, matrix and gradient are sums over these.

    ``x`` and ``y`` are those of the sample, and only tell what the others are like.
    """

    streamed: Streamed = field(kw_only=True)

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, loss in y's unit); may be inf or NaN."""
        self.put(weights)
        deviance, n = 0.0, 0
        for x, y, _ in self._parts():
            deviance += len(x) * self.deviance_of(self.network(x), y)
            n += len(x)
        deviance /= n
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        loss = deviance / self.family.deviance_of_loss
        return deviance / self.scale**2 + extra, loss * self.unit**2

    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        """Return the Gauss-Newton model of the cost, with its matrix written down."""
        self.put(weights)
        return self.quadratic(weights)

    @property
    def count(self) -> float:
        """How many numbers y has."""
        return self.streamed.rows * (self.y.numel() / len(self.y))

    def products(self, weights: Float[Tensor, " weights"]) -> Products:
        """Return J^T J and J^T (outputs - y) at weights that were put; both in the unit."""
        if self.known is None or not torch.equal(self.known.weights, weights):
            matrix = weights.new_zeros(len(weights), len(weights))
            gradient = weights.new_zeros(len(weights))
            for x, y, _ in self._parts():
                some, slope = network_normal_equations(self.network, x, y, None, self.family)
                matrix += some
                gradient += slope
            self.known = Products(weights, matrix, gradient)
        return self.known

    def _parts(self) -> Iterator[Batch]:
        return StreamedRows(self.streamed, self.x, self.unit).parts()
