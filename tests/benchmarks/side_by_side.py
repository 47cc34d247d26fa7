"""Training steps of two checkouts of kanviz, taken in turn: is the new one slower anywhere?

``python -m tests.benchmarks.side_by_side OLD [NEW]`` from the top folder; OLD and NEW are folders
with a kanviz in them, NEW is this one unless told otherwise. A process of each waits for its turn,
so that slow spells of a busy machine meet both alike, and what is printed is the median over all
turns of the ratio of the two neighbours, in seconds of the processor. One thread.
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
    """A network, its batch, and what a step is: "step", "forward" or "penalty"."""

    widths: tuple[int, ...]
    grid_size: int
    batch: int
    functions: dict[str, object]
    what: str = "step"

    def __str__(self) -> str:
        """Say it in a line."""
        functions = " ".join(f"{k}={v}" for k, v in self.functions.items()) or "cubic"
        return f"{self.what:8} {list(self.widths)} G={self.grid_size} n={self.batch} {functions}"


def cases() -> list[Case]:
    """Return the cells of the benchmark with each basis, and what stands beside them."""
    sys.path.insert(0, str(HERE.parent.parent))
    from benchmarks.cells import CELLS

    kinds: list[dict[str, object]] = [{}, {"spline_order": 1}, {"basis": "gaussian"}]
    found = [Case(c.widths, c.grid_size, c.batch, kind) for c in CELLS for kind in kinds]
    found += [Case(c.widths, c.grid_size, c.batch, {}, "forward") for c in CELLS[:3]]
    found += [Case(c.widths, c.grid_size, c.batch, {}, "penalty") for c in (CELLS[0], CELLS[3])]
    found += [Case((4, 8, 1), 60, 1000, {}, "penalty"), Case((4, 12, 1), 5, 1000, {}, "penalty")]
    return found


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
            made = {str(asked): (kv.Network(widths, grid_size=grid_size, **functions), x, target)}
        network, x, target = made[str(asked)]
        times = []
        for _ in range(inner):
            network.zero_grad()
            start = time.thread_time()
            if what == "penalty":
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


def main() -> None:
    """Print the ratio of every case, new over old."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each case")
    parser.add_argument("--only", default="", help="cases whose line has this in it")
    options = parser.parse_args()
    old, new = Worker(options.old.resolve()), Worker(options.new.resolve())
    for case in (c for c in cases() if options.only in str(c)):
        for worker in (old, new):  # compiles, fills caches
            worker.take(case, 3)
        inner = max(1, min(200, int(0.02 / max(new.take(case, 3), 1e-5))))
        ratios: list[float] = []
        best, end = [1e9, 1e9], time.perf_counter() + options.seconds
        while time.perf_counter() < end or len(ratios) < 9:
            pair = old, new
            turns = pair if len(ratios) % 2 else pair[::-1]
            seconds = {worker: worker.take(case, inner) for worker in turns}
            ratios.append(seconds[new] / seconds[old])
            best = [min(best[0], seconds[old]), min(best[1], seconds[new])]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"{middle:5.2f} ({low:.2f} to {high:.2f}, {len(ratios):3} turns; best "
            f"{1e3 * best[0]:8.3f} ms, {1e3 * best[1]:8.3f} ms)  {case}",
            flush=True,
        )
    for worker in (old, new):
        worker.process.terminate()


if __name__ == "__main__":
    work() if "--work" in sys.argv else main()
