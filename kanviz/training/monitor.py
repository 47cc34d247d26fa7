"""The watcher of one fit: logs each step, keeps the best state, asks callbacks whether to go on."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from tqdm.auto import tqdm

from kanviz.nn import Network
from kanviz.nn.state import NetworkState
from kanviz.training.errors import Errors
from kanviz.training.report import FitReport, Progress

MOST_UPDATES_PER_SECOND = 20


class Monitor:
    """Holds what must survive a fit that is stopped at any moment.

    Parameters
    ----------
    report : FitReport
        Filled step by step.
    penalty : callable
        ``penalty(network)`` is added to the loss where states are compared; logged where not 0.
    validate : callable
        ``validate(network)`` returns the validation loss; None where nothing is watched.
    patience : int
        Steps without a better validation loss before a level ends.
    measure : callable
        ``measure(network, loss)`` returns what ``Progress.errors`` tells.
    callbacks : sequence of callable
        Called with each ``Progress``; False stops the fit.
    show : bool
        Whether to show a progress bar.
    total : int
        Expected number of steps, for the bar.
    """

    def __init__(
        self,
        report: FitReport,
        penalty: Callable[[Network], float],
        validate: Callable[[Network], float | None],
        *,
        measure: Callable[[Network, float], Errors],
        patience: int,
        callbacks: Sequence[Callable[[Progress], bool | None]],
        show: bool,
        total: int,
    ) -> None:
        self.report, self.callbacks = report, callbacks
        self.validate, self.penalty, self.measure = validate, penalty, measure
        self.patience, self.waited = patience, 0
        self._best: NetworkState | None = None
        self.best_objective = self._best_before = math.inf
        self.progress: Progress | None = None
        self.start = time.perf_counter()
        # The first call in a new environment compiles for some seconds: say so meanwhile.
        ready = "kanviz.nn.contractions" in sys.modules
        self.bar = tqdm(
            total=total,
            disable=not show,
            desc="fit" if ready else "fit (loading kernels)",
            mininterval=1 / MOST_UPDATES_PER_SECOND,
        )

    def step(self, network: Network, loss: float) -> bool:
        """Log one step; return whether to go on. ``report.stopped`` says why not."""
        watched = self.validate(network)
        seconds = time.perf_counter() - self.start
        number = self.report.n_steps + 1
        grid = network.layers[0].spec.grid_size
        self.progress = progress = Progress(
            number, loss, watched, grid, seconds, network, partial(self.measure, network, loss)
        )
        self.report.log(step=number, loss=loss, grid_size=grid, seconds=seconds)
        if watched is not None:
            self.report.log(validation_loss=watched)
        penalty = self.penalty(network)
        if penalty:
            self.report.log(sparsity=penalty)
        self._keep_best(network, (loss if watched is None else watched) + penalty, number)
        self._show(progress)
        if any([callback(progress) is False for callback in self.callbacks]):  # noqa: C419 - call all
            self.report.stopped = "callback"
            return False
        if watched is not None and self.waited >= self.patience:
            self.report.stopped = "patience"
            return False
        return True

    @property
    def best(self) -> Network | None:
        """A copy of the network in its best state; None before the first step."""
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

    def forget_best(self) -> None:
        """Start the search for the best state anew: what was found no longer counts."""
        self._best, self.report.kept_step, self.waited = None, 0, 0
        self.best_objective = self._best_before = math.inf

    def close(self) -> None:
        """Stop the clock and the bar, which is full unless the fit was broken off."""
        self.report.seconds = time.perf_counter() - self.start
        if self.report.stopped not in ("", "interrupted"):
            self.bar.total = self.bar.n
        self.bar.close()

    def _keep_best(self, network: Network, objective: float, number: int) -> None:
        if objective < self.best_objective:
            self._best, self.best_objective = NetworkState.capture(network), objective
            self.report.kept_step, self.waited = number, 0
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
