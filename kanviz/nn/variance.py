"""How much the edges and nodes of a layer vary over a sample, beside the values of its outputs."""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.features import Variances, deviation, edge_variance_reference
from kanviz.nn.kernels import ops
from kanviz.nn.layer import KANLayer
from kanviz.nn.spec import FunctionSpec

CHUNK = 2**22
"""Most numbers in the features that plain torch makes at once where no gradient is asked for."""


def edge_variance(
    x: Float[Tensor, "samples inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Variances:
    """Return the outputs of a layer, and how much its edges and outputs vary over the sample.

    By CPU kernels where they can do it, else by ``edge_variance_reference``, which they equal;
    differentiable in x and weight to any order. Parameters as for ``kernels.edge_sum``.
    """
    if not ops.usable(x, knots, weight, spec):
        return edge_variance_reference(x, knots, weight, spec)
    from kanviz.nn.kernels.variance import EdgeVariance

    return Variances(*EdgeVariance.apply(x, knots, weight, spec))


def layer_variance(layer: KANLayer, x: Float[Tensor, "samples inputs"]) -> Variances:
    """Return outputs of a layer, variances of its edges, standard deviations of its sums."""
    layer.check_input(x)
    found = edge_variance(x, layer.knots, layer.live_weight(), layer.spec)
    if layer.symbols is not None:
        values, where = layer.symbol_outputs(x), (layer.symbols.inputs, layer.symbols.outputs)
        sums = found.outputs.index_add(-1, layer.symbols.outputs, values)
        edges = found.edges.index_put(where, values.var(0, correction=0))
        found = Variances(sums, edges, deviation(sums))
    return found._replace(outputs=layer.multiplied(found.outputs)) if layer.nodes.arities else found


@torch.no_grad()
def edge_variances(
    layer: KANLayer, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "inputs outputs"]:
    """Return the variance (divisor n) of what each edge of a layer adds, float64."""
    weight = layer.live_weight()
    if ops.usable(x, layer.knots, weight, layer.spec):
        from kanviz.nn.kernels.variance import edge_variances as by_kernels

        found = by_kernels(x, layer.knots, weight, layer.spec)
    else:
        weight = weight.double()
        found = (weight * (feature_covariance(layer, x) @ weight)).sum(1).clamp(min=0)
    if layer.symbols is not None:  # few, and formulas have no features: from their values
        values = layer.symbol_outputs(x).double()
        found[layer.symbols.inputs, layer.symbols.outputs] = values.var(0, correction=0)
    return found


@torch.no_grad()
def feature_covariance(
    layer: KANLayer, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "inputs features features"]:
    """Return the covariance (divisor n) of the features of each input, float64."""
    if ops.usable(x, layer.knots, layer.weight, layer.spec):
        from kanviz.nn.kernels.variance import feature_covariance as by_kernels

        return by_kernels(x, layer.knots, layer.spec)
    return _covariance_in_parts(layer, x)


def _covariance_in_parts(layer: KANLayer, x: Tensor) -> Tensor:
    """Return the covariance of features from parts that are each centred on their own mean.

    Plain sums of squares would lose what is left of small spreads (Chan, Golub, LeVeque, Updating
    formulae and a pairwise algorithm for computing sample variances, 1979, eq. 2.1).
    """
    mean = total = torch.zeros((), dtype=torch.float64, device=x.device)
    seen, rows = 0, max(1, CHUNK // (layer.in_features * layer.spec.n_features))
    for part in x.split(rows):
        columns = layer.features(part).double()
        centre = columns.mean(0)
        apart = (columns - centre).movedim(0, 1)
        step, n = centre - mean, len(part)
        between = step.unsqueeze(-1) * step.unsqueeze(-2) * (seen * n / (seen + n))
        total = total + apart.mT @ apart + between
        mean = mean + step * (n / (seen + n))
        seen += n
    return total / seen
