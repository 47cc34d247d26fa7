"""Moments of the features of a layer by CPU kernels, and what follows from them.

The variance of an edge's output is a quadratic form in its coefficients, w^T C w, where C is the
covariance of the features of its input: exact, and nothing of size (samples, in, out) is made.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from kanviz.nn import kernels_groups, kernels_moments, kernels_spread
from kanviz.nn.compiled import over_parts, sum_over_parts
from kanviz.nn.dense import NONE, Dense
from kanviz.nn.fast import Kept
from kanviz.nn.kernels_moments import BLOCK
from kanviz.nn.plan import Array, Plan, contiguous
from kanviz.nn.sparse import Active, for_each_chunk, make_active, slope_sparse

NO_PULL, NO_BETWEEN = np.empty((0, 0, 0, 0)), np.empty((0, 0, 0))


class Moments(NamedTuple):
    """Moments of the features of a layer, see ``kernels_spread``; ``sizes`` is its ``count``."""

    has_base: int
    sizes: Array
    mean: Array
    square: Array


class Pull(NamedTuple):
    """How the features are pulled by slopes in the variances, see ``spread_slopes``."""

    pull: Array
    between: Array


def moments_of(x: Tensor, knots: Tensor, plan: Plan, kept: Kept = None) -> Moments:
    """Return the moments for x (samples, inputs); ``kept`` is of the same x and plan."""
    if plan.is_dense:
        return _dense(x, knots, plan, kept if isinstance(kept, Dense) else None)
    return _sparse(x, knots, plan, kept if isinstance(kept, Active) else None)


def _dense(x: Tensor, knots: Tensor, plan: Plan, kept: Dense | None) -> Moments:
    columns, grid = contiguous(x.T), contiguous(knots)
    features = NONE[plan.dtype] if kept is None else kept.features
    (inputs, samples), width = columns.shape, plan.width

    def work(start: int, stop: int) -> Moments:
        room = np.empty((plan.n_scratch_rows, BLOCK), plan.dtype)
        wide = np.empty((width + 1, BLOCK))
        mean, square = np.empty((inputs, 1, width)), np.zeros((inputs, 1, width, width))
        sums = mean[:, 0], square[:, 0]
        arguments = columns, grid, *plan.arguments, features, *sums
        kernels_moments.dense_moments(start, stop, room, wide, *arguments)
        count = np.full((inputs, 1), float(stop - start))
        return Moments(plan.rows - plan.active, count, mean, square)

    return sum_over_parts(work, samples, inputs, _merged)


def _merged(a: Moments, b: Moments) -> Moments:
    """Return the moments of two parts together.

    Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances,
    1979, eq. 2.1.
    """
    count, step = a.sizes + b.sizes, b.mean - a.mean
    share = (b.sizes / count)[..., None]
    outer = step[..., None] * step[..., None, :] * (a.sizes[..., None] * share)[..., None]
    return Moments(a.has_base, count, a.mean + step * share, a.square + b.square + outer)


def _sparse(x: Tensor, knots: Tensor, plan: Plan, kept: Active | None) -> Moments:
    inputs, rows, has_base = x.shape[1], plan.rows, plan.rows - plan.active
    groups = plan.width - plan.rows + 1
    count, mean = np.zeros((inputs, groups)), np.zeros((inputs, groups, rows))
    sums, square = np.zeros((inputs, groups, rows)), np.zeros((inputs, groups, rows, rows))

    def work(part: Active) -> None:
        few = plan.width, part.offset, part.values
        kernels_groups.active_moments(*few, count, mean, sums, square)

    if kept is not None:
        work(kept)
    else:
        for_each_chunk(x, knots, None, plan, work, in_order=True)  # all add to the same sums
    kernels_groups.recentre(count, mean, sums, square)
    return Moments(has_base, count, mean, square)


def covariance_of(moments: Moments, width: int) -> Array:
    """Return the covariance (divisor n) of the features of each input, (in, width, width)."""
    _, count, mean, square = moments
    inputs, groups, rows = mean.shape
    samples = count[0].sum()
    total, apart = np.zeros((inputs, width, width)), np.zeros((inputs, groups, width))
    for group in range(groups):
        where = np.arange(group, group + rows)
        where[-1] = width - 1 if moments.has_base else where[-1]
        apart[:, group, where] = mean[:, group]
        total[:, where[:, None], where] += square[:, group]
    apart -= (count[..., None] * apart).sum(1, keepdims=True) / samples
    apart *= np.sqrt(count)[..., None]
    return np.asarray((total + apart.transpose(0, 2, 1) @ apart) / samples)


def variances_of(moments: Moments, weight: Tensor) -> Array:
    """Return the variances (in, out) of the edges with such weights, float64."""
    inputs, _, outputs = weight.shape
    edges, room = np.empty((inputs, outputs)), np.empty((4, outputs))
    has_base, sizes, mean, square = moments
    kernels_spread.spreads(has_base, contiguous(weight), sizes, mean, square, room, edges)
    return edges


def add_spread_slopes(
    moments: Moments, weight: Tensor, factor: Array, slope: Array, *, wants_pull: bool
) -> Pull:
    """Add the slope in the weight to ``slope``; return the pull on the features if wanted.

    ``factor`` (in, out) float64 are the slopes in the variances.
    """
    has_base, sizes, mean, square = moments
    table, room, pull = (
        contiguous(weight),
        np.empty((4, weight.shape[2])),
        Pull(NO_PULL, NO_BETWEEN),
    )
    if wants_pull:
        pull = Pull(np.zeros(square.shape), np.zeros(mean.shape))
    kernels_spread.spread_slopes(
        has_base, table, sizes, mean, square, factor, room, slope, pull.pull, pull.between
    )
    return pull


def pulled(
    x: Tensor,
    weight: Tensor,
    gradient: Tensor,
    knots: Tensor,
    plans: tuple[Plan, Plan],
    moments: Moments,
    pull: Pull,
    kept: Kept = None,
) -> Tensor:
    """Return the slope in x (samples, inputs) of what depends on y and on the moments.

    ``gradient`` (samples, outputs) is the slope in y; ``plans`` are of the features and of their
    derivatives; ``kept`` is of the same x and weight.
    """
    if plans[0].is_dense:
        features = kept.features if isinstance(kept, Dense) else NONE[plans[0].dtype]
        return _pulled_dense(x, weight, gradient, knots, plans, moments, pull, features)
    out = slope_sparse(x, weight, gradient, knots, plans[1])
    target, points, grid = out.numpy(), contiguous(x), contiguous(knots)

    def work(part: Active) -> None:
        here = slice(part.start, part.stop)
        values = make_active(points[here], grid, plans[0], part.start).values
        few = plans[0].width, part.offset, values, part.values
        kernels_groups.active_pull(*few, moments.mean, *pull, target[here])

    for_each_chunk(x, knots, None, plans[1], work)
    return out


def _pulled_dense(
    x: Tensor,
    weight: Tensor,
    gradient: Tensor,
    knots: Tensor,
    plans: tuple[Plan, Plan],
    moments: Moments,
    pull: Pull,
    features: Array,
) -> Tensor:
    kind = plans[0].dtype
    columns, grid, slope = contiguous(x.T), contiguous(knots), np.empty(x.shape[::-1], kind)
    products = contiguous(weight.flatten(0, 1) @ gradient.T)
    factors = moments.mean[:, 0], pull.pull[:, 0].astype(kind)

    def work(start: int, stop: int) -> None:
        room = np.empty((plans[0].n_scratch_rows + 1, BLOCK), kind)
        arguments = columns, grid, *plans[0].arguments, *plans[1].arguments, features
        others = products, *factors, slope
        kernels_moments.dense_pull(start, stop, room, *arguments, *others)

    over_parts(work, *x.shape)
    return torch.from_numpy(slope).T
