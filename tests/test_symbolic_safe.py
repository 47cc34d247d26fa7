import math

import pytest
import torch
from make_symbolic import extreme_numbers, inner_points
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from kanviz.symbolic.functions import BUILT_IN
from kanviz.symbolic.safe import PLAIN, SAFE, largest, nearest, power

EXPONENTS = [1.0, 2.0, 5.0, -1.0, -2.0, -5.0, 0.5, -0.5, 1.5, 2.5, 1 / 3]


def derivatives(name: str, x: Tensor) -> list[Tensor]:
    """Return value, first and second derivative of a library function."""
    x = x.clone().requires_grad_()
    found = [BUILT_IN[name].torch(x)]
    for _ in range(2):
        if found[-1].requires_grad:
            found += torch.autograd.grad(found[-1].sum(), x, create_graph=True)
    return [part.detach() for part in found]


@pytest.mark.parametrize("name", BUILT_IN)
def test_value_and_two_derivatives_are_finite_for_every_number(
    name: str, dtype: torch.dtype
) -> None:
    x = extreme_numbers(dtype)
    for part in derivatives(name, x):
        assert part.dtype == dtype
        assert bool(part.isfinite().all()), x[~part.isfinite()]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_square_of_every_value_is_finite(name: str, dtype: torch.dtype) -> None:
    values = BUILT_IN[name].torch(extreme_numbers(dtype))
    assert float(values.abs().max()) <= 1.0001 * largest(dtype)
    assert bool(values.square().sum().isfinite())


@pytest.mark.parametrize("name", BUILT_IN)
def test_inside_the_domain_the_safe_function_is_the_plain_one(name: str) -> None:
    function = BUILT_IN[name]
    x = inner_points(function)
    safe, plain = function.torch(x), function.torch.plain(x)
    assert float((safe - plain).abs().max()) <= 4e-16 * (1 + float(plain.abs().max()))


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_nan_stays_a_nan_and_hurts_no_other(name: str) -> None:
    x = inner_points(BUILT_IN[name], 3)
    whole = BUILT_IN[name].torch(x)
    x[1] = torch.nan
    hurt = BUILT_IN[name].torch(x)
    assert bool(hurt[1].isnan())
    assert torch.equal(hurt[[0, 2]], whole[[0, 2]])


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"sgn", "abs", "relu"}))
def test_derivatives_pass_gradcheck_twice(name: str) -> None:
    x = inner_points(BUILT_IN[name], 7).requires_grad_()
    assert gradcheck(BUILT_IN[name].torch, (x,))
    assert gradgradcheck(BUILT_IN[name].torch, (x,))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_power_has_no_jump_and_no_kink_where_its_polynomial_begins(
    exponent: float, dtype: torch.dtype
) -> None:
    hole = nearest(dtype, exponent) if exponent < 2 else 1.0
    step = 30 * torch.finfo(dtype).eps
    x = torch.tensor([1 - step, 1 + step, -1 + step, -1 - step], dtype=dtype) * hole
    x = x.requires_grad_()
    value = power(x, exponent)
    (slope,) = torch.autograd.grad(value.sum(), x)
    for part in (value, slope):
        for before, after in part.view(2, 2).tolist():
            assert before == pytest.approx(after, rel=4000 * step)


@pytest.mark.parametrize("exponent", [-1.0, -2.0, 0.5, 1.5])
def test_a_sample_exactly_at_the_singularity_of_a_power_does_no_harm(exponent: float) -> None:
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    value = power(x, exponent)
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert value.item() == 0
    assert slope.item() == 0


@pytest.mark.parametrize("exponent", [-1.0, -3.0, 3.0])
def test_odd_powers_are_exact_on_both_sides_of_0(exponent: float) -> None:
    x = torch.tensor([-2.0, -0.3, 1e-9, 4.0], dtype=torch.float64)
    assert power(x, exponent).tolist() == pytest.approx((x**exponent).tolist(), rel=1e-15)


@pytest.mark.parametrize(("exponent", "x", "wanted"), [(0.5, -4.0, -2.0), (1.5, -4.0, -8.0)])
def test_broken_powers_are_odd(exponent: float, x: float, wanted: float) -> None:
    assert power(torch.tensor(x, dtype=torch.float64), exponent).item() == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["log", "sqrt", "arcsin", "arctanh", "arccosh"])
def test_beyond_its_singularity_a_rising_function_goes_on_rising(name: str) -> None:
    low, high = BUILT_IN[name].domain
    ends = [low] if math.isinf(high) else [low, high]
    steps = torch.tensor([1e-6, 1e-3, 0.1, 1.0, 10.0], dtype=torch.float64)
    for end in ends:
        side = -1 if end == low else 1
        outside = BUILT_IN[name].torch(
            torch.cat([torch.tensor([end - side * 1e-9]), steps * side + end]).double()
        )
        assert bool((outside.diff() * side > 0).all())


def test_safe_and_plain_have_the_same_operations() -> None:
    assert SAFE.keys() == PLAIN.keys()


def test_functions_can_be_vectorised_and_differentiated_forward() -> None:
    x = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    for function in BUILT_IN.functions:
        found = torch.vmap(function.torch)(x)
        assert found.tolist() == pytest.approx(function.torch(x).tolist(), rel=1e-14)
        rows = torch.func.jacrev(function.torch)(x).diagonal()
        ahead = torch.func.jacfwd(function.torch)(x).diagonal()
        assert float((rows - ahead).abs().max()) <= 1e-12 * (1 + float(rows.abs().max()))
