"""Measures of a network against their definitions, in the user's units."""

import pytest
import torch

from kanviz.data import from_arrays
from kanviz.nn import Network
from kanviz.training.errors import quality


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
