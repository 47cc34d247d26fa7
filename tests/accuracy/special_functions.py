"""The 15 special functions of the KAN paper's Table 1: paper and kanviz side by side.

Run ``python tests/accuracy/special_functions.py`` from the top folder for the table (about five
minutes on one core); names of problems after it choose rows, ``--write`` renews the committed
``special_functions.md`` beside this file.
"""

import argparse
import datetime
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from kanviz.nn import Network
from kanviz.problems import Problem, names, problem
from kanviz.training import fit

WIDTHS = (2, 5, 1)
GRIDS = (5, 10, 20, 50)
"""One choice for every row."""

TABLE = Path(__file__).with_name("special_functions.md")
COMMAND = "python tests/accuracy/special_functions.py --write"


@dataclass(frozen=True)
class Row:
    """One problem: root-mean-square errors on 1000 test points, and how they came about."""

    problem: Problem
    grids: tuple[int, ...]
    train_rmse: float
    test_rmse: float
    seconds: float

    @property
    def ratio(self) -> float:
        """Our test error over the paper's best KAN."""
        assert self.problem.paper is not None
        return self.test_rmse / self.problem.paper.best_rmse


def measure(name: str, grids: tuple[int, ...] = GRIDS) -> Row:
    """Fit one row: 3000 points of seed 0, float64, one thread, default options."""
    chosen = problem(name)
    data = chosen.dataset(n_train=3000, n_test=1000, seed=0, dtype=torch.float64)
    network = Network(WIDTHS, grid_range=torch.tensor(chosen.ranges), seed=0, dtype=torch.float64)
    begin = time.perf_counter()
    report = fit(network, data, grids=grids, progress=False)
    seconds = time.perf_counter() - begin
    assert data.x_test is not None
    with torch.no_grad():
        test_rmse = float((network(data.x_test) - data.y_test).square().mean().sqrt())
    return Row(chosen, grids, report.loss**0.5, test_rmse, seconds)


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    columns = "function|ranges|paper's best KAN|its RMSE|its MLP|kanviz|grids|train|test|ratio|s"
    lines = [f"|{columns}|", "|" + "---|" * len(columns.split("|"))]
    for row in rows:
        paper = row.problem.paper
        assert paper is not None
        ranges = " x ".join(f"[{low:.4g}, {high:.4g}]" for low, high in row.problem.ranges)
        cells = [
            row.problem.name,
            ranges,
            str(list(paper.best_widths)),
            f"{paper.best_rmse:.2e}",
            f"{paper.mlp_rmse:.2e}",
            str(list(WIDTHS)),
            ", ".join(map(str, row.grids)),
            f"{row.train_rmse:.2e}",
            f"{row.test_rmse:.2e}",
            f"{row.ratio:.4f}",
            f"{row.seconds:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    below = sum(row.ratio < 1 for row in rows)
    tenth = sum(row.ratio < 0.1 for row in rows)
    summary = (
        f"Below the paper's best KAN in {below} of {len(rows)} rows, below a tenth in {tenth}."
    )
    return "\n".join([*lines, "", summary])


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows; all without")
    parser.add_argument("--write", action="store_true", help=f"renew {TABLE.name}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in arguments.names or [n for n in names() if problem(n).paper]:
        rows.append(measure(name))
        print(f"{name}: {rows[-1].test_rmse:.2e} ({rows[-1].seconds:.0f} s)", flush=True)
    print(table(rows))
    if arguments.write:
        date = datetime.datetime.now(tz=datetime.UTC).date()
        head = (
            "# Special functions: the KAN paper's Table 1 and kanviz\n\n"
            "Paper: Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv 2404.19756. It gives no "
            "ranges;\nthese are ours, with the reasons in `kanviz/problems`. 3000 training and "
            "1000 test points,\nfloat64, one thread, seed 0, default options.\n\n"
            f"Made on {date} by `{COMMAND}`.\n\n"
        )
        TABLE.write_text(head + table(rows) + "\n")


if __name__ == "__main__":
    main()
