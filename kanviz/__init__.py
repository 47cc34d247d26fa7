"""kanviz: train a Kolmogorov-Arnold network, see every curve in it, take it apart by hand."""

import importlib
from typing import TYPE_CHECKING, Any

from kanviz.analysis.prune_plan import PrunePlan
from kanviz.analysis.pruning import PruneReport
from kanviz.analysis.trace import Trace
from kanviz.data import Dataset, Scaling, example_path, from_arrays, from_csv, from_function
from kanviz.files import load
from kanviz.interrupts import uninterrupted
from kanviz.model import KAN, FitHandle, Session
from kanviz.model.user_units import Band
from kanviz.nn import KANLayer, Network
from kanviz.recipe import Recipe
from kanviz.renamed import PUBLIC, refuse_old_names
from kanviz.snapshot import Edge, Snapshot
from kanviz.training import FitOptions, FitReport, Progress, Sparsity, warmup

if TYPE_CHECKING:
    from kanviz.conversion import convert
    from kanviz.course.problems import problem
    from kanviz.discovery import discover
    from kanviz.live.explorer import Explorer
    from kanviz.shape_search import Search, search
    from kanviz.symbolic import (
        Formula,
        Suggestion,
        SuggestionTable,
        register_function,
    )
    from kanviz.symbolic.symbol_report import SymbolReport

__version__ = "0.1.0"

__all__ = [
    "KAN",
    "Band",
    "Dataset",
    "Edge",
    "Explorer",
    "FitHandle",
    "FitOptions",
    "FitReport",
    "Formula",
    "KANLayer",
    "Network",
    "Progress",
    "PrunePlan",
    "PruneReport",
    "Recipe",
    "Scaling",
    "Search",
    "Session",
    "Snapshot",
    "Sparsity",
    "Suggestion",
    "SuggestionTable",
    "SymbolReport",
    "Trace",
    "convert",
    "discover",
    "example_path",
    "from_arrays",
    "from_csv",
    "from_function",
    "load",
    "problem",
    "register_function",
    "search",
    "warmup",
]

_LAZY = {
    "Explorer": "kanviz.live.explorer",
    "Formula": "kanviz.symbolic.formula",
    "Search": "kanviz.shape_search",
    "Suggestion": "kanviz.symbolic.suggest",
    "SuggestionTable": "kanviz.symbolic.suggest",
    "SymbolReport": "kanviz.symbolic.symbol_report",
    "convert": "kanviz.conversion",
    "discover": "kanviz.discovery",
    "problem": "kanviz.course.problems",
    "register_function": "kanviz.symbolic.functions",
    "search": "kanviz.shape_search",
}
"""Public names that take long to import or that few programs use, and the module of each."""


_ROOMS = ("analysis", "conversion", "course", "sklearn", "symbolic", "views")
"""Parts of the package with public names of their own, imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name in _LAZY or name in _ROOMS:
        with uninterrupted():
            module = importlib.import_module(_LAZY.get(name, f"kanviz.{name}"))
        return module if name in _ROOMS else getattr(module, name)
    refuse_old_names("kanviz", name, PUBLIC)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_ROOMS})
