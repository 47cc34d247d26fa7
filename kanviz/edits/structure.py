"""Edits of the structure: edges that are taken out, kept from learning, or made one function.

Each of the three is one record with a flag for the way back. Nothing is ever re-indexed and no
function is lost: a removed edge adds nothing but is kept, so that it comes back as it was.
"""

from dataclasses import KW_ONLY, dataclass
from typing import get_args

import torch

from kanviz.checks import check_choice
from kanviz.edits.address import (
    are_live,
    check_edge,
    check_index,
    check_node,
    edges_at,
    edges_from,
    edges_into,
    set_live,
)
from kanviz.edits.code import call_code
from kanviz.nn.constraints import OPPOSITE, Constraint, Shape
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.ties import group_at
from kanviz.snapshot import Edge


@dataclass(frozen=True)
class Remove:
    """Take out an edge or all edges at a node, or (``removed`` False) bring them back.

    Parameters
    ----------
    place : (layer, i, j) or (layer, i)
        An edge; or a node: an input (layer 0), which then is a column of x that is not used, or a
        hidden node. What comes back with a node was removed in whichever way.
    removed : bool
        False to bring back.
    """

    place: tuple[int, ...]
    _: KW_ONLY
    removed: bool = True

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it touches: of a hidden node the one before too."""
        layer = self.place[0]
        return (layer,) if layer == 0 or len(self.place) == 3 else (layer - 1, layer)

    def apply_to(self, network: Network) -> None:
        """Remove or restore; ValueError if that changes nothing."""
        is_edge = len(self.place) == 3
        edges = (
            [check_edge(network, *self.place)]
            if is_edge
            else edges_at(network, *check_node(network, *self.place))
        )
        live = are_live(network, edges)
        if self.removed not in live:
            raise ValueError(self._refusal())
        set_live(network, edges, live=not self.removed)

    def sentence(self) -> str:
        """Say what was done."""
        return f"{'removed' if self.removed else 'restored'} {self._kind} {_named(self.place)}"

    def code(self) -> str:
        """Return the call."""
        verb = "remove" if self.removed else "restore"
        return call_code(f"model.{verb}_{self._kind}", str(tuple(self.place)))

    @property
    def _kind(self) -> str:
        return "edge" if len(self.place) == 3 else "node"

    def _refusal(self) -> str:
        named, back = f"{self._kind.capitalize()} {_named(self.place)}", f"restore_{self._kind}"
        if self.removed:
            found = "is removed already" if self._kind == "edge" else "has no edge left to remove"
            return f"{named} {found}. Bring it back with {back}."
        found = "is not removed" if self._kind == "edge" else "has no removed edge"
        return f"{named} {found}. Take it out with remove_{self._kind}."


@dataclass(frozen=True)
class Freeze:
    """Keep an edge, a node or a layer from learning, or (``frozen`` False) let it learn again.

    Parameters
    ----------
    place : (layer,), (layer, i) or (layer, i, j)
        A layer: all its edges. A node: all edges that lead to it, for an input all that leave it.
        Edges that are locked with one of them are frozen with it.
    frozen : bool
        False to let them learn.
    """

    place: tuple[int, ...]
    _: KW_ONLY
    frozen: bool = True

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        layer = self.place[0]
        return (max(0, layer - 1) if len(self.place) == 2 else layer,)

    def apply_to(self, network: Network) -> None:
        """Freeze or unfreeze; ValueError if all of the place is so already."""
        edges = edges_of(network, self.place)
        layer = network.layers[edges[0].layer]
        chosen = torch.zeros_like(layer.mask)
        chosen[[edge.i for edge in edges], [edge.j for edge in edges]] = True
        if bool((layer.frozen[chosen] == self.frozen).all()):
            found = "frozen already" if self.frozen else "not frozen"
            raise ValueError(f"{self._kind.capitalize()} {self._shown} is {found}.")
        together = torch.isin(layer.leaders, layer.leaders[chosen])
        layer.set_frozen(torch.where(together, self.frozen, layer.frozen))

    def sentence(self) -> str:
        """Say what was done."""
        return f"{'froze' if self.frozen else 'unfroze'} {self._kind} {self._shown}"

    def code(self) -> str:
        """Return the call."""
        return f"model.{'freeze' if self.frozen else 'unfreeze'}({self._shown})"

    @property
    def _kind(self) -> str:
        return ("layer", "node", "edge")[len(self.place) - 1]

    @property
    def _shown(self) -> str:
        return str(self.place[0]) if len(self.place) == 1 else _named(self.place)


def edges_of(network: Network, place: tuple[int, ...]) -> list[Edge]:
    """Return the edges that freezing a place is about, all of one layer.

    Raises
    ------
    IndexError
        If the network has no such place.
    TypeError
        If a part is not an integer.
    ValueError
        If the place has not one to three parts.
    """
    widths = network.widths
    if len(place) == 3:
        return [check_edge(network, *place)]
    reason = f"widths are {widths}"
    if len(place) == 1:
        layer = check_index("layer", place[0], len(widths) - 1, reason)
        return [edge for i in range(widths[layer]) for edge in edges_from(network, layer, i)]
    if len(place) == 2:
        layer = check_index("layer", place[0], len(widths), reason)
        node = check_index("i", place[1], widths[layer], f"layer {layer} has {widths[layer]} nodes")
        return edges_into(network, layer, node) if layer else edges_from(network, 0, node)
    raise ValueError(
        f"place must be a layer, a node (layer, i) or an edge (layer, i, j); got {place}. "
        "Count from 0."
    )


@dataclass(frozen=True)
class Lock:
    """Let edges of one layer share one function, or (``locked`` False) learn on their own again.

    See ``KANLayer.lock``. Each starts on its own from what they shared.
    """

    edges: tuple[Edge, ...]
    _: KW_ONLY
    locked: bool = True

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it touches; there is but one if the edges can be locked."""
        return tuple(sorted({edge.layer for edge in self.edges}))

    def apply_to(self, network: Network) -> float:
        """Lock or unlock; return the largest change of an edge by a move to common knots.

        ValueError if they are not free, live edges of one layer, or, to be unlocked, not locked.
        """
        layer = self._one_layer(network)
        pairs = [(edge.i, edge.j) for edge in self.edges]
        if self.locked:
            _check_lockable(layer, self.edges)
            return layer.lock(pairs)
        for edge, pair in zip(self.edges, pairs, strict=True):
            if not layer.locked[pair]:
                raise ValueError(f"Edge {tuple(edge)} is not locked. Leave it out.")
        layer.unlock(pairs)
        return 0.0

    def sentence(self) -> str:
        """Say what was done."""
        plural = "s" * (self.locked or len(self.edges) > 1)
        return f"{'locked' if self.locked else 'unlocked'} edge{plural} {_words(self.edges)}"

    def code(self) -> str:
        """Return the call."""
        verb = "lock" if self.locked else "unlock"
        return call_code(f"model.{verb}", repr([tuple(edge) for edge in self.edges]))

    def _one_layer(self, network: Network) -> KANLayer:
        """Return the layer of the edges; raise unless they are different ones of one layer."""
        for edge in self.edges:
            check_edge(network, *edge)
        if len({*self.edges}) != len(self.edges) or not self.edges:
            raise ValueError(
                f"edges must be different edges; got {_words(self.edges) or 'none'}. "
                "Name each of them once."
            )
        if len(self.layers) > 1:
            raise ValueError(
                f"Edges of layers {list(self.layers)} cannot be "
                f"{'locked together' if self.locked else 'unlocked at once'}. "
                "Take one layer at a time."
            )
        return network.layers[self.layers[0]]


@dataclass(frozen=True)
class Constrain:
    """Let the spline of an edge, and of those locked with it, keep shapes; none: it is free again.

    See ``KANLayer.constrain``. ``centre`` is what x an even or odd curve is so about, in the unit
    of the network.
    """

    edge: Edge
    shapes: tuple[Shape, ...]
    centre: float = 0.0

    @property
    def layers(self) -> tuple[int, ...]:
        """The one layer that it touches."""
        return (self.edge.layer,)

    def apply_to(self, network: Network) -> float:
        """Constrain or free; return the largest change of an edge by a move to a symmetric grid.

        ValueError if the shapes do not go together or the edge cannot keep them.
        """
        layer_number, i, j = check_edge(network, *self.edge)
        layer = network.layers[layer_number]
        if not self.shapes:
            if (i, j) not in layer.constraints:
                raise ValueError(f"Edge {tuple(self.edge)} is not constrained.")
            return layer.constrain(group_at(layer.leaders, i, j), None)
        constraint = Constraint(self.shapes, self.centre)
        check_shapes(self.shapes)
        self._check(layer, constraint)
        return layer.constrain(group_at(layer.leaders, i, j), constraint)

    def sentence(self) -> str:
        """Say what was done."""
        place = _named(self.edge)
        return (
            f"constrained edge {place} to {' and '.join(self.shapes)}"
            if self.shapes
            else (f"freed edge {place} of its constraint")
        )

    def code(self) -> str:
        """Return the call."""
        if not self.shapes:
            return f"model.unconstrain({_named(self.edge)})"
        return f"model.constrain({_named(self.edge)}, {', '.join(map(repr, self.shapes))})"

    def _check(self, layer: KANLayer, constraint: Constraint) -> None:
        """Raise unless the edge can keep the shapes."""
        name, (_, i, j) = f"Edge {tuple(self.edge)}", self.edge
        if not layer.spec.is_spline:
            raise ValueError(
                f"{name} has radial functions, whose coefficients tell no shape. Use "
                "basis='bspline'."
            )
        if not bool(layer.spline_mask[i, j]):
            raise ValueError(
                f"{name} is removed or a formula, and only a spline can be constrained. Bring it "
                "back with restore_edge or unfix."
            )
        if not constraint.is_mirrored:
            return
        if bool(layer.locked[i, j]):
            raise ValueError(
                f"{name} is locked, and an even or odd curve needs a grid of its own. Call unlock "
                "first."
            )
        others = [one for (row, _), one in layer.constraints.items() if row == i]
        if any(one.is_mirrored and one.centre != self.centre for one in others):
            raise ValueError(f"{name} would be mirrored at another x than its neighbour.")
        grid = layer.grid_points[i]
        if not bool(grid[0] < self.centre) or not bool(self.centre < grid[-1]):
            raise ValueError(
                f"{name} cannot be {self.shapes[0]}: x = 0, about which it would be so, lies "
                "outside of its grid. Choose another shape."
            )


def check_shapes(shapes: tuple[Shape, ...]) -> None:
    """Raise unless the shapes are known, different, and go together."""
    for shape in shapes:
        check_choice("shape", shape, get_args(Shape))
        for other in shapes:
            if other in OPPOSITE[shape]:
                raise ValueError(
                    f"shapes must go together; got {shape!r} and {other!r}. Take one of them."
                )
    if len(set(shapes)) < len(shapes):
        raise ValueError(f"shapes must be different; got {shapes}. Name each once.")


def _check_lockable(layer: KANLayer, edges: tuple[Edge, ...]) -> None:
    """Raise unless the edges are two or more, live and free, and a formula among them is first."""
    if len(edges) < 2:
        raise ValueError(
            f"edges must be at least two to be locked; got {_words(edges)}. "
            "Pass for example [(0, 0, 0), (0, 1, 0)]."
        )
    live, locked = layer.mask.tolist(), layer.locked.tolist()
    formulas = [] if layer.symbols is None else layer.symbols.edges
    for edge in edges:
        if not live[edge.i][edge.j]:
            raise ValueError(
                f"Edge {tuple(edge)} is removed and cannot be locked. "
                "Bring it back with restore_edge."
            )
        if locked[edge.i][edge.j]:
            group = group_at(layer.leaders, edge.i, edge.j)
            others = [Edge(edge.layer, *pair) for pair in group if pair != (edge.i, edge.j)]
            raise ValueError(
                f"Edge {tuple(edge)} is locked already, with {_words(tuple(others))}. "
                "Call unlock first."
            )
        if (edge.i, edge.j) in layer.constraints:
            raise ValueError(
                f"Edge {tuple(edge)} is constrained to a shape and cannot be locked. Call "
                "unconstrain first, and constrain what they share."
            )
        if (edge.i, edge.j) in formulas and edges[0][1:] not in formulas:
            raise ValueError(
                f"Edge {tuple(edge)} is a formula and must come first, because all edges become "
                "what the first is. Name it first, or call unfix."
            )


def _named(place: tuple[int, ...]) -> str:
    """Return a place as text, ``(0, 1, 2)``, whatever kind of integers it is made of."""
    return f"({', '.join(map(str, place))})"


MOST_NAMED = 12
"""Edges that a sentence names; of more it tells how many."""


def _words(edges: tuple[Edge, ...]) -> str:
    """Return addresses as text: ``(0, 0, 0), (0, 1, 0) and (0, 2, 0)``."""
    names = [_named(edge) for edge in edges[:MOST_NAMED]]
    if len(edges) > MOST_NAMED:
        names.append(f"{len(edges) - MOST_NAMED} more")
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
