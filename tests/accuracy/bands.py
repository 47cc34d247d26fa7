"""How often the bands of 95 % cover the truth: three laws, two noises, few data and many.

Run ``python -m accuracy.bands`` in the folder ``tests`` (about half an hour on one core); it writes
``accuracy/bands.md``. Each cell is the mean over data sets of the share of 500 new points at which
``predict_interval`` covers the law. Widths are those that can be the law: of another network's
bands nobody promises that they cover it.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import kanviz as kv

Law = Callable[[np.ndarray], np.ndarray]

LAWS: dict[str, tuple[Law, list[int]]] = {
    "exp(sin(pi x) + y^2)": (lambda x: np.exp(np.sin(np.pi * x[:, 0]) + x[:, 1] ** 2), [2, 1, 1]),
    "x y": (lambda x: x[:, 0] * x[:, 1], [2, 2, 1]),
    "sqrt(1 + x^2 + y^2)": (lambda x: np.sqrt(1 + (x**2).sum(1)), [2, 1, 1]),
}
NOISES, SIZES = (0.01, 0.1), (100, 1000)
GRID = 10
"""Fine enough that each law is in the network, to far less than the noise."""


class Cell(NamedTuple):
    """What one data set gave; errors and noise as shares of the noise that was put in."""

    covered: float
    error: float
    standard_error: float
    noise: float
    seconds: float


def measure(law: str, noise: float, size: int, seed: int) -> Cell:
    """Fit one data set, and look at 500 points that it has not."""
    f, widths = LAWS[law]
    rng = np.random.default_rng(seed)
    scale = noise * f(rng.uniform(-1, 1, (20_000, 2))).std()
    x, new = rng.uniform(-1, 1, (size, 2)), rng.uniform(-1, 1, (500, 2))
    y = f(x) + scale * rng.standard_normal(size)
    began = time.perf_counter()
    model = kv.KAN(widths, grid_size=GRID, dtype=torch.float64)
    report = model.fit(x, y, smoothing="auto", progress=False)
    seconds = time.perf_counter() - began
    low, high = (end[:, 0] for end in model.predict_interval(new))
    said, errors = (part[:, 0] for part in model.predict(new, return_std=True))
    truth = f(new)
    assert isinstance(report.noise, float)
    return Cell(
        float(((low <= truth) & (truth <= high)).mean()),
        float(np.sqrt(((said - truth) ** 2).mean())) / scale,
        float(np.sqrt((errors**2).mean())) / scale,
        report.noise / scale,
        seconds,
    )


def main() -> None:
    """Measure all cells and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=20, help="data sets of each cell")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for law in LAWS:
        for noise in NOISES:
            for size in SIZES:
                cells = [measure(law, noise, size, seed) for seed in range(asked.sets)]
                means = np.mean(cells, axis=0)
                lowest = min(cell.covered for cell in cells)
                numbers = [f"{value:.3f}" for value in (means[0], lowest, *means[1:4])]
                rows.append([law, f"{noise:.0%}", str(size), *numbers, f"{means[4]:.1f}"])
                print(rows[-1], flush=True)
                write(rows, asked.sets)


def write(rows: list[list[str]], sets: int) -> None:
    """Write the table of the cells that are there."""
    titles = ["law", "noise", "points", "covered", "lowest set", "error", "standard error"]
    lines = [[*titles, "noise found", "seconds"], ["---"] * 9, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    text = (
        "# How often bands of 95 % cover the truth\n\n"
        "`python -m accuracy.bands` in the folder `tests` writes this file. Means over "
        f"{sets} data sets of the share of 500 new points that `predict_interval` covers; "
        "errors, standard errors and the noise found are shares of the noise put in.\n\n"
    )
    (Path(__file__).parent / "bands.md").write_text(text + table + "\n")


if __name__ == "__main__":
    main()
