"""Structure that was planted, found in networks trained with 1 % noise; none found in random ones.

Run ``python tests/accuracy/structure.py`` from the top folder; ``--seeds 1``, ``--random 10`` and
planted laws by name are arguments. A planted law is trained by the default fit of [n, 5, 1] on 1000
rows; each property that it has is asked of ``KAN.structure``. A random network has curves drawn at
random, [3, 4, 1] with 1 % of its outputs' standard deviation as its error: no sum, product,
combination, sign or degree may hold.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

import kanviz as kv
from kanviz.analysis import Structure, structure


class Planted(NamedTuple):
    """A law, the range of its inputs, and the text of each property that it has."""

    text: str
    function: Callable[..., Tensor]
    low: float
    high: float
    properties: Sequence[str]


def _sum(one: str, other: str) -> str:
    return f"is a sum of a part with {one} and a part with {other}"


def _product(one: str, other: str) -> str:
    return f"is a product of a part with {one} and a part with {other}"


PLANTED = (
    Planted(
        "sin(2*a) + b^2",
        lambda a, b: (2 * a).sin() + b**2,
        -1,
        1,
        [_sum("a", "b"), "does not depend on the sign of b"],
    ),
    Planted("a*sin(2*b)", lambda a, b: a * (2 * b).sin(), 0.5, 2, [_product("a", "b")]),
    Planted(
        "exp(a - b)*sin(c)",
        lambda a, b, c: (a - b).exp() * c.sin(),
        -1,
        1,
        [_product("a", "c"), _product("b", "c"), _product("a", "b")],
    ),
    Planted("sin(3*(a - b))", lambda a, b: (3 * (a - b)).sin(), -1, 1, ["depends on a - b alone"]),
    Planted(
        "tanh(2*(a + b)) + c",
        lambda a, b, c: (2 * (a + b)).tanh() + c,
        -1,
        1,
        ["depends on a + b alone", _sum("a", "c"), _sum("b", "c")],
    ),
    Planted("sin(a*b)", lambda a, b: (a * b).sin(), 0.5, 2.5, ["depends on a*b alone"]),
    Planted("tanh(a/b)", lambda a, b: (a / b).tanh(), 0.5, 2, ["depends on a/b alone"]),
    Planted(
        "sqrt(a^2 + b^2)",
        lambda a, b: (a**2 + b**2).sqrt(),
        0.5,
        2,
        ["depends on a^2 + b^2 alone", "is homogeneous of degree 1"],
    ),
    Planted(
        "1/(1/a + 1/b)",
        lambda a, b: 1 / (1 / a + 1 / b),
        0.5,
        3,
        ["depends on 1/a + 1/b alone", "is homogeneous of degree 1"],
    ),
    Planted("sin(a + 2*b)", lambda a, b: (a + 2 * b).sin(), -1, 1, ["depends on a + 2*b alone"]),
)


def of_planted(law: Planted, seed: int, noise: float = 0.01) -> tuple[Structure, list[str]]:
    """Return what is found in a network that was trained on a law, and the properties it missed."""
    generator = torch.Generator().manual_seed(seed)
    n = law.function.__code__.co_argcount
    x = law.low + (law.high - law.low) * torch.rand(
        1000, n, generator=generator, dtype=torch.float64
    )
    y = law.function(*x.unbind(1))[:, None]
    y += noise * y.std() * torch.randn(y.shape, generator=generator, dtype=torch.float64)
    names = list("abc")[:n]
    data = kv.from_arrays(x, y, input_names=names, test_fraction=0.0)
    model = kv.KAN([n, 5, 1], seed=seed)
    model.fit(data, progress=False, seed=seed)
    found = model.structure(data)
    texts = [finding.text for finding in found.found]
    return found, [text for text in law.properties if text not in texts]


def of_random(seed: int, noise: float = 0.01) -> Structure:
    """Return what is found in a network of random curves."""
    generator = torch.Generator().manual_seed(seed)
    network = kv.Network([3, 4, 1], dtype=torch.float64, seed=seed)
    with torch.no_grad():
        for layer in network.layers:
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
        x = torch.rand(600, 3, generator=generator, dtype=torch.float64) * 2 - 1
        y = network(x)
    return structure(network, (x, y), error=noise * float(y.std()))


def main() -> None:
    """Print one line per network, and how many properties were found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("laws", nargs="*", default=[law.text for law in PLANTED])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--random", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)
    missed = total = 0
    for law in (law for law in PLANTED if law.text in options.laws):
        for seed in range(options.seeds):
            begin = time.process_time()
            found, lost = of_planted(law, seed)
            missed, total = missed + len(lost), total + len(law.properties)
            seconds = time.process_time() - begin
            words = f"missed: {'; '.join(lost)}" if lost else "all found"
            print(
                f"{law.text}, seed {seed}: {found.sketch} in {seconds:.0f} s, {words}", flush=True
            )
    print(f"{total - missed} of {total} planted properties found")
    false = [seed for seed in range(options.random) if (found := of_random(seed)).found]
    for seed in false:
        print(f"random network {seed}: {'; '.join(one.text for one in of_random(seed).found)}")
    print(f"{len(false)} of {options.random} random networks have a false property")


if __name__ == "__main__":
    main()
