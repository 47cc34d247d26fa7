"""Stored results: complete, told where they come from, and shown as they stand in the file."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import kanviz as kv
from kanviz.course.mlp import step_seconds
from kanviz.course.problems import comparison, feynman_problems, problem, results, special_functions
from kanviz.course.problems.stored import STORED
from kanviz.data import from_function

pytestmark = pytest.mark.long

TABLES = Path(__file__).parent / "accuracy"


@pytest.mark.parametrize("name", STORED)
def test_every_file_says_when_how_and_where_it_was_made(name: str) -> None:
    stored = results(name)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", stored.date)
    assert stored.command == f"cd tests && PYTHONPATH=.. python -m accuracy.{name} --write"
    assert set(stored.versions) == {"kanviz", "torch"}
    assert all(text in stored.made for text in (stored.date, stored.command, stored.machine))
    assert stored.how.endswith(".")


@pytest.mark.parametrize(
    ("name", "entries"),
    [("feynman", feynman_problems()), ("special_functions", special_functions())],
)
def test_a_comparison_has_every_row_of_the_papers_table(name: Any, entries: Any) -> None:
    table = comparison(name)
    assert table.names == tuple(entry.name for entry in entries)
    for row, entry in zip(table.results.rows, entries, strict=True):
        assert tuple(row["kan"]["widths"]) == entry.widths
        for model in (row["kan"], row["mlp"]):
            assert 0 < model["test_rmse"] < 0.1
            assert 0 < model["seconds"] < 120
            assert 0 < model["n_parameters"] < 2000


def test_kanviz_is_below_the_papers_best_kan_in_most_rows() -> None:
    assert len(comparison("feynman").below_paper) >= 20
    assert len(comparison("special_functions").below_paper) == 15


def test_counts_and_ratios_are_those_of_the_rows() -> None:
    table = comparison("feynman")
    first = table.results.rows[0]
    assert table.ratio("I.6.2") == pytest.approx(first["kan"]["test_rmse"] / 2.86e-5)
    assert ("I.6.2" in table.below_paper) == (table.ratio("I.6.2") < 1)
    assert ("I.6.2" in table.below_mlp) == (first["kan"]["test_rmse"] < first["mlp"]["test_rmse"])
    assert f"{len(table.below_paper)} of 27" in table.summary


@pytest.mark.parametrize("name", ["feynman", "special_functions"])
def test_the_page_in_the_repository_is_the_one_of_the_file(name: Any) -> None:
    assert (TABLES / f"{name}.md").read_text(encoding="utf-8") == comparison(name).markdown


def test_a_table_shows_itself_as_text_and_html_with_all_text_escaped() -> None:
    table = comparison("special_functions")
    assert str(table).splitlines()[0].split()[:2] == ["problem", "formula"]
    assert "sn(u | m)" in str(table)
    assert "sn(u \\| m)" in table.markdown
    page = table._repr_html_()
    assert page.count("<tr>") == 16
    assert f"<caption>{table.summary.replace(chr(39), '&#x27;')}</caption>" in page


def test_scaling_curves_run_from_few_weights_to_many() -> None:
    for row in results("scaling").rows:
        assert problem(row["name"]).name == row["name"]
        for model in ("kan", "mlp"):
            sizes, errors = row[model]["n_parameters"], row[model]["test_rmse"]
            assert sizes == sorted(sizes)
            assert len(sizes) == len(errors) == 5
            assert errors[-1] < errors[0]


def test_results_that_are_not_there_are_met_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"name must be one of 'feynman', .* got 'feynmann'"):
        results("feynmann")


def test_a_problem_without_printed_results_has_no_ratio() -> None:
    with pytest.raises(ValueError, match="name must be a row of this table; got 'toy_deep'"):
        comparison("feynman").ratio("toy_deep")


def test_timing_a_step_changes_no_weight() -> None:
    data = from_function(lambda x: x.sum(dim=1), [(-1, 1)] * 2, n_train=20, n_test=0)
    network = kv.Network([2, 3, 1])
    before = [weight.detach().clone() for weight in network.parameters()]
    assert 0 < step_seconds(network, data, repeats=2) < 5
    for old, new in zip(before, network.parameters(), strict=True):
        assert torch.equal(old, new)
        assert new.grad is None
    with pytest.raises(ValueError, match="repeats must be an integer of at least 1; got 0"):
        step_seconds(network, data, repeats=0)
