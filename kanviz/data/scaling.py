"""The straight lines between the user's units and those of a network."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

ROUNDING = 8 * torch.finfo(torch.float64).eps
"""Share of the size of numbers below which their differences are none."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """A straight line per column between the user's units and the scaled ones.

    ``scaled = (value - shift) / scale``. Kept in float64, and so is what ``apply`` and ``undo``
    return: the offset of a date or the size of an SI unit has more digits than float32 holds.

    Parameters
    ----------
    shift : (columns,)
        The value that becomes 0; in the user's unit of the column.
    scale : (columns,)
        The difference that becomes 1; above 0, in the user's unit of the column.
    """

    shift: Float[Tensor, " columns"]
    scale: Float[Tensor, " columns"]
    is_identity: bool = field(init=False)
    """Whether it changes nothing."""

    def __post_init__(self) -> None:
        """Look once whether it changes nothing."""
        shift, scale = self.shift.double(), self.scale.double()
        same = not shift.is_meta and bool((shift == 0).all() and (scale == 1).all())
        for name, value in (("shift", shift), ("scale", scale), ("is_identity", same)):
            object.__setattr__(self, name, value)

    @classmethod
    def identity(cls, columns: int, like: Tensor) -> "Scaling":
        """Return the scaling that changes nothing, on the device of ``like``."""
        return cls(shift=like.new_zeros(columns), scale=like.new_ones(columns))

    @classmethod
    def standard(
        cls,
        values: Float[Tensor, "samples columns"],
        weight: Float[Tensor, " samples"] | None = None,
    ) -> "Scaling":
        """Return the scaling to mean 0 and standard deviation 1 (divisor n).

        A column with the same value in every sample is shifted to 0 and not stretched. With weights
        each sample counts so many times.
        """
        values = values.double()
        unit = _unit_of(values)
        # The mean of a constant is rounded too: of one of 1e90 that leaves a large number.
        same = (values == values[:1]).all(dim=0)
        mean = torch.where(same, values[0], mean_of(values / unit, weight) * unit)
        deviation = root_mean_square(values - mean, weight)
        # Rounding makes a tiny deviation exactly 0.
        constant = same | (deviation == 0)
        return cls(shift=mean, scale=deviation.masked_fill(constant, 1.0))

    def apply(self, values: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """Return ``values`` (*rows, columns) in scaled units, in float64."""
        if self.is_identity:
            return values.double()
        return (values.double() - self.shift.to(values.device)) / self.scale.to(values.device)

    def undo(self, scaled: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """Return ``scaled`` (*rows, columns) in the user's units, in float64."""
        if self.is_identity:
            return scaled.double()
        return scaled.double() * self.scale.to(scaled.device) + self.shift.to(scaled.device)

    def after(self, first: "Scaling") -> "Scaling":
        """Return the one scaling that does ``first`` and then this one."""
        return Scaling(shift=first.shift + first.scale * self.shift, scale=first.scale * self.scale)

    def is_as(self, other: "Scaling") -> bool:
        """Return whether two scalings are the same to the last bit."""
        pairs = ((self.shift, other.shift), (self.scale, other.scale))
        return all(torch.equal(mine.cpu(), theirs.cpu()) for mine, theirs in pairs)

    def to(self, device: torch.device | str | None = None) -> "Scaling":
        """Return this scaling on another device."""
        return Scaling(self.shift.to(device), self.scale.to(device))


class Moments:
    """How many rows columns have, their mean, deviation and ends, added up batch by batch.

    Sums of squares are about the mean of each batch, so that no digits are lost (Chan, Golub,
    LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979). They
    are measured in a power of 2 near the first numbers.

    Examples
    --------
    >>> found = Moments()
    >>> for batch in ([[1.0], [2.0]], [[6.0]]):
    ...     found.add(torch.tensor(batch, dtype=torch.float64))
    >>> found.rows, found.mean.item(), round(found.scaling().scale.item(), 4)
    (3, 3.0, 2.1602)
    """

    rows = 0
    mean: Float64[Tensor, " columns"]
    lowest: Float64[Tensor, " columns"]
    highest: Float64[Tensor, " columns"]

    def add(self, values: Float64[Tensor, "rows columns"]) -> None:
        """Add some rows."""
        low, high = values.amin(0), values.amax(0)
        if self.rows == 0:
            self._unit, self.mean = _unit_of(values), torch.zeros_like(low)
            self._squares, self.lowest, self.highest = self.mean.clone(), low, high
        scaled = values / self._unit
        mean, n = scaled.mean(0), len(values)
        gap, total = mean - self.mean / self._unit, self.rows + n
        self._squares += (scaled - mean).square().sum(0) + gap.square() * (self.rows * n / total)
        self.mean += gap * (n / total) * self._unit
        self.rows = total
        self.lowest, self.highest = (
            torch.minimum(self.lowest, low),
            torch.maximum(self.highest, high),
        )

    @property
    def deviation(self) -> Float64[Tensor, " columns"]:
        """The standard deviation (divisor n) of each column."""
        return (self._squares / self.rows).sqrt() * self._unit

    def scaling(self) -> Scaling:
        """Return the scaling to mean 0 and standard deviation 1; see ``Scaling.standard``."""
        constant = (self.lowest == self.highest) | (self.deviation == 0)
        return Scaling(shift=self.mean, scale=self.deviation.masked_fill(constant, 1.0))


def mean_of(values: Tensor, weight: Float[Tensor, " samples"] | None = None) -> Tensor:
    """Return the mean along the first axis, each row counted so many times."""
    if weight is None:
        return values.mean(0)
    share = (weight / weight.sum()).to(values)
    return (share.view(-1, *[1] * (values.ndim - 1)) * values).sum(0)


def root_mean_square(values: Tensor, weight: Float[Tensor, " samples"] | None = None) -> Tensor:
    """Return the root mean square along the first axis, also of numbers whose squares are inf or 0.

    They are measured in a power of 2 near the largest, which rounds nothing. With weights each row
    counts so many times.
    """
    unit = _unit_of(values)
    return mean_of((values / unit).square(), weight).sqrt() * unit


def _unit_of(values: Tensor) -> Tensor:
    """Return a power of 2 near the largest number along the first axis."""
    exponent = torch.frexp(values.abs().amax(0)).exponent.clamp(-1000, 1000)
    return torch.ldexp(torch.ones_like(values[0]), exponent)


class EdgeUnits(NamedTuple):
    """The user's units at one edge; by default those of the network, as everywhere inside it.

    At the first edges the input has a unit of the user's, at the last ones what they add.

    Parameters
    ----------
    shift, scale : float
        Input of the edge that is the network's 0, and the step that is its 1.
    size : float
        What of the edge's output is the network's 1.
    """

    shift: float = 0.0
    scale: float = 1.0
    size: float = 1.0

    def to_network(self, affine: "Affine") -> "Affine":
        """Return (a, b, c, d) of c f(a x + b) + d for x and values in the network's units."""
        a, b, c, d = affine
        return a * self.scale, a * self.shift + b, c / self.size, d / self.size

    def to_user(self, affine: "Affine") -> "Affine":
        """Return (a, b, c, d) of c f(a x + b) + d for x and values in the user's units."""
        a, b, c, d = affine
        return a / self.scale, b - a * self.shift / self.scale, c * self.size, d * self.size


Affine = tuple[float, float, float, float]
"""a, b, c, d of an edge's formula c f(a x + b) + d."""

PLAIN: Affine = (1.0, 0.0, 1.0, 0.0)
"""Those with which the formula is f(x) itself."""

NO_UNITS = EdgeUnits()
"""Those of an edge inside the network."""
