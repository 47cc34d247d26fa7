"""KAN, the one object that a user holds, and ``load``.

Every public method of a model is here, thin: the work is done by plain functions of the rooms that
``kanviz.model`` stands on, and whatever changes a model goes through its session.
"""

import copy
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.analysis.attribution import EdgeScores, Metric, NodeScores, feature_scores, scores
from kanviz.analysis.prune_plan import (
    PrunePlan,
    judge_of_all,
    judge_of_outputs,
    measure_of,
    plan_of,
)
from kanviz.analysis.pruning import PruneReport, limits_of, prune
from kanviz.analysis.recipe import recipe_of
from kanviz.analysis.removal import What
from kanviz.analysis.trace import Trace, edge_samples, node_values, trace
from kanviz.checks import check_choice, check_integer
from kanviz.data.arrays import as_dataset, choose_dtype
from kanviz.data.dataset import About
from kanviz.edits import (
    Became,
    FixEdge,
    Freeze,
    Lock,
    MovePoint,
    Refine,
    Remove,
    SetCurve,
    Solved,
    UnfixEdge,
    UpdateGrid,
)
from kanviz.edits.address import check_edge, read_edges, read_place
from kanviz.edits.code import call_code, options_given
from kanviz.files import SavedModel, read_model, write_model
from kanviz.model.fit_handle import FitCall, FitHandle
from kanviz.model.inputs import read_inputs
from kanviz.model.session import Session
from kanviz.nn.layer import GridRange, KANLayer
from kanviz.nn.network import Network
from kanviz.nn.state import NetworkState
from kanviz.recipe import Recipe
from kanviz.snapshot import Snapshot
from kanviz.training.errors import quality
from kanviz.training.judge import judge_of
from kanviz.training.report import FitReport
from kanviz.training.solve import Equation, Residuals, prepare_equation
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import Task, prepare, read_options

if TYPE_CHECKING:  # these take long to import, and many programs never draw or read formulas
    from matplotlib.figure import Figure
    from networkx import DiGraph

    from kanviz.symbolic.formula import Formula
    from kanviz.symbolic.suggest import SuggestionTable
    from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport

logger = logging.getLogger(__name__)

EdgeAddress = Sequence[int]
Theme = Literal["light", "dark"]

SOLVE_OPTIONS = ("update_grid", "seed")
"""Options of ``solve`` that its signature does not name."""


class KAN(nn.Module):
    """A Kolmogorov-Arnold network to train, look into, take apart and put back together.

    It is a torch module like any other. Beside its parameters it holds the names and units of its
    data, a small sample of the inputs it was last shown (for ranges and scores; written to disk
    only if asked), and its history. Questions such as ``plot`` change nothing; everything that
    changes the network is one step of the history, and a step that fails changes nothing either.

    Parameters
    ----------
    widths : sequence of int
        Nodes per layer, inputs first, such as ``[2, 5, 1]``. (Or the session of a network that
        exists, as ``load`` and ``from_layers`` pass; then the options are not used.)
    grid_size, spline_order, basis, base, extrapolation
        The family of the edge functions, see ``FunctionSpec``.
    grid_range : (low, high) or tensor (inputs, 2)
        Base interval of the inputs, in the network's units.
    init : str
        ``"auto"``, ``"zero"``, ``"identity"`` or ``"linear"``, see ``initial_weight``.
    seed : int
        Of the first weights, at least 0. No global generator is read or seeded.
    dtype, device
        As in torch; float32 or float64.

    Raises
    ------
    ValueError
        If a width, a grid or a name is out of its range.

    Examples
    --------
    >>> model = KAN([2, 5, 1], seed=0)
    >>> model.remove_edge(0, 1, 2)
    >>> model.history
    ['removed edge (0, 1, 2)']
    """

    # ---- made, copied, kept ----------------------------------------------------------------------

    def __init__(
        self,
        widths: Sequence[int] | Session,
        *,
        grid_size: int = 5,
        spline_order: int = 3,
        basis: str = "bspline",
        base: str = "silu",
        grid_range: GridRange = (-1.0, 1.0),
        extrapolation: str = "linear",
        init: str = "auto",
        seed: int = 0,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_integer("seed", seed, 0)
        functions: dict[str, Any] = {
            "grid_size": grid_size,
            "spline_order": spline_order,
            "basis": basis,
            "base": base,
            "grid_range": grid_range,
            "extrapolation": extrapolation,
            "init": init,
            "seed": seed,
            "dtype": choose_dtype(dtype),
            "device": device,
        }
        # A script must not depend on the default dtype of the session that runs it.
        shown = functions["dtype"] if dtype or functions["dtype"] != torch.float32 else None
        given = options_given(KAN, functions | {"dtype": shown})
        super().__init__()
        self.session = _session_of(widths, functions, given)
        self.network = self.session.network

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[KANLayer],
        x: Any = None,
        *,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
    ) -> "KAN":
        """Return a model of copies of layers that were made or trained elsewhere.

        To read what a layer inside another torch net has learnt, or weights of another library
        (``KANLayer.from_arrays``).

        Parameters
        ----------
        layers : sequence of KANLayer
            In order, inputs first; each has as many inputs as the one before has outputs.
        x : (samples, inputs), optional
            What the first layer gets to see: the sample to remember, for ranges and scores.
        input_names, output_names : sequence of str, optional
            One per input and per output.

        Raises
        ------
        ValueError, TypeError
            If there is none, or they, x or the names do not fit together.
        """
        network = Network.of(layers)
        about = About.nothing(network.widths[0], network.widths[-1]).named(
            input_names, output_names
        )
        if x is not None:
            about = about.seeing(read_inputs(x, about.input_names, layers[0].weight.detach()))
        arguments = ["layers"] if x is None else ["layers", "x"]
        names = {"input_names": input_names, "output_names": output_names}
        given = {name: list(values) for name, values in names.items() if values is not None}
        start = f"model = {call_code('kv.KAN.from_layers', *arguments, **given)}"
        return cls(Session(network, about, start))

    def copy(self) -> "KAN":
        """Return a model that goes its own way, with the history so far, without watchers."""
        with self.session.reading():
            return copy.deepcopy(self)

    def save(self, path: str | os.PathLike[str], *, with_sample: bool = False) -> None:
        """Write the model to one file, bit by bit; read it with ``kanviz.load``.

        Parameters
        ----------
        path
            The file appears whole or not at all; the usual ending is ``.kan``.
        with_sample : bool
            Also write the remembered sample of the inputs, which may be private.

        Raises
        ------
        OSError
            If the folder cannot be written to.
        """
        with self.session.reading():
            state = NetworkState.capture(self.network)
            about = self._about if with_sample else replace(self._about, sample=None)
            write_model(path, SavedModel(state, about))

    def __repr__(self) -> str:
        """Say the widths, the functions and how many edges are live."""
        spec = self.network.layers[0].spec
        masks = [layer.mask for layer in self.network.layers]
        live, total = sum(int(m.sum()) for m in masks), sum(m.numel() for m in masks)
        order = f"spline_order={spec.spline_order}, " if spec.is_spline else ""
        return (
            f"KAN({list(self.widths)}, grid_size={spec.grid_size}, {order}basis={spec.basis!r}, "
            f"base={spec.base!r}): {live} of {total} edges"
        )

    # ---- as a torch module -----------------------------------------------------------------------

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs (..., outputs) for x (..., inputs), both in the network's units.

        Raises
        ------
        TypeError
            If x is not of the model's dtype.
        ValueError
            If x has another number of columns, or is on another device.
        """
        return cast(Tensor, self.network(x))

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return self.network.widths

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, as the data gave them."""
        return self._about.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, or of the classes."""
        return self._about.output_names

    # ---- learning --------------------------------------------------------------------------------

    @overload
    def fit(
        self, data: Any, *, background: Literal[False] = False, **options: Any
    ) -> FitReport: ...

    @overload
    def fit(self, data: Any, *, background: Literal[True], **options: Any) -> FitHandle: ...

    def fit(
        self,
        data: Any,
        *,
        optimizer: str | type[torch.optim.Optimizer] = "auto",
        steps: int | None = None,
        loss: str | Callable[[Tensor, Tensor], Tensor] | None = None,
        grids: Sequence[int] | None = None,
        batch_size: int | None = None,
        validation: Any = None,
        callbacks: Sequence[Callable[[Any], bool | None]] = (),
        progress: bool = True,
        background: bool = False,
        **options: Any,
    ) -> FitReport | FitHandle:
        """Train on data; the whole run is one step of the history.

        While it runs, other threads may edit the model: the fit lets them in between two steps and
        goes on from what they made of it. Each edit is then a step of its own, and so is what was
        learnt before it and after it.

        Parameters
        ----------
        data : Dataset or (x, y)
            x (samples, inputs) and y (samples, outputs); with ``loss="cross_entropy"`` or labels of
            text y is one class per sample. A ``Dataset`` brings names and units along.
        optimizer, steps, loss, grids, batch_size, validation, callbacks, progress, **options
            See ``kanviz.training.FitOptions``.
        background : bool
            Whether to return at once and train in a thread, which ends with the model.

        Returns
        -------
        FitReport or FitHandle
            The history of the losses, what stopped the run, how long it took; in the background
            what steers the fit and waits for it.

        Raises
        ------
        ValueError, TypeError
            If data, options and network do not fit together.
        FloatingPointError
            If no finite step could be made.
        RuntimeError
            If a fit is running already.
        """
        named = {
            "optimizer": optimizer,
            "steps": steps,
            "loss": loss,
            "grids": grids,
            "batch_size": batch_size,
            "validation": validation,
            "callbacks": callbacks,
            "progress": progress,
        }
        chosen = named | options
        dataset = as_dataset(data, task="classification" if loss == "cross_entropy" else "auto")

        def ask(network: Network) -> tuple[Task, FitCall]:
            task = prepare(network, dataset, read_options(chosen))
            marks, given = (dataset.x, dataset.y), options_given(KAN.fit, chosen)
            return task, FitCall("model.fit", "data", marks, given, About.data(dataset))

        running = self.session.fit(ask, background=background)
        return running if background else running.wait()

    @overload
    def solve(
        self, residuals: Residuals, *, background: Literal[False] = False, **options: Any
    ) -> FitReport: ...

    @overload
    def solve(
        self, residuals: Residuals, *, background: Literal[True], **options: Any
    ) -> FitHandle: ...

    def solve(
        self,
        residuals: Residuals,
        *,
        steps: int | None = None,
        grids: Sequence[int] | None = None,
        starts: int | None = None,
        sparsity: float | Sparsity = 0.0,
        curvature: float | None = None,
        callbacks: Sequence[Callable[[Any], bool | None]] = (),
        progress: bool = True,
        background: bool = False,
        **options: Any,
    ) -> FitReport | FitHandle:
        """Make residuals of the model small by least squares; the whole run is one step.

        The model stands for an unknown function u, as in a differential equation: the residuals are
        what should be 0, inside and on the boundary. Steps are those of Levenberg-Marquardt in
        float64, with exact derivatives. The loss in the report is the mean of the squared
        residuals. Edits in between, Ctrl-C and undo are as in ``fit``.

        Parameters
        ----------
        residuals : callable
            ``residuals(u)`` returns a tensor or several, made of ``u(x)`` and of ``gradient``,
            ``hessian``, ``laplacian`` and ``pointwise`` of ``kanviz.nn``, at points x (samples,
            inputs) that are the same at every call. Multiply what is to count more by a number.
            Scatter the points: on a lattice a spline can be right at the points and wrong between
            them.
        steps, grids, starts, sparsity, curvature, callbacks, progress, **options
            As in ``fit`` (``kanviz.training.FitOptions``), with ``update_grid`` and ``seed``; what
            is relative to the variance of y there is so to the mean square of the residuals of
            u = 0. An untouched network begins from the best of up to 4 starts.
        background : bool
            Whether to return at once and train in a thread, which ends with the model.

        Returns
        -------
        FitReport or FitHandle
            As from ``fit``.

        Raises
        ------
        ValueError, TypeError
            If the residuals are no finite numbers that depend on u, an option makes no sense, or
            the network has more than 5000 weights.
        RuntimeError
            If a fit is running already.

        Examples
        --------
        >>> import torch, kanviz as kv
        >>> from kanviz.nn import gradient
        >>> model = kv.KAN([1, 1], dtype=torch.float64)
        >>> t = torch.linspace(0, 1, 50, dtype=torch.float64).unsqueeze(1)
        >>> def decay(u):  # u' = -u with u(0) = 1
        ...     return gradient(u, t)[:, 0] + u(t), 10 * (u(t[:1]) - 1)
        >>> report = model.solve(decay, progress=False)
        >>> abs(float(model(t[-1:]).detach()) - 0.36788) < 1e-4
        True
        """
        named = {
            "steps": steps,
            "grids": grids,
            "starts": starts,
            "sparsity": sparsity,
            "curvature": curvature,
            "callbacks": callbacks,
            "progress": progress,
        }
        for name in options:
            check_choice("option", name, SOLVE_OPTIONS)
        chosen, equation = named | options, Equation(residuals)

        def ask(network: Network) -> tuple[Task, FitCall]:
            task = prepare_equation(network, equation, read_options(chosen))
            some = Network(network.widths, dtype=task.x.dtype, device=task.x.device)
            marks = task.x, equation.values(some)  # tell equations of one name apart
            given, about = options_given(KAN.solve, chosen), self._about.seeing(task.x)
            return task, FitCall("model.solve", equation.name, marks, given, about, Solved)

        running = self.session.fit(ask, background=background)
        return running if background else running.wait()

    @property
    def running_fit(self) -> FitHandle | None:
        """The fit that runs now, in the background or in a cell; None if there is none."""
        return self.session.running

    # ---- answers ---------------------------------------------------------------------------------

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

    # ---- looking inside --------------------------------------------------------------------------

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
        from kanviz.analysis.capture import capture

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

    # ---- pictures --------------------------------------------------------------------------------

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

        desk = Desk(self, data, title=title)
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
        desk = Desk(self, x=x, title=title)
        write_live_page(snapshot, desk.scene(), path)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a notebook shows: the picture, or, where that fails, the text alone."""
        from kanviz.live.page import still_bundle

        try:
            return still_bundle(self.snapshot(), repr(self))
        except Exception:
            logger.exception("The picture of a model failed; its text is shown instead.")
            return {"text/plain": repr(self)}, {}

    # ---- edits by hand ---------------------------------------------------------------------------

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
        self.session.change(Remove((layer, i, j)))

    def restore_edge(self, layer: int, i: int, j: int) -> None:
        """Bring back a removed edge with the function that it had; errors as in ``remove_edge``."""
        self.session.change(Remove((layer, i, j), removed=False))

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
        self.session.change(Remove((layer, i)))

    def restore_node(self, layer: int, i: int) -> None:
        """Bring back all edges at a node, whichever way each was removed."""
        self.session.change(Remove((layer, i), removed=False))

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

    def freeze(self, place: int | Sequence[int]) -> None:
        """Keep an edge, the edges at a node or all edges of a layer from learning.

        Parameters
        ----------
        place : layer, (layer, i) or (layer, i, j)
            A layer number: all edges from that layer of nodes to the next. A node: all edges that
            lead to it, which make its value; for an input, which nothing leads to, all that leave
            it. An edge: this one. What is locked with any of them is frozen too.

        Raises
        ------
        IndexError
            If there is no such place.
        ValueError
            If all of it is frozen already.
        """
        self.session.change(Freeze(read_place(place)))

    def unfreeze(self, place: int | Sequence[int]) -> None:
        """Let an edge, a node or a layer learn again; as ``freeze``, errors too."""
        self.session.change(Freeze(read_place(place), frozen=False))

    def lock(self, edges: Sequence[EdgeAddress]) -> float:
        """Let several edges of one layer be one function, which is trained as one.

        From now on they have the same knots and the same numbers to the last bit, whatever is done
        to any of them: training, grids, points moved by hand, ``fix``, ``freeze``. The grid of
        their inputs follows the joint sample. Only removing concerns one alone; once restored it is
        what the others are.

        The function starts as the mean of the edges, the best compromise by least squares. If the
        first one is a formula or frozen, all become what it is instead.

        Parameters
        ----------
        edges : sequence of (layer, i, j)
            At least two of one layer, none removed or locked already. Where one is a formula, the
            first must be one.

        Returns
        -------
        float
            Largest root-mean-square change of an edge, in the unit of the node it leads to, by the
            move of the inputs to common knots; 0.0 where their knots were alike.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the edges cannot be locked together.
        """
        return self.session.change(Lock(read_edges(edges)))

    def unlock(self, edges: Sequence[EdgeAddress]) -> None:
        """Let locked edges learn on their own again; each keeps the function that it shared.

        Those locked with them that are not named stay locked, as long as they are two.

        Parameters
        ----------
        edges : sequence of (layer, i, j)
            Of one layer.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If one is not locked.
        """
        self.session.change(Lock(read_edges(edges), locked=False))

    # ---- pruning ---------------------------------------------------------------------------------

    def plan(self, data: Any = None, *, what: What = "edges") -> PrunePlan:
        """Return what pruning would take, step by step from the weakest on, and what it would cost.

        Changes nothing and trains nothing. The order is that of ``prune`` without data; what an
        output needs is passed over. Do it with ``model.prune(edges=plan.upto(7).edges)``.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            For the errors: on its test part, or on all of it. Without data the error is how far
            the outputs move, on the sample that the model remembers.
        what : str
            As for ``prune``.

        Returns
        -------
        PrunePlan
            Shows itself as a table; plain values.

        Raises
        ------
        ValueError
            If ``what`` is unknown, or the data do not fit the model.
        """
        check_choice("what", what, get_args(What))
        with self.session.reading():
            work, sample = self.session.copy_network(), self.session.inputs(None).double()
            dataset = None if data is None else self.session.dataset(data)
        judge = judge_of_outputs(work, sample) if dataset is None else judge_of_all(dataset)
        measure = measure_of(judge, of_outputs=dataset is None)
        return plan_of(work, sample, judge, what, measure)

    def prune(
        self,
        data: Any = None,
        *,
        threshold: float | None = None,
        fraction: float | None = None,
        edges: Sequence[EdgeAddress] | None = None,
        what: What = "edges",
        tolerance: float = 0.01,
    ) -> PruneReport:
        """Remove what does not matter, as one step of the history.

        Without data, all goes whose score is low. With data, in context: the weakest goes, all
        others are refitted briefly, and it stays away if the held-out error has not risen by more
        than ``tolerance`` in all. All that is very weak is tried at once first, then whole nodes,
        then edges. ``threshold``, ``fraction`` or ``edges``, at most one, say what may go at all.

        What leads nowhere or comes from nowhere afterwards goes too. Nothing is renumbered: a
        removed input is a column of x that is not used. What a removed edge added on average stays:
        another edge into its node takes it up, unless all of those are frozen, locked, radial or
        fade outside the grid. So ``undo`` brings all back, ``restore_edge`` an edge of mean 0.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            To refit and judge on; without a test part a fifth of it is held out.
        threshold : float, optional
            What scores below it (see ``edge_scores``, ``node_scores``); 0.03 where there are no
            data and nothing else is said.
        fraction : float, optional
            The weakest, this share of all in use, from 0 to 1; rounded down to a whole number. Of
            equal scores the lower address goes first.
        edges : sequence of (layer, i, j), optional
            Just these, for example from ``plan``.
        what : str
            ``"edges"``; ``"nodes"``: hidden nodes and inputs as a whole; ``"inputs"``: only those.
        tolerance : float
            Share of the standard deviation of y, at least 0; with data. For classes: in the root
            of the cross entropy, and by how much the share that is right may fall.

        Returns
        -------
        PruneReport
            Shows itself; with data, a sequence of what was tried, with the errors.

        Raises
        ------
        ValueError
            If an output would lose its last edge, an option is out of range or does not go with
            another, an edge is removed already, or the data do not fit the model.
        IndexError
            If there is no such edge.
        """
        chosen = None if edges is None else [check_edge(self.network, *edge) for edge in edges]
        limits = limits_of(
            what,
            tolerance,
            has_data=data is not None,
            threshold=threshold,
            fraction=fraction,
            edges=chosen,
        )
        with self.session.at_rest():
            work, sample = self.session.copy_network(), self.session.inputs(None).double()
            dataset = None if data is None else self.session.dataset(data)
            report = prune(work, sample, dataset, limits, what=what, tolerance=tolerance)
            names, options = [], dict(limits)
            if chosen is not None:
                options["edges"] = [tuple(edge) for edge in chosen]
            if dataset is not None:
                names = [self.session.history.name_of("data", (dataset.x, dataset.y))]
                options["tolerance"] = tolerance
            if what != "edges":
                options["what"] = what
            words = f"pruned {len(report.edges)} edges{' in context' if names else ''}"
            self.session.change(Became(work, call_code("model.prune", *names, **options), words))
            return report

    # ---- formulas --------------------------------------------------------------------------------

    def suggest(
        self,
        edge: EdgeAddress,
        *,
        functions: Sequence[str] | None = None,
        top: int | None = 10,
    ) -> "SuggestionTable":
        """Return which known functions the curve of an edge looks like; changes nothing.

        Where edges are locked to one function, it is seen through the inputs of all of them.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        functions : sequence of str, optional
            Names to choose from; by default the whole library.
        top : int, optional
            How many to return; None for all.

        Raises
        ------
        IndexError
            If there is no such edge.
        """
        from kanviz.symbolic.suggest import library_of, suggest

        with self.session.reading():
            x, y = edge_samples(
                self.network, self.session.inputs(None), check_edge(self.network, *edge)
            )
        return suggest(x, y, functions=library_of(functions), top=top)

    def fix(
        self,
        edge: EdgeAddress,
        formula: str,
        *,
        numbers: tuple[float, float, float, float] | None = None,
        trainable: bool = True,
    ) -> None:
        """Make an edge a formula c f(a x + b) + d; its spline rests until ``unfix``.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        formula : str
            The name of a known function such as ``"sin"``, whose four numbers are fitted to the
            curve, or any formula of x such as ``"0.5*x**2 + 1"``, which is taken as it is.
        numbers : (a, b, c, d), optional
            The numbers, instead of a fit.
        trainable : bool
            Whether training may move the numbers.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the formula cannot be read, or the edge is removed.
        """
        from kanviz.symbolic.suggest import function_of, quality_of

        with self.session.at_rest():
            place = layer, i, j = check_edge(self.network, *edge)
            sample = self.session.inputs(None)
            curve = edge_samples(self.network, sample, place)
            function, found = function_of(formula, numbers, *curve)
            step = trace(self.network, sample).layers[layer]
            own = step.inputs[:, i].double(), step.edge_outputs[:, i, j].double()
            quality = quality_of(function, found, *own)
            self.session.change(FixEdge(layer, i, j, function, found, trainable, formula, quality))

    def unfix(self, edge: EdgeAddress) -> None:
        """Give an edge its spline back, as it was when it was fixed.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is no formula.
        """
        self.session.change(UnfixEdge(*check_edge(self.network, *edge)))

    def symbolify(
        self,
        data: Any,
        *,
        tolerance: float | None = None,
        functions: Sequence[str] | None = None,
        n_jobs: int = 1,
        on_edge: "Callable[[EdgeReport], object]" = lambda _: None,
    ) -> "SymbolReport":
        """Turn splines into formulas as long as the whole network stays as good; one step.

        Edge by edge the simplest function that does is taken; then each choice is questioned again,
        and numbers near to 0, integers, pi, e and simple fractions become these, all as long as the
        held-out error agrees. Frozen edges stay as they are.

        Parameters
        ----------
        data : Dataset or (x, y)
            To refit and judge on; without a test part a fifth of it is held out.
        tolerance : float, optional
            By how much the held-out error may rise in all, as a share of the standard deviation of
            y. By default by half of what it is; an error of a millionth is always good enough.
        functions : sequence of str, optional
            Names to choose from; by default the whole library.
        n_jobs : int
            How many candidates are tried at a time, through joblib: in processes of this machine,
            or by whatever backend ``joblib.parallel_config`` names. 1 starts no process. The
            result is the same.
        on_edge : callable
            Called with what came of each edge, as soon as it is known; again where it is questioned
            again.

        Returns
        -------
        SymbolReport
            Edge by edge what was tried and chosen; edges without a good formula stay splines. Its
            ``pareto()`` tells complexity and error of every stage on the way.
        """
        from kanviz.symbolic.snapping import Units
        from kanviz.symbolic.suggest import library_of
        from kanviz.symbolic.symbolify import symbolify

        with self.session.at_rest():
            work, dataset = self.session.copy_network(), as_dataset(data)
            report = symbolify(
                work,
                judge_of(dataset),
                tolerance=tolerance,
                functions=library_of(functions or None),
                units=Units(dataset.x_scaling, dataset.y_scaling),
                n_jobs=n_jobs,
                on_edge=on_edge,
            )
            name = self.session.history.name_of("data", (dataset.x, dataset.y))
            given = {"tolerance": tolerance, "functions": functions}
            options = {key: value for key, value in given.items() if value is not None}
            chosen = sum(edge.chosen is not None for edge in report.edges)
            words = f"made {chosen} of {len(report.edges)} edges formulas"
            self.session.change(Became(work, call_code("model.symbolify", name, **options), words))
            return report

    def formula(
        self, *, digits: int | None = 6, snap: float = 1e-6, simplify: float = 2.0
    ) -> "Formula":
        """Return what the model computes, in the user's units and names.

        Edges without a formula are named functions such as ``phi_0_1_2``. The formula is compared
        with the model on the remembered sample, first exactly, then as it is shown: where rounding
        or snapping moves the outputs by more than 100 times the share by which it may move a
        number, or by 10 %, more digits are kept and fewer numbers snapped.

        Parameters
        ----------
        digits : int, optional
            Fewest significant digits of the numbers; None for all.
        snap : float
            Numbers within this share of a nice one (0, 1/2, pi ...) are written as it; 0 for none.
        simplify : float
            Seconds that may be spent on a shorter form; 0 for none.

        Returns
        -------
        Formula
            Prints itself; has ``to_latex``, ``to_callable``, ``to_torch``, ``to_python``, ``to_c``,
            sympy ``expressions``, and ``error``: how far it is from the model.

        Raises
        ------
        ArithmeticError
            If formula and model differ on the sample.
        """
        from kanviz.symbolic.formula import formula_to_read

        with self.session.reading():
            work, about = self.session.copy_network(), self._about
            sample = self.session.inputs(None).double()
        return formula_to_read(work, about, sample, digits=digits, snap=snap, simplify=simplify)

    # ---- history ---------------------------------------------------------------------------------

    def undo(self) -> str:
        """Take back the last step, to the last bit, and return its sentence.

        While a fit runs that is the last edit made meanwhile with all that was learnt since, or,
        without one, all that the fit has learnt so far; the fit goes on from there.

        Raises
        ------
        IndexError
            If there is no step to take back.
        """
        return self.session.undo()

    def redo(self) -> str:
        """Do the step undone last again, to the last bit, and return its sentence.

        Raises
        ------
        IndexError
            If there is none; any new step clears them.
        """
        return self.session.redo()

    @property
    def history(self) -> list[str]:
        """What was done and not undone, oldest first, one sentence per step."""
        return self.session.history.sentences()

    def script(self) -> str:
        """Return the history as Python that makes the model again, given the same data."""
        return self.session.history.script()

    def on_change(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call ``callback(sentence)`` after each change; return the function that ends this."""
        return self.session.watch(callback)

    # ---- inside ----------------------------------------------------------------------------------

    @property
    def _about(self) -> About:
        return self.session.history.about


def load(path: str | os.PathLike[str], *, device: torch.device | str | None = None) -> KAN:
    """Return the model that ``KAN.save`` wrote, equal to the last bit; its history starts anew.

    Parameters
    ----------
    path
        The file. Nothing in it is ever run.
    device
        Where to put the model; without one, torch's default.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or of a newer version.
    OSError
        If it cannot be read.
    """
    saved = read_model(path)
    start = f"model = kv.load({os.fspath(path)!r})"
    return KAN(Session(saved.state.build(device), saved.about, start))


def _session_of(
    widths: Sequence[int] | Session, functions: dict[str, Any], given: dict[str, Any]
) -> Session:
    """Return what holds the state of a new model, or the one that was passed."""
    if not isinstance(widths, Session):
        network = Network(widths, **functions)
        about = About.nothing(network.widths[0], network.widths[-1])
        start = f"model = {call_code('kv.KAN', str(list(network.widths)), **given)}"
        return Session(network, about, start)
    return widths
