"""What is asked of a fit: its options, and a task that is checked against network and data."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypedDict, get_args

import torch
from torch import Tensor

from kanviz.checks import check_choice, check_integer
from kanviz.data import Dataset, as_dataset
from kanviz.data.dataset import FLOAT_DTYPES
from kanviz.data.scaling import ROUNDING, root_mean_square
from kanviz.data.stream import BATCH_ROWS, Streamed
from kanviz.nn import Network
from kanviz.training.errors import (
    LOSS_FUNCTIONS,
    Errors,
    InUserUnits,
    Loss,
    by_rows,
    deviation_of,
    loss_on,
    quality,
    quality_in_batches,
)
from kanviz.training.families import MAD, NUMBERS, ROBUST, Counts, Family, family_of
from kanviz.training.gradient import HeldRows, Rows, StreamedRows
from kanviz.training.jacobian import n_entries, n_weights
from kanviz.training.least_squares import (
    MOST_EXACT,
    LeastSquares,
    Problem,
    StreamedLeastSquares,
    count_of,
    exact_pays,
    unit_of,
    work_of_step,
)
from kanviz.training.penalties import Penalty
from kanviz.training.report import Progress
from kanviz.training.sparsity import Sparsity

OPTIMIZERS = ("auto", "lm", "lbfgs", "adam", "adamw")
WORK_OF_CLASSES = 1e9
"""Multiplications of a step, about half a second, up to which the evidence chooses for classes."""

MOST_WORK, MOST_ROWS = 3e11, 200_000
"""Multiplications of an exact step, about a minute, and rows of any other step, up to which "auto"
takes all rows at once."""

MOST_STARTS = 32
"""Random starts of a fit that is asked for none; each is a short trial."""

Optimizer = Literal["auto", "lm", "lbfgs", "adam", "adamw"] | type[torch.optim.Optimizer]
LossName = Literal["mse", "huber", "poisson", "cross_entropy"]
Validation = None | float | tuple[Any, Any] | Dataset | Literal["test"]
Callback = Callable[[Progress], bool | None]
"""Called after every step; False stops the fit."""


@dataclass(frozen=True)
class FitOptions:
    """How to train; every field has a default that works.

    Parameters
    ----------
    optimizer : str or torch.optim.Optimizer class
        ``"lm"`` Levenberg-Marquardt (squared loss, cross entropy), ``"lbfgs"``, ``"adam"``,
        ``"adamw"``, any optimizer class of torch, or ``"auto"``: "lm" on all data at once where it
        can take exact steps (up to about 1000 weights, or 5000 of a narrow network with fine grids;
        for classes where the data choose how smooth the curves are), "adam" with batches, or where
        a step on all rows would take a minute, else "lbfgs". Wide networks with thousands of
        samples often end at a lower test error with ``batch_size=256``.
    steps : int, optional
        Per grid level: iterations of "lm" (default 150) and "lbfgs" (100), epochs of the others
        (100).
    loss : str or callable, optional
        ``"mse"``, ``"huber"`` (squares of noise, sizes of what is farther off, so that a few wild
        rows do not move the curves; by "lm" and the evidence), ``"poisson"`` for counts, of which
        the network says the logarithm of the mean, ``"cross_entropy"`` or
        ``loss(outputs, y) -> scalar``, which is asked in the user's units
        (``torch.nn.BCEWithLogitsLoss()`` for one output and y of 0 and 1); by default
        what the data ask for.
    grids : sequence of int, optional
        Grid sizes to train on, one after the other, as ``[3, 5, 10, 20]``; by default the present
        one only.
    batch_size : int, optional
        Samples per update for optimizers of the Adam kind; by default all, of memory maps and data
        sets of torch 1024.
    learning_rate : float, optional
        For optimizers other than "lm"; default 1 for "lbfgs", 0.01 else.
    sparsity : float or Sparsity
        Prefers few edges to many; a number is the weight of ``Sparsity`` with its defaults. 1e-4
        to 1e-2 does for most data.
    smoothing : float or "auto", optional
        How smooth the curves are to be. By default "lm" asks the data: where what exact steps leave
        is noise, as in most that people measured, it is ``"auto"``, and where it is not, as in data
        computed by a law, almost nothing (1e-10; the same with ``validation``, and 1e-6 with
        sparsity); 0 for other optimizers. A number is the weight of the squared second differences
        of the coefficients, relative to the variance of y for squared loss. ``"auto"``: each edge
        gets the smoothness that makes the data likeliest, from as lively as they ask for to a
        straight line to nothing, and the report tells the noise, the effective degrees of freedom
        and how likely such a network makes the data. With
        "lm", for up to 5000 weights; the default for classes.
    validation : None, float, (x, y), Dataset or "test"
        Data to watch: a share of the training data, a pair, or the data's own test part. The best
        state on it is kept, and a level ends when it does not improve for ``patience`` steps.
    patience : int
        Steps without improvement before a level ends; with validation only.
    starts : int, optional
        Random starts to try before training (squared loss with "lm" only). By default as many as
        are cheap for an untouched network, but no more than ``steps``, and 1 (go on from here)
        for any other.
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

    optimizer: Optimizer = "auto"
    steps: int | None = None
    loss: LossName | Loss | None = None
    grids: Sequence[int] | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    sparsity: float | Sparsity = 0.0
    smoothing: float | Literal["auto"] | None = None
    validation: Validation = None
    patience: int = 20
    starts: int | None = None
    update_grid: bool = True
    callbacks: Sequence[Callback] = field(default=())
    progress: bool = True
    seed: int = 0

    @property
    def price_of_bends(self) -> float | None:
        """The weight of the bends that was asked for; None where it is left to others."""
        return None if isinstance(self.smoothing, str) else self.smoothing

    def __post_init__(self) -> None:
        """Check every field by itself; ``prepare`` checks them together and with the data."""
        kind = self.optimizer
        if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)):
            check_choice("optimizer", kind, OPTIMIZERS)
        if self.loss is not None and not callable(self.loss):
            check_choice("loss", self.loss, get_args(LossName))
        if isinstance(self.loss, type):
            name = self.loss.__name__
            raise ValueError(
                f"loss must be a function, or a module that is made; got the class {name}. Write "
                f"{name}()."
            )
        for name in ("steps", "batch_size", "starts", "patience"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), 1)
        self._check_numbers()
        self._check_grids()

    def _check_numbers(self) -> None:
        rate, smoothing, share = self.learning_rate, self.smoothing, self.validation
        if rate is not None and not 0 < rate < math.inf:
            raise ValueError(f"learning_rate must be above 0; got {rate!r}. Try 0.01.")
        if isinstance(smoothing, str):
            check_choice("smoothing", smoothing, ("auto",))
        elif smoothing is not None and not 0 <= smoothing < math.inf:
            raise ValueError(
                f"smoothing must be at least 0, or 'auto'; got {smoothing!r}. Try 1e-6."
            )
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


class BothKeywords(TypedDict, total=False):
    """The options of ``KAN.fit`` and ``KAN.solve`` alike, by name, for type checkers."""

    steps: int | None
    grids: Sequence[int] | None
    starts: int | None
    sparsity: float | Sparsity
    update_grid: bool
    callbacks: Sequence[Callback]
    progress: bool
    seed: int


class SolveKeywords(BothKeywords, total=False):
    """The options of ``KAN.solve`` by name, for type checkers."""

    smoothing: float | None


class FitKeywords(BothKeywords, total=False):
    """Every option of ``KAN.fit`` by name, for type checkers."""

    optimizer: Optimizer
    loss: LossName | Loss | None
    batch_size: int | None
    learning_rate: float | None
    smoothing: float | Literal["auto"] | None
    validation: Validation
    patience: int
    sample_weight: Any


def read_options(options: dict[str, Any]) -> FitOptions:
    """Return options by name, checked one by one; ValueError for a name that is none."""
    known = [field.name for field in fields(FitOptions)]
    for name in options:
        check_choice("option", name, known)
    return FitOptions(**options)


@dataclass(frozen=True)
class Task(ABC):
    """What a trainer is to do, checked: everything in the dtype of the work, names resolved.

    ``x`` is what the network is trained on, ``scale`` the unit of the penalties (the standard
    deviation of y, for instance), ``grids`` the grid sizes in order; ``sparsity`` is None where
    its weight is 0, so that none is computed; ``most_starts`` says how many are worth a trial;
    ``notes`` are sentences for the report.
    """

    network: Network
    options: FitOptions
    x: Tensor
    scale: float
    grids: Sequence[int]
    optimizer: Optimizer
    sparsity: Sparsity | None
    most_starts: int
    notes: tuple[str, ...]

    @property
    def unit(self) -> float:
        """What solvers take as 1 of the outputs, a power of 2; 1 where there is no other."""
        return 1.0

    @property
    def by_evidence(self) -> bool:
        """Whether the data choose how smooth the curves are."""
        return self.options.smoothing == "auto"

    @abstractmethod
    def problem(self, network: Network, penalties: Sequence[Penalty]) -> Problem:
        """Return the task as a problem of least squares for a network in float64."""

    @abstractmethod
    def trial(self, samples: int) -> "Task":
        """Return the task on at most that many samples, where fewer are quicker."""

    def in_memory(self) -> "Task":
        """Return the task on rows in memory, on which random starts are compared."""
        return self

    @abstractmethod
    def loss_of(self, network: Network) -> float:
        """Return the loss of a network of any dtype, computed from what it gives in that."""

    @abstractmethod
    def quality_of(self, network: Network) -> dict[str, float]:
        """Return what ``evaluate`` says of a network, in the user's units."""

    @abstractmethod
    def errors(self, network: Network, loss: float) -> Errors:
        """Return the errors of a network whose training loss is known, for ``Progress.errors``."""

    @abstractmethod
    def validation_loss(self, network: Network) -> float | None:
        """Return the loss on data that are watched only; None where there are none."""

    @abstractmethod
    def asked_again(self, options: FitOptions) -> "Task":
        """Return the same task with other options; ValueError if they do not fit it."""


@dataclass(frozen=True)
class DataTask(Task):
    """To learn data; ``validation`` is (x, y, weights or None) to watch, or None.

    ``sample_weight`` says how many times each row counts: all above 0, None for once each;
    ``family`` how y scatters.
    """

    data: Dataset
    y: Tensor
    loss: Loss
    validation: tuple[Tensor, Tensor, Tensor | None] | None
    sample_weight: Tensor | None
    family: Family

    @property
    def by_evidence(self) -> bool:
        """Whether the data choose how smooth the curves are: asked for, or as all classes are."""
        options = self.options
        if self.family is NUMBERS or options.smoothing is not None:
            return options.smoothing == "auto"
        if self.family.has_noise:
            return True
        return self.optimizer == "lm" and options.validation is None and self.sparsity is None

    @property
    def unit(self) -> float:
        """For squared loss a power of 2 near the size of y where that is far from 1."""
        return unit_of(self.scale) if self.loss is LOSS_FUNCTIONS["mse"] else 1.0

    def problem(self, network: Network, penalties: Sequence[Penalty]) -> Problem:
        """Return the squares of outputs - y, over the variance of y."""
        return LeastSquares(
            network,
            self.x,
            self.y,
            penalties,
            self.scale,
            sample_weight=self.sample_weight,
            family=self.family,
        )

    @property
    def count(self) -> float:
        """How many numbers y has, each counted as often as its row."""
        return count_of(self.y, self.sample_weight)

    def rows(self, generator: torch.Generator) -> Rows:
        """Return the rows for a descent, y in the unit, in batches that the generator shuffles."""
        y = self.y / self.unit if self.unit != 1 else self.y
        return HeldRows(self.x, y, self.sample_weight, self.options.batch_size, generator)

    def trial(self, samples: int) -> "DataTask":
        """Return the task with the first samples only."""
        y, weight = self.y[:samples], self.sample_weight
        weight = None if weight is None else weight[:samples]
        scale = deviation_of(y, weight)
        return replace(self, x=self.x[:samples], y=y, scale=scale, sample_weight=weight)

    def loss_of(self, network: Network) -> float:
        """Return the loss on the training data."""
        return loss_on(network, self.x, self.y, self.loss, self.sample_weight)

    def quality_of(self, network: Network) -> dict[str, float]:
        """Return RMSE and R^2, or the accuracy, on training and test part."""
        return quality(network, self.data)

    def errors(self, network: Network, loss: float) -> Errors:
        """Return the errors in the user's units."""
        return Errors.of_step(network, self.data, self.loss, loss)

    def validation_loss(self, network: Network) -> float | None:
        """Return the loss on the validation data."""
        if self.validation is None:
            return None
        x, y, weight = self.validation
        return loss_on(network, x, y, self.loss, weight)

    def asked_again(self, options: FitOptions) -> "DataTask":
        """Return the same task with other options; ValueError if they do not fit it."""
        return prepare(self.network, self.data, options)


@dataclass(frozen=True)
class StreamTask(DataTask):
    """To learn rows that come in batches; ``data``, ``x`` and ``y`` are a sample of them.

    The sample tells where the knots are to be, what an edge matters, and which random start to go
    on from; what is made small, and told, is the loss on all rows.
    """

    streamed: Streamed

    @property
    def by_evidence(self) -> bool:
        """Whether the data choose how smooth the curves are: they do so all at once."""
        return False

    @property
    def count(self) -> float:
        """How many numbers y has."""
        return self.streamed.rows * (self.y.numel() / len(self.y))

    def in_memory(self) -> DataTask:
        """Return the task on the sample."""
        return DataTask(**{one.name: getattr(self, one.name) for one in fields(DataTask)})

    def trial(self, samples: int) -> DataTask:
        """Return the task with the first samples only."""
        return self.in_memory().trial(samples)

    def rows(self, generator: torch.Generator) -> StreamedRows:
        """Return the rows for a descent."""
        return StreamedRows(self.streamed, self.x, self.unit, generator)

    def problem(self, network: Network, penalties: Sequence[Penalty]) -> StreamedLeastSquares:
        """Return the sum of squares of outputs - y, over the variance of y, batch by batch."""
        return StreamedLeastSquares(
            network,
            self.x,
            self.y,
            penalties,
            self.scale,
            family=self.family,
            streamed=self.streamed,
        )

    def loss_of(self, network: Network) -> float:
        """Return the loss on all rows."""
        total, n = 0.0, 0
        for x, y in self.streamed.batches(network.layers[0].weight):
            total += len(x) * loss_on(network, x, y, self.loss)
            n += len(x)
        return total / n

    def quality_of(self, network: Network) -> dict[str, float]:
        """Return RMSE and R^2, or the accuracy, on all rows."""
        batches = self.streamed.batches(network.layers[0].weight)
        return quality_in_batches(network, batches, self.data.y_scaling)

    def asked_again(self, options: FitOptions) -> DataTask:
        """Return the same task with other options; ValueError if they do not fit it."""
        return prepare(self.network, self.data, options, self.streamed)


def name_of(optimizer: Optimizer) -> str:
    """Return what reports call an optimizer."""
    return optimizer if isinstance(optimizer, str) else optimizer.__name__


def sparsity_of(options: FitOptions) -> Sparsity | None:
    """Return what was asked for; None for no sparsity, so that none is computed."""
    asked = options.sparsity
    if not isinstance(asked, Sparsity):
        return Sparsity(asked) if asked else None
    return asked if asked.weight else None


def prepare(
    network: Network, data: Dataset, options: FitOptions, streamed: Streamed | None = None
) -> DataTask:
    """Check that network, data and options fit together and resolve every default.

    Parameters
    ----------
    network : Network
    data : Dataset
        In the network's units; all rows, or a sample of those that are streamed.
    options : FitOptions
    streamed : Streamed, optional
        Rows that come in batches.

    Raises
    ------
    ValueError
        If the data do not fit the network, or the optimizer does not fit the loss.
    """
    check_fits(network, data)
    if options.loss == "poisson":
        data = data.counted()
    by_kind: LossName = "poisson" if data.is_counts else "mse"
    loss = options.loss or ("cross_entropy" if data.is_classification else by_kind)
    _check_together(options, loss, data)
    is_robust = loss == "huber"
    counts = Counts(tuple(data.y_scaling.shift.tolist())) if data.is_counts else None
    if data.sample_weight is not None and callable(loss):
        by_rows(loss)  # or it says that it cannot be
    if streamed is not None:
        _check_streamed(options, loss)
    validation, rows = _validation(data, options)
    if (
        streamed is None
        and options.batch_size is None
        and (not callable(loss) or rows.weight is not None)
    ):
        rows = rows.merged()
    grids = list(options.grids or [network.layers[0].spec.grid_size])
    if streamed is not None and options.optimizer == "auto":
        optimizer: Optimizer = "adam"
    else:
        optimizer = _choose(network, loss, rows.y.numel(), grids[-1], options)
    in_batches = _needs_batches(network, optimizer, rows, grids[-1], options)
    if in_batches:
        optimizer, options = "adam", replace(options, batch_size=BATCH_ROWS)
    if streamed is not None and optimizer == "lm":
        _check_few_weights(_finest_weights(network, grids[-1]))
    _check_smoothing(options, loss, optimizer, _finest_weights(network, grids[-1]))
    weight = network.layers[0].weight
    own = weight.dtype if weight.dtype in FLOAT_DTYPES else torch.float32  # of a model in half
    dtype = torch.float64 if optimizer == "lm" else own

    def cast(t: Tensor) -> Tensor:
        return t.to(weight.device, dtype if t.is_floating_point() else t.dtype)

    y, sample_weight = cast(rows.y), None if rows.weight is None else rows.weight.to(weight.device)
    scale = deviation_of(y, sample_weight) if loss in ("mse", "huber") else 1.0
    if streamed is not None and loss == "mse":
        scale = streamed.deviation
    task = DataTask(
        network=network,
        options=options,
        # What the network will see of x, and no digit more: "lm" works in float64, on that.
        x=cast(rows.x.to(weight.dtype)),
        scale=min(scale, MAD * _median_size(y) or scale) if is_robust else scale,
        grids=grids,
        optimizer=optimizer,
        sparsity=sparsity_of(options),
        most_starts=MOST_STARTS,
        notes=(*_notes(data), *[MANY_ROWS.format(len(rows.x))] * in_batches),
        data=data,
        y=y,
        loss=_function_of(loss, data, weight) if counts is None else counts.loss,
        validation=validation and (cast(validation.x), cast(validation.y), validation.weight),
        sample_weight=sample_weight,
        family=ROBUST if is_robust else counts or family_of(y),
    )
    if streamed is None:
        return task
    return StreamTask(
        **{one.name: getattr(task, one.name) for one in fields(DataTask)}, streamed=streamed
    )


def _check_streamed(options: FitOptions, loss: LossName | Loss) -> None:
    """Raise a ValueError where an option needs all rows at once."""
    kind = options.optimizer
    wrong = {
        "optimizer": kind == "lbfgs",
        "loss": loss in ("huber", "poisson"),
        "smoothing": options.smoothing == "auto",
        "validation": isinstance(options.validation, float | str),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(
                f"{name}={getattr(options, name)!r} needs all rows at once; got rows in batches. "
                "They take 'adam', 'adamw', 'lm' or a class of torch.optim, loss 'mse', "
                "'cross_entropy' or your own, a number for smoothing, and (X, y) for validation."
            )


def _check_few_weights(n: int) -> None:
    """Raise a ValueError where the matrix of a step would be too large."""
    if n > MOST_EXACT:
        raise ValueError(
            f"optimizer='lm' takes at most {MOST_EXACT} weights with rows in batches; got {n}. "
            "Use 'adam', or take fewer nodes or a coarser grid."
        )


def _median_size(y: Tensor) -> float:
    """Return the median distance from the median, which a few wild numbers do not move."""
    return float((y - y.median(0).values).abs().median())


def _function_of(loss: LossName | Loss, data: Dataset, like: Tensor) -> Loss:
    """Return what reports measure: of robust fits, too, the mean square."""
    if callable(loss):
        return in_user_units(_cast(loss, like), data)
    return LOSS_FUNCTIONS["mse" if loss == "huber" else loss]


def _cast(loss: Loss, like: Tensor) -> Loss:
    """Return a loss of torch whose own numbers, such as weights of classes, are as the outputs."""
    if not isinstance(loss, torch.nn.Module):
        return loss
    own = [number for number in loss.buffers() if number.is_floating_point()]
    if all((number.dtype, number.device) == (like.dtype, like.device) for number in own):
        return loss
    twin: Loss = copy.deepcopy(loss).to(like)
    return twin


def _notes(data: Dataset) -> tuple[str, ...]:
    """Return a sentence for each output whose differences are lost in the rounding of its size."""
    if data.is_classification or data.is_counts:
        return ()
    y, scale = data.y.double(), data.y_scaling.scale.to(data.y.device)
    size = (data.y_scaling.undo(y) / scale).abs().amax(0)
    share = (root_mean_square(y - y.mean(0)) / size).tolist()
    return tuple(
        f"{name} varies by {part:.0e} of its size only, which is the rounding of its numbers: "
        "what is learnt is noise. Take its offset off before it is rounded."
        for name, part in zip(data.output_names, share, strict=True)
        if 0 < part < 8 * ROUNDING
    )


def in_user_units(loss: Loss, data: Dataset) -> Loss:
    """Return a loss of the user's own that takes the network's outputs and targets."""
    units = data.y_scaling
    return loss if data.is_classification or units.is_identity else InUserUnits(loss, units)


def check_fits(network: Network, data: Dataset) -> None:
    """Raise a ValueError unless the data have a column for each input and output."""
    if data.is_classification and network.widths[-1] != data.n_outputs:
        count = data.n_outputs
        or_numbers = (
            ", or pass y as numbers 0.0 and 1.0 with loss=torch.nn.BCEWithLogitsLoss()"
            if count == 2 and network.widths[-1] == 1
            else ""
        )
        raise ValueError(
            f"y holds {count} classes, which take {count} outputs; got the widths "
            f"{list(network.widths)}. Let the last width be {count}{or_numbers}."
        )
    for name, width, columns in (
        ("x", network.widths[0], data.n_inputs),
        ("y", network.widths[-1], data.n_outputs),
    ):
        if width != columns:
            end = "first" if name == "x" else "last"
            raise ValueError(
                f"the data's {name} must have {width} columns because the network's {end} width is "
                f"{width}; got {columns}. Change the data or the widths {list(network.widths)}."
            )


def _check_together(options: FitOptions, loss: str | Loss, data: Dataset) -> None:
    """Raise a ValueError where one option excludes another, or the data."""
    is_lm = options.optimizer == "lm"
    if is_lm and (callable(loss) or options.batch_size is not None):
        raise ValueError(
            "optimizer='lm' needs squared loss or another by its name, on all samples at once; got "
            f"loss={loss!r}, batch_size={options.batch_size!r}. Use 'lbfgs' or 'adam'."
        )
    if is_lm and isinstance(options.sparsity, Sparsity) and options.sparsity.metric != "std":
        raise ValueError(
            "sparsity must have metric='std' with optimizer='lm'; got "
            f"{options.sparsity.metric!r}. Use 'lbfgs' or 'adam'."
        )
    if data.is_counts and loss != "poisson":
        raise ValueError(
            f"loss must be 'poisson' for a model of counts; got {loss!r}. Leave it out, or fit "
            "a new model."
        )
    if loss in ("mse", "huber") and data.is_classification:
        raise ValueError(
            f"loss must be 'cross_entropy' for classes; got {loss!r}. Leave out loss, or pass y as "
            "floating-point columns."
        )
    if loss == "cross_entropy" and not data.is_classification:
        raise ValueError(
            "loss must be 'mse' for numbers; got 'cross_entropy'. Pass y as class numbers (int64) "
            "for classification."
        )


def _check_smoothing(
    options: FitOptions, loss: LossName | Loss, optimizer: Optimizer, n: int
) -> None:
    """Raise a ValueError where the data cannot choose how smooth the curves are."""
    if loss == "huber":
        others = {"optimizer": name_of(optimizer) != "lm", "sparsity": sparsity_of(options)}
        others["smoothing"] = options.smoothing not in (None, "auto")
        others["weights"] = n > MOST_EXACT
        wrong = [name for name, is_wrong in others.items() if is_wrong]
        if wrong:
            raise ValueError(
                "loss='huber' finds the noise with optimizer='lm' and smoothing='auto', without "
                f"sparsity and for at most {MOST_EXACT} weights; got another "
                f"{' and '.join(wrong)}. Leave them out, or take loss='mse'."
            )
    if options.smoothing != "auto":
        return
    name = name_of(optimizer)
    if name != "lm":
        raise ValueError(
            "smoothing='auto' needs squared loss or another by its name, and optimizer='lm'; got "
            f"{name!r}. Pass a number."
        )
    if sparsity_of(options) is not None:
        raise ValueError(
            "smoothing='auto' chooses edges too; got sparsity beside it. Pass one of them, "
            "sparsity for clean laws, smoothing='auto' for data with noise."
        )
    if n > MOST_EXACT:
        raise ValueError(
            f"smoothing='auto' needs at most {MOST_EXACT} weights; got {n}. Pass a number, or take "
            "fewer nodes or a coarser grid."
        )


def _choose(
    network: Network, loss: str | Loss, n_residuals: int, finest: int, options: FitOptions
) -> Optimizer:
    if options.optimizer != "auto":
        return options.optimizer
    if options.batch_size is not None:
        return "adam"
    if (options.smoothing == "auto" and isinstance(loss, str)) or loss == "huber":
        return "lm"
    sparsity = options.sparsity
    if callable(loss) or (isinstance(sparsity, Sparsity) and sparsity.metric != "std"):
        return "lbfgs"
    # For classes it pays by the evidence; held-out rows and sparsity are other ways not to overfit.
    if loss in ("cross_entropy", "poisson"):
        others = options.validation is not None or sparsity or options.smoothing is not None
        n = _finest_weights(network, finest)
        is_cheap = n <= MOST_EXACT and n_residuals * n**2 + n**3 / 3 <= WORK_OF_CLASSES
        return "lm" if is_cheap and not others else "lbfgs"
    return "lm" if _exact_pays(network, n_residuals, finest) else "lbfgs"


MANY_ROWS = (
    'so many rows ({:,}) are learnt in batches by "adam"; optimizer="lm" takes them all at once, '
    "in minutes a step"
)


def _needs_batches(
    network: Network, optimizer: Optimizer, rows: "_Rows", finest: int, options: FitOptions
) -> bool:
    """Return whether steps on all rows would take too long, where nobody asked for them."""
    is_open = options.smoothing is None and options.batch_size is None and not options.starts
    if options.optimizer != "auto" or options.loss == "huber" or not is_open:
        return False
    if optimizer == "lm":
        n, sparse = _finest_weights(network, finest), _is_sparse(network)
        return work_of_step(n, n_entries(network) if sparse else n, rows.y.numel()) > MOST_WORK
    return optimizer == "lbfgs" and len(rows.x) > MOST_ROWS


def _finest_weights(network: Network, finest: int) -> int:
    """Return the number of weights on the finest grid."""
    layers = network.layers
    more = sum((finest - layer.spec.grid_size) * layer.mask.numel() for layer in layers)
    return n_weights(network) + more


def _exact_pays(network: Network, n_residuals: int, finest: int) -> bool:
    """Return whether "lm" can take exact steps on the finest grid, where it beats "lbfgs"."""
    n = _finest_weights(network, finest)
    return exact_pays(n, n_entries(network) if _is_sparse(network) else n, n_residuals)


def _is_sparse(network: Network) -> bool:
    return all(layer.spec.is_spline for layer in network.layers)


class _Rows(NamedTuple):
    """Rows of data, and how many times each counts; None for once each."""

    x: Tensor
    y: Tensor
    weight: Tensor | None = None

    def chosen(self, rows: Tensor) -> "_Rows":
        """Return some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return _Rows(self.x[rows], self.y[rows], weight)

    def merged(self) -> "_Rows":
        """Return each different row once, with the sum of its weights, and none of weight 0.

        So a row of weight 2 is the same to a fit as that row twice, whatever is made of the rows.
        """
        x, y, weight = self
        if weight is not None and bool((weight == 0).any()):
            x, y, weight = self.chosen(weight > 0)
        both = torch.cat([x.double(), y.double().view(len(y), -1)], dim=1)
        # Equal rows have equal keys: one sort of numbers tells that there are none, as mostly.
        key = both @ torch.linspace(1, 2, both.shape[1], dtype=both.dtype, device=both.device).cos()
        if not bool((key.sort().values.diff() == 0).any()):
            return _Rows(x, y, weight)
        _, which, counts = both.unique(dim=0, return_inverse=True, return_counts=True)
        place = torch.arange(len(both), device=which.device)
        first = torch.full_like(counts, len(both)).scatter_reduce(0, which, place, "amin")
        own = counts.new_ones(len(both)).double() if weight is None else weight.to(which.device)
        total = torch.zeros_like(counts, dtype=torch.float64).index_add(0, which, own)
        order = first.argsort()
        return _Rows(x[first[order]], y[first[order]], total[order])


def _validation(data: Dataset, options: FitOptions) -> tuple[_Rows | None, _Rows]:
    """Return the rows to watch, or None, and those to train on."""
    asked, rows = options.validation, _Rows(data.x, data.y, data.sample_weight)
    if asked is None:
        return None, rows
    if asked == "test":
        if data.x_test is None or data.y_test is None:
            raise ValueError(
                "validation must be a share or a pair where the data have no test part; got "
                "'test'. Pass for example validation=0.1."
            )
        return _Rows(data.x_test, data.y_test, data.sample_weight_test), rows
    if isinstance(asked, float):
        held = max(1, round(asked * len(rows.x)))
        if held > len(rows.x) - 2:
            raise ValueError(
                f"validation must leave at least 2 of {len(rows.x)} samples for training; got "
                f"{asked!r}. Lower it."
            )
        order = torch.randperm(len(rows.x), generator=torch.Generator().manual_seed(options.seed))
        order = order.to(rows.x.device)
        return rows.chosen(order[:held]), rows.chosen(order[held:])
    pair = as_dataset(asked)
    return _Rows(pair.x, pair.y, pair.sample_weight), rows
