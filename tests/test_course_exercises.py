"""Exercises of the course: each has a cell of its own, which knows right from wrong."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanviz.course import check, hint
from kanviz.course.exercises import EXERCISES

FOLDER = Path(__file__).parent.parent / "notebooks"
BOOKS = {path.stem.split("_")[0]: path for path in sorted(FOLDER.glob("*.ipynb"))}
CELL = 'course.check("{}", exercise_{})'

TRIPLE = [-2, -5 / 3, -4 / 3, -1, -2 / 3, 0, 0, 0, 2 / 3, 1, 4 / 3, 5 / 3, 2]
EVEN = list(np.linspace(-2, 2, 13))

ANSWERS: dict[str, tuple[str, str]] = {
    "00.1": ("['log', 'exp', 'log']", "['log', 'sin', 'exp']"),
    "00.2": ("2", "1"),
    "01.1": ("2", "1"),
    "01.2": ("2.6e-4", "5e-7"),
    "02.1": ("3", "8"),
    "02.2": ("'spline'", "'sine'"),
    "02.3": ("'tanh(arctanh(x_1) + arctanh(x_2))'", "'tanh(x_1 + x_2)'"),
    "02b.1": ("[0.72, 1.27]", "[1.27, 0.72]"),
    "02b.2": ("'sin'", "'exp'"),
    "03.1": ("'by hand'", "'trained'"),
    "03.2": ("[3, 1, 1]", "[3, 3, 1]"),
    "03.3": ("'no'", "'yes'"),
    "04.1": (repr(TRIPLE), repr([float(knot) for knot in EVEN])),
    "04.2": ("(520, 640)", "(520, 600)"),
    "04b.1": ("'yes'", "'no'"),
    "04b.2": ("16.45", "8.5"),
    "05.1": ("25", "18"),
    "05.2": ("3e-16", "0.2"),
    "06.1": ("(6, 6)", "(12, 24)"),
    "06.2": ("(-1.1, -1.3, -1.6)", "(-2, -3, -4)"),
    "07.1": ("'sum of scores'", "'edges in use'"),
    "07.2": ("15", "6"),
    "07.3": ("6", "15"),
    "08.1": ("0.7", "0.001"),
    "08.2": ("False", "True"),
    "09.1": ("'KAN'", "'MLP'"),
    "09.2": ("'KAN'", "'MLP'"),
    "10.1": ("0.0035", "0.0007"),
    "10.2": ("0.00017", "0.01"),
    "10.3": ("0.00007", "0.008"),
    "11.1": ("'arctanh'", "'tan'"),
    "11.2": ("9", "8"),
    "11.3": ("0.955", "0.977"),
    "12.1": ("0.47", "0.18"),
    "12.2": ("'yes'", "'no'"),
    "12.3": ("True", "False"),
    "13.1": ("10**0.5", "10"),
    "13.2": ("50", "5"),
    "14.1": ("2", "1"),
    "14.2": ("'yes'", "'no'"),
    "15.1": ("'no'", "'yes'"),
    "15.2": ("['s4', 's2']", "['age']"),
    "16.1": ("(2, 6)", "(1, 5)"),
    "16.2": ("5.4e5", "64"),
    "17.1": ("0.972", "0.5"),
    "17.2": ("0.818", "0.86 + 0.1"),
}


def cell_of(key: str) -> str:
    """Return the cell of an exercise as it stands in its notebook."""
    book, number = key.split(".")
    cells = json.loads(BOOKS[book].read_text("utf-8"))["cells"]
    (found,) = (
        text
        for text in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        if CELL.format(key, number) in text
    )
    return found


@pytest.mark.parametrize("book", BOOKS)
def test_every_exercise_of_a_notebook_can_be_checked(book: str) -> None:
    cells = json.loads(BOOKS[book].read_text("utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    asked = re.findall(
        r"^(\d+)\. ", text.partition("## Try it yourself")[2].split("<details>")[0], re.M
    )
    assert [f"{book}.{n}" for n in asked] == [key for key in EXERCISES if key.split(".")[0] == book]


def test_every_exercise_has_a_right_and_a_wrong_answer_here() -> None:
    assert list(ANSWERS) == list(EXERCISES)


@pytest.mark.parametrize("key", EXERCISES)
def test_an_answer_typed_into_its_cell_is_judged_and_leaves_the_notebook_as_it_was(
    key: str,
) -> None:
    cell, number = cell_of(key), key.split(".")[1]
    course = "from kanviz import course\n"
    kept: dict[str, Any] = {"model": "the notebook's own", "x": 1}
    for typed, expected in zip((*ANSWERS[key], "..."), (True, False, None), strict=True):
        body = f"model = x = 0\n    return {typed}"
        source = course + cell.replace("return ...", body)
        code, last = source.rsplit("\n", 1)
        names: dict[str, Any] = dict(kept)
        exec(f"{code}\nverdict = {last}", names)
        verdict = names.pop("verdict")
        assert verdict.is_right is expected, verdict
        made = names.keys() - kept.keys() - {"__builtins__"}
        assert made == {"course", f"exercise_{number}"}
        assert {name: names[name] for name in kept} == kept


def test_an_error_in_an_exercise_is_told_and_breaks_nothing() -> None:
    def exercise() -> int:
        return [][0]

    verdict = check("05.1", exercise)
    assert not verdict
    assert re.fullmatch(
        r"Your function stopped in line \d+: IndexError: list index out of range", str(verdict)
    )


@pytest.mark.parametrize("answer", ["many", [1, 2], {}, object()])
def test_an_answer_of_another_kind_is_told_what_is_asked_for(answer: Any) -> None:
    verdict = check("05.1", answer)
    assert verdict.is_right is False
    assert "05.1" in repr(verdict)


def test_hints_come_in_steps_and_do_not_run_out() -> None:
    first, second, beyond = (hint("04.1", step) for step in (1, 2, 9))
    assert first != second == beyond
    assert repr(first) == "How many knots in one place allow a corner? (1 of 2)"


@pytest.mark.parametrize("call", [check, hint])
def test_an_exercise_that_is_not_there_is_an_error(call: Any, unchecked: None) -> None:
    with pytest.raises(ValueError, match=r"There is no exercise '99.1'. Write notebook and number"):
        call("99.1")


def test_a_step_below_one_is_an_error(unchecked: None) -> None:
    with pytest.raises(ValueError, match="step must be at least 1; got 0"):
        hint("04.1", 0)
