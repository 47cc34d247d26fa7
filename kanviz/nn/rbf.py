"""Radial basis functions of one variable, K(|x - centre| / h), in plain torch.

The bases are summed input by input, as the Kolmogorov-Arnold theorem asks; never over a radius of
several inputs at once. h is the mean distance of the centres of an input.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def _magnitude(r: Tensor) -> Tensor:
    """|r| whose derivative at 0 is the one from the right, so that Matern derivatives are exact."""
    return torch.where(r < 0, -r, r)


def _matern32(r: Tensor) -> Tensor:
    s = math.sqrt(3.0) * _magnitude(r)
    return (1 + s) * torch.exp(-s)


def _matern52(r: Tensor) -> Tensor:
    s = math.sqrt(5.0) * _magnitude(r)
    return (1 + s + s * s / 3) * torch.exp(-s)


RADIAL_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gaussian": lambda r: torch.exp(-r * r),
    "matern32": _matern32,
    "matern52": _matern52,
    "multiquadric": lambda r: torch.sqrt(1 + r * r),
    "inverse_multiquadric": lambda r: torch.rsqrt(1 + r * r),
    "inverse_quadratic": lambda r: 1 / (1 + r * r),
}
"""K(r) by name (Rasmussen, Williams, Gaussian Processes for ML, eq. 4.17; Buhmann, RBFs, ch. 1)."""


def radial_basis(
    x: Float[Tensor, "*batch inputs"],
    centres: Float[Tensor, "inputs centres"],
    name: str,
    *,
    derivative: int = 0,
) -> Float[Tensor, "*batch inputs centres"]:
    """Return K(|x - t| / h) for every centre t, or its derivative in x of any order.

    ``centres`` increase along the last axis (at least two); h is their mean distance per input.
    """
    step = (centres[:, -1:] - centres[:, :1]) / (centres.shape[-1] - 1)
    distance = (x.unsqueeze(-1) - centres) / step
    values = differentiate(RADIAL_FUNCTIONS[name], distance, derivative)
    return values / step**derivative if derivative else values


def differentiate(function: Callable[[Tensor], Tensor], x: Tensor, order: int) -> Tensor:
    """Return a derivative of an elementwise function, to any order and inside any transform.

    By reverse mode: the levels of torch's forward mode belong to the whole process, so that two
    threads which take derivatives at a time, such as a fit in the background and a picture, break
    each other; those of ``torch.func.vjp`` belong to one thread.
    """
    if order == 0:
        return function(x)

    def slope(z: Tensor) -> Tensor:
        pull_back = torch.func.vjp(function, z)[1]
        return torch.as_tensor(pull_back(torch.ones_like(z))[0])

    return differentiate(slope, x, order - 1)
