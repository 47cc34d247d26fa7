"""B-splines in plain torch: the reference that every faster path is tested against.

A spline of degree k on an interval is a sum of k + 1 basis functions, so only these are computed:
``active_basis`` returns their values and the index of the first. All functions are differentiable
in x to any order, on every device and dtype.
"""

from fractions import Fraction
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

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


def spread(
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
