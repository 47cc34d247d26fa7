"""The numbers of a network's formulas, taken out to be rearranged, and put back."""

import math
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool
from torch import Tensor

from kanviz.data.dataset import Scaling
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.symbolic.library import Function
from kanviz.symbolic.traits import probes, traits

A, B, C, D = range(4)

NEARLY = 1e-3
LARGEST_SHIFT = 20.0
"""A larger b is not moved out of a function: exp of it would be a huge factor."""


@dataclass
class Term:
    """One formula c f(a x + b) + d.

    Parameters
    ----------
    edge : Edge
        Where it is.
    function : Function
        f.
    numbers : list of float
        a, b, c, d, in the user's units at the ends of the network.
    held : list of bool
        Which of them stay as they are.
    is_free : bool
        Whether they may change on their own: the edge is live, not frozen and not locked.
    """

    edge: Edge
    function: Function
    numbers: list[float]
    held: list[bool]
    is_free: bool

    def stretch(self, factor: float) -> None:
        """Take ``factor`` (above 0) out of the argument of f, where c and d can make up for it."""
        self._make_up(*_line(self.function, factor, 0.0))
        self.numbers[A] /= factor
        self.numbers[B] /= factor

    def drop_shift(self) -> None:
        """Take b out of the argument of f, where c and d can make up for it."""
        self._make_up(*_line(self.function, 1.0, self.numbers[B]))
        self.numbers[B] = 0.0

    def _make_up(self, p: float, q: float) -> None:
        self.numbers[D] += self.numbers[C] * q
        self.numbers[C] *= p

    def tidy(self) -> None:
        """Bring a, b, c, d to the simplest form by what is known of f alone."""
        known = traits(self.function)
        if known.mirror is not None and self.numbers[A] < 0:
            self.numbers[A], self.numbers[B] = -self.numbers[A], -self.numbers[B]
            self._make_up(*known.mirror)
        if known.scale_free and self.numbers[A] != 0:
            self.stretch(abs(self.numbers[A]))
            self.held[A] = True
        if known.shift_free and abs(self.numbers[B]) < LARGEST_SHIFT:
            self.drop_shift()
            self.held[B] = True
        if known.is_periodic:
            self._turn_back()

    def _turn_back(self) -> None:
        """Bring b within a turn, within half a turn where f(u + pi) = -f(u)."""
        self.numbers[B] = math.remainder(self.numbers[B], 2 * math.pi)
        is_odd = traits(self.function).is_wave
        if is_odd and abs(self.numbers[B]) > math.pi / 2 + NEARLY:
            p, q = _line(self.function, 1.0, math.pi)
            self.numbers[B] -= math.copysign(math.pi, self.numbers[B])
            self._make_up(p, q)


def _line(function: Function, factor: float, shift: float) -> tuple[float, float]:
    """Return (p, q) of f(factor u + shift) = p f(u) + q."""
    u = probes(function.domain)
    first, second = function.torch.plain(u), function.torch.plain(factor * u + shift)
    low, high = first.argmin(), first.argmax()
    rise = float(first[high] - first[low])
    if rise == 0:
        return 1.0, 0.0
    p = float(second[high] - second[low]) / rise
    q = float((second - p * first).mean())
    return p, q if abs(q) > 1e-13 * float(second.abs().max()) else 0.0


@dataclass(frozen=True)
class Units:
    """The user's units of inputs and outputs: where numbers have to be nice."""

    x: Scaling
    y: Scaling

    def of(self, network: Network, edge: Edge) -> tuple[float, float, float]:
        """Return (shift, scale) of an edge's input, and the scale of its output."""
        shift, scale, unit = 0.0, 1.0, 1.0
        if edge.layer == 0:
            shift, scale = float(self.x.shift[edge.i]), float(self.x.scale[edge.i])
        if edge.layer == len(network.layers) - 1:
            unit = float(self.y.scale[edge.j])
        return shift, scale, unit

    def offset(self, network: Network, edge: Edge, place: int) -> float:
        """Return what the user's unit adds to a number: the shift of an output to its constant."""
        is_last = place == D and edge.layer == len(network.layers) - 1
        return float(self.y.shift[edge.j]) if is_last else 0.0


def read_terms(network: Network, units: Units) -> list[list[Term]]:
    """Return the formulas of each layer, in the order of its ``symbols``; none is held yet.

    The shift of an output's unit is not in them; see ``Units.offset``.
    """
    layers: list[list[Term]] = []
    for depth, layer in enumerate(network.layers):
        layers.append([])
        if layer.symbols is None:
            continue
        rows = zip(layer.symbols.edges, layer.symbols.functions, strict=True)
        for ((i, j), function), (a, b, c, d) in zip(rows, layer.affine.tolist(), strict=True):
            edge = Edge(depth, i, j)
            shift, scale, unit = units.of(network, edge)
            numbers = [a / scale, b - a * shift / scale, c * unit, d * unit]
            is_free = bool((layer.mask & ~layer.frozen & ~layer.locked)[i, j])
            known = cast(Function, function)  # a model's come from the library
            layers[depth].append(Term(edge, known, numbers, [not is_free] * 4, is_free))
    return layers


@torch.no_grad()
def write_terms(network: Network, layers: list[list[Term]], units: Units) -> None:
    """Put the numbers into the network."""
    for layer, terms in zip(network.layers, layers, strict=True):
        for n, term in enumerate(terms):
            shift, scale, unit = units.of(network, term.edge)
            a, b, c, d = term.numbers
            row = [a * scale, b + a * shift, c / unit, d / unit]
            assert layer.symbols is not None
            layer.symbols.affine[n] = layer.symbols.affine.new_tensor(row)


def held_numbers(layers: list[list[Term]]) -> list[Bool[Tensor, "_edges 4"] | None]:
    """Return which numbers of each layer's formulas are held, as ``Judge.refit`` takes it."""
    return [torch.tensor([term.held for term in terms]) if terms else None for terms in layers]
