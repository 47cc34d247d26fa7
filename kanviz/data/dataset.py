"""The records of data: what training reads, and what a model keeps of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from kanviz.checks import check_finite
from kanviz.data.scaling import EdgeUnits, Scaling, mean_of
from kanviz.devices import on_cpu

FLOAT_DTYPES = (torch.float32, torch.float64)

MAX_SHOWN = 8

Label = str | int | bool
"""What a class is called by the user: text, a whole number or a truth value."""

LOG = "log "
"""What the output of a model of counts is called, before the name of the counts."""

WHOLE = 1e-5
"""Share by which a count may be off a whole number once it was scaled in float32."""

MAX_SAMPLE = 1000
"""Most rows of a sample, besides those with extreme values."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training samples, test samples or none, names, and the scaling back to the user's units.

    Make one with ``from_function``, ``from_arrays`` or ``from_csv``.

    Parameters
    ----------
    x : (samples, inputs)
        Training inputs, float32 or float64, in scaled units.
    y : (samples, outputs), or (samples,) of int64 for classes
        Training targets with the dtype of ``x``, in scaled units; or class numbers from 0.
    x_test, y_test
        The same for the test samples, or both None.
    input_names : tuple of str
        One per input.
    output_names : tuple of str
        One per output of the network: the target columns, or the classes in order of number.
    x_scaling, y_scaling : Scaling
        Between the user's units and those of ``x`` and ``y``; ``y_scaling`` has one column per
        output and is the identity for classes.
    notes : tuple of str
        One sentence for each thing done to the data on the way in: rows dropped, columns dropped,
        categories coded.
    classes : tuple of str, int or bool, optional
        The user's own labels of the classes, in order of number; by default ``output_names``.
    categories : mapping of str to tuple of str
        The values of each column of text that became inputs such as ``island=Biscoe``: the code
        book, by which further rows are coded in the same way.
    constants : mapping of str to float
        Columns of numbers that were left out for having one value, with that value: data of other
        rows, or a model of these, may have them as an input.
    sample_weight, sample_weight_test : (samples,), optional
        How many times each row counts, in float64; None for once each.
    is_counts : bool
        Whether y holds counts, as they are, of which a network says the logarithm of the mean: what
        ``y_scaling`` makes of its outputs, and not of y. See ``counted``.

    Raises
    ------
    ValueError
        If the parts do not fit together or a number is not finite.
    """

    # Plain tensors, for __post_init__ checks their shapes with messages for users.
    x: Tensor
    y: Tensor
    x_test: Tensor | None
    y_test: Tensor | None
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    x_scaling: Scaling
    y_scaling: Scaling
    notes: tuple[str, ...] = ()
    classes: tuple[Label, ...] | None = None
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    sample_weight: Tensor | None = None
    sample_weight_test: Tensor | None = None
    is_counts: bool = False

    def __post_init__(self) -> None:
        """Check once, here, that the parts fit together."""
        if (self.x_test is None) != (self.y_test is None):
            raise ValueError(
                "x_test and y_test must come together; got only one of them. Pass both or neither."
            )
        self._check_part("x", self.x, "y", self.y)
        if self.is_classification and self.classes is None:
            object.__setattr__(self, "classes", self.output_names)
        if self.x_test is not None and self.y_test is not None:
            self._check_part("x_test", self.x_test, "y_test", self.y_test)
        for name, x in (("sample_weight", self.x), ("sample_weight_test", self.x_test)):
            if getattr(self, name) is not None:
                weight = read_sample_weight(getattr(self, name), 0 if x is None else len(x), name)
                object.__setattr__(self, name, weight.to(self.x.device))

    def check_several(self) -> None:
        """Raise a ValueError unless there are 2 training samples or more, to learn from."""
        if len(self.x) < 2:
            raise ValueError(
                f"x must have at least 2 training samples; got {len(self.x)}. Pass more rows."
            )

    def _check_part(self, x_name: str, x: Tensor, y_name: str, y: Tensor) -> None:
        """Check the inputs and targets of one part against each other and the training inputs."""
        check_inputs(x_name, x, self.input_names)
        if y.device != x.device or x.device != self.x.device:
            raise ValueError(
                f"x and {y_name} must be on the same device; got {self.x.device} and {y.device}. "
                "Move one with .to(device)."
            )
        if len(y) != len(x):
            raise ValueError(
                f"{y_name} must have {len(x)} rows, like {x_name}; got {len(y)}. "
                "Pass one target per sample."
            )
        if y.dtype == torch.int64 and y.ndim == 1:
            check_classes(y_name, y, self.output_names)
        else:
            check_targets(y_name, y, self.output_names, x.dtype)

    @property
    def n_inputs(self) -> int:
        """Number of inputs: the first width of a network."""
        return len(self.input_names)

    @property
    def n_outputs(self) -> int:
        """Number of outputs, or of classes: the last width of a network."""
        return len(self.output_names)

    @property
    def is_classification(self) -> bool:
        """Whether ``y`` holds class numbers."""
        return self.y.dtype == torch.int64

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes in order of their number, or None for a regression."""
        return self.output_names if self.is_classification else None

    def from_user_inputs(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows inputs"]:
        """Return inputs (*rows, inputs), given in the user's units, as the network takes them."""
        return self.x_scaling.apply(x).to(self.x.dtype)

    def to_user_inputs(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows inputs"]:
        """Return inputs (*rows, inputs), given as the network takes them, in the user's units.

        In the dtype of x: pass float64 where an offset has more digits than float32 holds.
        """
        return self.x_scaling.undo(x).to(x.dtype)

    def to_user_outputs(self, y: Float[Tensor, "*rows outputs"]) -> Float[Tensor, "*rows outputs"]:
        """Return outputs (*rows, outputs) of a network in the user's units; class scores as is."""
        return self.y_scaling.undo(y).to(y.dtype)

    def without_test(self) -> "Dataset":
        """Return the training samples alone, for all that chooses by itself.

        ``prune`` and ``symbolify`` judge by the test samples of what they are given; of this they
        hold out a part, so that the test samples of the whole stay a fair judge of the result.
        """
        return replace(self, x_test=None, y_test=None, sample_weight_test=None)

    def normalized(self) -> "Dataset":
        """Return these samples scaled to mean 0 and standard deviation 1 over the training part.

        Class numbers stay; the scaling in place is kept below the new one, so that results still
        come back in the user's units. Rows count by their weights.
        """
        weight = self.sample_weight
        stays = self.is_classification or self.is_counts
        y_step = None if stays else Scaling.standard(self.y, weight)
        return self.scaled(Scaling.standard(self.x, weight), y_step)

    def scaled(self, x_step: Scaling, y_step: Scaling | None = None) -> "Dataset":
        """Return these samples with one more scaling on top; without ``y_step`` y stays."""

        def step(part: Tensor | None, scaling: Scaling) -> Tensor | None:
            return None if part is None else scaling.apply(part).to(part.dtype)

        changes: dict[str, Any] = {
            "x": step(self.x, x_step),
            "x_test": step(self.x_test, x_step),
            "x_scaling": x_step.after(self.x_scaling),
        }
        if y_step is not None:
            changes |= {
                "y": step(self.y, y_step),
                "y_test": step(self.y_test, y_step),
                "y_scaling": y_step.after(self.y_scaling),
            }
        return replace(self, **changes)

    def counted(self) -> "Dataset":
        """Return these samples with y as counts; the outputs are the logarithms of their means.

        An output of 0 in the network is the mean over the training samples.

        Raises
        ------
        ValueError
            If y holds classes, anything but whole numbers from 0 on, or 0 alone.
        """
        if self.is_counts:
            return self
        if self.is_classification:
            raise ValueError(
                "y must hold counts for loss='poisson'; got classes. Pass whole numbers."
            )

        def counts(y: Tensor | None, name: str) -> Tensor | None:
            if y is None:
                return None
            given = self.y_scaling.undo(y)
            whole = given.round()
            # Of scaled numbers rounding has taken digits.
            wrong = (given - whole).abs() > WHOLE * (1 + whole.abs()) * (not is_plain)
            wrong |= (given != whole) & is_plain | (whole < 0)
            if bool(wrong.any()):
                row, column = wrong.nonzero()[0].tolist()
                raise ValueError(
                    f"{name} must hold counts, whole numbers from 0 on, for loss='poisson'; got "
                    f"{float(given[row, column]):g} in row {row}. Leave loss out for other numbers."
                )
            return whole.to(y.dtype)

        is_plain = self.y_scaling.is_identity
        y = counts(self.y, "y")
        assert y is not None
        mean = mean_of(y.double(), self.sample_weight)
        if bool((mean == 0).any()):
            column = self.output_names[int((mean == 0).nonzero()[0])]
            raise ValueError(
                f"y must hold a count above 0 for loss='poisson'; got 0 in every row of {column}. "
                "Leave that column out."
            )
        return replace(
            self,
            y=y,
            y_test=counts(self.y_test, "y_test"),
            output_names=tuple(LOG + name.removeprefix(LOG) for name in self.output_names),
            y_scaling=Scaling(mean.log(), torch.ones_like(mean)),
            is_counts=True,
        )

    def linearised(self, outputs: Tensor, outputs_test: Tensor | None) -> "Dataset":
        """Return these counts as numbers near what a network says of them, for least squares.

        The response log(mean) + (y - mean) / mean with the weight of the mean has the noise 1, and
        its squares are the deviance but for a constant, to second order (McCullagh, Nelder,
        Generalized linear models, 2nd edition 1989, sec. 2.5).

        Parameters
        ----------
        outputs, outputs_test : (samples, 1)
            Of the network, for both parts, in its unit.

        Raises
        ------
        ValueError
            If there are several outputs: each would need weights of its own.
        """
        if self.n_outputs > 1:
            raise ValueError(
                "Questions about data take one column of counts; this model has "
                f"{self.n_outputs}. Fit one model for each."
            )

        def part(said: Tensor, y: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
            mean = self.y_scaling.undo(said).exp().clamp(min=torch.finfo(torch.float64).tiny)
            own = mean[:, 0] if weight is None else weight * mean[:, 0]
            return (said.double() + (y - mean) / mean).to(y.dtype), own

        y, weight = part(outputs, self.y, self.sample_weight)
        changes: dict[str, Any] = {"y": y, "sample_weight": weight, "is_counts": False}
        if self.y_test is not None and outputs_test is not None:
            y, weight = part(outputs_test, self.y_test, self.sample_weight_test)
            changes |= {"y_test": y, "sample_weight_test": weight}
        return replace(self, **changes)

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> "Dataset":
        """Return these samples with another dtype (class numbers stay) or on another device."""

        def move(part: Tensor) -> Tensor:
            return part.to(dtype=dtype if part.is_floating_point() else None, device=device)

        return replace(
            self,
            x=move(self.x),
            y=move(self.y),
            x_test=None if self.x_test is None else move(self.x_test),
            y_test=None if self.y_test is None else move(self.y_test),
            x_scaling=self.x_scaling.to(device),
            y_scaling=self.y_scaling.to(device),
            **{
                name: weight.to(device=device)
                for name in ("sample_weight", "sample_weight_test")
                if (weight := getattr(self, name)) is not None
            },
        )

    def __repr__(self) -> str:
        """Return a readable summary: sizes, names, then the notes."""
        tests = 0 if self.x_test is None else len(self.x_test)
        dtype = str(self.x.dtype).removeprefix("torch.")
        size = f"{len(self.x)} training and {tests} test samples"
        outputs = "classes" if self.is_classification else "outputs"
        lines = [
            f"Dataset: {size}, {dtype} on {self.x.device}",
            f"  inputs ({self.n_inputs}): {_shortened(self.input_names)}",
            f"  {outputs} ({self.n_outputs}): {_shortened(self.output_names)}",
        ]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def read_sample_weight(
    values: Any, rows: int, name: str = "sample_weight"
) -> Float64[Tensor, " rows"]:
    """Return how many times each row counts, in float64, checked.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        Unless there is one per row, finite, at least 0 and not all 0.
    """
    try:
        numbers = values if isinstance(values, Tensor) else torch.from_numpy(np.array(values))
        weight = numbers.detach().double()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{name} must hold numbers; got {type(values).__name__}. Pass one per row of x."
        ) from None
    if weight.shape != (rows,):
        raise ValueError(
            f"{name} must have shape ({rows},), one number per row of x; got "
            f"{tuple(weight.shape)}. Pass how many times each row counts."
        )
    if weight.is_meta:
        return weight
    check_finite(name, weight)
    if bool((weight < 0).any()):
        row = int((weight < 0).nonzero()[0])
        raise ValueError(
            f"{name} must be at least 0; got {float(weight[row]):g} in row {row}. "
            "Pass 0 to leave a row out."
        )
    if not bool((weight > 0).any()):
        raise ValueError(f"{name} is 0 in every row, which leaves none. Give some rows a weight.")
    return weight


def check_inputs(name: str, x: Tensor, input_names: Sequence[str]) -> None:
    """Raise a ValueError unless ``x`` is (samples, inputs) of finite float32 or float64."""
    if x.ndim != 2 or x.shape[1] != len(input_names) or 0 in x.shape:
        raise ValueError(
            f"{name} must have shape (samples, {len(input_names)}), one column per input; "
            f"got {tuple(x.shape)}. Pass a table of numbers."
        )
    if x.dtype not in FLOAT_DTYPES:
        raise ValueError(
            f"{name} must be float32 or float64; got {x.dtype}. Pass dtype=torch.float32."
        )
    check_finite(name, x, input_names)


def check_targets(name: str, y: Tensor, output_names: Sequence[str], dtype: torch.dtype) -> None:
    """Raise a ValueError unless ``y`` is (samples, outputs), finite and of type ``dtype``."""
    if y.ndim != 2 or y.shape[1] != len(output_names) or 0 in y.shape:
        raise ValueError(
            f"{name} must have shape (samples, {len(output_names)}), one column per output; "
            f"got {tuple(y.shape)}. Pass one row per sample."
        )
    if y.dtype != dtype:
        raise ValueError(
            f"{name} must be {dtype}, like x, or int64 class numbers of shape (samples,); "
            f"got {y.dtype}. Make the dataset with from_arrays, which converts."
        )
    check_finite(name, y, output_names)


def check_classes(name: str, y: Int64[Tensor, " samples"], class_names: Sequence[str]) -> None:
    """Raise a ValueError unless every class number has a name."""
    if y.is_meta:
        return
    lowest, highest = int(y.min()), int(y.max())
    if lowest < 0 or highest >= len(class_names):
        raise ValueError(
            f"{name} must hold class numbers from 0 to {len(class_names) - 1}; "
            f"got {lowest if lowest < 0 else highest}. Name every class in output_names."
        )


def _shortened(names: Sequence[str]) -> str:
    """Return the first names with commas and an ellipsis for the rest."""
    return ", ".join([*names[:MAX_SHOWN], *(["..."] if len(names) > MAX_SHOWN else [])])


@dataclass(frozen=True, eq=False)
class About:
    """What a network's inputs and outputs are called, their units, and what inputs look like.

    Parameters
    ----------
    input_names, output_names : tuple of str
        One per input and per output.
    x_scaling, y_scaling : Scaling
        Between the user's units and those of the network; float64, on the CPU.
    sample : (rows, inputs) or None
        Inputs as last shown, in the network's units, for ranges and scores.
    classes : tuple of str, int or bool, optional
        The user's labels of the classes, one per output; None for a regression.
    categories : mapping of str to tuple of str
        The code book of the columns of text, as in ``Dataset``.
    is_counts : bool
        Whether the outputs are logarithms of the means of counts.
    """

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    x_scaling: Scaling
    y_scaling: Scaling
    sample: Float[Tensor, "rows inputs"] | None = None
    classes: tuple[Label, ...] | None = None
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_counts: bool = False
    has_units: bool = field(init=False)
    """Whether the user's units are others than the network's."""

    def __post_init__(self) -> None:
        """Look once whether there are units: the forward pass asks each time."""
        is_plain = self.x_scaling.is_identity and self.y_scaling.is_identity
        object.__setattr__(self, "has_units", not is_plain)

    @classmethod
    @on_cpu
    def nothing(cls, n_inputs: int, n_outputs: int) -> "About":
        """Return plain names, no scaling and no sample."""
        like = torch.empty(0, dtype=torch.float64, device="cpu")
        return cls(
            default_names("x", n_inputs),
            default_names("y", n_outputs),
            Scaling.identity(n_inputs, like),
            Scaling.identity(n_outputs, like),
        )

    @classmethod
    def data(cls, data: Dataset) -> "About":
        """Return the names and units of a data set, and a sample of its training inputs."""
        return cls(
            data.input_names,
            data.output_names,
            data.x_scaling.to("cpu"),
            data.y_scaling.to("cpu"),
            thin_out(data.x),
            data.classes,
            data.categories,
            data.is_counts,
        )

    def named(
        self, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None
    ) -> "About":
        """Return the same with other names of the inputs or the outputs, where they are given.

        Raises
        ------
        ValueError
            If they are not as many as there are columns, or are not different texts.
        """
        if inputs is None:
            inputs = self.input_names
        if outputs is None:
            outputs = self.output_names
        return replace(
            self,
            input_names=check_names("input_names", inputs, len(self.input_names)),
            output_names=check_names("output_names", outputs, len(self.output_names)),
        )

    def units_at(self, layer: int, i: int, j: int, n_layers: int) -> EdgeUnits:
        """Return the user's units at an edge of a network of so many layers."""
        first, last = layer == 0, layer == n_layers - 1
        return EdgeUnits(
            float(self.x_scaling.shift[i]) if first else 0.0,
            float(self.x_scaling.scale[i]) if first else 1.0,
            float(self.y_scaling.scale[j]) if last else 1.0,
        )

    def seeing(self, x: Float[Tensor, "samples inputs"]) -> "About":
        """Return the same with a sample of x in place of the one before."""
        return replace(self, sample=thin_out(x))


def thin_out(x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "rows inputs"]:
    """Return a small sample: rows at equal steps, and those with the extremes of each column.

    With the extremes it spans the very ranges of x.
    """
    if len(x) <= MAX_SAMPLE:
        return x.detach().clone()
    rows = torch.arange(MAX_SAMPLE, device=x.device) * len(x) // MAX_SAMPLE
    return x.detach()[torch.cat([rows, x.argmin(0), x.argmax(0)]).unique()]


def default_names(prefix: str, count: int) -> tuple[str, ...]:
    """Return ``x_1, x_2, ...``; a lone output is plain ``y``."""
    if prefix == "y" and count == 1:
        return (prefix,)
    return tuple(f"{prefix}_{number}" for number in range(1, count + 1))


def check_names(name: str, names: Sequence[Any], count: int) -> tuple[str, ...]:
    """Return ``names`` as a tuple if they are ``count`` texts, all different; raise otherwise."""
    is_text = not isinstance(names, str) and all(isinstance(entry, str) for entry in names)
    if not is_text or len(names) != count or len(set(names)) != count:
        raise ValueError(
            f"{name} must be {count} different texts, one per column; "
            f"got {names!r}. Rename the columns."
        )
    return tuple(names)
