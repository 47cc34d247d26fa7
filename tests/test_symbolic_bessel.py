from functools import partial

import pytest
import scipy.special
import torch
from torch.autograd import gradcheck, gradgradcheck

from kanviz.symbolic.safe import bessel_j

POINTS = torch.cat(
    [
        torch.linspace(-60, 60, 2001, dtype=torch.float64),
        torch.tensor([0.0, 1e-12, 1e-5, -1e-3, 0.1], dtype=torch.float64),
    ]
)


@pytest.mark.parametrize("order", range(9))
def test_values_equal_scipy(order: int) -> None:
    wanted = torch.from_numpy(scipy.special.jv(order, POINTS.numpy()))
    assert float((bessel_j(POINTS, order) - wanted).abs().max()) <= 2e-14


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("derivative", [1, 2, 3])
def test_derivatives_of_any_order_equal_scipy(order: int, derivative: int) -> None:
    x = POINTS.clone().requires_grad_()
    value = bessel_j(x, order)
    for _ in range(derivative):
        (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    wanted = torch.from_numpy(scipy.special.jvp(order, POINTS.numpy(), derivative))
    assert float((value - wanted).detach().abs().max()) <= 1e-13


def test_gradients_pass_gradcheck_twice() -> None:
    x = torch.tensor([-3.0, 0.0, 0.4, 12.0], dtype=torch.float64, requires_grad=True)
    for order in (0, 1, 3):
        assert gradcheck(partial(bessel_j, order=order), (x,), check_forward_ad=True)
        assert gradgradcheck(partial(bessel_j, order=order), (x,))


def test_float32_is_near_float64() -> None:
    for order in (0, 1, 2):
        found = bessel_j(POINTS.float(), order)
        assert found.dtype == torch.float32
        assert float((found - bessel_j(POINTS, order)).abs().max()) <= 5e-6


def test_nothing_is_computed_on_meta_tensors() -> None:
    assert bessel_j(torch.empty(3, device="meta"), 2).shape == (3,)
