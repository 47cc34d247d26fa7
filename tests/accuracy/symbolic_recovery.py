"""Does ``suggest`` find each library function in noisy samples of itself?

Run ``python tests/accuracy/symbolic_recovery.py`` from the top folder (about three minutes on one
core). Each function is hidden as c f(a x + b) + d in 1000 samples with noise of 1 % of the standard
deviation of y; x and y have sizes from 1e-4 to 1e4. "found" is: among the first three suggestions.
"""

import argparse
import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from kanviz.symbolic.functions import BUILT_IN, INFINITY, Function, traits
from kanviz.symbolic.suggest import suggest

SAMPLES, NOISE, SEEDS = 1000, 0.01, 20


class Dice:
    """Random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high, evenly."""
        share = torch.rand((), generator=self.generator, dtype=torch.float64)
        return low + (high - low) * float(share)

    def size(self, low: float, high: float) -> float:
        """Return a number from low to high, each order of magnitude as likely."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def sign(self) -> int:
        """Return 1 or -1."""
        return 1 if self.between(0, 1) < 0.5 else -1


def make_window(function: Function, dice: Dice) -> tuple[float, float]:
    """Return a and b such that x from -1 to 1 shows what is typical of the function.

    Functions without singularities: a half width of 1.5 to 5 (waves: 20) about a middle within 0.6
    half widths. Beside a singularity: from 1 to 50 % of the width away. Between two: from 0.5 to
    25 % of the domain away from each.
    """
    low, high = function.domain
    known = traits(function)
    if known.scale_free and (low, high) == (-INFINITY, INFINITY):
        return dice.sign() * 1.0, dice.between(-0.7, 0.7)
    if (low, high) == (-INFINITY, INFINITY):
        scale = dice.between(1.5, 20 if known.is_wave else 5)
        return dice.sign() * scale, scale * dice.between(-0.6, 0.6)
    if high == INFINITY:
        scale = 1.0 if known.scale_free else dice.size(0.5, 5)
        return dice.sign() * scale, low + scale * (1 + 2 * dice.size(0.01, 0.5))
    p, q = dice.size(0.005, 0.25), dice.size(0.005, 0.25)
    width = high - low
    return dice.sign() * width * (1 - p - q) / 2, low + width * (1 + p - q) / 2


def make_samples(
    function: Function, seed: int, samples: int = SAMPLES, noise: float = NOISE
) -> tuple[Tensor, Tensor]:
    """Return noisy samples of c f(a x + b) + d in random units."""
    dice = Dice(seed)
    scale, shift = make_window(function, dice)
    t = torch.rand(samples, generator=dice.generator, dtype=torch.float64) * 2 - 1
    z = function.torch.plain(scale * t + shift)
    z = (z - z.mean()) / (z.std() if z.std() > 0 else 1)
    z = z + noise * torch.randn(samples, generator=dice.generator, dtype=torch.float64)
    x = dice.size(1e-4, 1e4) * (t + dice.between(-2, 2))
    y = dice.size(1e-4, 1e4) * (dice.sign() * z + dice.between(-3, 3))
    return x, y


@dataclass(frozen=True)
class Row:
    """One function: its place (0 is first) in the suggestions of each seed, and the seconds."""

    name: str
    places: tuple[int, ...]
    seconds: float

    @property
    def first(self) -> int:
        """How often it came first."""
        return sum(place == 0 for place in self.places)

    @property
    def found(self) -> int:
        """How often it was among the first three."""
        return sum(place < 3 for place in self.places)


def measure(name: str, seeds: int = SEEDS, samples: int = SAMPLES, noise: float = NOISE) -> Row:
    """Hide one function in ``seeds`` sets of samples and look for it with the whole library."""
    places, seconds = [], 0.0
    for seed in range(seeds):
        x, y = make_samples(BUILT_IN[name], seed, samples, noise)
        begin = time.perf_counter()
        table = suggest(x, y, functions=BUILT_IN)
        seconds += time.perf_counter() - begin
        places.append([row.name for row in table].index(name))
    return Row(name, tuple(places), seconds / seeds)


def main() -> None:
    """Print one line per function, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--noise", type=float, default=NOISE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    suggest(*make_samples(BUILT_IN["sin"], 0), functions=BUILT_IN)  # learn the traits once
    print(f"{'function':11} first  found  of  seconds")
    rows = []
    for name in BUILT_IN:
        row = measure(name, options.seeds, options.samples, options.noise)
        rows.append(row)
        print(f"{name:11} {row.first:5}  {row.found:5}  {options.seeds:2}  {row.seconds:.2f}")
    total = len(rows) * options.seeds
    first, found = (sum(getattr(row, kind) for row in rows) / total for kind in ("first", "found"))
    seconds = sum(row.seconds for row in rows) / len(rows)
    print(f"first {first:.1%}, among three {found:.1%}; {seconds:.2f} s per table of {len(rows)}")


if __name__ == "__main__":
    main()
