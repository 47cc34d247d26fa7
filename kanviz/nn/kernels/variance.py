"""How much the edges and outputs of a layer vary over a sample, by CPU kernels, and backward.

The variance of an edge's output is a quadratic form in its coefficients, w^T C w, where C is the
covariance of the features of its input. There are two ways to it, as measured:

- ``ByEdge``: with few outputs it costs least to let the values of every edge pass by, since
  (samples, in, out) numbers are then fewer than products of features;
- ``ByFeature``: with more, moments of the features are summed once for all outputs. With many
  features (large grids) only some are active at a sample, so that samples are told apart in groups
  by their active features, and the moments of a group are small.

Moments are summed in double precision and about a value of the sample, never about 0: an edge may
add up large features to almost a constant.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from kanviz.nn.features import edge_variance_reference
from kanviz.nn.kernels import dense, ops, sparse
from kanviz.nn.kernels import variance_kernels as kernels
from kanviz.nn.kernels.jit import over_parts, sum_over_parts
from kanviz.nn.kernels.plan import VARIANCE_BLOCK, Active, Array, Cache, Plan, make_plan
from kanviz.nn.spec import FunctionSpec

Gradients = tuple[Tensor | None, ...]


class Moments(NamedTuple):
    """Moments of the features of a layer, in groups of samples, float64.

    ``samples`` (inputs, groups), ``mean`` (inputs, groups, rows), ``square`` (inputs, groups, rows,
    rows): samples, means, and sums of products of the distances from the mean. Row r of group o is
    feature o + r; the last one is the base function if ``has_base`` is 1. A small grid makes one
    group of all samples, in which all features are active.
    """

    has_base: int
    samples: Array
    mean: Array
    square: Array


class ByFeature(NamedTuple):
    """What backward needs where moments of features were summed."""

    moments: Moments
    cache: ops.Kept


class ByEdge(NamedTuple):
    """What backward needs where edges were seen one by one: ``mean`` (in, out) of each."""

    cache: Cache
    mean: Array


class Result(NamedTuple):
    """What a layer made of a sample, and what backward needs.

    ``outputs`` (samples, out) and the same as ``values`` (out, samples); ``edges`` the variances
    (in, out) of the edges, ``nodes`` (2, out) means and standard deviations of the outputs; both
    float64.
    """

    outputs: Tensor
    values: Array
    edges: Array
    nodes: Array
    saved: ByEdge | ByFeature


def forward(x: Tensor, knots: Tensor, weight: Tensor, spec: FunctionSpec) -> Result:
    """Evaluate a layer and its variances for x (samples, inputs)."""
    plan, nodes = make_plan(spec, 0, x.dtype), np.empty((2, weight.shape[2]))
    saved: ByEdge | ByFeature
    if plan.is_dense and weight.shape[2] <= dense.FEW_OUTPUTS:
        y, edges, saved = _forward_by_edge(x, knots, weight, plan)
    else:
        y, cache = ops.forward(x, knots, weight, None, plan)
        saved = ByFeature(_moments_of(x, knots, plan, cache), cache)
        edges = _variances_of(saved.moments, weight)
    values = np.ascontiguousarray(y.T.numpy(force=True))
    kernels.node_moments(values, nodes)
    return Result(y, values, edges, nodes, saved)


def backward(
    result: Result,
    x: Tensor,
    knots: Tensor,
    weight: Tensor,
    spec: FunctionSpec,
    *,
    grad: Array,
    grad_edges: Array,
    grad_nodes: Array,
    wants_x: bool,
) -> tuple[Tensor | None, Tensor]:
    """Return the gradients in x, if wanted, and in the weight.

    Parameters
    ----------
    result, x, knots, weight, spec
        What ``forward`` returned, and what it was called with.
    grad : (outputs, samples)
        Gradient in the outputs; is overwritten.
    grad_edges, grad_nodes : (inputs, outputs), (outputs,) float64
        Gradients in the variances of the edges and the standard deviations of the nodes.
    """
    plan, next_plan = make_plan(spec, 0, x.dtype), make_plan(spec, 1, x.dtype)
    kernels.add_node_gradient(result.values, result.nodes, grad_nodes, grad)
    saved = result.saved
    if isinstance(saved, ByEdge):
        return _backward_by_edge(saved, grad, grad_edges, plan, next_plan, wants_x=wants_x)
    rows = torch.from_numpy(grad).T
    in_weight = ops.grad_weight(x, knots, rows, None, plan, saved.cache)
    within, between = _add_moments_gradient(
        saved.moments, weight, grad_edges, in_weight, wants_features=wants_x
    )
    if not wants_x:
        return None, in_weight
    run = _grad_input_dense if plan.is_dense else _grad_input_sparse
    return run(saved, x, knots, weight, rows, within, between, plan, next_plan), in_weight


def edge_variances(x: Tensor, knots: Tensor, weight: Tensor, spec: FunctionSpec) -> Tensor:
    """Return the variances of the edges (in, out), float64."""
    return torch.from_numpy(forward(x, knots, weight, spec).edges)


def feature_covariance(x: Tensor, knots: Tensor, spec: FunctionSpec) -> Tensor:
    """Return the covariances (divisor n) of the features, (in, features, features), float64."""
    has_base, count, mean, square = _moments_of(x, knots, make_plan(spec, 0, x.dtype), None)
    (inputs, groups, rows), width = mean.shape, spec.n_features
    samples = count[0].sum()
    total, apart = np.zeros((inputs, width, width)), np.zeros((inputs, groups, width))
    for group in range(groups):
        where = np.arange(group, group + rows)
        where[-1] = width - 1 if has_base else where[-1]
        apart[:, group, where] = mean[:, group]
        total[:, where[:, None], where] += square[:, group]
    apart -= (count[..., None] * apart).sum(1, keepdims=True) / samples
    apart *= np.sqrt(count)[..., None]
    return torch.from_numpy((total + apart.transpose(0, 2, 1) @ apart) / samples)


class EdgeVariance(Function):
    """``edge_variance`` as one step of autograd."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, knots: Tensor, weight: Tensor, spec: FunctionSpec
    ) -> tuple[Tensor, ...]:
        """Return outputs, variances of the edges, standard deviations of the outputs."""
        result = forward(x, knots, weight, spec)
        ctx.save_for_backward(x, knots, weight)
        ctx.set_materialize_grads(False)
        ctx.spec, ctx.result = spec, result
        nodes = np.maximum(result.nodes[1], torch.finfo(x.dtype).tiny ** 0.5)
        # Detached, because what ctx holds may not hold ctx through an output.
        return (
            result.outputs.detach(),
            torch.from_numpy(result.edges).to(x),
            torch.from_numpy(nodes).to(x),
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Gradients:
        """Return the gradients in x and weight; differentiable ones by plain torch."""
        (x, knots, weight), result = ctx.saved_tensors, ctx.result
        wants_x, _, wants_weight, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            again = edge_variance_reference(x, knots, weight, ctx.spec)
            in_x, in_weight = vjp(again, grads, (x, weight), (wants_x, wants_weight))
            return in_x, None, in_weight, None
        grad, *others = grads
        shapes = result.edges.shape, result.nodes[1].shape
        grad_edges, grad_nodes = (
            np.zeros(shape) if g is None else np.ascontiguousarray(g.double().numpy(force=True))
            for g, shape in zip(others, shapes, strict=True)
        )
        in_x, in_weight = backward(
            result,
            x,
            knots,
            weight,
            ctx.spec,
            grad=np.zeros_like(result.values) if grad is None else grad.T.numpy().copy(order="C"),
            grad_edges=grad_edges,
            grad_nodes=grad_nodes,
            wants_x=wants_x,
        )
        return in_x, None, in_weight if wants_weight else None, None


def vjp(
    outputs: Sequence[Tensor],
    grads: Sequence[Tensor | None],
    inputs: Sequence[Tensor],
    wanted: Sequence[bool],
) -> Gradients:
    """Return the gradients of outputs, weighted by ``grads``, in the inputs that are wanted.

    They are differentiable in turn.
    """
    pairs = [(y, g) for y, g in zip(outputs, grads, strict=True) if g is not None]
    values, weights = zip(*pairs, strict=True)
    chosen = [tensor for tensor, wants in zip(inputs, wanted, strict=True) if wants]
    made = torch.autograd.grad(
        values, chosen, weights, create_graph=True, allow_unused=True, materialize_grads=True
    )
    found = iter(made)
    return tuple(next(found) if wants else None for wants in wanted)


def _moments_of(x: Tensor, knots: Tensor, plan: Plan, cache: ops.Kept) -> Moments:
    """Return the moments for x (samples, inputs); ``cache`` is of the same x and plan."""
    if plan.is_dense:
        if not isinstance(cache, Cache):
            cache = dense.prepare(x, knots, None, plan)
        return _moments_dense(cache, plan)
    return _moments_sparse(x, knots, plan, cache if isinstance(cache, Active) else None)


def _moments_dense(cache: Cache, plan: Plan) -> Moments:
    (inputs, samples), width = cache.x.shape, plan.width

    def work(start: int, stop: int) -> Moments:
        scratch = np.empty((plan.scratch_rows, VARIANCE_BLOCK), plan.dtype)
        wide = np.empty((width + 1, VARIANCE_BLOCK))
        mean, square = np.empty((inputs, 1, width)), np.zeros((inputs, 1, width, width))
        x, knots, _, features = cache
        kernels.feature_moments(
            start, stop, x, knots, *plan.family, scratch, wide, features, mean[:, 0], square[:, 0]
        )
        count = np.full((inputs, 1), float(stop - start))
        return Moments(plan.rows - plan.active, count, mean, square)

    return sum_over_parts(work, samples, inputs, _merged)


def _merged(a: Moments, b: Moments) -> Moments:
    """Return the moments of two parts together.

    Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances,
    1979, eq. 2.1.
    """
    count, step = a.samples + b.samples, b.mean - a.mean
    share = (b.samples / count)[..., None]
    outer = step[..., None] * step[..., None, :] * (a.samples[..., None] * share)[..., None]
    return Moments(a.has_base, count, a.mean + step * share, a.square + b.square + outer)


def _moments_sparse(x: Tensor, knots: Tensor, plan: Plan, cache: Active | None) -> Moments:
    inputs, rows = x.shape[1], plan.rows
    groups = plan.width - rows + 1
    count, mean = np.zeros((inputs, groups)), np.zeros((inputs, groups, rows))
    sums, square = np.zeros((inputs, groups, rows)), np.zeros((inputs, groups, rows, rows))

    def work(part: Active) -> None:
        kernels.add_active_moments(plan.width, part.offset, part.values, count, mean, sums, square)

    if cache is not None:
        work(cache)
    else:
        sparse.for_each_chunk(x, knots, None, plan, work, in_order=True)  # all add to the same sums
    kernels.recentre_groups(count, mean, sums, square)
    return Moments(rows - plan.active, count, mean, square)


def _variances_of(moments: Moments, weight: Tensor) -> Array:
    """Return the variances (in, out) of the edges with such weights, float64."""
    inputs, _, outputs = weight.shape
    edges, scratch = np.empty((inputs, outputs)), np.empty((4, outputs))
    has_base, count, mean, square = moments
    table = np.ascontiguousarray(weight.numpy(force=True))
    kernels.edge_variances(has_base, table, count, mean, square, scratch, edges)
    return edges


def _add_moments_gradient(
    moments: Moments, weight: Tensor, grad_edges: Array, in_weight: Tensor, *, wants_features: bool
) -> tuple[Array, Array]:
    """Add the gradient in the weight to ``in_weight``; return that in the features, if wanted.

    ``grad_edges`` (in, out) float64 is the gradient in the variances. The gradient in a feature is
    the first result times the features' distances from their mean in the group, plus the second.
    """
    has_base, count, mean, square = moments
    within, between = np.empty((0, 0, 0, 0)), np.empty((0, 0, 0))
    if wants_features:
        within, between = np.zeros(square.shape), np.zeros(mean.shape)
    table = np.ascontiguousarray(weight.numpy(force=True))
    h, scratch = in_weight.numpy(), np.empty((4, weight.shape[2]))
    kernels.add_moments_gradient(
        has_base, table, count, mean, square, grad_edges, scratch, h, within, between
    )
    return within, between


def _grad_input_sparse(
    saved: ByFeature,
    x: Tensor,
    knots: Tensor,
    weight: Tensor,
    grad: Tensor,
    within: Array,
    between: Array,
    plan: Plan,
    next_plan: Plan,
) -> Tensor:
    """Return the gradient in x (samples, inputs) of what depends on y and on the moments."""
    out = sparse.grad_input(x, knots, weight, grad, next_plan)
    target = out.numpy()
    points = np.ascontiguousarray(x.numpy(force=True))
    grid = np.ascontiguousarray(knots.numpy(force=True))

    def work(part: Active) -> None:
        here = slice(part.start, part.stop)
        values = sparse.make_active(points[here], grid, plan, part.start).values
        kernels.add_active_grad_input(
            plan.width,
            part.offset,
            values,
            part.values,
            saved.moments.mean,
            within,
            between,
            target[here],
        )

    sparse.for_each_chunk(x, knots, None, next_plan, work)
    return out


def _grad_input_dense(
    saved: ByFeature,
    x: Tensor,
    knots: Tensor,
    weight: Tensor,
    grad: Tensor,
    within: Array,
    between: Array,  # noqa: ARG001 - of one group, which has nothing between
    plan: Plan,
    next_plan: Plan,
) -> Tensor:
    """Return the same as ``_grad_input_sparse``."""
    cache = saved.cache
    if not isinstance(cache, Cache):
        cache = dense.prepare(x, knots, weight, plan)
    (inputs, samples), kind = cache.x.shape, plan.dtype
    out = np.empty((inputs, samples), kind)
    products = np.ascontiguousarray((weight.flatten(0, 1) @ grad.T).numpy(force=True))
    mean, factors = saved.moments.mean[:, 0], within[:, 0].astype(kind)

    def work(start: int, stop: int) -> None:
        # The next derivatives and a row of sums lie behind the features.
        scratch = np.empty((plan.scratch_rows + plan.width + 1, VARIANCE_BLOCK), kind)
        kernels.feature_grad_input(
            start,
            stop,
            cache.x,
            cache.knots,
            *plan.family,
            *next_plan.family,
            scratch,
            cache.features,
            products,
            mean,
            factors,
            out,
        )

    over_parts(work, samples, inputs)
    return torch.from_numpy(out).T


def _forward_by_edge(
    x: Tensor, knots: Tensor, weight: Tensor, plan: Plan
) -> tuple[Tensor, Array, ByEdge]:
    """Return y (samples, outputs), the variances (in, out) of the edges, and what made them."""
    (samples, inputs), outputs = x.shape, weight.shape[2]
    cache = dense.prepare(x, knots, weight, plan)
    if inputs * samples * plan.width <= dense.KEPT:
        cache = cache._replace(features=np.empty((inputs * plan.width, samples), plan.dtype))
    y = np.empty((outputs, samples), plan.dtype)

    def work(start: int, stop: int) -> tuple[int, Array]:
        scratch = np.empty((plan.scratch_rows + 1, VARIANCE_BLOCK), plan.dtype)
        mean, square = moments = np.zeros((2, inputs, outputs))
        kernels.edge_moments(
            start, stop, *cache[:3], *plan.family, scratch, cache.features, y, mean, square
        )
        return stop - start, moments

    _, (mean, square) = sum_over_parts(work, samples, inputs, _together)
    variances = square / samples if samples else square * np.nan
    return torch.from_numpy(y).T, variances, ByEdge(cache, mean)


def _together(a: tuple[int, Array], b: tuple[int, Array]) -> tuple[int, Array]:
    """Return samples and moments of two parts together (Chan, Golub, LeVeque, 1979, eq. 2.1)."""
    (before, (mean, square)), (n, (other_mean, other_square)) = a, b
    step = other_mean - mean
    mean += step * (n / (before + n))
    square += other_square + step**2 * (before * n / (before + n))
    return before + n, a[1]


def _backward_by_edge(
    saved: ByEdge, grad: Array, grad_edges: Array, plan: Plan, next_plan: Plan, *, wants_x: bool
) -> tuple[Tensor | None, Tensor]:
    """Return the gradients in x, if wanted, and in the weight."""
    cache, kind = saved.cache, plan.dtype
    inputs, samples = cache.x.shape
    out = np.empty((inputs, samples), kind) if wants_x else dense.NONE[kind]
    mean, gain = saved.mean.astype(kind), (2 / max(samples, 1) * grad_edges).astype(kind)

    def work(start: int, stop: int) -> Array:
        # The gradients in the edges of an input and a row of sums lie behind the features.
        scratch = np.empty((plan.scratch_rows + len(grad) + 1, VARIANCE_BLOCK), kind)
        h = np.zeros(cache.weight.shape, kind)
        kernels.edge_backward(
            start,
            stop,
            *cache[:3],
            grad,
            *plan.family,
            *next_plan.family,
            scratch,
            cache.features,
            mean,
            gain,
            h,
            out,
        )
        return h

    in_weight = torch.from_numpy(sum_over_parts(work, samples, inputs))
    return torch.from_numpy(out).T if wants_x else None, in_weight
