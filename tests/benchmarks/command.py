"""The command: what to measure, and where the report goes."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import fits, growth, penalty
from benchmarks.cells import CELLS, Cell
from benchmarks.entrants import OURS, Entrant
from benchmarks.machine import describe_machine, describe_versions
from benchmarks.measure import add_peaks, measure_cell
from benchmarks.memory import limit_memory
from benchmarks.peers import PEERS
from benchmarks.plots import growth_figure, ratio_figure
from benchmarks.records import Report
from benchmarks.tables import document
from benchmarks.threads import all_threads

COMMAND = "python -m tests.benchmarks"
PARTS = ("cells", "penalty", "fits", "growth")


@dataclass(frozen=True)
class Plan:
    """What to measure. ``most_seconds`` is for one model in one cell, ``fit_seconds`` for a fit."""

    cells: Sequence[Cell] = CELLS
    entrants: Sequence[Entrant] = OURS + PEERS
    threads: Sequence[int] = (1,)
    parts: Sequence[str] = PARTS
    repeats: int = 15
    most_seconds: float = 5.0
    seeds: int = 10
    peer_seeds: int = 1
    fit_seconds: float = 60.0


QUICK = Plan(CELLS[:2], OURS, parts=("cells", "penalty"), repeats=3)


def measure(plan: Plan, command: str = COMMAND) -> Report:
    """Measure all of a plan."""
    report = Report(command, describe_machine(), {})
    if "cells" in plan.parts:
        for threads in plan.threads:
            for cell in plan.cells:
                say(f"{cell}; threads {threads}")
                report.cells.append(
                    measure_cell(cell, threads, plan.entrants, plan.repeats, plan.most_seconds)
                )
        say("memory")
        add_peaks(report.cells, plan.entrants)
    if "penalty" in plan.parts:
        say("sparsity penalty")
        report.penalties = [
            penalty.measure_penalty(cell, threads, plan.repeats, plan.most_seconds)
            for threads in plan.threads
            for cell in penalty.CELLS
        ]
    if "growth" in plan.parts:
        say("growth")
        report.growth = growth.measure_growth(
            growth.SWEEPS, growth.MODELS, plan.repeats // 2, plan.most_seconds / 2
        )
    if "fits" in plan.parts:
        say("fits")
        report.fits = fits.measure_fits(
            fits.GOALS, range(plan.seeds), range(plan.peer_seeds), plan.fit_seconds
        )
    report.versions = describe_versions(plan.entrants)
    return report


def write(report: Report, folder: Path) -> list[Path]:
    """Write ``results.json``, ``results.md`` and the plots; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "results.json", folder / "results.md"]
    paths[0].write_text(json.dumps(asdict(report), indent=1) + "\n")
    paths[1].write_text(document(report))
    figures = {}
    if report.cells:
        figures[folder / "results.png"] = ratio_figure(report)
    if report.growth:
        figures[folder / "growth.png"] = growth_figure(report.growth)
    for path, figure in figures.items():
        figure.savefig(path, facecolor="white")
    return paths + list(figures)


def say(text: str) -> None:
    """Show how far the command is."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, print the tables, and write the report where asked."""
    chosen = _parser().parse_args(arguments)
    limit_memory()
    words = sys.argv[1:] if arguments is None else list(arguments)
    report = measure(_plan(chosen), shlex.join([*COMMAND.split(), *words]))
    if chosen.out is not None:
        write(report, chosen.out)
    print(document(report))


def _plan(chosen: argparse.Namespace) -> Plan:
    """Return the plan asked for; ``--quick`` stands in for what was not said."""
    usual = QUICK if chosen.quick else Plan(threads=sorted({1, all_threads()}))
    names, numbers = chosen.models, chosen.cells
    return Plan(
        cells=[CELLS[number - 1] for number in numbers] if numbers else usual.cells,
        entrants=[e for e in OURS + PEERS if e.name in names] if names else usual.entrants,
        threads=list(dict.fromkeys(chosen.threads or usual.threads)),
        parts=chosen.parts or usual.parts,
        repeats=chosen.repeats or usual.repeats,
        seeds=chosen.seeds,
        peer_seeds=chosen.peer_seeds,
        fit_seconds=chosen.fit_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    numbers = range(1, len(CELLS) + 1)
    cells = ", ".join(f"{number}: {cell}" for number, cell in zip(numbers, CELLS, strict=True))
    names = [entrant.name for entrant in OURS + PEERS]
    parser.add_argument("--cells", nargs="+", type=int, choices=numbers, help=cells)
    parser.add_argument("--models", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--threads", nargs="+", type=int, help="1 and all, if not given")
    parser.add_argument("--parts", nargs="+", choices=PARTS)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--seeds", type=int, default=Plan.seeds, help="of our fits")
    parser.add_argument("--peer-seeds", type=int, default=Plan.peer_seeds, help="of other fits")
    parser.add_argument("--fit-seconds", type=float, default=Plan.fit_seconds, help="for each fit")
    parser.add_argument("--out", type=Path, help="write the report into this folder")
    parser.add_argument("--quick", action="store_true", help="two cells, our models, no fits")
    return parser
