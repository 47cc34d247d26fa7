"""Where a fit of c f(a x + b) + d begins: a grid over scale and shift, in units of the data.

Here x runs from -1 to 1, so u = a x + b fills a window of half width |a| about b. The grid is laid
over what the function does in that window: how much of it is seen, how far from its middle or its
singularity.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.symbolic.library import INFINITY, Function
from kanviz.symbolic.traits import Traits, traits

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
