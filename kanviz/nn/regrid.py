"""The functions of a layer on other knots: exact where knots are only added, else the best fit.

``functions_from_arrays`` brings what another library trained to our knots, in the same way.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.basis import extend_knots, insertion_matrix, is_uniform, subdivide
from kanviz.nn.features import basis, features
from kanviz.nn.spec import MAX_SPLINE_ORDER, FunctionSpec


class Functions(NamedTuple):
    """All that the functions of a layer are made of.

    ``knots`` is (in, knots), ``weight`` (in, features, out), both as in ``KANLayer``.
    """

    knots: Tensor
    weight: Tensor
    spec: FunctionSpec


def grid_points(
    knots: Float[Tensor, "inputs knots"], spec: FunctionSpec
) -> Float[Tensor, "inputs points"]:
    """Return the G + 1 points of each input's base grid, a view of ``knots``."""
    return knots[:, spec.padding : spec.padding + spec.grid_size + 1]


@torch.no_grad()
def refined(old: Functions, grid_size: int) -> tuple[Functions, float]:
    """Return the functions on ``grid_size`` intervals along their own grid, and the change.

    For a B-spline and a multiple of the present grid size this is exact knot insertion, also
    beyond the grid, and the change is 0.0; otherwise see ``refitted``.
    """
    spec = replace(old.spec, grid_size=grid_size)
    points = subdivide(grid_points(old.knots, old.spec).double(), grid_size)
    if not spec.is_spline or grid_size % old.spec.grid_size:
        return refitted(old, points, spec)
    knots = extend_knots(points, spec.spline_order)
    matrix = insertion_matrix(old.knots.double(), knots, spec.spline_order)
    n_basis = old.spec.n_basis
    coef = matrix @ old.weight[:, :n_basis].double()
    return Functions(knots, torch.cat([coef, old.weight[:, n_basis:]], dim=1), spec), 0.0


@torch.no_grad()
def refitted(
    old: Functions, points: Float[Tensor, "inputs points"], spec: FunctionSpec
) -> tuple[Functions, float]:
    """Return the functions fitted on new grid points (float64), and the largest change of one.

    The change is the root mean square over the new grid, in the unit of the outputs. Inputs whose
    points are the old ones keep every bit.
    """
    knots = extend_knots(points, spec.padding)
    share = torch.linspace(0, 1, 8 * max(spec.n_basis, old.spec.n_basis) + 1)
    x = torch.lerp(points[:, :1], points[:, -1:], share.to(points)).T
    n_basis = old.spec.n_basis
    columns = features(x, old.knots.double(), old.spec)[..., :n_basis]
    curves = torch.einsum("sif,ifo->sio", columns, old.weight[:, :n_basis].double())
    coef, error = fit_coefficients(x, curves, knots, spec)
    weight = torch.cat([coef, old.weight[:, n_basis:]], dim=1)
    if spec.grid_size == old.spec.grid_size:
        present = grid_points(old.knots, old.spec)
        stays = (points.to(present) == present).all(dim=1, keepdim=True)
        knots = torch.where(stays, old.knots.double(), knots)
        weight = torch.where(stays.unsqueeze(-1), old.weight.double(), weight)
        error = error.masked_fill(stays, 0)
    return Functions(knots, weight, spec), float(error.max())


RIDGE = 1e-13
"""Relative to the mean diagonal of the normal matrix: far below the rounding of the data."""


def fit_coefficients(
    x: Float[Tensor, "samples inputs"],
    curves: Float[Tensor, "samples inputs outputs"],
    knots: Float[Tensor, "inputs knots"],
    spec: FunctionSpec,
) -> tuple[Float[Tensor, "inputs basis outputs"], Float[Tensor, "inputs outputs"]]:
    """Fit the basis (without base function) of each input to all its curves at once.

    Parameters
    ----------
    x : (samples, inputs)
        Where the curves are known; should cover the grid.
    curves : (samples, inputs, outputs)
        The wanted values.
    knots, spec
        The basis, as in ``kanviz.nn.features``.

    Returns
    -------
    coef : (inputs, n_basis, outputs)
        In the dtype of ``curves``; computed in float64.
    error : (inputs, outputs)
        Root mean square of what is left, in the unit of ``curves``.
    """
    wanted = curves.double().movedim(0, 1)
    design = basis(x.double(), knots.double(), spec).movedim(0, 1)
    normal = design.mT @ design
    diagonal = normal.diagonal(dim1=-2, dim2=-1)
    ridge = RIDGE * diagonal.mean(-1, keepdim=True) * torch.ones_like(diagonal)
    factor = torch.linalg.cholesky(normal + torch.diag_embed(ridge))
    coef = torch.cholesky_solve(design.mT @ wanted, factor)
    coef = coef + torch.cholesky_solve(design.mT @ (wanted - design @ coef), factor)
    error = (wanted - design @ coef).square().mean(1).sqrt()
    return coef.to(curves.dtype), error.to(curves.dtype)


FLOATS = (torch.float32, torch.float64)


def functions_from_arrays(
    knots: Any, coef: Any, base_weight: Any, *, base: str, extrapolation: str
) -> Functions:
    """Return what ``KANLayer.from_arrays`` asks for, in the dtype of ``coef``.

    Knots beyond the base interval may stand anywhere: the splines are written on ours, which go on
    at the mean spacing. On the base interval that is the same function, see ``insertion_matrix``.
    """
    heights = _numbers("coef", coef)
    if heights.ndim != 3 or 0 in heights.shape:
        raise ValueError(
            "coef must have shape (in_features, out_features, coefficients); got "
            f"{tuple(heights.shape)}. Transpose it where another library has outputs first."
        )
    inputs, outputs, n_coef = heights.shape
    old = _knots(knots, inputs, n_coef)
    order = old.shape[1] - n_coef - 1
    points = old[:, order : n_coef + 1]
    if not bool((points[:, 1:] > points[:, :-1]).all() and (old[:, 1:] >= old[:, :-1]).all()):
        raise ValueError(
            "knots must increase, strictly on the base interval; got some that do not. Sort them."
        )
    new = extend_knots(points, order)
    weight = insertion_matrix(old, new, order) @ heights.mT.double()
    if base_weight is not None:
        weight = torch.cat([weight, _base_row(base_weight, inputs, outputs)], dim=1)
    dtype = heights.dtype
    spec = FunctionSpec(
        grid_size=n_coef - order,
        spline_order=order,
        base=base if base_weight is not None else "zero",  # type: ignore[arg-type]  # checked there
        extrapolation=extrapolation,  # type: ignore[arg-type]
        uniform=is_uniform(points.to(dtype)),
    )
    return Functions(new.to(dtype), weight.to(dtype), spec)


def _knots(knots: Any, inputs: int, n_coef: int) -> Tensor:
    """Return float64 knots (inputs, G + 2k + 1) whose number fits that of the coefficients."""
    found = _numbers("knots", knots).double()
    if found.ndim == 1:
        found = found.expand(inputs, -1)
    if found.ndim != 2 or len(found) != inputs:
        raise ValueError(
            f"knots must be one row for all inputs or {inputs} rows; got shape "
            f"{tuple(found.shape)}. Pass one row per input of coef."
        )
    order = found.shape[1] - n_coef - 1
    if not 0 <= order <= min(MAX_SPLINE_ORDER, n_coef - 1):
        raise ValueError(
            "knots must be k + 1 more than the coefficients of an edge, for the spline order k "
            f"from 0 to {min(MAX_SPLINE_ORDER, n_coef - 1)}; got {found.shape[1]} knots and "
            f"{n_coef} coefficients. Pass the extended knots, k beyond each end."
        )
    return found


def _base_row(base_weight: Any, inputs: int, outputs: int) -> Tensor:
    """Return float64 factors of the base function (inputs, 1, outputs)."""
    factors = _numbers("base_weight", base_weight)
    if factors.shape != (inputs, outputs):
        raise ValueError(
            f"base_weight must have shape {(inputs, outputs)}, one number per edge; got "
            f"{tuple(factors.shape)}. Transpose it where another library has outputs first."
        )
    return factors.double().unsqueeze(1)


def _numbers(name: str, values: Any) -> Tensor:
    """Return an array or tensor as a tensor of float32 or float64, checked to be finite."""
    tensor = torch.as_tensor(values).detach()
    if tensor.dtype not in FLOATS:
        raise TypeError(f"{name} must be float32 or float64; got {tensor.dtype}. Convert it first.")
    if not bool(tensor.isfinite().all()):
        raise ValueError(f"{name} must be finite; got nan or inf. Look at how it was trained.")
    return tensor
