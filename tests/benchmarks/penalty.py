"""What the sparsity penalty of ``fit`` adds to a training step."""

import kanviz as kv
from benchmarks.cells import Cell
from benchmarks.records import PenaltyResult
from benchmarks.threads import use_threads
from benchmarks.timing import Step, alternate
from kanviz.training.sparsity import Sparsity

CELLS = (Cell((2, 5, 1), 5, 1000), Cell((100, 1000, 1), 5, 1000))
SPARSITY = Sparsity(1e-3)


def measure_penalty(cell: Cell, threads: int, repeats: int, most_seconds: float) -> PenaltyResult:
    """Return the times of a plain and of a penalised step of the cubic spline KAN."""
    use_threads(threads)
    network = kv.KAN(cell.widths, grid_size=cell.grid_size).network
    plain = Step.of(network, cell)
    penalised = Step(
        network,
        plain.x,
        plain.target,
        lambda x: SPARSITY.penalised(network, x, scale=SPARSITY.weight),
    )
    found = alternate({"plain": plain, "penalised": penalised}, repeats, most_seconds)
    totals = found["plain"].total, found["penalised"].total
    return PenaltyResult(cell, threads, *totals, ratio=totals[1].median / totals[0].median)
