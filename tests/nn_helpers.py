"""Knots, points and layers that the tests of ``kanviz.nn`` share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.basis import extend_knots, uniform_points
from kanviz.nn.spec import FunctionSpec

SPLINE = FunctionSpec()
DTYPES = [torch.float32, torch.float64]


def make_generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_knots(
    inputs: int, spec: FunctionSpec, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return knots on intervals of different length; unequal distances unless ``spec.uniform``."""
    generator = make_generator(seed)
    low = -0.5 - torch.rand(inputs, generator=generator, dtype=torch.float64)
    high = 0.5 + torch.rand(inputs, generator=generator, dtype=torch.float64)
    points = uniform_points(low, high, spec.grid_size)
    if not spec.uniform:
        steps = 0.2 + torch.rand(inputs, spec.grid_size, generator=generator, dtype=torch.float64)
        places = torch.nn.functional.pad(steps.cumsum(-1), (1, 0)) / steps.sum(-1, keepdim=True)
        points = torch.lerp(low[:, None], high[:, None], places)
    return extend_knots(points, spec.padding).to(dtype)


def make_points(
    knots: Tensor, spec: FunctionSpec, samples: int, reach: float = 0.0, seed: int = 0
) -> Tensor:
    """Return (samples, inputs) random points over the grid and ``reach`` of its length beyond."""
    low, high = knots[:, spec.padding], knots[:, spec.padding + spec.grid_size]
    share = torch.rand(samples, knots.shape[0], generator=make_generator(seed), dtype=torch.float64)
    places = -reach + (1 + 2 * reach) * share
    return (low + places.to(knots) * (high - low)).to(knots.dtype)


def make_layer(
    spec: FunctionSpec = SPLINE,
    widths: tuple[int, int] = (3, 2),
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> KANLayer:
    """Return a layer with random weights, on knots as ``make_knots`` gives them."""
    layer = KANLayer(
        *widths,
        grid_size=spec.grid_size,
        spline_order=spec.spline_order,
        basis=spec.basis,
        base=spec.base,
        extrapolation=spec.extrapolation,
        dtype=dtype,
    )
    with torch.no_grad():
        values = torch.randn(
            layer.weight.shape, generator=make_generator(seed), dtype=torch.float64
        )
        layer.weight.copy_(values)
    layer.knots = make_knots(widths[0], spec, seed, dtype)
    layer.spec = replace(layer.spec, uniform=spec.uniform)
    return layer


def layers_of(net: Network) -> list[KANLayer]:
    """Return the layers under their own type, which ``ModuleList`` forgets."""
    return [layer for layer in net.layers if isinstance(layer, KANLayer)]


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """Return the largest difference over the largest wanted value."""
    found, wanted = found.detach(), wanted.detach()
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-30))


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
