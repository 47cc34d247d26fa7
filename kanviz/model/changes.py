"""The edits of a model by hand: each is one step of its history."""

from collections.abc import Sequence
from typing import Any

from kanviz.edits import (
    MovePoint,
    Refine,
    RemoveEdge,
    RemoveNode,
    RestoreEdge,
    RestoreNode,
    SetCurve,
    UpdateGrid,
)
from kanviz.edits.address import check_edge
from kanviz.model.pictures import Pictures


class Changes(Pictures):
    """Edits: checked before anything is changed, undone by ``undo``."""

    def remove_edge(self, layer: int, i: int, j: int) -> None:
        """Take out the edge from node i of ``layer`` to node j of ``layer + 1``, all 0-based.

        It adds nothing from now on; its function is kept.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is removed already.
        """
        self.session.change(RemoveEdge(layer, i, j))

    def restore_edge(self, layer: int, i: int, j: int) -> None:
        """Bring back a removed edge with the function that it had; errors as in ``remove_edge``."""
        self.session.change(RestoreEdge(layer, i, j))

    def remove_node(self, layer: int, i: int) -> None:
        """Take out all edges at node i of ``layer``, an input (layer 0) or a hidden node.

        The widths stay: a removed input is a column of x that is not used.

        Raises
        ------
        IndexError
            If there is no such node, or it is an output.
        ValueError
            If it has no edge left.
        """
        self.session.change(RemoveNode(layer, i))

    def restore_node(self, layer: int, i: int) -> None:
        """Bring back all edges at a node, whichever way each was removed."""
        self.session.change(RestoreNode(layer, i))

    def move_point(self, edge: Sequence[int], m: int, height: float) -> None:
        """Put control point m of an edge at a height, in the unit of the node it leads to.

        Raises
        ------
        IndexError
            If there is no such edge or point.
        ValueError
            If the edge is removed or a formula, or the height not finite.
        """
        self.session.change(MovePoint(*check_edge(self.network, *edge), m, float(height)))

    def set_curve(self, edge: Sequence[int], x: Sequence[float], y: Sequence[float]) -> None:
        """Bend the spline of an edge through points, by least squares.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        x, y : (points,)
            Where the curve should pass, in the units of its input and of the node it leads to.
            Where there are no points it stays as it was.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the edge is removed or a formula, or the points make no sense.
        """
        points = [tuple(float(value) for value in values) for values in (x, y)]
        self.session.change(SetCurve(*check_edge(self.network, *edge), *points))

    def refine(self, grid_size: int) -> list[float]:
        """Give every edge ``grid_size`` intervals and keep the functions.

        Returns the largest root-mean-square change of an edge in each layer, in the unit of its
        node: 0.0 where it is exact, as for splines and a multiple of the present grid size.

        Raises
        ------
        ValueError
            If ``grid_size`` is not an integer of at least 1.
        """
        return self.session.change(Refine(grid_size))

    def update_grid(
        self, x: Any = None, *, grid_eps: float = 1.0, margin: float = 0.01
    ) -> list[float]:
        """Move the knots of every layer to what the sample x makes it see, and refit.

        Parameters
        ----------
        x : (samples, inputs), optional
            In the network's units; by default the sample that the model remembers.
        grid_eps : float
            1 for equally spaced knots over the range of the data, 0 for its quantiles.
        margin : float
            Part of the range that is added at each side.

        Returns
        -------
        list of float
            The largest root-mean-square change of an edge in each layer, in the unit of its node.

        Raises
        ------
        ValueError
            If x does not fit, a number is out of range, or no data were ever shown.
        """
        with self.session.at_rest():
            if x is None and self._about.sample is None:
                raise ValueError(
                    "x must be given because the model has seen no data; got None. "
                    "Pass x, or call fit first."
                )
            inputs = self.session.inputs(x)
            name = "" if x is None else self.session.history.name_of("x", (inputs,))
            about = self._about if x is None else self._about.seeing(inputs)
            return self.session.change(UpdateGrid(inputs, name, grid_eps, margin), about=about)
