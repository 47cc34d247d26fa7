"""Scores against a computation that knows no matrices: edge by edge, sample by sample."""

from statistics import pstdev

import pytest
import torch
from model_helpers import make_network, make_sample, make_symbols
from torch import Tensor

from kanviz.analysis.attribution import edge_scores, feature_scores, node_scores, scores
from kanviz.edits.address import set_live
from kanviz.model import KAN
from kanviz.nn import KANLayer, Network
from kanviz.snapshot import Edge

Table = dict[tuple[int, int], list[float]]
Scores = dict[tuple[int, int], float]


def make_mixed() -> Network:
    """Return a network of three layers and two outputs, partly removed, with two formulas."""
    network = make_network((3, 4, 3, 2), seed=3)
    network.layers[0].set_symbols(make_symbols(2.0))
    second = make_symbols(0.5)
    network.layers[1].set_symbols(second)
    gone = [Edge(0, 1, 0), Edge(1, 1, 2), Edge(1, 2, 0), Edge(2, 0, 1), Edge(0, 2, 3)]
    set_live(network, gone, live=False)
    return network


def values_by_edge(layer: KANLayer, x: Tensor) -> Table:
    """Return what each edge adds, each measured alone in the layer."""
    mask, found = layer.mask.clone(), {}
    for i in range(layer.in_features):
        for j in range(layer.out_features):
            alone = torch.zeros_like(mask)
            alone[i, j] = mask[i, j]
            layer.set_mask(alone)
            with torch.no_grad():
                found[i, j] = [float(layer(row)[j]) for row in x]
    layer.set_mask(mask)
    return found


def slow_scores(
    network: Network, x: Tensor, wanted: list[float]
) -> tuple[list[Scores], list[Scores]]:
    """Return the spread and the backward score of each edge, neuron by neuron."""
    inputs, tables = x, []
    for layer in network.layers:
        tables.append(values_by_edge(layer, inputs))
        inputs = layer(inputs).detach()
    spreads: list[Scores] = []
    backward: list[Scores] = []
    node = dict(enumerate(wanted))
    for table in reversed(tables):
        spread = {edge: pstdev(column) for edge, column in table.items()}
        total = {}
        for j in node:
            entering = [column for edge, column in table.items() if edge[1] == j]
            total[j] = pstdev([sum(row) for row in zip(*entering, strict=True)])
        score = {
            (i, j): node[j] * value / total[j] if total[j] else 0.0
            for (i, j), value in spread.items()
        }
        node = {i: sum(v for edge, v in score.items() if edge[0] == i) for i, _ in sorted(score)}
        spreads.insert(0, spread)
        backward.insert(0, score)
    return spreads, backward


def assert_equal(found: list[Tensor], wanted: list[Scores]) -> None:
    for layer, table in zip(found, wanted, strict=True):
        for (i, j), value in table.items():
            assert float(layer[i, j]) == pytest.approx(value, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("output", [None, 0, 1])
def test_scores_equal_the_slow_ones_on_a_mixed_network(output: int | None) -> None:
    network, x = make_mixed(), make_sample(3, samples=40)
    x[:, 2] = 0.3  # a constant input
    wanted = [0.5, 0.5] if output is None else [float(output == k) for k in range(2)]
    spreads, backward = slow_scores(network, x, wanted)
    assert_equal(edge_scores(network, x, output=output), backward)
    assert_equal(edge_scores(network, x, "std"), spreads)
    inputs = [sum(v for (i, _), v in backward[0].items() if i == n) for n in range(3)]
    assert node_scores(network, x, output=output)[0].tolist() == pytest.approx(inputs, rel=1e-7)
    assert inputs[2] < 1e-12 < inputs[0]


@pytest.mark.parametrize("output", [None, 0, 1])
def test_the_score_of_an_input_is_what_all_pairs_of_samples_lose(output: int | None) -> None:
    network, x = make_mixed(), make_sample(3, samples=40)
    x[:, 2] = 0.3  # a constant input
    lost, spread = torch.zeros(3, 2, dtype=x.dtype), torch.zeros(2, dtype=x.dtype)
    with torch.no_grad():
        for one in x:
            spread += (network(one) - network(x)).square().sum(0)
            for i in range(3):
                exchanged = x.clone()
                exchanged[:, i] = one[i]
                lost[i] += (network(exchanged) - network(x)).square().sum(0)
    wanted = lost / spread
    wanted = wanted.mean(1) if output is None else wanted[:, output]
    found = feature_scores(network, x, output=output)
    torch.testing.assert_close(found, wanted)
    assert found[2] == 0
    assert found[0] > 0


def test_an_input_whose_paths_cancel_matters_to_no_output(dtype: torch.dtype) -> None:
    network = Network([3, 2, 1], base="zero", dtype=dtype, seed=0)
    first, last = network.layers
    with torch.no_grad():
        for layer in (first, last):
            layer.weight.zero_()
        bend = torch.linspace(-1, 1, first.weight.shape[1], dtype=dtype)
        first.weight[0] = torch.stack([bend, -bend], dim=1)  # x_1 cancels, x_2 and x_3 do not
        first.weight[1] = torch.stack([bend, bend], dim=1)
        first.weight[2] = 0.1 * torch.stack([bend, bend], dim=1)
        last.weight[:] = torch.linspace(-1, 1, last.weight.shape[1], dtype=dtype).unsqueeze(1)
    x = 0.3 * make_sample(3, samples=200).to(dtype)
    found = feature_scores(network, x)
    assert found[0] < 1e-5
    assert found[1] > 0.9 > 0.05 > found[2] > 1e-3
    assert node_scores(network, x)[0][0] > 0.3


def test_a_single_sample_says_nothing_about_inputs() -> None:
    with pytest.raises(ValueError, match="x must have at least 2 samples, whose inputs"):
        feature_scores(make_network((3, 4, 2)), make_sample(3, samples=1))


@pytest.mark.parametrize("value", [0.0, 0.1, -1e3, 1e-9])
def test_constant_inputs_score_0_and_nothing_is_nan(value: float, dtype: torch.dtype) -> None:
    network = make_network((3, 4, 2), dtype=dtype)
    x = torch.full((333, 3), value, dtype=dtype)
    for metric in ("backward", "std"):
        found = scores(network, x, metric)
        assert all(bool((edge == 0).all()) for edge in found.edges)
        assert all(bool(node.isfinite().all()) for node in found.nodes)
    assert node_scores(network, x)[-1].tolist() == [0.5, 0.5]
    assert feature_scores(network, x).tolist() == [0, 0, 0]


def test_the_model_scores_its_inputs_in_all_and_for_one_output() -> None:
    model = KAN([3, 2], dtype=torch.float64)
    for i, j in [(0, 0), (1, 1), (2, 1)]:
        model.remove_edge((0, i, j))
    x = make_sample(3)
    assert model.feature_scores(x).shape == (3,)
    assert model.feature_scores(x, output=1).tolist() == pytest.approx([1.0, 0.0, 0.0])
    first = model.feature_scores(x, output=0)
    assert first[0] == 0
    assert first[1:].min() > 0
    torch.testing.assert_close(model.feature_scores(x)[1:], first[1:] / 2)
    model.remove_node((0, 2))
    assert model.feature_scores(x)[2] == 0
    with pytest.raises(IndexError, match=r"There is no output .*: the network has 2"):
        model.feature_scores(x, output=2)
