"""Data on its way in: from functions, arrays and CSV files to one ``Dataset``.

Imports torch and numpy, and of kanviz only the shared checks.
"""

from kanviz.data.arrays import as_dataset, from_arrays
from kanviz.data.dataset import Dataset
from kanviz.data.function import from_function
from kanviz.data.scaling import Scaling
from kanviz.data.table import example_path, from_csv

__all__ = [
    "Dataset",
    "Scaling",
    "as_dataset",
    "example_path",
    "from_arrays",
    "from_csv",
    "from_function",
]
