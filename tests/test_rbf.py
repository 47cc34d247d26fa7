import math

import numpy as np
import pytest
import torch
from nn_helpers import make_knots, make_points

from kanviz.nn.basis import RADIAL_FUNCTIONS, differentiate, radial_basis
from kanviz.nn.spec import FunctionSpec

# K(r) and K'(r) for r >= 0, written out by hand.
BY_HAND = {
    "gaussian": (lambda r: math.exp(-r * r), lambda r: -2 * r * math.exp(-r * r)),
    "matern32": (
        lambda r: (1 + math.sqrt(3) * r) * math.exp(-math.sqrt(3) * r),
        lambda r: -3 * r * math.exp(-math.sqrt(3) * r),
    ),
    "matern52": (
        lambda r: (1 + math.sqrt(5) * r + 5 * r * r / 3) * math.exp(-math.sqrt(5) * r),
        lambda r: -5 / 3 * r * (1 + math.sqrt(5) * r) * math.exp(-math.sqrt(5) * r),
    ),
    "multiquadric": (lambda r: math.hypot(1, r), lambda r: r / math.hypot(1, r)),
    "inverse_multiquadric": (lambda r: 1 / math.hypot(1, r), lambda r: -r / math.hypot(1, r) ** 3),
    "inverse_quadratic": (lambda r: 1 / (1 + r * r), lambda r: -2 * r / (1 + r * r) ** 2),
}
SMOOTHNESS = {"matern32": 1, "matern52": 3}
NAMES = sorted(RADIAL_FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("r", [0.0, 0.3, 1.0, 2.5])
def test_functions_and_slopes_equal_the_formula_by_hand(name: str, r: float) -> None:
    value, slope = BY_HAND[name]
    for sign in (1, -1):
        point = torch.tensor(sign * r, dtype=torch.float64)
        assert RADIAL_FUNCTIONS[name][0](point).item() == pytest.approx(value(r), abs=1e-15)
        found = RADIAL_FUNCTIONS[name][1](point).item()
        assert found == pytest.approx(sign * slope(r), abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_basis_is_the_function_of_distance_over_mean_spacing(name: str) -> None:
    centres = torch.tensor([[0.0, 0.5, 2.0], [1.0, 2.0, 3.0]], dtype=torch.float64)
    x = torch.tensor([[0.7, 2.2]], dtype=torch.float64)
    found = radial_basis(x, centres, name)
    value = BY_HAND[name][0]
    assert found[0, 0].tolist() == pytest.approx([value(abs(0.7 - t)) for t in (0.0, 0.5, 2.0)])
    assert found[0, 1].tolist() == pytest.approx([value(abs(2.2 - t)) for t in (1.0, 2.0, 3.0)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("derivative", [1, 2, 3])
def test_derivatives_equal_differences(name: str, derivative: int) -> None:
    if derivative > SMOOTHNESS.get(name, 9):
        return
    spec = FunctionSpec(6, basis=name)  # type: ignore[arg-type]
    centres = make_knots(2, spec)
    x, step = make_points(centres, spec, 20), 1e-5
    above = radial_basis(x + step, centres, name, derivative=derivative - 1)
    below = radial_basis(x - step, centres, name, derivative=derivative - 1)
    found = radial_basis(x, centres, name, derivative=derivative)
    scale = found.abs().max()
    assert (found - (above - below) / (2 * step)).abs().max() <= 1e-5 * scale


@pytest.mark.parametrize(("name", "curvature"), [("matern32", -3.0), ("matern52", -5 / 3)])
def test_curvature_at_a_centre_is_the_limit(name: str, curvature: float) -> None:
    at_centre = torch.zeros(1, dtype=torch.float64)
    found = differentiate(RADIAL_FUNCTIONS[name][1], at_centre, 1).item()
    assert found == pytest.approx(curvature)


@pytest.mark.parametrize("name", NAMES)
def test_autograd_equals_the_derivative(name: str) -> None:
    spec = FunctionSpec(6, basis=name)  # type: ignore[arg-type]
    centres = make_knots(1, spec)
    x = make_points(centres, spec, 20).requires_grad_()
    value = radial_basis(x, centres, name).sum()
    for derivative in (1, 2):
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
        wanted = radial_basis(x, centres, name, derivative=derivative).sum(-1)
        assert (slope - wanted).abs().max() <= 1e-11 * wanted.abs().max()
        value = slope.sum()


def test_a_derivative_keeps_a_graph_only_when_asked() -> None:
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    assert not differentiate(torch.exp, x, 2).requires_grad
    assert differentiate(torch.exp, x.requires_grad_(), 2).requires_grad
    with torch.no_grad():
        assert not differentiate(torch.exp, x, 2).requires_grad


def test_derivatives_of_a_polynomial_end_at_zero() -> None:
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    orders = [differentiate(lambda z: z**3, x, order).numpy() for order in range(5)]
    wanted = [x**3, 3 * x**2, 6 * x, torch.full_like(x, 6.0), torch.zeros_like(x)]
    for found, right in zip(orders, wanted, strict=True):
        np.testing.assert_allclose(found, right.numpy(), atol=1e-15)
