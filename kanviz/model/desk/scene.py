"""A network as the contract's ``Scene``: dictionaries, text, numbers and numpy arrays."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanviz.data import Dataset
from kanviz.data.about import About
from kanviz.nn.network import Network
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.symbolic.mathml import to_mathml
from kanviz.symbolic.parse import parse
from kanviz.training.errors import Errors

MOST_ROWS, MOST_NUMBERS = 500, 50_000
"""Rows of the data in a scene, and numbers in all of them: it is sent after every change."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of the data in the user's units; for a probe, and to draw.

    Parameters
    ----------
    sample : (rows, inputs) float64
    target : (rows, outputs) float64, or (0,) where there are none or they are classes
    """

    sample: np.ndarray
    target: np.ndarray

    @classmethod
    def of(cls, about: About, x: Tensor, data: Dataset | None) -> "Rows":
        """Return rows at equal steps: of the training data, else of x, in the network's units."""
        width = len(about.input_names)
        inputs = x if data is None else data.x
        count = min(len(inputs), MOST_ROWS, max(1, MOST_NUMBERS // width))
        rows = torch.arange(count, device=inputs.device) * len(inputs) // count
        if data is None:
            return cls(_numbers(about.x_scaling.undo(inputs[rows].double().cpu())), np.empty(0))
        targets = np.empty(0)
        if not data.is_classification:
            targets = _numbers(data.to_user_outputs(data.y[rows]))
        return cls(_numbers(data.to_user_inputs(data.x[rows])), targets)


def drawing(snapshot: Snapshot) -> dict[str, Any]:
    """Return what is drawn: nodes and edges; arrays that edges share are the same object."""
    arrays: dict[int, np.ndarray] = {}
    return {
        "title": snapshot.title,
        "widths": list(snapshot.widths),
        "nodes": [dict(vars(node)) for node in snapshot.nodes],
        "edges": [_edge(view, arrays) for view in snapshot.edges],
        "n_edges": snapshot.n_edges,
    }


def _edge(view: EdgeView, arrays: dict[int, np.ndarray]) -> dict[str, Any]:
    values = dict(vars(view))
    for name, value in values.items():
        if isinstance(value, tuple):
            # The snapshot keeps the tuples alive, so no id is given twice.
            values[name] = arrays.setdefault(id(value), np.array(value, dtype=np.float64))
    return values | {"mathml": None if view.formula is None else mathml_of(view.formula)}


@lru_cache(maxsize=2048)
def mathml_of(text: str) -> str:
    """Return a formula, as ``kanviz.symbolic.text`` wrote it, as MathML."""
    return to_mathml(parse(text))


def errors_now(network: Network, data: Dataset | None) -> dict[str, Any]:
    """Return the errors in the user's units, as the contract has them: None where there is none."""
    if data is None:
        return {"name": "RMSE", "train": None, "test": None}
    errors = vars(Errors.of(network, data))
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in errors.items()
    }


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype(np.float64)
