"""The curvature penalty: squared second differences of the coefficients of every edge.

It keeps a fine grid from following the noise of few points, and says what happens in intervals
that no point visits (Eilers, Marx, Flexible smoothing with B-splines and penalties, 1996, eq. 4).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.training.linearise import trainable


class Smoothness:
    """curvature * sum over edges of |second difference of coef|^2 / scale^2, as a quadratic form.

    Parameters
    ----------
    network : Network
        Gives the shapes and which edges may learn; its weights are not kept.
    curvature : float
        Weight of the penalty, at least 0; the coefficients of the last layer are measured in
        units of ``output_scale``, so that it means the same for any unit of y.
    output_scale : float
        Standard deviation of y.
    """

    def __init__(self, network: Network, curvature: float, output_scale: float = 1.0) -> None:
        self.shapes = [layer.weight.shape for layer in network.layers]
        self.live = [trainable(layer).double() for layer in network.layers]
        last = len(network.layers) - 1
        self.forms = [
            curvature / (output_scale**2 if depth == last else 1.0) * _second_differences(layer)
            for depth, layer in enumerate(network.layers)
        ]

    def value(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, ""]:
        """Return the penalty at one row of all weights."""
        total = weights.new_zeros(())
        for weight, form, live in self._parts(weights):
            total = total + torch.einsum("ifo,fg,igo,io->", weight, form, weight, live)
        return total

    def of(self, network: Network) -> Float[Tensor, ""]:
        """Return the penalty of a network's weights, differentiable."""
        return self.value(torch.cat([layer.weight.flatten() for layer in network.layers]))

    def add(
        self,
        matrix: Float[Tensor, "weights weights"],
        gradient: Float[Tensor, " weights"],
        weights: Float[Tensor, " weights"],
    ) -> None:
        """Add the form to a Gauss-Newton matrix and its half gradient, in place."""
        start = 0
        for weight, form, live in self._parts(weights):
            n_in, n_features, n_out = weight.shape
            size = n_features * n_out
            slope = torch.einsum("fg,igo,io->ifo", form, weight, live)
            gradient[start : start + n_in * size] += slope.flatten()
            for i in range(n_in):
                block = matrix[start : start + size, start : start + size]
                block = block.view(n_features, n_out, n_features, n_out)
                block.diagonal(dim1=1, dim2=3).add_(form.unsqueeze(-1) * live[i])
                start += size

    def _parts(self, weights: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return (weight, quadratic form, which edges count) of each layer."""
        pieces = weights.split([shape.numel() for shape in self.shapes])
        shaped = (piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True))
        parts = zip(shaped, self.forms, self.live, strict=True)
        return [(w, form.to(w), live.to(w)) for w, form, live in parts]


def _second_differences(layer: KANLayer) -> Tensor:
    """D^T D over the features, with zeros for the base function."""
    n_basis, n_features = layer.spec.n_basis, layer.spec.n_features
    identity = torch.eye(n_basis, n_features, dtype=torch.float64)
    differences = identity.diff(n=2, dim=0) if n_basis > 2 else identity[:0]
    return differences.T @ differences
