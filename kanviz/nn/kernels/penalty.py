"""Outputs and sparsity penalty of a whole network as one step of autograd.

Dozens of small operations of torch would cost more than all else in a small network.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function

from kanviz.nn.kernels import variance
from kanviz.nn.kernels.jit import kernel
from kanviz.nn.kernels.plan import Array
from kanviz.nn.nodes import Live, Nodes
from kanviz.nn.spec import FunctionSpec

Families = Sequence[tuple[Tensor, FunctionSpec]]
Made = Sequence[tuple[Nodes, Live | None]]
Reference = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensor]]


def outputs_and_penalty(
    x: Tensor,
    families: Families,
    made: Made,
    weights: Sequence[Tensor],
    *,
    l1: float,
    entropy: float,
    floor: float,
    reference: Reference,
) -> tuple[Tensor, Tensor]:
    """Return outputs and penalty, as ``reference(x, weights)`` does; differentiable to any order.

    Parameters
    ----------
    x : (samples, inputs)
        Such that ``ops.usable`` says yes to all layers.
    families : sequence of (knots, spec)
        Of each layer.
    made : sequence of (nodes, live)
        What each layer makes of its sums, and which of them a live edge enters, see ``Nodes``.
    weights : sequence of (inputs, features, outputs)
        Of each layer.
    l1, entropy, floor
        See ``penalise``.
    reference : callable
        The same in plain torch, for derivatives of the gradient.
    """
    found: tuple[Tensor, Tensor] = _Penalty.apply(
        (l1, entropy, floor), families, made, reference, x, *weights
    )
    return found


class _Penalty(Function):
    @staticmethod
    def forward(
        ctx: Any,
        numbers: tuple[float, float, float],
        families: Families,
        made: Made,
        reference: Reference,
        x: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        layers: list[variance.Result] = []
        seen = [x]
        for weight, (knots, spec), (nodes, live) in zip(weights, families, made, strict=True):
            layers.append(variance.forward(seen[-1], knots, weight, spec))
            seen.append(nodes.values(layers[-1].outputs, live))
        value, *gradient = _penalty(numbers, torch.finfo(x.dtype).tiny ** 0.5, layers, made)
        ctx.save_for_backward(x, *weights)
        ctx.set_materialize_grads(False)
        ctx.families, ctx.made, ctx.reference = families, made, reference
        ctx.layers, ctx.seen, ctx.gradient = layers, seen, gradient
        # Detached, because what ctx holds may not hold ctx through an output.
        return seen[-1].detach(), torch.from_numpy(np.array(value, layers[0].values.dtype))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[4:]
        x, *weights = ctx.saved_tensors
        if torch.is_grad_enabled():
            outputs = ctx.reference(x, weights)
            return None, None, None, None, *variance.vjp(outputs, grads, (x, *weights), wanted)
        return None, None, None, None, *_backward(ctx, weights, grads, wanted)


def _penalty(
    numbers: tuple[float, float, float],
    tiny: float,
    layers: list[variance.Result],
    made: Made,
) -> tuple[float, Array, Array]:
    """Return the penalty, and its gradients in all edges and all sums in a row."""
    shapes = np.array([layer.edges.shape for layer in layers])
    owners = np.concatenate([np.array(nodes.owners) for nodes, _ in made])
    edges = np.concatenate([layer.edges.ravel() for layer in layers])
    nodes = np.concatenate([layer.nodes[1] for layer in layers])
    scratch, grad_edges = np.empty((3, edges.size)), np.empty(edges.size)
    above, grad_nodes = np.empty((2, nodes.size)), np.empty(nodes.size)
    gradient = grad_edges, grad_nodes
    value = penalise(*numbers, tiny, shapes, owners, edges, nodes, scratch, above, *gradient)
    return value, *gradient


def _backward(
    ctx: Any,
    weights: list[Tensor],
    grads: tuple[Tensor | None, ...],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Return the gradients in x and all weights, from the last layer to the first."""
    layers, seen, (all_edges, all_nodes) = ctx.layers, ctx.seen, ctx.gradient
    grad_outputs, grad_penalty = grads
    factor, last = 0.0 if grad_penalty is None else float(grad_penalty), layers[-1].values
    g = np.zeros_like(last) if grad_outputs is None else grad_outputs.T.numpy().copy(order="C")
    grad_edges, grad_nodes = all_edges * factor, all_nodes * factor
    edge, node, found = grad_edges.size, grad_nodes.size, []
    for depth in range(len(layers) - 1, -1, -1):
        layer, inputs = layers[depth], seen[depth]
        edge, node = edge - layer.edges.size, node - len(layer.values)
        knots, spec = ctx.families[depth]
        in_x, in_weight = variance.backward(
            layer,
            inputs,
            knots,
            weights[depth],
            spec,
            grad=g,
            grad_edges=grad_edges[edge : edge + layer.edges.size].reshape(layer.edges.shape),
            grad_nodes=grad_nodes[node : node + len(layer.values)],
            wants_x=any(wanted[: depth + 1]),
        )
        found.append(in_weight if wanted[depth + 1] else None)
        if in_x is None:
            break
        if depth and (nodes := ctx.made[depth - 1][0]).arities:
            slopes = nodes.slopes(layers[depth - 1].outputs, ctx.made[depth - 1][1])
            in_x = nodes.to_sums(in_x) * slopes
        g = in_x.T.contiguous().numpy()
    found += [None] * (len(weights) - len(found))
    return [in_x if wanted[0] else None, *reversed(found)]


@kernel
def penalise(
    l1: float,
    entropy: float,
    floor: float,
    tiny: float,
    shapes: Int[np.ndarray, "layers 2"],
    owners: Int[np.ndarray, " sums"],
    edges: Float[np.ndarray, " edges"],
    nodes: Float[np.ndarray, " sums"],
    scratch: Float[np.ndarray, "3 edges"],
    above: Float[np.ndarray, "2 sums"],
    grad_edges: Float[np.ndarray, " edges"],
    grad_nodes: Float[np.ndarray, " sums"],
) -> float:
    """Return the sparsity penalty; write its gradient in all that it depends on.

    As ``Sparsity.of`` computes it from the ``importances`` of all edges (``kanviz.training``).

    Parameters
    ----------
    l1, entropy, floor, tiny
        Of ``Sparsity``, ``FLOOR``, and the standard deviation up to which a node is constant.
    shapes
        Inputs and sums of each layer.
    owners
        The node of its layer that each sum is, or is a factor of; of all layers in a row.
    edges, nodes : float64
        Variances of the edges, (in, out) of each layer in a row; standard deviations of the sums.
    scratch : (3, edges)
        Is overwritten: shares in the sum, parts in the outputs, gradients in these.
    above : (2, sums)
        Is overwritten: parts of the sums, gradients in these.
    grad_edges, grad_nodes : float64
        Get the gradient.
    """
    total, last, edge, node = 0.0, len(shapes), edges.size, nodes.size
    for j in range(shapes[last - 1, 1]):
        above[0, node - 1 - j] = 1 / shapes[last - 1, 1]
    for depth in range(last, 0, -1):  # parts of the spread, from the outputs down
        n_in, n_out = shapes[depth - 1]
        edge, node = edge - n_in * n_out, node - n_out
        below = shapes[depth - 2, 1] if depth > 1 else 0
        whole = _share_out(
            n_in, n_out, below, edge, node, floor, tiny, owners, edges, nodes, scratch, above[0]
        )
        found = _entropy(n_in * n_out, whole, scratch[1, edge:], scratch[2, edge:])
        total += l1 * whole + entropy * found
        for e in range(edge, edge + n_in * n_out):
            scratch[2, e] = l1 + entropy * scratch[2, e]
    for depth in range(1, last + 1):  # gradients, from the inputs up
        n_in, n_out = shapes[depth - 1]
        below = shapes[depth - 2, 1] if depth > 1 else 0
        for i in range(n_in):  # a node has the gradients of all its sums
            handed = 0.0
            for k in range(node - below, node):
                handed += above[1, k] if owners[k] == i else 0.0
            for e in range(edge + i * n_out, edge + (i + 1) * n_out):
                scratch[2, e] += handed
        for j in range(n_out):
            at, unit, grad_unit, grad_above = node + j, nodes[node + j], 0.0, 0.0
            inverse = 0.0 if unit <= tiny else 1 / unit
            for i in range(n_in):
                e = edge + i * n_out + j
                own = scratch[2, e]
                grad_above += own * scratch[0, e]
                grad_edges[e] = own * above[0, at] / (2 * scratch[0, e]) * inverse**2
                grad_unit -= 2 * grad_edges[e] * edges[e] * inverse
            above[1, at], grad_nodes[at] = grad_above, grad_unit
        edge, node = edge + n_in * n_out, node + n_out
    return total


@kernel
def _share_out(
    n_in: int,
    n_out: int,
    below: int,
    edge: int,
    node: int,
    floor: float,
    tiny: float,
    owners: Int[np.ndarray, " sums"],
    edges: Float[np.ndarray, " edges"],
    nodes: Float[np.ndarray, " sums"],
    scratch: Float[np.ndarray, "3 edges"],
    above: Float[np.ndarray, " sums"],
) -> float:
    """Write shares and parts of the edges of a layer, hand them on; return the sum of all parts.

    They go to the ``below`` sums of the layer below, to each factor all of its product's.
    """
    whole = 0.0
    for i in range(n_in):
        handed = 0.0
        for j in range(n_out):
            e, unit = edge + i * n_out + j, nodes[node + j]
            inverse = 0.0 if unit <= tiny else 1 / unit**2  # a NaN stays
            scratch[0, e] = (edges[e] * inverse + floor**2) ** 0.5
            scratch[1, e] = above[node + j] * scratch[0, e]
            handed += scratch[1, e]
        whole += handed
        for k in range(node - below, node):
            if owners[k] == i:
                above[k] = handed
    return whole


@kernel
def _entropy(
    n: int,
    whole: float,
    parts: Float[np.ndarray, " edges"],
    grad: Float[np.ndarray, " edges"],
) -> float:
    """Return the entropy of the first n numbers; write its gradient in them."""
    found = 0.0
    for e in range(n):
        grad[e] = np.log(parts[e] / whole) if parts[e] > 0 else 0.0
        found -= parts[e] / whole * grad[e]
    for e in range(n):
        grad[e] = -(grad[e] + found) / whole if parts[e] > 0 else 0.0
    return found
