"""Edits that make an edge a formula and back; those that are locked with it go along."""

from dataclasses import dataclass
from typing import Any

import torch

from kanviz.data.scaling import NO_UNITS, PLAIN, Affine, EdgeUnits
from kanviz.edits.address import check_edge
from kanviz.edits.code import call_code
from kanviz.nn.network import Network
from kanviz.nn.symbols import EdgeFunction


@dataclass(frozen=True)
class FixEdge:
    """Make an edge c f(a x + b) + d; its spline rests and comes back with ``UnfixEdge``.

    Parameters
    ----------
    layer, i, j : int
        The edge.
    function : EdgeFunction
        f; it carries its own formula, so nothing else is needed to do this again.
    affine : (a, b, c, d)
        In the user's units.
    constants : tuple of float
        The free constants of f, in its order.
    trainable : bool
        Whether training may move the numbers.
    text : str
        What the user called it.
    quality : float or None
        R^2 of the formula against the spline, where data are.
    units : EdgeUnits
        What leads from the user's units into the network's.
    """

    layer: int
    i: int
    j: int
    function: EdgeFunction
    affine: Affine
    trainable: bool
    text: str
    quality: float | None = None
    units: EdgeUnits = NO_UNITS
    constants: tuple[float, ...] = ()

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        return (self.layer,)

    def apply_to(self, network: Network) -> None:
        """Fix the edge; ValueError if it is removed."""
        edge = check_edge(network, self.layer, self.i, self.j)
        layer = network.layers[edge.layer]
        if not bool(layer.mask[edge.i, edge.j]):
            raise ValueError(
                f"Edge {tuple(edge)} is removed and cannot be a formula. "
                "Bring it back with restore_edge."
            )
        numbers = *self.units.to_network(self.affine), *self.constants
        layer.fix(edge.i, edge.j, self.function, numbers, self.quality)
        together = layer.leaders == layer.leaders[edge.i, edge.j]
        layer.set_frozen(torch.where(together, not self.trainable, layer.frozen))

    def sentence(self) -> str:
        """Say what was done."""
        return f"fixed edge ({self.layer}, {self.i}, {self.j}) to {self.text}"

    def code(self) -> str:
        """Return the call, with the numbers that it found."""
        edge = f"({self.layer}, {self.i}, {self.j})"
        options: dict[str, Any] = {}
        if not self.constants or self.affine != PLAIN:
            options["affine"] = self.affine
        if self.constants:
            names = self.function.constants
            options["constants"] = dict(zip(names, self.constants, strict=True))
        if not self.trainable:
            options["trainable"] = False
        return call_code("model.fix", edge, repr(self.text), **options)


@dataclass(frozen=True)
class UnfixEdge:
    """Give a fixed edge back the very spline that it had."""

    layer: int
    i: int
    j: int

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        return (self.layer,)

    def apply_to(self, network: Network) -> None:
        """Unfix the edge; ValueError if it is no formula."""
        edge = check_edge(network, self.layer, self.i, self.j)
        layer = network.layers[edge.layer]
        if layer.symbols is None or (edge.i, edge.j) not in layer.symbols.edges:
            raise ValueError(f"Edge {tuple(edge)} is a spline already. Make it a formula with fix.")
        layer.unfix(edge.i, edge.j)

    def sentence(self) -> str:
        """Say what was done."""
        return f"gave edge ({self.layer}, {self.i}, {self.j}) its spline back"

    def code(self) -> str:
        """Return the call."""
        return f"model.unfix(({self.layer}, {self.i}, {self.j}))"
