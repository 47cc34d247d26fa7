"""What the user may say about a fit, checked once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

OPTIMIZERS = ("auto", "lm", "lbfgs", "adam", "adamw")
LOSSES = ("mse", "cross_entropy")

LossFunction = Callable[[Tensor, Tensor], Tensor]
Validation = None | float | tuple[Any, Any] | Literal["test"]


@dataclass(frozen=True)
class FitOptions:
    """How to train; every field has a default that works.

    Parameters
    ----------
    optimizer : str or torch.optim.Optimizer class
        ``"lm"`` Levenberg-Marquardt (squared loss), ``"lbfgs"``, ``"adam"``, ``"adamw"``, any
        optimizer class of torch, or ``"auto"``: "lm" for squared loss on all data at once up to
        4000 weights, "adam" with batches, else "lbfgs".
    steps : int, optional
        Per grid level: iterations of "lm" (default 150) and "lbfgs" (100), epochs of the others
        (100).
    loss : str or callable, optional
        ``"mse"``, ``"cross_entropy"`` or ``loss(outputs, y) -> scalar``; by default what the data
        ask for.
    grids : sequence of int, optional
        Grid sizes to train on, one after the other, as ``[3, 5, 10, 20]``; by default the present
        one only.
    batch_size : int, optional
        Samples per update for optimizers of the Adam kind; by default all.
    learning_rate : float, optional
        For optimizers other than "lm"; default 1 for "lbfgs", 0.01 else.
    curvature : float, optional
        Weight of the squared second differences of the coefficients, relative to the variance of
        y for squared loss; default 1e-10 for "lm", else 0. Raise it (1e-6 .. 1e-3) where a fine
        grid follows noise.
    validation : None, float, (x, y) or "test"
        Data to watch: a share of the training data, a pair, or the data's own test part. The best
        state on it is kept, and a level ends when it does not improve for ``patience`` steps.
    patience : int
        Steps without improvement before a level ends; with validation only.
    starts : int, optional
        Random starts to try before training (squared loss with "lm" only). By default as many as
        are cheap for an untouched network, and 1 (go on from here) for any other.
    update_grid : bool
        Whether knots follow the data and activations between rounds.
    callbacks : sequence of callable
        Each is called after every step with a ``Progress``; returning False stops the fit.
    progress : bool
        Whether to show a progress bar.
    seed : int
        Seed of batches, validation split and random starts.

    Raises
    ------
    ValueError
        If a value is out of its range or a name unknown.
    """

    optimizer: str | type[torch.optim.Optimizer] = "auto"
    steps: int | None = None
    loss: str | LossFunction | None = None
    grids: Sequence[int] | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    curvature: float | None = None
    validation: Validation = None
    patience: int = 20
    starts: int | None = None
    update_grid: bool = True
    callbacks: Sequence[Callable[[Any], bool | None]] = field(default=())
    progress: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        known = isinstance(self.optimizer, type) and issubclass(self.optimizer, torch.optim.Optimizer)
        _require(known or self.optimizer in OPTIMIZERS, "optimizer", _named(OPTIMIZERS, "a torch.optim.Optimizer class"), self.optimizer)
        _require(self.loss is None or callable(self.loss) or self.loss in LOSSES, "loss", _named(LOSSES, "a callable"), self.loss)
        for name in ("steps", "batch_size", "starts", "patience"):
            value = getattr(self, name)
            _require(value is None or _whole(value), name, "an integer of at least 1", value)
        rate = self.learning_rate
        _require(rate is None or rate > 0, "learning_rate", "above 0", rate)
        _require(self.curvature is None or self.curvature >= 0, "curvature", "at least 0", self.curvature)
        if self.grids is not None:
            grids = list(self.grids)
            rising = all(a < b for a, b in zip(grids, grids[1:], strict=False))
            _require(bool(grids) and all(map(_whole, grids)) and rising, "grids", "increasing integers of at least 1", grids)
        if isinstance(self.validation, float):
            _require(0 < self.validation < 1, "validation", "a share between 0 and 1", self.validation)
        elif isinstance(self.validation, str):
            _require(self.validation == "test", "validation", "None, a share, a pair or 'test'", self.validation)
        if self.optimizer == "lm":
            _require(self.loss in (None, "mse"), "loss", "'mse' with optimizer='lm'", self.loss)
            _require(self.batch_size is None, "batch_size", "None with optimizer='lm'", self.batch_size)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _named(names: tuple[str, ...], other: str) -> str:
    return f"one of {', '.join(names)} or {other}"


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ValueError(f"{name} must be {rule}; got {value!r}. Change or leave out {name}.")
