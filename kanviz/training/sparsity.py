"""The sparsity penalty: an L1 norm and an entropy over what the edges really do with the data.

The variance of an edge's output is a quadratic form in its coefficients, c^T C c, where C is the
covariance of the features of its input: exact, and nothing of size (samples, in, out) is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_choice
from kanviz.nn import KANLayer, Network
from kanviz.nn.features import edge_variance_reference
from kanviz.nn.kernels import ops
from kanviz.nn.nodes import Nodes
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.variance import layer_variance

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
        return self.penalised(network, x)[1]

    def penalised(
        self, network: Network, x: Float[Tensor, "samples inputs"], *, scale: float = 1.0
    ) -> tuple[Float[Tensor, "samples outputs"], Float[Tensor, ""]]:
        """Return the outputs and, from the same pass, ``scale`` times what ``penalty`` returns."""
        if self.metric == "std":
            return self._from_spreads(network, x, scale)
        if self.metric == "abs":
            outputs, layers = _magnitudes(network, x)
            return outputs, scale * self.of(layers)
        layers = [_mean_coefficient(layer) for layer in network.layers]
        return network(x), scale * self.of(layers)

    def _from_spreads(self, network: Network, x: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """Return outputs and penalty, by kernels where they can do the whole network."""
        families = [(layer.knots, layer.spec) for layer in network.layers]
        weights = [layer.live_weight() for layer in network.layers]
        made = [(layer.nodes, layer.live_sums) for layer in network.layers]
        all_nodes = [nodes for nodes, _ in made]
        has_formulas = any(layer.symbols is not None for layer in network.layers)
        if has_formulas or not _takes_kernels(x, families, weights):
            outputs, edges, sums = network_spread(network, x)
            return outputs, scale * self.of(importances(edges, sums, all_nodes))
        from kanviz.nn.kernels.penalty import outputs_and_penalty  # loads numba

        def plain(x: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
            edges, sums = [], []
            for weight, family, (nodes, live) in zip(weights, families, made, strict=True):
                found = edge_variance_reference(x, family[0], weight, family[1])
                edges.append(found.edges)
                sums.append(found.nodes)
                x = nodes.values(found.outputs, live)
            return x, scale * self.of(importances(edges, sums, all_nodes))

        network.layers[0].check_input(x)
        return outputs_and_penalty(
            x,
            families,
            made,
            weights,
            l1=float(scale * self.l1),
            entropy=float(scale * self.entropy),
            floor=FLOOR,
            reference=plain,
        )

    def of(self, layers: list[Float[Tensor, "_inputs _outputs"]]) -> Float[Tensor, ""]:
        """Return the penalty of given importances of all layers, without ``weight``."""
        total = layers[0].new_zeros(())
        for matrix in layers:
            tiny = torch.finfo(matrix.dtype).tiny
            share = matrix / matrix.sum().clamp(min=tiny)
            entropy = -(share * share.clamp(min=tiny).log()).sum()
            total = total + self.l1 * matrix.sum() + self.entropy * entropy
        return total


def _takes_kernels(
    x: Tensor, families: Sequence[tuple[Tensor, FunctionSpec]], weights: Sequence[Tensor]
) -> bool:
    """Return whether kernels can do all layers."""
    cases = zip(families, weights, strict=True)
    return all(ops.usable(x, knots, weight, spec) for (knots, spec), weight in cases)


def network_spread(
    network: Network, x: Float[Tensor, "samples inputs"]
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the outputs, and of each layer what ``Variances`` tells of edges and sums."""
    edges, sums = [], []
    for layer in network.layers:
        found = layer_variance(layer, x)
        edges.append(found.edges)
        sums.append(found.nodes)
        x = found.outputs
    return x, edges, sums


def importances(
    edges: list[Float[Tensor, "_inputs _outputs"]],
    sums: list[Float[Tensor, " _outputs"]],
    nodes: Sequence[Nodes] = (),
) -> list[Float[Tensor, "_inputs _outputs"]]:
    """Return each edge's part in the spread of the output, from edge variances and sum spreads.

    Each factor has the part of its product, which without it would not be (KAN 2.0). Without
    ``nodes`` all nodes are sums.
    """
    above = torch.ones_like(sums[-1]) / len(sums[-1])
    found: list[Tensor] = []
    layers = nodes or [Nodes(len(spread)) for spread in sums]
    for variance, spread, made in zip(
        reversed(edges), reversed(sums), reversed(layers), strict=True
    ):
        above = made.to_sums(above)
        least = torch.finfo(spread.dtype).tiny ** 0.5
        share = variance / spread.clamp(min=least) ** 2
        share = torch.where(spread > least, share, 0.0)  # nothing has a part in what is constant
        found.insert(0, above * (share + FLOOR**2).sqrt())
        above = found[0].sum(1)
    return found


def _magnitudes(network: Network, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the outputs and the mean magnitude of every edge."""
    found = []
    for layer in network.layers:
        outputs = layer.edge_outputs(x)
        found.append(outputs.abs().mean(0))
        x = layer.multiplied(outputs.sum(1))
    return x, found


def _mean_coefficient(layer: KANLayer) -> Tensor:
    return layer.live_weight()[:, : layer.spec.n_basis].abs().mean(1)
