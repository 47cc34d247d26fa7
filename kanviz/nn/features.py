"""The features of an input: its basis functions, then its base function, in one row.

``features`` gives everything that a layer needs of x; ``evaluate`` is the seam behind which faster
kernels may stand: whatever computes it must equal the plain torch given here.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.nn.basis import active_basis, differentiate, radial_basis, scatter_rows
from kanviz.nn.dispatch import contractions, takes_kernels
from kanviz.nn.spec import FunctionSpec

BASE_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": torch.nn.functional.silu,
    "identity": lambda x: x,
}


def evaluate(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Float[Tensor, "*batch outputs"]:
    """Return the sum over inputs of all edge functions, by CPU kernels where they can do it."""
    if takes_kernels(x, knots, weight, spec):
        kernels = contractions()
        assert kernels is not None
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        y: Tensor = kernels.evaluate(rows, weight, knots, spec)
        return y if x.ndim == 2 else y.view(*x.shape[:-1], y.shape[-1])
    return evaluate_reference(x, knots, weight, spec)


def evaluate_reference(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
) -> Float[Tensor, "*batch outputs"]:
    """Return what ``evaluate`` does, in plain torch: one matrix product with the features."""
    return features(x, knots, spec).flatten(-2) @ weight.flatten(0, 1)


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
    base = differentiate(BASE_FUNCTIONS[spec.base], x, derivative)
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
