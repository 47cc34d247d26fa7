"""Whole fits: seconds until the error on test data reaches a target, kanviz beside two L-BFGS."""

import contextlib
import importlib
import importlib.util
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import attempt
from benchmarks.records import MISSING, OK, FitResult
from benchmarks.threads import use_threads
from kanviz.course.problems import Problem, problem
from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training import fit

GRIDS = (3, 5, 10, 20, 50)
"""Grid sizes for everyone, one after the other."""

LBFGS_STEPS, PYKAN_STEPS = 1000, 50
"""Per grid size: a step of pykan is up to 20 iterations, so both have as many."""


@dataclass(frozen=True)
class Goal:
    """A problem, its training samples, and the test RMSE to reach."""

    problem: str
    samples: int
    target: float


GOALS = (Goal("toy_exp_sin", 1000, 2e-5), Goal("toy_deep", 3000, 1e-6))


class Reached(Exception):
    """No error: it ends a fit of pykan, which cannot be asked to end."""


class Watch:
    """Follows the error on the test data during a fit, and says when it may end."""

    def __init__(self, data: Dataset, target: float, most_seconds: float) -> None:
        assert data.x_test is not None
        assert data.y_test is not None
        self.x, self.y = data.x_test, data.y_test
        self.target, self.most_seconds = target, most_seconds
        self.best, self.start = float("inf"), time.perf_counter()
        self.seconds = 0.0

    @torch.no_grad()
    def look(self, model: Callable[[Tensor], Tensor]) -> bool:
        """Take down the error and the time; return whether the fit should go on."""
        rmse = float((model(self.x) - self.y).square().mean().sqrt())
        self.best = min(self.best, rmse)
        self.seconds = time.perf_counter() - self.start
        return self.best > self.target and self.seconds < self.most_seconds


def measure_fits(
    goals: Sequence[Goal], seeds: Sequence[int], peer_seeds: Sequence[int], most_seconds: float
) -> list[FitResult]:
    """Return one result per goal, contender and seed; float64, one thread, data of seed 0."""
    use_threads(1)
    contenders = {
        "kanviz": (fit_kanviz, seeds),
        "kanviz, L-BFGS of torch": (fit_lbfgs, peer_seeds),
        "pykan, its L-BFGS": (fit_pykan, peer_seeds),
    }
    return [
        _measure(goal, name, run, seed, most_seconds)
        for goal in goals
        for name, (run, chosen) in contenders.items()
        for seed in chosen
    ]


def fit_kanviz(chosen: Problem, data: Dataset, seed: int, watch: Watch) -> None:
    """Fit with the defaults of kanviz."""
    _fit_network(chosen, data, seed, watch)


def fit_lbfgs(chosen: Problem, data: Dataset, seed: int, watch: Watch) -> None:
    """Fit our network with torch's L-BFGS."""
    _fit_network(chosen, data, seed, watch, optimizer="lbfgs", steps=LBFGS_STEPS)


def fit_pykan(chosen: Problem, data: Dataset, seed: int, watch: Watch) -> None:
    """Fit pykan as its tutorials do: L-BFGS on finer and finer grids."""
    make: Any = importlib.import_module("kan").KAN
    sets = {
        "train_input": data.x,
        "train_label": data.y,
        "test_input": data.x_test,
        "test_label": data.y_test,
    }

    def rmse() -> Tensor:  # the one thing that pykan calls after each step
        if not watch.look(model):
            raise Reached
        return torch.tensor(watch.best)

    # Its refine writes to the folder "model" of where it runs, and expects it to be there.
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        _default_float64(),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        Path("model").mkdir()
        model = make(width=list(chosen.widths), grid=GRIDS[0], k=3, seed=seed, auto_save=False)
        for grid_size in GRIDS:
            if grid_size != GRIDS[0]:
                model = model.refine(grid_size)
            with contextlib.suppress(Reached):
                model.fit(sets, opt="LBFGS", steps=PYKAN_STEPS, metrics=[rmse])
                continue
            return


def _fit_network(
    chosen: Problem, data: Dataset, seed: int, watch: Watch, **options: object
) -> None:
    network = Network(chosen.widths, seed=seed, dtype=torch.float64)
    look = [lambda progress: watch.look(progress.network)]
    fit(network, data, grids=GRIDS, seed=seed, progress=False, callbacks=look, **options)


def _measure(
    goal: Goal,
    name: str,
    run: Callable[[Problem, Dataset, int, Watch], None],
    seed: int,
    most_seconds: float,
) -> FitResult:
    result = FitResult(goal.problem, goal.target, name, seed, OK)
    if run is fit_pykan and importlib.util.find_spec("kan") is None:
        result.status = MISSING
        return result
    chosen = problem(goal.problem)
    data = chosen.dataset(n_train=goal.samples, n_test=1000, seed=0, dtype=torch.float64)
    watch = Watch(data, goal.target, most_seconds)
    error = attempt(lambda: run(chosen, data, seed, watch))
    if isinstance(error, str):
        result.status = error
    result.seconds, result.rmse = watch.seconds, watch.best
    result.is_reached = watch.best <= goal.target
    return result


@contextlib.contextmanager
def _default_float64() -> Any:
    """pykan makes its tensors in torch's default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
