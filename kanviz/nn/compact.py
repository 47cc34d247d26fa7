"""A network without its idle nodes, for a search that trains it many times, and the way back.

What pruning leaves is often a small part of the widths, but every step of a fit pays for all.
"""

import copy
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from kanviz.nn.basis import is_uniform
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.symbols import SymbolicEdges

Nodes = Int[Tensor, " _nodes"]


def without_idle_nodes(network: Network) -> tuple[Network, list[Nodes]]:
    """Return a copy without hidden nodes that have no live edge, and which nodes it has.

    Nodes with a locked edge stay. The second value holds, layer by layer from the inputs on, the
    numbers of the nodes in ``network``.
    """
    nodes = [_used(network, depth) for depth in range(len(network.widths))]
    small = copy.deepcopy(network)
    for layer, rows, columns in zip(small.layers, nodes, nodes[1:], strict=False):
        _select(layer, rows, columns)
    return small, nodes


@torch.no_grad()
def put_back(network: Network, small: Network, nodes: list[Nodes]) -> None:
    """Write what became of the copy into the network; idle nodes keep what they have."""
    for mine, theirs, rows, columns in zip(
        network.layers, small.layers, nodes, nodes[1:], strict=False
    ):
        knots, weight, mask = mine.knots.clone(), mine.weight.detach().clone(), mine.mask.clone()
        frozen = mine.frozen.clone()
        knots[rows] = theirs.knots
        features = torch.arange(weight.shape[1], device=weight.device)
        weight[rows[:, None, None], features[:, None], columns] = theirs.weight
        mask[rows[:, None], columns] = theirs.mask
        frozen[rows[:, None], columns] = theirs.frozen
        idle = _idle_symbols(mine, rows, columns)
        mine.set_symbols(None)
        mine.replace(knots, weight, theirs.spec)
        mine.set_mask(mask)
        mine.set_frozen(frozen)
        mine.set_symbols(_joined(idle, theirs.symbols, rows, columns))
        mine.spec = replace(mine.spec, uniform=is_uniform(mine.grid_points))


def _used(network: Network, depth: int) -> Nodes:
    """Return the nodes of one depth that have a live or a locked edge, all at both ends."""
    last = len(network.widths) - 1
    used = torch.zeros(
        network.widths[depth], dtype=torch.bool, device=network.layers[0].mask.device
    )
    if depth in (0, last):
        used[:] = True
    else:
        before, after = network.layers[depth - 1], network.layers[depth]
        used = (before.mask | before.locked).any(0) | (after.mask | after.locked).any(1)
        used[0] |= ~used.any()  # a layer has at least one node
    return used.nonzero().squeeze(1)


@torch.no_grad()
def _select(layer: KANLayer, rows: Nodes, columns: Nodes) -> None:
    """Leave a layer only the edges from these inputs to these outputs."""
    leaders = layer.leaders[rows][:, columns]
    row_of = torch.zeros_like(layer.mask[:, 0], dtype=torch.int64)
    column_of = torch.zeros_like(layer.mask[0], dtype=torch.int64)
    row_of[rows] = torch.arange(len(rows), device=rows.device)
    column_of[columns] = torch.arange(len(columns), device=rows.device)
    first, second = leaders // layer.out_features, leaders % layer.out_features
    symbols = _selected(layer.symbols, rows, columns, row_of, column_of)
    knots, weight = layer.knots[rows], layer.weight.detach()[rows][:, :, columns]
    mask, frozen = layer.mask[rows][:, columns], layer.frozen[rows][:, columns]
    layer.set_symbols(None)
    layer.in_features, layer.out_features = len(rows), len(columns)
    layer.mask, layer.frozen = mask, frozen
    layer.leaders = row_of[first] * len(columns) + column_of[second]
    layer.set_mask(mask)
    layer.replace(knots, weight, layer.spec)
    layer.set_symbols(symbols)


def _selected(
    symbols: SymbolicEdges | None, rows: Nodes, columns: Nodes, row_of: Tensor, column_of: Tensor
) -> SymbolicEdges | None:
    if symbols is None:
        return None
    inside = torch.isin(symbols.inputs, rows) & torch.isin(symbols.outputs, columns)
    kept = inside.nonzero().squeeze(1).tolist()
    return _part(symbols, kept, row_of[symbols.inputs], column_of[symbols.outputs])


def _idle_symbols(layer: KANLayer, rows: Nodes, columns: Nodes) -> SymbolicEdges | None:
    """Return the formulas of edges at idle nodes, which rest."""
    symbols = layer.symbols
    if symbols is None:
        return None
    inside = torch.isin(symbols.inputs, rows) & torch.isin(symbols.outputs, columns)
    kept = (~inside).nonzero().squeeze(1).tolist()
    return _part(symbols, kept, symbols.inputs, symbols.outputs)


def _part(
    symbols: SymbolicEdges, kept: list[int], inputs: Tensor, outputs: Tensor
) -> SymbolicEdges | None:
    if not kept:
        return None
    return SymbolicEdges(
        inputs[kept],
        outputs[kept],
        [symbols.functions[n] for n in kept],
        symbols.affine.detach()[kept].clone(),
        [symbols.quality[n] for n in kept],
    )


def _joined(
    idle: SymbolicEdges | None, small: SymbolicEdges | None, rows: Nodes, columns: Nodes
) -> SymbolicEdges | None:
    """Return idle formulas and those of the copy, which has its own numbers of nodes, together."""
    if small is None:
        return idle
    mine = _part(
        small, list(range(len(small.functions))), rows[small.inputs], columns[small.outputs]
    )
    if idle is None or mine is None:
        return mine
    return SymbolicEdges(
        torch.cat([idle.inputs, mine.inputs]),
        torch.cat([idle.outputs, mine.outputs]),
        [*idle.functions, *mine.functions],
        torch.cat([idle.affine.detach(), mine.affine.detach()]),
        [*idle.quality, *mine.quality],
    )
