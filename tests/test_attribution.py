import itertools

import pytest
import torch
from effort import Operations, calls_of
from hypothesis import given
from hypothesis import strategies as st
from model_helpers import bytes_of, make_network, make_sample, make_symbols
from torch import Tensor
from type_checks import type_checks_off

from kanviz.analysis.attribution import (
    contributions,
    edge_scores,
    feature_scores,
    node_scores,
    scores,
)
from kanviz.analysis.trace import trace
from kanviz.nn import Network
from kanviz.nn.kernels import ops


def naive_backward(network: Network, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Compute the scores neuron by neuron from the expanded trace, as the paper words it."""
    found = trace(network, x)
    outputs = found.outputs.shape[1]
    nodes = [torch.full((outputs,), 1 / outputs, dtype=x.dtype)]
    edges: list[Tensor] = []
    for step in reversed(found.layers):
        spread = step.edge_outputs.std(0, correction=0)
        total = step.edge_outputs.sum(1).std(0, correction=0)
        edge = torch.zeros_like(spread)
        for i in range(spread.shape[0]):
            for j in range(spread.shape[1]):
                edge[i, j] = nodes[0][j] * spread[i, j] / total[j]
        edges.insert(0, edge)
        nodes.insert(0, edge.sum(1))
    return edges, nodes


@pytest.mark.parametrize("basis", ["bspline", "gaussian"])
@pytest.mark.parametrize("base", ["silu", "zero"])
def test_std_equals_that_of_the_expanded_trace(basis: str, base: str, dtype: torch.dtype) -> None:
    network = make_network((3, 4, 2), basis=basis, base=base, dtype=dtype)
    x = make_sample(3).to(dtype)
    steps = trace(network, x).layers
    for found, step in zip(edge_scores(network, x, "std"), steps, strict=True):
        wanted = step.edge_outputs.double().std(0, correction=0).to(dtype)
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)


@given(seed=st.integers(0, 100), kernels=st.booleans())
def test_std_is_exact_for_any_network(seed: int, kernels: bool) -> None:  # noqa: FBT001 - drawn
    network = make_network((2, 3), seed=seed, grid_size=1 + seed % 7, spline_order=seed % 4)
    x = 1e3 + make_sample(samples=2 + seed)
    network.update_grid(x)
    with pytest.MonkeyPatch.context() as patch:
        if not kernels:
            patch.setattr(ops, "usable", lambda *_: False)
        found = edge_scores(network, x, "std")[0]
    wanted = trace(network, x).layers[0].edge_outputs.std(0, correction=0)
    scale = trace(network, x).layers[0].edge_outputs.abs().max()
    assert (found - wanted).abs().max() <= 1e-6 * scale


def test_backward_equals_the_naive_computation() -> None:
    network = make_network((3, 4, 3, 2))
    x = make_sample(3)
    edges, nodes = naive_backward(network, x)
    found = scores(network, x)
    torch.testing.assert_close(found.edges, edges, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.nodes, nodes, rtol=1e-9, atol=1e-12)


def test_scores_of_single_outputs_average_to_the_score() -> None:
    network = make_network((3, 4, 2))
    x = make_sample(3)
    single = [edge_scores(network, x, output=output) for output in (0, 1)]
    for whole, first, second in zip(edge_scores(network, x), *single, strict=True):
        torch.testing.assert_close(whole, (first + second) / 2)
    assert node_scores(network, x, output=1)[-1].tolist() == [0.0, 1.0]


def test_scores_do_not_depend_on_the_unit_of_the_outputs() -> None:
    network = make_network()
    x = make_sample()
    before = scores(network, x)
    with torch.no_grad():
        network.layers[-1].weight.mul_(1e-9)
    after = scores(network, x)
    torch.testing.assert_close(after.edges, before.edges, rtol=1e-6, atol=0)


def test_an_input_without_effect_scores_0() -> None:
    network = make_network()
    mask = network.layers[0].mask.clone()
    mask[1] = False
    network.layers[0].set_mask(mask)
    for metric in ("backward", "std"):
        assert edge_scores(network, make_sample(), metric)[0][1].abs().max() == 0
    assert node_scores(network, make_sample())[0][1] == 0


def test_an_edge_into_a_dead_end_scores_0_backward_but_has_a_std() -> None:
    network = make_network()
    network.layers[1].set_mask(torch.tensor([[True], [True], [False], [True], [True]]))
    x = make_sample()
    assert edge_scores(network, x)[0][:, 2].tolist() == [0, 0]
    assert edge_scores(network, x, "std")[0][:, 2].min() > 0


@pytest.mark.parametrize("metric", ["backward", "std"])
def test_one_sample_scores_0_everywhere_and_nothing_is_nan(metric: str) -> None:
    network = make_network((3, 4, 2))
    found = scores(network, make_sample(3, samples=1), metric)  # type: ignore[arg-type]
    assert all(edge.abs().max() == 0 for edge in found.edges)
    assert all(node.isfinite().all() for node in found.nodes)


def test_a_formula_scores_by_its_own_values() -> None:
    network, x = make_network(), make_sample()
    network.layers[0].set_symbols(make_symbols(2.0))
    wanted = trace(network, x).layers[0].edge_outputs.std(0, correction=0)
    torch.testing.assert_close(edge_scores(network, x, "std")[0], wanted)
    torch.testing.assert_close(wanted[1, 2], (2 * x[:, 1]).sin().std(correction=0))
    edges, _ = naive_backward(network, x)
    torch.testing.assert_close(edge_scores(network, x), edges, rtol=1e-9, atol=1e-12)


def test_edges_that_cancel_exactly_give_finite_scores() -> None:
    network = make_network((2, 1), init="zero", base="identity")
    with torch.no_grad():
        network.layers[0].weight[0, -1], network.layers[0].weight[1, -1] = 1.0, -1.0
    x = make_sample()
    x[:, 1] = x[:, 0]
    assert edge_scores(network, x)[0].tolist() == [[0.0], [0.0]]
    assert edge_scores(network, x, "std")[0].min() > 0.1


def test_planted_effects_are_ranked_by_their_size() -> None:
    network = make_network((3, 1), init="zero", base="identity")
    with torch.no_grad():
        network.layers[0].weight[:, -1, 0] = torch.tensor([3.0, -1.0, 0.0])
    x = make_sample(3, samples=5000, reach=1.0)
    found = edge_scores(network, x, "std")[0][:, 0]
    uniform_std = 3**-0.5
    torch.testing.assert_close(
        found,
        torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64) * uniform_std,
        rtol=0.05,
        atol=1e-12,
    )


@given(
    st.lists(st.sampled_from([-3.0, -0.5, 0.0, 1.0, 2.0]), min_size=3, max_size=3),
    st.floats(-12, 12),
    st.sampled_from([torch.float32, torch.float64]),
    st.booleans(),
)
def test_a_total_effect_is_the_share_of_the_variance_whatever_the_paths(
    slopes: list[float],
    size: float,
    dtype: torch.dtype,
    has_idle_paths: bool,  # noqa: FBT001 - drawn
) -> None:
    network = make_network((4, 2, 1), init="zero", base="identity", dtype=dtype)
    first, last = network.layers
    with torch.no_grad():
        last.weight[:, -1, 0] = torch.tensor([1.0, -1.0]) * 10**size
        first.weight[:3, -1, 0] = torch.tensor(slopes) + 5.0 * has_idle_paths
        first.weight[:3, -1, 1] = 5.0 * has_idle_paths  # what goes this way too is taken off again
        first.weight[3, -1] = 7.0  # and all of the last input
    x = make_sample(4, samples=3000, reach=1.0).to(dtype)
    found = feature_scores(network, x).double()
    squares = torch.tensor([*slopes, 0.0], dtype=torch.float64).square()
    if not squares.any():
        assert found.tolist() == [0.0] * 4
        return
    torch.testing.assert_close(found, squares / squares.sum(), rtol=0, atol=0.06)
    assert bool((found[squares == 0] == 0).all())
    assert edge_scores(network, x)[0][3].min() > 0


def all_orders(network: Network, x: Tensor, sample: Tensor) -> Tensor:
    """Compute Shapley values by their definition: over all orders of the inputs."""
    found = torch.zeros(x.numel(), network.widths[-1], dtype=x.dtype)
    orders = list(itertools.permutations(range(x.numel())))
    for row in sample:
        for order in orders:
            mixed = row.clone()
            for i in order:
                before = network(mixed[None])[0]
                mixed[i] = x[i]
                found[i] += network(mixed[None])[0] - before
    return found / (len(orders) * len(sample))


@pytest.mark.parametrize("widths", [(2, 3, 2), (4, 2)])
def test_contributions_are_shapley_values(widths: tuple[int, ...]) -> None:
    """Of two inputs whatever they do together, of more where they add up."""
    network, sample = make_network(widths), make_sample(widths[0], 6)
    x = make_sample(widths[0], 7)[6]
    found = contributions(network, x, sample)
    assert torch.allclose(found, all_orders(network, x, sample), atol=1e-10)


def test_contributions_add_up_and_are_0_where_nothing_depends_on_an_input() -> None:
    network = make_network((3, 4, 2))
    x, sample = make_sample(samples=1, inputs=3)[0] * 0.7, make_sample(samples=200, inputs=3)
    found = contributions(network, x, sample)
    rows = [n * 200 // 64 for n in range(64)]
    assert torch.allclose(found.sum(0), network(x[None])[0] - network(sample[rows]).mean(0))
    mask = network.layers[0].mask.clone()
    mask[1] = False
    network.layers[0].set_mask(mask)
    assert contributions(network, x, sample)[1].abs().max() == 0


def test_questions_change_nothing() -> None:
    network = make_network()
    before = bytes_of(network)
    for metric in ("backward", "std"):
        assert not any(t.requires_grad for t in edge_scores(network, make_sample(), metric))
    assert bytes_of(network) == before


def test_nothing_of_the_expanded_size_is_made() -> None:
    network = make_network((64, 64), dtype=torch.float32)
    x = make_sample(64, samples=2000).float()
    with Operations() as operations:
        edge_scores(network, x, "std")
    assert 0 < operations.largest < 2000 * 64 * 64 / 4


def test_a_large_network_is_no_more_work_for_python_and_little_for_torch() -> None:
    def effort(widths: tuple[int, ...]) -> tuple[int, int]:
        network = make_network(widths, dtype=torch.float32)
        x = make_sample(widths[0], samples=1000).float()
        edge_scores(network, x)
        with Operations() as operations:
            edge_scores(network, x)
        return calls_of(lambda: edge_scores(network, x)), operations.numbers

    (few, _), (calls, numbers) = effort((8, 4, 2)), effort((784, 64, 10))
    assert calls < 3 * few  # for 1270 times the edges
    assert numbers < 20 * 1000 * (784 * 64 + 64 * 10)


def test_wrong_options_are_named() -> None:
    network, x = make_network(), make_sample()
    with type_checks_off():
        with pytest.raises(ValueError, match="metric must be one of 'backward', 'std'; got 'sum'"):
            edge_scores(network, x, "sum")  # type: ignore[arg-type]
        with pytest.raises(
            IndexError, match=r"There is no output .*: the network has 1, counted from 0"
        ):
            edge_scores(network, x, output=1)
        with pytest.raises(ValueError, match="metric='std' counts all outputs; got output=0"):
            edge_scores(network, x, "std", output=0)
