"""A law is found in data by one call, and none is called exact that leaves an error."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import kanviz as kv
from kanviz.discovery import Discovery

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2, (300, 3))


@pytest.fixture(scope="module")
def found() -> Discovery:
    return kv.discover(X, X[:, 0] * X[:, 1] ** 2 / X[:, 2], progress=False)


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
