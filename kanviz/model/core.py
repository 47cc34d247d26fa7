"""The frame of a model: a network, its names, its sample, its time line, its copies."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.data.dataset import About
from kanviz.files import SavedModel, write_model
from kanviz.model.inputs import grid_sample, read_inputs
from kanviz.model.workbench import Workbench
from kanviz.nn.network import Network
from kanviz.nn.state import NetworkState


class Core(nn.Module):
    """A network with one history; ``Questions``, ``Pictures`` and so on up to ``KAN`` add to it.

    Parameters
    ----------
    network : Network
        Edited in place from now on.
    about : About
        Names, units and a sample of its data.
    start : str
        Python that makes the model as it is now.
    """

    def __init__(self, network: Network, about: About, start: str) -> None:
        super().__init__()
        self.network = network
        self._bench = Workbench(network, about, start)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs (..., outputs) for x (..., inputs), both in the network's units.

        Raises
        ------
        TypeError
            If x is not of the model's dtype.
        ValueError
            If x has another number of columns, or is on another device.
        """
        if torch.compiler.is_compiling():  # a lock cannot be compiled
            return cast(Tensor, self.network(x))
        with self._bench.lock:
            return cast(Tensor, self.network(x))

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return self.network.widths

    @property
    def _about(self) -> About:
        return self._bench.history.about

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, as the data gave them."""
        return self._about.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, or of the classes."""
        return self._about.output_names

    def _input(self, x: Any) -> Tensor:
        """Return x as the network takes it, or what stands in for it."""
        weight = self.network.layers[0].weight.detach()
        if x is not None:
            return read_inputs(x, self.input_names, weight)
        sample = self._about.sample
        return grid_sample(self.network) if sample is None else sample.to(weight)

    def undo(self) -> str:
        """Take back the last step, to the last bit, and return its sentence.

        While a fit runs that is the last edit made meanwhile with all that was learnt since, or,
        without one, all that the fit has learnt so far; the fit goes on from there.

        Raises
        ------
        IndexError
            If there is no step to take back.
        """
        return self._bench.undo()

    def redo(self) -> str:
        """Do the step undone last again, to the last bit, and return its sentence.

        Raises
        ------
        IndexError
            If there is none; any new step clears them.
        """
        return self._bench.redo()

    @property
    def history(self) -> list[str]:
        """What was done and not undone, oldest first, one sentence per step."""
        return self._bench.history.sentences()

    def script(self) -> str:
        """Return the history as Python that makes the model again, given the same data."""
        return self._bench.history.script()

    def on_change(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call ``callback(sentence)`` after each change; return the function that ends this."""
        return self._bench.watch(callback)

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
        with self._bench.lock:
            state = NetworkState.capture(self.network)
            about = self._about if with_sample else replace(self._about, sample=None)
            write_model(path, SavedModel(state, about))
