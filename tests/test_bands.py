"""Bands: against what they stand for, against the truth, and through what is done to a model."""

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from accuracy import bands as report
from hypothesis import given
from hypothesis import strategies as st

import kanviz as kv
from kanviz.nn import Network
from kanviz.training.doubt import Doubt, _root, _used, student
from kanviz.training.evidence import VAGUE, Shapes, Smoothing
from kanviz.training.jacobian import linearise
from kanviz.training.least_squares import LeastSquares

pytestmark = pytest.mark.long


def noisy(n: int = 200, *, size: float = 1.0, n_inputs: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return x and sin(2 x_1) + x_2 / 2 with noise 0.3, times ``size``."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (n, n_inputs))
    return x, size * (np.sin(2 * x[:, 0]) + x[:, 1] / 2 + 0.3 * rng.standard_normal(n))


@cache
def _fitted(widths: tuple[int, ...], size: float, dtype: torch.dtype) -> kv.KAN:
    model = kv.KAN(widths, dtype=dtype)
    data = noisy(size=size, n_inputs=widths[0])
    model.fit(*data, smoothing="auto", starts=1, steps=60, progress=False)
    return model


def fitted(*widths: int, size: float = 1.0, dtype: torch.dtype = torch.float64) -> kv.KAN:
    return _fitted(widths or (2, 1), size, dtype).copy()


# ---- what they stand for -------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [[2, 1], [2, 2, 1], [2, 2, 2]])
def test_the_error_of_an_output_is_that_of_the_gaussian_of_the_weights(
    widths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanviz.training.doubt.VAGUE", 1e-9)  # the precisions are known
    network = Network(widths, grid_size=3, seed=1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 2, generator=generator, dtype=torch.float64) * 2 - 1
    smoothing = Smoothing.first(network)
    found = Doubt.of(network, x, smoothing, 1.7).errors_of_outputs(network, x[:5])
    assert found is not None
    rows, n = linearise(network, x), sum(layer.weight.numel() for layer in network.layers)
    dense = torch.zeros(40, widths[-1], n, dtype=torch.float64)
    dense.scatter_add_(2, rows.columns, rows.values)
    matrix = dense.flatten(0, 1).T @ dense.flatten(0, 1) / (1.7**2 * smoothing.variance)
    zeros = torch.zeros(n, dtype=torch.float64)
    for form in smoothing.forms(network, [Shapes.of(one) for one in network.layers], 1.0, 1.7):
        form.add(matrix, zeros.clone(), zeros)
    plain = torch.einsum("nop,pq,noq->no", dense[:5], torch.linalg.inv(matrix), dense[:5]).sqrt()
    assert torch.allclose(found, plain, rtol=1e-6)


def test_what_the_precisions_leave_open_is_how_far_the_curve_would_move() -> None:
    rng = np.random.default_rng(0)
    x = torch.as_tensor(rng.uniform(-1, 1, (60, 1)))
    y = torch.sin(3 * x) + 0.3 * torch.as_tensor(rng.standard_normal((60, 1)))
    network = Network([1, 1], grid_size=5, dtype=torch.float64)
    shapes = [Shapes.of(network.layers[0])]

    def minimum(smoothing: Smoothing) -> torch.Tensor:
        design = network.layers[0].features(x)[:, 0]
        matrix = design.T @ design / smoothing.variance
        zeros = torch.zeros(len(matrix), dtype=torch.float64)
        for form in smoothing.forms(network, shapes, 1.0, 1.0):
            form.add(matrix, zeros.clone(), zeros)
        found: torch.Tensor = torch.linalg.solve(matrix, design.T @ y[:, 0] / smoothing.variance)
        return found

    first = replace(Smoothing.first(network), variance=0.1)
    weights = minimum(first)
    with torch.no_grad():
        network.layers[0].weight[0, :, 0] = weights
    root, _, _ = _root(LeastSquares(network, x, y, (), 1.0), first)
    used = _used(network, first, shapes, root[:, : len(weights)], 1.0)
    after = minimum(replace(first, bend=[first.bend[0] * math.exp(1e-4)]))
    moved = (after - weights) / 1e-4 * float((1 / VAGUE**2 + used[0][0] / 2).rsqrt())
    assert torch.allclose(root[:, len(weights)], -moved, atol=1e-3)


def test_changes_of_formulas_that_change_no_output_count_nothing() -> None:
    """A line of lines has two slopes and a level, in however many numbers it is written."""
    for seed in range(5):
        model = kv.KAN([2, 2, 1], seed=seed, dtype=torch.float64)
        for edge in [(0, i, j) for i in (0, 1) for j in (0, 1)] + [(1, 0, 0), (1, 1, 0)]:
            model.fix(edge, "x")
        x = torch.rand(200, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        smoothing = replace(Smoothing.first(model.network), variance=0.01)
        doubt = Doubt.of(model.network, x, smoothing, 1.0)
        assert doubt.dof == pytest.approx(3, abs=1e-6)
        errors = doubt.errors_of_outputs(model.network, x)
        assert errors is not None
        assert errors.square().sum() == pytest.approx(3 * 0.01, rel=1e-6)


def test_bands_of_one_curve_are_those_of_its_function() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (150, 1))
    model = kv.KAN([1, 1], dtype=torch.float64)
    model.fit(x, 100 * np.sin(2 * x) + 30 * rng.standard_normal(x.shape), smoothing="auto")
    band = model.bands(level=0.9)[kv.Edge(0, 0, 0)]
    low, high = model.predict_interval(band.x[:, None], 0.9)
    middle = model.predict(band.x[:, None])
    # An edge that is alone into its node shares its level with none.
    assert np.allclose(high - middle, (band.high - band.curve)[:, None], rtol=1e-6)
    assert np.allclose(middle - low, (band.curve - band.low)[:, None], rtol=1e-6)


def test_a_new_observation_has_the_noise_on_top() -> None:
    model = fitted(size=50.0)
    x, _ = noisy()
    mean, std = model.predict(x[:9], return_std=True)
    low, high = model.predict_interval(x[:9], 0.95, of="new")
    doubt = model.session.doubt
    assert doubt is not None
    noise = doubt.noise * float(model.session.about.y_scaling.scale)
    assert noise == pytest.approx(15, rel=0.15)
    assert np.allclose(high - mean, doubt.factor(0.95) * np.hypot(std, noise))
    assert np.allclose(mean - low, high - mean)


def test_each_output_has_a_noise_of_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def seen(rows: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(-1, 1, (rows, 1))
        law = np.hstack([np.sin(3 * x) + x**2, 10 * np.cos(2 * x)])
        return x, law + rng.normal(size=(rows, 2)) * [0.03, 3.0]

    model = kv.KAN([1, 2], dtype=torch.float64)
    model.fit(*seen(300), smoothing="auto", progress=False)
    x, y = seen(4000)
    low, high = model.predict_interval(x, of="new")
    precise, wild = ((low < y) & (y < high)).mean(0)
    assert precise > 0.93  # as smooth as the other asks for, so its errors are cautious
    assert 0.92 < wild < 0.97  # one noise for both: 0.83
    assert float((high - low)[:, 0].max()) < 0.05 * float((high - low)[:, 1].min())
    model.save(tmp_path / "two.kan")
    again = kv.load(tmp_path / "two.kan").predict_interval(x, of="new")
    assert np.array_equal(again, (low, high))


def test_units_of_the_data_are_those_of_the_bands() -> None:
    one, other = fitted().bands(), fitted(size=1e4).bands()
    assert one.keys() == other.keys()
    for edge, band in one.items():
        assert np.allclose(1e4 * (band.high - band.low), other[edge].high - other[edge].low, 1e-3)
        assert np.allclose(band.x, other[edge].x)
        assert abs(band.x).max() > 1.5  # the user's


def test_conventions_of_hidden_nodes_are_no_doubt() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (300, 2))
    y = np.exp(np.sin(x[:, 0]) + x[:, 1] / 2) + 0.2 * rng.standard_normal(300)
    model = kv.KAN([2, 1, 1], grid_size=8, dtype=torch.float64)
    model.fit(x, y, smoothing="auto", progress=False)
    shares = {
        edge: (band.high - band.low).max() / np.ptp(band.curve)
        for edge, band in model.bands().items()
    }
    assert max(shares.values()) < 0.5  # the scale of the hidden node alone would give more
    assert len(shares) == 3


@given(st.floats(0.01, 0.995), st.floats(3, 1e4))
def test_quantiles_are_students(level: float, freedom: float) -> None:
    exact = scipy.stats.t.ppf((1 + level) / 2, freedom)
    assert student(level, freedom) == pytest.approx(exact, rel=2e-2 if freedom < 5 else 1e-3)


# ---- the truth -----------------------------------------------------------------------------------


def test_bands_cover_the_truth_as_often_as_they_say() -> None:
    cells = [report.measure("sqrt(1 + x^2 + y^2)", 0.1, 150, seed) for seed in range(2)]
    assert 0.88 < np.mean([cell.covered for cell in cells]) < 0.99


def test_the_band_of_a_curve_covers_the_term_of_the_law() -> None:
    shares = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-2, 2, (200, 2))
        y = np.sin(2 * x[:, 0]) + x[:, 1] ** 2 / 2 + 0.3 * rng.standard_normal(200)
        model = kv.KAN([2, 1], grid_size=8, dtype=torch.float64)
        model.fit(x, y, smoothing="auto", progress=False)
        for edge, term in (((0, 0, 0), lambda z: np.sin(2 * z)), ((0, 1, 0), lambda z: z**2 / 2)):
            band = model.bands()[kv.Edge(*edge)]
            level = term(x[:, edge[1]]).mean() - np.interp(x[:, edge[1]], band.x, band.curve).mean()
            truth = term(band.x) - level
            shares.append(float(((band.low <= truth) & (truth <= band.high)).mean()))
    assert 0.85 < np.mean(shares) <= 1


# ---- through edits, files, and undo --------------------------------------------------------------


def test_a_curve_that_is_bent_by_hand_loses_its_band_and_undo_brings_it_back() -> None:
    model = fitted(2, 2, 1)
    before = model.bands()
    model.move_point((0, 0, 1), 3, 4.0)
    assert model.bands().keys() == before.keys() - {(0, 0, 1)}
    with pytest.raises(ValueError, match="was changed since the fit"):
        model.predict_interval(noisy()[0])
    model.undo()
    after = model.bands()
    assert all(np.array_equal(after[edge].high, before[edge].high) for edge in before)
    assert len(model.predict_interval(noisy()[0])) == 2


@pytest.mark.parametrize(
    "edit",
    [
        lambda model: model.refine(10),
        lambda model: model.freeze(0),
        lambda model: model.update_grid(noisy()[0], margin=0.1),
        lambda model: model.double(),
    ],
    ids=["refine", "freeze", "update_grid", "double"],
)
def test_what_leaves_the_curves_alone_leaves_their_bands(edit: Any) -> None:
    model = fitted(dtype=torch.float32)
    before, (low, high) = model.bands(), model.predict_interval(noisy()[0])
    edit(model)
    after = model.bands()
    assert after.keys() == before.keys()
    for edge in before:
        assert np.allclose(after[edge].high - after[edge].low, before[edge].high - before[edge].low)
    assert np.allclose(model.predict_interval(noisy()[0]), (low, high), atol=1e-3)


def test_a_removed_edge_and_a_formula_have_none_and_come_back_with_it() -> None:
    model = fitted(2, 2, 1)
    before = model.bands()
    model.remove_edge((0, 0, 1))
    model.fix((0, 1, 1), "x**3 + 7*x")
    assert model.bands().keys() == before.keys() - {(0, 0, 1), (0, 1, 1)}
    model.restore_edge((0, 0, 1))
    model.unfix((0, 1, 1))
    assert model.bands().keys() == before.keys()


def test_a_loop_of_ones_own_leaves_no_band_that_is_wrong() -> None:
    model = fitted()
    with torch.no_grad():
        model.network.layers[0].weight[0, 2, 0] += 3
    assert list(model.bands()) == [(0, 1, 0)]


def test_a_fit_without_evidence_ends_them() -> None:
    model = fitted()
    model.fit(*noisy(), steps=2, progress=False, smoothing=1e-3)
    with pytest.raises(ValueError, match="does not know the noise"):
        model.bands()


def test_bands_survive_a_file(tmp_path: Path) -> None:
    model = fitted(2, 2, 1, dtype=torch.float32)
    path, x = tmp_path / "model.kan", noisy()[0]
    model.save(path)
    again = kv.load(path)
    assert np.array_equal(again.predict_interval(x), model.predict_interval(x))
    for edge, band in model.bands(x).items():
        assert np.array_equal(band.high, again.bands(x)[edge].high)
    assert again.snapshot(x) == model.snapshot(x)
    assert path.stat().st_size < 60_000


def test_a_file_of_an_edited_model_keeps_what_is_still_true(tmp_path: Path) -> None:
    model, path, x = fitted(2, 2, 1), tmp_path / "model.kan", noisy()[0]
    model.move_point((0, 0, 1), 3, 4.0)
    model.refine(10)
    model.save(path)
    again = kv.load(path)
    assert again.bands(x).keys() == model.bands(x).keys() != set()
    with pytest.raises(ValueError, match="was changed since the fit"):
        again.predict_interval(x)


def test_of_a_large_model_the_curves_keep_their_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanviz.training.doubt.MOST_KEPT", 10)
    model = kv.KAN([2, 1])
    model.fit(*noisy(), smoothing="auto", progress=False)
    assert len(model.bands()) == 2
    with pytest.raises(ValueError, match="only the bands of the curves are kept"):
        model.predict_interval(noisy()[0])


def test_locked_and_frozen_edges() -> None:
    model = kv.KAN([3, 2, 1], dtype=torch.float64)
    model.lock([(0, 0, 0), (0, 1, 0)])
    model.freeze((0, 2, 1))
    model.fit(*noisy(n_inputs=3), smoothing="auto", progress=False, steps=30)
    found = model.bands()
    assert (0, 2, 1) not in found
    assert np.allclose(
        found[kv.Edge(0, 0, 0)].high - found[kv.Edge(0, 0, 0)].curve,
        found[kv.Edge(0, 1, 0)].high - found[kv.Edge(0, 1, 0)].curve,
        rtol=0.5,
    )
    assert len(model.predict_interval(noisy(n_inputs=3)[0])) == 2


def test_asking_changes_nothing() -> None:
    model = fitted(2, 2, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.bands()
    model.predict_interval([[0.0, 0.0]])
    model.plot()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.steps == [model.steps[0]]


# ---- pictures ------------------------------------------------------------------------------------


def test_pictures_show_bands_where_there_is_noise_and_none_without() -> None:
    with_noise = fitted().snapshot()
    assert all(view.band is not None for view in with_noise.edges)
    assert kv.Snapshot.from_dict(with_noise.to_dict()) == with_noise
    x = np.linspace(-1, 1, 200)[:, None]
    model = kv.KAN([1, 1], grid_size=20, dtype=torch.float64)
    model.fit(x, np.sin(3 * x), smoothing="auto", progress=False)
    assert [view.band for view in model.snapshot().edges] == [None]


def test_the_band_of_a_figure_lies_around_the_curve_and_in_its_box() -> None:
    from kanviz.layout.picture import picture

    drawing = picture(fitted().snapshot())
    for mark in (edge.plot for edge in drawing.edges):
        half = len(mark.band) // 2
        assert half == len(mark.curve)
        for (_, y), (_, above), (_, below) in zip(
            mark.curve, mark.band[:half], mark.band[half:][::-1], strict=True
        ):
            assert mark.box.top <= above <= y <= below <= mark.box.bottom


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda model: model.bands(level=1.0), "level must be above 0 and below 1; got 1.0"),
        (lambda model: model.predict_interval([[0.0, 0.0]], 95), "level must be above 0"),
        (lambda model: model.predict_interval([[0.0, 0.0]], of="all"), "of must be one of"),
    ],
    ids=["level", "percent", "of"],
)
def test_what_cannot_be_is_said(call: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call(fitted())


def test_who_has_no_evidence_is_told_what_to_do() -> None:
    for ask in (
        lambda model: model.bands(),
        lambda model: model.predict([[0.0, 0.0]], return_std=True),
        lambda model: model.predict_interval([[0.0, 0.0]]),
    ):
        with pytest.raises(ValueError, match="Fit it with smoothing='auto', which finds the noise"):
            ask(kv.KAN([2, 1]))


def test_levels_that_are_known() -> None:
    assert student(0.95, math.inf) == pytest.approx(1.96, abs=1e-3)
