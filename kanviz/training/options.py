"""What the user may say about a fit, checked once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from kanviz.checks import check_choice, check_integer
from kanviz.training.sparsity import Sparsity

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
        optimizer class of torch, or ``"auto"``: "lm" for squared loss on all data at once where it
        can take exact steps (up to about 1000 weights, or 5000 of a narrow network with fine
        grids), "adam" with batches, else "lbfgs". Wide networks with thousands of samples often
        end at a lower test error with ``batch_size=256``.
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
    sparsity : float or Sparsity
        Prefers few edges to many; a number is the weight of ``Sparsity`` with its defaults. 1e-4
        to 1e-2 does for most data.
    curvature : float, optional
        Weight of the squared second differences of the coefficients, relative to the variance of
        y for squared loss; default for "lm" 1e-10 (1e-6 with sparsity), else 0. Raise it
        (1e-6 .. 1e-3) where a fine grid follows noise.
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
    sparsity: float | Sparsity = 0.0
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
        kind = self.optimizer
        if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)):
            check_choice("optimizer", kind, OPTIMIZERS)
        if self.loss is not None and not callable(self.loss):
            check_choice("loss", self.loss, LOSSES)
        for name in ("steps", "batch_size", "starts", "patience"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), 1)
        self._check_numbers()
        self._check_grids()
        if kind == "lm" and (self.loss not in (None, "mse") or self.batch_size is not None):
            raise ValueError(
                "optimizer must not be 'lm' with batches or another loss than 'mse'; got "
                f"loss={self.loss!r}, batch_size={self.batch_size!r}. Use 'lbfgs' or 'adam'."
            )
        if kind == "lm" and isinstance(self.sparsity, Sparsity) and self.sparsity.metric != "std":
            raise ValueError(
                "sparsity must have metric='std' with optimizer='lm'; got "
                f"{self.sparsity.metric!r}. Use 'lbfgs' or 'adam'."
            )

    def _check_numbers(self) -> None:
        rate, curvature, share = self.learning_rate, self.curvature, self.validation
        if rate is not None and not 0 < rate < math.inf:
            raise ValueError(f"learning_rate must be above 0; got {rate!r}. Try 0.01.")
        if curvature is not None and not 0 <= curvature < math.inf:
            raise ValueError(f"curvature must be at least 0; got {curvature!r}. Try 1e-6.")
        if isinstance(share, str) and share != "test":
            raise ValueError(
                f"validation must be None, a share, a pair (x, y) or 'test'; got {share!r}. "
                "Pass for example 0.1."
            )
        if isinstance(share, float) and not 0 < share < 1:
            raise ValueError(f"validation must be a share from 0 to 1; got {share!r}. Try 0.1.")

    def _check_grids(self) -> None:
        if self.grids is None:
            return
        for size in self.grids:
            check_integer("grids", size, 1)
        if len(self.grids) == 0 or any(a >= b for a, b in pairwise(self.grids)):
            raise ValueError(
                f"grids must be increasing; got {list(self.grids)}. Pass for example [3, 5, 10]."
            )
