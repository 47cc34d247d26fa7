"""The straight lines between the user's units and those of a network."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Scaling:
    """A straight line per column between the user's units and the scaled ones.

    ``scaled = (value - shift) / scale``.

    Parameters
    ----------
    shift : (columns,)
        The value that becomes 0; in the user's unit of the column.
    scale : (columns,)
        The difference that becomes 1; above 0, in the user's unit of the column.
    """

    shift: Float[Tensor, " columns"]
    scale: Float[Tensor, " columns"]

    @classmethod
    def identity(cls, columns: int, like: Tensor) -> "Scaling":
        """Return the scaling that changes nothing, with dtype and device of ``like``."""
        return cls(shift=like.new_zeros(columns), scale=like.new_ones(columns))

    @classmethod
    def standard(cls, values: Float[Tensor, "samples columns"]) -> "Scaling":
        """Return the scaling to mean 0 and standard deviation 1 (divisor n).

        A column with the same value in every sample is shifted to 0 and not stretched.
        """
        deviation = values.std(dim=0, correction=0)
        # Rounding gives a constant column a deviation near 0, and a tiny deviation exactly 0.
        constant = (values == values[:1]).all(dim=0) | (deviation == 0)
        return cls(shift=values.mean(dim=0), scale=deviation.masked_fill(constant, 1.0))

    def apply(self, values: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """Return ``values`` (*rows, columns) in scaled units."""
        return (values - self.shift) / self.scale

    def undo(self, scaled: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows columns"]:
        """Return ``scaled`` (*rows, columns) in the user's units."""
        return scaled * self.scale + self.shift

    def after(self, first: "Scaling") -> "Scaling":
        """Return the one scaling that does ``first`` and then this one."""
        return Scaling(shift=first.shift + first.scale * self.shift, scale=first.scale * self.scale)

    def to(
        self, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> "Scaling":
        """Return this scaling with another dtype or on another device."""
        return Scaling(*(part.to(dtype=dtype, device=device) for part in (self.shift, self.scale)))
