"""KAN, the one object that a user holds, and ``load``.

Every public method of a model is here, thin: the work is done by plain functions of the rooms that
``kanviz.model`` stands on, and whatever changes a model goes through its session.
"""

import copy
import inspect
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, get_args, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.analysis.attribution import (
    EdgeScores,
    Metric,
    NodeScores,
    contributions,
    feature_scores,
    scores,
)
from kanviz.analysis.prune_plan import (
    PrunePlan,
    judge_of_all,
    judge_of_outputs,
    measure_of,
    plan_of,
)
from kanviz.analysis.pruning import PruneReport, freedom_of_inputs, limits_of, prune
from kanviz.analysis.recipe import recipe_of
from kanviz.analysis.removal import What
from kanviz.analysis.structure import Structure, structure
from kanviz.analysis.trace import Trace, edge_samples, node_values, trace
from kanviz.checks import check_choice, check_given, check_integer
from kanviz.data.arrays import choose_dtype, is_in_memory
from kanviz.data.dataset import About, Dataset, Label
from kanviz.data.scaling import Affine
from kanviz.data.stream import Streamed, as_stream, in_units
from kanviz.devices import all_on_cpu
from kanviz.edits import (
    Became,
    Constrain,
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
from kanviz.edits.address import read_edge, read_edges, read_node, read_place
from kanviz.edits.code import call_code, options_given
from kanviz.edits.structure import check_shapes
from kanviz.interrupts import uninterrupted
from kanviz.model.fit_handle import FitCall, FitHandle
from kanviz.model.inputs import (
    about_after,
    classes_or_numbers,
    labels_of,
    log_odds,
    read_dataset,
    read_inputs,
    refuse_weight,
    sigmoid,
    surveyed,
    tensors_of,
    with_grid_of,
)
from kanviz.model.session import Session
from kanviz.model.user_units import (
    Band,
    bands_of,
    curve_in_user_units,
    in_user_units,
    trace_in_user_units,
)
from kanviz.nn.constraints import Shape
from kanviz.nn.initialise import InitName
from kanviz.nn.layer import GridRange, KANLayer
from kanviz.nn.network import Network
from kanviz.nn.nodes import NodeCount
from kanviz.nn.spec import BaseName, BasisName, Extrapolation
from kanviz.recipe import Recipe
from kanviz.renamed import (
    FITTING,
    MAKING,
    PLOTTING,
    PRUNING,
    REFINING,
    one_address,
    refuse_old_names,
    renamed,
)
from kanviz.snapshot import Edge, Snapshot
from kanviz.tables import Shown
from kanviz.training.doubt import Doubt, check_level
from kanviz.training.errors import Loss, quality, quality_in_batches
from kanviz.training.families import family_of
from kanviz.training.gradient import refresh
from kanviz.training.jacobian import learning_weights
from kanviz.training.judge import doubt_after, judge_of, measured_judge_of, noisy_judge_of
from kanviz.training.report import FitReport
from kanviz.training.solve import Equation, Residuals, prepare_equation
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import (
    Callback,
    FitKeywords,
    LossName,
    Optimizer,
    SolveKeywords,
    Task,
    Validation,
    prepare,
    read_options,
)
from kanviz.writing import write_whole

if TYPE_CHECKING:  # these take long to import, and many programs never draw or read formulas
    from matplotlib.figure import Figure
    from networkx import DiGraph

    from kanviz.analysis.pruning import Drop
    from kanviz.live.explorer import Explorer
    from kanviz.symbolic.formula import Formula
    from kanviz.symbolic.suggest import SuggestionTable
    from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport

logger = logging.getLogger(__name__)

EdgeLike = Sequence[int]
"""An ``Edge``, or a plain (layer, i, j)."""

Theme = Literal["light", "dark"]


@all_on_cpu("forward")
class KAN(nn.Module):
    """A Kolmogorov-Arnold network to train, look into, take apart and put back together.

    It is a torch module like any other. Beside its parameters it holds the names and units of its
    data, a small sample of the inputs it was last shown (for ranges and scores; written to disk
    only if asked), and its history. Questions such as ``plot`` change nothing; everything that
    changes the network is one step of the history, and a step that fails changes nothing either.

    For other programs: ``torch.onnx.export(model.eval(), (x,), "model.onnx")``, by torch's default
    exporter (``pip install onnx onnxscript``; not the one of TorchScript), takes and gives the
    user's units; add ``dynamic_shapes=({0: torch.export.Dim("rows")},)`` for any number of rows.

    **Units.** Arrays, tensors and data frames that any method takes or gives are in the user's
    units, ``model(x)`` included; a ``Dataset`` knows its own. The first fit sets how these lead to
    the network's units, and later ones keep it. The network itself, without any units, is
    ``model.network``.

    **Addresses.** An edge is ``kanviz.Edge(layer, i, j)`` or a plain (layer, i, j), from node i of
    ``layer`` to node j of ``layer + 1``; a node is (layer, i). All count from 0.

    **Threads.** Methods may be called from any thread, also while a fit runs. ``model(x)`` takes no
    lock, like any torch module: while other threads edit, call it inside
    ``model.session.reading()``.

    Parameters
    ----------
    widths : sequence of int or (sums, products)
        Nodes per layer, inputs first, such as ``[2, 5, 1]``. A hidden layer of ``(2, 1)`` has two
        nodes that add up what their edges give and one that multiplies two such sums, its factors:
        ``[3, (2, 1), 1]``. Then j of ``Edge(0, i, j)`` counts sums, factors one by one: 0 and 1
        are nodes, 2 and 3 make node (1, 2). (Or the ``Session`` of a network that
        exists, as ``load`` and ``from_layers`` pass; then no option may be given.)
    product_arity : int
        How many factors each product has, at least 2. Where they differ: ``(2, (2, 3))`` has a
        product of two factors and one of three. A factor without a live edge is left out.
    grid_size, spline_order, basis, base, extrapolation
        The family of the edge functions, see ``FunctionSpec``.
    grid_range : (low, high) or tensor (inputs, 2)
        First base interval of the inputs, in the user's units; left out, about where normalised
        data lie. A fit moves it to its data.
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
    >>> model.remove_edge((0, 1, 2))
    >>> model.steps
    ['removed edge (0, 1, 2)']
    """

    # ---- made, copied, kept ----------------------------------------------------------------------

    @renamed(MAKING)
    def __init__(
        self,
        widths: Sequence[NodeCount] | Session,
        *,
        product_arity: int = 2,
        grid_size: int = 5,
        spline_order: int = 3,
        basis: BasisName = "bspline",
        base: BaseName = "silu",
        grid_range: GridRange = (-1.0, 1.0),
        extrapolation: Extrapolation = "linear",
        init: InitName = "auto",
        seed: int = 0,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        functions: dict[str, Any] = {
            "product_arity": product_arity,
            "grid_size": grid_size,
            "spline_order": spline_order,
            "basis": basis,
            "base": base,
            "grid_range": grid_range,
            "extrapolation": extrapolation,
            "init": init,
            "seed": seed,
            "dtype": dtype,
            "device": device,
        }
        self.session = _session_of(widths, functions)
        """History, lock and running fit; all changes go through it."""
        self.network = self.session.network
        """The network without units, a plain torch module."""

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

        Examples
        --------
        >>> layer = KANLayer(2, 2, init="identity")
        >>> KAN.from_layers([layer], input_names=["a", "b"]).input_names
        ('a', 'b')
        """
        network = Network.of(layers)
        about = About.nothing(network.widths[0], network.widths[-1]).named(
            input_names, output_names
        )
        if x is not None:
            about = about.seeing(read_inputs(x, about, layers[0].weight.detach()))
        arguments = ["layers"] if x is None else ["layers", "x"]
        names = {"input_names": input_names, "output_names": output_names}
        given = {name: list(values) for name, values in names.items() if values is not None}
        start = f"model = {call_code('kv.KAN.from_layers', *arguments, **given)}"
        return cls(Session(network, about, start))

    @classmethod
    def from_formula(
        cls,
        formula: str | Sequence[str],
        ranges: Mapping[str, tuple[float, float]] | Sequence[tuple[float, float]],
        *,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        unknown: Sequence[str] | Mapping[str, tuple[Sequence[float], Sequence[float]]] = (),
        grid_size: int = 5,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> "KAN":
        """Return a model that computes a formula, drawn as a person would: sums, products, curves.

        To train on from a guess (is my law nearly right?), to teach, to test what reads formulas.
        What depends on one node alone is one edge; what multiplies, a node that multiplies. All
        edges are formulas, and ``unfix`` gives each a spline that follows it.

        Parameters
        ----------
        formula : str or sequence of str
            As for ``fix``, in the names of the inputs, such as ``"m*v**2/2"``; one per output.
            Names that are no words stand between backquotes, as formulas are printed:
            ``"m*`v [m/s]`**2/2"``.
        ranges : mapping of str to (low, high), or sequence of (low, high)
            Where each input is, in its unit: for the knots, and to see that the formula has a value
            there. The keys are the names of the inputs, in order.
        input_names : sequence of str, optional
            The names, where ``ranges`` is a sequence; by default x_1, x_2 and so on.
        output_names : sequence of str, optional
            One per formula.
        unknown : sequence of str, or mapping of str to (x, y)
            Names of functions in the formula that are not known: these edges stay splines, to be
            learnt, as in ``"x*f(y + z)"`` with ``unknown=["f"]``. A mapping brings points that they
            go through to begin with.
        grid_size, dtype, device
            As for ``KAN``.

        Raises
        ------
        TypeError, ValueError
            If a formula cannot be read or drawn, depends on no input, or has no finite value
            somewhere in the ranges, or names and ranges do not fit it.

        Examples
        --------
        >>> model = KAN.from_formula("m*v**2/2", {"m": (0.5, 2), "v": (0, 3)})
        >>> model
        KAN([2, (0, 1), 1], grid_size=5, spline_order=3, basis='bspline', base='silu'): 3 of 5 edges
        >>> print(model.formula())
        m*v**2/2
        """
        with uninterrupted():
            from kanviz.symbolic.network_of import network_of, plain_scaling, read_formulas

        formulas = [formula] if isinstance(formula, str) else list(formula)
        if isinstance(ranges, Mapping):
            if input_names is not None:
                raise ValueError("The keys of ranges name the inputs. Leave out input_names.")
            input_names, ranges = list(ranges), list(ranges.values())
        about = About.nothing(len(ranges), len(formulas)).named(input_names, output_names)
        names = list(about.input_names)
        expressions, x, y = read_formulas(formulas, ranges, names, list(unknown))
        x_scaling, y_scaling = plain_scaling(x), plain_scaling(y)
        about = replace(about, x_scaling=x_scaling, y_scaling=y_scaling).seeing(x_scaling.apply(x))
        network = network_of(
            expressions,
            names,
            x_scaling.apply(x),
            x_scaling=x_scaling,
            y_scaling=y_scaling,
            curves=unknown if isinstance(unknown, Mapping) else None,
            grid_size=grid_size,
            dtype=dtype,
            device=device,
        )
        given: dict[str, Any] = {"input_names": names}
        if output_names is not None:
            given["output_names"] = list(output_names)
        if unknown:
            given["unknown"] = dict(unknown) if isinstance(unknown, Mapping) else list(unknown)
        if grid_size != 5:
            given["grid_size"] = grid_size
        if dtype != torch.float64:
            given["dtype"] = dtype
        text = repr(formulas[0] if isinstance(formula, str) else formulas)
        start = call_code("kv.KAN.from_formula", text, repr([tuple(r) for r in ranges]), **given)
        return cls(Session(network, about, f"model = {start}"))

    def copy(self) -> "KAN":
        """Return a model that goes its own way, with the history so far, without watchers.

        Returns
        -------
        KAN

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> other = model.copy()
        >>> other.remove_edge((0, 0, 0))
        >>> model.steps, other.steps
        ([], ['removed edge (0, 0, 0)'])
        """
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

        Examples
        --------
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.kan"
        >>> KAN([2, 3, 1]).save(path)
        >>> path.exists()
        True
        """
        from kanviz.files import SavedModel, write_model
        from kanviz.nn.state import NetworkState

        self.session.check_numbers()
        with self.session.reading():
            state, about = NetworkState.capture(self.network), self.session.about
            kept = about if with_sample else replace(about, sample=None)
            write_model(path, SavedModel(state, kept, self.session.doubt))

    def __repr__(self) -> str:
        """Say the widths, the functions and how many edges are live."""
        spec = self.network.layers[0].spec
        masks = [layer.mask for layer in self.network.layers]
        total = sum(m.numel() for m in masks)
        if any(m.is_meta for m in masks):
            edges = f"{total} edges on meta"  # without numbers nobody knows which are live
        else:
            edges = f"{sum(int(m.sum()) for m in masks)} of {total} edges"
        order = f"spline_order={spec.spline_order}, " if spec.is_spline else ""
        return (
            f"KAN({list(self.network.shape)}, grid_size={spec.grid_size}, {order}"
            f"basis={spec.basis!r}, base={spec.base!r}): {edges}"
        )

    # ---- as a torch module -----------------------------------------------------------------------

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs (..., outputs) for x (..., inputs), both in the user's units.

        Of classes the scores, as ``torch.nn.functional.cross_entropy`` takes them. It is
        differentiable to any order. For the network's own units call ``model.network(x)``.

        Parameters
        ----------
        x : (..., inputs)
            Of the model's dtype, on its device.

        Raises
        ------
        TypeError
            If x is not of the model's dtype.
        ValueError
            If x has another number of columns, or is on another device.

        Examples
        --------
        >>> KAN([2, 3, 1])(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
        """
        # Attributes only: this is the path that everything takes. The network comes from where
        # torch keeps it, for its name would pass __getattr__ with every batch.
        network, about = cast(Network, self._modules["network"]), self.session.history.now.about
        if not about.has_units or x.shape[-1:] != about.x_scaling.shift.shape:
            return cast(Tensor, network(x))
        if not x.is_meta and torch.is_autocast_enabled(x.device.type):
            # What is half precise comes from before.
            x = x.to(network.layers[0].weight.dtype)
        scaled = about.x_scaling.apply(x).to(x.dtype)
        return about.y_scaling.undo(network(scaled)).to(x.dtype)

    def get_extra_state(self) -> Tensor:
        """Return the units for ``state_dict``: (2, inputs + outputs), shifts and scales, float64.

        The layers add theirs: base, basis and what is outside the grid. Names, classes and formulas
        are not in a state dict; ``save`` keeps all.

        Examples
        --------
        >>> KAN([1, 1]).state_dict()["_extra_state"]
        tensor([[0., 0.],
                [1., 1.]], dtype=torch.float64)
        """
        about = self.session.about
        parts = [torch.stack([s.shift, s.scale]) for s in (about.x_scaling, about.y_scaling)]
        return torch.cat(parts, dim=1)

    def set_extra_state(self, state: Tensor) -> None:
        """Take over the units of a state dict.

        Parameters
        ----------
        state : (2, inputs + outputs)
            As from ``get_extra_state``.

        Raises
        ------
        ValueError
            If it is of another shape.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.set_extra_state(torch.tensor([[10.0, 0.0], [2.0, 1.0]]))
        >>> model.session.about.has_units
        True
        """
        n_inputs, n_outputs = self.widths[0], self.widths[-1]
        state = torch.as_tensor(state)
        if tuple(state.shape) != (2, n_inputs + n_outputs):
            raise ValueError(
                f"the units of a model {list(self.widths)} have shape {(2, n_inputs + n_outputs)}; "
                f"got {tuple(state.shape)}. Load the state of a model of the same widths."
            )
        self.session.take_units(*state.detach().cpu().split([n_inputs, n_outputs], dim=1))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        """Load as any module does; a state dict of 0.1 has no units and leaves them as they are."""
        self.network.check_loads(state_dict, f"{prefix}network.")  # before the units are taken
        state_dict.setdefault(f"{prefix}_extra_state", self.get_extra_state())
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)

    def __getattr__(self, name: str) -> Any:
        """Return what torch keeps; a name of 0.1 or of pykan says what it is called here."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            refuse_old_names(type(self).__name__, name)
            raise

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first.

        Examples
        --------
        >>> KAN([2, 3, 1]).widths
        (2, 3, 1)
        """
        return self.network.widths

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, as the data gave them.

        Examples
        --------
        >>> KAN([2, 3, 1]).input_names
        ('x_1', 'x_2')
        """
        return self.session.about.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, or of the classes.

        Examples
        --------
        >>> KAN([2, 3, 1]).output_names
        ('y',)
        """
        return self.session.about.output_names

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """The user's labels of the classes, one per output; None for a model of numbers.

        Examples
        --------
        >>> model = KAN([1, 2])
        >>> report = model.fit([0.0, 1, 2, 3], ["low", "low", "high", "high"], progress=False)
        >>> model.classes
        ('high', 'low')
        """
        return self.session.about.classes

    # ---- learning --------------------------------------------------------------------------------

    @overload
    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        background: Literal[False] = False,
        **options: Unpack[FitKeywords],
    ) -> FitReport: ...

    @overload
    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        background: Literal[True],
        **options: Unpack[FitKeywords],
    ) -> FitHandle: ...

    @renamed(FITTING)
    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        optimizer: Optimizer = "auto",
        steps: int | None = None,
        loss: LossName | Loss | None = None,
        grids: Sequence[int] | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        sparsity: float | Sparsity = 0.0,
        smoothing: float | Literal["auto"] | None = None,
        validation: Validation = None,
        patience: int = 20,
        starts: int | None = None,
        update_grid: bool = True,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        seed: int = 0,
        background: bool = False,
    ) -> FitReport | FitHandle:
        """Train on data; the whole run is one step of the history.

        The first fit sets the model's units: those of the ``Dataset``, or for arrays mean 0 and
        standard deviation 1. Later fits keep them, whatever scaling their data have.

        While it runs, other threads may edit the model: the fit lets them in between two steps and
        goes on from what they made of it. Each edit is then a step of its own, and so is what was
        learnt before it and after it.

        Parameters
        ----------
        data : Dataset, (X, y), X or a loader
            X (samples, inputs), an array, tensor, data frame or list. Of a data frame the model
            remembers the column names, and takes them by name from then on; columns of text become
            0/1 inputs as in ``from_arrays``. A ``Dataset`` brings names and units along. A
            ``DataLoader``, or any object that gives pairs (x, y) of batches each time it is gone
            through, is read batch by batch, and so are data sets of torch and memory maps of more
            than 80 MB: by "adam" (the default there), where each batch is a step, or by "lm", whose
            sums go over the batches. One batch is in memory at a time, and a sample of 4096 rows.
        y : (samples,) or (samples, outputs), optional
            The targets of X: numbers, or one label of a class per sample. Labels are text and truth
            values; whole numbers are labels with ``loss="cross_entropy"``, or where the network has
            several outputs and y one column.
        sample_weight : (samples,), optional
            How many times each row of X counts: a row of weight 2 is as that row twice, one of
            weight 0 is left out. The noise is then that of a row of weight 1, so weights that tell
            precision (1 / variance) belong divided by their mean. A ``Dataset`` keeps its own, see
            ``from_arrays``. A loss of your own has to be one of torch.
        optimizer : str or torch.optim.Optimizer class
            ``"lm"`` Levenberg-Marquardt (squared loss, cross entropy), ``"lbfgs"``, ``"adam"``,
            ``"adamw"``, any optimizer class of torch, or ``"auto"``: "lm" on all data at once where
            it can take exact steps (up to about 1000 weights, or 5000 of a narrow network with fine
            grids; for classes where the data choose how smooth the curves are), "adam" with
            batches, or where a step on all rows would take a minute, else "lbfgs". Wide networks
            with thousands of samples often end at a lower test error with ``batch_size=256``.
        steps : int, optional
            Per grid level: iterations of "lm" (default 150) and "lbfgs" (100), epochs of the others
            (100).
        loss : str or callable, optional
            ``"mse"``, ``"huber"`` (squares of noise, sizes of what is farther off, so that a few
            wild rows do not move the curves; by "lm" and the evidence), ``"poisson"`` for counts,
            of which the network says the logarithm of the mean, ``"cross_entropy"`` or
            ``loss(outputs, y) -> scalar``, which is asked in the user's units
            (``torch.nn.BCEWithLogitsLoss()`` for one output and y of 0 and 1); by default what the
            data ask for.
        grids : sequence of int, optional
            Grid sizes to train on, one after the other, as ``[3, 5, 10, 20]``; by default the
            present one only.
        batch_size : int, optional
            Samples per update for optimizers of the Adam kind; by default all, of memory maps and
            data sets of torch 1024.
        learning_rate : float, optional
            For optimizers other than "lm"; default 1 for "lbfgs", 0.01 else.
        sparsity : float or Sparsity
            Prefers few edges to many; a number is the weight of ``Sparsity`` with its defaults.
            1e-4 to 1e-2 does for most data.
        smoothing : float or "auto", optional
            How smooth the curves are to be. By default "lm" asks the data: where what exact steps
            leave is noise, as in most that people measured, it is ``"auto"``, and where it is not,
            as in data computed by a law, almost nothing (1e-10; the same with ``validation``, and
            1e-6 with sparsity); 0 for other optimizers. A number is the weight of the squared
            second differences of the coefficients, relative to the variance of y for squared loss.
            ``"auto"``: each edge gets the smoothness that makes the data likeliest, from as lively
            as they ask for to a straight line to nothing, and the report tells the noise, the
            effective degrees of freedom and how likely such a network makes the data. With
            "lm", for up to 5000 weights; the default for classes.
        validation : None, float, (x, y), Dataset or "test"
            Data to watch: a share of the training data, a pair, or the data's own test part. The
            best state on it is kept, and a level ends when it does not improve for ``patience``
            steps.
        patience : int
            Steps without improvement before a level ends; with validation only.
        starts : int, optional
            Random starts to try before training (squared loss with "lm" only). By default as many
            as are cheap for an untouched network, but no more than ``steps``, and 1 (go on from
            here) for any other.
        update_grid : bool
            Whether knots follow the data and activations between rounds.
        callbacks : sequence of callable
            Each is called after every step with a ``Progress``; returning False stops the fit.
        progress : bool
            Whether to show a progress bar.
        seed : int
            Seed of batches, validation split and random starts.
        background : bool
            Whether to return at once and train in a thread, which ends with the model.

        Returns
        -------
        FitReport or FitHandle
            The losses of all steps, what stopped the run, how long it took. Not the model, as
            scikit-learn has it: a notebook shows what a cell ends with, and after a fit that is how
            it went. (``kanviz.sklearn`` wraps a model as an estimator, whose ``fit`` gives itself.)
            In the background: what steers the fit and waits for it.

        Raises
        ------
        ValueError, TypeError
            If data, options and network do not fit together.
        FloatingPointError
            If no finite step could be made.
        RuntimeError
            If a fit is running already.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.linspace(0, 100, 50).reshape(-1, 1)
        >>> model = KAN([1, 1], grid_size=10)
        >>> report = model.fit(X, np.sin(X / 20), steps=20, progress=False)
        >>> model.score(X, np.sin(X / 20)) > 0.999
        True
        """
        given = data if y is None else (data, y)
        options: dict[str, Any] = {
            "optimizer": optimizer,
            "steps": steps,
            "loss": loss,
            "grids": grids,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "sparsity": sparsity,
            "smoothing": smoothing,
            "validation": validation,
            "patience": patience,
            "starts": starts,
            "update_grid": update_grid,
            "callbacks": callbacks,
            "progress": progress,
            "seed": seed,
        }
        session = self.session
        stream = None if is_in_memory(given) else as_stream(given, batch_size)
        like = given if stream is None else stream.first()
        task = classes_or_numbers(like, loss, self.widths[-1])
        del like  # a batch may be large
        is_new, survey = session.is_new(), None
        if stream is not None:
            survey = surveyed(stream, session.about, task, seed, sample_weight)
            given = survey.data
        dataset = session.dataset(
            given, task=task, sample_weight=sample_weight, is_new=is_new, as_given=True
        )
        if loss == "poisson":
            if not (is_new or session.about.is_counts):
                raise ValueError(
                    "loss='poisson' needs a new model, for this one has learnt numbers in the unit "
                    "of y. Make another with KAN(...)."
                )
            dataset = dataset.counted()
        about = about_after(dataset, session.about, is_new=is_new)
        rows = None if stream is None or survey is None else Streamed(stream, survey, about)
        is_data = validation is not None and not isinstance(validation, float | str)
        watched = read_dataset(validation, about, self.network) if is_data else validation

        def ask(network: Network) -> tuple[Task, FitCall]:
            start = with_grid_of(network, about) if is_new else network
            chosen = read_options(options | {"validation": watched})
            asked = options_given(KAN.fit, options)
            if sample_weight is not None:
                asked = {"sample_weight": sample_weight} | asked
            call = FitCall("model.fit", "data", tensors_of(given), asked, about)
            return prepare(start, dataset, chosen, rows), call

        running = session.fit(ask, background=background)
        return running if background else running.wait()

    @overload
    def solve(
        self,
        residuals: Residuals,
        *,
        background: Literal[False] = False,
        **options: Unpack[SolveKeywords],
    ) -> FitReport: ...

    @overload
    def solve(
        self,
        residuals: Residuals,
        *,
        background: Literal[True],
        **options: Unpack[SolveKeywords],
    ) -> FitHandle: ...

    @renamed(FITTING)
    def solve(
        self,
        residuals: Residuals,
        *,
        steps: int | None = None,
        grids: Sequence[int] | None = None,
        starts: int | None = None,
        sparsity: float | Sparsity = 0.0,
        smoothing: float | None = None,
        update_grid: bool = True,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        seed: int = 0,
        background: bool = False,
    ) -> FitReport | FitHandle:
        """Make residuals of the model small by least squares; the whole run is one step.

        The model stands for an unknown function u, as in a differential equation: the residuals are
        what should be 0, inside and on the boundary. Steps are those of Levenberg-Marquardt in
        float64, with exact derivatives. The loss in the report is the mean of the squared
        residuals. Edits in between, Ctrl-C and undo are as in ``fit``. Of a model that was fitted
        to data, x, u and its derivatives are in the units of these, which stay.

        Parameters
        ----------
        residuals : callable
            ``residuals(u)`` returns a tensor or several, made of ``u(x)`` and of ``gradient``,
            ``hessian``, ``laplacian`` and ``pointwise`` of ``kanviz.nn``, at points x (samples,
            inputs) that are the same at every call. Multiply what is to count more by a number.
            Scatter the points: on a lattice a spline can be right at the points and wrong between
            them. A ``torch.nn.Parameter`` in them is an unknown coefficient of the equation (up to
            50 numbers): when the run is over it has the value that goes with u. It begins with the
            value that it has, and ``undo`` leaves it.
        steps, grids, starts, sparsity, smoothing, update_grid, callbacks, progress, seed
            As in ``fit``; what is relative to the variance of y there is so to the mean square of
            the residuals of u = 0. An untouched network begins from the best of up to 4 starts.
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

        A rate that is not known, from what was measured:

        >>> rate = torch.nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
        >>> seen = torch.exp(-1.7 * t)
        >>> report = KAN([1, 1], dtype=torch.float64).solve(
        ...     lambda u: [gradient(u, t)[:, 0] + rate * u(t), u(t) - seen],
        ...     steps=10, progress=False)
        >>> round(rate.item(), 2)
        1.7
        """
        options: dict[str, Any] = {
            "steps": steps,
            "grids": grids,
            "starts": starts,
            "sparsity": sparsity,
            "smoothing": smoothing,
            "update_grid": update_grid,
            "callbacks": callbacks,
            "progress": progress,
            "seed": seed,
        }

        def ask(network: Network) -> tuple[Task, FitCall]:
            about = self.session.about
            units = (about.x_scaling, about.y_scaling) if about.has_units else None
            equation = Equation(residuals, units=units)
            task = prepare_equation(network, equation, read_options(options))
            some = Network(network.shape, dtype=task.x.dtype, device=task.x.device)
            marks = task.x, equation.values(some)  # tell equations of one name apart
            asked, about = options_given(KAN.solve, options), about.seeing(task.x)
            return task, FitCall("model.solve", equation.name, marks, asked, about, Solved)

        running = self.session.fit(ask, background=background)
        return running if background else running.wait()

    def train(self, mode: bool = True, **options: Any) -> "KAN":  # noqa: FBT001, FBT002 - torch's
        """Switch torch's train mode; ``fit`` is what learns.

        Parameters
        ----------
        mode : bool
            Whether it is on.
        **options
            None: those of another library's training are refused.

        Returns
        -------
        KAN
            This model.

        Raises
        ------
        TypeError
            If it is called as the training of another library, with data or options.

        Examples
        --------
        >>> KAN([1, 1]).train().training
        True
        """
        if options or not isinstance(mode, bool):
            raise TypeError(
                "train switches torch's train mode on or off. To learn, write model.fit(data)."
            )
        return super().train(mode)

    def refresh(self, optimizer: torch.optim.Optimizer) -> None:
        """Let an optimizer of your own go on after an edit, a fit, undo or redo.

        The weight of each layer is one ``Parameter`` for life: where it keeps its shape, as after
        ``update_grid``, ``prune``, ``fit`` and ``undo`` of these, an optimizer needs nothing. Call
        this after ``refine``, which gives weights another shape, so that averages of the old one
        (momentum) are forgotten; and after ``fix``, whose numbers are new parameters: they join the
        first group.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer
            That holds parameters of this model, and perhaps others.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> adam = torch.optim.Adam(model.parameters())
        >>> _ = model.refine(10)
        >>> model.refresh(adam)
        """
        refresh(optimizer, self.parameters())

    @property
    def running_fit(self) -> FitHandle | None:
        """The fit that runs now, in the background or in a cell; None if there is none.

        Examples
        --------
        >>> KAN([1, 1]).running_fit is None
        True
        """
        return self.session.running

    # ---- answers ---------------------------------------------------------------------------------

    @overload
    def predict(self, x: Any, *, return_std: Literal[False] = False) -> np.ndarray: ...

    @overload
    def predict(self, x: Any, *, return_std: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...

    def predict(
        self, x: Any, *, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return what the model says of x: numbers in the user's units, or labels of classes.

        Parameters
        ----------
        x : (samples, inputs)
            Array, data frame, tensor or nested list, in the user's units; or a ``Dataset``, whose
            training inputs are taken. Of a data frame the columns are taken by name.
        return_std : bool
            Whether to return the standard errors too: how far what is said may be from the mean of
            many observations at the same x. Of a model that was fitted with ``smoothing="auto"``.

        Returns
        -------
        (samples, outputs) array of float64, or (samples,) array
            Numbers, of counts their means; or for classes the likeliest one's label, as the user
            wrote it.
        (samples, outputs) array
            With ``return_std``: their standard errors, in the user's units; for classes those of
            ``predict_proba``.

        Raises
        ------
        ValueError, TypeError
            If x does not fit, is empty, or holds what is not a finite number; with ``return_std``
            where they are not known.

        Examples
        --------
        >>> model = KAN([1, 2])
        >>> report = model.fit([0.0, 1, 2, 3], ["low", "low", "high", "high"], progress=False)
        >>> model.predict([0.5, 2.5]).tolist()
        ['low', 'high']
        """
        scores, classes = self.decision_function(x), self.classes
        said = scores if classes is None else labels_of(scores.argmax(axis=1), classes)
        if self.session.about.is_counts:
            said = np.exp(scores)
        if not return_std:
            return said
        errors = self._standard_errors(x)
        if self.session.about.is_counts:
            errors = errors * said
        if classes is not None:
            shares = self.predict_proba(x)
            errors = errors * shares * (1 - shares)
        return said, errors

    def predict_interval(
        self, x: Any, level: float = 0.95, *, of: Literal["mean", "new"] = "mean"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return between which numbers the truth at x is, for a model fitted to noisy data.

        Parameters
        ----------
        x : (samples, inputs)
            As for ``predict``.
        level : float
            How often the interval is to cover it, above 0 and below 1: on average over x, not at
            each place. Where no data were it is a guess from the smoothness of the curves.
        of : str
            ``"mean"``: the mean of many observations at x. ``"new"``: one more observation, whose
            noise comes on top, of several outputs each its own.

        Returns
        -------
        low, high : (samples, outputs) arrays
            In the user's units, of counts for their means; for classes between which
            probabilities each class's is.

        Raises
        ------
        ValueError, TypeError
            If the model does not know its noise (fit with ``smoothing="auto"``), was changed since,
            or x or an option does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(0, 10, (200, 1))
        >>> model = KAN([1, 1], grid_size=10)
        >>> noisy = np.sin(X) + 0.3 * rng.standard_normal(X.shape)
        >>> report = model.fit(X, noisy, smoothing="auto", progress=False)
        >>> low, high = model.predict_interval([[5.0]])
        >>> bool(low < np.sin(5.0) < high)
        True
        """
        check_choice("of", of, ("mean", "new"))
        check_level(level)
        with self.session.reading():  # errors and outputs are of one state
            errors, said, doubt = self._standard_errors(x), self.decision_function(x), self._doubt()
            noise = (doubt.noises * self.session.about.y_scaling.scale).numpy()
            is_of_classes, is_counts = self.classes is not None, self.session.about.is_counts
        if is_counts:
            if of == "new":
                raise ValueError(
                    "One more count scatters around its mean as Poisson has it. Leave out "
                    "of='new': the interval is then of the mean."
                )
            reach = doubt.factor(level) * errors
            return np.exp(said - reach), np.exp(said + reach)
        if is_of_classes:
            if of == "new":
                raise ValueError(
                    "One more observation is of one class or another, and has no interval. Leave "
                    "out of='new': the interval is then of the probabilities."
                )
            middle, reach = log_odds(said), doubt.factor(level) * errors
            return sigmoid(middle - reach), sigmoid(middle + reach)
        if of == "new":
            errors = np.hypot(errors, noise)
        reach = doubt.factor(level) * errors
        return said - reach, said + reach

    def _standard_errors(self, x: Any) -> np.ndarray:
        """Return those of ``decision_function``, for classes of the probabilities' log odds."""
        with self.session.reading():
            doubt, inputs = self._doubt(), self.session.inputs(x)
            is_of_classes = self.classes is not None
            errors = doubt.errors_of_outputs(self.network, inputs, of_classes=is_of_classes)
            if errors is None:
                raise ValueError(
                    "This model was changed since the fit that its doubt comes from, and what it "
                    "says now has none. Fit it again with smoothing='auto', or take back the "
                    "changes with undo()."
                )
            scale = self.session.about.y_scaling.scale
        return (errors.cpu() * scale).numpy()

    def _doubt(self) -> Doubt:
        """Return what the last fit left open."""
        doubt = self.session.doubt
        if doubt is None:
            raise ValueError(
                "This model does not know the noise in its data, so it has no bands. Fit it with "
                "smoothing='auto', which finds the noise."
            )
        return doubt

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return how likely each class is.

        Parameters
        ----------
        x : (samples, inputs)
            As for ``predict``.

        Returns
        -------
        (samples, classes) array
            Float64, each row adds up to 1; columns in the order of ``classes``.

        Raises
        ------
        ValueError, TypeError
            If the model is one of numbers, or x does not fit.

        Examples
        --------
        >>> model = KAN([1, 2])
        >>> report = model.fit([0.0, 1, 2, 3], ["low", "low", "high", "high"], progress=False)
        >>> model.predict_proba([0.5]).sum().round(6).item()
        1.0
        """
        if self.classes is None:
            raise ValueError("This model predicts numbers, not classes. Use predict.")
        scores = torch.from_numpy(self.decision_function(x))
        return torch.softmax(scores, dim=1).numpy()

    def decision_function(self, x: Any) -> np.ndarray:
        """Return the outputs of the model: for classes one score each, the likeliest's the highest.

        Parameters
        ----------
        x : (samples, inputs)
            As for ``predict``.

        Returns
        -------
        (samples, outputs) array
            Float64; for numbers what ``predict`` gives.

        Raises
        ------
        ValueError, TypeError
            If x does not fit, is empty, or holds what is not a finite number.

        Examples
        --------
        >>> KAN([1, 2]).decision_function([[0.5]]).shape
        (1, 2)
        """
        check_given("x", x)
        with self.session.reading():
            about, inputs = self.session.about, self.session.inputs(x)
            outputs = node_values(self.network, inputs)[-1]
        return about.y_scaling.undo(outputs.cpu()).numpy()

    def evaluate(self, data: Any, *, sample_weight: Any = None) -> dict[str, float]:
        """Return how well the model does on data, in the user's units.

        Parameters
        ----------
        data : Dataset, (X, y) or a loader
            As for ``fit``.
        sample_weight : (samples,), optional
            How many times each row of X counts; a ``Dataset`` keeps its own.

        Returns
        -------
        dict
            ``"train_rmse"``, ``"train_r2"`` and, with a test part, ``"test_rmse"``, ``"test_r2"``;
            for classes ``"train_accuracy"``, ``"test_accuracy"``. A part of one row has no R^2.

        Raises
        ------
        ValueError, TypeError
            If the data do not fit the model.

        Examples
        --------
        >>> sorted(KAN([1, 1]).evaluate(([0.0, 1, 2], [0.0, 1, 4])))
        ['train_r2', 'train_rmse']
        """
        stream = None if is_in_memory(data) else as_stream(data)
        if stream is not None:
            refuse_weight(sample_weight)
            network, about = self.session.copy_network(dtype=None), self.session.about
            with torch.random.fork_rng(devices=[]):  # loaders draw from torch's generator
                batches = in_units(stream, about, network.layers[0].weight)
                return quality_in_batches(network, batches, about.y_scaling)
        with self.session.reading():
            weighed = self.session.dataset(
                data, sample_weight=sample_weight, one_row=True, as_given=True
            )
            return quality(self.network, weighed)

    def score(self, data: Any, y: Any = None, *, sample_weight: Any = None) -> float:
        """Return one number for how well the model does: R^2, or for classes the share right.

        Parameters
        ----------
        data : Dataset, (X, y) or X
            As for ``fit``; of a ``Dataset`` the test part counts, or the training part without one.
        y : (samples,) or (samples, outputs), optional
            The targets of X.
        sample_weight : (samples,), optional
            How many times each row of X counts; a ``Dataset`` keeps its own.

        Returns
        -------
        float
            R^2, the mean over the outputs (1 is perfect, 0 as good as the mean of y), or accuracy.
            Of an output that is constant in the data R^2 is 1 where it is met to rounding, else 0.

        Raises
        ------
        ValueError, TypeError
            If the data do not fit the model, or their test part has one row only.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> report = model.fit([0.0, 1, 2, 3], [0.0, 10, 20, 30], progress=False)
        >>> round(model.score([0.5, 1.5], [5.0, 15.0]), 3)
        1.0
        """
        found = self.evaluate(data if y is None else (data, y), sample_weight=sample_weight)
        part = "test" if "test_rmse" in found else "train"
        if f"{part}_rmse" in found and f"{part}_r2" not in found:
            raise ValueError(
                "R^2 compares with the mean of at least 2 rows; got 1. Pass more, or ask evaluate "
                "for the RMSE."
            )
        for name in ("test_r2", "test_accuracy", "train_r2", "train_accuracy"):
            if name in found:
                return found[name]
        raise AssertionError(f"evaluate gives R^2 or accuracy; got {list(found)}")

    # ---- looking inside --------------------------------------------------------------------------

    def bands(self, x: Any = None, *, level: float = 0.95) -> dict[Edge, Band]:
        """Return how far the curve of each edge may be from the truth.

        Of a model that was fitted with ``smoothing="auto"``. A band covers the true curve at a
        share ``level`` of its points, on average, as far as the network can be the truth at all.
        It is of the curve less its mean, because other edges into the node share that, and with
        mean and standard deviation of each hidden node held, because the next edges make up for
        these. An edge whose curve is another by now has none, nor one that was frozen.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; the bands are over the range that it visits. By default the sample
            that the model remembers.
        level : float
            Above 0 and below 1.

        Returns
        -------
        dict of Edge to Band
            ``x``, ``low``, ``curve`` and ``high`` are (points,) arrays, in the units of the nodes
            that the edge comes from and leads to: the user's, where that is an input or an output.

        Raises
        ------
        ValueError
            If the model was fitted without evidence, or x does not fit.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(0, 10, (200, 1))
        >>> model = KAN([1, 1])
        >>> noisy = np.sin(X) + 0.3 * rng.standard_normal(X.shape)
        >>> report = model.fit(X, noisy, smoothing="auto", progress=False)
        >>> band = model.bands()[Edge(0, 0, 0)]
        >>> bool(np.median(band.high - band.low) < 0.5)
        True
        """
        check_level(level)
        with self.session.reading():
            doubt, about = self._doubt(), self.session.about
            return bands_of(self.network, self.session.inputs(x), doubt, about, level)

    def trace(self, x: Any = None) -> Trace:
        """Return what every edge and node does with a sample.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.

        Returns
        -------
        Trace
            One record per layer, detached: ``layers[0].inputs`` and ``outputs`` are in the user's
            units, and so is what the last edges add; what is between has none.

        Raises
        ------
        ValueError, TypeError
            If x does not fit.

        Examples
        --------
        >>> KAN([2, 3, 1]).trace([[0.0, 1.0]]).layers[0].edge_outputs.shape
        torch.Size([1, 2, 3])
        """
        with self.session.reading():
            found = trace(self.network, self.session.inputs(x))
            return trace_in_user_units(found, self.session.about)

    def edge_scores(
        self, x: Any = None, *, metric: Metric = "backward", output: int | None = None
    ) -> EdgeScores:
        """Return how much every edge matters: one (in_features, out_features) tensor per layer.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.
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

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 1, 2))
        >>> model.edge_scores()[0][1, 2].item()
        0.0
        """
        with self.session.reading():
            return scores(self.network, self.session.inputs(x), metric, output=output).edges

    def node_scores(
        self, x: Any = None, *, metric: Metric = "backward", output: int | None = None
    ) -> NodeScores:
        """Return how much every node matters: one (width,) tensor per layer, inputs first.

        Parameters
        ----------
        x, output
            As for ``edge_scores``.
        metric : str
            ``"backward"``: the sum of the scores of the node's outgoing edges. ``"std"``: the
            standard deviation of its value, in the network's units.

        Returns
        -------
        list over layers of (width,)
            ``node_scores[layer][i]`` is the score of node (layer, i).

        Raises
        ------
        ValueError, TypeError, IndexError
            As in ``edge_scores``.

        Examples
        --------
        >>> [len(layer) for layer in KAN([2, 3, 1]).node_scores()]
        [2, 3, 1]
        """
        with self.session.reading():
            return scores(self.network, self.session.inputs(x), metric, output=output).nodes

    def feature_scores(
        self,
        x: Any = None,
        *,
        output: int | None = None,
        by: Literal["effect", "freedom"] = "effect",
    ) -> Float[Tensor, " inputs"]:
        """Return how much every input matters: (inputs,), no unit, 0 for an input not in use.

        What the outputs lose when the input is shuffled, as a share of their variance; the mean
        over the outputs or that of one ``output``. 1 for the only input that matters; of
        independent inputs the scores add up to 1, or to more where inputs act together. How much
        goes through an edge or a node is another question, see ``edge_scores``: two paths that
        cancel have high scores there and none here.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.
        output : int, optional
            Count only this output (0-based).
        by : str
            ``"effect"``, as above; or ``"freedom"``, of a model that was fitted with
            ``smoothing="auto"``: how many effective degrees of freedom the edges have that leave
            the input, about 1 for a straight line, 0 where the data ask for nothing.

        Returns
        -------
        (inputs,) tensor

        Raises
        ------
        ValueError, TypeError
            If x does not fit, or is one sample only.
        IndexError
            If there is no such output.

        Examples
        --------
        >>> model = KAN([2, 1])
        >>> model.remove_node((0, 1))
        >>> model.feature_scores()
        tensor([1., 0.])
        """
        check_choice("by", by, ("effect", "freedom"))
        with self.session.reading():
            if by == "freedom":
                return freedom_of_inputs(self.network, self._doubt())
            return feature_scores(self.network, self.session.inputs(x), output=output)

    def contributions(
        self, x: Any, sample: Any = None
    ) -> Float[np.ndarray, "samples inputs outputs"]:
        """Return what each input adds to the outputs of each row, in the user's units.

        ``predict(x)`` less the sum over the inputs is the mean of the model over the sample, the
        same for all rows. Shapley values over 64 rows of the sample: exact where inputs act
        together in pairs at most (``kanviz.analysis.attribution.contributions``).

        Parameters
        ----------
        x : (samples, inputs)
            The rows to explain, in the user's units.
        sample : (samples, inputs) or Dataset, optional
            What they are compared with; by default the sample that the model remembers.

        Returns
        -------
        (samples, inputs, outputs) array of float64
            In the unit of y; of a classifier in that of its scores (``decision_function``).

        Raises
        ------
        ValueError, TypeError
            If x or the sample do not fit.

        Examples
        --------
        >>> model = KAN([2, 1], dtype=torch.float64)
        >>> rows = [[0.0, 0.5], [0.5, -0.5]]
        >>> report = model.fit(rows, [1.0, 2.0], steps=5, progress=False)
        >>> shares = model.contributions(rows)
        >>> shares.shape
        (2, 2, 1)
        >>> rest = model.predict(rows) - shares.sum(1)
        >>> bool(abs(rest[0] - rest[1]) < 1e-9)
        True
        """
        check_given("x", x)
        with self.session.reading():
            rows, others = self.session.inputs(x), self.session.inputs(sample)
            shares = torch.stack([contributions(self.network, row, others) for row in rows])
            scale = self.session.about.y_scaling.scale.to(shares)
            found: np.ndarray = (shares.double() * scale.double()).cpu().numpy()
            return found

    def structure(self, data: Any, *, output: int = 0) -> "Structure":
        """Return what the model's function is built of: sums, products, combined inputs.

        Which inputs separate, which matter by ``a - b``, ``a*b`` or ``a^2 + b^2`` alone, whose sign
        is nothing, and the tree that follows. Each test has a score and its chance level, from how
        sure the model is where the last fit has found the noise, else from what it leaves of y.

        Parameters
        ----------
        data : Dataset or (X, y)
            Rows to move inside their ranges, and to measure the model's error with.
        output : int
            The output that is asked about.

        Returns
        -------
        Structure
            Shows itself as a table; ``tree()``, ``sketch``. See ``kanviz.analysis.structure``.

        Raises
        ------
        ValueError, TypeError
            If the model tells classes, the data do not fit it, or there is no such output.

        Examples
        --------
        >>> model = KAN([2, 1], dtype=torch.float64)
        >>> model.fix((0, 0, 0), "sin(x)")
        >>> model.fix((0, 1, 0), "x")
        >>> X = torch.rand(100, 2, dtype=torch.float64)
        >>> print(model.structure((X, model(X).detach())).tree())
        y: sum
        ├─ f1, a function of x_1
        └─ straight line of x_2
        """
        with self.session.reading():
            work, about, dataset = (
                self.session.copy_network(),
                self.session.about,
                self.session.dataset(data),
            )
            doubt = self._doubt_of(work, dataset)
        error = None
        if doubt is not None and about.classes is None:
            errors = doubt.errors_of_outputs(work, dataset.x.double(), of_classes=False)
            if errors is not None and 0 <= output < errors.shape[1]:
                size = float(about.y_scaling.scale[output])
                error = float(errors[:, output].square().mean().sqrt()) * size

        def outputs(x: Tensor) -> Tensor:
            scaled = about.x_scaling.apply(x).to(work.layers[0].weight)
            return about.y_scaling.undo(work(scaled))

        return structure(outputs, dataset, output=output, error=error)

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
        x : (samples, inputs) or Dataset, optional
            In the user's units; curves are drawn over the range that it visits.
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

        Examples
        --------
        >>> len(KAN([2, 3, 1]).snapshot().edges)
        9
        """
        from kanviz.analysis.capture import capture

        with self.session.reading():
            found = capture(
                self.network,
                self.session.inputs(x),
                input_names=self.input_names,
                output_names=self.output_names,
                metric=metric,
                max_edges=max_edges,
                title=title,
                doubt=self.session.doubt,
            )
            return in_user_units(found, self.network, self.session.about)

    def recipe(self) -> Recipe:
        """Return all numbers that compute the model elsewhere, as plain arrays.

        Knots, weights and formulas of every layer and the units of the data: what a page without a
        kernel computes from. The base function's weight stands behind the coefficients of an edge,
        so a function can be split into its base part and its spline part.

        Examples
        --------
        >>> KAN([2, 3, 1]).recipe().layers[0].weight.shape
        (2, 9, 3)
        """
        self.session.check_numbers()
        with self.session.reading():
            return recipe_of(self.network, self.session.about)

    # ---- pictures --------------------------------------------------------------------------------

    @renamed(PLOTTING)
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
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.
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

        Examples
        --------
        >>> KAN([2, 3, 1]).plot(theme="dark").get_size_inches().shape
        (2,)
        """
        with uninterrupted():
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

        Returns
        -------
        matplotlib Figure

        Raises
        ------
        IndexError
            If there is no such layer.

        Examples
        --------
        >>> len(KAN([2, 3, 1]).plot_layer(0).axes) > 0
        True
        """
        with uninterrupted():
            from kanviz.views.matrix import layer_figure

        read_edge(self.network, (layer, 0, 0))
        return layer_figure(self.snapshot(x), layer, theme=theme)

    def graph(self, x: Any = None) -> "DiGraph":
        """Return the network as a networkx graph with the data of the picture.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.

        Returns
        -------
        networkx DiGraph
            Nodes are ``(layer, index)``; see ``kanviz.views.graph.network_graph`` for what they and
            the edges carry.

        Examples
        --------
        >>> KAN([2, 3, 1]).graph().number_of_edges()
        9
        """
        with uninterrupted():
            from kanviz.views.graph import network_graph

        return network_graph(self.snapshot(x))

    def explore(
        self,
        data: Any = None,
        *,
        title: str = "",
        height: int | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> "Explorer":
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

        Examples
        --------
        >>> diagram = KAN([2, 3, 1]).explore(height=400)
        >>> diagram.height
        400
        >>> diagram.close()
        """
        with uninterrupted():
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
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers. Of a data set the
            page tells the errors too.
        title : str
            The heading; by default the widths of the network.
        live : bool
            Whether the page is the live diagram, which computes and edits the network in the
            browser; else it is a still picture and a table, without any script.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> page = pathlib.Path(tempfile.mkdtemp()) / "model.html"
        >>> KAN([2, 3, 1]).to_html(page, live=False)
        >>> page.exists()
        True
        """
        with uninterrupted():
            from kanviz.live.desk import Desk
            from kanviz.live.page import write_page

        if not live:
            write_page(self.snapshot(x, title=title), path)
            return
        desk = Desk(self, x if isinstance(x, Dataset) else None, x=x, title=title)
        write_whole(path, desk.page().encode())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a notebook shows: the picture, or, where that fails, the text alone."""
        with uninterrupted():
            from kanviz.live.page import still_bundle

        try:
            return still_bundle(self.snapshot(), repr(self))
        except Exception:
            logger.exception("The picture of a model failed; its text is shown instead.")
            return {"text/plain": repr(self)}, {}

    def _display_(self) -> object:
        """Return what marimo shows: the picture, where it would list the modules of torch."""
        return Shown(self._repr_mimebundle_()[0])

    # ---- edits by hand ---------------------------------------------------------------------------

    @one_address("(0, 1, 2)")
    def remove_edge(self, edge: EdgeLike) -> None:
        """Take out an edge: it adds nothing from now on; its function is kept.

        Parameters
        ----------
        edge : Edge or (layer, i, j)
            From node i of ``layer`` to node j of ``layer + 1``, all 0-based.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is removed already.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 1, 2))
        >>> model
        KAN([2, 3, 1], grid_size=5, spline_order=3, basis='bspline', base='silu'): 8 of 9 edges
        """
        self.session.change(Remove(tuple(read_edge(self.network, edge))))

    @one_address("(0, 1, 2)")
    def restore_edge(self, edge: EdgeLike) -> None:
        """Bring back a removed edge with the function that it had.

        Parameters
        ----------
        edge : Edge or (layer, i, j)

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is not removed.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 1, 2))
        >>> model.restore_edge((0, 1, 2))
        >>> model.steps[-1]
        'restored edge (0, 1, 2)'
        """
        self.session.change(Remove(tuple(read_edge(self.network, edge)), removed=False))

    @one_address("(1, 0)")
    def remove_node(self, node: Sequence[int]) -> None:
        """Take out all edges at an input (layer 0) or a hidden node.

        The widths stay: a removed input is a column of x that is not used.

        Parameters
        ----------
        node : (layer, i)

        Raises
        ------
        IndexError
            If there is no such node, or it is an output.
        ValueError
            If it has no edge left.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_node((1, 0))
        >>> model
        KAN([2, 3, 1], grid_size=5, spline_order=3, basis='bspline', base='silu'): 6 of 9 edges
        """
        self.session.change(Remove(read_node(self.network, node)))

    @one_address("(1, 0)")
    def restore_node(self, node: Sequence[int]) -> None:
        """Bring back all edges at a node, whichever way each was removed.

        Parameters
        ----------
        node : (layer, i)

        Raises
        ------
        IndexError
            If there is no such node, or it is an output.
        ValueError
            If none of its edges is removed.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_node((1, 0))
        >>> model.restore_node((1, 0))
        >>> model
        KAN([2, 3, 1], grid_size=5, spline_order=3, basis='bspline', base='silu'): 9 of 9 edges
        """
        self.session.change(Remove(read_node(self.network, node), removed=False))

    def move_point(self, edge: EdgeLike, m: int, height: float) -> None:
        """Put a control point of an edge at a height.

        Parameters
        ----------
        edge : Edge or (layer, i, j)
        m : int
            Which point, from 0 to G + k - 1.
        height : float
            In the unit of the node that the edge leads to: the user's, where that is an output.

        Raises
        ------
        IndexError
            If there is no such edge or point.
        ValueError
            If the edge is removed or a formula, or the height not finite.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.move_point((0, 0, 0), 3, 0.5)
        >>> model.steps
        ['moved point 3 of edge (0, 0, 0)']
        """
        place = read_edge(self.network, edge)
        units = self.session.units_at(place)
        self.session.change(MovePoint(*place, m, float(height), units))

    def set_curve(self, edge: EdgeLike, x: Sequence[float], y: Sequence[float]) -> None:
        """Bend the spline of an edge through points, by least squares.

        Parameters
        ----------
        edge : Edge or (layer, i, j)
        x, y : (points,)
            Where the curve should pass, in the units of the node that the edge comes from and of
            the one that it leads to: the user's, where that is an input or an output. Where there
            are no points it stays as it was.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the edge is removed or a formula, or the points make no sense.

        Examples
        --------
        >>> model = KAN([1, 1], grid_size=20)
        >>> x = torch.linspace(-1, 1, 100)
        >>> model.set_curve((0, 0, 0), x.tolist(), torch.sin(x).tolist())
        >>> abs(model(torch.tensor([[0.5]])).item() - 0.479) < 0.01
        True
        """
        points = [tuple(float(value) for value in values) for values in (x, y)]
        place = read_edge(self.network, edge)
        units = self.session.units_at(place)
        self.session.change(SetCurve(*place, points[0], points[1], units))

    @renamed(REFINING)
    def refine(self, grid_size: int) -> list[float]:
        """Give every edge ``grid_size`` intervals and keep the functions.

        Parameters
        ----------
        grid_size : int
            Intervals of every edge from now on, at least 1.

        Returns
        -------
        list of float
            The largest root-mean-square change of an edge in each layer, in the network's units:
            0.0 where it is exact, as for splines and a multiple of the present grid size.

        Raises
        ------
        ValueError
            If ``grid_size`` is not an integer of at least 1.

        Examples
        --------
        >>> KAN([2, 1], grid_size=5, base="zero").refine(10)
        [0.0]
        """
        return self.session.change(Refine(grid_size))

    def update_grid(
        self, x: Any = None, *, grid_eps: float | None = None, margin: float = 0.01
    ) -> list[float]:
        """Move the knots of every layer to what the sample x makes it see, and refit.

        Parameters
        ----------
        x : (samples, inputs) or Dataset, optional
            In the user's units; by default the sample that the model remembers.
        grid_eps : float, optional
            1 for equally spaced knots over the range of the data, 0 for its quantiles. By default
            1, and less for an input of which a few values far out would take most of the grid.
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

        Examples
        --------
        >>> model = KAN([1, 1], dtype=torch.float64)
        >>> changes = model.update_grid([[0.0], [2.0]], margin=0.0)
        >>> model.network.layers[0].grid_points[0, [0, -1]].tolist()
        [0.0, 2.0]
        """
        with self.session.at_rest():
            about = self.session.about
            if x is None and about.sample is None:
                raise ValueError(
                    "This model has seen no data, which update_grid needs. Pass x, or call fit "
                    "first."
                )
            inputs = self.session.inputs(x)
            name = "" if x is None else self.session.history.name_of("x", tensors_of(x))
            seen = about if x is None else about.seeing(inputs)
            return self.session.change(UpdateGrid(inputs, name, grid_eps, margin), about=seen)

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

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.freeze((0, 1, 2))
        >>> int(model.network.layers[0].frozen.sum())
        1
        """
        self.session.change(Freeze(read_place(place)))

    def constrain(self, edge: EdgeLike, *shapes: Shape) -> None:
        """Let the curve of an edge keep shapes from now on, while one trains, drags and refines.

        The shapes hold wherever the curve goes, also where there are no data, and are kept in files
        and scripts; the base function goes into the spline. Edges that are locked with it keep them
        too. A formula (``fix``) takes the place of the spline, whatever its shape.

        Parameters
        ----------
        edge : Edge or (layer, i, j)
            A spline that is not removed.
        *shapes : str
            ``"increasing"``, ``"decreasing"``, ``"convex"``, ``"concave"``; ``"even"`` and
            ``"odd"`` about x = 0 of the user's unit. Several that go together, such as
            ``"increasing", "concave"``. They take the place of those that the edge had.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If shapes do not go together, or the edge cannot keep them: it is removed, a formula or
            radial; or 0, for even and odd, is outside of its grid or not known before a fit.

        References
        ----------
        How, and with which sources: ``kanviz.nn.constraints``.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.constrain((0, 0, 0), "increasing")
        >>> x = torch.linspace(-1, 1, 50).unsqueeze(1)
        >>> report = model.fit(x, torch.sin(5 * x), steps=20, progress=False)
        >>> bool((model.predict(x)[1:] >= model.predict(x)[:-1] - 1e-6).all())
        True
        """
        place = read_edge(self.network, edge)
        if not shapes:
            raise ValueError("constrain needs a shape, such as 'increasing'. Name one or more.")
        check_shapes(shapes)
        centre = 0.0
        if place.layer == 0 and {"even", "odd"} & {*shapes}:
            if self.session.about.sample is None:
                raise ValueError(
                    "Even and odd are about x = 0, whose place in the network is known after the "
                    "first fit. Call fit first."
                )
            units = self.session.units_at(place)
            centre = -units.shift / units.scale
        self.session.change(Constrain(place, tuple(shapes), centre))

    def unconstrain(self, edge: EdgeLike) -> None:
        """Let the curve of an edge take any shape again.

        Parameters
        ----------
        edge : Edge or (layer, i, j)
            An edge that is constrained.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is not constrained.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.constrain((0, 0, 0), "convex")
        >>> model.unconstrain((0, 0, 0))
        >>> model.steps[-1]
        'freed edge (0, 0, 0) of its constraint'
        """
        self.session.change(Constrain(read_edge(self.network, edge), ()))

    def unfreeze(self, place: int | Sequence[int]) -> None:
        """Let an edge, a node or a layer learn again.

        Parameters
        ----------
        place : layer, (layer, i) or (layer, i, j)
            As for ``freeze``.

        Raises
        ------
        IndexError
            If there is no such place.
        ValueError
            If none of it is frozen.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.freeze(0)
        >>> model.unfreeze((0, 1, 2))
        >>> int(model.network.layers[0].frozen.sum())
        5
        """
        self.session.change(Freeze(read_place(place), frozen=False))

    def lock(self, edges: Sequence[EdgeLike]) -> float:
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

        Examples
        --------
        >>> KAN([2, 3, 1]).lock([(0, 0, 0), (0, 1, 0)])
        0.0
        """
        return self.session.change(Lock(read_edges(edges))) or 0.0

    def unlock(self, edges: Sequence[EdgeLike]) -> None:
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

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> change = model.lock([(0, 0, 0), (0, 1, 0)])
        >>> model.unlock([(0, 0, 0), (0, 1, 0)])
        >>> model.steps[-1]
        'unlocked edges (0, 0, 0) and (0, 1, 0)'
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

        Examples
        --------
        >>> plan = KAN([2, 3, 1]).plan()
        >>> len(plan.upto(1).edges) >= 1
        True
        """
        check_choice("what", what, get_args(What))
        with self.session.reading():
            work, sample = self.session.copy_network(), self.session.inputs(None).double()
            dataset = None if data is None else self.session.dataset(data)
        judge = judge_of_outputs(work, sample) if dataset is None else judge_of_all(dataset)
        measure = measure_of(judge, of_outputs=dataset is None)
        return plan_of(work, sample, judge, what, measure)

    @renamed(PRUNING)
    def prune(
        self,
        data: Any = None,
        *,
        threshold: float | None = None,
        fraction: float | None = None,
        edges: Sequence[EdgeLike] | None = None,
        what: What = "edges",
        tolerance: float = 0.01,
        on_drop: "Callable[[Drop], object] | None" = None,
    ) -> PruneReport:
        """Remove what does not matter, as one step of the history.

        Without data, all goes whose score is low. With data, in context: the weakest goes, all
        others are refitted briefly, and it stays away if the held-out error has not risen by more
        than ``tolerance`` in all. All that is very weak is tried at once first, then whole nodes,
        then edges. Where the data chose the smoothness (``fit(smoothing="auto")``), idle edges go
        before all others, if that makes the data no less likely, and refits keep the smoothness.
        ``threshold``, ``fraction`` or ``edges``, at most one, say what may go at all.

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
        on_drop : callable, optional
            Called with each ``Drop`` of the report as it comes, with data. If it raises, nothing is
            removed, and the error goes on to the caller.

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

        Examples
        --------
        >>> report = KAN([2, 3, 1]).prune(edges=[(0, 1, 2)])
        >>> report.edges
        (Edge(layer=0, i=1, j=2),)
        """
        chosen = None if edges is None else [read_edge(self.network, edge) for edge in edges]
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
            doubt = None if dataset is None else self._doubt_of(work, dataset)
            report = prune(
                work,
                sample,
                dataset,
                limits,
                what=what,
                tolerance=tolerance,
                doubt=doubt,
                on_drop=on_drop or (lambda _: None),
            )
            names, options = [], dict(limits)
            if chosen is not None:
                options["edges"] = [tuple(edge) for edge in chosen]
            if dataset is not None:
                names = [self.session.history.name_of("data", tensors_of(data))]
                options["tolerance"] = tolerance
            if what != "edges":
                options["what"] = what
            count = "1 edge" if len(report.edges) == 1 else f"{len(report.edges)} edges"
            words = f"pruned {count}{' in context' if names else ''}"
            if doubt is not None and dataset is not None:
                x, weight = dataset.x.double(), dataset.sample_weight
                family = family_of(dataset.y)
                found = Doubt.of(work, x, doubt.smoothing, doubt.scale, weight, family)
                doubt = replace(found, is_robust=doubt.is_robust, shares=doubt.shares)
            left = doubt if dataset is not None else self.session.doubt
            call = call_code("model.prune", *names, **options)
            self.session.change(Became(work, call, words, left))
            return report

    def _doubt_of(self, network: Network, data: Dataset) -> Doubt | None:
        """Return what the data left open, where all of the network still is what was fitted."""
        doubt = self.session.doubt
        return doubt if doubt is not None and doubt.is_of(network, data.x.double()) else None

    # ---- formulas --------------------------------------------------------------------------------

    def suggest(
        self,
        edge: EdgeLike,
        *,
        functions: Sequence[str] | None = None,
        top: int | None = 10,
    ) -> "SuggestionTable":
        """Return which known functions the curve of an edge looks like; changes nothing.

        Small laws such as ``"a*x^3 + b*x + c"`` are among them where no single function does as
        well; ``fix`` takes their names. Where edges are locked to one function, it is seen through
        the inputs of all of them.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        functions : sequence of str, optional
            Names to choose from; by default the whole library, and small laws.
        top : int, optional
            How many to return; None for all.

        Raises
        ------
        IndexError
            If there is no such edge.

        Examples
        --------
        >>> model = KAN([1, 1], grid_size=10)
        >>> model.fix((0, 0, 0), "sin", affine=(2.0, 0.0, 1.0, 0.0))
        >>> model.suggest((0, 0, 0), functions=["sin", "x^2"]).best.name
        'sin'
        """
        with uninterrupted():
            from kanviz.symbolic.suggest import library_of, suggest

        with self.session.reading():
            place = read_edge(self.network, edge)
            curve = edge_samples(self.network, self.session.inputs(None), place)
            x, y = curve_in_user_units(curve, self.session.units_at(place))
        return suggest(
            x, y, functions=None if functions is None else library_of(functions), top=top
        )

    @renamed(numbers="affine")
    def fix(
        self,
        edge: EdgeLike,
        formula: str,
        *,
        affine: Affine | None = None,
        constants: Mapping[str, float] | None = None,
        trainable: bool = True,
    ) -> None:
        """Make an edge a formula c f(a x + b) + d; its spline rests until ``unfix``.

        A formula may have free constants of its own, single letters such as a and b in
        ``"x**3 + a*x + b"``. They are fitted to the curve, and training moves them alone.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        formula : str
            The name of a known function such as ``"sin"``, whose four numbers are fitted to the
            curve, or any formula of x such as ``"0.5*x**2 + 1"``, which is taken as it is but for
            its free constants.
        affine : (a, b, c, d), optional
            The numbers, instead of a fit.
        constants : mapping of str to float, optional
            The free constants by name, instead of a fit.
        trainable : bool
            Whether training may move the numbers.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the formula cannot be read, or the edge is removed.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.fix((0, 0, 0), "0.5*x**2 + 1")
        >>> model.predict([[2.0]]).item()
        3.0
        >>> model.fix((0, 0, 0), "x**3 + a*x + b")  # the nearest of these to the curve
        >>> print(model.formula())
        x_1**3 - 0.60...*x_1 + 1.16...
        """
        with uninterrupted():
            from kanviz.symbolic.suggest import function_of, quality_of

        with self.session.at_rest():
            place = read_edge(self.network, edge)
            units, sample = self.session.units_at(place), self.session.inputs(None)
            x, y = curve_in_user_units(edge_samples(self.network, sample, place), units)
            function, found, own_constants = function_of(formula, affine, x, y, constants)
            step = trace(self.network, sample).layers[place.layer]
            own = step.inputs[:, place.i].double(), step.edge_outputs[:, place.i, place.j].double()
            numbers = *units.to_network(found), *own_constants
            quality = quality_of(function, numbers, *own)
            edit = FixEdge(
                *place, function, found, trainable, formula, quality, units, own_constants
            )
            self.session.change(edit)

    def unfix(self, edge: EdgeLike) -> None:
        """Give an edge its spline back, as it was when it was fixed.

        Parameters
        ----------
        edge : Edge or (layer, i, j)

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is no formula.

        Examples
        --------
        >>> model = KAN([1, 1])
        >>> model.fix((0, 0, 0), "sin")
        >>> model.unfix((0, 0, 0))
        >>> model.steps[-1]
        'gave edge (0, 0, 0) its spline back'
        """
        self.session.change(UnfixEdge(*read_edge(self.network, edge)))

    def symbolify(
        self,
        data: Any,
        *,
        tolerance: float | None = None,
        functions: Sequence[str] | None = None,
        n_jobs: int = 1,
        on_edge: "Callable[[EdgeReport], object] | None" = None,
    ) -> "SymbolReport":
        """Turn splines into formulas as long as the whole network stays as good; one step.

        Edge by edge the simplest function that does is taken, and a small law (``suggest``) where
        none does and no functions are named; then each choice is questioned again,
        and numbers near to 0, integers, pi, e and simple fractions become these, all as long as the
        held-out error agrees. Frozen edges stay as they are.

        Where the fit has found noise, the likelihood judges: a function is accepted as long as
        chance explains by how much it makes the training rows less likely than the splines do, and
        a more complex one only where no chance explains by how much it makes them likelier. The
        report tells the logarithm of the likelihood of each stage.

        Parameters
        ----------
        data : Dataset or (x, y)
            To refit and judge on. Where no noise is known, its test part judges, or a fifth of it
            that is held out.
        tolerance : float, optional
            By how much the held-out error may rise in all, as a share of the standard deviation of
            y. By default what chance explains, or where no noise is known half of what it is; an
            error of a millionth is always good enough.
        functions : sequence of str, optional
            Names to choose from; by default the whole library, and small laws.
        n_jobs : int
            How many candidates are tried at a time, through joblib: in processes of this machine,
            or by whatever backend ``joblib.parallel_config`` names. 1 starts no process. The
            result is the same.
        on_edge : callable, optional
            Called with what came of each edge, as soon as it is known; again where it is questioned
            again.

        Returns
        -------
        SymbolReport
            Edge by edge what was tried and chosen; edges without a good formula stay splines. Its
            ``pareto()`` tells complexity and error of every stage on the way.

        Examples
        --------
        >>> x = torch.linspace(-1, 1, 60, dtype=torch.float64).unsqueeze(1)
        >>> model = KAN([1, 1], dtype=torch.float64)
        >>> report = model.fit(x, x**2, progress=False)
        >>> model.symbolify((x, x**2), functions=["x", "x^2"]).edges[0].chosen
        'x^2'
        """
        with uninterrupted():
            from kanviz.symbolic.snapping import Units
            from kanviz.symbolic.suggest import library_of
            from kanviz.symbolic.symbolify import symbolify

        with self.session.at_rest():
            work, dataset = self.session.copy_network(), self.session.dataset(data)
            doubt = self._doubt_of(work, dataset) if tolerance is None else None
            if tolerance is not None:
                judge = judge_of(dataset)
            elif doubt is not None:
                judge = noisy_judge_of(dataset, doubt)
            else:
                judge = measured_judge_of(dataset, work)
            report = symbolify(
                work,
                judge,
                tolerance=tolerance,
                functions=library_of(functions or None),
                laws=not functions,
                units=Units(dataset.x_scaling, dataset.y_scaling),
                n_jobs=n_jobs,
                on_edge=on_edge or (lambda _: None),
                dof=float(learning_weights(work).sum()) if doubt is None else doubt.dof,
            )
            name = self.session.history.name_of("data", tensors_of(data))
            given = {"tolerance": tolerance, "functions": functions}
            options = {key: value for key, value in given.items() if value is not None}
            chosen = sum(edge.chosen is not None for edge in report.edges)
            words = f"made {chosen} of {len(report.edges)} edges formulas"
            call = call_code("model.symbolify", name, **options)
            left = None if judge.noise is None else doubt_after(work, dataset, judge)
            if left is not None and doubt is not None:
                left = replace(left, is_robust=doubt.is_robust)
            self.session.change(Became(work, call, words, left))
            return report

    @renamed(simplify="simplify_seconds")
    def formula(
        self,
        *,
        digits: int | None = 6,
        snap: float = 1e-6,
        simplify_seconds: float = 2.0,
        errors: bool = False,
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
        simplify_seconds : float
            What may be spent on a shorter form, which is broken off then; 0 for none.
        errors : bool
            Whether numbers are shown with their standard errors, as ``(3.14 +- 0.01)``, where the
            last fit, or ``symbolify``, has found the noise in the data. They are those of least
            squares for the formula as it is shown; nice numbers such as 1/2 and pi have none.

        Returns
        -------
        Formula
            Prints itself; has ``to_latex``, ``to_callable``, ``to_torch``, ``to_python``, ``to_c``,
            sympy ``expressions``, and ``error``: how far it is from the model.

        Raises
        ------
        ArithmeticError
            If formula and model differ on rows of the sample where no edge leaves the domain of its
            function. Elsewhere a network goes on smoothly where a formula has no value, or another
            one; ``error`` counts these rows too.
        ValueError
            If the formula would be too long to be written or read, as that of a large network.

        Examples
        --------
        >>> model = KAN([2, 1])
        >>> model.fix((0, 0, 0), "2*x")
        >>> model.fix((0, 1, 0), "x**2")
        >>> print(model.formula())
        2*x_1 + x_2**2
        """
        with uninterrupted():
            from kanviz.symbolic.formula import formula_to_read

        with self.session.reading():
            work, about = self.session.copy_network(), self.session.about
            sample = self.session.inputs(None).double()
            doubt = self._doubt() if errors else None
        found = formula_to_read(
            work, about, sample, digits=digits, snap=snap, simplify=simplify_seconds
        )
        if doubt is None:
            return found
        if about.classes is not None:
            raise ValueError("Scores of classes have no noise. Leave out errors=True.")
        rows = about.x_scaling.undo(sample.cpu()).numpy()
        # The sample stands for all rows: so many more tell so much more.
        share = math.sqrt(len(rows) * len(self.output_names) / doubt.n)
        noise = doubt.noises * about.y_scaling.scale * share
        return found.with_errors(rows, noise.tolist())

    # ---- history ---------------------------------------------------------------------------------

    def undo(self) -> str:
        """Take back the last step, to the last bit, and return its sentence.

        While a fit runs that is the last edit made meanwhile with all that was learnt since, or,
        without one, all that the fit has learnt so far; the fit goes on from there.

        Returns
        -------
        str
            What was taken back.

        Raises
        ------
        IndexError
            If there is no step to take back.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 0, 0))
        >>> model.undo()
        'removed edge (0, 0, 0)'
        """
        return self.session.undo()

    def redo(self) -> str:
        """Do the step undone last again, to the last bit, and return its sentence.

        Returns
        -------
        str
            What was done again.

        Raises
        ------
        IndexError
            If there is none; any new step clears them.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 0, 0))
        >>> _ = model.undo()
        >>> model.redo()
        'removed edge (0, 0, 0)'
        """
        return self.session.redo()

    @property
    def steps(self) -> list[str]:
        """What was done and not undone, oldest first, one sentence per step.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.freeze(1)
        >>> model.steps
        ['froze layer 1']
        """
        return self.session.history.sentences()

    def script(self) -> str:
        """Return the history as Python that makes the model again, given the same data.

        Returns
        -------
        str
            Data appear by name, as ``data`` or ``x``.

        Examples
        --------
        >>> model = KAN([2, 3, 1])
        >>> model.remove_edge((0, 0, 0))
        >>> print(model.script())
        import kanviz as kv
        <BLANKLINE>
        model = kv.KAN([2, 3, 1])
        model.remove_edge((0, 0, 0))
        <BLANKLINE>
        """
        return self.session.history.script()

    def on_change(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call a function after each change; return the function that ends this.

        Parameters
        ----------
        callback : callable
            ``callback(sentence)`` is called in the thread that made the change, before the next can
            be made; it must not wait for a thread that edits.

        Returns
        -------
        callable
            Ends it.

        Examples
        --------
        >>> model, heard = KAN([2, 3, 1]), []
        >>> leave = model.on_change(heard.append)
        >>> model.freeze(1)
        >>> leave()
        >>> heard
        ['froze layer 1']
        """
        return self.session.watch(callback)


DEFAULTS = {name: one.default for name, one in inspect.signature(KAN).parameters.items()}
"""What ``KAN`` takes where nothing is said."""


def _session_of(widths: Sequence[NodeCount] | Session, options: dict[str, Any]) -> Session:
    """Return what holds the state of a new model, or the one that was passed."""
    if isinstance(widths, Session):
        for name, value in options.items():
            if value is not DEFAULTS[name]:
                raise ValueError(
                    f"A network that exists keeps its functions; got {name} beside it. "
                    "Leave it out."
                )
        return widths
    check_integer("seed", options["seed"], 0)
    given = options_given(KAN, options)
    given.pop("product_arity", None)  # the widths that a script is given say it
    dtype = choose_dtype(options["dtype"])
    network = Network(widths, **(options | {"dtype": dtype}))
    about = About.nothing(network.widths[0], network.widths[-1])
    # A script must not depend on the default dtype of the session that runs it.
    if dtype != torch.float32:
        given["dtype"] = dtype
    start = f"model = {call_code('kv.KAN', str(list(network.shape)), **given)}"
    return Session(network, about, start)
