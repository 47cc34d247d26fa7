"""A layer as what it is: a matrix of functions whose columns are summed, live."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kanviz.analysis.capture import capture
from kanviz.course.teaching.widget import TeachingWidget, frame, packed
from kanviz.layout import labels
from kanviz.live.explorer import Courier
from kanviz.model import KAN
from kanviz.recipe import MOST_WEIGHTS, Recipe
from kanviz.snapshot import Snapshot

MOST_FUNCTIONS = 100
"""Largest matrix: beyond that no plot can be read."""


def layer(
    model: KAN,
    index: int,
    x: Any = None,
    *,
    theme: str = "auto",
) -> "Layer":
    """Return one layer as a grid of small plots, a row per input and a column per output.

    It follows every edit of the model, from wherever it comes. A row of inputs goes through it:
    each plot shows it as a dot with its value, split into the part of the base function and the
    part of the spline, and below each column stands the sum, which goes on to the next layer.
    Sliders move the row. ``to_html(path)`` writes it to a page that computes by itself.

    Parameters
    ----------
    model : KAN
        Of any kind and state.
    index : int
        From 0 (the functions that leave the inputs).
    x : (inputs,), optional
        The row, in the user's units; by default the first of the sample that the model remembers.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    IndexError
        If there is no such layer.
    ValueError
        If it has more than 100 functions, the network more than 50000 weights, or x does not fit.
    """
    return Layer(model, index, x, theme=theme)


class Layer(TeachingWidget):
    """The live matrix of one layer; made by ``layer``, ended by ``close``."""

    lesson = (
        "What does a layer do with a number?",
        "move one slider, and see which dots and which sums move.",
    )

    def __init__(self, model: KAN, index: int, x: Any, *, theme: str) -> None:
        self._model, self._index = model, index
        self._courier, self._is_due = Courier("kanviz-layer"), False
        self._stop_watching: Callable[[], None] = lambda: None  # until all checks are passed
        snapshot, recipe = _snapshot(model), model.recipe()
        _check(snapshot, recipe, index)
        self._n_inputs = snapshot.widths[0]
        row = _first_row(snapshot, recipe) if x is None else self._row(x)
        state = {"layer": packed(_record(snapshot, recipe, index)), "x": row}
        title = f"Layer {index} of a {labels.network_name(snapshot)}"
        alt = f"{title}: {snapshot.widths[index]} by {snapshot.widths[index + 1]} functions."
        super().__init__("layer", state, title=title, alt=alt, theme=theme)
        self._stop_watching = model.on_change(self._changed)

    @property
    def x(self) -> list[float]:
        """The row of inputs that goes through, in the user's units; set it or move the sliders."""
        return list(self.state["x"])

    @x.setter
    def x(self, values: Any) -> None:
        self._update(x=self._row(values))

    def close(self) -> None:
        """End it and let go of the model."""
        self._stop_watching()
        self._courier.close()
        super().close()

    def _row(self, values: Any) -> list[float]:
        row = np.asarray(values, dtype=np.float64)
        if row.shape != (self._n_inputs,) or not np.isfinite(row).all():
            raise ValueError(
                f"x must be {self._n_inputs} finite numbers; got {values!r}. "
                "Give one for each input, in the units of the data."
            )
        return [float(value) for value in row]

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        return {"x": self._row(change["x"])}

    def _changed(self, _: str) -> None:
        """Have the picture renewed, once for all changes that come before it is."""
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._courier.put(self._renew)

    def _renew(self) -> None:
        with self._lock:
            self._is_due = False
        try:
            snapshot, recipe = _snapshot(self._model), self._model.recipe()
            _check(snapshot, recipe, self._index)
        except (ValueError, IndexError):  # what cannot be drawn: the last picture stays
            return
        self._update(layer=packed(_record(snapshot, recipe, self._index)))


def _check(snapshot: Snapshot, recipe: Recipe, index: int) -> None:
    last = len(snapshot.widths) - 2
    if not 0 <= index <= last:
        raise IndexError(
            f"index must be a layer from 0 to {last}; got {index}. Choose one of these."
        )
    owners = snapshot.owners_of(index + 1)
    if len(owners) > snapshot.widths[index + 1]:
        raise ValueError(
            f"index must be a layer whose nodes are sums; layer {index} multiplies some of them. "
            "Use model.plot_layer, which draws it."
        )
    count = snapshot.widths[index] * snapshot.widths[index + 1]
    weights = sum(each.weight.size for each in recipe.layers)
    if count > MOST_FUNCTIONS or weights > MOST_WEIGHTS:
        raise ValueError(
            f"index must be a layer of at most {MOST_FUNCTIONS} functions, in a network of at most "
            f"{MOST_WEIGHTS} weights; got {count} functions and {weights} weights. "
            "Use model.plot_layer, which draws the strongest."
        )


def _snapshot(model: KAN) -> Snapshot:
    """Return the model in the network's own units, which are those of its recipe."""
    with model.session.reading():
        return capture(
            model.network,
            model.session.inputs(None),
            input_names=model.input_names,
            output_names=model.output_names,
        )


def _record(snapshot: Snapshot, recipe: Recipe, index: int) -> dict[str, Any]:
    """Return all that is drawn of one layer and all that computes the network."""
    picture = frame(snapshot, {})
    names = [_names(snapshot, at) for at in (0, index, index + 1)]
    return {
        "layer": index,
        "depth": len(snapshot.widths) - 1,
        "edges": [edge for edge in picture["edges"] if edge["layer"] == index],
        "recipe": recipe.to_dict(),
        "inputs": names[0],
        "from": names[1],
        "to": names[2],
        "ranges": _ranges(snapshot, recipe),
    }


def _names(snapshot: Snapshot, layer: int) -> list[str]:
    """Return what the nodes of a layer are called where it is plain which layer is meant."""
    nodes = [node for node in snapshot.nodes if node.layer == layer]
    return [labels.plain(node.label) or f"node {node.index}" for node in nodes]


def _ranges(snapshot: Snapshot, recipe: Recipe) -> list[list[float]]:
    """Return from where to where each input goes, in the user's units."""
    found = [[-1.0, 1.0] for _ in range(snapshot.widths[0])]
    for view in snapshot.edges:
        if view.layer == 0 and view.curve_x.size:
            found[view.i] = [view.curve_x[0], view.curve_x[-1]]
    return [
        [float(shift + scale * end) for end in ends]
        for ends, shift, scale in zip(found, recipe.x_shift, recipe.x_scale, strict=True)
    ]


def _first_row(snapshot: Snapshot, recipe: Recipe) -> list[float]:
    """Return the first row of the sample, or 0 for an input of which nothing is drawn."""
    row = np.zeros(snapshot.widths[0])
    for view in snapshot.edges:
        if view.layer == 0 and view.sample_x.size:
            row[view.i] = view.sample_x[0]
    return [float(value) for value in row * recipe.x_scale + recipe.x_shift]
