"""Pruning a network in place: by score, or in context with data to refit and judge on."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.prune_plan import measure_of
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
from kanviz.data import Dataset
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.training.judge import judge_of

PRUNE_SCORE = 0.03
"""Score below which ``prune`` without data drops an edge (the value of pykan 0.2.8)."""


def prune(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    data: Dataset | None,
    limits: Mapping[str, Any],
    *,
    what: What,
    tolerance: float,
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
        By how much the held-out error may rise in all.

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
    may_go = selected(network, x, what, **limits)
    if data is None:
        _take_out(network, x, may_go, limits)
        return _report(before, network)
    judge = judge_of(data)
    drops = prune_in_context(network, judge, what=what, may_go=may_go, tolerance=tolerance)
    return _report(before, network, drops, measure_of(judge))


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
            f"threshold, fraction and edges must not be given together; got {' and '.join(given)}. "
            "Choose one."
        )
    if threshold is not None:
        _check_range("threshold", threshold)
    if fraction is not None:
        _check_range("fraction", fraction, most=1.0)
    return given or ({} if has_data else {"threshold": PRUNE_SCORE})


def _check_range(name: str, value: float, most: float = float("inf")) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        rule = "at least 0" if most == float("inf") else f"from 0 to {most:g}"
        raise ValueError(f"{name} must be a number {rule}; got {value!r}. Choose another.")


def _check_live(network: Network, edges: Sequence[Edge]) -> None:
    for edge in edges:
        if not bool(network.layers[edge.layer].mask[edge.i, edge.j]):
            raise ValueError(
                f"edges must be in the network to be removed; got {tuple(edge)}, which is removed "
                "already. Leave it out, or make a new plan."
            )


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
        shown = [tuple(edge) for edge in value] if name == "edges" else value
        raise ValueError(
            f"{name} must leave every output an edge; got {shown!r}, which cuts off output "
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
