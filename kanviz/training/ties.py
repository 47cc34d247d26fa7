"""Weights that are one and the same, because their edges are locked, as least squares sees them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.ties import tied_rows, tied_weight


@dataclass(frozen=True)
class Ties:
    """For each weight, in the order of ``linearise``, the one that it equals; None if all are free.

    With P the matrix that copies free weights to all, the model of a cost with matrix A and slope g
    has P^T A P and P^T g as matrix and slope in the free weights; the places of the others get 0.
    """

    sources: Int[Tensor, " weights"] | None

    @classmethod
    def of(cls, network: Network) -> "Ties":
        """Return the ties of a network as it is now."""
        if not any(bool(layer.locked.any()) for layer in network.layers):
            return cls(None)
        parts, start = [], 0
        for layer in network.layers:
            own = torch.cat([part.flatten() for part in _sources(layer)])
            parts.append(start + own)
            start += len(own)
        return cls(torch.cat(parts))

    def spread(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return the weights with each as the one that it equals."""
        return weights if self.sources is None else weights[self.sources]

    def gather(
        self, matrix: Float[Tensor, "weights weights"], slope: Float[Tensor, " weights"]
    ) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
        """Return matrix and slope in the free weights."""
        if self.sources is None:
            return matrix, slope
        rows = torch.zeros_like(matrix).index_add(0, self.sources, matrix)
        both = torch.zeros_like(matrix).index_add(1, self.sources, rows)
        return both, self.collect(slope)

    def collect(self, slope: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return a slope in the free weights."""
        if self.sources is None:
            return slope
        return torch.zeros_like(slope).index_add(0, self.sources, slope)


def _sources(layer: KANLayer) -> list[Tensor]:
    """Return the place of the weight that each number of a layer equals, for each parameter."""
    places = torch.arange(layer.weight.numel(), device=layer.weight.device)
    found = [tied_weight(places.view_as(layer.weight), layer.leaders)]
    if layer.symbols is not None:
        rows = tied_rows(layer.symbols.inputs, layer.symbols.outputs, layer.leaders)
        four = torch.arange(4, device=rows.device)
        found.append(layer.weight.numel() + 4 * rows.unsqueeze(-1) + four)
    return found
