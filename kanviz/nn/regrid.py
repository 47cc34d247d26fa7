"""The functions of a layer on other knots: exact where knots are only added, else the best fit.

``functions_from_arrays`` brings what another library trained to our knots, in the same way.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.basis import extend_knots, inserted, insertion_matrix, is_uniform, subdivide
from kanviz.nn.features import active, basis
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
    n_basis = old.spec.n_basis
    heights = old.weight[:, :n_basis].double()
    coef = inserted(heights, old.knots.double(), knots, spec.spline_order)
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
    curves = _curves(x, old.knots.double(), old.spec, old.weight[:, :n_basis].double())
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

BANDED_FROM = 256
"""Basis functions from which splines are fitted by their active ones alone: a few at each point,
so that time and memory grow with their number, not with its cube."""


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

    Raises
    ------
    ValueError
        If the basis is not finite at these points.
    """
    wanted, knots = curves.double(), knots.double()
    design: _Dense | _Banded
    if spec.is_spline and spec.n_basis > BANDED_FROM:
        design = _Banded(*active(x.double(), knots, spec), spec.n_basis)
    else:
        design = _Dense(basis(x.double(), knots, spec).movedim(0, 1))
    solve = design.solver()
    coef = solve(design.transposed(wanted))
    coef = coef + solve(design.transposed(wanted - design.times(coef)))
    error = (wanted - design.times(coef)).square().mean(0).sqrt()
    return coef.to(curves.dtype), error.to(curves.dtype)


def _curves(x: Tensor, knots: Tensor, spec: FunctionSpec, coef: Tensor) -> Tensor:
    """Return the splines (samples, inputs, outputs) of coefficients (inputs, basis, outputs)."""
    if spec.is_spline and spec.n_basis > BANDED_FROM:
        return _Banded(*active(x, knots, spec), spec.n_basis).times(coef)
    return torch.einsum("sif,ifo->sio", basis(x, knots, spec), coef)


Solver = Callable[[Tensor], Tensor]


class _Dense(NamedTuple):
    """The basis functions of each input at the samples (inputs, samples, basis), written down."""

    columns: Tensor

    def times(self, coef: Tensor) -> Tensor:
        return (self.columns @ coef).movedim(1, 0)

    def transposed(self, curves: Tensor) -> Tensor:
        return self.columns.mT @ curves.movedim(0, 1)

    def solver(self) -> Solver:
        """Return what solves the normal equations for one right side after the other."""
        normal = self.columns.mT @ self.columns
        factor = factor_with_ridge(
            lambda extra: torch.linalg.cholesky_ex(normal + torch.diag_embed(extra)),
            normal.diagonal(dim1=-2, dim2=-1),
        )
        return lambda right: torch.cholesky_solve(right, factor)


Factor = TypeVar("Factor")


def factor_with_ridge(
    attempt: Callable[[Tensor], tuple[Factor, Tensor]], diagonal: Float[Tensor, "inputs basis"]
) -> Factor:
    """Return the factor of matrices with as little added to their diagonals as it takes.

    Radial functions that overlap much are linearly dependent to rounding, and so are splines where
    no sample lies: then more is added to the matrices that need it.

    Parameters
    ----------
    attempt : callable
        ``attempt(extra)`` returns a factor and, for each input, 0 where it stands.
    diagonal : (inputs, basis)
        Of the matrices, whose mean is the unit of the ridge.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    if not bool(diagonal.isfinite().all()):
        raise ValueError(
            "The basis functions must be finite where they are fitted; got inf or nan. Scale the "
            "inputs, as data with normalize=True are."
        )
    ridge = torch.full_like(diagonal[:, :1], RIDGE)
    unit = diagonal.mean(-1, keepdim=True).clamp(min=torch.finfo(diagonal.dtype).tiny)
    while True:
        factor, failed = attempt(ridge * unit * torch.ones_like(diagonal))
        failed = failed.flatten() > 0
        if not bool(failed.any()) or float(ridge.max()) > 1e3:
            return factor
        ridge[failed] *= 100


class _Banded(NamedTuple):
    """The active splines of each input at the samples, and the index of the first.

    ``first`` is (samples, inputs), ``values`` (samples, inputs, k + 1).
    """

    first: Tensor
    values: Tensor
    n_basis: int

    def _places(self, active: int) -> Tensor:
        """Return where each sample's number ``active`` stands among the coefficients of all."""
        inputs = torch.arange(self.first.shape[1], device=self.first.device)
        return (inputs * self.n_basis + self.first + active).flatten()

    def times(self, coef: Tensor) -> Tensor:
        rows = coef.flatten(0, 1)
        parts = (
            self.values[..., r, None] * rows[self._places(r)].view(*self.first.shape, -1)
            for r in range(self.values.shape[-1])
        )
        return sum(parts, torch.zeros((), dtype=coef.dtype, device=coef.device))

    def transposed(self, curves: Tensor) -> Tensor:
        n_inputs = self.first.shape[1]
        rows = curves.new_zeros(n_inputs * self.n_basis, curves.shape[-1])
        for r in range(self.values.shape[-1]):
            part = (self.values[..., r, None] * curves).flatten(0, 1)
            rows.index_add_(0, self._places(r), part)
        return rows.view(n_inputs, self.n_basis, -1)

    def solver(self) -> Solver:
        """Return what solves the normal equations, which have k side diagonals."""
        n_inputs, n_active = self.first.shape[1], self.values.shape[-1]
        band = self.values.new_zeros(n_active, n_inputs * self.n_basis)
        for r in range(n_active):
            for s in range(r, n_active):
                products = (self.values[..., r] * self.values[..., s]).flatten()
                band[s - r].index_add_(0, self._places(r), products)
        band = band.view(n_active, n_inputs, self.n_basis)
        return factor_with_ridge(lambda extra: _block_cholesky(band, extra), band[0])


BLOCK = 32


def _block_cholesky(
    band: Float[Tensor, "diagonals inputs basis"], extra: Float[Tensor, "inputs basis"]
) -> tuple[Solver, Tensor]:
    """Return what solves banded systems, by Cholesky's method for blocks on three diagonals.

    ``band[d, i, m]`` is entry (m + d, m) of the matrix of input i, and ``extra`` is added to its
    diagonal (Golub, Van Loan, Matrix Computations, 2013, sec. 4.5.1).
    """
    n_inputs, n = extra.shape
    size = max(BLOCK, len(band) - 1)
    n_blocks = -(-n // size)
    diagonal = band.new_zeros(n_inputs, n_blocks, size, size)
    below = band.new_zeros(n_inputs, n_blocks, size, size)
    at = torch.arange(n, device=band.device)
    for d, values in enumerate(band):
        column, row = at[: n - d], at[d:]
        inside = column // size == row // size
        for target, some in ((diagonal, inside), (below, ~inside)):
            c, r = column[some], row[some]
            target[:, c // size, r % size, c % size] = values[:, c]
    diagonal[:, at // size, at % size, at % size] += extra
    rest = torch.arange(n, n_blocks * size, device=band.device)  # fills the last block
    diagonal[:, rest // size, rest % size, rest % size] = 1
    factors: list[Tensor] = []
    sides: list[Tensor] = []
    failed = torch.zeros(n_inputs, dtype=torch.int32, device=band.device)
    for p in range(n_blocks):
        left = diagonal[:, p] - (sides[-1] @ sides[-1].mT if sides else 0)
        factor, wrong = torch.linalg.cholesky_ex(left)
        factors.append(factor)
        failed = torch.maximum(failed, wrong)
        side = torch.linalg.solve_triangular(factor, below[:, p].mT, upper=False).mT
        sides.append(side)

    def solve(right: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(right, (0, 0, 0, n_blocks * size - n))
        parts = list(padded.split(size, dim=1))
        for p, factor in enumerate(factors):
            over = sides[p - 1] @ parts[p - 1] if p else 0
            parts[p] = torch.linalg.solve_triangular(factor, parts[p] - over, upper=False)
        for p in reversed(range(n_blocks)):
            under = sides[p].mT @ parts[p + 1] if p + 1 < n_blocks else 0
            parts[p] = torch.linalg.solve_triangular(factors[p].mT, parts[p] - under, upper=True)
        return torch.cat(parts, dim=1)[:, :n]

    return solve, failed


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
    base = "zero" if base_weight is None else base
    if base_weight is not None:
        row = _base_row(base_weight, inputs, outputs)  # checked, whatever it is a factor of
        weight = weight if base == "zero" else torch.cat([weight, row], dim=1)
    dtype = heights.dtype
    spec = FunctionSpec(
        grid_size=n_coef - order,
        spline_order=order,
        base=base,  # type: ignore[arg-type]  # checked there
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
