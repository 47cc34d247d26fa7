"""The multilayer perceptron that KANs are compared with: right sums, slopes, and training."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kanviz.course.mlp import MLP, jacobian_of, train_mlp
from kanviz.course.mlp_picture import mlp_figure
from kanviz.data import Dataset, Scaling, from_arrays, from_function


def wave(x: Tensor) -> Tensor:
    """Return a smooth function of two inputs, in units far from 1."""
    return 300 + 50 * torch.sin(x[:, 0] / 10) * x[:, 1]


@pytest.fixture
def data() -> Dataset:
    return from_function(wave, [(0, 60), (-1, 1)], n_train=400, n_test=200, dtype=torch.float64)


def make_mlp(widths: tuple[int, ...], activation: str = "tanh", seed: int = 0) -> MLP:
    """Return an untrained network without scaling, in float64."""
    like = torch.zeros(1, dtype=torch.float64)
    scalings = (Scaling.identity(width, like) for width in (widths[0], widths[-1]))
    x_scaling, y_scaling = scalings
    return MLP(widths, activation=activation, x_scaling=x_scaling, y_scaling=y_scaling, seed=seed)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("tanh", np.tanh),
        ("relu", lambda z: np.maximum(z, 0)),
        ("silu", lambda z: z / (1 + np.exp(-z))),
    ],
)
def test_outputs_are_the_sums_that_a_perceptron_is_defined_by(
    activation: str, function: Any
) -> None:
    model = make_mlp((2, 4, 3), activation)
    (w_1, b_1), (w_2, b_2) = (
        (part.detach().numpy() for part in layer.parameters()) for layer in model.layers
    )
    x = np.linspace(-2, 2, 14).reshape(7, 2)
    np.testing.assert_allclose(model.predict(x), function(x @ w_1.T + b_1) @ w_2.T + b_2)
    assert model.n_parameters == 4 * 2 + 4 + 3 * 4 + 3


def test_inputs_and_targets_are_standardised_inside(data: Dataset) -> None:
    model = train_mlp(data, [2, 4, 1], steps=1)
    torch.testing.assert_close(model.x_shift, data.x.mean(dim=0))
    torch.testing.assert_close(model.y_scale, data.y.std(dim=0, correction=0))
    z = (data.x - model.x_shift) / model.x_scale
    expected = model.y_shift + model.y_scale * model.standard_outputs(z)
    np.testing.assert_allclose(model.predict(data.x), expected.detach().numpy())


@pytest.mark.parametrize(
    ("optimizer", "steps", "goal"), [("lm", 60, 0.1), ("lbfgs", 300, 0.5), ("adam", 1500, 3.0)]
)
def test_every_optimizer_learns(data: Dataset, optimizer: Any, steps: int, goal: float) -> None:
    model = train_mlp(data, [2, 12, 12, 1], optimizer=optimizer, steps=steps, batch_size=None)
    assert data.x_test is not None
    assert data.y_test is not None
    assert model.rmse(data.x_test, data.y_test) < goal  # the deviation of y is about 20
    assert model.rmse(data.x, data.y[:, 0]) < goal


def test_adam_with_batches_learns_classes() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(300, 2, generator=generator) * 2 - 1
    inside = (x.square().sum(dim=1) < 0.6).long()
    data = from_arrays(x, inside, task="classification")
    assert data.is_classification
    model = train_mlp(data, [2, 16, 2], optimizer="adam", steps=600, batch_size=64)
    assert (model.predict(data.x).argmax(axis=1) == data.y.numpy()).mean() > 0.95


def test_the_jacobian_holds_the_slopes_of_every_output_in_every_weight() -> None:
    model = make_mlp((2, 3, 3, 2))
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rows = jacobian_of(model, z)
    assert rows.shape == (10, model.n_parameters)
    for row, (output, sample) in enumerate((o, s) for o in range(2) for s in range(5)):
        value = model.standard_outputs(z)[sample, output]
        slopes = torch.autograd.grad(value, list(model.parameters()))
        torch.testing.assert_close(rows[row], torch.cat([s.flatten() for s in slopes]))


def test_levenberg_marquardt_never_gets_worse(data: Dataset) -> None:
    errors = [
        train_mlp(data, [2, 6, 1], optimizer="lm", steps=steps).rmse(data.x, data.y)
        for steps in (1, 2, 4, 8, 16)
    ]
    assert errors == sorted(errors, reverse=True)


def test_the_same_seed_gives_the_same_model_and_no_global_draw(
    data: Dataset, unchecked: None
) -> None:
    before = torch.random.get_rng_state()
    first, again, other = (
        train_mlp(data, [2, 5, 1], optimizer="adam", steps=3, batch_size=32, seed=seed)
        for seed in (4, 4, 5)
    )
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(first.predict(data.x), again.predict(data.x))
    assert not np.array_equal(first.predict(data.x), other.predict(data.x))


def test_start_goes_on_from_a_copy_with_its_scaling(data: Dataset) -> None:
    first = train_mlp(data, [2, 8, 1], optimizer="lm", steps=10)
    kept = first.predict(data.x)
    elsewhere = from_function(wave, [(60, 80), (-1, 1)], n_train=200, dtype=torch.float64)
    second = train_mlp(elsewhere, [2, 8, 1], optimizer="lm", steps=10, start=first)
    assert np.array_equal(first.predict(data.x), kept)
    assert torch.equal(second.x_shift, first.x_shift)
    assert second.rmse(elsewhere.x, elsewhere.y) < first.rmse(elsewhere.x, elsewhere.y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": [3, 5, 1]}, r"widths must start with 2 and end with 1, .* got \[3, 5, 1\]"),
        ({"widths": [2, 0, 1]}, "widths must be an integer of at least 1; got 0"),
        ({"activation": "sine"}, "activation must be one of 'silu', 'tanh', 'relu'; got 'sine'"),
        ({"optimizer": "sgd"}, "optimizer must be one of 'lm', 'lbfgs', 'adam'; got 'sgd'"),
        ({"steps": 0}, "steps must be an integer of at least 1; got 0"),
        ({"optimizer": "adam", "batch_size": 0}, "batch_size must be an integer of at least 1"),
        ({"batch_size": 8}, "batch_size must be None unless optimizer is 'adam'; got 8"),
    ],
)
def test_a_wrong_argument_is_named(
    data: Dataset, unchecked: None, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train_mlp(data, **{"widths": [2, 5, 1], **arguments})


def test_start_must_have_the_widths_asked_for(data: Dataset) -> None:
    first = train_mlp(data, [2, 4, 1], steps=1)
    with pytest.raises(ValueError, match=r"widths must be those of start, \[2, 4, 1\]"):
        train_mlp(data, [2, 5, 1], start=first)


def test_classes_need_another_optimizer_than_lm(unchecked: None) -> None:
    data = from_arrays(
        torch.linspace(0, 1, 40).reshape(20, 2), torch.arange(20) % 2, task="classification"
    )
    with pytest.raises(ValueError, match="optimizer must not be 'lm' for classes"):
        train_mlp(data, [2, 4, 2], optimizer="lm")


def test_a_perceptron_needs_two_widths(unchecked: None) -> None:
    with pytest.raises(ValueError, match=r"widths must have at least 2 entries; got \[2\]"):
        make_mlp((2,))


def test_a_picture_has_a_line_for_each_weight_and_a_curve_at_each_hidden_node() -> None:
    mlp = make_mlp((3, 4, 2))
    (axes,) = mlp_figure(mlp).axes
    weights = [line for line in axes.lines if np.size(line.get_xdata()) == 2]
    curves = [line for line in axes.lines if np.size(line.get_xdata()) > 2]
    assert (len(weights), len(curves), len(axes.patches)) == (3 * 4 + 4 * 2, 4, 3 + 4 + 2)
    widest = max(weights, key=lambda line: line.get_linewidth())
    assert widest.get_linewidth() == pytest.approx(3.6)
    assert len({line.get_linewidth() for line in weights}) > len(weights) / 2
    assert {text.get_text() for text in axes.texts} == {"x_1", "x_2", "x_3", "y"}


def test_a_picture_needs_a_name_for_each_input() -> None:
    with pytest.raises(ValueError, match="input_names must be 3, one for each input; got 1"):
        mlp_figure(make_mlp((3, 4, 2)), input_names=["a"])
