"""Removing what does not matter."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.prune_plan import (
    PrunePlan,
    judge_of_all,
    judge_of_outputs,
    measure_of,
    plan_of,
)
from kanviz.analysis.prune_search import Drop, PruneReport, prune_in_context
from kanviz.analysis.pruning import (
    What,
    cut_off,
    edge_means,
    live_edges,
    nodes_in_use,
    selected,
    take_out,
    with_dead,
)
from kanviz.checks import check_choice
from kanviz.data import Dataset, as_dataset
from kanviz.edits import Became
from kanviz.edits.address import are_live, check_edge
from kanviz.edits.code import call_code
from kanviz.model.locking import EdgeAddress, Locking
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.training.judge import judge_of
from kanviz.training.prepare import check_fits

PRUNE_SCORE = 0.03
"""Score below which ``prune`` without data drops an edge (the value of pykan 0.2.8)."""


class Pruning(Locking):
    """Which edges matter, and a network without the others."""

    def prune(
        self,
        data: Any = None,
        *,
        threshold: float | None = None,
        fraction: float | None = None,
        edges: Sequence[EdgeAddress] | None = None,
        what: What = "edges",
        tolerance: float = 0.01,
    ) -> PruneReport:
        """Remove what does not matter, as one step of the history.

        Without data, all goes whose score is low. With data, in context: the weakest goes, all
        others are refitted briefly, and it stays away if the held-out error has not risen by more
        than ``tolerance`` in all. All that is very weak is tried at once first, then whole nodes,
        then edges. ``threshold``, ``fraction`` or ``edges``, at most one, say what may go at all.

        What leads nowhere or comes from nowhere afterwards goes too. Nothing is renumbered: a
        removed input is a column of x that is not used. What a removed edge added on average stays:
        another edge into its node takes it up, unless all of those are frozen, locked, radial or
        fade outside the grid. So ``undo`` brings all back, ``restore_edge`` an edge of mean 0.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            To refit and judge on; without a test part a fifth of it is held out.
        threshold : float, optional
            What scores below it (see ``edge_scores``, ``node_scores``); 0.03 where there are no
            data and nothing else is said.
        fraction : float, optional
            The weakest, this share of all in use, from 0 to 1; rounded down to a whole number. Of
            equal scores the lower address goes first.
        edges : sequence of (layer, i, j), optional
            Just these, for example from ``plan``.
        what : str
            ``"edges"``; ``"nodes"``: hidden nodes and inputs as a whole; ``"inputs"``: only those.
        tolerance : float
            Share of the standard deviation of y, at least 0; with data. For classes: in the root
            of the cross entropy, and by how much the share that is right may fall.

        Returns
        -------
        PruneReport
            Shows itself; with data, a sequence of what was tried, with the errors.

        Raises
        ------
        ValueError
            If an output would lose its last edge, an option is out of range or does not go with
            another, an edge is removed already, or the data do not fit the model.
        IndexError
            If there is no such edge.
        """
        limits = _limits(data, threshold=threshold, fraction=fraction, edges=edges)
        check_choice("what", what, get_args(What))
        _check_range("tolerance", tolerance)
        with self._bench.rest():
            before, work = self._copy_for_search(), self._copy_for_search()
            sample = self._input(None).double()
            if edges is not None:
                limits["edges"] = [tuple(_live_edge(work, edge)) for edge in edges]
            may_go = selected(work, sample, what, **limits)
            if data is None:
                _take_out(work, sample, may_go, limits)
                report, names = _report(before, work), []
            else:
                dataset = self._fitting(data)
                judge = judge_of(dataset)
                drops = prune_in_context(work, judge, what=what, may_go=may_go, tolerance=tolerance)
                report = _report(before, work, drops, measure_of(judge))
                names = [self._bench.history.name_of("data", (dataset.x, dataset.y))]
                limits["tolerance"] = tolerance
            options = limits if what == "edges" else limits | {"what": what}
            words = f"pruned {len(report.edges)} edges{' in context' if names else ''}"
            self._bench.do(Became(work, call_code("model.prune", *names, **options), words))
            return report

    def plan(self, data: Any = None, *, what: What = "edges") -> PrunePlan:
        """Return what pruning would take, step by step from the weakest on, and what it would cost.

        Changes nothing and trains nothing. The order is that of ``prune`` without data; what an
        output needs is passed over. Do it with ``model.prune(edges=plan.upto(7).edges)``.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            For the errors: on its test part, or on all of it. Without data the error is how far
            the outputs move, on the sample that the model remembers.
        what : str
            As for ``prune``.

        Returns
        -------
        PrunePlan
            Shows itself as a table; plain values.

        Raises
        ------
        ValueError
            If ``what`` is unknown, or the data do not fit the model.
        """
        check_choice("what", what, get_args(What))
        with self._bench.lock:
            work, sample = self._copy_for_search(), self._input(None).double()
            dataset = None if data is None else self._fitting(data)
        judge = judge_of_outputs(work, sample) if dataset is None else judge_of_all(dataset)
        measure = measure_of(judge, of_outputs=dataset is None)
        return plan_of(work, sample, judge, what, measure)

    def _copy_for_search(self) -> Network:
        """Return a copy of the network in float64."""
        return copy.deepcopy(self.network).to(torch.float64)

    def _fitting(self, data: Any) -> Dataset:
        """Return data as a ``Dataset`` with a column for each input and output of the network."""
        dataset = as_dataset(data)
        check_fits(self.network, dataset)
        return dataset


def _limits(data: Any, **asked: Any) -> dict[str, Any]:
    """Return the one limit that was asked for, or the default, checked."""
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) > 1:
        raise ValueError(
            f"threshold, fraction and edges must not be given together; got {' and '.join(given)}. "
            "Choose one."
        )
    _check_range("threshold", given.get("threshold", 0.0))
    _check_range("fraction", given.get("fraction", 0.0), most=1.0)
    return given or ({"threshold": PRUNE_SCORE} if data is None else {})


def _check_range(name: str, value: float, most: float = float("inf")) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        rule = "at least 0" if most == float("inf") else f"from 0 to {most:g}"
        raise ValueError(f"{name} must be a number {rule}; got {value!r}. Choose another.")


def _live_edge(network: Network, address: EdgeAddress) -> Edge:
    edge = check_edge(network, *address)
    if not all(are_live(network, [edge])):
        raise ValueError(
            f"edges must be in the network to be removed; got {tuple(edge)}, which is removed "
            "already. Leave it out, or make a new plan."
        )
    return edge


def _take_out(
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
        raise ValueError(
            f"{name} must leave every output an edge; got {value!r}, which cuts off output "
            f"{lost[0]}. Take out less."
        )
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
