"""A control of the Feynman table: MLPs with as many weights as the KANs that are ahead of them.

Run ``cd tests && PYTHONPATH=.. python -m accuracy.larger_mlp --write`` (about ten minutes on one
core); names of rows after it choose some. It takes the rows of two inputs in which the KAN has the
smaller error and more weights, and trains MLPs of about 800 weights instead of 500 in the same way;
the KAN is not trained again. The table is written anew after each row.
"""

import argparse

from accuracy.measure import measure_mlp, samples
from accuracy.record import TABLES
from kanviz.course.problems import comparison, problem

LARGER = (((26, 26), "tanh"), ((26, 26), "silu"), ((18, 18, 18), "tanh"))

HEADS = ("problem", "kanviz", "weights", "MLP", "weights", "larger MLP", "weights")


def main() -> None:
    """Measure, print, and with ``--write`` keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for row in comparison("feynman").results.rows:
        name, kan, mlp = row["name"], row["kan"], row["mlp"]
        wins = kan["test_rmse"] < mlp["test_rmse"] and kan["n_parameters"] > mlp["n_parameters"]
        is_asked = name in (asked.names or [name])
        if not (wins and is_asked and len(problem(name).ranges) == 2):
            continue
        larger = measure_mlp(samples(problem(name)), LARGER)
        cells = [name]
        for found in (kan, mlp, larger):
            cells += [f"{found['test_rmse']:.1e}", str(found["n_parameters"])]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        if asked.write:
            table = "\n".join(lines)
            text = f"# As many weights for the MLP\n\n{__doc__}\n{table}\n"
            (TABLES / "larger_mlp.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
