"""The functions of one layer as a matrix of small plots, a matplotlib figure."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from kanviz.snapshot import Snapshot
from kanviz.views.canvas import (
    POINTS,
    NotebookFigure,
    add,
    blank_figure,
    draw_badges,
    draw_key,
    draw_plots,
    draw_texts,
)
from kanviz.views.cells import Cell
from kanviz.views.table import table
from kanviz.views.theme import Theme, ThemeName, blend, theme_named

MAX_EDGES = 100
"""Most plots by default: as many as can be read on a page."""

DOT, PALE = 3.6, 0.7
"""Width of a data point in pixels, and its share of ink where its edge is strongest."""


def layer_figure(
    snapshot: Snapshot,
    layer: int,
    *,
    theme: ThemeName = "light",
    max_edges: int = MAX_EDGES,
) -> NotebookFigure:
    """Draw the functions of one layer as a matrix: a row for each input, a column for each output.

    Every plot shows the curve over the range that the data visit, a few data points on it, and the
    knots as ticks at the bottom. The ends of the range of x stand below a plot, those of y at its
    left. Colours and dashes are those of ``network_figure``.

    Parameters
    ----------
    snapshot : Snapshot
        Where to find the layer.
    layer : int
        From 0, whose functions start at the inputs of the network.
    theme : "light" or "dark"
        The colours.
    max_edges : int
        Most plots. Of a layer that has more, or that is very long or wide, the nodes with the
        strongest edges are shown, and the number of edges left out is written below.

    Returns
    -------
    NotebookFigure
        Not known to pyplot. Save it with ``figure.savefig(path)``.

    Raises
    ------
    IndexError
        If there is no such layer.
    ValueError
        If ``theme`` is unknown or ``max_edges`` is less than 1.
    """
    colors = theme_named(theme)
    last = len(snapshot.widths) - 2
    if not 0 <= layer <= last:
        raise IndexError(f"layer must be from 0 to {last}; got {layer}. Choose one of these.")
    if max_edges < 1:
        raise ValueError(
            f"max_edges must be at least 1; got {max_edges}. Leave it out to see the strongest."
        )
    drawing = table(snapshot, layer, max_edges)
    figure, axes = blank_figure(drawing.width, drawing.height, colors)
    draw_plots(axes, [cell.plot for cell in drawing.cells], colors)
    _draw_details(axes, drawing.cells, colors)
    draw_badges(axes, [badge for cell in drawing.cells for badge in cell.badges], colors)
    draw_key(axes, drawing.key, colors)
    words = [text for cell in drawing.cells for text in cell.texts]
    words += [entry.text for entry in drawing.key]
    draw_texts(axes, [*drawing.texts, *words], colors)
    return figure


def _draw_details(axes: Axes, cells: Sequence[Cell], colors: Theme) -> None:
    """Draw the ticks of the knots, and the data points."""
    ticks = [tick for cell in cells for tick in cell.knots]
    add(axes, LineCollection(ticks, colors=colors.muted, linewidths=0.8 * POINTS), "knots", 3)
    points = [point for cell in cells for point in cell.samples]
    tones = [tone for cell in cells for tone in [_dot_color(cell, colors)] * len(cell.samples)]
    if points:
        x, y = zip(*points, strict=True)
        dots = axes.scatter(x, y, s=(DOT * POINTS) ** 2, c=tones, linewidths=0, zorder=5)
        dots.set_gid("samples")


def _dot_color(cell: Cell, colors: Theme) -> str:
    return blend(colors.ink, colors.panel, PALE * cell.plot.opacity)
