import time
from collections.abc import Callable
from typing import Any

import pytest
import sympy
import torch
from effort import calls_of
from hypothesis import given, settings
from hypothesis import strategies as st
from model_helpers import make_network, make_sample

from kanviz.data.dataset import About
from kanviz.model import KAN
from kanviz.nn import KANLayer, Network
from kanviz.symbolic import default_library
from kanviz.symbolic import formula as formula_module
from kanviz.symbolic.formula import Formula, cancellation, check_formula, formula_of, shown
from kanviz.symbolic.parse import parse

x = sympy.Symbol("x")

MOST_LOOKS = 6
"""Passes through a network that its formula may cost: to compare, and to see what cancels."""


def make_error(wanted: sympy.Expr) -> Callable[[Formula], float]:
    """Return the relative error of a formula of x from the wanted one, from 0.5 to 1.5."""
    points = torch.linspace(0.5, 1.5, 50, dtype=torch.float64).unsqueeze(1)
    y = Formula((wanted,), ("x",), ("y",)).to_torch()(points)

    def error(formula: Formula) -> float:
        return float((formula.to_torch()(points) - y).abs().max() / y.abs().max())

    return error


def show(expression: sympy.Expr, **options: Any) -> Formula:
    exact = Formula((expression,), ("x",), ("y",))
    chosen: dict[str, Any] = {"digits": 4, "snap": 1e-6, "simplify": 1.0} | options
    return shown(exact, make_error(expression), **chosen)


def test_numbers_are_rounded_and_the_error_is_told() -> None:
    formula = show(2.123456 * x + 0.5000000001)
    assert str(formula) == "2.123*x + 1/2"
    assert formula.error == pytest.approx(0.000456 / 2.123456 * 1.5 / 1.7, rel=0.3)


def test_digits_are_kept_where_rounding_would_break_the_formula() -> None:
    formula = show(sympy.sin(1234.5678 * x), digits=3)
    assert str(formula) == "sin(1234.6*x)"
    assert formula.error is not None
    assert 0.01 < formula.error <= 0.1


def test_numbers_stay_where_snapping_would_break_the_formula() -> None:
    wave = sympy.sin(1000.3 * x)
    formula = show(wave, snap=1e-3, digits=None)
    assert str(formula) == "sin(1000.3*x)"
    assert formula.error == pytest.approx(0, abs=1e-9)


def test_common_factors_of_roots_meet_the_factor_before_them() -> None:
    y = sympy.Symbol("y")
    exact = Formula((0.5 * sympy.sqrt(4.0000000001 * x**2 + 4.0 * y**2),), ("x", "y"), ("z",))
    formula = shown(exact, lambda _: 0.0, digits=6, snap=1e-6, simplify=1.0)
    assert str(formula) == "sqrt(x**2 + y**2)"


def test_a_formula_that_was_changed_knows_no_error() -> None:
    formula = show(2.123456 * x)
    assert formula.error is not None
    assert formula.rounded(2).error is None


def test_a_wide_cosine_is_compared_to_the_digits_that_are_left() -> None:
    model = KAN([1, 1], dtype=torch.float64)
    model.fix((0, 0, 0), "cos", affine=(1e-13, 0.5, 1e13, -8.775825618903728e12))
    formula = model.formula(digits=None, snap=0)
    assert formula.error is not None
    assert (
        cancellation(model.network, torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]) > 1e12
    )


@pytest.mark.parametrize(
    ("text", "affine"),
    [
        ("1/x", (0.0, 0.0, 1.0, 0.5)),
        ("log", (0.0, -1.0, 2.0, 0.0)),
        ("arcsin", (0.0, 3.0, 1.0, 0.0)),
    ],
)
def test_an_edge_that_is_constant_outside_its_domain_is_what_the_network_makes_of_it(
    text: str, affine: tuple[float, float, float, float]
) -> None:
    model = KAN([1, 1], dtype=torch.float64)
    model.fix((0, 0, 0), text, affine=affine)
    formula = model.formula()
    assert float(formula.expressions[0]) == pytest.approx(model.predict([[0.3]]).item(), rel=1e-4)
    assert formula.error == pytest.approx(0, abs=1e-4)
    view = model.snapshot().edges[0]
    assert view.formula is not None
    assert float(parse(view.formula)) == pytest.approx(model.predict([[0.3]]).item(), rel=1e-2)


def test_rows_outside_a_domain_count_in_the_error_alone() -> None:
    model = KAN([1, 1, 1], dtype=torch.float64)
    model.fix((0, 0, 0), "sqrt", affine=(1.0, 0.0, 1.0, 0.0))
    model.fix((1, 0, 0), "x**2")
    formula = model.formula()
    assert str(formula) == "x_1"  # the network has |x|
    assert formula.error == pytest.approx(4, rel=0.01)  # 2 at most, where outputs vary by 0.5


@pytest.mark.parametrize("removed", [(0, 0, 0), (1, 0, 0)])
def test_a_node_without_inputs_has_a_place_in_the_formula(removed: tuple[int, int, int]) -> None:
    model = KAN([1, 2, 1], seed=3, dtype=torch.float64)
    model.remove_edge(removed)
    assert model.formula().error == pytest.approx(0, abs=1e-9)
    model.fix((1, 1, 0), "exp(x)")
    assert model.formula().error == pytest.approx(0, abs=1e-6)


def test_outputs_without_edges_are_0() -> None:
    model = KAN([2, 1])
    for i in range(2):
        model.remove_edge((0, i, 0))
    assert str(model.formula()) == "0"


@pytest.mark.parametrize("widths", [[784, 64, 10], [100, 1000, 1], [20, 20, 20, 20, 1]])
def test_a_formula_too_long_to_read_is_refused_before_any_work(widths: list[int]) -> None:
    model = KAN(widths)
    with pytest.raises(ValueError, match=r"The formula would have about .* Prune"):
        model.formula()


def test_each_spline_of_a_wide_network_is_computed_by_itself() -> None:
    model = KAN([12, 12, 1])
    found = calls_of(model.formula)
    assert found < 1_000_000
    assert model.formula().error == pytest.approx(0, abs=1e-5)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.integers(0, 9))
def test_a_formula_is_compared_with_its_network_a_few_times_however_wide(
    widths: list[int], seed: int
) -> None:
    model, forward = KAN(widths, seed=seed), KANLayer.forward
    passes = 0

    def counted(layer: KANLayer, z: torch.Tensor) -> torch.Tensor:
        nonlocal passes
        passes += 1
        return forward(layer, z)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KANLayer, "forward", counted)
        model.formula(simplify_seconds=0.0)
    assert 0 < passes <= MOST_LOOKS * (len(widths) - 1)


def test_another_networks_formula_is_refused() -> None:
    network, about = make_network((2, 1)), About.nothing(2, 1)
    formula = formula_of(make_network((2, 1), seed=1), about)
    with pytest.raises(
        ArithmeticError, match=r"The formula differs from the network by .*1e-06 is the most"
    ):
        check_formula(formula, _with_sine(network), about, make_sample())


def _with_sine(network: Network) -> Network:
    network.layers[0].fix(0, 0, default_library()["sin"], (1.0, 0.0, 1.0, 0.0))
    return network


def test_a_formula_that_takes_long_to_shorten_is_not_shortened_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[float] = []

    def slow(formula: Formula, share: float, _: float) -> Formula:
        tried.append(share)
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        raise ValueError("no shorter")

    monkeypatch.setattr(formula_module, "_shorter", slow)
    monkeypatch.setattr(formula_module, "TRIES_SECONDS", 0.02)
    assert show(sympy.sin(2 * x)).expressions == (sympy.sin(2 * x),)
    assert len(tried) == 1
    monkeypatch.setattr(formula_module, "TRIES_SECONDS", 60.0)
    show(sympy.sin(2 * x))
    assert len(tried) > 3
