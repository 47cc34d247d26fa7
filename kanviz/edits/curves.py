"""Edits of one curve by hand: a control point moved, a curve drawn.

Edges that are locked with it follow.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from kanviz.data.scaling import NO_UNITS, EdgeUnits
from kanviz.edits.address import check_edge
from kanviz.edits.code import call_code
from kanviz.nn.features import features
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.ties import group_at
from kanviz.snapshot import Edge

How = Literal["drew", "smoothed", "flattened", "shifted", "scaled", "reshaped"]
"""What a hand did to a curve, as the history has it."""

STIFFNESS = 1e-6
"""Weight of staying as it was, against the drawn points: it decides only where none was drawn."""


@dataclass(frozen=True)
class MovePoint:
    """Put control point ``m`` of an edge at ``height``.

    ``height`` is in the user's unit of the node that the edge leads to; ``units`` leads from there
    into the network.
    """

    layer: int
    i: int
    j: int
    m: int
    height: float
    units: EdgeUnits = NO_UNITS

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        return (self.layer,)

    def apply_to(self, network: Network) -> None:
        """Move it; ValueError if the edge is no spline, IndexError if it has no such point."""
        layer = _spline(network, self.layer, self.i, self.j)
        if not 0 <= self.m < layer.spec.n_basis:
            raise IndexError(
                f"m must be from 0 to {layer.spec.n_basis - 1} because the edge has "
                f"{layer.spec.n_basis} control points; got {self.m}. Count from 0."
            )
        _check_finite("height", [self.height])
        with torch.no_grad():
            height = torch.tensor(self.height / self.units.size, dtype=torch.float64)
            for i, j in group_at(layer.leaders, self.i, self.j):
                layer.weight[i, self.m, j] = height.to(layer.weight)
                _push(layer, i, j, self.m)
        layer.settle()

    def sentence(self) -> str:
        """Say what was done."""
        return f"moved point {self.m} of edge ({self.layer}, {self.i}, {self.j})"

    def code(self) -> str:
        """Return the call."""
        edge = f"({self.layer}, {self.i}, {self.j})"
        return call_code("model.move_point", edge, str(self.m), repr(self.height))


@dataclass(frozen=True)
class SetCurve:
    """Bend the spline of an edge through points (x, y), by least squares.

    Where no points lie near, the curve stays as it was. The points are in the user's units, and
    ``units`` leads from there into the network. ``how`` is the hand's own word for it.
    """

    layer: int
    i: int
    j: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    units: EdgeUnits = NO_UNITS
    how: How = "drew"

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        return (self.layer,)

    def apply_to(self, network: Network) -> None:
        """Bend it; ValueError if the edge is no spline or the points make no sense."""
        layer = _spline(network, self.layer, self.i, self.j)
        if not self.x or len(self.x) != len(self.y):
            raise ValueError(
                f"x and y must be as many, at least 1; got {len(self.x)} and {len(self.y)}. "
                "Pass one y for each x."
            )
        _check_finite("x and y", [*self.x, *self.y])
        points = torch.tensor(self.x, dtype=torch.float64).unsqueeze(-1)
        points = (points - self.units.shift) / self.units.scale
        points = points.expand(-1, layer.in_features).to(layer.weight.device)
        columns = features(points, layer.knots.double(), layer.spec)[:, self.i]
        n_basis, weight = layer.spec.n_basis, layer.weight.detach()[self.i, :, self.j].double()
        wanted = torch.tensor(self.y, dtype=torch.float64, device=weight.device) / self.units.size
        left = wanted - columns @ weight
        design = columns[:, :n_basis]
        # A point far out, where the curve goes on along its tangent, counts as one on the grid, or
        # its square would leave no digits for the rest.
        size = design.norm(dim=1).clamp(min=1)
        design, left = design / size.unsqueeze(1), left / size
        normal = design.T @ design + STIFFNESS * torch.eye(n_basis, device=weight.device)
        change = torch.linalg.solve(normal, design.T @ left)
        if not bool(change.to(layer.weight.dtype).isfinite().all()):
            raise ValueError(
                f"The curve through these points would need numbers beyond {layer.weight.dtype}. "
                "Draw it nearer to the grid."
            )
        with torch.no_grad():
            for i, j in group_at(layer.leaders, self.i, self.j):
                layer.weight[i, :n_basis, j] += change.to(layer.weight.dtype)
        layer.settle()

    def sentence(self) -> str:
        """Say what was done."""
        edge = f"({self.layer}, {self.i}, {self.j})"
        points = f" through {len(self.x)} points" if self.how == "drew" else ""
        return f"{self.how} edge {edge}{points}"

    def code(self) -> str:
        """Return the call."""
        edge = f"({self.layer}, {self.i}, {self.j})"
        return call_code("model.set_curve", edge, repr(list(self.x)), repr(list(self.y)))


def _push(layer: KANLayer, i: int, j: int, m: int) -> None:
    """Let a moved point of a monotone curve push the others out of its way."""
    constraint = layer.constraints.get((i, j))
    shapes = () if constraint is None else constraint.shapes
    coef, n_basis = layer.weight[i, :, j], layer.spec.n_basis
    if "increasing" in shapes:
        coef[m:n_basis].clamp_(min=coef[m].item())
        coef[:m].clamp_(max=coef[m].item())
    elif "decreasing" in shapes:
        coef[m:n_basis].clamp_(max=coef[m].item())
        coef[:m].clamp_(min=coef[m].item())


def _spline(network: Network, layer: int, i: int, j: int) -> KANLayer:
    """Return the layer of an edge that is a live spline."""
    edge: Edge = check_edge(network, layer, i, j)
    found = network.layers[edge.layer]
    if not bool(found.spline_mask[edge.i, edge.j]):
        raise ValueError(
            f"Edge {tuple(edge)} is removed or a formula, and only a spline can be bent. "
            "Bring it back with restore_edge or unfix."
        )
    found.settle()
    return found


def _check_finite(name: str, values: list[float]) -> None:
    if not bool(torch.tensor(values, dtype=torch.float64).isfinite().all()):
        raise ValueError(f"{name} must be finite; got nan or inf. Leave such points out.")
