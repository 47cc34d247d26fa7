"""A matplotlib figure for a page: drawn sharp at any size, once in light and once in dark."""

import base64
import colorsys
import io
import re
from dataclasses import fields
from functools import cache
from html import escape

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from kanviz.theme import DARK, LIGHT, blend
from kanviz.views.charts import MORE

PAIRS: tuple[tuple[str, str], ...] = (
    *((getattr(LIGHT, each.name), getattr(DARK, each.name)) for each in fields(LIGHT)),
    *zip(MORE["light"], MORE["dark"], strict=True),
)
"""Each colour of the light pictures, and what stands for it in the dark."""

GROUNDS = ((LIGHT.paper, DARK.paper), (LIGHT.panel, DARK.panel))
"""What colours are blended with, in light and in dark."""

ROUNDING = 1.5
"""How far, of 255, a blended colour may be from the line between the two that made it."""

GRAY = 0.15
"""The largest range of red, green and blue that is no colour of its own."""

EM = 17.0
"""Pixels of a letter for which a figure has its own size; it grows with the letters of the page."""

NARROWEST = 28.0
"""Letters across a chart that is not drawn smaller."""

PAINT = re.compile(r"\b(fill|stroke|stop-color)(: ?|=\")(#[0-9a-f]{6})\b")


def picture(figure: Figure, heading: str = "") -> str:
    """Return a figure as HTML: an image that follows the page into light and dark.

    Parameters
    ----------
    figure : Figure
        In the light theme.
    heading : str
        Of the section that it stands in: its name, where it has no title of its own.
    """
    drawing = _drawing(figure)
    # What is black has no colour in matplotlib's file: it is the root's.
    night = PAINT.sub(lambda found: found[1] + found[2] + in_dark(found[3]), drawing)
    night = night.replace("<svg ", f'<svg fill="{DARK.ink}" ', 1)
    width = figure.get_size_inches()[0] * 96 / EM
    words = escape(words_of(figure, heading))
    # A chart whose letters would become too small to read scrolls; a network is drawn to fit.
    narrowest = min(width, NARROWEST) if any(axes.axison for axes in figure.axes) else 0
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="figure">'
        f'<picture><source media="(prefers-color-scheme:dark)" srcset="{_address(night)}">'
        f'<img class="figure" style="width:{width:.1f}em;min-width:{narrowest:.1f}em" alt="{words}"'
        f' src="{_address(drawing)}"></picture></div>'
    )


def _drawing(figure: Figure) -> str:
    file = io.StringIO()
    with rc_context({"svg.hashsalt": "kanviz", "svg.fonttype": "path"}):
        figure.savefig(
            file, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
        )
    text = file.getvalue()
    return text[text.index("<svg") :]


def _address(drawing: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


@cache
def in_dark(color: str) -> str:
    """Return what stands in the dark for a ``#rrggbb`` of a light picture.

    A colour of the theme becomes its partner, one blended with the paper its partner blended with
    the dark paper in the same share, and a grey of matplotlib's own one between dark paper and ink.
    Every other colour stays, as those of a colour map must.
    """
    paired = dict(PAIRS)
    if color in paired:
        return paired[color]
    wanted = _rgb(color)
    nearest, made = ROUNDING, ""
    for light, dark in PAIRS:
        for ground, dark_ground in GROUNDS:
            start, way = _rgb(ground), _rgb(light) - _rgb(ground)
            share = float(np.clip((wanted - start) @ way / max(way @ way, 1e-9), 0, 1))
            off = float(np.abs(start + share * way - wanted).max())
            if off < nearest:
                nearest, made = off, blend(dark, dark_ground, share)
    if made:
        return made
    red, green, blue = wanted / 255
    _, lightness, _ = colorsys.rgb_to_hls(red, green, blue)
    is_gray = max(red, green, blue) - min(red, green, blue) < GRAY
    return blend(DARK.ink, DARK.paper, 1 - lightness) if is_gray else color


def _rgb(color: str) -> np.ndarray:
    return 255 * np.array(to_rgb(color))


def words_of(figure: Figure, heading: str = "") -> str:
    """Return what a figure shows, in words: its titles, what its axes measure, its lines."""
    all_axes = [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]
    title = figure.get_suptitle() or ", ".join(
        filter(None, (axes.get_title() for axes in figure.axes))
    )
    measured = dict.fromkeys(
        f"{axes.get_ylabel()} against {axes.get_xlabel()}"
        for axes in all_axes
        if axes.get_ylabel() and axes.get_xlabel()
    )
    lines = dict.fromkeys(
        text.get_text()
        for axes in figure.axes
        if (key := axes.get_legend()) is not None
        for text in key.get_texts()
    )
    for key in figure.legends:
        lines |= dict.fromkeys(text.get_text() for text in key.get_texts())
    parts = [title or heading, "; ".join(measured), ", ".join(lines)]
    return ". ".join(filter(None, parts)) or "Figure"
