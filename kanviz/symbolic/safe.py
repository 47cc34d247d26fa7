"""Elementary functions that are finite everywhere, with their first two derivatives.

Inside its domain each function is exact. Outside:

- A result that would overflow is held at ``largest(dtype)``, about 2e17 in float32 and 5e138 in
  float64, so that its square is finite too.
- ``power`` with a broken exponent is odd: sqrt(-x) = -sqrt(x). Next to 0, where a slope would
  overflow, a polynomial takes the place of a power: it meets value and slope on both sides, and is
  0 with slope 0 at 0 itself. So a sample exactly at a singularity does no harm.
- ``log`` and ``arctanh`` go on beyond their singularity with the logarithm of the distance, so a
  step of training across it costs much and is undone.
- ``arcsin`` and ``arccos`` go on up to 1/8 turn beyond each end, as the angle of
  (-sqrt(x^2 - 1), x).
- ``arccosh`` below its end at 1 is -arcsinh(sqrt(2 - 2x)).

``bessel_j`` is the integral of cos(n t - x sin t) up to |x| = 25, by the midpoint rule, which is
exact to rounding with few points; beyond it comes from ``torch.special`` and the recursion J_(n+1)
= 2n/x J_n - J_(n-1). (``torch.special`` alone has no derivatives, and errors of 5e-7 in float64 up
to |x| = 17.) Derivatives: J_n' = (J_(n-1) - J_(n+1)) / 2 with J_(-1) = -J_1. Source: Abramowitz and
Stegun, Handbook of Mathematical Functions, 9.1.21 and 9.1.27.

Every function takes float32 or float64 on any device and keeps both; NaN stays NaN.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

FAR = 25.0

POINTS = 18
"""The rule's error is about 2 J_(4 points - n)(x): below 1e-16 for |x| <= 25 and n <= 10."""


def largest(dtype: torch.dtype) -> float:
    """Return the size that no value exceeds: below the square root of the type's largest number."""
    return float(torch.finfo(dtype).max ** 0.45)


def nearest(dtype: torch.dtype, exponent: float) -> float:
    """Return how near to 0 x^p (log x for p = 0) is exact: there its second derivative is huge."""
    kind = torch.finfo(dtype)
    return float(max(kind.max ** (-0.6 / (2 - exponent)), kind.tiny**0.5))


def bounded(x: Tensor) -> Tensor:
    """Hold x within ``largest``."""
    limit = largest(x.dtype)
    return x.clamp(-limit, limit)


def guarded(x: Tensor) -> Tensor:
    """Return x, held within ``largest``, such that no gradient through it is infinite or NaN.

    Not in a program that torch.export writes: it has no backward pass, and torch up to 2.7 cannot
    write down a function with a derivative of its own.
    """
    return bounded(x if torch.compiler.is_exporting() else _FiniteGradient.apply(x))


class _FiniteGradient(torch.autograd.Function):
    """The identity. Its gradient is finite, since a product of large slopes may overflow."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        limit = largest(gradient.dtype)
        return torch.nan_to_num(gradient, nan=0.0, posinf=limit, neginf=-limit)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # noqa: ARG004
        return tangent.view_as(tangent)


def add(*terms: Tensor | float) -> Tensor:
    """Return the sum."""
    return bounded(_total(terms))


def multiply(*factors: Tensor | float) -> Tensor:
    """Return the product."""
    product: Any = factors[0]
    for factor in factors[1:]:
        product = product * factor
        product = bounded(product) if isinstance(product, Tensor) else product
    return product  # type: ignore[no-any-return]


def _total(terms: tuple[Tensor | float, ...]) -> Any:
    total: Any = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def power(x: Tensor, exponent: float) -> Tensor:
    """Return x^p, for any number p but 0."""
    whole, limit = float(exponent).is_integer(), largest(x.dtype)
    reach = limit ** (1 / exponent) if exponent > 1 else limit
    if whole and exponent > 0:
        return x.clamp(-reach, reach) ** int(exponent)
    hole = nearest(x.dtype, exponent) if exponent < 2 else 0.0
    far = x.abs().clamp(hole, reach) ** exponent
    is_even = whole and exponent % 2 == 0
    far = far if is_even else far * x.sign()
    if hole == 0:
        return far
    s = (x / hole).clamp(-1, 1)
    low = 2 if is_even else 3
    near = s**low * ((low + 2 - exponent) / 2 + (exponent - low) / 2 * s * s)
    return torch.where(x.abs() < hole, hole**exponent * near, far)


def exp(x: Tensor) -> Tensor:
    """Return e^x."""
    return x.clamp(max=math.log(largest(x.dtype))).exp()


def log(x: Tensor) -> Tensor:
    """Return log x."""
    # Chosen, not added: the huge slope beyond the hole would swallow that inside it.
    hole = nearest(x.dtype, 0)
    beyond = math.log(hole) + (x.clamp(max=hole) / hole - 1).asinh()
    return torch.where(x < hole, beyond, x.clamp(min=hole).log())


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x)."""
    return torch.logaddexp(x, torch.zeros_like(x))


def sinh(x: Tensor) -> Tensor:
    """Return sinh x."""
    limit = math.log(largest(x.dtype))
    return x.clamp(-limit, limit).sinh()


def cosh(x: Tensor) -> Tensor:
    """Return cosh x."""
    limit = math.log(largest(x.dtype))
    return x.clamp(-limit, limit).cosh()


def arcsin(x: Tensor) -> Tensor:
    """Return arcsin x, from the angle of (sqrt(1 - x^2), x)."""
    return torch.atan2(x, power((1 - x) * (1 + x), 0.5))


def arccos(x: Tensor) -> Tensor:
    """Return arccos x."""
    return math.pi / 2 - arcsin(x)


def arctanh(x: Tensor) -> Tensor:
    """Return arctanh x."""
    edge = torch.finfo(x.dtype).eps
    inside = x.clamp(edge - 1, 1 - edge)
    distance = (x.abs().clamp(min=1 - edge) - 1) / edge + 1  # in units of ``edge`` beyond 1 - edge
    beyond = (math.atanh(1 - edge) + distance.asinh() / 2) * x.sign()
    return torch.where(x.abs() > 1 - edge, beyond, inside.atanh())


def sgn(x: Tensor) -> Tensor:
    """Return the sign of x: -1, 0 or 1."""
    return torch.where(x.isnan(), x, x.sign())


def arccosh(x: Tensor) -> Tensor:
    """Return arccosh x, as arcsinh(sqrt(x^2 - 1))."""
    return power((x - 1) * (1 + x.clamp(min=1)), 0.5).asinh()


def sinc(x: Tensor) -> Tensor:
    """Return sin(x) / x, near 0 by its power series."""
    is_near = x.abs() < 1
    square = torch.where(is_near, x, 1.0) ** 2
    near = torch.ones_like(x)
    for n in range(18, 0, -2):
        near = 1 - square / (n * (n + 1)) * near
    away = torch.where(is_near, 1.0, x)
    return torch.where(is_near, near, away.sin() / away)


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
    is_near = x.abs() < FAR
    beyond = _recursion(torch.where(is_near, FAR, x), order)
    return torch.where(is_near, _integral(x.clamp(-FAR, FAR), order), beyond)


def _recursion(x: Tensor, order: int) -> Tensor:
    """Return J_n from J_0 and J_1: stable where x is larger than n."""
    if order < 2:
        return torch.special.bessel_j1(x) if order else torch.special.bessel_j0(x)  # type: ignore[no-any-return]
    before: Tensor = torch.special.bessel_j0(x)
    now: Tensor = torch.special.bessel_j1(x)
    for n in range(1, order):
        before, now = now, 2 * n / x * now - before
    return now


def _integral(x: Tensor, order: int) -> Tensor:
    """Return the mean of cos(n t - x sin t) over t, by the midpoint rule on a quarter turn."""
    t = (torch.arange(POINTS, dtype=x.dtype, device=x.device) + 0.5) * (math.pi / 2 / POINTS)
    wave = torch.sin if order % 2 else torch.cos  # the parts that are even about t = pi / 2
    return wave(x.unsqueeze(-1) * t.sin()) @ wave(order * t) / POINTS


SAFE: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "add": add,
        "multiply": multiply,
        "power": power,
        "exp": exp,
        "log": log,
        "softplus": softplus,
        "abs": torch.abs,
        "sgn": sgn,
        "relu": torch.relu,
        "sin": torch.sin,
        "cos": torch.cos,
        "tan": torch.tan,
        "sinh": sinh,
        "cosh": cosh,
        "tanh": torch.tanh,
        "arcsin": arcsin,
        "arccos": arccos,
        "arctan": torch.atan,
        "arcsinh": torch.asinh,
        "arccosh": arccosh,
        "arctanh": arctanh,
        "erf": torch.erf,
        "sinc": sinc,
        "bessel": bessel_j,
    }
)
"""The operations of a program, finite everywhere."""


def _plain_product(*factors: Tensor | float) -> Any:
    return math.prod(factors)


PLAIN: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        **SAFE,
        "add": lambda *terms: _total(terms),
        "multiply": _plain_product,
        "power": torch.pow,
        "exp": torch.exp,
        "log": torch.log,
        "sinh": torch.sinh,
        "cosh": torch.cosh,
        "arcsin": torch.asin,
        "arccos": torch.acos,
        "arccosh": torch.acosh,
        "arctanh": torch.atanh,
    }
)
"""The same as written in a textbook: NaN or inf off the domain, and somewhat faster."""
