"""One file per model: safetensors with a JSON header. Reading one never runs code.

The header, which is the safetensors metadata entry ``kanviz``, says format, version, widths, the
functions of every layer, names and units; a checksum over it and all tensors finds damage. Weights,
knots and masks are written bit by bit.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from kanviz.data.about import About
from kanviz.data.dataset import Scaling
from kanviz.nn.network import check_widths
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.state import LayerState, NetworkState

FORMAT = "kanviz"
VERSION = 1

TENSOR_NAMES = ("weight", "knots", "mask", "frozen")
SPEC_FIELDS = ("grid_size", "spline_order", "basis", "base", "extrapolation")
MADE_WITH = (*SPEC_FIELDS, "grid_range", "init", "seed")
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, eq=False)
class SavedModel:
    """All that a file holds: the network's state, and what is known of its data."""

    state: NetworkState
    about: About


def write_model(path: str | os.PathLike[str], saved: SavedModel) -> None:
    """Write a model to a file; the file appears whole or not at all.

    Raises
    ------
    OSError
        If the folder cannot be written to; a file that was there is as before.
    """
    tensors = {name: tensor.detach().cpu() for name, tensor in _tensors(saved).items()}
    header = _header(saved)
    header["checksum"] = _checksum(header, tensors)
    content = safetensors.torch.save(tensors, {FORMAT: _as_json(header)})
    target = Path(os.path.realpath(path))
    # In the same folder, because only there a file can be replaced in one step.
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


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
        return _read(json.loads(metadata[FORMAT]), tensors)
    except _NewerVersionError as error:
        raise _refusal(path, str(error), "Update kanviz to read it.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refusal(path, f"is damaged ({error})", "Save the model again.") from error


class _NewerVersionError(Exception):
    """The file is of a version that this kanviz does not know."""


def _refusal(path: str | os.PathLike[str], problem: str, remedy: str) -> ValueError:
    return ValueError(
        f"path must name a model file written by kanviz; got {os.fspath(path)!r}, which {problem}. "
        f"{remedy}"
    )


def _tensors(saved: SavedModel) -> dict[str, Tensor]:
    tensors = {
        f"layers.{number}.{name}": tensor
        for number, layer in enumerate(saved.state.layers)
        for name, tensor in zip(TENSOR_NAMES, layer.tensors, strict=True)
    }
    sample = saved.about.sample
    return tensors if sample is None else tensors | {"sample": sample}


def _header(saved: SavedModel) -> dict[str, Any]:
    layers = [{"spec": asdict(s.spec), "trains": s.trains} for s in saved.state.layers]
    return {
        "format": FORMAT,
        "version": VERSION,
        "widths": list(saved.state.widths),
        "layers": layers,
        "made_with": _made_with_record(saved.state.made_with),
        "about": {
            "input_names": list(saved.about.input_names),
            "output_names": list(saved.about.output_names),
            "x_scaling": _scaling_record(saved.about.x_scaling),
            "y_scaling": _scaling_record(saved.about.y_scaling),
        },
    }


def _read(header: Any, tensors: Mapping[str, Tensor]) -> SavedModel:
    """Return the model that a header and its tensors make, once all of it is checked."""
    if header["format"] != FORMAT:
        raise ValueError(f"its header says format {header['format']!r}")
    version = header["version"]
    if not isinstance(version, int) or version > VERSION:
        raise _NewerVersionError(f"has version {version!r}, above {VERSION}")
    if header.pop("checksum") != _checksum(header, tensors):
        raise ValueError("its checksum does not fit")
    widths = check_widths(header["widths"])
    if len(header["layers"]) != len(widths) - 1:
        raise ValueError("its layers do not fit its widths")
    layers = [
        _read_layer(record, widths[number : number + 2], *_named(tensors, number))
        for number, record in enumerate(header["layers"])
    ]
    if len({layer.weight.dtype for layer in layers}) != 1:
        raise ValueError("its layers differ in dtype")
    state = NetworkState(tuple(layers), _read_made_with(header["made_with"], widths))
    return SavedModel(state, _read_about(header["about"], widths, tensors.get("sample")))


def _named(tensors: Mapping[str, Tensor], number: int) -> list[Tensor]:
    return [tensors[f"layers.{number}.{name}"] for name in TENSOR_NAMES]


def _read_layer(
    record: Any, ends: tuple[int, ...], weight: Tensor, knots: Tensor, mask: Tensor
) -> LayerState:
    spec = FunctionSpec(**record["spec"])
    n_in, n_out = ends
    n_knots = spec.grid_size + 1 + 2 * spec.padding
    wanted = [(n_in, spec.n_features, n_out), (n_in, n_knots), (n_in, n_out)]
    if [tuple(tensor.shape) for tensor in (weight, knots, mask)] != wanted:
        raise ValueError("its tensors do not have the shapes that its header says")
    if (
        weight.dtype not in DTYPES.values()
        or knots.dtype != weight.dtype
        or mask.dtype != torch.bool
    ):
        raise ValueError("its tensors do not have the dtypes of a model")
    if not bool((knots[:, 1:] > knots[:, :-1]).all()) or not bool(knots.isfinite().all()):
        raise ValueError("its knots do not increase")
    if not isinstance(record["trains"], bool):
        raise TypeError("its header does not say which layers train")
    return LayerState(spec, weight, knots, mask, record["trains"])


def _made_with_record(made_with: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON can hold of it; the device is another machine's business."""
    record = {key: made_with[key] for key in MADE_WITH if key in made_with}
    if made_with.get("dtype") in DTYPES.values():
        record["dtype"] = str(made_with["dtype"]).removeprefix("torch.")
    if isinstance(record.get("grid_range"), Tensor):
        record["grid_range"] = record["grid_range"].tolist()
    return record


def _read_made_with(record: Any, widths: tuple[int, ...]) -> dict[str, Any]:
    made_with = {key: record[key] for key in MADE_WITH if key in record}
    FunctionSpec(**{key: made_with[key] for key in SPEC_FIELDS if key in made_with})
    if "grid_range" in made_with:
        bounds = torch.tensor(made_with["grid_range"], dtype=torch.float64)
        if bounds.shape not in ((2,), (widths[0], 2)):
            raise ValueError("its grid range does not fit its widths")
        made_with["grid_range"] = tuple(bounds.tolist()) if bounds.ndim == 1 else bounds
    if "dtype" in record:
        made_with["dtype"] = DTYPES[record["dtype"]]
    return made_with


def _read_about(record: Any, widths: tuple[int, ...], sample: Tensor | None) -> About:
    if sample is not None and (sample.ndim != 2 or sample.shape[1] != widths[0]):
        raise ValueError("its sample does not fit its widths")
    return About(
        _read_names(record["input_names"], widths[0]),
        _read_names(record["output_names"], widths[-1]),
        _read_scaling(record["x_scaling"], widths[0]),
        _read_scaling(record["y_scaling"], widths[-1]),
        sample,
    )


def _read_names(record: Any, width: int) -> tuple[str, ...]:
    if len(record) != width or not all(isinstance(name, str) for name in record):
        raise ValueError("its names do not fit its widths")
    return tuple(record)


def _scaling_record(scaling: Scaling) -> dict[str, list[float]]:
    return {"shift": scaling.shift.tolist(), "scale": scaling.scale.tolist()}


def _read_scaling(record: Any, width: int) -> Scaling:
    shift, scale = (torch.tensor(record[key], dtype=torch.float64) for key in ("shift", "scale"))
    if shift.shape != (width,) or scale.shape != (width,):
        raise ValueError("its units do not fit its widths")
    return Scaling(shift, scale)


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
