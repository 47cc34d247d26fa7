"""A dataset from a CSV file: cells of text, columns of numbers or categories, inputs and targets.

Each error names the file, and line and column where there is one.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress, islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float64

from kanviz.checks import check_choice, did_you_mean, listed, short
from kanviz.data.arrays import (
    MAX_CATEGORIES,
    EncodedColumn,
    Task,
    encode_texts,
    from_arrays,
    sorted_classes,
    split_rows,
)
from kanviz.data.dataset import Dataset, Label
from kanviz.data.dates import Dates, read_dates
from kanviz.devices import on_cpu
from kanviz.renamed import READING, renamed

DELIMITERS = (",", ";", "\t")

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none"})

Kind = Literal["numbers", "dates", "categories", "texts"]

Decimal = Literal["auto", ".", ","]

Missing = Literal["drop", "mean", "error"]

Matrix = Float64[np.ndarray, "rows columns"]


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
    is_said : bool
        Whether it stands for that, and a point for no decimals, because the user said so.
    day_first : bool or None
        Whether ``3/4/2024`` is in April; None where the columns have to say so themselves.
    notes : tuple of str
        A sentence on how the file was read, where that was not told.
    """

    name: str
    columns: dict[str, list[str]]
    lines: list[int]
    decimal_comma: bool
    is_said: bool = False
    day_first: bool | None = None
    notes: tuple[str, ...] = ()
    _dates: dict[str, Dates | None] = field(default_factory=dict, init=False, compare=False)

    def dates(self, name: str) -> Dates | None:
        """Return the dates in a column; None where its first hundred values hold none.

        Read once: that takes longer than all else about a column.
        """
        if name not in self._dates:
            cells = self.columns[name]
            some = list(islice((cell for cell in cells if not is_missing(cell)), 100))
            hold_none = bool(np.isnan(read_dates(some).days).all())
            self._dates[name] = None if hold_none else read_dates(cells, day_first=self.day_first)
        return self._dates[name]

    @cached_property
    def has_decimal_commas(self) -> bool:
        """Whether ``3,5`` stands for 3.5 anywhere in it."""
        if not self.decimal_comma or self.is_said:
            return self.is_said
        cells = chain.from_iterable(self.columns.values())
        return any(re.fullmatch(r"[+-]?[\d.]*,\d+", cell, re.ASCII) for cell in cells)

    def keep_rows(self, keep: list[bool]) -> "TextTable":
        """Return the rows marked True."""
        columns = {name: list(compress(cells, keep)) for name, cells in self.columns.items()}
        return replace(self, columns=columns, lines=list(compress(self.lines, keep)))


@on_cpu
@renamed(READING)
def from_csv(
    path: str | Path,
    *,
    target: str | Sequence[str],
    inputs: Sequence[str] | None = None,
    exclude: str | Sequence[str] = (),
    task: Task = "auto",
    missing: Missing = "drop",
    test_fraction: float = 0.2,
    seed: int = 0,
    normalize: bool = True,
    weight: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal = "auto",
    day_first: bool | None = None,
    dtype: torch.dtype | None = None,
) -> Dataset:
    """Read a dataset from a CSV file with a header line.

    What is done to the columns, each time with a sentence in ``notes``:

    - A column of numbers is taken as it is; with ``;`` or tabs between fields, ``3,5`` is 3.5, and
      beside such numbers ``1.234`` is 1234.
    - A column of dates becomes days since 1970-01-01, with the time of day as a fraction; times
      with an offset from UTC, as ``2024-03-01T12:00+01:00``, are turned to UTC, others taken as
      they stand.
    - A column of text in two values becomes one 0/1 column (``sex=male``), in three to 30 values
      one 0/1 column each (``island=Biscoe`` ...). Text in more than 30 values, or in more than half
      as many as there are rows, as in names, is left out.
    - A column without a name, without any value or with only one value is left out.
    - Missing values are empty cells, NA, N/A, NaN, null, None and ``?``.

    Parameters
    ----------
    path : str or Path
        Text, fields separated by comma, semicolon or tab.
    target : str or sequence of str
        The column to predict; several only if they are numbers.
    inputs : sequence of str, optional
        The columns to predict it from; by default all others.
    exclude : str or sequence of str
        Columns that are no inputs.
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
    weight : str, optional
        The column that says how many times each row counts, as ``sample_weight`` in
        ``from_arrays``; it is no input.
    encoding : str, optional
        Python's name for how letters are written, such as ``"latin-1"``. By default that which
        the file's first bytes name, UTF-8, or UTF-16; what is none of these is read as Windows
        writes it in western Europe, and a note says so.
    delimiter : str, optional
        The character between fields; by default the comma, semicolon or tab that cuts the header
        into most fields.
    decimal : {"auto", ".", ","}
        The sign for decimals. With ``"auto"`` it is found as said above; with ``","`` it may also
        stand in quotes in a file with commas between fields, and points stand between groups of
        digits.
    day_first : bool, optional
        Whether 3/4/2024 is in April. By default a column decides by its days after the 12th, and
        is left out where it has none.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, and line and column where there is one.

    Examples
    --------
    >>> from_csv(example_path(), target="species", inputs=["bill_length_mm", "sex"], seed=1)
    Dataset: 266 training and 67 test samples, float32 on cpu
      inputs (2): bill_length_mm, sex=male
      classes (3): Adelie, Chinstrap, Gentoo
      note: ...
    """
    check_choice("task", task, get_args(Task))
    check_choice("missing", missing, get_args(Missing))
    table = read_csv(
        path, encoding=encoding, delimiter=delimiter, decimal=decimal, day_first=day_first
    )
    targets = _known("target", [target] if isinstance(target, str) else target, table)
    weighing = () if weight is None else _known("weight", [weight], table)
    _check_weighing(weighing, targets, inputs)
    table, without_target = _handle_missing(
        table, (*targets, *weighing), "error" if missing == "error" else "drop"
    )
    table, weightless = _leave_out_weightless(table, weighing)
    left_out = [exclude] if isinstance(exclude, str) else exclude
    others = (*targets, *weighing, *(_known("exclude", left_out, table) if left_out else ()))
    names, unused = _choose_inputs(table, others, inputs)
    table, incomplete = _handle_missing(table, names, missing)
    y, output_names, target_note = _read_target(table, targets, task)
    encoded = {name: _encode(table, name) for name in names}
    x, input_names, coding = _read_inputs(table, encoded)
    weights = encode_numbers(table, weighing[0]).values[:, 0] if weighing else None
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
        sample_weight=None if weights is None else weights[train],
        sample_weight_test=weights[test] if weights is not None and len(test) else None,
        dtype=dtype,
    )
    notes = (
        *(*table.notes, *without_target, *weightless, *unused),
        *(*incomplete, *target_note, *coding, *filled),
    )
    return replace(
        data,
        notes=notes,
        categories={name: one.categories for name, one in encoded.items() if one.categories},
        constants={
            name: float(np.nanmin(one.values))
            for name, one in encoded.items()
            if name not in input_names and not one.categories
        },
    )


def example_path(name: str = "penguins") -> Path:
    """Return the path of a CSV file that comes with kanviz, for ``from_csv``.

    ``"penguins"``: 344 penguins of three species, with bill, flipper and body sizes, island, sex
    and year, and a few missing values. ``"knots"``: 2968 hyperbolic knots with up to 12 crossings,
    numbers of their geometry and their signature. ``examples/README.md`` beside them tells sources
    and licences.

    Raises
    ------
    ValueError
        If there is no such example.

    Examples
    --------
    >>> from kanviz.data.table import from_csv
    >>> data = from_csv(example_path(), target="species", inputs=["bill_length_mm", "body_mass_g"])
    >>> data.class_names
    ('Adelie', 'Chinstrap', 'Gentoo')
    """
    folder = Path(__file__).parent / "examples"
    check_choice("name", name, sorted(file.stem for file in folder.glob("*.csv")))
    return folder / f"{name}.csv"


def _known(name: str, wanted: Sequence[str], table: TextTable) -> tuple[str, ...]:
    """Return the columns asked for if the file has them; raise a ValueError otherwise."""
    if not isinstance(wanted, Sequence) or not all(isinstance(one, str) for one in wanted):
        raise ValueError(
            f"{name} must be the name of a column of {table.name}, or several; "
            f"got {short(wanted)}. It has {listed([known for known in table.columns if known])}."
        )
    for column in wanted:
        if column not in table.columns:
            known = [known for known in table.columns if known]
            raise ValueError(
                f"{name} must name columns of {table.name}; got {short(column)}. "
                f"{did_you_mean(column, known) or f'It has {listed(known)}.'}"
            )
    if not wanted:
        raise ValueError(f"{name} is empty. Name at least one column of {table.name}.")
    return tuple(wanted)


def _handle_missing(
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
            f"{table.name} must have a value in every row of column {short(first)}; got none in "
            f"line {table.lines[gaps[first].index(True)]}. Fill it, or pass missing='drop'."
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


def _check_weighing(
    weighing: Sequence[str], targets: Sequence[str], inputs: Sequence[str] | None
) -> None:
    """Raise a ValueError where the column of weights is a target or an input too."""
    for name in weighing:
        if name in targets or name in (inputs or ()):
            raise ValueError(
                f"weight must be a column of its own; got {short(name)}, which is a target or an "
                "input. Leave it out there."
            )


def _leave_out_weightless(
    table: TextTable, weighing: Sequence[str]
) -> tuple[TextTable, tuple[str, ...]]:
    """Return the rows of a weight other than 0, and a note on the others."""
    for name in weighing:
        if column_kind(table, name) != "numbers":
            raise ValueError(
                f"weight must be a column of numbers; got {short(name)}, which holds text. Choose "
                "another."
            )
        keep = (encode_numbers(table, name).values[:, 0] != 0).tolist()
        if sum(keep) < len(keep):
            if not any(keep):
                raise ValueError(
                    f"weight is 0 in every row of column {short(name)}, which leaves none. Choose "
                    "another."
                )
            note = f"{len(keep) - sum(keep)} of {len(keep)} rows left out for a weight of 0."
            return table.keep_rows(keep), (note,)
    return table, ()


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
            notes.append(_why_left_out(table, name))
        else:
            chosen.append(name)
    return tuple(chosen), tuple(notes)


def _why_left_out(table: TextTable, name: str) -> str:
    """Return the note on a column of texts."""
    cells = table.columns[name]
    if (dates := table.dates(name)) and dates.is_open:
        return (
            f"{name} left out: {short(cells[0])} may begin with the day or with the month. Pass "
            "day_first=True or False."
        )
    return f"{name} left out: {len(set(cells))} different texts, as {short(cells[0])}."


def _read_target(
    table: TextTable, targets: Sequence[str], task: Task
) -> tuple[np.ndarray, tuple[str, ...] | None, tuple[str, ...]]:
    """Return numbers (rows, targets) or class labels (rows,), names of the former, and notes."""
    if task != "classification" and all(
        column_kind(table, t) in ("numbers", "dates") for t in targets
    ):
        encoded = [_encode(table, name) for name in targets]
        _check_target_varies(table, constant_columns(encoded))
        notes = tuple(column.note for column in encoded if column.note)
        return np.hstack([column.values for column in encoded]), tuple(targets), notes
    name = targets[0]
    labels = class_labels(table, name)
    classes = sorted_classes(labels)
    if task == "regression" or len(targets) > 1 or len(classes) > MAX_CATEGORIES:
        raise ValueError(
            "target must be columns of numbers, or for classification one column of at most "
            f"{MAX_CATEGORIES} classes; got {listed(targets)} with {len(classes)} values such as "
            f"{short(classes[0])}. Choose another target or task."
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
    table: TextTable, by_name: Mapping[str, EncodedColumn]
) -> tuple[Matrix, tuple[str, ...], tuple[str, ...]]:
    """Return the encoded inputs that vary, their names, and notes on encoding and leaving out."""
    encoded = list(by_name.values())
    constant = constant_columns(encoded)
    input_names = tuple(chain.from_iterable(column.names for column in encoded))
    kept = tuple(name for name in input_names if name not in constant)
    if not kept:
        raise ValueError(
            f"{table.name} must have at least one input column with numbers or categories that "
            "vary; got none. Add a column, or choose others with inputs=."
        )
    matrix = np.hstack([column.values for column in encoded])
    notes = [column.note for column in encoded if column.note]
    notes += [f"{name} left out: one value in every row." for name in constant]
    return matrix[:, [name in kept for name in input_names]], kept, tuple(notes)


def _encode(table: TextTable, name: str) -> EncodedColumn:
    """Return one column as numbers."""
    kind = column_kind(table, name)
    if kind == "numbers":
        return encode_numbers(table, name)
    if kind == "dates":
        return encode_dates(table, name)
    return encode_categories(table, name)


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


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for no value: empty, NA, N/A, NaN, null, None or ``?``."""
    return cell.lower() in MISSING


def read_csv(
    path: str | Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal = "auto",
    day_first: bool | None = None,
) -> TextTable:
    """Read a file of separated values with a header line; the options are those of ``from_csv``.

    Quotes, a byte order mark and blank lines are understood.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no text in that encoding, holds fewer than 2 rows, has no header of different
        names, or has a row of another length.
    """
    check_choice("decimal", decimal, get_args(Decimal))
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        raise ValueError(
            f"delimiter must be one character; got {short(delimiter)}. Pass for example ';'."
        )
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must be an existing CSV file; got {str(path)!r}. Check the name and the folder."
        )
    text, notes = _text(path.name, path.read_bytes(), encoding)
    delimiter = _delimiter(text) if delimiter is None else delimiter
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
            "Check that the file is whole."
        )
    columns = [list(column) for column in zip(*cells, strict=True)]
    return TextTable(
        path.name,
        dict(zip(header, columns, strict=True)),
        lines,
        decimal_comma=decimal == "," or (decimal == "auto" and delimiter != ","),
        is_said=decimal == ",",
        day_first=day_first,
        notes=notes,
    )


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, and the encodings that they stand for."""

_NO_TEXT = {
    b"PK\x03\x04": "a workbook or an archive (zip)",
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel",
    b"\x1f\x8b": "a compressed file (gzip)",
}
"""First bytes of files that are taken for tables."""


def _text(name: str, raw: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file with line ends of one kind, and a note on a guessed encoding."""
    for start, kind in _NO_TEXT.items():
        if raw.startswith(start):
            raise ValueError(f"{name} must be text; got {kind}. Save the table as CSV UTF-8.")
    if encoding is not None:
        return _decoded(name, raw, encoding).removeprefix("\ufeff"), ()
    for mark, found in _MARKS:
        if raw.startswith(mark):
            return _decoded(name, raw, found), ()
    # Every second byte of a Latin letter or a digit in UTF-16 is 0, and UTF-8 has no 0.
    zeros = raw[0::2].count(0), raw[1::2].count(0)
    if max(zeros) > len(raw) // 4 > min(zeros):
        return _decoded(name, raw, "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), ()
    try:
        return _decoded(name, raw, "utf-8"), ()
    except ValueError as error:
        try:
            text = _decoded(name, raw, "windows-1252")
        except ValueError:
            raise error from None
    example = re.search(r"\w*[^\W\x00-\x7f]\w*", text)
    shown = f" ({short(example[0])})" if example else ""
    return text, (f"Read as Windows-1252, for it is no UTF-8{shown}: encoding= is for others.",)


def _decoded(name: str, raw: bytes, encoding: str) -> str:
    """Return bytes as text, in which each line ends with a line feed."""
    try:
        return io.TextIOWrapper(io.BytesIO(raw), encoding).read()
    except UnicodeError as error:
        place = "other bytes"
        if isinstance(error, UnicodeDecodeError):
            place = f"byte {raw[error.start]:#04x} at place {error.start}"
        raise ValueError(
            f"{name} must be text in {encoding.upper()}; got {place}. Pass encoding= as it was "
            "written, such as 'latin-1', or save it again as CSV UTF-8."
        ) from None
    except (LookupError, TypeError, ValueError):  # also of codecs that are none of text
        raise ValueError(
            f"encoding must be Python's name of one, such as 'utf-8', 'latin-1' or 'utf-16'; "
            f"got {short(encoding)}. Pass one of these."
        ) from None


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first line with text into most fields."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: _n_fields(first, mark))


def _n_fields(line: str, delimiter: str) -> int:
    """Return into how many fields a delimiter cuts a line; 0 where it cannot."""
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:  # a field too long, which reading the rows will tell
        return 0


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
        raise ValueError(f"{name} is empty. It must have a header and rows.")
    if all(_looks_like_number(cell) for cell in header):
        raise ValueError(
            f"{name} must begin with a line of column names; got the numbers {short(header[:3])}. "
            "Add a first line such as x,y."
        )
    repeated = sorted({cell for cell in header if header.count(cell) > 1})
    if repeated:
        raise ValueError(
            f"{name} must have different column names; got {short(repeated[0])} more than once. "
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


def column_kind(table: TextTable, name: str) -> Kind:
    """Return what a column holds.

    ``"numbers"``: every cell that is not missing is a number. ``"dates"``: every one is a date, and
    they can be read in one way. ``"categories"``: there is text, in at most 30 different values and
    at most half as many as rows (two always do). ``"texts"``: more than that,
    as in names or running numbers, or dates that may begin with the day or with the month.

    Raises
    ------
    ValueError
        If there are too many values for categories though most cells are numbers, or dates: then
        the text is taken for an error in the file, and the first such cell is named. Or if only
        some times of a column say how far they are from UTC.
    """
    cells = table.columns[name]
    filled = [row for row, cell in enumerate(cells) if not is_missing(cell)]
    numbers = _numbers(table, name)
    texts = [row for row in filled if numbers[row] is None]
    if not texts:
        return "numbers"
    dates = table.dates(name)
    undated = [] if dates is None else [row for row in filled if np.isnan(dates.days[row])]
    if dates is not None and not undated:
        _check_zones(table, name, dates)
        return "texts" if dates.is_open else "dates"
    different = len({cells[row] for row in filled})
    if different <= max(2, min(MAX_CATEGORIES, len(filled) // 2)):
        return "categories"
    if len(texts) * 2 < len(filled):
        raise ValueError(
            f"{table.name} must have numbers in every row of column {short(name)}, as in most; "
            f"got {short(cells[texts[0]])} in line {table.lines[texts[0]]}. "
            "Correct or empty that cell, or choose other columns with inputs=."
        )
    if dates is not None and not dates.is_open and len(undated) * 2 < len(filled):
        raise ValueError(
            f"{table.name} must have dates in every row of column {short(name)}, as in most; "
            f"got {short(cells[undated[0]])} in line {table.lines[undated[0]]}. Correct or empty "
            "that cell, or leave the column out with exclude=."
        )
    return "texts"


def _check_zones(table: TextTable, name: str, dates: Dates) -> None:
    """Raise a ValueError where some times of a column have an offset from UTC and others none."""
    if dates.has_zones and dates.lacks_zones:
        raise ValueError(
            f"{table.name} must have an offset from UTC in every time of column {short(name)}, or "
            "in none; got both. Write all of them alike, as 2024-03-01T12:00+01:00."
        )


def encode_dates(table: TextTable, name: str) -> EncodedColumn:
    """Return a column of kind "dates" as days since 1970-01-01."""
    dates = table.dates(name)
    assert dates is not None
    turned = ", times turned to UTC" if dates.has_zones else ""
    order = {None: "", True: ", the day first", False: ", the month first"}[dates.day_first]
    note = f"{name}: dates as days since 1970-01-01{turned}{order}."
    return EncodedColumn(name, (name,), dates.days[:, None], note)


def encode_numbers(table: TextTable, name: str) -> EncodedColumn:
    """Return a column of kind "numbers" as floats.

    Raises
    ------
    ValueError
        If a number is infinite, or too large for a float.
    """
    cells = table.columns[name]
    numbers = zip(cells, _numbers(table, name), strict=True)
    values = np.array([np.nan if is_missing(cell) else n for cell, n in numbers], np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = infinite[0]
        raise ValueError(
            f"{table.name} must have finite numbers in column {short(name)}; got "
            f"{short(cells[row])} in line {table.lines[row]}. Correct or empty that cell."
        )
    commas = table.decimal_comma and any("," in cell for cell in cells)
    note = f"{name}: decimal commas read as points." if commas else ""
    if _groups_by_points(table, name):
        grouped = next(cell for cell in cells if "." in cell)
        value = _number(grouped, table, grouped=True)
        points = f"{name}: points between groups of digits left out, {grouped} is {value:.15g}."
        note = f"{note} {points}".strip()
    return EncodedColumn(name, (name,), values[:, None], note)


def encode_categories(table: TextTable, name: str) -> EncodedColumn:
    """Return a column of kind "categories" as zeros and ones, see ``encode_texts``."""
    cells = table.columns[name]
    return encode_texts(name, cells, [is_missing(cell) for cell in cells])


def class_labels(table: TextTable, name: str) -> list[Label]:
    """Return a column without missing cells as class labels: whole numbers if all are, or text."""
    cells = table.columns[name]
    numbers = _numbers(table, name)
    whole = [int(number) for number in numbers if number is not None and number.is_integer()]
    return list(whole) if len(whole) == len(cells) else list(cells)


def constant_columns(encoded: Sequence[EncodedColumn]) -> tuple[str, ...]:
    """Return the names of the columns that have one value in every row that is not missing."""
    return tuple(
        name
        for column in encoded
        for name, values in zip(column.names, column.values.T, strict=True)
        if np.nanmin(values) == np.nanmax(values)
    )


_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?", re.ASCII)
"""A number with points between groups of three digits, such as 1.234 or 12.345,6."""


def _numbers(table: TextTable, name: str) -> list[float | None]:
    """Return the number that each cell of a column holds, or None."""
    grouped = _groups_by_points(table, name)
    return [_number(cell, table, grouped=grouped) for cell in table.columns[name]]


def _groups_by_points(table: TextTable, name: str) -> bool:
    """Return whether points stand between groups of digits in a column, as 1.234 beside 5,6 says.

    They do in a file with decimal commas where every number with a point has such groups, and where
    the user said that commas are for decimals.

    Raises
    ------
    ValueError
        If only some have, and others decimal commas: then 1.234 might be either.
    """
    if not table.decimal_comma:
        return False
    cells = table.columns[name]
    pointed = [cell for cell in cells if "." in cell and _number(cell, table) is not None]
    pointed += [cell for cell in cells if "." in cell and _GROUPED.fullmatch(cell)]
    if not pointed or not table.has_decimal_commas:
        return False
    if table.is_said:
        return True
    other = next((cell for cell in pointed if not _GROUPED.fullmatch(cell)), None)
    if other is None:
        return True
    if any("," in cell and _number(cell, table) is not None for cell in cells):
        line = table.lines[cells.index(other)]
        raise ValueError(
            f"{table.name} must have one sign for decimals in column {short(name)}; got commas and "
            f"the point of {short(other)} in line {line}. Write all of them with one sign."
        )
    return False


def _number(cell: str, table: TextTable, *, grouped: bool = False) -> float | None:
    """Return the number that a cell holds, or None."""
    if grouped and _GROUPED.fullmatch(cell):
        cell = cell.replace(".", "")
    if table.is_said and "." in cell:
        return None
    text = cell.replace(",", ".") if table.decimal_comma else cell
    # Python would also read the underscores of a part number such as 10_25.
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
