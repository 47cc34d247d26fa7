"""Equal calls give equal numbers, whatever the threads do: kernels, penalty, normal equations.

Two threads cannot show it, since a + b = b + a: all is done with four, and many times.
"""

from collections.abc import Callable

import pytest
import torch
from nn_helpers import make_generator, threads
from torch import Tensor

from kanviz.nn import Network
from kanviz.nn.kernels.jit import parts_of
from kanviz.training.jacobian import Jacobian, n_weights
from kanviz.training.least_squares import network_normal_equations
from kanviz.training.sparsity import Sparsity

THREADS, TIMES = 4, 8
SAMPLES, MANY = 12_000, 40_000
"""Rows: as few as are cut into parts for four threads, and many more."""

Result = Callable[[], list[Tensor]]


def make_case(
    widths: list[int], dtype: torch.dtype, grid_size: int = 5, samples: int = SAMPLES
) -> tuple[Network, Tensor]:
    x = 2 * torch.rand(samples, widths[0], generator=make_generator(), dtype=dtype) - 1
    assert len(parts_of(*x.shape)) >= THREADS
    return Network(widths, grid_size=grid_size, dtype=dtype), x


def distinct(result: Result, times: int = TIMES) -> int:
    """Return how many different results equal calls give."""
    with threads(THREADS):
        return len({tuple(t.numpy().tobytes() for t in result()) for _ in range(times)})


def gradients(value: Tensor, network: Network, x: Tensor) -> list[Tensor]:
    inputs = [x] if x.requires_grad else []
    return list(torch.autograd.grad(value, [*inputs, *network.parameters()]))


def test_forty_backward_passes_give_one_gradient(dtype: torch.dtype) -> None:
    network, x = make_case([4, 8, 1], dtype, samples=MANY)
    x.requires_grad_()
    assert distinct(lambda: gradients(network(x).square().mean(), network, x), 40) == 1


@pytest.mark.parametrize("grid_size", [5, 40])  # all features, active ones
def test_many_outputs_have_one_gradient(grid_size: int, dtype: torch.dtype) -> None:
    network, x = make_case([4, 20, 3], dtype, grid_size)
    assert distinct(lambda: gradients(network(x).square().mean(), network, x)) == 1


def test_any_number_of_threads_gives_the_gradient_of_one(dtype: torch.dtype) -> None:
    network, x = make_case([4, 8, 1], dtype)
    x.requires_grad_()
    found = set()
    for number in (1, 2, 3, THREADS):
        with threads(number):
            outputs = network(x)
            parts = torch.autograd.grad(
                outputs, list(network.parameters()), torch.ones_like(outputs)
            )
        found.add(tuple(part.numpy().tobytes() for part in parts))
    assert len(found) == 1


@pytest.mark.parametrize("widths", [[4, 8, 1], [4, 12, 1]], ids=str)  # edges, features
@pytest.mark.parametrize("grid_size", [5, 40])
def test_penalties_are_one_number_with_one_gradient(
    widths: list[int], grid_size: int, dtype: torch.dtype
) -> None:
    network, x = make_case(widths, dtype, grid_size)
    x.requires_grad_()

    def result() -> list[Tensor]:
        outputs, penalty = Sparsity(1.0).penalised(network, x)
        return [penalty.detach(), *gradients(outputs.square().mean() + penalty, network, x)]

    assert distinct(result) == 1


@pytest.mark.parametrize("grid_size", [5, 40])  # a product of matrices, loops over sparse rows
def test_normal_equations_are_one_matrix(grid_size: int) -> None:
    network, x = make_case([4, 4, 1], torch.float64, grid_size)
    y = x.prod(1, keepdim=True)

    assert distinct(lambda: list(network_normal_equations(network, x, y))) == 1


def test_products_with_the_jacobian_are_one_vector() -> None:
    network, x = make_case([4, 8, 1], torch.float64)
    v = torch.randn(n_weights(network), generator=make_generator(), dtype=torch.float64)

    def result() -> list[Tensor]:
        jacobian = Jacobian(network, x)
        return [jacobian.gauss_newton_product(v), jacobian.vjp(jacobian.jvp(v))]

    assert distinct(result) == 1
