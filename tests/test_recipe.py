from typing import get_args

import numpy as np
import pytest
import torch
from model_helpers import bytes_of, fit_briefly, make_data, make_model
from nn_helpers import make_knots
from recipe_reader import edge_outputs, predict
from type_checks import type_checks_off

from kanviz.analysis.recipe import recipe_of
from kanviz.data import from_arrays
from kanviz.live.packing import pack, unpack
from kanviz.model import KAN
from kanviz.nn.spec import BasisName

RADIAL = [name for name in get_args(BasisName) if name != "bspline"]


def points(samples: int = 300, reach: float = 2.5) -> np.ndarray:
    """Return (samples, 2) points, many beyond the grid, grid ends and knots among them."""
    x = np.random.default_rng(0).uniform(-reach, reach, (samples, 2))
    x[:6] = np.array([-1.0, 1.0, -0.6, 0.2, 0.6, 0.0])[:, None]
    return x


def assert_recipe_suffices(model: KAN, x: np.ndarray) -> None:
    wanted, found = model.predict(x), predict(recipe_of(model.network, model.session.about), x)
    assert np.abs(found - wanted).max() <= 1e-12 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("extrapolation", ["linear", "zero"])
@pytest.mark.parametrize("knots", ["uniform", "adapted"])
@pytest.mark.parametrize("k", range(6))
def test_a_recipe_of_splines_computes_the_network(k: int, knots: str, extrapolation: str) -> None:
    model = make_model(spline_order=k, extrapolation=extrapolation)
    if knots == "adapted":
        model.update_grid(np.random.default_rng(1).normal(0, 0.5, (200, 2)), grid_eps=0.2)
    assert_recipe_suffices(model, points())


@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
@pytest.mark.parametrize("extrapolation", ["linear", "zero"])
@pytest.mark.parametrize("basis", RADIAL)
def test_a_recipe_of_radial_functions_computes_the_network(
    basis: str, extrapolation: str, base: str
) -> None:
    assert_recipe_suffices(
        make_model(basis=basis, extrapolation=extrapolation, base=base), points()
    )


@pytest.mark.parametrize(
    "formula", ["sin", "x^2", "sqrt", "log", "J0(3*x)", "relu(x - 0.1)", "x**2.5 + 2", "3 + 0*x"]
)
def test_a_recipe_of_formulas_computes_the_network(formula: str) -> None:
    model = make_model()
    for edge in [(0, 0, 0), (0, 1, 2), (1, 1, 0)]:
        model.fix(edge, formula, affine=(1.3, -0.2, 0.7, 0.1))
    model.remove_edge((0, 1, 0))
    model.remove_edge((0, 0, 0))
    assert_recipe_suffices(model, points(reach=1.5))


def test_the_units_of_the_data_are_part_of_it() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(100, 300, (80, 2))
    model = make_model()
    fit_briefly(model, from_arrays(x, x[:, :1] * 50 + x[:, 1:], dtype=torch.float64).normalized())
    assert_recipe_suffices(model, x)


def test_numbers_in_float32_become_the_very_same_float64() -> None:
    model = KAN([2, 3, 1], dtype=torch.float32)
    model.move_point((0, 0, 0), 2, 0.1)
    recipe = recipe_of(model.network, model.session.about)
    assert recipe.layers[0].weight.dtype == np.float64
    assert recipe.layers[0].weight[0, 2, 0] == np.float32(0.1)
    x = points()
    assert predict(recipe, x) == pytest.approx(model.predict(x), abs=1e-4)


def test_a_removed_edge_keeps_its_function_and_adds_nothing() -> None:
    model = make_model()
    before = recipe_of(model.network, model.session.about)
    model.remove_edge((0, 1, 2))
    layer = recipe_of(model.network, model.session.about).layers[0]
    assert (layer.weight == before.layers[0].weight).all()
    assert layer.mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert not edge_outputs(layer, points())[:, 1, 2].any()


def test_locked_edges_come_with_the_function_that_they_share() -> None:
    model = make_model()
    model.lock([(0, 0, 0), (0, 0, 1)])
    model.move_point((0, 0, 1), 3, 2.0)
    assert_recipe_suffices(model, points())


def test_a_recipe_shares_no_memory_with_the_network(rng_untouched: None) -> None:
    with type_checks_off():
        model = make_model()
        before = bytes_of(model)
        recipe = recipe_of(model.network, model.session.about)
        recipe.layers[0].weight[:] = 0
        recipe.layers[0].knots[:] = 0
        recipe.x_shift[:] = 5
        assert bytes_of(model) == before


def test_a_recipe_can_be_packed() -> None:
    model = make_model()
    model.fix((0, 0, 0), "sin")
    fit_briefly(model, make_data())
    values = unpack(pack(recipe_of(model.network, model.session.about).to_dict()))
    layer = values["layers"][0]
    assert layer["weight"].size == model.network.layers[0].weight.numel()
    assert layer["formulas"][0]["steps"][-1] == {"op": "sin", "sources": [0], "number": None}
    assert len(layer["formulas"][0]["affine"]) == 4


def test_knots_of_each_input_are_its_own() -> None:
    model = make_model()
    spec = model.network.layers[0].spec
    model.network.layers[0].knots = make_knots(2, spec)
    assert_recipe_suffices(model, points())
