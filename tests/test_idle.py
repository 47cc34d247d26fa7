"""Pruning by evidence: what the data ask nothing of goes first, and bands follow."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_friedman1

import kanviz as kv

pytestmark = pytest.mark.long


@pytest.mark.parametrize("seed", range(5))
def test_the_idle_inputs_of_friedman_are_found_and_the_others_stay(seed: int) -> None:
    x, y = make_friedman1(500, noise=1.0, random_state=seed)
    model = kv.KAN([10, 1], dtype=torch.float64)
    model.fit(x, y, smoothing="auto", progress=False)
    freedom = model.feature_scores(by="freedom")
    assert float(freedom[:5].min()) > 0.9
    report = model.prune((x, y))
    assert [edge.i for edge in report.edges] == [5, 6, 7, 8, 9]
    assert all(drop.is_idle for drop in report if drop.removed)
    assert "idle" in str(report)
    assert model.feature_scores(by="freedom")[5:].tolist() == [0] * 5


def test_bands_follow_a_prune_and_its_undo() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (200, 4))
    y = np.sin(2 * x[:, 0]) + 0.3 * rng.standard_normal(200)
    model = kv.KAN([4, 1], dtype=torch.float64)
    model.fit(x, y, smoothing="auto", progress=False)
    before = model.predict_interval(x)
    report = model.prune((x, y))
    assert len(report.edges) == 3
    assert list(model.bands()) == [(0, 0, 0)]
    low, high = model.predict_interval(x)
    truth = np.sin(2 * x[:, :1])
    assert ((low <= truth) & (truth <= high)).mean() > 0.8
    assert (high - low).mean() < (before[1] - before[0]).mean()
    model.undo()
    assert np.array_equal(model.predict_interval(x), before)


def test_a_model_that_was_bent_by_hand_is_pruned_as_before() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (200, 2))
    model = kv.KAN([2, 1], dtype=torch.float64)
    model.fit(x, np.sin(2 * x[:, 0]) + 0.3 * rng.standard_normal(200), smoothing="auto")
    model.move_point((0, 0, 0), 3, 2.0)
    report = model.prune((x, np.sin(2 * x[:, 0])))
    assert not any(drop.is_idle for drop in report)


def test_who_has_no_evidence_is_told() -> None:
    with pytest.raises(ValueError, match="does not know the noise"):
        kv.KAN([2, 1]).feature_scores(by="freedom")
