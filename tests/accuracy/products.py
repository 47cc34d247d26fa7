"""Products found by nodes that multiply: five laws over five seeds, from data to the formula.

Run ``python tests/accuracy/products.py`` from the top folder; laws by name, and ``--seeds 2``, are
arguments. Each row is a default fit of a random product network and ``kv.discover`` from there,
which asks the network for its structure; a law is recovered where sympy finds its formula equal, to
1e-4 of each term.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import sympy
import torch
from torch import Tensor

import kanviz as kv


class Law(NamedTuple):
    """A law, its inputs with their ranges, and the widths that it is looked for with."""

    text: str
    function: Callable[..., Tensor]
    ranges: dict[str, tuple[float, float]]
    products: int


UNIT, ABOVE = (-1.0, 1.0), (0.5, 2.0)

LAWS = (
    Law("x*y", lambda x, y: x * y, {"x": UNIT, "y": UNIT}, 1),
    Law("x*y*z", lambda x, y, z: x * y * z, dict.fromkeys("xyz", UNIT), 2),
    Law("(x + y)*(z + w)", lambda x, y, z, w: (x + y) * (z + w), dict.fromkeys("xyzw", UNIT), 1),
    Law("x*y/z", lambda x, y, z: x * y / z, {"x": UNIT, "y": UNIT, "z": ABOVE}, 2),
    Law(
        "m*v**2/2 + m*g*h",
        lambda m, v, g, h: m * v**2 / 2 + m * g * h,
        dict.fromkeys("mvgh", ABOVE),
        2,
    ),
)
"""``products`` is k in the widths [n, (k, k), 1]."""


def measure(law: Law, seed: int) -> tuple[float, float, str, bool]:
    """Return test RMSE of the law, seconds of processor, the formula, and if it is the law."""
    names = list(law.ranges)
    sample = kv.from_function(lambda x: law.function(*x.unbind(1)), list(law.ranges.values()))
    data = replace(sample, input_names=tuple(names))
    begin = time.process_time()
    k = law.products
    model = kv.KAN([len(names), (k, k), 1], seed=seed)
    model.fit(data, seed=seed, progress=False)
    best = kv.discover(data, model=model, progress=False).best
    error, (found,) = best.error, best.formula.expressions
    seconds = time.process_time() - begin
    symbols = {name: sympy.Symbol(name) for name in names}
    wanted = sympy.sympify(law.text, locals=symbols)
    rest = sympy.expand(found - wanted)
    largest = max(abs(float(one)) for one in rest.as_coefficients_dict().values())
    return error, seconds, str(found), largest < 1e-4


def main() -> None:
    """Print one line per law and seed, and how often each law was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("laws", nargs="*", default=[law.text for law in LAWS])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for law in (law for law in LAWS if law.text in options.laws):
        k = law.products
        print(f"{law.text}, [{len(law.ranges)}, ({k}, {k}), 1]", flush=True)
        rows = []
        for seed in range(options.seeds):
            rows.append(measure(law, seed))
            error, seconds, formula, is_found = rows[-1]
            word = "the law" if is_found else "another"
            print(f"  seed {seed}: {error:.1e} in {seconds:.0f} s, {word}: {formula}", flush=True)
        print(f"  {sum(row[3] for row in rows)} of {len(rows)} seeds", flush=True)


if __name__ == "__main__":
    main()
