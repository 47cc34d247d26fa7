"""The sum of a layer's edges as one operation of autograd, by CPU kernels where they can do it.

With the features F(x) of shape (samples, inputs, features), a derivative order d of them and a
scale c of shape (samples, inputs), a layer and all its derivatives are made of three sums:

    forward      y = sum_if c F^(d) W       (samples, outputs)
    grad_weight  h = sum_b c F^(d) g        (inputs, features, outputs)
    grad_input   s = sum_fo F^(d) W g       (samples, inputs)

A derivative of each is again made of the three, of the next order or with another scale. So there
are three small ``Function``s, and derivatives of any order.
"""

import functools
import logging
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function

from kanviz.interrupts import uninterrupted
from kanviz.nn.features import edge_sum_reference
from kanviz.nn.kernels.plan import BASES, DTYPES, Active, Cache, Plan, make_plan
from kanviz.nn.spec import FunctionSpec

logger = logging.getLogger(__name__)

Gradients = tuple[Tensor | None, ...]
Kept = Cache | Active | None

PLAIN_TYPES = (Tensor, nn.Parameter)


def edge_sum(
    x: Float[Tensor, "*batch inputs"],
    knots: Float[Tensor, "inputs knots"],
    weight: Float[Tensor, "inputs features outputs"],
    spec: FunctionSpec,
    *,
    order: int = 0,
    scale: Float[Tensor, "*batch inputs"] | None = None,
) -> Float[Tensor, "*batch outputs"]:
    """Return the sum over inputs of all edge functions, or of a derivative of them.

    By CPU kernels where they can do it, else by ``edge_sum_reference``, which they equal.

    Parameters
    ----------
    x : (*batch, inputs)
        Any values; outside the grid the functions are continued as ``spec.extrapolation`` says.
    knots : (inputs, knots)
        Knots of a B-spline, or centres of a radial basis.
    weight : (inputs, features, outputs)
        Coefficients of all edges.
    spec : FunctionSpec
        The family of functions.
    order : int
        Of the derivative in x that each function is replaced by.
    scale : (*batch, inputs), optional
        Factor of all functions of an input.

    Returns
    -------
    (*batch, outputs)
        Differentiable in x, weight and scale, to any order.
    """
    if not usable(x, knots, weight, spec) or (scale is not None and type(scale) is not Tensor):
        return edge_sum_reference(x, knots, weight, spec, order=order, scale=scale)
    if x.ndim != 2:
        rows = x.reshape(-1, x.shape[-1])
        factors = None if scale is None else scale.reshape(rows.shape)
        y = edge_sum(rows, knots, weight, spec, order=order, scale=factors)
        return y.view(*x.shape[:-1], y.shape[-1])
    plan = make_plan(spec, order, x.dtype)
    if torch.is_grad_enabled() and (
        x.requires_grad or weight.requires_grad or (scale is not None and scale.requires_grad)
    ):
        tracked: Tensor = EdgeSum.apply(x, knots, weight, scale, plan)
        return tracked
    return forward(x, knots, weight, scale, plan)[0]


def usable(x: Tensor, knots: Tensor, weight: Tensor, spec: FunctionSpec) -> bool:
    """Return whether the kernels can do this call, and may: plain numbers of one type on the CPU.

    They see memory, so not while torch only watches what would be done: under ``torch.compile``,
    the transforms of ``torch.func``, forward-mode derivatives, fake or other special tensors.
    """
    if torch.compiler.is_compiling() or spec.basis not in BASES or knots.requires_grad:
        return False
    dtype = x.dtype
    for tensor in (x, knots, weight):  # a loop, since this is asked at every call of every layer
        if type(tensor) not in PLAIN_TYPES or tensor.dtype != dtype or not tensor.is_cpu:
            return False
    return (
        dtype in DTYPES
        and not (
            torch._C._are_functorch_transforms_active()
            or torch._C._len_torch_dispatch_stack() > 0
            or torch._C._get_tracing_state() is not None
            or torch.autograd.forward_ad._current_level >= 0
        )
        and can_compile()
    )


@functools.cache
def can_compile() -> bool:
    """Return whether numba can be loaded and may compile (``NUMBA_DISABLE_JIT``); loads it.

    Where it cannot that is said once, and plain torch does the work.
    """
    try:
        with uninterrupted():
            from kanviz.nn.kernels import jit
    except Exception as error:  # noqa: BLE001 - where numba does not fit numpy it raises many things
        logger.warning("numba cannot be loaded, so all runs in plain torch, slower: %s", error)
        return False
    return jit.IS_ON


def forward(
    x: Tensor, knots: Tensor, weight: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Kept]:
    """Return y, and what was made on the way that backward can use."""
    from kanviz.nn.kernels import dense, sparse

    if plan.is_dense and scale is None:
        return dense.forward(x, knots, weight, plan)
    return sparse.forward(x, knots, weight, scale, plan)


def grad_input(
    x: Tensor, knots: Tensor, weight: Tensor, grad: Tensor, plan: Plan, cache: Kept = None
) -> Tensor:
    """Return s; ``cache`` is of the same x, knots and weight."""
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad or grad.requires_grad):
        tracked: Tensor = _GradInput.apply(x, knots, weight, grad, plan)
        return tracked
    from kanviz.nn.kernels import dense, sparse

    if not plan.is_dense:
        return sparse.grad_input(x, knots, weight, grad, plan)
    if not isinstance(cache, Cache):
        cache = dense.prepare(x, knots, weight, plan)
    return dense.grad_input(cache, grad, plan)


def grad_weight(
    x: Tensor,
    knots: Tensor,
    grad: Tensor,
    scale: Tensor | None,
    plan: Plan,
    cache: Kept = None,
) -> Tensor:
    """Return h; ``cache`` is of the same x, knots, scale and plan."""
    if torch.is_grad_enabled() and (
        x.requires_grad or grad.requires_grad or (scale is not None and scale.requires_grad)
    ):
        tracked: Tensor = _GradWeight.apply(x, knots, grad, scale, plan)
        return tracked
    from kanviz.nn.kernels import dense, sparse

    if not plan.is_dense or scale is not None:
        active = cache if isinstance(cache, Active) else None
        return sparse.grad_weight(x, knots, grad, scale, plan, active)
    if not isinstance(cache, Cache):
        cache = dense.prepare(x, knots, None, plan)
    return dense.grad_weight(cache, grad, plan)


def _next(plan: Plan, x: Tensor) -> Plan:
    return make_plan(plan.spec, plan.order + 1, x.dtype)


class EdgeSum(Function):
    """y, with s of the next order, scaled, and h as its gradients."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, knots: Tensor, weight: Tensor, scale: Tensor | None, plan: Plan
    ) -> Tensor:
        """Return y."""
        y, ctx.cache = forward(x, knots, weight, scale, plan)
        ctx.save_for_backward(x, knots, weight, scale)
        ctx.plan = plan
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Gradients:
        """Return the gradients in x, weight and scale."""
        if torch.is_autocast_enabled("cpu"):  # of a backward pass inside the block, as in torch
            with torch.autocast("cpu", enabled=False):
                return EdgeSum.backward(ctx, g)
        (x, knots, weight, scale), plan = ctx.saved_tensors, ctx.plan
        wants_x, _, wants_weight, wants_scale, _ = ctx.needs_input_grad
        in_x = in_weight = in_scale = None
        if wants_x:
            in_x = grad_input(x, knots, weight, g, _next(plan, x), ctx.cache)
            in_x = in_x if scale is None else in_x * scale
        if wants_weight:
            in_weight = grad_weight(x, knots, g, scale, plan, ctx.cache)
        if wants_scale:
            in_scale = grad_input(x, knots, weight, g, plan)
        return in_x, None, in_weight, in_scale, None


class _GradInput(Function):
    """s, and its gradients."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, knots: Tensor, weight: Tensor, grad: Tensor, plan: Plan
    ) -> Tensor:
        """Return s."""
        ctx.save_for_backward(x, knots, weight, grad)
        ctx.plan = plan
        return grad_input(x, knots, weight, grad, plan)

    @staticmethod
    def backward(ctx: Any, c: Tensor) -> Gradients:
        """Return the gradients in x, weight and grad; c (samples, inputs) is that in s."""
        (x, knots, weight, g), plan = ctx.saved_tensors, ctx.plan
        wants_x, _, wants_weight, wants_g, _ = ctx.needs_input_grad
        in_x = c * grad_input(x, knots, weight, g, _next(plan, x)) if wants_x else None
        in_weight = grad_weight(x, knots, g, c, plan) if wants_weight else None
        in_g = _scaled_sum(x, knots, weight, c, plan) if wants_g else None
        return in_x, None, in_weight, in_g, None


class _GradWeight(Function):
    """h, and its gradients."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, knots: Tensor, grad: Tensor, scale: Tensor | None, plan: Plan
    ) -> Tensor:
        """Return h."""
        ctx.save_for_backward(x, knots, grad, scale)
        ctx.plan = plan
        return grad_weight(x, knots, grad, scale, plan)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> Gradients:
        """Return the gradients in x, grad and scale; h is that in h, and stands for a weight."""
        (x, knots, g, scale), plan = ctx.saved_tensors, ctx.plan
        wants_x, _, wants_g, wants_scale, _ = ctx.needs_input_grad
        in_x = in_scale = None
        if wants_x:
            in_x = grad_input(x, knots, h, g, _next(plan, x))
            in_x = in_x if scale is None else in_x * scale
        in_g = _scaled_sum(x, knots, h, scale, plan) if wants_g else None
        if wants_scale:
            in_scale = grad_input(x, knots, h, g, plan)
        return in_x, None, in_g, in_scale, None


def _scaled_sum(
    x: Tensor, knots: Tensor, weight: Tensor, scale: Tensor | None, plan: Plan
) -> Tensor:
    return edge_sum(x, knots, weight, plan.spec, order=plan.order, scale=scale)
