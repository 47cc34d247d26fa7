"""Edits in a row that are one step of the history."""

from collections.abc import Hashable

import pytest
from model_helpers import bytes_of, make_model, run_script

from kanviz.edits import MovePoint, Remove, SetCurve
from kanviz.model import KAN


def drag(model: KAN, m: int, *heights: float, burst: Hashable = "drag") -> None:
    for height in heights:
        model.session.change(MovePoint(0, 0, 0, m, height), burst=burst)


def test_a_drag_is_one_step_with_one_line() -> None:
    model = make_model()
    before = bytes_of(model)
    drag(model, 2, 0.1, 0.2, 0.3)
    after = bytes_of(model)
    assert model.steps == ["moved point 2 of edge (0, 0, 0)"]
    assert model.script().splitlines()[-1] == "model.move_point((0, 0, 0), 2, 0.3)"
    assert model.script().count("move_point") == 1
    assert bytes_of(run_script(model)) == after
    model.undo()
    assert bytes_of(model) == before
    model.redo()
    assert (bytes_of(model), len(model.steps)) == (after, 1)


def test_the_script_of_a_burst_of_several_kinds_is_exact() -> None:
    model = make_model()
    drag(model, 2, 0.1)
    drag(model, 3, 0.2, 0.3)
    for height in (0.5, 0.6):
        edit = SetCurve(0, 0, 0, (0.0, 0.3), (height, 0.1))
        model.session.change(edit, burst="drag")
    drag(model, 3, 0.7)
    assert len(model.steps) == 1
    assert model.script().count("move_point") == 3
    assert model.script().count("set_curve") == 2
    assert bytes_of(run_script(model)) == bytes_of(model)


@pytest.mark.parametrize("between", ["burst", "edit", "undo", "none"])
def test_a_burst_ends_with_another_step(between: str) -> None:
    model = make_model()
    drag(model, 2, 0.1, 0.2)
    if between == "burst":
        drag(model, 2, 0.3, burst="another")
    elif between == "edit":
        model.move_point((0, 0, 0), 2, 0.3)
    elif between == "undo":
        model.move_point((0, 0, 0), 2, 0.3)
        model.undo()
        model.remove_edge((0, 1, 0))
    else:
        drag(model, 2, 0.3, burst=None)
    drag(model, 2, 0.4)
    assert len(model.steps) == 3
    assert bytes_of(run_script(model)) == bytes_of(model)


def test_an_edit_of_a_burst_that_fails_changes_nothing() -> None:
    model = make_model()
    model.session.change(Remove((0, 0, 0)), burst="drag")
    before = bytes_of(model), model.steps, model.script()
    with pytest.raises(ValueError, match=r"Edge .* is removed or a formula, and only a spline"):
        drag(model, 2, 0.1)
    assert (bytes_of(model), model.steps, model.script()) == before


def test_each_edit_of_a_burst_is_told() -> None:
    model = make_model()
    heard: list[str] = []
    model.on_change(heard.append)
    drag(model, 2, 0.1, 0.2)
    assert len(heard) == 2


def test_what_was_undone_is_listed_next_first() -> None:
    model = make_model()
    for i in range(2):
        model.remove_edge((0, i, 0))
    model.session.jump(0)
    expected = ["removed edge (0, 0, 0)", "removed edge (0, 1, 0)"]
    assert model.session.history.undone_sentences() == expected
    assert (model.steps, model.session.history.position) == ([], 0)
