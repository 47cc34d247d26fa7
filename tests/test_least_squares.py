from itertools import product

import pytest
import torch
from nn_helpers import SPLINE, make_generator, make_knots, make_points

from kanviz.nn.features import basis
from kanviz.nn.regrid import fit_coefficients
from kanviz.nn.spec import FunctionSpec

SPECS = [
    FunctionSpec(size, order, uniform=uniform)
    for size, order, uniform in product((1, 5, 40), (0, 1, 3, 5), (True, False))
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_fitting_what_was_evaluated_gives_the_coefficients_back(spec: FunctionSpec) -> None:
    knots = make_knots(3, spec)
    x = make_points(knots, spec, 40 * spec.n_basis)
    coef = torch.randn(3, spec.n_basis, 2, generator=make_generator(), dtype=torch.float64)
    curves = torch.einsum("sim,imo->sio", basis(x, knots, spec), coef)
    found, error = fit_coefficients(x, curves, knots, spec)
    assert (found - coef).abs().max() <= 1e-7
    assert error.max() <= 1e-10


def test_the_error_is_the_root_mean_square_of_what_is_left() -> None:
    knots = make_knots(1, SPLINE)
    x = make_points(knots, SPLINE, 500)
    curves = torch.stack([(9 * x).sin(), x], dim=-1)
    coef, error = fit_coefficients(x, curves, knots, SPLINE)
    left = torch.einsum("sim,imo->sio", basis(x, knots, SPLINE), coef) - curves
    assert error.shape == (1, 2)
    assert error.flatten().tolist() == pytest.approx(
        left.square().mean(0).sqrt().flatten().tolist()
    )
    assert error[0, 0] > 1e-2
    assert error[0, 1] <= 1e-12


def test_no_other_coefficients_leave_less() -> None:
    knots = make_knots(1, SPLINE)
    x = make_points(knots, SPLINE, 200)
    curves = (9 * x).sin().unsqueeze(-1)
    coef, error = fit_coefficients(x, curves, knots, SPLINE)
    for m in range(SPLINE.n_basis):
        moved = coef.clone()
        moved[0, m, 0] += 1e-3
        left = torch.einsum("sim,imo->sio", basis(x, knots, SPLINE), moved) - curves
        assert left.square().mean().sqrt() > error[0, 0]


@pytest.mark.parametrize("basis_name", ["bspline", "gaussian", "multiquadric"])
def test_functions_that_no_sample_reaches_stay_small(basis_name: str) -> None:
    spec = FunctionSpec(20, basis=basis_name)  # type: ignore[arg-type]
    knots = make_knots(1, spec)
    low, high = knots[0, spec.padding], knots[0, spec.padding + 20]
    x = torch.lerp(low, (low + high) / 2, torch.linspace(0, 1, 30, dtype=torch.float64))
    curves = x.sin().reshape(-1, 1, 1)
    coef, error = fit_coefficients(x.unsqueeze(-1), curves, knots, spec)
    assert coef.isfinite().all()
    assert error.max() <= 1e-4
    if spec.is_spline:
        assert coef.abs().max() <= 10


def test_float32_curves_are_fitted_in_float64() -> None:
    knots = make_knots(2, SPLINE)
    x = make_points(knots, SPLINE, 300)
    curves = x.sin().unsqueeze(-1)
    wanted, _ = fit_coefficients(x, curves, knots, SPLINE)
    found, error = fit_coefficients(x.float(), curves.float(), knots.float(), SPLINE)
    assert found.dtype == error.dtype == torch.float32
    assert (found - wanted).abs().max() <= 1e-5
