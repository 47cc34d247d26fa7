"""Compile the CPU kernels ahead of time."""

import time
from itertools import product

import torch

from kanviz.nn.layer import KANLayer

DTYPES = (torch.float32, torch.float64)


def warmup(*dtypes: torch.dtype) -> float:
    """Compile every CPU kernel now, so that no later call has to; return the seconds it took.

    Without it each kernel is compiled when a call first needs it, about half a second each, and
    kept on disk, so that later processes only load it. Does nothing where numba is missing.

    Parameters
    ----------
    *dtypes : torch.dtype
        ``torch.float32`` or ``torch.float64``; both if none is given.
    """
    start = time.perf_counter()
    for dtype in dtypes or DTYPES:
        for basis, grid_size, outputs in product(("bspline", "gaussian"), (2, 40), (1, 2)):
            _use(KANLayer(1, outputs, grid_size=grid_size, basis=basis, init="zero", dtype=dtype))
        layer = KANLayer(1, 1, init="zero", dtype=dtype)
        layer.update_grid(layer.grid_points.T, grid_eps=0.5)
        _use(layer)
    return time.perf_counter() - start


def _use(layer: KANLayer) -> None:
    """Go once forward and backward."""
    x = layer.grid_points.mT.clone().requires_grad_()
    with torch.enable_grad():
        layer(x).sum().backward()
    layer.zero_grad()
