"""The network diagram as a matplotlib figure."""

import io
import math
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.path import Path

from kanviz.snapshot import Snapshot
from kanviz.views import paths
from kanviz.views.geometry import PrunedStyle, picture
from kanviz.views.marks import Chain, EdgeMark, Picture, TextMark
from kanviz.views.theme import Theme, ThemeName, theme_named

PIXELS = 100.0
"""Pixels of a picture per inch of paper."""

POINTS = 72 / PIXELS
"""Points, matplotlib's unit of letters and lines, per pixel."""

SHARPNESS = 2
"""Dots of the image in a notebook per pixel, for fine screens."""

Color = tuple[float, float, float, float]


class NotebookFigure(Figure):
    """A matplotlib figure that a notebook shows once, where a cell ends with it.

    There a plain ``Figure`` shows as text only, and one of pyplot shows twice. ``savefig`` and all
    else work as for every figure.
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the image, finer than it is shown, and the size in pixels to show it at."""
        buffer = io.BytesIO()
        self.savefig(
            buffer, format="png", dpi=SHARPNESS * PIXELS, facecolor=self.get_facecolor()
        )
        width, height = self.get_size_inches() * PIXELS
        return buffer.getvalue(), {"width": round(width), "height": round(height)}


def network_figure(
    snapshot: Snapshot,
    *,
    theme: ThemeName = "light",
    pruned: PrunedStyle = "ghost",
    size: tuple[float, float] | None = None,
) -> NotebookFigure:
    """Draw the network: nodes in layers, and the curve of every edge on its edge.

    The stronger an edge, the darker and thicker it is drawn. Splines are blue, formulas orange,
    pruned edges grey and dashed.

    Parameters
    ----------
    snapshot : Snapshot
        What to draw; every edge in it is drawn.
    theme : "light" or "dark"
        The colours.
    pruned : "ghost" or "off"
        Draw pruned edges pale and dashed, or leave them out.
    size : (width, height) in inches, optional
        By default as large as the network needs, at most 12 inches wide.

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
    figure, axes = blank_figure(drawing.width, drawing.height, colors)
    _draw_edges(axes, drawing.edges, colors)
    _draw_badges(axes, drawing, colors)
    _draw_nodes(axes, drawing, colors)
    _draw_key(axes, drawing, colors)
    captions = [mark.caption for mark in drawing.edges if mark.caption]
    draw_texts(axes, [*drawing.texts, *captions], colors)
    return figure


def blank_figure(width: float, height: float, colors: Theme) -> tuple[NotebookFigure, Axes]:
    """Return a figure and its only axes, whose data units are pixels with y downwards."""
    figure = NotebookFigure(
        figsize=(width / PIXELS, height / PIXELS), dpi=PIXELS, facecolor=colors.paper
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def _pixels(size: tuple[float, float] | None) -> tuple[float, float] | None:
    if size is None:
        return None
    if len(size) != 2 or not all(math.isfinite(inches) and inches >= 1 for inches in size):
        raise ValueError(f"size must be (width, height) in inches, each at least 1; got {size}.")
    return size[0] * PIXELS, size[1] * PIXELS


def add(axes: Axes, collection: Collection, name: str, layer: int) -> None:
    """Add marks under a name, by which they are found again; a higher ``layer`` covers a lower."""
    collection.set_gid(name)
    collection.set_zorder(layer)
    axes.add_collection(collection, autolim=False)


def _draw_edges(axes: Axes, marks: Sequence[EdgeMark], colors: Theme) -> None:
    for state, dash in (("live", "solid"), ("pruned", (0, (3, 2.5)))):
        group = [mark for mark in marks if (mark.view.state == "pruned") == (state == "pruned")]
        strokes = [edge_color(mark, colors) for mark in group]
        widths = [mark.thickness * POINTS for mark in group]
        thin = [width * 2 / 3 for width in widths]
        for end, name in enumerate(("entry", "leave")):
            lines = PathCollection(
                [bezier(mark.connectors[end]) for mark in group],
                facecolors="none", edgecolors=strokes, linewidths=thin, linestyles=[dash],
            )
            add(axes, lines, f"{state} {name}", 1)
        boxes = PolyCollection(
            [paths.rounded(mark.box, mark.corner) for mark in group],
            facecolors=colors.panel, edgecolors=strokes, linewidths=thin, linestyles=[dash],
        )
        add(axes, boxes, f"{state} boxes", 2)
        zeros = [
            ((mark.box.left + mark.corner, mark.zero), (mark.box.right - mark.corner, mark.zero))
            for mark in group if mark.zero is not None
        ]
        add(axes, LineCollection(zeros, colors=colors.hair, linewidths=0.7 * POINTS), "zeros", 3)
        curves = LineCollection(
            [mark.curve for mark in group], colors=strokes, linewidths=[1.25*w for w in widths], capstyle="round",
            joinstyle="round",
        )
        add(axes, curves, f"{state} curves", 4)


def edge_color(mark: EdgeMark, colors: Theme) -> Color:
    """Return the colour of an edge: its state's, as opaque as the edge is strong."""
    return to_rgba(getattr(colors, mark.view.state), mark.opacity)


def bezier(chain: Chain) -> Path:
    """Return a chain of cubic Bezier pieces as a matplotlib path."""
    return Path(chain, [Path.MOVETO] + [Path.CURVE4] * (len(chain) - 1))


def _draw_nodes(axes: Axes, drawing: Picture, colors: Theme) -> None:
    marks = drawing.nodes
    nodes = PathCollection(
        [Path.circle((mark.x, mark.y), mark.radius) for mark in marks],
        facecolors=[colors.ink if mark.live else colors.paper for mark in marks],
        edgecolors=[colors.ink if mark.live else colors.pruned for mark in marks],
        linewidths=[min(1.2, mark.radius / 3) * POINTS for mark in marks],
    )
    add(axes, nodes, "nodes", 5)


def _draw_badges(axes: Axes, drawing: Picture, colors: Theme) -> None:
    badges = [badge for mark in drawing.edges for badge in mark.badges]
    discs = [Path.circle((badge.x, badge.y), badge.radius) for badge in badges]
    add(axes, PathCollection(discs, facecolors=colors.paper, edgecolors="none"), "badges", 6)
    strokes = [stroke for badge in badges for stroke in badge.strokes]
    add(axes, LineCollection(strokes, colors=colors.ink, linewidths=1.0 * POINTS), "badge strokes", 7)


def _draw_key(axes: Axes, drawing: Picture, colors: Theme) -> None:
    for entry in drawing.key:
        color = getattr(colors, entry.kind, colors.ink)
        dash = (0, (3, 2.5)) if entry.kind == "pruned" else "solid"
        width = 2.0 if len(entry.strokes) == 1 else 1.0
        lines = LineCollection(entry.strokes, colors=color, linewidths=width * POINTS, linestyles=[dash])
        add(axes, lines, f"key {entry.kind}", 6)
    draw_texts(axes, [entry.text for entry in drawing.key], colors)


def draw_texts(axes: Axes, marks: Iterable[TextMark], colors: Theme) -> None:
    """Write words as they are: no character in them starts a formula or a command."""
    styles = {"label": colors.ink, "title": colors.ink, "note": colors.muted, "formula": colors.symbolic}
    anchors = {"start": "left", "middle": "center", "end": "right"}
    for mark in marks:
        text = axes.text(
            mark.x, mark.y, mark.text,
            color=styles[mark.role], fontsize=mark.size * POINTS,
            ha=anchors[mark.anchor], va="baseline", rotation=90 if mark.upright else 0,
            rotation_mode="anchor", parse_math=False, usetex=False, zorder=8,
            fontweight="bold" if mark.role == "title" else "normal",
        )
        if mark.role == "formula":
            text.set_bbox({"facecolor": colors.paper, "edgecolor": "none", "pad": 1.2})
