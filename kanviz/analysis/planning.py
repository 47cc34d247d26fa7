"""Pruning step by step on a copy, without training: what would go, and what it costs."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import scores
from kanviz.analysis.pruning import Candidate, What, candidates, cut_off, live_edges, with_dead
from kanviz.analysis.take_out import edge_means, take_out
from kanviz.analysis.trace import node_values
from kanviz.data import Dataset
from kanviz.nn.network import Network
from kanviz.plan import PlanStep, PrunePlan
from kanviz.snapshot import Edge
from kanviz.training.judge import Judge, judge_of

OF_NUMBERS = "root mean square on {} samples, as a share of the standard deviation of y"
OF_CLASSES = "root of the mean cross entropy on {} samples"
OF_OUTPUTS = "root mean square change on {} samples, as a share of the outputs' standard deviation"

MOST_STEPS = 200
"""Steps of a plan; with more candidates each step takes several, so that it stays quick."""


def plan_of(
    network: Network, x: Float[Tensor, "samples inputs"], judge: Judge, what: What, measure: str
) -> PrunePlan:
    """Return the plan from the weakest candidate on to the smallest network that is connected.

    A candidate that an output needs is passed over. Scores are those of the network as it is, so
    that the order is the one of ``prune`` without data.

    Parameters
    ----------
    network : Network
        In float64; a copy, which is used up.
    x : (samples, inputs)
        For scores and means.
    judge : Judge
        For the errors, on its held-out part.
    what : str
        See ``candidates``.
    measure : str
        What the judge's errors are, in words.
    """
    now, error_now = len(live_edges(network)), judge.error(network)
    return PrunePlan(tuple(_steps(network, x, judge, what)), error_now, now, measure)


def judge_of_all(data: Dataset) -> Judge:
    """Return a judge on the test part, or, as nothing is trained, on all data without one."""
    judge = judge_of(data)
    if data.x_test is not None:
        return judge
    return replace(judge, x_held=data.x.double(), y_held=data.y.to(judge.y.dtype))


@torch.no_grad()
def judge_of_outputs(network: Network, x: Float[Tensor, "samples inputs"]) -> Judge:
    """Return a judge of how far the outputs move from those that a network has now."""
    outputs: Tensor = network(x)
    return Judge(x, outputs, x, outputs, float(outputs.std(correction=0)) or 1.0)


def measure_of(judge: Judge, *, of_outputs: bool = False) -> str:
    """Return what a judge's errors are, in words."""
    words = OF_CLASSES if judge.is_classification else OF_OUTPUTS if of_outputs else OF_NUMBERS
    return words.format(len(judge.x_held))


@torch.no_grad()
def _steps(network: Network, x: Tensor, judge: Judge, what: What) -> Iterator[PlanStep]:
    means, values = edge_means(network, x), node_values(network, judge.x_held)
    ranked = candidates(network, scores(network, x), what)
    left = len(live_edges(network))
    for name, score, edges in _in_steps(network, ranked, what):
        gone = _what_goes(network, edges)
        if not gone or cut_off(network, gone):
            continue
        take_out(network, gone, means)
        # Below the first layer that changed all values are as before.
        for depth in range(gone[0].layer, len(network.layers)):
            values[depth + 1] = network.layers[depth](values[depth])
        left -= len(gone)
        yield PlanStep(name, score, gone, left, judge.error_of(values[-1]))


def _in_steps(network: Network, ranked: list[Candidate], what: What) -> Iterator[Candidate]:
    """Yield the candidates, several as one where there are very many and none is needed."""
    size = max(1, math.ceil(len(ranked) / MOST_STEPS))
    for start in range(0, len(ranked), size):
        group = ranked[start : start + size]
        edges = tuple(edge for candidate in group for edge in candidate.edges)
        if len(group) == 1 or cut_off(network, _what_goes(network, edges)):
            yield from group
        else:
            yield Candidate(f"the next {len(group)} {what}", group[-1].score, edges)


def _what_goes(network: Network, edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Return those edges that are still there and what dies with them; none if none is there."""
    there = [edge for edge in edges if network.layers[edge.layer].mask[edge.i, edge.j]]
    return tuple(with_dead(network, there)) if there else ()
