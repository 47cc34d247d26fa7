"""The CPU kernels of Levenberg-Marquardt's matrix: J^T J, and J^T r for residuals r.

``normal_equations`` takes a network of splines or Gaussians as plain arrays, makes the rows of its
Jacobian a block of samples at a time and adds their products. An input's active weights lie in a
row, those of all nodes of each beside each other: a row of J is a few runs of columns. Where they
are few among all columns the innermost loop goes along a run; else torch multiplies rows with their
zeros, which it does many times faster per number. ``add_products`` is the same of rows that were
made elsewhere, such as those of formulas.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kanviz.nn.kernels.jit import kernel, parts_of, sum_over_parts
from kanviz.nn.kernels.plan import Active, Array, Plan, make_plan
from kanviz.nn.kernels.sparse import make_active
from kanviz.nn.spec import FunctionSpec

MOST_HELD = 1 << 20
"""Numbers of a block of rows."""

SPARSE_UP_TO = 1 / 3
"""Share of entries in a row up to which loops over them are the quicker ones, as measured."""

STRIP = 96
"""Columns that torch multiplies at once with those before them: half the work of all with all, and
products that are still large enough to be quick."""

SHARED_TO = 700
"""Weights up to which threads share the samples: each has a matrix of its own."""


class LayerArrays(NamedTuple):
    """A layer as the kernels take it.

    ``knots`` (inputs, knots); ``weight`` (inputs * width, outputs) as the edges use it; ``learns``
    (inputs, outputs), 1.0 where an edge learns and 0.0 elsewhere; the plans of the functions
    and of their slopes.
    """

    knots: Array
    weight: Array
    learns: Array
    values: Plan
    slopes: Plan

    @classmethod
    def of(cls, knots: Tensor, weight: Tensor, learns: Tensor, spec: FunctionSpec) -> "LayerArrays":
        """Return the arrays of a layer of float64 whose weight is (inputs, features, outputs)."""
        return cls(
            np.ascontiguousarray(knots.numpy(force=True)),
            np.ascontiguousarray(weight.flatten(0, 1).numpy(force=True)),
            learns.double().numpy(force=True),
            make_plan(spec, 0, knots.dtype),
            make_plan(spec, 1, knots.dtype),
        )


def normal_equations(
    x: Float[Tensor, "samples inputs"],
    residuals: Float[Tensor, "samples rows"],
    layers: Sequence[LayerArrays],
    gain: Float[Tensor, "samples rows outputs"] | None = None,
) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
    """Return J^T J and J^T residuals, in float64; weights in the order of ``linearise``.

    Parameters
    ----------
    x : (samples, inputs)
        Float64, as all here.
    residuals : (samples, rows)
        Outputs less targets at the present weights.
    layers : sequence of LayerArrays
        Inputs first.
    gain : (samples, rows, outputs), optional
        How the rows of J change with the outputs; by default each is one output.
    """
    points, left = (np.ascontiguousarray(part.numpy(force=True)) for part in (x, residuals))
    own = None if gain is None else np.ascontiguousarray(gain.numpy(force=True))
    total = sum(layer.weight.size for layer in layers)
    length = max(1, MOST_HELD // (total * residuals.shape[1]))

    def work(start: int, stop: int) -> tuple[Array, Array]:
        matrix, gradient = np.zeros((total, total)), np.zeros(total)
        for first in range(start, stop, length):
            here = slice(first, min(first + length, stop))
            some = None if own is None else own[here]
            _add_block(points[here], left[here], layers, some, matrix, gradient)
        return matrix, gradient

    if total <= SHARED_TO and len(parts_of(*points.shape)) > 1:
        matrix, gradient = sum_over_parts(work, len(points), points.shape[1], _add)
    else:
        matrix, gradient = work(0, len(x))
    _mirror(matrix)
    return torch.from_numpy(matrix), torch.from_numpy(gradient)


def _add(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """Add the sums of one part to those of another, in place."""
    for own, more in zip(one, other, strict=True):
        own += more
    return one


def _add_block(
    x: Array,
    residuals: Array,
    layers: Sequence[LayerArrays],
    gain: Array | None,
    matrix: Array,
    gradient: Array,
) -> None:
    """Add the products of some samples to the lower triangle of ``matrix``."""
    samples, outputs = residuals.shape
    at: list[Active] = []
    inputs: list[Array] = [x]
    for layer in layers:
        at.append(make_active(inputs[-1], layer.knots, layer.values, 0))
        if layer is not layers[-1]:
            y = np.empty((samples, layer.weight.shape[1]))
            _sum_edges(layer.values.active, at[-1].offset, at[-1].values, layer.weight, y)
            inputs.append(y)
    if gain is None:
        gain = np.empty((samples, outputs, outputs))
        gain[:] = np.eye(outputs)
    sizes = [layer.knots.shape[0] * layer.values.rows * layer.weight.shape[1] for layer in layers]
    runs = [layer.knots.shape[0] * _runs_of(layer) for layer in layers]
    rows = np.empty((samples * outputs, sum(sizes)))
    columns = np.empty((samples * outputs, sum(runs)), np.int64)
    lengths = np.empty(sum(runs), np.int64)
    place, run, start = sum(sizes), sum(runs), matrix.shape[0]
    for depth in reversed(range(len(layers))):
        layer, active = layers[depth], layers[depth].values.active
        place, run, start = place - sizes[depth], run - runs[depth], start - layer.weight.size
        lengths[run : run + runs[depth]] = np.resize(
            np.array([active, 1][: _runs_of(layer)]) * layer.weight.shape[1], runs[depth]
        )
        width, offset, values = layer.values.width, at[depth].offset, at[depth].values
        _write_rows(
            active,
            width,
            offset,
            values,
            layer.learns,
            gain,
            rows[:, place:],
            columns[:, run:],
            start,
        )
        if depth:
            slopes = make_active(inputs[depth], layer.knots, layer.slopes, 0).values
            below = np.empty((samples, outputs, layer.knots.shape[0]))
            _pass_down(active, offset, slopes, layer.weight, gain, below)
            gain = below
    flat = residuals.reshape(-1)
    if rows.shape[1] <= SPARSE_UP_TO * len(matrix):
        _add_runs(columns, lengths, rows, flat, matrix, gradient)
        return
    full = torch.zeros(len(rows), len(matrix), dtype=torch.float64)
    _spread(columns, lengths, rows, full.numpy())
    whole = torch.from_numpy(matrix)
    for first in range(0, len(matrix), STRIP):
        last = first + STRIP
        whole[first:last, :last].addmm_(full[:, first:last].T, full[:, :last])
    torch.from_numpy(gradient).addmv_(full.T, torch.from_numpy(flat))


def _runs_of(layer: LayerArrays) -> int:
    """Return how many runs of columns an input has: active functions, and the base function."""
    return 1 + int(layer.values.rows > layer.values.active)


@kernel
def _sum_edges(active: int, offset: Array, values: Array, weight: Array, out: Array) -> None:
    """Write the sum of features times weight, (samples, outputs)."""
    samples, inputs = offset.shape
    width = weight.shape[0] // inputs
    for b in range(samples):
        for j in range(out.shape[1]):
            out[b, j] = 0
        for i in range(inputs):
            for r in range(values.shape[0]):
                row = offset[b, i] + r if r < active else (i + 1) * width - 1
                for j in range(out.shape[1]):
                    out[b, j] += values[r, b, i] * weight[row, j]


@kernel
def _pass_down(
    active: int, offset: Array, slopes: Array, weight: Array, gain: Array, below: Array
) -> None:
    """Write how the outputs change with each input (samples, outputs, inputs) of a layer.

    ``gain`` (samples, outputs, nodes) says how they change with what it returns.
    """
    samples, inputs = offset.shape
    width = weight.shape[0] // inputs
    for b in range(samples):
        for o in range(gain.shape[1]):
            for i in range(inputs):
                total = 0.0
                for r in range(slopes.shape[0]):
                    row = offset[b, i] + r if r < active else (i + 1) * width - 1
                    for j in range(gain.shape[2]):
                        total += slopes[r, b, i] * weight[row, j] * gain[b, o, j]
                below[b, o, i] = total


@kernel
def _write_rows(
    active: int,
    width: int,
    offset: Array,
    values: Array,
    learns: Array,
    gain: Array,
    rows: Array,
    columns: Array,
    start: int,
) -> None:
    """Write a layer's entries of the rows of J, and the column where each run of them begins.

    Parameters
    ----------
    active, width : int
        Active functions and all features of an input.
    offset, values
        As ``make_active`` has them.
    learns : (inputs, nodes)
        See ``LayerArrays``.
    gain : (samples, outputs, nodes)
        How the outputs change with what the layer returns.
    rows : (samples * outputs, at least inputs * features * nodes)
        Get the entries.
    columns : (samples * outputs, at least runs)
        Get the columns.
    start : int
        Column of the layer's first weight.
    """
    samples, inputs = offset.shape
    outputs, nodes = gain.shape[1], gain.shape[2]
    n_rows = values.shape[0]
    for b in range(samples):
        for o in range(outputs):
            n, place, run = b * outputs + o, 0, 0
            for i in range(inputs):
                columns[n, run] = start + offset[b, i] * nodes
                run += 1
                if n_rows > active:
                    columns[n, run] = start + ((i + 1) * width - 1) * nodes
                    run += 1
                for r in range(n_rows):
                    value = values[r, b, i]
                    for j in range(nodes):
                        rows[n, place + j] = value * gain[b, o, j] * learns[i, j]
                    place += nodes


@kernel
def _add_runs(
    columns: Int[np.ndarray, "rows runs"],
    lengths: Int[np.ndarray, " runs"],
    values: Float[np.ndarray, "rows entries"],
    residuals: Float[np.ndarray, " rows"],
    matrix: Float[np.ndarray, "weights weights"],
    gradient: Float[np.ndarray, " weights"],
) -> None:
    """Add J^T J to the lower triangle of ``matrix`` and J^T residuals to ``gradient``.

    Row n of J holds ``values[n]`` in runs of ``lengths`` that begin at ``columns[n]``, in order.
    """
    for n in range(columns.shape[0]):
        place = 0
        for a in range(lengths.size):
            begin = columns[n, a]
            for e in range(lengths[a]):
                factor = values[n, place + e]
                if factor == 0.0:
                    continue
                row, at = matrix[begin + e], 0
                for b in range(a):
                    first, length = columns[n, b], lengths[b]
                    for t in range(length):
                        row[first + t] += factor * values[n, at + t]
                    at += length
                for t in range(e + 1):
                    row[begin + t] += factor * values[n, place + t]
                gradient[begin + e] += factor * residuals[n]
            place += lengths[a]


@kernel
def _spread(columns: Array, lengths: Array, values: Array, full: Array) -> None:
    """Write rows with their zeros, over zeros."""
    for n in range(columns.shape[0]):
        place = 0
        for a in range(lengths.size):
            begin = columns[n, a]
            for e in range(lengths[a]):
                full[n, begin + e] = values[n, place + e]
            place += lengths[a]


@kernel
def _mirror(matrix: Float[np.ndarray, "weights weights"]) -> None:
    """Copy the lower triangle to the upper one."""
    for a in range(matrix.shape[0]):
        for b in range(a):
            matrix[b, a] = matrix[a, b]


@kernel
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
