"""Errors against their definitions, in the user's units: of a network, and of one in training."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from fit_helpers import make_data, make_network, quick
from torch import Tensor

from kanviz.data import Dataset, Scaling, from_arrays
from kanviz.nn import Network
from kanviz.training import Progress
from kanviz.training.errors import quality


def last_errors(network: Network, data: Dataset, **options: Any) -> Any:
    """Return what the last of 2 steps tells, and the network as it was then."""
    seen: list[Any] = []

    def look(progress: Progress) -> None:
        seen.append((progress.errors(), quality(progress.network, data)))

    quick(network, data, steps=2, callbacks=[look], **options)
    return seen[-1]


def test_errors_are_those_of_quality_in_the_users_units() -> None:
    data = replace(make_data(), y_scaling=Scaling(torch.tensor([3.0]), torch.tensor([20.0])))
    errors, expected = last_errors(make_network(), data, optimizer="lm")
    assert errors.name == "RMSE"
    assert errors.train == pytest.approx(expected["train_rmse"])
    assert errors.test == pytest.approx(expected["test_rmse"])


def test_each_output_counts_in_its_own_unit() -> None:
    data = make_data()
    assert data.y_test is not None
    y, y_test = (torch.cat([y, 2 * y], 1) for y in (data.y, data.y_test))
    scaling = Scaling(torch.zeros(2), torch.tensor([1.0, 100.0]))
    both = replace(data, y=y, y_test=y_test, y_scaling=scaling, output_names=("a", "b"))
    errors, expected = last_errors(Network([2, 2, 2], dtype=torch.float64), both, optimizer="lm")
    assert errors.train == pytest.approx(expected["train_rmse"])
    assert errors.test == pytest.approx(expected["test_rmse"])


def test_without_a_test_part_there_is_no_test_error() -> None:
    data = replace(make_data(), x_test=None, y_test=None)
    errors, _ = last_errors(make_network(), data, optimizer="lm")
    assert errors.test is None


def test_classes_and_losses_of_the_users_own_are_measured_by_the_loss() -> None:
    x = make_data().x
    classes = from_arrays(x, (x[:, 0] > 0).long(), task="classification")
    errors, _ = last_errors(Network([2, 2], dtype=torch.float64), classes, optimizer="lbfgs")
    assert errors.name == "loss"
    assert 0 < errors.test < 10

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs - y).abs().mean()

    network, data = make_network(), make_data()
    errors, _ = last_errors(network, data, optimizer="adam", loss=loss)
    assert (errors.name, errors.train > 0) == ("loss", True)
    assert data.x_test is not None
    assert data.y_test is not None
    with torch.no_grad():
        expected = float(loss(network(data.x_test), data.y_test))
    assert errors.test == pytest.approx(expected, rel=0.1)


def test_numbers_are_measured_in_the_users_units() -> None:
    x = torch.linspace(-1, 1, 40, dtype=torch.float64).unsqueeze(1)
    y = 1000 + 50 * x + 10 * torch.sin(9 * x)
    data = from_arrays(x, y, x_test=x[::2], y_test=y[::2], normalize=True)
    network = Network([1, 1], init="identity", dtype=torch.float64)
    found = quality(network, data)
    with torch.no_grad():
        outputs = data.to_user_outputs(network(data.x))
    left = (outputs - y).square().mean()
    assert found["train_rmse"] == pytest.approx(float(left.sqrt()))
    assert found["train_r2"] == pytest.approx(1 - float(left / y.var(correction=0)))
    assert set(found) == {"train_rmse", "train_r2", "test_rmse", "test_r2"}


def test_classes_are_measured_by_the_share_that_is_right() -> None:
    x = torch.tensor([[-1.0, 1.0], [1.0, -1.0], [0.5, 0.2], [0.1, 0.9]])
    data = from_arrays(x, ["a", "b", "b", "b"], x_test=x[:1], y_test=["b"])
    network = Network([2, 2], init="identity")
    assert quality(network, data) == {"train_accuracy": 0.25, "test_accuracy": 1.0}
