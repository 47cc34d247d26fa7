"""Results that took long to compute, read from data files, and the tables that compare them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from kanviz.checks import check_choice
from kanviz.course.problems.catalogue import problem
from kanviz.course.problems.record import FeynmanResult, PaperResult
from kanviz.tables import html_table, text_table

STORED = ("feynman", "special_functions", "scaling")


@dataclass(frozen=True)
class Results:
    """The content of one data file.

    Parameters
    ----------
    title : str
        What was computed.
    how : str
        The settings that all rows share, in plain sentences.
    date : str
        Day of the latest row, as year-month-day.
    command : str
        What computes the file anew, from the top folder of a checkout.
    machine : str
        Processor and system.
    versions : dict
        Name of a package to its version.
    rows : tuple of dict
        The numbers, one dict per row.
    """

    title: str
    how: str
    date: str
    command: str
    machine: str
    versions: dict[str, str]
    rows: tuple[dict[str, Any], ...]

    @property
    def made(self) -> str:
        """One line on when, how and where the numbers were made."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"Made on {self.date} by `{self.command}` ({self.machine}; {versions})."


def results(name: str) -> Results:
    """Return the stored results of that name: "feynman", "special_functions" or "scaling".

    Raises
    ------
    ValueError
        If there are none of that name.

    Examples
    --------
    >>> len(results("feynman").rows)
    27
    """
    check_choice("name", name, STORED)
    text = (
        files("kanviz.course.problems")
        .joinpath("results", f"{name}.json")
        .read_text(encoding="utf-8")
    )
    content = json.loads(text)
    return Results(**{**content, "rows": tuple(content["rows"])})


HEAD = (
    "problem",
    "formula",
    "paper's KAN",
    "paper's MLP",
    "kanviz",
    "shape",
    "grid",
    "weights",
    "s",
    "MLP",
    "shape",
    "weights",
    "s",
)
"""The columns named after a maker hold errors: root mean squares on test points."""

LEGEND = (
    "Numbers under a maker's name are root mean squared errors on test points; after them stand "
    "the network's shape, number of weights and seconds. The paper is Liu et al., KAN: "
    "Kolmogorov-Arnold Networks, arXiv:2404.19756; its best KAN is that with the lowest error. "
    "It gives hardly any ranges, so its errors may be for other ranges than these. An empty cell "
    "stands where the transcriptions of it that we could read contradict each other."
)


@dataclass(frozen=True)
class Comparison:
    """A table that shows itself: ``print`` it, or let a notebook draw it.

    ``results`` has the numbers; each of its rows holds ``"name"``, and for ``"kan"`` and ``"mlp"``
    a dict with ``"widths"``, ``"n_parameters"``, ``"test_rmse"``, ``"seconds"`` and more.
    """

    results: Results

    @property
    def names(self) -> tuple[str, ...]:
        """The problems, in order."""
        return tuple(row["name"] for row in self.results.rows)

    @property
    def below_paper(self) -> tuple[str, ...]:
        """The problems where kanviz's error is below that of the paper's best KAN."""
        return tuple(name for name in self.names if self.ratio(name) < 1)

    @property
    def below_mlp(self) -> tuple[str, ...]:
        """The problems where kanviz's error is below that of the MLP trained beside it."""
        rows = self.results.rows
        return tuple(r["name"] for r in rows if r["kan"]["test_rmse"] < r["mlp"]["test_rmse"])

    def ratio(self, name: str) -> float:
        """Return kanviz's error over that of the paper's best KAN.

        Raises
        ------
        ValueError
            If the table has no row of that name.
        """
        if name not in self.names:
            raise ValueError(
                f"name must be a row of this table; got {name!r}. See its names for those it has."
            )
        row = self.results.rows[self.names.index(name)]
        return float(row["kan"]["test_rmse"] / _paper(name).best_rmse)

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        total = len(self.names)
        return (
            f"kanviz is below the paper's best KAN in {len(self.below_paper)} of {total} rows, and "
            f"below the MLP trained beside it in {len(self.below_mlp)}."
        )

    @property
    def markdown(self) -> str:
        """A page: title, how and when it was made, the table, the counts, the ranges."""
        head, *body = self._cells()
        coded = [(name, f"`{formula}`", *rest) for name, formula, *rest in body]
        lines = [head, ["---"] * len(head), *coded]
        table = "\n".join(f"| {' | '.join(_escaped(cells))} |" for cells in lines)
        made = f"{self.results.how}\n\n{self.results.made}"
        ranges = "\n".join(_ranges(name) for name in self.names)
        parts = (f"# {self.results.title}", made, LEGEND, table, self.summary, "## Ranges", ranges)
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        """Return the table as aligned text."""
        return text_table(self._cells())

    def _repr_html_(self) -> str:
        """Return the table for a notebook; on a narrow page it scrolls rather than breaks lines."""
        table = html_table(self._cells(), caption=self.summary)
        return f'<div style="overflow-x: auto; white-space: nowrap" tabindex="0">{table}</div>'

    def _cells(self) -> list[Sequence[str]]:
        return [HEAD, *(_cells(row) for row in self.results.rows)]


def comparison(name: Literal["feynman", "special_functions"]) -> Comparison:
    """Return the stored comparison over the formulas of Feynman, or over the special functions.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    return Comparison(results(name))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the table's row, as text."""
    paper, kan, mlp = _paper(row["name"]), row["kan"], row["mlp"]
    return (
        row["name"],
        problem(row["name"]).formula,
        f"{paper.best_rmse:.1e}",
        "" if paper.mlp_rmse is None else f"{paper.mlp_rmse:.1e}",
        f"{kan['test_rmse']:.1e}",
        _shape(kan["widths"]),
        str(kan["grid_size"]),
        str(kan["n_parameters"]),
        f"{kan['seconds']:.0f}",
        f"{mlp['test_rmse']:.1e}",
        f"{_shape(mlp['widths'])} {mlp['activation']}",
        str(mlp["n_parameters"]),
        f"{mlp['seconds']:.0f}",
    )


def _shape(widths: Sequence[int]) -> str:
    """Return widths as short text, for a table with many columns."""
    return f"[{','.join(map(str, widths))}]"


def _ranges(name: str) -> str:
    """Return a line of a list: where a problem is sampled, and why there."""
    entry = problem(name)
    pairs = zip(entry.input_names, entry.ranges, strict=True)
    box = ", ".join(f"{label} in [{low:.4g}, {high:.4g}]" for label, (low, high) in pairs)
    return f"- {name}: {box}. {entry.range_note}"


def _paper(name: str) -> PaperResult | FeynmanResult:
    """Return the paper's numbers; every row of a stored comparison has them."""
    paper = problem(name).paper
    assert paper is not None
    return paper


def _escaped(cells: Sequence[str]) -> list[str]:
    """Return the cells with what Markdown would read as a border escaped."""
    return [cell.replace("|", "\\|") for cell in cells]
