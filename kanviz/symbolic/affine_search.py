"""The search for the scale and shift of c f(a x + b) + d: where it begins, and how it descends.

Here x runs from -1 to 1, so u = a x + b fills a window of half width |a| about b. Starts are laid
over what the function does in that window: how much of it is seen, how far from its middle or its
singularity. For given a and b the best c and d follow by linear least squares, so the steps, those
of Levenberg and Marquardt for many fits at once, are taken on what these leave (variable
projection: Golub and Pereyra, Inverse Problems 19, 2003, sec. 2, with Kaufman's approximation of
the derivative).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kanviz.symbolic.functions import INFINITY, Function, Traits, traits
from kanviz.symbolic.samples import Samples, Subset

SCALES = tuple(0.25 * 2**k for k in range(7))
"""Half widths of the window, of order 1 being where most functions bend."""

WAVE_SCALES = tuple(0.4 + 0.8 * k for k in range(36))
"""Up to 9 periods of a sine over the range of x; the step is well within one basin."""

WAVE_SHIFT_STEP = 1.0

SHIFT_STEP = 0.75

BEYOND = 2.0
"""How far outside the window the middle of a function may lie."""

FREE_SHIFTS = (
    *(k / 10 for k in range(-15, 16)),
    *(sign * size for size in (2.0, 3.0, 5.0, 10.0) for sign in (-1, 1)),
)
"""Middles of functions whose scale is free."""

MARGINS = (0.0, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Distances from a singularity, in widths of the window."""

ENDS = (0.0, 0.002, 0.01, 0.05, 0.12, 0.22, 0.35, 0.5, 0.7, 0.9)
"""Distances from both ends of a finite domain, in widths of the domain."""

CLOSEST = 1e-12
"""Distance from a singularity that is always kept, in widths of the window."""

SMALLEST_SCALE, LARGEST_SCALE = 0.02, 1e4


def starting_points(
    function: Function,
) -> tuple[Float[Tensor, "starts 2"], Int[Tensor, " starts"]]:
    """Return pairs (a, b) to start from, and the cell of each; a cell is about one basin.

    All windows lie in the function's domain.
    """
    known, (low, high) = traits(function), function.domain
    if abs(low) != INFINITY and abs(high) != INFINITY:
        windows = _between_ends(low, high)
    elif abs(low) != INFINITY or abs(high) != INFINITY:
        windows = _beside_end(low, high, known)
    else:
        windows = _anywhere(known)
    if known.mirror is None or low != -high:
        windows = windows + [(-a, b, len(windows) + cell) for a, b, cell in windows]
    table = torch.tensor(windows, dtype=torch.float64)
    return table[:, :2].contiguous(), table[:, 2].long()


def _anywhere(known: Traits) -> list[tuple[float, float, int]]:
    """Windows for a function that is defined everywhere."""
    if known.scale_free:
        shifts = (0.0,) if known.shift_free else FREE_SHIFTS
        return [(1.0, shift, cell) for cell, shift in enumerate(shifts)]
    scales = WAVE_SCALES if known.is_wave else SCALES
    step = WAVE_SHIFT_STEP if known.is_wave else SHIFT_STEP
    windows = []
    for cell, scale in enumerate(scales):
        reach = math.pi if known.is_periodic else scale + BEYOND
        count = 0 if known.shift_free else math.ceil(reach / step)
        windows += [(scale, reach * k / max(count, 1), cell) for k in range(-count, count + 1)]
    return windows


def _beside_end(low: float, high: float, known: Traits) -> list[tuple[float, float, int]]:
    """Windows for a function with a singularity at one end of its domain."""
    scales = (1.0,) if known.scale_free else SCALES
    pairs = [(scale, margin) for scale in scales for margin in MARGINS]
    return [
        (
            scale,
            low + scale * (1 + 2 * margin) if low != -INFINITY else high - scale * (1 + 2 * margin),
            cell,
        )
        for cell, (scale, margin) in enumerate(pairs)
    ]


def _between_ends(low: float, high: float) -> list[tuple[float, float, int]]:
    """Windows for a function with a singularity at both ends of its domain."""
    width = high - low
    pairs = [(p, q) for p in ENDS for q in ENDS if p + q <= 0.95]
    return [
        (width * (1 - p - q) / 2, low + width * (1 + p - q) / 2, cell)
        for cell, (p, q) in enumerate(pairs)
    ]


MOST_OF_WAVES, HIGHEST_FREQUENCY = 400, 120.0

PEAKS = 4


@lru_cache(maxsize=8)
def frequencies(samples: Samples) -> Float[Tensor, " peaks"]:
    """Return the angular frequencies, in units of 1 / half the range of x, that stand out most.

    By least squares, so that x need not be evenly spaced (Lomb, Astrophysics and Space Science 39,
    1976), of what a straight line leaves; up to one period in four samples.
    """
    part = samples.all.thinned(MOST_OF_WAVES)
    t, w = part.t, part.weights
    line = torch.stack([torch.ones_like(t), t], dim=-1)
    root = w.sqrt()
    q, _ = torch.linalg.qr(line * root.unsqueeze(-1))
    z = part.z * root
    z = z - q @ (q.mT @ z)
    top = min(HIGHEST_FREQUENCY, math.pi * len(t) / 4)
    omega = torch.arange(1.0, top, 0.5, dtype=t.dtype)
    angle = omega.unsqueeze(-1) * t
    sine, cosine = angle.sin() * root, angle.cos() * root
    a, b, c = sine.square().sum(1), cosine.square().sum(1), (sine * cosine).sum(1)
    p, r = sine @ z, cosine @ z
    power = (b * p**2 - 2 * c * p * r + a * r**2) / (a * b - c**2).clamp(min=1e-12)
    inside = power[1:-1]
    is_peak = torch.cat(
        [power[:1] > power[1:2], (inside >= power[:-2]) & (inside > power[2:]), power[:1] < -1]
    )
    order = torch.where(is_peak, power, -1.0).argsort(descending=True)[:PEAKS]
    return omega[order]


def wave_starts(
    function: Function, samples: Samples
) -> tuple[Float[Tensor, "starts 2"], Int[Tensor, " starts"]]:
    """Return further starts for a wave: the frequencies of the curve beyond ``WAVE_SCALES``."""
    known, windows = traits(function), []
    scales = [scale for scale in frequencies(samples).tolist() if scale > WAVE_SCALES[-1]]
    for cell, scale in enumerate(scales):
        reach = math.pi if known.is_periodic else scale + BEYOND
        count = math.ceil(reach / WAVE_SHIFT_STEP)
        windows += [(scale, reach * k / count, cell) for k in range(-count, count + 1)]
    table = torch.tensor(windows, dtype=torch.float64).view(-1, 3)
    return table[:, :2].contiguous(), table[:, 2].long()


def into_domain(
    pairs: Float[Tensor, "functions starts 2"], domains: Float[Tensor, "functions 2"]
) -> Float[Tensor, "functions starts 2"]:
    """Return the nearest pairs (a, b) whose windows lie in the functions' domains."""
    low, high = domains.unsqueeze(1).unbind(-1)
    scale, shift = pairs.unbind(-1)
    largest = ((high - low) / 2).clamp(max=LARGEST_SCALE)
    reach = torch.minimum(scale.abs().clamp(min=SMALLEST_SCALE) * (1 + 2 * CLOSEST), largest)
    inside = torch.maximum(torch.minimum(shift, high - reach), low + reach)
    return torch.stack([(reach / (1 + 2 * CLOSEST)).copysign(scale), inside], dim=-1)


FIRST_DAMPING = 1e-2

TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Projection:
    """The best c and d for given values of f, and what they leave.

    Parameters
    ----------
    centered : (*fits, samples)
        f less its weighted mean.
    square : (*fits)
        Weighted mean square of ``centered``.
    c, d, cost : (*fits)
        The numbers, and the weighted mean square of ``residual``; inf where a value of f is not
        finite.
    residual : (*fits, samples)
        z - c f - d.
    """

    centered: Float[Tensor, "*fits samples"]
    square: Float[Tensor, "*fits"]
    c: Float[Tensor, "*fits"]
    d: Float[Tensor, "*fits"]
    residual: Float[Tensor, "*fits samples"]
    cost: Float[Tensor, "*fits"]


def project(values: Float[Tensor, "*fits samples"], part: Subset) -> Projection:
    """Fit z by c f + d, by weighted least squares."""
    mean, z_mean = values @ part.weights, part.weights @ part.z
    centered, z = values - mean.unsqueeze(-1), part.z - z_mean
    square = centered.square() @ part.weights
    # A constant f has no c; what rounding leaves of its variance must not be divided by.
    is_constant = square <= 1e-28 * mean.square() + TINY
    c = torch.where(is_constant, 0.0, (centered @ (part.weights * z)) / square)
    residual = torch.addcmul(z, c.unsqueeze(-1), centered, value=-1)
    cost = residual.square() @ part.weights
    cost = torch.where(cost.isfinite(), cost, INFINITY)
    return Projection(centered, square, c, z_mean - c * mean, residual, cost)


def descend(
    functions: Sequence[Function],
    pairs: Float[Tensor, "functions starts 2"],
    part: Subset,
    steps: int,
) -> tuple[Float[Tensor, "functions starts 2"], Float[Tensor, "functions starts"]]:
    """Improve all pairs (a, b) by so many steps; return them and their costs.

    A pair never leaves the domain of its function, nor becomes worse.
    """
    domains = torch.tensor([function.domain for function in functions], dtype=pairs.dtype)
    now, damping = (
        _gauss_newton(functions, pairs, part),
        torch.full_like(pairs[..., 0], FIRST_DAMPING),
    )
    for _ in range(steps):
        limit = 0.5 * pairs[..., :1].abs() + 0.5
        trial = into_domain(pairs + now.step(damping).clamp(-limit, limit), domains)
        then = _gauss_newton(functions, trial, part)
        better = then.cost < now.cost
        pairs = torch.where(better.unsqueeze(-1), trial, pairs)
        now = then.where(better, now)
        damping = torch.where(better, damping / 8, damping * 6).clamp(1e-12, 1e12)
    return pairs, now.cost


@dataclass(frozen=True, eq=False)
class _GaussNewton:
    """The Gauss-Newton model of each cost: cost - 2 gradient s + s matrix s."""

    cost: Float[Tensor, "functions starts"]
    matrix: Float[Tensor, "functions starts 2 2"]
    gradient: Float[Tensor, "functions starts 2"]

    def step(self, damping: Float[Tensor, "functions starts"]) -> Tensor:
        """Return the minimum of the damped model, by Cramer's rule."""
        diagonal = self.matrix.diagonal(dim1=-2, dim2=-1)
        first, second = (diagonal * (1 + damping.unsqueeze(-1))).unbind(-1)
        off = self.matrix[..., 0, 1]
        g0, g1 = self.gradient.unbind(-1)
        determinant = first * second - off * off
        step = torch.stack([second * g0 - off * g1, first * g1 - off * g0], dim=-1)
        return (step / determinant.unsqueeze(-1)).nan_to_num(0.0, 0.0, 0.0)

    def where(
        self, chosen: Bool[Tensor, "functions starts"], other: "_GaussNewton"
    ) -> "_GaussNewton":
        """Return this model where chosen, else the other."""
        return _GaussNewton(
            torch.where(chosen, self.cost, other.cost),
            torch.where(chosen[..., None, None], self.matrix, other.matrix),
            torch.where(chosen[..., None], self.gradient, other.gradient),
        )


def _gauss_newton(
    functions: Sequence[Function], pairs: Float[Tensor, "functions starts 2"], part: Subset
) -> _GaussNewton:
    values, slopes = _values_and_slopes(functions, pairs, part)
    fit = project(values, part)
    w, f = part.weights, fit.centered
    slopes = slopes * fit.c.unsqueeze(-1)
    columns = []
    for column in (slopes * part.t, slopes):  # d/da and d/db, at right angles to 1 and f
        column = column - (column @ w).unsqueeze(-1)
        share = ((column * f) @ w) / (fit.square + TINY)
        columns.append(torch.addcmul(column, share.unsqueeze(-1), f, value=-1))
    jacobian = torch.stack(columns, dim=-2)
    weighted = jacobian * w
    free = torch.tensor(
        [[not traits(f).scale_free, not traits(f).shift_free] for f in functions],
        dtype=values.dtype,
    ).unsqueeze(1)
    matrix = weighted @ jacobian.mT * free.unsqueeze(-1) * free.unsqueeze(-2)
    matrix = matrix + torch.diag_embed(1 - free)
    gradient = (weighted @ fit.residual.unsqueeze(-1)).squeeze(-1) * free
    return _GaussNewton(fit.cost, matrix, gradient)


def _values_and_slopes(
    functions: Sequence[Function], pairs: Float[Tensor, "functions starts 2"], part: Subset
) -> tuple[Float[Tensor, "functions starts samples"], Float[Tensor, "functions starts samples"]]:
    """Return f(a t + b) and f'(a t + b) for all functions and pairs."""
    u = pairs[..., :1] * part.t + pairs[..., 1:]
    values, slopes = torch.empty_like(u), torch.empty_like(u)
    for n, function in enumerate(functions):
        with torch.enable_grad():
            at = u[n].detach().requires_grad_()
            value = function.torch.plain(at)
            (slopes[n],) = torch.autograd.grad(value.sum(), at)
        values[n] = value.detach()
    return values, slopes
