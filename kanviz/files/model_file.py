"""One file per model: safetensors with a JSON header. Reading one never runs code.

The header, which is the safetensors metadata entry ``kanviz``, says format, version, widths, the
functions of every layer, names and units; a checksum over it and all tensors finds damage. Weights,
knots and masks are written bit by bit.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from kanviz.checks import LARGEST, check_choice, listed, seeded, short
from kanviz.data.dataset import About, Label
from kanviz.data.scaling import Scaling
from kanviz.devices import made_on_default
from kanviz.interrupts import uninterrupted
from kanviz.model.kan import KAN
from kanviz.model.session import Session
from kanviz.nn.constraints import Constraint, Shape
from kanviz.nn.initialise import InitName
from kanviz.nn.layer import LayerState
from kanviz.nn.network import check_shape
from kanviz.nn.nodes import Nodes
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.state import NetworkState
from kanviz.nn.symbols import SymbolicEdges, row_length
from kanviz.nn.ties import tied_knots
from kanviz.training.doubt import MOST_KEPT, Doubt
from kanviz.training.evidence import Smoothing
from kanviz.writing import write_whole

FORMAT = "kanviz"
VERSION = 2
"""The newest that is read. Files say the oldest that knows all that is in them: 2 adds products."""

DTYPES = {"float32": torch.float32, "float64": torch.float64}

SPEC_FIELDS = ("grid_size", "spline_order", "basis", "base", "extrapolation")
MADE_WITH = (*SPEC_FIELDS, "grid_range", "init", "seed")

LAYER_TENSORS = ("weight", "knots", "mask", "frozen", "leaders")
SYMBOL_TENSORS = ("inputs", "outputs", "affine")


@dataclass(frozen=True, eq=False)
class SavedModel:
    """All that a file holds: the network's state, what is known of its data, and of its doubt."""

    state: NetworkState
    about: About
    doubt: Doubt | None = None


def write_model(path: str | os.PathLike[str], saved: SavedModel) -> None:
    """Write a model to a file; the file appears whole or not at all.

    Raises
    ------
    ValueError
        If the model could not be loaded again, as with numbers that are not finite.
    OSError
        If the folder cannot be written to; a file that was there is as before.
    """
    dtype = saved.state.layers[0].weight.dtype
    if dtype not in DTYPES.values():
        raise ValueError(
            f"Files hold models in {listed(list(DTYPES))}; got one in {str(dtype)[6:]}. Save "
            "model.copy().float()."
        )
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(saved).items()}
    header = _header(saved)
    try:
        _read(json.loads(_as_json(header)), tensors)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"The model cannot be saved ({error}). Take back the last step with undo()."
        ) from error
    header["checksum"] = _checksum(header, tensors)
    content = safetensors.torch.save(tensors, {FORMAT: _as_json(header)})
    write_whole(path, content)


def read_model(path: str | os.PathLike[str]) -> SavedModel:
    """Return what a file holds; nothing in it is ever run.

    Raises
    ------
    ValueError
        If the file is damaged, was not written by ``KAN.save``, or is of a newer version.
    OSError
        If it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        tensors = safetensors.torch.load(content)
        size = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except (safetensors.SafetensorError, ValueError, KeyError, RecursionError) as error:
        raise _refusal(path, "is damaged or of another kind", "Save the model again.") from error
    if FORMAT not in metadata:
        raise _refusal(path, "is a safetensors file of another program", "Pass a kanviz file.")
    try:
        header = json.loads(metadata[FORMAT])
        _check_version(header)
        if header.pop("checksum") != _checksum(header, tensors):
            raise ValueError("its checksum does not fit")
        return _read(header, tensors)
    except _NewerVersionError as error:
        raise _refusal(path, str(error), "Update kanviz to read it.") from None
    except (*_DAMAGE, RecursionError) as error:
        raise _refusal(path, f"is damaged ({_brief(error)})", "Save the model again.") from error


_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RuntimeError)
"""What reading a header raises where a part of it is missing, of another kind or out of range."""


def _brief(error: Exception) -> str:
    """Return what is wrong, on one line and without more of the file than helps."""
    words = " ".join(str(error).split())
    words = f"it has no {words}" if isinstance(error, KeyError) else words
    return words if len(words) <= 200 else f"{words[:197]}..."


class _NewerVersionError(Exception):
    """The file is of a version that this kanviz does not know."""


@made_on_default
def load(path: str | os.PathLike[str], *, device: torch.device | str | None = None) -> KAN:
    """Return the model that ``KAN.save`` wrote, equal to the last bit; its history starts anew.

    Parameters
    ----------
    path : str or path
        The file. Nothing in it is ever run.
    device : torch.device or str, optional
        Where to put the model; without one, torch's default.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or of a newer version.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import kanviz as kv
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.kan"
    >>> kv.KAN([2, 3, 1]).save(path)
    >>> kv.load(path).widths
    (2, 3, 1)
    """
    saved = read_model(path)
    start = f"model = kv.load({os.fspath(path)!r})"
    return KAN(Session(saved.state.build(device), saved.about, start, saved.doubt))


def _refusal(path: str | os.PathLike[str], problem: str, remedy: str) -> ValueError:
    return ValueError(
        f"path must name a model file written by kanviz; got {os.fspath(path)!r}, which {problem}. "
        f"{remedy}"
    )


def _tensors(saved: SavedModel) -> dict[str, Tensor]:
    tensors = _state_tensors(saved.state)
    if saved.about.sample is not None:
        tensors["sample"] = saved.about.sample
    if saved.doubt is not None:
        tensors |= _doubt_tensors(saved.doubt, saved.state)
    return tensors


def _state_tensors(state: NetworkState, prefix: str = "") -> dict[str, Tensor]:
    return {
        f"{prefix}layers.{number}.{name}": tensor
        for number, layer in enumerate(state.layers)
        for name, tensor in _layer_tensors(layer).items()
    }


def _header(saved: SavedModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": 2 if any(layer.products for layer in saved.state.layers) else 1,
        "widths": json.loads(json.dumps(saved.state.shape)),  # pairs as lists, as they are read
        "layers": [_layer_record(layer) for layer in saved.state.layers],
        "made_with": _made_with_record(saved.state.made_with),
        "about": _about_record(saved.about),
        "doubt": None if saved.doubt is None else _doubt_record(saved.doubt, saved.state),
    }


def _check_version(header: Any) -> None:
    if header["format"] != FORMAT:
        raise ValueError(f"its header says format {short(header['format'])}")
    version = header["version"]
    if not isinstance(version, int) or version > VERSION:
        raise _NewerVersionError(f"has version {short(version)}, above {VERSION}")


def _read(header: Any, tensors: Mapping[str, Tensor]) -> SavedModel:
    """Return the model that a header and its tensors make, once all of it is checked."""
    nodes = check_shape(header["widths"])
    layers = _read_layers(header["layers"], nodes, tensors)
    most = max(layer.spec.grid_size for layer in layers)
    ends = len(nodes[0]), len(nodes[-1])
    state = NetworkState(tuple(layers), _read_made_with(header["made_with"], ends[0], most))
    about = _read_about(header["about"], ends, tensors.get("sample"))
    if not bool(about.x_scaling.undo(layers[0].knots.T).isfinite().all()):
        raise ValueError("its grid ends at no finite number of its units")
    doubt = header.get("doubt")  # files before 0.2 have none
    return SavedModel(state, about, None if doubt is None else _read_doubt(doubt, state, tensors))


def _read_layers(
    records: Any, nodes: Sequence[Nodes], tensors: Mapping[str, Tensor], prefix: str = ""
) -> list[LayerState]:
    if len(records) != len(nodes) - 1:
        raise ValueError("its layers do not fit its widths")
    layers = [
        _read_layer(record, len(below), above, _of_layer(tensors, number, prefix))
        for number, (record, (below, above)) in enumerate(
            zip(records, pairwise(nodes), strict=True)
        )
    ]
    if len({layer.weight.dtype for layer in layers}) != 1:
        raise ValueError("its layers differ in dtype")
    return layers


def _of_layer(tensors: Mapping[str, Tensor], number: int, prefix: str = "") -> dict[str, Tensor]:
    start = f"{prefix}layers.{number}."
    found = tensors.items()
    return {name.removeprefix(start): part for name, part in found if name.startswith(start)}


def _as_json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True)


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Return a hash of everything in the file but itself."""
    digest = hashlib.sha256(_as_json(header).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


# ---- the parts of a model as plain values and tensors, and back ----------------------------------

# Reading raises a ValueError, TypeError or KeyError for whatever does not fit, before anything is
# built from it.


def _layer_record(state: LayerState) -> dict[str, Any]:
    """Return what a header says of a layer; its formulas as text."""
    symbols = state.symbols
    return {
        "spec": asdict(state.spec),
        "trains": state.trains,
        "symbols": None if symbols is None else [_function_record(f) for f in symbols.functions],
        "quality": None if symbols is None else list(symbols.quality),
        "constraints": [
            [*edge, list(constraint.shapes), constraint.centre]
            for edge, constraint in sorted(state.constraints.items())
        ],
    }


def _layer_tensors(state: LayerState) -> dict[str, Tensor]:
    """Return the tensors of a layer by name."""
    names = LAYER_TENSORS if state.symbols is None else LAYER_TENSORS + SYMBOL_TENSORS
    return dict(zip(names, state.tensors, strict=True))


def _read_layer(record: Any, n_in: int, nodes: Nodes, tensors: Mapping[str, Tensor]) -> LayerState:
    """Return the layer from so many inputs to these nodes."""
    spec = FunctionSpec(**record["spec"])
    if not isinstance(spec.uniform, bool):
        raise TypeError("its header does not say which knots are uniform")
    weight, knots, mask, frozen, leaders = (tensors[name] for name in LAYER_TENSORS)
    n_out = nodes.n_sums
    n_knots = spec.grid_size + 1 + 2 * spec.padding
    dtype = weight.dtype
    if dtype not in DTYPES.values():
        raise ValueError(f"its weights have dtype {dtype}")
    _check(weight, dtype, n_in, spec.n_features, n_out)
    _check(knots, dtype, n_in, n_knots)
    _check(mask, torch.bool, n_in, n_out)
    _check(frozen, torch.bool, n_in, n_out)
    if not bool(weight.isfinite().all()):
        raise ValueError("its weights are not all finite")
    _check_leaders(leaders, knots, mask)
    if not bool((knots[:, 1:] > knots[:, :-1]).all()) or not bool(knots.isfinite().all()):
        raise ValueError("its knots do not increase")
    if not isinstance(record["trains"], bool):
        raise TypeError("its header does not say which layers train")
    symbols = _read_symbols(record["symbols"], record.get("quality"), mask, dtype, tensors)
    constraints = _read_constraints(record.get("constraints", []), mask)
    return LayerState(
        spec,
        weight,
        knots,
        mask,
        frozen,
        leaders,
        symbols,
        trains=record["trains"],
        products=nodes.arities,
        constraints=constraints,
    )


def _read_constraints(record: Any, mask: Tensor) -> dict[tuple[int, int], Constraint]:
    """Return the shapes that edges keep; files of older versions have none."""
    found = {}
    for i, j, shapes, centre in record:
        if not (0 <= i < mask.shape[0] and 0 <= j < mask.shape[1] and math.isfinite(centre)):
            raise ValueError("its constraints are of edges that it does not have")
        if not shapes or not set(shapes) <= set(get_args(Shape)):
            raise ValueError("its constraints are of shapes that nobody knows")
        found[int(i), int(j)] = Constraint(tuple(shapes), float(centre))
    return found


def _check_leaders(leaders: Tensor, knots: Tensor, mask: Tensor) -> None:
    _check(leaders, torch.int64, *mask.shape)
    numbers = leaders.flatten()
    inside = bool(((numbers >= 0) & (numbers < len(numbers))).all())
    if not inside or not torch.equal(numbers[numbers], numbers):
        raise ValueError("its locked edges do not share the function of one of them")
    if not torch.equal(tied_knots(knots, leaders), knots) and bool(knots.isfinite().all()):
        raise ValueError("its locked edges do not have the same knots")


def _read_symbols(
    record: Any, quality: Any, mask: Tensor, dtype: torch.dtype, tensors: Mapping[str, Tensor]
) -> SymbolicEdges | None:
    if record is None:
        return None
    with uninterrupted():
        # These bring sympy, which most files do not need.
        from kanviz.symbolic.functions import Function
        from kanviz.symbolic.simplify import in_time

    inputs, outputs, affine = (tensors[name] for name in SYMBOL_TENSORS)
    _check(inputs, torch.int64, len(record))
    _check(outputs, torch.int64, len(record))
    if not bool(affine.isfinite().all()):
        raise ValueError("the numbers of its formulas are not all finite")
    edges = set(zip(inputs.tolist(), outputs.tolist(), strict=True))
    inside = all(0 <= i < mask.shape[0] and 0 <= j < mask.shape[1] for i, j in edges)
    if not inside or len(edges) != len(record):
        raise ValueError("its formulas do not stand on different edges")
    quality = [None] * len(record) if quality is None else quality
    is_known = all(q is None or (type(q) is float and math.isfinite(q)) for q in quality)
    if len(quality) != len(record) or not is_known:
        raise ValueError("its formulas do not have one R^2 each")
    texts = [_as_json(one) for one in record]
    different = dict(zip(texts, record, strict=True))  # many edges may have one formula
    read = in_time(
        SECONDS,
        lambda: {text: Function.from_dict(one) for text, one in different.items()},
        "its formulas take too long to read",
    )
    functions = [read[text] for text in texts]
    _check(affine, dtype, len(record), row_length(functions))
    return SymbolicEdges(inputs, outputs, functions, affine, quality)


def _function_record(function: Any) -> dict[str, Any]:
    record: dict[str, Any] = function.to_dict()
    return record


def _check(tensor: Tensor, dtype: torch.dtype, *shape: int) -> None:
    if tensor.dtype != dtype or tuple(tensor.shape) != shape:
        raise ValueError("its tensors do not have the shapes and dtypes that its header says")


def _made_with_record(made_with: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network was made with; its device is another machine's business."""
    record = {key: made_with[key] for key in MADE_WITH if key in made_with}
    if made_with.get("dtype") in DTYPES.values():
        record["dtype"] = str(made_with["dtype"]).removeprefix("torch.")
    if isinstance(record.get("grid_range"), Tensor):
        record["grid_range"] = record["grid_range"].tolist()
    return record


SECONDS = 15.0
"""How long reading the formulas of a layer may take; those of most files take milliseconds."""

LARGEST_GRID = 1000
"""Grid size that a network may be made anew with, unless its own layers have a larger one."""


def _read_made_with(record: Any, n_inputs: int, largest: int) -> dict[str, Any]:
    """Return what a network of so many inputs was made with; ``largest`` is its grid size now."""
    made_with = {key: record[key] for key in MADE_WITH if key in record}
    spec = FunctionSpec(**{key: made_with[key] for key in SPEC_FIELDS if key in made_with})
    if spec.grid_size > max(largest, LARGEST_GRID):
        raise ValueError(f"it says a grid size of {spec.grid_size}, far above that of its layers")
    check_choice("init", made_with.get("init", "auto"), get_args(InitName))
    seeded(made_with.get("seed", 0))
    if "grid_range" in made_with:
        bounds = torch.tensor(made_with["grid_range"], dtype=torch.float64)
        if bounds.shape not in ((2,), (n_inputs, 2)):
            raise ValueError("its grid range does not fit its widths")
        low, high = bounds.unbind(-1)
        if not bool(bounds.isfinite().all() and (low < high).all()):
            raise ValueError("its grid range has no inside")
        made_with["grid_range"] = tuple(bounds.tolist()) if bounds.ndim == 1 else bounds
    if "dtype" in record:
        made_with["dtype"] = DTYPES[record["dtype"]]
    return made_with


def _about_record(about: About) -> dict[str, Any]:
    """Return names and units; the sample is a tensor of its own."""
    return {
        "input_names": list(about.input_names),
        "output_names": list(about.output_names),
        "x_scaling": _scaling_record(about.x_scaling),
        "y_scaling": _scaling_record(about.y_scaling),
        "classes": None if about.classes is None else list(about.classes),
        "categories": {name: list(values) for name, values in about.categories.items()},
        "is_counts": about.is_counts,
    }


def _read_about(record: Any, ends: tuple[int, int], sample: Tensor | None) -> About:
    """Return names, units and sample of a network with so many inputs and outputs."""
    n_in, n_out = ends
    if sample is not None and (sample.ndim != 2 or sample.shape[1] != n_in or not len(sample)):
        raise ValueError("its sample does not fit its widths")
    if sample is not None and not (sample.is_floating_point() and bool(sample.isfinite().all())):
        raise ValueError("its sample is not all finite numbers")
    return About(
        _read_names(record["input_names"], n_in),
        _read_names(record["output_names"], n_out),
        _read_scaling(record["x_scaling"], n_in),
        _read_scaling(record["y_scaling"], n_out),
        sample,
        _read_classes(record.get("classes"), n_out),
        _read_categories(record.get("categories", {})),
        record.get("is_counts", False) is True,  # files before 0.2 do not say
    )


def _read_names(record: Any, width: int) -> tuple[str, ...]:
    if len(record) != width or not all(isinstance(name, str) for name in record):
        raise ValueError("its names do not fit its widths")
    if len(set(record)) != width:
        raise ValueError("two of its names are equal")
    return tuple(record)


def _read_classes(record: Any, width: int) -> tuple[Label, ...] | None:
    """Return the labels of the classes; files of 0.1 do not tell classes from numbers."""
    if record is None:
        return None
    labels = [label for label in record if isinstance(label, str | int)]  # bool is an int
    if not len(labels) == len(record) == len(set(labels)) == width:
        raise ValueError("its classes do not fit its widths")
    return tuple(labels)


def _read_categories(record: Any) -> dict[str, tuple[str, ...]]:
    """Return the code book of the columns of text; files of 0.1 have none."""
    book = {name: tuple(values) for name, values in record.items()}
    if not all(isinstance(value, str) for values in book.values() for value in values):
        raise ValueError("its categories are no texts")
    return book


def _scaling_record(scaling: Scaling) -> dict[str, list[float]]:
    return {"shift": scaling.shift.tolist(), "scale": scaling.scale.tolist()}


def _read_scaling(record: Any, width: int) -> Scaling:
    shift, scale = (torch.tensor(record[key], dtype=torch.float64) for key in ("shift", "scale"))
    if shift.shape != (width,) or scale.shape != (width,):
        raise ValueError("its units do not fit its widths")
    if not bool((shift.abs() <= LARGEST).all() and (scale <= LARGEST).all() and (scale > 0).all()):
        raise ValueError("its units are no numbers of at most 1e300, with scales above 0")
    return Scaling(shift, scale)


DOUBT_PARTS = ("edges", "centres", "roots", "formulas")


def _doubt_record(doubt: Doubt, state: NetworkState) -> dict[str, Any]:
    """Return the plain numbers of a doubt; its layers where they are not those of the model."""
    is_now = _are_alike(doubt.state, state)
    return {
        "scale": doubt.scale,
        "variance": doubt.smoothing.variance,
        "n": doubt.n,
        "dof": doubt.dof,
        "is_robust": doubt.is_robust,
        "shares": list(doubt.shares),
        "layers": None if is_now else [_layer_record(layer) for layer in doubt.state.layers],
    }


def _are_alike(one: NetworkState, two: NetworkState) -> bool:
    pairs = zip(one.layers, two.layers, strict=True)
    return all(mine is its or _is_layer(mine, its) for mine, its in pairs)


def _is_layer(one: LayerState, two: LayerState) -> bool:
    if _layer_record(one) != _layer_record(two):
        return False
    mine, its = _layer_tensors(one), _layer_tensors(two)
    return all(
        mine[name].dtype == its[name].dtype and torch.equal(mine[name].cpu(), its[name].cpu())
        for name in mine
    )


def _doubt_tensors(doubt: Doubt, state: NetworkState) -> dict[str, Tensor]:
    """Return the tensors of a doubt; of its triangle the lower half, row by row."""
    tensors = {
        f"doubt.{name}.{number}": tensor
        for name in DOUBT_PARTS
        for number, tensor in enumerate(getattr(doubt, name))
    }
    for name in ("bend", "slope"):
        parts = enumerate(getattr(doubt.smoothing, name))
        tensors |= {f"doubt.{name}.{number}": tensor for number, tensor in parts}
    if doubt.root is not None:
        rows, columns = torch.tril_indices(*doubt.root.shape, device=doubt.root.device)
        tensors["doubt.root"] = doubt.root[rows, columns]
    if not _are_alike(doubt.state, state):
        tensors |= _state_tensors(doubt.state, "doubt.")
    return tensors


def _read_doubt(record: Any, state: NetworkState, tensors: Mapping[str, Tensor]) -> Doubt:
    """Return what the data left open of a network that had the widths of ``state``."""
    if record["layers"] is not None:
        nodes = Nodes(state.widths[0]), *(layer.nodes for layer in state.layers)
        layers = _read_layers(record["layers"], nodes, tensors, "doubt.")
        state = NetworkState(tuple(layers), state.made_with)
    scale, variance, dof = (float(record[name]) for name in ("scale", "variance", "dof"))
    if not all(math.isfinite(number) and number > 0 for number in (scale, variance)):
        raise ValueError("its noise is no number above 0")
    n = record["n"]  # of rows with weights no whole number
    is_count = type(n) in (int, float) and 0 < n < math.inf
    if not is_count or not 0 <= dof < math.inf:
        raise ValueError("its rows or degrees of freedom are no numbers from 0 on")
    shares = tuple(float(share) for share in record.get("shares", ()))
    if len(shares) not in (0, state.widths[-1]) or not all(0 <= one < math.inf for one in shares):
        raise ValueError("its shares of the noise are not one number from 0 on for each output")
    found: dict[str, list[Tensor]] = {name: [] for name in (*DOUBT_PARTS, "bend", "slope")}
    for number, layer in enumerate(state.layers):
        (n_in, n_out), f = layer.mask.shape, layer.spec.n_features
        count, length = (0, 4) if layer.symbols is None else layer.symbols.affine.shape
        shapes = {
            "edges": (n_in, n_out),
            "centres": (n_in, f),
            "roots": (n_in, n_out, f, f),
            "formulas": (count, length, length),
            "bend": (n_in, n_out),
            "slope": (n_in, n_out),
        }
        for name, shape in shapes.items():
            tensor = tensors[f"doubt.{name}.{number}"]
            _check(tensor, torch.float64, *shape)
            if not bool(tensor.isfinite().all()):
                raise ValueError("what it says of its doubt is not all finite")
            found[name].append(tensor)
    return Doubt(
        state=state,
        smoothing=Smoothing(found.pop("bend"), found.pop("slope"), variance),
        scale=scale,
        n=record["n"],
        dof=dof,
        root=_read_root(tensors.get("doubt.root"), Doubt.size_of(state)),
        is_robust=record.get("is_robust", False) is True,
        shares=shares,
        **found,
    )


def _read_root(packed: Tensor | None, size: int) -> Tensor | None:
    """Return the triangle of a covariance of so many weights."""
    if packed is None:
        return None
    if size > MOST_KEPT:
        raise ValueError("its covariance is of too many weights")
    _check(packed, torch.float64, size * (size + 1) // 2)
    if not bool(packed.isfinite().all()):
        raise ValueError("what it says of its doubt is not all finite")
    root = packed.new_zeros(size, size)
    rows, columns = torch.tril_indices(size, size)
    root[rows, columns] = packed
    return root
