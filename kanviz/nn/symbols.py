"""Edges that are formulas: c f(a x + b) + d in the place of a spline.

A function f may have free constants of its own, as p exp(q x) has. They stand behind a, b, c and d
in the edge's row, and training moves them instead: a, b, c and d then only lead from the network's
units into those that the formula was written in.
"""

import math
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
    def constants(self) -> tuple[str, ...]:
        """The names of its free constants, in order."""

    @property
    def torch(self) -> Callable[..., Tensor]:
        """Computes it of the variable and the free constants, finite for finite numbers."""


def near_phase(function: EdgeFunction, numbers: Sequence[float]) -> tuple[float, ...]:
    """Return a, b, c, d of the same formula with b within half a period of 0, if it is far off.

    A sine of dates begins millions of periods away in the network's units, and float32 would keep
    only those. Functions that repeat have a ``period``.
    """
    a, b, *rest = numbers
    period = getattr(function, "period", None)
    if period is not None and abs(b) > period and math.isfinite(b):
        b = math.remainder(b, period)
    return a, b, *rest


class SymbolicEdges(nn.Module):
    """The edges of one layer that are formulas, with their numbers as parameters.

    Parameters
    ----------
    inputs, outputs : (edges,) int64
        Edge n goes from input ``inputs[n]`` to output ``outputs[n]``; no edge comes twice.
    functions : sequence of EdgeFunction
        One per edge.
    affine : (edges, 4 or more)
        a, b, c, d of c f(a x + b) + d, then the free constants of f. Rows are filled up with 0 to
        the length that the function with the most constants asks for.
    quality : sequence of float or None, optional
        R^2 of each formula, as it first was, against the spline that it replaced; None if unknown.
    """

    def __init__(
        self,
        inputs: Int[Tensor, " edges"],
        outputs: Int[Tensor, " edges"],
        functions: Sequence[EdgeFunction],
        affine: Float[Tensor, "edges numbers"],
        quality: Sequence[float | None] | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("inputs", inputs)
        self.register_buffer("outputs", outputs)
        self.inputs: Tensor
        self.outputs: Tensor
        self.functions = tuple(functions)
        self.quality = (None,) * len(self.functions) if quality is None else tuple(quality)
        self.affine = nn.Parameter(_of_length(affine, row_length(self.functions)))
        # Which numbers of each edge training moves. It follows from the functions.
        rows = [_trains(function, self.affine.shape[1]) for function in self.functions]
        trains = torch.tensor(rows, dtype=torch.bool, device=affine.device)
        self.register_buffer("trains", trains.view(self.affine.shape), persistent=False)
        self.trains: Tensor

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
        affine: Float[Tensor, "edges numbers"],
        *,
        derivative: int = 0,
    ) -> Float[Tensor, "*batch edges"]:
        """Return the value of every edge at its input, or a derivative in x.

        ``affine`` is the parameter of that name, or what stands in for it.
        """
        a, b, c, d = affine[:, :4].unbind(-1)
        z = a * x[..., self.inputs] + b
        values = c * a**derivative * self._evaluate(z, affine, derivative)
        return values + d if derivative == 0 else values

    @torch.no_grad()
    def slopes(self, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "samples edges numbers"]:
        """Return the derivatives of every edge's value in its numbers: 0 in those at rest."""
        a, b, c, _ = self.affine[:, :4].unbind(-1)
        chosen = x[:, self.inputs]
        z = a * chosen + b
        inner = c * self._evaluate(z, self.affine, 1)
        own = [inner * chosen, inner, self._evaluate(z, self.affine, 0), torch.ones_like(z)]
        if self.affine.shape[1] == 4:
            return torch.stack(own, dim=-1)
        slopes = x.new_zeros(*z.shape, self.affine.shape[1])
        slopes[..., :4] = torch.stack(own, dim=-1)
        for n, function in enumerate(self.functions):
            if function.constants:
                numbers = self.affine[n, 4 : 4 + len(function.constants)]
                slopes[:, n, 4 : 4 + len(numbers)] = c[n] * _slopes(function, z[:, n], numbers)
        return slopes * self.trains

    def _evaluate(self, z: Tensor, affine: Tensor, order: int) -> Tensor:
        """Return f (or a derivative of it) of each column of z, function by function."""
        columns = []
        for n, (function, column) in enumerate(zip(self.functions, z.unbind(-1), strict=True)):
            numbers = affine[n, 4 : 4 + len(function.constants)] if function.constants else ()
            columns.append(_derivative(function.torch, column, tuple(numbers), order))
        return torch.stack(columns, dim=-1) if columns else torch.zeros_like(z)


def row_length(functions: Sequence[EdgeFunction]) -> int:
    """Return how many numbers a row has: a, b, c, d and the most free constants of any."""
    return 4 + max((len(function.constants) for function in functions), default=0)


def _of_length(rows: Float[Tensor, "edges numbers"], length: int) -> Tensor:
    """Return rows of so many numbers: filled up with 0, or without what is at rest."""
    if rows.shape[1] == length:
        return rows
    return nn.functional.pad(rows, (0, length - rows.shape[1])).contiguous()


def _trains(function: EdgeFunction, length: int) -> list[bool]:
    own = len(function.constants)
    return [not own] * 4 + [True] * own + [False] * (length - 4 - own)


def _slopes(
    function: EdgeFunction, z: Float[Tensor, " samples"], numbers: Float[Tensor, " constants"]
) -> Float[Tensor, "samples constants"]:
    """Return the derivatives of f in its free constants, at each sample."""
    with torch.enable_grad():
        each = [number.expand_as(z).clone().requires_grad_() for number in numbers.detach()]
        value = function.torch(z.detach(), *each)
        found = torch.autograd.grad(value.sum(), each, allow_unused=True, materialize_grads=True)
    return torch.stack(found, dim=-1)


def with_formula(
    symbols: SymbolicEdges | None,
    group: Group,
    function: EdgeFunction,
    affine: Float[Tensor, "1 numbers"],
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
        stacked([rest.affine.detach(), affine]),
        [*rest.quality, *[quality] * len(group)],
    )


def stacked(tables: Sequence[Float[Tensor, "_edges _numbers"]]) -> Float[Tensor, "edges numbers"]:
    """Return rows of different lengths as one table."""
    longest = max(table.shape[1] for table in tables)
    return torch.cat([_of_length(table, longest) for table in tables])


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


def _derivative(
    function: Callable[..., Tensor], z: Tensor, numbers: tuple[Tensor, ...], order: int
) -> Tensor:
    """Return a derivative in z of an elementwise function; differentiable where its inputs are."""
    if order == 0:
        return function(z, *numbers)
    needs = z.requires_grad or any(number.requires_grad for number in numbers)
    track = torch.is_grad_enabled() and needs
    with torch.enable_grad():
        point = z if z.requires_grad else z.detach().requires_grad_()
        value = function(point, *numbers)
        for step in range(order):
            if not value.requires_grad:
                return torch.zeros_like(z)
            more = track or step + 1 < order
            (value,) = torch.autograd.grad(
                value.sum(), point, create_graph=more, materialize_grads=True
            )
    return value if track else value.detach()
