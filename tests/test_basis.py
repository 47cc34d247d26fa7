from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nn_helpers import make_knots, make_points
from scipy.interpolate import BSpline
from torch import Tensor

from kanviz.nn.basis import active_basis, find_interval, greville_points, scatter_rows
from kanviz.nn.spec import FunctionSpec

ORDERS = range(6)
FAMILIES = list(product((1, 2, 3, 5, 12), ORDERS, (True, False)))
SPECS = [FunctionSpec(size, order, uniform=uniform) for size, order, uniform in FAMILIES]
specs = st.sampled_from(SPECS)


def all_basis(x: Tensor, knots: Tensor, spec: FunctionSpec, derivative: int = 0) -> Tensor:
    """Return (samples, inputs, n_basis) values of every basis function."""
    k, orders = spec.spline_order, (derivative,)
    first, (values,) = active_basis(x, knots, k, uniform=spec.uniform, derivatives=orders)
    return scatter_rows(first, values, spec.n_basis)


def scipy_basis(x: Tensor, knots: Tensor, spec: FunctionSpec, derivative: int = 0) -> Tensor:
    columns = []
    for t, points in zip(knots.numpy(), x.T.numpy(), strict=True):
        splines = BSpline(t, np.eye(spec.n_basis), spec.spline_order)
        columns.append(torch.as_tensor(splines(points, nu=derivative)))
    return torch.stack(columns, dim=1)


@given(specs, st.integers(0, 1000))
def test_splines_equal_scipy(spec: FunctionSpec, seed: int) -> None:
    knots = make_knots(2, spec, seed)
    x = make_points(knots, spec, 40, seed=seed)
    difference = all_basis(x, knots, spec) - scipy_basis(x, knots, spec)
    assert difference.abs().max() <= 1e-12


@given(specs, st.integers(0, 1000), st.integers(1, 6))
def test_derivatives_equal_scipy(spec: FunctionSpec, seed: int, derivative: int) -> None:
    knots = make_knots(2, spec, seed)
    x = make_points(knots, spec, 40, seed=seed)
    found = all_basis(x, knots, spec, derivative)
    if derivative > spec.spline_order:
        assert found.count_nonzero() == 0
        return
    wanted = scipy_basis(x, knots, spec, derivative)
    assert (found - wanted).abs().max() <= 1e-9 * wanted.abs().max()


@given(specs, st.integers(0, 1000))
def test_basis_functions_sum_to_one(spec: FunctionSpec, seed: int) -> None:
    knots = make_knots(2, spec, seed)
    total = all_basis(make_points(knots, spec, 40), knots, spec).sum(-1)
    assert (total - 1).abs().max() <= 1e-13


@given(st.sampled_from([spec for spec in SPECS if spec.spline_order]), st.integers(0, 1000))
def test_greville_coefficients_give_the_identity(spec: FunctionSpec, seed: int) -> None:
    knots = make_knots(2, spec, seed)
    x = make_points(knots, spec, 40)
    coef = greville_points(knots, spec.spline_order)
    spline = torch.einsum("sim,im->si", all_basis(x, knots, spec), coef)
    assert (spline - x).abs().max() <= 1e-12


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_autograd_of_any_order_equals_the_derivative(order: int, *, uniform: bool) -> None:
    spec = FunctionSpec(5, order, uniform=uniform)
    knots = make_knots(1, spec)
    x = make_points(knots, spec, 30).requires_grad_()
    factors = torch.arange(1.0, spec.n_basis + 1, dtype=torch.float64).sin()
    value = (all_basis(x, knots, spec) @ factors).sum()
    for derivative in range(1, order + 2):
        if not value.requires_grad:
            break  # no x is left in it: a constant
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
        wanted = all_basis(x, knots, spec, derivative) @ factors
        assert (slope - wanted).abs().max() <= 1e-9 * (1 + wanted.abs().max())
        value = slope.sum()


@pytest.mark.parametrize("uniform", [True, False])
def test_the_last_interval_is_closed(*, uniform: bool) -> None:
    spec = FunctionSpec(4, 3, uniform=uniform)
    knots = make_knots(1, spec)
    ends = knots[:, [3, 7]].T
    first, (values,) = active_basis(ends, knots, 3, uniform=uniform)
    assert first.flatten().tolist() == [0, 3]
    assert values.sum(-1).flatten().tolist() == pytest.approx([1.0, 1.0], abs=1e-14)


def test_an_interior_knot_belongs_to_the_interval_at_its_right() -> None:
    knots = torch.arange(-2.0, 7.0, dtype=torch.float64).unsqueeze(0)  # base interval 0 .. 4
    x = torch.tensor([[0.0], [1.0], [1.5], [4.0]], dtype=torch.float64)
    assert find_interval(x, knots, 2).flatten().tolist() == [0, 1, 1, 3]


def test_leading_axes_are_kept() -> None:
    spec = FunctionSpec(5, 3)
    knots = make_knots(2, spec)
    x = make_points(knots, spec, 12)
    flat = all_basis(x, knots, spec)
    assert torch.equal(all_basis(x.reshape(3, 4, 2), knots, spec), flat.reshape(3, 4, 2, 8))
    assert all_basis(x[:0], knots, spec).shape == (0, 2, 8)


def test_a_nan_stays_in_its_sample() -> None:
    for uniform in (True, False):
        spec = FunctionSpec(5, 3, uniform=uniform)
        knots = make_knots(1, spec)
        x = make_points(knots, spec, 3)
        x[1] = torch.nan
        assert all_basis(x, knots, spec).isfinite().all(-1).flatten().tolist() == [
            True,
            False,
            True,
        ]
