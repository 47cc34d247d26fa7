"""Edits that tie edges to one function and set them free."""

from dataclasses import dataclass

from kanviz.edits.address import check_edge
from kanviz.edits.code import call_code
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.ties import group_at
from kanviz.snapshot import Edge


@dataclass(frozen=True)
class LockEdges:
    """Let edges of one layer share one function, see ``KANLayer.lock``."""

    edges: tuple[Edge, ...]

    def apply_to(self, network: Network) -> float:
        """Lock them and return the largest change of an edge by a move to common knots.

        ValueError if they are not free, live edges of one layer.
        """
        layer = _one_layer(network, self.edges, "locked")
        if len(self.edges) < 2:
            raise ValueError(
                f"edges must be at least two to be locked; got {_words(self.edges)}. "
                "Pass for example [(0, 0, 0), (0, 1, 0)]."
            )
        _check_lockable(layer, self.edges)
        return layer.lock([(edge.i, edge.j) for edge in self.edges])

    def sentence(self) -> str:
        """Say what was done."""
        return f"locked edges {_words(self.edges)}"

    def code(self) -> str:
        """Return the call."""
        return call_code("model.lock", repr([tuple(edge) for edge in self.edges]))


@dataclass(frozen=True)
class UnlockEdges:
    """Let locked edges of one layer learn on their own again, from what they shared."""

    edges: tuple[Edge, ...]

    def apply_to(self, network: Network) -> None:
        """Unlock them; ValueError if one is not locked."""
        layer = _one_layer(network, self.edges, "unlocked")
        locked = layer.locked.tolist()
        for edge in self.edges:
            if not locked[edge.i][edge.j]:
                raise ValueError(
                    f"edges must be locked to be unlocked; got {tuple(edge)}, which is free. "
                    "Leave it out."
                )
        layer.unlock([(edge.i, edge.j) for edge in self.edges])

    def sentence(self) -> str:
        """Say what was done."""
        return f"unlocked edge{'s' * (len(self.edges) > 1)} {_words(self.edges)}"

    def code(self) -> str:
        """Return the call."""
        return call_code("model.unlock", repr([tuple(edge) for edge in self.edges]))


def _one_layer(network: Network, edges: tuple[Edge, ...], what: str) -> KANLayer:
    """Return the layer of the edges; raise unless they are different ones of one layer."""
    for edge in edges:
        check_edge(network, *edge)
    if len({*edges}) != len(edges) or not edges:
        raise ValueError(
            f"edges must be different edges; got {_words(edges) or 'none'}. Name each of them once."
        )
    layers = sorted({edge.layer for edge in edges})
    if len(layers) > 1:
        raise ValueError(
            f"edges must be of one layer to be {what}; got edges of layers {layers}. "
            "Take one layer at a time."
        )
    return network.layers[layers[0]]


def _check_lockable(layer: KANLayer, edges: tuple[Edge, ...]) -> None:
    """Raise unless the edges are live and free, and a formula among them comes first."""
    live, locked = layer.mask.tolist(), layer.locked.tolist()
    formulas = [] if layer.symbols is None else layer.symbols.edges
    for edge in edges:
        if not live[edge.i][edge.j]:
            raise ValueError(
                f"edges must be in the network to be locked; got {tuple(edge)}, which is removed. "
                "Bring it back with restore_edge."
            )
        if locked[edge.i][edge.j]:
            group = group_at(layer.leaders, edge.i, edge.j)
            others = [Edge(edge.layer, *pair) for pair in group if pair != (edge.i, edge.j)]
            raise ValueError(
                f"edges must be free to be locked; got {tuple(edge)}, which is locked with "
                f"{_words(tuple(others))}. Call unlock first."
            )
        if (edge.i, edge.j) in formulas and edges[0][1:] not in formulas:
            raise ValueError(
                "edges must start with a formula where one of them is a formula, because all "
                f"become what the first is; got {tuple(edge)} after a spline. Name it first, or "
                "call unfix."
            )


def _words(edges: tuple[Edge, ...]) -> str:
    """Return addresses as text: ``(0, 0, 0), (0, 1, 0) and (0, 2, 0)``."""
    names = [str(tuple(edge)) for edge in edges]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
