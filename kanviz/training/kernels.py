"""Compiled loops of training; imported only where one is called."""

import numpy as np
from jaxtyping import Float, Int

from kanviz.nn.compiled import compiled


@compiled
def add_products(
    columns: Int[np.ndarray, "rows entries"],
    values: Float[np.ndarray, "rows entries"],
    matrix: Float[np.ndarray, "weights weights"],
) -> None:
    """Add J^T J of sparse rows to the lower triangle of ``matrix``.

    Row n of J holds ``values[n]`` at ``columns[n]``; entries are int64 and float64.
    """
    n_rows, n_entries = columns.shape
    for n in range(n_rows):
        for a in range(n_entries):
            row, factor = columns[n, a], values[n, a]
            for b in range(n_entries):
                if columns[n, b] <= row:
                    matrix[row, columns[n, b]] += factor * values[n, b]
