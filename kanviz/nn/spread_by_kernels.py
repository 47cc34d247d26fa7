"""``kanviz.nn.spread`` by CPU kernels, differentiable."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from kanviz.nn.dense import FEW_OUTPUTS
from kanviz.nn.edge_moments import Edges, evaluate_edges, lead_edges_back
from kanviz.nn.fast import Kept, evaluate_now, outer_now
from kanviz.nn.kernels_spread import add_node_slopes, describe
from kanviz.nn.moments import (
    Moments,
    add_spread_slopes,
    covariance_of,
    moments_of,
    pulled,
    variances_of,
)
from kanviz.nn.plan import Array, contiguous, make_plan
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.spread import spread_reference

Gradients = tuple[Tensor | None, ...]


class Seen(NamedTuple):
    """What a layer made of a sample, and what it needs on the way back.

    ``outputs`` (samples, out) and the same as ``values`` (out, samples); ``edges`` the variances
    (in, out) of the edges, ``nodes`` (2, out) means and standard deviations of the outputs; both
    float64.
    """

    outputs: Tensor
    values: Array
    edges: Array
    nodes: Array
    made: "Edges | _Whole"


class _Whole(NamedTuple):
    """What is of use on the way back where the edges were not seen one by one."""

    moments: Moments
    kept: Kept


def look(x: Tensor, weight: Tensor, knots: Tensor, spec: FunctionSpec) -> Seen:
    """Evaluate a layer and its spread for x (samples, inputs)."""
    plan, nodes = make_plan(spec, 0, x.dtype), np.empty((2, weight.shape[2]))
    made: Edges | _Whole
    if plan.is_dense and weight.shape[2] <= FEW_OUTPUTS:
        y, edges, made = evaluate_edges(x, weight, knots, plan)
    else:
        y, kept = evaluate_now(x, weight, knots, None, plan)
        made = _Whole(moments_of(x, knots, plan, kept), kept)
        edges = variances_of(made.moments, weight)
    values = contiguous(y.T)
    describe(values, nodes)
    return Seen(y, values, edges, nodes, made)


def lead_back(
    seen: Seen,
    case: tuple[Tensor, Tensor, Tensor, FunctionSpec],
    g: Array,
    to_edges: Array,
    to_nodes: Array,
    *,
    wants_x: bool,
) -> tuple[Tensor | None, Tensor]:
    """Return the slopes in x, if wanted, and in the weight.

    Parameters
    ----------
    seen, case
        What ``look`` returned, and what it was called with.
    g : (outputs, samples)
        Slopes in the outputs; is overwritten.
    to_edges, to_nodes : (inputs, outputs), (outputs,) float64
        Slopes in the variances of the edges and the standard deviations of the nodes.
    """
    x, weight, knots, spec = case
    plans = make_plan(spec, 0, x.dtype), make_plan(spec, 1, x.dtype)
    add_node_slopes(seen.values, seen.nodes, to_nodes, g)
    if isinstance(seen.made, Edges):
        return lead_edges_back(seen.made, g, to_edges, plans, wants_x=wants_x)
    moments, kept = seen.made
    rows = torch.from_numpy(g).T
    slope = contiguous(outer_now(x, rows, knots, None, plans[0], kept))
    pull = add_spread_slopes(moments, weight, to_edges, slope, wants_pull=wants_x)
    to_weight = torch.from_numpy(slope)
    if not wants_x:
        return None, to_weight
    return pulled(x, weight, rows, knots, plans, moments, pull, kept), to_weight


def spread(
    x: Tensor, weight: Tensor, knots: Tensor, spec: FunctionSpec
) -> tuple[Tensor, Tensor, Tensor]:
    """Return outputs, variances of the edges, standard deviations of the outputs."""
    found: tuple[Tensor, Tensor, Tensor] = _Spread.apply(x, weight, knots, spec)
    return found


def edge_variances(x: Tensor, weight: Tensor, knots: Tensor, spec: FunctionSpec) -> Tensor:
    """Return the variances of the edges (in, out), float64."""
    return torch.from_numpy(look(x, weight, knots, spec).edges)


def feature_covariance(x: Tensor, knots: Tensor, spec: FunctionSpec) -> Tensor:
    """Return the covariances of the features (in, features, features), float64."""
    moments = moments_of(x, knots, make_plan(spec, 0, x.dtype))
    return torch.from_numpy(covariance_of(moments, spec.n_features))


class _Spread(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, knots: Tensor, spec: FunctionSpec
    ) -> tuple[Tensor, ...]:
        seen = look(x, weight, knots, spec)
        ctx.save_for_backward(x, weight, knots)
        ctx.set_materialize_grads(False)
        ctx.made = spec, seen
        nodes = np.maximum(seen.nodes[1], torch.finfo(x.dtype).tiny ** 0.5)
        # Detached, because what ctx holds may not hold ctx through an output.
        return (
            seen.outputs.detach(),
            torch.from_numpy(seen.edges).to(x),
            torch.from_numpy(nodes).to(x),
        )

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor | None) -> Gradients:
        x, weight, knots = ctx.saved_tensors
        spec, seen = ctx.made
        wants_x, wants_weight = ctx.needs_input_grad[:2]
        if torch.is_grad_enabled():
            return *_by_torch(ctx, slopes), None, None
        to_y, *others = slopes
        shapes = seen.edges.shape, seen.nodes[1].shape
        to_edges, to_nodes = (
            np.zeros(shape) if slope is None else contiguous(slope.double())
            for slope, shape in zip(others, shapes, strict=True)
        )
        g = np.zeros_like(seen.values) if to_y is None else contiguous(to_y.T).copy()
        case = x, weight, knots, spec
        to_x, to_weight = lead_back(seen, case, g, to_edges, to_nodes, wants_x=wants_x)
        return to_x, to_weight if wants_weight else None, None, None


def _by_torch(ctx: Any, slopes: tuple[Tensor | None, ...]) -> Gradients:
    """Return slopes in x and weight that are differentiable in turn, in plain torch."""
    x, weight, knots = ctx.saved_tensors
    found = spread_reference(x, knots, weight, ctx.made[0])
    pairs = [(y, slope) for y, slope in zip(found, slopes, strict=True) if slope is not None]
    return differentiable_slopes(pairs, (x, weight), ctx.needs_input_grad[:2])


def differentiable_slopes(
    pairs: Sequence[tuple[Tensor, Tensor]], inputs: Sequence[Tensor], wanted: Sequence[bool]
) -> Gradients:
    """Return slopes of the first of each pair, weighted by the second, in the inputs wanted."""
    chosen = [tensor for tensor, wants in zip(inputs, wanted, strict=True) if wants]
    values, weights = zip(*pairs, strict=True)
    made = torch.autograd.grad(
        values, chosen, weights, create_graph=True, allow_unused=True, materialize_grads=True
    )
    found = iter(made)
    return tuple(next(found) if wants else None for wants in wanted)
