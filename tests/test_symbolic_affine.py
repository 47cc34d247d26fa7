import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kanviz.symbolic.affine import fit_affine
from kanviz.symbolic.affine_search import descend, into_domain, project, starting_points
from kanviz.symbolic.functions import BUILT_IN, INFINITY, Function, make_function, traits
from kanviz.symbolic.samples import Subset, prepare_samples

pytestmark = pytest.mark.long

NAMES = list(BUILT_IN)


def make_part(z: Tensor) -> Subset:
    t = torch.linspace(-1, 1, len(z), dtype=torch.float64)
    return Subset(t, z, torch.full_like(z, 1 / len(z)))


def inside(pairs: Tensor, function: Function) -> Tensor:
    scale, shift = pairs.unbind(-1)
    low, high = function.domain
    rounding = 1e-15 * (1 + shift.abs())
    return (shift - scale.abs() >= low - rounding) & (shift + scale.abs() <= high + rounding)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("0", {"scale_free": True, "shift_free": True, "mirror": (0.0, 0.0), "is_flat": True}),
        ("x", {"scale_free": True, "shift_free": True, "mirror": (-1.0, 0.0)}),
        ("x^2", {"scale_free": True, "mirror": (1.0, 0.0)}),
        ("1/x^3", {"scale_free": True, "mirror": (-1.0, 0.0)}),
        ("sqrt", {"scale_free": True}),
        ("log", {"scale_free": True}),
        ("exp", {"shift_free": True}),
        ("sin", {"mirror": (-1.0, 0.0), "is_periodic": True, "is_wave": True}),
        ("tan", {"mirror": (-1.0, 0.0), "is_periodic": True}),
        ("sgn", {"scale_free": True, "mirror": (-1.0, 0.0), "is_flat": True}),
        ("abs", {"scale_free": True, "mirror": (1.0, 0.0)}),
        ("relu", {"scale_free": True}),
        ("sigmoid", {"mirror": (-1.0, 1.0)}),
        ("arccos", {"mirror": (-1.0, round(math.pi, 8))}),
        ("J0", {"mirror": (1.0, 0.0), "is_wave": True}),
        ("softplus", {}),
        ("arccosh", {}),
    ],
)
def test_traits_are_found_by_trying(name: str, wanted: dict[str, object]) -> None:
    found = {key: value for key, value in vars(traits(BUILT_IN[name])).items() if value}
    if "is_periodic" not in wanted:
        found.pop("is_periodic", None)
    assert found == wanted


def test_traits_of_a_users_function_are_found_too() -> None:
    assert traits(make_function("f", "x**7")).scale_free
    assert traits(make_function("f", "2**x")).shift_free
    assert traits(make_function("f", "sin(x) + cos(3*x)")).is_periodic
    assert not traits(make_function("f", "x**2 + x")).scale_free


@pytest.mark.parametrize("name", NAMES)
def test_every_start_keeps_the_singularities_outside_the_data(name: str) -> None:
    function = BUILT_IN[name]
    table, cells = starting_points(function)
    assert len(table) == len(cells)
    assert bool(inside(table, function).all())
    t = torch.linspace(-1, 1, 9, dtype=torch.float64)[1:-1]
    values = function.torch.plain(table[:, :1] * t + table[:, 1:])
    assert bool(values.isfinite().all())


@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=5),
)
def test_pairs_are_moved_into_the_domain(name: str, pairs: list[tuple[float, float]]) -> None:
    function = BUILT_IN[name]
    domains = torch.tensor([function.domain], dtype=torch.float64)
    found = into_domain(torch.tensor([pairs], dtype=torch.float64), domains)[0]
    assert bool(inside(found, function).all())
    again = into_domain(found.unsqueeze(0), domains)[0]
    assert (again - found).abs().max() <= 1e-9 * found.abs().max()


def test_pairs_within_the_domain_stay() -> None:
    domains = torch.tensor([[0.0, INFINITY], [-1.0, 1.0]], dtype=torch.float64)
    pairs = torch.tensor([[[1.0, 3.0]], [[-0.5, 0.2]]], dtype=torch.float64)
    assert (into_domain(pairs, domains) - pairs).abs().max() <= 1e-11


def test_projection_is_the_weighted_least_squares_line() -> None:
    z, f, w = torch.rand(3, 30, dtype=torch.float64)
    w = w / w.sum()
    part = Subset(torch.linspace(-1, 1, 30, dtype=torch.float64), z, w)
    design = torch.stack([f, torch.ones_like(f)], dim=1)
    normal = design.T @ (w.unsqueeze(1) * design)
    c, d = torch.linalg.solve(normal, design.T @ (w * z)).tolist()
    found = project(f, part)
    assert (found.c.item(), found.d.item()) == pytest.approx((c, d))
    assert found.cost.item() == pytest.approx(float(w @ (z - c * f - d) ** 2))


def test_a_constant_or_infinite_function_makes_no_nan() -> None:
    part = make_part(torch.rand(9, dtype=torch.float64))
    assert project(torch.full((9,), 1e9, dtype=torch.float64), part).c.item() == 0
    values = torch.rand(9, dtype=torch.float64)
    values[3] = torch.inf
    assert project(values, part).cost.item() == INFINITY


def test_steps_never_make_a_fit_worse_nor_leave_the_domain() -> None:
    part = make_part(torch.rand(60, dtype=torch.float64))
    functions = BUILT_IN.functions
    pairs = torch.stack([starting_points(f)[0][:1].expand(3, 2) for f in functions])
    _, before = descend(functions, pairs, part, 0)
    after_pairs, after = descend(functions, pairs, part, 6)
    assert bool((after <= before).all())
    for n, function in enumerate(functions):
        assert bool(inside(after_pairs[n], function).all())


@pytest.mark.parametrize("name", ["sin", "tanh", "log", "gaussian", "arcsin", "exp", "x^3"])
def test_steps_reach_the_exact_numbers_from_nearby(name: str) -> None:
    function = BUILT_IN[name]
    scale, shift = (0.6, 0.7) if name == "log" else (0.7, 0.2)
    t = torch.linspace(-1, 1, 100, dtype=torch.float64)
    part = make_part(3 * function.torch.plain(scale * t + shift) + 1)
    start = torch.tensor([[[0.9 * scale, shift + 0.25]]], dtype=torch.float64)
    start = into_domain(start, torch.tensor([function.domain], dtype=torch.float64))
    _, cost = descend([function], start, part, 25)
    assert cost.item() <= 1e-20


CASES = {
    # name: a, b, c, d, and the range of x
    "sin": (31.0, 0.4, 2.5, -7.0, (-0.3, 0.6)),
    "cos": (20.0, 1.0, 1.0, 0.0, (-1, 1)),
    "J0": (20.0, 0.0, 1.0, 0.0, (-1, 1)),
    "exp": (1.7, 0.0, 0.02, 3.0, (-2, 2)),
    "log": (1.0, -3.0, 4.0, 1.0, (3.001, 8)),
    "sqrt": (1.0, 0.0, 2.0, 1.0, (0, 9)),
    "1/x": (1.0, -2.0, 1.5, 1.0, (-4, 1.9)),
    "1/x^2": (1.0, 1.0, 1.5, 1.0, (0.0, 3)),
    "x^1.5": (-1.0, 2.0, 1.0, 0.0, (-2, 2)),
    "tanh": (40.0, -12.0, 3.0, 0.5, (-1, 1)),
    "gaussian": (9.0, 4.0, 1.0, 0.0, (-1, 1)),
    "arctanh": (0.99, 0.0, 1.0, 0.0, (-1, 1)),
    "arcsin": (1.0, 0.0, 1.0, 0.0, (-1, 1)),
    "arccosh": (1.0, 0.0, 1.0, 0.0, (1, 3)),
    "tan": (0.9, 0.6, 1.0, 0.0, (-2, 1)),
    "abs": (1.0, -0.31, -2.0, 1.0, (-1, 1)),
    "relu": (-1.0, 0.21, 2.0, 1.0, (-1, 1)),
    "x^5": (1.0, 0.3, -2.0, 1.0, (-1, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_very_numbers_are_found_in_samples_without_noise(name: str) -> None:
    *numbers, (low, high) = CASES[name]
    a, b, c, d = numbers
    x = torch.linspace(low, high, 400, dtype=torch.float64)
    y = c * BUILT_IN[name].torch(a * x + b) + d
    (fit,) = fit_affine([BUILT_IN[name]], prepare_samples(x, y))
    assert fit.error <= 1e-6
    assert (fit.a, fit.b, fit.c, fit.d) == pytest.approx((a, b, c, d), rel=2e-4, abs=2e-4)


def test_the_error_is_that_on_the_samples_held_out() -> None:
    x = torch.linspace(0, 5, 60, dtype=torch.float64)
    y = torch.sin(x) + 0.3 * torch.rand(60, dtype=torch.float64)
    for fit in fit_affine(BUILT_IN.only(["sin", "x^3", "tanh"]).functions, prepare_samples(x, y)):
        missed = (fit.c * fit.function.torch(fit.a * x + fit.b) + fit.d - y).square()
        spread = y.var(correction=0)
        assert fit.error == pytest.approx(float((missed[1::3].mean() / spread).sqrt()), rel=1e-6)
        assert fit.r2 == pytest.approx(1 - float(missed.mean() / spread), rel=1e-6)


def test_a_jump_is_put_between_the_right_samples() -> None:
    x = torch.linspace(-1, 1, 500, dtype=torch.float64)
    y = 3 * torch.sign(x - 0.1234) - 1
    (fit,) = fit_affine([BUILT_IN["sgn"]], prepare_samples(x, y))
    assert (fit.a, fit.c, fit.d) == pytest.approx((1, 3, -1))
    assert fit.b == pytest.approx(-0.1234, abs=0.005)
    assert fit.error <= 1e-14


def test_the_expression_of_a_fit_computes_the_curve() -> None:
    x = torch.linspace(2, 4, 50, dtype=torch.float64)
    y = 2 * torch.exp(-1.5 * x) + 1
    for fit in fit_affine(BUILT_IN.functions, prepare_samples(x, y)):
        found = make_function("f", fit.expression).torch(x)
        assert float((found - y).square().mean().sqrt() / y.std()) <= 1.2 * fit.error + 1e-8


def test_b_of_a_periodic_function_is_within_half_a_turn() -> None:
    x = torch.linspace(1000, 1001, 100, dtype=torch.float64)
    (fit,) = fit_affine([BUILT_IN["sin"]], prepare_samples(x, torch.sin(9 * x)))
    assert abs(fit.b) <= math.pi
    assert fit.error <= 1e-6
