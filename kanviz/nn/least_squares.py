"""The coefficients that reproduce given curves best: ridge normal equations, solved by Cholesky.

Never ``torch.linalg.lstsq``: its default driver may return zeros on rank-deficient systems, and a
basis function that no sample reaches makes exactly such a system.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn.features import basis
from kanviz.nn.spec import FunctionSpec

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
