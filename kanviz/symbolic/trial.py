"""One candidate on one edge, inside the network: refitted briefly, then judged; and the choice."""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from kanviz.nn.network import Network
from kanviz.nn.symbols import with_formula
from kanviz.snapshot import Edge
from kanviz.symbolic.candidates import free_numbers
from kanviz.symbolic.in_network import cancellation
from kanviz.symbolic.library import Function
from kanviz.symbolic.suggest import Suggestion
from kanviz.symbolic.symbol_report import Attempt
from kanviz.training.judge import Judge

PROBE_STEPS, REFIT_STEPS, CLOSE_STEPS = 8, 10, 30
"""Steps for every candidate; for those that are not hopeless then; for those within the limit."""

TIE = 1.1
"""Errors within this factor of the lowest count as equal: refits are short, and data have noise."""

MUCH_BETTER = 0.1
"""A more complex candidate is taken for a simpler one if its error is below this share of it."""

FLOOR = 1e-7
"""Held-out errors below it, as shares of y's spread, count as equal: the law has been found."""

CANCELS = 1e6
"""A formula whose terms are this much larger than what is left of them is refused. Such a cosine of
a tiny angle is a parabola in disguise, and its digits are lost in rounding."""


@dataclass(frozen=True)
class Trial:
    """A copy of the network with one candidate in it, refitted; inf as error if refused."""

    candidate: Suggestion
    network: Network
    error: float


@dataclass(frozen=True)
class Bounds:
    """What errors mean in a search.

    Parameters
    ----------
    limit : float
        Largest error that is accepted.
    hopeless : float
        Error after the first steps beyond which a candidate is given up.
    enough : float
        Once a choice is this good no more complex candidate is tried; at least ``FLOOR``.
    """

    limit: float
    hopeless: float
    enough: float

    def much_better_than(self, error: float) -> "Bounds":
        """Return bounds for candidates that have to be much better than ``error``."""
        return Bounds(error / 2, error / 2, self.enough)


def attempt(
    network: Network, edge: Edge, judge: Judge, bounds: Bounds, candidate: Suggestion
) -> Trial:
    """Put a candidate into a copy of the network, refit everything and judge."""
    work = copy.deepcopy(network)
    layer = work.layers[edge.layer]
    numbers = (candidate.a, candidate.b, candidate.c, candidate.d)
    layer.set_symbols(
        with_formula(layer, edge.i, edge.j, candidate.function, numbers, candidate.r2)
    )
    judge.refit(work, PROBE_STEPS)
    error = judge.error(work)
    if FLOOR < error <= bounds.hopeless:
        judge.refit(work, REFIT_STEPS)
        error = judge.error(work)
    if FLOOR < error <= bounds.limit:  # close: let it show how good it can be
        judge.refit(work, CLOSE_STEPS)
        error = judge.error(work)
    return Trial(candidate, work, error if cancellation(work, judge.x) <= CANCELS else torch.inf)


def trials(
    network: Network,
    edge: Edge,
    judge: Judge,
    bounds: Bounds,
    candidates: Sequence[Suggestion],
    n_jobs: int,
) -> Iterator[Trial]:
    """Yield the trial of each candidate in order, as many at a time as there are workers."""
    if n_jobs == 1:
        yield from (attempt(network, edge, judge, bounds, row) for row in candidates)
        return
    import joblib  # not needed, nor paid for, without workers

    size = joblib.effective_n_jobs(n_jobs)
    for start in range(0, len(candidates), size):
        wave = candidates[start : start + size]
        tasks = (joblib.delayed(attempt)(network, edge, judge, bounds, row) for row in wave)
        yield from joblib.Parallel(n_jobs=n_jobs)(tasks)


Run = Callable[[Sequence[Suggestion], Bounds], Iterator[Trial]]


def choose(
    candidates: Sequence[Suggestion], run: Run, bounds: Bounds
) -> tuple[Trial | None, tuple[Attempt, ...]]:
    """Return the best of the candidates, which come simplest first, and what was tried.

    A more complex one has to be much better than a simpler one, and show so in its first steps;
    none is tried once the best is good enough. All this goes level by level of complexity, so that
    the choice does not depend on how many trials are made at a time.
    """
    best: Trial | None = None
    tried: list[Attempt] = []
    for _, level in itertools.groupby(candidates, key=lambda row: row.complexity):
        within = bounds if best is None else bounds.much_better_than(best.error)
        equals: list[Trial] = []
        for trial in run(list(level), within):
            tried.append(Attempt(trial.candidate.name, trial.candidate.complexity, trial.error))
            equals += [trial] if trial.error <= within.limit else []
            if trial.error <= FLOOR:
                break
        chosen = _best_of_equals(equals)
        if chosen and (best is None or chosen.error < MUCH_BETTER * best.error):
            best = chosen
        if best is not None and best.error <= bounds.enough:
            break
    return best, tuple(tried)


def is_preferred(new: Trial, function: Function, error: float) -> bool:
    """Return whether a trial should replace ``function``, with which the network has ``error``."""
    mine, other = new.candidate.function, function
    if mine.complexity != other.complexity:
        is_simpler = mine.complexity < other.complexity
        if is_simpler:
            return new.error <= FLOOR or MUCH_BETTER * new.error <= error
        return error > FLOOR and new.error < MUCH_BETTER * error
    numbers = free_numbers(mine), free_numbers(other)
    if numbers[0] < numbers[1]:
        return new.error <= TIE * error + FLOOR
    return TIE * new.error + FLOOR < error


def _best_of_equals(equals: Sequence[Trial]) -> Trial | None:
    """Return the trial with the fewest free numbers among those whose error ties with the lowest.

    With noise the tip of a wide sine does as well as a square; the square has one number less.
    """
    if not equals:
        return None
    lowest = min(trial.error for trial in equals)
    ties = [trial for trial in equals if trial.error <= TIE * lowest + FLOOR]
    return min(ties, key=lambda trial: (free_numbers(trial.candidate.function), trial.error))
