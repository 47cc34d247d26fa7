"""The outputs of a network and how each one changes with each weight, in sparse rows.

A spline has k + 1 active coefficients at a point, so a row of the Jacobian holds only
edges * (k + 2) numbers, whatever the grid size.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.features import BASE_FUNCTIONS, active, evaluate


@dataclass(frozen=True)
class Linearisation:
    """A network at one point of its weight space.

    ``columns`` and ``values`` give the entries of the Jacobian row of each sample and output;
    columns count all weights, layer by layer, each flattened as (in, features, out).
    """

    outputs: Float[Tensor, "samples outputs"]
    columns: Int[Tensor, "samples outputs entries"]
    values: Float[Tensor, "samples outputs entries"]


def n_weights(network: Network) -> int:
    """Return the number of weights, removed edges included."""
    return sum(layer.weight.numel() for layer in network.layers)


@torch.no_grad()
def linearise(network: Network, x: Float[Tensor, "samples inputs"]) -> Linearisation:
    """Return outputs and Jacobian of the whole network at its weights.

    The derivative for weight (i, f, j) of a layer is feature f of input i times the sensitivity of
    the output to node j, which is passed down layer by layer through the edges' slopes.
    """
    inputs = [x]
    for layer in network.layers:
        inputs.append(evaluate(inputs[-1], layer.knots, layer.live_weight(), layer.spec))
    n_outputs = inputs[-1].shape[-1]
    start = n_weights(network)
    sensitivity, columns, values = None, [], []
    for layer, z in zip(reversed(network.layers), reversed(inputs[:-1]), strict=True):
        start -= layer.weight.numel()
        column, feature = _active_features(layer, z, start)
        if sensitivity is None:  # the last layer: output o depends on the weights of node o only
            outputs = torch.arange(n_outputs, device=x.device)
            columns.append(column.unsqueeze(1) + outputs[:, None])
            values.append(feature.unsqueeze(1).expand(-1, n_outputs, -1))
        else:
            nodes = torch.arange(layer.out_features, device=x.device)
            columns.append((column.unsqueeze(-1) + nodes).flatten(1).unsqueeze(1).expand(-1, n_outputs, -1))
            values.append((feature[:, None, :, None] * sensitivity.unsqueeze(2)).flatten(2))
        if start:
            slopes = layer.edge_outputs(z, derivative=1)
            if sensitivity is None:
                sensitivity = slopes.mT
            else:
                sensitivity = torch.einsum("nio,npo->npi", slopes, sensitivity)
    return Linearisation(inputs[-1], torch.cat(columns, dim=2), torch.cat(values, dim=2))


def _active_features(layer: KANLayer, z: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """Return (samples, entries) columns for output node 0, and feature values."""
    spec, n_out = layer.spec, layer.out_features
    first, values = active(z, layer.knots, spec)
    row = first.unsqueeze(-1) + torch.arange(values.shape[-1], device=z.device)
    if spec.has_base:
        base = BASE_FUNCTIONS[spec.base](z).unsqueeze(-1)
        values = torch.cat([values, base], dim=-1)
        row = torch.cat([row, torch.full_like(row[..., :1], spec.n_basis)], dim=-1)
    inputs = torch.arange(layer.in_features, device=z.device).unsqueeze(-1)
    column = (inputs * spec.n_features + row) * n_out + start
    return column.flatten(1), values.flatten(1)
