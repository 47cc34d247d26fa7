"""A network without its idle nodes, for a search that trains it many times, and the way back.

What pruning leaves is often a small part of the widths, but every step of a fit pays for all.
"""

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from kanviz.nn.basis import is_uniform
from kanviz.nn.layer import KANLayer, LayerState
from kanviz.nn.network import Network
from kanviz.nn.regrid import grid_points
from kanviz.nn.symbols import SymbolicEdges, part_of, stacked
from kanviz.nn.ties import tied_knots

Nodes = Int[Tensor, " _nodes"]


@torch.no_grad()
def without_idle_nodes(network: Network) -> tuple[Network, list[Nodes]]:
    """Return a copy without hidden nodes that have no live edge, and which nodes it has.

    Nodes with a locked edge stay. The second value holds, layer by layer from the inputs on, the
    numbers of the nodes in ``network``.
    """
    nodes = [_used(network, depth) for depth in range(len(network.widths))]
    layers = []
    for layer, rows, kept in zip(network.layers, nodes, nodes[1:], strict=False):
        products = layer.nodes.part(kept.tolist()).arities
        small = replace(_selected(layer.state(), rows, sums_of(layer, kept)), products=products)
        layers.append(KANLayer.from_state(small, layer.weight.device))
    return Network.from_layers(layers, made_with=network.made_with), nodes


@torch.no_grad()
def put_back(network: Network, small: Network, nodes: list[Nodes]) -> None:
    """Write what became of the copy into the network; idle nodes keep what they have."""
    for layer, other, rows, kept in zip(
        network.layers, small.layers, nodes, nodes[1:], strict=False
    ):
        mine, theirs, columns = layer.state(), other.state(), sums_of(layer, kept)
        knots, weight = mine.knots.clone(), mine.weight.clone()
        mask, frozen = mine.mask.clone(), mine.frozen.clone()
        knots[rows] = theirs.knots
        features = torch.arange(weight.shape[1], device=weight.device)
        weight[rows[:, None, None], features[:, None], columns] = theirs.weight
        mask[rows[:, None], columns] = theirs.mask
        frozen[rows[:, None], columns] = theirs.frozen
        points = grid_points(knots, theirs.spec)
        layer.restore(
            replace(
                mine,
                spec=replace(theirs.spec, uniform=is_uniform(points)),
                weight=weight,
                knots=tied_knots(knots, mine.leaders),
                mask=mask,
                frozen=frozen,
                symbols=_joined(
                    _idle_symbols(mine.symbols, rows, columns), theirs.symbols, rows, columns
                ),
            )
        )


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
        entered = before.nodes.any_of((before.mask | before.locked).any(0))
        used = entered | (after.mask | after.locked).any(1)
        used[0] |= ~used.any()  # a layer has at least one node
    return used.nonzero().squeeze(1)


def sums_of(layer: KANLayer, nodes: Nodes) -> Nodes:
    """Return the sums that some nodes of a layer are made of."""
    if not layer.nodes.arities:
        return nodes
    found = [j for node in nodes.tolist() for j in layer.nodes.sums_of(node)]
    return torch.tensor(found, device=nodes.device)


def _selected(state: LayerState, rows: Nodes, columns: Nodes) -> LayerState:
    """Return the state with only the edges from these inputs to these outputs."""
    row_of = torch.zeros_like(state.mask[:, 0], dtype=torch.int64)
    column_of = torch.zeros_like(state.mask[0], dtype=torch.int64)
    row_of[rows] = torch.arange(len(rows), device=rows.device)
    column_of[columns] = torch.arange(len(columns), device=rows.device)
    leaders, n_out = state.leaders[rows][:, columns], state.mask.shape[1]
    symbols = state.symbols
    if symbols is not None:
        chosen = part_of(symbols, _rows_inside(symbols, rows, columns))
        symbols = None if chosen is None else _moved(chosen, row_of, column_of)
    return replace(
        state,
        weight=state.weight[rows][:, :, columns],
        knots=state.knots[rows],
        mask=state.mask[rows][:, columns],
        frozen=state.frozen[rows][:, columns],
        leaders=row_of[leaders // n_out] * len(columns) + column_of[leaders % n_out],
        symbols=symbols,
        constraints={
            (int(row_of[i]), int(column_of[j])): constraint
            for (i, j), constraint in state.constraints.items()
            if bool((rows == i).any()) and bool((columns == j).any())
        },
    )


def _rows_inside(symbols: SymbolicEdges, rows: Nodes, columns: Nodes) -> list[int]:
    """Return which formulas are at edges from these inputs to these outputs."""
    inside = torch.isin(symbols.inputs, rows) & torch.isin(symbols.outputs, columns)
    found: list[int] = inside.nonzero().squeeze(1).tolist()
    return found


def _moved(symbols: SymbolicEdges, rows: Tensor, columns: Tensor) -> SymbolicEdges:
    """Return the formulas at the edges from ``rows[input]`` to ``columns[output]``."""
    return SymbolicEdges(
        rows[symbols.inputs],
        columns[symbols.outputs],
        symbols.functions,
        symbols.affine.detach().clone(),
        symbols.quality,
    )


def _idle_symbols(
    symbols: SymbolicEdges | None, rows: Nodes, columns: Nodes
) -> SymbolicEdges | None:
    """Return the formulas of edges at idle nodes, which rest."""
    if symbols is None:
        return None
    inside = set(_rows_inside(symbols, rows, columns))
    return part_of(symbols, [n for n in range(len(symbols.functions)) if n not in inside])


def _joined(
    idle: SymbolicEdges | None, small: SymbolicEdges | None, rows: Nodes, columns: Nodes
) -> SymbolicEdges | None:
    """Return idle formulas and those of the copy, which has its own numbers of nodes, together."""
    if small is None:
        return idle
    mine = _moved(small, rows, columns)
    if idle is None:
        return mine
    return SymbolicEdges(
        torch.cat([idle.inputs, mine.inputs]),
        torch.cat([idle.outputs, mine.outputs]),
        [*idle.functions, *mine.functions],
        stacked([idle.affine.detach(), mine.affine.detach()]),
        [*idle.quality, *mine.quality],
    )
