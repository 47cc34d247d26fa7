"""A row of weight 2 is that row twice, a row of weight 0 is none: whatever is made of the rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kanviz as kv
from kanviz.data import Scaling
from kanviz.training.errors import by_rows, loss_of
from kanviz.training.jacobian import n_weights
from kanviz.training.least_squares import LeastSquares, MatrixFree

pytestmark = pytest.mark.long


def make_rows(seed: int = 0, rows: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, noisy y and whole weights, some 0."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (rows, 2))
    y = np.sin(x[:, 0]) + x[:, 1] ** 2 + 0.2 * rng.normal(size=rows)
    return x, y, rng.integers(0, 4, rows)


WAYS: list[dict[str, Any]] = [
    {"optimizer": "lm", "smoothing": 1e-4, "steps": 8},
    {"smoothing": "auto", "steps": 20},
    {"optimizer": "lbfgs", "steps": 5},
    {"optimizer": "adam", "steps": 5},
    {"optimizer": "adam", "loss": torch.nn.L1Loss(), "steps": 5},
    {"sparsity": 1e-3, "steps": 8},
    {"loss": torch.nn.functional.smooth_l1_loss, "steps": 5},
]


@pytest.mark.parametrize("how", WAYS)
def test_weights_are_rows_counted(how: dict[str, Any]) -> None:
    x, y, weight = make_rows()
    one, other = (kv.KAN([2, 1], dtype=torch.float64) for _ in range(2))
    mine = one.fit(x, y, sample_weight=weight, progress=False, **how)
    many = np.repeat(x, weight, axis=0), np.repeat(y, weight)
    theirs = other.fit(many, progress=False, **how)
    # Evidence stops where its rise is below 0.05, to which rounding leads from two sides.
    close = 1e-4 if how.get("smoothing") == "auto" else 1e-9
    np.testing.assert_allclose(one.predict(x), other.predict(x), atol=close)
    assert mine.loss == pytest.approx(theirs.loss, rel=close)
    if mine.noise is not None:
        assert mine.noise == pytest.approx(theirs.noise, rel=close)
        assert mine.log_evidence == pytest.approx(theirs.log_evidence, abs=1e-3)
        spread, counted = (model.predict(x, return_std=True)[1] for model in (one, other))
        np.testing.assert_allclose(spread, counted, rtol=1e-3)
    assert one.evaluate((x, y), sample_weight=weight) == pytest.approx(one.evaluate(many))
    assert one.score(x, y, sample_weight=weight) == pytest.approx(one.score(many))
    assert one.score(x, y) != pytest.approx(one.score(many))


def test_weights_count_for_classes_and_in_later_fits_and_searches() -> None:
    x, y, weight = make_rows()
    labels = np.where(y > 1, "high", "low")
    models = [kv.KAN([2, 2], dtype=torch.float64) for _ in range(2)]
    many = np.repeat(x, weight, axis=0), np.repeat(labels, weight)
    for _ in range(2):  # the second goes on from the first, in its units
        models[0].fit(x, labels, sample_weight=weight, steps=4, progress=False)
        models[1].fit(many, steps=4, progress=False)
    np.testing.assert_allclose(models[0].predict_proba(x), models[1].predict_proba(x), atol=1e-9)
    assert models[0].score(x, labels, sample_weight=weight) == pytest.approx(models[1].score(many))
    data = kv.from_arrays(x, y, sample_weight=weight, test_fraction=0.25)
    alone = kv.KAN([2, 1], dtype=torch.float64)
    alone.fit(data, optimizer="lm", smoothing=1e-4, steps=5, progress=False)
    plan = alone.plan(data)  # judges by the test part, each row as often as it counts
    found = alone.evaluate(data)["test_rmse"] / float(data.y_scaling.scale)
    deviation = float(Scaling.standard(data.y.double(), data.sample_weight).scale)
    assert plan.error_now == pytest.approx(found / deviation, rel=1e-5)


@given(
    weight=st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(lambda w: np.sum(w) > 2),
    shift=st.floats(-1e6, 1e6),
)
@settings(max_examples=25, deadline=None)
def test_a_data_set_of_weights_is_the_one_of_the_rows(weight: list[int], shift: float) -> None:
    if np.count_nonzero(weight) < 2:
        return
    x = shift + np.arange(6.0).reshape(-1, 1) ** 2
    one = kv.from_arrays(x, x[:, 0], sample_weight=weight, test_fraction=0, constant="keep")
    many = np.repeat(x, weight, axis=0)
    other = kv.from_arrays(many, many[:, 0], test_fraction=0, constant="keep")
    assert torch.allclose(one.x_scaling.shift, other.x_scaling.shift)
    assert torch.allclose(one.x_scaling.scale, other.x_scaling.scale)
    assert one.sample_weight is not None
    assert one.sample_weight.tolist() == [float(one) for one in weight if one]
    assert len(one.x) == np.count_nonzero(weight)


def test_rows_of_weight_0_change_no_split() -> None:
    x, y, weight = make_rows()
    counts = weight > 0
    one = kv.from_arrays(x, y, sample_weight=weight, seed=3)
    other = kv.from_arrays(x[counts], y[counts], sample_weight=weight[counts], seed=3)
    assert torch.equal(one.x, other.x)
    assert one.x_test is not None
    assert other.x_test is not None
    assert torch.equal(one.x_test, other.x_test)
    assert one.notes == (f"{(~counts).sum()} of 40 rows left out for a weight of 0.",)
    assert one.sample_weight_test is not None
    kept = one.to(torch.float32).without_test()
    assert kept.sample_weight is not None
    assert kept.sample_weight.dtype == torch.float64
    assert kept.sample_weight_test is None


def test_a_class_of_rows_that_do_not_count_is_none() -> None:
    data = kv.from_arrays([1.0, 2, 3, 4], list("abca"), sample_weight=[1, 1, 0, 2], test_fraction=0)
    assert data.classes == ("a", "b")


def test_a_column_of_a_file_holds_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,n,y\n0,1,0\n1,2,1\n2,0,9\n3,1,2\n4,,7\n5,3,1\n")
    data = kv.from_csv(path, target="y", weight="n", test_fraction=0.25)
    assert data.input_names == ("x",)
    assert data.sample_weight is not None
    assert data.sample_weight_test is not None
    assert sorted([*data.sample_weight.tolist(), *data.sample_weight_test.tolist()]) == [1, 1, 2, 3]
    assert "1 of 5 rows left out for a weight of 0." in data.notes
    with pytest.raises(ValueError, match="weight must be a column of its own; got 'y'"):
        kv.from_csv(path, target="y", weight="y")
    path.write_text("x,n,y\n0,a,0\n1,b,1\n")
    with pytest.raises(ValueError, match="weight must be a column of numbers; got 'n'"):
        kv.from_csv(path, target="y", weight="n")


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2, 3, -1], "sample_weight must be at least 0; got -1 in row 3. Pass 0 to leave"),
        ([1.0, 2, 3], r"sample_weight must have shape \(4,\), one number per row of x; got \(3,\)"),
        ([0, 0, 0, 0], "sample_weight is 0 in every row, which leaves none"),
        ([1.0, float("nan"), 1, 1], "sample_weight must .*finite"),
        (["a", "b", "c", "d"], "sample_weight must hold numbers"),
    ],
)
def test_bad_weights_are_told_in_a_sentence(weight: list[Any], message: str) -> None:
    x, y = [0.0, 1, 2, 3], [0.0, 1, 0, 1]
    trained = kv.KAN([1, 1])
    trained.fit(x, y, steps=1, progress=False)
    for model in (kv.KAN([1, 1]), trained):
        with pytest.raises((ValueError, TypeError), match=message):
            model.fit(x, y, sample_weight=weight, progress=False)
    with pytest.raises((ValueError, TypeError), match=message):
        trained.score(x, y, sample_weight=weight)


@pytest.mark.usefixtures("unchecked")
def test_weights_need_rows_and_a_loss_of_rows() -> None:
    x, y, weight = make_rows()
    model, data = kv.KAN([2, 1]), kv.from_arrays(x, y)
    with pytest.raises(ValueError, match="got it beside a Dataset, which keeps its own"):
        model.fit(data, sample_weight=weight)
    with pytest.raises(ValueError, match="sample_weight needs a loss that torch can take row"):
        model.fit(x, y, sample_weight=weight, loss=lambda o, t: (o - t).abs().mean())
    with pytest.raises(ValueError, match="sample_weight_test needs x_test"):
        kv.from_arrays(x, y, sample_weight_test=weight)


def test_a_script_names_the_weights() -> None:
    x, y, weight = make_rows()
    model = kv.KAN([2, 1])
    model.fit(x, y, sample_weight=weight, steps=2, progress=False)
    assert "model.fit(data, sample_weight=sample_weight, steps=2, " in model.script()


def test_both_models_of_the_cost_count_rows() -> None:
    torch.manual_seed(0)
    network = kv.KAN([2, 2, 2], dtype=torch.float64).network
    x, y = torch.rand(12, 2, dtype=torch.float64), torch.rand(12, 2, dtype=torch.float64)
    weight = torch.arange(12, dtype=torch.float64) % 4
    times = weight.long()
    many = x.repeat_interleave(times, 0), y.repeat_interleave(times, 0)
    one = LeastSquares(network, x, y, (), 1.0, sample_weight=weight)
    other = LeastSquares(network, *many, (), 1.0)
    weights = one.weights()
    assert one.cost(weights) == pytest.approx(other.cost(weights))
    mine, theirs = one.quadratic(weights), other.quadratic(weights)
    torch.testing.assert_close(mine.matrix, theirs.matrix)
    torch.testing.assert_close(mine.gradient, theirs.gradient)
    free = MatrixFree.at(
        network,
        x,
        y,
        (),
        weights=weights,
        unit=1 / one.count,
        locks=one.locks,
        sample_weight=weight,
    )
    torch.testing.assert_close(free.gradient, mine.gradient)
    change = torch.rand(n_weights(network), dtype=torch.float64)
    image = mine.matrix @ change
    torch.testing.assert_close(free.times(change).double(), image, rtol=1e-4, atol=1e-6)
    blocks = torch.cat([block.diagonal for block in free.blocks])
    torch.testing.assert_close(blocks, mine.matrix.diagonal())


def test_a_loss_row_by_row_is_what_torch_says() -> None:
    outputs, y = torch.rand(5, 3), torch.tensor([0, 1, 2, 1, 0])
    weight = torch.tensor([1.0, 0, 2, 1, 3])
    loss = torch.nn.CrossEntropyLoss()
    every = by_rows(loss)(outputs, y)
    assert every.shape == (5,)
    assert loss.reduction == "mean"
    many = weight.long()
    counted = loss(outputs.repeat_interleave(many, 0), y.repeat_interleave(many))
    assert float(loss_of(loss, outputs, y, weight)) == pytest.approx(float(counted))
