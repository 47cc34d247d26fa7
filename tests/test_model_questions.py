from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from model_helpers import bytes_of, fit_briefly, fitted_model, make_data, make_model, make_sample
from type_checks import type_checks_off

from kanviz.data import from_arrays
from kanviz.model import KAN


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Leave out the type checks of the tests, which draw from the generator of ``random``."""
    with type_checks_off():
        yield


@pytest.mark.parametrize("ask", ["trace", "edge_scores", "node_scores", "snapshot", "predict"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((4, 3)), ValueError, r"x must have shape \(samples, 2\) .*; got \(4, 3\)"),
        ([[0.0, float("nan")]], ValueError, "x must be finite in every row; got nan in row 0"),
        ([[0.0, 1.0], [float("inf"), 0.0]], ValueError, "got inf in row 1, column 'x_1'"),
        (np.zeros((0, 2)), ValueError, r"x must have shape .* none of them 0"),
        ([["a", "b"]], TypeError, "x must hold numbers only; got 'a' in row 0"),
        (torch.zeros(1, 2, dtype=torch.complex64), TypeError, "x must hold real numbers"),
    ],
)
def test_questions_name_what_is_wrong_with_x(
    ask: str, x: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(make_model(), ask)(x)


def test_questions_take_any_table_of_numbers(dtype: torch.dtype) -> None:
    model = make_model(dtype=dtype)
    x = make_sample(samples=20).float()
    wanted = model.trace(x).outputs
    frame = pd.DataFrame(x.numpy(), columns=["a", "b"])
    for table in (x.double(), x.numpy(), x.tolist(), frame, x.clone().requires_grad_()):
        assert torch.equal(model.trace(table).outputs, wanted)
    assert model.trace([[1, 2]]).outputs.dtype == dtype


def test_of_a_pair_questions_take_the_inputs() -> None:
    model, x = make_model(), np.array([[0.25, 0.5], [0.5, -0.5]])
    assert (model.predict((x, x[:, 0])) == model.predict(x)).all()
    rows = ([0.25, 0.5], [0.5, -0.5])  # two rows, as before
    assert (model.predict(rows) == model.predict(x)).all()


def test_predict_takes_and_gives_the_users_units() -> None:
    x = make_sample(samples=100) * 50 + 400
    y = 1e-3 * x[:, :1] + 7
    model = make_model()
    fit_briefly(model, from_arrays(x, y, normalize=True))
    found = model.predict(pd.DataFrame(x.numpy()))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, y.numpy(), atol=2e-3)
    assert model.predict([[400, 400]]).shape == (1, 1)


@pytest.mark.long
def test_predict_for_classes_gives_the_users_labels_and_the_rest_scores_and_shares() -> None:
    x = make_sample(samples=80)
    labels = ["in" if a.norm() < 0.7 else "out" for a in x]
    model = KAN([2, 2, 2], dtype=torch.float64)
    model.fit((x, labels), steps=30, progress=False)
    assert model.output_names == ("in", "out")
    assert model.classes == ("in", "out")
    scores, found = model.decision_function(x), model.predict(x)
    assert found.tolist() == [model.output_names[n] for n in scores.argmax(1)]
    accuracy = np.mean(found == np.array(labels))
    assert accuracy > 0.9
    assert model.score(x, labels) == pytest.approx(accuracy)
    shares = model.predict_proba(x)
    np.testing.assert_allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == scores.argmax(1)).all()


QUESTIONS: dict[str, Callable[[KAN, Path], object]] = {
    "contributions": lambda model, _: model.contributions(make_sample(samples=2)),
    "forward": lambda model, _: model(make_sample()),
    "trace": lambda model, _: model.trace(make_sample()),
    "edge_scores": lambda model, _: model.edge_scores(),
    "edge_scores of x": lambda model, _: model.edge_scores(make_sample(), metric="std"),
    "node_scores": lambda model, _: model.node_scores(output=0),
    "predict": lambda model, _: model.predict(make_sample().numpy()),
    "snapshot": lambda model, _: model.snapshot(),
    "snapshot of x": lambda model, _: model.snapshot(make_sample()),
    "recipe": lambda model, _: model.recipe(),
    "history": lambda model, _: (model.steps, model.script(), model.widths, model.input_names),
    "repr": lambda model, _: repr(model),
    "copy": lambda model, _: model.copy().refine(7),
    "on_change": lambda model, _: model.on_change(print)(),
    "save": lambda model, folder: model.save(folder / "m.kan"),
    "wrong edge": lambda model, _: model.remove_edge((5, 0, 0)),
    "wrong node": lambda model, _: model.restore_node((1, 0)),
    "wrong grid": lambda model, _: model.refine(0),
    "wrong x": lambda model, _: model.update_grid([[0.0, float("nan")]]),
    "wrong data": lambda model, _: model.fit(make_sample()),
    "wrong option": lambda model, _: model.fit(make_data(), steps=-1),
}


def gradients_of(model: KAN) -> list[bytes]:
    gradients = [parameter.grad for parameter in model.parameters()]
    return [b"" if grad is None else grad.numpy().tobytes() for grad in gradients]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_changes_nothing(
    name: str, tmp_path: Path, rng_untouched: None, unchecked: None
) -> None:
    model = fitted_model()
    model.remove_edge((0, 0, 1))
    model.undo()
    model(make_sample()).sum().backward()
    before = bytes_of(model), gradients_of(model), model.steps, model.snapshot()
    assert before[1][0] != b""
    is_wrong = name.startswith("wrong")
    errors = (ValueError, IndexError, TypeError)
    with pytest.raises(errors) if is_wrong else nullcontext():
        QUESTIONS[name](model, tmp_path)
    assert (bytes_of(model), gradients_of(model), model.steps, model.snapshot()) == before
    assert model.training
    assert len(list(tmp_path.iterdir())) == (name == "save")
    model.redo()
