"""One file per model: safetensors with a JSON header. Reading one never runs code.

The header, which is the safetensors metadata entry ``kanviz``, says format, version, widths, the
functions of every layer, names and units; a checksum over it and all tensors finds damage. Weights,
knots and masks are written bit by bit.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from kanviz.data.dataset import About
from kanviz.files.records import (
    about_record,
    layer_record,
    layer_tensors,
    made_with_record,
    read_about,
    read_layer,
    readmade_with,
)
from kanviz.model.kan import KAN
from kanviz.model.session import Session
from kanviz.nn.network import check_widths
from kanviz.nn.state import NetworkState
from kanviz.writing import write_whole

FORMAT = "kanviz"
VERSION = 1


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
        return _read(json.loads(metadata[FORMAT]), tensors)
    except _NewerVersionError as error:
        raise _refusal(path, str(error), "Update kanviz to read it.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refusal(path, f"is damaged ({error})", "Save the model again.") from error


class _NewerVersionError(Exception):
    """The file is of a version that this kanviz does not know."""


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
    return KAN(Session(saved.state.build(device), saved.about, start))


def _refusal(path: str | os.PathLike[str], problem: str, remedy: str) -> ValueError:
    return ValueError(
        f"path must name a model file written by kanviz; got {os.fspath(path)!r}, which {problem}. "
        f"{remedy}"
    )


def _tensors(saved: SavedModel) -> dict[str, Tensor]:
    tensors = {
        f"layers.{number}.{name}": tensor
        for number, layer in enumerate(saved.state.layers)
        for name, tensor in layer_tensors(layer).items()
    }
    sample = saved.about.sample
    return tensors if sample is None else tensors | {"sample": sample}


def _header(saved: SavedModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "widths": list(saved.state.widths),
        "layers": [layer_record(layer) for layer in saved.state.layers],
        "made_with": made_with_record(saved.state.made_with),
        "about": about_record(saved.about),
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
        read_layer(record, widths[number : number + 2], _of_layer(tensors, number))
        for number, record in enumerate(header["layers"])
    ]
    if len({layer.weight.dtype for layer in layers}) != 1:
        raise ValueError("its layers differ in dtype")
    state = NetworkState(tuple(layers), readmade_with(header["made_with"], widths[0]))
    ends = widths[0], widths[-1]
    return SavedModel(state, read_about(header["about"], ends, tensors.get("sample")))


def _of_layer(tensors: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
    start = f"layers.{number}."
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
