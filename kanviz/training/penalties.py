"""Penalties as Levenberg-Marquardt takes them: quadratic forms w^T Q w with one block per edge."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.variance import feature_covariance
from kanviz.training.jacobian import trainable
from kanviz.training.sparsity import Sparsity, importances, network_spread


@dataclass(frozen=True)
class EdgeForms:
    """A sum over edges of ``factors[i, j] * w_ij^T blocks[i] w_ij``, layer by layer.

    ``blocks`` holds (in, features, features) matrices, ``factors`` (in, out) numbers that are 0
    where an edge may not learn. ``gaps`` counts the other numbers after each layer's weight.
    """

    blocks: list[Float[Tensor, "_inputs _features _features"]]
    factors: list[Float[Tensor, "_inputs _outputs"]]
    gaps: list[int]

    def value(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, ""]:
        """Return the penalty at one row of all weights; differentiable."""
        total = weights.new_zeros(())
        for _, weight, block, factor in self._parts(weights):
            total = total + ((weight * (block @ weight)).sum(1) * factor).sum()
        return total

    def in_unit(self, unit: float) -> "EdgeForms":
        """Return the same penalty of a network whose outputs are in ``unit``."""
        return replace(self, factors=[*self.factors[:-1], self.factors[-1] * unit**2])

    def of(self, network: Network) -> Float[Tensor, ""]:
        """Return the penalty of a network's weights; differentiable."""
        numbers = [part for layer in network.layers for part in (layer.tied_weight(), layer.affine)]
        return self.value(torch.cat([part.flatten() for part in numbers]))

    def add(
        self,
        matrix: Float[Tensor, "weights weights"],
        gradient: Float[Tensor, " weights"],
        weights: Float[Tensor, " weights"],
    ) -> None:
        """Add the form to a Gauss-Newton matrix and its half gradient, in place."""
        for start, weight, block, factor in self._parts(weights):
            n_in, n_features, n_out = weight.shape
            size = n_features * n_out
            slope = (block @ weight) * factor.unsqueeze(1)
            gradient[start : start + n_in * size] += slope.flatten()
            for i in range(n_in):
                own = slice(start + i * size, start + (i + 1) * size)
                part = matrix[own, own].view(n_features, n_out, n_features, n_out)
                part.diagonal(dim1=1, dim2=3).add_(block[i].unsqueeze(-1) * factor[i])

    def half_gradient(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return half the gradient: Q w."""
        slope = torch.zeros_like(weights)
        for start, weight, block, factor in self._parts(weights):
            part = (block @ weight) * factor.unsqueeze(1)
            slope[start : start + part.numel()] = part.flatten()
        return slope

    def edge_blocks(self) -> Iterator[Float[Tensor, "_inputs _outputs _features _features"]]:
        """Yield, layer by layer, the block of Q that belongs to each edge."""
        for block, factor in zip(self.blocks, self.factors, strict=True):
            yield block.unsqueeze(1) * factor[..., None, None]

    def _parts(self, weights: Tensor) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
        """Yield (where it starts, weight, blocks, factors) of each layer."""
        start = 0
        for block, factor, gap in zip(self.blocks, self.factors, self.gaps, strict=True):
            shape = (block.shape[0], block.shape[1], factor.shape[1])
            size = math.prod(shape)
            weight = weights[start : start + size].view(shape)
            yield start, weight, block.to(weights), factor.to(weights)
            start += size + gap


@dataclass(frozen=True)
class WrittenForms:
    """Several forms as one matrix, for the many steps in which they stay the same.

    ``forms`` are what it is made of; ``matrix`` is their Q over all weights.
    """

    forms: Sequence["Penalty"]
    matrix: Float[Tensor, "weights weights"]

    @classmethod
    def of(cls, forms: Sequence["Penalty"], n_weights: int, like: Tensor) -> "WrittenForms":
        """Write down forms over so many weights, in dtype and on the device of ``like``."""
        matrix, unused = like.new_zeros(n_weights, n_weights), like.new_zeros(n_weights)
        for form in forms:
            form.add(matrix, unused, unused)
        return cls(forms, matrix)

    def value(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, ""]:
        """Return the penalty at one row of all weights; differentiable."""
        return weights @ (self.matrix @ weights)

    def in_unit(self, unit: float) -> "WrittenForms":
        """Return the same penalty of a network whose outputs are in ``unit``."""
        return self.of([form.in_unit(unit) for form in self.forms], len(self.matrix), self.matrix)

    def add(
        self,
        matrix: Float[Tensor, "weights weights"],
        gradient: Float[Tensor, " weights"],
        weights: Float[Tensor, " weights"],
    ) -> None:
        """Add the form to a Gauss-Newton matrix and its half gradient, in place."""
        matrix += self.matrix
        gradient += self.matrix @ weights

    def half_gradient(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return half the gradient: Q w."""
        return self.matrix @ weights

    def edge_blocks(self) -> Iterator[Float[Tensor, "_inputs _outputs _features _features"]]:
        """Yield, layer by layer, the block of Q that belongs to each edge."""
        for layer in zip(*(form.edge_blocks() for form in self.forms), strict=True):
            yield torch.stack(layer).sum(0)


Penalty = EdgeForms | WrittenForms


def smoothness(network: Network, curvature: float, output_scale: float = 1.0) -> EdgeForms:
    """Return the curvature penalty: ``curvature`` times the squared second differences of coef.

    It keeps a fine grid from following the noise of few points, and says what happens in intervals
    that no point visits (Eilers, Marx, Flexible smoothing with B-splines and penalties, 1996,
    eq. 4). Coefficients of the last layer count in units of ``output_scale``, the standard
    deviation of y, so that ``curvature`` means the same for any unit of y.
    """
    blocks = [
        _second_differences(layer).expand(layer.in_features, -1, -1) for layer in network.layers
    ]
    factors = [curvature * trainable(layer).double() for layer in network.layers]
    factors[-1] = factors[-1] / output_scale**2
    return EdgeForms(blocks, factors, gaps_of(network))


def _second_differences(layer: KANLayer) -> Tensor:
    """D^T D over the features, with zeros for the base function."""
    n_basis, n_features = layer.spec.n_basis, layer.spec.n_features
    identity = torch.eye(n_basis, n_features, dtype=torch.float64, device=layer.weight.device)
    differences = identity.diff(n=2, dim=0) if n_basis > 2 else identity[:0]
    return differences.T @ differences


def sparse_forms(
    network: Network, x: Float[Tensor, "samples inputs"], sparsity: Sparsity
) -> EdgeForms:
    """Return the sparsity penalty as a quadratic that has its slope at the present weights.

    Iteratively re-weighted least squares: the penalty is a concave function of the variances of
    the edges, so its tangent in these variances lies above it, and minimising tangent after
    tangent minimises the penalty (Daubechies et al., Iteratively reweighted least squares
    minimization for sparse recovery, 2010). Falling slopes are taken as 0.
    """
    covariances, inputs = [], x
    with torch.no_grad():
        for layer in network.layers:
            covariances.append(feature_covariance(layer, inputs))
            inputs = layer(inputs)
        _, edges, sums = network_spread(network, x)
    with torch.enable_grad():
        variances = [v.requires_grad_() for v in edges]
        made = [layer.nodes for layer in network.layers]
        penalty = sparsity.weight * sparsity.of(importances(variances, sums, made))
        slopes = torch.autograd.grad(penalty, variances)
    factors = [
        slope.clamp(min=0) * trainable(layer)
        for slope, layer in zip(slopes, network.layers, strict=True)
    ]
    return EdgeForms(covariances, factors, gaps_of(network))


def gaps_of(network: Network) -> list[int]:
    """Return how many numbers of formulas follow each layer's weight, for ``EdgeForms``."""
    return [
        0 if layer.symbols is None else layer.symbols.affine.numel() for layer in network.layers
    ]
