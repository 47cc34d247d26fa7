"""What users pass as x, and what stands in where they pass nothing."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_finite
from kanviz.data.arrays import read_numbers
from kanviz.nn.network import Network

N_GRID_SAMPLE = 512


def read_inputs(x: Any, names: tuple[str, ...], like: Tensor) -> Float[Tensor, "samples inputs"]:
    """Return x as a tensor of the dtype of ``like`` on its device, checked.

    Parameters
    ----------
    x : (samples, inputs)
        Tensor, array, data frame or nested list; one axis is one column.
    names : tuple of str
        Of the inputs.
    like : Tensor
        Floating point.

    Raises
    ------
    TypeError
        If an entry is no real number.
    ValueError
        If the shape does not fit, x is empty, or an entry is not finite in that dtype.
    """
    numbers = read_numbers("x", x)
    if numbers.shape[1] != len(names):
        raise ValueError(
            f"x must have shape (samples, {len(names)}) because the network has {len(names)} "
            f"inputs; got {tuple(numbers.shape)}. Pass one column per input."
        )
    inputs = numbers.to(like.detach())
    check_finite("x", inputs, names)
    return inputs


def grid_sample(network: Network) -> Float[Tensor, "samples inputs"]:
    """Return points spread over the base grids of the inputs, the same at every call.

    A Latin hypercube: each input takes equally spaced values, both ends included, in an order of
    its own (McKay, Beckman, Conover, 1979).
    """
    points = network.layers[0].grid_points
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(N_GRID_SAMPLE, len(points), generator=generator, dtype=torch.float64)
    share = (noise.argsort(0) / (N_GRID_SAMPLE - 1)).to(points)
    return torch.lerp(points[:, 0], points[:, -1], share)
