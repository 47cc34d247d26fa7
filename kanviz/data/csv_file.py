"""A CSV file as named columns of text, or one clear error about the line that is wrong."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

DELIMITERS = (",", ";", "\t")
MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none"})


@dataclass(frozen=True)
class TextTable:
    """The cells of a file, column by column.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    columns : dict of str to list of str
        Cells without surrounding blanks, top to bottom; every list is as long as ``lines``.
    lines : list of int
        The line of the file (from 1) on which each row ends.
    decimal_comma : bool
        Whether ``3,5`` may stand for 3.5, as in files with another delimiter.
    """

    name: str
    columns: dict[str, list[str]]
    lines: list[int]
    decimal_comma: bool

    def keep_rows(self, keep: list[bool]) -> "TextTable":
        """Return the rows marked True."""
        columns = {name: list(compress(cells, keep)) for name, cells in self.columns.items()}
        return replace(self, columns=columns, lines=list(compress(self.lines, keep)))


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for no value: empty, NA, N/A, NaN, null, None or ``?``."""
    return cell.lower() in MISSING


def read_csv(path: str | Path) -> TextTable:
    """Read a file of comma, semicolon or tab separated values with a header line.

    The delimiter is the one that cuts the header into most fields. Quotes, a byte order mark and
    blank lines are understood.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not UTF-8 text, holds fewer than 2 rows, has no header of different names, or has
        a row of another length.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must be an existing CSV file; got {str(path)!r}. Check the name and the folder."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} must be UTF-8 text; got byte {error.object[error.start]:#04x} at place "
            f"{error.start}. Save it again as CSV UTF-8."
        ) from None
    delimiter = _delimiter(text)
    rows = _rows(path.name, text, delimiter)
    header = _header(path.name, rows)
    lines, cells = [], []
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path.name} must have {len(header)} fields in every row, like its header; "
                f"got {len(row)} in line {line}. Quote fields that hold {delimiter!r}."
            )
        lines.append(line)
        cells.append(row)
    if len(cells) < 2:
        raise ValueError(
            f"{path.name} must have at least 2 rows below its header; got {len(cells)}. "
            "Add the data."
        )
    columns = [list(column) for column in zip(*cells, strict=True)]
    named = dict(zip(header, columns, strict=True))
    return TextTable(path.name, named, lines, decimal_comma=delimiter != ",")


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first line with text into most fields."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def _rows(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row that is not blank."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) or len(cells) > 1:
                yield reader.line_num, cells
    except csv.Error as error:
        raise ValueError(
            f"{name} must be well-formed CSV; got '{error}' in line {reader.line_num}. "
            "Check the quotes there."
        ) from None


def _header(name: str, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """Return the column names from the first row; one without a name is called ``''``."""
    _, header = next(rows, (0, []))
    if not header:
        raise ValueError(f"{name} must have a header and rows; got an empty file. Add the data.")
    if all(_looks_like_number(cell) for cell in header):
        raise ValueError(
            f"{name} must begin with a line of column names; got the numbers {header[:3]}. "
            "Add a first line such as x,y."
        )
    repeated = sorted({cell for cell in header if header.count(cell) > 1})
    if repeated:
        raise ValueError(
            f"{name} must have different column names; got {repeated[0]!r} more than once. "
            "Rename one."
        )
    return header


def _looks_like_number(cell: str) -> bool:
    """Return whether Python reads the cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
