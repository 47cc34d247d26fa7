"""Relativity's addition of velocities from samples, with a lock, over ten seeds.

u and v enter (u + v)/(1 + uv) through one and the same function, so the two edges of a [2, 1, 1]
network are locked, trained, and read as tanh(artanh u + artanh v). Run
``python tests/accuracy/velocity.py`` from the top folder (ten seconds on one core).
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor

import kanviz as kv

LARGEST, GOAL = 0.95, 1e-6
"""Speeds reach up to this share of that of light; test RMSE that is asked for."""

WANTED = "tanh(arctanh(x_1) + arctanh(x_2))"


@dataclass(frozen=True)
class Row:
    """Test RMSE of the splines and of the formula, what it reads, and the seconds of it all."""

    splines: float
    formula: float
    text: str
    seconds: float


def addition(x: Tensor) -> Tensor:
    """Return the sum of two velocities (samples, 2), in units of the speed of light."""
    return x.sum(1) / (1 + x.prod(1))


def measure(seed: int) -> Row:
    """Go from 1000 samples of one seed to the formula, in float64, options by default."""
    ranges = [(-LARGEST, LARGEST)] * 2
    data = kv.from_function(addition, ranges, seed=seed, dtype=torch.float64, normalize=False)
    begin = time.perf_counter()
    model = kv.KAN([2, 1, 1], seed=seed, dtype=torch.float64)
    model.lock([(0, 0, 0), (0, 1, 0)])
    model.fit(data, progress=False)
    splines = rmse(model, data)
    model.fix((0, 0, 0), "arctanh")
    model.fix((1, 0, 0), "tanh")
    model.fit(data, progress=False)
    text = str(model.formula())
    return Row(splines, rmse(model, data), text, time.perf_counter() - begin)


def rmse(model: kv.KAN, data: kv.Dataset) -> float:
    """Return the root mean square error on the test part."""
    assert data.x_test is not None
    with torch.no_grad():
        return float((model(data.x_test) - data.y_test).square().mean().sqrt())


def main() -> None:
    """Print one line per seed and a summary."""
    torch.set_num_threads(1)
    rows = []
    for seed in range(10):
        rows.append(row := measure(seed))
        errors = f"RMSE {row.splines:.1e} -> {row.formula:.1e}"
        print(f"seed {seed}: {errors} in {row.seconds:.1f} s: {row.text}", flush=True)
    reached = sum(row.formula <= GOAL and row.text == WANTED for row in rows)
    slowest = max(row.seconds for row in rows)
    print(f"{reached} of 10 seeds are {WANTED} at or below {GOAL:.0e}; slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
