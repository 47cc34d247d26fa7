"""All models of a cell: times in turn in this process, then memory in another one."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from torch import nn

from benchmarks.cells import Cell
from benchmarks.entrants import MLP, Entrant
from benchmarks.memory import peaks
from benchmarks.records import MISSING, OK, CellResult, Outcome
from benchmarks.threads import use_threads
from benchmarks.timing import Step, alternate

LONGEST_ERROR = 90
T = TypeVar("T")


def measure_cell(
    cell: Cell, threads: int, entrants: Sequence[Entrant], repeats: int, most_seconds: float
) -> CellResult:
    """Return times and ratios of all entrants; a peer that fails has its error as its status."""
    outcomes = {entrant.name: Outcome(entrant.name, entrant.family, OK) for entrant in entrants}
    made = {e.name: MISSING if e.is_missing else attempt(partial(e.make, cell)) for e in entrants}
    use_threads(threads)
    steps: dict[str, Step] = {}
    for name, model in made.items():
        found = model if isinstance(model, str) else attempt(partial(_ready, model, cell))
        if isinstance(found, str):
            outcomes[name].status = found
        else:
            steps[name] = found
            outcomes[name].parameters = _count(found.model)
    timings = alternate(steps, repeats, most_seconds)
    for name, timing in timings.items():
        outcomes[name].timing = timing
        if MLP in timings:
            outcomes[name].ratio = timing.total.median / timings[MLP].total.median
    return CellResult(cell, threads, list(outcomes.values()))


def add_peaks(results: Sequence[CellResult], entrants: Sequence[Entrant]) -> None:
    """Measure the memory of every model that ran; one thread, once per cell."""
    by_name = {entrant.name: entrant for entrant in entrants}
    ran = [
        (outcome, result.cell)
        for result in results
        for outcome in result.outcomes
        if outcome.status == OK
    ]
    tasks = list(dict.fromkeys((by_name[outcome.model], cell) for outcome, cell in ran))
    found = dict(zip(tasks, peaks(tasks), strict=True))
    for outcome, cell in ran:
        outcome.peak = found[by_name[outcome.model], cell]


def attempt(call: Callable[[], T]) -> T | str:
    """Return what a call of foreign code returns, or its error in one line."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - a peer may fail in any way
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 3] + "..."


def _ready(model: nn.Module, cell: Cell) -> Step:
    """Return a step that has been seen to work."""
    step = Step.of(model, cell)
    step.take()
    return step


def _count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
