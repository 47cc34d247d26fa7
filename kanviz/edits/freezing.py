"""The edit that keeps edges from learning, and lets them learn again."""

from dataclasses import dataclass

import torch

from kanviz.edits.address import check_edge, check_index
from kanviz.nn.network import Network
from kanviz.snapshot import Edge


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
    frozen: bool = True

    def apply_to(self, network: Network) -> None:
        """Freeze or unfreeze; ValueError if all of the place is so already."""
        edges = edges_of(network, self.place)
        layer = network.layers[edges[0].layer]
        chosen = torch.zeros_like(layer.mask)
        chosen[[edge.i for edge in edges], [edge.j for edge in edges]] = True
        if bool((layer.frozen[chosen] == self.frozen).all()):
            rule = "learn to be frozen" if self.frozen else "be frozen to be unfrozen"
            found = "is frozen already" if self.frozen else "is not"
            raise ValueError(f"{self._kind} must {rule}; got {self._shown}, which {found}.")
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
        return str(self.place[0] if len(self.place) == 1 else self.place)


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
        return [Edge(layer, i, j) for i in range(widths[layer]) for j in range(widths[layer + 1])]
    if len(place) == 2:
        layer = check_index("layer", place[0], len(widths), reason)
        node = check_index("i", place[1], widths[layer], f"layer {layer} has {widths[layer]} nodes")
        if layer == 0:
            return [Edge(0, node, j) for j in range(widths[1])]
        return [Edge(layer - 1, i, node) for i in range(widths[layer - 1])]
    raise ValueError(
        f"place must be a layer, a node (layer, i) or an edge (layer, i, j); got {place}. "
        "Count from 0."
    )
