"""Nodes that multiply: numbers, derivatives, files, formulas and what is removed."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from model_helpers import exported
from nn_helpers import make_generator
from torch import Tensor
from torch.func import functional_call, jacrev, vmap

import kanviz as kv
from kanviz.analysis.attribution import scores
from kanviz.analysis.removal import edge_means, take_out, with_dead
from kanviz.course import teaching
from kanviz.data.dataset import About
from kanviz.nn import KANLayer, Network
from kanviz.nn.compact import put_back, without_idle_nodes
from kanviz.nn.nodes import NodeCount, Nodes
from kanviz.snapshot import Edge, Snapshot
from kanviz.symbolic.formula import check_formula, formula_of
from kanviz.training.jacobian import Jacobian, blocks_of, linearise, n_weights
from kanviz.training.sparsity import Sparsity, importances, network_spread
from kanviz.views.svg import network_svg

SHAPE: list[NodeCount] = [3, (1, (2, 3)), (2, 2), 2]


def make_network(
    shape: Sequence[Any] = SHAPE, *, dead: Sequence[Edge] = (), **more: Any
) -> Network:
    network = Network(shape, seed=3, dtype=torch.float64, **more)
    for layer, i, j in dead:
        mask = network.layers[layer].mask.clone()
        mask[i, j] = False
        network.layers[layer].set_mask(mask)
    return network


def dead_factor(j: int = 1) -> list[Edge]:
    """Return all edges of the first layer of ``SHAPE`` into one sum."""
    return [Edge(0, i, j) for i in range(3)]


def make_x(inputs: int = 3, samples: int = 40) -> Tensor:
    return 2 * torch.rand(samples, inputs, generator=make_generator(5), dtype=torch.float64) - 1


CASES = {
    "all live": (),
    "an edge": (Edge(0, 0, 3),),
    "a factor": dead_factor(1),
    "a product": [*dead_factor(1), *dead_factor(2)],
}
cases = pytest.mark.parametrize("dead", CASES.values(), ids=CASES)


# ---- numbers -------------------------------------------------------------------------------------


@given(st.integers(0, 3), st.lists(st.integers(2, 4), max_size=3), st.data())
def test_a_node_is_the_product_of_its_factors_with_an_edge(
    alone: int, arities: list[int], data: st.DataObject
) -> None:
    nodes = Nodes(alone, tuple(arities))
    live = torch.tensor([data.draw(st.booleans()) for _ in range(nodes.n_sums)], dtype=torch.bool)
    sums = torch.randn(4, nodes.n_sums, generator=make_generator(), dtype=torch.float64)
    if not arities:
        live[:] = True
    sums = sums * live  # a sum without edges is 0
    found = nodes.values(sums, live)
    for node in range(len(nodes)):
        parts = [sums[:, j] for j in nodes.sums_of(node) if live[j]]
        wanted = torch.stack(parts).prod(0) if parts else torch.zeros(4, dtype=torch.float64)
        torch.testing.assert_close(found[:, node], wanted)
    slopes = vmap(jacrev(lambda row: nodes.values(row, live)))(sums)
    owners = list(nodes.owners)
    own = slopes[:, owners, range(nodes.n_sums)] * (live if arities else 1)
    torch.testing.assert_close(nodes.slopes(sums, live), own)
    torch.testing.assert_close(nodes.added(sums), sums @ torch.eye(len(nodes)).double()[owners])


def test_a_product_layer_multiplies_the_sums_of_a_plain_one() -> None:
    x = make_x()
    plain = KANLayer(3, 5, dtype=torch.float64)
    layer = KANLayer(3, 5, products=(2, 2), dtype=torch.float64)
    sums = plain(x)
    wanted = torch.stack([sums[:, 0], sums[:, 1] * sums[:, 2], sums[:, 3] * sums[:, 4]], 1)
    torch.testing.assert_close(layer(x), wanted, rtol=0, atol=0)
    assert "products=(2, 2)" in repr(layer)


@cases
def test_jacobians_are_those_of_autograd(dead: Sequence[Edge]) -> None:
    network, x = make_network(dead=dead), make_x(samples=7)
    named = {name: p.detach() for name, p in network.named_parameters()}
    parts = jacrev(lambda weights: functional_call(network, weights, (x,)))(named)
    wanted = torch.cat([parts[name].flatten(2) for name in named], dim=2)
    rows, total = linearise(network, x), n_weights(network)
    found = torch.zeros(7, 2, total, dtype=torch.float64)
    found.scatter_add_(2, rows.columns, rows.values)
    torch.testing.assert_close(found, wanted)
    jacobian = Jacobian(network, x)
    v, u = torch.randn(total, dtype=torch.float64), torch.randn(7, 2, dtype=torch.float64)
    torch.testing.assert_close(jacobian.jvp(v), wanted @ v)
    torch.testing.assert_close(jacobian.vjp(u), torch.einsum("noj,no->j", wanted, u))
    diagonal = torch.cat([block.diagonal for block in blocks_of(jacobian)])
    torch.testing.assert_close(diagonal, wanted.square().sum((0, 1)))


@cases
def test_the_penalty_is_differentiable_and_its_kernels_agree_with_plain_torch(
    dead: Sequence[Edge],
) -> None:
    network, x = make_network([3, (1, 2), (0, 2), 1], dead=dead), make_x()
    outputs, penalty = Sparsity(1.0).penalised(network, x)
    torch.testing.assert_close(outputs, network(x))
    _, edges, sums = network_spread(network, x)
    made = [layer.nodes for layer in network.layers]
    plain = Sparsity(1.0).of(importances(edges, sums, made))
    torch.testing.assert_close(penalty, plain)
    total = outputs.sum() + penalty
    wanted = torch.autograd.grad(network(x).sum() + plain, list(network.parameters()))
    found = torch.autograd.grad(total, list(network.parameters()), create_graph=True)
    torch.testing.assert_close(found, wanted)
    squares = torch.stack([one.square().sum() for one in found]).sum()
    again = torch.autograd.grad(squares, network.layers[0].weight)
    assert again[0].isfinite().all()
    outputs, _ = Sparsity(1.0, metric="abs").penalised(network, x)
    torch.testing.assert_close(outputs, network(x))


@pytest.mark.usefixtures("unchecked")  # a graph would break at the checks of annotations
def test_networks_compile_to_one_graph_and_have_second_derivatives() -> None:
    network, x = make_network([2, (0, 1), 1]), make_x(2, 5)
    assert vmap(jacrev(jacrev(network)))(x).shape == (5, 1, 2, 2)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), network(x))
    _, program = exported(network, x)
    torch.testing.assert_close(program(x), network(x))
    torch.testing.assert_close(copy.deepcopy(network)(x), network(x), rtol=0, atol=0)


# ---- shapes --------------------------------------------------------------------------------------


def test_widths_say_sums_and_products() -> None:
    assert make_network().widths == (3, 3, 4, 2)
    assert make_network().shape == (3, (1, (2, 3)), (2, 2), 2)
    model = kv.KAN([3, (2, 1), 1], product_arity=3)
    assert model.widths == (3, 3, 1)
    assert "KAN([3, (2, (3,)), 1]" in repr(model)
    assert "kv.KAN([3, (2, (3,)), 1])" in model.script()
    assert kv.KAN([3, (2, (3,)), 1]).network.shape == model.network.shape


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ([2, (1, 1)], "Products stand in hidden layers"),
        ([(1, 1), 1], "Products stand in hidden layers"),
        ([2, (0, 0), 1], "at least two entries"),
        ([2, (1, (1,)), 1], "at least two entries"),
        ([2, (1, 1, 1), 1], "at least two entries"),
        ([2, (1, "a"), 1], "at least two entries"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_widths_that_say_nothing_are_refused(widths: list[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kv.KAN(widths)
    with pytest.raises(ValueError, match="product_arity must be an integer of at least 2"):
        kv.KAN([2, (1, 1), 1], product_arity=1)


def test_files_undo_and_state_dicts_keep_products(tmp_path: Path) -> None:
    model, x = kv.KAN(SHAPE, seed=3), make_x().float()
    model.remove_node((1, 1))
    before = model(x)
    model.save(tmp_path / "a.kan")
    loaded = kv.load(tmp_path / "a.kan")
    assert loaded.network.shape == model.network.shape
    assert torch.equal(loaded(x), before)
    model.undo()
    assert not torch.equal(model(x), before)
    other = kv.KAN(SHAPE, seed=4)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(x), model(x))
    with pytest.raises(RuntimeError, match=r"has the widths \[3.*, the state dict \[3"):
        kv.KAN([3, (1, (3, 2)), (2, 2), 2]).load_state_dict(model.state_dict())


def test_a_file_without_products_is_of_the_version_that_0_1_reads(tmp_path: Path) -> None:
    from kanviz.files.model_file import SavedModel, _header
    from kanviz.nn.state import NetworkState

    shapes: list[tuple[list[NodeCount], int]] = [([2, 2, 1], 1), ([2, (1, 1), 1], 2)]
    for shape, version in shapes:
        network = Network(shape)
        saved = SavedModel(NetworkState.capture(network), About.nothing(2, 1))
        assert _header(saved)["version"] == version
        json.dumps(_header(saved))


# ---- what is removed -----------------------------------------------------------------------------


def test_a_product_with_one_factor_left_is_a_sum() -> None:
    network, x = make_network(dead=dead_factor(1)), make_x()
    layer = network.layers[0]
    torch.testing.assert_close(layer(x)[:, 1], layer.sums(x)[:, 2])


def test_what_leads_nowhere_goes_through_products() -> None:
    network = make_network([2, (1, 1), 1])
    last_factor = [Edge(0, 0, 1), Edge(0, 1, 1)]
    assert with_dead(network, last_factor) == last_factor
    both = [*last_factor, Edge(0, 0, 2), Edge(0, 1, 2)]
    assert sorted(with_dead(network, both)) == sorted([*both, Edge(1, 1, 0)])
    assert sorted(with_dead(network, [Edge(1, 1, 0)])) == sorted([*both, Edge(1, 1, 0)])


def test_a_constant_factor_is_taken_out_without_a_change() -> None:
    network, x = make_network([2, (1, 1), 1]), make_x(2)
    layer = network.layers[0]
    with torch.no_grad():
        layer.weight[:, :, 1] = 0
        layer.weight[:, : layer.spec.n_basis, 1] = 0.7
    before = network(x)
    take_out(network, [Edge(0, 0, 1), Edge(0, 1, 1)], edge_means(network, x))
    torch.testing.assert_close(network(x), before)
    assert layer.live_sums_of(1) == [2]


def test_each_factor_has_the_score_of_its_product() -> None:
    network, x = make_network([2, (0, 1), 1]), make_x(2, 200)
    take_out(network, [Edge(0, 0, 1), Edge(0, 1, 0)], edge_means(network, x))
    found = scores(network, x)
    torch.testing.assert_close(found.edges[0].sum(0), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(found.nodes[0], torch.ones(2, dtype=torch.float64))


def test_nodes_and_edges_are_addressed_by_sums() -> None:
    model = kv.KAN([3, (2, 1), 1], seed=0)
    model.remove_node((1, 2))
    assert not model.network.layers[0].mask[:, 2:].any()
    assert model.network.layers[0].mask[:, :2].all()
    model.restore_node((1, 2))
    model.freeze((1, 2))
    assert model.network.layers[0].frozen.sum(0).tolist() == [0, 0, 3, 3]
    with pytest.raises(IndexError, match="layer 0 has 4 sums"):
        model.remove_edge((0, 0, 4))


def test_a_network_without_its_idle_nodes_computes_the_same() -> None:
    network, x = make_network(dead=[*dead_factor(0), Edge(0, 1, 2)]), make_x()
    for j in range(6):
        mask = network.layers[1].mask.clone()
        mask[0, j] = False
        network.layers[1].set_mask(mask)
    before = network(x)
    small, nodes = without_idle_nodes(network)
    assert small.shape == (3, (0, (2, 3)), (2, 2), 2)
    torch.testing.assert_close(small(x), before)
    with torch.no_grad():
        small.layers[0].weight.mul_(1.1)
    put_back(network, small, nodes)
    torch.testing.assert_close(network(x), small(x))


# ---- formulas and pictures -----------------------------------------------------------------------


@cases
def test_formulas_multiply(dead: Sequence[Edge]) -> None:
    network, x = make_network([3, (1, (2, 3)), 1], dead=dead), make_x()
    about = About.nothing(3, 1)
    check_formula(formula_of(network, about), network, about, x)


def test_the_lesson_of_one_layer_refuses_to_show_products_as_sums() -> None:
    with pytest.raises(ValueError, match=r"layer 0 multiplies some of them\. Use model"):
        teaching.layer(kv.KAN([2, (1, 1), 1]), 0)
    teaching.layer(kv.KAN([2, (1, 1), 1]), 1).close()


def test_a_formula_of_a_product_is_written_as_one() -> None:
    model = kv.KAN([2, (0, 1), 1], seed=0, dtype=torch.float64)
    for edge, text in (((0, 0, 0), "x"), ((0, 1, 1), "x"), ((1, 0, 0), "x")):
        model.fix(edge, text, affine=(1.0, 0.0, 1.0, 0.0))
    model.remove_edge((0, 1, 0))
    model.remove_edge((0, 0, 1))
    (found,) = model.formula(simplify_seconds=0).expressions
    x, y = sympy.symbols("x_1 x_2")
    assert found == x * y
    model.remove_edge((0, 1, 1))
    assert str(model.formula(simplify_seconds=0)) == "x_1"


@cases
def test_a_snapshot_says_what_multiplies_and_comes_back_from_json(dead: Sequence[Edge]) -> None:
    model = kv.KAN([3, (1, (2, 3)), 1], seed=0)
    for edge in dead:
        model.remove_edge(edge)
    found = model.snapshot()
    assert found.owners == ((0, 1, 2), (0, 1, 1, 2, 2, 2), (0,))
    live = [len(model.network.layers[0].live_sums_of(node)) for node in range(3)]
    factors = [len(found.node(1, node).factors) for node in range(3)]
    assert factors == [0 if count < 2 else count for count in live]
    assert Snapshot.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    figure, graph = model.plot(), model.graph()
    crosses = [part for part in figure.axes[0].collections if part.get_gid() == "products"]
    assert isinstance(crosses[0], LineCollection)
    assert len(crosses[0].get_segments()) == 2 * sum(count > 1 for count in live)
    assert graph.number_of_edges() == 18 + 3 + 5
    words = [text.get_text() for text in model.plot_layer(0).axes[0].texts]
    assert "h1.2, factor 3" in words
    assert network_svg(found).count("kanviz-cross") == 1 + 2 * sum(count > 1 for count in live)


# ---- training ------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_product_is_found_pruned_and_written_down() -> None:
    data = kv.from_function(lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2, 200, 50)
    model = kv.KAN([2, (0, 1), 1], seed=0, grid_size=3)
    model.fit(data, steps=60, starts=1, progress=False)
    model.prune(data)
    assert int(model.network.layers[0].mask.sum()) == 2
    model.symbolify(data)
    assert str(model.formula()) == "x_1*x_2"


@pytest.mark.long
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_gradient_steps_go_through_products(optimizer: Literal["adam", "lbfgs"]) -> None:
    data = kv.from_function(lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2, 100, 20)
    model = kv.KAN([2, (1, 1), 1], seed=0, grid_size=3)
    report = model.fit(data, optimizer=optimizer, steps=20, sparsity=1e-3, starts=1, progress=False)
    losses = report.history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.long
@pytest.mark.parametrize("hidden", [(1, (2, 3)), (0, 1)])
def test_random_starts_are_compared_in_noise(hidden: NodeCount) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 2))
    y = x[:, 0] * x[:, 1] + rng.normal(0, 0.1, 40)
    model = kv.KAN([2, hidden, 1], seed=0, grid_size=3)
    report = model.fit(x, y, smoothing="auto", starts=3, steps=4, progress=False)
    assert len(report.starts) == 3


@pytest.mark.long
def test_bands_are_there_and_cover_a_noisy_product() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 2, (150, 2))
    y = x[:, 0] * x[:, 1] + rng.normal(0, 0.05, 150)
    model = kv.KAN([2, (1, 1), 1], seed=0, grid_size=3)
    model.fit(x, y, smoothing="auto", starts=1, progress=False)
    grid = rng.uniform(0.6, 1.9, (200, 2))
    low, high = model.predict_interval(grid, of="mean")
    truth = grid.prod(1)
    inside = (np.asarray(low).ravel() <= truth) & (truth <= np.asarray(high).ravel())
    assert inside.mean() > 0.8
    assert model.bands()
