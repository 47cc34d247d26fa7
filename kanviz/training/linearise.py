"""The outputs of a network and how each one changes with each weight, in sparse rows.

A spline has k + 1 active coefficients at a point, so a row of the Jacobian holds only
edges * (k + 2) numbers, whatever the grid size.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.features import BASE_FUNCTIONS, active


@dataclass(frozen=True)
class Linearisation:
    """A network at one point of its weight space.

    ``columns`` and ``values`` give the entries of the Jacobian row of each sample and output;
    columns count all weights, layer by layer: first the layer's weight flattened as
    (in, features, out), then the (edges, 4) numbers of its formulas.
    """

    outputs: Float[Tensor, "samples outputs"]
    columns: Int[Tensor, "samples outputs entries"]
    values: Float[Tensor, "samples outputs entries"]


def n_weights(network: Network) -> int:
    """Return the number of weights, removed edges and the numbers of formulas included."""
    return sum(_size(layer) for layer in network.layers)


def n_entries(network: Network) -> int:
    """Return how many entries a row of ``linearise`` has."""
    total = 0
    for layer in network.layers:
        spec = layer.spec
        active = spec.spline_order + 1 if spec.is_spline else spec.n_basis
        nodes = 1 if layer is network.layers[-1] else layer.out_features
        total += layer.in_features * (active + int(spec.has_base)) * nodes
        total += layer.affine.numel()
    return total


def _size(layer: KANLayer) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


@torch.no_grad()
def linearise(network: Network, x: Float[Tensor, "samples inputs"]) -> Linearisation:
    """Return outputs and Jacobian of the whole network at its weights.

    The derivative for weight (i, f, j) of a layer is feature f of input i times the sensitivity of
    the output to node j, which is passed down layer by layer through the edges' slopes. Weights of
    removed edges and of layers that take no gradient get zeros.
    """
    inputs = [x]
    for layer in network.layers:
        inputs.append(layer(inputs[-1]))
    n_outputs = inputs[-1].shape[-1]
    sensitivity = torch.eye(n_outputs, dtype=x.dtype, device=x.device).expand(len(x), -1, -1)
    start, columns, values = n_weights(network), [], []
    for layer, z in zip(reversed(network.layers), reversed(inputs[:-1]), strict=True):
        start -= _size(layer)
        column, feature = _active_features(layer, z, start)
        if layer is network.layers[-1]:  # output o depends on the weights of node o only
            column, value = _last_layer(layer, column, feature)
        else:
            column, value = _hidden_layer(layer, column, feature, sensitivity)
        columns.append(column)
        values.append(value)
        if layer.symbols is not None:
            column, value = _formulas(layer, z, start + layer.weight.numel(), sensitivity)
            columns.append(column)
            values.append(value)
        if start:
            slopes = layer.edge_outputs(z, derivative=1)
            sensitivity = torch.einsum("nij,noj->noi", slopes, sensitivity)
    return Linearisation(inputs[-1], torch.cat(columns, dim=2), torch.cat(values, dim=2))


def trainable(layer: KANLayer) -> Bool[Tensor, "inputs outputs"]:
    """Return which splines of a layer may learn."""
    return layer.spline_mask & ~layer.frozen & layer.weight.requires_grad


def learning_formulas(layer: KANLayer) -> Bool[Tensor, " edges"]:
    """Return which formulas of a layer may learn their numbers."""
    symbols = layer.symbols
    if symbols is None:
        return layer.mask.new_zeros(0)
    where = symbols.inputs, symbols.outputs
    return layer.mask[where] & ~layer.frozen[where] & symbols.affine.requires_grad


def learning_weights(network: Network) -> Bool[Tensor, " weights"]:
    """Return which weights may learn, in the order of ``linearise``."""
    parts = []
    for layer in network.layers:
        splines = trainable(layer).unsqueeze(1).expand_as(layer.weight)
        parts += [splines.flatten(), learning_formulas(layer).repeat_interleave(4)]
    return torch.cat(parts)


def _last_layer(layer: KANLayer, column: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
    nodes = torch.arange(layer.out_features, device=column.device)[:, None, None]
    value = feature.unsqueeze(1) * trainable(layer).T.unsqueeze(-1)
    return (column.unsqueeze(1) + nodes).flatten(2), value.flatten(2)


def _hidden_layer(
    layer: KANLayer, column: Tensor, feature: Tensor, sensitivity: Tensor
) -> tuple[Tensor, Tensor]:
    nodes = torch.arange(layer.out_features, device=column.device)
    gain = sensitivity.unsqueeze(2) * trainable(layer)
    value = feature[:, None, :, :, None] * gain.unsqueeze(3)
    column = (
        (column.unsqueeze(-1) + nodes).unsqueeze(1).expand(-1, sensitivity.shape[1], -1, -1, -1)
    )
    return column.flatten(2), value.flatten(2)


def _formulas(layer: KANLayer, z: Tensor, start: int, sensitivity: Tensor) -> tuple[Tensor, Tensor]:
    """Return the entries of the numbers a, b, c, d of every formula of a layer."""
    symbols = layer.symbols
    assert symbols is not None
    gain = sensitivity[:, :, symbols.outputs] * learning_formulas(layer)
    value = symbols.slopes(z).unsqueeze(1) * gain.unsqueeze(-1)
    column = torch.arange(start, start + symbols.affine.numel(), device=z.device)
    return column.expand(*sensitivity.shape[:2], -1), value.flatten(2)


def _active_features(layer: KANLayer, z: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """Return (samples, in, active) columns for output node 0, and the values of the features."""
    spec = layer.spec
    first, values = active(z, layer.knots, spec)
    row = first.unsqueeze(-1) + torch.arange(values.shape[-1], device=z.device)
    if spec.has_base:
        base = BASE_FUNCTIONS[spec.base](z).unsqueeze(-1)
        values = torch.cat([values, base], dim=-1)
        row = torch.cat([row, torch.full_like(row[..., :1], spec.n_basis)], dim=-1)
    inputs = torch.arange(layer.in_features, device=z.device).unsqueeze(-1)
    return (inputs * spec.n_features + row) * layer.out_features + start, values
