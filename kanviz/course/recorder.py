"""A callback that keeps what a network was like while it learned, for films and staircases."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from kanviz.analysis.capture import capture
from kanviz.checks import check_integer
from kanviz.data import as_dataset
from kanviz.data.dataset import About
from kanviz.nn.state import NetworkState
from kanviz.snapshot import Snapshot
from kanviz.training.report import Progress

MOST_ROWS = 300
"""Points of a picture of what is left."""


class Recorder:
    """Keeps the last step of every grid level of a fit, and every so many steps if asked to.

    Pass one to ``fit(..., callbacks=[recorder])``, then ask it for ``snapshots``. It copies numbers
    (the weights and knots of the steps that it keeps) and holds no network; pictures are made when
    asked for, so that the fit does not wait for them. A fit that begins anew clears it.

    Parameters
    ----------
    data : Dataset or (x, y)
        What the network is trained on: names, and the sample that ranges and scores are of.
    every : int, optional
        Also keep the steps 1, 1 + every, 1 + 2 every, ...

    Raises
    ------
    ValueError, TypeError
        If ``every`` is not an integer of at least 1, or the data make no sense.

    Examples
    --------
    >>> import kanviz as kv
    >>> data = kv.from_function(lambda x: x[:, 0] ** 2, ranges=[(-1, 1)], n_train=50)
    >>> recorder = Recorder(data)
    >>> options = {"grids": [3, 5], "steps": 2, "progress": False}
    >>> report = kv.KAN([1, 1]).fit(data, callbacks=[recorder], **options)
    >>> list(recorder.snapshots)  # the last step of each level
    [2, 4]
    >>> {step: rows.shape for step, rows in recorder.left.items()}  # input, and what is missing
    {2: (50, 2), 4: (50, 2)}
    """

    def __init__(self, data: Any, every: int | None = None) -> None:
        if every is not None:
            check_integer("every", every, 1)
        dataset = as_dataset(data)
        self._about = About.data(dataset)
        self._rows = (dataset.x[:MOST_ROWS], dataset.y[:MOST_ROWS])
        self._every = every
        self._states: dict[int, NetworkState] = {}
        self._step = self._grid_size = 0

    def __call__(self, progress: Progress) -> None:
        """Take note of one step; ``fit`` calls this."""
        if progress.step <= self._step:
            self._states.clear()
        elif progress.grid_size == self._grid_size and not self._is_due(self._step):
            self._states.pop(self._step, None)  # not the last of its level after all
        self._states[progress.step] = NetworkState.capture(progress.network)
        self._step, self._grid_size = progress.step, progress.grid_size

    @property
    def snapshots(self) -> dict[int, Snapshot]:
        """The network at each step that was kept, by the step's number, in their order.

        They are made anew each time, about a hundredth of a second each for small networks.
        """
        return {step: self._picture(state) for step, state in self._states.items()}

    @property
    def left(self) -> dict[int, npt.NDArray[np.float64]]:
        """What is left to learn at each step that was kept, (rows, 2), of at most 300 rows.

        The first input, and the first target less what the network gives, both in the network's
        units.
        """
        x, y = self._rows
        found = {}
        for step, state in self._states.items():
            network = state.build(x.device)
            with torch.no_grad():  # a fit may work in more digits than the data have
                given = network(x.to(network.layers[0].weight))[:, 0]
            missing = y.reshape(len(y), -1)[:, 0] - given
            found[step] = torch.stack([x[:, 0], missing], dim=1).double().cpu().numpy()
        return found

    def _is_due(self, step: int) -> bool:
        return self._every is not None and (step - 1) % self._every == 0

    def _picture(self, state: NetworkState) -> Snapshot:
        network = state.build(next(state.tensors()).device)
        assert self._about.sample is not None  # ``About.data`` takes one
        return capture(
            network,
            self._about.sample.to(network.layers[0].weight.detach()),
            input_names=self._about.input_names,
            output_names=self._about.output_names,
        )
