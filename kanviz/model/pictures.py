"""The pictures of a model; the only room that reaches up to the views, when asked to draw."""

import base64
import logging
import os
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from kanviz.edits.address import check_edge
from kanviz.model.questions import Questions

if TYPE_CHECKING:  # both take long to import, and most programs never draw
    from matplotlib.figure import Figure
    from networkx import DiGraph

logger = logging.getLogger(__name__)

Theme = Literal["light", "dark"]


class Pictures(Questions):
    """Pictures of a model: all are drawn from ``snapshot`` and change nothing.

    ``x`` (samples, inputs), in the network's units, says what ranges and scores to show; by default
    the sample that the model remembers.
    """

    def plot(
        self,
        x: Any = None,
        *,
        title: str = "",
        theme: Theme = "light",
        pruned: Literal["ghost", "off"] = "ghost",
        size: tuple[float, float] | None = None,
    ) -> "Figure":
        """Draw the network: nodes in layers, and the curve of every edge on its edge.

        Parameters
        ----------
        x : (samples, inputs), optional
            In the network's units.
        title : str
            A line above the picture.
        theme : str
            ``"light"`` or ``"dark"``.
        pruned : str
            ``"ghost"``: removed edges pale and dashed. ``"off"``: not at all.
        size : (width, height) in inches, optional
            By default as large as the network needs.

        Returns
        -------
        matplotlib Figure
            A notebook shows it where a cell ends with it; save it with ``savefig(path)``.

        Raises
        ------
        ValueError
            If an option is none of these, x does not fit, or the model holds a number that is not
            finite.
        """
        from kanviz.views.figure import network_figure

        snapshot = self.snapshot(x, title=title)
        return network_figure(snapshot, theme=theme, pruned=pruned, size=size)

    def plot_layer(self, layer: int, x: Any = None, *, theme: Theme = "light") -> "Figure":
        """Draw the functions of one layer as a matrix of small plots with their ranges.

        Parameters
        ----------
        layer : int
            From 0 (the edges that leave the inputs).
        x, theme
            As for ``plot``.

        Raises
        ------
        IndexError
            If there is no such layer.
        """
        from kanviz.views.matrix import layer_figure

        check_edge(self.network, layer, 0, 0)
        return layer_figure(self.snapshot(x), layer, theme=theme)

    def graph(self, x: Any = None) -> "DiGraph":
        """Return the network as a networkx graph with the data of the picture.

        Nodes are ``(layer, index)``; see ``kanviz.views.graph.network_graph`` for what they and the
        edges carry.
        """
        from kanviz.views.graph import network_graph

        return network_graph(self.snapshot(x))

    def to_html(self, path: str | os.PathLike[str], x: Any = None, *, title: str = "") -> None:
        """Write the picture to one page that needs no network and no kernel.

        Parameters
        ----------
        path
            The page appears whole or not at all.
        x : (samples, inputs), optional
            In the network's units.
        title : str
            The heading; by default the widths of the network.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from kanviz.views.html import write_page

        write_page(self.snapshot(x, title=title), path)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a notebook shows: the picture, or, where that fails, the text alone."""
        try:
            return _bundle(self)
        except Exception:
            logger.exception("The picture of a model failed; its text is shown instead.")
            return {"text/plain": repr(self)}, {}


def _bundle(model: Pictures) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the picture as PNG and HTML, and the text.

    The HTML holds the drawing as an image: Jupyter takes elements of SVG out of the HTML of a
    notebook that is not trusted, and would show nothing.
    """
    from kanviz.views.figure import network_figure
    from kanviz.views.svg import network_svg

    snapshot = model.snapshot()
    image, size = network_figure(snapshot)._repr_png_()
    drawing = base64.b64encode(network_svg(snapshot).encode()).decode()
    html = f'<img alt="{escape(repr(model))}" src="data:image/svg+xml;base64,{drawing}">'
    shown = {"image/png": image, "text/html": html, "text/plain": repr(model)}
    return shown, {"image/png": size}
