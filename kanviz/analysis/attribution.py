"""How much every edge and node matters, from the spread of what it adds.

Two metrics, both at least 0, 0 for a removed edge and for a single sample, and both from population
standard deviations (divisor n) over the samples:

``"backward"`` (default; no unit)
    How much of the outputs' spread goes back through this place. An output has score 1, an edge
    the score of the node that it enters times its share std(edge) / std(node), a node the sum of
    its edges' scores (Liu et al., KAN 2.0, arXiv:2408.10205, 2024, section on pruning and
    attribution; a constant of 1e-4 that is in use beside std(node) would make scores depend on
    units and is left out). Over several outputs the mean is taken, so that an output has score
    1 / outputs. The shares at a node add up to 1 only where its edges rise and fall together; to
    more where they are independent or cancel, so a score may exceed 1.
``"std"`` (unit of the node that the edge enters)
    The standard deviation of what the edge adds, or of the node's value.
"""

from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.trace import node_values
from kanviz.checks import check_choice
from kanviz.nn.network import Network
from kanviz.nn.variance import edge_variances

Metric = Literal["backward", "std"]

# Each layer has its own sizes, which the leading underscores say.
EdgeScores = list[Float[Tensor, "_inputs _outputs"]]
NodeScores = list[Float[Tensor, " _nodes"]]


class Scores(NamedTuple):
    """Scores of all edges and nodes, layer by layer."""

    edges: EdgeScores
    nodes: NodeScores


def edge_scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
) -> EdgeScores:
    """Return the score of every edge, see ``scores``."""
    return scores(network, x, metric, output=output).edges


def node_scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
) -> NodeScores:
    """Return the score of every node, inputs first, see ``scores``."""
    return scores(network, x, metric, output=output).nodes


def feature_scores(
    network: Network, x: Float[Tensor, "samples inputs"], *, output: int | None = None
) -> Float[Tensor, " inputs"]:
    """Return the backward score of every input: how much of the outputs' spread is due to it."""
    return scores(network, x, output=output).nodes[0]


@torch.no_grad()
def scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
) -> Scores:
    """Return how much every edge and node matters for the sample x.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.
    metric : str
        ``"backward"`` or ``"std"``, see above.
    output : int, optional
        Count only this output, which then has score 1; for ``"backward"``.

    Returns
    -------
    edges : list over layers of (in_features, out_features)
        ``edges[layer][i, j]`` is the score of ``Edge(layer, i, j)``.
    nodes : list over layers of (width,)
        Inputs first, outputs last.

    Raises
    ------
    ValueError
        If the metric is unknown, or ``output`` is given with ``"std"``.
    IndexError
        If there is no such output.
    """
    check_choice("metric", metric, get_args(Metric))
    values = node_values(network, x)
    node_spreads = [_node_spread(value) for value in values]
    triples = zip(network.layers, values, node_spreads, strict=False)
    # What depends on a constant alone is constant, whatever rounding says.
    edge_spreads = [
        edge_variances(layer, value).sqrt() * (node > 0).unsqueeze(1)
        for layer, value, node in triples
    ]
    if metric == "std":
        if output is not None:
            raise ValueError(f"output must be None for metric='std'; got {output!r}. Leave it out.")
        found = Scores(edge_spreads, node_spreads)
    else:
        wanted = _wanted_outputs(node_spreads[-1], output)
        found = _backward(wanted, edge_spreads, node_spreads, torch.finfo(x.dtype).eps)
    return Scores([s.to(x.dtype) for s in found.edges], [s.to(x.dtype) for s in found.nodes])


def _node_spread(values: Float[Tensor, "samples nodes"]) -> Float[Tensor, " nodes"]:
    """Return the standard deviation of each node, float64; 0 where it is constant to rounding."""
    rounding = 8 * torch.finfo(values.dtype).eps * values.abs().amax(0).double()
    spread = values.double().std(0, correction=0)
    return torch.where(spread > rounding, spread, 0.0)


def _wanted_outputs(outputs: Float[Tensor, " outputs"], output: int | None) -> Tensor:
    """Return the weight of each output: equal shares, or all for one."""
    count = len(outputs)
    if output is None:
        return torch.full_like(outputs, 1 / count)
    if isinstance(output, bool) or not isinstance(output, int) or not 0 <= output < count:
        raise IndexError(
            f"output must be from 0 to {count - 1} because there are {count} outputs; "
            f"got {output!r}. Count from 0."
        )
    wanted = torch.zeros_like(outputs)
    wanted[output] = 1.0
    return wanted


def _backward(
    wanted: Tensor, edge_spreads: EdgeScores, node_spreads: NodeScores, eps: float
) -> Scores:
    """Hand each node's score on to its edges, and theirs to the nodes below, outputs first."""
    edges: EdgeScores = []
    nodes: NodeScores = [wanted]
    for edge, node in zip(reversed(edge_spreads), reversed(node_spreads), strict=False):
        # A node that is constant up to rounding hands nothing on, whatever its edges do.
        varies = node > 100 * eps * edge.sum(0)
        share = torch.where(varies, edge / node, 0.0)
        edges.insert(0, nodes[0] * share)
        nodes.insert(0, edges[0].sum(1))
    return Scores(edges, nodes)
