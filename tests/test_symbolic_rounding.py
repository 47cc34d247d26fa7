import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from kanviz.symbolic.parse import parse
from kanviz.symbolic.simplify import rounded, snap, snapped

NICE = {
    0.0: 0,
    1.0: 1,
    -1.0: -1,
    7.0: 7,
    -20.0: -20,
    0.5: sympy.Rational(1, 2),
    1.5: sympy.Rational(3, 2),
    1 / 3: sympy.Rational(1, 3),
    -2 / 3: sympy.Rational(-2, 3),
    0.2: sympy.Rational(1, 5),
    0.7: sympy.Rational(7, 10),
    math.pi: sympy.pi,
    -2 * math.pi: -2 * sympy.pi,
    math.pi / 2: sympy.pi / 2,
    -3 * math.pi / 4: -3 * sympy.pi / 4,
    math.e: sympy.E,
}


@pytest.mark.parametrize("value", NICE)
@pytest.mark.parametrize("push", [0.0, 3e-4, -3e-4])
def test_a_number_near_a_nice_one_becomes_it(value: float, push: float) -> None:
    assert snap(value * (1 + push) + push * (value == 0), 1e-3) == NICE[value]


@pytest.mark.parametrize("value", [0.77, 3.17, 2.69, 0.0123, 123.456, 1e5 + 0.5, -0.36])
def test_a_number_near_none_stays_to_the_last_digit(value: float) -> None:
    assert float(snap(value, 1e-3)) == value


def test_the_simplest_nice_number_wins() -> None:
    assert snap(0.999, 0.01) == 1
    assert snap(0.335, 0.01) == sympy.Rational(1, 3)


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 0.1))
def test_snapping_moves_no_number_further_than_the_tolerance(
    value: float, tolerance: float
) -> None:
    found = float(snap(value, tolerance))
    assert abs(found - value) <= tolerance * max(abs(value), 1) * (1 + 1e-12)
    if found != 0:
        assert abs(found - value) <= tolerance * abs(value) * (1 + 1e-12)


def test_few_numbers_are_snapped_by_chance() -> None:
    values = [math.exp(0.0063 * k - 3) for k in range(1000)]
    share = sum(snap(value, 1e-3).is_Float for value in values) / len(values)
    assert share > 0.9


@pytest.mark.parametrize(("value", "tolerance"), [(math.nan, 0.1), (math.inf, 0.1), (1.0, 0.2)])
def test_snap_refuses_what_it_cannot_do(value: float, tolerance: float) -> None:
    with pytest.raises(ValueError, match=r"value must be finite|tolerance must be from 0 to 0\.1"):
        snap(value, tolerance)


def test_snapped_reaches_every_number_of_an_expression() -> None:
    formula = parse("1.0001*sin(3.1416*x + 0.00001)**1.9999 + 0.4999")
    assert snapped(formula, 1e-3) == parse("sin(pi*x)**2 + 1/2")


def test_rounded_keeps_significant_digits_and_exact_numbers() -> None:
    formula = parse("123456.7*x + 0.000123456*x**2 + pi + sin(x/3)")
    assert rounded(formula, 3) == parse("123000.0*x + 0.000123*x**2 + pi + sin(x/3)")


def test_rounded_numbers_are_the_decimals_that_are_printed() -> None:
    (number,) = rounded(parse("3.14159265*x"), 5).atoms(sympy.Float)
    assert float(number) == 3.1416


def test_rounded_refuses_no_digits() -> None:
    with pytest.raises(ValueError, match="digits must be an integer of at least 1; got 0"):
        rounded(parse("x"), 0)
