"""A few of the generated texts and files of ``tests/fuzz``, in every run of the tests."""

import pytest
from fuzz import files, texts

pytestmark = pytest.mark.long


def test_texts_of_formulas_are_refused_in_a_sentence_or_can_be_used() -> None:
    assert texts.run(40, seed=5, every=5) == []


def test_model_files_are_read_or_refused_in_a_sentence() -> None:
    assert files.run(40, seed=5) == []


@pytest.mark.usefixtures("unchecked")
def test_tables_are_read_or_refused_in_a_sentence() -> None:
    assert files.run_tables(60, seed=5) == []


def test_a_kill_leaves_a_whole_file_and_nothing_else() -> None:
    assert files.run_kills(4, seed=5) == []
