from typing import Any

import numpy as np
import pytest

from kanviz.course import teaching

X = np.linspace(0, 1, 101)
TARGET = np.sin(6 * X)
WINDOWS = [(0.0, 0.5), (0.5, 1.0)]


def predictions(seed: int = 0) -> list[np.ndarray]:
    return [TARGET + np.random.default_rng(seed + n).normal(size=101) for n in range(2)]


def test_errors_are_those_on_the_points_of_each_window() -> None:
    learned = predictions()
    found = teaching.forgetting(X, TARGET, {"KAN": learned}, windows=WINDOWS).errors["KAN"]
    assert found.shape == (2, 2)
    for phase in range(2):
        for part, (low, high) in enumerate(WINDOWS):
            here = (low <= X) & (high >= X)
            expected = np.sqrt(np.mean((learned[phase] - TARGET)[here] ** 2))
            assert found[phase, part] == pytest.approx(expected)


def test_what_is_drawn_is_what_was_given() -> None:
    learned = predictions()
    state = teaching.forgetting(X, TARGET, {"a": learned, "b": learned}, windows=WINDOWS).state
    np.testing.assert_allclose(state["learners"]["b"], learned, atol=1e-9)
    assert state["target"] == TARGET.tolist()
    assert state["windows"] == [[0.0, 0.5], [0.5, 1.0]]


def test_without_predictions_the_picture_learns_itself() -> None:
    picture = teaching.forgetting(X, TARGET, windows=WINDOWS)
    assert picture.state["is_own"]
    assert picture.errors == picture.state["learners"] == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": X[::-1]}, "x must increase and hold at most 2000 points"),
        ({"target": TARGET[:5]}, r"target must have shape \(101,\); got \(5,\)"),
        ({"x": [[1.0, 2.0]]}, r"x must have shape \(points,\) .*; got \(1, 2\)"),
        ({"target": np.full(101, np.nan)}, "target must be finite; got nan or inf"),
        ({"windows": [(0, 1), (2, 3)]}, "windows must each hold a point of x; got"),
        ({"windows": []}, "windows must each hold a point of x"),
        ({"windows": [(0, 1)]}, "one row per window; got 2 of 'KAN' for 1 windows"),
        ({"predictions": {}}, "predictions must be of 1 to 4 learners; got 0"),
        ({"predictions": {"a": [X, X[:3]]}}, r"prediction of 'a' must have shape \(101,\)"),
    ],
)
def test_it_says_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "x": X,
        "target": TARGET,
        "predictions": {"KAN": predictions()},
        "windows": WINDOWS,
    }
    with pytest.raises(ValueError, match=message):
        teaching.forgetting(**given | changes)
