"""Pruning in context: an edge goes only if the network stays as good without it."""

import copy
import math
from dataclasses import dataclass

from kanviz.analysis.attribution import edge_scores
from kanviz.analysis.pruning import below, is_connected, weakest_first, with_dead, without
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.training.judge import Judge

REFIT_STEPS = 10

AT_ONCE = (0.1, 0.03, 0.01)
"""Scores below which all edges are tried at once first: one by one, a refit would wake up others
that a sparse training has put to sleep."""


@dataclass(frozen=True)
class Drop:
    """One candidate: the edges that would go, and the held-out error before and after."""

    edges: tuple[Edge, ...]
    score: float
    before: float
    after: float
    kept: bool

    def __str__(self) -> str:
        """Say in one line what was found."""
        names = ", ".join(str(tuple(edge)) for edge in self.edges)
        verdict = "removed" if self.kept else "kept"
        errors = f"error {self.before:.2e} -> {self.after:.2e}"
        return f"{verdict} {names}: score {self.score:.2g}, {errors}"


def prune_in_context(
    network: Network, judge: Judge, *, tolerance: float, give_up: int = 3
) -> list[Drop]:
    """Remove weak edges in place, weakest first, as long as the held-out error stays.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    judge : Judge
        Refits and judges.
    tolerance : float
        By how much the held-out error may rise in all, in its own unit: 0.01 is 1 % of the
        standard deviation of y.
    give_up : int
        Failures in a row that end the search.

    Returns
    -------
    list of Drop
        Every candidate that was tried, in order.
    """
    limit = judge.error(network) + tolerance
    tried: list[Drop] = []
    for threshold in AT_ONCE:
        scores = edge_scores(network, judge.x)
        group = below(network, scores, threshold)
        if not group:
            break
        tried.append(_try(network, judge, group, threshold, limit))
        if tried[-1].kept:
            break
    refused: set[Edge] = set()
    while len(refused) < give_up:
        scores = edge_scores(network, judge.x)
        candidates = [e for e in weakest_first(network, scores) if e not in refused]
        if not candidates:
            break
        edge = candidates[0]
        score = float(scores[edge.layer][edge.i, edge.j])
        tried.append(_try(network, judge, with_dead(network, [edge]), score, limit))
        if tried[-1].kept:
            refused.clear()
        else:
            refused.add(edge)
    return tried


def _try(network: Network, judge: Judge, gone: list[Edge], score: float, limit: float) -> Drop:
    """Take some edges out of a copy and refit it; take the copy over if it is good enough."""
    before, trial = judge.error(network), copy.deepcopy(network)
    masks = without(trial, gone)
    if not is_connected(masks):
        return Drop(tuple(gone), score, before, math.inf, kept=False)
    for layer, mask in zip(trial.layers, masks, strict=True):
        layer.set_mask(mask)
    judge.refit(trial, REFIT_STEPS)
    after = judge.error(trial)
    if after <= limit:
        network.take(trial)
    return Drop(tuple(gone), score, before, after, kept=after <= limit)
