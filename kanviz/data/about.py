"""What a model keeps of its data: names, units and a small sample of the inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.arrays import check_names, default_names
from kanviz.data.dataset import Dataset, Scaling

MAX_SAMPLE = 1000
"""Most rows of a sample, besides those with extreme values."""


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
    """

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    x_scaling: Scaling
    y_scaling: Scaling
    sample: Float[Tensor, "rows inputs"] | None = None

    @classmethod
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
            data.x_scaling.to(torch.float64, "cpu"),
            data.y_scaling.to(torch.float64, "cpu"),
            thin_out(data.x),
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
