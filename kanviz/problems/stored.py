"""Results that took long to compute: read from data files, with how and when they were made."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from kanviz.checks import check_choice

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
    text = files("kanviz.problems").joinpath("results", f"{name}.json").read_text(encoding="utf-8")
    content = json.loads(text)
    return Results(**{**content, "rows": tuple(content["rows"])})
