"""Classes are learnt by the same steps as numbers, in the metric of their likelihood."""

from pathlib import Path

import numpy as np
import pytest
import torch

import kanviz as kv
from kanviz.training.evidence import Candidate
from kanviz.training.families import CLASSES
from kanviz.training.jacobian import Jacobian, linearise, n_weights
from kanviz.training.least_squares import LeastSquares, MatrixFree
from kanviz.training.task import FitOptions, prepare

pytestmark = pytest.mark.long


def make_classes(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, drawn labels, and how likely "yes" was."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (rows, 2))
    share = 1 / (1 + np.exp(-(2 * np.sin(1.5 * x[:, 0]) + x[:, 1])))
    return x, np.where(rng.uniform(size=rows) < share, "yes", "no"), share


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_metric_is_the_curvature_of_the_deviance(n_classes: int) -> None:
    generator = torch.Generator().manual_seed(n_classes)
    outputs = 3 * torch.randn(6, n_classes, generator=generator, dtype=torch.float64)
    y = torch.randint(n_classes, (6,), generator=generator)
    roots, residual = CLASSES.working(outputs, y)
    assert roots is not None
    for row in range(6):

        def half(own: torch.Tensor, row: int = row) -> torch.Tensor:
            return CLASSES.deviance(own.unsqueeze(0), y[row : row + 1]).sum() / 2

        slope = torch.func.grad(half)(outputs[row])
        curvature = torch.func.hessian(half)(outputs[row])
        torch.testing.assert_close(roots[row].T @ residual[row], slope)
        torch.testing.assert_close(roots[row].T @ roots[row], curvature)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_both_models_of_the_cost_take_the_metric(n_classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    network = kv.KAN([2, 2, n_classes], dtype=torch.float64).network
    x = torch.rand(9, 2, generator=generator, dtype=torch.float64)
    y = torch.randint(n_classes, (9,), generator=generator)
    weight = torch.rand(9, generator=generator, dtype=torch.float64)
    problem = LeastSquares(network, x, y, (), 1.0, sample_weight=weight, family=CLASSES)
    weights = problem.weights()
    rows = linearise(network, x)
    dense = torch.zeros(9, n_classes, n_weights(network), dtype=torch.float64)
    dense.scatter_add_(2, rows.columns, rows.values)
    shares = torch.softmax(rows.outputs, 1)
    fisher = torch.diag_embed(shares) - shares.unsqueeze(2) * shares.unsqueeze(1)
    wanted = torch.einsum("n,nkp,nkl,nlq->pq", weight, dense, fisher, dense) / weight.sum()
    model = problem.quadratic(weights)
    torch.testing.assert_close(model.matrix, wanted)
    free = MatrixFree.at(
        network,
        x,
        y,
        (),
        weights=weights,
        unit=1 / problem.count,
        locks=problem.locks,
        sample_weight=weight,
        family=CLASSES,
    )
    torch.testing.assert_close(free.gradient, model.gradient)
    diagonal = torch.cat([block.diagonal for block in free.blocks])
    torch.testing.assert_close(diagonal, wanted.diagonal())
    assert free.jacobian.roots is not None
    exact = Jacobian(network, x, free.jacobian.roots)
    change = torch.rand(n_weights(network), generator=generator, dtype=torch.float64)
    torch.testing.assert_close(exact.gauss_newton_product(change) / problem.count, wanted @ change)


def test_a_fit_finds_the_probabilities_and_says_how_well(tmp_path: Path) -> None:
    x, labels, _ = make_classes(400)
    model = kv.KAN([2, 2], dtype=torch.float64)
    report = model.fit(x, labels, progress=False)
    assert report.optimizer == "lm"
    assert report.noise is None
    assert report.effective_dof is not None
    assert report.effective_dof < 15
    assert "effective parameters" in str(report)
    new, _, true = make_classes(300, seed=1)
    found = model.predict_proba(new)[:, 1]
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.06
    low, high = model.predict_interval(new)
    assert ((low[:, 1] <= found) & (found <= high[:, 1])).all()
    assert 0.85 < np.mean((low[:, 1] < true) & (true < high[:, 1])) <= 1
    np.testing.assert_allclose(low[:, 0], 1 - high[:, 1])  # of two classes one says it all
    said, errors = model.predict(new, return_std=True)
    assert set(said) == {"yes", "no"}
    np.testing.assert_allclose(high[:, 1] - low[:, 1], 3.92 * errors[:, 1], rtol=0.2)
    band = model.bands()[kv.Edge(0, 0, 1)]
    truth = np.sin(1.5 * band.x)  # half the score of "yes" against "no"
    inside = (band.low < truth - truth.mean()) & (truth - truth.mean() < band.high)
    assert inside.mean() > 0.8
    model.save(tmp_path / "classes.kan")
    again = kv.load(tmp_path / "classes.kan")
    np.testing.assert_allclose(again.predict_interval(new), (low, high))
    with pytest.raises(ValueError, match="has no interval"):
        model.predict_interval(new, of="new")


def test_classes_that_a_line_parts_do_not_run_away() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    labels = np.where(x.sum(1) > 0, "up", "down")
    model = kv.KAN([2, 2], dtype=torch.float64)
    model.fit(x, labels, progress=False)
    first = np.abs(model.decision_function(x)).max()
    model.fit(x, labels, progress=False)
    assert model.score(x, labels) > 0.95
    assert first < 60
    assert np.abs(model.decision_function(x)).max() < 60


def test_one_hidden_node_begins_with_what_parts_two_classes() -> None:
    x, labels, _ = make_classes(40)
    data = kv.from_arrays(x, labels, test_fraction=0, dtype=torch.float64)
    one, deep = (kv.KAN(widths, dtype=torch.float64).network for widths in ([2, 2], [2, 1, 2]))
    with torch.no_grad():
        one.layers[0].weight[..., 1] = -one.layers[0].weight[..., 0]
    task = prepare(deep, data, FitOptions(starts=1))
    begun = Candidate.of(one, task).continued(deep, task).network
    torch.testing.assert_close(begun(task.x), one(task.x))


def test_one_price_and_held_out_rows_are_other_ways() -> None:
    x, labels, _ = make_classes(60)
    model = kv.KAN([2, 2])
    assert model.fit(x, labels, smoothing=1e-3, steps=2, progress=False).optimizer == "lbfgs"
    assert model.fit(x, labels, validation=0.2, steps=2, progress=False).optimizer == "lbfgs"
    priced = model.fit(x, labels, optimizer="lm", smoothing=1e-3, steps=2, progress=False)
    assert priced.log_evidence is None
