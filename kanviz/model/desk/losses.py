"""The loss chart: errors over all fits, and marks for what was done in between."""

import math
from typing import Any

import numpy as np

from kanviz.training.errors import Errors
from kanviz.training.report import FitReport

MOST_POINTS = 4000
"""Points that are kept; beyond, every second one goes."""

KINDS = {"trained": "fit", "refined": "refine", "moved the grid": "refine", "pruned": "prune"}
"""Kinds of marks by how the sentence of the history begins; all else is an ``"edit"``."""


class LossLog:
    """What ``Losses`` of the contract holds, collected fit by fit.

    The training error of each step comes from the loss that the fit logs itself. It is turned into
    the user's units by the ratio that the last measurement had: exact where all outputs share one
    scale. Test errors are there at the steps that were measured.
    """

    def __init__(self) -> None:
        self.name = "RMSE"
        self._points: list[tuple[int, float, float]] = []
        self._marks: list[dict[str, Any]] = []
        self._steps_before = 0  # of all fits that are over
        self._logged = 0  # of the fit that runs, or ran last
        self._factor = 1.0
        self._shown = 0

    def begin(self) -> None:
        """Say that a fit begins."""
        self._steps_before += self._logged
        self._logged = 0

    def follow(self, report: FitReport, errors: Errors | None) -> None:
        """Take over what a fit has logged since the last call.

        Parameters
        ----------
        report : FitReport
            Of the fit that began last.
        errors : Errors or None
            Those at its last step, where they were measured.
        """
        losses = report.history.get("loss", [])
        if errors is not None:
            if errors.name != self.name:
                self.name, self._points = errors.name, []
            self._factor = _ratio(errors.train, self._rooted(losses[-1]))
        first = self._logged
        for number, loss in enumerate(losses[first:], first + 1):
            train = self._factor * self._rooted(loss)
            self._points.append((self._steps_before + number, train, math.nan))
        self._logged = len(losses)
        if errors is not None and errors.test is not None and self._points:
            self._points[-1] = (*self._points[-1][:2], errors.test)
        if len(self._points) > MOST_POINTS:
            self._points = self._points[::-2][::-1]  # the last one stays

    def mark(self, sentence: str, position: int) -> None:
        """Note a change; ``position`` is the length of the history after it.

        Marks that the change made unreachable go: those of steps that were undone, and that of the
        same step where a burst of changes is one.
        """
        kinds = [kind for start, kind in KINDS.items() if sentence.startswith(start)]
        self._marks = [mark for mark in self._marks if mark["position"] < position]
        mark = {"kind": kinds[0] if kinds else "edit", "text": sentence, "position": position}
        self._marks.append({"step": self._steps_before + self._logged, **mark})

    def record(self) -> dict[str, Any]:
        """Return all of it, as the contract's ``Losses``; later ``news`` count from here."""
        self._shown = self._points[-1][0] if self._points else 0
        marks = [dict(mark) for mark in self._marks]
        return {**_columns(self._points), "name": self.name, "marks": marks}

    def news(self) -> dict[str, np.ndarray]:
        """Return the points that came after the last ``record``."""
        return _columns([point for point in self._points if point[0] > self._shown])

    def words(self) -> str:
        """Return the last training error in words, after a comma; empty where there is none."""
        return f", {self.name} {self._points[-1][1]:.3g}" if self._points else ""

    def _rooted(self, loss: float) -> float:
        return math.sqrt(loss) if self.name == "RMSE" and loss >= 0 else loss


def _columns(points: list[tuple[int, float, float]]) -> dict[str, np.ndarray]:
    table = np.array(points, dtype=np.float64).reshape(-1, 3)
    return dict(zip(("step", "train", "test"), table.T.copy(), strict=True))


def _ratio(measured: float, logged: float) -> float:
    ratio = measured / logged if logged else 1.0
    return ratio if math.isfinite(ratio) and ratio > 0 else 1.0
