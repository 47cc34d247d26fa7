"""What the CPU kernels need to know of a family of functions, made once and kept."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from kanviz.nn import kernels_basis
from kanviz.nn.bspline import uniform_polynomials
from kanviz.nn.spec import FunctionSpec

DTYPES: dict[torch.dtype, type[np.floating[Any]]] = {
    torch.float32: np.float32,
    torch.float64: np.float64,
}
KERNEL_BASES = ("bspline", "gaussian")


class Plan(NamedTuple):
    """A derivative of a family of functions, as arguments of its kernel.

    ``active`` counts the basis functions that may be other than 0 at a point, ``rows`` these and
    the base function, ``width`` all features.
    """

    kernel: Callable[..., None]
    numbers: NDArray[np.int64]
    tables: NDArray[Any]
    base: NDArray[Any]
    active: int
    rows: int
    width: int


@functools.cache
def make_plan(spec: FunctionSpec, derivative: int, dtype: torch.dtype) -> Plan:
    """Return the plan for a derivative of a family whose basis is in ``KERNEL_BASES``."""
    orders, k = (derivative, 0, 1), spec.spline_order
    if not spec.is_spline:
        kernel = kernels_basis.gaussian_features
        tables = [[_gaussian_polynomial(order, max(derivative, 1))] for order in orders]
    elif spec.uniform and k > 0:
        kernel = kernels_basis.uniform_features
        tables = [uniform_polynomials(k, order) for order in orders]
    else:
        kernel, tables = kernels_basis.general_features, [[[0.0]]]
    active = k + 1 if spec.is_spline else spec.n_basis
    fades = int(spec.extrapolation == "zero")
    numbers = [spec.grid_size, spec.padding, active, spec.n_features, derivative, fades]
    return Plan(
        kernel,
        np.array(numbers, dtype=np.int64),
        np.array(tables, dtype=DTYPES[dtype]),
        np.array(_base_polynomials(spec.base, derivative), dtype=DTYPES[dtype]),
        active,
        active + int(spec.has_base),
        spec.n_features,
    )


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
