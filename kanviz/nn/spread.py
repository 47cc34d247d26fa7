"""How much the edges and nodes of a layer vary over a sample, beside the values of its outputs.

The variance of an edge's output is a quadratic form in its coefficients, w^T C w, where C is the
covariance of the features of its input: exact, and nothing of size (samples, in, out) is made.
``spread`` is the seam behind which kernels may stand: they must equal the plain torch given here.
"""

import importlib
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.dispatch import takes_kernels
from kanviz.nn.features import features
from kanviz.nn.layer import KANLayer
from kanviz.nn.spec import FunctionSpec

CHUNK = 2**22
"""Most numbers in the features that plain torch makes at once where no gradient is asked for."""


class Spread(NamedTuple):
    """What a layer returns for a sample, and how much that varies.

    ``outputs`` (samples, out); ``edges`` the variances (in, out) of the edges' outputs; ``nodes``
    the standard deviations (out,) of the outputs. All with divisor n and differentiable.
    """

    outputs: Tensor
    edges: Tensor
    nodes: Tensor


def layer_spread(layer: KANLayer, x: Float[Tensor, "samples inputs"]) -> Spread:
    """Return outputs of a layer, variances of its edges, standard deviations of its nodes."""
    layer.check_input(x)
    found = spread(x, layer.knots, layer.live_weight(), layer.spec)
    if layer.symbols is None:
        return found
    values, where = layer.symbol_outputs(x), (layer.symbols.inputs, layer.symbols.outputs)
    outputs = found.outputs.index_add(-1, layer.symbols.outputs, values)
    edges = found.edges.index_put(where, values.var(0, correction=0))
    return Spread(outputs, edges, deviation(outputs))


def spread(
    x: Float[Tensor, "samples inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Spread:
    """Return the spread of splines, by CPU kernels where they can do it."""
    if takes_kernels(x, knots, weight, spec):
        return Spread(*_kernels().spread(x, weight, knots, spec))
    return spread_reference(x, knots, weight, spec)


def spread_reference(
    x: Float[Tensor, "samples inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Spread:
    """Return what ``spread`` does, in plain torch."""
    columns = features(x, knots, spec)
    centred = (columns - columns.mean(0)).movedim(0, 1)
    covariance = centred.mT @ centred / len(x)
    edges = (weight * (covariance @ weight)).sum(1).clamp(min=0)  # rounding makes it negative
    outputs = columns.flatten(-2) @ weight.flatten(0, 1)
    return Spread(outputs, edges, deviation(outputs))


def deviation(y: Float[Tensor, "samples nodes"]) -> Float[Tensor, " nodes"]:
    """Return standard deviations (divisor n) that stay differentiable where y is constant."""
    return y.var(0, correction=0).clamp(min=torch.finfo(y.dtype).tiny).sqrt()


@torch.no_grad()
def edge_variances(
    layer: KANLayer, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "inputs outputs"]:
    """Return the variance (divisor n) of what each edge of a layer adds, float64."""
    weight = layer.live_weight()
    if takes_kernels(x, layer.knots, weight, layer.spec):
        found: Tensor = _kernels().edge_variances(x, weight, layer.knots, layer.spec)
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
    if takes_kernels(x, layer.knots, layer.weight, layer.spec):
        found: Tensor = _kernels().feature_covariance(x, layer.knots, layer.spec)
        return found
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


def _kernels() -> Any:
    """Return ``kanviz.nn.spread_by_kernels``, imported on first use because it needs numba."""
    return importlib.import_module("kanviz.nn.spread_by_kernels")
