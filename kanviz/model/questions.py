"""What can be asked of a model: nothing here changes it."""

from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from kanviz.analysis.attribution import (
    EdgeScores,
    Metric,
    NodeScores,
    feature_scores,
    scores,
)
from kanviz.analysis.capture import capture
from kanviz.analysis.recipe import recipe_of
from kanviz.analysis.trace import Trace, node_values, trace
from kanviz.data import as_dataset
from kanviz.model.core import Core
from kanviz.model.inputs import read_inputs
from kanviz.recipe import Recipe
from kanviz.snapshot import Snapshot
from kanviz.training.errors import quality


class Questions(Core):
    """Questions to a model: values, scores and pictures.

    Where x is left out, the sample that the model remembers stands in, or, before it has seen any
    data, points spread over the base grids of its inputs.
    """

    def predict(self, x: Any) -> np.ndarray:
        """Return the outputs in the user's units, for inputs in the user's units.

        Parameters
        ----------
        x : (samples, inputs)
            Array, data frame, tensor or nested list, in the units of the data before any scaling.

        Returns
        -------
        (samples, outputs) array
            Float64. For classes: one score per class, the highest for the likeliest.

        Raises
        ------
        ValueError, TypeError
            If x does not fit, is empty, or holds what is not a finite number.
        """
        about = self._about
        numbers = read_inputs(x, about.input_names, about.x_scaling.shift)
        with self.session.reading():
            inputs = about.x_scaling.apply(numbers).to(self.network.layers[0].weight.detach())
            outputs = node_values(self.network, inputs)[-1]
        return about.y_scaling.undo(outputs.double().cpu()).numpy()

    def evaluate(self, data: Any) -> dict[str, float]:
        """Return how well the model does on data, in the user's units.

        Parameters
        ----------
        data : Dataset or (x, y)
            As for ``fit``.

        Returns
        -------
        dict
            ``"train_rmse"``, ``"train_r2"`` and, with a test part, ``"test_rmse"``, ``"test_r2"``;
            for classes ``"train_accuracy"``, ``"test_accuracy"``.

        Raises
        ------
        ValueError, TypeError
            If the data do not fit the model.
        """
        with self.session.reading():
            return quality(self.network, as_dataset(data))

    def trace(self, x: Any = None) -> Trace:
        """Return what every edge and node does with the sample x (samples, inputs), detached."""
        with self.session.reading():
            return trace(self.network, self.session.inputs(x))

    def edge_scores(
        self, x: Any = None, *, metric: Metric = "backward", output: int | None = None
    ) -> EdgeScores:
        """Return how much every edge matters: one (in_features, out_features) tensor per layer.

        Parameters
        ----------
        x : (samples, inputs), optional
            In the network's units.
        metric : str
            ``"backward"``: share in the spread of the outputs, no unit. ``"std"``: the standard
            deviation of what the edge adds, in the unit of its node. Both at least 0, see
            ``kanviz.analysis.attribution``.
        output : int, optional
            Count only this output (0-based), which then has score 1; for ``"backward"``. Without
            it the mean over the outputs is taken.

        Returns
        -------
        list over layers of (in_features, out_features)
            ``edge_scores[layer][i, j]`` is the score of ``Edge(layer, i, j)``; 0 if it is removed.

        Raises
        ------
        ValueError, TypeError
            If x does not fit, the metric is unknown, or ``output`` is given with ``"std"``.
        IndexError
            If there is no such output.
        """
        with self.session.reading():
            return scores(self.network, self.session.inputs(x), metric, output=output).edges

    def node_scores(
        self, x: Any = None, *, metric: Metric = "backward", output: int | None = None
    ) -> NodeScores:
        """Return how much every node matters: one (width,) tensor per layer, inputs first.

        ``"backward"`` is the sum of the scores of the node's outgoing edges, ``"std"`` the standard
        deviation of its value; all else as for ``edge_scores``.
        """
        with self.session.reading():
            return scores(self.network, self.session.inputs(x), metric, output=output).nodes

    def feature_scores(
        self, x: Any = None, *, output: int | None = None
    ) -> Float[Tensor, " inputs"]:
        """Return how much every input matters: (inputs,), no unit, 0 for an input not in use.

        The share of the outputs' spread that goes back to the input: the backward score of its
        node (see ``node_scores``), the mean over the outputs or that of one ``output``. They need
        not add up to 1: inputs that rise and fall independently share more than that.

        Raises
        ------
        ValueError, TypeError
            If x does not fit.
        IndexError
            If there is no such output.
        """
        with self.session.reading():
            return feature_scores(self.network, self.session.inputs(x), output=output)

    def snapshot(
        self,
        x: Any = None,
        *,
        title: str = "",
        metric: Metric = "backward",
        max_edges: int | None = None,
    ) -> Snapshot:
        """Return the model at this moment as plain values, from which all pictures are drawn.

        Parameters
        ----------
        x : (samples, inputs), optional
            In the network's units; curves are drawn over the range that it visits.
        title : str
            A line above the picture.
        metric : str
            Of the scores, see ``edge_scores``.
        max_edges : int, optional
            Most edges to keep: the strongest of every layer. By default all of a network up to
            about 500 edges, and fewer of a larger one.

        Raises
        ------
        ValueError
            If x does not fit, or the model holds a number that is not finite.
        """
        with self.session.reading():
            return capture(
                self.network,
                self.session.inputs(x),
                input_names=self.input_names,
                output_names=self.output_names,
                metric=metric,
                max_edges=max_edges,
                title=title,
            )

    def recipe(self) -> Recipe:
        """Return all numbers that compute the model elsewhere, as plain arrays.

        Knots, weights and formulas of every layer and the units of the data: what a page without a
        kernel computes from. The base function's weight stands behind the coefficients of an edge,
        so a function can be split into its base part and its spline part.
        """
        with self.session.reading():
            return recipe_of(self.network, self._about)
