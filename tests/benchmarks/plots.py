"""A report as pictures: ratios to the MLP, and growth."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, StrMethodFormatter

from benchmarks.entrants import MLP
from benchmarks.records import CellResult, GrowthResult, Report
from benchmarks.tables import ratio

FAMILY_COLOURS = {"spline": "#0072B2", "linear": "#009E73", "rbf": "#D55E00"}
"""Okabe and Ito's colours, which colour-blind people tell apart."""

LANES = {"spline": -0.24, "linear": 0.0, "rbf": 0.24}
"""Where a family stands in the row of its cell, so that like is compared with like."""

GROWTH_STYLES = {
    "kanviz k=3": (FAMILY_COLOURS["spline"], "o"),
    "kanviz k=1": (FAMILY_COLOURS["linear"], "s"),
    "kanviz RBF": (FAMILY_COLOURS["rbf"], "^"),
}
PEER_MARKERS = "^vs<>*PXph"
RATIO_TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
PLAIN = StrMethodFormatter("{x:g}")
DPI = 130


def ratio_figure(report: Report) -> Figure:
    """Return one panel per number of threads, one row per cell, a lane for each family."""
    threads = sorted({result.threads for result in report.cells})
    rows = max(sum(r.threads == n for r in report.cells) for n in threads)
    size = 4.2 * len(threads) + 3.8, max(0.8 * rows + 1.4, 4.2)
    figure = Figure(size, dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(threads), sharey=True, sharex=True, squeeze=False)[0]
    for axes, number in zip(panels, threads, strict=True):
        _draw_ratios(axes, [result for result in report.cells if result.threads == number])
        axes.set_title("1 thread" if number == 1 else f"{number} threads", fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    return figure


def growth_figure(results: Sequence[GrowthResult]) -> Figure:
    """Return times above and memory below, one column per sweep, slopes in the legends."""
    sweeps = list(dict.fromkeys(result.sweep for result in results))
    figure = Figure((3.4 * len(sweeps), 6.4), dpi=DPI, layout="constrained")
    grid = figure.subplots(2, len(sweeps), squeeze=False)
    for column, sweep in enumerate(sweeps):
        name, _, rest = sweep.partition(" of ")
        for axes in grid[:, column]:
            axes.set(xscale="log", yscale="log", xlabel=name)
        grid[0, column].set_title(rest, fontsize=9)
        for result in (result for result in results if result.sweep == sweep):
            _draw_growth(grid[0, column], grid[1, column], result)
        for axes in grid[:, column]:
            axes.grid(which="major", color="#dddddd")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(PLAIN)
                axis.set_minor_formatter(NullFormatter())
            axes.legend(fontsize=7, title="slope", title_fontsize=7)
    grid[0, 0].set_ylabel("ms per step")
    grid[1, 0].set_ylabel("MB beyond idle")
    return figure


def _draw_ratios(axes: Axes, results: Sequence[CellResult]) -> None:
    markers = iter(PEER_MARKERS)
    every = [outcome for outcome in results[0].outcomes if outcome.model != MLP]
    for outcome in sorted(every, key=lambda outcome: list(LANES).index(outcome.family)):
        points = [
            (found.ratio, row + LANES[outcome.family])
            for row, result in enumerate(results)
            for found in result.outcomes
            if found.model == outcome.model and found.ratio is not None
        ]
        x, y = zip(*points, strict=True) if points else ((), ())
        is_ours = outcome.model.startswith("kanviz")
        colour = FAMILY_COLOURS[outcome.family]
        axes.plot(
            x,
            y,
            linestyle="none",
            marker="o" if is_ours else next(markers),
            markersize=10 if is_ours else 7,
            markerfacecolor=(colour, 0.55) if is_ours else "none",  # a peer on it can be seen
            markeredgecolor=colour,
            zorder=2 if is_ours else 3,
            label=outcome.model if points else f"{outcome.model}: {ratio(outcome)}",
        )
    _dress_ratios(axes, [str(result.cell) for result in results])


def _dress_ratios(axes: Axes, names: Sequence[str]) -> None:
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1, zorder=1)
    axes.set_yticks(range(len(names)), [name.replace("; ", "\n", 1) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    for row in range(0, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", zorder=0)
    axes.xaxis.set_major_locator(FixedLocator(RATIO_TICKS))
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time of a step over the MLP's (left is faster)")


def _draw_growth(time: Axes, memory: Axes, result: GrowthResult) -> None:
    colour, marker = GROWTH_STYLES[result.model]
    label = f"{result.model}: {result.slope:.2f}"
    milliseconds = [1e3 * seconds for seconds in result.seconds]
    time.plot(result.values, milliseconds, label=label, color=colour, marker=marker)
    known = [(v, p / 1e6) for v, p in zip(result.values, result.peaks, strict=True) if p]
    if result.memory_slope is not None:
        label = f"{result.model}: {result.memory_slope:.2f}"
        values, megabytes = zip(*known, strict=True)
        memory.plot(values, megabytes, label=label, color=colour, marker=marker)
