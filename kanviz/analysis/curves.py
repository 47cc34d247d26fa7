"""The curves of some edges while a network learns: only what moves, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import scores
from kanviz.analysis.capture import N_CURVE, curve_grid, edge_values
from kanviz.analysis.trace import node_values
from kanviz.layout import strengths
from kanviz.nn.network import Network
from kanviz.snapshot import Edge


@dataclass(frozen=True, eq=False)
class Curves:
    """What moves in a picture; row n of each array belongs to edge n; all float32.

    Parameters
    ----------
    curve_x, curve_y : (edges, points)
        As in ``EdgeView``.
    strength, score : (edges,)
        As in ``EdgeView``.
    """

    curve_x: np.ndarray
    curve_y: np.ndarray
    strength: np.ndarray
    score: np.ndarray


@torch.no_grad()
def moving_curves(
    network: Network, x: Float[Tensor, "samples inputs"], edges: Sequence[Edge]
) -> Curves:
    """Return the curves of some edges as ``capture`` would draw them.

    Parameters
    ----------
    network : Network
        Is only read.
    x : (samples, inputs)
        Of the network's dtype and device.
    edges : sequence of Edge
        Layer by layer, inputs first.
    """
    values, found = node_values(network, x), scores(network, x).edges
    parts = []
    for number, layer in enumerate(network.layers):
        chosen = [edge for edge in edges if edge.layer == number]
        if not chosen:
            continue
        index = torch.tensor(chosen, device=x.device)
        i, j = index[:, 1], index[:, 2]
        grid = curve_grid(layer, values[number], N_CURVE)
        score = found[number][i, j]
        strength = torch.tensor(strengths(score.tolist()))
        parts.append((grid.T[i], edge_values(layer, grid, i, j), strength, score))
    columns = (torch.cat(column) for column in zip(*parts, strict=True))
    return Curves(*(column.cpu().numpy().astype(np.float32) for column in columns))
