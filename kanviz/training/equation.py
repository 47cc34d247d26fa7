"""Equations: residuals of an unknown function, and how they change with a network's weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call, jacrev

from kanviz.nn import Network
from kanviz.nn.calculus import Operator, Unknown, each

Residuals = Callable[[Unknown], Any]
"""``residuals(u)``: a tensor or several, all of which should be 0."""

BUILD_FROM = "Build them from u(x), gradient(u, x), laplacian(u, x) and the like."

NUMBERS_AT_ONCE = 4_000_000
"""About as many derivatives are worked on at a time."""


@dataclass(frozen=True)
class Equation:
    """Residuals that a network is to make 0, in the sense of least squares.

    What the residuals ask of u are values and derivatives at points; each depends on the weights
    through its own point only, so its slopes are made point by point. The residuals may then mix
    them in any way: differences of neighbours, sums over all points, products.
    """

    residuals: Residuals

    @torch.no_grad()
    def values(self, network: Network) -> Float[Tensor, " residuals"]:
        """Return all residuals in one row."""
        return _row(self.residuals(_unknown(network, partial(_answers, network))))

    @torch.no_grad()
    def points(self, network: Network) -> Float[Tensor, "points inputs"]:
        """Return where the residuals ask for u or its derivatives, each set of points once."""
        seen: list[Tensor] = []

        def measure(operator: Operator, x: Tensor) -> Tensor:
            if not any(x is other or torch.equal(x, other) for other in seen):
                seen.append(x)
            return _answers(network, operator, x)

        _row(self.residuals(_unknown(network, measure)))
        return torch.cat(seen) if seen else network.layers[0].weight.new_zeros(0, network.widths[0])

    @torch.no_grad()
    def values_of_zero(self, network: Network) -> Float[Tensor, " residuals"]:
        """Return the residuals of u = 0, for a network's inputs and outputs."""

        def measure(operator: Operator, x: Tensor) -> Tensor:
            return torch.zeros_like(_answers(network, operator, x))

        return _row(self.residuals(_unknown(network, measure)))

    def linearised(
        self, network: Network
    ) -> tuple[Float[Tensor, " residuals"], Float[Tensor, "weights residuals"]]:
        """Return the residuals and the transpose of their Jacobian in all weights.

        The slopes of the residuals in what they asked for are applied to the slopes of the answers
        by differentiating the transposed product, which is linear, once more: in reverse only,
        since forward derivatives are a state of the whole process.
        """
        answers: list[Tensor] = []
        slopes: list[Tensor] = []

        def measure(operator: Operator, x: Tensor) -> Tensor:
            answer, slope = _with_slopes(network, operator, x)
            answers.append(answer.requires_grad_())
            slopes.append(slope)
            return answer

        with torch.enable_grad():
            row = _row(self.residuals(_unknown(network, measure)))
            if not row.requires_grad:
                raise ValueError(
                    f"residuals must depend on u; got numbers that do not. {BUILD_FROM}"
                )
            probe = torch.zeros_like(row, requires_grad=True)
            pulled = torch.autograd.grad(
                row, answers, probe, create_graph=True, materialize_grads=True
            )
            used = [n for n, part in enumerate(pulled) if part.requires_grad]
            (pushed,) = torch.autograd.grad(
                [pulled[n] for n in used],
                probe,
                [slopes[n] for n in used],
                is_grads_batched=True,
            )
        return row.detach(), pushed


def _row(parts: Any) -> Tensor:
    """Return a tensor, or several, as one row of numbers."""
    found = [parts] if isinstance(parts, Tensor) else parts
    if not isinstance(found, list | tuple) or not all(
        isinstance(part, Tensor) and part.is_floating_point() for part in found
    ):
        raise TypeError(
            "residuals must return a tensor of numbers, or a list of them; got "
            f"{type(parts).__name__}. {BUILD_FROM}"
        )
    return torch.cat([part.flatten() for part in found]) if found else torch.zeros(0)


def _unknown(network: Network, measure: Callable[[Operator, Tensor], Tensor]) -> Unknown:
    return Unknown(measure, network.widths[0], network.layers[0].weight.detach())


def _answers(network: Network, operator: Operator, x: Tensor) -> Tensor:
    answers: Tensor = each(partial(operator, network), x)
    return answers.detach()


def _with_slopes(network: Network, operator: Operator, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return what an operator gives at every point, and (weights, ...) its slopes."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}

    def answer(chosen: dict[str, Tensor], point: Tensor) -> tuple[Tensor, Tensor]:
        value = operator(lambda z: functional_call(network, chosen, (z,)), point)
        return value, value

    slope = jacrev(answer, has_aux=True)
    total = sum(weight.numel() for weight in weights.values())
    at_once = max(1, NUMBERS_AT_ONCE // total)
    parts, values = each(lambda point: slope(weights, point), x, at_once=at_once)
    rows = [parts[name].flatten(values.ndim) for name in weights]
    return values, torch.cat(rows, dim=-1).movedim(-1, 0)
