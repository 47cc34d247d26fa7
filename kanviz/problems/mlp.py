"""``train_mlp``: a multilayer perceptron trained as well as it can be, for honest comparisons."""

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from kanviz.checks import check_choice, check_integer
from kanviz.data import Dataset, Scaling
from kanviz.problems.descents import Loss, adam, lbfgs, levenberg_marquardt
from kanviz.problems.perceptron import MLP

__all__ = ["MLP", "train_mlp"]

OPTIMIZERS = ("lm", "lbfgs", "adam")


def train_mlp(
    data: Dataset,
    widths: Sequence[int],
    *,
    activation: str = "silu",
    optimizer: Literal["lm", "lbfgs", "adam"] = "lbfgs",
    steps: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
    start: MLP | None = None,
) -> MLP:
    """Train a multilayer perceptron on the training part of a data set.

    Inputs and numeric targets are standardised inside the model. For data without noise use
    float64: in float32 the squared error stops falling near 1e-7 of the variance.

    Parameters
    ----------
    data : Dataset
        Numbers or classes; classes are trained by cross entropy. Its test part is not looked at.
    widths : sequence of int
        Inputs, hidden widths, outputs.
    activation : str
        ``"silu"``, ``"tanh"`` or ``"relu"``.
    optimizer : str
        ``"lm"``: Levenberg-Marquardt with dense steps, the best for numbers and up to about a
        thousand weights; ``"lbfgs"``: with a line search; ``"adam"``: with batches and a cosine
        schedule, for many weights or much data.
    steps : int
        Most iterations of "lm" and "lbfgs"; updates of "adam".
    seed : int
        Picks the starting weights and the batches.
    batch_size : int, optional
        Samples per update of "adam"; all by default.
    start : MLP, optional
        Go on from a copy of this model, with its scaling, instead of new weights.

    Returns
    -------
    MLP

    Raises
    ------
    ValueError
        If the widths do not fit the data or ``start``, or an option is out of range.
    """
    check_choice("optimizer", optimizer, OPTIMIZERS)
    check_integer("steps", steps, 1)
    _check_fits(data, widths, optimizer, batch_size)
    model = _model(data, widths, activation, seed) if start is None else copy.deepcopy(start)
    if model.widths != tuple(widths):
        raise ValueError(
            f"widths must be those of start, {list(model.widths)}; got {list(widths)}. "
            "Leave out start for new weights."
        )
    z = (data.x - model.x_shift) / model.x_scale
    target, loss = _aim(model, data)
    if optimizer == "lm":
        levenberg_marquardt(model, z, target, steps=steps)
    elif optimizer == "lbfgs":
        lbfgs(model, z, target, loss, steps=steps)
    else:
        generator = torch.Generator().manual_seed(seed)
        adam(model, z, target, loss, steps=steps, batch_size=batch_size, generator=generator)
    return model


def _model(data: Dataset, widths: Sequence[int], activation: str, seed: int) -> MLP:
    """Return an untrained model whose scaling is that of the training part."""
    classes = data.is_classification
    y = Scaling.identity(data.n_outputs, data.x) if classes else Scaling.standard(data.y)
    x = Scaling.standard(data.x)
    return MLP(widths, activation=activation, x_scaling=x, y_scaling=y, seed=seed)


def _aim(model: MLP, data: Dataset) -> tuple[Tensor, Loss]:
    """Return what the standardised outputs should be, and the loss that says how far they are."""
    if data.is_classification:
        return data.y, nn.functional.cross_entropy
    return (data.y - model.y_shift) / model.y_scale, nn.functional.mse_loss


def _check_fits(
    data: Dataset, widths: Sequence[int], optimizer: str, batch_size: int | None
) -> None:
    ends = [data.n_inputs, data.n_outputs]
    if len(widths) < 2 or [widths[0], widths[-1]] != ends:
        raise ValueError(
            f"widths must start with {ends[0]} and end with {ends[1]}, as the data do; got "
            f"{list(widths)}. Pass for example {[ends[0], 20, ends[1]]}."
        )
    if optimizer == "lm" and data.is_classification:
        raise ValueError(
            "optimizer must not be 'lm' for classes, because it needs a squared loss; got 'lm'. "
            "Use 'lbfgs' or 'adam'."
        )
    if batch_size is not None:
        check_integer("batch_size", batch_size, 1)
        if optimizer != "adam":
            raise ValueError(
                f"batch_size must be None unless optimizer is 'adam'; got {batch_size}. "
                "Leave it out, or use 'adam'."
            )
