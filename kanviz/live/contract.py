"""Reading what a browser asks: every value is checked before anything is done with it.

The types of requests and their fields are those of ``Ask`` in frontend/src/contract.ts.
"""

import math
from collections.abc import Mapping
from typing import Any

from kanviz.snapshot import Edge

LARGEST_NUMBER = 1e12
"""Of a coordinate: its square is finite in float32 too, so that the picture can still be drawn."""

LARGEST_INTEGER = 2**53
"""JavaScript has no larger whole numbers."""

MOST_NUMBERS, MOST_EDGES, MOST_LETTERS = 10_000, 100_000, 1000


class Request:
    """One request; each method returns one field of it, checked.

    Parameters
    ----------
    message : object
        What came from the browser, whatever it is.

    Raises
    ------
    TypeError, ValueError
        If the message, or a field that is asked for, is not what it should be.
    """

    def __init__(self, message: object) -> None:
        if not isinstance(message, Mapping):
            raise _wrong("request", "a record with a type", message)
        self._fields: Mapping[Any, Any] = message
        self.type = self.text("type")

    def text(self, name: str) -> str:
        """Return a text of at most ``MOST_LETTERS`` characters."""
        value = self._field(name)
        if not isinstance(value, str) or len(value) > MOST_LETTERS:
            raise _wrong(name, f"text of at most {MOST_LETTERS} characters", value)
        return value

    def integer(self, name: str, lowest: int = 0, highest: int = LARGEST_INTEGER) -> int:
        """Return a whole number from ``lowest`` to ``highest``."""
        value = self._field(name)
        if not _is_integer(value) or not lowest <= value <= highest:
            raise _wrong(name, f"a whole number from {lowest} to {highest}", value)
        return int(value)

    def number(self, name: str) -> float:
        """Return a finite number up to ``LARGEST_NUMBER`` in size."""
        return _number(name, self._field(name))

    def numbers(self, name: str) -> list[float]:
        """Return a list of such numbers."""
        value = self._field(name)
        if not isinstance(value, list) or len(value) > MOST_NUMBERS:
            raise _wrong(name, f"a list of at most {MOST_NUMBERS} numbers", value)
        return [_number(name, item) for item in value]

    def affine(self) -> tuple[float, float, float, float] | None:
        """Return the field ``numbers``: a, b, c, d, or None."""
        if self._field("numbers") is None:
            return None
        values = self.numbers("numbers")
        if len(values) != 4:
            raise _wrong("numbers", "the four numbers a, b, c and d", values)
        a, b, c, d = values
        return a, b, c, d

    def edge(self) -> Edge:
        """Return the field ``edge``; whether the network has it is not asked here."""
        return _edge(self._field("edge"))

    def edges(self) -> list[Edge]:
        """Return the field ``edges``."""
        value = self._field("edges")
        if not isinstance(value, list) or len(value) > MOST_EDGES:
            raise _wrong("edges", f"a list of at most {MOST_EDGES} edges", value)
        return [_edge(item) for item in value]

    def fields(self, name: str) -> "Request":
        """Return a field that is a record itself, to be read in the same way."""
        value = self._field(name)
        if not isinstance(value, Mapping):
            raise _wrong(name, "a record", value)
        return Request({**value, "type": name})

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def is_none(self, name: str) -> bool:
        """Say whether a field holds nothing."""
        return self._field(name) is None

    def _field(self, name: str) -> Any:
        if name not in self._fields:
            raise ValueError(f"request must have the field {name!r}; got none. Add it.")
        return self._fields[name]


def _edge(value: object) -> Edge:
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_integer, value)):
        raise _wrong("edge", "three whole numbers (layer, i, j)", value)
    layer, i, j = value
    return Edge(layer, i, j)


def _number(name: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared rather than made a float first, because an int may be larger than every float.
    if not is_number or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:  # type: ignore[operator]
        raise _wrong(name, f"finite and at most {LARGEST_NUMBER:g} in size", value)
    return float(value)  # type: ignore[arg-type]


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(name: str, rule: str, value: object) -> ValueError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ValueError(f"{name} must be {rule}; got {shown}. Ask again with another value.")


def plain(value: Any) -> Any:
    """Return a reply's value as JSON can hold it: tuples as lists, numbers not finite as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
