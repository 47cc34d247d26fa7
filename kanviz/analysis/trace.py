"""What happens inside a network: the value at every node, the value on every edge."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.ties import group_at
from kanviz.snapshot import Edge

CHUNK = 2**22
"""Most numbers in the features of one part of the samples; larger samples go in parts."""


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer saw and did.

    Parameters
    ----------
    inputs : (samples, in_features)
        The values at the layer's input nodes.
    edge_outputs : (samples, in_features, out_features)
        ``edge_outputs[:, i, j]`` is what ``Edge(layer, i, j)`` adds to sum j; 0 if it is removed.
        Sums are the nodes of the next layer, or are multiplied to such.
    """

    inputs: Float[Tensor, "samples inputs"]
    edge_outputs: Float[Tensor, "samples inputs outputs"]


@dataclass(frozen=True, eq=False)
class Trace:
    """What a network did with a sample: one record per layer, inputs first, and the outputs.

    Parameters
    ----------
    layers : tuple of LayerTrace
        One per layer; all tensors are detached.
    outputs : (samples, outputs)
        What the network returned: the sum over i of the last ``edge_outputs``.
    """

    layers: tuple[LayerTrace, ...]
    outputs: Float[Tensor, "samples outputs"]


@torch.no_grad()
def trace(network: Network, x: Float[Tensor, "samples inputs"]) -> Trace:
    """Return the inputs and outputs of every edge for the sample x.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.

    Returns
    -------
    Trace
        In the network's units.

    Examples
    --------
    >>> from kanviz.nn import Network
    >>> found = trace(Network([2, 3, 1], seed=0), torch.rand(50, 2))
    >>> [layer.edge_outputs.shape for layer in found.layers]
    [torch.Size([50, 2, 3]), torch.Size([50, 3, 1])]
    """
    x = x.detach()
    steps = []
    for layer in network.layers:
        steps.append(LayerTrace(inputs=x, edge_outputs=layer.edge_outputs(x)))
        x = layer(x)
    return Trace(tuple(steps), x)


def edge_samples(
    network: Network, x: Float[Tensor, "samples inputs"], edge: Edge
) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"]]:
    """Return inputs and outputs of an edge for the sample x, in float64.

    Of a locked edge's samples a share comes from each live edge that has the same function.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.
    edge : Edge
        One of its edges.

    Returns
    -------
    inputs, outputs : (samples,)
        In the units of the edge.
    """
    layer, step = network.layers[edge.layer], trace(network, x).layers[edge.layer]
    mine = edge.i, edge.j
    group = [e for e in group_at(layer.leaders, *mine) if e == mine or bool(layer.mask[e])]
    parts = [
        (step.inputs[n :: len(group), i], step.edge_outputs[n :: len(group), i, j])
        for n, (i, j) in enumerate(group)
    ]
    inputs, outputs = (torch.cat(part).double() for part in zip(*parts, strict=True))
    return inputs, outputs


@torch.no_grad()
def node_values(
    network: Network, x: Float[Tensor, "samples inputs"]
) -> list[Float[Tensor, "samples _nodes"]]:
    """Return the values at the nodes of every layer: the inputs, then what each layer returns.

    Large samples go through in parts, so that memory stays bounded.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.

    Returns
    -------
    list of (samples, width)
        One per layer of nodes: the inputs first, the outputs last.
    """
    parts = []
    for rows in x.detach().split(min(rows_at_once(layer) for layer in network.layers)):
        values = [rows]
        for layer in network.layers:
            values.append(layer(values[-1]))
        parts.append(values)
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def rows_at_once(layer: KANLayer) -> int:
    """Return how many samples to give a layer at a time."""
    return max(1, CHUNK // (layer.in_features * layer.spec.n_features))
