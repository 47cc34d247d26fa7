"""The contractions of ``kanviz.nn.fast`` as differentiable functions, to any order."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from kanviz.nn.fast import Kept, evaluate_now, outer_now, slope_now
from kanviz.nn.plan import make_plan
from kanviz.nn.spec import FunctionSpec

Gradients = tuple[Tensor | None, ...]


def evaluate(
    x: Tensor,
    weight: Tensor,
    knots: Tensor,
    spec: FunctionSpec,
    derivative: int = 0,
    scale: Tensor | None = None,
) -> Tensor:
    """Return sum_if c F^(d) W, (samples, outputs), for x (samples, inputs)."""
    if _tracked(x, weight, scale):
        y: Tensor = _Evaluate.apply(x, weight, knots, scale, spec, derivative)
        return y
    return evaluate_now(x, weight, knots, scale, make_plan(spec, derivative, x.dtype))[0]


def slope(
    x: Tensor,
    weight: Tensor,
    gradient: Tensor,
    knots: Tensor,
    spec: FunctionSpec,
    derivative: int,
    kept: Kept = None,
) -> Tensor:
    """Return sum_fo F^(d) W g, (samples, inputs)."""
    if _tracked(x, weight, gradient):
        s: Tensor = _Slope.apply(x, weight, gradient, knots, spec, derivative)
        return s
    return slope_now(x, weight, gradient, knots, make_plan(spec, derivative, x.dtype), kept)


def outer(
    x: Tensor,
    gradient: Tensor,
    knots: Tensor,
    spec: FunctionSpec,
    derivative: int,
    scale: Tensor | None = None,
    kept: Kept = None,
) -> Tensor:
    """Return sum_b c F^(d) g, (inputs, features, outputs)."""
    if _tracked(x, gradient, scale):
        h: Tensor = _Outer.apply(x, gradient, knots, scale, spec, derivative)
        return h
    return outer_now(x, gradient, knots, scale, make_plan(spec, derivative, x.dtype), kept)


def _tracked(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


class _Evaluate(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        knots: Tensor,
        scale: Tensor | None,
        spec: FunctionSpec,
        derivative: int,
    ) -> Tensor:
        y, kept = evaluate_now(x, weight, knots, scale, make_plan(spec, derivative, x.dtype))
        ctx.save_for_backward(x, weight, knots, scale)
        ctx.kept = kept
        ctx.family = spec, derivative
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Gradients:
        x, weight, knots, scale = ctx.saved_tensors
        spec, d = ctx.family
        wants_x, wants_weight, _, wants_scale = ctx.needs_input_grad[:4]
        to_x = slope(x, weight, g, knots, spec, d + 1, ctx.kept) if wants_x else None
        if to_x is not None and scale is not None:
            to_x = to_x * scale
        to_weight = outer(x, g, knots, spec, d, scale, ctx.kept) if wants_weight else None
        to_scale = slope(x, weight, g, knots, spec, d) if wants_scale else None
        return to_x, to_weight, None, to_scale, None, None


class _Slope(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        gradient: Tensor,
        knots: Tensor,
        spec: FunctionSpec,
        derivative: int,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, gradient, knots)
        ctx.family = spec, derivative
        return slope_now(x, weight, gradient, knots, make_plan(spec, derivative, x.dtype))

    @staticmethod
    def backward(ctx: Any, c: Tensor) -> Gradients:
        x, weight, g, knots = ctx.saved_tensors
        spec, d = ctx.family
        wants_x, wants_weight, wants_g = ctx.needs_input_grad[:3]
        to_x = c * slope(x, weight, g, knots, spec, d + 1) if wants_x else None
        to_weight = outer(x, g, knots, spec, d, c) if wants_weight else None
        to_g = evaluate(x, weight, knots, spec, d, c) if wants_g else None
        return to_x, to_weight, to_g, None, None, None


class _Outer(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gradient: Tensor,
        knots: Tensor,
        scale: Tensor | None,
        spec: FunctionSpec,
        derivative: int,
    ) -> Tensor:
        ctx.save_for_backward(x, gradient, knots, scale)
        ctx.family = spec, derivative
        return outer_now(x, gradient, knots, scale, make_plan(spec, derivative, x.dtype))

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> Gradients:
        x, g, knots, scale = ctx.saved_tensors
        spec, d = ctx.family
        wants_x, wants_g, _, wants_scale = ctx.needs_input_grad[:4]
        to_x = slope(x, h, g, knots, spec, d + 1) if wants_x else None
        if to_x is not None and scale is not None:
            to_x = to_x * scale
        to_g = evaluate(x, h, knots, spec, d, scale) if wants_g else None
        to_scale = slope(x, h, g, knots, spec, d) if wants_scale else None
        return to_x, to_g, None, to_scale, None, None
