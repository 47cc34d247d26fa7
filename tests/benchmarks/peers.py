"""Other KAN libraries, each as its documentation says it is fastest, on grids equal to ours.

A library that is not installed is shown as missing. pykan, inkan, flashkan and kanditioned are the
extra ``bench`` of this package; efficient-kan and fast-kan are on no index, only in repositories.
"""

import importlib
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from benchmarks.cells import Cell
from benchmarks.entrants import Entrant


def build_pykan(cell: Cell) -> nn.Module:
    """Return pykan without symbolic part, activations kept or files written: its quickest mode."""
    return _make(
        "kan",
        "KAN",
        width=list(cell.widths),
        grid=cell.grid_size,
        k=3,
        symbolic_enabled=False,
        save_act=False,
        auto_save=False,
    )


def build_efficient_kan(cell: Cell) -> nn.Module:
    """Return efficient-kan; its grid_size counts intervals."""
    return _make("efficient_kan", "KAN", list(cell.widths), grid_size=cell.grid_size)


def build_inkan(cell: Cell, **options: Any) -> nn.Module:
    """Return inkan; its grid_size counts intervals."""
    return _make("inkan", "KANNetwork", list(cell.widths), cell.grid_size, **options)


def build_flashkan(cell: Cell) -> nn.Module:
    """Return flashkan; it always compiles its basis."""
    return _make("flashkan", "KANNetwork", list(cell.widths), cell.grid_size)


def build_kanditioned(cell: Cell, impl: str) -> nn.Module:
    """Return kanditioned layers; G intervals have G + 1 control points.

    Its default, "sparse_matmul_csr", raises an error in version 1.0.4; its documentation
    recommends "embedding_bag", and "embedding" for training under ``torch.compile``.
    """
    layer = importlib.import_module("KANditioned").KANLayer
    points = cell.grid_size + 1
    return nn.Sequential(
        *(
            layer(inputs, outputs, "random_normal", points, spline_width=2.0, impl=impl)
            for inputs, outputs in pairwise(cell.widths)
        )
    )


def build_compiled_kanditioned(cell: Cell) -> nn.Module:
    """Return kanditioned under ``torch.compile``."""
    network = build_kanditioned(cell, "embedding")
    compiled: nn.Module = torch.compile(network)  # type: ignore[assignment]  # a module stays one
    return compiled


def build_fast_kan(cell: Cell) -> nn.Module:
    """Return fast-kan; it counts centres, one more than intervals, and has none beyond the ends."""
    centres = cell.grid_size + 1
    return _make(
        "fastkan", "FastKAN", list(cell.widths), grid_min=-1.0, grid_max=1.0, num_grids=centres
    )


def _make(package: str, name: str, *arguments: Any, **options: Any) -> nn.Module:
    """Return what a class of a package makes; imported here, for peers may be missing."""
    module: nn.Module = getattr(importlib.import_module(package), name)(*arguments, **options)
    return module


PEERS = (
    Entrant("pykan", "spline", build_pykan, "kan", "pykan"),
    Entrant("efficient-kan", "spline", build_efficient_kan, "efficient_kan"),
    Entrant("inkan", "spline", partial(build_inkan, compile_basis=False), "inkan", "inkan"),
    Entrant("inkan compiled", "spline", build_inkan, "inkan", "inkan"),
    Entrant(
        "inkan compiled dense", "spline", partial(build_inkan, basis_mode="dense"), "inkan", "inkan"
    ),
    Entrant("flashkan", "spline", build_flashkan, "flashkan", "flashkan"),
    Entrant(
        "kanditioned",
        "linear",
        partial(build_kanditioned, impl="embedding_bag"),
        "KANditioned",
        "kanditioned",
    ),
    Entrant(
        "kanditioned compiled",
        "linear",
        build_compiled_kanditioned,
        "KANditioned",
        "kanditioned",
    ),
    Entrant("fast-kan", "rbf", build_fast_kan, "fastkan"),
)
