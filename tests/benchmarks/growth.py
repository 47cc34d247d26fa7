"""How time and memory of a step grow with the grid, the batch, the widths and the depth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cells import Cell
from benchmarks.entrants import OURS, Entrant
from benchmarks.memory import peaks
from benchmarks.records import GrowthResult
from benchmarks.threads import use_threads
from benchmarks.timing import Step, alternate

MODELS = OURS[1:]
TAIL = 3


@dataclass(frozen=True)
class Sweep:
    """One number that grows, the rest fixed; slopes are fitted from ``slope_from`` on."""

    name: str
    cell: Callable[[int], Cell]
    values: tuple[int, ...]
    slope_from: int = 0


SWEEPS = (
    Sweep(
        "grid size G of [10, 10, 1], batch 4000",
        lambda grid_size: Cell((10, 10, 1), grid_size, 4000),
        (5, 10, 20, 50, 100, 200, 500),
        slope_from=20,
    ),
    Sweep(
        "batch of [64, 64, 1], G = 5",
        lambda batch: Cell((64, 64, 1), 5, batch),
        (64, 256, 1024, 4096, 16384),
    ),
    Sweep(
        "outputs n of [64, n], G = 5, batch 1000",
        lambda outputs: Cell((64, outputs), 5, 1000),
        (8, 32, 128, 512, 2048),
    ),
    Sweep(
        "width n of [n, n, 1], G = 5, batch 1000",
        lambda width: Cell((width, width, 1), 5, 1000),
        (8, 16, 32, 64, 128, 256, 512),
    ),
    Sweep(
        "layers n of width 16, G = 5, batch 1000",
        lambda depth: Cell((16,) * depth + (1,), 5, 1000),
        (1, 2, 4, 8, 16),
    ),
)


def measure_growth(
    sweeps: Sequence[Sweep], entrants: Sequence[Entrant], repeats: int, most_seconds: float
) -> list[GrowthResult]:
    """Return one result for each sweep and model, measured on one thread."""
    use_threads(1)
    results = []
    for sweep in sweeps:
        cells = [sweep.cell(value) for value in sweep.values]
        times = [_seconds(cell, entrants, repeats, most_seconds) for cell in cells]
        found = peaks([(entrant, cell) for entrant in entrants for cell in cells])
        for i, entrant in enumerate(entrants):
            seconds = [time[entrant.name] for time in times]
            memory = found[i * len(cells) : (i + 1) * len(cells)]
            results.append(_result(sweep, entrant.name, seconds, memory))
    return results


def slope(values: Sequence[float], sizes: Sequence[float]) -> float:
    """Return the least-squares slope of log sizes over log values."""
    return float(np.polyfit(np.log(values), np.log(sizes), 1)[0])


def _seconds(
    cell: Cell, entrants: Sequence[Entrant], repeats: int, most_seconds: float
) -> dict[str, float]:
    steps = {entrant.name: Step.of(entrant.make(cell), cell) for entrant in entrants}
    found = alternate(steps, repeats, most_seconds)
    return {name: timing.total.median for name, timing in found.items()}


def _result(
    sweep: Sweep, model: str, seconds: list[float], memory: list[int | None]
) -> GrowthResult:
    first = next(i for i, value in enumerate(sweep.values) if value >= sweep.slope_from)
    values, known = sweep.values[first:], [peak for peak in memory[first:] if peak]
    memory_slope = slope(values, known) if len(known) == len(values) else None
    return GrowthResult(
        sweep=sweep.name,
        model=model,
        values=list(sweep.values),
        seconds=seconds,
        peaks=memory,
        slope=slope(values, seconds[first:]),
        tail_slope=slope(values[-TAIL:], seconds[-TAIL:]),
        memory_slope=memory_slope,
    )
