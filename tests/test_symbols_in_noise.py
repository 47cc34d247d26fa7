"""Where data have noise, the likelihood says which functions they are."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit
from torch import Tensor

import kanviz as kv
from kanviz.symbolic.symbolify import BETTER, TIES, Chance
from kanviz.training.doubt import errors_of_numbers

pytestmark = pytest.mark.long


def measured(law: Tensor, noise: float, seed: int = 0) -> Tensor:
    """Return a law with noise, a share of its deviation."""
    generator = torch.Generator().manual_seed(seed)
    return law + noise * law.std() * torch.randn(law.shape, generator=generator, dtype=law.dtype)


def test_noise_tells_two_functions_apart_that_look_alike() -> None:
    """An artanh over these speeds is a tangent but for 2 %, the noise is 1 %."""
    x = torch.linspace(-0.93, 0.93, 300, dtype=torch.float64).unsqueeze(1)
    model = kv.KAN([1, 1], dtype=torch.float64)
    y = measured(x.atanh(), 0.01)
    model.fit(x, y, progress=False)
    careless = model.copy()
    names = ["x", "x^3", "tan", "arctanh"]
    by_error = careless.symbolify((x, y), tolerance=0.03, functions=names)
    report = model.symbolify((x, y), functions=names)
    assert by_error.edges[0].chosen != "arctanh"
    assert by_error.unit_of_chance is None
    assert report.edges[0].chosen == "arctanh"
    assert report.unit_of_chance == pytest.approx(0.01**2 / 300, rel=0.3)
    fall = report.fall_of(report.after)
    assert fall is not None
    assert fall < 8
    assert "log likelihood" in str(report)
    assert "log likelihood" in str(report.pareto())


def test_what_chance_explains_is_no_reason_for_more() -> None:
    """A line and noise: no curve, though some fit the noise a little better."""
    x = torch.linspace(-2, 3, 200, dtype=torch.float64).unsqueeze(1)
    y = measured(2 * x + 1, 0.3)
    model = kv.KAN([1, 1], dtype=torch.float64)
    fitted = model.fit(x, y, progress=False)
    report = model.symbolify((x, y), functions=["x", "x^2", "exp"])
    assert fitted.noise is not None
    assert [edge.chosen for edge in report.edges] == ["x"]
    assert report.unit_of_chance == pytest.approx(0.3**2 / 200 / (0.3**2 + 1), rel=0.3)


def test_idle_nodes_do_not_confuse_the_precisions() -> None:
    x = torch.rand(150, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 4 - 2
    y = measured(x[:, :1].sin() + x[:, 2:] ** 2, 0.1)
    model = kv.KAN([3, 1], dtype=torch.float64)
    model.fit(x, y, smoothing="auto", progress=False)
    model.remove_edge((0, 1, 0))
    report = model.symbolify((x, y), functions=["x", "x^2", "sin", "cos"])
    chosen = {edge.edge: edge.chosen for edge in report.edges}
    assert report.unit_of_chance is not None
    assert chosen[kv.Edge(0, 2, 0)] == "x^2"
    assert chosen[kv.Edge(0, 0, 0)] in ("sin", "cos")


@pytest.mark.parametrize("dof", [1, 4, 30])
def test_the_limit_is_that_of_a_sum_of_squares(dof: int) -> None:
    chance = Chance(0.01)
    limit = chance.limit(0.5, dof)
    rise = (limit**2 - 0.25) / 0.01
    generator = torch.Generator().manual_seed(dof)
    squares = torch.randn(40_000, dof, generator=generator).square().sum(1)
    assert float((squares < rise).double().mean()) == pytest.approx(0.99, abs=0.004)
    assert chance.equal(0.5) == pytest.approx(math.sqrt(0.25 + TIES * 0.01), abs=1e-6)
    assert chance.better(0.5) == pytest.approx(math.sqrt(0.25 - BETTER * 0.01))
    assert Chance().limit(0.5, dof) == 0.75


def test_numbers_of_a_formula_have_the_standard_errors_of_least_squares() -> None:
    x = torch.linspace(0, 4, 120, dtype=torch.float64)
    y = 2.3 * torch.sin(1.7 * x + 0.4) + 0.8
    y = y + 0.2 * torch.randn(120, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    model = kv.KAN([1, 1], dtype=torch.float64)
    model.fit(x, y, smoothing="auto", progress=False)
    model.symbolify((x, y), functions=["sin"])
    formula = model.formula(errors=True)
    assert formula.errors is not None
    text, errors = str(formula), sorted(formula.errors[0])
    assert text.count(" +- ") == 4

    def law(z: np.ndarray, *numbers: float) -> np.ndarray:
        a, b, c, d = numbers
        return np.asarray(c * np.sin(a * z + b) + d)

    _, covariance = curve_fit(law, x.numpy(), y.numpy(), p0=[1.7, 0.4, 2.3, 0.8])
    np.testing.assert_allclose(errors, sorted(np.sqrt(np.diag(covariance))), rtol=0.03)
    assert model.formula().errors is None
    assert "+-" not in str(model.formula())
    band = model.bands()[kv.Edge(0, 0, 0)]
    assert 0 < float(np.median(band.high - band.low)) < 0.4


def test_numbers_that_make_up_for_each_other_have_no_error() -> None:
    steps = torch.arange(5, dtype=torch.float64)
    slopes = torch.stack([steps, 2 * steps, torch.ones_like(steps)], dim=1)
    first, second, third = errors_of_numbers(slopes, 1.0)
    assert math.isnan(first)
    assert math.isnan(second)
    assert third > 0


@pytest.mark.usefixtures("unchecked")
def test_errors_need_noise_and_formulas() -> None:
    with pytest.raises(ValueError, match="does not know the noise"):
        kv.KAN([1, 1]).formula(errors=True)
    x = torch.linspace(-1, 1, 60, dtype=torch.float64).unsqueeze(1)
    model = kv.KAN([1, 1], dtype=torch.float64)
    model.fit(x, measured(x**2, 0.2), smoothing="auto", steps=8, progress=False)
    with pytest.raises(ValueError, match="Numbers have standard errors where all edges are"):
        model.formula(errors=True)
