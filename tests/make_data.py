"""Small data that several tests share."""

from pathlib import Path
from typing import Any

import numpy as np

from kanviz.data import Dataset, from_csv


def make_arrays(samples: int = 20, inputs: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return x (samples, inputs) and y (samples,), all different."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, inputs)), rng.normal(size=samples)


def read_text(path: Path, text: str, **options: Any) -> Dataset:
    """Write ``text`` to ``path`` and read it back, unscaled and all for training by default."""
    path.write_bytes(text.encode())
    defaults: dict[str, Any] = {"target": "y", "test_fraction": 0, "normalize": False}
    return from_csv(path, **(defaults | options))


def make_column(cells: list[str], name: str = "a") -> str:
    """Return a file with a column of ``cells`` and a target that counts the rows."""
    rows = "".join(f"{cell},{row}\n" for row, cell in enumerate(cells))
    return f"{name},y\n{rows}"
