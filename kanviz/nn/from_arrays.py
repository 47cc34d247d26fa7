"""The functions of a layer from arrays that another library trained, checked and in our form."""

from typing import Any

import torch
from torch import Tensor

from kanviz.nn.knots import extend_knots, insertion_matrix, is_uniform
from kanviz.nn.regrid import Functions
from kanviz.nn.spec import MAX_SPLINE_ORDER, FunctionSpec

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
