"""One problem, two models: a KAN of kanviz and an MLP, each trained as well as it can be.

Both see the same 3000 training points and are chosen on the same 1000 others; the 1000 test points
are looked at once, at the end. Seconds are processor time on one thread, trials included, so that
other programs on the machine do not count.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from kanviz.course.mlp import MLP, train_mlp
from kanviz.course.problems import Problem
from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training import fit

N_TRAIN, N_CHOOSE, N_TEST = 3000, 1000, 1000

GRIDS = (5, 10, 20, 50)
PATIENCE = 40
"""Of the KAN: it stops refining where a finer grid is no better on the choosing points."""

HIDDEN = (((20, 20), "tanh"), ((20, 20), "silu"), ((14, 14, 14), "tanh"))
SEEDS = (0, 1)
TRIAL_STEPS, STEPS = 25, 200
"""Levenberg-Marquardt steps of each MLP's trial, and of the best one after it."""

HOW = (
    f"{N_TRAIN} training points, {N_CHOOSE} to choose by, {N_TEST} test points looked at once; "
    f"float64. KAN: grids {', '.join(map(str, GRIDS))}, seed 0. MLP: "
    f"{len(HIDDEN)} shapes of about 500 weights with {len(SEEDS)} seeds each, {TRIAL_STEPS} "
    f"Levenberg-Marquardt steps; the best goes on for {STEPS}. Seconds of one thread, trials "
    "included."
)


@dataclass(frozen=True)
class Samples:
    """The data of one problem: to train on (with the test points), and to choose by."""

    train: Dataset
    choose: tuple[Tensor, Tensor]

    @property
    def test(self) -> tuple[Tensor, Tensor]:
        """The points that tell how good the chosen model is."""
        assert self.train.x_test is not None
        assert self.train.y_test is not None
        return self.train.x_test, self.train.y_test


def samples(problem: Problem, n_train: int = N_TRAIN) -> Samples:
    """Return the samples of seed 0 in float64."""
    drawn = problem.dataset(n_train + N_CHOOSE, N_TEST, seed=0, dtype=torch.float64)
    train = replace(drawn, x=drawn.x[:n_train], y=drawn.y[:n_train])
    return Samples(train, (drawn.x[n_train:], drawn.y[n_train:]))


def compare(problem: Problem) -> dict[str, Any]:
    """Return the row of one problem: both models' shapes, parameters, errors and seconds."""
    data = samples(problem)
    return {"name": problem.name, "kan": measure_kan(problem, data), "mlp": measure_mlp(data)}


def measure_kan(problem: Problem, data: Samples, grids: Sequence[int] = GRIDS) -> dict[str, Any]:
    """Return what kanviz's network of the problem's shape reaches; its fit tries several starts."""
    begin = time.process_time()
    box = torch.tensor(problem.ranges)
    network = Network(problem.widths, grid_range=box, seed=0, dtype=torch.float64)
    how: dict[str, Any] = {"validation": data.choose, "patience": PATIENCE, "progress": False}
    report = fit(network, data.train, grids=grids, **how)
    return {
        "widths": list(problem.widths),
        "grid_size": network.layers[0].spec.grid_size,
        "n_parameters": n_parameters(network),
        "starts": max(1, len(report.starts)),
        **_errors(lambda x, y: rmse(network, x, y), data),
        "seconds": round(time.process_time() - begin, 1),
    }


def measure_mlp(
    data: Samples, hidden: Sequence[tuple[tuple[int, ...], str]] = HIDDEN
) -> dict[str, Any]:
    """Return what the best of several shapes and seeds of an MLP reaches."""
    begin = time.process_time()
    ends = data.train.n_inputs, data.train.n_outputs
    trials = []
    for nodes, activation in hidden:
        for seed in SEEDS:
            widths = (ends[0], *nodes, ends[1])
            trials.append(_lm(data, widths, activation, seed, TRIAL_STEPS))
    first = min(trials, key=lambda model: model.rmse(*data.choose))
    last = _lm(data, first.widths, first.activation, 0, STEPS, start=first)
    best = min((first, last), key=lambda model: model.rmse(*data.choose))
    return {
        "widths": list(best.widths),
        "activation": best.activation,
        "n_parameters": best.n_parameters,
        **_errors(best.rmse, data),
        "seconds": round(time.process_time() - begin, 1),
    }


def _lm(
    data: Samples,
    widths: tuple[int, ...],
    activation: str,
    seed: int,
    steps: int,
    start: MLP | None = None,
) -> MLP:
    return train_mlp(
        data.train,
        widths,
        activation=activation,
        optimizer="lm",
        steps=steps,
        seed=seed,
        start=start,
    )


def n_parameters(network: Network) -> int:
    """Return the number of trained numbers of a network: coefficients and base weights."""
    return sum(parameter.numel() for parameter in network.parameters())


@torch.no_grad()
def rmse(network: Network, x: Tensor, y: Tensor) -> float:
    """Return the root mean squared error of a network."""
    return float((network(x) - y).square().mean().sqrt())


def _errors(error: Callable[[Tensor, Tensor], float], data: Samples) -> dict[str, float]:
    """Return the errors on all three parts."""
    parts = {"train": (data.train.x, data.train.y), "choose": data.choose, "test": data.test}
    return {f"{name}_rmse": float(f"{error(*part):.3e}") for name, part in parts.items()}
