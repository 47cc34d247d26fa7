import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from model_helpers import (
    bytes_of,
    check_the_way_back_and_forth,
    fit_briefly,
    fitted_model,
    make_data,
    make_model,
    make_sample,
    run_script,
)
from type_checks import type_checks_off

from kanviz.data import from_arrays
from kanviz.model import KAN


def test_fit_is_one_step_that_brings_names_and_undo_takes_back() -> None:
    model = make_model()
    before = bytes_of(model)
    data = from_arrays(
        make_sample(), make_sample(1), input_names=["u", "v"], output_names=["w"], normalize=True
    )
    report = fit_briefly(model, data)
    assert report.loss < 1.1
    assert (model.input_names, model.output_names) == (("u", "v"), ("w",))
    assert model.steps == [f"trained with {report}"]
    after = bytes_of(model)
    model.undo()
    assert bytes_of(model) == before
    assert (model.input_names, model.output_names) == (("x_1", "x_2"), ("y",))
    model.redo()
    assert bytes_of(model) == after
    assert model.input_names == ("u", "v")


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"optimizer": "none"}, {"loss": "cross_entropy"}])
def test_a_fit_that_fails_changes_nothing(wrong: dict[str, Any]) -> None:
    model = fitted_model()
    before, history = bytes_of(model), model.steps
    with type_checks_off(), pytest.raises(ValueError, match="must be"):
        model.fit(make_data(), **{"progress": False, **wrong})
    assert bytes_of(model) == before
    assert model.steps == history
    model.remove_edge((0, 0, 0))


def test_an_error_in_a_callback_changes_nothing() -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    model = make_model()
    before = bytes_of(model)
    with pytest.raises(ZeroDivisionError):
        fit_briefly(model, callbacks=[fail])
    assert bytes_of(model) == before
    assert model.steps == []


def test_an_edit_during_a_fit_is_refused_but_a_question_is_answered() -> None:
    model = make_model()
    seen: list[Any] = []

    def ask_and_edit(_: Any) -> None:
        seen.append(model.snapshot())
        with pytest.raises(RuntimeError, match="A callback of a fit cannot change the model"):
            model.remove_edge((0, 0, 0))

    fit_briefly(model, callbacks=[ask_and_edit])
    assert len(seen) > 0
    assert len(model.steps) == 1
    model.remove_edge((0, 0, 0))


def test_edits_go_through_history_and_back(rng_untouched: None) -> None:
    with type_checks_off():  # they draw from the generator of ``random``
        _walk_there_and_back(make_model())


def _walk_there_and_back(model: KAN) -> None:
    steps: list[Callable[[], object]] = [
        lambda: model.remove_edge((0, 1, 2)),
        lambda: model.restore_edge((0, 1, 2)),
        lambda: model.remove_node((1, 0)),
        lambda: model.restore_node((1, 0)),
        lambda: model.refine(10),
        lambda: model.update_grid(make_sample(), grid_eps=0.5),
        lambda: model.update_grid(),
        lambda: fit_briefly(model),
    ]
    line = [bytes_of(model)]
    for step in steps:
        step()
        line.append(bytes_of(model))
    assert len(model.steps) == len(steps)
    check_the_way_back_and_forth(model, line)


def test_script_makes_the_same_model_to_the_last_bit() -> None:
    data, other, x = make_data(), make_data(seed=1), make_sample(samples=50)
    ranges = torch.tensor([[-1.0, 2.0], [-3.0, 1.0]])
    model = KAN([2, 3, 1], grid_size=4, base="identity", grid_range=ranges, dtype=torch.float64)
    model.remove_edge((0, 1, 2))
    fit_briefly(model, data, grids=[4, 6])
    model.refine(12)
    model.remove_node((1, 0))
    model.undo()
    model.update_grid(x, grid_eps=0.3)
    fit_briefly(model, other, smoothing=1e-6)
    fit_briefly(model, data)
    model.update_grid()
    made = run_script(model, data=data, data_2=other, x=x)
    assert bytes_of(made) == bytes_of(model)
    assert made.script() == model.script()


def test_script_follows_the_default_dtype_of_its_session() -> None:
    model = KAN([2, 1])
    assert model.script().splitlines()[-1] == "model = kv.KAN([2, 1])"
    torch.set_default_dtype(torch.float64)
    try:
        model = KAN([2, 1])
    finally:
        torch.set_default_dtype(torch.float32)
    assert model.script().splitlines()[-1] == "model = kv.KAN([2, 1], dtype=torch.float64)"


def test_update_grid_without_data_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="This model has seen no data, which update_grid needs"):
        make_model().update_grid()


def test_watchers_hear_every_change_until_they_leave() -> None:
    model = make_model()
    heard: list[str] = []
    leave = model.on_change(heard.append)
    model.remove_edge((0, 0, 1))
    model.undo()
    model.redo()
    with pytest.raises(ValueError, match="removed already"):
        model.remove_edge((0, 0, 1))
    leave()
    leave()
    model.refine(6)
    what = "removed edge (0, 0, 1)"
    assert heard == [what, f"undid: {what}", f"redid: {what}"]


def test_a_watcher_that_fails_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model()
    heard: list[str] = []

    def fail(_: str) -> None:
        raise ZeroDivisionError

    model.on_change(fail)
    model.on_change(heard.append)
    model.remove_edge((0, 0, 1))
    assert heard == model.steps
    assert "A watcher failed after this change: removed edge (0, 0, 1)" in caplog.text


def test_threads_take_turns() -> None:
    model = KAN([4, 8, 1])
    errors: list[Exception] = []

    def edit(i: int) -> None:
        try:
            for j in range(8):
                model.remove_edge((0, i, j))
                model.snapshot()
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=edit, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(model.steps) == 32
    for _ in range(32):
        model.undo()
    assert bytes_of(model) == bytes_of(KAN([4, 8, 1]))
