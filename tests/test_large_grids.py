"""Large grids: fitted by the few splines that are active; what is too large is refused at once."""

from typing import Any

import pytest
import torch
from effort import Operations
from hypothesis import given, settings
from hypothesis import strategies as st

from kanviz import KAN
from kanviz.nn import KANLayer, basis, regrid
from kanviz.nn.basis import adapted_points, inserted, insertion_matrix
from kanviz.nn.regrid import Functions, refitted


def functions_of(spline_order: int, grid_size: int = 40) -> tuple[Functions, torch.Tensor]:
    layer = KANLayer(3, 2, grid_size=grid_size, spline_order=spline_order, dtype=torch.float64)
    return Functions(layer.knots, layer.weight.detach(), layer.spec), layer.grid_points * 1.1


@pytest.mark.parametrize("spline_order", range(6))
def test_the_banded_fit_is_the_dense_one(
    spline_order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, points = functions_of(spline_order)
    dense, change = refitted(old, points, old.spec)
    monkeypatch.setattr(regrid, "BANDED_FROM", 0)
    banded, same_change = refitted(old, points, old.spec)
    torch.testing.assert_close(banded.weight, dense.weight, rtol=0, atol=1e-12)
    assert same_change == pytest.approx(change, rel=1e-6, abs=1e-14)


@settings(max_examples=15)
@given(st.integers(0, 5), st.integers(1, 60), st.integers(1, 60), st.floats(0.2, 3))
def test_any_grid_is_fitted_alike_by_bands_and_by_a_dense_matrix(
    spline_order: int, before: int, after: int, reach: float
) -> None:
    old, _ = functions_of(spline_order, before)
    other, points = functions_of(spline_order, after)
    dense, _ = refitted(old, reach * points, other.spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regrid, "BANDED_FROM", 0)
        banded, _ = refitted(old, reach * points, other.spec)
    torch.testing.assert_close(banded.weight, dense.weight, rtol=0, atol=1e-9)


@pytest.mark.parametrize("spline_order", range(6))
def test_knots_inserted_row_by_row_are_those_of_the_matrix(
    spline_order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = functions_of(spline_order)
    finer, _ = functions_of(spline_order, 80)
    coef = old.weight[:, : old.spec.n_basis]
    monkeypatch.setattr(basis, "WRITTEN_UP_TO", 0)
    found = inserted(coef, old.knots, finer.knots, spline_order)
    expected = insertion_matrix(old.knots, finer.knots, spline_order) @ coef
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_a_layer_of_a_thousand_intervals_takes_no_dense_matrix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a dense system was made")

    monkeypatch.setattr(regrid, "_Dense", refuse)
    layer = KANLayer(10, 10, grid_size=1000, dtype=torch.float64)
    x = torch.rand(50, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before = layer(x)
    assert layer.refine(2500) < 1e-9
    torch.testing.assert_close(layer(x), before, rtol=0, atol=1e-8)
    assert layer.update_grid(2 * x - 1, grid_eps=0.5) < 1e-3


@settings(max_examples=8)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 5),
    st.integers(regrid.BANDED_FROM, 400),
    st.sampled_from(["silu", "identity", "zero"]),
)
def test_twice_as_fine_a_grid_takes_twice_the_work_to_make(
    inputs: int, outputs: int, order: int, size: int, base: Any
) -> None:
    made = []
    for grid_size in (size, 2 * size):
        with Operations() as seen:
            KANLayer(inputs, outputs, grid_size=grid_size, spline_order=order, base=base)
        made.append(seen)
    assert made[1].numbers < 2.5 * made[0].numbers
    assert made[1].largest < 2.5 * made[0].largest


@pytest.mark.parametrize(
    "make",
    [
        lambda: KAN([2, 2, 1], grid_size=10**9),
        lambda: KAN([10**5, 10**5]),
        lambda: KAN([2, 1]).refine(10**9),
        lambda: KANLayer(10**6, 10**6, basis="gaussian"),
        lambda: KAN([2, 1]).fit(torch.rand(9, 2), torch.rand(9), grids=[10**9], progress=False),
    ],
    ids=["intervals", "nodes", "refine", "layer", "fit"],
)
def test_what_is_too_large_is_refused_before_it_is_made(make: Any, unchecked: None) -> None:
    with pytest.raises(ValueError, match="at most 200,000,000 weights"):
        make()


@pytest.mark.parametrize("name", ["gaussian", "matern52", "multiquadric", "inverse_quadratic"])
@pytest.mark.parametrize("grid_size", [1, 40, 300])
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12])
def test_radial_bases_are_fitted_on_any_grid(name: Any, grid_size: int, offset: float) -> None:
    layer = KANLayer(2, 1, basis=name, grid_size=grid_size, dtype=torch.float64)
    x = torch.rand(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + offset
    layer.update_grid(x)
    assert layer.is_sound()
    assert bool(layer(x).isfinite().all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 5e-324, 1e-310, 1e-40, 1e-20, 1e20, 1e30])
@pytest.mark.parametrize("grid_eps", [None, 0.0, 0.5, 1.0])
def test_knots_increase_for_inputs_of_any_size(
    size: float, dtype: torch.dtype, grid_eps: float | None
) -> None:
    layer = KANLayer(1, 1, grid_size=20, dtype=dtype)
    x = (size * torch.rand(50, 1, dtype=torch.float64) ** 8).to(dtype)
    layer.update_grid(x, grid_eps=grid_eps)
    assert layer.is_sound()
    assert bool(layer(x).isfinite().all())


def test_a_range_beyond_float64_is_one_sentence(unchecked: None) -> None:
    x = torch.tensor([[-1.7e308], [1.7e308]], dtype=torch.float64)
    with pytest.raises(ValueError, match="must have a range that"):
        adapted_points(x, 5, grid_eps=1.0, margin=0.01)


@pytest.mark.parametrize("x", [0.3, 1e3, 1e10, 1e30])
def test_a_curve_through_one_point_is_never_singular(x: float) -> None:
    model = KAN([1, 1], dtype=torch.float64)
    model.set_curve((0, 0, 0), [x], [2.0])
    assert model.network.is_sound()
    assert model.predict([[x]]).item() == pytest.approx(2, rel=1e-3 * max(1.0, x / 1e3))


def test_a_curve_beyond_the_dtype_is_refused_and_nothing_is_kept(unchecked: None) -> None:
    model = KAN([1, 1])
    before = model.network.layers[0].weight.detach().clone()
    with pytest.raises(ValueError, match="numbers beyond"):
        model.set_curve((0, 0, 0), [0.0], [1e300])
    assert torch.equal(model.network.layers[0].weight, before)
