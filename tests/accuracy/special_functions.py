"""The 15 special functions of the KAN paper's Table 1: paper, kanviz and MLP side by side.

Run ``cd tests && PYTHONPATH=.. python -m accuracy.special_functions --write`` for all rows (about
ten minutes on one core); names of rows after it choose some. Each row is kept as soon as it is
there.
"""

from accuracy.measure import HOW, compare
from accuracy.record import Report, run
from kanviz.course.problems import comparison, problem, special_functions

REPORT = Report("special_functions", "Special functions: the KAN paper's Table 1", HOW)


def main() -> None:
    """Measure, print and write."""
    names = [entry.name for entry in special_functions()]
    run(
        REPORT,
        names,
        lambda name: compare(problem(name)),
        lambda: comparison("special_functions").markdown,
    )


if __name__ == "__main__":
    main()
