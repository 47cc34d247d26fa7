"""Where the knots stand: padding, sample-adapted grids, control points, exact knot insertion."""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.bspline import find_interval


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


def adapted_points(
    x: Float[Tensor, "samples inputs"], grid_size: int, *, grid_eps: float, margin: float
) -> Float[Tensor, "inputs points"]:
    """Return grid points that follow the data: grid_eps uniform + (1 - grid_eps) quantiles.

    Parameters
    ----------
    x : (samples, inputs)
        The data; a column that is constant gets an interval of length 2 around its value.
    grid_size : int
        Number of intervals G.
    grid_eps : float
        1 for uniform points, 0 for sample quantiles (Liu et al., KAN, 2024, sec. 2.2; as in the
        field's code, values between mix the two).
    margin : float
        Part of the range that is added at each side, so that new data fall on the grid.

    Returns
    -------
    (inputs, G + 1)
        Strictly increasing points.
    """
    low, high = x.amin(0), x.amax(0)
    tiny = 1e3 * torch.finfo(x.dtype).eps * torch.maximum(low.abs(), high.abs())
    spread = high - low
    flat = spread <= tiny
    pad = torch.where(flat, torch.ones_like(low), margin * spread)
    points = uniform_points(low - pad, high + pad, grid_size)
    if grid_eps == 1:
        return points
    share = torch.arange(grid_size + 1, dtype=x.dtype, device=x.device) / grid_size
    quantiles = torch.quantile(x, share, dim=0).T.contiguous()
    quantiles[:, 0], quantiles[:, -1] = points[:, 0], points[:, -1]
    # Repeated values give equal quantiles: a little of the uniform grid keeps points apart.
    keep = max(grid_eps, 1e-2)
    mixed = keep * points + (1 - keep) * quantiles
    return torch.where(flat.unsqueeze(-1), points, mixed)


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
    k = spline_order
    n_new, n_old = new.shape[-1] - k - 1, old.shape[-1] - k - 1
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
    columns = first.unsqueeze(-1) + torch.arange(k + 1, device=old.device)
    return old.new_zeros(old.shape[0], n_new, n_old).scatter(-1, columns, points[k])
