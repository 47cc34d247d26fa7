"""Computes a network from its recipe alone, in NumPy: what the front end does in the browser."""

from collections.abc import Callable

import numpy as np
import torch

from kanviz.recipe import FormulaRecipe, LayerRecipe, Recipe
from kanviz.symbolic.safe import SAFE, largest

Array = np.ndarray
LARGEST = largest(torch.float64)


def predict(recipe: Recipe, x: Array) -> Array:
    """Return the outputs for x (samples, inputs), both in the user's units."""
    values = (x - recipe.x_shift) / recipe.x_scale
    for layer in recipe.layers:
        values = layer_outputs(layer, values)
    return np.asarray(values * recipe.y_scale + recipe.y_shift)


def layer_outputs(layer: LayerRecipe, x: Array) -> Array:
    return np.asarray(edge_outputs(layer, x).sum(1))


def edge_outputs(layer: LayerRecipe, x: Array) -> Array:
    """Return (samples, inputs, outputs): what each edge adds."""
    columns = np.stack([features(layer, i, x[:, i]) for i in range(layer.inputs)], axis=1)
    values = np.einsum("sif,ifo->sio", columns, layer.weight)
    for formula in layer.formulas:
        values[:, formula.i, formula.j] = formula_values(formula, x[:, formula.i])
    return np.asarray(np.where(layer.mask == 1, values, 0.0))


def features(layer: LayerRecipe, i: int, x: Array) -> Array:
    """Return (samples, features) of input i."""
    knots, p = layer.knots[i], layer.padding
    low, high = knots[p], knots[p + layer.grid_size]
    nearest = np.clip(x, low, high)
    if layer.basis == "bspline":
        values, slopes = spline_basis(nearest, knots, layer.spline_order, layer.grid_size)
    else:
        step = (knots[-1] - knots[0]) / (len(knots) - 1)
        values, slopes = RADIAL[layer.basis]((nearest[:, None] - knots) / step)
        slopes = slopes / step
    columns = values + slopes * (x - nearest)[:, None]
    if layer.extrapolation == "zero":
        s = np.minimum(np.abs(x - nearest) / ((high - low) / 2), 1)
        columns = columns * (1 - s * s * (3 - 2 * s))[:, None]
    base = {"silu": x / (1 + np.exp(-x)), "identity": x}
    return columns if layer.base == "zero" else np.column_stack([columns, base[layer.base]])


def spline_basis(x: Array, t: Array, k: int, grid_size: int) -> tuple[Array, Array]:
    """Return all basis functions at x and their slopes, by the recursion of Cox and de Boor."""
    interval = np.clip(np.searchsorted(t[k : k + grid_size], x, side="right") - 1, 0, None) + k
    values = (np.arange(len(t) - 1) == interval[:, None]).astype(float)
    slopes = np.zeros_like(values)
    for degree in range(1, k + 1):
        rise = t[degree:-1] - t[: -degree - 1]
        fall = t[degree + 1 :] - t[1:-degree]
        slopes = degree * (values[:, :-1] / rise - values[:, 1:] / fall)
        up, down = (x[:, None] - t[: -degree - 1]) / rise, (t[degree + 1 :] - x[:, None]) / fall
        values = up * values[:, :-1] + down * values[:, 1:]
    return values, slopes


def _matern32(r: Array) -> tuple[Array, Array]:
    s = np.sqrt(3) * np.abs(r)
    return (1 + s) * np.exp(-s), -3 * r * np.exp(-s)


def _matern52(r: Array) -> tuple[Array, Array]:
    s = np.sqrt(5) * np.abs(r)
    return (1 + s + s * s / 3) * np.exp(-s), -5 / 3 * r * (1 + s) * np.exp(-s)


RADIAL: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "gaussian": lambda r: (np.exp(-r * r), -2 * r * np.exp(-r * r)),
    "matern32": _matern32,
    "matern52": _matern52,
    "multiquadric": lambda r: (np.sqrt(1 + r * r), r / np.sqrt(1 + r * r)),
    "inverse_multiquadric": lambda r: ((1 + r * r) ** -0.5, -r * (1 + r * r) ** -1.5),
    "inverse_quadratic": lambda r: (1 / (1 + r * r), -2 * r / (1 + r * r) ** 2),
}


def formula_values(formula: FormulaRecipe, x: Array) -> Array:
    a, b, c, d = formula.affine
    z = torch.from_numpy(np.clip(a * x + b, -LARGEST, LARGEST))
    values: list[torch.Tensor | float] = []
    for step in formula.steps:
        sources = [values[source] for source in step.sources]
        if step.op == "input":
            values.append(z)
        elif step.op == "constant":
            values.append(step.number or 0.0)
        elif step.op == "bessel":
            values.append(SAFE[step.op](*sources, int(step.number or 0)))
        else:
            values.append(SAFE[step.op](*sources, *([] if step.number is None else [step.number])))
    return np.asarray(c * (torch.as_tensor(values[formula.output]) + 0 * z).numpy() + d)
