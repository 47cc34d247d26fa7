"""Compiled loops of training; imported only where one is called."""

import numpy as np
from jaxtyping import Float, Int

from kanviz.nn.compiled import compiled


@compiled
def add_products(
    columns: Int[np.ndarray, "rows entries"],
    values: Float[np.ndarray, "rows entries"],
    matrix: Float[np.ndarray, "weights weights"],
) -> None:
    """Add J^T J of sparse rows to the lower triangle of ``matrix``.

    Row n of J holds ``values[n]`` at ``columns[n]``; entries are int64 and float64.
    """
    n_rows, n_entries = columns.shape
    for n in range(n_rows):
        for a in range(n_entries):
            row, factor = columns[n, a], values[n, a]
            for b in range(n_entries):
                if columns[n, b] <= row:
                    matrix[row, columns[n, b]] += factor * values[n, b]


@compiled
def penalise(
    l1: float,
    entropy: float,
    floor: float,
    tiny: float,
    widths: Int[np.ndarray, " depth"],
    edges: Float[np.ndarray, " edges"],
    nodes: Float[np.ndarray, " nodes"],
    room: Float[np.ndarray, "3 edges"],
    above: Float[np.ndarray, "2 nodes"],
    to_edges: Float[np.ndarray, " edges"],
    to_nodes: Float[np.ndarray, " nodes"],
) -> float:
    """Return ``Sparsity.of`` the ``importances``; write its slopes in all that it depends on.

    Parameters
    ----------
    l1, entropy, floor, tiny
        Of ``Sparsity``, ``FLOOR``, and the standard deviation up to which a node is constant.
    widths
        Nodes per layer, inputs first.
    edges, nodes : float64
        Variances of the edges, (in, out) of each layer in a row; standard deviations of the nodes
        but the inputs.
    room : (3, edges)
        Is overwritten: shares in the node, parts in the outputs, slopes in these.
    above : (2, nodes)
        Is overwritten: parts of the nodes, slopes in these.
    to_edges, to_nodes : float64
        Get the slopes.
    """
    total, last, edge, node = 0.0, widths.size - 1, edges.size, nodes.size
    for j in range(widths[last]):
        above[0, node - 1 - j] = 1 / widths[last]
    for depth in range(last, 0, -1):  # parts of the spread, from the outputs down
        n_in, n_out = widths[depth - 1], widths[depth]
        edge, node = edge - n_in * n_out, node - n_out
        whole = _share_out(n_in, n_out, edge, node, floor, tiny, edges, nodes, room, above[0])
        found = _entropy(n_in * n_out, whole, room[1, edge:], room[2, edge:])
        total += l1 * whole + entropy * found
        for e in range(edge, edge + n_in * n_out):
            room[2, e] = l1 + entropy * room[2, e]
    for depth in range(1, last + 1):  # slopes, from the inputs up
        n_in, n_out = widths[depth - 1], widths[depth]
        for j in range(n_out):
            at, unit, to_unit, to_above = node + j, nodes[node + j], 0.0, 0.0
            inverse = 0.0 if unit <= tiny else 1 / unit
            for i in range(n_in):
                e = edge + i * n_out + j
                own = room[2, e] + (above[1, node - n_in + i] if depth > 1 else 0.0)
                to_above += own * room[0, e]
                to_edges[e] = own * above[0, at] / (2 * room[0, e]) * inverse**2
                to_unit -= 2 * to_edges[e] * edges[e] * inverse
            above[1, at], to_nodes[at] = to_above, to_unit
        edge, node = edge + n_in * n_out, node + n_out
    return total


@compiled
def _share_out(
    n_in: int,
    n_out: int,
    edge: int,
    node: int,
    floor: float,
    tiny: float,
    edges: Float[np.ndarray, " edges"],
    nodes: Float[np.ndarray, " nodes"],
    room: Float[np.ndarray, "3 edges"],
    above: Float[np.ndarray, " nodes"],
) -> float:
    """Write shares and parts of the edges of a layer, hand them on; return the sum of all parts."""
    whole = 0.0
    for i in range(n_in):
        handed = 0.0
        for j in range(n_out):
            e, unit = edge + i * n_out + j, nodes[node + j]
            inverse = 0.0 if unit <= tiny else 1 / unit**2  # a NaN stays
            room[0, e] = (edges[e] * inverse + floor**2) ** 0.5
            room[1, e] = above[node + j] * room[0, e]
            handed += room[1, e]
        whole += handed
        if node > 0:
            above[node - n_in + i] = handed
    return whole


@compiled
def _entropy(
    n: int,
    whole: float,
    parts: Float[np.ndarray, " edges"],
    slope: Float[np.ndarray, " edges"],
) -> float:
    """Return the entropy of the first n numbers; write its slopes in them."""
    found = 0.0
    for e in range(n):
        slope[e] = np.log(parts[e] / whole) if parts[e] > 0 else 0.0
        found -= parts[e] / whole * slope[e]
    for e in range(n):
        slope[e] = -(slope[e] + found) / whole if parts[e] > 0 else 0.0
    return found
