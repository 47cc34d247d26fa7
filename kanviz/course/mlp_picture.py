"""A perceptron as a picture, beside that of a KAN: numbers on lines, one curve at all nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from kanviz.course.mlp import ACTIVATIONS, MLP
from kanviz.theme import Theme, ThemeName, blend, theme_named
from kanviz.views.figure import NotebookFigure

WIDTH, BAND = 6.4, 1.7
"""Of the figure, and of its height for each layer of weights, in inches."""

RADIUS = 0.17
"""Of a node, in inches."""

PALEST = 0.25
"""How strong the weakest weight is drawn."""


def mlp_figure(
    model: MLP,
    *,
    input_names: Sequence[str] | None = None,
    theme: ThemeName = "light",
) -> NotebookFigure:
    """Draw a perceptron: a line for each weight, and at each hidden node the one fixed curve.

    Blue lines are weights above 0, orange ones below; the larger, the wider and stronger. Inputs
    stand below, as in the picture of a KAN.

    Parameters
    ----------
    model : MLP
        Trained or not.
    input_names : sequence of str, optional
        ``x_1`` and so on without it.
    theme : "light" or "dark"
        The colors.

    Returns
    -------
    NotebookFigure

    Raises
    ------
    ValueError
        If there is not one name for each input, or the theme is unknown.
    """
    colors = theme_named(theme)
    n_inputs = model.widths[0]
    names = [f"x_{i + 1}" for i in range(n_inputs)] if input_names is None else [*input_names]
    if len(names) != n_inputs:
        raise ValueError(f"input_names must be {n_inputs}, one for each input; got {len(names)}.")
    bands = len(model.widths) - 1
    size = (WIDTH, BAND * bands + 0.95)
    figure = NotebookFigure(figsize=size, facecolor=colors.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, size[0])
    axes.set_ylim(0, size[1])
    axes.axis("off")
    places = [
        [(size[0] * (i + 0.5) / width, 0.45 + BAND * layer) for i in range(width)]
        for layer, width in enumerate(model.widths)
    ]
    matrices = [numbers for numbers in model.parameters() if numbers.ndim == 2]
    for layer, matrix in enumerate(matrices):
        weights = matrix.detach().cpu().double().numpy()
        _draw_weights(axes, places[layer], places[layer + 1], weights, colors)
    curve = _curve(model.activation)
    for layer, row in enumerate(places):
        for place in row:
            is_hidden = 0 < layer < bands
            _draw_node(axes, place, curve if is_hidden else None, colors)
    words: dict[str, Any] = {"color": colors.ink, "ha": "center", "fontsize": 10}
    for (x, y), name in zip(places[0], names, strict=True):
        axes.text(x, y - RADIUS - 0.08, name, va="top", parse_math=False, **words)
    for x, y in places[-1]:
        axes.text(x, y + RADIUS + 0.06, "y", va="bottom", **words)
    return figure


def _curve(activation: str) -> np.ndarray:
    """Return the activation over -3 to 3 as points from -1 to 1 both ways."""
    x = torch.linspace(-3, 3, 41, dtype=torch.float64)
    y = ACTIVATIONS[activation](x)
    middle, half = (y.max() + y.min()) / 2, (y.max() - y.min()) / 2
    return torch.stack([x / 3, (y - middle) / half], dim=1).numpy()


def _draw_weights(
    axes: Axes,
    below: Sequence[tuple[float, float]],
    above: Sequence[tuple[float, float]],
    weights: np.ndarray,
    colors: Theme,
) -> None:
    """Draw the lines between two rows of nodes; weights are (above, below)."""
    largest = np.abs(weights).max() or 1.0
    for j, (x_2, y_2) in enumerate(above):
        for i, (x_1, y_1) in enumerate(below):
            share = abs(weights[j, i]) / largest
            color = colors.spline if weights[j, i] > 0 else colors.symbolic
            axes.plot(
                [x_1, x_2],
                [y_1, y_2],
                color=blend(color, colors.paper, PALEST + (1 - PALEST) * share),
                linewidth=0.6 + 3 * share,
                zorder=1 + share,
            )


def _draw_node(
    axes: Axes, place: tuple[float, float], curve: np.ndarray | None, colors: Theme
) -> None:
    """Draw a node: with its curve where it has one."""
    x, y = place
    side = 2 * RADIUS if curve is not None else RADIUS
    fill = colors.panel if curve is not None else colors.ink
    axes.add_patch(
        Ellipse(place, side, side, facecolor=fill, edgecolor=colors.ink, linewidth=1.2, zorder=3)
    )
    if curve is not None:
        inside = 0.62 * RADIUS * curve
        axes.plot(x + inside[:, 0], y + inside[:, 1], color=colors.ink, linewidth=1.4, zorder=4)
