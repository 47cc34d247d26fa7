"""Derivatives of networks equal closed forms, finite differences and torch's own."""

from collections.abc import Callable

import pytest
import torch
from model_helpers import make_model, make_network, make_sample
from torch import Tensor
from torch.func import jacrev

from kanviz.nn import gradient, hessian, laplacian, pointwise


def wave(x: Tensor) -> Tensor:
    """Map (..., 2) to (..., 2)."""
    first, second = x[..., 0], x[..., 1]
    return torch.stack([torch.sin(2 * first) * second**2, torch.exp(first) + second**3], dim=-1)


def test_derivatives_are_those_of_closed_forms() -> None:
    x = make_sample(samples=20)
    a, b = x.unbind(1)
    zero = torch.zeros_like(a)
    slopes = [
        torch.stack([2 * torch.cos(2 * a) * b**2, torch.sin(2 * a) * 2 * b], 1),
        torch.stack([torch.exp(a), 3 * b**2], 1),
    ]
    mixed = 4 * torch.cos(2 * a) * b
    bends = [
        torch.stack([-4 * torch.sin(2 * a) * b**2, mixed, mixed, 2 * torch.sin(2 * a)], 1),
        torch.stack([torch.exp(a), zero, zero, 6 * b], 1),
    ]
    wanted = torch.stack(bends, 1).view(20, 2, 2, 2)
    assert torch.allclose(gradient(wave, x), torch.stack(slopes, 1), rtol=0, atol=1e-13)
    assert torch.allclose(hessian(wave, x), wanted, rtol=0, atol=1e-13)
    trace = wanted[..., 0, 0] + wanted[..., 1, 1]
    assert torch.allclose(laplacian(wave, x), trace, rtol=0, atol=1e-13)


@pytest.mark.parametrize("spline_order", [3, 5])
def test_derivatives_of_a_network_are_those_through_the_kernels(spline_order: int) -> None:
    network = make_network((2, 3, 1), spline_order=spline_order)
    points = make_sample(samples=50).requires_grad_()
    (slopes,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
    rows = [torch.autograd.grad(slopes[:, i].sum(), points, retain_graph=True)[0] for i in (0, 1)]
    x = points.detach()
    assert torch.allclose(gradient(network, x)[:, 0], slopes, rtol=0, atol=1e-12)
    assert torch.allclose(hessian(network, x)[:, 0], torch.stack(rows, 1), rtol=0, atol=1e-11)


def test_a_model_and_an_operator_of_ones_own_are_taken() -> None:
    model, x = make_model(spline_order=4), make_sample(samples=10) / 2

    def third(u: Callable[[Tensor], Tensor], point: Tensor) -> Tensor:
        slopes: Tensor = jacrev(jacrev(jacrev(u)))(point)
        return slopes[0, 0, 0, 0]

    step = torch.tensor([[1e-4, 0.0]], dtype=torch.float64)
    apart = (hessian(model, x + step) - hessian(model, x - step))[:, 0, 0, 0] / 2e-4
    assert torch.allclose(pointwise(third, model, x), apart, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        assert not laplacian(model, x).requires_grad
