"""The search for a shape: what it tries in which order, what it takes, and what it survives."""

import functools
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
import pytest
import torch

import kanviz as kv
from kanviz.shape_search import PRICE_OF_FINER, Candidate, Search, _How, search
from kanviz.training.evidence import PRICE
from kanviz.training.least_squares import MOST_EXACT

pytestmark = pytest.mark.long

Evidence = Callable[[tuple[int, ...], int], float]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Evidence], list[Any]]:
    """Return what lets candidates be as likely as a function of widths and grid size says."""

    def with_evidence(evidence: Evidence) -> list[Any]:
        trained: list[Any] = []

        def train(how: _How, job: Any) -> Candidate:
            is_model = isinstance(job, kv.KAN)
            model = job.copy() if is_model else kv.KAN(job, grid_size=how.grid_size)
            now = model.network.layers[0].spec.grid_size
            if is_model:
                model.refine(2 * now)
            trained.append((model.widths, model.network.layers[0].spec.grid_size))
            report = kv.FitReport("lm", log_evidence=evidence(*trained[-1]), noise=0.1)
            return Candidate(model, report, int(is_model) * (2 * now // 10))

        monkeypatch.setattr(_How, "train", train)
        return trained

    return with_evidence


X = np.linspace(-1, 1, 40).reshape(20, 2)
Y = X[:, 0] + X[:, 1] ** 2


def test_where_hidden_nodes_do_not_help_the_search_soon_ends(pretend: Any) -> None:
    trained = pretend(lambda widths, grid: -5.0 * len(widths) - grid)
    found = search(X, Y, progress=False)
    assert [widths for widths, _ in trained] == [(2, 1), (2, 1, 1), (2, 2, 1), (2, 1)]
    assert found.best.widths == (2, 1)
    assert found.winner.grid_size == 5


def test_nodes_are_added_as_long_as_they_help_then_a_layer_then_finer_grids(pretend: Any) -> None:
    trained = pretend(
        lambda widths, grid: (
            10.0 * min(widths[1], 4) * (len(widths) > 2) + 1.1 * PRICE_OF_FINER * (grid > 5)
        )
    )
    found = search(X, Y, progress=False)
    hidden = [widths[1:-1] for widths, _ in trained]
    assert hidden[:7] == [(), (1,), (2,), (3,), (4,), (5,), (6,)]
    assert hidden[7:] == [(4, 1), (4, 2), (4,), (4,)]  # twice finer: once too often
    assert found.best.widths == (2, 4, 1)
    assert found.winner.grid_size == 10


def test_a_hidden_node_must_be_worth_its_price(pretend: Any) -> None:
    for gain, hidden in ((0.9, ()), (1.1, (1,))):
        pretend(lambda widths, _, gain=gain: gain * PRICE * (widths[1:-1] == (1,)))
        assert search(X, Y, progress=False).best.widths == (2, *hidden, 1)


def test_the_public_name_stays_the_function(pretend: Any) -> None:
    pretend(lambda *_: 0.0)
    for _ in range(2):  # a module of that name would take its place
        assert len(kv.search(X, Y, progress=False)) > 0
    assert kv.Search is Search


def test_interrupted_it_keeps_the_candidates_so_far(pretend: Any) -> None:
    def evidence(widths: tuple[int, ...], _: int) -> float:
        if widths == (2, 2, 1):
            raise KeyboardInterrupt
        return float(len(widths) * 10)

    pretend(evidence)
    found = search(X, Y, progress=False)
    assert found.stopped == "interrupted"
    assert found.best.widths == (2, 1, 1)
    assert "Interrupted" in str(found)


def test_interrupted_before_the_first_it_says_so(pretend: Any) -> None:
    def evidence(*_: Any) -> float:
        raise KeyboardInterrupt

    pretend(evidence)
    with pytest.raises(KeyboardInterrupt):
        search(X, Y, progress=False)


def product(noise: float = 0.1) -> kv.Dataset:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (150, 2))
    y = x[:, 0] * x[:, 1] + noise * rng.standard_normal(150) / 3
    return kv.from_arrays(x, y, test_fraction=0.3, dtype=torch.float64)


SHAPES = [(2, 1), (2, 2, 1)]


def test_a_product_needs_two_nodes_and_the_table_says_what_it_costs() -> None:
    found = search(product(), widths=SHAPES, progress=False, starts=4)
    assert found.best.widths == (2, 2, 1)
    assert found.winner.noise == pytest.approx(0.1 / 3, rel=0.25)
    errors = [one.test_error for one in found]
    assert errors[1] is not None
    assert errors[0] is not None
    assert errors[1] < 0.5 * errors[0]
    assert "test RMSE" in str(found)
    assert "<table>" in found._repr_html_()
    assert found.plot().axes[0].get_xlabel() == "log evidence"


QUICK: dict[str, Any] = {"widths": [(2, 1), (2, 1, 1)], "progress": False, "starts": 1}


def same(one: Search, other: Search) -> bool:
    pairs = zip(one, other, strict=True)
    return all(
        a.log_evidence == b.log_evidence
        and all(
            torch.equal(p, q)
            for p, q in zip(a.model.parameters(), b.model.parameters(), strict=True)
        )
        for a, b in pairs
    )


@functools.cache
def alone() -> Search:
    return search(product(), **QUICK)


def test_side_by_side_it_finds_the_same() -> None:
    assert same(alone(), search(product(), **QUICK))
    assert same(alone(), search(product(), n_jobs=2, **QUICK))


def test_a_cluster_of_dask_finds_the_same() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        assert same(alone(), search(product(), n_jobs=2, **QUICK))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"widths": [(3, 1)]}, r"widths must go from 2 inputs to 1 outputs, as the data do; got"),
        ({"widths": []}, "widths must hold at least one shape"),
        ({"widths": "all"}, "widths must be"),
        ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
        ({"starts": 0}, "starts must be"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        search(X, Y, progress=False, **options)


def test_of_classes_too_the_shape_is_found() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (120, 2))
    is_same = (x[:, 0] * x[:, 1] > 0).astype(int)
    data = kv.from_arrays(x, is_same, task="classification", test_fraction=0.3)
    shapes = [(2, 2), (2, 2, 2)]
    found = search(data, widths=shapes, progress=False, starts=3)
    assert found.best.widths == (2, 2, 2)
    assert found.winner.test_error is not None
    assert found.winner.test_error < 0.2
    assert "test wrong" in str(found)
    assert "noise" not in str(found)


def test_whole_numbers_are_labels_where_cross_entropy_is_asked_for(pretend: Any) -> None:
    pretend(lambda *_: 0.0)
    assert search(X, [1, 2] * 10, loss="cross_entropy", progress=False).best.widths == (2, 2)


def test_no_shape_has_more_weights_than_the_evidence_is_found_for(pretend: Any) -> None:
    trained = pretend(lambda widths, _: 100.0 * sum(widths))
    x = np.random.default_rng(0).normal(size=(30, 100))
    search(x, x[:, 0], progress=False)
    counts = [9 * sum(a * b for a, b in pairwise(widths)) for widths, _ in trained]
    assert 0.8 * MOST_EXACT < max(counts) <= MOST_EXACT


def test_a_fit_that_was_broken_off_has_no_evidence() -> None:
    assert Candidate(kv.KAN([1, 1]), kv.FitReport("lm")).log_evidence == -math.inf
