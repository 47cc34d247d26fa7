"""Feynman's formulas: each function is its formula, smooth on its ranges, with the paper's row."""

from math import log, pi

import numpy as np
import pytest
import sympy
import torch
from problem_helpers import check_it_and_its_slopes_are_bounded

from kanviz.course.problems import FeynmanResult, Problem, feynman_problems, names, problem

pytestmark = pytest.mark.long

EVERY = feynman_problems()
SMOOTH = [entry for entry in EVERY if entry.name != "I.16.6"]


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_each_function_is_its_formula(entry: Problem) -> None:
    symbols = {name: sympy.Symbol(name, real=True) for name in entry.input_names}
    text = entry.formula.replace("arcsin", "asin")
    formula = sympy.sympify(text, locals=symbols)
    assert formula.free_symbols == set(symbols.values())
    x = entry.dataset(n_train=200, seed=1, dtype=torch.float64).x
    expected = sympy.lambdify(list(symbols.values()), formula, "numpy")(*x.numpy().T)
    np.testing.assert_allclose(entry.f(x).numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_the_parts_of_a_row_fit_together(entry: Problem) -> None:
    assert problem(entry.name).formula == entry.formula
    assert len(entry.ranges) == len(entry.input_names) == entry.widths[0]
    assert entry.widths[-1] == 1
    assert all((entry.title, entry.range_note, entry.source == "arXiv:2404.19756, Table 2"))
    assert isinstance(entry.paper, FeynmanResult)
    for widths in (
        entry.paper.human_widths,
        entry.paper.smallest_widths,
        entry.paper.pruned_widths,
    ):
        assert widths[0] == entry.widths[0]
        assert widths[-1] == 1


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_it_keeps_the_dtype_it_is_asked_in(entry: Problem, dtype: torch.dtype) -> None:
    data = entry.dataset(n_train=50, dtype=dtype)
    assert data.y.dtype == dtype
    torch.testing.assert_close(
        data.y[:, 0], entry.f(data.x.double()).to(dtype), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_every_input_moves_the_output(entry: Problem) -> None:
    x = entry.dataset(n_train=200, dtype=torch.float64).x.requires_grad_()
    (slopes,) = torch.autograd.grad(entry.f(x).sum(), x)
    assert bool((slopes.abs().amax(dim=0) > 1e-2).all())


@pytest.mark.parametrize("entry", SMOOTH, ids=lambda entry: entry.name)
def test_it_and_its_slopes_are_bounded_on_its_ranges(entry: Problem) -> None:
    check_it_and_its_slopes_are_bounded(entry)


def test_velocities_have_the_papers_range_and_stay_below_that_of_light() -> None:
    entry = problem("I.16.6")
    assert entry.ranges == ((-1.0, 1.0), (-1.0, 1.0))
    y = entry.dataset(n_train=5000, dtype=torch.float64).y
    assert bool((y.abs() < 1).all())


def test_there_are_the_papers_27_rows_after_the_other_problems() -> None:
    assert len(EVERY) == len({entry.name for entry in EVERY}) == 27
    assert names()[-27:] == tuple(entry.name for entry in EVERY)
    assert EVERY[0].name == "I.6.2"
    assert EVERY[-1].name == "III.17.37"


def test_the_papers_best_kan_is_the_best_of_the_three_that_it_printed() -> None:
    pruned, unpruned = problem("I.6.2").paper, problem("I.12.11").paper
    by_hand = problem("I.9.18").paper
    assert by_hand is not None
    assert by_hand.best_rmse == 1.48e-3
    assert pruned is not None
    assert unpruned is not None
    assert pruned.best_rmse == 2.86e-5
    assert unpruned.best_rmse == 9.13e-4
    # Over all rows; the paper finds its KANs and MLPs comparable on average.
    ratios = [
        log(entry.paper.best_rmse / entry.paper.mlp_rmse)
        for entry in EVERY
        if entry.paper is not None and entry.paper.mlp_rmse is not None
    ]
    assert len(ratios) == 26
    assert abs(float(np.mean(ratios))) < 1


def test_the_maser_formula_has_its_limit_where_the_phases_meet() -> None:
    point = torch.tensor([[0.5, pi, pi]], dtype=torch.float64)
    assert float(problem("III.9.52").f(point)) == 0.5
