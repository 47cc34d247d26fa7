"""Several random starts, of which the most promising is kept.

From one random start a deep KAN finds the law behind the data about one time in six, and a short
trial on a coarse grid costs a tenth of a second: so many are begun, the better part goes on.
"""

import copy
from collections.abc import Callable
from typing import Any

from kanviz.nn import Network
from kanviz.training.forms import smoothness
from kanviz.training.levenberg_marquardt import minimise
from kanviz.training.linearise import n_weights
from kanviz.training.task import Task

TRIAL_SAMPLES = 1000
TRIAL_CURVATURE = 1e-5
ROUNDS = ((10, 15), (30,), (60,))
"""Steps of each trial; between rounds the better quarter goes on, within one the grid moves."""

GOOD_ENOUGH = 0.02
"""A trial whose error is below this share of the standard deviation of y ends the search."""

MOST_STARTS = 32


MOST_STARTS_OF_EQUATIONS = 4
"""Their steps take some ten times as long."""


def affordable_starts(network: Network, *, is_equation: bool = False) -> int:
    """Return how many starts are worth it: many for small networks, 1 where nothing is hidden."""
    if len(network.layers) == 1:
        return 1
    most = MOST_STARTS_OF_EQUATIONS if is_equation else MOST_STARTS
    return max(1, min(most, 8_000 // n_weights(network)))


def best_start(
    network: Network,
    task: Task,
    count: int,
    *,
    seed: int,
    grids_move: bool,
    is_called_off: Callable[[], bool] = lambda: False,
) -> tuple[Network, list[float]]:
    """Try the network and ``count - 1`` siblings with other seeds; return the best, trained a bit.

    Parameters
    ----------
    network : Network
        In float64; the first candidate. It is not changed.
    task : Task
        What to train on; the first trials see no more than 1000 samples.
    count : int
        Number of candidates.
    seed : int
        Seed of the siblings.
    grids_move : bool
        Whether knots may follow the data.
    is_called_off : callable
        Asked after every step; once it says so what is returned means nothing.

    Returns
    -------
    best : Network
    losses : list of float
        Mean squared error of each candidate at the end of its trial, in the unit of y squared.
    """
    how: dict[str, Any] = {"grids_move": grids_move, "is_called_off": is_called_off}
    losses: list[float] = []
    field: list[tuple[float, int, Network]] = []
    for number in range(count):
        candidate = network.remade(seed + 1_000_003 * number) if number else copy.deepcopy(network)
        loss = _trial(candidate, task.first(TRIAL_SAMPLES), ROUNDS[0], **how)
        losses.append(loss)
        field.append((loss, number, candidate))
        if loss**0.5 < GOOD_ENOUGH * task.scale or is_called_off():
            break
    for steps in ROUNDS[1:]:
        field = sorted(field, key=lambda entry: entry[:2])[: max(1, (len(field) + 3) // 4)]
        if len(field) == 1 or is_called_off():
            break
        for place, (_, number, candidate) in enumerate(field):
            losses[number] = _trial(candidate, task, steps, **how)
            field[place] = (losses[number], number, candidate)
    return min(field, key=lambda entry: entry[:2])[2], losses


def _trial(
    network: Network,
    task: Task,
    rounds: tuple[int, ...],
    *,
    grids_move: bool,
    is_called_off: Callable[[], bool],
) -> float:
    for steps in rounds:
        if grids_move:
            network.update_grid(task.x)
        problem = task.problem(network, [smoothness(network, TRIAL_CURVATURE, task.scale)])
        minimise(problem, steps, lambda _: not is_called_off())
    return problem.cost(problem.weights())[1]
