"""Checks that several rooms share: each raises one sentence with rule, value and next step."""

import difflib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

MAX_LISTED = 24

LONGEST_SHOWN = 60
"""Characters of a name or value in a message."""


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise unless ``value`` is one of ``choices``.

    Raises
    ------
    ValueError
        Naming the nearest choices.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{name} must be one of {listed(choices)}; got {short(value)}. "
            f"{did_you_mean(str(value), choices)}".rstrip()
        )


def check_given(name: str, value: object) -> None:
    """Raise a TypeError where there is None in the place of data."""
    if value is None:
        raise TypeError(f"{name} must be data, one row per sample; got None. Pass an array.")


def check_holds_numbers(name: str, values: Tensor) -> None:
    """Raise a ValueError for a tensor on torch's ``meta`` device: a shape without numbers."""
    if values.is_meta:
        raise ValueError(
            f"{name} is on the meta device, which holds no numbers. Pass a tensor on the CPU or "
            "a GPU."
        )


def check_integer(name: str, value: object, lowest: int) -> None:
    """Raise unless ``value`` is an ``int`` (no ``bool``) of at least ``lowest``.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ValueError(f"{name} must be an integer of at least {lowest}; got {value!r}.")


LARGEST = 1e300
"""Largest number of data: beyond, the ends of a grid that reaches a little further overflow."""


def check_finite(
    name: str, values: Tensor, columns: Sequence[str] = (), remedy: str = "Remove or fill it first."
) -> None:
    """Raise unless every number in ``values`` is finite.

    Parameters
    ----------
    name : str
        What ``values`` is called in the message.
    values : (rows,) or (rows, columns)
        Numbers of any floating type. A tensor on the ``meta`` device holds none and passes.
    columns : sequence of str
        The columns' names, so that the message can say which; numbers serve where it is empty.
    remedy : str
        What the reader can do next, as a sentence.

    Raises
    ------
    ValueError
        Naming row (0-based) and column of the first number that is not finite, or is larger than
        ``LARGEST``.
    """
    if values.is_meta:
        return
    table = values if values.ndim > 1 else values.unsqueeze(1)
    fits = table.abs() <= min(LARGEST, torch.finfo(table.dtype).max)
    if bool(fits.all()):
        return
    row, column = (~fits).nonzero()[0].tolist()
    label, value = repr(columns[column]) if columns else str(column), table[row, column].item()
    rule = "at most 1e300 in size" if math.isfinite(value) else "finite"
    raise ValueError(
        f"{name} must be {rule} in every row; got {value} in row {row}, column {label}. {remedy}"
    )


def seeded(seed: object) -> torch.Generator:
    """Return a generator on the CPU that starts with a seed.

    Raises
    ------
    ValueError
        If it is no integer of 64 bits.
    """
    is_whole = isinstance(seed, int) and not isinstance(seed, bool)
    if not is_whole or not -(2**63) <= seed < 2**64:  # type: ignore[operator]
        raise ValueError(f"seed must be an integer of at most 64 bits; got {short(seed)}.")
    return torch.Generator().manual_seed(seed)  # type: ignore[arg-type]


def short(value: object) -> str:
    """Return a value as Python writes it, shortened to what fits into a sentence.

    >>> short("x" * 100) == repr("x" * 57 + "...")
    True
    """
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        value = value[: LONGEST_SHOWN - 3] + "..."
    if isinstance(value, int) and abs(value) >= 10**20:
        return "an integer of more than 20 digits"
    text = repr(value)
    return (
        text
        if isinstance(value, str) or len(text) <= LONGEST_SHOWN
        else f"{text[: LONGEST_SHOWN - 3]}..."
    )


def did_you_mean(value: str, known: Sequence[str]) -> str:
    """Return a question that names the known names nearest to ``value``; empty if none is near."""
    if len(value) > LONGEST_SHOWN:
        return ""
    lower = {name.lower(): name for name in reversed(known) if len(name) <= LONGEST_SHOWN}
    near = [lower[match] for match in difflib.get_close_matches(value.lower(), lower, n=3)]
    return f"Did you mean {listed(near)}?" if near else ""


def listed(names: Sequence[str]) -> str:
    """Return quoted names with commas; a long list ends with how many are left out."""
    shown = ", ".join(short(name) for name in names[:MAX_LISTED])
    more = len(names) - MAX_LISTED
    return f"{shown} and {more} more" if more > 0 else shown
