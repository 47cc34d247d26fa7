"""A report as Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.entrants import MLP
from benchmarks.records import OK, CellResult, Outcome, Quartiles, Report

HEAD = """# Benchmark: kanviz beside an MLP and other KAN libraries

Made by `{command}`.

{about}

One step is a forward pass, a squared loss and its gradients, in float32, inputs uniform in the grid
range. All models of a cell take turns, repetition by repetition, in one process after warm-up; a
repetition takes as many steps as 2 ms hold. Times are medians of the repetitions. The MLP has SiLU
and ten times the hidden width. Columns: cubic splines (k=3), piecewise linear splines (k=1,
kanditioned), radial bases (RBF, fast-kan); compare like with like.
"""
EACH = """Times in ms: median (first to third quartile). "memory" is the peak of a step beyond the
idle process, in MB, on one thread; its resolution is about 0.3 MB.
"""


def document(report: Report) -> str:
    """Return the whole report."""
    about = {**report.machine, **report.versions}
    words = "; ".join(f"{name} {value}" for name, value in about.items())
    parts = [HEAD.format(command=report.command, about=f"Machine: {words}.")]
    threads = sorted({result.threads for result in report.cells})
    for number in threads:
        chosen = [result for result in report.cells if result.threads == number]
        parts.append(f"## Time over the MLP's, {_threads(number)}\n\n{ratio_table(chosen)}\n")
    parts += [_penalties(report), _fits(report), _growth(report)]
    if threads:
        parts.append(f"## Each model\n\n{EACH}")
    parts += [_details(result) for result in report.cells]
    return "\n".join(part for part in parts if part)


def ratio_table(results: Sequence[CellResult]) -> str:
    """Return one row per cell and one column per model: total time over that of the MLP."""
    names = [outcome.model for outcome in results[0].outcomes]
    head = ["cell", "MLP, ms", *(name for name in names if name != MLP)]
    rows = []
    for result in results:
        by_name = {outcome.model: outcome for outcome in result.outcomes}
        mlp = by_name[MLP].timing if MLP in by_name else None
        first = _ms(mlp.total) if mlp else "-"
        rows.append([str(result.cell), first, *(ratio(by_name[name]) for name in head[2:])])
    return table(head, rows)


def ratio(outcome: Outcome) -> str:
    """Return the ratio of a model, or why there is none."""
    if outcome.status != OK:
        return outcome.status if len(outcome.status) < 20 else "error"
    return "-" if outcome.ratio is None else f"{outcome.ratio:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _details(result: CellResult) -> str:
    head = ["model", "parameters", "forward", "backward", "sum", "over MLP", "memory", "repeats"]
    rows = [_detail(outcome) for outcome in result.outcomes]
    return f"### {result.cell}; {_threads(result.threads)}\n\n{table(head, rows)}\n"


def _detail(outcome: Outcome) -> list[str]:
    timing = outcome.timing
    if timing is None:
        return [outcome.model, outcome.status.replace("|", "\\|"), *[""] * 6]
    return [
        outcome.model,
        str(outcome.parameters),
        *(_spread(part) for part in (timing.forward, timing.backward, timing.total)),
        ratio(outcome),
        "-" if outcome.peak is None else f"{outcome.peak / 1e6:.1f}",
        str(timing.repeats),
    ]


def _penalties(report: Report) -> str:
    if not report.penalties:
        return ""
    head = ["cell", "threads", "plain step, ms", "penalised step, ms", "ratio"]
    rows = [
        [str(p.cell), str(p.threads), _spread(p.plain), _spread(p.penalised), f"{p.ratio:.2f}"]
        for p in report.penalties
    ]
    return (
        f"## A step with the sparsity penalty over one without, kanviz k=3\n\n{table(head, rows)}\n"
    )


def _fits(report: Report) -> str:
    if not report.fits:
        return ""
    head = ["problem", "target RMSE", "fit", "seed", "reached", "s", "best test RMSE"]
    rows = []
    for run in report.fits:
        rmse, seconds = run.rmse, run.seconds
        rows.append(
            [
                run.problem,
                f"{run.target:.0e}",
                run.contender,
                str(run.seed),
                ("yes" if run.is_reached else "no") if run.status == OK else run.status,
                "" if seconds is None else f"{seconds:.1f}",
                "" if rmse is None else f"{rmse:.1e}",
            ]
        )
    return f"## Whole fits, one thread, float64\n\n{table(head, rows)}\n"


def _growth(report: Report) -> str:
    if not report.growth:
        return ""
    head = ["grows", "model", "values", "ms", "slope", "slope of last three", "memory slope"]
    rows = []
    for g in report.growth:
        memory = "-" if g.memory_slope is None else f"{g.memory_slope:.2f}"
        times = ", ".join(f"{1e3 * value:.2f}" for value in g.seconds)
        values = ", ".join(map(str, g.values))
        slopes = [f"{g.slope:.2f}", f"{g.tail_slope:.2f}", memory]
        rows.append([g.sweep, g.model, values, times, *slopes])
    note = "Slopes in log-log: 1 is proportional, 0 is flat; those in G are fitted from G = 20 on."
    return f"## Growth, one thread\n\n{note}\n\n{table(head, rows)}\n"


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def _ms(part: Quartiles) -> str:
    return f"{1e3 * part.median:.3g}"


def _spread(part: Quartiles) -> str:
    low, median, high = (f"{1e3 * value:.3g}" for value in part)
    return f"{median} ({low} to {high})"
