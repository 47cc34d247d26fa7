"""Conjugate gradients: a linear system solved by products with its matrix alone."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Map = Callable[[Tensor], Tensor]


def conjugate_gradients(
    product: Map,
    precondition: Map,
    right: Float[Tensor, " weights"],
    *,
    tolerance: float,
    most: int,
) -> tuple[Float[Tensor, " weights"], Float[Tensor, " weights"]]:
    """Solve M s = right for a symmetric positive definite M, up to a tolerance.

    Parameters
    ----------
    product : callable
        ``product(v)`` returns M v.
    precondition : callable
        ``precondition(r)`` returns about M^-1 r, itself symmetric positive definite.
    right : (weights,)
        The right side.
    tolerance : float
        The residual that will do, as a share of ``right``, both measured by the preconditioner.
    most : int
        Most products; s is the best in the space that they span, however few they are.

    Returns
    -------
    s, residual : (weights,)
        The residual is right - M s. Where a product gives NaN, the search ends there.

    References
    ----------
    Hestenes, Stiefel, Methods of conjugate gradients for solving linear systems, 1952; with a
    preconditioner as Nocedal, Wright, Numerical optimization, 2006, algorithm 5.3.
    """
    solution, residual = torch.zeros_like(right), right
    near = precondition(residual)
    direction, size = near, float(residual @ near)
    goal = tolerance**2 * size
    for _ in range(most):
        if not size > goal:  # true for NaN as well
            break
        image = product(direction)
        length = size / float(direction @ image)
        solution = solution + length * direction
        residual = residual - length * image
        near = precondition(residual)
        last, size = size, float(residual @ near)
        direction = near + (size / last) * direction
    return solution, residual
