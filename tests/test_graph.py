"""The graph has the nodes and edges of the snapshot, with all that the picture shows."""

import networkx
import pytest
from make_snapshot import make_snapshot
from test_svg import make_mixed

from kanviz.views.graph import network_graph


@pytest.mark.parametrize("widths", [[1, 1], [2, 5, 1], [30, 40, 2]])
def test_nodes_and_edges_are_those_of_the_snapshot(widths: list[int]) -> None:
    snapshot = make_snapshot(widths)
    graph = network_graph(snapshot)
    assert type(graph) is networkx.DiGraph
    assert list(graph.nodes) == [(node.layer, node.index) for node in snapshot.nodes]
    expected = {((view.layer, view.i), (view.layer + 1, view.j)) for view in snapshot.edges}
    assert set(graph.edges) == expected
    assert graph.number_of_edges() == len(snapshot.edges)
    assert graph.graph["n_left_out"] == snapshot.n_left_out


def test_nodes_and_edges_carry_what_the_snapshot_says() -> None:
    snapshot = make_mixed()
    graph = network_graph(snapshot)
    assert graph.graph == {"title": "A title", "widths": (2, 3, 1), "n_left_out": 0}
    for node in snapshot.nodes:
        carried = {"label": node.label, "score": node.score, "pos": (node.x, node.y)}
        assert graph.nodes[node.layer, node.index] == carried
    names = ["score", "strength", "state", "frozen", "locked", "formula", "quality"]
    for view in snapshot.edges:
        carried = graph.edges[(view.layer, view.i), (view.layer + 1, view.j)]
        curve = {name: tuple(getattr(view, name)) for name in ("curve_x", "curve_y")}
        assert carried == {name: getattr(view, name) for name in names} | curve


def test_networkx_tools_take_it() -> None:
    graph = network_graph(make_snapshot([2, 5, 1]))
    assert networkx.is_directed_acyclic_graph(graph)
    assert networkx.dag_longest_path_length(graph, weight="none") == 2
    positions = networkx.get_node_attributes(graph, "pos")
    assert positions[0, 0][1] == 0
    assert positions[2, 0] == (0.5, 1.0)
