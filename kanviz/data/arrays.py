"""Datasets from arrays in memory: numpy, pandas, torch or lists, numbers or class labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from kanviz.checks import (
    check_choice,
    check_finite,
    check_holds_numbers,
    listed,
    seeded,
    short,
)
from kanviz.data.columns import check_same_rows, column_names, same_columns
from kanviz.data.dataset import (
    FLOAT_DTYPES,
    Dataset,
    Label,
    check_names,
    default_names,
    read_sample_weight,
)
from kanviz.data.scaling import Scaling, root_mean_square
from kanviz.devices import on_cpu

NUMBER_KINDS = "buif"

Task = Literal["auto", "regression", "classification"]

Constant = Literal["error", "keep"]


@on_cpu
def from_arrays(
    x: Any,
    y: Any,
    *,
    x_test: Any = None,
    y_test: Any = None,
    test_fraction: float = 0.2,
    seed: int = 0,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    task: Task = "auto",
    constant: Constant = "error",
    normalize: bool = True,
    sample_weight: Any = None,
    sample_weight_test: Any = None,
    dtype: torch.dtype | None = None,
) -> Dataset:
    """Make a dataset of arrays, data frames, tensors or lists.

    Parameters
    ----------
    x : (samples, inputs) or (samples,)
        Inputs. Integers and booleans become floats. Of a data frame a column of text becomes one
        0/1 column for two values (``sex=male``), or one for each of up to 30, as in ``from_csv``;
        further rows are coded in the same way. Text anywhere else is an error.
    y : (samples, outputs) or (samples,)
        Targets: numbers, or one class label per sample.
    x_test, y_test
        Test samples; of data frames the columns of ``x`` and ``y`` by name. Without them a random
        part of the rows is kept for testing.
    test_fraction : float
        That part, from 0 (no test samples) to below 1. Not used when ``x_test`` is given.
    seed : int
        Which rows that part takes. No global generator is read.
    input_names, output_names : sequence of str, optional
        One per column, or per class in sorted order. By default those of the data frame, else
        ``x_1``, ``x_2`` ... and ``y`` (or ``y_1`` ...), and for classes their labels.
    task : {"auto", "regression", "classification"}
        With ``"auto"`` text and booleans are classes and all numbers, integers included, are not.
    constant : {"error", "keep"}
        What to do with an input that has the same value in every row, as border pixels may.
    normalize : bool
        Scale inputs and number targets to mean 0 and standard deviation 1 over the training
        samples. The scaling is kept in the dataset: a model that is fitted to it takes and gives
        the user's units.
    sample_weight, sample_weight_test : (samples,), optional
        How many times each row of ``x`` and of ``x_test`` counts: a row of weight 2 is as that row
        twice, one of weight 0 is left out. The noise of a fit is that of a row of weight 1, so
        weights that tell precision (1 / variance) belong divided by their mean.
    dtype : torch.dtype, optional
        float32 or float64. By default that of ``x`` if it is such a tensor, else torch's default.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, with row and column (both from 0) where there is one.

    Examples
    --------
    >>> data = from_arrays([[0.0, 1], [1, 3], [2, 5], [3, 9]], [1.0, 2, 3, 4], test_fraction=0.25)
    >>> data
    Dataset: 3 training and 1 test samples, float32 on cpu
      inputs (2): x_1, x_2
      outputs (1): y
    """
    check_choice("task", task, get_args(Task))
    check_choice("constant", constant, get_args(Constant))
    dtype = choose_dtype(dtype, like=x)
    x, y, weight, left_out = with_weight(x, y, sample_weight, "sample_weight")
    if sample_weight_test is not None and x_test is None:
        raise ValueError("sample_weight_test needs x_test and y_test; got none. Pass them as well.")
    x_test, y_test, test_weight, _ = with_weight(
        x_test, y_test, sample_weight_test, "sample_weight_test"
    )
    coded = coded_columns("x", x)
    if coded is None:
        inputs = read_numbers(
            "x", x
        ).double()  # until it is scaled: float32 has no digits for dates
        found = column_names(x)
    else:
        inputs = torch.from_numpy(np.hstack([column.values for column in coded]))
        found = tuple(name for column in coded for name in column.names)
    names = found if input_names is None else input_names
    names = default_names("x", inputs.shape[1]) if names is None else names
    names = check_names("input_names", names, inputs.shape[1])
    books = {column.name: column.categories for column in coded or () if column.categories}
    if constant == "error" and len(inputs) > 1:  # of one row there is something else to say
        check_varies(inputs, names)
    targets, tests, outputs, classes = _read_targets(y, y_test, inputs, task, output_names)
    data = Dataset(
        x=inputs,
        y=targets,
        x_test=None if x_test is None else _read_test_inputs(x_test, x, inputs, books),
        y_test=tests,
        input_names=names,
        output_names=outputs,
        x_scaling=Scaling.identity(len(names), inputs),
        y_scaling=Scaling.identity(len(outputs), inputs),
        notes=(*left_out, *(column.note for column in coded or () if column.note)),
        classes=classes,
        categories=books,
        sample_weight=weight,
        sample_weight_test=test_weight,
    )
    data.check_several()
    if x_test is None:
        data = _with_test_part(data, test_fraction, seed)
    return _in_dtype(data.normalized() if normalize else data, dtype)


FEW_DIGITS = 1e3
"""Roundings that a column must vary by, or its note says that the dtype has too few digits."""


def _in_dtype(data: Dataset, dtype: torch.dtype) -> Dataset:
    """Return data in their dtype, with a note where that has too few digits for a column."""
    cast, notes = data.to(dtype), list(data.notes)
    names = [*data.input_names, *(() if data.is_classification else data.output_names)]
    parts = [data.x] if data.is_classification else [data.x, data.y]
    before, number = torch.cat(parts, 1).double(), torch.finfo(dtype)
    size, deviation = before.abs().amax(0), root_mean_square(before - before.mean(0))
    varies = (before != before[:1]).any(0)
    is_lost = varies & (deviation < FEW_DIGITS * number.eps * size) | (size < number.tiny) & varies
    for name, lost in zip(names, is_lost.tolist(), strict=True):
        if lost:
            notes.append(
                f"{name} varies by so little of its size that {dtype} has few digits for it: "
                "pass normalize=True, dtype=torch.float64, or take an offset off."
            )
    return replace(cast, notes=tuple(notes))


def as_dataset(
    data: Any,
    *,
    task: Task = "auto",
    normalize: bool = False,
    sample_weight: Any = None,
    dtype: torch.dtype | None = None,
) -> Dataset:
    """Return ``data`` if it is a ``Dataset``, or make one of a pair (x, y), all for training.

    ``x`` and ``y`` are what ``from_arrays`` takes; ``task``, ``normalize``, ``sample_weight`` and
    ``dtype`` as there.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``sample_weight`` comes beside a ``Dataset``, or pair and options do not fit together.
    """
    if isinstance(data, Dataset):
        check_unweighted(data, sample_weight)
        return data
    if isinstance(data, tuple | list) and len(data) == 2:
        x, y = data
        return from_arrays(
            x,
            y,
            test_fraction=0.0,
            task=task,
            normalize=normalize,
            sample_weight=sample_weight,
            dtype=dtype,
        )
    if isinstance(data, Mapping) and "train_input" in data:
        raise TypeError(
            "data must be a Dataset or a pair (x, y); got a dict as pykan takes it. Write fit(d["
            '"train_input"], d["train_label"], validation=(d["test_input"], d["test_label"])).'
        )
    raise TypeError(
        f"data must be a Dataset or a pair (x, y); got {type(data).__name__}. "
        "Make one with from_arrays, from_csv or from_function."
    )


MOST_IN_MEMORY = 10_000_000
"""Numbers of a memory map, 80 MB, beyond which it is read in chunks."""


def is_in_memory(data: Any) -> bool:
    """Return whether data are arrays at hand, or nothing known; else they come in batches."""
    if isinstance(data, tuple | list) and len(data) == 2:
        return not any(isinstance(one, np.memmap) and one.size > MOST_IN_MEMORY for one in data)
    if isinstance(data, Dataset | Mapping | list | tuple | str | bytes) or hasattr(data, "shape"):
        return True
    return not (hasattr(data, "__iter__") or hasattr(data, "__getitem__"))


def check_unweighted(data: Any, sample_weight: Any) -> None:
    """Raise a ValueError where weights come beside a ``Dataset``, which keeps its own."""
    if sample_weight is not None and isinstance(data, Dataset):
        raise ValueError(
            "sample_weight belongs to the rows of X and y; got it beside a Dataset, which keeps "
            "its own. Make it with from_arrays(x, y, sample_weight=...)."
        )


def split_rows(
    rows: int, test_fraction: float, seed: int
) -> tuple[Int64[Tensor, " train"], Int64[Tensor, " test"]]:
    """Return the row numbers of a random training part and of the test part, each in order.

    Raises
    ------
    ValueError
        If ``test_fraction`` is out of range or leaves fewer than 2 rows for training.
    """
    is_share = isinstance(test_fraction, int | float) and 0 <= test_fraction < 1
    n_test = round(rows * test_fraction) if is_share else 0
    if not is_share or rows - n_test < 2:
        raise ValueError(
            "test_fraction must be from 0 to below 1 and leave at least 2 training rows; "
            f"got {test_fraction!r} of {rows} rows. Pass more rows or a smaller part."
        )
    order = torch.randperm(rows, generator=seeded(seed))
    return order[n_test:].sort().values, order[:n_test].sort().values


def choose_dtype(dtype: torch.dtype | None, like: Any = None) -> torch.dtype:
    """Return ``dtype`` once checked; or that of the float tensor ``like``; or torch's default."""
    if dtype is None:
        is_float = isinstance(like, Tensor) and like.dtype in FLOAT_DTYPES
        dtype = like.dtype if is_float else torch.get_default_dtype()
    if dtype not in FLOAT_DTYPES:
        raise ValueError(
            f"dtype must be torch.float32 or torch.float64; got {dtype}. Choose one of them."
        )
    return dtype


def _with_test_part(data: Dataset, test_fraction: float, seed: int) -> Dataset:
    """Return ``data`` with a random part of its training rows kept for testing."""
    train, test = split_rows(len(data.x), test_fraction, seed)
    x, y = data.x, data.y
    if len(test) == 0:
        return data
    weight = data.sample_weight
    weights = (None, None) if weight is None else (weight[train], weight[test])
    return replace(
        data,
        x=x[train],
        y=y[train],
        x_test=x[test],
        y_test=y[test],
        sample_weight=weights[0],
        sample_weight_test=weights[1],
    )


def with_weight(
    x: Any, y: Any, sample_weight: Any, name: str
) -> tuple[Any, Any, Tensor | None, tuple[str, ...]]:
    """Return the rows that count, their weights or None, and a note on those that do not.

    ``name`` is that of the weights: it tells the training part from the test part in messages.
    """
    end = name.removeprefix("sample_weight")
    check_same_rows(x, y, f"y{end}", f"x{end}")
    check_same_rows(x, sample_weight, name, f"x{end}")
    if sample_weight is None:
        return x, y, None, ()
    rows = len(x) if hasattr(x, "__len__") else 0
    weight = read_sample_weight(sample_weight, rows, name)
    check_holds_numbers(name, weight)
    counts = weight > 0
    n_out = int((~counts).sum())
    if n_out == 0:
        return x, y, weight, ()
    x, y = (rows_of(part, counts) if len(part) == len(counts) else part for part in (x, y))
    return x, y, weight[counts], (f"{n_out} of {len(counts)} rows left out for a weight of 0.",)


def rows_of(values: Any, chosen: Bool[Tensor, " rows"]) -> Any:
    """Return those rows of an array, tensor, data frame or list, of its own kind."""
    if isinstance(values, Tensor):
        return values[chosen.to(values.device)]
    keep = chosen.cpu().numpy()
    if hasattr(values, "iloc"):
        return values.iloc[keep]
    if isinstance(values, np.ndarray):
        return values[keep]
    if hasattr(values, "to_numpy") and hasattr(values, "filter"):  # polars
        return values.filter(keep)
    return [row for row, is_chosen in zip(values, keep.tolist(), strict=True) if is_chosen]


def check_varies(x: Tensor, names: tuple[str, ...]) -> None:
    """Raise a ValueError that names the inputs with one and the same value in every row."""
    same = (x == x[:1]).all(dim=0).tolist()
    constant = [name for name, is_same in zip(names, same, strict=True) if is_same]
    if constant:
        check_finite("x", x, names)  # of infinite numbers that is what is wrong
        raise ValueError(
            "x must vary in every column, for a constant says nothing about y; got one value in "
            f"{listed(constant)}. Remove such columns, or keep them with constant='keep'."
        )


def _read_targets(
    y: Any, y_test: Any, x: Tensor, task: Task, names: Sequence[str] | None
) -> tuple[Tensor, Tensor | None, tuple[str, ...], tuple[Label, ...] | None]:
    """Return targets, test targets or None, names of the outputs, and labels of classes if any."""
    if task == "classification" or (task == "auto" and holds_labels(y)):
        return _read_classes(y, y_test, x, names)
    targets = _like_inputs("y", y, x)
    columns = targets.shape[1]
    names = column_names(y) if names is None else names
    names = default_names("y", columns) if names is None else names
    names = check_names("output_names", names, columns)
    y_test = same_columns("y_test", y_test, column_names(y)) if columns > 1 else y_test
    tests = None if y_test is None else _like_inputs("y_test", y_test, x)
    return targets, tests, names, None


def _read_classes(
    y: Any, y_test: Any, x: Tensor, names: Sequence[str] | None
) -> tuple[Tensor, Tensor | None, tuple[str, ...], tuple[Label, ...]]:
    """Return class numbers, those of the test part or None, and name and label of each class."""
    labels = read_labels("y", y)
    test_labels = [] if y_test is None else read_labels("y_test", y_test)
    classes = sorted_classes([*labels, *test_labels])
    if len(classes) < 2:
        raise ValueError(
            f"y must have at least 2 classes; got only {classes[0]!r}. Pass rows of another class."
        )
    names = tuple(str(label) for label in classes) if names is None else names
    numbers = class_numbers(labels, classes).to(x.device)
    tests = None if y_test is None else class_numbers(test_labels, classes).to(x.device)
    return numbers, tests, check_names("output_names", names, len(classes)), classes


def _like_inputs(name: str, values: Any, x: Tensor) -> Tensor:
    """Return a table of numbers in the dtype of ``x``; what is no tensor goes to its device too."""
    numbers = read_numbers(name, values).to(x.dtype)
    return numbers if isinstance(values, Tensor) else numbers.to(x.device)


def _read_test_inputs(
    x_test: Any, x: Any, inputs: Tensor, books: Mapping[str, tuple[str, ...]]
) -> Tensor:
    """Return the test inputs; of a data frame the columns of ``x``, by name."""
    x_test = same_columns("x_test", x_test, column_names(x))
    coded = coded_columns("x_test", x_test, books) if books else None
    if coded is not None:
        x_test = np.hstack([column.values for column in coded])
    return _like_inputs("x_test", x_test, inputs)


# ---- columns of text -----------------------------------------------------------------------------

MAX_CATEGORIES = 30


@dataclass(frozen=True)
class EncodedColumn:
    """What a network can read of one column.

    Parameters
    ----------
    name : str
        The column's own.
    names : tuple of str
        The column's own name for numbers; ``sex=male`` for a category.
    values : (rows, names)
        Numbers; a category is 0 or 1. Not a number where the cell is missing.
    note : str
        A sentence on how it was read, or empty if as it stands.
    categories : tuple of str
        The texts of a column of text, sorted.
    """

    name: str
    names: tuple[str, ...]
    values: Float64[np.ndarray, "rows names"]
    note: str = ""
    categories: tuple[str, ...] = ()


def encode_texts(
    name: str, cells: Sequence[str], missing: Sequence[bool], known: Sequence[str] | None = None
) -> EncodedColumn:
    """Return a column of text as zeros and ones.

    Two categories become one column, which is 1 for the later in sorted order; more become one
    column each (one-hot). ``known`` are the categories of the rows that a network learns from.
    """
    texts, gaps = np.array(cells), np.array(missing)
    categories = [str(text) for text in np.unique(texts[~gaps])] if known is None else list(known)
    shown = categories if len(categories) > 2 else categories[-1:]
    values = (texts[:, None] == np.array(shown)).astype(np.float64)
    values[gaps] = np.nan
    if len(shown) > 1:
        note = f"{name}: one 0/1 column for each of {', '.join(categories)}."
    else:
        note = f"{name}: 1 is {shown[0]}" + "".join(f", 0 is {c}" for c in categories[:-1]) + "."
    names = tuple(f"{name}={category}" for category in shown)
    return EncodedColumn(name, names, values, note, tuple(categories))


def coded_columns(
    name: str, frame: Any, books: Mapping[str, tuple[str, ...]] | None = None
) -> list[EncodedColumn] | None:
    """Return the columns of a data frame that has some of text; None for all else.

    Parameters
    ----------
    name : str
        What the frame is called in messages.
    frame
        A data frame, or anything.
    books : mapping, optional
        The code book; by default what the frame holds.

    Raises
    ------
    ValueError
        If a cell of text is missing or not in the code book, or there are too many different ones.
    """
    names = column_names(frame) if hasattr(frame, "columns") else None
    if names is None or len(set(names)) < len(names):
        return None
    columns = {mine: frame[theirs] for mine, theirs in zip(names, frame.columns, strict=True)}
    texts = {mine: _texts_of(column) for mine, column in columns.items()}
    if all(cells is None for cells in texts.values()):
        return None
    coded = []
    for mine, cells in texts.items():
        if cells is None:
            numbers = read_numbers(name, columns[mine]).double().numpy()
            coded.append(EncodedColumn(mine, (mine,), numbers))
        else:
            known = None if books is None else books.get(mine)
            _check_texts(name, mine, cells, known)
            missing = [False] * len(cells)
            coded.append(encode_texts(mine, cells, missing, known))
    return coded


def _texts_of(column: Any) -> list[Any] | None:
    """Return the cells of a column that holds text, None for another one.

    Text beside numbers, or text that is a number, is taken for a mistake: it is not coded.
    """
    cells = np.asarray(column)
    if cells.ndim != 1 or cells.dtype.kind not in "OUST":
        return None
    found: list[Any] = cells.tolist()
    texts = [cell for cell in found if isinstance(cell, str)]
    others = {type(cell) for cell in found if not _is_missing(cell)} - {str}
    return None if not texts or others or any(map(_is_number, texts)) else found


def _is_missing(cell: Any) -> bool:
    """Return whether a cell of a data frame stands for no value."""
    is_nan = isinstance(cell, float) and cell != cell
    return is_nan or cell is None or type(cell).__name__ in ("NAType", "NaTType")


def _is_number(text: str) -> bool:
    """Return whether a text reads as a number, that is no missing one."""
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _check_texts(name: str, column: str, cells: Sequence[Any], known: Sequence[str] | None) -> None:
    """Raise a ValueError unless every cell is a text that can be coded."""
    for row, cell in enumerate(cells):
        if _is_missing(cell) or not cell.strip():
            raise ValueError(
                f"{name} must have a value in every row of column {column!r}; got none in row "
                f"{row}. Fill it, or leave that row out."
            )
    found = set(cells)
    if known is not None and (unknown := sorted(found - set(known))):
        raise ValueError(
            f"{name} holds {short(unknown[0])} in column {column!r}, which the training rows do "
            f"not. They have {listed(known)}. Leave such rows out."
        )
    if known is None and len(found) > MAX_CATEGORIES:
        raise ValueError(
            f"{name} must have at most {MAX_CATEGORIES} different texts in a column, which become "
            f"categories; got {len(found)} in {column!r}, such as {short(cells[0])}. Leave "
            "that column out, or turn it into numbers."
        )


# ---- numbers and labels --------------------------------------------------------------------------


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
    check_holds_numbers(name, table)
    table = table if table.layout == torch.strided else table.to_dense()
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


def holds_labels(values: Any) -> bool:
    """Return whether ``values`` are class labels by nature: text, booleans or a category type."""
    if isinstance(values, Tensor):
        return values.dtype == torch.bool
    if str(getattr(values, "dtype", "")) == "category":
        return True
    array = _as_array("y", values)
    if array.dtype.kind == "O":
        known = [cell for cell in array.flat if not _is_missing(cell)]  # who reads labels says so
        return bool(known) and all(isinstance(cell, str | bool | np.bool_) for cell in known)
    return array.dtype.kind in "USb"


def read_labels(name: str, values: Any) -> list[Label]:
    """Return class labels, one per row: text and truth values as they are, whole numbers.

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
    entries = array.ravel().tolist()
    if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
        # Of a gap in a list of texts numpy has made the text "nan" or "None".
        given = np.asarray(values, dtype=object).ravel().tolist()
        entries = [
            own if _is_missing(own) else entry for own, entry in zip(given, entries, strict=True)
        ]
    return [_as_label(name, row, entry) for row, entry in enumerate(entries)]


def sorted_classes(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Return the distinct labels: numbers in order, then text in order."""
    return tuple(sorted(set(labels), key=lambda label: (isinstance(label, str), label)))


def class_numbers(labels: Sequence[Label], classes: Sequence[Label]) -> Int64[Tensor, " samples"]:
    """Return the place of each label in ``classes``."""
    place = {label: number for number, label in enumerate(classes)}
    return torch.tensor([place[label] for label in labels], dtype=torch.int64)


def looked_up(labels: Sequence[Label], classes: Sequence[Label]) -> Int64[Tensor, " samples"]:
    """Return the numbers of labels among the classes of a model; also of labels given as text."""
    as_text = {str(label): label for label in classes}
    unknown = [label for label in labels if label not in classes and str(label) not in as_text]
    if unknown:
        raise ValueError(
            f"y holds the label {unknown[0]!r}, which the model does not know. Its classes are "
            f"{listed([str(label) for label in classes])}. Leave such rows out, or fit a new model."
        )
    known = [label if label in classes else as_text[str(label)] for label in labels]
    return class_numbers(known, classes)


def _as_array(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as a numpy array of at least one axis."""
    if isinstance(values, Tensor):
        check_holds_numbers(name, values)
        return values.detach().cpu().numpy()
    if np.ma.isMaskedArray(values) and (gaps := np.argwhere(np.ma.getmaskarray(values))).size:
        raise ValueError(
            f"{name} must have a value everywhere; got a masked one in row {gaps[0][0]}. Fill it, "
            "or leave that row out."
        )
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
    if array.dtype.kind in "mM":  # of which numpy makes numbers in a unit that nobody sees
        raise TypeError(
            f"{name} must hold numbers only; got dates or times ({array.dtype}). Turn them into "
            "numbers first, such as days: (t - t.min()) / np.timedelta64(1, 'D')."
        )
    if array.dtype.kind not in NUMBER_KINDS:
        # As objects, for numpy has turned the numbers of a mixed list into text.
        entries = np.asarray(values, dtype=object)
        _check_entries(name, entries.reshape(len(entries), -1), column_names(values))
    try:
        return torch.from_numpy(array.astype(np.float64))
    except OverflowError:
        raise ValueError(
            f"{name} must be at most 1e300 in size; got an integer beyond that. Take another unit."
        ) from None


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


def _as_label(name: str, row: int, entry: Any) -> Label:
    """Return one class label as Python's own text, truth value or whole number."""
    if isinstance(entry, np.generic):  # of an array of objects
        entry = entry.item()
    if isinstance(entry, str | bool):
        return entry
    if isinstance(entry, int) or (isinstance(entry, float) and entry.is_integer()):
        return int(entry)
    raise ValueError(
        f"{name} must hold class labels (text or whole numbers); got {entry!r} in row {row}. "
        "Give that row a label or remove it."
    )
