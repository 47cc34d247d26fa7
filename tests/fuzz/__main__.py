"""Run ``python -m tests.fuzz KIND --count N --seed S`` from the top folder.

Each kind is a generator of cases, all from the seed, and what must hold of each. The tests run a
few of them; this runs many, prints what fell and how many, and ends with 1 if anything did.
"""

import argparse
import importlib
import sys
from pathlib import Path

KINDS = {
    "fits": ("fits", "run"),
    "edits": ("edits", "run"),
    "messages": ("edits", "run_messages"),
    "interrupts": ("interrupts", "run"),
    "exits": ("interrupts", "run_exits"),
    "texts": ("texts", "run"),
    "files": ("files", "run"),
    "tables": ("files", "run_tables"),
    "kills": ("files", "run_kills"),
}
"""Which function of which module runs a kind: count and seed in, the faults out, one line each."""


def start() -> int:
    """Make ``fuzz`` importable as in the tests, however this was started, and run one kind."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    module, function = KINDS[asked.kind]
    run = getattr(importlib.import_module(f"fuzz.{module}"), function)
    faults = run(asked.count, asked.seed)
    for fault in faults:
        print(fault)
    print(f"{asked.kind}: {asked.count} cases from seed {asked.seed}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(start())
