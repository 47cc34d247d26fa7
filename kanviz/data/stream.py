"""Rows that come in batches, again and again: more of them than what fits into memory.

A ``Stream`` is what a user gives (a loader of torch, a data set of torch, memory maps, whatever can
be gone through again). Its ``Survey`` is what one passage tells of all rows: how many there are,
their units, and a sample that stands for them wherever a few thousand rows will do. In the units of
a network it is ``Streamed``, what a fit goes through.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset
from torch.utils.data import Dataset as TorchDataset

from kanviz.checks import check_finite, seeded
from kanviz.data.arrays import (
    Task,
    check_varies,
    holds_labels,
    is_in_memory,
    looked_up,
    read_labels,
    read_numbers,
    sorted_classes,
)
from kanviz.data.columns import (
    check_same_rows,
    column_names,
    columns_by_name,
    same_columns,
    same_targets,
)
from kanviz.data.dataset import About, Dataset, Label, default_names
from kanviz.data.scaling import ROUNDING, Moments, Scaling

CHUNK_ROWS = 65_536
"""Rows of a memory map that are read at a time; batches are drawn from these."""

BATCH_ROWS = 1024
"""Rows of a batch where nobody says."""

SAMPLE_ROWS = 4096
"""Rows drawn to stand for all."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in the user's units that come in batches, as often as they are asked for.

    Parameters
    ----------
    passage : callable
        ``passage(generator)`` begins anew and yields pairs (x, y): shuffled by the generator where
        one is given and the order is not the user's own matter.
    """

    passage: Callable[[torch.Generator | None], Iterator[Any]]

    def first(self) -> tuple[Any, Any]:
        """Return the first batch, which tells what the others are like."""
        for pair in self.pairs():
            return pair
        raise ValueError("data must hold rows; got a loader that gives none. Pass one with rows.")

    def pairs(self, generator: torch.Generator | None = None) -> Iterator[tuple[Any, Any]]:
        """Yield all batches once, as they are given."""
        for batch in self.passage(generator):
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                raise ValueError(
                    "Each batch must be a pair (x, y) of inputs and targets; got "
                    f"{type(batch).__name__}. Let the loader give pairs."
                )
            check_same_rows(batch[0], batch[1], "y")
            yield batch[0], batch[1]

    def by_names_of(self, about: About) -> "Stream":
        """Return the stream whose frames have a model's columns; of others nothing changes."""
        return Stream(
            lambda generator: (
                (columns_by_name(x, about), same_targets("y", y, about.output_names))
                for x, y in self.pairs(generator)
            )
        )

    def survey(self, task: Task = "auto", seed: int = 0) -> "Survey":
        """Go through all rows once, and return what they are.

        Parameters
        ----------
        task : str
            How targets are to be read, as for ``from_arrays``.
        seed : int
            Which rows the sample takes.

        Raises
        ------
        ValueError, TypeError
            If rows are no finite numbers or do not fit together, or there are fewer than two.
        """
        is_open, generator = task == "auto", seeded(seed)
        is_classes = holds_labels(self.first()[1]) if is_open else task == "classification"
        found = _Passage(is_classes=is_classes)
        for x, targets in self.pairs():
            found.take(x, targets, generator)
        return found.survey()


@dataclass(frozen=True, eq=False)
class Survey:
    """What one passage tells of all rows.

    Parameters
    ----------
    rows : int
    data : Dataset
        The sample, scaled to mean 0 and standard deviation 1 over all rows: some drawn at random,
        in random order, and those with the extremes of each column.
    targets : Moments or None
        Of y in the user's units; None for classes.
    """

    rows: int
    data: Dataset
    targets: Moments | None


@dataclass(frozen=True, eq=False)
class Streamed:
    """All rows of a stream in the units of a network.

    Parameters
    ----------
    stream : Stream
    survey : Survey
    about : About
        The units; of classes their labels.
    """

    stream: Stream
    survey: Survey
    about: About

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.survey.rows

    @property
    def deviation(self) -> float:
        """The unit of errors on targets, as ``deviation_of`` has it; 1 for classes."""
        targets, units = self.survey.targets, self.about.y_scaling
        if targets is None:
            return 1.0
        means, each = units.apply(targets.mean), targets.deviation / units.scale
        found = float((each.square() + (means - means.mean()).square()).mean().sqrt())
        size = float(units.apply(torch.stack([targets.lowest, targets.highest])).abs().amax())
        return found if found > ROUNDING * size else size or 1.0

    def batches(
        self, like: Tensor, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all rows once, inputs and numbers in the dtype of ``like``, on its device."""
        return in_units(self.stream, self.about, like, generator)


def in_units(
    stream: Stream, about: About, like: Tensor, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all rows of a stream once, in the units of a network.

    Parameters
    ----------
    stream : Stream
    about : About
        The units; of classes their labels.
    like : Tensor
        Whose dtype and device the rows get.
    generator : torch.Generator, optional
        Shuffles where that is not the user's own matter.

    Raises
    ------
    ValueError, TypeError
        If a batch does not fit, or holds what is no finite number or no label of a known class.
    """
    for x, y in stream.pairs(generator):
        x = columns_by_name(x, about)
        inputs = about.x_scaling.apply(_table("x", x, len(about.input_names))).to(like.detach())
        check_finite("x", inputs, about.input_names)
        if about.classes is None:
            y = same_targets("y", y, about.output_names)
            targets = about.y_scaling.apply(_table("y", y, len(about.output_names))).to(like)
        else:
            labels, which = _distinct(y)
            targets = looked_up(labels, about.classes)[which].to(like.device)
        _check_together(inputs, targets)
        yield inputs, targets


# ---- what is a stream ----------------------------------------------------------------------------


def as_stream(data: Any, batch_size: int | None = None) -> Stream | None:
    """Return data that come in batches as a stream; None for all that ``is_in_memory``.

    Parameters
    ----------
    data
        A ``DataLoader`` or another object that gives pairs (x, y) of batches, each time that it is
        gone through; a data set of torch, which gives single rows; or a pair (X, y) of arrays of
        which one is a large memory map.
    batch_size : int, optional
        Rows of a batch; not for a loader, which has its own.

    Raises
    ------
    TypeError
        If it can be gone through only once.
    ValueError
        If ``batch_size`` comes beside a loader.
    """
    if is_in_memory(data):
        return None
    if isinstance(data, tuple | list):
        return _of_arrays(data[0], data[1], batch_size)
    if isinstance(data, TorchDataset):
        return _of_torch(data, batch_size or BATCH_ROWS)
    if not hasattr(data, "__iter__"):
        return None
    if batch_size is not None:
        raise ValueError(
            f"batch_size must be left to the loader; got {batch_size} beside "
            f"{type(data).__name__}. Give it to the loader."
        )
    if hasattr(data, "__next__"):
        raise TypeError(
            "data must be gone through many times, once in each epoch; got "
            f"{type(data).__name__}, which ends after one. Pass a DataLoader, or an object whose "
            "__iter__ begins anew."
        )
    return Stream(lambda _: iter(data))


def _of_arrays(x: Any, y: Any, batch_size: int | None) -> Stream:
    """Return chunks of rows, one after the other; shuffled, batches of chunks taken at random."""
    if len(x) != len(y):
        raise ValueError(
            f"y must have {len(x)} rows, like x; got {len(y)}. Pass one target per sample."
        )
    starts = range(0, len(x), CHUNK_ROWS)

    def read(start: int) -> tuple[Any, Any]:
        stop = start + CHUNK_ROWS
        return np.asarray(x[start:stop]), np.asarray(y[start:stop])

    def passage(generator: torch.Generator | None) -> Iterator[Any]:
        if generator is None:
            yield from map(read, starts)
            return
        for chunk in torch.randperm(len(starts), generator=generator).tolist():
            inputs, targets = read(starts[chunk])
            order = torch.randperm(len(inputs), generator=generator)
            for rows in order.split(batch_size or BATCH_ROWS):
                yield inputs[rows.numpy()], targets[rows.numpy()]

    return Stream(passage)


def _of_torch(data: "TorchDataset[Any]", batch_size: int) -> Stream:
    """Return batches of a data set of torch; one that has numbers for its rows is shuffled."""
    has_numbers = not isinstance(data, IterableDataset)

    def passage(generator: torch.Generator | None) -> Iterator[Any]:
        return iter(
            DataLoader(
                data,
                batch_size=batch_size,
                shuffle=generator is not None if has_numbers else None,
                generator=generator or torch.Generator(),
            )
        )

    return Stream(passage)


# ---- a passage -----------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """Some rows: their numbers in the stream, what they were drawn by, and what they hold."""

    number: Int64[Tensor, " rows"]
    key: Float64[Tensor, " rows"]
    x: Float64[Tensor, "rows inputs"]
    y: Tensor

    def and_(self, other: "_Kept") -> "_Kept":
        return _Kept(*(torch.cat(both) for both in zip(self, other, strict=True)))

    def chosen(self, rows: Tensor) -> "_Kept":
        return _Kept(*(part[rows] for part in self))

    def with_extremes(self) -> "_Kept":
        """Return the rows with the least and the largest number of each input."""
        return self.chosen(torch.cat([self.x.argmin(0), self.x.argmax(0)]).unique())

    def drawn(self) -> "_Kept":
        """Return those with the largest keys: a sample without replacement, in random order."""
        return self.chosen(self.key.topk(min(SAMPLE_ROWS, len(self.key))).indices)


class _Passage:
    """What is known so far while a stream is gone through."""

    def __init__(self, *, is_classes: bool) -> None:
        self.inputs, self.targets = Moments(), None if is_classes else Moments()
        self.places: dict[Label, int] = {}
        self.names: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = None, None
        self.drawn: _Kept | None = None
        self.extremes: _Kept | None = None

    def take(self, x: Any, y: Any, generator: torch.Generator) -> None:
        """Add a batch; of data frames the columns of the first, by name."""
        if self.drawn is None:
            self.names = column_names(x), column_names(y)
        else:
            x, y = same_columns("x", x, self.names[0]), same_columns("y", y, self.names[1])
        inputs = _table("x", x, None if self.drawn is None else self.drawn.x.shape[1])
        check_finite("x", inputs)
        if self.targets is None:
            labels, which = _distinct(y)
            for label in labels:
                self.places.setdefault(label, len(self.places))
            targets = torch.tensor([self.places[label] for label in labels])[which]
        else:
            targets = _table("y", y, None if self.drawn is None else self.drawn.y.shape[1])
            check_finite("y", targets)
            self.targets.add(targets)
        _check_together(inputs, targets)
        first = self.inputs.rows
        self.inputs.add(inputs)
        key = torch.rand(len(inputs), generator=generator, dtype=torch.float64)
        new = _Kept(torch.arange(first, first + len(inputs)), key, inputs, targets)
        self.drawn = (new if self.drawn is None else self.drawn.and_(new)).drawn()
        self.extremes = (new if self.extremes is None else self.extremes.and_(new)).with_extremes()

    def survey(self) -> Survey:
        """Return what was found, in the end."""
        assert self.drawn is not None
        assert self.extremes is not None
        names = self.names[0] or default_names("x", self.drawn.x.shape[1])
        check_varies(torch.stack([self.inputs.lowest, self.inputs.highest]), names)
        is_new = ~torch.isin(self.extremes.number, self.drawn.number)
        sample = self.drawn.and_(self.extremes.chosen(is_new))
        y, classes = sample.y, None
        if self.targets is None:
            classes = sorted_classes(list(self.places))
            order = torch.tensor([classes.index(label) for label in self.places])
            y, outputs = order[sample.y], tuple(str(label) for label in classes)
            if len(classes) < 2:
                raise ValueError(
                    f"y must have at least 2 classes; got only {classes[0]!r}. Pass rows of "
                    "another class."
                )
        else:
            outputs = self.names[1] or default_names("y", y.shape[1])
        like = sample.x
        data = Dataset(
            sample.x,
            y,
            None,
            None,
            names,
            outputs,
            Scaling.identity(len(names), like),
            Scaling.identity(len(outputs), like),
            classes=classes,
        )
        data.check_several()
        y_step = None if self.targets is None else self.targets.scaling()
        data = data.scaled(self.inputs.scaling(), y_step)
        return Survey(self.inputs.rows, data, self.targets)


def _table(name: str, values: Any, columns: int | None) -> Float64[Tensor, "rows columns"]:
    """Return a batch of numbers on the CPU, checked against the batches before."""
    table = read_numbers(name, values).cpu().double()
    if columns is not None and table.shape[1] != columns:
        raise ValueError(
            f"Each batch of {name} must have {columns} columns; got {tuple(table.shape)}. Let all "
            "batches be alike."
        )
    return table


def _distinct(y: Any) -> tuple[list[Label], Int64[Tensor, " rows"]]:
    """Return the labels of a batch, each once, and for each row which of them it has."""
    array = np.asarray(y.detach().cpu() if isinstance(y, Tensor) else y)
    if array.size == 0 or array.size != len(array):
        read_labels("y", array)  # raises
    values, which = np.unique(array.ravel(), return_inverse=True)
    return read_labels("y", values), torch.from_numpy(which)


def _check_together(x: Tensor, y: Tensor) -> None:
    if len(x) != len(y):
        raise ValueError(
            f"Each batch must have as many rows of y as of x; got {len(y)} and {len(x)}. Pass one "
            "target per sample."
        )
