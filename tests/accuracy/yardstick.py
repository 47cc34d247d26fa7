"""How many of the field's small laws come back exactly, all options as README writes them.

Run ``python -m accuracy.yardstick`` in the folder ``tests``: each row takes half a minute to two
minutes. What is done is kept in ``yardstick.json`` beside this file, so that a run that was broken
off goes on where it was; ``--again`` begins anew. ``--single`` lets an edge be one function alone,
as it was before small laws, in a column of its own. ``yardstick.md`` is the table. Names choose
rows; several processes may share the work, each with names of its own.
"""

import argparse
import fcntl
import json
import time
from pathlib import Path
from typing import Any

import torch

import kanviz as kv
from accuracy.laws import Law
from accuracy.recovery import distance
from accuracy.yardstick_laws import YARDSTICK
from kanviz.symbolic.functions import default_library

KEPT = Path(__file__).with_name("yardstick.json")
TABLE = KEPT.with_suffix(".md")

EXACT = 1e-4
"""How far constants may be from the law's."""

HEAD = """# Yardstick: small laws of the field, without noise

`KAN([n, 5, 1])`, `fit(sparsity=1e-3)`, `prune`, `refine(10)`, `fit`, `symbolify`, all else by
default, 400 samples and 400 held out, float64, seed 0; sources and ranges in `yardstick_laws.py`.
Recovered: with its constants moved to nice ones by at most 1e-4, the formula equals the law to 1e-9
of its spread at 1000 fresh points. "one function": an edge is c f(a x + b) + d alone.
Made by `python -m accuracy.yardstick` and the same with `--single`; seconds on a machine shared
with other work.

"""


def measure(law: Law, *, laws: bool) -> dict[str, Any]:
    """Take one law from samples to a formula."""
    data = kv.from_function(
        lambda x: law.values(x.numpy()), law.ranges, 400, 400, seed=0, dtype=torch.float64
    )
    x, y = law.fresh(0)
    begin = time.perf_counter()
    model = kv.KAN(law.widths, seed=0, dtype=torch.float64)
    model.fit(data, sparsity=1e-3, progress=False)
    model.prune(data)
    model.refine(10)
    model.fit(data, progress=False)
    report = model.symbolify(data, functions=None if laws else list(default_library()))
    seconds = time.perf_counter() - begin
    has_splines = any(edge.chosen is None for edge in report.edges)
    within = None if has_splines else distance(model, x, y)
    return {
        "recovered": within is not None and within <= EXACT,
        "splines": has_splines,
        "error": report.after,
        "formula": str(model.formula(snap=EXACT, digits=4)),
        "seconds": round(seconds),
    }


def keep(name: str, column: str, row: dict[str, Any]) -> None:
    """Add a row to what is kept; another process may do the same."""
    with KEPT.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = json.loads(file.read() or "{}")
        rows.setdefault(name, {})[column] = row
        file.truncate(0)
        file.write(json.dumps(rows, indent=1, sort_keys=True) + "\n")


def kept() -> dict[str, Any]:
    """Return what was done so far."""
    rows: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return rows


def table() -> str:
    """Return all rows as a Markdown table, with counts below."""
    rows = kept()
    lines = ["| law | | one function | small laws | error | s | formula found |", "|---|" * 1]
    lines = [lines[0], "|" + "---|" * 7]
    counts = {(n, column): [0, 0] for n in (1, 2) for column in ("single", "laws")}
    for law in YARDSTICK:
        row = rows.get(law.name, {})
        for column in ("single", "laws"):
            if column in row:
                count = counts[len(law.ranges), column]
                count[0] += row[column]["recovered"]
                count[1] += 1
        cells = [law.name, f"`{law.text}`", *(_verdict(row.get(c)) for c in ("single", "laws"))]
        last = row.get("laws") or {"error": float("nan"), "seconds": "-", "formula": "-"}
        formula = last["formula"] if len(last["formula"]) < 120 else last["formula"][:117] + "..."
        cells += [f"{last['error']:.1e}", str(last["seconds"]), f"`{formula}`"]
        lines.append("| " + " | ".join(cells) + " |")
    for n, words in ((1, "One variable"), (2, "Two variables")):
        (before, of), (now, of_now) = counts[n, "single"], counts[n, "laws"]
        lines += ["", f"{words}: {now} of {of_now} recovered; one function alone {before} of {of}."]
    return "\n".join(lines) + "\n"


def _verdict(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    return "yes" if row["recovered"] else "splines stay" if row["splines"] else "another formula"


def main() -> None:
    """Measure what is asked for and not there yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows; by default all")
    parser.add_argument("--single", action="store_true", help="one function to an edge")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    torch.set_num_threads(1)
    column = "single" if options.single else "laws"
    for law in YARDSTICK:
        wanted = not options.names or law.name in options.names
        if wanted and (options.again or column not in kept().get(law.name, {})):
            row = measure(law, laws=not options.single)
            keep(law.name, column, row)
            print(
                f"{law.name} {column}: {_verdict(row)}, {row['seconds']} s: {row['formula']}",
                flush=True,
            )
    TABLE.write_text(HEAD + table())


if __name__ == "__main__":
    main()
