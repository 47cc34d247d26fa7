"""What came of a search for formulas: edge by edge, and stage by stage."""

from dataclasses import dataclass

from kanviz.snapshot import Edge
from kanviz.tables import ReportTable, Series, report_html, small_chart


@dataclass(frozen=True)
class Attempt:
    """One candidate that was tried inside the network.

    Parameters
    ----------
    formula : str
        The name of its function.
    complexity : int
        That of its function.
    error : float
        The held-out error after its refit; inf if the candidate was refused.
    """

    formula: str
    complexity: int
    error: float


@dataclass(frozen=True)
class EdgeReport:
    """What came of one edge.

    Parameters
    ----------
    edge : Edge
        Where it is.
    chosen : str or None
        The name of its function; None where it stays a spline.
    before, after : float
        Held-out error of the whole network before and after the choice.
    attempts : tuple of Attempt
        All that was tried, in order, again in later passes.
    r2 : float or None
        1 - (mean square difference / variance) between the function, as it was first fitted, and
        the spline that it replaced, where data are. None where it stays a spline.
    """

    edge: Edge
    chosen: str | None
    before: float
    after: float
    attempts: tuple[Attempt, ...]
    r2: float | None = None


@dataclass(frozen=True)
class SnappedNumber:
    """One number of a formula that became a nice one.

    Parameters
    ----------
    edge : Edge
        Whose formula it is.
    name : str
        ``"a"``, ``"b"``, ``"c"`` or ``"d"`` of c f(a x + b) + d.
    value : float
        What it was, in the user's units at the ends of the network.
    text : str
        What it is now, such as ``"1/2"`` or ``"pi"``.
    """

    edge: Edge
    name: str
    value: float
    text: str


@dataclass(frozen=True)
class Point:
    """One stage between the splines and the formula.

    Parameters
    ----------
    step : str
        What was done, such as ``"edge (0, 1, 2): sin"``.
    complexity : int
        Of the whole network after it, see ``ParetoTable``.
    error : float
        The held-out error after it.
    on_front : bool
        Whether no other stage is at most as complex and at most as wrong, and less in one of both.
    fall : float or None
        By how much the logarithm of the likelihood is below that of the splines, where the noise is
        known: more than what chance explains speaks against the step.
    """

    step: str
    complexity: int
    error: float
    on_front: bool
    fall: float | None = None


@dataclass(frozen=True)
class ParetoTable(ReportTable[Point]):
    """Complexity against held-out error over the stages from splines to formulas.

    Complexity is the sum over all live edges: that of its function for a formula, the number of its
    coefficients for a spline. A stage is on the front unless another is no worse in both and
    better in one. Shows itself as a table.

    Parameters
    ----------
    points : tuple of Point
        In the order in which they were reached.
    """

    points: tuple[Point, ...]

    @property
    def front(self) -> tuple[Point, ...]:
        """The stages that are on the front, the simplest first."""
        return tuple(sorted((p for p in self.points if p.on_front), key=lambda p: p.complexity))

    @property
    def _records(self) -> tuple[Point, ...]:
        return self.points

    def _rows(self) -> list[tuple[str, ...]]:
        with_fall = any(point.fall is not None for point in self.points)
        head = ("step", "complexity", "error", *["log likelihood"] * with_fall, "front")
        return [head, *(_cells(point, with_fall=with_fall) for point in self.points)]


def _cells(point: Point, *, with_fall: bool) -> tuple[str, ...]:
    front = "*" if point.on_front else ""
    fall = [] if not with_fall or point.fall is None else [f"{-point.fall:+.1f}"]
    return (point.step, str(point.complexity), f"{point.error:.2e}", *fall, front)


@dataclass(frozen=True, repr=False)
class SymbolReport:
    """What came of all edges, with the held-out error before and after.

    Shows itself as a sentence, a chart of the error against complexity, and a table.

    Errors are shares of the standard deviation of y (for classes: roots of the cross entropy).

    Parameters
    ----------
    edges : tuple of EdgeReport
        One per edge that was a spline.
    before, after, limit : float
        Held-out error before and after, and the largest that was allowed.
    snapped : tuple of SnappedNumber
        Numbers that were replaced by nice ones, in order.
    stages : tuple of (step, complexity, error)
        All of them from the splines to what the network is now.
    unit_of_chance : float or None
        By how much the square of an error rises where twice the logarithm of the likelihood falls
        by 1, where the noise is known. Errors are then those on the training rows.
    """

    edges: tuple[EdgeReport, ...]
    before: float
    after: float
    limit: float
    snapped: tuple[SnappedNumber, ...] = ()
    stages: tuple[tuple[str, int, float], ...] = ()
    unit_of_chance: float | None = None

    def fall_of(self, error: float) -> float | None:
        """Return how far the log likelihood of an error is below that of the splines.

        None where the noise is not known.
        """
        if self.unit_of_chance is None:
            return None
        return (error**2 - self.before**2) / (2 * self.unit_of_chance)

    @property
    def is_complete(self) -> bool:
        """Whether every edge is a formula now."""
        return all(report.chosen is not None for report in self.edges)

    def pareto(self) -> ParetoTable:
        """Return complexity against held-out error over the stages, with the front marked."""
        costs = [stage[1:] for stage in self.stages]
        beaten = [
            any(a <= complexity and b <= error and (a, b) != (complexity, error) for a, b in costs)
            for complexity, error in costs
        ]
        return ParetoTable(
            tuple(
                Point(*stage, on_front=not b, fall=self.fall_of(stage[2]))
                for stage, b in zip(self.stages, beaten, strict=True)
            )
        )

    def __str__(self) -> str:
        """Say edge by edge what was chosen."""
        lines = [
            f"edge {tuple(r.edge)}: {r.chosen or 'stays a spline'} "
            f"({len(r.attempts)} tried, error {r.before:.2e} -> {r.after:.2e})"
            for r in self.edges
        ]
        if self.snapped:
            lines.append(f"numbers made nice: {', '.join(s.text for s in self.snapped)}")
        total = f"error {self.before:.2e} -> {self.after:.2e} (limit {self.limit:.2e})"
        if (fall := self.fall_of(self.after)) is not None:
            most = self.fall_of(self.limit)
            total += f"; log likelihood {-fall:+.1f}, by chance down to {-(most or 0):+.1f}"
        return "\n".join([*lines, total])

    def __repr__(self) -> str:
        return f"SymbolReport: {self._sentence()}\n{self}"

    def _repr_html_(self) -> str:
        rows = [("edge", "function", "tried", "error before", "after", "R^2 of the curve")]
        for one in self.edges:
            errors = f"{one.before:.2e}", f"{one.after:.2e}"
            r2 = "" if one.r2 is None else f"{one.r2:.4f}"
            chosen = one.chosen or "stays a spline"
            rows.append((str(tuple(one.edge)), chosen, str(len(one.attempts)), *errors, r2))
        stages = [stage[1:] for stage in self.stages]
        line = Series("error", [stage[0] for stage in stages], [stage[1] for stage in stages])
        chart = small_chart([line], x_label="complexity", y_label="held-out error")
        nice = ", ".join(number.text for number in self.snapped)
        notes = [f"Numbers made nice: {nice}."] if nice else []
        return report_html(self._sentence(), chart, rows if self.edges else (), notes)

    def _sentence(self) -> str:
        """Say how many curves have a formula, and what that costs."""
        found = sum(one.chosen is not None for one in self.edges)
        error = f"held-out error {self.before:.2e} -> {self.after:.2e} (limit {self.limit:.2e})"
        return f"{found} of {len(self.edges)} curves became formulas; {error}."
