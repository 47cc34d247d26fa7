"""The pictures of a model; the only room that reaches up to the views, when asked to draw."""

import logging
import os
from typing import TYPE_CHECKING, Any, Literal

from kanviz.checks import check_choice, check_integer
from kanviz.edits.address import check_edge
from kanviz.model.questions import Questions

if TYPE_CHECKING:  # they take long to import, and most programs never draw
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

    def explore(
        self,
        data: Any = None,
        *,
        title: str = "",
        height: int | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> Any:
        """Return the live diagram: it follows the model, and what is done in it is done to it.

        End a notebook cell with it. Any number of diagrams may show one model, also while it is
        trained.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            For the errors, and for training, pruning in context and symbolifying from the diagram.
        title : str
            A line above the picture.
        height : int, optional
            In pixels, at least 200; by default what suits the network.
        theme : str
            ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

        Returns
        -------
        Explorer
            A widget; ``close()`` ends it, ``snapshot()`` keeps it alive in what nbconvert makes.

        Raises
        ------
        ValueError, TypeError
            If the data do not fit the model, an option is none of these, or the model holds a
            number that is not finite.
        """
        from kanviz.live.desk import Desk
        from kanviz.live.explorer import Explorer

        check_choice("theme", theme, ("auto", "light", "dark"))
        if height is not None:
            check_integer("height", height, 200)

        desk = Desk(self, data, title=title)  # type: ignore[arg-type]  # every model is a KAN
        return Explorer(desk, height=height, theme=theme, alt=repr(self))

    def to_html(
        self,
        path: str | os.PathLike[str],
        x: Any = None,
        *,
        title: str = "",
        live: bool = True,
    ) -> None:
        """Write the picture to one page that needs no network and no kernel.

        Parameters
        ----------
        path
            The page appears whole or not at all.
        x : (samples, inputs), optional
            In the network's units.
        title : str
            The heading; by default the widths of the network.
        live : bool
            Whether the page is the live diagram, which computes and edits the network in the
            browser; else it is a still picture and a table, without any script.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from kanviz.live.desk import Desk
        from kanviz.live.page import write_live_page, write_page

        snapshot = self.snapshot(x, title=title)
        if not live:
            write_page(snapshot, path)
            return
        desk = Desk(self, x=x, title=title)  # type: ignore[arg-type]
        write_live_page(snapshot, desk.scene(), path)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a notebook shows: the picture, or, where that fails, the text alone."""
        from kanviz.live.page import still_bundle

        try:
            return still_bundle(self.snapshot(), repr(self))
        except Exception:
            logger.exception("The picture of a model failed; its text is shown instead.")
            return {"text/plain": repr(self)}, {}
