import copy
import math
import pickle

import pytest
import sympy
import torch
from make_symbolic import inner_points

from kanviz.symbolic.functions import (
    BUILT_IN,
    Function,
    Library,
    Registry,
    default_library,
    make_function,
)
from kanviz.symbolic.language import X

# pykan 0.2.8 has these; it calls the constant "0" too.
PYKAN_NAMES = [
    "x",
    "x^2",
    "x^3",
    "x^4",
    "x^5",
    "1/x",
    "1/x^2",
    "1/x^3",
    "1/x^4",
    "1/x^5",
    "sqrt",
    "x^1.5",
    "1/sqrt(x)",
    "exp",
    "log",
    "abs",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sgn",
    "arcsin",
    "arccos",
    "arctan",
    "arctanh",
    "0",
    "gaussian",
]


def by_sympy(expression: sympy.Expr, x: float) -> float:
    return float(expression.xreplace({X: sympy.Float(x, 40)}).evalf(25))


def test_the_library_has_forty_functions_and_all_of_pykan() -> None:
    assert len(BUILT_IN) == 40
    assert set(PYKAN_NAMES) <= set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_values_equal_sympy_at_25_digits(name: str) -> None:
    function = BUILT_IN[name]
    for x in inner_points(function, 13).tolist():
        found = function.torch(torch.tensor(x, dtype=torch.float64)).item()
        assert found == pytest.approx(by_sympy(function.expression, x), rel=1e-14, abs=2e-15)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"sgn", "abs", "relu", "0", "x"}))
def test_two_derivatives_equal_those_of_sympy(name: str) -> None:
    function = BUILT_IN[name]
    x = inner_points(function, 9).requires_grad_()
    value = function.torch(x)
    for order in (1, 2):
        (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        derivative = sympy.diff(function.expression, X, order)
        for point, found in zip(x.tolist(), value.tolist(), strict=True):
            wanted = by_sympy(derivative, point)
            assert found == pytest.approx(wanted, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize(
    ("name", "slope"), [("abs", [-1, 0, 1]), ("relu", [0, 0, 1]), ("sgn", [0, 0, 0])]
)
def test_functions_with_a_corner_have_the_slope_of_each_side(name: str, slope: list[int]) -> None:
    x = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(BUILT_IN[name].torch(x).sum(), x)
    assert found.tolist() == slope


@pytest.mark.parametrize("function", BUILT_IN.functions, ids=lambda function: function.name)
def test_a_function_survives_pickle_dict_and_copy(function: Function) -> None:
    x = inner_points(function)
    for twin in (
        pickle.loads(pickle.dumps(function)),
        Function.from_dict(function.to_dict()),
        copy.deepcopy(function),
    ):
        assert twin == function
        assert torch.equal(twin.torch(x), function.torch(x))


@pytest.mark.parametrize("function", BUILT_IN.functions, ids=lambda function: function.name)
def test_singularities_are_where_value_or_slope_has_no_end(function: Function) -> None:
    for end in function.singularities:
        inward = 1 if end == function.domain[0] else -1
        x = torch.tensor([end + inward * 1e-8], dtype=torch.float64, requires_grad=True)
        value = function.torch.plain(x)
        slope = torch.autograd.grad(value.sum(), x, create_graph=True)[0]
        curvature = torch.autograd.grad(slope.sum(), x)[0]
        assert max(part.abs().item() for part in (value, slope, curvature)) > 1e3


def test_a_function_says_its_name_formula_and_domain() -> None:
    function = BUILT_IN["arcsin"]
    assert (function.name, function.text, function.complexity) == ("arcsin", "arcsin(x)", 4)
    assert function.singularities == (-1.0, 1.0)
    assert BUILT_IN["sin"].singularities == ()


def test_a_library_is_never_changed_in_place() -> None:
    hill = make_function("hill", "x**2/(1 + x**2)")
    larger = BUILT_IN.with_function(hill)
    assert "hill" not in BUILT_IN
    assert larger["hill"] is hill
    assert list(larger) == [*BUILT_IN, "hill"]
    other = make_function("hill", "x/(1 + x)")
    assert len(larger.with_function(other)) == len(larger)
    assert larger.with_function(other)["hill"] is other


def test_only_keeps_the_named_functions_in_order() -> None:
    assert list(BUILT_IN.only(["sin", "x", "sin"])) == ["sin", "x"]


def test_an_unknown_function_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"No function of the library is called 'sine'.*'sin'"):
        BUILT_IN["sine"]


def test_what_is_registered_is_there_for_all_and_the_built_in_ones_stay() -> None:
    registry = Registry(BUILT_IN)
    before = registry.library
    function = registry.register("hill", "x**2/(1 + x**2)", complexity=5, domain=(-4, 4))
    assert registry.library["hill"] is function
    assert "hill" not in before
    again = registry.register("twice", "2*hill(x) + sin(x)")
    assert again.expression == 2 * X**2 / (1 + X**2) + sympy.sin(X)
    assert (function.complexity, function.domain) == (5, (-4, 4))


def test_a_registered_sympy_expression_differentiates_prints_and_saves() -> None:
    t = sympy.Symbol("t")
    function = make_function("bump", sympy.exp(-(t**4)) * sympy.cos(3 * t))
    x = torch.tensor([-0.7, 0.0, 1.1], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(function.torch(x).sum(), x)
    for point, found in zip(x.tolist(), slope.tolist(), strict=True):
        wanted = by_sympy(sympy.diff(function.expression, X), point)
        assert found == pytest.approx(wanted, rel=1e-13, abs=1e-15)
    assert function.text == "exp(-x**4)*cos(3*x)"
    assert Function.from_dict(function.to_dict()) == function


def test_the_default_library_begins_with_the_built_in_functions() -> None:
    assert list(default_library())[: len(BUILT_IN)] == list(BUILT_IN)


def test_a_loaded_function_is_parsed_and_never_run() -> None:
    values = BUILT_IN["sin"].to_dict() | {"formula": "__import__('os').getcwd()"}
    with pytest.raises(ValueError, match="formula must have only numbers"):
        Function.from_dict(values)


@pytest.mark.usefixtures("unchecked")
def test_bad_functions_are_refused() -> None:
    x, y = sympy.symbols("x y")
    with pytest.raises(ValueError, match="name must be one line of 1 to 60 characters; got ''"):
        make_function("", "x")
    with pytest.raises(ValueError, match="name must be one line"):
        make_function("a\nb", "x")
    with pytest.raises(ValueError, match="complexity must be an integer of at least 0; got -1"):
        make_function("f", "x", complexity=-1)
    with pytest.raises(ValueError, match=r"domain must be \(low, high\) with low < high"):
        make_function("f", "x", domain=(1, 1))
    with pytest.raises(ValueError, match="A function has one variable; got x, y"):
        make_function("f", x * y)
    with pytest.raises(ValueError, match=r"be made of known functions; got 'gamma\(x\)'"):
        make_function("f", sympy.gamma(x))
    with pytest.raises(TypeError, match="expression must be a sympy expression; got int"):
        make_function("f", 3)
    with pytest.raises(ValueError, match="have real numbers of at most 1e100"):
        make_function("f", sympy.I * x)


def test_a_library_of_nothing_is_empty() -> None:
    assert len(Library(())) == 0
    assert math.isinf(BUILT_IN["x"].domain[1])
