"""From a network, an equation and options to one checked task."""

import copy
from collections.abc import Sequence

import torch

from kanviz.nn import Network
from kanviz.training.equation import BUILD_FROM, Equation
from kanviz.training.levenberg_marquardt import MOST_EXACT
from kanviz.training.linearise import n_weights
from kanviz.training.options import FitOptions
from kanviz.training.report import FitReport
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import LOSS_FUNCTIONS, Task, sparsity_of

NOT_HERE = ("loss", "batch_size", "learning_rate", "validation")


def prepare_equation(network: Network, equation: Equation, options: FitOptions) -> Task:
    """Check that network, equation and options fit together; the residuals are computed.

    Raises
    ------
    ValueError, TypeError
        If the residuals are no finite numbers, do not depend on u, or differ from call to call; if
        the network has too many weights for exact steps.
    """
    work = copy.deepcopy(network).to(torch.float64)
    grids = list(options.grids or [network.layers[0].spec.grid_size])
    _check_options(options)
    _check_size(work, grids)
    points = equation.points(work)
    if not len(points):
        raise ValueError(f"residuals must ask for u; got numbers without it. {BUILD_FROM}")
    _check_values(equation, work)
    zero = equation.values_of_zero(work)
    size = float(zero.square().mean().sqrt())
    return Task(
        network=network,
        x=points,
        y=points.new_zeros(0, network.widths[-1]),
        validation=None,
        loss=LOSS_FUNCTIONS["mse"],
        optimizer="lm",
        grids=grids,
        scale=size if 0 < size < float("inf") else 1.0,
        sparsity=sparsity_of(options),
        options=options,
        report=FitReport("lm"),
        equation=equation,
    )


def _check_options(options: FitOptions) -> None:
    """Raise where an option is for other ways to train."""
    asked = {"optimizer": None if options.optimizer in ("auto", "lm") else options.optimizer}
    asked |= {name: getattr(options, name) for name in NOT_HERE}
    for name, value in asked.items():
        if value is not None:
            raise ValueError(
                f"{name} must be left out because an equation is solved by steps of least squares; "
                f"got {value!r}. Use it with fit."
            )
    if isinstance(options.sparsity, Sparsity) and options.sparsity.metric != "std":
        raise ValueError(
            "sparsity must have metric='std' to solve an equation; got "
            f"{options.sparsity.metric!r}. Leave the metric out."
        )


def _check_size(network: Network, grids: Sequence[int]) -> None:
    layers = network.layers
    finer = sum((grids[-1] - layer.spec.grid_size) * layer.mask.numel() for layer in layers)
    total = n_weights(network) + finer
    if total > MOST_EXACT:
        raise ValueError(
            f"model must have at most {MOST_EXACT} weights to solve an equation, which takes exact "
            f"steps; got {total}. Choose fewer nodes or a coarser grid."
        )


def _check_values(equation: Equation, network: Network) -> None:
    values, again = equation.values(network), equation.values(network)
    if not len(values) or not bool(values.isfinite().all()):
        wrong = "none" if not len(values) else "one that is not"
        raise ValueError(
            f"residuals must be finite numbers; got {wrong}. Look at the equation at its points."
        )
    if not torch.equal(values, again):
        raise ValueError(
            "residuals must be the same at every call; got different numbers. Draw random points "
            "once, before the call."
        )
