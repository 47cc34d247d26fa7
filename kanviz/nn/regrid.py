"""The functions of a layer on other knots: exact where knots are only added, else the best fit."""

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.features import features
from kanviz.nn.knots import extend_knots, insertion_matrix, subdivide
from kanviz.nn.least_squares import fit_coefficients
from kanviz.nn.spec import FunctionSpec


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
