"""How long a training step of a network takes."""

import time

from torch import nn

from kanviz.checks import check_integer
from kanviz.data import Dataset


def step_seconds(network: nn.Module, data: Dataset, repeats: int = 8) -> float:
    """Return the seconds of one step on all training points: forward, squared error, backward.

    The quickest of several is taken, so that other programs on the machine count little. No weight
    is changed; gradients are None afterwards.

    Parameters
    ----------
    network : nn.Module
        Maps (samples, inputs) to (samples, outputs).
    data : Dataset
        Numbers, not classes.
    repeats : int
        How many steps to time, after one that is not.

    Raises
    ------
    ValueError
        If ``repeats`` is below 1.
    """
    check_integer("repeats", repeats, 1)
    found = []
    for _ in range(repeats + 1):
        network.zero_grad(set_to_none=True)
        begin = time.perf_counter()
        (network(data.x) - data.y).square().mean().backward()
        found.append(time.perf_counter() - begin)
    network.zero_grad(set_to_none=True)
    return min(found[1:])
