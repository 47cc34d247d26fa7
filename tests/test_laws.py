"""Small laws: planted ones are found in curves, and in networks that need more than functions."""

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

import kanviz as kv
from kanviz.symbolic.laws import FORMS, find_laws, form, sums_of_powers
from kanviz.symbolic.projection import fit_constants
from kanviz.symbolic.samples import prepare_samples
from kanviz.symbolic.suggest import suggest

pytestmark = pytest.mark.long

FOUND = 1e-7
"""Error of a law that is the planted one, as a share of the curve's standard deviation."""


def line(low: float, high: float) -> Tensor:
    return torch.linspace(low, high, 240, dtype=torch.float64)


def best_error(x: Tensor, y: Tensor) -> float:
    laws = find_laws(prepare_samples(x, y), 1.0)
    return min(law.error for law in laws)


sizes = st.floats(0.3, 3.0)
signs = st.sampled_from([-1.0, 1.0])
places = st.floats(-3.0, 3.0)


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(low=places, width=sizes, data=st.data())
def test_a_planted_sum_of_powers_is_found_with_no_more_terms(
    low: float, width: float, data: st.DataObject
) -> None:
    exponents = data.draw(st.sets(st.integers(1, 6), min_size=2, max_size=4))
    x = line(low, low + 2 * width)
    y = torch.full_like(x, 0.7)
    for n in exponents:
        y = y + data.draw(signs) * data.draw(sizes) * x**n
    laws = sums_of_powers(prepare_samples(x, y))
    first = next(law for law in laws if law.error < FOUND)
    assert len(first.constants) <= len(exponents) + 1


PLANTED = {
    "two sines": lambda x, a, w: torch.sin(w * x + 1) + a * torch.sin(2.7 * w * x),
    "damped sine": lambda x, a, w: a * torch.exp(-0.8 * x) * torch.sin(2 * w * x + 0.3),
    "chirp": lambda x, a, w: a * torch.sin(w * x**2 + 0.5 * x),
    "line and exponential": lambda x, a, w: a * x + torch.exp(-w * x),
    "line and Lorentz peak": lambda x, a, w: x + a / (x**2 + 0.3),
    "x exp": lambda x, a, w: a * x * torch.exp(-w * x),
    "exp of a sine": lambda x, a, w: torch.exp(a / 2 * torch.sin(w * x)),
    "logarithm of a square": lambda x, a, w: a * torch.log(x**2 + w),
    "wave in a bump": lambda x, a, w: a * torch.exp(-2 * x**2) * torch.cos(3 * w * x),
}


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(name=st.sampled_from(sorted(PLANTED)), a=sizes, w=st.floats(1.0, 3.0), sign=signs)
def test_a_planted_law_is_found(name: str, a: float, w: float, sign: float) -> None:
    x = line(-1.5, 2.0)
    assert best_error(x, PLANTED[name](x, sign * a, w)) < FOUND


@pytest.mark.parametrize(("p", "q"), [(2, 3), (1, 3), (-1, 4), (7, 2)])
def test_a_broken_power_is_called_by_its_exponent(p: int, q: int) -> None:
    x = line(0.1, 3.0)
    best = suggest(x, 2 * x ** (p / q) + 1).best
    assert best.name == f"x^({p}/{q})"
    assert best.error < FOUND


@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(w=st.floats(15.0, 100.0))
def test_a_wave_of_many_periods_is_still_a_sine(w: float) -> None:
    x = torch.linspace(-1, 1, 500, dtype=torch.float64)
    assert suggest(x, torch.sin(w * x + 0.5)).best.name in ("sin", "cos")


def test_nothing_is_added_that_noise_alone_would_ask_for() -> None:
    x = line(-2, 2)
    noise = torch.randn(len(x), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = suggest(x, torch.tanh(2 * x) + 0.05 * noise)
    assert not any(row.constants for row in table)


def test_a_few_samples_are_no_reason_for_a_law() -> None:
    x = torch.linspace(-1, 1, 8, dtype=torch.float64)
    assert all(len(row.constants) <= 3 for row in suggest(x, x.sin() + x**3))
    found = fit_constants(form("a*x^6 + b*x^5 + c*x^4 + d*x^3 + f*x^2 + g*x + h"), x[:6], x[:6])
    assert np.isfinite(found).all()


def test_every_form_is_one_that_fix_reads_by_its_name() -> None:
    for text in FORMS:
        function = form(text)
        assert function.name == text
        assert function.constants == kv.symbolic.default_library().constants_in(text)


def test_a_suggested_law_can_be_taken() -> None:
    x = line(-1, 1).unsqueeze(1)
    model = kv.KAN([1, 1], grid_size=20, dtype=torch.float64)
    model.fit(x, x * torch.sin(4 * x), progress=False)
    best = model.suggest((0, 0, 0)).best
    assert best.constants
    model.fix(
        (0, 0, 0),
        best.name,
        constants=dict(zip(best.function.constants, best.constants, strict=True)),
    )
    assert np.allclose(model.predict(x), (x * torch.sin(4 * x)).numpy(), atol=1e-3)


def test_symbolify_takes_a_law_where_one_function_is_not_enough() -> None:
    x = line(-1, 1).unsqueeze(1)
    y = x**3 + x**2 + x
    model = kv.KAN([1, 1, 1], grid_size=8, dtype=torch.float64)
    model.fit(x, y, progress=False)
    single = model.copy()
    single.symbolify((x, y), functions=list(kv.symbolic.default_library()))
    assert "**3" not in str(single.formula())
    model.symbolify((x, y))
    assert str(model.formula()) == "x_1**3 + x_1**2 + x_1"
