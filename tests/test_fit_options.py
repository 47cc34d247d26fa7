"""What ``fit`` refuses, and what sparsity does in it."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from fit_helpers import make_data, make_network, quick, rmse, same, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_helpers import threads

from kanviz.nn import Network
from kanviz.training import FitOptions, Sparsity
from kanviz.training.fit import Trainer, threads_for
from kanviz.training.task import prepare

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "Adamm"}, "optimizer must be one of .*'Adamm'.*adam"),
        ({"loss": "hinge"}, "loss must be one of"),
        ({"steps": 0}, "steps must be an integer of at least 1; got 0"),
        ({"grids": [5, 3]}, r"grids must be increasing; got \[5, 3\]"),
        ({"grids": [0, 3]}, "grids must be an integer of at least 1; got 0"),
        ({"grids": []}, "grids must be increasing"),
        ({"batch_size": -1}, "batch_size must be"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"smoothing": -1.0}, "smoothing must be at least 0"),
        ({"validation": 1.5}, "validation must be a share"),
        ({"validation": "half"}, "validation must be None, a share"),
        ({"optimizer": "lm", "loss": torch.nn.L1Loss()}, "optimizer='lm' needs squared loss"),
        ({"optimizer": "lm", "batch_size": 5}, "optimizer='lm' needs squared loss"),
        ({"loss": "cross_entropy"}, "loss must be 'mse' for numbers"),
        ({"loss": torch.nn.L1Loss(reduction="none")}, r"one number; got shape \(200, 1\)\."),
        ({"loss": lambda *_: 1.0, "optimizer": "adam"}, "tensor of one number; got float"),
        ({"loss": torch.nn.NLLLoss()}, r"NLLLoss takes no outputs of shape \(200, 1\) and y of"),
        ({"loss": torch.nn.GaussianNLLLoss()}, "missing 1 required .* Take another loss"),
        ({"loss": torch.nn.L1Loss}, r"got the class L1Loss\. Write L1Loss\(\)"),
    ],
)
def test_bad_option_is_one_clear_sentence(
    options: dict[str, Any], message: str, unchecked: None
) -> None:
    network = make_network()
    before = weights_of(network)
    with pytest.raises(ValueError, match=message):
        quick(network, make_data(), **options)
    assert same(before, weights_of(network))


def test_data_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data's x must have 3 columns .*got 2"):
        quick(Network([3, 1], dtype=torch.float64), make_data())
    with pytest.raises(ValueError, match=r"data's y must have 2 columns .*got 1"):
        quick(Network([2, 2], dtype=torch.float64), make_data())


def test_options_are_plain_values_with_working_defaults() -> None:
    assert FitOptions() == FitOptions(optimizer="auto", progress=True)
    assert copy.deepcopy(FitOptions(grids=[3])).grids == [3]


def test_training_data_are_left_as_they_were() -> None:
    data = make_data()
    x, y = data.x.clone(), data.y.clone()
    quick(make_network(), data, steps=5, validation=0.3)
    assert torch.equal(data.x, x)
    assert torch.equal(data.y, y)


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs"])
def test_sparsity_finds_the_one_hidden_node_that_is_needed(optimizer: str) -> None:
    network, data = Network([2, 3, 1], dtype=torch.float64), make_data(300)
    report = quick(network, data, optimizer=optimizer, sparsity=1e-3, steps=100)
    if optimizer == "lm":
        with torch.no_grad():
            spread = network.layers[0](data.x).std(0)
            through = network.layers[1].edge_outputs(network.layers[0](data.x)).std(0)[:, 0]
        assert spread.min() >= 0
        assert through.sort().values[1] < 0.02 * through.max()
    assert report.history["sparsity"][-1] < report.history["sparsity"][0]
    assert rmse(network, data) < 0.5


def test_sparsity_by_weights_is_left_to_gradient_optimizers() -> None:
    sparsity = Sparsity(1e-3, metric="weights")
    assert quick(make_network(), make_data(), sparsity=sparsity, steps=2).optimizer == "lbfgs"
    with pytest.raises(ValueError, match="sparsity must have metric='std' with optimizer='lm'"):
        quick(make_network(), make_data(), sparsity=sparsity, optimizer="lm")


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_small_fits_use_few_threads_and_leave_the_setting_as_it_was(optimizer: Any) -> None:
    seen: list[int] = []
    data, found = make_data(), []
    for number in (1, 3):
        with threads(number):
            network = make_network()
            trainer = Trainer(prepare(network, data, FitOptions(optimizer=optimizer, steps=4)))
            evaluate = trainer.task.loss_of

            def count(network: Network, evaluate: Any = evaluate) -> float:
                seen.append(torch.get_num_threads())
                return float(evaluate(network))

            object.__setattr__(trainer.task, "loss_of", count)
            for _ in trainer:
                assert torch.get_num_threads() == number
            assert torch.get_num_threads() == number
            assert trainer.best is not None
            found.append(weights_of(trainer.best))
    assert seen
    assert set(seen) == {1}
    assert same(*found)


@settings(max_examples=4)
@given(
    st.sampled_from(["lm", "lbfgs", "adam"]),
    st.integers(1, 4),
    st.integers(2, 3000),
    st.integers(1, 30),
    st.sampled_from([None, 8]),
)
def test_a_fit_takes_no_more_threads_than_it_may_or_can_feed(
    optimizer: Any, number: int, rows: int, size: int, batch_size: int | None
) -> None:
    options = FitOptions(optimizer=optimizer, steps=1, starts=1, progress=False)
    if optimizer == "adam":
        options = replace(options, batch_size=batch_size)
    data, before = make_data(rows), torch.get_num_threads()
    networks = [Network([2, 1, 1], grid_size=size, dtype=torch.float64) for _ in range(2)]
    asked, found = [], []
    for network, most in zip(networks, (1, number), strict=True):
        task = prepare(network, data, options)
        asked.append(threads_for(network, task))
        assert asked[-1] >= 1
        assert threads_for(network, replace(task, x=task.x.repeat(2, 1))) >= asked[-1]
        with threads(most):
            trainer = Trainer(task)
            for _ in trainer:
                assert torch.get_num_threads() == most
            assert torch.get_num_threads() == most
        assert trainer.best is not None
        found.append(weights_of(trainer.best))
    assert torch.get_num_threads() == before
    if asked[0] == 1:  # then the user's number of threads is no matter
        assert same(*found)


def test_large_fits_keep_all_threads() -> None:
    rows = torch.zeros(100_000, 2, dtype=torch.float64)
    small = prepare(make_network(), make_data(), FitOptions())
    large = replace(small, x=rows)
    assert threads_for(make_network(), small) == 1
    assert threads_for(make_network(), large) > 3
    batches = replace(large, optimizer="adam", options=FitOptions(batch_size=100))
    assert threads_for(make_network(), batches) == 1


def test_a_fit_that_is_left_restores_the_threads() -> None:
    with threads(3):
        trainer = Trainer(prepare(make_network(), make_data(), FitOptions(steps=50)))
        steps = iter(trainer)
        next(steps)
        steps.close()
        assert torch.get_num_threads() == 3
        assert trainer.report.stopped == "stopped"
        trainer = Trainer(prepare(make_network(), make_data(), FitOptions(steps=50)))
        steps = iter(trainer)
        for _ in range(30):
            next(steps)
        with pytest.raises(StopIteration):
            steps.throw(KeyboardInterrupt())
        assert trainer.report.stopped == "interrupted"
        assert torch.get_num_threads() == 3
