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

from kanviz.analysis.trace import node_values, rows_at_once
from kanviz.checks import check_choice
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network

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
        edge_spread(layer, value) * (node > 0).unsqueeze(1) for layer, value, node in triples
    ]
    if metric == "std":
        if output is not None:
            raise ValueError(f"output must be None for metric='std'; got {output!r}. Leave it out.")
        found = Scores(edge_spreads, node_spreads)
    else:
        wanted = _wanted_outputs(node_spreads[-1], output)
        found = _backward(wanted, edge_spreads, node_spreads, torch.finfo(x.dtype).eps)
    return Scores([s.to(x.dtype) for s in found.edges], [s.to(x.dtype) for s in found.nodes])


@torch.no_grad()
def edge_spread(
    layer: KANLayer, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "inputs outputs"]:
    """Return the standard deviation of what each edge of a layer adds, float64.

    With C_i the covariance of the features of input i, the variance of edge (i, j) is exactly
    c_ij^T C_i c_ij, so nothing of size (samples, inputs, outputs) is made.
    """
    weight = layer.live_weight().double()
    variance = (weight * (feature_covariance(layer, x) @ weight)).sum(1)
    spread = variance.clamp(min=0).sqrt()
    if layer.symbols is not None:  # few, and formulas have no features: from their values
        values = layer.symbol_outputs(x).double()
        spread[layer.symbols.inputs, layer.symbols.outputs] = values.std(0, correction=0)
    return spread


@torch.no_grad()
def feature_covariance(
    layer: KANLayer, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "inputs features features"]:
    """Return the covariance (divisor n) of the features of each input, float64.

    Part by part, each centred on its own mean and then merged, because plain sums of squares would
    lose what is left of small spreads (Chan, Golub, LeVeque, Updating formulae and a pairwise
    algorithm for computing sample variances, 1979, eq. 2.1).
    """
    mean = total = torch.zeros((), dtype=torch.float64, device=x.device)
    seen = 0
    for part in x.split(rows_at_once(layer)):
        columns = layer.features(part).double()
        centre = columns.mean(0)
        apart = (columns - centre).movedim(0, 1)
        step, n = centre - mean, len(part)
        between = step.unsqueeze(-1) * step.unsqueeze(-2) * (seen * n / (seen + n))
        total = total + apart.mT @ apart + between
        mean = mean + step * (n / (seen + n))
        seen += n
    return total / seen


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
