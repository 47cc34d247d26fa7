"""Numbers that come from a hand: from a cell or from a browser, checked before they are drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Listed = Sequence[Any] | npt.NDArray[Any]
"""Numbers as a hand writes them: a list, a list of pairs, or an array."""

Places = float | Listed
"""One number, or any number of them."""


def finite(name: str, values: Any, *, axes: int = 1) -> Array:
    """Return numbers as an array of that many axes.

    Raises
    ------
    ValueError
        If they are no such array of finite numbers.
    """
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers; got {values!r}.") from None
    if array.ndim != axes:
        shape = "a list" if axes == 1 else "a table of rows"
        raise ValueError(f"{name} must be {shape} of numbers; got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {array.tolist()}.")
    return array
