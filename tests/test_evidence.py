"""Smoothing by evidence: against the Gaussian that it stands for, and by what it finds."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import kanviz as kv
from kanviz.data import from_arrays
from kanviz.nn import Network
from kanviz.training import evidence, fit
from kanviz.training.evidence import VAGUE, Neighbours, Shapes, Smoothing, inverse
from kanviz.training.least_squares import LeastSquares, minimise
from kanviz.training.task import FitOptions, prepare

pytestmark = pytest.mark.long


def noisy(n: int, noise: float, *, n_inputs: int = 3, seed: int = 0) -> kv.Dataset:
    """Return sin(2 x_1) + x_2 / 2 with noise; the other inputs do nothing."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n, n_inputs))
    y = np.sin(2 * x[:, 0]) + x[:, 1] / 2 + noise * rng.standard_normal(n)
    return from_arrays(x, y, dtype=torch.float64)


@pytest.mark.parametrize("base", ["silu", "zero"])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_evidence_is_the_density_of_y_under_prior_and_noise(base: str, size: float) -> None:
    data = noisy(60, 0.3)
    network = Network([3, 1], grid_size=4, base=base, seed=1, dtype=torch.float64)  # type: ignore[arg-type]
    y, n = size * data.y, len(data.y)
    network.scale_outputs(size)
    scale = float(y.std(correction=0))
    generator = torch.Generator().manual_seed(0)
    rough = [torch.rand(3, 1, generator=generator, dtype=torch.float64) + 0.1 for _ in range(2)]
    smoothing = Smoothing([50 * rough[0]], [2 * rough[1]], 0.2)
    problem = LeastSquares(network, data.x, y, smoothing.penalties(network, n, scale), scale)
    for _ in minimise(problem, 50):
        pass
    _, found = smoothing.judged(problem)
    prior = torch.zeros(network.layers[0].weight.numel(), network.layers[0].weight.numel())
    prior = prior.double()
    for form in smoothing.forms(network, [_shapes(network)], 1.0, 1.0):
        form.add(prior, torch.zeros(len(prior)).double(), torch.zeros(len(prior)).double())
    design = network.layers[0].features(data.x).flatten(1)
    covariance = design @ torch.linalg.inv(prior) @ design.T + 0.2 * torch.eye(n).double()
    normal = torch.distributions.MultivariateNormal(torch.zeros(n).double(), covariance)
    doubt = _doubt(smoothing, network, found.covariance, scale / problem.unit)
    assert found.log_evidence + doubt == pytest.approx(
        float(normal.log_prob((y / scale).squeeze(1))), rel=1e-6
    )


def _shapes(network: Network) -> Shapes:
    return Shapes.of(network.layers[0])


def _doubt(smoothing: Smoothing, network: Network, v: torch.Tensor, scale: float) -> float:
    """Return what not knowing the precisions costs, from the definition."""
    shapes, total = _shapes(network), 0.0
    n_features = network.layers[0].spec.n_features
    for factor, form, rank in (
        (smoothing.bend[0], shapes.bend, shapes.bend_rank),
        (smoothing.slope[0], shapes.slope, shapes.slope_rank),
    ):
        for i in range(3):
            own = v[i * n_features : (i + 1) * n_features, i * n_features : (i + 1) * n_features]
            used = rank - float(factor[i, 0] * torch.trace(own @ form[i])) / scale**2
            total += 0.5 * math.log1p(0.5 * VAGUE**2 * used)
    return total


def test_noise_and_idle_inputs_are_found() -> None:
    data = noisy(400, 0.3, n_inputs=6)
    network = Network([6, 1], grid_size=8, dtype=torch.float64)
    report = fit(network, data, smoothing="auto", progress=False)
    assert report.noise == pytest.approx(0.3, rel=0.1)
    assert report.edge_dof is not None
    wavy, straight, *idle = report.edge_dof[0].squeeze(1).tolist()
    assert wavy > 4
    assert 0.5 < straight < 2.5
    assert sum(idle) < 0.7 * len(idle)  # by chance some follow the noise a little
    assert report.effective_dof == pytest.approx(wavy + straight + sum(idle) + 1, abs=0.5)


def test_unseen_rows_are_predicted_far_better_than_without() -> None:
    data = noisy(120, 1.0, n_inputs=6)
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (1000, 6))
    truth = np.sin(2 * x[:, 0]) + x[:, 1] / 2
    errors = []
    for smoothing in (1e-10, "auto"):
        network = Network([6, 2, 1], dtype=torch.float64)
        fit(network, data, smoothing=smoothing, progress=False, starts=3)
        with torch.no_grad():
            outputs = network(data.from_user_inputs(torch.as_tensor(x)))
        found = data.to_user_outputs(outputs).squeeze(1).numpy()
        errors.append(float(np.sqrt(((found - truth) ** 2).mean())))
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_no_curve_runs_away_where_there_are_no_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_inputs = int(rng.integers(2, 6))
    x = rng.standard_t(3, (150, n_inputs))  # a few rows far out, in the training part and beyond
    x[:, -1] = rng.choice([-1.0, 4.0], 150)  # nothing in between
    hidden = np.tanh(x @ rng.standard_normal(n_inputs))
    y = hidden + x[:, 0] * (x[:, 1] > 0) + rng.standard_t(4, 150)
    model = kv.KAN([n_inputs, 3, 1], dtype=torch.float64, seed=seed)
    model.fit(x[:60], y[:60], smoothing="auto", starts=1, progress=False)
    low, high = y[:60].min(), y[:60].max()
    box = np.abs(x[:60]).max(0)
    inside = (np.abs(x[60:]) <= box).all(1)
    for rows, most in ((x[60:][inside], 1.0), (x[60:], 3.0)):
        outputs = np.asarray(model.predict(rows))
        assert outputs.max() < high + most * (high - low)
        assert outputs.min() > low - most * (high - low)


def test_ends_are_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    steepest = []
    for homing in (0.0, evidence.HOMING):
        monkeypatch.setattr(evidence, "HOMING", homing)
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x = rng.standard_t(3, (40, 1))
            y = np.tanh(2 * x) + 0.3 * rng.standard_t(3, (40, 1))  # flat, but for chance
            model = kv.KAN([1, 1], grid_size=10, dtype=torch.float64)
            model.fit(x, y, smoothing="auto", progress=False)
            far = 3 * np.abs(x).max()
            beyond = np.array([[-far - 1], [-far], [far], [far + 1]])
            steepest.append(np.abs(np.diff(np.ravel(model.predict(beyond)))[::2]).max())
    assert sum(steepest[3:]) < 0.95 * sum(steepest[:3])


def test_without_noise_nothing_is_smoothed_away() -> None:
    x = torch.linspace(-1, 1, 300, dtype=torch.float64).unsqueeze(1)
    data = from_arrays(x, torch.sin(3 * x), dtype=torch.float64)
    errors = []
    for smoothing in (1e-10, "auto"):
        network = Network([1, 1], grid_size=20, dtype=torch.float64)
        errors.append(fit(network, data, smoothing=smoothing, progress=False).loss ** 0.5)
    assert errors[1] < 2 * errors[0]  # its grid goes a little farther beyond the samples


def test_a_fit_finds_out_by_itself_whether_there_is_noise() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 2))
    law = np.sin(3 * x[:, 0]) + x[:, 1] ** 2
    for noise in (0.01, 0.2):
        data = from_arrays(x, law + noise * rng.standard_normal(300), dtype=torch.float64)
        report = kv.KAN([2, 1], dtype=torch.float64).fit(data, progress=False)
        assert report.noise == pytest.approx(noise, rel=0.15)
    data = from_arrays(x, law, dtype=torch.float64)
    losses = []
    for smoothing in (None, 1e-10):
        model = kv.KAN([2, 1], dtype=torch.float64)
        report = model.fit(data, smoothing=smoothing, progress=False)
        assert report.noise is None
        losses.append(report.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_few_rows_without_noise_are_learnt_exactly_too() -> None:
    x = np.linspace(-1, 1, 12).reshape(-1, 1)
    model = kv.KAN([1, 1], grid_size=8, dtype=torch.float64)
    report = model.fit(x, 2 * x + 1, progress=False)
    assert report.noise is None
    assert report.loss < 1e-16


def test_a_trained_model_follows_no_noise_either() -> None:
    data = noisy(200, 0.5)
    model = kv.KAN([3, 1], dtype=torch.float64)
    model.fit(data, sparsity=1e-3, progress=False)
    report = model.fit(data, progress=False)
    assert report.noise == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize("options", [{"validation": 0.2}, {"sparsity": 1e-3}, {"smoothing": 1e-4}])
def test_who_says_how_to_keep_to_the_law_is_obeyed(options: dict[str, object]) -> None:
    model = kv.KAN([3, 1], dtype=torch.float64)
    report = model.fit(noisy(60, 0.5), steps=20, progress=False, **options)  # type: ignore[call-overload]
    assert report.noise is None


def test_neighbours_tell_noise_from_what_is_not_learnt_where_they_are_near() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (400, 2))
    law = np.sin(3 * x[:, 0] * x[:, 1])
    network = Network([2, 1], dtype=torch.float64, init="zero")
    for y, is_noise in ((law, None), (rng.standard_normal(400), None)):
        data = from_arrays(x, y, dtype=torch.float64)
        near = Neighbours(prepare(network, data, FitOptions()))
        assert near.find_noise(network) is is_noise  # as large as y itself: neither, or too far
        assert near.can_tell == (y is law)
    data = from_arrays(x, law + 0.1 * rng.standard_normal(400), dtype=torch.float64)
    near = Neighbours(prepare(network, data, FitOptions()))
    learnt = Network([2, 4, 1], dtype=torch.float64)
    fit(learnt, data, smoothing=1e-6, steps=40, progress=False)
    assert near.find_noise(learnt) is True


def test_removed_frozen_and_locked_edges_stay_so() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (150, 3))
    y = x[:, 0] + x[:, 1] + 0.1 * rng.standard_normal(150)
    model = kv.KAN([3, 2, 1], dtype=torch.float64)
    model.remove_edge((0, 2, 0))
    model.freeze((0, 2, 1))
    model.lock([(0, 0, 0), (0, 1, 0)])
    before = model.network.layers[0].weight[2, :, 1].clone()
    report = model.fit(x, y, smoothing="auto", update_grid=False, steps=20, progress=False)
    weight = model.network.layers[0].weight
    assert torch.equal(weight[2, :, 1], before)
    assert torch.equal(weight[0, :, 0], weight[1, :, 0])
    assert report.edge_dof is not None
    assert report.edge_dof[0][2].tolist() == [0, 0]


def test_noise_is_told_in_the_units_of_y() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 1))
    y = 5000 * x[:, 0] ** 2 + 800 + 200 * rng.standard_normal(300)
    for normalize in (True, False):
        data = from_arrays(x, y, dtype=torch.float64, normalize=normalize)
        model = kv.KAN([1, 1], dtype=torch.float64)
        report = model.fit(data, smoothing="auto", progress=False)
        assert report.noise == pytest.approx(200, rel=0.1)
        assert f"noise {report.noise:.3g}, {report.effective_dof:.1f} effective" in str(report)


def test_finer_grids_go_on_from_the_smoothness_that_was_found() -> None:
    data = noisy(300, 0.3)
    network = Network([3, 1], dtype=torch.float64)
    report = fit(network, data, smoothing="auto", grids=[4, 8, 16], progress=False)
    assert network.layers[0].spec.grid_size == 16
    assert report.noise == pytest.approx(0.3, rel=0.1)
    assert report.effective_dof is not None
    assert report.effective_dof < 20


def test_the_inverse_leaves_out_what_does_not_learn() -> None:
    matrix = torch.tensor([[4.0, 0.0, 2.0], [0.0, 0.0, 0.0], [2.0, 0.0, 3.0]], dtype=torch.float64)
    own = matrix[::2, ::2]
    for is_singular in (False, True):
        found, log_det = inverse(matrix, is_singular=is_singular)
        assert torch.allclose(found[::2, ::2], own.inverse(), rtol=1e-9)
        assert found[1].abs().sum() == 0
        assert log_det == pytest.approx(float(own.logdet()))


def test_directions_that_change_nothing_count_nothing() -> None:
    """The slopes of c (a x + b) + d in its numbers have rank 2; so has what is left after them."""
    for seed in range(20):
        x = torch.rand(50, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        a, b, c = 0.3 + seed, -1.7, 1e3
        rows = torch.stack([c * x, torch.full_like(x, c), a * x + b, torch.ones_like(x)], dim=1)
        matrix = rows.T @ rows
        found, log_det = inverse(matrix, is_singular=True)
        assert torch.allclose(matrix @ found @ matrix, matrix, rtol=1e-6)
        assert float((found * matrix).sum()) == pytest.approx(2, abs=1e-6)
        assert math.isfinite(log_det)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"optimizer": "adam"}, "smoothing='auto' needs squared loss or another by its name"),
        ({"sparsity": 1e-3}, "smoothing='auto' chooses edges too"),
        ({"smoothing": "smooth"}, "smoothing must be"),
        ({"smoothing": -1.0}, "smoothing must be at least 0"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, object], match: str) -> None:
    network = Network([3, 1], dtype=torch.float64)
    with pytest.raises(ValueError, match=match):
        fit(network, noisy(30, 0.1), **({"smoothing": "auto"} | options))


@pytest.mark.usefixtures("unchecked")
def test_the_old_name_says_the_new_one() -> None:
    with pytest.raises(TypeError, match="'curvature' is called 'smoothing' here"):
        kv.KAN([3, 1]).fit(noisy(30, 0.1), curvature=1e-3)  # type: ignore[call-overload]


@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
def test_splines_that_are_one_constant_have_an_evidence_too(base: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (60, 2))
    y = x[:, 0] + 0.3 * rng.standard_normal(60)
    model = kv.KAN([2, 1], grid_size=1, spline_order=0, base=base, dtype=torch.float64)
    report = model.fit(x, y, smoothing="auto", progress=False)
    assert report.log_evidence is not None
    assert np.isfinite(report.log_evidence)
    assert report.effective_dof is not None
    assert 0.9 < report.effective_dof <= 2 + 1e-6  # at most a line of each, and the mean of y


@pytest.mark.parametrize("is_singular", [False, True])
def test_a_matrix_that_is_not_finite_is_told_and_not_tried_for_ever(*, is_singular: bool) -> None:
    with pytest.raises(FloatingPointError, match=r"cannot be found: .* Pass smoothing"):
        inverse(torch.full((2, 2), torch.nan, dtype=torch.float64), is_singular=is_singular)
