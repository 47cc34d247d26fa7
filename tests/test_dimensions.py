"""Units tell which formulas cannot be laws, and which numbers of one must carry a unit."""

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

import kanviz as kv
from kanviz.symbolic.dimensions import dimensions_of, powers_of

UNITS = {"m": "kg", "v": "m/s", "h": "m", "g": "m/s^2", "t": "s", "x": "mm", "q": "C"}
SYMBOLS = {name: sympy.Symbol(name) for name in UNITS}


def said(text: str, result: str | None = None) -> str:
    return str(dimensions_of(sympy.sympify(text, locals=SYMBOLS), UNITS, result))


@pytest.mark.parametrize(
    ("law", "unit", "sentence"),
    [
        ("m*v**2/2 + m*g*h", "J", "dimensions agree"),
        ("m*(v**2/2 + g*h)", "kJ", "dimensions agree"),
        ("2*pi*sqrt(h/g)", "s", "dimensions agree"),
        ("v + h/t", "m/s", "dimensions agree"),
        ("x + h", None, "dimensions agree"),
        ("m*(v**2/2 + 9.81*h)", "J", "dimensions agree with 9.81 in m/s**2"),
        ("q*exp(-t/2)", "C", "dimensions agree with 1/2 in 1/s"),
        ("h*sin(2.5*t + 0.3)", "m", "dimensions agree with 2.5 in 1/s"),
        ("m*v**2/2 + 0.02", "J", "dimensions agree with 0.02 in kg*m**2/s**2"),
        ("m*g + v", "N", "dimensions do not agree: v is in m/s, not kg*m/s**2"),
        ("h*sin(t)", "m", "dimensions do not agree: sin(t) takes a number, not s"),
        ("q**2", "N", "dimensions do not agree: q**2 is in A**2*s**2, not kg*m/s**2"),
    ],
)
def test_a_formula_says_what_its_dimensions_are(law: str, unit: str | None, sentence: str) -> None:
    assert said(law, unit) == sentence


@given(st.lists(st.sampled_from(list(SYMBOLS)), min_size=1, max_size=4))
def test_terms_agree_if_and_only_if_they_are_of_one_unit(names: list[str]) -> None:
    total = sympy.Add(*(SYMBOLS[name] for name in dict.fromkeys(names)))
    kinds = {powers_of(UNITS[name]) for name in names}
    assert dimensions_of(total, UNITS).agree == (len(kinds) == 1)
    assert dimensions_of(total**2, UNITS, f"({UNITS[names[0]]})**2").agree == (len(kinds) == 1)


@pytest.mark.parametrize(
    ("one", "other"), [("kN", "kg*m/s**2"), ("V*A", "W"), ("mol/L", "mol/m^3"), ("rad", "1")]
)
def test_units_are_read(one: str, other: str) -> None:
    assert powers_of(one) == powers_of(other)


@pytest.mark.parametrize("unit", ["foo", "m/", "", "m + s", "sin(m)"])
def test_what_is_no_unit_is_one_sentence(unit: str) -> None:
    with pytest.raises(ValueError, match="units must be of the SI"):
        powers_of(unit)


def test_a_unit_of_nothing_is_refused_before_anything_is_trained() -> None:
    x = np.linspace(0, 1, 40)[:, None]
    with pytest.raises(ValueError, match="units must be of x_1, y; got one of 'z'"):
        kv.discover(x, x[:, 0], units={"z": "m"}, progress=False)


def test_a_spline_has_no_dimension() -> None:
    with pytest.raises(ValueError, match="phi_0_0_0 is a spline"):
        kv.KAN([1, 1]).formula().dimensions({"x_1": "m"})


@pytest.mark.long
def test_laws_tell_of_their_dimensions() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (100, 1))
    data = kv.from_arrays(x, 9.81 * x, input_names=["t"], output_names=["v"], dtype=torch.float64)
    laws = kv.discover(data, units={"t": "s", "v": "m/s"}, progress=False)
    assert str(laws.best.dimensions) == "dimensions agree with 9.81 in m/s**2"
    assert "dimensions agree with 9.81 in m/s**2" in str(laws)
