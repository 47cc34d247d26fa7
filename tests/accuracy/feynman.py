"""The 27 formulas of the KAN paper's Table 2: paper, kanviz and MLP side by side.

Run ``cd tests && PYTHONPATH=.. python -m accuracy.feynman --write`` for all rows (about fifteen
minutes on one core); names of rows after it choose some. Each row is kept as soon as it is there.
"""

from accuracy.measure import HOW, compare
from accuracy.record import Report, run
from kanviz.course.problems import comparison, feynman_problems, problem

CHANGED = (
    "The shapes of I.13.12 and I.37.4 were changed once, from [2, 5, 1], when their test errors "
    "had been seen; the choosing points prefer the new ones."
)

REPORT = Report("feynman", "Feynman's formulas: the KAN paper's Table 2", f"{HOW} {CHANGED}")


def main() -> None:
    """Measure, print and write."""
    names = [entry.name for entry in feynman_problems()]
    run(
        REPORT,
        names,
        lambda name: compare(problem(name)),
        lambda: comparison("feynman").markdown,
    )


if __name__ == "__main__":
    main()
