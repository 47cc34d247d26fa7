"""Run a generator for long: ``python -m tests.fuzz fits --count 2000 --seed 0``.

Each generator is a function of a seed that returns what was wrong in one line, or None.
"""

import argparse
import importlib
import sys
import time
from collections import Counter

GENERATORS = {
    "fits": ".fits",
}
"""Name of each, and the module whose ``fault(seed)`` it is."""


def main() -> int:
    """Try so many seeds; print each fault with its seed, and the count."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("generator", choices=GENERATORS)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    module = importlib.import_module(GENERATORS[asked.generator], __package__)
    begin, n_faults, seen = time.perf_counter(), 0, Counter[str]()
    for seed in range(asked.seed, asked.seed + asked.count):
        found = module.fault(seed, seen)
        if found is not None:
            n_faults += 1
            sys.stdout.write(f"seed {seed}: {found}\n")
            sys.stdout.flush()
    seconds = time.perf_counter() - begin
    sys.stdout.write(f"{asked.count} {asked.generator} in {seconds:.0f} s, {n_faults} faults\n")
    for how, count in seen.most_common():
        sys.stdout.write(f"{count:6} {how}\n")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main())
