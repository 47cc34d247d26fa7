"""What a fit did: every logged number under its own name, what stopped it, how long it took."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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


@dataclass
class FitReport:
    """The record that ``fit`` returns.

    Attributes
    ----------
    optimizer : str
        The optimizer that ran.
    history : dict
        ``"step"``, ``"loss"``, ``"grid_size"``, ``"seconds"`` and, with validation data,
        ``"validation_loss"``: lists with one entry per step.
    stopped : str
        Why the last level ended: ``"steps"``, ``"converged"``, ``"no better step"``,
        ``"patience"``, ``"callback"``, ``"stopped"`` (by ``FitHandle.stop``) or ``"interrupted"``.
    seconds : float
        Wall time of the whole fit.
    starts : list of float
        Loss of each random start that was tried, in order; empty if only the present one was used.
    kept_step : int
        The step whose state the network has now (the best on validation data, else training data).
    notes : list of str
        Sentences about treatments, such as skipped grid levels.
    """

    optimizer: str
    history: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0
    starts: list[float] = field(default_factory=list)
    kept_step: int = 0
    notes: list[str] = field(default_factory=list)

    def log(self, **numbers: float) -> None:
        """Append one number to each named list."""
        for name, number in numbers.items():
            self.history.setdefault(name, []).append(number)

    @property
    def n_steps(self) -> int:
        """How many steps were taken, on all levels."""
        return len(self.history.get("loss", []))

    @property
    def loss(self) -> float:
        """Training loss of the state that was kept; NaN if no step was taken."""
        return self._kept("loss")

    @property
    def validation_loss(self) -> float:
        """Validation loss of the state that was kept; NaN without validation data."""
        return self._kept("validation_loss")

    def _kept(self, name: str) -> float:
        numbers = self.history.get(name, [])
        return numbers[self.kept_step - 1] if 0 < self.kept_step <= len(numbers) else float("nan")

    def plot(self) -> "Figure":
        """Return a figure of the losses against steps, with the grid levels marked."""
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
        if self.starts:
            parts.append(f"best of {len(self.starts)} starts")
        return ", ".join([*parts, f"stopped: {self.stopped}"])
