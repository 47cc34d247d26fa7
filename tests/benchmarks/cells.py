"""What is measured: networks, grids and batches."""

from dataclasses import dataclass

HIDDEN_FACTOR = 10
"""The MLP's hidden layers over the KAN's; at G = 5 that gives both about as many parameters."""


@dataclass(frozen=True)
class Cell:
    """One line of the benchmark: a network, the intervals of its grids, the samples of a batch."""

    widths: tuple[int, ...]
    grid_size: int
    batch: int

    def __str__(self) -> str:
        """Say it as the tables do."""
        return f"{list(self.widths)}; G = {self.grid_size}; batch {self.batch}"

    @property
    def mlp_widths(self) -> tuple[int, ...]:
        """Widths of the MLP beside it."""
        hidden = (HIDDEN_FACTOR * width for width in self.widths[1:-1])
        return (self.widths[0], *hidden, self.widths[-1])


CELLS = (
    Cell((2, 5, 1), 5, 1000),
    Cell((2, 50, 1), 5, 32),
    Cell((4, 8, 8, 8, 1), 10, 1000),
    Cell((100, 1000, 1), 5, 1000),
    Cell((1000, 1000, 1), 5, 100),
    Cell((784, 64, 10), 5, 256),
    Cell((10, 10, 1), 200, 10000),
    Cell((64, 64, 1), 100, 1000),
)
