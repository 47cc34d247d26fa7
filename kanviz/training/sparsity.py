"""The sparsity penalty: an L1 norm and an entropy over what the edges really do with the data.

The variance of an edge's output is a quadratic form in its coefficients, c^T C c, where C is the
covariance of the features of its input: exact, and nothing of size (samples, in, out) is made.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_choice
from kanviz.nn import KANLayer, Network

SparsityMetric = Literal["std", "abs", "weights"]

FLOOR = 1e-4
"""Spread of an edge, in units of its node's, that counts as none; keeps the root differentiable."""


@dataclass(frozen=True)
class Sparsity:
    """How strongly few edges are preferred to many, and how "much edge" is measured.

    The penalty is ``weight * sum over layers of (l1 * |A| + entropy * S(A))`` with |A| the sum of
    a layer's importances A and S their entropy (Liu et al., KAN, 2024, eq. 2.17-2.20). For squared
    loss ``weight`` is relative to the variance of y, so it means the same for any unit.

    Parameters
    ----------
    weight : float
        At least 0; 1e-4 to 1e-2 does for most data.
    l1, entropy : float
        Shares of the two terms, at least 0.
    metric : str
        ``"std"`` (default): the edge's part in the spread of the output. Edge (i, j) has the
        standard deviation of its output over that of node j, times the importance of node j, which
        is the sum over the edges that leave it (backward attribution, Liu et al., KAN 2.0, 2024).
        Stretching a node's inputs and squeezing its outgoing functions to match changes none of
        these numbers, so scale that moves between layers cannot cheat the penalty.
        ``"abs"``: the paper's mean magnitude, expanded to (samples, in, out); for teaching.
        ``"weights"``: the mean magnitude of the coefficients, which never sees the data.

    Raises
    ------
    ValueError
        If a number is negative or the metric unknown.
    """

    weight: float
    l1: float = 1.0
    entropy: float = 2.0
    metric: SparsityMetric = "std"

    def __post_init__(self) -> None:
        """Check every field."""
        check_choice("metric", self.metric, get_args(SparsityMetric))
        for name in ("weight", "l1", "entropy"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be at least 0; got {value!r}. Try 1e-3 for weight.")

    def penalty(self, network: Network, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, ""]:
        """Return the penalty on a sample, without ``weight``; differentiable to any order."""
        if self.metric == "std":
            spreads = edge_spreads(network, x)
            return self.of(importances(spreads.edges, spreads.nodes))
        measure = _magnitudes if self.metric == "abs" else _coefficients
        return self.of(measure(network, x))

    def of(self, layers: list[Float[Tensor, "_inputs _outputs"]]) -> Float[Tensor, ""]:
        """Return the penalty of given importances of all layers, without ``weight``."""
        total = layers[0].new_zeros(())
        for matrix in layers:
            share = matrix / matrix.sum().clamp(min=torch.finfo(matrix.dtype).tiny)
            total = total + self.l1 * matrix.sum() - self.entropy * torch.xlogy(share, share).sum()
        return total


@dataclass(frozen=True)
class Spreads:
    """Second moments of a network on a sample.

    ``covariances`` per layer (in, features, features); ``edges`` the variances (in, out) of the
    edge outputs; ``nodes`` the standard deviations (out,) of the sums.
    """

    covariances: list[Tensor]
    edges: list[Tensor]
    nodes: list[Tensor]


def edge_spreads(network: Network, x: Float[Tensor, "samples inputs"]) -> Spreads:
    """Return the exact second moments of every edge, without expanding a layer."""
    spreads = Spreads([], [], [])
    for layer in network.layers:
        features, weight = layer.features(x), layer.live_weight()
        covariance = feature_covariance(features)
        spreads.covariances.append(covariance)
        variances, outputs = _forms(weight, covariance), features.flatten(-2) @ weight.flatten(0, 1)
        if layer.symbols is not None:
            values = layer.symbol_outputs(x)
            where = layer.symbols.inputs, layer.symbols.outputs
            variances = variances.index_put(where, values.var(0, correction=0))
            outputs = outputs.index_add(-1, layer.symbols.outputs, values)
        spreads.edges.append(variances)
        x = outputs
        spreads.nodes.append(x.var(0, correction=0).clamp(min=0).sqrt())
    return spreads


def feature_covariance(
    features: Float[Tensor, "samples inputs features"],
) -> Float[Tensor, "inputs features features"]:
    """Return C_i = cov(features of input i): the seam for a kernel that uses only active values."""
    centred = (features - features.mean(0)).movedim(0, 1)
    return centred.mT @ centred / features.shape[0]


def importances(
    edges: list[Float[Tensor, "_inputs _outputs"]], nodes: list[Float[Tensor, " _outputs"]]
) -> list[Float[Tensor, "_inputs _outputs"]]:
    """Return each edge's part in the spread of the output, from edge variances and node spreads."""
    above = torch.ones_like(nodes[-1]) / len(nodes[-1])
    found: list[Tensor] = []
    for variance, spread in zip(reversed(edges), reversed(nodes), strict=True):
        unit = spread.clamp(min=torch.finfo(spread.dtype).tiny ** 0.5)
        found.insert(0, above * (variance / unit**2 + FLOOR**2).sqrt())
        above = found[0].sum(1)
    return found


def _forms(weight: Tensor, covariance: Tensor) -> Tensor:
    """Return w^T C w for every edge; rounding never makes it negative."""
    return (weight * (covariance @ weight)).sum(1).clamp(min=0)


def _magnitudes(network: Network, x: Tensor) -> list[Tensor]:
    found = []
    for layer in network.layers:
        outputs = layer.edge_outputs(x)
        found.append(outputs.abs().mean(0))
        x = outputs.sum(1)
    return found


def _coefficients(network: Network, _: Tensor) -> list[Tensor]:
    return [_mean_coefficient(layer) for layer in network.layers]


def _mean_coefficient(layer: KANLayer) -> Tensor:
    return layer.live_weight()[:, : layer.spec.n_basis].abs().mean(1)
