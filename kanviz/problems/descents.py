"""Three ways to train a multilayer perceptron on standardised data."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.problems.perceptron import ACTIVATIONS, MLP

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
