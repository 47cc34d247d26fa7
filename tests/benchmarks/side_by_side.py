"""Training steps of two checkouts of kanviz, taken in turn: is the new one slower anywhere?

``python -m tests.benchmarks.side_by_side OLD [NEW]`` from the top folder; OLD and NEW are folders
with a kanviz in them, NEW is this one unless told otherwise. A process of each waits for its turn,
so that slow spells of a busy machine meet both alike, and what is printed is the median over all
turns of the ratio of the two neighbours, in seconds of the processor. One thread. Where arrays come
to lie in a process can make a step 1.5 times as long, for as long as the process lives, so each
case is measured in several pairs of processes, and the median pair counts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent.parent


class Case(NamedTuple):
    """A network, its batch, and what is timed: "step", "forward", "penalty", or a fit's name."""

    widths: tuple[int, ...]
    grid_size: int
    batch: int
    functions: dict[str, object]
    what: str = "step"

    def __str__(self) -> str:
        """Say it in a line."""
        functions = " ".join(f"{k}={v}" for k, v in self.functions.items()) or "cubic"
        return f"{self.what:8} {list(self.widths)} G={self.grid_size} n={self.batch} {functions}"


FITS: dict[str, dict[str, object]] = {
    "fit lm": {"steps": 50},
    "fit 1 lm": {"steps": 50, "starts": 1},
    "fit adam": {"steps": 100, "optimizer": "adam"},
    "fit lbfgs": {"steps": 30, "optimizer": "lbfgs"},
}
"""Whole fits of a law, from an untouched model."""


def cases() -> list[Case]:
    """Return the cells of the benchmark with each basis, and what stands beside them."""
    sys.path.insert(0, str(HERE.parent.parent))
    from benchmarks.cells import CELLS

    kinds: list[dict[str, object]] = [{}, {"spline_order": 1}, {"basis": "gaussian"}]
    found = [Case(c.widths, c.grid_size, c.batch, kind) for c in CELLS for kind in kinds]
    found += [Case(c.widths, c.grid_size, c.batch, {}, "forward") for c in CELLS[:3]]
    found += [Case(c.widths, c.grid_size, c.batch, {}, "penalty") for c in (CELLS[0], CELLS[3])]
    found += [Case((4, 8, 1), 60, 1000, {}, "penalty"), Case((4, 12, 1), 5, 1000, {}, "penalty")]
    return found + [Case((2, 5, 1), 5, 1000, {}, name) for name in FITS]


def work() -> None:
    """Take steps when asked to, in the checkout that was put first on the path."""
    import torch

    import kanviz as kv
    from kanviz.training.sparsity import Sparsity

    torch.set_num_threads(1)
    made: dict[str, tuple[kv.Network, torch.Tensor, torch.Tensor]] = {}
    for line in sys.stdin:
        asked, inner = json.loads(line)
        widths, grid_size, batch, functions, what = asked
        if str(asked) not in made:
            generator = torch.Generator().manual_seed(0)
            x = torch.rand(batch, widths[0], generator=generator) * 2 - 1
            target = torch.rand(batch, widths[-1], generator=generator)
            if what in FITS:
                target = torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2)
            made = {str(asked): (kv.Network(widths, grid_size=grid_size, **functions), x, target)}
        network, x, target = made[str(asked)]
        times = []
        for _ in range(inner):
            network.zero_grad()
            model = kv.KAN(widths, grid_size=grid_size, **functions) if what in FITS else None
            start = time.thread_time()
            if model is not None:
                model.fit(kv.from_arrays(x, target), progress=False, **FITS[what])  # type: ignore[call-overload]
            elif what == "penalty":
                outputs, penalty = Sparsity(1e-3).penalised(network, x, scale=1e-3)
                (torch.nn.functional.mse_loss(outputs, target) + penalty).backward()
            elif what == "step":
                torch.nn.functional.mse_loss(network(x), target).backward()
            else:
                network(x)
            times.append(time.thread_time() - start)
        print(json.dumps(statistics.median(times)), flush=True)


class Worker:
    """A process that takes steps in one checkout."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE), "--work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        )

    def take(self, case: Case, inner: int) -> float:
        """Return the median seconds of ``inner`` steps."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([case, inner]) + "\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))


def compare(case: Case, folders: list[Path], seconds: float) -> tuple[list[float], list[float]]:
    """Return the ratios, new over old, of one pair of processes, and the best seconds of each."""
    old, new = pair = [Worker(folder) for folder in folders]
    for worker in pair:  # compiles, fills caches
        worker.take(case, 3)
    inner = max(1, min(200, int(0.02 / max(new.take(case, 3), 1e-5))))
    ratios: list[float] = []
    best, end = [1e9, 1e9], time.perf_counter() + seconds
    while time.perf_counter() < end or len(ratios) < 5:
        took = {
            worker: worker.take(case, inner) for worker in (pair if len(ratios) % 2 else pair[::-1])
        }
        ratios.append(took[new] / took[old])
        best = [min(best[0], took[old]), min(best[1], took[new])]
    for worker in pair:
        worker.process.terminate()
    return ratios, best


def main() -> None:
    """Print the ratio of every case, new over old."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each pair of processes")
    parser.add_argument("--pairs", type=int, default=3, help="of processes, for each case")
    parser.add_argument("--only", default="", help="cases whose line has this in it")
    options = parser.parse_args()
    folders = [options.old.resolve(), options.new.resolve()]
    for case in (c for c in cases() if options.only in str(c)):
        middles: list[float] = []
        best = [1e9, 1e9]
        for _ in range(options.pairs):
            ratios, own = compare(case, folders, options.seconds)
            middles.append(statistics.median(ratios))
            best = [min(best[0], own[0]), min(best[1], own[1])]
        print(
            f"{statistics.median(middles):5.2f} ({min(middles):.2f} to {max(middles):.2f}; best "
            f"{1e3 * best[0]:8.3f} ms, {1e3 * best[1]:8.3f} ms)  {case}",
            flush=True,
        )


if __name__ == "__main__":
    work() if "--work" in sys.argv else main()
