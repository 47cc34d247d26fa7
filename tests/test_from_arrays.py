"""Layers from arrays of other libraries: the same functions, and clear words for what is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nn_helpers import make_generator
from scipy.interpolate import BSpline

from kanviz.nn import KANLayer
from kanviz.nn.basis import is_uniform

ROUNDING = 1e-12

PYKAN_LAYER = Path(__file__).parent / "pykan_layer.json"
"""Made by ``make_pykan_layer.py``."""


def make_arrays(
    order: int = 3, grid_size: int = 5, *, ends: str = "apart", seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return knots, coefficients and base weights of a layer of 2 inputs and 3 outputs.

    ``ends`` says where the knots beyond the base interval stand: ``"even"``, ``"apart"`` (anywhere)
    or ``"repeated"``.
    """
    rng = np.random.default_rng(seed)
    steps = np.ones((2, grid_size)) if ends == "even" else rng.uniform(0.3, 1.0, (2, grid_size))
    points = np.hstack([np.full((2, 1), -1.0), -1.0 + np.cumsum(steps, axis=1)])
    away = {"even": np.ones, "repeated": np.zeros}.get(ends, lambda n: rng.uniform(0.1, 2.0, n))
    left = points[:, :1] - np.cumsum(away((2, order)), axis=1)[:, ::-1]
    right = points[:, -1:] + np.cumsum(away((2, order)), axis=1)
    knots = np.hstack([left, points, right])
    return knots, rng.normal(size=(2, 3, grid_size + order)), rng.normal(size=(2, 3))


def by_scipy(x: np.ndarray, knots: np.ndarray, coef: np.ndarray, order: int) -> np.ndarray:
    """Return the outputs (samples, outputs) of a layer of splines."""
    edges = [
        BSpline(t, c.T, order)(x[:, i]) for i, (t, c) in enumerate(zip(knots, coef, strict=True))
    ]
    return np.asarray(np.sum(edges, axis=0))


def points_within(knots: np.ndarray, order: int, samples: int = 200) -> np.ndarray:
    """Return samples over the base interval of every input, both ends included."""
    low, high = knots[:, order], knots[:, -order - 1]
    return np.asarray(low + np.linspace(0, 1, samples)[:, None] * (high - low))


@given(
    order=st.integers(0, 5),
    grid_size=st.integers(1, 9),
    ends=st.sampled_from(["even", "apart", "repeated"]),
    seed=st.integers(0, 1000),
)
def test_splines_are_those_of_scipy(order: int, grid_size: int, ends: str, seed: int) -> None:
    knots, coef, _ = make_arrays(order, grid_size, ends=ends, seed=seed)
    layer = KANLayer.from_arrays(knots, coef)
    assert (layer.spec.grid_size, layer.spec.spline_order) == (grid_size, order)
    x = points_within(knots, order)
    inside = x[:-1] if order == 0 else x  # a step at the last knot is anybody's choice
    found = layer(torch.from_numpy(inside)).detach().numpy()
    wanted = by_scipy(inside, knots, coef, order)
    assert np.abs(found - wanted).max() < 1e-9 * max(1.0, np.abs(coef).max())


def test_base_weights_are_factors_of_the_base_function() -> None:
    knots, coef, base_weight = make_arrays()
    x = points_within(knots, 3)
    silu = x / (1 + np.exp(-x))
    found = KANLayer.from_arrays(knots, coef, base_weight)(torch.from_numpy(x)).detach().numpy()
    assert np.abs(found - by_scipy(x, knots, coef, 3) - silu @ base_weight).max() < ROUNDING


def test_without_base_weights_there_is_no_base_function() -> None:
    knots, coef, _ = make_arrays()
    assert KANLayer.from_arrays(knots, coef).spec.base == "zero"
    with_base = KANLayer.from_arrays(knots, coef, np.ones((2, 3)), base="identity")
    assert with_base.spec.base == "identity"


def test_weights_of_a_base_function_that_is_zero_are_left_out() -> None:
    knots, coef, base_weight = make_arrays()
    layer = KANLayer.from_arrays(knots, coef, base_weight, base="zero")
    assert layer.weight.shape == (2, layer.spec.n_features, 3)
    x = torch.zeros(4, 2, dtype=torch.float64)
    assert torch.equal(layer(x), KANLayer.from_arrays(knots, coef)(x))


def test_layer_gives_its_own_arrays_back() -> None:
    layer = KANLayer(2, 3, generator=make_generator(1), dtype=torch.float64)
    again = KANLayer.from_arrays(layer.knots, layer.coef, layer.base_weight)
    assert again.spec == layer.spec
    torch.testing.assert_close(again.weight, layer.weight, rtol=0, atol=ROUNDING)
    torch.testing.assert_close(again.knots, layer.knots, rtol=0, atol=ROUNDING)


def test_one_row_of_knots_does_for_all_inputs() -> None:
    knots, coef, _ = make_arrays()
    one, each = KANLayer.from_arrays(knots[0], coef), KANLayer.from_arrays(knots[[0, 0]], coef)
    assert torch.equal(one.knots, each.knots)
    assert torch.equal(one.weight, each.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layer_has_the_dtype_of_the_coefficients_and_learns(dtype: torch.dtype) -> None:
    knots, coef, base_weight = make_arrays()
    layer = KANLayer.from_arrays(knots, torch.tensor(coef, dtype=dtype), base_weight)
    assert layer.weight.dtype == layer.knots.dtype == dtype
    layer(torch.zeros(4, 2, dtype=dtype)).sum().backward()
    assert layer.weight.grad is not None


def test_equal_steps_take_the_closed_form() -> None:
    layer = KANLayer.from_arrays(*make_arrays(ends="even"))
    assert layer.spec.uniform
    assert is_uniform(layer.knots)
    assert not KANLayer.from_arrays(*make_arrays(ends="apart")).spec.uniform


def test_arrays_are_copied() -> None:
    knots, coef, base_weight = make_arrays(ends="even")
    layer = KANLayer.from_arrays(knots, coef, base_weight)
    before = layer.weight.detach().clone()
    for array in (knots, coef, base_weight):
        array[:] = 0
    assert torch.equal(layer.weight, before)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"coef": np.zeros((3, 8))}, ValueError, r"coef must have shape .*got \(3, 8\)"),
        ({"coef": np.zeros((2, 0, 8))}, ValueError, "coef must have shape"),
        ({"coef": np.zeros((3, 2, 8))}, ValueError, "one row for all inputs or 3 rows"),
        ({"coef": np.zeros((2, 3, 12))}, ValueError, "got 12 knots and 12 coefficients"),
        ({"coef": np.zeros((2, 3, 4))}, ValueError, "order k from 0 to 3; got 12 knots and 4"),
        ({"coef": np.full((2, 3, 8), np.nan)}, ValueError, "coef must be finite"),
        ({"coef": np.zeros((2, 3, 8), int)}, TypeError, "coef must be float32 or float64"),
        ({"knots": np.zeros(12)}, ValueError, "knots must increase"),
        ({"knots": np.arange(12.0)[::-1].copy()}, ValueError, "knots must increase"),
        ({"base_weight": np.zeros((3, 2))}, ValueError, r"shape \(2, 3\).*got \(3, 2\)"),
        ({"base": "relu"}, ValueError, "base must be one of"),
    ],
)
def test_wrong_arrays_are_refused(change: dict[str, Any], error: type, words: str) -> None:
    knots, coef, base_weight = make_arrays()
    given_ = {"knots": knots, "coef": coef, "base_weight": base_weight} | change
    with pytest.raises(error, match=words):
        KANLayer.from_arrays(**given_)


def test_layer_of_pykan_is_the_same_function() -> None:
    record = json.loads(PYKAN_LAYER.read_text())
    theirs = {name: torch.tensor(value, dtype=torch.float64) for name, value in record.items()}
    coef = theirs["coef"] * (theirs["mask"] * theirs["scale_sp"]).unsqueeze(-1)
    base_weight = theirs["mask"] * theirs["scale_base"]
    layer = KANLayer.from_arrays(theirs["grid"], coef, base_weight)
    torch.testing.assert_close(layer(theirs["x"]), theirs["y"], rtol=0, atol=ROUNDING)
