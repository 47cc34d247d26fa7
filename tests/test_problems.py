"""The named problems: right functions, finite on their ranges, and the paper's numbers."""

import importlib
import re
from collections.abc import Callable
from math import exp, pi, sqrt
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from problem_helpers import check_it_and_its_slopes_are_bounded, make_points
from torch.testing import assert_close

from kanviz.course.problems import Problem, names, problem, special_functions, toy_functions
from kanviz.course.problems.record import PaperResult
from kanviz.data import from_function

EVERY = [*toy_functions(), *special_functions()]


def evaluate(name: str, *inputs: float) -> float:
    """Return the value of a problem at one point."""
    return float(problem(name).f(torch.tensor([inputs], dtype=torch.float64))[0])


class TestAll:
    @pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
    def test_its_parts_fit_together(self, entry: Problem) -> None:
        assert problem(entry.name).title == entry.title
        assert len(entry.ranges) == len(entry.input_names) == entry.widths[0]
        assert entry.widths[-1] == 1
        assert all((entry.title, entry.formula, entry.source, entry.range_note))
        data = entry.dataset(n_train=20, n_test=10, seed=3, dtype=torch.float64)
        assert data.input_names == entry.input_names
        assert data.y.shape == (20, 1)
        again = from_function(
            entry.f, entry.ranges, 20, 10, seed=3, dtype=torch.float64, normalize=False
        )
        assert torch.equal(data.x, again.x)

    @pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
    def test_it_keeps_the_dtype_it_is_asked_in(self, entry: Problem, dtype: torch.dtype) -> None:
        data = entry.dataset(n_train=50, dtype=dtype)
        exact = entry.f(data.x.double())
        assert data.y.dtype == dtype
        assert_close(data.y[:, 0], exact.to(dtype), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("entry", special_functions(), ids=lambda entry: entry.name)
    def test_scipy_computes_in_double_precision_whatever_the_dtype(self, entry: Problem) -> None:
        x = entry.dataset(n_train=50, dtype=torch.float32).x
        assert torch.equal(entry.f(x), entry.f(x.double()).float())

    def test_names_are_all_different_and_listed(self) -> None:
        assert len(names()) == len(set(names())) == 47
        assert names()[:2] == ("toy_bessel", "toy_exp_sin")

    def test_an_unknown_name_is_met_with_the_nearest(self) -> None:
        with pytest.raises(ValueError, match=r"got 'elipj'\. Did you mean 'ellipj'\?$"):
            problem("elipj")


class TestToys:
    @pytest.mark.parametrize(
        ("name", "point", "value"),
        [
            ("toy_bessel", (0.0,), 1.0),
            ("toy_bessel", (2.404825557695773 / 20,), 0.0),
            ("toy_exp_sin", (0.5, 1.0), exp(2)),
            ("toy_product", (-0.5, 0.25), -0.125),
            ("toy_100d", (1.0,) * 100, exp(1)),
            ("toy_100d", (1.0,) * 50 + (0.0,) * 50, exp(0.5)),
            ("toy_deep", (0.5, 0.5, 0.0, sqrt(0.5)), exp(1)),
            ("toy_deep", (0.5, 0.5, 1.0, sqrt(0.5)), 1.0),
        ],
    )
    def test_values_known_in_closed_form(
        self, name: str, point: tuple[float, ...], value: float
    ) -> None:
        assert evaluate(name, *point) == pytest.approx(value, abs=1e-14)

    def test_the_bessel_function_is_that_of_scipy(self) -> None:
        entry = problem("toy_bessel")
        x = torch.linspace(-1, 1, 999, dtype=torch.float64)
        np.testing.assert_allclose(
            entry.f(x[:, None]).numpy(), scipy.special.j0(20 * x.numpy()), atol=1e-14
        )


class TestSpecialFunctions:
    @pytest.mark.parametrize(
        ("name", "point", "value"),
        [
            ("ellipj", (0.7, 0.0), np.sin(0.7)),
            ("ellipj", (1.8540746773013719, 0.5), 1.0),
            ("ellipkinc", (0.7, 0.0), 0.7),
            ("ellipkinc", (pi / 2, 0.5), 1.8540746773013719),
            ("ellipeinc", (0.7, 0.0), 0.7),
            ("ellipeinc", (pi / 2, 0.5), 1.3506438810476755),
            ("jv", (0.5, 2.0), sqrt(1 / pi) * np.sin(2)),
            ("yv", (0.5, 2.0), -sqrt(1 / pi) * np.cos(2)),
            ("kv", (0.5, 2.0), sqrt(pi / 4) * exp(-2)),
            ("iv", (0.5, 2.0), sqrt(1 / pi) * np.sinh(2)),
            ("lpmv_0", (2.0, 0.3), (3 * 0.3**2 - 1) / 2),
            ("lpmv_0", (0.0, 0.3), 1.0),
            ("lpmv_1", (1.0, 0.3), -sqrt(1 - 0.3**2)),
            ("lpmv_1", (2.0, 0.3), -3 * 0.3 * sqrt(1 - 0.3**2)),
            ("lpmv_2", (2.0, 0.3), 3 * (1 - 0.3**2)),
            ("sph_harm_0_1", (1.0, 0.4), sqrt(3 / (4 * pi)) * np.cos(0.4)),
            ("sph_harm_1_1", (1.0, 0.4), -sqrt(3 / (8 * pi)) * np.sin(0.4) * np.cos(1)),
            ("sph_harm_0_2", (1.0, 0.4), sqrt(5 / (16 * pi)) * (3 * np.cos(0.4) ** 2 - 1)),
            (
                "sph_harm_1_2",
                (1.0, 0.4),
                -sqrt(15 / (8 * pi)) * np.sin(0.4) * np.cos(0.4) * np.cos(1),
            ),
            ("sph_harm_2_2", (1.0, 0.4), sqrt(15 / (32 * pi)) * np.sin(0.4) ** 2 * np.cos(2)),
        ],
    )
    def test_values_known_in_closed_form(
        self, name: str, point: tuple[float, float], value: float
    ) -> None:
        assert evaluate(name, *point) == pytest.approx(value, abs=1e-12)

    @pytest.mark.parametrize(
        ("name", "call"),
        [
            ("ellipj", lambda u, m: scipy.special.ellipj(u, m)[0]),
            ("ellipkinc", scipy.special.ellipkinc),
            ("ellipeinc", scipy.special.ellipeinc),
            ("jv", scipy.special.jv),
            ("yv", scipy.special.yv),
            ("kv", scipy.special.kv),
            ("iv", scipy.special.iv),
            *((f"lpmv_{m}", lambda v, x, m=m: scipy.special.lpmv(m, v, x)) for m in range(3)),
        ],
    )
    def test_it_is_the_scipy_function_of_the_papers_table(
        self, name: str, call: Callable[..., Any]
    ) -> None:
        x = make_points(problem(name))
        assert torch.equal(problem(name).f(x), torch.from_numpy(call(*x.numpy().T)))

    @pytest.mark.skipif(
        not hasattr(scipy.special, "sph_harm_y"),
        reason="needs SciPy 1.15: scipy.special.sph_harm_y",
    )
    @pytest.mark.parametrize(("m", "n"), [(0, 1), (1, 1), (0, 2), (1, 2), (2, 2)])
    def test_harmonics_are_those_of_scipy(self, m: int, n: int) -> None:
        entry = problem(f"sph_harm_{m}_{n}")
        theta, phi = make_points(entry).numpy().T
        np.testing.assert_allclose(
            entry.f(make_points(entry)).numpy(),
            scipy.special.sph_harm_y(n, m, phi, theta).real,
            atol=1e-14,
        )

    @pytest.mark.parametrize("entry", special_functions(), ids=lambda entry: entry.name)
    def test_it_and_its_slopes_are_bounded_on_its_ranges(self, entry: Problem) -> None:
        check_it_and_its_slopes_are_bounded(entry)

    def test_the_papers_numbers_are_ordered_as_their_names_say(self) -> None:
        assert len(special_functions()) == 15
        for entry in special_functions():
            assert isinstance(entry.paper, PaperResult)
            assert entry.paper.best_rmse <= entry.paper.minimal_rmse < 1e-2
            assert entry.paper.best_rmse < entry.paper.mlp_rmse
            assert entry.paper.best_widths[0] == entry.paper.minimal_widths[0] == 2
            assert entry.source == "arXiv:2404.19756, Table 1"

    def test_without_scipy_one_sentence_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(name: str) -> Any:
            raise ImportError(name)

        monkeypatch.setattr(importlib, "import_module", refuse)
        message = re.escape("scipy must be installed for this function; got no such package.")
        with pytest.raises(ImportError, match=message):
            problem("jv").dataset()
        problem("toy_exp_sin").dataset()
