"""A dataset from a CSV file, with a note on everything that was done to it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float64

from kanviz.checks import check_choice, did_you_mean, listed
from kanviz.data.arrays import Task, from_arrays, split_rows
from kanviz.data.columns import (
    MAX_CATEGORIES,
    CodedColumn,
    class_labels,
    code_categories,
    code_numbers,
    column_kind,
    constant_columns,
)
from kanviz.data.convert import sorted_classes
from kanviz.data.csv_file import TextTable, is_missing, read_csv
from kanviz.data.dataset import Dataset

Missing = Literal["drop", "mean", "error"]
Matrix = Float64[np.ndarray, "rows columns"]


def from_csv(
    path: str | Path,
    *,
    target: str | Sequence[str],
    inputs: Sequence[str] | None = None,
    task: Task = "auto",
    missing: Missing = "drop",
    test_fraction: float = 0.2,
    seed: int = 0,
    normalize: bool = True,
    dtype: torch.dtype | None = None,
) -> Dataset:
    """Read a dataset from a CSV file with a header line.

    What is done to the columns, each time with a sentence in ``notes``:

    - A column of numbers is taken as it is; with ``;`` or tabs between fields, ``3,5`` is 3.5.
    - A column of text in two values becomes one 0/1 column (``sex=male``), in three to 30 values
      one 0/1 column each (``island=Biscoe`` ...). Text in more than 30 values, or in more than half
      as many as there are rows, as in names, is left out.
    - A column without a name, without any value or with only one value is left out.
    - Missing values are empty cells, NA, N/A, NaN, null, None and ``?``.

    Parameters
    ----------
    path : str or Path
        UTF-8 text, fields separated by comma, semicolon or tab.
    target : str or sequence of str
        The column to predict; several only if they are numbers.
    inputs : sequence of str, optional
        The columns to predict it from; by default all others.
    task : {"auto", "regression", "classification"}
        With ``"auto"`` a target of text is classes and one of numbers is not.
    missing : {"drop", "mean", "error"}
        Leave out rows with a missing input, fill it with the mean of the training rows (for a
        category: its share of them), or raise. Rows without a target are left out, or an error.
    test_fraction, seed, dtype
        As in ``from_arrays``.
    normalize : bool
        Scale inputs and number targets to mean 0 and standard deviation 1 over the training rows.
        The scaling is kept in the dataset.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, and line and column where there is one.
    """
    check_choice("task", task, get_args(Task))
    check_choice("missing", missing, get_args(Missing))
    table = read_csv(path)
    targets = _known("target", [target] if isinstance(target, str) else target, table)
    table, without_target = _treat_gaps(table, targets, "error" if missing == "error" else "drop")
    names, unused = _choose_inputs(table, targets, inputs)
    table, incomplete = _treat_gaps(table, names, missing)
    y, output_names, target_note = _read_target(table, targets, task)
    x, input_names, coding = _read_inputs(table, names)
    train, test = (part.numpy() for part in split_rows(len(x), test_fraction, seed))
    x, filled = _fill_with_means(x, train, input_names)
    data = from_arrays(
        x[train],
        y[train],
        x_test=x[test] if len(test) else None,
        y_test=y[test] if len(test) else None,
        test_fraction=0.0,
        input_names=input_names,
        output_names=output_names,
        task="regression" if output_names else "classification",
        constant="keep",
        normalize=normalize,
        dtype=dtype,
    )
    notes = (*without_target, *unused, *incomplete, *target_note, *coding, *filled)
    return replace(data, notes=notes)


def _known(name: str, wanted: Sequence[str], table: TextTable) -> tuple[str, ...]:
    """Return the columns asked for if the file has them; raise a ValueError otherwise."""
    for column in wanted:
        if column not in table.columns:
            known = [known for known in table.columns if known]
            raise ValueError(
                f"{name} must name columns of {table.name}; got {column!r}. "
                f"{did_you_mean(column, known) or f'It has {listed(known)}.'}"
            )
    if not wanted:
        raise ValueError(f"{name} must name at least one column; got none. Name one.")
    return tuple(wanted)


def _treat_gaps(
    table: TextTable, names: Sequence[str], missing: Missing
) -> tuple[TextTable, tuple[str, ...]]:
    """Return the rows to go on with, and a note on those left out."""
    gaps = {name: [is_missing(cell) for cell in table.columns[name]] for name in names}
    counts = {name: sum(flags) for name, flags in gaps.items() if any(flags)}
    if not counts or missing == "mean":
        return table, ()
    if missing == "error":
        first = next(iter(counts))
        raise ValueError(
            f"{table.name} must have a value in every row of column {first!r}; got none in line "
            f"{table.lines[gaps[first].index(True)]}. Fill it, or pass missing='drop'."
        )
    keep = [not any(flags) for flags in zip(*gaps.values(), strict=True)]
    where = ", ".join(f"{name} {count}" for name, count in counts.items())
    if sum(keep) < 2:
        raise ValueError(
            f"{table.name} must have at least 2 rows with every value; got {sum(keep)} of "
            f"{len(keep)} (missing: {where}). Fill them in, choose columns with inputs=, or pass "
            "missing='mean' for gaps in inputs."
        )
    note = f"{len(keep) - sum(keep)} of {len(keep)} rows left out for missing values ({where})."
    return table.keep_rows(keep), (note,)


def _choose_inputs(
    table: TextTable, targets: Sequence[str], inputs: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns to read as inputs, and a note on each column left out."""
    wanted = table.columns if inputs is None else _known("inputs", inputs, table)
    chosen, notes = [], []
    for name in (name for name in wanted if name not in targets):
        cells = table.columns[name]
        if not name:
            notes.append("A column left out: it has no name.")
        elif all(is_missing(cell) for cell in cells):
            notes.append(f"{name} left out: it has no values.")
        elif column_kind(table, name) == "texts":
            notes.append(f"{name} left out: {len(set(cells))} different texts, as {cells[0]!r}.")
        else:
            chosen.append(name)
    return tuple(chosen), tuple(notes)


def _read_target(
    table: TextTable, targets: Sequence[str], task: Task
) -> tuple[np.ndarray, tuple[str, ...] | None, tuple[str, ...]]:
    """Return numbers (rows, targets) or class labels (rows,), names of the former, and notes."""
    if task != "classification" and all(column_kind(table, t) == "numbers" for t in targets):
        coded = [code_numbers(table, name) for name in targets]
        _check_target_varies(table, constant_columns(coded))
        notes = tuple(column.note for column in coded if column.note)
        return np.hstack([column.values for column in coded]), tuple(targets), notes
    name = targets[0]
    labels = class_labels(table, name)
    classes = sorted_classes(labels)
    if task == "regression" or len(targets) > 1 or len(classes) > MAX_CATEGORIES:
        raise ValueError(
            "target must be columns of numbers, or for classification one column of at most "
            f"{MAX_CATEGORIES} classes; got {listed(targets)} with {len(classes)} values such as "
            f"{classes[0]!r}. Choose another target or task."
        )
    _check_target_varies(table, targets if len(classes) < 2 else ())
    counts = ", ".join(f"{label} ({labels.count(label)})" for label in classes)
    note = f"{name} is the target with {len(classes)} classes: {counts}."
    return np.array(labels, dtype=object), None, (note,)


def _check_target_varies(table: TextTable, constant: Sequence[str]) -> None:
    """Raise a ValueError if a target is named as constant."""
    if constant:
        raise ValueError(
            f"target must vary; got one value of {constant[0]!r} in all rows of {table.name} that "
            "are used. Choose another target, or pass missing='mean' to use more rows."
        )


def _read_inputs(
    table: TextTable, names: Sequence[str]
) -> tuple[Matrix, tuple[str, ...], tuple[str, ...]]:
    """Return the coded inputs that vary, their names, and notes on coding and leaving out."""
    coded = [_code(table, name) for name in names]
    constant = constant_columns(coded)
    input_names = tuple(chain.from_iterable(column.names for column in coded))
    kept = tuple(name for name in input_names if name not in constant)
    if not kept:
        raise ValueError(
            f"{table.name} must have at least one input column with numbers or categories that "
            "vary; got none. Add a column, or choose others with inputs=."
        )
    matrix = np.hstack([column.values for column in coded])
    notes = [column.note for column in coded if column.note]
    notes += [f"{name} left out: one value in every row." for name in constant]
    return matrix[:, [name in kept for name in input_names]], kept, tuple(notes)


def _code(table: TextTable, name: str) -> CodedColumn:
    """Return one input column as numbers."""
    if column_kind(table, name) == "numbers":
        return code_numbers(table, name)
    return code_categories(table, name)


def _fill_with_means(
    x: Matrix, train: np.ndarray, names: Sequence[str]
) -> tuple[Matrix, tuple[str, ...]]:
    """Return ``x`` with gaps filled by the column's mean over the training rows, and notes.

    A column without a value in the training rows takes the mean of all rows.
    """
    x, notes = x.copy(), []
    for name, values in zip(names, x.T, strict=True):
        gaps = np.isnan(values)
        if gaps.any():
            in_train = values[train][~gaps[train]]
            values[gaps] = (in_train if in_train.size else values[~gaps]).mean()
            notes.append(f"{name}: {gaps.sum()} missing values filled with {values[gaps][0]:.4g}.")
    return x, tuple(notes)
