"""A network as a search for formulas sees it: which edges are splines, and how complex it is."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.regrid import fit_coefficients
from kanviz.nn.symbols import without_formula
from kanviz.nn.ties import groups_of
from kanviz.snapshot import Edge


def splines(network: Network) -> list[Edge]:
    """Return the live edges that are splines and may change; of locked ones the first."""
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in _firsts(layer, layer.spline_mask & ~layer.frozen).nonzero().tolist()
    ]


def _firsts(
    layer: KANLayer, edges: Bool[Tensor, "inputs outputs"]
) -> Bool[Tensor, "inputs outputs"]:
    """Return these edges, of those that share a function the first one only."""
    firsts = edges.clone()
    for group in groups_of(layer.leaders):
        for i, j in [edge for edge in group if edges[edge]][1:]:
            firsts[i, j] = False
    return firsts


def complexity(network: Network) -> int:
    """Return the sum over live edges: a formula's complexity, a spline's number of coefficients."""
    total = 0
    for layer in network.layers:
        total += int(layer.spline_mask.sum()) * layer.spec.n_features
        if layer.symbols is not None:
            for (i, j), function in zip(layer.symbols.edges, layer.symbols.functions, strict=True):
                total += getattr(function, "complexity", 0) * int(layer.mask[i, j])
    return total


@torch.no_grad()
def give_spline(network: Network, edge: Edge, x: Float[Tensor, "samples inputs"]) -> None:
    """Give an edge a spline that follows its formula where data are, on knots that lie there."""
    network.update_grid(x)
    inputs, values, _ = edge_samples(network, edge, x)
    layer: KANLayer = network.layers[edge.layer]
    layer.set_symbols(without_formula(layer, edge.i, edge.j))
    coef, _ = fit_coefficients(
        inputs[:, None], values[:, None, None], layer.knots[edge.i : edge.i + 1], layer.spec
    )
    layer.weight[edge.i, :, edge.j] = 0
    layer.weight[edge.i, : layer.spec.n_basis, edge.j] = coef[0, :, 0]


@torch.no_grad()
def edge_samples(
    network: Network, edge: Edge, x: Float[Tensor, "samples inputs"]
) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"], float]:
    """Return inputs and outputs of an edge, and its share in the spread at the node it leads to."""
    for layer in network.layers[: edge.layer]:
        x = layer(x)
    values = network.layers[edge.layer].edge_outputs(x)[:, :, edge.j]
    total = float(values.sum(1).std()) + 1e-300
    own = values[:, edge.i]
    return x[:, edge.i], own, float(own.std()) / total


@torch.no_grad()
def cancellation(network: Network, x: Float[Tensor, "samples inputs"]) -> float:
    """Return how many times the terms of a formula are larger than what is left of them, at most.

    At 1e6, six digits of the edge are lost in rounding.
    """
    worst = 1.0
    for layer in network.layers:
        if layer.symbols is not None:
            terms = layer.symbols(x, layer.affine) - layer.affine[:, 3]
            ratio = terms.abs().amax(0) / terms.std(0)
            worst = max(worst, *ratio[ratio.isfinite()].tolist(), 1.0)
        x = layer(x)
    return worst
