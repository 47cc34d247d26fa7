"""Counts: the network says the logarithm of their mean, all else is in counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import PoissonRegressor

import kanviz as kv
from kanviz.training.families import Counts

pytestmark = pytest.mark.long

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def make_counts(rows: int = 300, seed: int = 0, size: float = 1.0) -> Arrays:
    """Return x, counts and their means; the third input is idle."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (rows, 3))
    mean = size * np.exp(1 + np.sin(3 * x[:, 0]) + 0.5 * x[:, 1])
    return x, rng.poisson(mean), mean


@pytest.fixture(scope="module")
def fitted() -> tuple[kv.KAN, Arrays]:
    made = make_counts()
    model = kv.KAN([3, 1], dtype=torch.float64)
    model.fit(*made[:2], loss="poisson", progress=False)
    return model, made


def test_a_straight_network_is_the_generalised_linear_model() -> None:
    x, _, _ = make_counts(200)
    y = np.random.default_rng(1).poisson(np.exp(1 + x @ [0.8, -0.6, 0.7]))
    straight: dict[str, Any] = {"grid_size": 1, "spline_order": 1, "base": "zero"}
    wanted = PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000).fit(x, y).predict(x)
    model = kv.KAN([3, 1], **straight, dtype=torch.float64)
    model.fit(x, y, loss="poisson", optimizer="lm", smoothing=1e-12, progress=False)
    np.testing.assert_allclose(model.predict(x)[:, 0], wanted, rtol=1e-3)
    model = kv.KAN([3, 1], **straight, dtype=torch.float64)
    model.fit(x, y, loss="poisson", progress=False)
    said, errors = (part[:, 0] for part in model.predict(x, return_std=True))
    np.testing.assert_allclose(said, wanted, rtol=0.05)
    ones = np.c_[np.ones(len(x)), x]
    covariance = np.linalg.inv((ones * wanted[:, None]).T @ ones)
    theirs = np.sqrt(np.einsum("ij,jk,ik->i", ones, covariance, ones))
    np.testing.assert_allclose(errors / said, theirs, rtol=0.1)


def test_means_are_found_and_an_idle_input_is_idle(fitted: tuple[kv.KAN, Arrays]) -> None:
    model, (x, y, mean) = fitted
    off = np.log(np.ravel(model.predict(x)) / mean)
    assert np.sqrt((off**2).mean()) < 0.1
    low, high = model.predict_interval(x)
    assert ((low[:, 0] < mean) & (mean < high[:, 0])).mean() > 0.8
    assert float(model.feature_scores(by="freedom")[2]) < 0.5
    found = model.evaluate((x, y))
    assert found["train_rmse"] == pytest.approx(np.std(y - mean), rel=0.1)
    assert model.score(x, y) == found["train_r2"] > 0.5
    assert model.output_names == ("log y",)


def test_pruning_and_naming_go_by_the_likelihood(fitted: tuple[kv.KAN, Arrays]) -> None:
    model, (x, y, mean) = fitted
    work = model.copy()
    assert [edge.i for edge in work.prune((x, y)).edges] == [2]
    work.symbolify((x, y), functions=["x", "sin"])
    off = np.log(np.ravel(work.predict(x)) / mean)
    assert np.sqrt((off**2).mean()) < 0.15
    assert "sin(" in str(work.formula())


def test_a_file_keeps_that_it_is_of_counts(fitted: tuple[kv.KAN, Arrays], tmp_path: Path) -> None:
    model, (x, *_) = fitted
    model.save(tmp_path / "counts.kan")
    loaded = kv.load(tmp_path / "counts.kan")
    assert np.array_equal(loaded.predict(x), model.predict(x))
    assert np.array_equal(loaded.predict_interval(x), model.predict_interval(x))


@pytest.mark.parametrize("size", [1.0, 1e5])
def test_data_sets_of_few_digits_and_weights_say_the_same(size: float) -> None:
    x, y, _ = make_counts(100, size=size)
    weight, twice = np.where(np.arange(100) < 20, 2.0, 1.0), np.r_[0:100, 0:20]
    found = []
    for data in (
        kv.from_arrays(x, y, sample_weight=weight, test_fraction=0),  # float32, scaled
        kv.from_arrays(x[twice], y[twice], test_fraction=0, normalize=False, dtype=torch.float64),
    ):
        model = kv.KAN([3, 1], dtype=torch.float64)
        model.fit(data, loss="poisson", progress=False)
        found.append(model.predict(x))
    np.testing.assert_allclose(found[0], found[1], rtol=2e-2)


def test_weights_that_are_no_whole_numbers_can_be_saved(tmp_path: Path) -> None:
    x, y, _ = make_counts(60)
    model = kv.KAN([3, 1], dtype=torch.float64)
    model.fit(x, y, loss="poisson", sample_weight=np.full(60, 0.3), progress=False)
    model.save(tmp_path / "weighed.kan")
    assert kv.load(tmp_path / "weighed.kan").predict_interval(x)[0].shape == (60, 1)


def test_working_residuals_and_metric_are_those_of_the_deviance() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(20, 2, generator=generator, dtype=torch.float64)
    y = torch.poisson(3 * torch.rand(20, 2, generator=generator, dtype=torch.float64))
    family = Counts((0.3, -1.0))
    roots, residual = family.working(outputs, y)

    def half(own: torch.Tensor) -> torch.Tensor:
        return family.deviance(own, y).sum() / 2

    slope = torch.func.grad(half)(outputs)
    torch.testing.assert_close((roots.mT @ residual.unsqueeze(2)).squeeze(2), slope)
    one = torch.func.hessian(lambda own: family.deviance(own, y[:1]).sum() / 2)(outputs[:1])
    torch.testing.assert_close(roots[0].T @ roots[0], one[0, :, 0, :])
    assert float(family.deviance(y.log() - outputs.new_tensor(family.shift), y).nansum()) < 1e-12


def test_a_search_takes_counts() -> None:
    x, y, _ = make_counts(80)
    found = kv.search(x, y, loss="poisson", widths=[(3, 1)], progress=False)
    assert np.all(found.best.predict(x) > 0)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([1, 2, -1], r"y must hold counts, whole numbers from 0 on, .* got -1 in row 2"),
        ([1, 2.5, 0], r"y must hold counts, whole numbers from 0 on, .* got 2.5 in row 1"),
        ([0, 0, 0], "y must hold a count above 0"),
        (["a", "b", "a"], "y must hold counts for loss='poisson'; got classes"),
    ],
)
def test_what_are_no_counts_is_said(y: Any, match: str) -> None:
    model = kv.KAN([1, 2 if isinstance(y[0], str) else 1])
    with pytest.raises(ValueError, match=match):
        model.fit([0.0, 1.0, 2.0], y, loss="poisson", progress=False)
    assert model.network.is_untouched()


@pytest.mark.usefixtures("unchecked")
def test_numbers_and_counts_do_not_mix(fitted: tuple[kv.KAN, Arrays]) -> None:
    model, (x, y, _) = fitted
    with pytest.raises(ValueError, match="loss must be 'poisson' for a model of counts; got 'mse'"):
        model.copy().fit(x, y, loss="mse", progress=False)
    with pytest.raises(ValueError, match="One more count scatters"):
        model.predict_interval(x, of="new")
    other = kv.KAN([3, 1])
    other.fit(x, y, steps=1, progress=False)
    with pytest.raises(ValueError, match="loss='poisson' needs a new model"):
        other.fit(x, y, loss="poisson", progress=False)


def test_the_diagram_shows_it_without_data(fitted: tuple[kv.KAN, Arrays]) -> None:
    model, (x, y, _) = fitted
    diagram = model.copy().explore((x, y))
    diagram.close()
