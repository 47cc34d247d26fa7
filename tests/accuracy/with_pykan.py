"""One law of ``recovery.py`` by pykan, in a process of its own with a time limit.

pykan 0.2.8 is run as its own guide to symbolic regression does: ``fit`` with lamb, ``prune``,
``fit``, ``refine``, ``fit``, ``auto_symbolic``, ``fit``; all with L-BFGS, everything else by
default. It writes files where it runs, hence the temporary folder.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

MISSING, TOO_SLOW, FAILED = "missing", "over {:.0f} s", "fails: {}"
STEPS = 50


def run_pykan(
    python: str, arrays: dict[str, np.ndarray], settings: Sequence[object], seconds: float
) -> tuple[str, np.ndarray | None, float]:
    """Return (what happened, outputs at the fresh points or None, seconds that it took).

    Parameters
    ----------
    python : str
        An interpreter that has pykan, for instance of another environment.
    arrays : dict
        x, y, x_test, y_test and fresh; y as one column, or as class numbers.
    settings : sequence
        Seed, sparsity, the two grid sizes, then the widths.
    seconds : float
        Time limit.
    """
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "data.npz", allow_pickle=False, **arrays)
        command = [python, "-W", "ignore", str(Path(__file__).resolve()), *map(str, settings)]
        begin = time.perf_counter()
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return TOO_SLOW.format(seconds), None, seconds
        spent = time.perf_counter() - begin
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            is_missing = "No module named 'kan'" in last
            return (MISSING if is_missing else FAILED.format(last[:60])), None, spent
        return "", np.load(Path(folder) / "outputs.npy"), spent


def main(arguments: list[str]) -> None:
    """Fit the data in the working folder and write the formula's outputs there."""
    from kan import KAN  # in this process only

    seed, sparsity = int(arguments[0]), float(arguments[1])
    first_grid, second_grid, *widths = map(int, arguments[2:])
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    arrays = {name: torch.from_numpy(array) for name, array in np.load("data.npz").items()}
    data = {
        "train_input": arrays["x"],
        "train_label": arrays["y"],
        "test_input": arrays["x_test"],
        "test_label": arrays["y_test"],
    }
    is_classes = not arrays["y"].is_floating_point()
    options = {"opt": "LBFGS", "steps": STEPS, "log": STEPS}
    options |= {"loss_fn": torch.nn.CrossEntropyLoss()} if is_classes else {}
    model = KAN(width=widths, grid=first_grid, k=3, seed=seed)
    model.fit(data, lamb=sparsity, **options)
    model = model.prune()
    model.fit(data, **options)
    model = model.refine(second_grid)
    model.fit(data, **options)
    model.auto_symbolic(verbose=0)
    model.fit(data, **options)
    with torch.no_grad():
        np.save("outputs.npy", model(arrays["fresh"]).numpy())


if __name__ == "__main__":
    main(sys.argv[1:])
