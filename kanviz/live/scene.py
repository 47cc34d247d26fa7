"""The whole picture of a network as the contract's ``Scene``: text, numbers and numpy arrays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanviz.analysis.recipe import array_of
from kanviz.data import Dataset
from kanviz.data.dataset import About
from kanviz.live.contract import ErrorNow, Mark
from kanviz.nn.network import Network
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.symbolic.parse import WRITTEN, parse
from kanviz.symbolic.printing import to_mathml
from kanviz.training.errors import Errors, quality
from kanviz.training.report import FitReport

MOST_ROWS, MOST_NUMBERS = 500, 50_000
"""Rows of the data in a scene, and numbers in all of them."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of the data in the user's units; for a probe, and to draw.

    Parameters
    ----------
    sample : (rows, inputs) float64
    target : (rows, outputs) float64, or (rows,) of class numbers, or (0,) where there are none
    counts : list of int
        Rows of the training and of the test part of the data, not only those chosen; 0 for none.
    """

    sample: np.ndarray
    target: np.ndarray
    counts: list[int]

    @classmethod
    def of(cls, about: About, x: Tensor, data: Dataset | None) -> "Rows":
        """Return rows at equal steps: of the training data, else of x, in the network's units."""
        width = len(about.input_names)
        inputs = x if data is None else data.x
        count = min(len(inputs), MOST_ROWS, max(1, MOST_NUMBERS // width))
        rows = torch.arange(count, device=inputs.device) * len(inputs) // count
        if data is None:
            sample = array_of(about.x_scaling.undo(inputs[rows].double().cpu()))
            return cls(sample, np.empty(0), [0, 0])
        targets = data.y[rows].double()
        if not data.is_classification:
            targets = data.to_user_outputs(targets)
        counts = [len(inputs), 0 if data.x_test is None else len(data.x_test)]
        sample = _without_dust(array_of(data.to_user_inputs(data.x[rows].double())), data.x.dtype)
        return cls(sample, array_of(targets), counts)


def _without_dust(sample: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return rows without what scaling to ``dtype`` and back has left, as 6e-9 of a category's 0.

    Each column is rounded to a power of ten below what the dtype holds of its range.
    """
    span = np.ptp(sample, axis=0)
    precision = 10 * torch.finfo(dtype).eps
    exponents = np.ceil(np.log10(precision * np.where(span > 0, span, 1.0)))
    grain = 10.0**exponents
    return np.where(span > 0, np.round(sample / grain) * grain, sample)


def drawing(snapshot: Snapshot) -> dict[str, Any]:
    """Return what is drawn: nodes and edges; arrays that edges share are the same object."""
    return {
        "title": snapshot.title,
        "widths": list(snapshot.widths),
        "nodes": [vars(node) | {"factors": list(node.factors)} for node in snapshot.nodes],
        "edges": [drawn_edge(view) for view in snapshot.edges],
        "n_edges": snapshot.n_edges,
        "owners": [list(row) for row in snapshot.owners],
    }


def drawn_edge(view: EdgeView) -> dict[str, Any]:
    """Return an edge as the contract's ``EdgeView``."""
    return vars(view) | {"mathml": None if view.formula is None else mathml_of(view.formula)}


@lru_cache(maxsize=2048)
def mathml_of(text: str) -> str:
    """Return a formula, as ``kanviz.symbolic.printing`` wrote it, as MathML."""
    try:
        return to_mathml(parse(text, limits=WRITTEN))
    except ValueError:  # a number that is not real, say, such as 1/0 of an edge with a = b = 0
        return f"<math><mtext>{escape(text, quote=False)}</mtext></math>"


def errors_now(network: Network, data: Dataset | None) -> ErrorNow:
    """Return the errors in the user's units; None where there is none."""
    if data is None:
        return ErrorNow(name="RMSE", train=None, test=None, r2_train=None, r2_test=None)
    name = "accuracy" if data.is_classification else "RMSE"
    measured = quality(network, data).items()
    found = {kind: value if math.isfinite(value) else None for kind, value in measured}
    return ErrorNow(
        name=name,
        train=found[f"train_{name.lower()}"],
        test=found.get(f"test_{name.lower()}"),
        r2_train=found.get("train_r2"),
        r2_test=found.get("test_r2"),
    )


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
        self._marks: list[Mark] = []
        self._steps_before = 0  # of all fits that are over
        self._logged = 0  # of the fit that runs, or ran last
        self._factor = 1.0
        self._shown = 0
        self._shown_marks: list[Mark] = []
        self._is_rewritten = False  # what was shown

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
                self.name, self._points, self._is_rewritten = errors.name, [], True
            self._factor = _ratio(errors.train, self._rooted(losses[-1]))
        first = self._logged
        for number, loss in enumerate(losses[first:], first + 1):
            train = self._factor * self._rooted(loss)
            self._points.append((self._steps_before + number, train, math.nan))
        self._logged = len(losses)
        if errors is not None and errors.test is not None and self._points:
            self._points[-1] = (*self._points[-1][:2], errors.test)
            self._is_rewritten |= self._points[-1][0] <= self._shown
        if len(self._points) > MOST_POINTS:
            self._points = self._points[::-2][::-1]  # the last one stays
            self._is_rewritten = True

    def mark(self, sentence: str, position: int) -> None:
        """Note a change; ``position`` is the length of the history after it.

        Marks that the change made unreachable go, and the steps of their fits: those of steps that
        were undone, and that of the same step where a burst of changes is one.
        """
        kinds = [kind for start, kind in KINDS.items() if sentence.startswith(start)]
        gone = [mark for mark in self._marks if mark["position"] >= position]
        self._marks = self._marks[: len(self._marks) - len(gone)]
        undone = max((mark["step"] for mark in gone if mark["kind"] == "fit"), default=0)
        if undone:  # the steps of fits that were undone go with their marks
            kept = max((mark["step"] for mark in self._marks), default=0)
            self._points = [one for one in self._points if not kept < one[0] <= undone]
            self._is_rewritten = True
        step, kind = self._steps_before + self._logged, kinds[0] if kinds else "edit"
        self._marks.append(Mark(step=step, kind=kind, text=sentence, position=position))

    def record(self) -> dict[str, Any]:
        """Return all of it, as the contract's ``Losses``."""
        return {**_columns(self._points), "name": self.name, "marks": list(self._marks)}

    def count_from_here(self) -> None:
        """Let ``news`` and ``tail`` be of what comes from now on."""
        self._shown = self._points[-1][0] if self._points else 0
        self._shown_marks, self._is_rewritten = list(self._marks), False

    def news(self) -> dict[str, np.ndarray]:
        """Return the points that came since ``count_from_here``."""
        return _columns([point for point in self._points if point[0] > self._shown])

    def tail(self) -> dict[str, Any] | None:
        """Return the contract's ``LossTail`` since ``count_from_here``.

        None where what was before is another too.
        """
        if self._is_rewritten:
            return None
        kept, marks = tail(self._shown_marks, self._marks)
        return {**self.news(), "kept": kept, "marks": marks}

    def words(self) -> str:
        """Return the last training error in words, after a comma; empty where there is none."""
        return f", {self.name} {self._points[-1][1]:.3g}" if self._points else ""

    def _rooted(self, loss: float) -> float:
        return math.sqrt(loss) if self.name == "RMSE" and loss >= 0 else loss


def tail(before: Sequence[Any], now: Sequence[Any]) -> tuple[int, list[Any]]:
    """Return how many items two lists have in common at their begin, and the rest of the second."""
    kept = 0
    for one, two in zip(before, now, strict=False):
        if one != two:
            break
        kept += 1
    return kept, list(now[kept:])


def _columns(points: list[tuple[int, float, float]]) -> dict[str, np.ndarray]:
    table = np.array(points, dtype=np.float64).reshape(-1, 3)
    return dict(zip(("step", "train", "test"), table.T.copy(), strict=True))


def _ratio(measured: float, logged: float) -> float:
    ratio = measured / logged if logged else 1.0
    return ratio if math.isfinite(ratio) and ratio > 0 else 1.0
