import math

import pytest
import torch
from effort import Operations, calls_of
from model_helpers import bytes_of, make_network, make_sample, make_symbols
from type_checks import type_checks_off

from kanviz.analysis.attribution import scores
from kanviz.analysis.capture import capture
from kanviz.analysis.trace import node_values, trace
from kanviz.edits import Remove
from kanviz.layout import FAINTEST
from kanviz.snapshot import Edge, Snapshot


def test_every_number_of_an_edge_is_the_models(dtype: torch.dtype) -> None:
    network = make_network((2, 3, 2), dtype=dtype)
    x = make_sample().to(dtype)
    snapshot = capture(network, x, n_samples=10)
    values, steps = node_values(network, x), trace(network, x).layers
    found = scores(network, x)
    rows = list(range(0, 200, 20))
    assert [view.edge for view in snapshot.edges] == sorted(view.edge for view in snapshot.edges)
    assert len(snapshot.edges) == snapshot.n_edges == 12
    for view in snapshot.edges:
        layer, i, j = view.edge
        kan_layer, visited = network.layers[layer], values[layer][:, i]
        assert view.curve_x[0] == visited.min().item()
        assert view.curve_x[-1] == visited.max().item()
        inputs = torch.zeros(len(view.curve_x), kan_layer.in_features, dtype=dtype)
        inputs[:, i] = torch.tensor(view.curve_x)
        wanted = kan_layer.edge_outputs(inputs)[:, i, j].tolist()
        assert view.curve_y == pytest.approx(wanted, rel=1e-5, abs=1e-6)
        assert view.sample_x.tolist() == visited[rows].tolist()
        wanted = steps[layer].edge_outputs[rows, i, j].tolist()
        assert view.sample_y == pytest.approx(wanted, rel=1e-5, abs=1e-6)
        assert view.knots.tolist() == kan_layer.grid_points[i].tolist()
        assert view.control_x.tolist() == kan_layer.control_points[i].tolist()
        assert view.control_y.tolist() == kan_layer.coef[i, j].tolist()
        assert view.score == found.edges[layer][i, j].item()
        assert view.state == "spline"
    assert [node.score for node in snapshot.nodes] == torch.cat(found.nodes).tolist()


def test_names_label_the_ends_and_hidden_nodes_have_none() -> None:
    snapshot = capture(
        make_network(), make_sample(), input_names=("a", "b"), output_names=("c",), title="T"
    )
    assert [node.label for node in snapshot.nodes] == ["a", "b", "", "", "", "", "", "c"]
    assert snapshot.title == "T"
    assert Snapshot.from_dict(snapshot.to_dict()) == snapshot


def test_a_removed_edge_is_there_pruned_with_score_0_and_its_own_curve() -> None:
    network, x = make_network(), make_sample()
    before = {view.edge: view for view in capture(network, x).edges}
    Remove((0, 1, 2)).apply_to(network)
    after = {view.edge: view for view in capture(network, x).edges}
    gone = after[Edge(0, 1, 2)]
    assert (gone.state, gone.score, gone.strength) == ("pruned", 0.0, FAINTEST)
    assert (gone.curve_y == before[gone.edge].curve_y).all()
    assert [view.edge for view in after.values() if view.state == "pruned"] == [(0, 1, 2)]


def test_a_formula_is_drawn_as_such_and_frozen_edges_are_marked() -> None:
    network = make_network()
    layer = network.layers[0]
    layer.set_symbols(make_symbols(2.0))
    frozen = layer.mask.logical_not()
    frozen[0, 1] = True
    layer.set_frozen(frozen)
    views = {view.edge: view for view in capture(network, make_sample()).edges}
    sine = views[Edge(0, 1, 2)]
    assert (sine.formula, sine.function) == ("sin(2*x)", "sin")
    assert sine.curve_y == pytest.approx([math.sin(2 * x) for x in sine.curve_x])
    assert sine.sample_y == pytest.approx([math.sin(2 * x) for x in sine.sample_x])
    assert [view.edge for view in views.values() if view.state == "symbolic"] == [(0, 1, 2)]
    assert [view.edge for view in views.values() if view.frozen] == [(0, 0, 1)]
    Remove((0, 1, 2)).apply_to(network)
    gone = {view.edge: view for view in capture(network, make_sample()).edges}[sine.edge]
    assert (gone.state, gone.score) == ("pruned", 0.0)
    assert (gone.curve_y == sine.curve_y).all()


def test_one_sample_draws_over_the_base_grid() -> None:
    network = make_network()
    snapshot = capture(network, make_sample(samples=1))
    for view in snapshot.edges:
        assert view.curve_x[0] == min(view.knots[0], view.sample_x[0])
        assert view.curve_x[-1] == max(view.knots[-1], view.sample_x[0])
        assert len(view.sample_x) == 1


def test_a_large_net_keeps_the_strongest_of_every_layer() -> None:
    network, x = make_network((6, 8, 3)), make_sample(6)
    snapshot = capture(network, x, max_edges=30)
    kept = {view.edge for view in snapshot.edges}
    assert (snapshot.n_edges, len(kept), snapshot.n_left_out) == (72, 30, 42)
    for layer, edge_scores in enumerate(scores(network, x).edges):
        inside = [edge_scores[e.i, e.j].item() for e in kept if e.layer == layer]
        ranked = sorted(edge_scores.flatten().tolist(), reverse=True)
        assert len(inside) == 15
        assert sorted(inside, reverse=True) == ranked[:15]


def test_a_layer_of_which_all_edges_are_removed_is_captured() -> None:
    network = make_network()
    network.layers[0].set_mask(torch.zeros(2, 5, dtype=torch.bool))
    snapshot = capture(network, make_sample())
    assert {view.state for view in snapshot.edges if view.layer == 0} == {"pruned"}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_named_with_its_edge(bad: float) -> None:
    network = make_network()
    with torch.no_grad():
        network.layers[1].weight[3, 2, 0] = bad
    with pytest.raises(ValueError, match=r"weight of edge \(1, 3, 0\) must be finite"):
        capture(network, make_sample())


def test_a_value_that_overflows_is_named_with_its_node() -> None:
    network = make_network()
    with torch.no_grad():
        network.layers[0].weight[:, :, 4] = 1e308
    with pytest.raises(ValueError, match=r"the value at node \(1, 4\) must be finite"):
        capture(network, make_sample())


def test_capture_is_deterministic_and_changes_nothing() -> None:
    network, x = make_network(), make_sample()
    before = bytes_of(network)
    assert capture(network, x) == capture(network, x)
    assert bytes_of(network) == before


@pytest.mark.parametrize("widths", [(2, 5, 1), (10, 20, 10, 3), (784, 64, 10)])
def test_capture_is_little_work(widths: tuple[int, ...]) -> None:
    network = make_network(widths, dtype=torch.float32)
    x = make_sample(widths[0], 1000).float()
    n_edges = sum(layer.mask.numel() for layer in network.layers)
    with type_checks_off():
        n_drawn = len(capture(network, x).edges)
        with Operations() as operations:
            capture(network, x)
        calls = calls_of(lambda: capture(network, x))
    assert calls < 15_000 + 600 * n_drawn
    assert operations.n < 2000
    assert operations.numbers < 6_000_000 + 40 * 1000 * n_edges
