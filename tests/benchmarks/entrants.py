"""Who is measured: an MLP, kanviz, and the peers in ``peers``."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise

import torch
from torch import nn

import kanviz as kv
from benchmarks.cells import Cell

MLP = "MLP"


@dataclass(frozen=True)
class Entrant:
    """A model to measure.

    ``family`` is what it may be compared with: "mlp", "spline" (cubic), "linear" (piecewise linear
    splines) or "rbf". ``package`` is imported by ``build``; ``distribution`` is its name on the
    package index, empty if it is not there. ``build`` returns a float32 module for a cell, whose
    inputs lie in [-1, 1].
    """

    name: str
    family: str
    build: Callable[[Cell], nn.Module]
    package: str
    distribution: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether its package is not installed here."""
        return importlib.util.find_spec(self.package) is None

    @property
    def version(self) -> str:
        """Version of its package; empty where that is not known."""
        try:
            return version(self.distribution) if self.distribution else ""
        except PackageNotFoundError:
            return ""

    def make(self, cell: Cell) -> nn.Module:
        """Return the module, the same in each run; the global generator is left alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.build(cell)


def build_mlp(cell: Cell) -> nn.Module:
    """Return the MLP of ten times the hidden width, with SiLU, the base function of our KANs."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(cell.mlp_widths):
        modules += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*modules[:-1])


def build_kanviz(cell: Cell, **functions: object) -> nn.Module:
    """Return a KAN as users hold it."""
    return kv.KAN(cell.widths, grid_size=cell.grid_size, **functions)  # type: ignore[arg-type]


OURS = (
    Entrant(MLP, "mlp", build_mlp, "torch", "torch"),
    Entrant("kanviz k=3", "spline", build_kanviz, "kanviz"),
    Entrant("kanviz k=1", "linear", partial(build_kanviz, spline_order=1), "kanviz"),
    Entrant("kanviz RBF", "rbf", partial(build_kanviz, basis="gaussian"), "kanviz"),
)
