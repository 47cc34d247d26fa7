"""Formulas with free constants on an edge: fitted, trained alone, kept, written and refused."""

from pathlib import Path

import numpy as np
import pytest
import recipe_reader
import torch
from desk_helpers import ask, edge_of, make_desk, refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import kanviz as kv
from kanviz.symbolic.functions import make_function
from kanviz.symbolic.parse import constants_in
from kanviz.symbolic.projection import fit_constants
from kanviz.training.jacobian import learning_weights, linearise

pytestmark = pytest.mark.long

EDGE = (0, 0, 0)


def make_curve() -> tuple[Tensor, Tensor]:
    x = torch.linspace(-2, 3, 200, dtype=torch.float64).unsqueeze(1)
    return x, x**3 - 2 * x + 0.5


def make_model(widths: tuple[int, ...] = (1, 1)) -> kv.KAN:
    model = kv.KAN(list(widths), grid_size=8, dtype=torch.float64, seed=1)
    x, y = make_curve()
    model.fit(x, y, progress=False, steps=40)
    return model


sizes = st.floats(0.3, 3.0)
signs = st.sampled_from([-1.0, 1.0])


@settings(max_examples=8, deadline=None)
@given(a=sizes, b=sizes, c=st.floats(-2, 2), sign=signs, low=st.floats(-3, 3))
def test_a_planted_exponential_is_found(
    a: float, b: float, c: float, sign: float, low: float
) -> None:
    x = torch.linspace(low, low + 2.5, 80, dtype=torch.float64)
    y = sign * a * torch.exp(-b * x) + c
    found = fit_constants(make_function("f", "p*exp(-q*x) + r"), x, y)
    assert torch.allclose(
        torch.tensor(found).double(), torch.tensor([sign * a, b, c]).double(), 1e-5, 1e-6
    )


@settings(max_examples=8, deadline=None)
@given(a=sizes, w=st.floats(1, 12), s=st.floats(0, 6.2), d=st.floats(-2, 2))
def test_a_planted_sine_is_found_but_for_its_phase(a: float, w: float, s: float, d: float) -> None:
    x = torch.linspace(-1, 2, 150, dtype=torch.float64)
    y = a * torch.sin(w * x + s) + d
    wave = make_function("f", "p*sin(q*x + r) + u")
    values = wave.values(x, (1, 0, 1, 0, *fit_constants(wave, x, y)))
    assert float((values - y).abs().max()) < 1e-6 * a


def test_a_power_may_be_free() -> None:
    x = torch.linspace(0.2, 3, 60, dtype=torch.float64)
    found = fit_constants(make_function("f", "a*x^p"), x, 2 * x**0.73)
    assert np.allclose(found, (2.0, 0.73), atol=1e-8)


def test_what_is_written_stays_and_the_rest_is_fitted_and_trained() -> None:
    model = make_model()
    model.fix(EDGE, "x**3 + a*x + b")
    assert str(model.formula()) == "x_1**3 - 2*x_1 + 1/2"
    x, y = make_curve()
    model.fit(x, y + 0.25 * x, progress=False)
    assert str(model.formula()) == "x_1**3 - 7*x_1/4 + 1/2"


def test_training_moves_the_constants_alone() -> None:
    model = make_model((1, 2, 1))
    model.fix((0, 0, 1), "sin")
    model.fix(EDGE, "x**2 + a*x + b", constants={"a": 0.5, "b": -0.2})
    symbols = model.network.layers[0].symbols
    assert symbols is not None
    assert symbols.affine.shape == (2, 6)
    row, other = symbols.row_of((0, 0)), symbols.row_of((0, 1))
    before = symbols.affine.detach().clone()
    x, y = make_curve()
    model.fit(x, y, progress=False, steps=20, optimizer="adam")
    after = model.network.layers[0].symbols.affine.detach()  # type: ignore[union-attr]
    assert torch.equal(after[row, :4], before[row, :4])
    assert bool((after[row, 4:] != before[row, 4:]).all())
    assert bool((after[other, :4] != before[other, :4]).all())
    assert torch.equal(after[other, 4:], torch.zeros(2, dtype=torch.float64))


def test_derivatives_in_the_constants_are_those_of_autograd() -> None:
    model = make_model((1, 2, 1))
    model.fix(EDGE, "a*exp(-b*x) + c", constants={"a": 0.5, "b": 1.2, "c": 0.1})
    model.fix((1, 1, 0), "x*sin(k*x)", constants={"k": 0.7})
    x = torch.linspace(-1, 1, 7, dtype=torch.float64).unsqueeze(1)
    network, rows = model.network, linearise(model.network, x)
    learns = learning_weights(network)
    for n in range(len(x)):
        network.zero_grad()
        network(x[n : n + 1]).sum().backward()
        wanted = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
        found = torch.zeros_like(wanted).index_add(0, rows.columns[n, 0], rows.values[n, 0])
        assert torch.allclose(found, wanted, atol=1e-12)
        assert bool((found[~learns] == 0).all())


def test_it_is_saved_undone_replayed_and_written(tmp_path: Path) -> None:
    model = make_model()
    plain = model.predict(make_curve()[0])
    model.fix(EDGE, "x**3 + a*x + b")
    x, _ = make_curve()
    model.save(tmp_path / "cubic.kan")
    again = kv.load(tmp_path / "cubic.kan")
    assert np.array_equal(again.predict(x), model.predict(x))
    assert np.allclose(recipe_reader.predict(model.recipe(), x.numpy()), model.predict(x))
    assert "pow(x_1, 3)" in model.formula().to_c()
    assert "constants={'a': " in model.script()
    model.undo()
    assert np.array_equal(model.predict(x), plain)
    model.redo()
    assert np.array_equal(again.predict(x), model.predict(x))


def test_locked_edges_share_the_constants_too() -> None:
    model = make_model((1, 2, 1))
    model.fix(EDGE, "x**2 + a*x")
    model.lock([EDGE, (0, 0, 1)])
    x, y = make_curve()
    model.fit(x, y, progress=False, steps=20)
    first, second = model.network.layers[0].affine
    assert torch.equal(first, second)
    model.unlock([EDGE, (0, 0, 1)])
    model.unfix(EDGE)
    assert model.network.layers[0].affine.shape == (1, 5)
    model.unfix((0, 0, 1))


def test_the_browser_previews_and_takes_it() -> None:
    desk, _ = make_desk()
    place = next((e["layer"], e["i"], e["j"]) for e in desk.scene()["edges"] if not e["formula"])
    formula = {"edge": list(place), "formula": "a*x^2 + b", "numbers": None}
    preview = ask(desk, "preview", **formula)
    ask(desk, "fix", **formula)
    edge = edge_of(desk.scene(), *place)
    assert edge["curve_y"] == pytest.approx(preview["curve_y"])
    assert "constants={'a': " in desk.model.script()
    numbers = [1.0, 0.0, 1.0, 0.0, 2.0, -1.0]
    ask(desk, "fix", **formula | {"numbers": numbers})
    assert "constants={'a': 2.0, 'b': -1.0}" in desk.model.script()
    for wrong in (numbers[:5], [*numbers, 1.0]):
        message = {"type": "fix", "seq": 1, **formula, "numbers": wrong}
        assert "numbers must have 2 for the free constants" in refusal(desk, message)


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("a*b + c", "must have the variable x"),
        ("a*x + foo", "unlike 'foo'"),
        ("q(x) + a", "unlike 'q'"),
        (" + ".join(f"{c}*x" for c in "abcdfghijklmn"), "at most 12 free constants"),
        ("a**x", "must have a number as exponent"),
        ("a*sqrt(-1 - x**2)", "must have a value where the data are"),
        ("+".join(["a*x"] * 500), "must have at most"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_formula_that_makes_no_sense_is_refused(formula: str, why: str) -> None:
    model = kv.KAN([1, 1])
    with pytest.raises(ValueError, match=why):
        model.fix(EDGE, formula)
    assert model.steps == []


@pytest.mark.usefixtures("unchecked")
def test_constants_that_do_not_belong_are_refused() -> None:
    model = kv.KAN([1, 1])
    for formula, given_, why in (
        ("x**3 + a*x", {"b": 1.0}, "a number for each free constant"),
        ("x**3 + a*x", {"a": float("nan")}, "must be a finite number"),
        ("sin", {"a": 1.0}, "free constant of 'sin': none"),
    ):
        with pytest.raises(ValueError, match=why):
            model.fix(EDGE, formula, constants=given_)


def test_names_that_mean_something_are_no_constants() -> None:
    assert constants_in("a*exp(-k_1*x) + pi*e + J0(x)") == ("a", "k_1")
    assert constants_in("sin(2*x)") == ()
