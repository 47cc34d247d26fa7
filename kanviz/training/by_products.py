"""The Gauss-Newton model of a network with many weights: no matrix, only products with it.

A step of conjugate gradients costs two passes through the network, and a few dozen do for a step of
Levenberg-Marquardt, since the model itself is only true nearby: the system is solved the better,
the less damping it needs (Eisenstat, Walker, Choosing the forcing terms in an inexact Newton
method, 1996).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.nn import Network
from kanviz.training.conjugate import conjugate_gradients
from kanviz.training.curvature import LayerBlocks, blocks_of
from kanviz.training.forms import EdgeForms
from kanviz.training.gauss_newton import scales_of
from kanviz.training.jacobian import Jacobian
from kanviz.training.linearise import learning_weights
from kanviz.training.ties import Ties

MOST_PRODUCTS = 100
"""Of a step: where they do not reach the tolerance, more damping is cheaper than more of them."""

PRODUCTS_IN = torch.float32
"""Its rounding is far below what a step leaves undone, and it takes half the time."""


@dataclass(frozen=True)
class ByProducts:
    """The model c + 2 g^T s + s^T A s with A as a product with vectors.

    ``free`` says which weights move: those of learning edges, of locked edges the first.
    """

    jacobian: Jacobian
    penalties: Sequence[EdgeForms]
    ties: Ties
    free: Bool[Tensor, " weights"]
    unit: float
    gradient: Float[Tensor, " weights"]
    blocks: list[LayerBlocks]

    @classmethod
    def at(
        cls,
        network: Network,
        x: Float[Tensor, "samples inputs"],
        y: Float[Tensor, "samples outputs"],
        penalties: Sequence[EdgeForms],
        *,
        weights: Float[Tensor, " weights"],
        unit: float,
        ties: Ties,
        held: Bool[Tensor, " weights"] | None = None,
    ) -> "ByProducts":
        """Return the model of ``unit`` times the squared error, plus penalties, where we are.

        Parameters
        ----------
        network : Network
            In float64, with ``weights`` put in.
        x, y, penalties
            Of the cost.
        weights : (weights,)
            All weights of the network, in the order of ``linearise``.
        unit : float
            Factor of the sum of squares.
        ties : Ties
            Which weights are one and the same.
        held : (weights,) bool, optional
            Weights that stay as they are.
        """
        jacobian = Jacobian(network, x)
        with torch.no_grad():
            slope = unit * jacobian.transposed(network(x) - y)
        for penalty in penalties:
            slope = slope + penalty.half_slope(weights)
        free = ties.collect(learning_weights(network).double()) > 0
        free = free if held is None else free & ~held
        blocks = [block.scaled(unit) for block in blocks_of(jacobian)]
        for penalty in penalties:
            for depth, extra in enumerate(penalty.edge_blocks()):
                blocks[depth] = blocks[depth].with_splines(extra, network.layers[depth])
        gradient = ties.collect(slope) * free
        return cls(jacobian.to(PRODUCTS_IN), penalties, ties, free, unit, gradient, blocks)

    def times(self, change: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return A times a change of the free weights."""
        moved = self.ties.spread(change * self.free)
        image = self.unit * self.jacobian.squared(moved)
        for penalty in self.penalties:
            image = image + penalty.half_slope(moved)
        return self.ties.collect(image) * self.free

    def step(self, damping: float) -> tuple[Tensor, float]:
        """Return about the step of ``Quadratic``, and by how much the model says it wins."""
        extra = damping * scales_of(torch.cat([b.diagonal for b in self.blocks]) * self.free)
        sizes = [len(block.diagonal) for block in self.blocks]
        near = [
            block.damped(part).inverse()
            for block, part in zip(self.blocks, extra.split(sizes), strict=True)
        ]

        def precondition(residual: Tensor) -> Tensor:
            parts = zip(near, residual.split(sizes), strict=True)
            return torch.cat([block.times(part) for block, part in parts]) * self.free

        step, residual = conjugate_gradients(
            lambda change: self.times(change) + extra * change,
            precondition,
            -self.gradient,
            tolerance=tolerance_for(damping),
            most=MOST_PRODUCTS,
        )
        promised = (extra * step + residual - self.gradient) @ step  # A s = -g - r - extra s
        return step, float(promised)


def tolerance_for(damping: float) -> float:
    """Return how well to solve: the less damping is needed, the more the model is worth."""
    return min(1e-1, max(1e-2, math.sqrt(damping)))
