"""Compile the CPU kernels ahead of time."""

import time
from itertools import product

import torch

from kanviz.data import from_function
from kanviz.devices import on_cpu
from kanviz.nn import KANLayer, Network
from kanviz.nn.spec import BasisName
from kanviz.training.fit import fit
from kanviz.training.sparsity import Sparsity

DTYPES = (torch.float32, torch.float64)

SIZES: dict[BasisName, tuple[int, int]] = {"bspline": (2, 64), "gaussian": (2, 200)}
"""Grid sizes that go through the kernels of all features, and through those of the active ones."""


@on_cpu
def warmup(*dtypes: torch.dtype) -> float:
    """Compile every CPU kernel now, so that no later call has to; return the seconds it took.

    Without it each kernel is compiled when a call first needs it, which takes seconds, and
    kept on disk, so that later processes only load it.

    Parameters
    ----------
    *dtypes : torch.dtype
        ``torch.float32`` or ``torch.float64``; both if none is given.
    """
    start = time.perf_counter()
    for dtype in dtypes or DTYPES:
        for basis, sizes in SIZES.items():
            for size, outputs in product(sizes, (1, 2)):
                _use(KANLayer(1, outputs, grid_size=size, basis=basis, init="zero", dtype=dtype))
        layer = KANLayer(1, 1, init="zero", dtype=dtype)
        layer.update_grid(layer.grid_points.T, grid_eps=0.5)
        _use(layer)
        for size in SIZES["bspline"]:
            _train(size, dtype)
    return time.perf_counter() - start


def _use(layer: KANLayer) -> None:
    """Go once forward and backward."""
    x = layer.grid_points.mT.clone().requires_grad_()
    with torch.enable_grad():
        layer(x).sum().backward()
    layer.zero_grad()


def _train(grid_size: int, dtype: torch.dtype) -> None:
    """Train for a step with sparsity, by the exact Jacobian and by gradients."""
    data = from_function(lambda x: x.prod(1), [(-1, 1)] * 2, 10, 0, dtype=dtype)
    for optimizer in ("lm", "adam"):
        # Small enough for "lm" to write its matrix down (its way without one compiles nothing), and
        # large enough to do so by kernels: of few intervals with most of its columns, else of some.
        network = Network([2, 2 if grid_size > 10 else 8, 1], grid_size=grid_size, dtype=dtype)
        fit(network, data, optimizer=optimizer, steps=1, sparsity=Sparsity(1e-3), progress=False)
