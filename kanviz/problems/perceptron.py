"""A multilayer perceptron in the units of its data: what a KAN is compared with."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.checks import check_choice, check_integer
from kanviz.data import Scaling

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
    "relu": torch.relu,
}

GAINS = {"silu": sqrt(2.0), "tanh": 1.0, "relu": sqrt(2.0)}
"""Weights start with the deviation gain / sqrt(inputs), which keeps the size of the signal."""


class MLP(nn.Module):
    """Linear layers with one activation function between them.

    Inputs and outputs are in the user's units; both are standardised within, so that one starting
    point and one learning rate do for all data.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden widths, outputs; at least two.
    activation : str
        ``"silu"``, ``"tanh"`` or ``"relu"``.
    x_scaling, y_scaling : Scaling
        What standardises inputs and outputs; their dtype and device become the network's.
    seed : int
        Picks the starting weights, from a generator of their own.

    Raises
    ------
    ValueError
        If a width is below 1, there are fewer than two, or the activation is unknown.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        activation: str = "silu",
        x_scaling: Scaling,
        y_scaling: Scaling,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_choice("activation", activation, tuple(ACTIVATIONS))
        if len(widths) < 2:
            raise ValueError(
                f"widths must have at least 2 entries; got {list(widths)}. Pass for example "
                "[2, 20, 1]."
            )
        for width in widths:
            check_integer("widths", width, 1)
        self.widths, self.activation = tuple(widths), activation
        self.x_shift, self.x_scale = _buffers(self, "x", x_scaling)
        self.y_shift, self.y_scale = _buffers(self, "y", y_scaling)
        generator = torch.Generator().manual_seed(seed)
        like = x_scaling.shift
        self.layers = nn.ModuleList(
            _linear(fan_in, fan_out, GAINS[activation], generator, like)
            for fan_in, fan_out in pairwise(widths)
        )

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "samples outputs"]:
        """Return the outputs for inputs in the user's units."""
        return self.y_shift + self.y_scale * self.standard_outputs(
            (x - self.x_shift) / self.x_scale
        )

    def standard_outputs(
        self, z: Float[Tensor, "samples inputs"]
    ) -> Float[Tensor, "samples outputs"]:
        """Return the standardised outputs for standardised inputs."""
        activate = ACTIVATIONS[self.activation]
        for layer in self.layers[:-1]:
            z = activate(layer(z))
        outputs: Tensor = self.layers[-1](z)
        return outputs

    @torch.no_grad()
    def predict(self, x: Tensor | np.ndarray) -> np.ndarray:
        """Return the outputs (samples, outputs) for inputs (samples, inputs) as an array."""
        outputs: Tensor = self(torch.as_tensor(x).to(self.x_shift))
        return outputs.cpu().numpy()

    def rmse(self, x: Tensor | np.ndarray, y: Tensor | np.ndarray) -> float:
        """Return the root mean squared error for targets (samples,) or (samples, outputs)."""
        target = torch.as_tensor(y).cpu().double().numpy()
        predicted = self.predict(x)
        return float(np.sqrt(np.mean((predicted - target.reshape(predicted.shape)) ** 2)))


def _buffers(model: nn.Module, name: str, scaling: Scaling) -> tuple[Tensor, Tensor]:
    """Register shift and scale as buffers, so that they move with the model."""
    for part in ("shift", "scale"):
        model.register_buffer(f"{name}_{part}", getattr(scaling, part).clone())
    return model.get_buffer(f"{name}_shift"), model.get_buffer(f"{name}_scale")


def _linear(
    fan_in: int, fan_out: int, gain: float, generator: torch.Generator, like: Tensor
) -> nn.Linear:
    """Return a linear layer whose start draws from no global generator; biases spread the kinks."""
    layer = nn.Linear(fan_in, fan_out, dtype=like.dtype, device="meta")
    layer = layer.to_empty(device=like.device)
    weight = torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64)
    bias = torch.rand(fan_out, generator=generator, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        layer.weight.copy_(weight * gain / sqrt(fan_in))
        layer.bias.copy_(bias)
    return layer
