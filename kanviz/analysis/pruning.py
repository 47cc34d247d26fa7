"""Pruning a network in place: by score, or in context, where data refit and judge it.

In context a part goes only if the network, briefly refitted, stays as good without it. Where the
data have chosen how smooth each curve is, idle edges go first, if that makes the data no less
likely, and every refit keeps to the smoothness that was found.
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import Score, Scores, scores
from kanviz.analysis.prune_plan import measure_of
from kanviz.analysis.removal import (
    Candidate,
    What,
    candidates,
    cut_off,
    edge_means,
    live_edges,
    named,
    nodes_in_use,
    selected,
    take_out,
    with_dead,
)
from kanviz.checks import check_choice
from kanviz.data import Dataset
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.tables import ReportTable, Series, report_html, small_chart, text_table
from kanviz.training.doubt import Doubt
from kanviz.training.families import family_of
from kanviz.training.judge import Judge, judge_of
from kanviz.training.least_squares import LeastSquares, count_of, minimise

PRUNE_SCORE = 0.03
"""Score below which ``prune`` without data drops an edge (the value of pykan 0.2.8)."""

REFIT_STEPS = 10

AT_ONCE = (0.1, 0.03, 0.01)
"""Scores below which all candidates are tried at once first: one by one, a refit would wake up
others that a sparse training has put to sleep."""

IDLE, LAZY = 0.1, 4.5
"""Effective degrees of freedom below which edges are idle, and all tried at once; and below which
each is tried by itself: a straight line has 1, and what chance makes of nothing up to about 4."""

CHANCE = 3.0
"""By how much the logarithm of the evidence may fall where an edge goes: odds of less than 20 to 1
are not strong (Kass and Raftery, Bayes factors, 1995, sec. 3.2), and of many idle edges the data
favour some by chance."""

GIVE_UP = 3
"""Refits in a row to no avail that end the search among nodes, and then among edges."""


@dataclass(frozen=True)
class Drop:
    """One candidate that was tried: what would go, and the held-out error before and after.

    Parameters
    ----------
    name : str
        What was tried, such as ``"node (1, 3)"``.
    edges : tuple of Edge
        What goes with it.
    score : float
        Of what was tried; of several the highest.
    before : float
        The error with it.
    after : float or None
        The error without it, after a brief refit; None where it was not tried.
    limit : float
        The highest error that is accepted.
    reason : str
        Why it stayed, such as ``"output 0 would be cut off"``; empty where it went.
    is_idle : bool
        Whether the evidence judged, because the data asked for hardly any of it; ``score`` then is
        in effective degrees of freedom.
    """

    name: str
    edges: tuple[Edge, ...]
    score: float
    before: float
    after: float | None
    limit: float
    reason: str
    is_idle: bool = False

    @property
    def removed(self) -> bool:
        """Whether it went."""
        return not self.reason

    @property
    def verdict(self) -> str:
        """What became of it, and why."""
        if self.reason:
            return f"kept: {self.reason}"
        return f"removed: idle, {self.score:.2g} degrees of freedom" if self.is_idle else "removed"

    def __str__(self) -> str:
        """Say in one line what was found."""
        after = "" if self.after is None else f" -> {self.after:.2e}"
        errors = f"error {self.before:.2e}{after}, limit {self.limit:.2e}"
        return f"{named(self.name, self.edges)}, score {self.score:.2g}: {errors}; {self.verdict}"


@dataclass(frozen=True)
class PruneReport(ReportTable[Drop]):
    """What ``prune`` did: a sequence of the candidates that it tried, empty without data.

    Shows itself as a table.

    Parameters
    ----------
    drops : tuple of Drop
        In the order in which they were tried.
    edges : tuple of Edge
        All that were removed, in order of address.
    edges_before : int
        How many there were.
    nodes_before, nodes_after : tuple of int
        Nodes of each layer that have an edge, inputs first. The widths of the network stay.
    measure : str
        What the errors are; empty without data.
    """

    drops: tuple[Drop, ...]
    edges: tuple[Edge, ...]
    edges_before: int
    nodes_before: tuple[int, ...]
    nodes_after: tuple[int, ...]
    measure: str = ""

    @property
    def _records(self) -> tuple[Drop, ...]:
        return self.drops

    def __str__(self) -> str:
        table = [text_table(self._rows()), f"error: {self.measure}"] if self.drops else []
        return "\n".join([self._summary(), *table])

    def _repr_html_(self) -> str:
        gone = [drop for drop in self.drops if drop.removed and drop.after is not None]
        errors = [drop.after for drop in gone if drop.after is not None]
        chart = small_chart(
            [Series("error", list(range(1, len(errors) + 1)), errors)],
            x_label="removed one after the other",
            y_label="error",
        )
        notes = [f"error: {self.measure}"] if self.drops else []
        rows = self._rows() if self.drops else ()
        return report_html(f"{self._summary()}.", chart, rows, notes)

    def _summary(self) -> str:
        nodes = f"nodes in use {list(self.nodes_before)} -> {list(self.nodes_after)}"
        return f"removed {len(self.edges)} of {self.edges_before} edges; {nodes}"

    def _rows(self) -> list[tuple[str, ...]]:
        head = ("tried", "score", "error before", "after", "limit", "verdict")
        return [head, *(_row(drop) for drop in self.drops)]


def _row(drop: Drop) -> tuple[str, ...]:
    after = "not tried" if drop.after is None else f"{drop.after:.2e}"
    limit = "evidence" if drop.is_idle else f"{drop.limit:.2e}"
    errors = (f"{drop.before:.2e}", after, limit)
    return (named(drop.name, drop.edges), f"{drop.score:.2g}", *errors, drop.verdict)


def prune(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    data: Dataset | None,
    limits: Mapping[str, Any],
    *,
    what: What,
    tolerance: float,
    score: Score = scores,
    doubt: Doubt | None = None,
    on_drop: Callable[[Drop], object] = lambda _: None,
) -> PruneReport:
    """Remove what does not matter, in place; with data in context, see ``KAN.prune``.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    x : (samples, inputs)
        For scores and means, in float64.
    data : Dataset, optional
        To refit and judge on.
    limits : mapping
        As from ``limits_of``.
    what : str
        See ``candidates``.
    tolerance : float
        By how much the held-out error may rise in all, as a share of the standard deviation of y.
    score : callable
        Scores a network on a sample, as ``kanviz.analysis.scores`` does: what scores lowest is
        tried first.
    doubt : Doubt, optional
        What the data leave open of the network as it is: idle edges then go first.

    Returns
    -------
    PruneReport

    Raises
    ------
    ValueError
        If an output would lose its last edge, or an edge is removed already.
    """
    before = copy.deepcopy(network)
    _check_live(network, limits.get("edges", ()))
    may_go = selected(network, x, what, score=score, **limits)
    if data is None:
        _remove(network, x, may_go, limits)
        return _report(before, network)
    judge = judge_of(data, smoothing=None if doubt is None else doubt.smoothing)
    drops: list[Drop] = []
    if doubt is not None:
        drops += remove_idle(network, judge, data, doubt, what=what, may_go=may_go, on_drop=on_drop)
    drops += prune_in_context(
        network,
        judge,
        what=what,
        may_go=may_go,
        tolerance=tolerance,
        score=score,
        on_drop=on_drop,
    )
    return _report(before, network, drops, measure_of(judge))


def remove_idle(
    network: Network,
    judge: Judge,
    data: Dataset,
    doubt: Doubt,
    *,
    what: What,
    may_go: Iterable[Edge],
    on_drop: Callable[[Drop], object] = lambda _: None,
) -> list[Drop]:
    """Remove in place what makes the data no less likely when it is gone, the idlest first.

    Parameters
    ----------
    network : Network
        In float64, as it was fitted; changed in place.
    judge : Judge
        For the errors in the report.
    data : Dataset
        What it was fitted to.
    doubt : Doubt
        Of this network.
    what, may_go, on_drop
        As for ``prune_in_context``.

    Returns
    -------
    list of Drop
        Every candidate that was tried; their ``score`` is in effective degrees of freedom.
    """
    x, y, allowed = data.x.double(), data.y, frozenset(may_go)
    y = y.double() if y.is_floating_point() else y
    weight = data.sample_weight

    def likelihood(trial: Network) -> float:
        penalties = doubt.smoothing.penalties(trial, count_of(y, weight), doubt.scale)
        problem = LeastSquares(
            trial,
            x,
            y,
            penalties,
            doubt.scale,
            sample_weight=weight,
            family=family_of(y),
        )
        for _ in minimise(problem, REFIT_STEPS):
            pass
        return doubt.smoothing.judged(problem)[1].log_evidence

    ranked = candidates(network, _by_freedom(network, doubt), what)
    ranked = [one for one in ranked if allowed.issuperset(one.edges) and one.score < LAZY]
    idle = [one for one in ranked if one.score < IDLE]
    if len(idle) > 1:
        edges = tuple(edge for one in idle for edge in one.edges)
        together = Candidate(f"all idle {what}", idle[-1].score, edges)
        ranked.insert(0, together)
    now, likely = judge.error(network), likelihood(copy.deepcopy(network))
    drops: list[Drop] = []
    for one in ranked:
        live = set(live_edges(network))
        gone = tuple(with_dead(network, [edge for edge in one.edges if edge in live]))
        if not gone or cut_off(network, gone):
            continue
        trial = copy.deepcopy(network)
        take_out(trial, gone, edge_means(trial, x))
        without = likelihood(trial)
        after, falls = judge.error(trial), likely - without
        reason = "" if falls < CHANCE else f"log evidence would fall by {falls:.1f}"
        drops.append(Drop(one.name, gone, one.score, now, after, math.inf, reason, is_idle=True))
        on_drop(drops[-1])
        if not reason:
            network.take(trial)
            now, likely = after, without
    return drops


def freedom_of_inputs(network: Network, doubt: Doubt) -> Float[Tensor, " inputs"]:
    """Return the effective degrees of freedom of the live edges that leave each input."""
    return _by_freedom(network, doubt).nodes[0]


def _by_freedom(network: Network, doubt: Doubt) -> Scores:
    """Return effective degrees of freedom in the place of scores, as ``candidates`` takes them."""
    pairs = zip(doubt.edges, network.layers, strict=True)
    edges = [own.to(layer.weight) * layer.mask for own, layer in pairs]
    return Scores(edges, [*(own.sum(1) for own in edges), edges[-1].sum(0)])


def limits_of(
    what: str,
    tolerance: float,
    *,
    has_data: bool,
    threshold: float | None = None,
    fraction: float | None = None,
    edges: Sequence[Edge] | None = None,
) -> dict[str, Any]:
    """Return the one limit that was asked for, or the default; all options are checked.

    Raises
    ------
    ValueError
        If an option is out of range, or two limits are given.
    """
    check_choice("what", what, get_args(What))
    _check_range("tolerance", tolerance)
    asked = {"threshold": threshold, "fraction": fraction, "edges": edges}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) > 1:
        raise ValueError(
            f"prune takes one limit, not {' and '.join(given)} together. "
            "Pass threshold, fraction or edges."
        )
    if threshold is not None:
        _check_range("threshold", threshold)
    if fraction is not None:
        _check_range("fraction", fraction, most=1.0)
    return given or ({} if has_data else {"threshold": PRUNE_SCORE})


def _check_range(name: str, value: float, most: float = float("inf")) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        rule = "at least 0" if most == float("inf") else f"from 0 to {most:g}"
        raise ValueError(f"{name} must be a number {rule}; got {value!r}.")


def _check_live(network: Network, edges: Sequence[Edge]) -> None:
    for edge in edges:
        if not bool(network.layers[edge.layer].mask[edge.i, edge.j]):
            raise ValueError(
                f"Edge {tuple(edge)} is removed already. Leave it out, or make a new plan."
            )


def _remove(
    network: Network,
    sample: Float[Tensor, "samples inputs"],
    edges: Sequence[Edge],
    limits: Mapping[str, Any],
) -> None:
    """Take edges out in place; ValueError with the limit that asked for it if an output is lost."""
    gone = with_dead(network, edges)
    lost = cut_off(network, gone)
    if lost:
        (name, value), *_ = limits.items()
        shown = [tuple(edge) for edge in value] if name == "edges" else value
        raise ValueError(f"{name}={shown!r} would cut off output {lost[0]}. Take out less.")
    take_out(network, gone, edge_means(network, sample))


def _report(
    before: Network, after: Network, drops: Sequence[Drop] = (), measure: str = ""
) -> PruneReport:
    there, left = live_edges(before), set(live_edges(after))
    return PruneReport(
        drops=tuple(drops),
        edges=tuple(edge for edge in there if edge not in left),
        edges_before=len(there),
        nodes_before=tuple(nodes_in_use(before)),
        nodes_after=tuple(nodes_in_use(after)),
        measure=measure,
    )


def prune_in_context(
    network: Network,
    judge: Judge,
    *,
    tolerance: float,
    what: What,
    may_go: Iterable[Edge],
    score: Score = scores,
    on_drop: Callable[[Drop], object] = lambda _: None,
) -> list[Drop]:
    """Remove in place what is weak, weakest first, as long as the held-out error stays.

    All that is very weak is tried at once; then, one after the other, whole nodes, which takes far
    fewer refits than their edges would; then, if ``what`` says edges, those that are left.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    judge : Judge
        Refits and judges.
    tolerance : float
        By how much the held-out error may rise in all, in its own unit: 0.01 is 1 % of the
        standard deviation of y. For classes the share that is right may fall by as much.
    what : str
        See ``candidates``.
    may_go : iterable of Edge
        The edges that may go at all, besides those that lead nowhere any more.
    score : callable
        As for ``prune``.
    on_drop : callable
        Called with each candidate that was tried; if it raises, that ends the search.

    Returns
    -------
    list of Drop
        Every candidate that was tried, in order.

    Raises
    ------
    ValueError
        If the network's outputs are not finite.
    """
    now = judge.error(network)
    if math.isinf(now):
        raise ValueError(
            "The network's outputs are not finite on these data, so no part can be judged. Look at "
            "the range of x, or take back the last step with undo()."
        )
    least_right = _share_right(network, judge) - tolerance
    allowed = frozenset(may_go)
    search = _Search(network, judge, now + tolerance, least_right, allowed, score, now, on_drop)
    search.at_once(what)
    for kind in ("nodes", "edges") if what == "edges" else (what,):
        search.one_by_one(kind)
    return search.tried


@dataclass
class _Search:
    """The network so far, its error, what was tried, and what failed since it last changed."""

    network: Network
    judge: Judge
    limit: float
    least_right: float
    may_go: frozenset[Edge]
    score: Score
    now: float
    on_drop: Callable[[Drop], object] = lambda _: None
    tried: list[Drop] = field(default_factory=list)
    refused: set[tuple[Edge, ...]] = field(default_factory=set)

    def at_once(self, what: What) -> None:
        """Try all that is very weak as one."""
        ranked = self._ranked(what)
        for threshold in AT_ONCE:
            weak = [candidate for candidate in ranked if candidate.score < threshold]
            if not weak:
                return
            edges = tuple(edge for candidate in weak for edge in candidate.edges)
            name = weak[0].name if len(weak) == 1 else f"all {what} below {threshold}"
            drop = self._first([Candidate(name, weak[-1].score, edges)])
            if drop is not None and drop.removed:
                return

    def one_by_one(self, what: What) -> None:
        """Try the weakest, then the next weakest, and start again whenever one went."""
        failures = 0
        while failures < GIVE_UP:
            drop = self._first(self._ranked(what))
            if drop is None:
                return
            failures = 0 if drop.removed else failures + (drop.after is not None)

    def _ranked(self, what: What) -> list[Candidate]:
        ranked = candidates(self.network, self.score(self.network, self.judge.x), what)
        return [candidate for candidate in ranked if self.may_go.issuperset(candidate.edges)]

    def _first(self, ranked: Sequence[Candidate]) -> Drop | None:
        """Try the first candidate that has not failed since the network last changed, if any."""
        for candidate in ranked:
            gone = tuple(with_dead(self.network, candidate.edges))
            if gone not in self.refused:
                return self._try(candidate, gone)
        return None

    def _try(self, candidate: Candidate, gone: tuple[Edge, ...]) -> Drop:
        """Take it out of a copy and refit that; take the copy over if it is good enough."""
        lost, after, trial = cut_off(self.network, gone), None, copy.deepcopy(self.network)
        if lost:
            numbers = ", ".join(str(output) for output in lost)
            reason = f"output{'s' * (len(lost) > 1)} {numbers} would be cut off"
        else:
            take_out(trial, gone, edge_means(trial, self.judge.x))
            self.judge.refit(trial, REFIT_STEPS)
            after = self.judge.error(trial)
            reason = self._objection(trial, after)
        drop = Drop(candidate.name, gone, candidate.score, self.now, after, self.limit, reason)
        self.tried.append(drop)
        self.on_drop(drop)
        if after is not None and drop.removed:
            self.network.take(trial)
            self.now, self.refused = after, set()
        else:
            self.refused.add(gone)
        return drop

    def _objection(self, trial: Network, error: float) -> str:
        """Return why a network without the candidate is not good enough; empty if it is."""
        if error > self.limit:
            return "error above the limit"
        # A network that is too sure of its classes can gain in cross entropy and guess worse.
        right = _share_right(trial, self.judge)
        return f"accuracy would fall to {right:.3f}" if right < self.least_right else ""


@torch.no_grad()
def _share_right(network: Network, judge: Judge) -> float:
    """Return the share of held-out samples that get the right class; 1 for numbers."""
    if not judge.is_classification:
        return 1.0
    return float((network(judge.x_held).argmax(-1) == judge.y_held).double().mean())
