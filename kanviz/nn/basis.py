"""Bases of one variable in plain torch: B-splines, where their knots stand, radial functions.

The reference that every faster path is tested against; differentiable in x to any order, on every
device and dtype. A spline of degree k on an interval is a sum of k + 1 basis functions, so only
these are computed: ``active_basis`` returns their values and the index of the first. Radial bases
are summed input by input, as the Kolmogorov-Arnold theorem asks, never over a radius of several
inputs at once.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.interrupts import load
from kanviz.nn.spec import MAX_SPLINE_ORDER


def active_basis(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    spline_order: int,
    *,
    uniform: bool,
    derivatives: tuple[int, ...] = (0,),
) -> tuple[Int[Tensor, "*batch inputs"], list[Float[Tensor, "*batch inputs active"]]]:
    """Return the k + 1 basis functions that are not zero at x, with their derivatives.

    Parameters
    ----------
    x : (*batch, inputs)
        Points within the base interval of their input.
    knots : (inputs, G + 2k + 1)
        Strictly increasing along the last axis; the base interval is knots[k] .. knots[k + G].
    spline_order : int
        Polynomial degree k.
    uniform : bool
        Whether the knots of each input are equally spaced.
    derivatives : tuple of int
        Orders of the wanted derivatives in x; above k all values are 0.

    Returns
    -------
    first : (*batch, inputs) int64
        Index of the first active basis function, which is the index of the interval of x.
    values : list of (*batch, inputs, k + 1)
        For each order, that derivative of B_first(x) .. B_{first + k}(x).
    """
    if uniform and spline_order > 0:
        return _active_uniform(x, knots, spline_order, derivatives)
    return _active_on_any_knots(x, knots, spline_order, derivatives)


def scatter_rows(
    first: Int[Tensor, "*batch inputs"],
    values: Float[Tensor, "*batch inputs active"],
    n_basis: int,
) -> Float[Tensor, "*batch inputs basis"]:
    """Write active values into rows of all ``n_basis`` functions, zeros elsewhere."""
    offsets = torch.arange(values.shape[-1], device=first.device)
    rows = values.new_zeros(*values.shape[:-1], n_basis)
    return rows.scatter(-1, first.unsqueeze(-1) + offsets, values)


def _active_uniform(
    x: Tensor, knots: Tensor, k: int, derivatives: tuple[int, ...]
) -> tuple[Tensor, list[Tensor]]:
    """Use the closed form: equally spaced intervals share one (k+1, k+1) polynomial table."""
    n_intervals = knots.shape[-1] - 2 * k - 1
    low, high = knots[:, k], knots[:, k + n_intervals]
    inverse_step = n_intervals / (high - low)
    position = (x - low) * inverse_step
    first = position.long().clamp(0, n_intervals - 1)  # after .long(): a NaN stays in range
    within = position - first
    powers = [torch.ones_like(within)]
    for _ in range(k):
        powers.append(powers[-1] * within)
    tables = [uniform_polynomials(k, order) for order in derivatives]
    table = torch.tensor(tables, dtype=x.dtype, device=x.device).movedim(0, 1).flatten(1)
    values = (torch.stack(powers, dim=-1) @ table).split(k + 1, dim=-1)
    scales = [(inverse_step**order).unsqueeze(-1) if order else 1 for order in derivatives]
    return first, [value * scale for value, scale in zip(values, scales, strict=True)]


def uniform_polynomials(spline_order: int, derivative: int) -> list[list[float]]:
    """Return coefficients [power, active function] of the uniform B-spline pieces in u in [0, 1].

    Differentiated ``derivative`` times in u.
    """
    pieces = _PIECES[spline_order]
    for _ in range(derivative):
        pieces = [[*(p * c for p, c in enumerate(piece[1:], 1)), 0.0] for piece in pieces]
    return [[piece[power] for piece in pieces] for power in range(spline_order + 1)]


def _uniform_pieces(spline_order: int) -> list[list[float]]:
    """Return the coefficients [active function, power].

    Cox-de Boor with unit spacing (de Boor, A Practical Guide to Splines, ch. X), done in exact
    fractions.
    """
    pieces = [[Fraction(1)]]
    for degree in range(1, spline_order + 1):
        raised = [[Fraction(0)] * (degree + 1) for _ in range(degree + 1)]
        for r, piece in enumerate(pieces):
            for power, c in enumerate(piece):
                share = c / degree
                raised[r][power] += (r + 1) * share
                raised[r][power + 1] -= share
                raised[r + 1][power] += (degree - 1 - r) * share
                raised[r + 1][power + 1] += share
        pieces = raised
    return [[float(c) for c in piece] for piece in pieces]


# Made here: a cache inside the functions would hide them from torch.compile.
_PIECES = [_uniform_pieces(order) for order in range(MAX_SPLINE_ORDER + 1)]


def _active_on_any_knots(
    x: Tensor, knots: Tensor, k: int, derivatives: tuple[int, ...]
) -> tuple[Tensor, list[Tensor]]:
    """Cox-de Boor recursion on the active functions only (Piegl, Tiller, NURBS, A2.2, eq. 2.7)."""
    first = find_interval(x, knots, k)
    rows = torch.arange(knots.shape[0], device=x.device).unsqueeze(-1)
    nearby = knots[rows, first.unsqueeze(-1) + torch.arange(2 * k + 2, device=x.device)]
    t = nearby.unbind(-1)  # t[k] <= x <= t[k + 1]
    by_degree = [[torch.ones_like(x)]]
    for degree in range(1, k + 1):
        by_degree.append(_raise_degree(by_degree[-1], t, x, k, degree))
    results = []
    for order in derivatives:
        values = by_degree[k - order] if order <= k else [torch.zeros_like(x)] * (k + 1)
        for degree in range(k - order + 1, k + 1) if order <= k else ():
            values = _raise_derivative(values, t, k, degree)
        results.append(torch.stack(values, dim=-1))
    return first, results


def _raise_degree(
    values: list[Tensor], t: tuple[Tensor, ...], x: Tensor, k: int, degree: int
) -> list[Tensor]:
    """One level of Cox-de Boor: the ``degree`` active functions give ``degree + 1``."""
    saved, raised = torch.zeros_like(x), []
    for r, value in enumerate(values):
        left, right = t[k + r + 1 - degree], t[k + r + 1]
        share = value / (right - left)
        raised.append(saved + (right - x) * share)
        saved = (x - left) * share
    return [*raised, saved]


def _raise_derivative(
    values: list[Tensor], t: tuple[Tensor, ...], k: int, degree: int
) -> list[Tensor]:
    """B'_m = degree (B_m / (t_{m+degree} - t_m) - B_{m+1} / (t_{m+degree+1} - t_{m+1}))."""
    scaled = [
        degree * value / (t[k + r + 1] - t[k + r + 1 - degree]) for r, value in enumerate(values)
    ]
    inner = [before - after for before, after in pairwise(scaled)]
    return [-scaled[0], *inner, scaled[-1]]


def find_interval(
    x: Float[Tensor, "*batch inputs"], knots: Float[Tensor, "inputs knots"], spline_order: int
) -> Int[Tensor, "*batch inputs"]:
    """Return the index 0 .. G - 1 of the base interval that holds x; the last one is closed."""
    n_intervals = knots.shape[-1] - 2 * spline_order - 1
    inner = knots[:, spline_order + 1 : spline_order + n_intervals].contiguous()
    columns = x.movedim(-1, 0)
    flat = columns.reshape(columns.shape[0], -1).contiguous()
    return torch.searchsorted(inner, flat, right=True).reshape(columns.shape).movedim(0, -1)


def extend_knots(
    points: Float[Tensor, "inputs points"], spline_order: int
) -> Float[Tensor, "inputs knots"]:
    """Add k knots at each side of the G + 1 grid points, at the mean spacing of the grid.

    Parameters
    ----------
    points : (inputs, G + 1)
        Strictly increasing along the last axis.
    spline_order : int
        Polynomial degree k.

    Returns
    -------
    (inputs, G + 2k + 1)
        The extended knots.
    """
    if spline_order == 0:
        return points
    first, last = points[:, :1], points[:, -1:]
    step = (last - first) / (points.shape[-1] - 1)
    away = step * torch.arange(1, spline_order + 1, dtype=points.dtype, device=points.device)
    return torch.cat([first - away.flip(-1), points, last + away], dim=-1)


def uniform_points(
    low: Float[Tensor, " inputs"], high: Float[Tensor, " inputs"], grid_size: int
) -> Float[Tensor, "inputs points"]:
    """Return G + 1 equally spaced points per input, ends included exactly."""
    share = torch.arange(grid_size + 1, dtype=low.dtype, device=low.device) / grid_size
    return torch.lerp(low.unsqueeze(-1), high.unsqueeze(-1), share)


def is_uniform(points: Float[Tensor, "inputs points"]) -> bool:
    """Return whether the points of every input are equally spaced, to rounding."""
    even = uniform_points(points[:, 0], points[:, -1], points.shape[-1] - 1)
    rounding = 8 * torch.finfo(points.dtype).eps * points.abs().amax(-1, keepdim=True)
    return bool(((points - even).abs() <= rounding).all())


KNOT_DIGITS = 16
"""Least distance of two knots, in roundings of their size."""


def adapted_points(
    x: Float[Tensor, "samples inputs"],
    grid_size: int,
    *,
    grid_eps: float | None,
    margin: float,
    digits: torch.dtype | None = None,
) -> Float[Tensor, "inputs points"]:
    """Return grid points that follow the data: grid_eps uniform + (1 - grid_eps) quantiles.

    Parameters
    ----------
    x : (samples, inputs)
        The data; a column that is constant gets an interval of length 2 around its value.
    grid_size : int
        Number of intervals G.
    grid_eps : float or None
        1 for uniform points, 0 for sample quantiles (Liu et al., KAN, 2024, sec. 2.2; as in the
        field's code, values between mix the two). None takes what each column asks for: 1, or
        points where its values mostly are, where a few far out would have most of a uniform grid;
        see ``uneven_columns``.
    margin : float
        Part of the range that is added at each side, so that new data fall on the grid.
    digits : torch.dtype, optional
        The points increase in this dtype too: where the data are too close together for its digits,
        the grid reaches beyond them. By default that of x.

    Returns
    -------
    (inputs, G + 1)
        Strictly increasing points.

    Raises
    ------
    ValueError
        If the range of a column is beyond the dtype of x.
    """
    low, high = x.amin(0), x.amax(0)
    tiny = 1e3 * torch.finfo(x.dtype).eps * torch.maximum(low.abs(), high.abs())
    spread = high - low
    flat = spread <= tiny
    pad = torch.where(flat, torch.ones_like(low), margin * spread)
    numbers, size = torch.finfo(digits or x.dtype), torch.maximum(low.abs(), high.abs())
    least = (KNOT_DIGITS * numbers.eps * size).clamp(min=numbers.tiny**0.5) * grid_size
    pad = torch.maximum(pad, (least - spread) / 2)
    if not bool((spread + 2 * pad).isfinite().all()):
        raise ValueError(
            f"x must have a range that {x.dtype} can hold; got values from {float(low.min()):.3g} "
            f"to {float(high.max()):.3g}. Divide them by their size first."
        )
    points = uniform_points(low - pad, high + pad, grid_size)
    if grid_eps == 1:
        return points
    step = least / (4 * grid_size)
    if grid_eps is None:
        for column, values in uneven_columns(x).items():
            points[column, 1:-1] = _calm_points(values, grid_size)
        return _apart(points, step)
    quantiles = _quantiles(x, grid_size).T.contiguous()
    quantiles[:, 0], quantiles[:, -1] = points[:, 0], points[:, -1]
    # Repeated values give equal quantiles: a little of the uniform grid keeps points apart.
    keep = max(grid_eps, 1e-2)
    mixed = keep * points + (1 - keep) * quantiles
    return torch.where(flat.unsqueeze(-1), points, _apart(mixed, step))


def _apart(
    points: Float[Tensor, "inputs points"], least: Float[Tensor, " inputs"]
) -> Float[Tensor, "inputs points"]:
    """Return points that are at least so far from each other, with the same ends."""
    steps, least = points.diff(dim=-1), least.unsqueeze(-1)
    close = (steps < least).any(dim=-1, keepdim=True)
    if not bool(close.any()):
        return points
    more = (steps - least).clamp(min=0)
    free = steps.sum(-1, keepdim=True) - steps.shape[-1] * least
    inner = points[:, :1] + (least + more * (free / more.sum(-1, keepdim=True))).cumsum(-1)
    return torch.where(close, torch.cat([points[:, :1], inner[:, :-1], points[:, -1:]], -1), points)


EVEN_ENOUGH = 0.12
"""Spread from which on a uniform grid does; 500 normal values have 0.22, exponential ones 0.18."""

FENCE = 0.6
"""Of the middle nine tenths' width, beyond these: what is inside gets a uniform grid too. Normal
values are within, but for one in four thousand."""

MOST_SORTED = 20_000


def uneven_columns(x: Float[Tensor, "samples inputs"]) -> dict[int, Float[Tensor, " values"]]:
    """Return the distinct values of those columns of which most lie in a small part of the range.

    The spread is the part of the range in which the middle half of the distinct values lies: 0.5
    for equally spread values, near 0 where a few stand far out. Distinct, so that neither many
    zeros nor two categories ask for anything.
    """
    found = {}
    low, high = x.amin(0), x.amax(0)
    for column, span in enumerate((high - low).tolist()):
        every = -(-len(x) // MOST_SORTED)
        ends = torch.stack([low[column], high[column]])
        values = torch.cat([x[::every, column], ends]).unique()
        if len(values) > 2:
            left, right = _middle(values, 0.5)
            if right - left < EVEN_ENOUGH * span:
                found[column] = values
    return found


def _middle(values: Float[Tensor, " values"], part: float) -> tuple[float, float]:
    """Return the ends of the middle part of the values."""
    ends = values.new_tensor([0.5 - part / 2, 0.5 + part / 2])
    left, right = torch.quantile(values, ends).tolist()
    return left, right


def _calm_points(
    values: Float[Tensor, " values"], grid_size: int
) -> Float[Tensor, " inner_points"]:
    """Return the inner grid points of an uneven column: half of them for each of two needs.

    They are quantiles of the values and as many points equally spaced over where these mostly are:
    no stretch with values is left without a knot, and none with hardly any gets many.
    """
    left, right = _middle(values, 0.9)
    low, high = float(values[0]), float(values[-1])
    reach = FENCE * (right - left)
    left, right = max(low, left - reach), min(high, right + reach)
    count = max(len(values), 8 * grid_size)
    even = torch.linspace(left, right, count, dtype=values.dtype, device=values.device)
    both = torch.cat([_quantiles(values, count - 1), even]).unique()
    # A little of the even grid keeps points apart where values crowd, in float32 too.
    return torch.lerp(_quantiles(both, grid_size), _quantiles(even, grid_size), 5e-3)[1:-1]


def _quantiles(x: Tensor, grid_size: int) -> Tensor:
    share = torch.arange(grid_size + 1, dtype=x.dtype, device=x.device) / grid_size
    return torch.quantile(x, share, dim=0)


def subdivide(
    points: Float[Tensor, "inputs points"], grid_size: int
) -> Float[Tensor, "inputs new_points"]:
    """Return ``grid_size`` intervals along the old points, read as a piecewise linear function.

    Where ``grid_size`` is a multiple of the old one the new points contain the old exactly.
    """
    old_size = points.shape[-1] - 1
    place = torch.arange(grid_size + 1, dtype=points.dtype, device=points.device)
    place = place * old_size / grid_size
    left = place.long().clamp(max=old_size - 1)
    return torch.lerp(points[:, left], points[:, left + 1], place - left)


def greville_points(
    knots: Float[Tensor, "inputs knots"], spline_order: int
) -> Float[Tensor, "inputs basis"]:
    """Return the x position of each control point: the mean of k consecutive knots.

    With the coefficients at these values the spline is s(x) = x on the base interval. For k = 0
    they are the middles of the intervals (de Boor, A Practical Guide to Splines, ch. XI).
    """
    if spline_order == 0:
        return (knots[:, 1:] + knots[:, :-1]) / 2
    return knots[:, 1:-1].unfold(-1, spline_order, 1).mean(-1)


def insertion_matrix(
    old: Float[Tensor, "inputs old_knots"],
    new: Float[Tensor, "inputs new_knots"],
    spline_order: int,
) -> Float[Tensor, "inputs new_basis old_basis"]:
    """Return the matrix that gives the coefficients on finer knots of the very same spline.

    The new base knots must contain the old. Each new coefficient is the blossom of one polynomial
    piece of the old spline, taken at k consecutive new knots (Ramshaw, Blossoms are polar forms,
    1989; Goldman, Lyche, Knot insertion and deletion algorithms, 1993): de Boor's algorithm with
    a different argument at each level.
    """
    first, rows = _insertion_rows(old, new, spline_order)
    n_old = old.shape[-1] - spline_order - 1
    columns = first.unsqueeze(-1) + torch.arange(spline_order + 1, device=old.device)
    return old.new_zeros(*first.shape, n_old).scatter(-1, columns, rows)


WRITTEN_UP_TO = 1_000_000
"""Entries up to which a matrix of knot insertion is written down."""


def inserted(
    coef: Float[Tensor, "inputs old_basis outputs"],
    old: Float[Tensor, "inputs old_knots"],
    new: Float[Tensor, "inputs new_knots"],
    spline_order: int,
) -> Float[Tensor, "inputs new_basis outputs"]:
    """Return the coefficients on finer knots: ``insertion_matrix`` times those on the old."""
    if coef.shape[1] * new.shape[1] <= WRITTEN_UP_TO:
        return insertion_matrix(old, new, spline_order) @ coef
    first, rows = _insertion_rows(old, new, spline_order)
    inputs = torch.arange(len(coef), device=coef.device).unsqueeze(-1)
    parts = (rows[..., r, None] * coef[inputs, first + r] for r in range(spline_order + 1))
    return sum(parts, torch.zeros((), dtype=coef.dtype, device=coef.device))


def _insertion_rows(
    old: Tensor, new: Tensor, spline_order: int
) -> tuple[Int[Tensor, "inputs new_basis"], Float[Tensor, "inputs new_basis active"]]:
    """Return the entries of each row of ``insertion_matrix`` that are not 0, from the first on."""
    k = spline_order
    n_new = new.shape[-1] - k - 1
    index = torch.arange(n_new, device=new.device)
    piece = (index - k // 2).clamp(0, n_new - k - 1) + k  # a base interval of the new function
    middle = (new[:, piece] + new[:, piece + 1]) / 2
    first = find_interval(middle.T, old, k).T
    rows = torch.arange(old.shape[0], device=old.device)[:, None, None]
    t = old[rows, first.unsqueeze(-1) + torch.arange(2 * k + 2, device=old.device)]
    identity = torch.eye(k + 1, dtype=old.dtype, device=old.device)
    points = list(identity.expand(*first.shape, k + 1, k + 1).unbind(-2))
    for level in range(1, k + 1):
        argument = new[:, index + level]
        for r in range(k, level - 1, -1):
            left, right = t[..., r], t[..., r + k - level + 1]
            share = ((argument - left) / (right - left)).unsqueeze(-1)
            points[r] = torch.lerp(points[r - 1], points[r], share)
    return first, points[k]


def _magnitude(r: Tensor) -> Tensor:
    """|r| whose derivative at 0 is the one from the right, so that Matern derivatives are exact."""
    return torch.where(r < 0, -r, r)


def _matern32(r: Tensor) -> Tensor:
    s = math.sqrt(3.0) * _magnitude(r)
    return (1 + s) * torch.exp(-s)


def _matern52(r: Tensor) -> Tensor:
    s = math.sqrt(5.0) * _magnitude(r)
    return (1 + s + s * s / 3) * torch.exp(-s)


def _matern52_slope(r: Tensor) -> Tensor:
    s = math.sqrt(5.0) * _magnitude(r)
    return -5 / 3 * r * (1 + s) * torch.exp(-s)


RADIAL_FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "gaussian": (lambda r: torch.exp(-r * r), lambda r: -2 * r * torch.exp(-r * r)),
    "matern32": (_matern32, lambda r: -3 * r * torch.exp(-math.sqrt(3.0) * _magnitude(r))),
    "matern52": (_matern52, _matern52_slope),
    "multiquadric": (lambda r: torch.sqrt(1 + r * r), lambda r: r * torch.rsqrt(1 + r * r)),
    "inverse_multiquadric": (
        lambda r: torch.rsqrt(1 + r * r),
        lambda r: -r * torch.rsqrt(1 + r * r) / (1 + r * r),
    ),
    "inverse_quadratic": (lambda r: 1 / (1 + r * r), lambda r: -2 * r / (1 + r * r) ** 2),
}
"""K(r) and K'(r) by name (Rasmussen, Williams, Gaussian Processes for ML, eq. 4.17; Buhmann, RBFs,
ch. 1). Each forward pass needs K', for the tangents beyond the grid: written out, it can be traced
and exported."""


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
    function, slope = RADIAL_FUNCTIONS[name]
    if derivative == 0:
        return function(distance)
    return differentiate(slope, distance, derivative - 1) / step**derivative


def differentiate(function: Callable[[Tensor], Tensor], x: Tensor, order: int) -> Tensor:
    """Return a derivative of an elementwise function, to any order and inside any transform.

    By reverse mode: the levels of torch's forward mode belong to the whole process, so that two
    threads which take derivatives at a time, such as a fit in the background and a picture, break
    each other; those of ``torch.func.vjp`` belong to one thread.
    """
    if order == 0:
        return function(x)
    if not torch.compiler.is_compiling():
        load("torch._dynamo")  # the first transform of a process needs it

    def slope(z: Tensor) -> Tensor:
        pull_back = torch.func.vjp(function, z)[1]
        return torch.as_tensor(pull_back(torch.ones_like(z))[0])

    return differentiate(slope, x, order - 1)
