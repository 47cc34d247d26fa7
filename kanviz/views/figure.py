"""The network diagram as a matplotlib figure."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path

from kanviz.snapshot import Snapshot
from kanviz.views.canvas import (
    DASHED,
    PIXELS,
    SOLID,
    NotebookFigure,
    add,
    blank_figure,
    draw_badges,
    draw_key,
    draw_plots,
    draw_texts,
    plot_color,
    points,
)
from kanviz.views.geometry import PrunedStyle, picture
from kanviz.views.marks import Chain, EdgeMark, NodeMark
from kanviz.views.theme import Theme, ThemeName, theme_named

__all__ = ["NotebookFigure", "network_figure"]


def network_figure(
    snapshot: Snapshot,
    *,
    theme: ThemeName = "light",
    pruned: PrunedStyle = "ghost",
    size: tuple[float, float] | None = None,
) -> NotebookFigure:
    """Draw the network: nodes in layers, and the curve of every edge on its edge.

    Every curve fills its own box: its range is that of the data, left to right, and its height its
    own. The stronger an edge, the darker and thicker it is drawn. Splines are blue, formulas
    orange, pruned edges grey and dashed.

    Parameters
    ----------
    snapshot : Snapshot
        What to draw; every edge in it is drawn, and the number of those left out is written below.
    theme : "light" or "dark"
        The colours.
    pruned : "ghost" or "off"
        Draw pruned edges pale and dashed, or leave them out.
    size : (width, height) in inches, optional
        By default as large as the network needs, at most 12 inches wide. On much less paper the
        picture shrinks, letters and all.

    Returns
    -------
    NotebookFigure
        Not known to pyplot. Save it with ``figure.savefig(path)``.

    Raises
    ------
    ValueError
        If ``theme``, ``pruned`` or ``size`` is not one of these.
    """
    colors = theme_named(theme)
    drawing = picture(snapshot, pruned=pruned, size=_pixels(size))
    figure, axes = blank_figure(drawing.width, drawing.height, colors, size)
    _draw_connectors(axes, drawing.edges, colors)
    draw_plots(axes, [mark.plot for mark in drawing.edges], colors)
    _draw_nodes(axes, drawing.nodes, colors)
    draw_badges(axes, [badge for mark in drawing.edges for badge in mark.badges], colors)
    draw_key(axes, drawing.key, colors)
    captions = [mark.caption for mark in drawing.edges if mark.caption]
    words = [entry.text for entry in drawing.key]
    draw_texts(axes, [*drawing.texts, *captions, *words], colors)
    return figure


def _pixels(size: tuple[float, float] | None) -> tuple[float, float] | None:
    if size is None:
        return None
    if len(size) != 2 or not all(math.isfinite(inches) and inches >= 1 for inches in size):
        raise ValueError(
            f"size must be (width, height) in inches, each at least 1; got {size}. "
            "Leave it out for the size that fits the network."
        )
    return size[0] * PIXELS, size[1] * PIXELS


def _draw_connectors(axes: Axes, marks: Sequence[EdgeMark], colors: Theme) -> None:
    unit = points(axes)
    for end, name in enumerate(("entries", "exits")):
        lines = PathCollection(
            [_bezier(mark.connectors[end]) for mark in marks],
            facecolors="none",
            edgecolors=[plot_color(mark.plot, colors) for mark in marks],
            linewidths=[mark.plot.thin * unit for mark in marks],
            linestyles=[DASHED if mark.view.state == "pruned" else SOLID for mark in marks],
        )
        add(axes, lines, name, 1)


def _bezier(chain: Chain) -> Path:
    return Path(chain, [Path.MOVETO] + [Path.CURVE4] * (len(chain) - 1))


def _draw_nodes(axes: Axes, marks: Sequence[NodeMark], colors: Theme) -> None:
    unit = points(axes)
    nodes = PathCollection(
        [Path.circle((mark.x, mark.y), mark.radius) for mark in marks],
        facecolors=[colors.ink if mark.live else colors.paper for mark in marks],
        edgecolors=[colors.ink if mark.live else colors.pruned for mark in marks],
        linewidths=[min(1.2, mark.radius / 3) * unit for mark in marks],
    )
    add(axes, nodes, "nodes", 5)
