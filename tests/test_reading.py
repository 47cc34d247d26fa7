"""From a trained network to its formula: prune, fix, symbolify, and back."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from model_helpers import bytes_of
from torch import Tensor

from kanviz.analysis.removal import live_edges
from kanviz.data import Dataset, from_function
from kanviz.files import load
from kanviz.model import KAN

pytestmark = pytest.mark.long


def law(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return from_function(law, [(-1, 1)] * 2, n_train=400, n_test=200, dtype=torch.float64)


@pytest.fixture(scope="module")
def trained(data: Dataset) -> KAN:
    model = KAN([2, 3, 1], seed=0, dtype=torch.float64)
    model.fit(data, sparsity=1e-3, steps=60, progress=False)
    return model


@pytest.fixture
def model(trained: KAN) -> KAN:
    return trained.copy()


def test_the_promise_from_data_to_the_exact_formula(model: KAN, data: Dataset) -> None:
    model.prune(data)
    assert len(live_edges(model.network)) == 3
    model.refine(10)
    model.fit(data, steps=60, progress=False)
    report = model.symbolify(data)
    assert report.is_complete
    assert report.after < 1e-9
    assert str(model.formula()) == "exp(x_2**2 + sin(pi*x_1))"
    before = bytes_of(model)
    steps = len(model.steps)
    for _ in range(steps):
        model.undo()
    for _ in range(steps):
        model.redo()
    assert bytes_of(model) == before


def test_fix_by_name_fits_and_unfix_gives_the_spline_back(model: KAN) -> None:
    before, x = bytes_of(model), torch.rand(20, 2, dtype=torch.float64)
    outputs = model(x)
    edge = max(
        live_edges(model.network), key=lambda e: float(model.edge_scores()[e.layer][e.i, e.j])
    )
    model.fix(edge, "exp")
    assert not torch.equal(model(x), outputs)
    assert model.steps[-1] == f"fixed edge {tuple(edge)} to exp"
    model.unfix(edge)
    assert torch.equal(model(x), outputs)
    assert bytes_of(model) == before


def test_the_picture_tells_how_well_a_formula_met_its_spline(model: KAN) -> None:
    best = model.suggest((1, 1, 0))[0]
    model.fix((1, 1, 0), best.name)
    (view,) = [view for view in model.snapshot().edges if view.edge == (1, 1, 0)]
    assert view.quality == pytest.approx(best.r2, abs=1e-6)
    assert all(v.quality is None for v in model.snapshot().edges if v.state == "spline")
    model.fix((1, 1, 0), "0.5*x**2")
    (view,) = [view for view in model.snapshot().edges if view.edge == (1, 1, 0)]
    assert view.quality is not None
    assert view.quality < best.r2


def test_the_quality_of_a_formula_is_saved(model: KAN, tmp_path: Path) -> None:
    model.fix((1, 1, 0), "exp")
    model.save(tmp_path / "model.kan")
    symbols = load(tmp_path / "model.kan").network.layers[1].symbols
    assert symbols is not None
    before = model.network.layers[1].symbols
    assert before is not None
    assert symbols.quality == before.quality != (None,)


def test_a_formula_tells_how_far_it_is_from_the_model(model: KAN) -> None:
    whole = model.formula(digits=None, snap=0, simplify_seconds=0)
    assert whole.error is not None
    assert whole.error < 1e-9
    short = model.formula(digits=2, simplify_seconds=0)
    assert short.error is not None
    assert whole.error <= short.error < 0.2


def test_fix_takes_any_formula_as_it_is(model: KAN) -> None:
    model.fix((0, 0, 1), "0.5*x**2 + 1", trainable=False)
    x = torch.rand(20, 2, dtype=torch.float64)
    outputs = model.trace(x).layers[0].edge_outputs[:, 0, 1]
    torch.testing.assert_close(outputs, 0.5 * x[:, 0] ** 2 + 1)
    assert bool(model.network.layers[0].frozen[0, 1])


@pytest.mark.parametrize("text", ["__import__('os')", "x.__class__", "lambda: 0", "open('f')"])
def test_hostile_formula_text_is_refused_and_changes_nothing(model: KAN, text: str) -> None:
    before = bytes_of(model)
    with pytest.raises(ValueError, match="must"):
        model.fix((0, 0, 0), text)
    assert bytes_of(model) == before


def test_frozen_edge_does_not_learn_and_learns_again(model: KAN, data: Dataset) -> None:
    model.freeze((0, 0, 0))
    weight = model.network.layers[0].weight[0, :, 0].detach().clone()
    model.fit(data, steps=4, update_grid=False, progress=False)
    assert torch.equal(model.network.layers[0].weight[0, :, 0], weight)
    model.unfreeze((0, 0, 0))
    model.fit(data, steps=4, update_grid=False, progress=False)
    assert not torch.equal(model.network.layers[0].weight[0, :, 0], weight)


def test_suggest_names_the_function_and_changes_nothing(model: KAN, data: Dataset) -> None:
    before = bytes_of(model)
    scores = model.edge_scores()[0]
    j = int(scores[0].argmax())
    table = model.suggest((0, 0, j), top=3)
    assert table[0].name in {"sin", "cos"}
    assert len(table) == 3
    assert bytes_of(model) == before


def test_formula_of_splines_names_them(model: KAN) -> None:
    text = str(model.formula(simplify_seconds=0))
    assert "phi_0_0_0(x_1)" in text


def test_noise_without_a_law_is_left_to_the_splines() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(200, 1, generator=generator, dtype=torch.float64)
    y = torch.cumsum(torch.randn(200, 1, generator=generator, dtype=torch.float64), 0)
    y = y[x[:, 0].argsort().argsort()]  # a random walk along x: no library function
    model = KAN([1, 1], grid_size=20, dtype=torch.float64)
    model.fit((x, y), progress=False, steps=20)
    before = copy.deepcopy(model.network)
    report = model.symbolify((x, y))
    assert not report.is_complete
    assert report.edges[0].chosen is None
    assert report.after <= report.limit
    assert before.layers[0].symbols is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.fix((0, 5, 0), "sin"), IndexError, "i must be from 0 to 1"),
        (
            lambda m: m.unfix((0, 0, 0)),
            ValueError,
            r"Edge \(0, 0, 0\) is a spline already. Make",
        ),
        (lambda m: m.unfreeze((0, 0, 0)), ValueError, r"^Edge \(0, 0, 0\) is not frozen.$"),
        (lambda m: m.fix((0, 0, 0), "sine(x)"), ValueError, "sine"),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    model: KAN, call: Any, error: type[Exception], message: str
) -> None:
    before = bytes_of(model)
    with pytest.raises(error, match=message):
        call(model)
    assert bytes_of(model) == before
