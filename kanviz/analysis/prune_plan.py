"""The plan of a pruning: what would go step by step, without training, and what each step costs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import Score, scores
from kanviz.analysis.removal import (
    Candidate,
    What,
    candidates,
    cut_off,
    edge_means,
    live_edges,
    named,
    take_out,
    with_dead,
)
from kanviz.analysis.trace import node_values
from kanviz.data import Dataset
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.tables import ReportTable
from kanviz.training.judge import Judge, judge_of

MOST_ROWS = 40
"""Rows that a plan shows; all are in ``steps``."""

MOST_STEPS = 200
"""Steps of a plan; with more candidates each step takes several, so that it stays quick."""

OF_NUMBERS = "root mean square on {} samples, as a share of the standard deviation of y"

OF_CLASSES = "root of the mean cross entropy on {} samples"

OF_OUTPUTS = "root mean square change on {} samples, as a share of the outputs' standard deviation"


@dataclass(frozen=True)
class PlanStep:
    """One step of a plan: what goes next, and the error of the network after it.

    Parameters
    ----------
    name : str
        What goes, such as ``"edge (0, 1, 2)"`` or ``"input 1"``.
    score : float
        Its score in the network as it is now.
    edges : tuple of Edge
        All that go with this step, those among them that lead nowhere any more without it.
    edges_left : int
        How many stay.
    error : float
        After this step and all before it, without any training; inf where the outputs are not
        finite.
    """

    name: str
    score: float
    edges: tuple[Edge, ...]
    edges_left: int
    error: float


@dataclass(frozen=True)
class PrunePlan(ReportTable[PlanStep]):
    """The steps from the network as it is to the smallest that still feeds every output.

    A sequence of steps, weakest first. Shows itself as a table; ``dataclasses.asdict`` gives what
    JSON can hold.

    Parameters
    ----------
    steps : tuple of PlanStep
        What goes, one after the other.
    error_now : float
        The error of the network as it is.
    edges_now : int
        How many edges it has.
    measure : str
        What the errors are.

    Examples
    --------
    >>> import kanviz as kv
    >>> model = kv.KAN([2, 3, 1], seed=0)
    >>> plan = model.plan()
    >>> plan.edges_now, plan[-1].edges_left
    (9, 2)
    >>> report = model.prune(edges=plan.upto(1).edges)  # do the first step of it
    """

    steps: tuple[PlanStep, ...]
    error_now: float
    edges_now: int
    measure: str

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges that go, in the order of the steps."""
        return tuple(edge for step in self.steps for edge in step.edges)

    @property
    def error(self) -> float:
        """The error after the last step."""
        return self.steps[-1].error if self.steps else self.error_now

    def upto(self, count: int) -> "PrunePlan":
        """Return the plan of the first ``count`` steps.

        Raises
        ------
        ValueError
            If there are not as many.
        """
        if not 0 <= count <= len(self.steps):
            raise ValueError(
                f"count must be from 0 to {len(self.steps)}, the number of steps; got {count!r}."
            )
        return replace(self, steps=self.steps[:count])

    def below(self, threshold: float) -> "PrunePlan":
        """Return the plan of the steps whose score is below ``threshold``.

        Its edges are those that ``prune(threshold=...)`` takes, but for edges that an output needs.
        """
        return self.upto(sum(step.score < threshold for step in self.steps))

    def within(self, error: float) -> "PrunePlan":
        """Return the longest plan that ends with at most this error."""
        good = [number for number, step in enumerate(self.steps, 1) if step.error <= error]
        return self.upto(max(good, default=0))

    @property
    def _records(self) -> tuple[PlanStep, ...]:
        return self.steps

    def _rows(self) -> list[tuple[str, ...]]:
        head = ("step", "goes", "score", "edges left", "error")
        now = ("0", "nothing yet", "", str(self.edges_now), f"{self.error_now:.2e}")
        return [head, now, *(_row(n, s) for n, s in enumerate(self.steps[:MOST_ROWS], 1))]

    def _note(self) -> str:
        hidden = len(self.steps) - MOST_ROWS
        more = f"{hidden} more steps. " if hidden > 0 else ""
        return f"{more}error: {self.measure}, after this step and all before it, without training"


def _row(number: int, step: PlanStep) -> tuple[str, ...]:
    score, error = f"{step.score:.2g}", f"{step.error:.2e}"
    return (str(number), named(step.name, step.edges), score, str(step.edges_left), error)


def plan_of(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    judge: Judge,
    what: What,
    measure: str,
    score: Score = scores,
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
    score : callable
        Scores a network on a sample, as ``kanviz.analysis.scores`` does.
    """
    now, error_now = len(live_edges(network)), judge.error(network)
    steps = tuple(_steps(network, x, judge, what, score))
    return PrunePlan(steps, error_now, now, measure)


def judge_of_all(data: Dataset) -> Judge:
    """Return a judge on the test part, or, as nothing is trained, on all data without one."""
    judge = judge_of(data)
    if data.x_test is not None:
        return judge
    return replace(
        judge,
        x_held=data.x.double(),
        y_held=data.y.to(judge.y.dtype),
        weight_held=data.sample_weight,
    )


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
def _steps(
    network: Network, x: Tensor, judge: Judge, what: What, score: Score
) -> Iterator[PlanStep]:
    means, values = edge_means(network, x), node_values(network, judge.x_held)
    ranked = candidates(network, score(network, x), what)
    left = len(live_edges(network))
    for name, value, edges in _in_steps(network, ranked, what):
        gone = _what_goes(network, edges)
        if not gone or cut_off(network, gone):
            continue
        take_out(network, gone, means)
        # Below the first layer that changed all values are as before.
        for depth in range(gone[0].layer, len(network.layers)):
            values[depth + 1] = network.layers[depth](values[depth])
        left -= len(gone)
        yield PlanStep(name, value, gone, left, judge.error_of(values[-1]))


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
