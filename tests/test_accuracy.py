"""Three quick rows of the accuracy reports; the whole tables are commands in tests/accuracy."""

import pytest
from accuracy import special_functions, toy_formulas


@pytest.mark.parametrize("name", ["ellipeinc", "kv", "sph_harm_0_1"])
def test_special_functions_beat_the_papers_best_kan_tenfold(name: str) -> None:
    row = special_functions.measure(name, grids=(5, 10, 20, 40))
    assert row.ratio < 0.1


def test_toy_formula_is_learned_to_2e_minus_6() -> None:
    error, _, _ = toy_formulas.measure("toy_exp_sin", (2, 1, 1), 1000, seed=0)
    assert error < 2e-6
