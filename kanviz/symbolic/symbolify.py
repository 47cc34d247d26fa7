"""From splines to formulas, each accepted only if the whole network stays as good.

In context (see In-Context Symbolic Regression for KANs, arXiv 2603.15250): a candidate is judged
inside the network after a brief refit of everything, not by how it looks on its own edge. A pass
over all edges takes the simplest function that does; then each choice is reconsidered, now that
the others are known; at last numbers become nice ones where the error agrees.

Below ``symbolify`` stand, in this order: the search with its moves, the trial of one candidate and
the choice among several, and which functions are worth a trial.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kanviz.data.scaling import Scaling
from kanviz.nn.compact import put_back, sums_of, without_idle_nodes
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.regrid import fit_coefficients
from kanviz.nn.ties import groups_of
from kanviz.snapshot import Edge
from kanviz.symbolic.formula import cancellation
from kanviz.symbolic.functions import Function, free_numbers
from kanviz.symbolic.samples import prepare_samples
from kanviz.symbolic.snapping import FLOOR, Units, snap_network
from kanviz.symbolic.suggest import Suggestion, library_of, suggest
from kanviz.symbolic.symbol_report import Attempt, EdgeReport, SnappedNumber, SymbolReport
from kanviz.training.judge import Judge

ACCURATE = 1e-6
"""Default limit for very good networks, as a share of the standard deviation of y: a formula that
is right to the six digits that ``formula`` shows is not refused because a spline is righter."""


def symbolify(
    network: Network,
    judge: Judge,
    *,
    tolerance: float | None,
    functions: Mapping[str, Function],
    laws: bool = False,
    units: Units | None = None,
    n_jobs: int = 1,
    on_edge: Callable[[EdgeReport], object] = lambda _: None,
    dof: float = 0.0,
) -> SymbolReport:
    """Turn splines into formulas in place, as long as the held-out error stays.

    Frozen edges stay as they are.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    judge : Judge
        Refits and judges.
    tolerance : float or None
        By how much the held-out error may rise in all, in its own unit: 0.01 is 1 % of the
        standard deviation of y. None: where the noise is known, by what chance explains, see
        ``Chance``; else by half of what it is, so that the formula has to be as good as the
        splines. An error of ``ACCURATE`` is always good enough.
    functions : mapping
        The library to choose from.
    laws : bool
        Whether small laws (``kanviz.symbolic.laws``) are tried where no single function does.
    units : Units, optional
        The user's, in which numbers are made nice; by default those of the network.
    n_jobs : int
        How many candidates are tried at a time, as joblib has it; the result is the same.
    on_edge : callable
        Called with the report of each edge as it comes.
    dof : float
        Effective degrees of freedom of the network, where the noise is known.

    Returns
    -------
    SymbolReport
    """
    small, nodes = without_idle_nodes(network)
    before = judge.error(network)
    chance = Chance(judge.unit_of_chance if tolerance is None else None)
    limit = max(chance.limit(before, dof), ACCURATE)
    if tolerance is not None:
        limit = before + tolerance
    units = _plain_units(network) if units is None else units
    sums = [sums_of(layer, own) for layer, own in zip(network.layers, nodes[1:], strict=True)]
    numbers = list(zip(nodes, sums, strict=False))
    if judge.smoothing is not None:
        judge = replace(judge, smoothing=judge.smoothing.of_nodes(numbers))
    search = Search(small, numbers, judge, limit, functions, units, n_jobs, on_edge, chance)
    search.note("splines")
    search.constants()
    search.first_pass()
    search.branch()
    if laws:
        search.laws()
    search.reconsider()
    snapped = search.finish()
    put_back(network, small, nodes)
    reports = tuple(search.reports.values())
    after = judge.error(network)
    stages = tuple(search.stages)
    return SymbolReport(reports, before, after, limit, snapped, stages, chance.unit)


def _plain_units(network: Network) -> Units:
    like = torch.empty(0, dtype=torch.float64)
    ends = network.widths[0], network.widths[-1]
    return Units(*(Scaling.identity(width, like) for width in ends))


PROBE_STEPS, REFIT_STEPS, CLOSE_STEPS = 8, 10, 30
"""Steps for every candidate; for those that are not hopeless then; for those within the limit."""

EQUAL = 1.1
"""Errors within this factor of the lowest count as equal: refits are short, and data have noise."""

MUCH_BETTER = 0.1
"""A more complex candidate is taken for a simpler one if its error is below this share of it."""

CANCELS = 1e6
"""A formula whose terms are this much larger than what is left of them is refused. Such a cosine of
a tiny angle is a parabola in disguise, and its digits are lost in rounding."""

HOPELESS = 30.0
"""After the first steps of its refit a candidate is given up above so many times the limit."""

LOOSE = 10.0
"""While another edge is a spline still, the right function may be above the limit by this factor:
the spline may not be able to follow."""

MOST_WITH_LAWS = 8
"""With more splines left, what the network does is no law, and the search would take minutes."""

MOST_STRAIGHTENED = 4
"""So many edges, at most, are tried as straight lines before small laws."""

ENOUGH = 0.1
"""Below this share of the limit no more complex function is tried: whoever allows more asks for a
simple formula."""

TIES, BETTER = 4.0, 11.0
"""Deviances that differ by less count as equal; by more, no chance explains it: of one number to
spare it is as much in 1 of 20 and in 1 of 1000 cases (Wilks, The large-sample distribution of the
likelihood ratio for testing composite hypotheses, 1938)."""

SURE = 2.33
"""Standard deviations above the mean up to which the deviance may rise: in 99 of 100 cases."""

BACK_STEPS, FINAL_STEPS, MOST_ROUNDS, MOST_BRANCHES = 20, 100, 2, 8


@dataclass(frozen=True)
class Trial:
    """One candidate on one edge, tried inside the network.

    Parameters
    ----------
    candidate : Suggestion
        The function, with the numbers that it began with.
    network : Network
        A copy with the candidate in it, refitted.
    error : float
        Its held-out error; inf if the candidate was refused.
    """

    candidate: Suggestion
    network: Network
    error: float


@dataclass(frozen=True)
class Chance:
    """What may be chance in the difference of two errors.

    Where the noise is known, the square of an error times rows over variance is the deviance, and
    if a formula is the truth the splines beat it, on the rows that they were fitted to, by about as
    much as they have degrees of freedom: a sum of so many squares of normal numbers. Where it is
    not, rules of thumb.

    Parameters
    ----------
    unit : float or None
        By how much the square of an error rises where the deviance does by 1.
    """

    unit: float | None = None

    def limit(self, error: float, dof: float) -> float:
        """Return the largest error of a formula, for splines of that error and freedom."""
        if self.unit is None:
            return 1.5 * error
        # The cube root of such a sum is nearly normal (Wilson, Hilferty, 1931).
        k = max(1.0, dof)
        most = k * (1 - 2 / (9 * k) + SURE * math.sqrt(2 / (9 * k))) ** 3
        return self.after(error, most)

    def equal(self, error: float) -> float:
        """Return up to which error another one counts as equal."""
        return EQUAL * error + FLOOR if self.unit is None else self.after(error, TIES) + FLOOR

    def better(self, error: float) -> float:
        """Return below which error a more complex function is taken."""
        return MUCH_BETTER * error if self.unit is None else self.after(error, -BETTER)

    def worse(self, error: float) -> float:
        """Return up to which error a simpler function is taken instead."""
        return error / MUCH_BETTER if self.unit is None else self.after(error, BETTER)

    def enough(self, error: float, limit: float) -> float:
        """Return below which error no more complex function is tried.

        Parameters
        ----------
        error : float
            That of the network with a spline.
        limit : float
            The largest that is accepted.
        """
        if self.unit is None:
            return max(EQUAL * error, ENOUGH * limit)
        return self.after(error, TIES)

    def bounds(self, bounds: "Bounds", error: float) -> "Bounds":
        """Return bounds for candidates that have to be better than one of that error."""
        if self.unit is None:
            return bounds.much_better_than(error)
        return Bounds(self.better(error), HOPELESS * error, bounds.enough)

    def after(self, error: float, rise: float) -> float:
        """Return the error at which the deviance is larger by so much."""
        assert self.unit is not None
        return math.sqrt(max(0.0, error**2 + rise * self.unit))


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


@dataclass
class Search:
    """The state of one search; its methods are the moves.

    Parameters
    ----------
    network : Network
        What has been accepted so far; changed in place.
    numbers : list over layers of (nodes,) and (sums,)
        The i and the j that edges have for the user, whose idle nodes are not in ``network``.
    judge : Judge
        Refits and judges.
    limit : float
        The largest held-out error that is accepted.
    functions : mapping of str to Function
        The library to choose from.
    units : Units
        The user's, in which laws are written.
    n_jobs : int
        How many candidates are tried at a time.
    on_edge : callable
        Called with the report of each edge as it comes.
    chance : Chance
        What may be chance in errors.
    reports : dict of Edge to EdgeReport
        What came of each edge so far.
    chosen : dict of Edge to Suggestion
        The function of each edge that has become a formula.
    branches : dict of Edge to (Network, list of Suggestion)
        What each choice was made from: the network before it, and the other candidates.
    stages : list of (step, complexity, error)
        All that was accepted, in order.
    """

    network: Network
    numbers: list[tuple[Int[Tensor, " _nodes"], Int[Tensor, " _sums"]]]
    judge: Judge
    limit: float
    functions: Mapping[str, Function]
    units: Units
    n_jobs: int
    on_edge: Callable[[EdgeReport], object]
    chance: Chance = field(default_factory=Chance)
    reports: dict[Edge, EdgeReport] = field(default_factory=dict)
    chosen: dict[Edge, Suggestion] = field(default_factory=dict)
    branches: dict[Edge, tuple[Network, list[Suggestion]]] = field(default_factory=dict)
    stages: list[tuple[str, int, float]] = field(default_factory=list)

    def note(self, step: str) -> float:
        """Add what the network is now to the stages; return its error."""
        error = self.judge.error(self.network)
        self.stages.append((step, complexity(self.network), error))
        return error

    def constants(self) -> None:
        """Let outputs whose targets never vary be that number, and nodes that only they see be 0.

        There is nothing that their curves could be recognised by: what is left of these is what the
        fit has not made even.
        """
        y, held = self.judge.y, self.judge.y_held
        if self.judge.is_classification:
            return
        is_constant = (y == y[0]).all(0) & (held == y[0]).all(0)
        if not bool(is_constant.any()):
            return
        error, (zero,) = self.judge.error(self.network), library_of(["0"]).values()
        for output in is_constant.nonzero().squeeze(1).tolist():
            work = copy.deepcopy(self.network)
            edges = _edges_of_constant(work, output)
            for number, edge in enumerate(edges):
                value = float(y[0, output]) if number == 0 else 0.0
                work.layers[edge.layer].fix(edge.i, edge.j, zero, (1.0, 0.0, 0.0, value), 1.0)
            now = self.judge.error(work)
            if not edges or now > self.limit:
                continue
            for edge in edges:
                chosen = Suggestion(zero, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, on_front=True)
                self._accept(edge, error, Trial(chosen, work, now), ())

    def first_pass(self) -> None:
        """Try each spline, and again those that failed while others were splines still."""
        for _ in range(2):
            before = len(self.chosen)
            for edge in splines(self.network):
                error, old = self.judge.error(self.network), copy.deepcopy(self.network)
                rows = candidates_for(old, edge, self.judge.x, self.functions)
                enough = self.chance.enough(error, self.limit)
                best, tried = self._choose(old, edge, rows, enough)
                self._accept(edge, error, best, tried)
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
            loose = Bounds(LOOSE * self.limit, HOPELESS * self.limit, FLOOR)
            trials = self._trials(old, edge, loose, rows[:budget])
            if self._completed(edge, (trial for trial in trials if trial.error <= loose.limit)):
                return
            budget -= len(rows[:budget])

    def _completed(self, edge: Edge, trials: Iterable[Trial], *, laws: bool = False) -> bool:
        """Return whether after one of these trials of an edge all splines could become formulas."""
        before = self.judge.error(self.network)
        for trial in trials:
            work, found = trial.network, {edge: trial}
            for rest in splines(work):
                rows = candidates_for(work, rest, self.judge.x, self.functions)
                best, _ = self._choose(work, rest, rows, FLOOR)
                if best is None and laws:
                    rows = laws_for(work, rest, self.judge.x, self.units)
                    best, _ = self._choose(work, rest, rows, FLOOR)
                if best is None:
                    break
                work, found[rest] = best.network, best
            if not splines(work) and self.judge.error(work) <= self.limit:
                for formed, accepted in found.items():
                    self._accept(formed, before, accepted, ())
                return True
        return False

    def laws(self) -> None:
        """Where one function is not enough, try small laws.

        An edge alone on its way to a node may be anything, for the next edge can make up for it; a
        law is only seen where it is straight. So that is tried first.
        """
        if len(splines(self.network)) > MOST_WITH_LAWS:
            return
        alone = [
            edge for edge in formulas_and_splines(self.network) if is_alone(self.network, edge)
        ]
        for edge in alone[:MOST_STRAIGHTENED] if splines(self.network) else []:
            trial = straightened(self.network, edge, self.judge)
            if self._completed(edge, [trial], laws=True):
                return
        for edge in reversed(splines(self.network)):
            error = self.judge.error(self.network)
            rows = laws_for(self.network, edge, self.judge.x, self.units)
            best, tried = self._choose(self.network, edge, rows, ENOUGH * self.limit)
            self._accept(edge, error, best, tried)

    def reconsider(self) -> None:
        """Reconsider each choice now that the others are known, until no choice changes."""
        for _ in range(MOST_ROUNDS):
            changed = False
            for edge in self.chosen:
                error = self.judge.error(self.network)
                if error <= FLOOR:
                    return
                changed |= self._reconsider(edge, error)
            if not changed:
                return

    def _reconsider(self, edge: Edge, error: float) -> bool:
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
            is_within = trial.error <= self.limit
            if is_within and is_preferred(trial, now.function, lowest, self.chance):
                best = trial
            if best is not None and best.error <= FLOOR:
                break
        self._accept(edge, error, best, tuple(tried))
        return best is not None

    def _alternatives(
        self, work: Network, edge: Edge, error: float
    ) -> list[tuple[Bounds, list[Suggestion]]]:
        """Return what might be better than the choice for an edge, with the bounds to try it in.

        A function that is no simpler has to follow the curve better than the one that was chosen;
        a more complex one also has to show in its first steps that it is much better.
        """
        rows = candidates_for(work, edge, self.judge.x, self.functions)
        known = self.chosen[edge].function
        mine = next((row.error for row in rows if row.function == known), torch.inf)
        rows = [row for row in rows if row.function != known]
        cost = known.complexity, free_numbers(known)
        simpler = [r for r in rows if (r.complexity, free_numbers(r.function)) < cost]
        others = [r for r in rows if r not in simpler and r.error < mine]
        equal = [row for row in others if row.complexity == known.complexity]
        complex_ = [r for r in others if r.complexity > known.complexity and r.error < mine / 2]
        as_good = Bounds(self.limit, 10 * error, FLOOR)
        return [(as_good, [*simpler, *equal]), (self.chance.bounds(as_good, error), complex_)]

    def finish(self) -> tuple[SnappedNumber, ...]:
        """Refit everything to the end, then make numbers nice; return which."""
        polished = copy.deepcopy(self.network)
        self.judge.refit(polished, FINAL_STEPS)
        error = self.judge.error(polished)
        if error <= max(self.judge.error(self.network), FLOOR):
            self.network.take(polished)
            self.note("refitted")
        nice, snapped = snap_network(self.network, self.judge, self.units, self.limit)
        self.network.take(nice)
        if snapped:
            self.note(f"made {len(snapped)} numbers nice")
        return tuple(replace(number, edge=self._user_edge(number.edge)) for number in snapped)

    def _choose(
        self, network: Network, edge: Edge, rows: Sequence[Suggestion], enough: float
    ) -> tuple[Trial | None, tuple[Attempt, ...]]:
        bounds = Bounds(self.limit, HOPELESS * self.limit, max(FLOOR, enough))
        run = partial(self._run, network, edge)
        return choose(rows, run, bounds, self.chance)

    def _run(
        self, network: Network, edge: Edge, rows: Sequence[Suggestion], bounds: Bounds
    ) -> Iterator[Trial]:
        return self._trials(network, edge, bounds, rows)

    def _trials(
        self, network: Network, edge: Edge, bounds: Bounds, rows: Sequence[Suggestion]
    ) -> Iterator[Trial]:
        return run_trials(network, edge, self.judge, bounds, rows, self.n_jobs)

    def _accept(
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
            report = old or EdgeReport(self._user_edge(edge), None, before, before, ())
            self.reports[edge] = replace(report, attempts=tried)
        else:
            self.network.take(best.network)
            self.chosen[edge] = best.candidate
            name, r2 = best.candidate.name, best.candidate.r2
            address = self._user_edge(edge)
            self.reports[edge] = EdgeReport(address, name, before, best.error, tried, r2)
            self.note(f"edge {tuple(address)}: {name}")
        self.on_edge(self.reports[edge])

    def _user_edge(self, edge: Edge) -> Edge:
        """Return an edge as the user numbers it."""
        layer, i, j = edge
        nodes, sums = self.numbers[layer]
        return Edge(layer, int(nodes[i]), int(sums[j]))


Run = Callable[[Sequence[Suggestion], Bounds], Iterator[Trial]]


def choose(
    candidates: Sequence[Suggestion], run: Run, bounds: Bounds, chance: Chance
) -> tuple[Trial | None, tuple[Attempt, ...]]:
    """Return the best of the candidates, which come simplest first, and what was tried.

    A more complex one has to be much better than a simpler one, and show so in its first steps;
    none is tried once the best is good enough. All this goes level by level of complexity, so that
    the choice does not depend on how many trials are made at a time.
    """
    best: Trial | None = None
    tried: list[Attempt] = []
    for _, level in itertools.groupby(candidates, key=lambda row: row.complexity):
        within = bounds if best is None else chance.bounds(bounds, best.error)
        equals: list[Trial] = []
        for trial in run(list(level), within):
            tried.append(Attempt(trial.candidate.name, trial.candidate.complexity, trial.error))
            equals += [trial] if trial.error <= within.limit else []
            if trial.error <= FLOOR:
                break
        chosen = _best_of_equals(equals, chance)
        if chosen and (best is None or chosen.error < chance.better(best.error)):
            best = chosen
        if best is not None and best.error <= bounds.enough:
            break
    return best, tuple(tried)


def is_preferred(new: Trial, function: Function, error: float, chance: Chance) -> bool:
    """Return whether a trial should replace ``function``, with which the network has ``error``."""
    mine, other = new.candidate.function, function
    if mine.complexity != other.complexity:
        is_simpler = mine.complexity < other.complexity
        if is_simpler:
            return new.error <= FLOOR or new.error <= chance.worse(error)
        return error > FLOOR and new.error < chance.better(error)
    numbers = free_numbers(mine), free_numbers(other)
    if numbers[0] < numbers[1]:
        return new.error <= chance.equal(error)
    return chance.equal(new.error) < error


def _best_of_equals(equals: Sequence[Trial], chance: Chance) -> Trial | None:
    """Return the trial with the fewest free numbers among those whose error ties with the lowest.

    With noise the tip of a wide sine does as well as a square; the square has one number less.
    """
    if not equals:
        return None
    lowest = min(trial.error for trial in equals)
    ties = [trial for trial in equals if trial.error <= chance.equal(lowest)]
    return min(ties, key=lambda trial: (free_numbers(trial.candidate.function), trial.error))


def run_trials(
    network: Network,
    edge: Edge,
    judge: Judge,
    bounds: Bounds,
    candidates: Sequence[Suggestion],
    n_jobs: int,
) -> Iterator[Trial]:
    """Yield the trial of each candidate in order, as many at a time as there are workers."""
    if n_jobs == 1:
        yield from (try_candidate(network, edge, judge, bounds, row) for row in candidates)
        return
    import joblib  # not needed, nor paid for, without workers

    size = joblib.effective_n_jobs(n_jobs)
    for start in range(0, len(candidates), size):
        wave = candidates[start : start + size]
        tasks = (joblib.delayed(try_candidate)(network, edge, judge, bounds, row) for row in wave)
        yield from joblib.Parallel(n_jobs=n_jobs)(tasks)


def try_candidate(
    network: Network, edge: Edge, judge: Judge, bounds: Bounds, candidate: Suggestion
) -> Trial:
    """Put a candidate into a copy of the network, refit everything and judge.

    The steps come in three portions, so that a hopeless candidate costs little.
    """
    work = copy.deepcopy(network)
    layer = work.layers[edge.layer]
    layer.fix(edge.i, edge.j, candidate.function, candidate.numbers, candidate.r2)
    judge.refit(work, PROBE_STEPS)
    error = judge.error(work)
    if FLOOR < error <= bounds.hopeless:
        judge.refit(work, REFIT_STEPS)
        error = judge.error(work)
    if FLOOR < error <= bounds.limit:  # close: let it show how good it can be
        judge.refit(work, CLOSE_STEPS)
        error = judge.error(work)
    is_sound = cancellation(work, judge.x) <= CANCELS and not _is_disguised(work, edge, judge.x)
    return Trial(candidate, work, error if is_sound else torch.inf)


@torch.no_grad()
def _is_disguised(network: Network, edge: Edge, x: Float[Tensor, "samples inputs"]) -> bool:
    """Return whether the terms of a small law cancel so far that it is another one."""
    symbols = network.layers[edge.layer].symbols
    row = None if symbols is None else symbols.row_of((edge.i, edge.j))
    if symbols is None or row is None or not symbols.functions[row].constants:
        return False
    from kanviz.symbolic.laws import LARGEST_FACTOR, disguise

    function = cast(Function, symbols.functions[row])
    a, b, _, _, *numbers = symbols.affine[row].tolist()
    inputs, _, _ = _edge_samples(network, edge, x)
    return disguise(function, numbers[: len(function.constants)], a * inputs + b) > LARGEST_FACTOR


SUGGESTION_SAMPLES = 600

MOST_CANDIDATES = 6

NEAR, SIMPLE = 3.0, 2
"""Candidates up to this complexity are tried too if their error is within this factor."""

WORST_SHAPE = 0.3
"""Error of a candidate on its own edge, as a share of the edge's spread, beyond which it is not
tried: the refit moves numbers, it makes no sine of a parabola."""

FAINT = 0.01
"""An edge with less than this share of the spread at its node may be a constant or a line,
whatever its shape."""

ALIKE = 1e-6
"""Errors of two functions on one curve that differ by less than this share, when their numbers are
as many, show that they are one function but for a shift, as the sine and the cosine are."""


def candidates_for(
    network: Network,
    edge: Edge,
    x: Float[Tensor, "samples inputs"],
    functions: Mapping[str, Function],
) -> list[Suggestion]:
    """Return the few functions worth a trial, the simplest first, then as ``suggest`` has them.

    Parameters
    ----------
    network : Network
        Is only read.
    edge : Edge
        A spline of it.
    x : (samples, inputs)
        In the network's units.
    functions : mapping of str to Function
        The library to choose from.
    """
    inputs, values, share = _edge_samples(network, edge, x)
    step = max(1, math.ceil(len(x) / SUGGESTION_SAMPLES))
    table = suggest(inputs[::step], values[::step], functions=functions)
    good = [row for row in table if row.error < WORST_SHAPE]
    chosen = {row.name for row in good[:MOST_CANDIDATES]}
    chosen |= {row.name for row in good if row.on_front}
    close = NEAR * min((row.error for row in good), default=0.0)
    chosen |= {row.name for row in good if row.error <= close and row.complexity <= SIMPLE}
    if share < FAINT:
        chosen |= {row.name for row in table if row.complexity <= 1}
    # A stable sort: among equal ones the table's own order stays, fewer numbers before more.
    ranked = _without_twins([row for row in table if row.name in chosen])
    return sorted(ranked, key=lambda row: row.complexity)


def laws_for(
    network: Network, edge: Edge, x: Float[Tensor, "samples inputs"], units: Units
) -> list[Suggestion]:
    """Return the small laws worth a trial, the simplest first.

    They are written in the user's x where the edge sees it, itself or through a straight line, for
    that is where they are simple.

    Parameters
    ----------
    network, edge, x
        As for ``candidates_for``.
    units : Units
        The user's.
    """
    from kanviz.symbolic.laws import find_laws  # its forms are only read where they are tried

    inputs, values, _ = _edge_samples(network, edge, x)
    a, b = _to_user_x(network, edge, units)
    step = max(1, math.ceil(len(x) / SUGGESTION_SAMPLES))
    samples = prepare_samples(a * inputs[::step] + b, values[::step])
    found = find_laws(samples, WORST_SHAPE)[-MOST_CANDIDATES:]
    placed = (replace(law, a=law.a * a, b=law.a * b + law.b) for law in found)
    return [Suggestion(**vars(law), on_front=True) for law in placed]


def _to_user_x(network: Network, edge: Edge, units: Units) -> tuple[float, float]:
    """Return (a, b) of the line from an edge's input to the user's x behind it; (1, 0) for none."""
    if edge.layer == 0:
        return float(units.x.scale[edge.i]), float(units.x.shift[edge.i])
    below = network.layers[edge.layer - 1]
    sums = below.live_sums_of(edge.i)
    j = sums[0] if len(sums) == 1 else None  # no line leads through a product
    (sources,) = below.mask[:, edge.i if j is None else j].nonzero(as_tuple=True)
    symbols = below.symbols
    if symbols is None or j is None or len(sources) != 1:
        return 1.0, 0.0
    row = symbols.row_of((int(sources[0]), j))
    if row is None or symbols.functions[row].name != "x":
        return 1.0, 0.0
    a, b, c, d = below.affine[row, :4].tolist()
    if a * c == 0:
        return 1.0, 0.0
    # The node is c (a z + b) + d of the edge's own input z.
    scale, shift = _to_user_x(network, Edge(edge.layer - 1, int(sources[0]), j), units)
    return scale / (a * c), shift - scale * (b * c + d) / (a * c)


def formulas_and_splines(network: Network) -> list[Edge]:
    """Return the live edges that may change; of locked ones the first."""
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in _firsts(layer, layer.mask & ~layer.frozen).nonzero().tolist()
    ]


def _edges_of_constant(network: Network, output: int) -> list[Edge]:
    """Return the edges that a constant output needs none of, those into it first.

    None at all where one of them may not change. Behind it those that lead nowhere else are too.
    """
    found: list[Edge] = []
    idle = {output}
    for depth in reversed(range(len(network.layers))):
        layer: KANLayer = network.layers[depth]
        sums = [j for node in idle for j in layer.nodes.sums_of(node)]
        into = torch.zeros_like(layer.mask)
        into[:, sums] = layer.mask[:, sums]
        locked = torch.zeros_like(layer.mask)
        for group in groups_of(layer.leaders):
            locked[tuple(zip(*group, strict=True))] = True
        if bool((into & (layer.frozen | locked)).any()):
            return found
        found += [Edge(depth, i, j) for i, j in into.nonzero().tolist()]
        others = (layer.mask & ~into).any(1)
        idle = {i for i in range(layer.in_features) if not others[i]}
    return found


def is_alone(network: Network, edge: Edge) -> bool:
    """Return whether an edge is the only one into a hidden node, and no line already.

    One into a factor of a product is not, for what stands behind cannot bend it alone.
    """
    layer: KANLayer = network.layers[edge.layer]
    row = None if layer.symbols is None else layer.symbols.row_of((edge.i, edge.j))
    is_line = row is not None and layer.symbols.functions[row].name == "x"  # type: ignore[union-attr]
    is_last = edge.layer == len(network.layers) - 1
    multiplies = len(layer.live_sums_of(layer.nodes.owners[edge.j])) > 1
    alone = int(layer.mask[:, edge.j].sum()) == 1 and not multiplies
    return not is_last and alone and not is_line


def straightened(network: Network, edge: Edge, judge: Judge) -> Trial:
    """Return the trial of a straight line, which leaves all to the splines behind the node."""
    inputs, values, _ = _edge_samples(network, edge, judge.x)
    line = suggest(inputs, values, functions=library_of(["x"])).best
    work = copy.deepcopy(network)
    half = float(inputs.std()) or 1.0  # the nearest line may be flat, which would tell nothing
    numbers = 1 / half, -float(inputs.mean()) / half, 1.0, 0.0
    work.layers[edge.layer].fix(edge.i, edge.j, line.function, numbers)
    node = work.layers[edge.layer].nodes.owners[edge.j]
    for j in work.layers[edge.layer + 1].mask[node].nonzero().squeeze(1).tolist():
        behind = Edge(edge.layer + 1, node, j)
        symbols = work.layers[behind.layer].symbols
        if symbols is not None and symbols.row_of((behind.i, behind.j)) is not None:
            work.layers[behind.layer].unfix(behind.i, behind.j)
    work.update_grid(judge.x)
    judge.refit(work, BACK_STEPS)
    return Trial(line, work, judge.error(work))


def _without_twins(rows: Sequence[Suggestion]) -> list[Suggestion]:
    """Return one of each set of functions that fit alike: the one that needs the least shift."""
    kept: list[Suggestion] = []
    for row in rows:
        twin = next((n for n, other in enumerate(kept) if _is_twin(row, other)), None)
        if twin is None:
            kept.append(row)
        elif abs(row.b) < 0.5 * abs(kept[twin].b):
            kept[twin] = row
    return kept


def _is_twin(one: Suggestion, other: Suggestion) -> bool:
    if one.complexity != other.complexity:
        return False
    numbers = free_numbers(one.function), free_numbers(other.function)
    is_alike = abs(one.r2 - other.r2) <= ALIKE * (1 - min(one.r2, other.r2)) + 1e-15
    close = abs(one.error - other.error) <= ALIKE * max(one.error, other.error) + 1e-9
    return numbers == (4, 4) and is_alike and close


def splines(network: Network) -> list[Edge]:
    """Return the live edges that are splines and may change; of locked ones the first."""
    return [
        Edge(depth, i, j)
        for depth, layer in enumerate(network.layers)
        for i, j in _firsts(layer, layer.spline_mask & ~layer.frozen).nonzero().tolist()
    ]


def _firsts(
    layer: KANLayer, edges: Bool[Tensor, "inputs outputs"]
) -> Bool[Tensor, "inputs outputs"]:
    """Return these edges, of those that share a function the first one only."""
    firsts = edges.clone()
    for group in groups_of(layer.leaders):
        for i, j in [edge for edge in group if edges[edge]][1:]:
            firsts[i, j] = False
    return firsts


def complexity(network: Network) -> int:
    """Return the sum over live edges: a formula's complexity, a spline's number of coefficients."""
    total = 0
    for layer in network.layers:
        total += int(layer.spline_mask.sum()) * layer.spec.n_features
        if layer.symbols is not None:
            for (i, j), function in zip(layer.symbols.edges, layer.symbols.functions, strict=True):
                total += getattr(function, "complexity", 0) * int(layer.mask[i, j])
    return total


@torch.no_grad()
def give_spline(network: Network, edge: Edge, x: Float[Tensor, "samples inputs"]) -> None:
    """Give an edge a spline that follows its formula where data are, on knots that lie there."""
    network.update_grid(x)
    inputs, values, _ = _edge_samples(network, edge, x)
    layer: KANLayer = network.layers[edge.layer]
    layer.unfix(edge.i, edge.j)
    coef, _ = fit_coefficients(
        inputs[:, None], values[:, None, None], layer.knots[edge.i : edge.i + 1], layer.spec
    )
    layer.weight[edge.i, :, edge.j] = 0
    layer.weight[edge.i, : layer.spec.n_basis, edge.j] = coef[0, :, 0]


@torch.no_grad()
def _edge_samples(
    network: Network, edge: Edge, x: Float[Tensor, "samples inputs"]
) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"], float]:
    """Return inputs and outputs of an edge, and its share in the spread at the node it leads to."""
    for layer in network.layers[: edge.layer]:
        x = layer(x)
    values = network.layers[edge.layer].edge_outputs(x)[:, :, edge.j]
    total = float(values.sum(1).std(correction=0)) + 1e-300
    own = values[:, edge.i]
    return x[:, edge.i], own, float(own.std(correction=0)) / total
