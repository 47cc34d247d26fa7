"""Edges that are formulas: c f(a x + b) + d in the place of a spline."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kanviz.nn.ties import Group


@runtime_checkable
class EdgeFunction(Protocol):
    """A function of one variable as a layer uses it; ``torch`` is elementwise and smooth."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def torch(self) -> Callable[[Tensor], Tensor]:
        """Computes it, finite for every finite number."""


class SymbolicEdges(nn.Module):
    """The edges of one layer that are formulas, with their numbers as parameters.

    Parameters
    ----------
    inputs, outputs : (edges,) int64
        Edge n goes from input ``inputs[n]`` to output ``outputs[n]``; no edge comes twice.
    functions : sequence of EdgeFunction
        One per edge.
    affine : (edges, 4)
        a, b, c, d of c f(a x + b) + d.
    quality : sequence of float or None, optional
        R^2 of each formula, as it first was, against the spline that it replaced; None if unknown.
    """

    def __init__(
        self,
        inputs: Int[Tensor, " edges"],
        outputs: Int[Tensor, " edges"],
        functions: Sequence[EdgeFunction],
        affine: Float[Tensor, "edges 4"],
        quality: Sequence[float | None] | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("inputs", inputs)
        self.register_buffer("outputs", outputs)
        self.inputs: Tensor
        self.outputs: Tensor
        self.functions = tuple(functions)
        self.quality = (None,) * len(self.functions) if quality is None else tuple(quality)
        self.affine = nn.Parameter(affine)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The (input, output) of every edge."""
        return list(zip(self.inputs.tolist(), self.outputs.tolist(), strict=True))

    @torch.no_grad()
    def take(self, other: "SymbolicEdges | None") -> bool:
        """Take the numbers of the same formulas at the same edges; return whether they are such.

        The ``Parameter`` stays the same.
        """
        if other is None or self.functions != other.functions or self.affine.is_inference():
            return False
        if self.edges != other.edges:
            return False
        self.affine.copy_(other.affine)
        self.affine.requires_grad_(other.affine.requires_grad)
        self.quality = other.quality
        return True

    def row_of(self, edge: tuple[int, int]) -> int | None:
        """Return the row of an edge (input, output); None where it is none of these."""
        edges = self.edges
        return edges.index(edge) if edge in edges else None

    def forward(
        self,
        x: Float[Tensor, "*batch inputs"],
        affine: Float[Tensor, "edges 4"],
        *,
        derivative: int = 0,
    ) -> Float[Tensor, "*batch edges"]:
        """Return the value of every edge at its input, or a derivative in x.

        ``affine`` is the parameter of that name, or what stands in for it.
        """
        a, b, c, d = affine.unbind(-1)
        z = a * x[..., self.inputs] + b
        values = c * a**derivative * self._evaluate(z, derivative)
        return values + d if derivative == 0 else values

    @torch.no_grad()
    def slopes(self, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "samples edges 4"]:
        """Return the derivatives of every edge's value in its a, b, c and d."""
        a, b, c, _ = self.affine.unbind(-1)
        chosen = x[:, self.inputs]
        z = a * chosen + b
        inner = c * self._evaluate(z, 1)
        return torch.stack(
            [inner * chosen, inner, self._evaluate(z, 0), torch.ones_like(z)], dim=-1
        )

    def _evaluate(self, z: Tensor, order: int) -> Tensor:
        """Return f (or a derivative of it) of each column of z, function by function."""
        columns = [
            _derivative(function.torch, column, order)
            for function, column in zip(self.functions, z.unbind(-1), strict=True)
        ]
        return torch.stack(columns, dim=-1) if columns else torch.zeros_like(z)


def with_formula(
    symbols: SymbolicEdges | None,
    group: Group,
    function: EdgeFunction,
    affine: Float[Tensor, "1 4"],
    quality: float | None = None,
) -> SymbolicEdges:
    """Return formulas with one more, or another, at each edge of a locked group."""
    rest = without_formula(symbols, group)
    rows, columns = torch.tensor(group, device=affine.device).T.contiguous()
    functions, affine = [function] * len(group), affine.repeat(len(group), 1)
    if rest is None:
        return SymbolicEdges(rows, columns, functions, affine, [quality] * len(group))
    return SymbolicEdges(
        torch.cat([rest.inputs, rows]),
        torch.cat([rest.outputs, columns]),
        [*rest.functions, *functions],
        torch.cat([rest.affine.detach(), affine]),
        [*rest.quality, *[quality] * len(group)],
    )


def without_formula(symbols: SymbolicEdges | None, group: Group) -> SymbolicEdges | None:
    """Return formulas without those at the edges of a group; None if none is left."""
    if symbols is None:
        return None
    return part_of(symbols, [n for n, edge in enumerate(symbols.edges) if edge not in group])


def part_of(symbols: SymbolicEdges, rows: Sequence[int]) -> SymbolicEdges | None:
    """Return some of the formulas, by their row, as a copy; None for none."""
    if not rows:
        return None
    kept = list(rows)
    return SymbolicEdges(
        symbols.inputs[kept],
        symbols.outputs[kept],
        [symbols.functions[n] for n in kept],
        symbols.affine.detach()[kept],
        [symbols.quality[n] for n in kept],
    )


def _derivative(function: Callable[[Tensor], Tensor], z: Tensor, order: int) -> Tensor:
    """Return a derivative of an elementwise function; itself differentiable where z is."""
    if order == 0:
        return function(z)
    track = torch.is_grad_enabled() and z.requires_grad
    with torch.enable_grad():
        point = z if z.requires_grad else z.detach().requires_grad_()
        value = function(point)
        for step in range(order):
            if not value.requires_grad:
                return torch.zeros_like(z)
            more = track or step + 1 < order
            (value,) = torch.autograd.grad(
                value.sum(), point, create_graph=more, materialize_grads=True
            )
    return value if track else value.detach()
