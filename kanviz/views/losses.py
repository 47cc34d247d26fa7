"""The losses of a fit against its steps."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from kanviz.views.charts import style_axes
from kanviz.views.figure import NotebookFigure
from kanviz.views.theme import Theme, ThemeName, theme_named

SIZE = (7.0, 3.6)


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
        The colours.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If the history is empty or the theme unknown.
    """
    colours = theme_named(theme)
    steps = history.get("step", ())
    if not len(steps):
        raise ValueError("history must hold at least one step; got none. Fit the model first.")
    figure = NotebookFigure(figsize=SIZE, facecolor=colours.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colours.paper)
    _mark_grids(axes, steps, history["grid_size"], colours)
    axes.plot(steps, history["loss"], color=colours.spline, linewidth=1.6, label="training")
    if "validation_loss" in history:
        axes.plot(
            steps,
            history["validation_loss"],
            color=colours.symbolic,
            linewidth=1.4,
            linestyle=(0, (4, 2)),
            label="validation",
        )
        axes.legend(frameon=False, labelcolor=colours.ink)
    axes.set_yscale("log")
    style_axes(axes, colours, "step", "loss")
    axes.margins(x=0.01)
    return figure


def _mark_grids(axes: Axes, steps: Sequence[float], grids: Sequence[float], colours: Theme) -> None:
    """Draw a line and the grid size where each level begins."""
    top = axes.get_xaxis_transform()
    for place, (step, grid) in enumerate(zip(steps, grids, strict=True)):
        if place and grid == grids[place - 1]:
            continue
        if place:
            axes.axvline(step - 0.5, color=colours.hair, linewidth=1)
        axes.text(step, 1.01, f"G = {grid:.0f}", transform=top, fontsize=8, color=colours.muted)
