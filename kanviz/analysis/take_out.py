"""Taking edges out of a network without a jump: what they add on average stays.

An edge that hardly varies may still add a large constant, which a score from spreads cannot see.
Before such an edge goes, its mean moves to another edge into the same node; a spline whose basis
sums to 1 and a formula c f(a x + b) + d can take up a constant exactly. This by itself changes no
output; only then is the edge, now of mean 0, removed.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.analysis.trace import node_values, rows_at_once
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.snapshot import Edge

Means = list[Float[Tensor, "_inputs _outputs"]]


@torch.no_grad()
def edge_means(network: Network, x: Float[Tensor, "samples inputs"]) -> Means:
    """Return what each edge adds on average over the sample x, 0 where it is removed; float64."""
    values = node_values(network, x)
    return [_means(layer, value) for layer, value in zip(network.layers, values, strict=False)]


def takes_constants(layer: KANLayer) -> Bool[Tensor, "inputs outputs"]:
    """Return which edges can take up a constant exactly and may be changed.

    Formulas can, and B-splines that go on along their tangents; radial functions and splines that
    fade outside the grid cannot. Frozen edges and those that share a function stay as they are.
    """
    exact = layer.spec.is_spline and layer.spec.extrapolation == "linear"
    able = torch.full_like(layer.mask, exact)
    if layer.symbols is not None:
        able[layer.symbols.inputs, layer.symbols.outputs] = True
    return able & ~layer.frozen & ~layer.locked


@torch.no_grad()
def take_out(network: Network, edges: Iterable[Edge], means: Means) -> None:
    """Remove edges in place; the mean of each moves to the first other edge into its node.

    Where no edge is left that can take it up (``takes_constants``), the mean goes with the edge.

    Parameters
    ----------
    network : Network
        Changed in place.
    edges : iterable of Edge
        What goes, as from ``with_dead``.
    means : list over layers of (in_features, out_features)
        As from ``edge_means``; kept up to date in place.
    """
    chosen = list(edges)
    for depth, layer in enumerate(network.layers):
        places = [(edge.i, edge.j) for edge in chosen if edge.layer == depth]
        if not places:
            continue
        gone = torch.zeros_like(layer.mask)
        gone[tuple(zip(*places, strict=True))] = True
        able = takes_constants(layer)
        takers = layer.mask & ~gone & able
        moved = torch.where(gone & takers.any(0), means[depth], 0.0)
        change = torch.where(able, -moved, 0.0)
        columns = torch.arange(layer.out_features, device=moved.device)
        change[takers.byte().argmax(0), columns] += moved.sum(0)
        _add_constants(layer, change)
        means[depth] += change
        layer.set_mask(layer.mask & ~gone)


@torch.no_grad()
def _means(layer: KANLayer, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "inputs outputs"]:
    total = sum(layer.features(part).double().sum(0) for part in x.split(rows_at_once(layer)))
    means = torch.einsum("if,ifo->io", total / len(x), layer.live_weight().double())
    if layer.symbols is not None:
        values = layer.symbol_outputs(x).double().mean(0)
        means[layer.symbols.inputs, layer.symbols.outputs] = values
    return means


def _add_constants(layer: KANLayer, change: Float[Tensor, "inputs outputs"]) -> None:
    """Add a constant to each edge function; to a formula's d where it is one."""
    change = change.to(layer.weight)
    if layer.symbols is not None:
        where = layer.symbols.inputs, layer.symbols.outputs
        layer.symbols.affine[:, 3] += change[where]
        change = change.index_put(where, change.new_zeros(()))
    layer.weight[:, : layer.spec.n_basis] += change.unsqueeze(1)
