"""How a fit reads in the history: as one step, or as several where it was edited while it ran."""

import copy
import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from kanviz.data.dataset import About
from kanviz.edits import Fitted
from kanviz.edits.code import call_code
from kanviz.history import History
from kanviz.nn.network import Network
from kanviz.training.report import FitReport

NOT_EXACT = "so a replay is alike, not equal to the last bit"


@dataclass(frozen=True)
class Aim:
    """What a fit is after, as its record tells it.

    ``about`` is what is known of the data from now on; ``call`` the method of the model; ``name``
    what the script calls its argument, told apart from others of that name by ``tensors``.
    """

    about: About
    call: str
    name: str
    tensors: tuple[Tensor, ...]
    edit: type[Fitted] = Fitted


class FitRecord:
    """Writes the steps of one fit.

    Parameters
    ----------
    aim : Aim
        What it is after.
    options : dict
        What was asked for beyond the defaults, for the script.
    report : FitReport
        Of the fit; it grows meanwhile.
    """

    def __init__(self, aim: Aim, options: dict[str, Any], report: FitReport) -> None:
        self.about = aim.about
        self._aim, self._options, self._report = aim, options, report
        self._n_written, self._is_changed = 0, False

    def note_change(self, changes: dict[str, Any]) -> None:
        """Write other options from now on."""
        self._options, self._is_changed = self._options | changes, True

    def part(self, work: Network, history: History) -> Fitted | None:
        """Return the steps since the last part as an edit; None if there are none.

        ``work`` is the network in training, which is only read.
        """
        n_steps = self._report.n_steps - self._n_written
        if n_steps == 0:
            return None
        call = self._call(history, self._options | self._as_taken(n_steps), "edited while it ran")
        loss = self._report.history["loss"][-1]
        words = f"{self._report.optimizer}: {n_steps} steps, loss {loss:.3g}, then edited"
        return self._aim.edit(copy.deepcopy(work), call, words)

    def end_part(self) -> None:
        """Count from here on: what was taken so far is in the history."""
        self._n_written = self._report.n_steps

    def rest(self, best: Network, history: History) -> Fitted:
        """Return the whole fit as an edit, or what came after its last part."""
        report, options = self._report, self._options
        if not self._n_written:
            note = {"interrupted": "was interrupted", "stopped": "was stopped"}
            call = self._call(history, options, note.get(report.stopped, ""))
            return self._aim.edit(best, call, str(report))
        n_steps = report.n_steps - self._n_written
        call = self._call(history, options | self._as_taken(n_steps), "went on after an edit")
        words = f"{report.optimizer}: {n_steps} more steps, loss {report.loss:.3g}"
        return self._aim.edit(best, call, f"{words}, stopped: {report.stopped}")

    def _as_taken(self, n_steps: int) -> dict[str, Any]:
        """Return options that give about the last ``n_steps`` steps when run on their own."""
        grids = sorted({int(size) for size in self._report.history["grid_size"][-n_steps:]})
        options: dict[str, Any] = {"steps": math.ceil(n_steps / len(grids))}
        if "grids" in self._options:
            options["grids"] = grids
        if "starts" in self._options and self._n_written:
            options["starts"] = 1
        return options

    def _call(self, history: History, options: dict[str, Any], note: str) -> str:
        name = history.name_of(self._aim.name, self._aim.tensors)
        call = call_code(self._aim.call, name, **options)
        if self._is_changed:
            note = f"{note}, with options changed" if note else "options were changed while it ran"
        return f"{call}  # {note}, {NOT_EXACT}" if note else call
