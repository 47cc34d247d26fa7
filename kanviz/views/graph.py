"""The network as a networkx graph, for the tools that take one."""

from typing import TYPE_CHECKING

from kanviz.interrupts import uninterrupted
from kanviz.snapshot import Snapshot

if TYPE_CHECKING:
    import networkx


def network_graph(snapshot: Snapshot) -> "networkx.DiGraph":
    """Return the nodes and edges of a snapshot as a directed graph, inputs to outputs.

    Nodes are keyed ``(layer, index)``, 0-based, and carry ``label``, ``score`` and
    ``pos = (x, y)`` in the unit square, y upwards. The edge from ``(layer, i)`` to
    ``(layer + 1, j)`` is ``Edge(layer, i, j)`` and carries ``score``, ``strength``, ``state``,
    ``frozen``, ``locked``, ``formula``, ``quality``, ``curve_x`` and ``curve_y``, all as in
    ``EdgeView``. Pruned edges are in it, with the state ``"pruned"``. The graph itself carries
    ``title``, ``widths`` and ``n_left_out``, the number of edges that are not in it.
    """
    # Here, because importing networkx takes a quarter of a second.
    with uninterrupted():
        import networkx

    graph = networkx.DiGraph(
        title=snapshot.title, widths=snapshot.widths, n_left_out=snapshot.n_left_out
    )
    for node in snapshot.nodes:
        key = (node.layer, node.index)
        graph.add_node(key, label=node.label, score=node.score, pos=(node.x, node.y))
    for view in snapshot.edges:
        graph.add_edge(
            (view.layer, view.i),
            (view.layer + 1, view.j),
            score=view.score,
            strength=view.strength,
            state=view.state,
            frozen=view.frozen,
            locked=view.locked,
            formula=view.formula,
            quality=view.quality,
            curve_x=tuple(view.curve_x.tolist()),
            curve_y=tuple(view.curve_y.tolist()),
        )
    return graph
