"""kanviz: train a Kolmogorov-Arnold network, see every curve in it, take it apart by hand."""

import importlib
from typing import TYPE_CHECKING, Any

from kanviz.data import Dataset, example_path, from_arrays, from_csv, from_function
from kanviz.model import KAN, load
from kanviz.nn import KANLayer, Network
from kanviz.snapshot import Edge, Snapshot
from kanviz.training import FitReport, Sparsity, warmup

if TYPE_CHECKING:
    from kanviz.course.problems import problem
    from kanviz.symbolic import register

__version__ = "0.1.0"

__all__ = [
    "KAN",
    "Dataset",
    "Edge",
    "FitReport",
    "KANLayer",
    "Network",
    "Snapshot",
    "Sparsity",
    "example_path",
    "from_arrays",
    "from_csv",
    "from_function",
    "load",
    "problem",
    "register",
    "warmup",
]

_LAZY = {"problem": "kanviz.course.problems", "register": "kanviz.symbolic"}
"""Public names that few programs use, and the module of each: imported at the first use."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
