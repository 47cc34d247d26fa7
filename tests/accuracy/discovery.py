"""How many laws of the field ``kv.discover`` finds, all by default, with no hint of their shape.

Run ``python tests/accuracy/discovery.py`` from the top folder; names of rows and ``--noise 0.01``
are arguments. What is done is kept in ``discovery.json`` beside this file, so that a run that was
broken off goes on where it was; ``--again`` measures anew; ``discovery.md`` is the table, which
says what was not run.

Rows: Nguyen of ``yardstick_laws.py``, and the easy set of SRSD-Feynman (Matsubara et al., arXiv
2206.10540) with its ranges, as the authors' generator has them (omron-sinicx/srsd-benchmark,
``datasets/feynman.py``): numbers are drawn evenly in their logarithm, of either sign where that is
allowed. Whole numbers are drawn as others. 2000 rows, of which a fifth is held out, seed 0. A law
is found where its formula has no unnamed curve and is nowhere farther from the law than 1e-4 of
the largest value, on 200 fresh rows (with noise: three times the noise). That is not yet equality
of the formulas, which the last column lets one read.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sympy
import torch

import kanviz as kv

KEPT = Path(__file__).with_suffix(".json")
TABLE = KEPT.with_suffix(".md")
ROWS, FRESH = 2000, 200


class Range(NamedTuple):
    """Where an input is: evenly in its logarithm or in itself, of one sign or of both."""

    low: float
    high: float
    kind: str = "log"

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Return n numbers."""
        if self.kind == "even":
            return rng.uniform(self.low, self.high, n)
        size = np.exp(rng.uniform(math.log(self.low), math.log(self.high), n))
        return size * rng.choice([-1, 1], n) if self.kind == "signed" else size


class Row(NamedTuple):
    """A law in a, b, c ... and the range of each."""

    name: str
    text: str
    ranges: Sequence[Range]


def _log(low: float, high: float) -> Range:
    return Range(low, high)


def _signed(low: float, high: float) -> Range:
    return Range(low, high, "signed")


def _even(low: float, high: float) -> Range:
    return Range(low, high, "even")


TENTHS, SIGNED_TENTHS, HUNDREDTHS = _log(0.1, 10), _signed(0.1, 10), _log(0.01, 1)
TURN, QUARTER = _even(0, 2 * math.pi), _even(0, math.pi / 2)
EPS, C, MU_B, H = "8.854e-12", "2.99792458e8", "9.2740100783e-24", "6.626e-34"

SRSD_EASY: tuple[Row, ...] = (
    Row("I.12.1", "a*b", [HUNDREDTHS] * 2),
    Row("I.12.4", f"a/(4*pi*{EPS}*b**2)", [SIGNED_TENTHS, TENTHS]),
    Row("I.12.5", "a*b", [SIGNED_TENTHS] * 2),
    Row("I.14.3", "9.80665*a*b", [HUNDREDTHS, _signed(0.01, 1)]),
    Row("I.14.4", "a*b**2/2", [_log(1e2, 1e4), _signed(0.01, 1)]),
    Row("I.18.12", "a*b*sin(c)", [TENTHS, TENTHS, TURN]),
    Row("I.18.16", "a*b*c*sin(d)", [TENTHS, TENTHS, TENTHS, TURN]),
    Row("I.25.13", "a/b", [_signed(1e-5, 1e-3), _log(1e-5, 1e-3)]),
    Row("I.26.2", "sin(a)/sin(b)", [QUARTER] * 2),
    Row("I.27.6", "1/(1/a + b/c)", [_log(1e-3, 0.1), TENTHS, _log(1e-3, 0.1)]),
    Row("I.30.5", "a/(b*sin(c))", [_log(1e-11, 1e-9), _log(1, 100), QUARTER]),
    Row("I.43.16", "a*b*c/d", [_signed(1e-6, 1e-4), _signed(1e-11, 1e-9), SIGNED_TENTHS,
                               _log(1e-3, 0.1)]),
    Row("I.47.23", "sqrt(a*b/c)", [_even(1, 2), _even(5e-6, 1.5e-5), _even(1, 2)]),
    Row("II.2.42", "a*(b - c)*d/e", [TENTHS, _log(10, 1e3), _log(10, 1e3), _log(1e-4, 1e-2),
                                     HUNDREDTHS]),
    Row("II.3.24", "a/(4*pi*b**2)", [_signed(1, 100), HUNDREDTHS]),
    Row("II.4.23", f"a/(4*pi*{EPS}*b)", [_signed(1e-3, 0.1), HUNDREDTHS]),
    Row("II.8.31", f"{EPS}*a**2/2", [_log(10, 1e3)]),
    Row("II.10.9", f"a/({EPS}*(1 + b))", [_signed(1e-3, 0.1), _log(1, 100)]),
    Row("II.13.17", f"2*a/(4*pi*{EPS}*{C}**2*b)", [_signed(1e-3, 0.1), _log(1e-3, 0.1)]),
    Row("II.15.4", "-a*b*cos(c)", [_signed(1e-25, 1e-23), _signed(1e-3, 0.1), TURN]),
    Row("II.15.5", "-a*b*cos(c)", [_signed(1e-22, 1e-20), _signed(10, 1e3), TURN]),
    Row("II.27.16", f"{EPS}*{C}*a**2", [TENTHS]),
    Row("II.27.18", f"{EPS}*a**2", [TENTHS]),
    Row("II.34.11", "a*b*c/(2*d)", [_even(-1, 1), _signed(1e-11, 1e-9), _signed(1e-9, 1e-7),
                                    _log(1e-30, 1e-28)]),
    Row("II.34.29b", f"2*pi*{MU_B}/{H}*a*b*c", [_even(-1, 1), _signed(1e-3, 0.1),
                                                _signed(1e-26, 1e-22)]),
    Row("II.38.3", "a*b*c/d", [TENTHS, _log(1e-4, 1e-2), _signed(1e-3, 0.1), HUNDREDTHS]),
    Row("II.38.14", "a/(2*(1 + b))", [TENTHS, HUNDREDTHS]),
    Row("III.7.38", f"4*pi/{H}*a*b", [_signed(1e-11, 1e-9), _signed(1e-3, 0.1)]),
    Row("III.12.43", f"{H}/(2*pi)*a", [_log(1, 100)]),
    Row("III.15.27", "2*pi*a/(b*c)", [_signed(1, 100), _log(1, 100), _log(1e-10, 1e-8)]),
)  # fmt: skip

WIDE, UNIT = _even(-1, 1), _even(0, 1)

NGUYEN: tuple[Row, ...] = (
    Row("Nguyen-1", "a**3 + a**2 + a", [WIDE]),
    Row("Nguyen-2", "a**4 + a**3 + a**2 + a", [WIDE]),
    Row("Nguyen-3", "a**5 + a**4 + a**3 + a**2 + a", [WIDE]),
    Row("Nguyen-4", "a**6 + a**5 + a**4 + a**3 + a**2 + a", [WIDE]),
    Row("Nguyen-5", "sin(a**2)*cos(a) - 1", [WIDE]),
    Row("Nguyen-6", "sin(a) + sin(a + a**2)", [WIDE]),
    Row("Nguyen-7", "log(a + 1) + log(a**2 + 1)", [_even(0, 2)]),
    Row("Nguyen-8", "sqrt(a)", [_even(0, 4)]),
    Row("Nguyen-9", "sin(a) + sin(b**2)", [UNIT, UNIT]),
    Row("Nguyen-10", "2*sin(a)*cos(b)", [UNIT, UNIT]),
    Row("Nguyen-11", "a**b", [UNIT, UNIT]),
    Row("Nguyen-12", "a**4 - a**3 + b**2/2 - b", [UNIT, UNIT]),
)

ALL = (*NGUYEN, *SRSD_EASY)


def measure(row: Row, noise: float) -> dict[str, Any]:
    """Take one law from samples to a formula."""
    names = "abcdefgh"[: len(row.ranges)]
    law = sympy.lambdify(list(names), sympy.sympify(row.text), "numpy")
    rng = np.random.default_rng(0)

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.stack([one.draw(rng, n) for one in row.ranges], axis=1)
        return x, np.asarray(law(*x.T), dtype=float)

    x, y = sample(ROWS)
    y = y + noise * y.std() * rng.standard_normal(ROWS)
    data = kv.from_arrays(x, y, input_names=list(names), dtype=torch.float64)
    begin = time.process_time()
    best = kv.discover(data, progress=False).best
    seconds = time.process_time() - begin
    fresh, exact = sample(FRESH)
    said = best.model.predict(fresh)[:, 0]
    apart = float(np.abs(said - exact).max() / np.abs(exact).max())
    near = 1e-4 if noise == 0 else 3 * noise
    return {
        "found": not best.formula.splines and apart <= near,
        "said": best.verdict,
        "apart": apart,
        "formula": str(best.formula),
        "seconds": round(seconds),
    }


def table(kept: dict[str, Any]) -> str:
    """Return all rows as Markdown, with counts, those not run included."""
    lines = [(__doc__ or "").split("\n\n", 1)[0], ""]
    lines += ["| law | | noise | found | verdict | furthest apart | s | formula |", "|---|" * 1]
    lines[-1] = "|" + "---|" * 8
    for noise in ("0.0", "0.01"):
        for row in ALL:
            one = kept.get(f"{row.name} {noise}")
            if one is not None:
                word = "yes" if one["found"] else "no"
                lines.append(
                    f"| {row.name} | `{row.text}` | {noise} | {word} | {one['said']} "
                    f"| {one['apart']:.1e} | {one['seconds']} | `{one['formula'][:100]}` |"
                )
    for noise in ("0.0", "0.01"):
        done = [kept[key] for row in ALL if (key := f"{row.name} {noise}") in kept]
        missing = [row.name for row in ALL if f"{row.name} {noise}" not in kept]
        lines += ["", f"Noise {noise}: {sum(one['found'] for one in done)} of {len(done)} found."]
        lines += [f"Not run: {', '.join(missing) or 'none'}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is asked for and not there yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows; by default all")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for row in ALL:
        key = f"{row.name} {options.noise}"
        if (not options.names or row.name in options.names) and (options.again or key not in kept):
            kept[key] = measure(row, options.noise)
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
            TABLE.write_text(table(kept))
            one = kept[key]
            print(f"{key}: {one['found']}, {one['said']}, {one['seconds']} s: {one['formula']}")
    TABLE.write_text(table(kept))


if __name__ == "__main__":
    main()
