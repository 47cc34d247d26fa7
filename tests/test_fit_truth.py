"""What a fit tells is so: its report is that of the model handed back, never worse than before."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from fit_helpers import make_data, make_network, quick, same, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st

from kanviz import KAN, FitReport, from_arrays
from kanviz.data.scaling import root_mean_square
from kanviz.training import Progress
from kanviz.training.errors import deviation_of, quality

pytestmark = pytest.mark.long


@pytest.mark.parametrize("seed", range(6))
def test_a_start_that_solves_it_already_is_kept(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    model = KAN([2, 2, 1], base="identity", dtype=torch.float64, seed=seed)
    report = model.fit(x, x.sum(1, keepdim=True), progress=False)
    assert report.loss < 1e-20
    assert model.score(x, x.sum(1, keepdim=True)) == 1


OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "lm", "steps": 5},
    {"optimizer": "lbfgs", "steps": 5},
    {"optimizer": "adam", "steps": 5, "learning_rate": 0.3},
    {"optimizer": "adam", "steps": 5, "learning_rate": 0.3, "batch_size": 64},
    {"optimizer": torch.optim.SGD, "steps": 5, "learning_rate": 1.0},
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", OPTIMIZERS)
def test_the_report_is_that_of_the_state_handed_back(
    options: dict[str, Any], dtype: torch.dtype, unchecked: None
) -> None:
    network, data = make_network(dtype=dtype), make_data(dtype=dtype)
    before = quality(network, data)
    report = quick(network, data, **options)
    after = quality(network, data)
    assert report.errors == after
    assert report.loss == pytest.approx(after["train_rmse"] ** 2, rel=1e-12)
    assert after["train_rmse"] <= before["train_rmse"]


@pytest.mark.parametrize("options", OPTIMIZERS)
def test_each_step_tells_the_loss_of_the_network_that_is_there(
    options: dict[str, Any], unchecked: None
) -> None:
    data = make_data()

    def look(progress: Progress) -> None:
        left = progress.network(data.x).detach() - data.y
        assert progress.loss == pytest.approx(float(left.square().mean()), rel=1e-9)

    quick(make_network(), data, callbacks=[look], **options)


def test_a_fit_that_can_only_spoil_leaves_the_model_and_says_so() -> None:
    network, data = make_network(), make_data()
    quick(network, data, steps=60)
    before = weights_of(network)
    report = quick(network, data, optimizer="adam", steps=3, learning_rate=10.0)
    assert same(before, weights_of(network))
    assert report.kept_step == 0
    assert report.loss == pytest.approx(quality(network, data)["train_rmse"] ** 2)
    assert "No step was better" in report.notes[-1]


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
@pytest.mark.parametrize("size", [1e-150, 1e-23, 1e-9, 1e9, 1e19, 1e150])
def test_the_size_of_y_is_no_matter_without_normalize_either(optimizer: Any, size: float) -> None:
    x = torch.rand(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    data = from_arrays(x, size * x.prod(1), test_fraction=0.0, normalize=False)
    model = KAN([2, 1], dtype=torch.float64)
    rate = 0.1 if optimizer == "adam" else None
    report = model.fit(data, optimizer=optimizer, steps=80, learning_rate=rate, progress=False)
    assert report.errors == model.evaluate(data)
    assert report.errors["train_r2"] > 0.8


@pytest.mark.parametrize("normalize", [True, False])
def test_inputs_matter_alike_whatever_the_size_of_y(*, normalize: bool) -> None:
    x = torch.rand(80, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def matter(size: float) -> list[float]:
        data = from_arrays(x, size * x.sum(1), test_fraction=0.0, normalize=normalize)
        model = KAN([2, 2, 1], dtype=torch.float64)
        model.fit(data, steps=20, progress=False)
        inputs = [node.score for node in model.snapshot(data).nodes if node.layer == 0]
        assert min(inputs) > 0.2
        return model.feature_scores(data).tolist()

    assert matter(1e-6) == pytest.approx(matter(1.0), abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-12, 1e4, 1e9, 1e14])
def test_lines_of_any_size_are_found_without_normalize(size: float, dtype: torch.dtype) -> None:
    x = size * np.random.default_rng(0).uniform(-1, 1, (100, 2))
    data = from_arrays(
        x, x[:, 0] / size + 2 * x[:, 1] / size, test_fraction=0.0, normalize=False, dtype=dtype
    )
    model = KAN([2, 1], dtype=dtype)
    report = model.fit(data, progress=False)
    assert report.errors == model.evaluate(data)
    assert report.errors["train_r2"] > 1 - 1e-9


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_time_stamps_are_learnt_and_measured(dtype: torch.dtype, *, normalize: bool) -> None:
    x = 1.7e9 + 432 * np.arange(200.0)
    y = 10 * np.sin(np.arange(200) / 20)
    data = from_arrays(x, y, test_fraction=0.0, normalize=normalize, dtype=dtype)
    model = KAN([1, 1], dtype=dtype)
    report = model.fit(data, progress=False)
    assert report.errors == model.evaluate(data)
    assert model.evaluate((x, y))["train_r2"] > 0.99


def test_knots_stay_apart_in_the_dtype_of_the_model() -> None:
    for offset in (1e7, 1e8, 1e12, 1e30):
        model = KAN([1, 1])
        model.update_grid(torch.rand(200, 1) + offset)
        assert model.network.is_sound()
        assert bool(model(torch.rand(5, 1) + offset).isfinite().all())


def test_knots_closer_than_the_digits_are_refused(unchecked: None) -> None:
    with pytest.raises(ValueError, match="cannot tell 12 of them apart"):
        KAN([1, 1], grid_range=(1e8, 1e8 + 1))
    model = KAN([1, 1], grid_range=(1e8, 1e8 + 1000))
    with pytest.raises(ValueError, match="Take fewer intervals"):
        model.refine(1000)
    assert model.network.layers[0].spec.grid_size == 5


def test_nan_is_refused_and_the_state_before_stays(unchecked: None) -> None:
    network, data = make_network(), make_data()
    before = weights_of(network)
    for optimizer in ("lbfgs", "adam"):
        with pytest.raises(FloatingPointError, match="must be finite"):
            quick(network, data, optimizer=optimizer, loss=lambda a, b: (a - b).sum() * torch.nan)
        assert same(before, weights_of(network))


def test_weights_beyond_float32_are_refused(unchecked: None) -> None:
    x = torch.rand(50, 1, dtype=torch.float64)
    data = from_arrays(x, 1e45 * x, test_fraction=0.0, normalize=False)
    model = KAN([1, 1])
    before = weights_of(model.network)
    with pytest.raises(FloatingPointError, match=r"beyond the range or the digits of torch\.float"):
        model.fit(data, progress=False)
    assert same(before, weights_of(model.network))


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1.0, 1e160, 1e300])
def test_root_mean_squares_do_not_leave_the_range(size: float) -> None:
    values = torch.tensor([[3.0, 1.0], [4.0, 1.0]], dtype=torch.float64)
    expected = torch.tensor([12.5**0.5, 1.0], dtype=torch.float64)
    assert torch.allclose(root_mean_square(size * values) / size, expected, rtol=1e-15)


def test_the_unit_of_constants_is_their_size() -> None:
    tenths = torch.full((7, 1), 0.1, dtype=torch.float64)
    assert deviation_of(tenths) == 0.1
    assert deviation_of(1e-30 * tenths) == pytest.approx(1e-31)
    assert deviation_of(0 * tenths) == 1
    assert deviation_of(torch.tensor([[1.0], [3.0]])) == 1


factors = st.floats(-12, 12).map(lambda power: 10.0**power)
offsets = st.floats(-1e5, 1e5)  # in units of the column's own range
LAW = np.random.default_rng(5).uniform(-1, 1, (40, 2))
TRUTH = np.sin(2 * LAW[:, 0]) + LAW[:, 1]


@functools.cache
def plainly_fitted() -> tuple[KAN, FitReport]:
    """Return a model of the law as it stands; no test may change it."""
    model = KAN([2, 1], dtype=torch.float64)
    return model, model.fit(LAW, TRUTH, progress=False)


@settings(max_examples=10, deadline=None)
@given(factors, offsets, factors, offsets)
def test_reports_and_scores_agree_in_any_units(a: float, b: float, c: float, d: float) -> None:
    (plain, first), other = plainly_fitted(), KAN([2, 1], dtype=torch.float64)
    x, y = a * (LAW + b), c * (TRUTH + d)
    second = other.fit(x, y, progress=False)
    assert second.errors == other.evaluate((x, y))
    assert second.errors["train_rmse"] / c == pytest.approx(first.errors["train_rmse"], abs=1e-6)
    assert other.score(x, y) == pytest.approx(plain.score(LAW, TRUTH), abs=1e-6)
    np.testing.assert_allclose(other.predict(x) / c - d, plain.predict(LAW), atol=1e-5)


@functools.cache
def score_of_raw(factor: float, optimizer: Any) -> float:
    data = from_arrays(LAW, factor * TRUTH, test_fraction=0.0, normalize=False, dtype=torch.float64)
    model = KAN([2, 1], dtype=torch.float64)
    report = model.fit(data, optimizer=optimizer, steps=60, progress=False)
    assert report.errors == model.evaluate(data)
    return report.errors["train_r2"]


@settings(max_examples=10, deadline=None)
@given(factors, st.sampled_from(["lm", "lbfgs"]))
def test_raw_targets_of_any_size_have_equal_scores(c: float, optimizer: Any) -> None:
    assert score_of_raw(c, optimizer) == pytest.approx(score_of_raw(1.0, optimizer), abs=2e-3)


def test_r2_of_constant_targets_is_one_or_zero() -> None:
    x = np.linspace(-1, 1, 30)
    for value in (0.0, 0.1, 5e9, 1e-30):
        model = KAN([1, 1], dtype=torch.float64)
        report = model.fit(x, np.full(30, value), progress=False)
        assert report.errors["train_r2"] in (0.0, 1.0)
        assert report.errors["train_rmse"] <= 1e-9 * max(value, 1.0)
        assert model.evaluate((x, x))["train_r2"] <= 1
    data = from_arrays(x, np.full(30, 3.0), test_fraction=0.0, normalize=False)
    assert KAN([1, 1]).evaluate(data)["train_r2"] == 0


@settings(max_examples=6)
@given(
    st.one_of(st.just(0.0), st.floats(-300, 298).map(lambda power: -0.7 * 10**power)),
    st.integers(2, 20),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from(["all", "one output", "hidden"]),
    st.sampled_from(["lm", "lm", "lbfgs", "adam"]),
)
def test_constants_are_met_and_read(
    value: float, rows: int, dtype: torch.dtype, which: str, optimizer: Any
) -> None:
    x = np.linspace(-1, 1, rows)
    y = np.full((rows, 2), value)
    if which == "one output":
        y[:, 1] = 3 * x
    model = KAN([1, 2, 2] if which == "hidden" else [1, 2], dtype=dtype)
    report = model.fit(x, y, steps=5, starts=1, optimizer=optimizer, progress=False)
    assert report.errors == model.evaluate((x, y))
    assert np.isfinite(list(report.errors.values())).all()
    assert report.errors["train_r2"] <= 1
    size = abs(value) or 1.0
    if optimizer == "lm" and which == "all":
        assert np.abs(model.predict(x) - y).max() < 1e-3 * max(size, 1.0)


@settings(max_examples=4, deadline=None)
@given(
    st.one_of(st.just(0.0), st.floats(-30, 30).map(lambda power: -0.7 * 10**power)),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from([[2, 1], [2, 2, 1], [2, (1, 1), 1], [2, 2]]),
)
def test_a_constant_is_named_as_that_number(value: float, dtype: torch.dtype, widths: Any) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    y = np.full((30, widths[-1]), value)
    y[:, 1:] = 3 * x[:, :1]
    model = KAN(widths, dtype=dtype)
    model.fit(x, y, steps=5, starts=1, progress=False)
    report = model.symbolify((x, y), functions=["x"])
    assert all(edge.chosen for edge in report.edges)
    first = model.formula().expressions[0]
    assert first.is_number
    assert float(first) == pytest.approx(value, rel=1e-5)
    assert model.predict(x)[:, 0] == pytest.approx(value, rel=1e-12)
    assert model.evaluate((x, y))["train_r2"] > 1 - 1e-6


@settings(max_examples=3, deadline=None)
@given(st.sampled_from([0.0, -7.5]), st.floats(0.05, 0.3), st.floats(-6, 6), st.booleans())
def test_the_noise_of_an_output_is_its_own(
    value: float,
    noise: float,
    power: float,
    is_first: bool,  # noqa: FBT001 - drawn
) -> None:
    rng, size = np.random.default_rng(2), 10**power
    x = rng.uniform(-1, 1, 200)
    noisy = size * (np.sin(2 * x) + noise * rng.standard_normal(200))
    y = np.stack([noisy, np.full(200, value)][:: 1 if is_first else -1], axis=1)
    model = KAN([1, 2], dtype=torch.float64)
    told = model.fit(x, y, smoothing="auto", starts=1, progress=False).noise
    assert isinstance(told, list)
    mine, other = told if is_first else told[::-1]
    assert mine / size == pytest.approx(noise, rel=0.15)
    assert other < 1e-3


@settings(max_examples=5)
@given(
    st.sampled_from(["lm", "lbfgs", "adam", torch.optim.SGD, torch.optim.RMSprop]),
    st.integers(1, 4),
    st.floats(-3, 2),
    st.sampled_from([None, 7]),
    st.sampled_from([{}, {"sparsity": 1e-2}, {"smoothing": 1e-3}, {"validation": 0.3}]),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 99),
)
def test_any_way_to_fit_tells_of_the_state_that_is_handed_back(
    optimizer: Any,
    steps: int,
    rate: float,
    batch_size: int | None,
    more: dict[str, Any],
    dtype: torch.dtype,
    seed: int,
) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "steps": steps, "starts": 1} | more
    if optimizer != "lm":
        options["learning_rate"] = 10**rate
    if optimizer not in ("lm", "lbfgs"):
        options["batch_size"] = batch_size
    model, losses = KAN([2, 1], dtype=dtype, seed=seed), []
    model.fit(LAW, TRUTH, steps=2, starts=1, smoothing=1e-6, progress=False)
    before = model.evaluate((LAW, TRUTH))

    def look(progress: Progress) -> None:
        losses.append(progress.loss)

    report = model.fit(LAW, TRUTH, callbacks=[look], progress=False, **options)
    assert report.errors == model.evaluate((LAW, TRUTH))
    assert report.kept_step <= report.n_steps
    left = model.predict(LAW)[:, 0] - TRUTH
    assert report.errors["train_rmse"] == pytest.approx(np.sqrt(np.mean(left**2)), rel=1e-4)
    if not more:
        assert report.errors["train_rmse"] <= before["train_rmse"] * (1 + 1e-9)
        unit = float(model.session.about.y_scaling.scale[0])
        told = [np.sqrt(loss) * unit for loss in losses] + [before["train_rmse"]]
        assert report.errors["train_rmse"] <= min(told) * (1 + 1e-3)


def test_a_test_part_of_one_row_has_no_r2(unchecked: None) -> None:
    x = np.linspace(-1, 1, 30)
    data = from_arrays(x, x**2, x_test=[0.5], y_test=[0.25])
    model = KAN([1, 1])
    report = model.fit(data, progress=False)
    assert set(report.errors) == {"train_rmse", "train_r2", "test_rmse"}
    with pytest.raises(ValueError, match="at least 2 rows"):
        model.score(data)


def test_one_row_can_be_measured_but_not_learnt_from(unchecked: None) -> None:
    x = np.linspace(-1, 1, 30)
    model = KAN([1, 1])
    model.fit(x, x**2, progress=False)
    row = [0.5], [0.25]
    off = abs(float(model.predict([0.5])[0, 0]) - 0.25)
    assert model.evaluate(row) == {"train_rmse": pytest.approx(off)}
    with pytest.raises(ValueError, match="at least 2 rows; got 1"):
        model.score(*row)
    for learn in (model.fit, model.prune, model.symbolify):
        with pytest.raises(ValueError, match="at least 2 training samples; got 1"):
            learn(row)


def test_targets_that_are_their_own_rounding_are_said() -> None:
    x = np.linspace(-1, 1, 50)
    y = 1 + 1e-15 * np.random.default_rng(0).normal(size=50)
    report = KAN([1, 1]).fit(x, y, progress=False)
    assert any("what is learnt is noise" in note for note in report.notes)
    raw = from_arrays(1e9 + x, x, normalize=False, test_fraction=0.0, dtype=torch.float32)
    assert "few digits" in raw.notes[0]


def test_float32_inputs_do_not_cost_float64_targets_their_digits() -> None:
    x = torch.linspace(-1, 1, 60)
    y = 1e8 + np.sin(3 * np.linspace(-1, 1, 60))
    model = KAN([1, 1], grid_size=10)
    model.fit(x, y, progress=False)
    assert model.evaluate((x, y))["train_r2"] > 0.999


@pytest.mark.parametrize("size", [1e-23, 1.0, 1e19])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_error_of_a_formula_is_a_share_of_what_varies(size: float, offset: float) -> None:
    x = np.linspace(-1, 1, 50)
    y = size * (offset + x**2)
    model = KAN([1, 1], dtype=torch.float64)
    model.fit(x, y, progress=False)
    model.fix((0, 0, 0), "x^2")
    formula = model.formula()
    found = np.asarray(formula.to_callable()(x.reshape(-1, 1))).reshape(-1)
    wanted = model.predict(x).reshape(-1)
    share = np.abs(found - wanted).max() / np.abs(wanted - wanted.mean()).max()
    assert share < 1e-3
    assert formula.error == pytest.approx(share, rel=0.01, abs=1e-7)
