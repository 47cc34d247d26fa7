"""What learners keep and what they forget when the data come one part after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kanviz.course.teaching.widget import TeachingWidget
from kanviz.layout import labels

MOST_LEARNERS = 4
"""Colours that can be told apart."""

MOST_POINTS = 2000
"""More points than pixels would only make the page larger."""


class Forgetting(TeachingWidget):
    """A scrubber over the phases of continual learning; made by ``forgetting``.

    Attributes
    ----------
    errors : dict from learner to (phases, windows) array
        Root-mean-square error after each phase on each window, in the unit of the target; empty
        where the picture itself learns.
    """

    lesson = (
        "What does a network keep of the first thing when it learns the second?",
        "press Play, and watch the first peak.",
    )

    def __init__(
        self, state: Mapping[str, Any], errors: dict[str, np.ndarray], *, theme: str
    ) -> None:
        self.errors = errors
        n_phases = len(state["windows"])
        learners = ", ".join(errors) or "an edge of a chosen grid, order and base function"
        alt = f"What is said by {learners} after each of {n_phases} phases of learning."
        super().__init__("forgetting", state, title="What is forgotten", alt=alt, theme=theme)


def forgetting(
    x: Any,
    target: Any,
    predictions: Mapping[str, Sequence[Any]] | None = None,
    *,
    windows: Sequence[tuple[float, float]],
    theme: str = "auto",
) -> Forgetting:
    """Return the target, the data of each phase and what every learner makes of it, to scrub.

    Parameters
    ----------
    x, target : (points,)
        Where the functions are drawn, increasing, and the function to learn. At most 2000 points.
    predictions : mapping from learner to sequence of (points,), optional
        What each learner (at most 4) gives at x after each phase. Without it one edge learns in the
        picture, and who looks at it chooses its grid, order and base function, and the order of the
        phases. Each phase changes its coefficients as little as the data of the phase ask for.
    windows : sequence of (low, high)
        The part of x that each phase shows.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If shapes, lengths or numbers do not fit together, or a window holds no point.

    Examples
    --------
    >>> learned = {"KAN": [[0, 1, 0, 0], [0, 1, 1, 0]]}  # after each of two phases
    >>> picture = forgetting([0, 1, 2, 3], [0, 1, 1, 0], learned, windows=[(0, 1), (2, 3)])
    >>> picture.errors["KAN"].round(2).tolist()
    [[0.0, 0.71], [0.0, 0.0]]
    """
    places = _numbers("x", x, None)
    wanted = _numbers("target", target, len(places))
    if len(places) > MOST_POINTS or (np.diff(places) <= 0).any():
        raise ValueError(
            f"x must increase and hold at most {MOST_POINTS} points; got {len(places)} points. "
            "Sort it, or take every other point."
        )
    inside = _inside(places, windows)
    learners = {}
    if predictions is not None:
        learners = _learners(predictions, len(windows), len(places))
    errors = {name: _errors(values - wanted, inside) for name, values in learners.items()}
    state = {
        "x": places.tolist(),
        "target": wanted.tolist(),
        "learners": {name: np.round(values, 9).tolist() for name, values in learners.items()},
        "errors": {name: values.tolist() for name, values in errors.items()},
        "windows": [[float(low), float(high)] for low, high in windows],
        "is_own": predictions is None,
    }
    return Forgetting(state, errors, theme=theme)


def _numbers(name: str, values: Any, length: int | None) -> np.ndarray:
    """Return finite float64 numbers in one row."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or len(found) < 2 or (length is not None and len(found) != length):
        wanted = "(points,) with at least 2 points" if length is None else f"({length},)"
        raise ValueError(
            f"{name} must have shape {wanted}; got {found.shape}. Pass one number for each x."
        )
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite; got nan or inf. Leave out such points.")
    return found


def _inside(x: np.ndarray, windows: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return which points lie in each window, as (windows, points)."""
    inside = np.array([(x >= low) & (x <= high) for low, high in windows])
    if not len(windows) or not inside.any(axis=1).all():
        raise ValueError(
            f"windows must each hold a point of x; got {list(windows)}. "
            f"Choose intervals within [{x[0]:.3g}, {x[-1]:.3g}]."
        )
    return inside


def _learners(
    predictions: Mapping[str, Sequence[Any]], n_phases: int, n_points: int
) -> dict[str, np.ndarray]:
    """Return what each learner gives as (phases, points)."""
    if not 1 <= len(predictions) <= MOST_LEARNERS:
        raise ValueError(
            f"predictions must be of 1 to {MOST_LEARNERS} learners; got {len(predictions)}. "
            "Show the others in a picture of their own."
        )
    found = {}
    for name, phases in predictions.items():
        if len(phases) != n_phases:
            raise ValueError(
                f"predictions must hold one row per window; got {len(phases)} of {name!r} for "
                f"{n_phases} windows. Predict after each phase."
            )
        rows = [_numbers(f"prediction of {name!r}", row, n_points) for row in phases]
        found[labels.plain(name)] = np.stack(rows)
    return found


def _errors(differences: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return root-mean-square errors (phases, windows)."""
    found: np.ndarray = np.sqrt(differences**2 @ inside.T / inside.sum(axis=1))
    return found
