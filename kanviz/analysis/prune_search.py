"""Pruning in context: a part goes only if the network, briefly refitted, stays as good."""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import torch

from kanviz.analysis.attribution import scores
from kanviz.analysis.pruning import (
    Candidate,
    What,
    candidates,
    cut_off,
    edge_means,
    named,
    take_out,
    with_dead,
)
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.tables import html_table, text_table
from kanviz.training.judge import Judge

REFIT_STEPS = 10

AT_ONCE = (0.1, 0.03, 0.01)
"""Scores below which all candidates are tried at once first: one by one, a refit would wake up
others that a sparse training has put to sleep."""

GIVE_UP = 3
"""Refits in a row to no avail that end the search among nodes, and then among edges."""


@dataclass(frozen=True)
class Drop:
    """One candidate: what would go, and the held-out error before and after.

    ``name`` says what was tried, ``edges`` what goes with it, ``score`` is that of what was tried
    (of several the highest). ``after`` is the error without it, after a brief refit; None where it
    was not tried. ``limit`` is the highest error that is accepted. ``reason`` says why it stayed,
    such as ``"output 0 would be cut off"``; empty where it went.
    """

    name: str
    edges: tuple[Edge, ...]
    score: float
    before: float
    after: float | None
    limit: float
    reason: str

    @property
    def removed(self) -> bool:
        """Whether it went."""
        return not self.reason

    @property
    def verdict(self) -> str:
        """What became of it, and why."""
        return f"kept: {self.reason}" if self.reason else "removed"

    def __str__(self) -> str:
        """Say in one line what was found."""
        after = "" if self.after is None else f" -> {self.after:.2e}"
        errors = f"error {self.before:.2e}{after}, limit {self.limit:.2e}"
        return f"{named(self.name, self.edges)}, score {self.score:.2g}: {errors}; {self.verdict}"


@dataclass(frozen=True)
class PruneReport(Sequence[Drop]):
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

    @overload
    def __getitem__(self, index: int) -> Drop: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Drop, ...]: ...
    def __getitem__(self, index: int | slice) -> Drop | tuple[Drop, ...]:
        """Return one candidate, or several."""
        return self.drops[index]

    def __len__(self) -> int:
        return len(self.drops)

    def __iter__(self) -> Iterator[Drop]:
        return iter(self.drops)

    def __str__(self) -> str:
        table = [text_table(self._rows()), f"error: {self.measure}"] if self.drops else []
        return "\n".join([self._summary(), *table])

    def _repr_html_(self) -> str:
        if not self.drops:
            return f"<p>{self._summary()}</p>"  # numbers and our own words only
        return html_table(self._rows(), f"{self._summary()}. error: {self.measure}")

    def _summary(self) -> str:
        nodes = f"nodes in use {list(self.nodes_before)} -> {list(self.nodes_after)}"
        return f"removed {len(self.edges)} of {self.edges_before} edges; {nodes}"

    def _rows(self) -> list[tuple[str, ...]]:
        head = ("tried", "score", "error before", "after", "limit", "verdict")
        return [head, *(_row(drop) for drop in self.drops)]


def _row(drop: Drop) -> tuple[str, ...]:
    after = "not tried" if drop.after is None else f"{drop.after:.2e}"
    errors = (f"{drop.before:.2e}", after, f"{drop.limit:.2e}")
    return (named(drop.name, drop.edges), f"{drop.score:.2g}", *errors, drop.verdict)


def prune_in_context(
    network: Network, judge: Judge, *, tolerance: float, what: What, may_go: Iterable[Edge]
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
            "outputs must be finite for the data to be judged by them; got nan or inf. Look at the "
            "range of x, or take back the last step with undo()."
        )
    least_right = _share_right(network, judge) - tolerance
    search = _Search(network, judge, now + tolerance, least_right, frozenset(may_go), now)
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
    now: float
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
        ranked = candidates(self.network, scores(self.network, self.judge.x), what)
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
