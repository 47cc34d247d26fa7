"""A million rows of twenty columns: how many a second, and how much memory beyond the data.

``python -m tests.benchmarks.rows`` from the top folder prints the table of ``rows.md``; ``--rows``
takes fewer. Each way to train has a process of its own and one thread, and takes three epochs, of
which the first is warm-up (compilation, a passage that surveys the rows). Seconds are those of the
processor, which other work on the machine changes little. The peak of the resident memory is that
of the whole ``fit`` less what was resident before it, with the arrays in place; pages of a memory
map that the system may take back at any time count as well.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

COLUMNS, BATCH, HIDDEN, EPOCHS, HELD_OUT = 20, 1024, 5, 3, 10_000


class Measured(NamedTuple):
    """One way: seconds of the processor for each epoch, bytes, R^2 on rows that it has not seen."""

    name: str
    epochs: list[float]
    peak: int
    score: float


def law(x: np.ndarray) -> np.ndarray:
    """Return what is to be learnt: four of the columns matter, two of them together."""
    y: np.ndarray = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + np.exp(x[:, 2] * x[:, 3])
    return y


def write_rows(folder: Path, rows: int) -> None:
    """Write training and held-out rows as float32, a chunk at a time."""
    draw = np.random.default_rng(0)
    for part, count in (("train", rows), ("test", HELD_OUT)):
        x = np.lib.format.open_memmap(
            folder / f"{part}_x.npy", mode="w+", dtype=np.float32, shape=(count, COLUMNS)
        )
        y = np.lib.format.open_memmap(
            folder / f"{part}_y.npy", mode="w+", dtype=np.float32, shape=(count,)
        )
        for at in range(0, count, 50_000):
            some = draw.uniform(-1, 1, (min(50_000, count - at), COLUMNS))
            x[at : at + len(some)] = some
            y[at : at + len(some)] = law(some) + 0.1 * draw.standard_normal(len(some))


def kanviz_mapped(folder: Path) -> Measured:
    """Train on memory maps, in chunks."""
    return _kanviz(folder, "kanviz, memory maps", "r", batch_size=BATCH)


def kanviz_in_memory(folder: Path) -> Measured:
    """Train on arrays."""
    return _kanviz(folder, "kanviz, arrays", None, batch_size=BATCH)


def kanviz_exact(folder: Path) -> Measured:
    """Train on memory maps by Levenberg-Marquardt, a step for an epoch."""
    return _kanviz(folder, 'kanviz, memory maps, "lm"', "r", optimizer="lm", starts=1)


def _kanviz(folder: Path, name: str, mode: Any, **options: Any) -> Measured:
    import kanviz as kv
    from kanviz.data import arrays

    arrays.MOST_IN_MEMORY = 0  # at any number of rows
    x, y = _read(folder, mode)
    model = kv.KAN([COLUMNS, HIDDEN, 1], seed=0)
    before, ends = _restart_peak(), [time.process_time()]
    model.fit(
        x,
        y,
        steps=EPOCHS,
        update_grid=False,
        callbacks=[lambda _: ends.append(time.process_time())],
        progress=False,
        **options,
    )
    peak = _peak() - before
    return Measured(name, np.diff(ends).tolist(), peak, model.score(*_test(folder)))


def perceptron(folder: Path) -> Measured:
    """Train scikit-learn's MLP with as many numbers, on arrays."""
    from sklearn.neural_network import MLPRegressor

    x, y = _read(folder, None)
    hidden = (10 * HIDDEN,)
    model = MLPRegressor(
        hidden_layer_sizes=hidden, batch_size=BATCH, learning_rate_init=0.01, random_state=0
    )
    before, epochs = _restart_peak(), []
    for _ in range(EPOCHS):
        start = time.process_time()
        model.partial_fit(x, y)  # one epoch
        epochs.append(time.process_time() - start)
    return Measured(
        "scikit-learn's MLPRegressor", epochs, _peak() - before, model.score(*_test(folder))
    )


WAYS = (kanviz_mapped, kanviz_in_memory, kanviz_exact, perceptron)


def _read(folder: Path, mode: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.load(folder / f"train_{name}.npy", mmap_mode=mode) for name in "xy")
    return x, y


def _test(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.load(folder / f"test_{name}.npy") for name in "xy")
    return x, y


def _restart_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def _alone(way: Callable[[Path], Measured], folder: Path) -> Measured:
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as it starts
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_one_thread) as process:
        return process.submit(way, folder).result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def table(found: Sequence[Measured], rows: int) -> str:
    """Return the table in Markdown."""
    lines = [
        "| Way | rows a second | epoch, s | peak memory beyond the data, MB | R^2 after 3 epochs |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found:
        epoch = sum(one.epochs[1:]) / len(one.epochs[1:])
        lines.append(
            f"| {one.name} | {rows / epoch:,.0f} | {epoch:.2f} | {one.peak / 1e6:.0f} | "
            f"{one.score:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ways", nargs="+", choices=[way.__name__ for way in WAYS])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), []
        write_rows(folder, chosen.rows)
        for way in WAYS:
            if chosen.ways and way.__name__ not in chosen.ways:
                continue
            found.append(_alone(way, folder))
            print(found[-1], file=sys.stderr, flush=True)
        print(table(found, chosen.rows))


if __name__ == "__main__":
    main()
