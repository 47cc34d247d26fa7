"""The questions that a browser may ask: they change nothing."""

import time
from typing import Any

import torch

from kanviz.analysis.take_out import edge_means, take_out
from kanviz.analysis.trace import trace
from kanviz.data import Dataset
from kanviz.data.about import About
from kanviz.model.desk.request import Request
from kanviz.model.desk.scene import errors_now
from kanviz.model.kan import KAN
from kanviz.nn.symbols import EdgeFunction
from kanviz.snapshot import EdgeView
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.mathml import equations, to_mathml
from kanviz.symbolic.rounding import rounded
from kanviz.symbolic.suggest import SHOWN_DIGITS, Suggestion

MOST_SUGGESTIONS = 10

PATIENCE = 3.0
"""Seconds that the errors of a plan may take; later steps of a large network have none."""


def suggestions(model: KAN, view: EdgeView) -> list[dict[str, Any]]:
    """Return which functions an edge may be, best first, each with its curve over the drawn one."""
    table = model.suggest(view.edge, top=MOST_SUGGESTIONS)
    return [_suggestion(row, view) for row in table]


def _suggestion(row: Suggestion, view: EdgeView) -> dict[str, Any]:
    numbers = (row.a, row.b, row.c, row.d)
    return {
        "name": row.name,
        "formula": row.text,
        "mathml": to_mathml(rounded(row.expression, SHOWN_DIGITS)),
        "r2": row.r2,
        "complexity": row.complexity,
        "on_front": row.on_front,
        "numbers": numbers,
        "curve_y": _values(row.function, numbers, view),
    }


def preview(model: KAN, data: Dataset | None, view: EdgeView, request: Request) -> dict[str, Any]:
    """Return an edge's curve and the errors as they would be with a formula on it."""
    trial = model.copy()
    trial.fix(view.edge, request.text("formula"), numbers=request.affine())
    symbols = trial.network.layers[view.layer].symbols
    assert symbols is not None
    place = symbols.edges.index((view.i, view.j))
    numbers = symbols.affine[place].tolist()
    errors = errors_now(trial.network, data)
    return {
        "curve_y": _values(symbols.functions[place], numbers, view),
        "train": errors["train"],
        "test": errors["test"],
    }


def _values(function: EdgeFunction, numbers: Any, view: EdgeView) -> list[float]:
    """Return c f(a x + b) + d at the points of an edge's curve."""
    a, b, c, d = numbers
    x = torch.tensor(view.curve_x, dtype=torch.float64)
    with torch.no_grad():
        values: list[float] = (c * function.torch(a * x + b) + d).tolist()
    return values


def plan(model: KAN, data: Dataset | None) -> dict[str, Any]:
    """Return what pruning would take step by step, with the errors after each, no refit."""
    found = model.plan(data)
    with model.session.reading():
        work, sample = model.session.copy_network(), model.session.inputs(None).double()
    means, start = edge_means(work, sample), time.perf_counter()
    steps = []
    for step in found.steps:
        take_out(work, step.edges, means)
        is_late = time.perf_counter() - start > PATIENCE
        errors = errors_now(work, None if is_late else data)
        parts = {"train": errors["train"], "test": errors["test"]}
        steps.append({"edges": [list(edge) for edge in step.edges], "score": step.score, **parts})
    return {"steps": steps}


def probe(model: KAN, about: About, request: Request) -> dict[str, Any]:
    """Return the value of every node and edge for one row in the user's units."""
    row = request.numbers("x")
    if len(row) != len(about.input_names):
        raise ValueError(
            f"x must have {len(about.input_names)} numbers, one per input; got {len(row)}. "
            "Pass one row of the data."
        )
    with model.session.reading():
        inputs = about.x_scaling.apply(torch.tensor([row], dtype=torch.float64))
        found = trace(model.network, inputs.to(model.network.layers[0].weight.detach()))
    nodes = [layer.inputs[0].tolist() for layer in found.layers]
    edges = [layer.edge_outputs[0].flatten().tolist() for layer in found.layers]
    return {"nodes": [*nodes, found.outputs[0].tolist()], "edges": edges}


def formula_text(formula: Formula) -> dict[str, str]:
    """Return a formula in the forms in which people take it away."""
    try:
        python = formula.to_python()
    except ValueError as error:  # while some edge is a spline
        python = f"# {error}\n"
    return {
        "text": str(formula),
        "mathml": equations(formula.outputs, formula.expressions),
        "latex": "\n".join(formula.to_latex()),
        "python": python,
    }
