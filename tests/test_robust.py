"""Huber's loss: a few wild rows move neither the curves nor the noise."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kanviz as kv
from kanviz.training.families import ROBUST

pytestmark = pytest.mark.long


def make_rows(seed: int, *, wild: float = 0.05) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, y with noise of 0.1 and some rows far off, and y without either."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (300, 2))
    true = np.sin(3 * x[:, 0]) + x[:, 1] ** 2
    y = true + 0.1 * rng.normal(size=300)
    far = rng.choice(300, round(wild * 300), replace=False)
    y[far] += rng.choice([-1, 1], len(far)) * rng.uniform(5, 20, len(far))
    return x, y, true


def fitted(x: np.ndarray, y: np.ndarray, **options: Any) -> tuple[kv.KAN, kv.FitReport]:
    model = kv.KAN([2, 1], dtype=torch.float64)
    return model, model.fit(x, y, progress=False, **options)


def test_wild_rows_move_neither_curves_nor_noise() -> None:
    for seed in range(3):
        x, y, true = make_rows(seed)
        model, report = fitted(x, y, loss="huber")
        off = np.sqrt(np.mean((np.ravel(model.predict(x)) - true) ** 2))
        assert off < 0.03  # by squares 0.3 to 0.5
        assert report.noise == pytest.approx(0.1, rel=0.15)
        lower, upper = model.predict_interval(x, 0.95)
        covered = (np.ravel(lower) < true) & (true < np.ravel(upper))
        assert covered.mean() > 0.8
        assert any("rows are more than 2.5 times the noise away" in note for note in report.notes)


def test_without_wild_rows_it_says_what_least_squares_say() -> None:
    x, y, _ = make_rows(0, wild=0)
    (one, by_size), (other, by_square) = fitted(x, y, loss="huber"), fitted(x, y)
    assert by_size.noise == pytest.approx(by_square.noise, rel=0.06)
    assert np.abs(one.predict(x) - other.predict(x)).max() < 0.05


def test_it_depends_on_no_unit_and_each_output_has_its_own_wild_rows() -> None:
    x, y, _ = make_rows(1)
    both = np.stack([y, y[::-1]], axis=1)
    found = []
    for unit in (1.0, 1e9):
        model = kv.KAN([2, 2], dtype=torch.float64)
        model.fit(x, unit * both, loss="huber", steps=30, progress=False)
        found.append(np.asarray(model.predict(x)) / unit)
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_a_row_of_weight_2_is_that_row_twice() -> None:
    x, y, _ = make_rows(2)
    weight = np.where(np.arange(300) < 60, 2.0, 1.0)
    twice = np.r_[0:300, 0:60]
    one, _ = fitted(x, y, loss="huber", sample_weight=weight)
    other, _ = fitted(x[twice], y[twice], loss="huber")
    np.testing.assert_allclose(one.predict(x), other.predict(x), atol=1e-4)


def test_pruning_and_naming_after_it_are_not_moved_either(tmp_path: Path) -> None:
    x, y, true = make_rows(0)
    x = np.c_[x, np.random.default_rng(9).uniform(-1, 1, (300, 1))]  # an idle input
    model = kv.KAN([3, 1], dtype=torch.float64)
    model.fit(x, y, loss="huber", progress=False)
    model.save(tmp_path / "robust.kan")
    loaded = kv.load(tmp_path / "robust.kan")
    for work in (model, loaded):
        assert [edge.i for edge in work.prune((x, y)).edges] == [2]
    work.symbolify((x, y), functions=["x^2", "sin"])
    off = np.sqrt(np.mean((np.ravel(work.predict(x)) - true) ** 2))
    assert off < 0.03
    assert "sin(3" in str(work.formula())


def test_its_working_residuals_have_the_slope_of_its_deviance() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, y = torch.randn(2, 40, 3, generator=generator, dtype=torch.float64)
    family = ROBUST.at(0.5)
    roots, residual = family.working(outputs, y)
    slope = torch.func.grad(lambda own: family.deviance(own, y).sum() / 2)(outputs)
    torch.testing.assert_close((roots.mT @ residual.unsqueeze(2)).squeeze(2), slope)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"optimizer": "adam"}, "optimizer"),
        ({"smoothing": 0.1}, "smoothing"),
        ({"sparsity": 1e-3}, "sparsity"),
        ({"batch_size": 10}, "optimizer"),
    ],
)
def test_what_does_not_go_with_it_is_said(options: dict[str, Any], wrong: str) -> None:
    x, y, _ = make_rows(0)
    with pytest.raises(ValueError, match=f"loss='huber' finds the noise .* got another {wrong}"):
        fitted(x, y, loss="huber", **options)


def test_classes_have_no_residuals() -> None:
    with pytest.raises(ValueError, match="loss must be 'cross_entropy' for classes; got 'huber'"):
        kv.KAN([2, 2]).fit(make_rows(0)[0], ["a", "b", "b"] * 100, loss="huber", progress=False)
