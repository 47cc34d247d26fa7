"""``fit``: learns, keeps the best, stops when told, and leaves everything else alone."""

from typing import Any

import pytest
import torch
from fit_helpers import make_data, make_network, quick, rmse, same, weights_of
from torch import Tensor

from kanviz.data import from_arrays
from kanviz.nn import Network
from kanviz.training import Progress
from kanviz.training.fit import affordable_starts

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("options", "goal"),
    [
        ({"optimizer": "auto", "steps": 40}, 0.02),
        ({"optimizer": "lbfgs", "steps": 60}, 0.9),
        ({"optimizer": "adam", "steps": 40, "batch_size": 32}, 0.3),
        ({"optimizer": "adamw", "steps": 60, "learning_rate": 0.05}, 0.4),
        ({"optimizer": torch.optim.RMSprop, "steps": 100}, 0.5),
    ],
)
def test_every_optimizer_learns(options: dict[str, Any], goal: float, dtype: torch.dtype) -> None:
    network, data = make_network(dtype=dtype), make_data(dtype=dtype)
    before = rmse(network, data)
    report = quick(network, data, **options)
    assert rmse(network, data) < min(goal, before)
    assert network.layers[0].weight.dtype == dtype
    assert len(report.history["loss"]) == len(report.history["grid_size"])


def test_auto_takes_lm_for_squared_loss_and_says_so() -> None:
    report = quick(make_network(), make_data(), steps=5)
    assert report.optimizer == "lm"
    assert str(report).startswith("lm: ")
    assert quick(make_network(), make_data(), steps=2, batch_size=50).optimizer == "adam"
    assert quick(Network([2, 300, 1]), make_data(), steps=1).optimizer == "lbfgs"


def test_schedule_of_grids_lowers_the_error_level_by_level() -> None:
    network, data = make_network(), make_data(500)
    report = quick(network, data, grids=[3, 6, 12])
    history = report.history
    last = dict(zip(history["grid_size"], history["loss"], strict=True))
    assert last[3] > 10 * last[6] > 100 * last[12]
    assert network.layers[0].spec.grid_size == 12


def test_same_seed_gives_identical_numbers_five_times(rng_untouched: None, unchecked: None) -> None:
    results = []
    for _ in range(5):
        network = make_network()
        quick(network, make_data(), steps=15, grids=[3, 5], validation=0.2)
        results.append(weights_of(network))
    assert all(same(results[0], result) for result in results[1:])
    other = make_network(seed=1)
    quick(other, make_data(), steps=15, grids=[3, 5], validation=0.2)
    assert not same(results[0], weights_of(other))


def test_batches_are_shuffled_by_the_seed_alone(rng_untouched: None, unchecked: None) -> None:
    def run(seed: int) -> list[float]:
        options = {"optimizer": "adam", "steps": 3, "batch_size": 16, "seed": seed}
        return quick(make_network(), make_data(), **options).history["loss"]

    assert run(3) == run(3) != run(4)


def test_trained_network_goes_on_from_where_it_is() -> None:
    network, data = make_network(), make_data()
    reached = quick(network, data, steps=30).loss
    report = quick(network, data, steps=5)
    assert report.starts == []
    assert report.loss <= reached


def test_starts_are_tried_for_an_untouched_network_and_the_best_is_kept() -> None:
    network = Network([2, 2, 1], dtype=torch.float64)
    report = quick(network, make_data(), steps=3, starts=4)
    assert 1 <= len(report.starts) <= 4
    assert report.history["loss"][0] <= 1.5 * min(report.starts)
    assert affordable_starts(Network([2, 1])) == 1
    assert affordable_starts(Network([50, 50, 1])) == 1
    assert affordable_starts(Network([2, 1, 1])) > 8


def test_callbacks_see_each_step_and_may_stop() -> None:
    seen: list[Progress] = []

    def stop_at_four(progress: Progress) -> bool:
        seen.append(progress)
        return progress.step < 4

    report = quick(make_network(), make_data(), steps=50, callbacks=[stop_at_four])
    assert [progress.step for progress in seen] == [1, 2, 3, 4]
    assert report.stopped == "callback"
    assert seen[-1].loss == report.history["loss"][-1]


def test_interrupt_keeps_the_best_state_so_far() -> None:
    network, data = make_network(), make_data()

    def interrupt(progress: Progress) -> None:
        if progress.step == 6:
            raise KeyboardInterrupt

    report = quick(network, data, steps=50, callbacks=[interrupt])
    assert report.stopped == "interrupted"
    assert len(report.history["loss"]) == 6
    with torch.no_grad():
        loss = float((network(data.x) - data.y).square().mean())
    assert loss == pytest.approx(min(report.history["loss"]), rel=1e-9)


def test_validation_keeps_the_state_that_was_best_on_it() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(40, 2, generator=generator, dtype=torch.float64) - 1
    y = x[:, :1] + 0.3 * torch.randn(40, 1, generator=generator, dtype=torch.float64)
    x_new = 2 * torch.rand(200, 2, generator=generator, dtype=torch.float64) - 1
    network = Network([2, 3, 1], dtype=torch.float64)
    report = quick(
        network,
        from_arrays(x, y, test_fraction=0, normalize=False),
        validation=(x_new, x_new[:, :1]),
        grids=[3, 20],
        starts=1,
    )
    watched = report.history["validation_loss"]
    assert report.kept_step == 1 + watched.index(min(watched))
    assert report.validation_loss == min(watched) < watched[-1]
    with torch.no_grad():
        assert float((network(x_new) - x_new[:, :1]).square().mean()) == pytest.approx(min(watched))


def test_curvature_penalty_calms_a_fine_grid_on_noise() -> None:
    generator = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(60, 1, generator=generator, dtype=torch.float64) - 1
    y = torch.sin(3 * x) + 0.1 * torch.randn(60, 1, generator=generator, dtype=torch.float64)
    fine = torch.linspace(-0.95, 0.95, 200, dtype=torch.float64).unsqueeze(1)
    errors = []
    for curvature in (0.0, 1e-2):
        network = Network([1, 1], grid_size=40, dtype=torch.float64)
        data = from_arrays(x, y, test_fraction=0, normalize=False)
        quick(network, data, smoothing=curvature)
        with torch.no_grad():
            errors.append(float((network(fine) - torch.sin(3 * fine)).square().mean().sqrt()))
    assert errors[1] < 0.5 * errors[0]


def test_classes_are_learned_with_cross_entropy() -> None:
    x = torch.rand(300, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    y = ((x**2).sum(1) > 0.5).long()
    network = Network([2, 2])
    data = from_arrays(x, y, task="classification", test_fraction=0, normalize=False)
    report = quick(network, data, steps=40)
    assert report.optimizer == "lm"
    with torch.no_grad():
        assert float((network(x).argmax(1) == y).float().mean()) > 0.97


def test_a_loss_of_ones_own_is_minimised() -> None:
    data, network = make_data(), make_network()
    report = quick(network, data, loss=torch.nn.functional.l1_loss, steps=40)
    losses = report.history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_steps_that_are_not_finite_are_undone() -> None:
    network, data = make_network(), make_data()
    calls = []

    def sometimes_nan(outputs: Tensor, y: Tensor) -> Tensor:
        calls.append(1)
        value = torch.nn.functional.mse_loss(outputs, y)
        return value * (float("nan") if len(calls) == 5 else 1.0)

    quick(network, data, loss=sometimes_nan, optimizer="adam", steps=10)
    assert all(torch.isfinite(w).all() for w in weights_of(network) if w.is_floating_point())


def test_hopeless_loss_names_what_breaks_and_leaves_the_network() -> None:
    network, data = make_network(), make_data()
    before = weights_of(network)

    def explode(outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs - y).square().mean() * float("inf")

    with pytest.raises(FloatingPointError, match="gradient must be finite"):
        quick(network, data, loss=explode, optimizer="adam", steps=3)
    assert same(before, weights_of(network))


def test_edge_that_breaks_is_named() -> None:
    network, data = make_network(), make_data()
    with torch.no_grad():
        network.layers[0].weight[1, 2, 0] = float("inf")
    with pytest.raises(FloatingPointError, match=r"edge \(0, 1, 0\)"):
        quick(network, data, optimizer="adam", steps=3, update_grid=False)


def test_removed_edges_stay_removed_and_unchanged() -> None:
    network, data = Network([2, 2, 1], dtype=torch.float64), make_data()
    network.layers[0].set_mask(torch.tensor([[True, False], [True, True]]))
    kept = network.layers[0].weight[0, :, 1].detach().clone()
    quick(network, data, steps=10, update_grid=False)
    assert torch.equal(network.layers[0].weight[0, :, 1], kept)
    assert not network.layers[0].mask[0, 1]
