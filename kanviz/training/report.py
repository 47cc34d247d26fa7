"""What a fit tells: each step while it runs, and the report of them all, with the best state."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from kanviz.interrupts import uninterrupted
from kanviz.layout.labels import name_and_unit
from kanviz.nn import Network
from kanviz.nn.state import NetworkState
from kanviz.tables import Series, report_html, small_chart
from kanviz.training.errors import Errors

if TYPE_CHECKING:  # takes a second to import, and most fits are never drawn
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Progress:
    """One step of a fit, as callbacks see it.

    ``network`` is the network in training: read it, do not change it. ``loss`` is the mean squared
    error or whatever loss was asked for, without penalties, in the unit of y; ``validation_loss``
    is None where no validation data were given. ``seconds`` count from the start of the fit.
    ``errors()`` measures the network in the user's units, on the test part too: that costs a pass
    over it, so ask now and then only, and inside the callback only.
    """

    step: int
    loss: float
    validation_loss: float | None
    grid_size: int
    seconds: float
    network: Any = field(repr=False, compare=False)
    errors: Callable[[], Errors] = field(repr=False, compare=False)


@dataclass(repr=False)
class FitReport:
    """The record that ``fit`` returns; shows itself as a sentence, a chart and a table.

    Attributes
    ----------
    optimizer : str
        The optimizer that ran.
    history : dict
        ``"step"``, ``"loss"``, ``"grid_size"``, ``"seconds"`` and, with validation data,
        ``"validation_loss"``: lists with one entry per step.
    stopped : str
        Why the last level ended: ``"steps"``, ``"converged"``, ``"no better step"``,
        ``"patience"``, ``"diverged"`` (far worse than the best for long), ``"callback"``,
        ``"stopped"`` (by ``FitHandle.stop``) or ``"interrupted"``.
    seconds : float
        Wall time of the whole fit.
    starts : list of float
        Loss of each random start that was tried, in order; empty if only the present one was used.
    kept_step : int
        The step whose state the network has now (the best on validation data, else training data);
        0 where no step was better than the state before the first one.
    kept : dict
        ``"loss"`` and, with validation data, ``"validation_loss"`` of that state. Once the fit is
        over they are measured again on the network as it is handed back, in its own dtype.
    errors : dict
        What ``evaluate`` says of the network as it is handed back, on the data of the fit; empty
        while the fit runs, and for an equation.
    outputs : tuple of str
        The names of the numbers that were learnt; empty for classes and for an equation.
    notes : list of str
        Sentences about treatments, such as skipped grid levels.
    noise : float or None
        Standard deviation of the noise in y, in the user's unit, where the data chose how smooth
        the curves are (``smoothing="auto"``); a list where there are several outputs.
    log_evidence : float or None
        Logarithm of how likely such networks make y: compares shapes and starts on the same data.
    effective_dof : float or None
        How many parameters the fit really used.
    edge_dof : list of (in, out) tensors, or None
        The same of each edge, layer by layer: about 1 for a straight line, 0 for an idle edge.
    """

    optimizer: str
    history: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0
    starts: list[float] = field(default_factory=list)
    kept_step: int = 0
    kept: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    noise: float | list[float] | None = None
    log_evidence: float | None = None
    effective_dof: float | None = None
    edge_dof: list[Float[Tensor, "_inputs _outputs"]] | None = None

    def forget_evidence(self) -> None:
        """Leave out what the data said of their noise: there is none."""
        self.noise = self.log_evidence = self.effective_dof = self.edge_dof = None

    def log(self, progress: Progress, sparsity: float = 0.0) -> None:
        """Append the numbers of a step to their lists; a penalty of 0 is none."""
        numbers: dict[str, float | None] = {
            "step": progress.step,
            "loss": progress.loss,
            "grid_size": progress.grid_size,
            "seconds": progress.seconds,
            "validation_loss": progress.validation_loss,
            "sparsity": sparsity or None,
        }
        for name, number in numbers.items():
            if number is not None:
                self.history.setdefault(name, []).append(number)

    @property
    def unit(self) -> str:
        """Unit of root-mean-square errors, as the data name it (``W/m²``); empty without one."""
        units = {name_and_unit(name)[1] for name in self.outputs}
        return units.pop() if len(units) == 1 else ""

    @property
    def n_steps(self) -> int:
        """How many steps were taken, on all levels."""
        return len(self.history.get("loss", []))

    @property
    def loss(self) -> float:
        """Training loss of the state that was kept; NaN before the fit has begun."""
        return self._kept("loss")

    @property
    def validation_loss(self) -> float:
        """Validation loss of the state that was kept; NaN without validation data."""
        return self._kept("validation_loss")

    def _kept(self, name: str) -> float:
        if name in self.kept:
            return self.kept[name]
        numbers = self.history.get(name, [])
        return numbers[self.kept_step - 1] if 0 < self.kept_step <= len(numbers) else float("nan")

    def plot(self) -> "Figure":
        """Return a figure of the losses against steps, with the grid levels marked."""
        with uninterrupted():
            from kanviz.views.charts import loss_figure

        return loss_figure(self.history)

    def __str__(self) -> str:
        """Say in one line how it went."""
        parts = [
            f"{self.optimizer}: {self.n_steps} steps in {self.seconds:.1f} s",
            f"loss {self.loss:.3g}",
        ]
        if "validation_loss" in self.history:
            parts.append(f"validation loss {self.validation_loss:.3g}")
        if self.noise is not None:
            many = self.noise if isinstance(self.noise, list) else [self.noise]
            parts.append(f"noise {' and '.join(f'{one:.3g}' for one in many)}")
        if self.effective_dof is not None:
            parts.append(f"{self.effective_dof:.1f} effective parameters")
        if len(self.starts) > 1:
            parts.append(f"best of {len(self.starts)} starts")
        return ", ".join([*parts, f"stopped: {self.stopped}"])

    def __repr__(self) -> str:
        """Say how it went and how good the network is now; the numbers stand in the attributes."""
        lines = [f"FitReport: {self}"]
        for part, cells in self._parts().items():
            lines.append(f"  {part}: {', '.join(f'{name} {cell}' for name, cell in cells.items())}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        steps = self.history.get("step", [])
        names = {"loss": "training", "validation_loss": "validation"}
        lines = [
            Series(word, steps, self.history[name])
            for name, word in names.items()
            if len(self.history.get(name, [])) == len(steps) > 0
        ]
        parts = self._parts()
        names_of_cells = list(next(iter(parts.values()), {}))
        rows = [("", *names_of_cells)] if parts else []
        rows += [(part, *cells.values()) for part, cells in parts.items()]
        chart = small_chart(lines, x_label="step", y_label="loss")
        return report_html(f"{self}.", chart, rows, self.notes)

    def _parts(self) -> dict[str, dict[str, str]]:
        """Return the errors of the training and of the test part, as text by their names."""
        labels = {"rmse": f"RMSE [{self.unit}]" if self.unit else "RMSE", "r2": "R^2"}
        found: dict[str, dict[str, str]] = {}
        for name, value in self.errors.items():
            part, _, measure = name.partition("_")
            found.setdefault(part, {})[labels.get(measure, measure)] = f"{value:.4g}"
        return found


class Measures(NamedTuple):
    """What states of a fit are compared by, all in the unit of the loss.

    ``sparsity`` and ``bending`` are the penalties that were asked for, 0 where none was.
    """

    loss: float
    validation_loss: float | None = None
    sparsity: float = 0.0
    bending: float = 0.0

    @property
    def objective(self) -> float:
        """The number that shall be small: the loss on data that are watched, or else trained on."""
        watched = self.loss if self.validation_loss is None else self.validation_loss
        return watched + self.sparsity + self.bending


def kept_numbers(measures: Measures) -> dict[str, float]:
    """Return the losses as ``FitReport.kept`` has them."""
    numbers = {"loss": measures.loss, "validation_loss": measures.validation_loss}
    return {name: number for name, number in numbers.items() if number is not None}


DIVERGED, LOST_STEPS = 1e6, 50
"""A fit has diverged once its objective has been this many times the best, and this many times what
y varies by, for so many steps."""

MOST_UPDATES_PER_SECOND = 20
"""Of the progress bar."""


class Monitor:
    """Watches one fit: logs each step, keeps the best state, asks callbacks whether to go on.

    It holds what must survive a fit that is stopped at any moment.

    Parameters
    ----------
    report : FitReport
        Filled step by step.
    patience : int
        Steps without a better validation loss before a level ends.
    callbacks : sequence of callable
        Called with each ``Progress``; False stops the fit.
    show : bool
        Whether to show a progress bar.
    total : int
        Expected number of steps, for the bar.
    variance : float
        Of y, in the unit of the loss.
    """

    def __init__(
        self,
        report: FitReport,
        *,
        patience: int,
        callbacks: Sequence[Callable[[Progress], bool | None]],
        show: bool,
        total: int,
        variance: float = math.inf,
    ) -> None:
        self.report, self.callbacks, self.variance = report, callbacks, variance
        self.patience, self.waited = patience, 0
        self._lost = 0  # steps in a row
        self._best: NetworkState | None = None
        self.best_objective = self._best_before = math.inf
        self._begin = time.perf_counter()
        # The first call in a new environment compiles for some seconds: say so meanwhile.
        ready = "kanviz.nn.kernels.dense" in sys.modules
        self.bar = tqdm(
            total=total,
            disable=not show or sys.stderr is None,  # as under pythonw, which has no terminal
            desc="fit" if ready else "fit (loading kernels)",
            mininterval=1 / MOST_UPDATES_PER_SECOND,
        )

    def step(
        self,
        network: Network,
        measures: Measures,
        errors: Callable[[], Errors],
    ) -> tuple[Progress, bool]:
        """Log one step; return it and whether to go on. ``report.stopped`` says why not.

        ``measures`` are of the network as it is now; ``errors`` becomes ``Progress.errors``.
        """
        progress = Progress(
            step=self.report.n_steps + 1,
            loss=measures.loss,
            validation_loss=measures.validation_loss,
            grid_size=network.layers[0].spec.grid_size,
            seconds=time.perf_counter() - self._begin,
            network=network,
            errors=errors,
        )
        self.report.log(progress, measures.sparsity)
        self.consider(network, measures)
        self._show(progress)
        if any([callback(progress) is False for callback in self.callbacks]):  # noqa: C419 - call all
            self.report.stopped = "callback"
        elif measures.validation_loss is not None and self.waited >= self.patience:
            self.report.stopped = "patience"
        elif self._diverges(measures):
            self.report.stopped = "diverged"
            self.report.notes.append(
                f"The loss grew to {measures.loss:.2g} and did not come back, so the fit was ended "
                "with its best state. A smaller learning rate, or the optimizer 'lm', helps."
            )
        return progress, not self.report.stopped

    def _diverges(self, measures: Measures) -> bool:
        """Return whether the fit has long been where nothing good will come of it."""
        beyond = DIVERGED * max(self.best_objective, self.variance)
        is_lost = not measures.objective <= beyond and math.isfinite(self.best_objective)
        self._lost = self._lost + 1 if is_lost else 0
        return self._lost >= LOST_STEPS

    @property
    def best(self) -> Network | None:
        """A copy of the network in its best state; None where none had a finite measure."""
        if self._best is None:
            return None
        return self._best.build(next(self._best.tensors()).device)

    def new_level(self) -> None:
        """Forget how long the last level has waited, remember how good it became."""
        self.waited, self._best_before = 0, self.best_objective

    @property
    def is_no_better(self) -> bool:
        """Whether this level has not done better than those before it."""
        return self.best_objective >= self._best_before

    def new_measure(self) -> None:
        """Take the next state as the best so far, whatever it is: it is judged by other prices."""
        self.best_objective = self._best_before = math.inf

    def take(self, network: Network, measures: Measures, step: int) -> None:
        """Take a state as the best that was so by another measure, at ``step``."""
        self._best, self.best_objective = NetworkState.capture(network), measures.objective
        self.report.kept_step, self.report.kept = step, kept_numbers(measures)

    def forget_best(self) -> None:
        """Start the search for the best state anew: what was found no longer counts."""
        self._best, self.report.kept_step, self.waited = None, 0, 0
        self.report.kept = {}
        self.best_objective = self._best_before = math.inf

    def close(self) -> None:
        """Stop the clock and the bar, which is full unless the fit was broken off."""
        self.report.seconds = time.perf_counter() - self._begin
        if self.report.stopped not in ("", "interrupted"):
            self.bar.total = self.bar.n
        self.bar.close()

    def consider(self, network: Network, measures: Measures) -> None:
        """Keep the state of a network if it is the best so far: that after the last step taken."""
        if measures.objective < self.best_objective:  # false for NaN
            self._best, self.best_objective = NetworkState.capture(network), measures.objective
            self.report.kept_step, self.waited = self.report.n_steps, 0
            self.report.kept = kept_numbers(measures)
        else:
            self.waited += 1

    def _show(self, progress: Progress) -> None:
        numbers = {"loss": f"{progress.loss:.2e}", "grid": progress.grid_size}
        if progress.validation_loss is not None:
            numbers["validation"] = f"{progress.validation_loss:.2e}"
        if progress.step == 1:
            self.bar.set_description("fit", refresh=False)
        self.bar.set_postfix(numbers, refresh=False)
        self.bar.update()
