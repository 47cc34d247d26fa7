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

    A product has a node ``(layer, index, j)`` for each of its sums j, with ``factor`` True where it
    is multiplied now, and an edge from there without attributes; what leads to sum j ends there.
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
    ends: dict[tuple[int, int], tuple[int, ...]] = {}
    for layer in range(1, len(snapshot.widths)):
        owners = snapshot.owners_of(layer)
        for j, index in enumerate(owners):
            ends[layer, j] = (layer, index)
            if owners.count(index) > 1:
                node = snapshot.node(layer, index)
                ends[layer, j] = (layer, index, j)
                graph.add_node(ends[layer, j], factor=j in node.factors, pos=(node.x, node.y))
                graph.add_edge(ends[layer, j], (layer, index))
    for view in snapshot.edges:
        graph.add_edge(
            (view.layer, view.i),
            ends[view.layer + 1, view.j],
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
