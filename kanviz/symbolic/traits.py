"""What c f(a x + b) + d can do with a function f, found by trying it out on a few numbers."""

import math
from dataclasses import dataclass
from functools import cache

import sympy
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.library import INFINITY, Function

PROBES = 23
SAME = 1e-9


@dataclass(frozen=True)
class Traits:
    """Which of a, b, c, d a fit needs to search for.

    Parameters
    ----------
    scale_free : bool
        f(s u) = p f(u) + q for every s > 0: c and d do what a does, so a is 1 or -1.
    shift_free : bool
        f(u + s) = p f(u) + q: b is not needed.
    mirror : (p, q) or None
        f(-u) = p f(u) + q: a is never negative.
    is_periodic : bool
        f(u + 2 pi) = f(u): b can be kept within half a turn.
    is_wave : bool
        It goes up and down without end, so that fits with many waves must be tried.
    is_flat : bool
        Its slope is 0 (but at jumps), so that only trying finds a and b.
    """

    scale_free: bool
    shift_free: bool
    mirror: tuple[float, float] | None
    is_periodic: bool
    is_wave: bool
    is_flat: bool


@cache
def traits(function: Function) -> Traits:
    """Return the traits of a function."""
    u = probes(function.domain)
    f = function.torch.plain
    at_u = f(u)
    is_open = function.domain == (-INFINITY, INFINITY)
    heads = (sympy.sin, sympy.cos, sympy.sinc, sympy.besselj)
    stretched = (_line(at_u, f(s * u)) for s in (0.5, 0.7, 1.9))
    shifted = (_line(at_u, f(u + s)) for s in (0.4, 1.3))
    return Traits(
        scale_free=all(line is not None for line in stretched),
        shift_free=is_open and all(line is not None for line in shifted),
        mirror=_line(at_u, f(-u)),
        is_periodic=_line(at_u, f(u + 2 * math.pi)) == (1.0, 0.0),
        is_wave=is_open and bool(function.expression.has(*heads)),
        is_flat=_is_flat(function, u),
    )


def probes(domain: tuple[float, float]) -> Float[Tensor, " probes"]:
    """Return numbers within the domain, not arranged about 0."""
    low, high = domain
    if abs(low) == INFINITY and abs(high) == INFINITY:
        low, high = -2.13, 1.87
    elif abs(high) == INFINITY:
        low, high = low + 0.21, low + 3.3
    elif abs(low) == INFINITY:
        low, high = high - 3.3, high - 0.21
    else:
        low, high = low + 0.11 * (high - low), high - 0.17 * (high - low)
    return torch.linspace(low, high, PROBES, dtype=torch.float64)


def _line(first: Tensor, second: Tensor) -> tuple[float, float] | None:
    """Return (p, q), rounded, with second = p first + q, if there are such numbers."""
    if not bool(first.isfinite().all() and second.isfinite().all()):
        return None
    centered = first - first.mean()
    spread = float(centered @ centered)
    p = float(centered @ (second - second.mean())) / spread if spread > 0 else 0.0
    q = float((second - p * first).mean())
    size = float(second.abs().max()) + 1e-300
    if float((second - p * first - q).abs().max()) > SAME * size:
        return None
    return round(p, 8) + 0.0, (round(q, 8) if abs(q) > SAME * size else 0.0) + 0.0


def _is_flat(function: Function, u: Tensor) -> bool:
    with torch.enable_grad():
        u = u.clone().requires_grad_()
        (slope,) = torch.autograd.grad(function.torch.plain(u).sum(), u)
    return bool((slope == 0).all())
