"""kanviz: train a Kolmogorov-Arnold network, see every curve in it, take it apart by hand."""

from kanviz.data import Dataset, example_path, from_arrays, from_csv, from_function
from kanviz.model import KAN, load
from kanviz.nn import KANLayer, Network
from kanviz.problems import problem
from kanviz.snapshot import Edge, Snapshot
from kanviz.symbolic import register
from kanviz.training import FitReport, Sparsity, warmup

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
