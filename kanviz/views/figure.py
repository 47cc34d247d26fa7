"""The network diagram as a matplotlib figure, and the drawing of marks that it shares."""

import io
import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from kanviz.layout import paths
from kanviz.layout.marks import (
    CROWD,
    OUTLINE,
    PALER,
    SOFT,
    ZERO,
    Badge,
    Chain,
    EdgeMark,
    KeyMark,
    NodeMark,
    PlotMark,
    TextMark,
)
from kanviz.layout.picture import PrunedStyle, picture
from kanviz.snapshot import Snapshot
from kanviz.theme import Theme, ThemeName, blend, theme_named

PIXELS = 100.0
"""Pixels of a picture per inch of paper."""

POINTS = 72 / PIXELS
"""Points, matplotlib's unit of letters and lines, per pixel of a figure in its own size."""

SHARPNESS = 2
"""Dots of the image in a notebook per pixel, for fine screens."""

SOLID = (0.0, None)
DASH, BREAK = 3.0, 2.5
"""Pixels of a dash of a pruned edge and between two, as a browser draws them."""

ANCHORS = {"start": "left", "middle": "center", "end": "right"}


class NotebookFigure(Figure):
    """A matplotlib figure that a notebook shows once, where a cell ends with it.

    There a plain ``Figure`` shows as text only, and one of pyplot shows twice. ``savefig`` and all
    else work as for every figure.
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the image, finer than it is shown, and the size in pixels to show it at."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=SHARPNESS * PIXELS, facecolor=self.get_facecolor())
        width, height = self.get_size_inches() * PIXELS
        return buffer.getvalue(), {"width": round(width), "height": round(height)}


def blank_figure(
    width: float, height: float, colors: Theme, size: tuple[float, float] | None = None
) -> tuple[NotebookFigure, Axes]:
    """Return a figure and its only axes, whose data units are pixels with y downwards.

    ``size`` in inches shrinks the picture onto smaller paper, letters and lines with it.
    """
    inches = size or (width / PIXELS, height / PIXELS)
    figure = NotebookFigure(figsize=inches, dpi=PIXELS, facecolor=colors.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def points(axes: Axes) -> float:
    """Return how many points, matplotlib's unit of letters and lines, a pixel of ``axes`` has."""
    return float(POINTS * axes.bbox.width / axes.get_xlim()[1])


def add(axes: Axes, collection: Collection, name: str, level: int) -> None:
    """Add marks under a name, by which they are found again; a higher level covers a lower."""
    collection.set_gid(name)
    collection.set_zorder(level)
    axes.add_collection(collection, autolim=False)


def plot_color(mark: PlotMark, colors: Theme, share: float = 1.0) -> str:
    """Return the colour of an edge: that of its state, as strong as the edge is."""
    return blend(getattr(colors, mark.view.state), colors.paper, share * mark.opacity)


def _dashes(width: float, *, dashed: bool) -> tuple[float, tuple[float, float] | None]:
    """Return the style of a line of a width in pixels; matplotlib's unit of dashes is the width."""
    return (0.0, (DASH / width, BREAK / width)) if dashed else SOLID


def draw_plots(axes: Axes, marks: Sequence[PlotMark], colors: Theme) -> None:
    """Draw small plots: box, line of zero and curve, in three collections for all of them."""
    unit = points(axes)
    strokes = [plot_color(mark, colors, OUTLINE) for mark in marks]
    boxes = PolyCollection(
        [paths.rounded(mark.box, mark.corner) for mark in marks],
        facecolors=colors.panel,
        edgecolors=strokes,
        linewidths=[mark.thin * unit for mark in marks],
        linestyles=[_dashes(mark.thin, dashed=mark.view.state == "pruned") for mark in marks],
    )
    add(axes, boxes, "boxes", 2)
    known = [mark for mark in marks if mark.band]
    bands = PolyCollection(
        [mark.band for mark in known],
        facecolors=[
            blend(getattr(colors, mark.view.state), colors.panel, SOFT * mark.opacity)
            for mark in known
        ],
        edgecolors="none",
    )
    add(axes, bands, "bands", 2)
    zeros = []
    for mark in marks:
        if mark.zero is not None:
            free = ZERO * mark.box.width
            zeros.append(((mark.box.left + free, mark.zero), (mark.box.right - free, mark.zero)))
    add(axes, LineCollection(zeros, colors=colors.hair, linewidths=0.8 * unit), "zeros", 3)
    lines = [mark for mark in marks if mark.curve]
    curves = LineCollection(
        [mark.curve for mark in lines],
        colors=[plot_color(mark, colors) for mark in lines],
        linewidths=[mark.thickness * unit for mark in lines],
        capstyle="round",
        joinstyle="round",
    )
    add(axes, curves, "curves", 4)


def draw_texts(axes: Axes, marks: Iterable[TextMark], colors: Theme) -> None:
    """Write words as they are: no character in them starts a formula or a command."""
    unit = points(axes)
    tones = {"note": colors.muted, "formula": colors.symbolic}
    for mark in marks:
        axes.text(
            mark.x,
            mark.y,
            mark.text,
            color=tones.get(mark.role, colors.ink),
            fontsize=mark.size * unit,
            fontweight="bold" if mark.role == "title" else "normal",
            horizontalalignment=ANCHORS[mark.anchor],
            verticalalignment="baseline",
            rotation=90 if mark.upright else 0,
            rotation_mode="anchor",
            parse_math=False,
            usetex=False,
            zorder=8,
        )


def draw_badges(axes: Axes, badges: Sequence[Badge], colors: Theme) -> None:
    """Draw the signs of frozen and of locked edges."""
    unit = points(axes)
    discs = [Path.circle((badge.x, badge.y), badge.radius) for badge in badges]
    add(axes, PathCollection(discs, facecolors=colors.paper, edgecolors="none"), "badges", 6)
    strokes = [stroke for badge in badges for stroke in badge.strokes]
    add(axes, LineCollection(strokes, colors=colors.ink, linewidths=unit), "badge strokes", 7)


def draw_key(axes: Axes, entries: Sequence[KeyMark], colors: Theme) -> None:
    """Draw the samples of the key; its words are texts."""
    unit = points(axes)
    for entry in entries:
        width = 2.0 if len(entry.strokes) == 1 else 1.0
        lines = LineCollection(
            entry.strokes,
            colors=getattr(colors, entry.kind, colors.ink),
            linewidths=width * unit,
            linestyles=[_dashes(width / 2, dashed=entry.kind == "pruned")],
        )
        add(axes, lines, f"key {entry.kind}", 6)


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
    orange, removed edges grey, dashed and flat: they add nothing.

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
    share = PALER if len(marks) > CROWD else 1.0
    for end, name in enumerate(("entries", "exits")):
        lines = PathCollection(
            [_bezier(mark.connectors[end]) for mark in marks],
            facecolors="none",
            edgecolors=[plot_color(mark.plot, colors, share) for mark in marks],
            linewidths=[mark.plot.thin * unit for mark in marks],
            linestyles=[
                _dashes(mark.plot.thin, dashed=mark.view.state == "pruned") for mark in marks
            ],
        )
        add(axes, lines, name, 1)


def _bezier(chain: Chain) -> Path:
    return Path(chain, [Path.MOVETO] + [Path.CURVE4] * (len(chain) - 1))


def _draw_nodes(axes: Axes, marks: Sequence[NodeMark], colors: Theme) -> None:
    unit = points(axes)
    factors = [(mark, dot) for mark in marks for dot in mark.factors]
    if factors:
        stems = [((dot.x, dot.y), (mark.x, mark.y)) for mark, dot in factors]
        add(axes, LineCollection(stems, colors=colors.ink, linewidths=unit), "stems", 5)
        dots = [Path.circle((dot.x, dot.y), dot.radius) for _, dot in factors]
        add(axes, PathCollection(dots, facecolors=colors.ink, edgecolors="none"), "factors", 5)
        strokes = [stroke for mark in marks for stroke in mark.cross]
        lines = LineCollection(strokes, colors=colors.paper, linewidths=1.6 * unit)
        add(axes, lines, "products", 6)
    nodes = PathCollection(
        [Path.circle((mark.x, mark.y), mark.radius) for mark in marks],
        facecolors=[colors.ink if mark.live else colors.paper for mark in marks],
        edgecolors=[colors.ink if mark.live else colors.pruned for mark in marks],
        linewidths=[min(1.2, mark.radius / 3) * unit for mark in marks],
    )
    add(axes, nodes, "nodes", 5)
