"""Edits of the edge functions: knots moved, knots added, a training run."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from kanviz.edits.code import call_code, options_given
from kanviz.nn.network import Network
from kanviz.training.doubt import Doubt


@dataclass(frozen=True)
class UpdateGrid:
    """Move the knots of every layer to data and refit the functions.

    Parameters
    ----------
    x : (samples, inputs)
        The data, of the network's dtype.
    name : str
        What the script calls x; empty for the sample that the model remembers.
    grid_eps : float, optional
        From 0 (knots at the data's quantiles) to 1 (equally spaced); None as the data ask.
    margin : float
        Part of the range that is added at each side, at least 0.
    """

    x: Float[Tensor, "samples inputs"] = field(repr=False, compare=False)
    name: str = ""
    grid_eps: float | None = None
    margin: float = 0.01

    @property
    def layers(self) -> None:
        """All layers."""

    def apply_to(self, network: Network) -> list[float]:
        """Move the knots; return each layer's largest change of a function, in output units."""
        if not self.margin >= 0:
            raise ValueError(f"margin must be at least 0; got {self.margin!r}. Choose another.")
        return network.update_grid(self.x, grid_eps=self.grid_eps, margin=self.margin)

    def sentence(self) -> str:
        """Say what was done."""
        return f"moved the grid to {len(self.x)} samples"

    def code(self) -> str:
        """Return the call, with the options that are not the defaults."""
        options = {"grid_eps": self.grid_eps, "margin": self.margin}
        arguments = [self.name] if self.name else []
        return call_code("model.update_grid", *arguments, **options_given(UpdateGrid, options))


@dataclass(frozen=True)
class Refine:
    """Give every edge ``grid_size`` intervals and keep the functions."""

    grid_size: int

    @property
    def layers(self) -> None:
        """All layers."""

    def apply_to(self, network: Network) -> list[float]:
        """Refine; return each layer's largest change of a function, 0.0 where it is exact."""
        return network.refine(self.grid_size)

    def sentence(self) -> str:
        """Say what was done."""
        return f"refined the grid to {self.grid_size} intervals"

    def code(self) -> str:
        """Return the call."""
        return f"model.refine({self.grid_size})"


@dataclass(frozen=True)
class Became:
    """A search that has happened, such as pruning or symbolifying, and what it ended with.

    Parameters
    ----------
    after : Network
        The network as the search left it, of the same widths.
    call : str
        The call that started it, for the script.
    words : str
        What was done, in the past tense.
    doubt : Doubt, optional
        What the data leave open of it; None where nobody knows.
    """

    after: Network = field(repr=False, compare=False)
    call: str
    words: str
    doubt: Doubt | None = field(default=None, repr=False, compare=False)

    @property
    def layers(self) -> None:
        """All layers."""

    def apply_to(self, network: Network) -> None:
        """Take over what the search ended with."""
        network.take(self.after)

    def sentence(self) -> str:
        """Say what was done."""
        return self.words

    def code(self) -> str:
        """Return the call."""
        return self.call


@dataclass(frozen=True)
class Fitted(Became):
    """A training run that has happened; ``words`` are such as ``"lm: 50 steps, loss 1e-07"``."""

    def sentence(self) -> str:
        """Say what was done."""
        return f"trained with {self.words}"


@dataclass(frozen=True)
class Solved(Fitted):
    """A training run on an equation that has happened."""

    def sentence(self) -> str:
        """Say what was done."""
        return f"trained on an equation with {self.words}"
