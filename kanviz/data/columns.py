"""Columns and rows of data frames by their names, wherever several tables are to mean the same.

A table that comes second (test rows, further rows, targets, weights) need not have the order of
the first. Its columns are taken by name, further ones are left out, and what cannot be told is one
sentence. Rows are taken by place, as scikit-learn has it, unless their names say that this is
wrong. Any object with ``columns`` and ``to_numpy`` is a frame: pandas need not be installed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kanviz.checks import listed, short
from kanviz.data.dataset import About, default_names


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


def same_columns(name: str, values: Any, wanted: tuple[str, ...] | None) -> Any:
    """Return a data frame with these columns in this order; all else as it is.

    Parameters
    ----------
    name : str
        What the frame is called in messages.
    values
        A frame, or anything.
    wanted : tuple of str, optional
        The columns of the table that came first; None where it had no names.

    Raises
    ------
    ValueError
        If a column is missing, or there several times.
    """
    found = column_names(values) if hasattr(values, "columns") else None
    if found is None or wanted is None or found == wanted:
        return values
    if missing := [column for column in wanted if column not in found]:
        raise ValueError(
            f"{name} has no column {listed(missing)}. The columns asked for are {listed(wanted)}; "
            f"those of {name} are {listed(found)}. Rename or add what is missing."
        )
    for column in wanted:
        check_once(name, column, found)
    columns = list(values.columns)
    return values[[columns[found.index(column)] for column in wanted]]


def same_targets(name: str, values: Any, wanted: tuple[str, ...]) -> Any:
    """Return a frame of targets with the columns of several outputs, as ``same_columns`` does.

    A single column of targets needs no name, nor do outputs that nobody named.
    """
    is_one = hasattr(values, "columns") and len(values.columns) == 1
    if is_one or wanted == default_names("y", len(wanted)):
        return values
    return same_columns(name, values, wanted)


def check_once(name: str, column: str, found: tuple[str, ...]) -> None:
    """Raise a ValueError where several columns have the name that is asked for."""
    if (count := found.count(column)) > 1:
        raise ValueError(
            f"{name} has {count} columns {short(column)}, and which is meant nobody knows. "
            "Rename or leave out all but one."
        )


def check_same_rows(x: Any, values: Any, name: str, x_name: str = "x") -> None:
    """Raise a ValueError where two tables of pandas have the same rows in another order.

    Rows go together by place. That is wrong where both tables name them, the names are the same,
    and the order is not, as after one of them was sorted.
    """
    if not (hasattr(x, "iloc") and hasattr(values, "iloc")):
        return
    mine, theirs = x.index, values.index
    if len(mine) != len(theirs) or mine.equals(theirs):
        return
    if mine.is_unique and theirs.is_unique and len(mine.intersection(theirs)) == len(mine):
        raise ValueError(
            f"{name} has the rows of {x_name} in another order, by their index. Pass "
            f"{name}.loc[{x_name}.index], or {name}.to_numpy() if they belong together as they "
            "stand."
        )


def columns_by_name(x: Any, about: About) -> Any:
    """Return a data frame's columns of these names, as ``from_csv`` codes them; all else as it is.

    Where the model has no names of its own, and the frame has none of its default ones, columns are
    taken by place.
    """
    names, found = about.input_names, column_names(x) if hasattr(x, "columns") else None
    if found is None or found == names:
        return x
    wanted = [_place(name, found) for name in names]
    if all(place is None for place in wanted) and names == default_names("x", len(names)):
        return x
    check_none_missing([n for n, p in zip(names, wanted, strict=True) if p is None], names, found)
    for place in wanted:
        if place is not None:
            check_once("x", found[place], found)
    columns = list(x.columns)
    cells = {place: _cells(x[columns[place]]) for place in {p for p in wanted if p is not None}}
    parts = [
        cells[place] if name == found[place] else _is_category(cells[place], name, about)
        for name, place in zip(names, wanted, strict=True)
        if place is not None
    ]
    return np.stack([np.asarray(part, dtype=object) for part in parts], axis=1).tolist()


def _cells(column: Any) -> np.ndarray:
    """Return a column of a data frame as an array; dates stay dates, which numpy makes numbers."""
    cells = np.asarray(column)
    return np.array(list(column), dtype=object) if cells.dtype.kind in "mM" else cells


def check_none_missing(
    missing: Sequence[str], names: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """Raise a ValueError where an input of the model has no column."""
    if missing:
        raise ValueError(
            f"x has no column {listed(missing)}. The model's inputs are {listed(names)}; the "
            f"columns of x are {listed(found)}. Rename or add what is missing."
        )


def _place(name: str, columns: tuple[str, ...]) -> int | None:
    """Return which column an input comes from; ``sex=male`` may come from a text column ``sex``."""
    for wanted in (name, name.partition("=")[0]):
        if wanted in columns:
            return columns.index(wanted)
    return None


def _is_category(cells: np.ndarray, name: str, about: About) -> np.ndarray:
    """Return 1.0 where a text column holds the category of an input such as ``island=Biscoe``."""
    column, _, category = name.partition("=")
    texts = [str(cell) for cell in cells.tolist()]
    check_known(column, texts, about)
    return np.array([float(text == category) for text in texts])


def check_known(column: str, texts: Sequence[str], about: About) -> None:
    """Raise a ValueError where a column of text holds what the model has never seen.

    A model of a file of 0.1 has no code book: then its input names tell the categories, but of two
    only the one that has an input.
    """
    parts = [name.partition("=") for name in about.input_names]
    named = [category for name, _, category in parts if name == column]
    known = about.categories.get(column, tuple(named))
    unknown = sorted(set(texts) - set(known))
    if len(known) > 1 and unknown:
        raise ValueError(
            f"x holds {unknown[0]!r} in column {column!r}, which the model has never seen. "
            f"It knows {listed(known)}. Leave such rows out."
        )
