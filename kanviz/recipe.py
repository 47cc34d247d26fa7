"""All numbers that are needed to compute a network elsewhere, as in the page without a kernel.

A ``Recipe`` holds numpy arrays, numbers and text: no tensor, no network. It is made by
``kanviz.analysis.recipe`` and read by the front end (frontend/src/contract.ts has the same names).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

MOST_WEIGHTS = 50_000
"""Numbers in the largest network that a browser computes by itself."""


Affine = tuple[float, float, float, float]
"""a, b, c, d of c f(a x + b) + d."""


@dataclass(frozen=True)
class StepRecipe:
    """One operation of a formula, named as in ``kanviz.symbolic.safe.SAFE``.

    ``sources`` are the earlier steps that it works on; ``number`` is a constant, an exponent, an
    order or which input.
    """

    op: str
    sources: tuple[int, ...]
    number: float | None


@dataclass(frozen=True)
class FormulaRecipe:
    """Edge (i, j) as c f(a x + b) + d; f is in ``steps``, its value that of step ``output``."""

    i: int
    j: int
    affine: Affine
    steps: tuple[StepRecipe, ...]
    output: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as dictionaries, lists and numbers, under the names of the contract."""
        steps = [dict(vars(step)) | {"sources": list(step.sources)} for step in self.steps]
        return dict(vars(self)) | {"affine": list(self.affine), "steps": steps}


@dataclass(frozen=True, eq=False)
class LayerRecipe:
    """One layer; ``kanviz.nn.features`` says how its functions are computed.

    Parameters
    ----------
    inputs, outputs : int
        Its numbers of nodes below and of sums; without products the sums are the nodes above.
    basis, spline_order, grid_size, base, extrapolation, uniform
        The family of functions, see ``kanviz.nn.spec.FunctionSpec``.
    padding : int
        Knots or centres beyond each end of the base grid.
    knots : (inputs, n_knots) float64
        Extended knots, or the centres of a radial basis.
    weight : (inputs, features, outputs) float64
        Coefficients of the basis functions, then of the base function if there is one; those of
        removed edges too.
    mask : (inputs, outputs) uint8
        1 for an edge that counts.
    formulas : tuple of FormulaRecipe
        The edges that are formulas; their splines rest.
    owners : tuple of int
        The node above that each sum is a factor of; empty where each sum is a node. A node is the
        product of its sums with an edge that counts, 0 without any.
    """

    inputs: int
    outputs: int
    basis: str
    spline_order: int
    grid_size: int
    padding: int
    uniform: bool
    base: Literal["silu", "identity", "zero"]
    extrapolation: Literal["linear", "zero"]
    knots: np.ndarray
    weight: np.ndarray
    mask: Annotated[np.ndarray, "Uint8Array"]
    formulas: tuple[FormulaRecipe, ...]
    owners: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Recipe:
    """A network: its layers, inputs first, and the units of its data.

    Parameters
    ----------
    layers : tuple of LayerRecipe
        One per layer.
    x_shift, x_scale : (inputs,) float64
        The network takes (x - x_shift) / x_scale for x in the user's units.
    y_shift, y_scale : (outputs,) float64
        What it gives times y_scale plus y_shift is in the user's units.
    """

    layers: tuple[LayerRecipe, ...]
    x_shift: np.ndarray
    x_scale: np.ndarray
    y_shift: np.ndarray
    y_scale: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Return it as dictionaries, lists and arrays, under the names of the contract."""
        return dict(vars(self)) | {"layers": [_layer(layer) for layer in self.layers]}


def _layer(layer: LayerRecipe) -> dict[str, Any]:
    formulas = [one.to_dict() for one in layer.formulas]
    return dict(vars(layer)) | {"formulas": formulas, "owners": list(layer.owners)}
