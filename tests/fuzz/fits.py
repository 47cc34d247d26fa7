"""Wild fits: what they keep is finite, what they tell is so, and what they refuse they say.

A seed makes one: widths, grid, order, basis, dtype, the units and distributions of the columns,
outliers, constants, few rows, optimizer and options. ``fault`` returns what is wrong, if anything.
"""

import tempfile
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import kanviz as kv
from kanviz.data.dataset import Dataset

PACKAGE = str(Path(kv.__file__).parent)

RADIAL = ["gaussian", "matern32", "matern52", "multiquadric", "inverse_multiquadric"]


@dataclass(frozen=True)
class Wild:
    """One wild fit: how the model is made, its data in user units, and the calls of ``fit``."""

    model: dict[str, Any]
    x: np.ndarray
    y: np.ndarray
    as_pair: bool
    normalize: bool
    fits: tuple[dict[str, Any], ...]


def wild(seed: int) -> Wild:
    """Return the fit of a seed."""
    rng = np.random.default_rng(seed)
    rows = int(rng.choice([2, 3, 5, 12, 30, 80]))
    n_in = int(rng.integers(1, 4))
    x = np.stack([_column(rng, rows) for _ in range(n_in)], axis=1)
    n_out = int(rng.choice([1, 1, 1, 2]))
    if rng.random() < 0.08:
        labels = [0, 1, *rng.integers(0, 2, rows - 2)]
        y: np.ndarray = np.array(["no", "yes"])[labels]
        n_out = 2
    else:
        y = np.stack([_targets(rng, x) for _ in range(n_out)], axis=1)
    hidden: list[list[int]] = [[], [], [1], [2], [3], [2, 2]]
    radial = rng.random() < 0.25
    model = {
        "widths": [n_in, *hidden[rng.integers(len(hidden))], n_out],
        "grid_size": int(rng.choice([1, 2, 3, 5, 8, 40], p=[0.15, 0.15, 0.2, 0.3, 0.15, 0.05])),
        "spline_order": int(rng.integers(0, 6)),
        "basis": str(rng.choice(RADIAL)) if radial else "bspline",
        "base": str(rng.choice(["silu", "identity", "zero"])),
        "extrapolation": str(rng.choice(["linear", "linear", "zero"])),
        "dtype": [torch.float32, torch.float64][rng.integers(2)],
        "seed": int(rng.integers(5)),
    }
    calls = tuple(_options(rng, is_first=n == 0) for n in range(rng.choice([1, 1, 2])))
    return Wild(model, x, y, bool(rng.random() < 0.4), bool(rng.random() < 0.5), calls)


def _column(rng: np.random.Generator, rows: int) -> np.ndarray:
    kind = rng.choice(["uniform", "normal", "whole", "few", "constant", "cauchy"])
    column: np.ndarray = {
        "uniform": lambda: rng.uniform(-1, 1, rows),
        "normal": lambda: rng.normal(size=rows),
        "whole": lambda: rng.integers(-5, 6, rows).astype(float),
        "few": lambda: rng.choice([0.0, 0.5, 1.0], rows),
        "constant": lambda: np.full(rows, rng.normal()),
        "cauchy": lambda: rng.standard_cauchy(rows),
    }[kind]()
    return _in_units(rng, column)


def _in_units(rng: np.random.Generator, column: np.ndarray) -> np.ndarray:
    if rng.random() < 0.15:
        column = column.copy()
        column[rng.integers(len(column))] *= 10.0 ** rng.uniform(1, 8)
    if rng.random() < 0.3:
        column = column + rng.choice([-1, 1]) * 10.0 ** rng.uniform(0, 12)
    exponent = rng.choice([0.0, rng.uniform(-12, 12), rng.uniform(-40, 40)], p=[0.4, 0.5, 0.1])
    if rng.random() < 0.01:
        exponent = rng.choice([-320, -200, 150, 290])
    return np.asarray(column * 10.0**exponent)


def _targets(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    # Of columns brought to about 1, so that y knows nothing of their units.
    size = np.abs(x - x[:1]).max(0)
    z = (x - x[:1]) / np.where((size > 0) & np.isfinite(size), size, 1.0)
    kind = rng.choice(["line", "sine", "product", "noise", "constant", "step"])
    y: np.ndarray = {
        "line": lambda: z.sum(1),
        "sine": lambda: np.sin(3 * z[:, 0]) + z[:, -1] ** 2,
        "product": lambda: z.prod(1),
        "noise": lambda: rng.normal(size=len(z)),
        "constant": lambda: np.full(len(z), rng.normal()),
        "step": lambda: (z[:, 0] > 0.2).astype(float),
    }[kind]()
    return _in_units(rng, y)


def _options(rng: np.random.Generator, *, is_first: bool) -> dict[str, Any]:
    optimizer = str(rng.choice(["auto", "auto", "lm", "lbfgs", "adam"]))
    options: dict[str, Any] = {"optimizer": optimizer, "steps": int(rng.integers(1, 16))}
    if optimizer == "adam" and rng.random() < 0.5:
        options["batch_size"] = int(rng.integers(1, 20))
    if optimizer in ("adam", "lbfgs") and rng.random() < 0.3:
        options["learning_rate"] = float(10.0 ** rng.uniform(-4, 3))
    if rng.random() < 0.2:
        options["sparsity"] = float(10.0 ** rng.uniform(-5, 1))
    if rng.random() < 0.15:
        options["smoothing"] = float(10.0 ** rng.uniform(-8, 1))
    if rng.random() < 0.15:
        options["validation"] = 0.25
    if is_first and rng.random() < 0.15:
        options["grids"] = [2, 5]
    if rng.random() < 0.15:
        options["update_grid"] = False
    options["starts"] = [None, 1, 3][rng.choice(3, p=[0.1, 0.6, 0.3])]
    return options


def fault(seed: int, seen: Counter[str] | None = None) -> str | None:
    """Run the fit of a seed; return what was wrong, or None. ``seen`` counts how they went."""
    case, seen = wild(seed), Counter() if seen is None else seen
    torch.manual_seed(0)
    model = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = kv.KAN(**case.model)
            data: Any = (case.x, case.y)
            if not case.as_pair:
                data = kv.from_arrays(
                    case.x,
                    case.y,
                    constant="keep",
                    normalize=case.normalize,
                    test_fraction=0.2 if len(case.x) > 3 else 0.0,
                )
            for options in case.fits:
                before = _bytes_of(model)
                found = _one_fit(model, data, options)
                if found is not None:
                    return found
        except Exception as error:  # noqa: BLE001 - which it is, is the question
            found = _raw(error)
            if found is None and model is not None and "before" in locals():
                found = None if before == _bytes_of(model) else "a refused fit changed the model"
            seen[f"refused: {str(error)[:45]}"] += found is None
            return found
    seen["fitted"] += 1
    return None


def _one_fit(model: kv.KAN, data: Any, options: dict[str, Any]) -> str | None:
    is_new, first = model.session.is_new(), None
    if not is_new:
        first = model.evaluate(data)
    report = model.fit(data, progress=False, **options)
    if not model.network.is_sound():
        return "kept numbers that are not finite, or knots that do not increase"
    now = model.evaluate(data)
    if set(now) != set(report.errors) or not all(
        np.isclose(now[name], report.errors[name], rtol=1e-9, atol=1e-300) for name in now
    ):
        return f"the report says {report.errors}, evaluate {now}"
    if not all(np.isfinite(value) for value in now.values()):
        return f"errors that are not finite: {now}"
    # One that smooths by evidence may leave more of the noise than a fit before it did.
    is_plain = not {"sparsity", "smoothing", "validation"} & set(options) and report.noise is None
    if first is not None and is_plain and "train_rmse" in now:
        # In one of its units: several outputs count alike in the network's, not in the user's.
        more = now["train_rmse"] > first["train_rmse"] * (1 + 1e-9)
        if more and now["train_r2"] < first["train_r2"]:
            return f"worse than before: {first} became {now}"
    return _by_hand(model, data, now) or _after_a_file(model, data)


def _by_hand(model: kv.KAN, data: Any, now: dict[str, float]) -> str | None:
    """Compare the RMSE with one from ``predict`` on the same rows."""
    if "train_rmse" not in now:
        return None
    rows, y = (data, data.y_scaling.undo(data.y).numpy()) if isinstance(data, Dataset) else data
    predicted = model.predict(rows)
    if not np.isfinite(predicted).all():
        return "predicts what is not finite"
    size = max(np.abs(y).max(), np.abs(predicted).max(), 1e-300)
    rmse = size * np.sqrt((((predicted - y) / size) ** 2).mean())
    rounding = 50 * torch.finfo(model.network.layers[0].weight.dtype).eps * size
    if abs(rmse - now["train_rmse"]) > 1e-3 * rmse + rounding:
        return f"RMSE {now['train_rmse']} is told, that of predict is {rmse}"
    return None


def _after_a_file(model: kv.KAN, data: Any) -> str | None:
    rows = data if isinstance(data, Dataset) else data[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.kan"
        model.save(path)
        other = kv.load(path)
    if not np.array_equal(other.decision_function(rows), model.decision_function(rows)):
        return "a loaded model predicts something else"
    return None


def _raw(error: Exception) -> str | None:
    """Return what is wrong with an error: not ours, of another kind, or not a sentence."""
    *_, last = traceback.extract_tb(error.__traceback__)
    text, kind = str(error), type(error).__name__
    where = f"{Path(last.filename).name}:{last.lineno}"
    if not isinstance(error, ValueError | TypeError | FloatingPointError):
        return f"{kind} from {where}: {text.splitlines()[0] if text else ''}"
    if not last.filename.startswith(PACKAGE):
        return f"raw {kind} from {where}: {text[:100]}"
    if "\n" in text or not text.endswith((".", "?")):
        return f"{kind} from {where} is no sentence: {text[:100]}"
    return None


def _bytes_of(model: kv.KAN) -> dict[str, bytes]:
    state = model.state_dict().items()
    return {name: value.contiguous().numpy().tobytes() for name, value in state}


def run(count: int, seed: int) -> list[str]:
    """Run so many seeds; return the faults, one line each."""
    faults = []
    for number in range(seed, seed + count):
        found = fault(number)
        if found is not None:
            faults.append(f"seed {number}: {found}")
    return faults
