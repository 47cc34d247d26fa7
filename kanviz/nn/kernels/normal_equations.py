"""The CPU kernel of Levenberg-Marquardt's matrix: J^T J from the rows of a sparse Jacobian."""

import numpy as np
from jaxtyping import Float, Int

from kanviz.nn.kernels.jit import kernel


@kernel
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
