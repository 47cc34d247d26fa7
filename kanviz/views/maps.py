"""Functions of two inputs as maps of colour."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from kanviz.views.canvas import NotebookFigure
from kanviz.views.charts import style_axes
from kanviz.views.theme import ThemeName, theme_named

SIDE = 2.6
"""Side of one map in inches."""


def maps_figure(
    maps: Mapping[str, ArrayLike],
    *,
    extent: tuple[float, float, float, float],
    x_label: str = "x",
    y_label: str = "y",
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw functions of two inputs side by side, each with its own scale of colours.

    Parameters
    ----------
    maps : mapping
        Name to values (rows, columns): rows are y upwards, columns x.
    extent : (left, right, bottom, top)
        The range of x and of y.
    x_label, y_label : str
        What the axes measure, with the unit.
    theme : "light" or "dark"
        The colours.

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
        style_axes(axes, colors, x_label, y_label)
        axes.set_title(name, color=colors.ink, fontsize=10, parse_math=False)
    return figure
