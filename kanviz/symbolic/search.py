"""The search for formulas: what has been accepted so far, and the moves that change it."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Int
from torch import Tensor

from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.symbolic.candidates import candidates, free_numbers
from kanviz.symbolic.in_network import complexity, give_spline, splines
from kanviz.symbolic.library import Function
from kanviz.symbolic.snap_network import snap_network
from kanviz.symbolic.suggest import Suggestion
from kanviz.symbolic.symbol_report import Attempt, EdgeReport, SnappedNumber
from kanviz.symbolic.terms import Units
from kanviz.symbolic.trial import FLOOR, TIE, Bounds, Trial, choose, is_preferred, trials
from kanviz.training.judge import Judge

HOPELESS = 30.0
"""After the first steps of its refit a candidate is given up above so many times the limit."""

LOOSE = 10.0
"""While another edge is a spline still, the right function may be above the limit by this factor:
the spline may not be able to follow."""

ENOUGH = 0.1
"""Below this share of the limit no more complex function is tried: whoever allows more asks for a
simple formula."""

BACK_STEPS, FINAL_STEPS, MOST_ROUNDS, MOST_BRANCHES = 20, 100, 2, 8


@dataclass
class Search:
    """The state of one search.

    ``network`` is what has been accepted so far; ``nodes`` are the numbers that its nodes have for
    the user, by layer; ``branches`` holds what each choice was made from: the network before it,
    and the other candidates.
    """

    network: Network
    nodes: list[Int[Tensor, " _nodes"]]
    judge: Judge
    limit: float
    functions: Mapping[str, Function]
    n_jobs: int
    on_edge: Callable[[EdgeReport], object]
    reports: dict[Edge, EdgeReport] = field(default_factory=dict)
    chosen: dict[Edge, Suggestion] = field(default_factory=dict)
    branches: dict[Edge, tuple[Network, list[Suggestion]]] = field(default_factory=dict)
    way: list[tuple[str, int, float]] = field(default_factory=list)

    def note(self, step: str) -> float:
        """Add what the network is now to the way; return its error."""
        error = self.judge.error(self.network)
        self.way.append((step, complexity(self.network), error))
        return error

    def first_pass(self) -> None:
        """Try each spline, and again those that failed while others were splines still."""
        for _ in range(2):
            before = len(self.chosen)
            for edge in splines(self.network):
                error, old = self.judge.error(self.network), copy.deepcopy(self.network)
                rows = candidates(old, edge, self.judge.x, self.functions)
                best, tried = self._choose(old, edge, rows, max(TIE * error, ENOUGH * self.limit))
                self._settle(edge, error, best, tried)
                if best is not None:
                    others = [row for row in rows if row.name != best.candidate.name]
                    self.branches[edge] = (old, others)
            if not splines(self.network) or len(self.chosen) == before:
                return

    def branch(self) -> None:
        """Where an edge stays a spline, go back to earlier choices, the last one first."""
        budget = MOST_BRANCHES
        for edge in reversed(list(self.chosen)) if splines(self.network) else []:
            old, rows = self.branches[edge]
            if self._branch_at(old, edge, rows[:budget]):
                return
            budget -= len(rows[:budget])

    def _branch_at(self, old: Network, edge: Edge, rows: Sequence[Suggestion]) -> bool:
        """Return whether another function at this edge let all splines become formulas."""
        before = self.judge.error(self.network)
        loose = Bounds(LOOSE * self.limit, HOPELESS * self.limit, FLOOR)
        for trial in self._trials(old, edge, loose, rows):
            if trial.error > loose.limit:
                continue
            work, found = trial.network, {edge: trial}
            for rest in splines(work):
                then = candidates(work, rest, self.judge.x, self.functions)
                best, _ = self._choose(work, rest, then, FLOOR)
                if best is None:
                    break
                work, found[rest] = best.network, best
            if not splines(work) and self.judge.error(work) <= self.limit:
                for place, accepted in found.items():
                    self._settle(place, before, accepted, ())
                return True
        return False

    def question(self) -> None:
        """Question each choice now that the others are known, until no choice changes."""
        for _ in range(MOST_ROUNDS):
            changed = False
            for edge in self.chosen:
                error = self.judge.error(self.network)
                if error <= FLOOR:
                    return
                changed |= self._question(edge, error)
            if not changed:
                return

    def _question(self, edge: Edge, error: float) -> bool:
        """Look what a spline in the place of one choice wants to be; return whether it changed."""
        known = self.chosen[edge]
        work = copy.deepcopy(self.network)
        give_spline(work, edge, self.judge.x)
        self.judge.refit(work, BACK_STEPS)
        found = (
            trial
            for bounds, rows in self._alternatives(work, edge, error)
            for trial in self._trials(work, edge, bounds, rows)
        )
        best: Trial | None = None
        tried: list[Attempt] = []
        for trial in found:
            tried.append(Attempt(trial.candidate.name, trial.candidate.complexity, trial.error))
            now, lowest = (known, error) if best is None else (best.candidate, best.error)
            if trial.error <= self.limit and is_preferred(trial, now.function, lowest):
                best = trial
            if best is not None and best.error <= FLOOR:
                break
        self._settle(edge, error, best, tuple(tried))
        return best is not None

    def _alternatives(
        self, work: Network, edge: Edge, error: float
    ) -> list[tuple[Bounds, list[Suggestion]]]:
        """Return what might be better than the choice for an edge, with the bounds to try it in.

        A function that is no simpler has to follow the curve better than the one that was chosen;
        a more complex one also has to show in its first steps that it is much better.
        """
        rows = candidates(work, edge, self.judge.x, self.functions)
        known = self.chosen[edge].function
        mine = next((row.error for row in rows if row.function == known), torch.inf)
        rows = [row for row in rows if row.function != known]
        cost = known.complexity, free_numbers(known)
        simpler = [r for r in rows if (r.complexity, free_numbers(r.function)) < cost]
        others = [r for r in rows if r not in simpler and r.error < mine]
        equal = [row for row in others if row.complexity == known.complexity]
        complex_ = [r for r in others if r.complexity > known.complexity and r.error < mine / 2]
        as_good = Bounds(self.limit, 10 * error, FLOOR)
        return [(as_good, [*simpler, *equal]), (as_good.much_better_than(error), complex_)]

    def finish(self, units: Units) -> tuple[SnappedNumber, ...]:
        """Refit everything to the end, then make numbers nice; return which."""
        polished = copy.deepcopy(self.network)
        self.judge.refit(polished, FINAL_STEPS)
        error = self.judge.error(polished)
        if error <= max(self.judge.error(self.network), FLOOR):
            self.network.take(polished)
            self.note("refitted")
        nice, snapped = snap_network(self.network, self.judge, units, self.limit)
        self.network.take(nice)
        if snapped:
            self.note(f"made {len(snapped)} numbers nice")
        return tuple(replace(number, edge=self._for_user(number.edge)) for number in snapped)

    def _choose(
        self, network: Network, edge: Edge, rows: Sequence[Suggestion], enough: float
    ) -> tuple[Trial | None, tuple[Attempt, ...]]:
        bounds = Bounds(self.limit, HOPELESS * self.limit, max(FLOOR, enough))
        return choose(rows, lambda level, b: self._trials(network, edge, b, level), bounds)

    def _trials(
        self, network: Network, edge: Edge, bounds: Bounds, rows: Sequence[Suggestion]
    ) -> Iterator[Trial]:
        return trials(network, edge, self.judge, bounds, rows, self.n_jobs)

    def _settle(
        self,
        edge: Edge,
        before: float,
        best: Trial | None,
        tried: tuple[Attempt, ...],
    ) -> None:
        """Take over what was chosen for an edge, if anything, and report it."""
        old = self.reports.get(edge)
        tried = (*(old.attempts if old else ()), *tried)
        if best is None:
            report = old or EdgeReport(self._for_user(edge), None, before, before, ())
            self.reports[edge] = replace(report, attempts=tried)
        else:
            self.network.take(best.network)
            self.chosen[edge] = best.candidate
            name, r2 = best.candidate.name, best.candidate.r2
            place = self._for_user(edge)
            self.reports[edge] = EdgeReport(place, name, before, best.error, tried, r2)
            self.note(f"edge {tuple(place)}: {name}")
        self.on_edge(self.reports[edge])

    def _for_user(self, edge: Edge) -> Edge:
        """Return an edge as the user numbers it."""
        layer, i, j = edge
        return Edge(layer, int(self.nodes[layer][i]), int(self.nodes[layer + 1][j]))
