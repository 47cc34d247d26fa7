"""Train a model with each library that is installed on 500 points, convert it, and compare.

    python tests/accuracy/converted.py

prints the table of ``converted.md``: the largest difference between its outputs and those of what
``kv.convert`` made of it, as a share of the largest output, in float64 inside its grid and 3 times
as far, and in float32, where both round: off the outputs in float64, and apart from each other.
Then the converted model is pruned and its curves are named. The libraries are those of the
extra ``bench``, and from their repositories, on the path, efficient-kan and better_kan; the tests
have their numbers in ``fixtures``, written by ``make_converted.py``, or their arithmetic anew.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import torch

import kanviz as kv


def data(rows: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs inside (-1, 1) and the first toy formula of the KAN paper."""
    draw = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(rows, 2, generator=draw) - 1
    return x, torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2)


def pykan() -> Any:
    """Return a MultKAN with symbolic edges to come from its own functions."""
    from kan import KAN

    return KAN(width=[2, 3, 1], grid=4, k=3, seed=0, auto_save=False)


def flashkan() -> Any:
    """Return cubics on an even grid."""
    from flashkan import KANNetwork

    return KANNetwork([2, 3, 1], grid_size=4)


def inkan() -> Any:
    """Return cubics on an even grid."""
    from inkan import KANNetwork

    return KANNetwork([2, 3, 1], grid_size=4, compile_basis=False)


def kanditioned() -> Any:
    """Return broken lines."""
    from KANditioned import KANLayer

    def lines(n_in: int, n_out: int) -> Any:
        return KANLayer(n_in, n_out, "random_normal", 6, spline_width=3.0, impl="embedding")

    return torch.nn.Sequential(lines(2, 3), lines(3, 1))


def efficient_kan() -> Any:
    """Return cubics on an even grid."""
    return importlib.import_module("efficient_kan").KAN([2, 3, 1], grid_size=4)


def better_kan() -> Any:
    """Return cubics and silu on an even grid; from its repository at c9e9428 (2025-11-20)."""
    library = importlib.import_module("better_kan")
    functions = importlib.import_module("better_kan.functions")
    layers = torch.nn.ModuleList()
    for n_in, n_out in ((2, 3), (3, 1)):
        curves = [
            functions.Splines(n_in, n_out, functions.Grid(n_in, 5), k=3),
            functions.ActivationFunction(n_in, n_out),
        ]
        for one in curves:
            torch.nn.init.normal_(one.weights, std=0.3)
        layers.append(library.KANLayer(n_in, n_out, torch.nn.ModuleList(curves), bias=0.1))
    return library.KAN(layers)


LIBRARIES: dict[str, tuple[str, Callable[[], Any]]] = {
    "pykan": ("kan", pykan),
    "efficient-kan": ("efficient_kan", efficient_kan),
    "better_kan": ("better_kan", better_kan),
    "flashkan": ("flashkan", flashkan),
    "inkan": ("inkan", inkan),
    "kanditioned": ("KANditioned", kanditioned),
}


def train(model: Any, steps: int = 150) -> None:
    """Take steps of Adam."""
    x, y = data()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


@torch.no_grad()
def furthest(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Return the largest difference, as a share of the largest output."""
    return float((found.double() - wanted).abs().max() / wanted.abs().max())


def in_dtype(theirs: Any, dtype: torch.dtype) -> Any:
    """Cast a model, with what is no buffer there."""
    theirs = theirs.to(dtype)
    for part in theirs.modules():
        part.dtype = dtype
    return theirs


def row_of(name: str) -> str:
    """Return the line of one library."""
    module, make = LIBRARIES[name]
    if importlib.util.find_spec(module) is None:
        return f"| {name} | not installed |"
    torch.manual_seed(0)
    theirs = make()
    train(theirs)
    x, y = data()
    far = 3 * x
    theirs = in_dtype(theirs, torch.float32)
    short = theirs(x).detach(), kv.convert(theirs, x)(x).detach()
    theirs = in_dtype(theirs, torch.float64)
    truth, beyond = theirs(x.double()).detach(), theirs(far.double()).detach()
    mine = kv.convert(theirs, x.double())
    exact = (
        furthest(mine(x.double()).detach(), truth),
        furthest(mine(far.double()).detach(), beyond),
    )
    before = float((truth - y).pow(2).mean().sqrt())
    rows = x.double(), y.double()
    live = len(mine.snapshot().edges)
    removed = len(mine.prune(rows).edges)
    named = mine.symbolify(rows)
    found = sum(edge.chosen is not None for edge in named.edges)
    cells = (
        name,
        *(f"{one:.1e}" for one in (*exact, *(furthest(one, truth) for one in short))),
        f"{furthest(short[0], short[1].double()):.1e}",
        f"{before:.2g}",
        f"{removed} of {live}",
        f"{found} of {len(named.edges)}",
        f"{mine.evaluate(rows)['train_rmse']:.1e}",
        f"`{mine.formula()}`",
    )
    return f"| {' | '.join(cells)} |"


HEAD = """\
| Library | float64, inside | to 3 times as far | float32: theirs off the truth | ours | apart \
| error there | removed | named | error here | formula |
|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Print a line for each library."""
    print(HEAD)
    for name in sys.argv[1:] or list(LIBRARIES):
        print(row_of(name), flush=True)


if __name__ == "__main__":
    main()
