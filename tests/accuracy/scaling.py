"""How the error falls with the number of weights: KANs of kanviz against MLPs.

Run ``cd tests && PYTHONPATH=.. python -m accuracy.scaling --write`` (about four minutes on one
core). A KAN keeps its shape and gets finer grids, one after the other; an MLP gets wider layers.
"""

import time
from typing import Any

import numpy as np
import torch

from accuracy.measure import N_CHOOSE, N_TEST, N_TRAIN, Samples, n_parameters, rmse, samples
from accuracy.record import Report, run
from kanviz.course.mlp import train_mlp
from kanviz.course.problems import problem, results
from kanviz.nn import Network
from kanviz.training import fit

SHAPES = {"toy_exp_sin": (2, 1, 1), "toy_deep": (4, 2, 1, 1), "jv": (2, 5, 1)}
"""Two functions that a KAN of this shape can be in full, one where no such KAN is known."""

GRIDS = (3, 5, 10, 20, 50)
HIDDEN = (3, 5, 8, 12, 18)
SEEDS = (0, 1, 2, 3)
STEPS = 150

REPORT = Report(
    "scaling",
    "Scaling laws: error against number of weights",
    f"{N_TRAIN} training points, {N_CHOOSE} to choose by, {N_TEST} test points; float64. KAN: one "
    f"network, refined to {', '.join(map(str, GRIDS))} intervals. MLP: two hidden tanh layers of "
    f"{', '.join(map(str, HIDDEN))} nodes, {STEPS} Levenberg-Marquardt steps, the best of "
    f"{len(SEEDS)} seeds. Seconds of one thread.",
)


def measure(name: str) -> dict[str, Any]:
    """Return both models' curves for one problem."""
    data = samples(problem(name))
    return {"name": name, "kan": kan_curve(name, data), "mlp": mlp_curve(data)}


def kan_curve(name: str, data: Samples) -> dict[str, Any]:
    """Return weights, test errors and seconds so far of a network that is refined."""
    entry = problem(name)
    box = torch.tensor(entry.ranges)
    network = Network(SHAPES[name], grid_size=GRIDS[0], grid_range=box, seed=0, dtype=torch.float64)
    curve: dict[str, Any] = _curve(widths=list(SHAPES[name]), grids=list(GRIDS))
    begin = time.process_time()
    for grid in GRIDS:
        fit(network, data.train, grids=[grid], progress=False)
        error = rmse(network, *data.test)
        _add(curve, n_parameters(network), error, time.process_time() - begin)
    return curve


def mlp_curve(data: Samples) -> dict[str, Any]:
    """Return weights, test errors and seconds of MLPs of rising width, each trained by itself."""
    curve: dict[str, Any] = _curve(widths=[], activation="tanh")
    for width in HIDDEN:
        begin = time.process_time()
        widths = (data.train.n_inputs, width, width, 1)
        found = [
            train_mlp(data.train, widths, activation="tanh", optimizer="lm", steps=STEPS, seed=seed)
            for seed in SEEDS
        ]
        best = min(found, key=lambda model: model.rmse(*data.choose))
        error = best.rmse(*data.test)
        _add(curve, best.n_parameters, error, time.process_time() - begin)
        curve["widths"].append(list(widths))
    return curve


def _curve(**known: Any) -> dict[str, Any]:
    return {**known, "n_parameters": [], "test_rmse": [], "seconds": []}


def _add(curve: dict[str, Any], n_weights: int, error: float, seconds: float) -> None:
    """Append one point to a curve."""
    curve["n_parameters"].append(n_weights)
    curve["test_rmse"].append(float(f"{error:.3e}"))
    curve["seconds"].append(round(seconds, 1))


def slope(curve: dict[str, Any]) -> float:
    """Return the power of the number of weights that the error follows, by least squares."""
    sizes, errors = np.log(curve["n_parameters"]), np.log(curve["test_rmse"])
    return float(np.polyfit(sizes, errors, 1)[0])


def markdown() -> str:
    """Return the page: one row per problem and model."""
    stored = results("scaling")
    lines = ["| problem | model | weights: test error | slope |", "|---|---|---|---|"]
    for row in stored.rows:
        for model in ("kan", "mlp"):
            curve = row[model]
            points = zip(curve["n_parameters"], curve["test_rmse"], strict=True)
            cells = ", ".join(f"{size}: {error:.1e}" for size, error in points)
            lines.append(f"| {row['name']} | {model} | {cells} | {slope(curve):.1f} |")
    table = "\n".join(lines)
    return f"# {stored.title}\n\n{stored.how}\n\n{stored.made}\n\n{table}\n"


def main() -> None:
    """Measure, print and write."""
    run(REPORT, list(SHAPES), measure, markdown)


if __name__ == "__main__":
    main()
