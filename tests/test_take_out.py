"""Edges that go leave behind what they add on average."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_helpers import make_network, make_sample, make_symbols

from kanviz.analysis.removal import edge_means, take_out, takes_constants
from kanviz.analysis.trace import trace
from kanviz.edits.address import set_live
from kanviz.nn import Network
from kanviz.snapshot import Edge


def make_lifted(widths: tuple[int, ...] = (3, 4, 2), seed: int = 0, **functions: Any) -> Network:
    """Return a network whose edges add large constants."""
    network = make_network(widths, seed=seed, **functions)
    for number, layer in enumerate(network.layers):
        generator = torch.Generator().manual_seed(seed + number)
        lift = torch.randn(layer.mask.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            layer.weight[:, : layer.spec.n_basis] += lift.unsqueeze(1)
    return network


def removed(network: Network, edges: list[Edge]) -> tuple[Network, list[torch.Tensor]]:
    work, means = copy.deepcopy(network), edge_means(network, make_sample(network.widths[0]))
    take_out(work, edges, means)
    return work, means


def test_means_equal_those_of_the_expanded_trace() -> None:
    network, x = make_lifted((2, 5, 1)), make_sample()
    network.layers[0].set_symbols(make_symbols(2.0))
    set_live(network, [Edge(0, 0, 3)], live=False)
    for found, step in zip(edge_means(network, x), trace(network, x).layers, strict=True):
        torch.testing.assert_close(found, step.edge_outputs.mean(0))
    assert edge_means(network, x)[0][0, 3] == 0


@given(
    seed=st.integers(0, 30),
    order=st.integers(0, 4),
    base=st.sampled_from(["silu", "zero", "identity"]),
    chosen=st.sets(st.integers(0, 11), min_size=1, max_size=8),
)
def test_nodes_keep_their_mean_and_lose_only_what_varied(
    seed: int, order: int, base: str, chosen: set[int]
) -> None:
    network, x = make_lifted(seed=seed, spline_order=order, base=base), make_sample(3)
    edges = [Edge(0, number // 4, number % 4) for number in chosen]
    work, _ = removed(network, edges)
    before, after = (trace(n, x).layers[0].edge_outputs for n in (network, work))
    gone = torch.zeros(3, 4, dtype=torch.bool)
    gone[tuple(zip(*[(e.i, e.j) for e in edges], strict=True))] = True
    mean = torch.where(gone & ~gone.all(0), before.mean(0), 0.0)
    wanted = (before * ~gone).sum(1) + mean.sum(0)
    torch.testing.assert_close(after.sum(1), wanted, rtol=1e-9, atol=1e-9)


def test_without_the_removal_nothing_changes_also_beyond_the_grid() -> None:
    network, x = make_lifted(), make_sample(3, reach=3.0)
    edges = [Edge(0, 0, 1), Edge(0, 2, 1), Edge(1, 3, 0)]
    work, means = removed(network, edges)
    assert means[0][0, 1].abs() < 1e-12
    set_live(work, edges, live=True)
    torch.testing.assert_close(work(x), network(x), rtol=1e-10, atol=1e-10)


def test_one_after_the_other_gives_the_same_as_all_at_once() -> None:
    network, x = make_lifted(), make_sample(3)
    edges = [Edge(0, 0, 1), Edge(0, 1, 1), Edge(1, 0, 0), Edge(1, 1, 0)]
    at_once, _ = removed(network, edges)
    work, means = copy.deepcopy(network), edge_means(network, x)
    for edge in edges:
        take_out(work, [edge], means)
    torch.testing.assert_close(work(x), at_once(x), rtol=1e-10, atol=1e-10)


def test_a_formula_takes_it_up_in_its_last_number_and_its_spline_rests() -> None:
    network, x = make_lifted((2, 5, 1)), make_sample()
    network.layers[0].set_symbols(make_symbols())
    resting = network.layers[0].weight[1, :, 2].clone()
    mean = edge_means(network, x)[0][0, 2]
    work, _ = removed(network, [Edge(0, 0, 2)])
    symbols = work.layers[0].symbols
    assert symbols is not None
    torch.testing.assert_close(symbols.affine[0, 3], mean)
    assert torch.equal(work.layers[0].weight[1, :, 2], resting)


def test_frozen_and_locked_edges_stay_as_they_are() -> None:
    network = make_lifted()
    frozen = torch.zeros(3, 4, dtype=torch.bool)
    frozen[0, 1] = True
    network.layers[0].set_frozen(frozen)
    leaders = network.layers[0].leaders.clone()
    leaders[2, 3] = leaders[2, 1]
    network.layers[0].set_leaders(leaders)
    able = takes_constants(network.layers[0])
    assert (~able).nonzero().tolist() == [[0, 1], [2, 1], [2, 3]]
    before = network.layers[0].weight.clone()
    work, _ = removed(network, [Edge(0, 0, 1)])
    changed = (work.layers[0].weight != before).any(1).nonzero().tolist()
    assert changed == [[1, 1]]


@pytest.mark.parametrize("functions", [{"basis": "gaussian"}, {"extrapolation": "zero"}])
def test_where_no_edge_can_take_it_up_exactly_the_mean_goes(functions: dict[str, Any]) -> None:
    network = make_lifted(**functions)
    assert not takes_constants(network.layers[0]).any()
    work, _ = removed(network, [Edge(0, 0, 1)])
    assert torch.equal(work.layers[0].weight, network.layers[0].weight)
    assert not work.layers[0].mask[0, 1]
