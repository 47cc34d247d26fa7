"""What the CPU kernels need to know of a family of functions, made once and kept."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kanviz.nn import kernels_basis, kernels_columns, kernels_dense
from kanviz.nn.basis import uniform_polynomials
from kanviz.nn.spec import FunctionSpec

Array = NDArray[Any]

DTYPES: dict[torch.dtype, type[np.floating[Any]]] = {
    torch.float32: np.float32,
    torch.float64: np.float64,
}
KERNEL_BASES = ("bspline", "gaussian")

WINDOW = 14
"""Gaussians around a number that are more than rounding: exp(-6^2) is 2e-16."""

DENSE_TO, DENSE_TO_GAUSSIAN = 4.0, 10.0
"""Features per active one up to which the dense kernels are the faster ones, as measured."""


class Plan(NamedTuple):
    """A derivative of a family of functions, as arguments of its kernels.

    ``kernel`` makes the active features, ``arguments`` are for it and for the kernels of all
    features; ``active`` counts the basis functions that may be other than 0 at a point, ``rows``
    these and the base function, ``width`` all features. ``is_dense`` says which kernels to use.
    """

    kernel: Callable[..., None]
    arguments: tuple[NDArray[np.int64], Array, Array]
    dtype: type[np.floating[Any]]
    active: int
    rows: int
    width: int
    n_scratch_rows: int
    is_dense: bool


@functools.cache
def make_plan(spec: FunctionSpec, derivative: int, dtype: torch.dtype) -> Plan:
    """Return the plan for a derivative of a family whose basis is in ``KERNEL_BASES``."""
    orders, k = (derivative, 0, 1), spec.spline_order
    if not spec.is_spline:
        kind, kernel = kernels_columns.GAUSSIAN, kernels_basis.gaussian_features
        tables = [[_gaussian_polynomial(order, max(derivative, 1))] for order in orders]
    elif spec.uniform and k > 0:
        kind, kernel = kernels_columns.UNIFORM, kernels_basis.uniform_features
        tables = [uniform_polynomials(k, order) for order in orders]
    else:
        kind, kernel = -1, kernels_basis.general_features
        tables = [[[0.0]]]
    has_columns = kind >= 0 and spec.extrapolation == "linear"
    dense_to = DENSE_TO if spec.is_spline else DENSE_TO_GAUSSIAN
    active = k + 1 if spec.is_spline else min(WINDOW, spec.n_basis)
    numbers = [spec.grid_size, spec.padding, active, spec.n_features, derivative]
    numbers += [int(spec.extrapolation == "zero"), kind, spec.n_basis]
    kept = DTYPES[dtype]
    return Plan(
        kernel,
        (
            np.array(numbers, dtype=np.int64),
            np.array(tables, dtype=kept),
            np.array(_base_polynomials(spec.base, derivative), dtype=kept),
        ),
        kept,
        active,
        active + int(spec.has_base),
        spec.n_features,
        kernels_dense.n_scratch_rows(spec.padding, spec.n_features),
        has_columns and spec.n_features <= dense_to * (active + int(spec.has_base)),
    )


def contiguous(tensor: Tensor) -> Array:
    """Return a numpy view that lies in one piece, or a copy where there is none."""
    whole = tensor if tensor.is_contiguous() else tensor.contiguous()
    array: Array = whole.numpy(force=True)
    return array


def columns_of(matrix: Tensor) -> Array:
    """Return the transposed matrix as an array that lies in one piece, or a copy if need be."""
    if matrix.numel() > 1 << 15:  # torch is the quicker one to transpose
        return contiguous(matrix.T)
    array: Array = np.ascontiguousarray(matrix.numpy(force=True).T)
    return array


def _gaussian_polynomial(order: int, degree: int) -> list[float]:
    """Return H with exp(-r^2) differentiated ``order`` times = H(r) exp(-r^2), by power of r."""
    h = np.polynomial.Polynomial([1.0])
    for _ in range(order):
        h = h.deriv() - h * np.polynomial.Polynomial([0.0, 2.0])
    return list(np.pad(h.coef, (0, degree - order)))


def _base_polynomials(base: str, derivative: int) -> list[list[float]]:
    """Return a, b with the derivative of the base function = a(s) + x b(s), s = sigmoid(x).

    s' = s - s^2, so each derivative of s is a polynomial P_d in s, and that of x s is
    d P_{d-1} + x P_d.
    """
    if base == "zero":
        return [[], []]
    if base == "identity":
        return [[float(derivative == 1)], [float(derivative == 0)]]
    slope, p = np.polynomial.Polynomial([0.0, 1.0, -1.0]), np.polynomial.Polynomial([0.0, 1.0])
    before = 0 * p
    for _ in range(derivative):
        before, p = p, p.deriv() * slope
    size = derivative + 2
    return [list(np.pad(c, (0, size - c.size))) for c in (derivative * before.coef, p.coef)]
