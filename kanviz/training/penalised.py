"""Outputs and sparsity penalty of a whole network as one step of autograd, by CPU kernels.

Dozens of small operations of torch would cost more than all else in a small network. Imported only
where it is used, because it needs numba.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function

from kanviz.nn.spec import FunctionSpec
from kanviz.nn.spread_by_kernels import Seen, differentiable_slopes, lead_back, look
from kanviz.training.kernels import penalise

Array = NDArray[np.float64]
Families = Sequence[tuple[Tensor, FunctionSpec]]
Plain = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensor]]


def penalised(
    numbers: tuple[float, float, float],
    families: Families,
    x: Tensor,
    weights: Sequence[Tensor],
    plain: Plain,
) -> tuple[Tensor, Tensor]:
    """Return outputs and penalty, as ``plain(x, weights)`` does; differentiable to any order.

    Parameters
    ----------
    numbers : l1, entropy, floor
        See ``kernels.penalise``.
    families : sequence of (knots, spec)
        Of each layer.
    x : (samples, inputs)
        Read by the kernels, as the rest.
    weights : sequence of (inputs, features, outputs)
        Of each layer.
    plain : callable
        The same in plain torch, for derivatives of the gradient.
    """
    found: tuple[Tensor, Tensor] = _Penalised.apply(numbers, families, plain, x, *weights)
    return found


class _Penalised(Function):
    @staticmethod
    def forward(
        ctx: Any,
        numbers: tuple[float, float, float],
        families: Families,
        plain: Plain,
        x: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        passes: list[Seen] = []
        outputs = x
        for weight, family in zip(weights, families, strict=True):
            passes.append(look(outputs, weight, *family))
            outputs = passes[-1].outputs
        value, *slopes = _value(numbers, torch.finfo(x.dtype).tiny ** 0.5, passes)
        ctx.save_for_backward(x, *weights)
        ctx.set_materialize_grads(False)
        ctx.made = families, plain, passes, slopes
        # Detached, because what ctx holds may not hold ctx through an output.
        return outputs.detach(), torch.from_numpy(np.array(value, passes[0].values.dtype))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor | None) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[3:]
        x, *weights = ctx.saved_tensors
        if torch.is_grad_enabled():
            found = ctx.made[1](x, weights)
            pairs = [
                (v, slope) for v, slope in zip(found, slopes, strict=True) if slope is not None
            ]
            return None, None, None, *differentiable_slopes(pairs, (x, *weights), wanted)
        return None, None, None, *_slopes(ctx.made, x, weights, slopes, wanted)


def _value(
    numbers: tuple[float, float, float], tiny: float, passes: list[Seen]
) -> tuple[float, Array, Array]:
    """Return the penalty, and its slopes in all edges and all nodes in a row."""
    widths = np.array([len(passes[0].edges), *(len(seen.values) for seen in passes)])
    edges = np.concatenate([seen.edges.ravel() for seen in passes])
    nodes = np.concatenate([seen.nodes[1] for seen in passes])
    room, to_edges = np.empty((3, edges.size)), np.empty(edges.size)
    above, to_nodes = np.empty((2, nodes.size)), np.empty(nodes.size)
    slopes = to_edges, to_nodes
    value = penalise(*numbers, tiny, widths, edges, nodes, room, above, *slopes)
    return value, *slopes


def _slopes(
    made: tuple[Families, Plain, list[Seen], list[Array]],
    x: Tensor,
    weights: list[Tensor],
    slopes: tuple[Tensor | None, ...],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Return the slopes in x and all weights, led back from layer to layer."""
    families, _, passes, (all_edges, all_nodes) = made
    to_y, to_penalty = slopes
    factor, last = 0.0 if to_penalty is None else float(to_penalty), passes[-1].values
    g = np.zeros_like(last) if to_y is None else to_y.T.numpy().copy(order="C")
    to_edges, to_nodes = all_edges * factor, all_nodes * factor
    edge, node, found = to_edges.size, to_nodes.size, []
    for depth in range(len(passes) - 1, -1, -1):
        seen, inputs = passes[depth], passes[depth - 1].outputs if depth else x
        edge, node = edge - seen.edges.size, node - len(seen.values)
        own = to_edges[edge : edge + seen.edges.size].reshape(seen.edges.shape)
        few = g, own, to_nodes[node : node + len(seen.values)]
        case = inputs, weights[depth], *families[depth]
        to_x, to_weight = lead_back(seen, case, *few, wants_x=any(wanted[: depth + 1]))
        found.append(to_weight if wanted[depth + 1] else None)
        if to_x is None:
            break
        g = to_x.T.contiguous().numpy()
    found += [None] * (len(weights) - len(found))
    return [to_x if wanted[0] else None, *reversed(found)]
