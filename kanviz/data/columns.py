"""From one column of text to columns of numbers: what is a number, what is a category."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from kanviz.data.csv_file import TextTable, is_missing

MAX_CATEGORIES = 30

Kind = Literal["numbers", "categories", "texts"]


@dataclass(frozen=True)
class CodedColumn:
    """What a network can read of one column.

    Parameters
    ----------
    names : tuple of str
        The column's own name for numbers; ``sex=male`` for a category.
    values : (rows, names)
        Numbers; a category is 0 or 1. Not a number where the cell is missing.
    note : str
        A sentence on how it was read, or empty if as it stands.
    """

    names: tuple[str, ...]
    values: Float64[np.ndarray, "rows names"]
    note: str = ""


def column_kind(table: TextTable, name: str) -> Kind:
    """Return what a column holds.

    ``"numbers"``: every cell that is not missing is a number. ``"categories"``: there is text, in
    at most 30 different values and at most half as many as rows (two always do). ``"texts"``: more
    than that, as in names or running numbers.

    Raises
    ------
    ValueError
        If there are too many values for categories though most cells are numbers: then the text is
        taken for an error in the file, and the first such cell is named.
    """
    cells = table.columns[name]
    filled = [row for row, cell in enumerate(cells) if not is_missing(cell)]
    texts = [row for row in filled if _number(cells[row], table) is None]
    if not texts:
        return "numbers"
    different = len({cells[row] for row in filled})
    if different <= max(2, min(MAX_CATEGORIES, len(filled) // 2)):
        return "categories"
    if len(texts) * 2 < len(filled):
        raise ValueError(
            f"{table.name} must have numbers in every row of column {name!r}, as in most; "
            f"got {cells[texts[0]]!r} in line {table.lines[texts[0]]}. "
            "Correct or empty that cell, or choose other columns with inputs=."
        )
    return "texts"


def code_numbers(table: TextTable, name: str) -> CodedColumn:
    """Return a column of kind "numbers" as floats.

    Raises
    ------
    ValueError
        If a number is infinite, or too large for a float.
    """
    cells = table.columns[name]
    values = np.array([np.nan if is_missing(c) else _number(c, table) for c in cells], np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = infinite[0]
        raise ValueError(
            f"{table.name} must have finite numbers in column {name!r}; got {cells[row]!r} in line "
            f"{table.lines[row]}. Correct or empty that cell."
        )
    commas = table.decimal_comma and any("," in cell for cell in cells)
    note = f"{name}: decimal commas read as points." if commas else ""
    return CodedColumn((name,), values[:, None], note)


def code_categories(table: TextTable, name: str) -> CodedColumn:
    """Return a column of kind "categories" as zeros and ones.

    Two categories become one column, which is 1 for the later in sorted order; more become one
    column each (one-hot).
    """
    cells = np.array(table.columns[name])
    missing = np.array([is_missing(cell) for cell in cells])
    categories = [str(category) for category in np.unique(cells[~missing])]
    shown = categories if len(categories) > 2 else categories[-1:]
    values = (cells[:, None] == np.array(shown)).astype(np.float64)
    values[missing] = np.nan
    if len(shown) > 1:
        note = f"{name}: one 0/1 column for each of {', '.join(categories)}."
    else:
        note = f"{name}: 1 is {shown[0]}" + "".join(f", 0 is {c}" for c in categories[:-1]) + "."
    return CodedColumn(tuple(f"{name}={category}" for category in shown), values, note)


def class_labels(table: TextTable, name: str) -> list[str | int]:
    """Return a column without missing cells as class labels: whole numbers if all are, or text."""
    cells = table.columns[name]
    numbers = [_number(cell, table) for cell in cells]
    whole = [int(number) for number in numbers if number is not None and number.is_integer()]
    return list(whole) if len(whole) == len(cells) else list(cells)


def constant_columns(coded: Sequence[CodedColumn]) -> tuple[str, ...]:
    """Return the names of the columns that have one value in every row that is not missing."""
    return tuple(
        name
        for column in coded
        for name, values in zip(column.names, column.values.T, strict=True)
        if np.nanmin(values) == np.nanmax(values)
    )


def _number(cell: str, table: TextTable) -> float | None:
    """Return the number that a cell holds, or None."""
    text = cell.replace(",", ".") if table.decimal_comma else cell
    # Python would also read the underscores of a part number such as 10_25.
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
