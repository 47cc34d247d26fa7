"""The wild side of the Kolmogorov-Arnold theorem: the inner function of a constructive proof.

D. A. Sprecher's construction for two variables and base 10, with M. Koeppen's correction, as
defined and proved in J. Braun and M. Griebel, "On a constructive proof of Kolmogorov's
superposition theorem", Constructive Approximation 30 (2009), sections 2 and 3. It is the limit of
polygons, each with ten times as many corners as the one before; here, the first few of them.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_integer

BASE = 10
MAX_DIGITS = 4
"""The next polygon would have corners 1e-31 apart: too near for float64."""


def wild_inner(x: Float[Tensor, " samples"], *, digits: int = 3) -> Float[Tensor, " samples"]:
    """Return psi(x): continuous and rising, yet almost all of it happens in almost no time.

    Parameters
    ----------
    x : (samples,)
        From 0 to 1; values beyond are taken as these.
    digits : int
        1 to 4: psi is exact at the multiples of 10^-digits and straight between them.

    Raises
    ------
    ValueError
        If ``digits`` is out of range.

    Examples
    --------
    >>> wild_inner(torch.tensor([0.0, 0.15, 0.19, 0.2, 1.0]), digits=2)
    tensor([0.0000, 0.1050, 0.1540, 0.2000, 1.0000])
    """
    corners = _corners(digits).to(x)
    place = x.clamp(0, 1) * (len(corners) - 1)
    left = place.floor().long().clamp(max=len(corners) - 2)
    return torch.lerp(corners[left], corners[left + 1], place - left)


def wild_sum(x: Float[Tensor, "samples 2"], *, digits: int = 2) -> Float[Tensor, " samples"]:
    """Return psi(x_1) + alpha psi(x_2): one number that tells both, on a grid of steps 10^-digits.

    Parameters
    ----------
    x : (samples, 2)
        From 0 to 1.
    digits : int
        As for ``wild_inner``. No two points of the grid have the same sum; in float64 they can be
        told apart up to 2 digits.

    Raises
    ------
    ValueError
        If ``digits`` is out of range.
    """
    alpha = sum(float(BASE) ** -_beta(r) for r in range(1, MAX_DIGITS + 1))
    first, second = x.unbind(1)
    return wild_inner(first, digits=digits) + alpha * wild_inner(second, digits=digits)


def _corners(digits: int) -> Float[Tensor, " corners"]:
    """Return psi at 0, 10^-digits, ..., 1."""
    check_integer("digits", digits, 1)
    if digits > MAX_DIGITS:
        raise ValueError(
            f"digits must be at most {MAX_DIGITS} because the steps of the next one are below the "
            f"rounding of float64; got {digits}. Take fewer."
        )
    psi = torch.arange(BASE + 1, dtype=torch.float64) / BASE
    for k in range(2, digits + 1):
        # The digit i at place k adds i 10^-beta(k); the digit 9 stands half way to the next corner.
        steps = torch.arange(BASE, dtype=torch.float64) * float(BASE) ** -_beta(k)
        finer = psi[:-1, None] + steps
        finer[:, -1] = (finer[:, -2] + psi[1:]) / 2
        psi = torch.cat([finer.flatten(), psi[-1:]])
    return psi


def _beta(k: int) -> int:
    """Return 1 + 2 + 4 + ... + 2^(k - 1)."""
    return (1 << k) - 1
