"""Equations are solved to the accuracy of the splines; a solve is a step of the history."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_helpers import bytes_of, check_the_way_back_and_forth, run_script
from torch import Tensor, nn

from kanviz.model import KAN
from kanviz.nn import gradient, laplacian, pointwise
from kanviz.nn.calculus import Unknown
from kanviz.training import FitOptions, FitReport
from kanviz.training.solve import Equation, prepare_equation

pytestmark = pytest.mark.long

T = torch.linspace(0, 2, 60, dtype=torch.float64).unsqueeze(1)
FEW = T[3::10]


def oscillator(u: Unknown) -> list[Tensor]:
    """u'' = -4 u with u(0) = 0, u'(0) = 2: sin(2 t)."""
    return [laplacian(u, T) + 4 * u(T), 10 * u(T[:1]), 10 * (gradient(u, T[:1]) - 2)]


def logistic(u: Unknown) -> list[Tensor]:
    """u' = u (1 - u) with u(0) = 1/2: 1 / (1 + exp(-t))."""
    return [gradient(u, T)[:, 0] - u(T) * (1 - u(T)), 10 * (u(T[:1]) - 0.5)]


def make_line(**options: Any) -> KAN:
    return KAN([1, 1], **{"grid_range": (0.0, 2.0), "dtype": torch.float64, **options})


def quickly(model: KAN, residuals: Any = oscillator, **options: Any) -> FitReport:
    report: FitReport = model.solve(residuals, progress=False, **options)
    return report


def test_one_layer_solves_a_linear_equation_and_a_nonlinear_one() -> None:
    model = make_line(spline_order=5)
    report = quickly(model, grids=[5, 10])
    assert report.loss < 1e-7
    assert torch.allclose(model(T), torch.sin(2 * T), rtol=0, atol=1e-5)
    other = make_line(spline_order=5)
    quickly(other, logistic, grids=[10])
    assert torch.allclose(other(T), torch.sigmoid(T), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("spline_order", "slope"), [(3, -2), (4, -3), (5, -4)])
def test_residuals_fall_with_the_grid_as_the_second_derivative_of_splines(
    spline_order: int, slope: int
) -> None:
    losses = []
    for grid_size in (8, 16):
        model = make_line(spline_order=spline_order, base="zero", grid_size=grid_size)
        losses.append(quickly(model, smoothing=0.0, update_grid=False).loss)
    assert math.log2(losses[1] / losses[0]) / 2 == pytest.approx(slope, abs=0.4)


def test_formulas_in_the_network_learn_their_numbers_from_the_equation() -> None:
    model = KAN([1, 1], dtype=torch.float64)
    model.fix((0, 0, 0), "sin", affine=(1.8, 0.1, 1.2, 0.1))
    quickly(model, steps=15)
    assert torch.allclose(model(T), torch.sin(2 * T), rtol=0, atol=1e-9)


def test_poisson_in_two_dimensions_in_the_precision_of_float32_models() -> None:
    generator = torch.Generator().manual_seed(0)
    inside = 2 * torch.rand(300, 2, generator=generator, dtype=torch.float64) - 1
    side = torch.linspace(-1, 1, 20, dtype=torch.float64)
    one = torch.ones_like(side)
    pairs = ((side, one), (side, -one), (one, side), (-one, side))
    edge = torch.cat([torch.stack(pair, 1) for pair in pairs])

    def exact(x: Tensor) -> Tensor:
        return (torch.sin(math.pi * x[:, :1])) * torch.sin(math.pi * x[:, 1:])

    def poisson(u: Unknown) -> list[Tensor]:
        return [laplacian(u, inside) + 2 * math.pi**2 * exact(inside), 30 * u(edge)]

    model = KAN([2, 5, 1], spline_order=5)
    quickly(model, poisson, starts=1, steps=40)
    x = 2 * torch.rand(200, 2, generator=generator) - 1
    assert model(x).dtype == torch.float32
    assert float((model(x) - exact(x)).detach().square().mean().sqrt()) < 5e-3


def test_a_solve_is_one_step_that_undo_takes_back_and_the_script_repeats() -> None:
    model = make_line()
    line = [bytes_of(model)]
    quickly(model, steps=5)
    line.append(bytes_of(model))
    quickly(model, logistic, steps=3)
    line.append(bytes_of(model))
    assert len({str(state) for state in line}) == 3
    check_the_way_back_and_forth(model, line)
    assert all(text.startswith("trained on an equation with lm: ") for text in model.steps)
    assert "model.solve(oscillator, steps=5, progress=False)" in model.script()
    again = run_script(model, oscillator=oscillator, logistic=logistic)
    assert bytes_of(again) == line[-1]


def test_nameless_equations_are_told_apart_in_the_script() -> None:
    model = make_line()
    for goal in (0.0, 1.0, 0.0):
        quickly(model, lambda u, goal=goal: u(T) - goal, steps=1)
    lines = model.script().splitlines()[-3:]
    names = [line.split("(")[1].split(",")[0] for line in lines]
    assert names == ["residuals", "residuals_2", "residuals"]


def test_points_of_the_equation_are_what_the_model_has_seen() -> None:
    model = KAN([1, 2, 1], dtype=torch.float64)
    quickly(model, steps=2, starts=1)
    curve = model.snapshot().edges[0].curve_x
    assert (curve[0], curve[-1]) == pytest.approx((0.0, 2.0))


def test_ctrl_c_keeps_the_best_and_an_error_keeps_nothing() -> None:
    def interrupt(progress: Any) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    model = make_line()
    report = quickly(model, callbacks=[interrupt])
    assert (report.stopped, report.n_steps, len(model.steps)) == ("interrupted", 3, 1)
    assert "# was interrupted" in model.script()
    before = bytes_of(model)

    def fail(_: Unknown) -> Tensor:
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        quickly(model, fail)
    assert bytes_of(model) == before
    assert len(model.steps) == 1


def test_in_the_background_it_can_be_stopped_and_edited() -> None:
    model = KAN([1, 3, 1], dtype=torch.float64, grid_range=(0.0, 2.0))
    running = model.solve(oscillator, background=True, progress=False, steps=30, starts=1)
    model.remove_edge((0, 0, 1))
    running.set(steps=30, smoothing=1e-9)
    with pytest.raises(ValueError, match="optimizer must be left out because an equation"):
        running.set(optimizer="adam")
    report = running.wait(60)
    assert report.loss < 1e-3
    assert "removed edge (0, 0, 1)" in model.steps
    assert not bool(model.network.layers[0].mask[0, 1])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"steps": 0}, "steps must be an integer of at least 1; got 0"),
        ({"grids": [5, 3]}, "grids must be increasing"),
        ({"smoothing": -1.0}, "smoothing must be at least 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], text: str) -> None:
    model = make_line()
    before = bytes_of(model)
    with pytest.raises(ValueError, match=text):
        quickly(model, **options)
    assert bytes_of(model) == before


@pytest.mark.parametrize(("order", "derivatives"), [(0, 1), (1, 2), (2, 3)])
def test_splines_without_the_derivatives_of_an_equation_are_refused(
    order: int, derivatives: int
) -> None:
    x = torch.linspace(0, 3, 30, dtype=torch.float64).unsqueeze(1)

    def slope(u: Any, z: Tensor) -> Tensor:
        for _ in range(derivatives):
            u = torch.func.jacrev(u)
        value: Tensor = u(z).reshape(1)
        return value

    model = KAN([1, 1], spline_order=order, dtype=torch.float64)
    wanted = rf"derivatives of u up to order {derivatives}, which splines of order {order}"
    with pytest.raises(ValueError, match=wanted):
        model.solve(lambda u: [u(x) * (pointwise(slope, u, x) - u(x)), u(x[:1]) - 1])


def derivative(order: int) -> Callable[[Unknown], Tensor]:
    """Return what asks u for its derivative of an order, in one of several ways."""
    if order == 0:
        return lambda u: u(FEW)
    if order == 1:
        return lambda u: gradient(u, FEW)[:, 0]

    def along(u: Any, z: Tensor) -> Tensor:
        for _ in range(order):
            u = torch.func.jacrev(u)
        value: Tensor = u(z).reshape(1)
        return value

    return lambda u: pointwise(along, u, FEW)


@settings(max_examples=5)
@given(st.integers(0, 4), st.lists(st.integers(0, 3), min_size=1, max_size=3), st.booleans())
def test_an_equation_is_taken_if_and_only_if_splines_have_its_derivatives(
    order: int,
    asked: list[int],
    is_product: bool,  # noqa: FBT001 - drawn
) -> None:
    parts = [derivative(one) for one in asked]

    def residuals(u: Unknown) -> list[Tensor]:
        found = [part(u) for part in parts]
        total: Tensor = math.prod(found) if is_product else sum(found)  # type: ignore[assignment]
        return [total - 1, u(FEW[:1]) - 1]

    model, wanted = make_line(spline_order=order, grid_size=3), max(asked)
    if wanted <= order:
        assert len(prepare_equation(model.network, Equation(residuals), FitOptions()).x)
        return
    with pytest.raises(ValueError, match=f"order {wanted}, .* of order {order} do not have"):
        quickly(model, residuals)


def by_autograd(u: Any) -> Tensor:
    return torch.autograd.grad(u(T).sum(), T)[0]


def by_backward(u: Any) -> Tensor:
    u(T).sum().backward()
    return T


def by_autograd_at_a_leaf(u: Any) -> Tensor:
    leaf = T.clone().requires_grad_()
    return torch.autograd.grad(u(leaf).sum(), leaf)[0]


def by_autograd_of_a_detached_leaf(u: Any) -> Tensor:
    leaf = T.clone().requires_grad_()
    return torch.autograd.grad(u(leaf.detach()).sum(), leaf)[0]


def by_autograd_if_used(u: Any) -> Tensor:
    return torch.autograd.grad(u(T).sum(), T, allow_unused=True)[0]


def by_jacrev(u: Any) -> Any:
    return torch.func.jacrev(u)(T)


def by_jvp(u: Any) -> Any:
    return torch.func.jvp(u, (T,), (torch.ones_like(T),))[1]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "residuals",
    [
        by_autograd,
        by_backward,
        by_autograd_at_a_leaf,
        by_autograd_of_a_detached_leaf,
        by_autograd_if_used,
        by_jacrev,
        by_jvp,
    ],
)
def test_derivatives_by_autograd_in_residuals_are_one_sentence(residuals: Any) -> None:
    with pytest.raises(ValueError, match=r"gradient, hessian, laplacian (and|or) pointwise of kan"):
        KAN([1, 1]).solve(residuals, steps=1, progress=False)


def test_residuals_that_are_complex_or_unfit_to_train_are_one_sentence() -> None:
    x = torch.linspace(0, 3, 30, dtype=torch.float64).unsqueeze(1)
    rate = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
    model = KAN([1, 1], dtype=torch.float64)
    square, many = rate**2, nn.Parameter(torch.ones(30, 1, 3))

    def refused(residuals: Any, wanted: str) -> None:
        before = bytes_of(model)
        with pytest.raises(ValueError, match=wanted):
            quickly(model, residuals)
        assert bytes_of(model) == before
        assert rate.item() == 0.5

    with pytest.raises(TypeError, match="residuals must be real; got complex numbers"):
        model.solve(lambda u: [gradient(u, x) * 1j, u(x)])
    phase = nn.Parameter(torch.tensor(1.0 + 0j))
    with pytest.raises(TypeError, match="coefficients of an equation must be real; got complex"):
        model.solve(lambda u: [(phase * u(x)).real - 1])
    refused(lambda u: gradient(u, x)[:, 0] + square * u(x), "at each call; got a tensor that")
    refused(lambda u: gradient(u, x)[:, 0] + many.mean() * u(x), r"at most 50 numbers.*got 90")
    refused(lambda u: gradient(u, rate * x)[:, 0] + u(x), "x must not require a gradient")
    refused(lambda u: gradient(u, x)[:, 0] + model(x), "must ask u.*got the model itself")


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_unknown_coefficients_are_found_in_any_unit(unit: float, dtype: torch.dtype) -> None:
    # u'' = -d u' - k u of a damped oscillator that was measured: both are linear in the residual.
    t = torch.linspace(0, 3, 40, dtype=torch.float64).unsqueeze(1)
    seen = torch.exp(-0.4 * t) * torch.cos(2 * t)
    damping, stiffness = (nn.Parameter(torch.tensor(n, dtype=dtype)) for n in (0.0, unit))

    def oscillating(u: Unknown) -> list[Tensor]:
        force = damping * gradient(u, t)[:, 0] + stiffness / unit * u(t)
        return [0.1 * (laplacian(u, t) + force), u(t) - seen]

    model = make_line(spline_order=5, grid_size=12, grid_range=(0.0, 3.0))
    report = quickly(model, oscillating, steps=30)
    assert report.loss < 1e-8
    assert damping.item() == pytest.approx(0.8, rel=1e-2)
    assert stiffness.item() / unit == pytest.approx(4.16, rel=1e-3)
    assert torch.allclose(model(t), seen, rtol=0, atol=1e-3)
    assert damping.grad is None


def test_a_coefficient_may_stand_anywhere_in_the_equation_and_a_failed_solve_keeps_it() -> None:
    seen, rate = torch.exp(-1.7 * T), nn.Parameter(torch.tensor([0.0], dtype=torch.float64))

    def decaying(u: Unknown) -> list[Tensor]:
        return [gradient(u, T)[:, 0] + torch.exp(rate) * u(T), u(T) - seen]

    model = make_line(spline_order=4, grid_size=10)
    quickly(model, decaying, background=True).wait()  # type: ignore[attr-defined]
    assert rate.exp().item() == pytest.approx(1.7, rel=1e-4)
    found = rate.detach().clone()

    def failing(progress: Any) -> None:
        assert torch.equal(rate, found)
        raise ArithmeticError("broken")

    with pytest.raises(ArithmeticError, match="broken"):
        quickly(make_line(grid_size=3), decaying, callbacks=[failing])
    assert torch.equal(rate, found)
    idle = nn.Parameter(torch.tensor(3.0, dtype=torch.float64))
    quickly(make_line(), lambda u: [gradient(u, T)[:, 0] + u(T), u(T[:1]) - 1 + 0 * idle])
    assert idle.item() == 3.0


def test_solve_takes_no_options_of_other_optimizers() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'optimizer'"):
        quickly(make_line(), optimizer="adam")


def test_global_randomness_is_untouched_and_the_same_seed_gives_the_same(unchecked: None) -> None:
    state = torch.get_rng_state()
    models = [KAN([1, 2, 1], dtype=torch.float64) for _ in range(2)]
    for model in models:
        quickly(model, steps=4)
    assert torch.equal(torch.get_rng_state(), state)
    assert bytes_of(models[0]) == bytes_of(models[1])
