"""What the CPU kernels need to know of a family of functions, made once and kept.

Plain numpy: nothing here loads numba, so that importing kanviz stays quick.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from kanviz.nn.basis import uniform_polynomials
from kanviz.nn.spec import FunctionSpec

Array = NDArray[Any]

DTYPES: dict[torch.dtype, type[np.floating[Any]]] = {
    torch.float32: np.float32,
    torch.float64: np.float64,
}
BASES = ("bspline", "gaussian")

GENERAL, UNIFORM, GAUSSIAN = -1, 0, 1
"""Which functions: B-splines on any knots, on equally spaced ones, Gaussian radial functions."""

WINDOW = 14
"""Gaussians around a number that are more than rounding: exp(-6^2) is 2e-16."""

DENSE_TO, DENSE_TO_GAUSSIAN = 4.0, 10.0
"""Features per active one up to which the dense kernels are the faster ones, as measured.

They make zeros too, but in straight loops over rows; the sparse ones make none, but jump to the
weight of each number. A Gaussian is dearer to jump to, since fewer of them are zero.
"""

BLOCK, VARIANCE_BLOCK, ACTIVE_BLOCK = 512, 256, 1024
"""Numbers that a kernel works on at once, so that what it makes of them stays in the first-level
cache: all features of one input; these twice, or once in double precision; the active ones alone.
"""

AWAY, PLACE, INTERVAL, FIRST_EXTRA, SECOND_EXTRA, PIECES = range(6)
"""Rows of scratch: distances from the grid, places in an interval, which interval, two of free use;
then k + 1 polynomial pieces, then one row per feature, then what a kernel asks for beyond."""


class Cache(NamedTuple):
    """What a layer was evaluated at, as the kernels take it, and what ``forward`` made of it.

    ``x`` (inputs, samples), ``knots`` (inputs, knots), ``weight`` (inputs, width, outputs);
    ``features`` (inputs * width, samples) holds all features, or nothing.
    """

    x: Array
    knots: Array
    weight: Array
    features: Array


class Active(NamedTuple):
    """The active features of samples ``start`` to ``stop``."""

    start: int
    stop: int
    offset: Array
    values: Array


class Plan(NamedTuple):
    """A derivative of a family of functions, as its kernels take it.

    Parameters
    ----------
    spec, order
        The family, and the order of the derivative.
    dtype : numpy type
        Of all arrays.
    kind : int
        ``GENERAL``, ``UNIFORM`` or ``GAUSSIAN``.
    family : (numbers, tables, base)
        The arguments of that name in every kernel: the fields of ``basis.Settings``; the
        coefficients (3, powers, functions) of the wanted derivative, the values and the slopes;
        the polynomials (2, powers) of the base function, see ``basis.base_row``.
    active, rows, width : int
        How many basis functions may be other than 0 at a point, these and the base function, all
        features.
    scratch_rows : int
        How many rows of ``BLOCK`` numbers a kernel needs to make all features of an input. Features
        are the last of them, and begin at row ``first_feature`` of ``basis.Settings``.
    is_dense : bool
        Whether the kernels of all features are quicker than those of the active ones.
    """

    spec: FunctionSpec
    order: int
    dtype: type[np.floating[Any]]
    kind: int
    family: tuple[NDArray[np.int64], Array, Array]
    active: int
    rows: int
    width: int
    scratch_rows: int
    is_dense: bool


@functools.cache
def make_plan(spec: FunctionSpec, order: int, dtype: torch.dtype) -> Plan:
    """Return the plan for a derivative of a family whose basis is in ``BASES``."""
    orders, k, kept = (order, 0, 1), spec.spline_order, DTYPES[dtype]
    if not spec.is_spline:
        kind, tables = GAUSSIAN, [[_gaussian_polynomial(d, max(order, 1))] for d in orders]
    elif spec.uniform and k > 0:
        kind, tables = UNIFORM, [uniform_polynomials(k, d) for d in orders]
    else:
        kind, tables = GENERAL, [[[0.0]]]
    active = k + 1 if spec.is_spline else min(WINDOW, spec.n_basis)
    rows = active + int(spec.has_base)
    first_feature = PIECES + spec.padding + 1
    numbers = [spec.grid_size, spec.padding, active, spec.n_features, order]
    numbers += [int(spec.extrapolation == "zero"), kind, spec.n_basis, first_feature]
    dense_to = DENSE_TO if spec.is_spline else DENSE_TO_GAUSSIAN
    has_columns = kind != GENERAL and spec.extrapolation == "linear"
    return Plan(
        spec=spec,
        order=order,
        dtype=kept,
        kind=kind,
        family=(
            np.array(numbers, dtype=np.int64),
            np.array(tables, dtype=kept),
            np.array(_base_polynomials(spec.base, order), dtype=kept),
        ),
        active=active,
        rows=rows,
        width=spec.n_features,
        scratch_rows=first_feature + spec.n_features,
        is_dense=has_columns and spec.n_features <= dense_to * rows,
    )


def _gaussian_polynomial(order: int, degree: int) -> list[float]:
    """Return H with exp(-r^2) differentiated ``order`` times = H(r) exp(-r^2), by power of r."""
    h = np.polynomial.Polynomial([1.0])
    for _ in range(order):
        h = h.deriv() - h * np.polynomial.Polynomial([0.0, 2.0])
    return list(np.pad(h.coef, (0, degree - order)))


def _base_polynomials(base: str, order: int) -> list[list[float]]:
    """Return a, b with the derivative of the base function = a(s) + x b(s), s = sigmoid(x).

    s' = s - s^2, so each derivative of s is a polynomial P_d in s, and that of x s is
    d P_{d-1} + x P_d.
    """
    if base == "zero":
        return [[], []]
    if base == "identity":
        return [[float(order == 1)], [float(order == 0)]]
    slope, p = np.polynomial.Polynomial([0.0, 1.0, -1.0]), np.polynomial.Polynomial([0.0, 1.0])
    before = 0 * p
    for _ in range(order):
        before, p = p, p.deriv() * slope
    size = order + 2
    return [list(np.pad(c, (0, size - c.size))) for c in (order * before.coef, p.coef)]
