"""How far a network is from its data: the one place that computes errors, for all of kanviz."""

import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data import Dataset, Scaling
from kanviz.data.scaling import ROUNDING, Moments, mean_of, root_mean_square
from kanviz.nn import Network

Loss = Callable[[Tensor, Tensor], Tensor]
"""``loss(outputs, y)`` returns a scalar."""


@dataclass(frozen=True)
class InUserUnits:
    """A loss of the user's own that takes the network's outputs and targets.

    It is asked in the user's units, which it may depend on: of the targets 0 and 1 of a binary
    cross entropy, or of a price, no other numbers make sense.
    """

    loss: Loss
    units: Scaling

    def __call__(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the loss of outputs and targets in the network's units."""
        return self.loss(self.units.undo(outputs).to(outputs), self.units.undo(y).to(y))


def by_rows(loss: Loss) -> Loss:
    """Return the same loss of each row by itself, as torch has it with ``reduction="none"``.

    Raises
    ------
    ValueError
        If it cannot be had: a function that returns one number for all rows.
    """
    if isinstance(loss, InUserUnits):
        return InUserUnits(by_rows(loss.loss), loss.units)
    if isinstance(loss, torch.nn.Module) and hasattr(loss, "reduction"):
        twin = copy.copy(loss)
        setattr(twin, "reduction", "none")  # noqa: B010 - a text there, which torch types as Tensor
        return twin
    asked: Callable[..., Tensor] = loss
    try:
        takes = set(inspect.signature(asked).parameters)
    except (TypeError, ValueError):
        takes = set()
    if "reduction" in takes:
        return partial(asked, reduction="none")
    raise ValueError(
        "sample_weight needs a loss that torch can take row by row; got one number for all of "
        f"{getattr(loss, '__name__', type(loss).__name__)}. Pass 'mse', or a loss of torch.nn."
    )


def loss_of(loss: Loss, outputs: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean loss, each row counted so many times."""
    if weight is None:
        value: Any = _asked(loss, outputs, y)
        if not isinstance(value, Tensor) or value.numel() != 1:
            shape = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""
            raise ValueError(
                "loss must return a tensor of one number; got "
                f"{shape or type(value).__name__}. Return the mean of what the outputs miss."
            )
        return value.squeeze()
    each = by_rows(loss)(outputs, y)
    rows = each.flatten(1).mean(1) if each.ndim > 1 else each
    return mean_of(rows, weight)


def _asked(loss: Loss, outputs: Tensor, y: Tensor) -> Any:
    """Return what a loss says; where one of torch refuses, say to what."""
    try:
        return loss(outputs, y)
    except (RuntimeError, TypeError) as error:
        own = loss.loss if isinstance(loss, InUserUnits) else loss
        if not type(own).__module__.startswith("torch.nn"):
            raise
        why = str(error).splitlines()[0].rstrip(".")
        raise ValueError(
            f"{type(own).__name__} takes no outputs of shape {tuple(outputs.shape)} and y of shape "
            f"{tuple(y.shape)} and {y.dtype} like these: {why}. Take another loss."
        ) from error


LOSS_FUNCTIONS: dict[str, Loss] = {
    "mse": torch.nn.functional.mse_loss,
    "cross_entropy": torch.nn.functional.cross_entropy,
}


@dataclass(frozen=True)
class Errors:
    """Errors on the training and the test part of the data.

    Parameters
    ----------
    name : str
        ``"RMSE"``: the root of the mean squared error over all outputs, in the user's units;
        ``"accuracy"``: the share of the classes that is right; or ``"loss"``, while a fit runs, for
        classes and for a loss of the user's own.
    train : float
    test : float or None
        None where the data have no test part.
    """

    name: str
    train: float
    test: float | None

    @classmethod
    def of(cls, network: Network, data: Dataset) -> "Errors":
        """Return RMSE or accuracy of a network, which may be in any dtype and is not changed."""
        found = quality(network, data)
        name = "accuracy" if data.is_classification else "RMSE"
        return cls(name, found[f"train_{name.lower()}"], found.get(f"test_{name.lower()}"))

    @classmethod
    def of_step(cls, network: Network, data: Dataset, loss: Loss, value: float) -> "Errors":
        """Return the errors of a network in training, whose training loss is known.

        Where one factor leads from that loss to the user's units, the training data are not
        computed again: a watched fit asks at every picture.

        Parameters
        ----------
        network : Network
            In any dtype.
        data : Dataset
            What it is trained on.
        loss : callable
            What it is trained with.
        value : float
            Its training loss, in the network's units.
        """
        x, y, scales = data.x_test, data.y_test, data.y_scaling.scale
        if loss is not LOSS_FUNCTIONS["mse"]:
            weight = data.sample_weight_test
            test = None if x is None or y is None else loss_on(network, x, y, loss, weight)
            return cls("loss", value, test)
        if bool((scales == scales[0]).all()):
            train = value**0.5 * float(scales[0])
        else:
            train = _numbers(network, data.x, data.y, data.y_scaling, data.sample_weight)["rmse"]
        if x is None or y is None:
            return cls("RMSE", train, None)
        found = _numbers(network, x, y, data.y_scaling, data.sample_weight_test)
        return cls("RMSE", train, found["rmse"])


@torch.no_grad()
def relative_error(outputs: Tensor, y: Tensor, scale: float, weight: Tensor | None = None) -> float:
    """Return an error without a unit, by which searches judge; NaN and inf count as inf.

    For numbers the root mean square over ``scale``, the standard deviation of y; for classes the
    square root of the mean cross entropy. With weights each row counts so many times.
    """
    if y.is_floating_point():
        left = outputs - y
        every = None if weight is None else weight.repeat_interleave(left[0].numel())
        error = root_mean_square(left.flatten(), every) / scale
    else:
        error = loss_of(torch.nn.functional.cross_entropy, outputs, y, weight).sqrt()
    return float(error.nan_to_num(nan=torch.inf))


def deviation_of(y: Tensor, weight: Tensor | None = None) -> float:
    """Return the unit of errors on targets: their standard deviation (divisor n) over all outputs.

    Of constant targets, to rounding, their size, and 1 where they are all 0: never 0. With weights
    each row counts so many times.
    """
    values = y.detach().double().flatten()
    every = None if weight is None else weight.repeat_interleave(y[0].numel())
    size = float(values.abs().amax())
    found = float(root_mean_square(values - mean_of(values, every), every))
    return found if found > ROUNDING * size else size or 1.0


@torch.no_grad()
def loss_on(
    network: Network, x: Tensor, y: Tensor, loss: Loss, weight: Tensor | None = None
) -> float:
    """Return a network's loss on samples, whatever dtype it is in.

    Our own losses are computed in float64 from what the network gives in its dtype; a user's own
    gets what the network computes in.
    """
    like = network.layers[0].weight
    outputs = network(x.to(like))
    if loss in LOSS_FUNCTIONS.values():
        outputs = outputs.double()
    return float(loss_of(loss, outputs, y.to(outputs) if y.is_floating_point() else y, weight))


def quality(network: Network, data: Dataset) -> dict[str, float]:
    """Return measures of the network on the training and test part of the data.

    Parameters
    ----------
    network : Network
        Not changed; the data are cast to its dtype.
    data : Dataset
        Test measures are left out where it has no test part.

    Returns
    -------
    dict
        For numbers ``"train_rmse"``, ``"test_rmse"`` (in the user's units, over all outputs) and
        ``"train_r2"``, ``"test_r2"`` (share of the variance explained, 1 is perfect). Of an output
        whose targets are constant, R^2 is 1 where they are met to rounding and 0 where not; a part
        of one row has none. For classes ``"train_accuracy"`` and ``"test_accuracy"`` (share that is
        right). Each row counts by its weight.
    """
    found: dict[str, float] = {}
    for part, x, y, weight in (
        ("train", data.x, data.y, data.sample_weight),
        ("test", data.x_test, data.y_test, data.sample_weight_test),
    ):
        if x is None or y is None:
            continue
        if data.is_classification:
            measures = {"accuracy": _accuracy(network, x, y, weight)}
        else:
            measures = _numbers(network, x, y, data.y_scaling, weight, is_counts=data.is_counts)
            if len(x) < 2:
                del measures["r2"]
        found |= {f"{part}_{name}": value for name, value in measures.items()}
    return found


@torch.no_grad()
def quality_in_batches(
    network: Network, batches: Iterable[tuple[Tensor, Tensor]], units: Scaling
) -> dict[str, float]:
    """Return what ``quality`` says of a training part that comes in batches.

    Parameters
    ----------
    network : Network
        Not changed.
    batches : iterable of (x, y)
        In the network's units and dtype; class numbers are int64.
    units : Scaling
        Of the outputs.
    """
    left, targets, n_right, n = Moments(), Moments(), 0, 0
    for x, y in batches:
        outputs = network(x)
        n += len(x)
        if y.is_floating_point():
            left.add(((outputs - y).double() * units.scale.to(y.device)).cpu())
            targets.add(units.undo(y).cpu())
        else:
            n_right += int((outputs.argmax(-1) == y).sum())
    if not left.rows:
        return {"train_accuracy": n_right / n}
    squares = left.mean.square() + left.deviation.square()
    size = torch.maximum(targets.lowest.abs(), targets.highest.abs())
    eps = torch.finfo(network.layers[0].weight.dtype).eps
    is_met = (squares.sqrt() <= 8 * eps * size).double()
    is_constant = targets.deviation <= ROUNDING * size
    r2 = torch.where(is_constant, is_met, 1 - squares / targets.deviation.square())
    found = {"train_rmse": float(squares.mean().sqrt())}
    return found | ({"train_r2": float(r2.mean())} if n > 1 else {})


OVERFIT, LOST, LOST_CLASSES = 1.5, 0.02, 0.05
"""A fit is called overfit where its test error is this many times that of training and explains
this much less of the variance; of classes, where this much less is right. Overview says the same.
"""


def overfit(errors: Mapping[str, float]) -> str:
    """Return a sentence where a model does much worse on the test part; empty where it does not.

    Parameters
    ----------
    errors : mapping
        As from ``quality``.

    Examples
    --------
    >>> overfit({"train_rmse": 1.0, "train_r2": 0.99, "test_rmse": 2.5, "test_r2": 0.94})
    'Overfit: on the test part the error is 2.5 times that of training. Fewer grids or nodes, sparsity, or more rows help.'
    >>> overfit({"train_rmse": 1.0, "train_r2": 0.99, "test_rmse": 1.1, "test_r2": 0.98})
    ''
    """  # noqa: E501
    remedy = "Fewer grids or nodes, sparsity, or more rows help."
    if "test_accuracy" in errors:
        train, test = errors["train_accuracy"], errors["test_accuracy"]
        if train - test > LOST_CLASSES:
            return (
                f"Overfit: {test:.0%} of the test part is right, {train:.0%} of training. {remedy}"
            )
        return ""
    if "test_rmse" not in errors:
        return ""
    ratio = errors["test_rmse"] / max(errors["train_rmse"], MIN)
    lost = errors.get("train_r2", 1.0) - errors.get("test_r2", 1.0)
    if ratio > OVERFIT and lost > LOST:
        return (
            f"Overfit: on the test part the error is {ratio:.2g} times that of training. {remedy}"
        )
    return ""


MIN = sys.float_info.min


@torch.no_grad()
def _accuracy(network: Network, x: Tensor, y: Tensor, weight: Tensor | None) -> float:
    outputs = network(x.to(network.layers[0].weight))
    return float(mean_of((outputs.argmax(-1) == y).double(), weight))


@torch.no_grad()
def _numbers(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    y: Float[Tensor, "samples outputs"],
    units: Scaling,
    weight: Float[Tensor, " samples"] | None = None,
    *,
    is_counts: bool = False,
) -> dict[str, float]:
    """Return RMSE and R^2 in the user's units."""
    like = network.layers[0].weight
    outputs = network(x.to(like)).double()
    if is_counts:
        outputs, units = units.undo(outputs).exp(), Scaling.identity(outputs.shape[1], outputs)
    y, scale = y.to(outputs), units.scale.to(outputs)
    left = root_mean_square(outputs - y, weight)
    deviation = root_mean_square(y - mean_of(y, weight), weight)
    size = (units.undo(y) / scale).abs().amax(0)
    is_constant = deviation <= ROUNDING * size
    is_met = left <= 8 * torch.finfo(like.dtype).eps * size
    r2 = torch.where(is_constant, is_met.double(), 1 - (left / deviation).square())
    return {"rmse": float(root_mean_square(left * scale)), "r2": float(r2.mean())}
