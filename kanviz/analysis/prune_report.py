"""What pruning tried and what came of it, as plain values that read well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from kanviz.plan import named
from kanviz.snapshot import Edge
from kanviz.tables import html_table, text_table


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
