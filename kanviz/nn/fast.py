"""The contractions that make a KAN layer, by CPU kernels, over all features or the active ones.

With the features F(x) of shape (samples, inputs, features), a derivative order d of them and a
scale c of shape (samples, inputs), a layer and all its derivatives are made of three sums:

    evaluate  y = sum_if c F^(d) W      outer  h = sum_b c F^(d) g      slope  s = sum_fo F^(d) W g

``contractions`` makes them differentiable.
"""

from torch import Tensor

from kanviz.nn.dense import Dense, evaluate_dense, outer_dense, prepare, slope_dense
from kanviz.nn.plan import Plan
from kanviz.nn.sparse import Active, evaluate_sparse, outer_sparse, slope_sparse

Kept = Dense | Active | None
"""What ``evaluate_now`` made on its way and ``outer_now`` can use."""


def evaluate_now(
    x: Tensor, weight: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan
) -> tuple[Tensor, Kept]:
    """Return y (samples, outputs)."""
    if plan.is_dense and scale is None:
        return evaluate_dense(x, weight, knots, plan)
    return evaluate_sparse(x, weight, knots, scale, plan)


def slope_now(
    x: Tensor, weight: Tensor, gradient: Tensor, knots: Tensor, plan: Plan, kept: Kept = None
) -> Tensor:
    """Return s (samples, inputs); ``kept`` is of the same x and weight."""
    if plan.is_dense:
        dense = kept if isinstance(kept, Dense) else prepare(x, knots, weight, plan)
        return slope_dense(dense, gradient, plan)
    return slope_sparse(x, weight, gradient, knots, plan)


def outer_now(
    x: Tensor, gradient: Tensor, knots: Tensor, scale: Tensor | None, plan: Plan, kept: Kept = None
) -> Tensor:
    """Return h (inputs, features, outputs); ``kept`` is of the same x, scale and plan."""
    if plan.is_dense and scale is None:
        dense = kept if isinstance(kept, Dense) else prepare(x, knots, None, plan)
        return outer_dense(dense, gradient, plan)
    assert not isinstance(kept, Dense)
    return outer_sparse(x, gradient, knots, scale, plan, kept)
