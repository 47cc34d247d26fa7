from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanviz.symbolic.formula import Formula, compose, spline_symbol
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.program import curve
from kanviz.symbolic.suggest import suggest

Texts = Sequence[Sequence[Sequence[str | None]]]
CURVES = [
    None,
    *map(parse, ("sin(2*x)", "0.5*x**2 + 1", "exp(0.3*x)", "tanh(x) - 2*x", "abs(x)", "0", "1.5")),
]


def make_edges(texts: Texts) -> list[list[list[sympy.Expr | None]]]:
    return [[[parse(t) if t else None for t in row] for row in layer] for layer in texts]


def by_hand(edges: list[list[list[sympy.Expr | None]]], x: torch.Tensor) -> torch.Tensor:
    """Return what a network of these edges computes, layer by layer."""
    for layer in edges:
        columns = []
        for j in range(len(layer[0])):
            terms = [curve(row[j])(x[:, i]) for i, row in enumerate(layer) if row[j] is not None]
            columns.append(sum(terms, torch.zeros(len(x), dtype=x.dtype)))
        x = torch.stack(columns, dim=1)
    return x


@st.composite
def networks(draw: st.DrawFn) -> list[list[list[sympy.Expr | None]]]:
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=3))
    return [
        [[draw(st.sampled_from(CURVES)) for _ in range(after)] for _ in range(before)]
        for before, after in pairwise(widths)
    ]


@given(networks(), st.integers(0, 99))
def test_the_formula_computes_what_the_network_does(
    edges: list[list[list[sympy.Expr | None]]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    inputs, outputs = len(edges[0]), len(edges[-1][0])
    x = rng.uniform(-2, 2, size=(7, inputs))
    input_units = [(float(rng.normal()), float(rng.uniform(0.5, 2))) for _ in range(inputs)]
    output_units = [(float(rng.normal()), float(rng.uniform(0.5, 2))) for _ in range(outputs)]
    formula = compose(
        edges,
        [f"x_{i}" for i in range(inputs)],
        [f"y_{j}" for j in range(outputs)],
        input_units=input_units,
        output_units=output_units,
    )
    shift, scale = np.array(input_units).T
    seen = torch.from_numpy((x - shift) / scale)
    wanted = (
        by_hand(edges, seen).numpy() * np.array(output_units)[:, 1] + np.array(output_units)[:, 0]
    )
    assert formula.to_callable()(x) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert formula.to_torch()(torch.from_numpy(x)).numpy() == pytest.approx(
        wanted, rel=1e-9, abs=1e-9
    )


def test_the_promise_of_the_first_example() -> None:
    edges = make_edges([[["sin(3.141592*x)"], ["x**2"]], [["exp(x)"]]])
    formula = compose(edges, ["x_1", "x_2"], ["y"])
    assert str(formula.rounded(6)) == "exp(x_2**2 + sin(3.14159*x_1))"
    assert str(formula.snapped()) == "exp(x_2**2 + sin(pi*x_1))"


def test_units_that_change_nothing_leave_no_trace() -> None:
    units = [(0.0, 1.0)]
    formula = compose(make_edges([[["x**2"]]]), ["t"], ["y"], input_units=units, output_units=units)
    assert str(formula) == "t**2"


def test_a_formula_is_in_plain_symbols_of_the_users_names() -> None:
    formula = compose(make_edges([[["x**2"], ["sin(x)"]]]), ["mass (kg)", "v"], ["energy"])
    mass, v = sympy.Symbol("mass (kg)"), sympy.Symbol("v")
    assert formula.expressions[0] == mass**2 + sympy.sin(v)
    assert formula.expressions[0].subs({mass: 3, v: 0}) == 9


def test_splines_stay_unknown_functions_that_can_be_filled_in() -> None:
    edges = make_edges([[["x**2", None], ["sin(x)", "x"]], [["exp(x)"], ["x"]]])
    edges[0][1][0] = spline_symbol(0, 1, 0)
    edges[1][0][0] = spline_symbol(1, 0, 0)
    formula = compose(edges, ["a", "b"], ["y"])
    assert str(formula) == "b + phi_1_0_0(a**2 + phi_0_1_0(b))"
    assert formula.splines == ("phi_0_1_0", "phi_1_0_0")
    program = formula.to_torch({"phi_0_1_0": torch.cos, "phi_1_0_0": torch.exp})
    x = torch.rand(5, 2, dtype=torch.float64)
    wanted = x[:, 1] + torch.exp(x[:, 0] ** 2 + torch.cos(x[:, 1]))
    assert (program(x)[:, 0] - wanted).abs().max() <= 1e-14


def test_removed_edges_leave_a_constant() -> None:
    formula = compose(make_edges([[[None], [None]], [["cos(x) + 2"]]]), ["a", "b"], ["y"])
    assert formula.expressions == (3,)


@pytest.mark.parametrize("text", ["log(x)", "sqrt(x)", "arcsin(x)", "1/(x + 2)", "x**(1/3)"])
def test_a_constant_outside_a_domain_is_what_the_network_makes_of_it(text: str) -> None:
    edges = make_edges([[["0*x - 2"]], [[text]]])
    found = float(compose(edges, ["a"], ["y"]).expressions[0])
    at = torch.tensor(-2.0, dtype=torch.float64)
    assert found == pytest.approx(curve(parse(text))(at).item(), rel=1e-12)


def test_constants_do_not_pile_up_from_layer_to_layer() -> None:
    edges = make_edges([[["0*x + 3"]], [["exp(x)"]], [["exp(x)"]], [["log(x)"]], [["log(x)"]]])
    assert float(compose(edges, ["a"], ["y"]).expressions[0]) == pytest.approx(3)


def test_a_constant_that_grows_from_layer_to_layer_is_an_error_in_time() -> None:
    edges = make_edges([[["0*x + 3.5"]], *([[["exp(x)"]]] * 5)])
    with pytest.raises(ValueError, match="have real numbers of at most 1e100"):
        compose(edges, ["a"], ["y"])


def test_numbers_of_nodes_must_fit_together() -> None:
    edges = make_edges([[["x", "x"]], [["x"], ["x"]]])
    with pytest.raises(ValueError, match=r"edges\[1\] must have 2 rows of 1 functions; got rows"):
        compose([edges[0], edges[1][:1]], ["a"], ["y"])
    with pytest.raises(ValueError, match=r"output_names must have one entry per column, 1 of them"):
        compose(edges, ["a"], ["y", "z"])
    with pytest.raises(ValueError, match="input_units must have one entry per column, 1 of them"):
        compose(edges, ["a"], ["y"], input_units=[(0, 1), (0, 1)])
    with pytest.raises(ValueError, match=r"edges\[0\] must have 2 rows"):
        compose(edges, ["a", "a"], ["y"])
    with pytest.raises(ValueError, match="input_names must differ; got"):
        compose(make_edges([[["x"], ["x"]]]), ["a", "a"], ["y"])
    with pytest.raises(ValueError, match="edges is empty"):
        compose([], ["a"], ["y"])


def test_a_suggestion_composes_to_the_curve_it_was_made_from() -> None:
    x = np.linspace(1, 3, 200)
    y = 0.5 * np.log(2 * x - 1) + 3
    table = suggest(x, y)
    assert table.best.name == "log"
    formula = compose([[[table.best.expression]]], ["x"], ["y"])
    assert formula.to_callable()(x[:, None])[:, 0] == pytest.approx(y, abs=1e-9)


FORMULA = Formula(
    (sympy.Symbol("50% $x_1$") ** 2 / 3 + sympy.Symbol("b"), sympy.besselj(0, sympy.Symbol("b"))),
    ("50% $x_1$", "b"),
    ("y", "J & co"),
)


def test_latex_escapes_names_that_latex_would_act_on() -> None:
    first, second = FORMULA.to_latex()
    assert r"\frac{\text{50\% \$x\_1\$}^{2}}{3}" in first
    assert second == r"J_{0}\left(b\right)"
    assert r"\text{J \& co} = J_{0}" in FORMULA._repr_latex_()


def test_source_code_has_one_function_per_output() -> None:
    assert "def y(x_50_x_1, b):" in FORMULA.to_python()
    assert "double J_co(double x_50_x_1, double b) {" in FORMULA.to_c()


def test_text_names_the_outputs_where_there_are_several() -> None:
    assert str(FORMULA).splitlines()[1] == "`J & co` = J0(b)"
    assert to_text(FORMULA.expressions[1]) == "J0(b)"


def test_a_formula_is_simplified_output_by_output() -> None:
    x = sympy.Symbol("x")
    formula = Formula((sympy.sin(x) ** 2 + sympy.cos(x) ** 2, x + 0), ("x",), ("y", "z"))
    assert formula.simplified(60).expressions == (1, x)


def test_a_huge_factor_of_an_exponential_goes_into_its_exponent_once() -> None:
    x, y = sympy.symbols("x y")
    wave = sympy.sin(sympy.pi * x) - 261.8 * sympy.cos(0.08735 * y)
    assert to_text(sympy.exp(wave + 261.8)).count("exp") == 1
