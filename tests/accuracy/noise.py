"""Is the noise found: three laws with noise of 1, 10 and 30 % on 1000 points; and Friedman 1.

Run ``python -m accuracy.noise`` in the folder ``tests``, some ten minutes on one core; it writes
``accuracy/noise.md``. Rows are kept in ``--store`` as soon as they are there.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import make_friedman1

import kanviz as kv
from accuracy.bands import GRID, LAWS

NOISES, SIZE = (0.01, 0.1, 0.3), 1000
SEEDS = 5


def of_law(law: str, noise: float) -> dict[str, Any]:
    """Fit a law by default; return noise and error, as shares of the noise that was put in."""
    f, widths = LAWS[law]
    rng = np.random.default_rng(0)
    scale = noise * f(rng.uniform(-1, 1, (20_000, 2))).std()
    x, new = rng.uniform(-1, 1, (SIZE, 2)), rng.uniform(-1, 1, (2000, 2))
    drawn = rng.standard_normal(SIZE)
    began = time.process_time()
    model = kv.KAN(widths, grid_size=GRID, dtype=torch.float64)
    report = model.fit(x, f(x) + scale * drawn, progress=False)
    error = np.sqrt(((np.ravel(model.predict(new)) - f(new)) ** 2).mean()) / scale
    found = None if report.noise is None else report.noise / scale
    drawn_deviation = float(np.sqrt((drawn**2).mean()))
    return {
        "found": found,
        "drawn": drawn_deviation,
        "error": float(error),
        "seconds": time.process_time() - began,
    }


def of_friedman(seed: int) -> dict[str, Any]:
    """Fit [10, 3, 1] to 500 rows; return R^2 on 5000 others, and what is left after a prune."""
    x, y = make_friedman1(500, noise=1.0, random_state=seed)
    new, y_new = make_friedman1(5000, noise=1.0, random_state=1000 + seed)
    began = time.process_time()
    model = kv.KAN([10, 3, 1], dtype=torch.float64)
    report = model.fit(x, y, progress=False)
    seconds = time.process_time() - began
    left = np.ravel(model.predict(new)) - y_new
    model.prune((x, y))
    used = (np.asarray(model.feature_scores(by="freedom")) > 0).nonzero()[0]
    return {
        "noise": report.noise,
        "r2": float(1 - (left**2).mean() / y_new.var()),
        "used": [int(i) + 1 for i in used],
        "seconds": seconds,
    }


def text_of(rows: dict[str, dict[str, Any]]) -> str:
    """Return both tables of the rows that are there."""
    laws = ["| law | noise | found | drawn | error | seconds |", "|---|---|---|---|---|---|"]
    friedman = ["| seed | noise found | R^2 | inputs left | seconds |", "|---|---|---|---|---|"]
    for key, row in rows.items():
        what, of = key.split("|")
        if what == "friedman":
            left = ", ".join(map(str, row["used"]))
            numbers = f"{row['noise']:.3f} | {row['r2']:.3f} | {left} | {row['seconds']:.1f}"
            friedman.append(f"| {of} | {numbers} |")
        else:
            found = "none" if row["found"] is None else f"{row['found']:.3f}"
            numbers = f"{found} | {row['drawn']:.3f} | {row['error']:.3f} | {row['seconds']:.1f}"
            laws.append(f"| {what} | {float(of):.0%} | {numbers} |")
    return "\n".join(
        [
            "# Noise and idle inputs, by defaults\n",
            "`python -m accuracy.noise` in the folder `tests` writes this file. Of laws with 1000",
            "points: the noise found, the deviation of what was drawn, and the error against the",
            "law on 2000 new points; all three as shares of the noise asked for.\n",
            *laws,
            "\nFriedman 1, 500 rows, noise 1, [10, 3, 1]: R^2 on 5000 new rows with noise (0.96 is",
            "the most), and the inputs left after `prune(data)`; the first five are real. What an",
            "edge must be worth to be kept was set after seeds 0 to 2.\n",
            *friedman,
            "",
        ]
    )


def main() -> None:
    """Measure what is not there yet, keep each row, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("noise.json"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(asked.store.read_text()) if asked.store.exists() else {}

    def keep(key: str, measured: Callable[[], dict[str, Any]]) -> None:
        if key not in rows:
            rows[key] = measured()
            print(key, rows[key], flush=True)
            asked.store.write_text(json.dumps(rows, indent=1))
            (Path(__file__).parent / "noise.md").write_text(text_of(rows))

    for law in LAWS:
        for noise in NOISES:
            keep(f"{law}|{noise}", partial(of_law, law, noise))
    for seed in range(SEEDS):
        keep(f"friedman|{seed}", partial(of_friedman, seed))
    (Path(__file__).parent / "noise.md").write_text(text_of(rows))


if __name__ == "__main__":
    main()
