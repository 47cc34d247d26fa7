"""Drawing marks with matplotlib: one figure, one axes in pixels, many marks per collection."""

import io
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from kanviz.views import paths
from kanviz.views.marks import Badge, KeyMark, PlotMark, TextMark
from kanviz.views.theme import Theme, blend

PIXELS = 100.0
"""Pixels of a picture per inch of paper."""

POINTS = 72 / PIXELS
"""Points, matplotlib's unit of letters and lines, per pixel of a figure in its own size."""

SHARPNESS = 2
"""Dots of the image in a notebook per pixel, for fine screens."""

SOLID = (0.0, None)
DASHED = (0.0, (3.0, 2.5))

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


def plot_color(mark: PlotMark, colors: Theme) -> str:
    """Return the colour of an edge: that of its state, as strong as the edge is."""
    return blend(getattr(colors, mark.view.state), colors.paper, mark.opacity)


def draw_plots(axes: Axes, marks: Sequence[PlotMark], colors: Theme) -> None:
    """Draw small plots: box, line of zero and curve, in three collections for all of them."""
    unit = points(axes)
    strokes = [plot_color(mark, colors) for mark in marks]
    boxes = PolyCollection(
        [paths.rounded(mark.box, mark.corner) for mark in marks],
        facecolors=colors.panel,
        edgecolors=strokes,
        linewidths=[mark.thin * unit for mark in marks],
        linestyles=[DASHED if mark.view.state == "pruned" else SOLID for mark in marks],
    )
    add(axes, boxes, "boxes", 2)
    zeros = [
        ((mark.box.left + mark.corner, mark.zero), (mark.box.right - mark.corner, mark.zero))
        for mark in marks
        if mark.zero is not None
    ]
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
        lines = LineCollection(
            entry.strokes,
            colors=getattr(colors, entry.kind, colors.ink),
            linewidths=(2.0 if len(entry.strokes) == 1 else 1.0) * unit,
            linestyles=[DASHED if entry.kind == "pruned" else SOLID],
        )
        add(axes, lines, f"key {entry.kind}", 6)
