"""How much every edge and node matters, from the standard deviation of what it adds.

Two metrics, both at least 0, 0 for a removed edge and for a single sample, and both from population
standard deviations (divisor n) over the samples:

``"backward"`` (default; no unit)
    How much of the outputs' standard deviation goes back through this edge or node. An output has
    score 1, an edge the score of the node that it enters times its share std(edge) / std(sum), a
    node the sum of its edges' scores; each factor of a product has all of its score (Liu et al.,
    KAN 2.0, arXiv:2408.10205, 2024, section on pruning and attribution; a constant of 1e-4 that is
    in use beside std(sum) would make scores
    depend on units and is left out). Over several outputs the mean is taken, so that an output has
    score 1 / outputs. The shares at a node add up to 1 only where its edges rise and fall together;
    to more where they are independent or cancel, so a score may exceed 1.
``"std"`` (unit of the node that the edge enters)
    The standard deviation of what the edge adds, or of the node's value.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.trace import node_values
from kanviz.checks import check_choice
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.nodes import Nodes
from kanviz.nn.variance import edge_variances

Metric = Literal["backward", "std"]

# Each layer has its own sizes, which the leading underscores say.
EdgeScores = list[Float[Tensor, "_inputs _outputs"]]
NodeScores = list[Float[Tensor, " _nodes"]]


class Scores(NamedTuple):
    """Scores of all edges and nodes, layer by layer.

    Parameters
    ----------
    edges : list over layers of (in_features, out_features)
        ``edges[layer][i, j]`` is the score of ``Edge(layer, i, j)``.
    nodes : list over layers of (width,)
        Inputs first, outputs last.
    """

    edges: EdgeScores
    nodes: NodeScores


Score = Callable[[Network, Float[Tensor, "samples inputs"]], Scores]
"""What says how much edges and nodes matter; ``scores`` is one, and pruning takes any other."""


def edge_scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
) -> EdgeScores:
    """Return the score of every edge: ``scores(...).edges``, which see.

    Examples
    --------
    >>> from kanviz.nn import Network
    >>> network = Network([2, 1], seed=0)
    >>> [layer.shape for layer in edge_scores(network, torch.rand(50, 2))]
    [torch.Size([2, 1])]
    """
    return scores(network, x, metric, output=output).edges


def node_scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
) -> NodeScores:
    """Return the score of every node, inputs first: ``scores(...).nodes``, which see."""
    return scores(network, x, metric, output=output).nodes


PAIRS = 4_000
"""About as many pairs of samples are compared for each input, those of one shift at least."""

MOST_NUMBERS = 2**24
"""About as many values of the first layer's edges are held; of more samples every n-th is taken."""


@torch.no_grad()
def feature_scores(
    network: Network, x: Float[Tensor, "samples inputs"], *, output: int | None = None
) -> Float[Tensor, " inputs"]:
    """Return how much of the outputs hangs on every input: what they lose when it is shuffled.

    ``mean (f(x) - f(x with input i of another sample))^2 / mean (f(x) - f(another sample))^2``: the
    total effect of an input, as a share of the variance (Jansen, Computer Physics Communications
    117, 1999, eq. 17). 0 for an input on which no output depends, whatever paths lead from it, and
    1 for the only one that matters. Of independent inputs the scores add up to 1, or to more where
    inputs act together (a product). For dependent inputs it also asks about rows that the data do
    not have.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        At least 2 samples; of the network's dtype and device.
    output : int, optional
        Count only this output; by default the mean over all.

    Raises
    ------
    ValueError
        If there is one sample only.
    IndexError
        If there is no such output.

    Examples
    --------
    >>> from kanviz.nn import Network
    >>> network, x = Network([2, 1], seed=0), torch.rand(50, 2)
    >>> network.layers[0].set_mask(torch.tensor([[True], [False]]))
    >>> feature_scores(network, x)
    tensor([1., 0.])
    """
    if len(x) < 2:
        raise ValueError(
            f"x must have at least 2 samples, whose inputs are exchanged; got {len(x)}. Pass more."
        )
    first, *rest = network.layers
    x = x[:: -(-len(x) // min(PAIRS, max(256, MOST_NUMBERS // first.mask.numel())))]
    others = _partners(x)
    wanted = _wanted_outputs(torch.ones(network.widths[-1], dtype=torch.float64), output)
    start = first.sums(x)
    before = _through(rest, first.multiplied(start)).double()
    lost = torch.zeros(x.shape[1], network.widths[-1], dtype=torch.float64, device=x.device)
    spread = torch.zeros_like(lost[0])
    for other in others:
        spread += (before - before[other]).square().mean(0)
    edge_outputs = first.edge_outputs(x)
    for i in range(x.shape[1]):
        added = edge_outputs[:, i]
        for other in others:
            moved = first.multiplied(start - added + added[other])
            after = _through(rest, moved).double()
            lost[i] += (before - after).square().mean(0)
    # What is below the rounding of the outputs, or of what they add up, is no effect.
    size = torch.maximum(before.abs().amax(0), _terms(network, x, edge_outputs))
    rounding = (8 * torch.finfo(x.dtype).eps * size) ** 2 * len(others)
    share = torch.where((lost > rounding) & (spread > rounding), lost / spread, 0.0)
    return (share @ wanted.to(share)).to(x.dtype)


def _terms(network: Network, x: Tensor, first: Tensor) -> Float[Tensor, " outputs"]:
    """Return how large the terms of each output are, added up without their signs.

    ``first`` is what the edges of the first layer give. A few rows will do for a wide layer.
    """
    last = network.layers[-1]
    if len(network.layers) > 1:
        rows = x[: max(1, MOST_NUMBERS // last.mask.numel())]
        first = last.edge_outputs(_through(network.layers[:-1], rows))
    return first.abs().sum(1).amax(0).double()


def _partners(x: Float[Tensor, "samples inputs"]) -> list[Tensor]:
    """Return row numbers of other samples, one per sample, some times: shifts of a fixed order."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).to(x.device)
    place = order.argsort()
    shifts = range(1, 1 + min(len(x) - 1, max(1, PAIRS // len(x))))
    return [order.roll(shift)[place] for shift in shifts]


BACKGROUND, MOST_MIXED = 64, 2**23
"""Rows that a row is compared with, and numbers in all mixed rows that are computed at a time."""


@torch.no_grad()
def contributions(
    network: Network,
    x: Float[Tensor, " inputs"],
    sample: Float[Tensor, "samples inputs"],
) -> Float[Tensor, "inputs outputs"]:
    """Return what each input adds to the outputs of one row, beside the mean over other rows.

    Shapley values: an input's share is what the outputs change by when it goes from the value of
    another row to its own, on the way from that row to this one, input by input (Strumbelj and
    Kononenko, Knowledge and Information Systems 41, 2014, section 3). Instead of at random, the
    order is turned by one from row to row, and each is taken there and back, so that of two inputs
    each goes first as often: exact for functions whose inputs act together in pairs at most, and
    for every function the shares add up to ``network(x)`` less the mean over the rows.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (inputs,)
        The row, of the network's dtype and device.
    sample : (samples, inputs)
        The other rows; of more than 64 evenly chosen ones.

    Examples
    --------
    >>> from kanviz.nn import Network
    >>> network = Network([2, 2, 1], seed=0)
    >>> x, sample = torch.tensor([0.5, -0.3]), torch.linspace(-1, 1, 20).reshape(10, 2)
    >>> shares = contributions(network, x, sample)
    >>> torch.allclose(shares.sum(0), network(x[None])[0] - network(sample).mean(0), atol=1e-6)
    True
    """
    width = len(x)
    rows = background(len(sample), width)
    order = torch.arange(width, device=x.device)
    forth = torch.stack([order.roll(turn % width) for turn in range(len(rows))])
    ways = torch.cat([forth, forth.flip(1)])
    # Row t of the mixed ones has the first t inputs of its way from x.
    is_own = ways.argsort(1)[:, None] < torch.arange(width + 1, device=x.device)[:, None]
    mixed = torch.where(is_own, x, sample[rows].repeat(2, 1)[:, None])
    outputs = network(mixed.flatten(0, 1)).unflatten(0, mixed.shape[:2])
    found = x.new_zeros(width, network.widths[-1])
    found.index_add_(0, ways.flatten(), outputs.diff(dim=1).flatten(0, 1))
    return found / (2 * len(rows))


def background(samples: int, inputs: int) -> list[int]:
    """Return the rows that a row is compared with: evenly chosen, fewer where inputs are many."""
    count = min(samples, BACKGROUND, max(1, MOST_MIXED // (2 * inputs * (inputs + 1))))
    return [number * samples // count for number in range(count)]


def _through(layers: Iterable[KANLayer], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


@torch.no_grad()
def scores(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    metric: Metric = "backward",
    *,
    output: int | None = None,
    values: Sequence[Float[Tensor, "samples _nodes"]] | None = None,
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
    values : list over layers of (samples, nodes), optional
        ``node_values(network, x)``, where it is known.

    Returns
    -------
    Scores
        In the dtype of x.

    Raises
    ------
    ValueError
        If the metric is unknown, or ``output`` is given with ``"std"``.
    IndexError
        If there is no such output.

    Examples
    --------
    >>> from kanviz.nn import Network
    >>> found = scores(Network([2, 3, 1], seed=0), torch.rand(50, 2))
    >>> float(found.nodes[-1].sum())  # the outputs share a score of 1
    1.0
    """
    check_choice("metric", metric, get_args(Metric))
    values = node_values(network, x) if values is None else values
    node_std = [_node_std(value) for value in values]
    sum_std = [
        _node_std(layer.sums(value)) if layer.nodes.arities else std
        for layer, value, std in zip(network.layers, values, node_std[1:], strict=False)
    ]
    triples = zip(network.layers, values, node_std, strict=False)
    # What depends on a constant alone is constant, whatever rounding says.
    edge_std = [
        edge_variances(layer, value).sqrt() * (node > 0).unsqueeze(1)
        for layer, value, node in triples
    ]
    if metric == "std":
        if output is not None:
            raise ValueError(
                f"metric='std' counts all outputs; got output={output!r}. Leave it out."
            )
        found = Scores(edge_std, node_std)
    else:
        wanted = _wanted_outputs(node_std[-1], output)
        made = [layer.nodes for layer in network.layers]
        found = _backward(wanted, edge_std, sum_std, made, torch.finfo(x.dtype).eps)
    return Scores([s.to(x.dtype) for s in found.edges], [s.to(x.dtype) for s in found.nodes])


def _node_std(values: Float[Tensor, "samples nodes"]) -> Float[Tensor, " nodes"]:
    """Return the standard deviation of each node, float64; 0 where it is constant to rounding."""
    rounding = 8 * torch.finfo(values.dtype).eps * values.abs().amax(0).double()
    std = values.double().std(0, correction=0)
    return torch.where(std > rounding, std, 0.0)


def _wanted_outputs(outputs: Float[Tensor, " outputs"], output: int | None) -> Tensor:
    """Return the weight of each output: equal shares, or all for one."""
    count = len(outputs)
    if output is None:
        return torch.full_like(outputs, 1 / count)
    if isinstance(output, bool) or not isinstance(output, int) or not 0 <= output < count:
        raise IndexError(f"There is no output {output!r}: the network has {count}, counted from 0.")
    wanted = torch.zeros_like(outputs)
    wanted[output] = 1.0
    return wanted


def _backward(
    wanted: Tensor,
    edge_std: EdgeScores,
    sum_std: NodeScores,
    made: Sequence[Nodes],
    eps: float,
) -> Scores:
    """Hand each node's score on to its edges, and theirs to the nodes below, outputs first."""
    edges: EdgeScores = []
    nodes: NodeScores = [wanted]
    for edge, std, own in zip(reversed(edge_std), reversed(sum_std), reversed(made), strict=True):
        # A sum that is constant up to rounding hands nothing on, whatever its edges do.
        varies = std > 100 * eps * edge.sum(0)
        share = torch.where(varies, edge / std, 0.0)
        edges.insert(0, own.to_sums(nodes[0]) * share)
        nodes.insert(0, edges[0].sum(1))
    return Scores(edges, nodes)
