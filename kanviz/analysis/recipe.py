"""From a network and its units to the plain numbers that compute it elsewhere."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from kanviz.data.dataset import About
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.recipe import FormulaRecipe, LayerRecipe, Recipe, StepRecipe


@torch.no_grad()
def recipe_of(network: Network, about: About) -> Recipe:
    """Return all that is needed to compute the network as it stands now.

    Parameters
    ----------
    network : Network
        Is only read; numbers in float32 become the very same float64.
    about : About
        The units of its inputs and outputs.
    """
    return Recipe(
        layers=tuple(_layer(layer) for layer in network.layers),
        x_shift=array_of(about.x_scaling.shift),
        x_scale=array_of(about.x_scaling.scale),
        y_shift=array_of(about.y_scaling.shift),
        y_scale=array_of(about.y_scaling.scale),
    )


def _layer(layer: KANLayer) -> LayerRecipe:
    spec = layer.spec
    return LayerRecipe(
        inputs=layer.in_features,
        outputs=layer.out_features,
        basis=spec.basis,
        spline_order=spec.spline_order,
        grid_size=spec.grid_size,
        padding=spec.padding,
        uniform=spec.uniform,
        base=spec.base,
        extrapolation=spec.extrapolation,
        knots=array_of(layer.knots),
        weight=array_of(layer.tied_weight()),
        mask=layer.mask.cpu().numpy().astype(np.uint8),
        formulas=formulas_of(layer),
        owners=tuple(layer.nodes.owners) if layer.nodes.arities else (),
    )


def formulas_of(layer: KANLayer) -> tuple[FormulaRecipe, ...]:
    """Return the edges of a layer that are formulas, removed or not."""
    if layer.symbols is None:
        return ()
    found = []
    for (i, j), function, numbers in zip(
        layer.symbols.edges, layer.symbols.functions, layer.affine.tolist(), strict=True
    ):
        # Layers know functions by what they compute; a model's are compiled formulas.
        program = cast(Any, function).torch.program
        steps = tuple(_step(step, numbers[4:]) for step in program.steps)
        a, b, c, d = numbers[:4]
        found.append(FormulaRecipe(i, j, (a, b, c, d), steps, program.outputs[0]))
    return tuple(found)


def _step(step: Any, constants: Sequence[float]) -> StepRecipe:
    """Return a step of a program; the inputs behind the first are free constants: plain numbers."""
    if step.operation == "input" and step.number:
        return StepRecipe("constant", (), constants[int(step.number) - 1])
    return StepRecipe(step.operation, step.sources, step.number)


def array_of(values: Tensor) -> np.ndarray:
    """Return values of any dtype as float64, apart from the network's own memory."""
    return values.detach().cpu().double().numpy().copy()
