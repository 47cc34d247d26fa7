"""``fit``: trains a network through a schedule of grids and says what it did."""

from dataclasses import fields
from typing import Any

from kanviz.checks import check_choice
from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.equation import Equation
from kanviz.training.errors import Errors
from kanviz.training.gauge import Gauge
from kanviz.training.options import FitOptions
from kanviz.training.prepare import prepare
from kanviz.training.report import FitReport
from kanviz.training.trainer import Trainer


def fit(network: Network, data: Dataset, **options: Any) -> FitReport:
    """Train a network in place on a data set.

    Nothing is changed before the end: if the fit fails the network is as it was. Ctrl-C ends the
    fit with the best state so far. The same seed gives the same numbers on the same machine.

    Parameters
    ----------
    network : Network
        Trained in place, in its own dtype ("lm" works in float64 within).
    data : Dataset
        ``x`` (samples, widths[0]) and ``y`` (samples, widths[-1]) or class numbers (samples,).
    **options
        See ``FitOptions``.

    Returns
    -------
    FitReport
        The history, what stopped it, seconds, starts tried.

    Raises
    ------
    ValueError
        If data and network do not fit together, or an option is out of range.
    FloatingPointError
        If no finite step could be made; names the layer and edge.
    """
    trainer = trainer_of(network, data, **options)
    trainer.train()
    if trainer.outcome is not None:
        network.take(trainer.outcome)
    return trainer.report


def trainer_of(network: Network, data: Dataset, **options: Any) -> Trainer:
    """Return what is ready to train a copy of the network; arguments and errors as for ``fit``."""
    task = prepare(network, data, _read(options))
    return Trainer(task, Gauge(data, task.loss).measure)


def solver_of(network: Network, equation: Equation, **options: Any) -> Trainer:
    """Return what is ready to solve an equation with a copy of the network.

    Raises
    ------
    ValueError, TypeError
        If equation, options and network do not fit together.
    """
    task = prepare(network, equation, _read(options))
    return Trainer(task, lambda _, loss: Errors("loss", loss, None))


def _read(options: dict[str, Any]) -> FitOptions:
    known = [field.name for field in fields(FitOptions)]
    for name in options:
        check_choice("option", name, known)
    return FitOptions(**options)
