"""The data file and the Markdown table of a comparison, renewed row by row."""

import argparse
import datetime
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from benchmarks.machine import describe_machine

import kanviz as kv
from kanviz.course.problems.stored import Results

FOLDER = Path(kv.__file__).parent / "course" / "problems" / "results"
TABLES = Path(__file__).parent

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What a command makes: its data file, and the sentences around the numbers."""

    name: str
    title: str
    how: str

    @property
    def path(self) -> Path:
        """The data file, part of the package."""
        return FOLDER / f"{self.name}.json"

    @property
    def command(self) -> str:
        """What computes the data file anew, from the top folder of a checkout."""
        return f"cd tests && PYTHONPATH=.. python -m accuracy.{self.name} --write"

    def store(self, rows: Sequence[Row]) -> None:
        """Write the data file, with today's date and this machine."""
        machine = describe_machine()
        content = {
            "title": self.title,
            "how": self.how,
            "date": str(datetime.datetime.now(tz=datetime.UTC).date()),
            "command": self.command,
            "machine": f"{machine['processor']}, one thread, {machine['system']}",
            "versions": {"kanviz": kv.__version__, "torch": torch.__version__.partition("+")[0]},
        }
        lines = ",\n".join(json.dumps(row) for row in rows)
        head = json.dumps(content, indent=1)[:-2]
        self.path.write_text(f'{head},\n "rows": [\n{lines}\n ]\n}}\n', encoding="utf-8")

    def stored(self) -> list[Row]:
        """Return the rows of the data file; none where there is no file yet."""
        if not self.path.exists():
            return []
        return list(json.loads(self.path.read_text(encoding="utf-8"))["rows"])

    def results(self) -> Results:
        """Return the data file as the package reads it."""
        content = json.loads(self.path.read_text(encoding="utf-8"))
        return Results(**{**content, "rows": tuple(content["rows"])})


def run(
    report: Report, names: Sequence[str], measure: Callable[[str], Row], markdown: Callable[[], str]
) -> None:
    """Measure the rows named on the command line, or all; keep each with ``--write``.

    Rows that are not measured stay as they are in the file; the order is that of ``names``.
    """
    parser = argparse.ArgumentParser(description=report.title)
    parser.add_argument("names", nargs="*", metavar="name", help="rows; all without")
    parser.add_argument("--write", action="store_true", help="renew the data file and the table")
    parser.add_argument("--new", action="store_true", help="only rows that the file lacks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = {row["name"]: row for row in report.stored()}
    for name in arguments.names or names:
        if arguments.new and name in rows:
            continue
        rows[name] = measure(name)
        print(json.dumps(rows[name]), flush=True)
        if arguments.write:
            report.store([rows[key] for key in names if key in rows])
    if arguments.write:
        (TABLES / f"{report.name}.md").write_text(markdown(), encoding="utf-8")
    sys.stdout.flush()
