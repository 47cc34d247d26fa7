"""The results as plain records: all that the tables and plots read, and what the JSON file holds.

Times are in seconds, memory in bytes.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.cells import Cell

OK, MISSING = "ok", "missing"


class Quartiles(NamedTuple):
    """Median of the repetitions, between the first and third quartile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Timing:
    """Seconds of one step over the repetitions; ``total`` is of the sums, repetition by repetition.

    ``forward`` is the model's call; ``backward`` the loss and its gradients.
    """

    forward: Quartiles
    backward: Quartiles
    total: Quartiles
    repeats: int


@dataclass
class Outcome:
    """What came of one model in one cell.

    ``status`` is "ok", "missing" or the text of an error; what was not measured is None. ``ratio``
    is the median of ``total`` over the MLP's.
    """

    model: str
    family: str
    status: str
    parameters: int | None = None
    timing: Timing | None = None
    ratio: float | None = None
    peak: int | None = None


@dataclass
class CellResult:
    """All models in one cell, on a number of threads."""

    cell: Cell
    threads: int
    outcomes: list[Outcome]


@dataclass
class PenaltyResult:
    """A training step with the sparsity penalty beside one without."""

    cell: Cell
    threads: int
    plain: Quartiles
    penalised: Quartiles
    ratio: float


@dataclass
class FitResult:
    """One fit: ``seconds`` until the target was reached, or until it ended without."""

    problem: str
    target: float
    contender: str
    seed: int
    status: str
    seconds: float | None = None
    rmse: float | None = None
    is_reached: bool = False


@dataclass
class GrowthResult:
    """Time and memory of a step while one number grows, and the slopes of both in log-log.

    ``seconds`` are medians. ``tail_slope`` is of the time over the last three values.
    """

    sweep: str
    model: str
    values: list[int]
    seconds: list[float]
    peaks: list[int | None]
    slope: float
    tail_slope: float
    memory_slope: float | None


@dataclass
class Report:
    """One run of the benchmark: the machine, the versions and what was measured."""

    command: str
    machine: dict[str, str]
    versions: dict[str, str]
    cells: list[CellResult] = field(default_factory=list)
    penalties: list[PenaltyResult] = field(default_factory=list)
    fits: list[FitResult] = field(default_factory=list)
    growth: list[GrowthResult] = field(default_factory=list)
