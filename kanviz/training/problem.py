"""What every problem of least squares has in common: all weights of a network as one row."""

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn import Network
from kanviz.training.by_products import ByProducts
from kanviz.training.gauss_newton import Quadratic
from kanviz.training.ties import Ties


@dataclass
class Problem(ABC):
    """A cost in all weights of a network in float64, which is changed in place."""

    network: Network

    @abstractmethod
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, loss), of which the loss is logged; may be inf or NaN."""

    @abstractmethod
    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic | ByProducts:
        """Return the Gauss-Newton model of the cost."""

    @functools.cached_property
    def ties(self) -> Ties:
        """Which weights are one and the same because their edges are locked together."""
        return Ties.of(self.network)

    @torch.no_grad()
    def weights(self) -> Float[Tensor, " weights"]:
        """Return all weights of the network in one row, in the order of ``linearise``."""
        weights = torch.cat([parameter.flatten() for parameter in self._parameters()])
        return self.ties.spread(weights)

    @torch.no_grad()
    def put(self, weights: Float[Tensor, " weights"]) -> None:
        """Write one row of weights into the network."""
        parameters = self._parameters()
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, weights.split(sizes), strict=True):
            parameter.copy_(part.view_as(parameter))

    def _parameters(self) -> list[Tensor]:
        return [parameter for layer in self.network.layers for parameter in layer.parameters()]
