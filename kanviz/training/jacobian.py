"""The Jacobian of a whole network as products with vectors; it is never written down.

A small change of the weights moves the inputs of each layer, and the slopes of the edges carry that
on to the outputs; the transpose goes the same way back (Griewank, Walther, Evaluating derivatives,
2nd edition 2008, sec. 3.1 and 3.2).
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.training.linearise import learning_formulas, trainable

KEPT_NUMBERS = 50_000_000
"""Most numbers (8 bytes each) that are kept between products; beyond they are made again."""

CHUNK_NUMBERS = 4_000_000
"""About as many are worked on at once."""


@dataclass(frozen=True)
class LayerAt:
    """A layer at given inputs, as a linear map of small changes of its weights and inputs.

    ``slopes`` holds the derivative of every edge, None where the inputs are those of the network;
    ``numbers`` the derivatives of formulas in their numbers. Both and ``learns`` are 0 where
    nothing changes.
    """

    layer: KANLayer
    features: Float[Tensor, "samples inputs features"]
    learns: Bool[Tensor, "inputs 1 outputs"]
    slopes: Float[Tensor, "samples inputs outputs"] | None
    numbers: Float[Tensor, "samples symbols 4"] | None

    @classmethod
    def of(
        cls, layer: KANLayer, z: Float[Tensor, "samples inputs"], *, is_first: bool
    ) -> "LayerAt":
        """Return the map of a layer at inputs z."""
        slopes = None if is_first else layer.edge_outputs(z, derivative=1)
        numbers = None
        if layer.symbols is not None:
            numbers = layer.symbols.slopes(z) * learning_formulas(layer).unsqueeze(-1)
        return cls(layer, layer.features(z), trainable(layer).unsqueeze(1), slopes, numbers)

    def push(self, weights: Tensor, moved: Tensor | None) -> Float[Tensor, "samples outputs"]:
        """Return the change of the outputs for changes of the weights and of the inputs."""
        weight, affine = self._split(weights)
        change = self.features.flatten(1) @ (weight * self.learns).flatten(0, 1)
        if moved is not None and self.slopes is not None:
            change = change + torch.bmm(moved.unsqueeze(1), self.slopes).squeeze(1)
        if self.numbers is not None and self.layer.symbols is not None:
            own = (self.numbers * affine.view(-1, 4)).sum(-1)
            change = change.index_add(1, self.layer.symbols.outputs, own)
        return change

    def pull(self, pulled: Float[Tensor, "samples outputs"]) -> Float[Tensor, " weights"]:
        """Return what pulls at the weights where ``pulled`` pulls at the outputs."""
        weight = (self.features.flatten(1).T @ pulled).view_as(self.layer.weight) * self.learns
        parts = [weight.flatten()]
        if self.numbers is not None and self.layer.symbols is not None:
            chosen = pulled[:, self.layer.symbols.outputs]
            parts.append(torch.einsum("nsa,ns->sa", self.numbers, chosen).flatten())
        return torch.cat(parts)

    def carry(self, pulled: Float[Tensor, "samples n outputs"]) -> Tensor | None:
        """Return what pulls at the inputs, (samples, n, inputs); None for the first layer."""
        return None if self.slopes is None else torch.bmm(pulled, self.slopes.mT)

    def to(self, dtype: torch.dtype) -> "LayerAt":
        """Return the same map with its numbers in another dtype."""
        return replace(
            self,
            features=self.features.to(dtype),
            slopes=None if self.slopes is None else self.slopes.to(dtype),
            numbers=None if self.numbers is None else self.numbers.to(dtype),
        )

    @property
    def n_weights(self) -> int:
        """How many weights the layer has, the numbers of its formulas included."""
        return sum(parameter.numel() for parameter in self.layer.parameters())

    def _split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        size = self.layer.weight.numel()
        return weights[:size].view_as(self.layer.weight), weights[size:]


class Jacobian:
    """The derivatives of a network's outputs in all its weights, in the order of ``linearise``.

    Parameters
    ----------
    network : Network
        Must stay as it is while products are asked for.
    x : (samples, inputs)
        In the dtype of the network.
    """

    @torch.no_grad()
    def __init__(self, network: Network, x: Float[Tensor, "samples inputs"]) -> None:
        self.network, self.x, self.dtype = network, x, x.dtype
        per_sample = sum(
            layer.in_features * layer.spec.n_features + layer.mask.numel()
            for layer in network.layers
        )
        self._chunk = max(1, CHUNK_NUMBERS // per_sample)
        is_small = len(x) * per_sample <= KEPT_NUMBERS
        self._kept = list(self._made()) if is_small else None

    @torch.no_grad()
    def times(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, "samples outputs"]:
        """Return J v: how the outputs change when the weights change by v."""
        return torch.cat([_push(chain, weights) for chain in self.chains()])

    @torch.no_grad()
    def transposed(self, pulled: Float[Tensor, "samples outputs"]) -> Float[Tensor, " weights"]:
        """Return J^T u: the sum over samples and outputs of u times the row of J."""
        sizes = [len(chain[0].features) for chain in self.chains()]
        parts = zip(self.chains(), pulled.split(sizes), strict=True)
        return torch.stack([_pull(chain, part) for chain, part in parts]).sum(0)

    @torch.no_grad()
    def squared(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return J^T J v, in the dtype of v."""
        total, v = torch.zeros_like(weights), weights.to(self.dtype)
        for chain in self.chains():
            total += _pull(chain, _push(chain, v))
        return total

    @torch.no_grad()
    def to(self, dtype: torch.dtype) -> "Jacobian":
        """Return the same with its numbers in another dtype, made in that of x."""
        other = copy.copy(self)
        other.dtype = dtype
        if self._kept is not None:
            other._kept = [[layer.to(dtype) for layer in chain] for chain in self._kept]
        return other

    def chains(self) -> Iterator[list[LayerAt]]:
        """Yield the layers, inputs first, at each part of the samples."""
        return self._made() if self._kept is None else iter(self._kept)

    def _made(self) -> Iterator[list[LayerAt]]:
        for z in self.x.split(self._chunk):
            chain = []
            for depth, layer in enumerate(self.network.layers):
                chain.append(LayerAt.of(layer, z, is_first=depth == 0))
                z = layer(z)
            yield [layer.to(self.dtype) for layer in chain]


def _push(chain: list[LayerAt], weights: Tensor) -> Tensor:
    moved = None
    for layer, part in zip(chain, weights.split([at.n_weights for at in chain]), strict=True):
        moved = layer.push(part, moved)
    assert moved is not None
    return moved


def _pull(chain: list[LayerAt], pulled: Tensor) -> Tensor:
    parts, now = [], pulled.unsqueeze(1)
    for layer in reversed(chain):
        parts.append(layer.pull(now.squeeze(1)))
        carried = layer.carry(now)
        now = now if carried is None else carried
    return torch.cat(parts[::-1])
