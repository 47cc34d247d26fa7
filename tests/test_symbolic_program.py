import math
import pickle
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from make_symbolic import expressions, extreme_numbers
from torch import Tensor

from kanviz.symbolic.functions import BUILT_IN
from kanviz.symbolic.language import X
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.program import compile_expressions, curve
from kanviz.symbolic.safe import largest
from kanviz.symbolic.source import python_source


def by_sympy(expression: sympy.Expr, x: float) -> float:
    """Return the value at 25 digits, NaN where it is not real."""
    value = expression.xreplace({X: sympy.Float(x, 40)}).evalf(25)
    return float(value) if value.is_real else math.nan


@given(expressions(6), st.sampled_from([-2.3, -0.61, 0.17, 0.83, 1.9]))
def test_a_program_computes_what_sympy_does(expression: sympy.Expr, x: float) -> None:
    wanted = by_sympy(expression, x)
    if not abs(wanted) < 1e6:
        return
    at = torch.tensor(x, dtype=torch.float64)
    nudged = max(abs(by_sympy(expression, x + step) - wanted) for step in (-1e-9, 1e-9))
    allowed = 1e-6 * nudged + 1e-12 * (1 + abs(wanted)) if math.isfinite(nudged) else 1e-6
    for found in (curve(expression)(at), curve(expression).plain(at)):
        assert found.item() == pytest.approx(wanted, abs=allowed)


@given(expressions(6))
def test_any_formula_and_its_gradient_are_finite_for_every_number(expression: sympy.Expr) -> None:
    for dtype in (torch.float32, torch.float64):
        x = extreme_numbers(dtype)[::3].requires_grad_()
        value = curve(expression)(x)
        (slope,) = torch.autograd.grad(value.sum(), x)
        assert bool(value.isfinite().all())
        assert bool(slope.isfinite().all())
        assert value.dtype == dtype


@pytest.mark.parametrize("power", [1, 3])
def test_large_numbers_in_a_formula_overflow_no_float32(power: int) -> None:
    function = curve(parse("1e60*x**3*exp(x) - 1e60*x"))
    x = torch.tensor([10.0**power, -(10.0**power)])
    assert bool(function(x).isfinite().all())
    assert float(function(x).abs().max()) <= 1.0001 * largest(torch.float32)


def test_products_of_many_large_factors_overflow_no_float32() -> None:
    function = curve(parse("x*exp(x)*cosh(x)*exp(x**2)*sinh(2*x)*(x + 1)"))
    assert bool(function(torch.tensor([200.0, -200.0])).isfinite().all())


def test_softplus_with_a_factor_is_computed_right() -> None:
    x = torch.tensor([-30.0, 0.3, 30.0], dtype=torch.float64)
    found = curve(parse("log(1 + 3*exp(2*x))"))(x)
    assert found.tolist() == pytest.approx(torch.log1p(3 * torch.exp(2 * x)).tolist(), rel=1e-13)


def test_softplus_of_a_large_number_does_not_overflow() -> None:
    function = curve(parse("log(1 + exp(2*x))"))
    x = torch.tensor([400.0, -400.0], dtype=torch.float64)
    assert function(x).tolist() == [800.0, 0.0]


@pytest.mark.parametrize("name", ["sigmoid", "exp", "softplus", "silu"])
@pytest.mark.parametrize("shift", [40.0, 400.0, 4010.0])
def test_a_far_shifted_exponential_is_computed_printed_and_read(name: str, shift: float) -> None:
    shifted = BUILT_IN[name].expression.xreplace({X: 2.0 * X - shift})
    x = shift / 2 + torch.linspace(-3, 3, 7, dtype=torch.float64)
    wanted = pytest.approx(BUILT_IN[name].torch(2 * x - shift).tolist(), rel=1e-11)
    assert curve(shifted)(x).tolist() == wanted
    assert curve(shifted).plain(x).tolist() == wanted
    assert curve(parse(to_text(shifted)))(x).tolist() == wanted
    space: dict[str, Any] = {}
    exec(python_source([shifted], ["x"], ["y"]), space)
    assert space["y"](x.numpy()).tolist() == wanted
    assert curve(shifted)(x.float()).tolist() == pytest.approx(wanted.expected, rel=1e-2)


def test_outside_its_domain_plain_is_nan_and_safe_is_not() -> None:
    function = curve(parse("sqrt(x) + log(x)"))
    x = torch.tensor([-1.0], dtype=torch.float64)
    assert function.plain(x).isnan().all()
    assert function(x).isfinite().all()


@pytest.mark.parametrize(
    "text", ["0", "3", "pi", "sqrt(2)", "2**(x**-0.0)", "exp(sin(x**0.0))", "J2(pi)", "relu(3)"]
)
def test_a_constant_has_the_shape_of_the_input_and_no_slope(text: str, dtype: torch.dtype) -> None:
    x = torch.zeros(2, 3, dtype=dtype, requires_grad=True)
    value = curve(parse(text))(x)
    assert value.shape == (2, 3)
    assert value.dtype == dtype
    known = float(parse(text).subs(sympy.Symbol("x"), 1))
    assert value[1, 2].item() == pytest.approx(known, rel=1e-6)
    assert torch.equal(torch.autograd.grad(value.sum(), x)[0], torch.zeros_like(x))


def test_equal_parts_are_computed_once() -> None:
    program = compile_expressions([parse("sin(x**2) + exp(sin(x**2))"), parse("sin(x**2)")])
    assert sum(step.operation == "sin" for step in program.steps) == 1
    assert sum(step.operation == "power" for step in program.steps) == 1


def test_several_formulas_of_several_variables_come_as_columns() -> None:
    a, b = sympy.symbols("a b")
    program = compile_expressions([a * sympy.sin(b), sympy.Integer(2), b], ["b", "a"])
    x = torch.rand(4, 5, 2, dtype=torch.float64)
    found = program(x)
    assert found.shape == (4, 5, 3)
    assert torch.equal(found[..., 0], x[..., 1] * x[..., 0].sin())
    assert torch.equal(found[..., 1], torch.full((4, 5), 2.0, dtype=torch.float64))
    assert torch.equal(found[..., 2], x[..., 0])


def test_unknown_functions_are_computed_by_what_is_given() -> None:
    expression = 2 * sympy.Function("phi")(X + 1)

    def cube(x: Tensor) -> Tensor:
        return x**3

    program = compile_expressions([expression], functions={"phi": cube})
    assert program(torch.tensor([[2.0]])).item() == 54
    with pytest.raises(ValueError, match=r"be made of known functions; got 'phi\(x \+ 1\)'"):
        compile_expressions([expression])


def test_numpy_takes_any_numbers_and_gives_float64() -> None:
    program = compile_expressions([parse("log(x)"), parse("x**2")])
    found = program.numpy(np.array([[3.0], [-1.0]], dtype=np.float32))
    assert found.dtype == np.float64
    assert found[0].tolist() == pytest.approx([math.log(3), 9])
    assert math.isnan(found[1, 0])


def test_a_program_survives_pickle() -> None:
    program = compile_expressions([parse("sin(x)/(1 + x**2)")])
    x = torch.rand(5, 1)
    assert torch.equal(pickle.loads(pickle.dumps(program))(x), program(x))


def test_nothing_is_computed_on_meta_tensors() -> None:
    function = curve(parse("sin(x) + sqrt(x) + J0(x) + log(1 + exp(x)) + 1/x + arcsin(x)"))
    assert function(torch.empty(3, 2, device="meta")).shape == (3, 2)
