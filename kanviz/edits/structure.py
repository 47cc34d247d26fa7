"""Edits of the structure: edges and nodes taken out and brought back.

A removed edge adds nothing, its function is kept, and nothing is ever re-indexed. To remove a node
is to remove all edges at it, so a removed input is a column of x that is not used.
"""

from dataclasses import dataclass

from kanviz.edits.address import are_live, check_edge, check_node, edges_at, set_live
from kanviz.nn.network import Network


@dataclass(frozen=True)
class RemoveEdge:
    """Take out the edge from node ``i`` of ``layer`` to node ``j`` of ``layer + 1``."""

    layer: int
    i: int
    j: int

    def apply_to(self, network: Network) -> None:
        """Remove the edge; ValueError if it is removed already."""
        edge = check_edge(network, self.layer, self.i, self.j)
        if not all(are_live(network, [edge])):
            raise ValueError(
                f"edge must be in the network to be removed; got {tuple(edge)}, which is removed "
                "already. Bring it back with restore_edge."
            )
        set_live(network, [edge], live=False)

    def sentence(self) -> str:
        """Say what was done."""
        return f"removed edge ({self.layer}, {self.i}, {self.j})"

    def code(self) -> str:
        """Return the call."""
        return f"model.remove_edge({self.layer}, {self.i}, {self.j})"


@dataclass(frozen=True)
class RestoreEdge:
    """Bring back a removed edge with the very function that it had."""

    layer: int
    i: int
    j: int

    def apply_to(self, network: Network) -> None:
        """Restore the edge; ValueError if it is not removed."""
        edge = check_edge(network, self.layer, self.i, self.j)
        if all(are_live(network, [edge])):
            raise ValueError(
                f"edge must be removed to be restored; got {tuple(edge)}, which is in the network. "
                "Take it out with remove_edge."
            )
        set_live(network, [edge], live=True)

    def sentence(self) -> str:
        """Say what was done."""
        return f"restored edge ({self.layer}, {self.i}, {self.j})"

    def code(self) -> str:
        """Return the call."""
        return f"model.restore_edge({self.layer}, {self.i}, {self.j})"


@dataclass(frozen=True)
class RemoveNode:
    """Take out all edges at node ``i`` of ``layer``: an input (layer 0) or a hidden node."""

    layer: int
    i: int

    def apply_to(self, network: Network) -> None:
        """Remove the edges at the node; ValueError if none is left."""
        edges = edges_at(network, *check_node(network, self.layer, self.i))
        if not any(are_live(network, edges)):
            raise ValueError(
                f"node must have an edge left to be removed; got ({self.layer}, {self.i}), which "
                "has none. Bring it back with restore_node."
            )
        set_live(network, edges, live=False)

    def sentence(self) -> str:
        """Say what was done."""
        return f"removed node ({self.layer}, {self.i})"

    def code(self) -> str:
        """Return the call."""
        return f"model.remove_node({self.layer}, {self.i})"


@dataclass(frozen=True)
class RestoreNode:
    """Bring back all edges at node ``i`` of ``layer``, whichever way each was removed."""

    layer: int
    i: int

    def apply_to(self, network: Network) -> None:
        """Restore the edges at the node; ValueError if none is removed."""
        edges = edges_at(network, *check_node(network, self.layer, self.i))
        if all(are_live(network, edges)):
            raise ValueError(
                f"node must have a removed edge to be restored; got ({self.layer}, {self.i}), "
                "which has none. Take it out with remove_node."
            )
        set_live(network, edges, live=True)

    def sentence(self) -> str:
        """Say what was done."""
        return f"restored node ({self.layer}, {self.i})"

    def code(self) -> str:
        """Return the call."""
        return f"model.restore_node({self.layer}, {self.i})"
