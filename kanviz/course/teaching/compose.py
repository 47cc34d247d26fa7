"""The theorem by hand: choose a curve for each edge of [2, n, 1] until the sum is the target."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from kanviz.checks import check_choice
from kanviz.course.teaching.widget import Array, TeachingWidget

MOST_NODES = 3
SIDE = 24
SOLVED = 1e-9

Curve = Callable[[Array], Array]

CURVES: dict[str, Curve] = {
    "0": np.zeros_like,
    "x": lambda x: x,
    "-x": lambda x: -x,
    "x/2": lambda x: x / 2,
    "-x/2": lambda x: -x / 2,
    "x^2": lambda x: x**2,
    "-x^2": lambda x: -(x**2),
    "x^2/4": lambda x: x**2 / 4,
    "-x^2/4": lambda x: -(x**2) / 4,
    "abs": np.abs,
    "sqrt": lambda x: np.sqrt(np.maximum(x, 0)),
    "log": lambda x: np.log(np.maximum(x, 1e-12)),
    "-log": lambda x: -np.log(np.maximum(x, 1e-12)),
    "exp": lambda x: np.exp(np.minimum(x, 30)),
}
"""What an edge may be; the front end computes the same."""


class Puzzle(NamedTuple):
    """A target, the range of both inputs, and the fewest hidden nodes that reach it."""

    target: Callable[[Array, Array], Array]
    low: float
    high: float
    par: int


PUZZLES: dict[str, Puzzle] = {
    "sum": Puzzle(lambda x, y: x + y, -1, 1, 1),
    "product of positive numbers": Puzzle(lambda x, y: x * y, 0.1, 2, 1),
    "quotient of positive numbers": Puzzle(lambda x, y: x / y, 0.5, 2, 1),
    "distance": Puzzle(np.hypot, -1, 1, 1),
    "product": Puzzle(lambda x, y: x * y, -1, 1, 2),
    "maximum": Puzzle(np.maximum, -1, 1, 2),
}

Name = Literal[
    "sum",
    "product of positive numbers",
    "quotient of positive numbers",
    "distance",
    "product",
    "maximum",
]

ALT = "A network whose curves are chosen, the map of what it gives and the map of the target"


class Compose(TeachingWidget):
    """What ``compose`` returns."""

    lesson = (
        "A node can only add. Which curves turn sums into a product?",
        "begin with the sum, then choose another target; the fewest nodes win.",
    )

    def __init__(self, puzzle: str, nodes: Sequence[Sequence[str]], *, theme: str) -> None:
        state = _checked(puzzle, nodes)
        super().__init__("compose", state, title="Compose", alt=ALT, theme=theme)

    @property
    def nodes(self) -> list[list[str]]:
        """For each hidden node its curves: of the first input, of the second, and above it."""
        return [list(node) for node in self.state["nodes"]]

    @nodes.setter
    def nodes(self, nodes: Sequence[Sequence[str]]) -> None:
        self._update(**_checked(self.state["puzzle"], nodes))

    @property
    def error(self) -> float:
        """The root mean square of what it is off by, over a lattice of the inputs."""
        puzzle = PUZZLES[self.state["puzzle"]]
        along = puzzle.low + (puzzle.high - puzzle.low) * (np.arange(SIDE) + 0.5) / SIDE
        x, y = np.meshgrid(along, along)
        found = np.zeros_like(x)
        for left, right, top in self.nodes:
            found += CURVES[top](CURVES[left](x) + CURVES[right](y))
        return float(np.sqrt(np.mean((found - puzzle.target(x, y)) ** 2)))

    @property
    def is_solved(self) -> bool:
        """Whether it is the target, but for rounding."""
        return self.error < SOLVED

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {**self.state, **change}
        return _checked(wanted["puzzle"], wanted["nodes"])


def compose(
    puzzle: Name = "sum",
    nodes: Sequence[Sequence[str]] = (("x", "0", "x"),),
    *,
    theme: str = "auto",
) -> Compose:
    """Return a puzzle: curves to choose for the edges of [2, n, 1] until it is the target.

    Parameters
    ----------
    puzzle : str
        The target: ``"sum"``, ``"product of positive numbers"``, ``"quotient of positive
        numbers"``, ``"distance"``, ``"product"`` or ``"maximum"``.
    nodes : sequence of (str, str, str)
        For each hidden node, at most 3, its curves: of the first input, of the second, and above.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Compose
        ``nodes``, ``error`` and ``is_solved`` as they now are; ``to_html(path)`` a page without a
        kernel.

    Raises
    ------
    ValueError
        If there is no such puzzle, curve or theme.

    Examples
    --------
    >>> compose("product of positive numbers", [("log", "log", "exp")]).is_solved
    True
    """
    return Compose(puzzle, nodes, theme=theme)


def _checked(puzzle: Any, nodes: Any) -> dict[str, Any]:
    check_choice("puzzle", puzzle, tuple(PUZZLES))
    found = [list(node) for node in nodes]
    if not 1 <= len(found) <= MOST_NODES or any(len(node) != 3 for node in found):
        raise ValueError(f"nodes must be 1 to {MOST_NODES} rows of 3 curves; got {found}.")
    for node in found:
        for curve in node:
            check_choice("curve", curve, tuple(CURVES))
    return {"puzzle": puzzle, "nodes": found}
