"""The Bessel functions J0, J1, J2 ... of the first kind, differentiable to any order.

``torch.special`` has J0 and J1 without derivatives. The others follow by
J_(n+1)(x) = 2n/x J_n(x) - J_(n-1)(x), near 0 by the power series; all derivatives by
J_n' = (J_(n-1) - J_(n+1)) / 2 with J_(-1) = -J_1.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.1.10 and 9.1.27.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SERIES_TERMS = 20


def bessel_j(x: Float[Tensor, "*shape"], order: int) -> Float[Tensor, "*shape"]:
    """Return J_n(x).

    Parameters
    ----------
    x : (*shape)
        Any numbers.
    order : int
        n, at least 0; accurate to rounding of 1 for n up to about 8.
    """
    return _BesselJ.apply(x, order)  # type: ignore[no-any-return]


class _BesselJ(torch.autograd.Function):
    """J_n with its derivative in terms of itself, so that derivatives nest without end."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, order: int) -> Tensor:
        return _value(x, order)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:  # noqa: ARG004
        x, ctx.order = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return gradient * _slope(x, ctx.order), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangent * _slope(x, ctx.order)


def _slope(x: Tensor, order: int) -> Tensor:
    if order == 0:
        return -bessel_j(x, 1)
    return (bessel_j(x, order - 1) - bessel_j(x, order + 1)) / 2


def _value(x: Tensor, order: int) -> Tensor:
    if order < 2:
        return torch.special.bessel_j1(x) if order else torch.special.bessel_j0(x)  # type: ignore[no-any-return]
    # Upward recursion multiplies rounding by 2n/x, so it serves only where x is larger than that.
    reach = 2.0 * order
    far = torch.where(x.abs() < reach, reach, x)
    before, now = torch.special.bessel_j0(far), torch.special.bessel_j1(far)
    for n in range(1, order):
        before, now = now, 2 * n / far * now - before
    return torch.where(x.abs() < reach, _series(x.clamp(-reach, reach), order), now)


def _series(x: Tensor, order: int) -> Tensor:
    """Sum (-1)^m / (m! (m + n)!) (x / 2)^(2m + n) from the small end, by Horner's rule."""
    square = x * x / 4
    total = torch.ones_like(x)
    for m in range(SERIES_TERMS + 2 * order, 0, -1):
        total = 1 - square / (m * (m + order)) * total
    return (x / 2) ** order / math.factorial(order) * total
