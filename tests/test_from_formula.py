"""A network made of a formula computes it, and is drawn as a person would draw it."""

import math
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kanviz as kv

RANGES = {"a": (0.5, 2.0), "b": (1.0, 3.0), "c": (-1.0, 1.0)}


@pytest.mark.parametrize(
    ("formula", "shape", "edges"),
    [
        ("a*b**2/2", (3, (0, 1), 1), 3),
        ("exp(sin(pi*c) + a^2)", (3, 1, 1), 3),
        ("(a + b)*(c + a**2)", (3, (0, 1), 1), 5),
        ("a*b**2/2 + a*b*c", (3, (0, (2, 3)), 1), 7),
        ("sin(c)**2 + c", (3, 1), 1),
        ("a*(b + sin(a*b))", (3, (2, 1), (0, 1), 1), 8),
        ("sqrt((a - b)**2 + c**2)", (3, 2, 1, 1), 6),
        ("6.674e-11*a*b/c**2", (3, (0, (3,)), 1), 4),
    ],
)
def test_a_formula_is_drawn_with_few_nodes(formula: str, shape: Any, edges: int) -> None:
    ranges = RANGES | {"c": (0.5, 1.0)}
    model = kv.KAN.from_formula(formula, ranges)
    assert model.network.shape == shape
    assert sum(int(layer.mask.sum()) for layer in model.network.layers) == edges


LEAVES = st.sampled_from(["a", "b", "c", "a", "b", "c", "2", "0.3", "pi"])
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda u: f"sin({u})"),
        inner.map(lambda u: f"exp(-({u})**2)"),
        inner.map(lambda u: f"sqrt(1 + ({u})**2)"),
        inner.map(lambda u: f"({u})**3"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})/(2 + cos({t[1]}))"),
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(FORMULAS)
def test_the_network_of_a_formula_equals_sympy(formula: str) -> None:
    symbols = {name: sympy.Symbol(name, real=True) for name in RANGES}
    wanted = sympy.sympify(formula, locals=symbols)
    if not wanted.free_symbols:
        return
    model = kv.KAN.from_formula(formula, RANGES)
    rng = np.random.default_rng(0)
    rows = np.stack([rng.uniform(*ends, 50) for ends in RANGES.values()], 1)
    exact = [
        float(wanted.evalf(20, subs=dict(zip(symbols.values(), map(float, row), strict=True))))
        for row in rows
    ]
    size = max(1.0, *map(abs, exact))
    assert np.abs(model.predict(rows)[:, 0] - exact).max() <= 1e-9 * size


def test_sizes_of_physics_are_no_matter() -> None:
    ranges = {"m": (1e20, 1e22), "M": (1e20, 1e25), "r": (1e8, 1e9)}
    model = kv.KAN.from_formula("6.674e-11*m*M/r**2", ranges)
    rows = np.array([[2e21, 3e24, 4e8], [1e20, 1e25, 9e8]])
    exact = 6.674e-11 * rows[:, 0] * rows[:, 1] / rows[:, 2] ** 2
    assert model.predict(rows)[:, 0] == pytest.approx(exact, rel=1e-12)
    assert float(model.network(torch.ones(1, 3, dtype=torch.float64)).detach()) < 1e6


def test_several_formulas_share_nodes_and_names() -> None:
    model = kv.KAN.from_formula(["a*b", "exp(a*b)", "a"], RANGES, output_names=["u", "v", "w"])
    assert model.network.shape == (3, (1, 1), 3)
    assert str(model.formula()).splitlines() == ["u = a*b", "v = exp(a*b)", "w = a"]


def test_a_formula_taken_away_leaves_a_spline_that_follows_it() -> None:
    model = kv.KAN.from_formula("sin(2*a)*b", RANGES, grid_size=10)
    rows = np.array([[0.7, 2.0, 0.0], [1.6, 1.2, 0.0]])
    exact = np.sin(2 * rows[:, 0]) * rows[:, 1]
    model.unfix((0, 0, 1))  # factors are in the order of sympy
    assert model.predict(rows)[:, 0] == pytest.approx(exact, abs=1e-3)


def test_a_guess_that_is_nearly_right_is_trained_to_the_law() -> None:
    rng = np.random.default_rng(0)
    X = np.stack([rng.uniform(*ends, 200) for ends in RANGES.values()], 1)
    y = 2.3 * X[:, 0] * X[:, 1] ** 2 + 0.1
    model = kv.KAN.from_formula("2*a*b**2", RANGES)
    model.fit(X, y, steps=30, progress=False)
    assert model.score(X, y) > 1 - 1e-9


def test_it_is_saved_and_written_as_any_other(tmp_path: Any) -> None:
    ranges = [(0.5, 2.0), (1.0, 3.0), (1.0, 2.0)]
    model = kv.KAN.from_formula("exp(a*b)/c", ranges, input_names=["a", "b", "c"])
    rows = np.array([[0.7, 2.0, 1.5]])
    assert model.predict(rows).item() == pytest.approx(math.exp(1.4) / 1.5, rel=1e-14)
    model.save(tmp_path / "m.kan")
    assert kv.load(tmp_path / "m.kan").predict(rows).item() == model.predict(rows).item()
    names: dict[str, Any] = {}
    exec(model.script(), names)
    assert names["model"].predict(rows).item() == model.predict(rows).item()


@pytest.mark.parametrize(
    ("formula", "ranges", "message"),
    [
        ("a +", RANGES, "formula must be a complete expression"),
        ("a + q", RANGES, "formula must have only known names, unlike 'q'"),
        ("a + x", RANGES, "formula must have only known names, unlike 'x'"),
        ("a + sin", RANGES, r"formula must give sin an argument; got 'a \+ sin'. Write sin\(a\)"),
        ("3", RANGES, "formula must depend on an input; got '3'"),
        ("a - a", RANGES, "formula must depend on an input"),
        ("log(c)", RANGES, "formula must have a real, finite value everywhere .* has none at a = "),
        ("a", {"a": (2, 1)}, r"ranges must be a pair \(low, high\) for each of 1 inputs"),
        ("a", {"a": 3}, r"ranges must be a pair \(low, high\) for each of 1 inputs"),
        ("pi*x", {"x": (0, 1), "pi": (0, 1)}, "formula must say which pi it means"),
        ("x*a b", {"x": (0, 1), "a b": (0, 1)}, "formula must be a complete expression"),
        ([], RANGES, "formula must be text"),
        ("a", {}, "ranges must be a pair"),
    ],
)
def test_bad_input_is_one_sentence(
    unchecked: None, formula: Any, ranges: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kv.KAN.from_formula(formula, ranges)


def test_names_are_given_once(unchecked: None) -> None:
    with pytest.raises(ValueError, match=r"The keys of ranges name the inputs\. Leave"):
        kv.KAN.from_formula("a", {"a": (0, 1)}, input_names=["a"])
