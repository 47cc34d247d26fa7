import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nn_helpers import make_knots, make_points
from torch import Tensor

from kanviz.nn.basis import (
    adapted_points,
    extend_knots,
    greville_points,
    insertion_matrix,
    subdivide,
    uniform_points,
)
from kanviz.nn.features import basis
from kanviz.nn.spec import FunctionSpec

F64 = torch.float64
fractions = st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0])


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=F64)


@pytest.mark.parametrize("order", range(5))
def test_padding_goes_on_at_the_mean_spacing(order: int) -> None:
    points = tensor(0.0, 1.0, 4.0).unsqueeze(0)  # mean spacing 2
    left = [-2.0 * n for n in range(order, 0, -1)]
    right = [4.0 + 2.0 * n for n in range(1, order + 1)]
    assert extend_knots(points, order)[0].tolist() == [*left, 0.0, 1.0, 4.0, *right]


def test_uniform_points_hit_both_ends_exactly() -> None:
    low, high = tensor(-1.0, 0.1), tensor(1.0, 0.7)
    points = uniform_points(low, high, 7)
    assert torch.equal(points[:, 0], low)
    assert torch.equal(points[:, -1], high)
    assert points.diff(dim=-1).std(-1).max() <= 1e-16


@given(fractions, st.integers(1, 30), st.integers(1, 200), st.integers(0, 100))
def test_adapted_points_increase_also_for_repeated_data(
    grid_eps: float, grid_size: int, samples: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    few_values = torch.randint(0, 3, (samples, 1), generator=generator).to(F64)
    constant = torch.full((samples, 1), 1e6 / 7, dtype=F64)
    smooth = torch.randn(samples, 1, generator=generator, dtype=F64)
    skewed = smooth.exp() ** 4
    x = torch.cat([few_values, constant, smooth, skewed], dim=1)
    points = adapted_points(x, grid_size, grid_eps=grid_eps, margin=0.01)
    assert points.shape == (4, grid_size + 1)
    assert (points.diff(dim=-1) > 0).all()
    assert (points[:, 0] <= x.amin(0)).all()
    assert (points[:, -1] >= x.amax(0)).all()


def test_adapted_points_are_uniform_or_quantiles_at_the_two_ends_of_grid_eps() -> None:
    x = torch.linspace(0, 1, 101, dtype=F64).unsqueeze(-1) ** 3
    even = adapted_points(x, 4, grid_eps=1.0, margin=0.0)[0]
    assert even.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])
    quantiles = adapted_points(x, 4, grid_eps=0.0, margin=0.0)[0]
    wanted = [0.99 * (n / 4) ** 3 + 0.01 * n / 4 for n in range(5)]
    assert quantiles.tolist() == pytest.approx(wanted)


@given(st.integers(1, 30), st.integers(3, 300), st.integers(0, 100))
def test_columns_that_nobody_chose_get_increasing_points_within_their_range(
    grid_size: int, samples: int, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    plain = torch.randn(samples, 1, generator=draw, dtype=F64)
    zeros = plain * (torch.rand(samples, 1, generator=draw) < 0.05)
    x = torch.cat([plain, plain.exp() ** 4, zeros, plain.sign(), 1e7 + 1e-3 * plain**9], dim=1)
    points = adapted_points(x, grid_size, grid_eps=None, margin=0.01)
    assert (points.diff(dim=-1) > 0).all()
    even = adapted_points(x, grid_size, grid_eps=1.0, margin=0.01)
    assert torch.equal(points[:, [0, -1]], even[:, [0, -1]])
    assert torch.equal(points[3], even[3])  # two categories ask for nothing


@pytest.mark.parametrize(("power", "is_even"), [(1, True), (2, True), (8, False), (20, False)])
def test_the_knots_of_a_skewed_column_stand_where_its_values_are(
    power: int, *, is_even: bool
) -> None:
    x = torch.linspace(0, 1, 1001, dtype=F64).unsqueeze(1) ** power
    points = adapted_points(x, 10, grid_eps=None, margin=0.0)
    even = adapted_points(x, 10, grid_eps=1.0, margin=0.0)
    assert torch.equal(points, even) == is_even
    crowded, before = (
        float(((x >= one[0, :-1]) & (x < one[0, 1:])).double().mean(0).max())
        for one in (points, even)
    )
    assert crowded < before - 0.2 or is_even


@given(
    st.integers(4, 30),
    st.integers(150, 400),
    st.floats(1, 9),
    st.sampled_from([-1, 1]),
    st.floats(-6, 6),
    st.integers(0, 100),
)
def test_a_few_values_far_out_take_at_most_half_of_the_grid(
    grid_size: int, samples: int, far: float, side: int, size: float, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    near = torch.randn(samples, 1, generator=draw, dtype=F64)
    bulk = near.abs().amax()
    x = near.clone()
    rows = torch.randperm(samples, generator=draw)[: 1 + samples // 100]
    x[rows] = side * 10**far * (1 + near[rows].abs()) * bulk
    points = adapted_points(10**size * x, grid_size, grid_eps=None, margin=0.01) / 10**size
    inner = points[0, 1:-1]
    assert (inner.abs() <= 2 * bulk).sum() >= grid_size // 2
    assert (points.diff(dim=-1) > 0).all()
    calm = adapted_points(10**size * near, grid_size, grid_eps=None, margin=0.01) / 10**size
    even = torch.linspace(float(calm[0, 0]), float(calm[0, -1]), grid_size + 1, dtype=F64)
    torch.testing.assert_close(calm[0], even)


def test_margin_is_a_part_of_the_range_at_each_side() -> None:
    x = tensor(2.0, 6.0).unsqueeze(-1)
    points = adapted_points(x, 2, grid_eps=1.0, margin=0.25)
    assert points[0].tolist() == pytest.approx([1.0, 4.0, 7.0])


def test_constant_data_get_an_interval_of_length_two() -> None:
    points = adapted_points(torch.full((9, 1), 5.0, dtype=F64), 2, grid_eps=0.02, margin=0.01)
    assert points[0].tolist() == pytest.approx([4.0, 5.0, 6.0])


@given(st.integers(1, 10), st.integers(1, 6), st.integers(0, 100))
def test_a_multiple_contains_the_old_points_exactly(size: int, times: int, seed: int) -> None:
    points = make_knots(2, FunctionSpec(size, 0, uniform=False), seed)
    fine = subdivide(points, size * times)
    assert torch.equal(fine[:, ::times], points)
    assert (fine.diff(dim=-1) > 0).all()


def test_subdividing_follows_the_density_of_the_old_points() -> None:
    points = tensor(0.0, 1.0, 5.0).unsqueeze(0)
    assert subdivide(points, 4)[0].tolist() == [0.0, 0.5, 1.0, 3.0, 5.0]
    assert subdivide(points, 3)[0].tolist() == pytest.approx([0.0, 2 / 3, 7 / 3, 5.0])


def test_greville_points_are_means_of_k_knots() -> None:
    knots = tensor(0.0, 1.0, 2.0, 4.0, 8.0, 16.0).unsqueeze(0)
    assert greville_points(knots, 2)[0].tolist() == [1.5, 3.0, 6.0]
    assert greville_points(knots, 1)[0].tolist() == [1.0, 2.0, 4.0, 8.0]
    assert greville_points(knots, 0)[0].tolist() == [0.5, 1.5, 3.0, 6.0, 12.0]


@given(st.integers(1, 8), st.integers(0, 5), st.integers(1, 5), st.integers(0, 100))
def test_inserted_knots_keep_every_basis_function(
    size: int, order: int, times: int, seed: int
) -> None:
    for uniform in (True, False):
        old_spec = FunctionSpec(size, order, uniform=uniform)
        new_spec = FunctionSpec(size * times, order, uniform=uniform)
        old = make_knots(2, old_spec, seed)
        new = extend_knots(subdivide(old[:, order : order + size + 1], size * times), order)
        matrix = insertion_matrix(old, new, order)
        x = make_points(old, old_spec, 50, reach=0.3)
        found = torch.einsum("sin,inm->sim", basis(x, new, new_spec), matrix)
        assert (found - basis(x, old, old_spec)).abs().max() <= 1e-12
        assert (matrix.sum(-1) - 1).abs().max() <= 1e-12
