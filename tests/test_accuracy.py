"""A few quick rows of the accuracy reports; the whole tables are commands in tests/accuracy."""

import pytest
from accuracy import toy_formulas
from accuracy.measure import measure_kan, samples

from kanviz.course.problems import problem

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", ["ellipeinc", "sph_harm_0_1", "III.10.19"])
def test_a_problem_of_the_papers_tables_beats_its_best_kan_tenfold(name: str) -> None:
    entry = problem(name)
    row = measure_kan(entry, samples(entry), grids=(5, 10, 20, 40))
    assert entry.paper is not None
    assert row["test_rmse"] < 0.1 * entry.paper.best_rmse


def test_toy_formula_is_learned_to_2e_minus_6() -> None:
    error, _, _ = toy_formulas.measure("toy_exp_sin", (2, 1, 1), 1000, seed=0)
    assert error < 2e-6
