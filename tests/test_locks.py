"""Edges locked to one function: equal to the last bit whatever is done, and free again."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from accuracy import velocity
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_helpers import PAIR, assert_tied, make_locked
from model_helpers import make_data, make_network, make_sample
from torch import Tensor

import kanviz as kv
from kanviz.nn import KANLayer
from kanviz.nn.ties import groups_of, inputs_together, leaders_of
from kanviz.snapshot import Edge
from kanviz.training.penalties import smoothness


def own_loop(model: kv.KAN, make: Callable[..., torch.optim.Optimizer]) -> None:
    """Train as a user would who knows nothing of locks."""
    data, optimizer = make_data(), make(model.parameters(), lr=0.02)
    for _ in range(5):
        optimizer.zero_grad()
        (model(data.x) - data.y).square().mean().backward()
        optimizer.step()


def test_the_shared_function_is_the_mean_and_other_edges_stay() -> None:
    model, free = make_locked(), kv.KAN([2, 3, 1], dtype=torch.float64)
    before = free.network.layers[0].weight.detach()
    after = model.network.layers[0].weight.detach()
    torch.testing.assert_close(after[:, :, 1], before[:, :, 1].mean(0).expand(2, -1))
    assert torch.equal(after[:, :, [0, 2]], before[:, :, [0, 2]])
    assert_tied(model)
    assert model.steps == ["locked edges (0, 0, 1) and (0, 1, 1)"]


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "lm"},
        {"optimizer": "lm", "sparsity": 1e-3},
        {"optimizer": "lm", "grids": [3, 6, 8]},
        {"optimizer": "lm", "starts": 3},
        {"optimizer": "lbfgs", "smoothing": 1e-4},
        {"optimizer": "adam", "batch_size": 20, "sparsity": 1e-3},
        {"optimizer": torch.optim.AdamW, "smoothing": 1e-4},
        {"optimizer": torch.optim.SGD, "learning_rate": 1e-3},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["spline", "formula"])
def test_every_optimizer_trains_them_as_one(options: dict[str, Any], kind: str) -> None:
    model, x = make_locked(), make_data().x
    if kind == "formula":
        model.fix((0, 1, 1), "sin")
    before, seen = model(x), []

    def watch(progress: Any) -> None:
        weight = progress.network.layers[0].weight
        seen.append(torch.equal(weight[0, :, 1], weight[1, :, 1]))

    model.fit(make_data(), steps=6, progress=False, callbacks=[watch], **options)
    assert seen
    assert all(seen)
    assert_tied(model)
    assert not torch.equal(model(x), before)


def test_float32_stays_equal_too() -> None:
    model = kv.KAN([2, 3, 1])
    model.lock(PAIR)
    data = make_data()
    model.fit((data.x.float(), data.y.float()), grids=[3, 7], steps=5, progress=False)
    assert_tied(model)


def test_training_finds_what_one_function_can_do_best() -> None:
    x = make_sample(2, 300)
    y = (torch.sin(2 * x) + 0.3 * x[:, :1]).sum(1, keepdim=True)
    errors = []
    for optimizer in ("lm", "lbfgs"):
        model = kv.KAN([2, 1], dtype=torch.float64, grid_size=8)
        model.lock([(0, 0, 0), (0, 1, 0)])
        data = kv.from_arrays(x, y, test_fraction=0.0, normalize=False)
        model.fit(data, optimizer=optimizer, steps=60, update_grid=False, progress=False)
        errors.append(float((model(x) - y).detach().square().mean()))
    layer = model.network.layers[0]
    columns = layer.features(x).sum(1)
    best = columns @ torch.linalg.pinv(columns) @ y
    wanted = float((best - y).square().mean())
    assert errors[0] == pytest.approx(wanted, rel=1e-3)
    assert errors[1] == pytest.approx(wanted, rel=0.05)


def test_the_gradient_of_the_shared_function_is_the_sum() -> None:
    free, locked = make_network((2, 3, 1)), make_network((2, 3, 1))
    locked.layers[0].lock([(0, 1), (1, 1)])
    free.layers[0].replace(
        locked.layers[0].knots, locked.layers[0].weight.detach(), free.layers[0].spec
    )
    for network in (free, locked):
        network(make_sample()).square().sum().backward()
    separate, joint = (network.layers[0].weight.grad for network in (free, locked))
    assert isinstance(separate, Tensor)
    assert isinstance(joint, Tensor)
    torch.testing.assert_close(joint[0, :, 1], separate[:, :, 1].sum(0))
    torch.testing.assert_close(joint[:, :, [0, 2]], separate[:, :, [0, 2]])


def test_penalties_pull_at_the_shared_function_with_all_its_edges() -> None:
    network = make_network((2, 3, 1))
    network.layers[0].lock([(0, 1), (1, 1)])
    weight = network.layers[0].weight
    penalty = smoothness(network, 1.0)
    (joint,) = torch.autograd.grad(penalty.of(network), weight)
    network.layers[0].unlock([(0, 1), (1, 1)])
    (apart,) = torch.autograd.grad(penalty.of(network), weight)
    torch.testing.assert_close(joint[0, :, 1], apart[:, :, 1].sum(0))
    assert not bool(joint[1, :, 1].any())


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_a_training_loop_of_the_users_own_trains_them_as_one(kind: Any) -> None:
    model = make_locked()
    own_loop(model, kind)
    x = make_sample()
    views = {view.edge: view for view in model.snapshot().edges}
    first, second = (views[Edge(*edge)] for edge in PAIR)
    assert (first.control_y == second.control_y).all()
    assert (first.knots == second.knots).all()
    outputs = model(x)
    model.unlock(PAIR)
    torch.testing.assert_close(model(x), outputs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        model.network.layers[0].weight[0, :, 1].tolist(),
        list(model.network.layers[0].weight[1, :, 1].tolist()),
    )


def test_knots_follow_the_joint_sample() -> None:
    model = make_locked()
    x = torch.rand(100, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model.update_grid(x + torch.tensor([-3.0, 5.0]), margin=0.0)
    points = model.network.layers[0].grid_points
    assert float(points[0, 0]) == pytest.approx(float(x[:, 0].min()) - 3)
    assert float(points[1, -1]) == pytest.approx(float(x[:, 1].max()) + 5)


def test_a_grid_that_is_there_already_changes_no_bit() -> None:
    layer, x = KANLayer(2, 3, dtype=torch.float64), make_sample()
    layer.update_grid(x)
    weight, knots = layer.weight.detach().clone(), layer.knots.clone()
    assert layer.update_grid(x) == 0.0
    assert torch.equal(layer.weight, weight)
    assert torch.equal(layer.knots, knots)


def test_inputs_with_other_knots_move_to_the_union_and_the_rest_stays() -> None:
    ranges = torch.tensor([[-1.0, 1.0], [-2.0, 0.5], [0.0, 1.0]], dtype=torch.float64)
    model = kv.KAN([3, 2, 1], grid_size=20, grid_range=ranges, dtype=torch.float64)
    x = make_sample(3, reach=0.5)
    before, old = model.trace(x).layers[0].edge_outputs, model.network.layers[0].weight.clone()
    change = model.lock([(0, 0, 0), (0, 1, 0)])
    layer = model.network.layers[0]
    assert layer.grid_points[0, [0, -1]].tolist() == [-2.0, 1.0]
    assert torch.equal(layer.knots[0], layer.knots[1])
    after = model.trace(x).layers[0].edge_outputs
    assert 0 < change < 0.1
    torch.testing.assert_close(after[:, :2, 1], before[:, :2, 1], atol=5 * change, rtol=0)
    assert torch.equal(layer.weight[2], old[2])
    assert model.copy().lock([(0, 0, 1), (0, 1, 1)]) == 0.0


def test_unlocked_edges_keep_the_function_and_learn_apart() -> None:
    model, x = make_locked(), make_sample()
    model.fit(make_data(), steps=3, progress=False)
    outputs = model(x)
    model.unlock(PAIR)
    assert torch.equal(model(x), outputs)
    assert model.steps[-1] == "unlocked edges (0, 0, 1) and (0, 1, 1)"
    model.fit(make_data(), steps=3, progress=False)
    weight = model.network.layers[0].weight
    assert not torch.allclose(weight[0, :, 1], weight[1, :, 1])


def test_one_of_three_leaves_and_the_others_stay_locked() -> None:
    layer = KANLayer(3, 2, dtype=torch.float64)
    layer.lock([(2, 0), (0, 0), (1, 1)])
    layer.unlock([(0, 0)])
    assert groups_of(layer.leaders) == [[(1, 1), (2, 0)]]
    layer.unlock([(2, 0)])
    assert groups_of(layer.leaders) == []
    assert torch.equal(layer.weight[0, :, 0], layer.weight[1, :, 1])


def test_other_starts_are_locked_alike_and_locking_alone_touches_nothing() -> None:
    model = make_locked()
    assert model.network.is_untouched()
    other = model.network.remade(5)
    assert groups_of(other.layers[0].leaders) == [[(0, 1), (1, 1)]]
    assert torch.equal(other.layers[0].weight[0, :, 1], other.layers[0].weight[1, :, 1])
    model.move_point((0, 0, 1), 0, 1.0)
    assert not model.network.is_untouched()


@given(st.lists(st.integers(0, 4), min_size=12, max_size=12))
@settings(max_examples=50)
def test_leaders_and_groups_say_the_same(labels: list[int]) -> None:
    found: dict[int, list[tuple[int, int]]] = {}
    for number, label in enumerate(labels):
        if label:
            found.setdefault(label, []).append(divmod(number, 3))
    groups = [group for group in found.values() if len(group) > 1]
    leaders = leaders_of(groups, 4, 3)
    assert sorted(groups_of(leaders)) == sorted(groups)
    together = inputs_together(leaders)
    assert all(
        len({i for i, _ in group} & {*inputs}) in (0, len({i for i, _ in group}))
        for group in groups
        for inputs in together
    )


def test_velocities_add_as_relativity_says() -> None:
    row = velocity.measure(seed=0)
    assert row.formula <= velocity.GOAL
    assert row.text == velocity.WANTED
