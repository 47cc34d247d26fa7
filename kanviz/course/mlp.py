"""Multilayer perceptrons, trained as well as they can be: what a KAN is honestly compared with."""

import copy
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.checks import check_choice, check_integer
from kanviz.data import Dataset, Scaling

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


Loss = Callable[[Tensor, Tensor], Tensor]

LEARNING_RATE = 1e-2
"""Of Adam at the start; a cosine takes it to 0."""

HISTORY = 100
"""Pairs of steps that L-BFGS remembers."""

HARDEST = 1e12
"""Where the damping of Levenberg-Marquardt ends: no step is found any more."""


def adam(
    model: MLP,
    z: Tensor,
    target: Tensor,
    loss: Loss,
    *,
    steps: int,
    batch_size: int | None,
    generator: torch.Generator,
) -> None:
    """Take ``steps`` updates on random batches (all samples where ``batch_size`` is None)."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x, y = z, target
        if batch_size is not None and batch_size < len(z):
            rows = torch.randint(len(z), (batch_size,), generator=generator).to(z.device)
            x, y = z[rows], target[rows]
        optimizer.zero_grad()
        loss(model.standard_outputs(x), y).backward()
        optimizer.step()
        schedule.step()


def lbfgs(model: MLP, z: Tensor, target: Tensor, loss: Loss, *, steps: int) -> None:
    """Take up to ``steps`` iterations of L-BFGS with a strong Wolfe line search."""
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=steps,
        max_eval=2 * steps,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(model.standard_outputs(z), target)
        value.backward()
        return value

    optimizer.step(closure)


@torch.no_grad()
def levenberg_marquardt(model: MLP, z: Tensor, target: Tensor, *, steps: int) -> None:
    """Take up to ``steps`` iterations of Levenberg-Marquardt on the squared error.

    References
    ----------
    D. Marquardt, An algorithm for least-squares estimation of nonlinear parameters, SIAM J. Appl.
    Math. 11 (1963). Here the damping is divided by 3 after a step that helps, and times 2 else.
    """
    damping = 1e-2
    residual = (model.standard_outputs(z) - target).T.flatten()
    for _ in range(steps):
        jacobian = jacobian_of(model, z)
        normal, slope = jacobian.T @ jacobian, jacobian.T @ residual
        size = normal.diagonal().clamp_min(1e-12 * float(normal.diagonal().max()))
        while damping < HARDEST:
            factor, failed = torch.linalg.cholesky_ex(normal + torch.diag(damping * size))
            if not failed:
                step = torch.cholesky_solve(slope[:, None], factor)[:, 0]
                _move(model, -step)
                trial = (model.standard_outputs(z) - target).T.flatten()
                if trial.square().sum() < residual.square().sum():
                    residual, damping = trial, damping / 3
                    break
                _move(model, step)
            damping = 2 * damping
        else:
            return


def jacobian_of(
    model: MLP, z: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "residuals parameters"]:
    """Return the slopes of all standardised outputs in all parameters, in their order.

    Rows run through the samples of the first output, then those of the next. A sample's output
    depends on its own sums only, so one backward pass for the summed output gives all samples'.
    """
    with torch.enable_grad():
        values, sums, inputs = z, [], []
        for layer in model.layers:
            inputs.append(values)
            sums.append(layer(values))
            values = ACTIVATIONS[model.activation](sums[-1])
        rows = []
        for output in range(model.widths[-1]):
            slopes = torch.autograd.grad(sums[-1][:, output].sum(), sums, retain_graph=True)
            parts = [
                part
                for slope, entry in zip(slopes, inputs, strict=True)
                for part in ((slope[:, :, None] * entry.detach()[:, None, :]).flatten(1), slope)
            ]
            rows.append(torch.cat(parts, dim=1))
    return torch.cat(rows)


def _move(model: MLP, step: Float[Tensor, " parameters"]) -> None:
    """Add a step to the parameters, in their order."""
    parts = step.split([parameter.numel() for parameter in model.parameters()])
    for parameter, part in zip(model.parameters(), parts, strict=True):
        parameter.add_(part.view_as(parameter))


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


def step_seconds(network: nn.Module, data: Dataset, repeats: int = 8) -> float:
    """Return the seconds of one step on all training points: forward, squared error, backward.

    The quickest of several is taken, so that other programs on the machine count little. No weight
    is changed; gradients are None afterwards.

    Parameters
    ----------
    network : nn.Module
        Maps (samples, inputs) to (samples, outputs).
    data : Dataset
        Numbers, not classes.
    repeats : int
        How many steps to time, after one that is not.

    Raises
    ------
    ValueError
        If ``repeats`` is below 1.
    """
    check_integer("repeats", repeats, 1)
    found = []
    for _ in range(repeats + 1):
        network.zero_grad(set_to_none=True)
        begin = time.perf_counter()
        (network(data.x) - data.y).square().mean().backward()
        found.append(time.perf_counter() - begin)
    network.zero_grad(set_to_none=True)
    return min(found[1:])
