"""The best c f(a x + b) + d for each of many functions f, given samples of one curve.

Several basins are tried for each function: all points of a grid over scale and shift are judged on
a few samples, the best of them improved on more, the best of these on all. Everything happens in
units of the data, so that no answer depends on them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.symbolic.affine_search import descend, project, starting_points, wave_starts
from kanviz.symbolic.functions import INFINITY, Function, traits
from kanviz.symbolic.language import X, number
from kanviz.symbolic.samples import Samples, Subset

SCREENED_SAMPLES, COARSE_SAMPLES, MOST_JUMPS = 80, 160, 1000
WAVE_SAMPLES = 300
BASINS, FINALISTS = 6, 2
COARSE_STEPS, FINE_STEPS = 8, 12
ROUNDING = 1e-14
LARGEST_ARGUMENT = 30.0
"""Of a function without need of b, so that exp(a x) without b does not overflow."""


@dataclass(frozen=True)
class AffineFit:
    """The best c f(a x + b) + d for one function f.

    Parameters
    ----------
    function : Function
        f.
    a, b, c, d : float
        In the units of the samples.
    error : float
        Root mean square error on held-out samples, as a share of the standard deviation of y.
    r2 : float
        1 - (mean square error / variance of y) over all samples; 1 is perfect.
    constants : tuple of float
        The free constants of f, in its order.
    """

    function: Function
    a: float
    b: float
    c: float
    d: float
    error: float
    r2: float
    constants: tuple[float, ...] = field(default=(), kw_only=True)

    @property
    def numbers(self) -> tuple[float, ...]:
        """a, b, c, d and the free constants, as ``KANLayer.fix`` takes them."""
        return (self.a, self.b, self.c, self.d, *self.constants)

    @property
    def expression(self) -> sympy.Expr:
        """The formula c f(a x + b) + d, in the variable ``X``."""
        a, b, c, d = (number(value) for value in (self.a, self.b, self.c, self.d))
        return c * self.function.with_numbers(self.constants).xreplace({X: a * X + b}) + d


def fit_affine(functions: Sequence[Function], samples: Samples) -> list[AffineFit]:
    """Return the best fit for each function, in their order."""
    with torch.no_grad():
        pairs = torch.stack([_best_starts(function, samples) for function in functions])
        coarse = samples.train.thinned(COARSE_SAMPLES)
        pairs, cost = descend(functions, pairs, coarse, COARSE_STEPS)
        best = cost.topk(FINALISTS, dim=1, largest=False).indices
        pairs = pairs.gather(1, best.unsqueeze(-1).expand(-1, -1, 2))
        pairs, cost = descend(functions, pairs, samples.train, FINE_STEPS)
        winners = pairs[torch.arange(len(functions)), cost.argmin(dim=1)].tolist()
        return [
            _in_user_units(function, scale, shift, samples)
            for function, (scale, shift) in zip(functions, winners, strict=True)
        ]


def _best_starts(function: Function, samples: Samples) -> Float[Tensor, "basins 2"]:
    """Return the best grid point of each of the best cells; the best one again if cells lack."""
    table, cells = starting_points(function)
    part, basins = samples.train.thinned(SCREENED_SAMPLES), BASINS
    if traits(function).is_flat and len(table) > 1:
        # All samples: else chance would put a held-out sample next to the jump on the wrong side.
        part, basins = samples.all, 1
        table, cells = _jump_starts(part)
    if traits(function).is_wave:
        more, own_cells = wave_starts(function, samples)
        if len(more):
            table = torch.cat([table, more])
            cells = torch.cat([cells, own_cells + int(cells.max()) + 1])
            part = samples.train.thinned(WAVE_SAMPLES)
    u = torch.addcmul(table[:, 1:], table[:, :1], part.t)
    cost = project(function.torch.plain(u), part).cost
    lowest = torch.full((int(cells.max()) + 1,), INFINITY, dtype=cost.dtype)
    lowest = lowest.scatter_reduce(0, cells, cost, "amin")
    candidates = (cost == lowest[cells]).nonzero().squeeze(1)
    order = candidates[cost[candidates].argsort(stable=True)][:basins]
    return table[torch.cat([order, order[:1].expand(BASINS - len(order))])]


def _jump_starts(part: Subset) -> tuple[Float[Tensor, "starts 2"], Int[Tensor, " starts"]]:
    """Return starts that put a jump between any two samples."""
    places = part.thinned(MOST_JUMPS).t
    shifts = -(places[1:] + places[:-1]) / 2
    table = torch.stack([torch.ones_like(shifts), shifts], dim=1)
    return table, torch.arange(len(table))


def _in_user_units(function: Function, scale: float, shift: float, samples: Samples) -> AffineFit:
    """Return the fit whose window in u has this scale and shift, judged on held-out samples."""
    a, b = _argument(function, scale, shift, samples)
    fit = project(_values(function, a, b, samples.train, samples), samples.train)
    c, d = float(fit.c), float(fit.d)

    def mean_square(part: Subset) -> float:
        residual = c * _values(function, a, b, part, samples) + d - part.z
        return float(residual.square() @ part.weights)

    return AffineFit(
        function,
        a,
        b,
        c * samples.scale,
        d * samples.scale + samples.mean,
        error=math.sqrt(mean_square(samples.held_out)),
        r2=1 - mean_square(samples.all),
    )


def _argument(
    function: Function, scale: float, shift: float, samples: Samples
) -> tuple[float, float]:
    """Return a and b in the unit of x, in the simplest of the forms that mean the same."""
    known, center = traits(function), samples.center
    if known.mirror is not None and scale < 0:
        scale, shift = -scale, -shift
    a = scale / samples.half
    b = shift - a * center
    if known.scale_free:
        a, b, scale = math.copysign(1.0, a), b / abs(a), scale / abs(a)
    if known.shift_free and (known.scale_free or abs(a * center) + abs(scale) < LARGEST_ARGUMENT):
        b = 0.0
    if known.is_periodic:
        b = math.remainder(b, 2 * math.pi)
    # What is left of b by rounding alone would stand in the formula for ever.
    return a, 0.0 if abs(b) < ROUNDING * (abs(scale) + abs(a * center)) else b


def _values(function: Function, a: float, b: float, part: Subset, samples: Samples) -> Tensor:
    """Return f(a x + b); the safe form, as rounding may put an end just outside the domain."""
    return function.torch(a * (samples.center + samples.half * part.t) + b)
