from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nn_helpers import make_knots, make_points
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from kanviz.nn.basis import RADIAL_FUNCTIONS
from kanviz.nn.features import active, basis, features
from kanviz.nn.kernels import edge_sum
from kanviz.nn.spec import FunctionSpec

SPLINES = [
    FunctionSpec(size, order, base=base, extrapolation=extrapolation, uniform=uniform)  # type: ignore[arg-type]
    for size, order, base, extrapolation, uniform in product(
        (1, 5), (0, 1, 2, 3, 5), ("silu", "identity", "zero"), ("linear", "zero"), (True, False)
    )
]
RADIAL = [
    FunctionSpec(4, basis=name, extrapolation=extrapolation)  # type: ignore[arg-type]
    for name, extrapolation in product(sorted(RADIAL_FUNCTIONS), ("linear", "zero"))
]
SMOOTH = [FunctionSpec(5, 3), FunctionSpec(5, 3, uniform=False), FunctionSpec(5, basis="gaussian")]


def make_weight(spec: FunctionSpec, inputs: int, outputs: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(inputs, spec.n_features, outputs, generator=generator, dtype=torch.float64)


def with_extrapolation(spec: FunctionSpec, extrapolation: str) -> FunctionSpec:
    return FunctionSpec(
        spec.grid_size,
        spec.spline_order,
        spec.basis,
        spec.base,
        extrapolation,  # type: ignore[arg-type]
        spec.uniform,
    )


@given(st.sampled_from(SPLINES + RADIAL), st.integers(0, 1000))
def test_autograd_equals_the_derivative_on_and_off_the_grid(spec: FunctionSpec, seed: int) -> None:
    knots = make_knots(2, spec, seed)
    x = make_points(knots, spec, 30, reach=0.8, seed=seed).requires_grad_()
    factors = make_weight(spec, 2, 1)[..., 0]
    value = (features(x, knots, spec) * factors).sum()
    for derivative in (1, 2, 3):
        if not value.requires_grad:
            break
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
        wanted = (features(x, knots, spec, derivative=derivative) * factors).sum(-1)
        assert (slope - wanted).abs().max() <= 1e-9 * (1 + wanted.abs().max())
        value = slope.sum()


@pytest.mark.parametrize("spec", SMOOTH, ids=str)
def test_linear_continuation_is_the_tangent(spec: FunctionSpec) -> None:
    knots = make_knots(1, spec)
    for end, away in ((knots[0, spec.padding], -1), (knots[0, spec.padding + 5], 1)):
        edge = end.reshape(1, 1)
        value, slope = (basis(edge, knots, spec, derivative=d) for d in (0, 1))
        for distance in (0.1, 3.0, 1e3):
            found = basis(edge + away * distance, knots, spec)
            assert (found - value - slope * away * distance).abs().max() <= 1e-11 * distance
            assert torch.equal(basis(edge + away * distance, knots, spec, derivative=1), slope)
            curvature = basis(edge + away * distance, knots, spec, derivative=2)
            assert curvature.count_nonzero() == 0


@pytest.mark.parametrize("extrapolation", ["linear", "zero"])
@pytest.mark.parametrize("spec", SMOOTH, ids=str)
def test_continuation_has_no_jump_and_no_kink(spec: FunctionSpec, extrapolation: str) -> None:
    spec = with_extrapolation(spec, extrapolation)
    knots = make_knots(1, spec)
    half = (knots[0, spec.padding + 5] - knots[0, spec.padding]) / 2
    ends = knots[0, spec.padding] - half, knots[0, spec.padding + 5] + half
    for place in (knots[0, spec.padding], knots[0, spec.padding + 5], *ends):
        near = place + torch.tensor([[-1e-9], [1e-9]], dtype=torch.float64)
        for derivative in (0, 1):
            before, after = basis(near, knots, spec, derivative=derivative)
            assert (before - after).abs().max() <= 1e-6


@pytest.mark.parametrize("spec", SPLINES[::7] + RADIAL, ids=str)
def test_zero_continuation_ends_half_a_grid_away(spec: FunctionSpec) -> None:
    spec = with_extrapolation(spec, "zero")
    knots = make_knots(2, spec)
    low, high = knots[:, spec.padding], knots[:, spec.padding + spec.grid_size]
    half = (high - low) / 2
    far = torch.stack([low - 1.0001 * half, high + 1.0001 * half, high + 99])
    for derivative in (0, 1, 2):
        assert basis(far, knots, spec, derivative=derivative).abs().max() == 0
    assert basis(high.unsqueeze(0) + half / 2, knots, spec).abs().max() > 0


def test_steps_go_on_level_outside_the_grid() -> None:
    spec = FunctionSpec(3, 0)
    knots = make_knots(1, spec)
    x = torch.tensor([[-50.0], [50.0]], dtype=torch.float64)
    assert basis(x, knots, spec)[:, 0].tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("base", ["silu", "identity"])
def test_the_last_column_is_the_base_function(base: str) -> None:
    spec = FunctionSpec(base=base)  # type: ignore[arg-type]
    knots = make_knots(2, spec)
    x = make_points(knots, spec, 20, reach=0.5)
    wanted = x * torch.sigmoid(x) if base == "silu" else x
    assert (features(x, knots, spec)[..., -1] - wanted).abs().max() <= 1e-15
    assert torch.equal(features(x, knots, spec)[..., :-1], basis(x, knots, spec))


@pytest.mark.parametrize("spec", SPLINES[::5] + RADIAL[::3], ids=str)
def test_active_values_spread_out_are_the_basis(spec: FunctionSpec) -> None:
    knots = make_knots(2, spec)
    x = make_points(knots, spec, 20, reach=0.5)
    for derivative in (0, 1):
        first, values = active(x, knots, spec, derivative=derivative)
        width = spec.spline_order + 1 if spec.is_spline else spec.n_basis
        assert values.shape == (20, 2, width)
        columns = first.unsqueeze(-1) + torch.arange(width)
        whole = basis(x, knots, spec, derivative=derivative)
        assert torch.equal(whole.gather(-1, columns), values)
        assert whole.count_nonzero() == values.count_nonzero()


@pytest.mark.parametrize("spec", SPLINES[::5] + RADIAL[::3], ids=str)
def test_evaluate_is_the_sum_of_features_times_weight(spec: FunctionSpec) -> None:
    knots, weight = make_knots(3, spec), make_weight(spec, 3, 4)
    x = make_points(knots, spec, 20, reach=0.5)
    wanted = torch.einsum("sif,ifo->so", features(x, knots, spec), weight)
    found = edge_sum(x, knots, weight, spec)
    assert (found - wanted).abs().max() <= 1e-13 * wanted.abs().max()


@pytest.mark.parametrize("spec", SMOOTH, ids=str)
def test_gradients_pass_gradcheck_twice(spec: FunctionSpec) -> None:
    knots, weight = make_knots(2, spec), make_weight(spec, 2, 2).requires_grad_()
    x = make_points(knots, spec, 5, reach=0.3).requires_grad_()

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return edge_sum(x, knots, weight, spec)

    assert gradcheck(run, (x, weight), fast_mode=True)
    assert gradgradcheck(run, (x, weight), fast_mode=True)


@pytest.mark.parametrize("spec", SMOOTH, ids=str)
@pytest.mark.parametrize("reach", [0.0, 0.5])
def test_float32_is_near_float64(spec: FunctionSpec, reach: float) -> None:
    knots = make_knots(2, spec)
    x = make_points(knots, spec, 50, reach=reach)
    found, wanted = features(x.float(), knots.float(), spec), features(x, knots, spec)
    assert found.dtype == torch.float32
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("spec", SMOOTH, ids=str)
def test_a_nan_stays_in_its_sample(spec: FunctionSpec) -> None:
    knots, weight = make_knots(2, spec), make_weight(spec, 2, 2)
    x = make_points(knots, spec, 3, reach=0.5)
    whole = edge_sum(x, knots, weight, spec)
    x[1, 0] = torch.nan
    hurt = edge_sum(x, knots, weight, spec)
    assert hurt[1].isnan().all()
    assert torch.equal(hurt[[0, 2]], whole[[0, 2]])
