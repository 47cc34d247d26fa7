"""KAN, the one object that a user holds."""

import copy
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import torch
from torch import Tensor

from kanviz.checks import check_integer
from kanviz.data.arrays import as_dataset, choose_dtype
from kanviz.data.dataset import About
from kanviz.edits.code import call_code, options_given
from kanviz.files import read_model
from kanviz.model.core import Core
from kanviz.model.fit_record import Aim, FitRecord
from kanviz.model.inputs import read_inputs
from kanviz.model.solving import Solving
from kanviz.model.training import Training
from kanviz.nn.inputs import GridRange
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.training.fit import trainer_of
from kanviz.training.report import FitReport


class KAN(Solving):
    """A Kolmogorov-Arnold network to train, look into, take apart and put back together.

    It is a torch module like any other. Beside its parameters it holds the names and units of its
    data, a small sample of the inputs it was last shown (for ranges and scores; written to disk
    only if asked), and its history. Questions such as ``plot`` change nothing; everything that
    changes the network is one step of the history, and a step that fails changes nothing either.

    Parameters
    ----------
    widths : sequence of int
        Nodes per layer, inputs first, such as ``[2, 5, 1]``.
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

    def __init__(
        self,
        widths: Sequence[int],
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
        network = Network(widths, **functions)
        about = About.nothing(network.widths[0], network.widths[-1])
        # A script must not depend on the default dtype of the session that runs it.
        shown = functions["dtype"] if dtype or functions["dtype"] != torch.float32 else None
        given = options_given(KAN, functions | {"dtype": shown})
        start = f"model = {call_code('kv.KAN', str(list(network.widths)), **given)}"
        super().__init__(network, about, start)

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
        model = cls.__new__(cls)
        start = f"model = {call_code('kv.KAN.from_layers', *arguments, **given)}"
        Core.__init__(model, network, about, start)
        return model

    @overload
    def fit(
        self, data: Any, *, background: Literal[False] = False, **options: Any
    ) -> FitReport: ...

    @overload
    def fit(self, data: Any, *, background: Literal[True], **options: Any) -> Training: ...

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
    ) -> FitReport | Training:
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
        FitReport or Training
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

        def prepare(work: Network) -> Training:
            trainer = trainer_of(work, dataset, **chosen)
            aim = Aim(About.data(dataset), "model.fit", "data", (dataset.x, dataset.y))
            record = FitRecord(aim, options_given(KAN.fit, chosen), trainer.report)
            return Training(trainer, dataset, record, in_background=background)

        training = self._bench.train(prepare, in_background=background)
        return training if background else training.wait()

    @property
    def running_fit(self) -> Training | None:
        """The fit that runs now, in the background or in a cell; None if there is none."""
        return self._bench.training

    def copy(self) -> "KAN":
        """Return a model that goes its own way, with the history so far, without watchers."""
        with self._bench.lock:
            return copy.deepcopy(self)

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
    model = KAN.__new__(KAN)
    start = f"model = kv.load({os.fspath(path)!r})"
    Core.__init__(model, saved.state.build(device), saved.about, start)
    return model
