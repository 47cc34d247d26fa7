"""Names of columns in formulas: each reads as itself, in text, LaTeX, MathML, C and Python."""

import re

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from kanviz import KAN
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.language import symbol
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import alike, equations, latex_names, text_name, to_text

NAMES = ["0", "T-T0", "kind=bike", "num__age", "x1", "x_1", "pi", "E", "e", "", "J0", "J_0", "sin"]
NAMES += ["heat flux [W/m^2]", "T_max", "alpha", "\u03b1", "a b", "a  b", "x_1_2", "x1_2", "x_12"]
NAMES += ["`", "a`b", "x + y", "2*x", "$x$", "\\end{math}", "}{", "price (USD)", "v [m s^-1]"]

WORSE = ["lambda", "in", "None", "is=new", "\u00b5", "\ufb01n", "x", "f1", "J8", "name0_", "a\nb"]


def make_formula(names: list[str]) -> Formula:
    """Return a sum with a factor of its own for each input, a function and the constants."""
    symbols = [sympy.Symbol(name) for name in names]
    total = sympy.Add(*((k + 2) * symbol for k, symbol in enumerate(symbols)))
    return Formula((total + sympy.pi + sympy.E + sympy.sin(symbols[0]),), tuple(names), ("y",))


def test_each_name_reads_as_itself_in_text() -> None:
    found = str(make_formula(["T-T0", "pi", "x"]))
    assert set(found.split(" + ")) == {"2*`T-T0`", "sin(`T-T0`)", "3*`pi`", "4*x", "E", "pi"}


@given(st.lists(st.text(max_size=6) | st.sampled_from(NAMES), unique=True, max_size=12))
def test_different_names_look_different(names: list[str]) -> None:
    shown = set(latex_names(names).values())
    assert len(shown) == len(names)
    assert len({text_name(name) for name in names}) == len(names)
    assert not shown & {r"\pi", "e", r"\sin"}


@given(
    st.lists(st.text(max_size=6) | st.sampled_from(NAMES + WORSE), unique=True, min_size=1),
    st.booleans(),
)
def test_what_is_printed_with_any_names_is_read_back(
    names: list[str],
    has_constants: bool,  # noqa: FBT001 - drawn
) -> None:
    symbols = [symbol(name) for name in names]
    total = sympy.Add(*((k + 2) * one**2 + (k + 1) * one for k, one in enumerate(symbols)))
    whole = total + sympy.sin(symbols[0]) + (sympy.pi * sympy.E if has_constants else 0)
    assert parse(to_text(whole), names) == whole


def test_a_name_that_is_also_a_constant_is_asked_about() -> None:
    wanted = "say which e it means, the constant or the variable; got .e . 1.. Write `e` for"
    with pytest.raises(ValueError, match=wanted):
        parse("e + 1", ["e"])
    assert parse("`e` + e", ["e"]) == symbol("e") + sympy.E
    assert parse("sin(`sin`) + sin(sin)", ["sin"]) == 2 * sympy.sin(symbol("sin"))
    with pytest.raises(ValueError, match=r"unlike 'T-T0'; got '2\*`T-T0`'\. Did you mean 'T-T1'"):
        parse("2*`T-T0`", ["T-T1"])


@pytest.mark.parametrize("names", [["lambda", "age [s]"], ["f1", "E"], ["\u00b5", "`x`"]])
def test_a_network_is_drawn_of_a_formula_with_names_of_any_kind(names: list[str]) -> None:
    one, other = map(text_name, names)
    model = KAN.from_formula(f"{one}*{other} + e", dict.fromkeys(names, (0.5, 2.0)))
    assert model.input_names == tuple(names)
    assert model.predict([[2.0, 1.5]])[0, 0] == pytest.approx(3 + np.e)
    space: dict[str, KAN] = {}
    exec(model.script(), space)
    assert space["model"].predict([[2.0, 1.5]])[0, 0] == pytest.approx(3 + np.e)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("x_1", "x_{1}"),
        ("T_max", r"T_{\mathrm{max}}"),
        ("num__age", r"\mathrm{num\_\_age}"),
        ("alpha", r"\alpha"),
        ("pi", r"\text{`pi'}"),
        ("heat flux [W/m^2]", r"\text{heat flux}\,[\mathrm{W/m^{2}}]"),
        ("v [m s^-1]", r"v\,[\mathrm{m\,s^{-1}}]"),
        ("load [%]", r"\mathrm{load}\,[\mathrm{\%}]"),
        ("kind=bike", r"[\text{kind}=\text{bike}]"),
        ("", r"\text{''}"),
    ],
)
def test_names_are_set_as_people_set_them(name: str, wanted: str) -> None:
    assert latex_names([name])[name] == wanted


def test_two_names_that_would_look_alike_are_set_apart() -> None:
    found = latex_names(["x1", "x_1"])
    assert found == {"x1": r"\mathrm{x1}", "x_1": "x_{1}"}
    assert alike(["x1", "x_1", "x_2"]) == {"x1"}
    mathml = equations(["y"], [sympy.Symbol("x1") + sympy.Symbol("x_1")])
    assert "<mi>x1</mi>" in mathml
    assert "<msub><mi>x</mi><mn>1</mn></msub>" in mathml


def test_braces_of_latex_match_whatever_the_names() -> None:
    for text in make_formula(NAMES).to_latex():
        plain = re.sub(r"\\[{}\\]", "", text)
        assert plain.count("{") == plain.count("}")


def test_source_code_computes_with_each_name_and_tells_which_it_is() -> None:
    formula = make_formula(NAMES)
    x = np.arange(1.0, len(NAMES) + 1)
    wanted = float(formula.to_callable()(x[None])[0, 0])
    space: dict[str, object] = {}
    source = formula.to_python()
    exec(source, space)
    assert float(space["y"](*x)) == pytest.approx(wanted)  # type: ignore[operator]
    assert "is 'heat flux [W/m^2]'" in source
    assert "is 'heat flux [W/m^2]'" in formula.to_c()


def test_a_name_that_can_stay_does() -> None:
    source = Formula((sympy.Symbol("a_b") - sympy.Symbol("a b"),), ("a b", "a_b"), ("y",)).to_c()
    assert "return a_b - a_b_2;" in source


def test_factors_stand_apart_and_a_power_of_a_name_with_a_unit_is_not_the_units() -> None:
    time, x = sympy.Symbol("time [s]", real=True), sympy.Symbol("x", real=True)
    short = Formula((0.5 * x * time**2,), ("x", "time [s]"), ("heat [J]",))
    assert short.equations_in_latex() == [
        r"\mathrm{heat}\,[\mathrm{J}] = 0.5\,\left(\mathrm{time}\,[\mathrm{s}]\right)^{2}\,x"
    ]
    (mathml,) = (equations(["y"], [time**2]),)
    assert "<mo>(</mo><mtext>time [s]</mtext><mo>)</mo>" in mathml
    long = 3 * sympy.exp(-0.1 * x**2 + 2 * time + 1)
    assert r"3\,\exp{\left(" in Formula((long,), ("x", "time [s]"), ("y",)).to_latex()[0]
    assert "<mi>exp</mi>" in equations(["y"], [long])
    assert "e^{- x}" in Formula((sympy.exp(-x),), ("x",), ("y",)).to_latex()[0]


def test_the_errors_of_numbers_leave_alone_names_that_look_like_theirs() -> None:
    x = np.random.default_rng(0).uniform(1, 2, (30, 3))
    shown = []
    for names in (["a", "b", "c"], ["constant_0", "my constant_1", "_constant_0"]):
        a, b, _ = map(sympy.Symbol, names)
        formula = Formula((1.5 * a + 0.25 * b**2,), tuple(names), ("y",))
        text = str(formula.with_errors(x, [0.1]))
        assert all(text_name(name) in text for name in names[:2])
        shown.append(sorted(re.findall(r"\(\S+ \+- \S+\)", text)))
    assert len(shown[0]) == 2
    assert shown[0] == shown[1]
