"""Who shares a function with whom: index arithmetic for edges that are locked together.

``leaders`` (in, out) holds for each edge the number ``i * out_features + j`` of the edge whose
function it uses: its own, or for a locked edge that of the first in its group. All edges of a group
read their leader's numbers, so autograd adds up what each of them would learn.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from kanviz.nn.basis import adapted_points

Group = list[tuple[int, int]]


def leaders_of(
    groups: Sequence[Group], in_features: int, out_features: int
) -> Int[Tensor, "inputs outputs"]:
    """Return the leaders of a layer with such groups of (input, output); no edge comes twice."""
    leaders = torch.arange(in_features * out_features)
    for group in groups:
        numbers = [i * out_features + j for i, j in group]
        leaders[numbers] = min(numbers)
    return leaders.view(in_features, out_features)


def shared(leaders: Int[Tensor, "inputs outputs"]) -> Bool[Tensor, "inputs outputs"]:
    """Return where an edge shares its function with others."""
    return leaders.flatten().bincount()[leaders] > 1


def groups_of(leaders: Int[Tensor, "inputs outputs"]) -> list[Group]:
    """Return the groups of (input, output) that share a function, each in order."""
    found: dict[int, Group] = {}
    where = shared(leaders)
    for (i, j), leader in zip(where.nonzero().tolist(), leaders[where].tolist(), strict=True):
        found.setdefault(leader, []).append((i, j))
    return list(found.values())


def group_at(leaders: Int[Tensor, "inputs outputs"], i: int, j: int) -> Group:
    """Return the edges (input, output) that share the function of one of them, itself included."""
    return [(row, column) for row, column in (leaders == leaders[i, j]).nonzero().tolist()]


def inputs_together(leaders: Int[Tensor, "inputs outputs"]) -> list[list[int]]:
    """Return the sets of inputs that need the same knots, because edges from them are locked."""
    found: list[set[int]] = []
    for group in groups_of(leaders):
        inputs = {i for i, _ in group}
        touching = [other for other in found if other & inputs]
        found = [other for other in found if not other & inputs] + [inputs.union(*touching)]
    return [sorted(inputs) for inputs in found if len(inputs) > 1]


def tied_weight(
    weight: Num[Tensor, "inputs features outputs"], leaders: Int[Tensor, "inputs outputs"]
) -> Num[Tensor, "inputs features outputs"]:
    """Return the weight with each edge's numbers taken from its leader; differentiable."""
    n_out = leaders.shape[1]
    return weight.mT[leaders // n_out, leaders % n_out].mT.contiguous()


def tied_rows(
    inputs: Int[Tensor, " edges"],
    outputs: Int[Tensor, " edges"],
    leaders: Int[Tensor, "inputs outputs"],
) -> Int[Tensor, " edges"]:
    """Return for each symbolic edge the row of its leader, which is symbolic too."""
    row = torch.zeros_like(leaders)
    row[inputs, outputs] = torch.arange(len(inputs), device=inputs.device)
    return row.flatten()[leaders[inputs, outputs]]


def tied_knots(
    knots: Float[Tensor, "inputs knots"], leaders: Int[Tensor, "inputs outputs"]
) -> Float[Tensor, "inputs knots"]:
    """Return the knots with those of inputs that belong together equal to the last bit."""
    knots = knots.clone()
    for inputs in inputs_together(leaders):
        knots[inputs] = knots[inputs[0]].clone()
    return knots


def tied_points(
    x: Float[Tensor, "samples inputs"],
    leaders: Int[Tensor, "inputs outputs"],
    grid_size: int,
    *,
    grid_eps: float | None,
    margin: float,
    digits: torch.dtype | None = None,
) -> Float[Tensor, "inputs points"]:
    """Return ``adapted_points``, with inputs that belong together seen as one sample."""

    def adapted(sample: Tensor) -> Tensor:
        return adapted_points(sample, grid_size, grid_eps=grid_eps, margin=margin, digits=digits)

    points = adapted(x)
    for inputs in inputs_together(leaders):
        joined = x[:, inputs].reshape(-1, 1)
        points[inputs] = adapted(joined)
    return points


def common_points(
    points: Float[Tensor, "inputs points"],
    leaders: Int[Tensor, "inputs outputs"],
    *,
    uniform: bool,
) -> Float[Tensor, "inputs points"]:
    """Return grid points (float64) that are alike for inputs that belong together.

    Where they differ, one grid over the union of their ranges; ``uniform`` says of what kind.
    """
    points = points.to(torch.float64, copy=True)
    for inputs in inputs_together(leaders):
        own = points[inputs]
        if bool((own != own[0]).any()):
            eps, size = 1.0 if uniform else 0.0, points.shape[1] - 1
            points[inputs] = adapted_points(own.reshape(-1, 1), size, grid_eps=eps, margin=0.0)
    return points
