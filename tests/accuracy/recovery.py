"""From samples of a law to the law: train sparsely, prune, refine, train, symbolify.

Run ``python -m accuracy.recovery`` in the folder ``tests`` for the table (about six minutes on
one core); names of laws after it choose rows, ``--seeds`` how many seeds each has, and ``--write``
renews the committed ``recovery.md`` beside this file. ``--pykan PYTHON`` adds what pykan makes of
the first seed of each, run by that interpreter.
"""

import argparse
import datetime
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import sympy
import torch

import kanviz as kv
from accuracy.laws import LAWS, PROMISE, Law
from accuracy.with_pykan import run_pykan
from kanviz.analysis.removal import live_edges

TABLE = Path(__file__).with_name("recovery.md")
COMMAND = "python -m accuracy.recovery --pykan PYTHON --write"
PROMISE_SEEDS = 10

PYKAN_SECONDS = 300.0

SAME = 1e-9
"""Largest difference at the fresh points, as a share of the law's spread, between the law and a
formula with nice constants that is the same function."""

SHARES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2)

EXACT, NOISY, ACCURATE = 1e-4, 1e-2, 0.97
"""How far constants may be from the law's, without and with noise; accuracy asked of classes."""

HEAD = """# Recovery: from samples of a law back to the law

For each row: `KAN(widths, grid_size=grids[0])`, `fit(sparsity=...)`, `prune(data)`,
`refine(grids[1])`, `fit`, `symbolify(data, tolerance=...)`, all else by default, in float64 on one
thread. Training and held-out samples (prune and symbolify judge by the latter): 1000 each for the
promise and the Bessel function, else 400 each. Options were chosen once per row; ranges are ours.

- recovered: all edges are formulas, and with its constants moved to nice ones by at most the share
  in "constants within" the formula equals the law to 1e-9 of its spread at 1000 fresh points;
  that share is at most 1e-4, or 1e-2 with noise. For classes: accuracy of at least 0.97. "as
  written": sympy simplifies the difference of the formula as printed and the law to 0.
- net, formula: RMSE at the fresh points, without noise, before symbolify and after it (with the
  constants as found; where edges stay splines, of what the model then is); accuracy for classes.
- held-out / allowed: symbolify's error and its limit, as shares of the spread of y (for classes
  the root of the cross entropy). "auto" is its default limit: 1.5 times the error before.
- pykan: RMSE (or accuracy) of what pykan 0.2.8 has after `auto_symbolic` and a last fit, from the
  same data, widths, grids and sparsity (`with_pykan.py`), and its seconds; at most {:.0f} s.
- s: seconds of fit + prune + refine and fit + symbolify, on a machine shared with other work.

Made on {} by `{}`.

"""


@dataclass(frozen=True)
class Row:
    """What came of one law and seed.

    ``net`` and ``formula`` are RMSEs at fresh points without noise, or accuracies for classes;
    ``held`` and ``limit`` are symbolify's own error and the largest that it was allowed.
    ``seconds`` are those of fit, prune, fit again and symbolify. ``within`` is the smallest share
    by which constants have to be moved to nice ones to make the formula the law itself, or None;
    ``is_written_alike`` says that sympy sees it too.
    """

    law: Law
    seed: int
    seconds: tuple[float, ...]
    edges: int
    splines: int
    net: float
    formula: float
    held: float
    limit: float
    within: float | None
    found: str
    is_written_alike: bool
    pykan: str = "-"

    @property
    def is_recovered(self) -> bool:
        """Whether the formula has no splines and is the law, or for classes accurate."""
        if self.splines or self.held > self.limit:
            return False
        if self.law.is_classes:
            return self.formula >= ACCURATE
        return self.within is not None and self.within <= (NOISY if self.law.noise else EXACT)


def measure(law: Law, seed: int) -> Row:
    """Take one law from samples to a formula, in float64."""
    data, (x, y) = law.dataset(seed), law.fresh(seed)
    model = kv.KAN(law.widths, grid_size=law.grids[0], seed=seed, dtype=torch.float64)
    times = [time.perf_counter()]
    model.fit(data, sparsity=law.sparsity, progress=False)
    times.append(time.perf_counter())
    model.prune(data)
    times.append(time.perf_counter())
    if law.is_locked:
        model.lock([edge for edge in live_edges(model.network) if edge.layer == 0])
    model.refine(law.grids[1])
    model.fit(data, progress=False)
    net = quality(law, model.decision_function(x), y)
    times.append(time.perf_counter())
    report = model.symbolify(data, tolerance=law.tolerance)
    times.append(time.perf_counter())
    splines = sum(edge.chosen is None for edge in report.edges)
    found = model.formula(snap=NOISY if law.noise else EXACT, digits=4)
    within = None if splines or law.is_classes else distance(model, x, y)
    rest = found.expressions[0] - sympy.sympify(law.text) if within else sympy.nan
    outputs = (
        model.decision_function(x)
        if splines
        else model.formula(snap=0, digits=None).to_callable()(x)
    )
    return Row(
        law=law,
        seed=seed,
        seconds=tuple(end - begin for begin, end in pairwise(times)),
        edges=len(report.edges),
        splines=splines,
        net=net,
        formula=quality(law, outputs, y),
        held=report.after,
        limit=report.limit,
        within=within,
        found=str(found),
        is_written_alike=bool(sympy.simplify(rest) == 0),
    )


def by_pykan(law: Law, seed: int, python: str) -> str:
    """Return what pykan makes of a law and seed, as a cell of the table."""
    data, (x, y) = law.dataset(seed), law.fresh(seed)
    names = ("x", "y", "x_test", "y_test")
    arrays = {name: getattr(data, name).numpy() for name in names} | {"fresh": x}
    settings = (seed, law.sparsity, *law.grids, *law.widths)
    words, outputs, seconds = run_pykan(python, arrays, settings, PYKAN_SECONDS)
    if outputs is None:
        return words
    return f"{shown(law, quality(law, outputs, y))}, {seconds:.0f} s"


def shown(law: Law, value: float) -> str:
    """Return a quality as text."""
    return f"{value:.3f}" if law.is_classes else f"{value:.1e}"


def quality(law: Law, outputs: np.ndarray, y: np.ndarray) -> float:
    """Return the RMSE of outputs (samples, 1), or the accuracy of class scores."""
    if law.is_classes:
        return float((outputs.argmax(axis=1) == y).mean())
    return float(np.sqrt(((outputs[:, 0] - y) ** 2).mean()))


def distance(model: kv.KAN, x: np.ndarray, y: np.ndarray) -> float | None:
    """Return the least share by which constants must be snapped for the formula to be the law."""
    for share in SHARES:
        values = model.formula(snap=share, digits=None, simplify_seconds=0).to_callable()(x)[:, 0]
        if np.abs(values - y).max() <= SAME * y.std():
            return share
    return None


def verdict(row: Row) -> str:
    """Return in words what came of a row."""
    if row.held > row.limit:
        return "ABOVE TOLERANCE"
    if row.splines:
        return f"no: {row.splines} of {row.edges} edges stay splines"
    return "yes" if row.is_recovered else "no: another formula"


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, with a count below."""
    columns = (
        "law|source|ranges|widths|sparsity|grids|tolerance|seed|recovered|constants within|edges|"
        "net|formula|held-out / allowed|s|pykan|formula found"
    )
    lines = [f"|{columns}|", "|" + "---|" * len(columns.split("|"))]
    for row in rows:
        law = row.law
        noise = f" + {law.noise:.0%} noise" if law.noise else ""
        cells = [
            (f"`{law.text}`" if law.text else law.name) + noise,
            law.source,
            " x ".join(f"[{low:g}, {high:g}]" for low, high in law.ranges),
            str(list(law.widths)),
            f"{law.sparsity:g}",
            ", ".join(map(str, law.grids)),
            "auto" if law.tolerance is None else f"{law.tolerance:g}",
            str(row.seed),
            verdict(row) + (", as written" if row.is_written_alike else ""),
            "-" if row.within is None else f"{row.within:.0e}",
            str(row.edges),
            shown(law, row.net),
            shown(law, row.formula),
            f"{row.held:.1e} / {row.limit:.1e}",
            " + ".join(f"{part:.1f}" for part in row.seconds),
            row.pykan,
            "`" + row.found.replace("\n", "; ").replace("|", "\\|") + "`",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", summary(rows)])


def summary(rows: list[Row]) -> str:
    """Return what a table comes to."""
    promise = [row for row in rows if row.law.name == PROMISE]
    kept = sum(row.is_written_alike and row.formula <= 1e-6 for row in promise)
    slowest = max((sum(row.seconds) for row in promise), default=0.0)
    others = [row.is_recovered for row in rows if row.law.name != PROMISE]
    above = sum(row.held > row.limit for row in rows)
    return (
        f"Promise, as written and with an RMSE of at most 1e-6: {kept} of {len(promise)} seeds, "
        f"slowest {slowest:.1f} s. Others: {sum(others)} of {len(others)} recovered. "
        f"Above the tolerance asked for: {above} of {len(rows)}."
    )


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows; all without")
    parser.add_argument("--seeds", type=int, help=f"of each; {PROMISE_SEEDS} of promise, else 1")
    parser.add_argument("--pykan", metavar="PYTHON", help="an interpreter that has pykan")
    parser.add_argument("--write", action="store_true", help=f"renew {TABLE.name}")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {law.name for law in LAWS}:
        parser.error(f"no such law: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    rows = []
    for law in (law for law in LAWS if law.name in (arguments.names or [law.name])):
        for seed in range(arguments.seeds or (PROMISE_SEEDS if law.name == PROMISE else 1)):
            row = measure(law, seed)
            if arguments.pykan and seed == 0:
                row = replace(row, pykan=by_pykan(law, seed, arguments.pykan))
            rows.append(row)
            print(f"{law.name} {seed}: {verdict(rows[-1])}", flush=True)
    print(table(rows))
    if arguments.write:
        date = datetime.datetime.now(tz=datetime.UTC).date()
        TABLE.write_text(HEAD.format(PYKAN_SECONDS, date, COMMAND) + table(rows) + "\n")


if __name__ == "__main__":
    main()
