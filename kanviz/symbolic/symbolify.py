"""From splines to formulas, each accepted only if the whole network stays as good.

In context (see In-Context Symbolic Regression for KANs, arXiv 2603.15250): a candidate is judged
inside the network after a brief refit of everything, not by how it looks on its own edge.
"""

import copy
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kanviz.nn.network import Network
from kanviz.nn.symbols import with_formula
from kanviz.snapshot import Edge
from kanviz.symbolic.library import Function
from kanviz.symbolic.suggest import Suggestion, suggest
from kanviz.symbolic.traits import traits
from kanviz.training.judge import Judge

SUGGESTION_SAMPLES = 600
MOST_CANDIDATES = 6

NEAR, SIMPLE = 3.0, 2
"""Candidates up to this complexity are tried too if their error is within this factor."""

WORST_SHAPE = 0.3
"""Error of a candidate on its own edge, as a share of the edge's spread, beyond which it is not
tried: the refit moves numbers, it makes no sine of a parabola."""

REFIT_STEPS, CLOSE_STEPS, FINAL_STEPS = 15, 30, 100

TIE = 1.1
"""Errors within this factor of the lowest count as equal: refits are short, and data have noise."""

MUCH_BETTER = 0.1
"""A more complex candidate is taken for a simpler one if its error is below this share of it."""

FLOOR = 1e-7
"""Held-out errors below it, as shares of y's spread, count as equal: the law has been found."""


@dataclass(frozen=True)
class Attempt:
    """One candidate tried inside the network, and the held-out error after its refit."""

    formula: str
    complexity: int
    error: float


@dataclass(frozen=True)
class EdgeReport:
    """What came of one edge: ``chosen`` is a formula's name, or None where it stays a spline."""

    edge: Edge
    chosen: str | None
    before: float
    after: float
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class SymbolReport:
    """What came of all edges, with the held-out error before and after.

    Errors are shares of the standard deviation of y (for classes: roots of the cross entropy).
    """

    edges: tuple[EdgeReport, ...]
    before: float
    after: float
    limit: float

    @property
    def is_complete(self) -> bool:
        """Whether every edge is a formula now."""
        return all(report.chosen is not None for report in self.edges)

    def __str__(self) -> str:
        """Say edge by edge what was chosen."""
        lines = [
            f"edge {tuple(r.edge)}: {r.chosen or 'stays a spline'} "
            f"({len(r.attempts)} tried, error {r.before:.2e} -> {r.after:.2e})"
            for r in self.edges
        ]
        total = f"error {self.before:.2e} -> {self.after:.2e} (limit {self.limit:.2e})"
        return "\n".join([*lines, total])


def symbolify(
    network: Network,
    judge: Judge,
    *,
    tolerance: float | None,
    functions: Mapping[str, Function],
    on_edge: Callable[[EdgeReport], object] = lambda _: None,
) -> SymbolReport:
    """Turn splines into formulas in place, as long as the held-out error stays.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    judge : Judge
        Refits and judges.
    tolerance : float or None
        By how much the held-out error may rise in all, in its own unit: 0.01 is 1 % of the
        standard deviation of y. None: by half of what it is, so that the formula has to be as good
        as the splines.
    functions : mapping
        The library to choose from.
    on_edge : callable
        Called with the report of each edge as it comes.

    Returns
    -------
    SymbolReport
    """
    before = judge.error(network)
    limit = max(1.5 * before, FLOOR) if tolerance is None else before + tolerance
    reports: dict[Edge, EdgeReport] = {}
    for _ in range(2):  # again for those that failed while others were splines still
        for edge in _splines(network):
            report = _try_edge(network, edge, judge, limit, functions)
            if reports.get(edge) is None or report.chosen:
                reports[edge] = report
            on_edge(report)
        if not _splines(network) or all(r.chosen is None for r in reports.values()):
            break
    polished = copy.deepcopy(network)
    judge.refit(polished, FINAL_STEPS)
    if judge.error(polished) <= max(judge.error(network), FLOOR):
        network.take(polished)
    return SymbolReport(tuple(reports.values()), before, judge.error(network), limit)


def _splines(network: Network) -> list[Edge]:
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in layer.spline_mask.nonzero().tolist()
    ]


def _try_edge(
    network: Network, edge: Edge, judge: Judge, limit: float, functions: Mapping[str, Function]
) -> EdgeReport:
    """Try candidates for one edge, the simplest first; more complex ones have to be much better."""
    before = judge.error(network)
    attempts: list[Attempt] = []
    best: _Trial | None = None
    candidates = _candidates(network, edge, judge.x, functions)
    for _, level in itertools.groupby(candidates, key=lambda row: row.complexity):
        trials = [_try(network, edge, judge, limit, candidate) for candidate in level]
        attempts += [Attempt(t.candidate.name, t.candidate.complexity, t.error) for t in trials]
        found = _best_of_equals([trial for trial in trials if trial.error <= limit])
        if found and (best is None or found.error < MUCH_BETTER * best.error):
            best = found
        if best is not None and best.error <= FLOOR:
            break
    if best is None:
        return EdgeReport(edge, None, before, before, tuple(attempts))
    network.take(best.network)
    return EdgeReport(edge, best.candidate.name, before, best.error, tuple(attempts))


@dataclass(frozen=True)
class _Trial:
    """A copy of the network with one candidate in it, refitted."""

    candidate: Suggestion
    network: Network
    error: float


def _try(network: Network, edge: Edge, judge: Judge, limit: float, candidate: Suggestion) -> _Trial:
    work = copy.deepcopy(network)
    layer = work.layers[edge.layer]
    numbers = (candidate.a, candidate.b, candidate.c, candidate.d)
    layer.set_symbols(with_formula(layer, edge.i, edge.j, candidate.function, numbers))
    judge.refit(work, REFIT_STEPS)
    error = judge.error(work)
    if FLOOR < error <= limit:  # close: let it show how good it can be
        judge.refit(work, CLOSE_STEPS)
        error = judge.error(work)
    return _Trial(candidate, work, error)


def _best_of_equals(trials: Sequence[_Trial]) -> _Trial | None:
    """Return the trial with the fewest free numbers among those whose error ties with the lowest.

    With noise the tip of a wide sine does as well as a square; the square has one number less.
    """
    if not trials:
        return None
    lowest = min(trial.error for trial in trials)
    ties = [trial for trial in trials if trial.error <= TIE * lowest + FLOOR]
    return min(ties, key=lambda trial: (_free_numbers(trial.candidate), trial.error))


def _free_numbers(candidate: Suggestion) -> int:
    known = traits(candidate.function)
    return 4 - known.scale_free - known.shift_free


def _candidates(
    network: Network, edge: Edge, x: Tensor, functions: Mapping[str, Function]
) -> list[Suggestion]:
    """Return the few functions worth a trial, the simplest first, then as ``suggest`` has them."""
    with torch.no_grad():
        for layer in network.layers[: edge.layer]:
            x = layer(x)
        values = network.layers[edge.layer].edge_outputs(x)[:, edge.i, edge.j]
    step = max(1, math.ceil(len(x) / SUGGESTION_SAMPLES))
    table = suggest(x[::step, edge.i], values[::step], functions=functions)
    good = [row for row in table if row.error < WORST_SHAPE]
    chosen = {row.name: row for row in good[:MOST_CANDIDATES]}
    chosen |= {row.name: row for row in good if row.on_front}
    close = NEAR * min((row.error for row in good), default=0.0)
    chosen |= {row.name: row for row in good if row.error <= close and row.complexity <= SIMPLE}
    # A stable sort: among equal ones the table's own order stays, fewer numbers before more.
    ranked = [row for row in table if row.name in chosen]
    return sorted(ranked, key=lambda row: row.complexity)
