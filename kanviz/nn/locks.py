"""Edges that share one function, and are free again."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kanviz.nn.basis import adapted_points
from kanviz.nn.layer import KANLayer
from kanviz.nn.symbols import with_formula
from kanviz.nn.ties import Group, groups_of, inputs_together, leaders_of


@torch.no_grad()
def lock(layer: KANLayer, edges: Sequence[tuple[int, int]]) -> float:
    """Let free edges of a layer share one function from now on.

    It starts as the mean of their functions, which of all single functions has the least sum of
    squared distances to them. Where the first edge is frozen or a formula, its function is taken as
    it is and all become as it stands.

    Parameters
    ----------
    layer : KANLayer
        Changed in place. Where the knots of the edges' inputs differ, all edges from these inputs
        move to one grid over the union of their ranges.
    edges : sequence of (input, output)
        At least two that are not locked. Any that is a formula comes with the first one a formula.

    Returns
    -------
    float
        Largest root-mean-square change of an edge by a move to common knots, in the unit of the
        outputs; 0.0 where the knots were alike.
    """
    leaders = leaders_of([*groups_of(layer.leaders), list(edges)], *layer.leaders.shape)
    points, change = _common_points(layer, leaders), 0.0
    if bool((points != layer.grid_points).any()):
        change = layer.move_knots(points, uniform=layer.spec.uniform)
    rows, columns = torch.tensor(sorted(edges), device=layer.weight.device).T
    own = layer.weight[rows, :, columns].double()
    first, is_frozen = sorted(edges).index(edges[0]), bool(layer.frozen[edges[0]])
    takes_first = is_frozen or _formula(layer, edges[0]) is not None
    layer.weight[rows, :, columns] = (own[first] if takes_first else own.mean(0)).to(layer.weight)
    frozen = layer.frozen.clone()
    frozen[rows, columns] = is_frozen
    layer.set_leaders(leaders)
    layer.set_frozen(frozen)
    _share_formula(layer, edges[0])
    return change


def unlock(layer: KANLayer, edges: Sequence[tuple[int, int]]) -> None:
    """Let locked edges of a layer go their own way, each with the function that it shared.

    Those of a group that are not named stay locked, as long as they are two.
    """
    layer.settle()
    staying = [_without(group, edges) for group in groups_of(layer.leaders)]
    layer.set_leaders(leaders_of([group for group in staying if group], *layer.leaders.shape))


def _without(group: Group, edges: Sequence[tuple[int, int]]) -> Group:
    return [edge for edge in group if edge not in edges]


def _common_points(layer: KANLayer, leaders: Tensor) -> Tensor:
    """Return grid points (float64) that are alike for inputs that belong together."""
    points = layer.grid_points.to(torch.float64, copy=True)
    for inputs in inputs_together(leaders):
        own = points[inputs]
        if bool((own != own[0]).any()):
            eps = 1.0 if layer.spec.uniform else 0.0
            pooled, size = own.reshape(-1, 1), layer.spec.grid_size
            points[inputs] = adapted_points(pooled, size, grid_eps=eps, margin=0.0)
    return points


def _formula(layer: KANLayer, edge: tuple[int, int]) -> int | None:
    """Return the row of an edge among the layer's formulas; None for a spline."""
    symbols = layer.symbols
    return symbols.edges.index(edge) if symbols and edge in symbols.edges else None


def _share_formula(layer: KANLayer, edge: tuple[int, int]) -> None:
    """Give the formula of an edge, if it is one, to those that are locked with it."""
    row, symbols = _formula(layer, edge), layer.symbols
    if row is not None and symbols is not None:
        function, numbers = symbols.functions[row], symbols.affine[row].tolist()
        layer.set_symbols(with_formula(layer, *edge, function, numbers, symbols.quality[row]))
