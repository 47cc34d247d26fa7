"""Data and networks that the tests of fitting share."""

from typing import Any

import torch
from torch import Tensor

from kanviz.data import Dataset, from_function
from kanviz.nn import Network
from kanviz.training import FitReport, fit


def make_data(n_train: int = 200, dtype: torch.dtype = torch.float64) -> Dataset:
    def law(x: Tensor) -> Tensor:
        return torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)

    ranges = [(-1, 1)] * 2  # those of a network's grid, so the data may stay in their own units
    return from_function(law, ranges, n_train, n_test=200, dtype=dtype, normalize=False)


def make_network(seed: int = 0, dtype: torch.dtype = torch.float64) -> Network:
    return Network([2, 1, 1], seed=seed, dtype=dtype)


def rmse(network: Network, data: Dataset) -> float:
    assert data.x_test is not None
    with torch.no_grad():
        return float((network(data.x_test) - data.y_test).square().mean().sqrt())


def quick(network: Network, data: Dataset, **options: Any) -> FitReport:
    return fit(network, data, progress=False, **options)


def weights_of(network: Network) -> list[Tensor]:
    return [tensor.clone() for tensor in network.state_dict().values()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
