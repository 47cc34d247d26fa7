"""Run ``python -m tests.benchmarks`` from the top folder; ``--help`` lists the options.

With ``--out tests/benchmarks`` it renews the committed report: ``results.md``, the plots, and all
numbers in ``results.json``.
"""

import sys
from pathlib import Path


def start() -> None:
    """Make ``benchmarks`` importable as in the tests, however this was started, and run it."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from benchmarks.command import main

    main()


if __name__ == "__main__":
    start()
