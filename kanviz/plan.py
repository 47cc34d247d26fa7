"""What pruning would do, as plain values: a view can preview it without a model or torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from kanviz.snapshot import Edge
from kanviz.tables import html_table, text_table

MOST_ROWS = 40
"""Rows that a plan shows; all are in ``steps``."""


@dataclass(frozen=True)
class PlanStep:
    """One step of a plan: what goes next, and the error of the network after it.

    ``name`` says what goes, such as ``"edge (0, 1, 2)"`` or ``"input 1"``; ``score`` is its score
    in the network as it is now; ``edges`` are all that go with this step, those among them that
    lead nowhere any more without it; ``edges_left`` counts the rest. ``error`` is that after this
    step and all before it, without any training; inf where the outputs are not finite.
    """

    name: str
    score: float
    edges: tuple[Edge, ...]
    edges_left: int
    error: float


@dataclass(frozen=True)
class PrunePlan(Sequence[PlanStep]):
    """The steps from the network as it is to the smallest that still feeds every output.

    A sequence of steps, weakest first. Shows itself as a table; ``dataclasses.asdict`` gives what
    JSON can hold. To do it: ``model.prune(edges=plan.upto(7).edges)``.

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
                f"count must be from 0 to {len(self.steps)}, the number of steps; got {count!r}. "
                "Choose another."
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

    @overload
    def __getitem__(self, index: int) -> PlanStep: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PlanStep, ...]: ...
    def __getitem__(self, index: int | slice) -> PlanStep | tuple[PlanStep, ...]:
        """Return one step, or several."""
        return self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[PlanStep]:
        return iter(self.steps)

    def __str__(self) -> str:
        return f"{text_table(self._rows())}\n{self._note()}"

    def _repr_html_(self) -> str:
        return html_table(self._rows(), self._note())

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


def named(name: str, edges: Sequence[Edge]) -> str:
    """Return what goes in words: its name, and how many other edges go with it.

    >>> named("edge (0, 1, 2)", [Edge(0, 1, 2), Edge(1, 2, 0)])
    'edge (0, 1, 2) and 1 more'
    >>> named("input 1", [Edge(0, 1, 0), Edge(0, 1, 1)])
    'input 1 (2 edges)'
    """
    if name.startswith("edge "):
        return f"{name} and {len(edges) - 1} more" if len(edges) > 1 else name
    return f"{name} ({len(edges)} edge{'s' if len(edges) > 1 else ''})"
