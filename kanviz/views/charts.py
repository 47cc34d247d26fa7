"""Charts of measurements: errors against sizes, values against steps, losses, maps of two inputs.

They take numbers and names, never a model. Series differ by colour, mark and dashes, so that no
meaning hangs on colour alone; the key stands below the axes, where it covers nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from kanviz.theme import Theme, ThemeName, theme_named
from kanviz.views.figure import NotebookFigure

SIZE = (7.0, 3.8)
"""Width and height of a chart in inches."""

LOSS_SIZE = (7.0, 3.6)
"""Of the losses of a fit, which have no key below."""

SIDE = 2.6
"""Side of one map in inches."""

MARKS = "os^Dv"
DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1)))
THEORY = (0, (2, 3))

MORE = {"light": ("#00775a", "#9a3f8f", "#5b6775"), "dark": ("#3fc79a", "#e08fd3", "#9aa7b6")}
"""Colours of the third series and on; the first two are those of splines and formulas."""

DECADE = (1.0, 2.0, 5.0)
"""Where a logarithmic axis of sizes has its numbers, in every power of ten."""

MOST_TICKS = 8
"""Up to so many sizes are each named on the axis."""

BESIDE = 0.06
"""How far below its series a line of theory is drawn, as a share of the height of the chart."""


class Line(NamedTuple):
    """A series: its name, its points, and the colour, mark and dashes that it is drawn with."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    color: str
    mark: str
    dash: str | tuple[float, tuple[float, ...]]


def scaling_figure(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    x_label: str,
    y_label: str,
    theory: Mapping[str, float] | None = None,
    title: str = "",
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw how an error falls with a size: both axes logarithmic, with the slope of each series.

    The slope is that of the straight line closest to log y over log x (least squares), so that y
    grows like x to this power.

    Parameters
    ----------
    series : mapping
        Name to ``(x, y)``, two rows of equal length, all positive.
    x_label, y_label : str
        What the axes measure, with the unit.
    theory : mapping, optional
        Name to slope, drawn as a dotted line a little below a series: below the series of that
        name, or below the first one if there is none.
    title : str
        A line above the chart.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If there is nothing to draw, rows differ in length, or a number is not positive.
    """
    colors = theme_named(theme)
    lines = _lines(series, theme)
    for line in lines:
        if not all(np.isfinite(row).all() and (row > 0).all() for row in (line.x, line.y)):
            raise ValueError(
                f"series[{line.name!r}] must hold positive numbers because its axes are "
                "logarithmic; got one that is not. Leave those points out."
            )
    figure, axes = _chart(colors, x_label, y_label, title)
    axes.set_yscale("log")
    for line in lines:
        _draw(axes, line, f"{line.name}{_slope_text(line)}", mark=line.mark)
    for name, slope in (theory or {}).items():
        _draw_theory(axes, lines, name, slope, colors)
    _number_sizes(axes, lines)
    _add_key(figure, axes, colors)
    return figure


def lines_figure(
    x: ArrayLike | Mapping[str, ArrayLike],
    series: Mapping[str, ArrayLike],
    *,
    x_label: str = "",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    title: str = "",
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw series of numbers as lines.

    Parameters
    ----------
    x : row or mapping
        Where the numbers stand: one row for all series, or one row per name in ``series``.
    series : mapping
        Name to the numbers. Gaps are left where one is not finite, and on a logarithmic axis where
        one is not positive.
    x_label, y_label : str
        What the axes measure, with the unit.
    log_x, log_y : bool
        Make an axis logarithmic.
    title : str
        A line above the chart.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If there is nothing to draw, or a series and its x differ in length or name.
    """
    if isinstance(x, Mapping) and set(x) != set(series):
        raise ValueError(
            f"x must have the names of series, {sorted(series)}; got {sorted(x)}. "
            "Give one row for each, or one row for all."
        )
    rows = {name: x[name] if isinstance(x, Mapping) else x for name in series}
    colors = theme_named(theme)
    lines = _lines({name: (rows[name], y) for name, y in series.items()}, theme)
    figure, axes = _chart(colors, x_label, y_label, title)
    if log_y:
        axes.set_yscale("log", nonpositive="mask")
    for line in lines:
        _draw(axes, line, line.name)
    if log_x:
        _number_sizes(axes, lines)
    elif all((line.x == np.round(line.x)).all() for line in lines):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # no 2.5 edges
    _add_key(figure, axes, colors)
    return figure


def _style_axes(axes: Axes, colors: Theme, x_label: str, y_label: str) -> None:
    """Write the labels and draw the axes in the colors of a theme."""
    axes.set_xlabel(x_label, color=colors.ink, parse_math=False)
    axes.set_ylabel(y_label, color=colors.ink, parse_math=False)
    axes.tick_params(which="both", colors=colors.muted)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(colors.hair)


def _lines(series: Mapping[str, tuple[ArrayLike, ArrayLike]], theme: ThemeName) -> Sequence[Line]:
    """Return the series as they are drawn, each checked."""
    if not series:
        raise ValueError("series must hold at least one line; got none. Name one.")
    colors = theme_named(theme)
    palette = (colors.spline, colors.symbolic, *MORE[theme])
    lines = []
    for place, (name, pair) in enumerate(series.items()):
        x, y = (np.asarray(row, dtype=float) for row in pair)
        if x.ndim != 1 or x.shape != y.shape or not len(x):
            raise ValueError(
                f"series[{name!r}] must be two rows of equal length, at least 1; got shapes "
                f"{x.shape} and {y.shape}. Give one y for each x."
            )
        turn = place % len(MARKS)
        lines.append(Line(name, x, y, palette[turn], MARKS[turn], DASHES[turn]))
    return lines


def _chart(
    colors: Theme,
    x_label: str,
    y_label: str,
    title: str = "",
    size: tuple[float, float] = SIZE,
) -> tuple[NotebookFigure, Axes]:
    figure = NotebookFigure(figsize=size, facecolor=colors.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colors.paper)
    _style_axes(axes, colors, x_label, y_label)
    if title:
        figure.suptitle(title, color=colors.ink, fontsize=11, parse_math=False)
    return figure, axes


def _draw(axes: Axes, line: Line, label: str, *, mark: str = "") -> None:
    axes.plot(
        line.x,
        line.y,
        color=line.color,
        marker=mark or None,
        markersize=5,
        linewidth=1.6,
        linestyle="solid" if mark else line.dash,
        label=label,
    )


def _number_sizes(axes: Axes, lines: Sequence[Line]) -> None:
    """Make x logarithmic, with its numbers at the sizes themselves where these are few."""
    sizes = sorted({float(x) for line in lines for x in line.x if x > 0})
    few = len(sizes) <= MOST_TICKS
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes) if few else LogLocator(subs=DECADE))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Return the slope of log y over log x, None where one point has none."""
    if len(set(x)) < 2:
        return None
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def _slope_text(line: Line) -> str:
    slope = _slope(line.x, line.y)
    return "" if slope is None else f" (slope {slope:.2f})"


def _draw_theory(axes: Axes, lines: Iterable[Line], name: str, slope: float, colors: Theme) -> None:
    """Draw a line of the given slope a little below a series, over the same x."""
    by_name = {line.name: line for line in lines}
    line = by_name.get(name) or next(iter(by_name.values()))
    x = np.array([line.x.min(), line.x.max()])
    bottom, top = np.log(axes.get_ylim())
    start = np.log(line.y[line.x.argmin()]) - BESIDE * (top - bottom)
    y = np.exp(start + slope * np.log(x / x[0]))
    color, text = (line.color, f"theory for {name}") if name in by_name else (colors.muted, name)
    axes.plot(x, y, color=color, linewidth=1.4, linestyle=THEORY, label=f"{text} (slope {slope:g})")


def _add_key(figure: NotebookFigure, axes: Axes, colors: Theme) -> None:
    """Write the key below the axes, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    longest = max(len(label) for label in labels)
    key = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=max(1, min(len(labels), 84 // (longest + 8))),
        frameon=False,
        labelcolor=colors.ink,
        fontsize=9,
    )
    for text in key.get_texts():
        text.set_parse_math(False)


def loss_figure(
    history: Mapping[str, Sequence[float]], *, theme: ThemeName = "light"
) -> NotebookFigure:
    """Draw training and validation loss on a logarithmic axis, with each refinement marked.

    Parameters
    ----------
    history : mapping
        Lists of equal length under ``"step"``, ``"loss"``, ``"grid_size"`` and, where validation
        data were given, ``"validation_loss"``; as in ``FitReport.history``.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If the history is empty or the theme unknown.
    """
    colors = theme_named(theme)
    steps = history.get("step", ())
    if not len(steps):
        raise ValueError("history must hold at least one step; got none. Fit the model first.")
    figure, axes = _chart(colors, "step", "loss", size=LOSS_SIZE)
    _mark_grids(axes, steps, history["grid_size"], colors)
    axes.plot(steps, history["loss"], color=colors.spline, linewidth=1.6, label="training")
    if "validation_loss" in history:
        axes.plot(
            steps,
            history["validation_loss"],
            color=colors.symbolic,
            linewidth=1.4,
            linestyle=(0, (4, 2)),
            label="validation",
        )
        axes.legend(frameon=False, labelcolor=colors.ink)
    axes.set_yscale("log")
    axes.margins(x=0.01)
    return figure


def ranking_figure(
    names: Sequence[str],
    numbers: Sequence[float],
    best: int,
    *,
    label: str,
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw one number for each of some candidates, the first on top, and mark the best.

    Parameters
    ----------
    names : sequence of str
        Of the candidates.
    numbers : sequence of float
        One for each; what is not finite is left out.
    best : int
        The place of the best among them.
    label : str
        What the numbers are.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If there is nothing to draw, or the theme is unknown.
    """
    colors = theme_named(theme)
    if not names or len(names) != len(numbers):
        raise ValueError(
            f"numbers must be as many as names, at least 1; got {len(numbers)} and {len(names)}."
        )
    figure, axes = _chart(colors, label, "", size=(SIZE[0], 1.2 + 0.3 * len(names)))
    places = np.arange(len(names))
    values = np.where(np.isfinite(numbers), numbers, np.nan)
    axes.hlines(places, np.nanmin(values), values, color=colors.hair, linewidth=1.2)
    axes.plot(values, places, "o", color=colors.spline, markersize=6)
    axes.plot(values[best], places[best], "D", color=colors.symbolic, markersize=9, label="best")
    axes.set_yticks(places, [*names], color=colors.ink, parse_math=False)
    axes.invert_yaxis()
    axes.legend(frameon=False, labelcolor=colors.ink)
    return figure


def _mark_grids(axes: Axes, steps: Sequence[float], grids: Sequence[float], colors: Theme) -> None:
    """Draw a line and the grid size where each level begins."""
    top = axes.get_xaxis_transform()
    for place, (step, grid) in enumerate(zip(steps, grids, strict=True)):
        if place and grid == grids[place - 1]:
            continue
        if place:
            axes.axvline(step - 0.5, color=colors.hair, linewidth=1)
        axes.text(step, 1.01, f"G = {grid:.0f}", transform=top, fontsize=8, color=colors.muted)


def maps_figure(
    maps: Mapping[str, ArrayLike],
    *,
    extent: tuple[float, float, float, float],
    x_label: str = "x",
    y_label: str = "y",
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw functions of two inputs side by side, each with its own scale of colors.

    Parameters
    ----------
    maps : mapping
        Name to values (rows, columns): rows are y upwards, columns x.
    extent : (left, right, bottom, top)
        The range of x and of y.
    x_label, y_label : str
        What the axes measure, with the unit.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If there is no map, or one is not a table of finite numbers.
    """
    colors = theme_named(theme)
    tables = {name: np.asarray(table, dtype=float) for name, table in maps.items()}
    if not tables:
        raise ValueError("maps must hold at least one table; got none. Name one.")
    for name, table in tables.items():
        if table.ndim != 2 or not table.size or not np.isfinite(table).all():
            raise ValueError(
                f"maps[{name!r}] must be a table (rows, columns) of finite numbers; got shape "
                f"{table.shape}. Evaluate the function on a grid."
            )
    size = (SIDE * len(tables) + 0.6, SIDE)
    figure = NotebookFigure(figsize=size, facecolor=colors.paper, layout="constrained")
    for place, (name, table) in enumerate(tables.items(), start=1):
        axes = figure.add_subplot(1, len(tables), place, facecolor=colors.paper)
        image = axes.imshow(table, extent=extent, origin="lower", aspect="auto", cmap="viridis")
        bar = figure.colorbar(image, ax=axes)
        bar.ax.tick_params(colors=colors.muted, labelsize=8)
        bar.outline.set_visible(False)
        _style_axes(axes, colors, x_label, y_label)
        axes.set_title(name, color=colors.ink, fontsize=10, parse_math=False)
    return figure
