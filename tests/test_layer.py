from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nn_helpers import DTYPES, SPLINE, make_generator, make_layer, make_points, relative_error
from torch import Tensor
from type_checks import type_checks_off

from kanviz.nn import KANLayer
from kanviz.nn.spec import FunctionSpec

FAMILIES = [
    FunctionSpec(5, 3),
    FunctionSpec(4, 1, base="identity", uniform=False),
    FunctionSpec(3, 0, base="zero", extrapolation="zero"),
    FunctionSpec(5, 4, extrapolation="zero", uniform=False),
    FunctionSpec(5, basis="gaussian"),
    FunctionSpec(5, basis="matern32", base="zero", extrapolation="zero"),
]
SPLINES = [
    FunctionSpec(size, order, extrapolation=extrapolation, uniform=uniform)  # type: ignore[arg-type]
    for size, order, extrapolation, uniform in product(
        (1, 3, 8), (0, 1, 2, 3, 5), ("linear", "zero"), (True, False)
    )
]


def points_for(layer: KANLayer, samples: int = 60, reach: float = 0.4) -> Tensor:
    return make_points(layer.knots, layer.spec, samples, reach)


@pytest.mark.parametrize("spec", FAMILIES, ids=str)
def test_output_is_the_sum_of_edge_outputs(spec: FunctionSpec) -> None:
    layer = make_layer(spec)
    x = points_for(layer)
    edges = layer.edge_outputs(x)
    assert edges.shape == (60, 3, 2)
    assert relative_error(layer(x), edges.sum(1)) <= 1e-14


@pytest.mark.parametrize("spec", FAMILIES, ids=str)
def test_an_edge_sees_its_own_input_only(spec: FunctionSpec) -> None:
    layer = make_layer(spec)
    x = points_for(layer)
    moved = x.clone()
    moved[:, 1] += 0.1
    change = (layer.edge_outputs(moved) - layer.edge_outputs(x)).abs().amax(0)
    assert change[[0, 2]].max() == 0
    assert change[1].min() > 0


@pytest.mark.parametrize("spec", FAMILIES, ids=str)
def test_an_edge_is_coefficients_times_basis_plus_base(spec: FunctionSpec) -> None:
    layer = make_layer(spec)
    x = points_for(layer)
    columns = layer.features(x)
    assert layer.coef.shape == (3, 2, spec.n_basis)
    spline = torch.einsum("sim,ijm->sij", columns[..., : spec.n_basis], layer.coef)
    base = columns[..., -1:] * layer.base_weight if spec.has_base else 0
    assert relative_error(layer.edge_outputs(x), spline + base) <= 1e-14


@pytest.mark.parametrize("spec", FAMILIES, ids=str)
def test_a_removed_edge_adds_nothing_and_gets_no_gradient(spec: FunctionSpec) -> None:
    layer = make_layer(spec)
    x = points_for(layer)
    edges, kept = layer.edge_outputs(x).detach(), layer.weight.detach().clone()
    mask = torch.tensor([[True, False], [True, True], [False, True]])
    layer.set_mask(mask)
    assert relative_error(layer(x), (edges * mask).sum(1)) <= 1e-14
    assert layer.edge_outputs(x)[:, ~mask].count_nonzero() == 0
    layer(x).square().sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad.abs().sum(1) > 0, mask)
    assert torch.equal(layer.weight, kept)
    layer.set_mask(torch.ones_like(mask))
    assert torch.equal(layer(x), make_layer(spec)(x))


def test_load_state_dict_keeps_the_mask() -> None:
    layer, other = make_layer(), make_layer(seed=1)
    layer.set_mask(torch.tensor([[True, False], [True, True], [False, True]]))
    other.load_state_dict(layer.state_dict())
    x = points_for(layer)
    assert torch.equal(other(x), layer(x))
    other.load_state_dict(make_layer().state_dict())
    assert torch.equal(other(x), make_layer()(x))


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.sampled_from(SPLINES), st.integers(1, 6), st.integers(0, 100))
def test_refining_to_a_multiple_keeps_the_function(
    dtype: torch.dtype, spec: FunctionSpec, times: int, seed: int
) -> None:
    layer = make_layer(spec, seed=seed, dtype=dtype)
    x = points_for(layer)
    before = layer(x)
    assert layer.refine(spec.grid_size * times) == 0.0
    assert layer.spec.grid_size == spec.grid_size * times
    assert layer.weight.shape[1] == layer.spec.n_features
    if spec.spline_order == 0:  # rounding may carry a point over the step
        x = x[(layer(x) - before).abs().amax(-1) < 1e-4]
        assert len(x) >= 58
        before = make_layer(spec, seed=seed, dtype=dtype)(x)
    assert relative_error(layer(x), before) <= (1e-12 if dtype == torch.float64 else 1e-5)


@pytest.mark.parametrize("spec", [SPLINE, FunctionSpec(5, basis="gaussian")], ids=str)
@pytest.mark.parametrize("grid_size", [3, 7])
def test_other_sizes_report_the_change_that_they_made(spec: FunctionSpec, grid_size: int) -> None:
    layer = make_layer(spec)
    x = points_for(layer, 4000, reach=0.0)
    before = layer.edge_outputs(x)
    reported = layer.refine(grid_size)
    worst = (layer.edge_outputs(x) - before).square().mean(0).sqrt().max().item()
    assert reported > 1e-3
    assert reported == pytest.approx(worst, rel=0.25)


@pytest.mark.parametrize("spec", [FAMILIES[0], FAMILIES[1], FAMILIES[4]], ids=str)
def test_a_smooth_function_survives_a_fine_refit(spec: FunctionSpec) -> None:
    layer = KANLayer(2, 2, grid_size=5, basis=spec.basis, dtype=torch.float64)
    x = points_for(layer, reach=0.0)
    before = layer(x)
    assert layer.refine(64 if spec.is_spline else 32) <= 1e-3
    assert (layer(x) - before).abs().max() <= 5e-3


@pytest.mark.parametrize("grid_eps", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("spec", [SPLINE, FunctionSpec(5, basis="gaussian")], ids=str)
def test_update_grid_keeps_the_function_and_reports_the_change(
    spec: FunctionSpec, grid_eps: float
) -> None:
    layer = KANLayer(2, 3, grid_size=20, basis=spec.basis, dtype=torch.float64)
    x = 0.9 * torch.sin(points_for(layer, 500, reach=0.0))
    before = layer.edge_outputs(x)
    reported = layer.update_grid(x, grid_eps=grid_eps)
    assert (layer.edge_outputs(x) - before).square().mean(0).sqrt().max() <= 2 * reported + 1e-9
    assert reported <= 0.02
    low, high = layer.grid_points[:, 0], layer.grid_points[:, -1]
    assert (low <= x.amin(0)).all()
    assert (high >= x.amax(0)).all()
    assert layer.spec.uniform == (grid_eps == 1)
    assert (layer.knots.diff(dim=-1) > 0).all()


def test_a_line_is_a_line_also_on_new_knots_and_beyond() -> None:
    layer = KANLayer(2, 2, init="identity", dtype=torch.float64)
    x = 5 * torch.rand(100, 2, generator=make_generator(), dtype=torch.float64)
    assert layer.update_grid(x, grid_eps=0.1) <= 1e-11
    assert (layer(3 * x - 7) - (3 * x - 7)).abs().max() <= 1e-9


@pytest.mark.parametrize("order", range(5))
def test_control_points_and_grid_points_say_where(order: int) -> None:
    layer = KANLayer(2, 1, grid_size=4, spline_order=order, grid_range=(0.0, 4.0))
    assert layer.grid_points[0].tolist() == [0, 1, 2, 3, 4]
    assert layer.control_points.shape == (2, 4 + order)
    assert layer.control_points[0].mean().item() == pytest.approx(2.0)
    radial = KANLayer(2, 1, grid_size=4, basis="gaussian", grid_range=(0.0, 4.0))
    assert radial.control_points[0].tolist() == list(range(-2, 7))
    assert radial.grid_points[0].tolist() == [0, 1, 2, 3, 4]


def test_each_input_may_have_its_own_range() -> None:
    layer = KANLayer(2, 1, grid_range=torch.tensor([[0.0, 1.0], [-9.0, 3.0]]))
    assert layer.grid_points[:, 0].tolist() == [0, -9]
    assert layer.grid_points[:, -1].tolist() == [1, 3]


@pytest.mark.parametrize("spec", FAMILIES, ids=str)
def test_a_nan_stays_in_its_sample(spec: FunctionSpec) -> None:
    layer = make_layer(spec)
    x = points_for(layer, 5)
    whole = layer(x)
    x[3, 1] = torch.nan
    hurt = layer(x)
    assert hurt[3].isnan().all()
    assert torch.equal(hurt[[0, 1, 2, 4]], whole[[0, 1, 2, 4]])


def test_no_activation_is_kept() -> None:
    layer = make_layer()
    before = set(vars(layer)) | set(layer._buffers)
    layer(points_for(layer))
    assert set(vars(layer)) | set(layer._buffers) == before
    kept = {"weight", "knots", "mask", "frozen", "leaders", "_extra_state"}
    assert set(layer.state_dict()) == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), r"in_features must be an integer of at least 1; got 0\."),
        ((1, -2), r"out_features must be an integer of at least 1; got -2\."),
        ((True, 1), r"in_features must be an integer of at least 1; got True\."),
        ((2.5, 1), r"in_features must be an integer of at least 1; got 2\.5\."),
    ],
)
def test_bad_widths_are_named(arguments: tuple[Any, Any], message: str) -> None:
    with type_checks_off(), pytest.raises(ValueError, match=message):
        KANLayer(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid_size": -5}, r"grid_size must be an integer of at least 1; got -5\."),
        ({"spline_order": 11}, r"spline_order must be at most 10 because .*; got 11\."),
        ({"basis": "cubic"}, r"basis must be one of 'bspline', .*; got 'cubic'\."),
        ({"grid_range": (1.0, 1.0)}, r"grid_range must be finite with low < high; got \(1\.0, 1"),
        ({"grid_range": (0.0, torch.inf)}, r"grid_range must be finite with low < high; got"),
        ({"grid_range": torch.zeros(3, 2)}, r"grid_range must be \(low, high\) or a tensor \(2, 2"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with type_checks_off(), pytest.raises(ValueError, match=message):
        KANLayer(2, 1, **options)


def test_bad_inputs_are_named() -> None:
    layer = KANLayer(3, 1, dtype=torch.float32)
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\) .* got \(5, 2\)\. Pass"):
        layer(torch.zeros(5, 2))
    with pytest.raises(TypeError, match=r"x must have dtype torch\.float32 .* got torch\.float64"):
        layer(torch.zeros(5, 3, dtype=torch.float64))
    with type_checks_off(), pytest.raises(TypeError, match=r"got torch\.int64\. Call x\.to\(torch"):
        layer(torch.zeros(5, 3, dtype=torch.int64))
    with type_checks_off(), pytest.raises(ValueError, match=r"shape \(\.\.\., 3\) .* got \(\)"):
        layer(torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"x must be on cpu .* got meta\. Call x\.to\('cpu'\)"):
        layer(torch.zeros(5, 3, device="meta"))
    with pytest.raises(ValueError, match=r"grid_eps must be from 0 to 1; got 1\.5\."):
        layer.update_grid(torch.zeros(5, 3), grid_eps=1.5)


def test_repr_says_sizes_and_family() -> None:
    text = repr(KANLayer(2, 3, grid_size=7, base="zero"))
    assert text == "KANLayer(2, 3, grid_size=7, spline_order=3, basis='bspline', base='zero')"
    assert "spline_order" not in repr(KANLayer(2, 3, basis="gaussian"))


@pytest.mark.parametrize("wrong", [float("inf"), float("nan")])
def test_a_layer_is_sound_while_its_numbers_are_finite_and_its_knots_increase(wrong: float) -> None:
    layer = KANLayer(2, 3)
    assert layer.is_sound()
    with torch.no_grad():
        layer.weight[0, 1, 2] = wrong
    assert not layer.is_sound()
    layer = KANLayer(2, 3)
    layer.knots = layer.knots.clone()
    layer.knots[1, 4] = layer.knots[1, 3]
    assert not layer.is_sound()
