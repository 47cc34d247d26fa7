"""The features of an input: its basis functions, then its base function, in one row.

``features`` gives everything that a layer needs of x. All here is plain torch, the reference that
the CPU kernels must equal: ``edge_sum_reference`` for the outputs of a layer, and
``edge_variance_reference`` for how much they vary.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.nn.basis import active_basis, differentiate, radial_basis, scatter_rows
from kanviz.nn.spec import FunctionSpec

BASE_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": torch.nn.functional.silu,
    "identity": lambda x: x,
}


def _silu_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


BASE_SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": _silu_slope,
    "identity": torch.ones_like,
}


def features(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    spec: FunctionSpec,
    *,
    derivative: int = 0,
) -> Float[Tensor, "*batch inputs features"]:
    """Return basis functions and base function of every input, or their derivatives in x.

    Parameters
    ----------
    x : (*batch, inputs)
        Any values; outside the grid the basis is continued as ``spec.extrapolation`` says.
    knots : (inputs, G + 2k + 1) or (inputs, G + 5)
        Knots of a B-spline, or centres of a radial basis.
    spec : FunctionSpec
        The family of functions.
    derivative : int
        Order of the derivative in x, at least 0.

    Returns
    -------
    (*batch, inputs, n_features)
        ``spec.n_basis`` columns, then one for the base function unless it is ``"zero"``.
    """
    columns = basis(x, knots, spec, derivative=derivative)
    if not spec.has_base:
        return columns
    if derivative == 0:
        base = BASE_FUNCTIONS[spec.base](x)
    else:
        base = differentiate(BASE_SLOPES[spec.base], x, derivative - 1)
    return torch.cat([columns, base.unsqueeze(-1)], dim=-1)


def basis(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    spec: FunctionSpec,
    *,
    derivative: int = 0,
) -> Float[Tensor, "*batch inputs basis"]:
    """Return the basis functions alone, continued outside the grid, or their derivatives in x."""
    first, values = active(x, knots, spec, derivative=derivative)
    return scatter_rows(first, values, spec.n_basis) if spec.is_spline else values


def active(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    spec: FunctionSpec,
    *,
    derivative: int = 0,
) -> tuple[Int[Tensor, "*batch inputs"], Float[Tensor, "*batch inputs active"]]:
    """Return the basis functions that may be other than 0 at x, and the index of the first.

    For a B-spline these are k + 1, outside the grid those of the nearest interval; for a radial
    basis all of them, from index 0 on.
    """
    low, high = knots[:, spec.padding], knots[:, spec.padding + spec.grid_size]
    nearest = torch.clamp(x, low, high)
    orders = tuple(sorted({0, 1, derivative}))
    if spec.is_spline:
        k, uniform = spec.spline_order, spec.uniform
        first, values = active_basis(nearest, knots, k, uniform=uniform, derivatives=orders)
    else:
        first = torch.zeros_like(x, dtype=torch.int64)
        values = [radial_basis(nearest, knots, spec.basis, derivative=d) for d in orders]
    known = dict(zip(orders, values, strict=True))
    continued = _continue(known, x - nearest, (high - low) / 2, spec.extrapolation, derivative)
    return first, continued


def _continue(
    known: dict[int, Tensor], outside: Tensor, fade: Tensor, extrapolation: str, derivative: int
) -> Tensor:
    """Return the basis inside the grid, and beyond it its tangent T(x), faded by w where asked.

    ``known`` holds derivatives at the nearest point of the grid, ``outside`` the signed distance
    from it. As T'' = 0, the derivative of order d of T w is T w^(d) + d T' w^(d-1).
    """
    distance = outside.unsqueeze(-1)
    tangent, slope = known[0] + known[1] * distance, known[1]
    if extrapolation == "linear":
        if derivative < 2:
            return slope if derivative else tangent
        return torch.where(distance == 0, known[derivative], 0.0)
    scale = 1 / fade.unsqueeze(-1)
    w = differentiate(_fade, distance * scale, derivative) * scale**derivative
    if derivative == 0:
        return tangent * w
    before = differentiate(_fade, distance * scale, derivative - 1) * scale ** (derivative - 1)
    return torch.where(distance == 0, known[derivative], tangent * w + derivative * slope * before)


def _fade(u: Tensor) -> Tensor:
    """1 at u = 0, 0 from |u| = 1 on, with no slope at either (the cubic smoothstep)."""
    s = u.abs().clamp(max=1.0)
    return 1 - s * s * (3 - 2 * s)


def edge_sum_reference(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
    *,
    order: int = 0,
    scale: Float[Tensor, "*batch inputs"] | None = None,
) -> Float[Tensor, "*batch outputs"]:
    """Return what ``kernels.edge_sum`` does, in plain torch: one matrix product with the features.

    Runs on every device and dtype and under every transform of torch.
    """
    columns = features(x, knots, spec, derivative=order)
    columns = columns if scale is None else columns * scale.unsqueeze(-1)
    return columns.flatten(-2) @ weight.flatten(0, 1)


class Variances(NamedTuple):
    """What a layer returns for a sample, and how much that varies.

    ``outputs`` (samples, out); ``edges`` the variances (in, out) of the edges' outputs; ``nodes``
    the standard deviations (out,) of the outputs. All with divisor n and differentiable.
    """

    outputs: Tensor
    edges: Tensor
    nodes: Tensor


def edge_variance_reference(
    x: Float[Tensor, "samples inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Variances:
    """Return what ``variance.edge_variance`` does, in plain torch.

    The variance of an edge's output is a quadratic form in its coefficients, w^T C w, where C is
    the covariance of the features of its input: exact, and nothing of size (samples, in, out) is
    made.
    """
    columns = features(x, knots, spec)
    centred = (columns - columns.mean(0)).movedim(0, 1)
    covariance = centred.mT @ centred / len(x)
    edges = (weight * (covariance @ weight)).sum(1).clamp(min=0)  # rounding makes it negative
    outputs = columns.flatten(-2) @ weight.flatten(0, 1)
    return Variances(outputs, edges, deviation(outputs))


def deviation(y: Float[Tensor, "samples nodes"]) -> Float[Tensor, " nodes"]:
    """Return standard deviations (divisor n) that stay differentiable where y is constant."""
    return y.var(0, correction=0).clamp(min=torch.finfo(y.dtype).tiny).sqrt()
