"""Which edges may go, and what goes with them."""

import copy

import pytest
import torch
from model_helpers import make_network, make_sample

from kanviz.analysis.attribution import Scores, scores
from kanviz.analysis.prune_plan import judge_of_outputs, plan_of
from kanviz.analysis.pruning import prune
from kanviz.analysis.removal import (
    candidates,
    cut_off,
    live_edges,
    nodes_in_use,
    selected,
    with_dead,
)
from kanviz.edits.address import set_live
from kanviz.nn import Network
from kanviz.snapshot import Edge


def test_edges_that_lead_nowhere_go_too() -> None:
    network = Network([2, 2, 2, 1])
    assert with_dead(network, []) == []
    gone = with_dead(network, [Edge(2, 0, 0)])
    assert gone == [Edge(1, 0, 0), Edge(1, 1, 0), Edge(2, 0, 0)]
    gone = with_dead(network, [Edge(0, 0, 1), Edge(0, 1, 1)])
    assert gone == [Edge(0, 0, 1), Edge(0, 1, 1), Edge(1, 1, 0), Edge(1, 1, 1)]


def test_death_goes_on_through_all_layers_in_both_directions() -> None:
    network = Network([2, 1, 1, 1, 2])
    everything = live_edges(network)
    assert with_dead(network, [Edge(1, 0, 0)]) == everything
    assert with_dead(network, [Edge(0, 0, 0), Edge(4 - 1, 0, 1)]) == [
        Edge(0, 0, 0),
        Edge(3, 0, 1),
    ]


def test_an_output_is_cut_off_when_its_last_edge_goes() -> None:
    network = Network([2, 2, 2])
    assert cut_off(network, [Edge(1, 0, 1)]) == ()
    assert cut_off(network, [Edge(1, 0, 1), Edge(1, 1, 1)]) == (1,)
    assert cut_off(network, with_dead(network, live_edges(network)[:4])) == (0, 1)
    set_live(network, [Edge(1, 0, 1), Edge(1, 1, 1)], live=False)
    assert cut_off(network, [Edge(1, 0, 0)]) == ()  # output 1 had no edge before


def test_edges_are_ranked_by_score_with_ties_in_order_of_address() -> None:
    network = Network([1, 3])
    found = Scores([torch.tensor([[0.2, 0.1, 0.1]])], [torch.tensor([0.4]), torch.ones(3)])
    ranked = candidates(network, found, "edges")
    assert [candidate.edges for candidate in ranked] == [
        (Edge(0, 0, 1),),
        (Edge(0, 0, 2),),
        (Edge(0, 0, 0),),
    ]
    assert ranked[0].name == "edge (0, 0, 1)"
    assert ranked[2].score == pytest.approx(0.2)


def test_nodes_are_candidates_with_all_their_live_edges() -> None:
    network = make_network((2, 3, 1))
    set_live(network, [Edge(0, 1, 0), Edge(0, 1, 1), Edge(0, 1, 2)], live=False)
    set_live(network, [Edge(0, 0, 2)], live=False)
    found = scores(network, make_sample())
    nodes = {c.name: c for c in candidates(network, found, "nodes")}
    assert nodes.keys() == {"input 0", "node (1, 0)", "node (1, 1)", "node (1, 2)"}
    assert nodes["node (1, 1)"].edges == (Edge(0, 0, 1), Edge(1, 1, 0))
    assert nodes["node (1, 1)"].score == float(found.nodes[1][1])
    assert [c.name for c in candidates(network, found, "inputs")] == ["input 0"]


def test_limits_choose_by_score_by_share_or_by_name() -> None:
    network, x = make_network((2, 3, 1)), make_sample()
    ranked = [c.edges[0] for c in candidates(network, scores(network, x), "edges")]
    found = scores(network, x).edges
    middle = float(found[ranked[4].layer][ranked[4].i, ranked[4].j])
    assert selected(network, x, "edges", threshold=middle) == ranked[:4]
    assert selected(network, x, "edges", fraction=0.5) == ranked[:4]
    assert selected(network, x, "edges", fraction=4 / 9) == ranked[:4]
    assert selected(network, x, "edges", fraction=0.0) == []
    assert selected(network, x, "edges", edges=[(0, 1, 2)]) == [Edge(0, 1, 2)]
    assert set(selected(network, x, "edges")) == set(live_edges(network))
    assert len(selected(network, x, "inputs", fraction=0.5)) == 3


def test_a_share_is_not_lost_to_rounding() -> None:
    network, x = make_network((10, 10)), make_sample(10)
    assert len(selected(network, x, "edges", fraction=0.29)) == 29


def test_nodes_in_use_are_those_with_an_edge() -> None:
    network = Network([3, 2, 2])
    assert nodes_in_use(network) == [3, 2, 2]
    edges = [Edge(0, 1, 0), Edge(0, 1, 1), Edge(1, 0, 1), Edge(1, 1, 1)]
    set_live(network, edges, live=False)
    assert nodes_in_use(network) == [2, 2, 1]


def test_a_score_of_ones_own_says_what_may_go() -> None:
    network, x = make_network((2, 3, 1), dtype=torch.float64), make_sample(2)

    def weights(network: Network, x: torch.Tensor) -> Scores:
        sizes = [layer.weight.detach().abs().sum(1) for layer in network.layers]
        return Scores(sizes, [size.sum(1) for size in sizes] + [torch.ones(1).double()])

    sizes = weights(network, x).edges
    weakest = min(live_edges(network), key=lambda edge: float(sizes[edge.layer][edge.i, edge.j]))
    assert selected(network, x, "edges", fraction=1 / 9, score=weights) == [weakest]
    judge = judge_of_outputs(network, x)
    plan = plan_of(copy.deepcopy(network), x, judge, "edges", "", weights)
    assert weakest in plan[0].edges
    limits = {"fraction": 1 / 9}
    report = prune(network, x, None, limits, what="edges", tolerance=0.0, score=weights)
    assert weakest in report.edges
