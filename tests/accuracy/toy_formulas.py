"""The two toy formulas of the KAN paper over ten seeds: test error and seconds of each fit.

Run ``python tests/accuracy/toy_formulas.py`` from the top folder (about three minutes on one core).
"""

import time

import torch

from kanviz.course.problems import problem
from kanviz.nn import Network
from kanviz.training import fit

GRIDS = (3, 5, 10, 20, 50)
CASES = (("toy_exp_sin", (2, 1, 1), 1000, 2e-6), ("toy_deep", (4, 2, 1, 1), 3000, 1e-6))
"""Problem, widths, training points, and the test RMSE that at least 9 and 8 of 10 should reach."""


def measure(name: str, widths: tuple[int, ...], points: int, seed: int) -> tuple[float, float, int]:
    """Return (test RMSE, seconds, starts) of one fit: data of seed 0, float64, default options."""
    data = problem(name).dataset(n_train=points, n_test=1000, seed=0, dtype=torch.float64)
    network = Network(widths, seed=seed, dtype=torch.float64)
    begin = time.perf_counter()
    report = fit(network, data, grids=GRIDS, seed=seed, progress=False)
    seconds = time.perf_counter() - begin
    assert data.x_test is not None
    with torch.no_grad():
        error = float((network(data.x_test) - data.y_test).square().mean().sqrt())
    return error, seconds, max(1, len(report.starts))


def main() -> None:
    """Print one line per seed and a summary per formula."""
    torch.set_num_threads(1)
    for name, widths, points, goal in CASES:
        print(f"{name} {list(widths)}, {points} points, grids {list(GRIDS)}")
        results = []
        for seed in range(10):
            results.append(measure(name, widths, points, seed))
            error, seconds, starts = results[-1]
            print(f"  seed {seed}: test RMSE {error:.2e} in {seconds:.1f} s, {starts} starts")
        reached = sum(error <= goal for error, _, _ in results)
        slowest = max(seconds for _, seconds, _ in results)
        print(f"  {reached} of 10 seeds at or below {goal:.0e}; slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
