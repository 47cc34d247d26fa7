"""The analytic Jacobian against autograd, and the normal equations against their definition."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.func import functional_call, jacrev

from kanviz.nn import Network
from kanviz.training.jacobian import Linearisation, linearise, n_weights
from kanviz.training.least_squares import (
    dense_normal_equations,
    network_normal_equations,
    normal_equations,
)


def make_rows(widths: list[int], seed: int = 0, **functions: Any) -> tuple[Network, Tensor]:
    network = Network(widths, seed=seed, dtype=torch.float64, **functions)
    x = 2.6 * torch.rand(7, widths[0], dtype=torch.float64) - 1.3
    return network, x


def dense(rows: Linearisation, total: int) -> Tensor:
    zeros = torch.zeros(*rows.outputs.shape, total, dtype=torch.float64)
    return zeros.scatter_add_(-1, rows.columns, rows.values)


def by_autograd(network: Network, x: Tensor) -> Tensor:
    weights = {name: p.detach() for name, p in network.named_parameters()}
    jacobian = jacrev(lambda p: functional_call(network, p, (x,)))(weights)
    return torch.cat([jacobian[name].flatten(2) for name in weights], dim=-1)


@given(
    widths=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    basis=st.sampled_from(["bspline", "gaussian", "matern52"]),
    base=st.sampled_from(["silu", "identity", "zero"]),
    order=st.integers(0, 4),
    extrapolation=st.sampled_from(["linear", "zero"]),
)
def test_jacobian_equals_autograd(
    widths: list[int], basis: str, base: str, order: int, extrapolation: str
) -> None:
    network, x = make_rows(
        widths, basis=basis, base=base, spline_order=order, extrapolation=extrapolation
    )
    rows = linearise(network, x)
    assert torch.equal(rows.outputs, network(x).detach())
    torch.testing.assert_close(
        dense(rows, n_weights(network)), by_autograd(network, x), rtol=1e-10, atol=1e-10
    )


def test_removed_edges_and_frozen_layers_have_no_entries_other_than_zero() -> None:
    network, x = make_rows([2, 3, 2])
    mask = torch.tensor([[True, False, True], [True, True, True]])
    network.layers[0].set_mask(mask)
    network.layers[1].weight.requires_grad_(False)  # noqa: FBT003 - torch names it so
    jacobian = dense(linearise(network, x), n_weights(network))
    first, second = jacobian.split([layer.weight.numel() for layer in network.layers], dim=-1)
    assert not second.any()
    per_edge = first.view(*first.shape[:2], *network.layers[0].weight.shape).abs().sum((0, 1, 3))
    assert torch.equal(per_edge > 0, mask)


@pytest.mark.parametrize(
    ("widths", "options"),
    [
        ([3, 2, 1], {}),
        ([2, 3, 2, 2], {"base": "zero", "grid_size": 20}),
        ([3, 2, 1], {"basis": "gaussian", "base": "identity"}),
        ([2, 1], {"extrapolation": "zero", "spline_order": 2}),
    ],
)
def test_normal_equations_of_kernels_equal_those_of_rows(
    widths: list[int], options: dict[str, Any]
) -> None:
    network, x = make_rows(widths, **options)
    network.layers[0].mask[0, 0] = False
    network.layers[0].frozen[1, 0] = True
    network.settle()
    y = torch.ones(len(x), widths[-1], dtype=torch.float64)
    with torch.no_grad():
        rows = linearise(network, 1.5 * x)  # some beyond the grid
        wanted = dense_normal_equations(rows, rows.outputs - y, n_weights(network))
        found = network_normal_equations(network, 1.5 * x, y)
        counted = network_normal_equations(network, 1.5 * x, y, torch.full_like(x[:, 0], 2.0))
    for mine, plain, twice in zip(found, wanted, counted, strict=True):
        torch.testing.assert_close(mine, plain, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(twice, 2 * plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("widths", [[2, 5, 1], [3, 5, 4, 2]])
def test_compiled_normal_equations_equal_the_dense_ones(widths: list[int]) -> None:
    network, x = make_rows(widths, grid_size=12)
    rows, total = linearise(network, x), n_weights(network)
    assert total > 200  # so that the compiled path is the one tested
    residuals = torch.randn(rows.outputs.shape, dtype=torch.float64)
    for mine, plain in zip(
        normal_equations(rows, residuals, total),
        dense_normal_equations(rows, residuals, total),
        strict=True,
    ):
        torch.testing.assert_close(mine, plain, rtol=1e-12, atol=1e-12)
    jacobian = dense(rows, total).flatten(0, 1)
    torch.testing.assert_close(
        dense_normal_equations(rows, residuals, total)[0], jacobian.T @ jacobian
    )
