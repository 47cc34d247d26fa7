"""A law is found in data by one call, and none is called exact that leaves an error."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
import torch
from tqdm.auto import tqdm

import kanviz as kv
from kanviz import discovery
from kanviz.data import Dataset
from kanviz.discovery import Discovery, form_of

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2, (300, 3))


@pytest.fixture(scope="module")
def found() -> Discovery:
    x = X[:100]
    return kv.discover(x, x[:, 0] * x[:, 1] ** 2 / x[:, 2], progress=False)


@pytest.mark.long
def test_a_law_with_products_is_found(found: Discovery) -> None:
    assert str(found.best.formula) == "x_1*x_2**2/x_3"
    assert found.best.is_exact
    assert found.best.verdict == "exact"
    assert found.best.way == "structure"
    assert "x_1*x_2**2/x_3" in found._repr_html_()


@pytest.mark.long
def test_its_model_shows_the_way(found: Discovery) -> None:
    model = found.best.model
    assert len(model.steps) == 2  # trained and named
    assert model.predict([[1.0, 2.0, 4.0]]).item() == pytest.approx(1.0)
    assert "from_formula" in model.script()


@pytest.mark.long
def test_what_leaves_an_error_is_not_exact(found: Discovery) -> None:
    law = found.best
    assert not replace(law, error=1e-5 * law.size).is_exact
    assert replace(law, error=1e-5 * law.size).verdict == "not the law: an error is left"
    noisy = replace(law, noise=0.01, error=0.0102)
    assert noisy.verdict == "leaves only the noise"
    assert noisy.is_enough
    assert not noisy.is_exact
    assert not replace(noisy, error=0.02).is_enough
    worse = replace(law, error=1.0)
    assert Discovery([worse, law], found.structure).best is law


@pytest.mark.long
def test_the_users_names_stay_whatever_they_are() -> None:
    names = ["age [s]", "f1"]
    x = pd.DataFrame(X[:90, :2], columns=names)
    model = kv.KAN.from_formula("`age [s]`*f1**2", dict.fromkeys(names, (0.5, 2.0)))
    y = X[:90, 0] * X[:90, 1] ** 2
    best = kv.discover(x, y, model=model, progress=False).best
    assert str(best.formula) == "`age [s]`*f1**2"
    assert best.model.input_names == tuple(names)
    assert best.model.score(x.iloc[:, ::-1], y) > 1 - 1e-9
    assert "`age [s]`" in best.model.script()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X, "data must be a Dataset or a pair"),
        ((X[:, :1], ["a", "b"] * 150), "y must be one column of numbers; got classes"),
        ((X, X[:, 0] * 0), "y must vary, for a constant has no law; got one value"),
        ((X, X[:, :2]), "y must be one column of numbers; got 2 outputs"),
        (kv.from_arrays(X, X[:, 0], test_fraction=0.0), "data must have a test part"),
    ],
)
def test_data_that_will_not_do_are_one_sentence(
    unchecked: None, data: object, message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        kv.discover(data, progress=False)


def test_unknown_functions_of_a_formula_begin_as_they_are_told() -> None:
    x = np.linspace(0, 2, 30)
    model = kv.KAN.from_formula(
        "a*(2*f1(b) + 1)", {"a": (0, 1), "b": (0, 2)}, unknown={"f1": (x.tolist(), (x**2).tolist())}
    )
    rows = torch.tensor([[0.5, 1.0], [1.0, 1.5]], dtype=torch.float64)
    assert model(rows).flatten().tolist() == pytest.approx([1.5, 5.5], abs=1e-3)
    assert "unknown={'f1': " in model.script()


# ---- again on halves of the rows -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2.31*x*y", "x*y"),
        ("3*sin(2.1*x + 0.3) - 4", "sin(7*x + 1) + 2"),
        ("x**2 + y", "y - 3.3*x**2"),
        ("exp(2.5*x)", "3*exp(-x)"),
    ],
)
def test_formulas_that_differ_in_numbers_alone_have_one_form(one: str, other: str) -> None:
    assert form_of(sympy.sympify(one)) == form_of(sympy.sympify(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x**2", "x**3"),
        ("x**(1/2)", "x**0.5000001"),
        ("x + 1", "x"),
        ("sin(x)", "cos(x)"),
        ("x*y", "x + y"),
    ],
)
def test_other_functions_terms_and_small_exponents_are_another_form(one: str, other: str) -> None:
    assert form_of(sympy.sympify(one)) != form_of(sympy.sympify(other))


@pytest.mark.long
def test_each_law_says_on_how_many_halves_it_is_found_again(
    monkeypatch: pytest.MonkeyPatch, found: Discovery
) -> None:
    seen: list[Dataset] = []
    law, laws_of = found.best, discovery._found

    def laws(sample: Dataset, model: kv.KAN | None, seed: int, bar: object) -> object:
        seen.append(sample)
        by_chance = replace(law, formula=replace(law.formula, expressions=(sympy.Symbol("x_1"),)))
        return first._replace(laws=[by_chance if len(seen) == 3 else law])

    with tqdm(disable=True) as bar:
        first = laws_of(kv.from_arrays(X, X[:, 0], test_fraction=0.2), None, 0, bar)
    monkeypatch.setattr(discovery, "_found", laws)
    again = kv.discover(X, X[:, 0], halves=4, progress=False)
    assert again.best.found_again == (3, 4)
    assert "3 of 4" in str(again)
    whole, *halves = seen
    assert [len(half.x) for half in halves] == 4 * [len(whole.x) // 2]
    assert len({half.x.numpy().tobytes() for half in halves}) == 4
    assert whole.x_test is not None
    assert all(half.x_test is whole.x_test for half in halves)


@pytest.mark.long
def test_what_comes_again_on_halves_is_judged_on_all_rows(found: Discovery) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, (200, 2))
    y = 3 * x[:, 0] / x[:, 1] + 0.03 * rng.normal(size=200)
    sample = kv.from_arrays(x, y, test_fraction=0.2, dtype=torch.float64)
    model = kv.KAN.from_formula(
        "x_1*(5.03 - 2.13*x_2)", [(1, 2)] * 2, input_names=sample.input_names
    )
    model.fit(sample, smoothing="auto", steps=3, progress=False)
    by_chance = discovery._law(model, sample, "structure", model)
    rows = model.session.dataset(sample)
    so_far = discovery._Found([by_chance], found.structure, model, rows)
    exact = sympy.sympify("2.9*x_1/x_2")
    form = form_of(exact)
    assert by_chance.noise is not None
    (law,) = discovery._of_halves({form: exact}, Counter({form: 2}), so_far)
    assert (law.form, law.way) == (form, "halves")
    assert law.is_enough
    assert law.evidence > by_chance.evidence
    assert not list(discovery._of_halves({form: exact}, Counter({form: 1}), so_far))


@pytest.mark.parametrize("wrong", [{"halves": -1}, {"halves": 1.5}, {"n_jobs": 0}])
def test_numbers_of_halves_and_workers_are_counts(unchecked: None, wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match="must be"):
        kv.discover(X, X[:, 0], progress=False, **wrong)
