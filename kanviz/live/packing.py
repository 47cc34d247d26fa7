"""Records with arrays as bytes and back: what the browser and Python hand to each other.

The bytes are: the length n of a JSON text (uint32, little-endian), the text in UTF-8, padded with
spaces so that 4 + n is a multiple of 8, then the arrays, each from a multiple of 8 on. In the text
an array stands as ``{"$": "f8" | "f4" | "u1", "at": offset behind the text, "n": length}``.
Numbers outside arrays are finite, for JSON knows no others; arrays may hold NaN and infinities.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

KINDS = {"f8": "<f8", "f4": "<f4", "u1": "|u1"}
"""What an array's numbers may be, by the name in the text."""

ALIGNMENT = 8
"""Typed arrays of JavaScript start at multiples of their item size."""

_HEAD = struct.Struct("<I")


def pack(record: Mapping[str, Any]) -> bytes:
    """Return a record as bytes.

    Parameters
    ----------
    record : mapping
        Of mappings with text as keys, lists, tuples, text, finite numbers, booleans, None and
        numpy arrays of float64, float32 or uint8; an array of several axes is written row by row.
        An array that is in it several times is written once.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind or a number outside arrays is not finite.
    """
    _check_keys(record)
    writer = _Writer()
    text = json.dumps(record, allow_nan=False, separators=(",", ":"), default=writer.plain).encode()
    text += b" " * (-(_HEAD.size + len(text)) % ALIGNMENT)
    return b"".join([_HEAD.pack(len(text)), text, *writer.parts])


def unpack(content: bytes) -> Any:
    """Return the record that ``pack`` wrote: tuples as lists, arrays flat.

    Raises
    ------
    ValueError
        If the bytes were not written by ``pack``, or are cut off.
    """
    try:
        (length,) = _HEAD.unpack_from(content)
        start = _HEAD.size + length
        values = json.loads(content[_HEAD.size : start])
        return _restored(values, memoryview(content)[start:])
    except (struct.error, KeyError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(
            f"content must be bytes written by pack; got {len(content)} bytes that are not "
            f"({error}). Pass them whole."
        ) from None


class _Writer:
    """Takes the arrays out of a record, and notes where each will lie."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        # With the arrays, so that none is freed and its id given to another.
        self.places: dict[int, tuple[np.ndarray, dict[str, Any]]] = {}

    def plain(self, value: object) -> dict[str, Any]:
        """Return what stands in the text for what JSON does not know."""
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{value!r} is not JSON serializable")
        if id(value) not in self.places:
            self.places[id(value)] = value, self.place(value)
        return self.places[id(value)][1]

    def place(self, array: np.ndarray) -> dict[str, Any]:
        """Write an array down and return what stands for it in the text."""
        kind = array.dtype.kind + str(array.dtype.itemsize)
        if kind not in KINDS:
            raise TypeError(
                f"arrays must be of float64, float32 or uint8; got {array.dtype}. Convert it first."
            )
        content = array.astype(KINDS[kind], order="C", copy=False).tobytes()
        found = {"$": kind, "at": self.size, "n": array.size}
        content += b"\0" * (-len(content) % ALIGNMENT)
        self.parts.append(content)
        self.size += len(content)
        return found


def _check_keys(record: Mapping[str, Any]) -> None:
    """Raise a TypeError if a key could be taken for another, or for an array's place."""
    waiting: list[Any] = [record]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str) or key == "$":
                    raise TypeError(f"keys must be text other than '$'; got {key!r}. Rename it.")
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _restored(value: Any, arrays: memoryview) -> Any:
    if isinstance(value, list):
        return [_restored(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: _restored(item, arrays) for key, item in value.items()}
    return np.frombuffer(arrays, KINDS[value["$"]], value["n"], value["at"]).copy()
