"""The boundary of a model: what users pass, in their units, names and labels, as a network takes.

One rule holds for every public call. Arrays, tensors, lists and data frames are in the user's
units. A ``Dataset`` comes back to these by its own scaling, whatever that is. From there the
scaling that the model keeps leads into the network's units. All of it is done in float64, and the
cast to the network's dtype comes last, so the offset of a date or of a map coordinate is taken off
before its digits are lost.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from kanviz.checks import check_finite, listed, short
from kanviz.data.arrays import (
    Task,
    as_dataset,
    check_unweighted,
    column_names,
    holds_labels,
    looked_up,
    read_labels,
    read_numbers,
    with_weight,
)
from kanviz.data.dataset import About, Dataset, Label, default_names
from kanviz.data.scaling import Scaling
from kanviz.data.stream import Stream, Survey
from kanviz.nn.network import Network
from kanviz.training.task import check_fits

N_GRID_SAMPLE = 512

FIRST_GRID = (-1.0, 1.0)
"""The grid of inputs that nobody gave a range: in the network's units, about where its data lie."""


def read_inputs(x: Any, about: About, like: Tensor) -> Float[Tensor, "samples inputs"]:
    """Return x in the network's units, of the dtype of ``like`` and on its device, checked.

    Parameters
    ----------
    x : (samples, inputs) or Dataset
        In the user's units: tensor, array, data frame or nested list; one axis is one column. Of a
        data frame columns are taken by name. Of a ``Dataset`` the training inputs are taken, of a
        pair (X, y), where X has two axes, X.
    about : About
        Names and units of the network's inputs.
    like : Tensor
        Floating point.

    Raises
    ------
    TypeError
        If an entry is no real number.
    ValueError
        If the shape or the names do not fit, x is empty, or an entry is not finite in that dtype.
    """
    if isinstance(x, tuple) and len(x) == 2 and np.ndim(x[0]) == 2:
        x = x[0]
    if isinstance(x, Dataset):
        data = _in_order(x, about)
        _check_width(data.x, about.input_names)
        inputs = _rescaled(data.x, data.x_scaling, about.x_scaling)
    else:
        inputs = about.x_scaling.apply(_numbers_of(x, about))
    if inputs.is_meta or like.is_meta:
        what = "x" if inputs.is_meta else "This model"
        raise ValueError(f"{what} is on the meta device, which holds no numbers. Move it first.")
    inputs = inputs.to(like.detach())
    check_finite("x", inputs, about.input_names)
    return inputs


def read_dataset(data: Any, about: About, network: Network, sample_weight: Any = None) -> Dataset:
    """Return data in the network's units.

    Parameters
    ----------
    data : Dataset or (x, y)
        A pair is in the user's units; labels of classes are looked up in those that the model
        knows. A ``Dataset`` brings its own scaling, and its labels.
    about : About
        Names, units and classes of the network.
    network : Network
        Is only asked for its widths.
    sample_weight : (samples,), optional
        How many times each row of a pair counts; rows of weight 0 are left out.

    Raises
    ------
    TypeError
        If it is neither, or an entry is no number where one is needed.
    ValueError
        If shape, names or labels do not fit.
    """
    check_unweighted(data, sample_weight)
    known = data if isinstance(data, Dataset) else _of_pair(data, about, sample_weight)
    known = known.counted() if about.is_counts else known
    return _in_units(_in_order(_in_classes(known, about), about), about, network)


def _in_units(data: Dataset, about: About, network: Network) -> Dataset:
    """Return a data set whose columns and classes are the model's in the network's units."""
    check_fits(network, data)

    def inputs(part: Tensor | None) -> Tensor | None:
        scalings = data.x_scaling, about.x_scaling
        return None if part is None else _rescaled(part, *scalings).to(part.dtype)

    def targets(part: Tensor | None) -> Tensor | None:
        if part is None or data.is_classification or data.is_counts:
            return part
        scalings = data.y_scaling, about.y_scaling
        return _rescaled(part, *scalings).to(part.dtype)

    changes: dict[str, Any] = {
        "x": inputs(data.x),
        "y": targets(data.y),
        "x_test": inputs(data.x_test),
        "y_test": targets(data.y_test),
        "input_names": _better_names(about.input_names, data.input_names, "x"),
        "output_names": _better_names(about.output_names, data.output_names, "y"),
        "x_scaling": about.x_scaling.to(data.x.device),
        "y_scaling": about.y_scaling.to(data.x.device),
    }
    return replace(data, **changes)


def about_after(data: Dataset, about: About, *, is_new: bool) -> About:
    """Return what a model knows of its data once it was fitted to ``data``.

    A new model takes over names, units and classes. Another one keeps its units, as its curves are
    in these, and takes over names and classes where it had none.

    Parameters
    ----------
    data : Dataset
        In the network's units.
    about : About
        What the model knew before.
    is_new : bool
        Whether nothing was learnt before.
    """
    found = About.data(data)
    return found if is_new else replace(found, x_scaling=about.x_scaling, y_scaling=about.y_scaling)


def classes_or_numbers(data: Any, loss: object, n_outputs: int) -> Task:
    """Return how targets are to be read: as ``from_arrays`` has it, or surely as classes.

    Whole numbers are labels where cross entropy is asked for, or where one column of them, of any
    type, stands for several outputs. For one output and a loss of the user's own, y are numbers:
    that loss is asked about them.
    """
    if loss == "cross_entropy" or isinstance(loss, torch.nn.CrossEntropyLoss):
        return "classification"
    if callable(loss) and n_outputs == 1:
        return "regression"
    if not isinstance(data, tuple | list) or len(data) != 2 or n_outputs == 1:
        return "auto"
    y = data[1].detach().cpu() if isinstance(data[1], Tensor) else data[1]
    array = np.asarray(y)
    is_whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool((array % 1 == 0).all())
    )
    return "classification" if array.ndim == 1 and is_whole else "auto"


def surveyed(
    stream: Stream, about: About, task: Task, seed: int, sample_weight: Any = None
) -> Survey:
    """Go through all rows of a stream once, and return what they are.

    Parameters
    ----------
    stream : Stream
    about : About
        What the model knows: of one that tells classes apart the targets are labels.
    task : str
        How targets are to be read, see ``classes_or_numbers``.
    seed : int
        Which rows the sample takes.
    sample_weight
        Refused.

    Raises
    ------
    ValueError, TypeError
        If there are weights, or rows do not fit together.
    """
    refuse_weight(sample_weight)
    return stream.survey("classification" if about.classes is not None else task, seed)


def refuse_weight(sample_weight: Any) -> None:
    """Raise a ValueError where weights come beside rows in batches."""
    if sample_weight is not None:
        raise ValueError(
            "sample_weight belongs to rows in memory; got it beside rows in batches. Pass arrays, "
            "or a loss of your own."
        )


def tensors_of(data: Any) -> tuple[Tensor, ...]:
    """Return what tells data apart from others: their tensors, or bytes that stand for them."""
    if isinstance(data, Dataset):
        return data.x, data.y
    parts = data if isinstance(data, tuple | list) and len(data) == 2 else (data,)
    return tuple(_mark(part) for part in parts)


def _mark(part: Any) -> Tensor:
    try:
        return read_numbers("data", part).double()
    except (TypeError, ValueError):
        text = repr(np.asarray(part, dtype=object).tolist())
        return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)


def with_grid_of(network: Network, about: About) -> Network:
    """Return a new network whose first grid, where the user gave one, follows into its units."""
    given = torch.as_tensor(network.made_with.get("grid_range", FIRST_GRID), dtype=torch.float64)
    bounds = given.cpu().expand(network.widths[0], 2)
    if about.x_scaling.is_identity or bool((bounds == torch.tensor(FIRST_GRID)).all()):
        return network
    return network.remade(network.seed, grid_range=about.x_scaling.apply(bounds.T).T)


def labels_of(numbers: np.ndarray, classes: Sequence[Label]) -> np.ndarray:
    """Return the user's labels (samples,) of class numbers (samples,)."""
    kinds = {type(label) for label in classes}
    labels = np.array(classes, dtype=None if len(kinds) == 1 else object)
    return np.asarray(labels[numbers])


def log_odds(
    scores: Float64[np.ndarray, "samples classes"],
) -> Float64[np.ndarray, "samples classes"]:
    """Return log(p / (1 - p)) of each class's probability p, also where that rounds to 0 or 1."""
    found = torch.from_numpy(scores)
    one = torch.eye(found.shape[1], dtype=torch.bool)
    others = found.unsqueeze(1).masked_fill(one, -torch.inf)
    return np.asarray(found - torch.logsumexp(others, dim=2))


def sigmoid(values: Float64[np.ndarray, "samples classes"]) -> np.ndarray:
    """Return the probabilities of log odds."""
    return np.asarray(torch.sigmoid(torch.from_numpy(values)))


def grid_sample(network: Network) -> Float[Tensor, "samples inputs"]:
    """Return points spread over the base grids of the inputs, the same at every call.

    A Latin hypercube: each input takes equally spaced values, both ends included, in an order of
    its own (McKay, Beckman, Conover, 1979).
    """
    points = network.layers[0].grid_points
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(N_GRID_SAMPLE, len(points), generator=generator, dtype=torch.float64)
    share = (noise.argsort(0) / (N_GRID_SAMPLE - 1)).to(points)
    return torch.lerp(points[:, 0], points[:, -1], share)


def _numbers_of(x: Any, about: About) -> Float64[Tensor, "samples inputs"]:
    """Return x in the user's units, one column per input in the order of the names."""
    numbers = read_numbers("x", _columns_by_name(x, about)).double()
    _check_width(numbers, about.input_names)
    return numbers


def _check_width(x: Tensor, names: tuple[str, ...]) -> None:
    """Raise a ValueError unless there is one column per input."""
    if x.shape[1] != len(names):
        raise ValueError(
            f"x must have shape (samples, {len(names)}) because the network has {len(names)} "
            f"inputs; got {tuple(x.shape)}. Pass one column per input."
        )


def _columns_by_name(x: Any, about: About) -> Any:
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
    _check_none_missing([n for n, p in zip(names, wanted, strict=True) if p is None], names, found)
    for place in wanted:
        if place is not None and (count := found.count(found[place])) > 1:
            raise ValueError(
                f"x has {count} columns {short(found[place])}, and which is meant nobody knows. "
                "Rename or leave out all but one."
            )
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


def _check_none_missing(
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
    _check_known(column, texts, about)
    return np.array([float(text == category) for text in texts])


def _check_known(column: str, texts: Sequence[str], about: About) -> None:
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


def _of_pair(data: Any, about: About, sample_weight: Any = None) -> Dataset:
    """Return a pair (x, y) in the user's units as a data set in float64 without any scaling."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        return as_dataset(data)  # raises
    first, second, weight, _ = with_weight(data[0], data[1], sample_weight, "sample_weight")
    data = first, second
    x = read_numbers("x", _columns_by_name(data[0], about)).double()
    names = about.input_names
    if x.shape[1] != len(names):  # said by ``check_fits``
        names = default_names("x", x.shape[1])
    if about.classes is not None or (len(about.output_names) > 1 and holds_labels(data[1])):
        y, outputs, classes = _classes_of(data[1], about)
        y = y.to(x.device)
    else:
        y, classes = read_numbers("y", data[1]).to(x.device, torch.float64), None
        outputs = about.output_names
        if y.shape[1] != len(outputs):
            outputs = default_names("y", y.shape[1])
    plain = About.nothing(len(names), len(outputs))
    return Dataset(
        x,
        y,
        None,
        None,
        names,
        outputs,
        plain.x_scaling,
        plain.y_scaling,
        classes=classes,
        sample_weight=weight,
    ).to(device=x.device)


def _classes_of(y: Any, about: About) -> tuple[Tensor, tuple[str, ...], tuple[Label, ...]]:
    """Return class numbers, names and labels for the user's labels of a pair."""
    if about.classes is None:
        data = as_dataset((torch.arange(float(len(y))), y))
        return data.y, data.output_names, data.classes or data.output_names
    return looked_up(read_labels("y", y), about.classes), about.output_names, about.classes


def _in_classes(data: Dataset, about: About) -> Dataset:
    """Return data with class numbers in the order of the model's classes, where it has any."""
    mine, theirs = about.classes, data.classes
    if mine is None or mine == theirs:
        return data
    if theirs is None:
        raise ValueError(
            f"y holds numbers, but the model tells the classes {listed(about.output_names)} apart. "
            "Pass labels of these."
        )

    def numbers(part: Tensor | None) -> Tensor | None:
        if part is None:
            return None
        return looked_up([theirs[n] for n in part.tolist()], mine).to(part.device)

    changes: dict[str, Any] = {"y": numbers(data.y), "y_test": numbers(data.y_test)}
    plain = About.nothing(1, len(mine)).y_scaling
    return replace(data, **changes, output_names=about.output_names, classes=mine, y_scaling=plain)


def _rescaled(values: Tensor, before: Scaling, after: Scaling) -> Float[Tensor, "samples columns"]:
    """Return values from one scaling to another; not touched where both are the same."""
    return values if before.is_as(after) else after.apply(before.undo(values))


def _in_order(data: Dataset, about: About) -> Dataset:
    """Return data with the model's inputs by name; by place where one side has no names."""
    names = about.input_names
    for column in data.categories.keys() & about.categories.keys():
        _check_known(column, data.categories[column], about)
    if data.input_names != names:
        data = _completed(data, names)
    found, unnamed = data.input_names, default_names("x", len(names))
    missing = [name for name in names if name not in found]
    if found in (names, default_names("x", len(found))) or (missing and names == unnamed):
        return data
    _check_none_missing(missing, names, found)
    order = [found.index(name) for name in names]
    scaling = Scaling(data.x_scaling.shift[order], data.x_scaling.scale[order])
    x_test = None if data.x_test is None else data.x_test[:, order]
    return replace(data, x=data.x[:, order], x_test=x_test, input_names=names, x_scaling=scaling)


def _completed(data: Dataset, names: Sequence[str]) -> Dataset:
    """Return data with those wanted inputs that it left out, for what its own rows have in them.

    A file in which a column has one value, or a column of text fewer values, has other inputs than
    the one that the model learnt from.
    """
    more = {name: _left_out(data, name) for name in names if name not in data.input_names}
    added = {name: values for name, values in more.items() if values is not None}
    if not added:
        return data
    plain = About.nothing(len(added), 1).x_scaling.to(data.x.device)

    def with_more(part: Tensor, which: int) -> Tensor:
        columns = [values[which].to(part) for values in added.values()]
        return torch.cat([part, torch.stack(columns, dim=1)], dim=1)

    return replace(
        data,
        x=with_more(data.x, 0),
        x_test=None if data.x_test is None else with_more(data.x_test, 1),
        input_names=(*data.input_names, *added),
        x_scaling=Scaling(
            torch.cat([data.x_scaling.shift, plain.shift]),
            torch.cat([data.x_scaling.scale, plain.scale]),
        ),
    )


def _left_out(data: Dataset, name: str) -> tuple[Tensor, Tensor] | None:
    """Return the training and test part of an input that follows from others, or None."""
    parts = (data.x, data.x[:0] if data.x_test is None else data.x_test)

    def everywhere(value: float) -> tuple[Tensor, Tensor]:
        first, second = (torch.full((len(part),), value, dtype=torch.float64) for part in parts)
        return first, second

    if name in data.constants:
        return everywhere(data.constants[name])
    column, _, category = name.partition("=")
    known = data.categories.get(column, ())
    if not known or (category not in known):
        return everywhere(0.0) if known else None
    if len(known) == 1:
        return everywhere(1.0)
    if (other := f"{column}={known[-1]}") not in data.input_names:
        return None
    place = data.input_names.index(other)
    first, second = (1 - data.x_scaling.undo(part)[:, place] for part in parts)
    return first, second


def _better_names(mine: tuple[str, ...], theirs: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    """Return the model's names, or those of the data where the model has only default ones."""
    return theirs if mine == default_names(prefix, len(mine)) else mine
