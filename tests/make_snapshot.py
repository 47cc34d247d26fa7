"""Snapshots for tests, from plain mathematics and a seed: no model, no torch."""

import dataclasses
import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kanviz.layout import node_positions, strengths, strongest
from kanviz.snapshot import Edge, EdgeView, NodeView, Snapshot

Function = Callable[[float], float]


def make_snapshot(
    widths: Sequence[int],
    *,
    seed: int = 0,
    limit: int | None = None,
    labels: Sequence[str] = (),
    changes: dict[Edge, dict[str, Any]] | None = None,
    title: str = "",
) -> Snapshot:
    """Return a snapshot with plausible curves; ``changes`` replaces fields of single edges."""
    generator = random.Random(seed)
    scores = [
        [[generator.lognormvariate(-2, 1.3) for _ in range(after)] for _ in range(before)]
        for before, after in itertools.pairwise(widths)
    ]
    edges: list[EdgeView] = []
    kept = strongest(scores, limit)
    for layer in range(len(widths) - 1):
        here = [edge for edge in kept if edge.layer == layer]
        values = [scores[layer][edge.i][edge.j] for edge in here]
        for edge, score, strength in zip(here, values, strengths(values), strict=True):
            view = make_edge(edge, make_function(generator), score=score, strength=strength)
            edges.append(changed(view, **(changes or {}).get(edge, {})))
    return Snapshot(
        widths=tuple(widths),
        nodes=make_nodes(widths, labels),
        edges=tuple(edges),
        n_edges=sum(a * b for a, b in itertools.pairwise(widths)),
        title=title,
    )


def make_edge(edge: Edge, function: Function, **fields: Any) -> EdgeView:
    """Return an edge that draws ``function`` on [-1, 1]."""
    curve_x = tuple(-1 + 2 * n / 60 for n in range(61))
    knots = tuple(-1 + 0.4 * n for n in range(6))
    sample_x = tuple(math.sin(7.1 * n) for n in range(20))
    values: dict[str, Any] = {
        "curve_x": curve_x,
        "curve_y": tuple(map(function, curve_x)),
        "knots": knots,
        "control_x": knots,
        "control_y": tuple(map(function, knots)),
        "sample_x": sample_x,
        "sample_y": tuple(map(function, sample_x)),
        "score": 1.0,
        "strength": 1.0,
    }
    return EdgeView(*edge, **_with_arrays(values | fields))


def changed(view: EdgeView, **fields: Any) -> EdgeView:
    """Return the view with other fields; sequences of numbers become arrays."""
    return dataclasses.replace(view, **_with_arrays(fields))


def _with_arrays(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields of an ``EdgeView`` as it holds them: points as read-only arrays."""
    found = dict(fields)
    for field in dataclasses.fields(EdgeView):
        if field.type is np.ndarray and field.name in found:
            found[field.name] = np.array(found[field.name], dtype=np.float64)
            found[field.name].setflags(write=False)
    return found


def make_nodes(widths: Sequence[int], labels: Sequence[str] = ()) -> tuple[NodeView, ...]:
    """Return the nodes of a network: inputs ``x_1`` ..., one output ``y``, or the labels given."""
    nodes = []
    for layer, places in enumerate(node_positions(widths)):
        for index, (x, y) in enumerate(places):
            label = f"x_{index + 1}" if layer == 0 else ""
            if layer == len(widths) - 1:
                label = "y" if widths[-1] == 1 else f"y_{index + 1}"
            if labels and layer == 0:
                label = labels[index % len(labels)]
            nodes.append(NodeView(layer, index, label, 1.0, x, y))
    return tuple(nodes)


def make_function(generator: random.Random) -> Function:
    """Return one of the shapes that edges of trained networks have."""
    a, b = generator.uniform(1, 4), generator.uniform(-1, 1)
    shapes: list[Function] = [
        lambda x: math.sin(a * x + b),
        lambda x: (x + b / 3) ** 2,
        lambda x: math.exp(a * x / 2),
        lambda x: math.tanh(a * x + b),
        lambda x: a * x + b,
        lambda x: math.exp(-((a * x - b) ** 2)),
        lambda x: x**3 - x / 2 + 0.2 * math.sin(3 * a * x),
        lambda x: -abs(x + b / 2) + 0.1 * math.cos(5 * x),
        lambda x: math.log(1.2 + x) + b,
    ]
    return generator.choice(shapes)
