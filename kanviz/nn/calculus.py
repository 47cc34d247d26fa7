"""Exact derivatives of a network in its inputs, point by point: what equations are written in.

All are made by reverse differentiation (``torch.func``) of the plain torch of a network, so they
are as exact as its outputs, and differentiable in its weights.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jacrev, vmap

from kanviz.checks import check_holds_numbers
from kanviz.devices import on_cpu
from kanviz.interrupts import load

Function = Callable[[Tensor], Tensor]

Operator = Callable[[Function, Tensor], Tensor]
"""``operator(u, point)`` for one point (inputs,); u maps it to (outputs,)."""


class Unknown:
    """The function that an equation asks for: what ``KAN.solve`` calls u.

    It is called like a network, and may be given to ``gradient``, ``hessian``, ``laplacian`` and
    ``pointwise``; it keeps no gradients of its own.

    Parameters
    ----------
    measure : callable
        ``measure(operator, x)`` returns ``operator(u, point)`` for every row of x.
    inputs : int
        Number of columns of x.
    like : Tensor
        Of the dtype and on the device of the network.
    """

    def __init__(
        self, measure: Callable[[Operator, Tensor], Tensor], inputs: int, like: Tensor
    ) -> None:
        self._measure, self._inputs, self._like = measure, inputs, like

    def __call__(self, x: Tensor) -> Tensor:
        """Return u (samples, outputs) at points x (samples, inputs)."""
        return self.measure(_value, x)

    @on_cpu  # the residuals of a user call it
    def measure(self, operator: Operator, x: Tensor) -> Tensor:
        """Return what an operator gives at every row of x."""
        if not isinstance(x, Tensor) or x.ndim != 2 or x.shape[1] != self._inputs or not len(x):
            found = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(
                f"x must have shape (samples, {self._inputs}) because u has {self._inputs} inputs; "
                f"got {found}. Pass one row per point."
            )
        if x.requires_grad:
            raise ValueError(
                "x must not require a gradient because u is differentiated point by point; got one "
                "that does. Use gradient, hessian, laplacian or pointwise of kanviz.nn."
            )
        check_holds_numbers("x", x)
        return self._measure(operator, x.to(self._like))


def gradient(
    u: Function | Unknown, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "samples outputs inputs"]:
    """Return the first derivatives of u at every row of x.

    Parameters
    ----------
    u : callable
        A model, a network, or the unknown of an equation; in the dtype of x.
    x : (samples, inputs)
        Points.

    Returns
    -------
    (samples, outputs, inputs)
        In units of u per unit of x. With one output, ``[:, 0]`` is its gradient.
    """
    return pointwise(_gradient, u, x)


def hessian(
    u: Function | Unknown, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "samples outputs inputs inputs"]:
    """Return the second derivatives of u at every row of x; see ``gradient``."""
    return pointwise(_hessian, u, x)


def laplacian(
    u: Function | Unknown, x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "samples outputs"]:
    """Return the sum of the unmixed second derivatives of u at every row of x.

    A spline of order 3 has them, with kinks at its knots; order 4 and on have them smooth.
    """
    return pointwise(_laplacian, u, x)


def pointwise(
    operator: Operator, u: Function | Unknown, x: Float[Tensor, "samples inputs"]
) -> Tensor:
    """Return ``operator(u, point)`` for every row of x, for an operator of one's own.

    Parameters
    ----------
    operator : callable
        ``operator(u, point)`` with u from (inputs,) to (outputs,), made of functions that
        ``torch.func`` can transform, such as ``torch.func.jacrev``.
    u, x
        As for ``gradient``.

    Returns
    -------
    (samples, ...)

    Examples
    --------
    >>> import torch
    >>> third = lambda u, point: jacrev(jacrev(jacrev(u)))(point).flatten()
    >>> x = torch.tensor([[1.0], [2.0]])
    >>> pointwise(third, lambda z: z**4, x).flatten()
    tensor([24., 48.])
    """
    if isinstance(u, Unknown):
        return u.measure(operator, x)
    values: Tensor = each(partial(operator, u), x)
    return values


def each(function: Callable[[Tensor], Any], x: Tensor, *, at_once: int | None = None) -> Any:
    """Return ``function(point)`` for every row of x, ``at_once`` of them at a time."""
    load("torch._dynamo")  # the first transform of a process needs it
    return vmap(function, chunk_size=at_once)(x)


MOST_DERIVATIVES = 6


def derivative_order(operator: Operator, point: Float[Tensor, " inputs"], outputs: int) -> int:
    """Return the highest derivative of u at ``point`` that an operator sees, at most 6.

    It is tried on polynomials around the point which differ in their highest power alone: that
    power is seen by the derivative of its order and by no other.
    """
    load("torch._dynamo")
    ways = 1 + torch.arange(len(point)).to(point) / 7  # so that no sum of derivatives cancels

    def polynomial(degree: int) -> Function:
        def u(z: Tensor) -> Tensor:
            along = ((z - point) * ways).sum()
            return sum((along**n for n in range(1, degree + 1)), along * 0 + 1).expand(outputs)

        return u

    found, before = 0, operator(polynomial(0), point)
    for degree in range(1, MOST_DERIVATIVES + 1):
        after = operator(polynomial(degree), point)
        if not torch.allclose(after, before, rtol=0, atol=0, equal_nan=True):
            found = degree
        before = after
    return found


def _value(u: Function, point: Tensor) -> Tensor:
    return u(point)


def _gradient(u: Function, point: Tensor) -> Tensor:
    slopes: Tensor = jacrev(u)(point)
    return slopes


def _hessian(u: Function, point: Tensor) -> Tensor:
    bends: Tensor = jacrev(jacrev(u))(point)
    return bends


def _laplacian(u: Function, point: Tensor) -> Tensor:
    bends = _hessian(u, point)
    return bends.diagonal(dim1=-2, dim2=-1).sum(-1)
