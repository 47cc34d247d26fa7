"""Train a model with each library that is installed on 500 points, convert it, and compare.

    python tests/accuracy/converted.py

prints for each the largest difference between its outputs and those of what ``kv.convert`` made of
it, inside its grid and for all inputs, in float32 and in float64, as a share of what the outputs
vary by; then the converted model is pruned and its curves are named. The libraries are those of the
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
def difference(theirs: Any, mine: kv.KAN, x: torch.Tensor) -> float:
    """Return the largest difference of the outputs, as a share of what they vary by."""
    wanted = theirs(x)
    return float((mine(x) - wanted).abs().max() / wanted.std())


def main() -> None:
    """Print a line for each library and dtype."""
    chosen = sys.argv[1:] or list(LIBRARIES)
    for name, (module, make) in ((name, LIBRARIES[name]) for name in chosen):
        if importlib.util.find_spec(module) is None:
            print(f"{name}: not installed")
            continue
        torch.manual_seed(0)
        theirs = make()
        train(theirs)
        for dtype in (torch.float32, torch.float64):
            theirs = theirs.to(dtype)
            for part in theirs.modules():  # what is no buffer there
                part.dtype = dtype
            inside, _ = data()
            inside = inside.to(dtype)
            mine = kv.convert(theirs, inside)
            both = difference(theirs, mine, inside), difference(theirs, mine, 3 * inside)
            print(f"{name} {dtype}: {both[0]:.1e} inside the grid, {both[1]:.1e} to 3 times as far")
        x, y = data()
        pruned = mine.prune((x.double(), y.double()))
        named = mine.symbolify((x.double(), y.double()))
        found = sum(edge.chosen is not None for edge in named.edges)
        print(f"  then {len(pruned.edges)} edges pruned, {found} of {len(named.edges)} named")


if __name__ == "__main__":
    main()
