"""Edits of a model while a fit of it runs."""

import threading
from typing import Any

import pytest
import torch
from fit_threads import PATIENCE, start, wait_until
from model_helpers import bytes_of, fitted_model, make_data, make_model, make_network, run_script
from torch import Tensor

from kanviz.edits import Fitted, MovePoint
from kanviz.model import KAN


def in_threads(*works: Any) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "they wait for each other"


def mask(model: KAN, edge: tuple[int, int, int]) -> bool:
    return bool(model.network.layers[edge[0]].mask[edge[1], edge[2]])


def test_an_edit_is_a_step_between_what_was_learnt_before_and_after() -> None:
    model = make_model()
    fit = start(model, pause_at=3, steps=8)
    seen = bytes_of(model.session.live_network())
    model.remove_edge((0, 0, 1))
    model.undo()  # to the moment before the edit: what the fit had learnt
    assert bytes_of(model.network) == seen
    model.redo()
    fit.resume()
    report = fit.wait(20)
    assert report.n_steps == 8
    assert not mask(model, (0, 0, 1))
    first, edit, last = model.steps
    assert first.startswith("trained with lm: 3 steps, loss ")
    assert first.endswith("then edited")
    assert edit == "removed edge (0, 0, 1)"
    assert last.startswith("trained with lm: 5 more steps, loss ")
    assert report.kept_step > 3


def test_the_fit_goes_on_from_the_edited_network_with_the_steps_that_are_left() -> None:
    data = make_data()
    model = make_model()
    fit = start(model, pause_at=3, steps=5, data=data, update_grid=False)
    model.move_point((0, 0, 0), 2, 0.75)
    edited = model.copy()
    fit.resume()
    fit.wait(20)
    edited.fit(data, optimizer="lm", steps=2, starts=1, update_grid=False, progress=False)
    assert bytes_of(model) == bytes_of(edited)


def test_rest_without_an_edit_leaves_no_trace() -> None:
    model, plain = make_model(), make_model()
    start(plain, steps=6).wait(20)
    before = bytes_of(model)
    fit = start(model, pause_at=3, steps=6)
    with model.session.at_rest():
        assert bytes_of(model) != before  # up to date with the fit
        with model.session.at_rest():
            assert len(model.steps) == 1
    with pytest.raises(ValueError, match=r"Edge .* is not removed. Take it out"):
        model.restore_edge((0, 0, 0))
    with pytest.raises(IndexError, match="Nothing to redo"):
        model.redo()
    assert (bytes_of(model), model.steps) == (before, [])
    fit.resume()
    fit.wait(20)
    assert bytes_of(model) == bytes_of(plain)
    assert len(model.steps) == 1


def test_every_kind_of_change_gets_in() -> None:
    model = fitted_model()
    fit = start(model, pause_at=2, steps=30, grids=[5, 8], validation="test")
    model.refine(10)
    model.update_grid(make_data().x)
    model.fix((1, 0, 0), "sin")
    model.freeze((0, 0, 0))
    model.prune(threshold=1e-9)
    model.set_curve((0, 1, 1), [0.0, 0.5], [0.1, 0.2])
    fit.resume()
    report = fit.wait(20)
    assert model.network.layers[0].spec.grid_size == 10  # never made coarser again
    assert report.history["grid_size"][-1] == 10
    assert model.network.layers[1].symbols is not None
    assert len(model.steps) == 9
    while model.steps:
        model.undo()
    assert bytes_of(model) == bytes_of(make_model())


def test_undo_takes_back_the_last_edit_with_what_was_learnt_since() -> None:
    model = fitted_model()
    history, before = model.steps, bytes_of(model)
    fit = start(model, pause_at=2)
    model.remove_edge((0, 0, 0))
    for at_once in (True, False):  # whether or not the fit has taken steps since
        model.remove_edge((0, 0, 1))
        if not at_once:
            fit.step()
            wait_until(lambda: fit.report.n_steps == 3)
        assert "(0, 0, 1)" in model.undo()
        assert mask(model, (0, 0, 1))
        assert not mask(model, (0, 0, 0))
    assert model.steps[-1] == "removed edge (0, 0, 0)"
    model.undo()
    assert mask(model, (0, 0, 0))
    assert model.undo().startswith("trained with lm: 2 steps")
    assert (model.steps, bytes_of(model)) == (history, before)
    assert model.undo() == history[-1]  # from before the fit
    fit.stop()
    fit.wait(20)


def test_undo_without_an_edit_takes_back_the_fit_so_far() -> None:
    model = fitted_model()
    history, before = model.steps, bytes_of(model)
    fit = start(model, pause_at=3)
    learnt = bytes_of(model.session.live_network())
    assert model.undo().startswith("trained with lm: 3 steps")
    assert (model.steps, bytes_of(model)) == (history, before)
    model.redo()
    assert bytes_of(model.network) == learnt
    model.session.jump(0)
    assert bytes_of(model) == bytes_of(make_model())
    with pytest.raises(IndexError, match="position must be from 0 to 2"):
        model.session.jump(3)
    model.session.jump(2)
    fit.stop()
    fit.wait(20)
    assert bytes_of(model.network) == learnt


def test_four_threads_edit_a_running_fit_and_nothing_is_lost() -> None:
    model = KAN([4, 3, 1], dtype=torch.float64)
    x = torch.rand(50, 4, dtype=torch.float64)
    options: dict[str, Any] = {"optimizer": "adam", "steps": 10**6, "progress": False}
    fit = model.fit((x, x[:, :1] * x[:, 1:2]), background=True, **options)

    def edit(i: int) -> Any:
        def work() -> None:
            for count in range(50):
                model.move_point((0, i, 0), count % 5, float(100 * i + count))

        return work

    join(in_threads(*[edit(i) for i in range(4)]))
    assert fit.state == "fitting"
    fit.stop()
    assert 0 < fit.wait(20).n_steps < 200 * 50  # the fit lets them in after few steps
    moves = [line for line in model.script().splitlines() if "move_point" in line]
    assert len(moves) == 200
    for i in range(4):
        heights = [float(move[:-1].split(", ")[-1]) for move in moves if f"((0, {i}, 0)" in move]
        assert heights == [float(100 * i + count) for count in range(50)]


def test_questions_are_answered_while_another_thread_searches() -> None:
    model = fitted_model()
    fit = start(model, pause_at=2)
    inside, leave = threading.Event(), threading.Event()

    def search() -> None:
        with model.session.at_rest():
            inside.set()
            leave.wait(PATIENCE)

    def ask() -> None:
        inside.wait(PATIENCE)
        model(torch.zeros(1, 2, dtype=torch.float64))
        model.snapshot()
        model.script()

    searching = in_threads(search)
    join(in_threads(ask))
    assert searching[0].is_alive()
    leave.set()
    join(searching)
    fit.stop()
    fit.wait(20)


def test_no_question_sees_half_a_change() -> None:
    model = make_model()
    networks = [make_network((2, 3, 1), grid_size=size, seed=size) for size in (3, 7)]
    x = torch.rand(20, 2, dtype=torch.float64)
    with torch.no_grad():
        right = [network(x) for network in (*networks, model.network)]
    over, wrong = threading.Event(), [torch.zeros(0)]

    def ask() -> None:
        while not over.is_set():
            with model.session.reading():
                found: Tensor = model(x).detach()
            if not any(torch.equal(found, one) for one in right):
                wrong.append(found)

    asking = in_threads(ask, ask)
    for count in range(60):
        model.session.change(Fitted(networks[count % 2], "model.fit(data)", "lm"))
    over.set()
    join(asking)
    assert len(wrong) == 1


def test_a_fit_within_a_change_is_refused() -> None:
    model = make_model()
    words = "A fit cannot begin while the model is being changed"
    with model.session.at_rest(), pytest.raises(RuntimeError, match=words):
        model.fit(make_data(), steps=1, progress=False)
    assert model.running_fit is None


def test_watchers_hear_of_a_fit_that_was_edited_in_order() -> None:
    model = make_model()
    heard: list[str] = []
    model.on_change(heard.append)
    fit = start(model, pause_at=2, steps=4)
    model.remove_edge((0, 0, 0))
    assert heard == ["removed edge (0, 0, 0)"]
    fit.resume()
    fit.wait(20)
    assert heard == model.steps[1:]


def test_a_drag_while_a_fit_runs_is_one_step() -> None:
    model = make_model()
    fit = start(model, pause_at=2)
    learnt = bytes_of(model.session.live_network())
    for count in range(3):
        model.session.change(MovePoint(0, 0, 0, 3, count / 10), burst="drag 1")
        fit.step()
        wait_until(lambda count=count: fit.report.n_steps == 3 + count)  # type: ignore[misc]
    fit.stop()
    fit.wait(20)
    assert len(model.steps) == 3
    assert model.steps[1] == "moved point 3 of edge (0, 0, 0)"
    model.undo()
    model.undo()
    assert bytes_of(model.network) == learnt


def test_the_script_of_an_edited_fit_runs_and_comes_near() -> None:
    model, data = make_model(), make_data()
    fit = start(model, pause_at=6, steps=20, grids=[5, 8], data=data)
    model.remove_edge((0, 0, 1))
    fit.resume()
    fit.wait(20)
    lines = model.script().splitlines()
    assert lines[-3].endswith(
        "# edited while it ran, so a replay is alike, not equal to the last bit"
    )
    assert "grids=[5], steps=6" in lines[-3].replace("steps=6, grids=[5]", "grids=[5], steps=6")
    again = run_script(model, data=data, callbacks=())
    assert [layer.mask.tolist() for layer in again.network.layers] == [
        layer.mask.tolist() for layer in model.network.layers
    ]
    assert again.evaluate(data)["test_r2"] > 0.9
