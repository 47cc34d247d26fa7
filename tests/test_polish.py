"""A formula keeps the terms and numbers that data ask for, and no others."""

import numpy as np
import pytest
import sympy
import torch

import kanviz as kv
from kanviz.symbolic.formula import constants_of
from kanviz.symbolic.polish import Measured, fitted, polish

NOISE = 0.01


def measured(law: str, names: str, *, noise: float = NOISE, seed: int = 0) -> Measured:
    """Return 300 rows of a law, each variable between 0.5 and 2."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 2, (300, len(names)))
    exact = np.asarray(sympy.lambdify(list(names), sympy.sympify(law), "numpy")(*x.T))
    y = exact + noise * rng.standard_normal(300)
    return Measured(tuple(names), torch.from_numpy(x), torch.from_numpy(y), noise)


@pytest.mark.parametrize(
    ("law", "begun"),
    [
        ("a*b*c", "b*c*(0.998*a + 0.002)"),
        ("a**2*b/2 + a*c", "a*(0.997*c + 0.498*a*b + 0.02)"),
        ("a**3 + a**2 + a", "0.97*a**3 + 1.1*a**2 + 0.98*a + 0.003 - 0.01*a**4"),
        ("3*exp(-2*a)", "3.1*exp(0.05 - 1.9*a) + 0.02"),
        ("a*sqrt(a + 2)", "sqrt(1.02*a + 2.04)*a**1.003"),
        ("sin(a)", "1.01*cos(0.99*a - 1.57)"),
        (
            "a + exp(-b)",
            "a + 0.95 - 0.89*b + 0.3*b**2 - 0.04*b**3",
        ),  # what noise leaves of a series
    ],
)
def test_what_noise_has_left_in_a_formula_goes(law: str, begun: str) -> None:
    exact = sympy.sympify(law)
    names = "".join(sorted(map(str, exact.free_symbols)))
    found = polish(sympy.sympify(begun), measured(law, names)).expression
    assert sympy.expand(found - exact) == 0


@pytest.mark.parametrize(
    ("law", "begun"),
    [
        ("0.12*b/(a + 9)", "b*(0.0133 - 0.0008*a**0.7)"),  # begun is nearer than it looks
        ("3*b/a", "b*(5.2 - 3*sqrt(a - 0.3))"),
        ("a**2 + b", "b + 0.3*exp(1.5*a) - 0.4"),
        ("sqrt(a)*b", "b*(0.9*log(0.6 + a) + 0.5)"),
    ],
)
def test_a_curve_is_one_power_where_the_noise_allows_it(law: str, begun: str) -> None:
    exact = sympy.sympify(law)
    rows = measured(law, "ab", noise=0.1)
    found = polish(sympy.sympify(begun), rows)
    ours = fitted(exact.xreplace({sympy.Integer(3): sympy.Float(3)}), rows)
    assert found.score <= ours.score + 1e-6


def test_a_small_term_that_the_data_have_seen_stays() -> None:
    found = polish(sympy.sympify("a + 0.03*a**2"), measured("a + 0.03*a**2", "a")).expression
    assert len(sympy.Add.make_args(found)) == 2


@pytest.mark.parametrize(
    "law",
    ["sqrt(7 - 1.3*a**2)", "log(7 - 1.4*a**2)", "(a + 3)**0.3*b", "a/(b - 3)**2", "sqrt(a + 1)/b"],
)
def test_terms_without_which_a_formula_is_none_are_no_trouble(law: str) -> None:
    names = "".join(sorted(map(str, sympy.sympify(law).free_symbols)))
    rows = measured(law, names)
    found = polish(sympy.sympify(law), rows)
    assert found.deviance < 1.3 * len(rows.y)


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_nice_only_where_the_data_allow_it(seed: int) -> None:
    number = np.random.default_rng(seed).uniform(0.5, 3)
    rows = measured(f"{number}*a + b**2", "ab", seed=seed)
    found = polish(sympy.sympify("1.5*a + 1.02*b**2 + 0.01"), rows)
    exact = fitted(sympy.sympify(f"{number}*a + b**2").subs(number, sympy.Float(number)), rows)
    assert found.score <= exact.score + rows.price * 1e-3
    slope = float(found.expression.coeff(sympy.Symbol("a")))
    assert slope == pytest.approx(number, abs=0.01)


def test_the_errors_of_numbers_are_those_of_least_squares() -> None:
    rows = measured("0.7312*a + 1.2377*b", "ab")
    found = polish(sympy.sympify("a + b"), rows)
    assert constants_of(found.expression)[1] == {}  # what has no free number has none to fit
    found = polish(sympy.sympify("0.5*a + 0.5*b"), rows)
    covariance = np.linalg.inv(rows.x.T @ rows.x) * NOISE**2
    assert sorted(found.errors) == pytest.approx(sorted(np.sqrt(np.diag(covariance))))


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    rows = measured("0.7312*a", "a")
    weight = 1 + (torch.arange(300) < 50).double()
    twice = torch.cat([torch.arange(300), torch.arange(50)])
    weighted = Measured(rows.inputs, rows.x, rows.y, NOISE, weight)
    repeated = Measured(rows.inputs, rows.x[twice], rows.y[twice], NOISE)
    one, other = (fitted(sympy.sympify("0.5*a"), each) for each in (weighted, repeated))
    assert one.score == pytest.approx(other.score)
    assert one.errors == pytest.approx(other.errors)


@pytest.mark.long
def test_a_law_found_in_noise_is_polished_and_drawn_whatever_the_names_are() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 2, (150, 1))
    data = kv.from_arrays(
        x,
        3 * x + 0.7312 + 0.02 * rng.standard_normal((150, 1)),
        input_names=["width [m]"],
        output_names=["area"],
        dtype=torch.float64,
    )
    law = kv.discover(data, progress=False).best
    rest = law.formula.expressions[0] - 3 * sympy.Symbol("width [m]")
    assert float(rest) == pytest.approx(0.7312, abs=0.01)
    assert law.verdict == "leaves only the noise"
    assert "+-" in str(law.model.formula(errors=True))
    assert law.model.predict_interval(x)[0].shape == (150, 1)
    assert "from_formula" in law.model.script()
    assert law.model.output_names == ("area",)


@pytest.mark.long
def test_columns_in_another_order_than_those_of_the_model_stay_what_they_are() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (120, 2))
    y = 2 * x[:, 0] - x[:, 1]
    model = kv.KAN([2, 1], dtype=torch.float64)
    model.fit(kv.from_arrays(x, y, input_names=["a", "b"], dtype=torch.float64), progress=False)
    turned = kv.from_arrays(x[:, ::-1], y, input_names=["b", "a"], dtype=torch.float64)
    for data in (turned, (x, y)):
        law = kv.discover(data, model=model, progress=False).best
        assert (str(law.formula), law.is_exact) == ("2*a - b", True)
