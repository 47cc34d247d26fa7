"""From what users hold (numpy, pandas, torch, lists) to tensors of numbers or class numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from kanviz.data.dataset import FLOAT_DTYPES

NUMBER_KINDS = "buif"


def read_numbers(name: str, values: Any) -> Float[Tensor, "rows columns"]:
    """Return a table of numbers as a float tensor that no gradient flows through.

    Parameters
    ----------
    name : str
        What ``values`` is called in messages.
    values : (rows, columns) or (rows,)
        Tensor, array, data frame, series or nested list. Integers and booleans become floats; one
        axis is one column.

    Returns
    -------
    (rows, columns)
        A float32 or float64 tensor as it is; all else as float64, on the CPU unless it is a tensor.

    Raises
    ------
    TypeError
        If an entry is no real number.
    ValueError
        If there is no entry, or not one or two axes.
    """
    table = values.detach() if isinstance(values, Tensor) else _array_of_numbers(name, values)
    if table.is_complex():
        raise TypeError(
            f"{name} must hold real numbers; got {table.dtype}. Pass its real part or its size."
        )
    if table.ndim == 1:
        table = table.unsqueeze(1)
    if table.ndim != 2 or table.numel() == 0:
        raise ValueError(
            f"{name} must have shape (samples, columns) or (samples,), none of them 0; "
            f"got {tuple(table.shape)}. Pass one row per sample."
        )
    return table if table.dtype in FLOAT_DTYPES else table.to(torch.float64)


def column_names(values: Any) -> tuple[str, ...] | None:
    """Return the column names that a data frame or a series carries, or None.

    Any object with ``columns`` (a frame) or ``name`` (a series) and ``to_numpy`` will do, so that
    pandas need not be installed.
    """
    if not hasattr(values, "to_numpy"):
        return None
    if hasattr(values, "columns"):
        return tuple(str(name) for name in values.columns)
    name = getattr(values, "name", None)
    return None if name is None else (str(name),)


def holds_labels(values: Any) -> bool:
    """Return whether ``values`` are class labels by nature: text, booleans or a category type."""
    if isinstance(values, Tensor):
        return values.dtype == torch.bool
    if str(getattr(values, "dtype", "")) == "category":
        return True
    array = _as_array("y", values)
    if array.dtype.kind == "O":
        return all(isinstance(entry, str | bool) for entry in array.flat)
    return array.dtype.kind in "USb"


def read_labels(name: str, values: Any) -> list[str | int]:
    """Return class labels, one per row: text as it is, numbers as whole numbers.

    Raises
    ------
    ValueError
        If a label is missing or not whole, or there is not exactly one per row.
    """
    array = _as_array(name, values)
    if array.size == 0 or array.size != len(array):
        raise ValueError(
            f"{name} must have shape (samples,), one class label per row; got {array.shape}. "
            "Pass labels, not one column per class."
        )
    return [_as_label(name, row, entry) for row, entry in enumerate(array.ravel().tolist())]


def sorted_classes(labels: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the distinct labels: numbers in order, then text in order."""
    return tuple(sorted(set(labels), key=lambda label: (isinstance(label, str), label)))


def class_numbers(
    labels: Sequence[str | int], classes: Sequence[str | int]
) -> Int64[Tensor, " samples"]:
    """Return the place of each label in ``classes``."""
    place = {label: number for number, label in enumerate(classes)}
    return torch.tensor([place[label] for label in labels], dtype=torch.int64)


def _as_array(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as a numpy array of at least one axis."""
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(
            f"{name} must have rows of equal length; got rows that differ. Fill or cut them."
        ) from None
    if array.ndim == 0:
        raise TypeError(
            f"{name} must be an array, a data frame, a tensor or a list; "
            f"got {type(values).__name__}. Pass one row per sample."
        )
    return array


def _array_of_numbers(name: str, values: Any) -> Tensor:
    """Return an array-like of real numbers as a new float64 tensor, complex ones as they are."""
    array = _as_array(name, values)
    if array.dtype.kind == "c":
        return torch.from_numpy(array)
    if array.dtype.kind not in NUMBER_KINDS:
        # As objects, for numpy has turned the numbers of a mixed list into text.
        entries = np.asarray(values, dtype=object)
        _check_entries(name, entries.reshape(len(entries), -1), column_names(values))
    return torch.from_numpy(array.astype(np.float64))


def _check_entries(name: str, table: np.ndarray, names: tuple[str, ...] | None) -> None:
    """Raise a TypeError that names the first entry which is no number.

    Needed because numpy would silently read the text "1.5" as a number.
    """
    for (row, column), entry in np.ndenumerate(table):
        if not isinstance(entry, int | float | np.number | np.bool_):
            label = repr(names[column]) if names else str(column)
            shown = entry.item() if isinstance(entry, np.generic) else entry
            raise TypeError(
                f"{name} must hold numbers only; got {shown!r} in row {row}, column {label}. "
                "Convert or remove it first, or read the file with from_csv."
            )


def _as_label(name: str, row: int, entry: Any) -> str | int:
    """Return one class label, with True and False as text."""
    if isinstance(entry, str | bool):
        return str(entry)
    if isinstance(entry, int) or (isinstance(entry, float) and entry.is_integer()):
        return int(entry)
    raise ValueError(
        f"{name} must hold class labels (text or whole numbers); got {entry!r} in row {row}. "
        "Give that row a label or remove it."
    )
