"""The curvature penalty against its definition."""

import torch

from kanviz.nn import Network
from kanviz.training.penalties import EdgeForms, smoothness


def make_forms() -> tuple[Network, EdgeForms, torch.Tensor]:
    network = Network([2, 3, 2], dtype=torch.float64, seed=4)
    weights = torch.cat([layer.weight.detach().flatten() for layer in network.layers])
    return network, smoothness(network, 0.3, 2.0), weights


def test_value_is_the_sum_of_squared_second_differences() -> None:
    network, forms, weights = make_forms()
    hidden, last = ((layer.coef.diff(n=2).square().sum()) for layer in network.layers)
    torch.testing.assert_close(forms.value(weights), (0.3 * (hidden + last / 4)).detach())
    torch.testing.assert_close(forms.of(network), forms.value(weights))


def test_added_form_is_the_second_order_model_of_the_value() -> None:
    _, forms, weights = make_forms()
    matrix = torch.zeros(len(weights), len(weights), dtype=torch.float64)
    gradient = torch.zeros_like(weights)
    forms.add(matrix, gradient, weights)
    torch.testing.assert_close(weights @ matrix @ weights, forms.value(weights))
    torch.testing.assert_close(gradient, matrix @ weights)


def test_removed_edges_are_not_smoothed() -> None:
    network, _, weights = make_forms()
    network.layers[0].set_mask(torch.zeros(2, 3, dtype=torch.bool))
    network.layers[1].weight.requires_grad_(False)  # noqa: FBT003 - torch names it so
    forms = smoothness(network, 0.3, 2.0)
    assert forms.value(weights) == 0
    gradient, matrix = torch.zeros_like(weights), torch.zeros(len(weights), len(weights))
    forms.add(matrix.double(), gradient, weights)
    assert not gradient.any()
