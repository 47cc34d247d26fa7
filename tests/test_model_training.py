import _thread
import gc
import logging
import signal
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest
import torch
from fit_threads import start, wait_until
from model_helpers import bytes_of, fit_briefly, make_data, make_model, run_script

from kanviz.model.fit_handle import FitHandle
from kanviz.training import Progress, Sparsity

pytestmark = pytest.mark.long


def test_a_fit_in_the_background_gives_what_a_fit_in_a_cell_gives() -> None:
    models = [make_model() for _ in range(6)]
    report = models[0].fit(make_data(), optimizer="lm", steps=3, starts=1, progress=False)
    fits = [start(model, steps=3) for model in models[1:]]  # all at once
    assert [fit.wait(20).history["loss"] for fit in fits] == [report.history["loss"]] * 5
    assert [bytes_of(model) for model in models] == [bytes_of(models[0])] * 6
    assert [fit.state for fit in fits] == ["done"] * 5


def test_a_fit_in_the_background_is_one_step_that_the_script_repeats() -> None:
    model = make_model()
    start(model, steps=5).wait(20)
    assert len(model.steps) == 1
    assert "background" not in model.script()
    assert "#" not in model.script()
    assert bytes_of(run_script(model, data=make_data())) == bytes_of(model)
    model.undo()
    assert bytes_of(model) == bytes_of(make_model())


def test_pause_step_resume_and_stop() -> None:
    model = make_model()
    fit = start(model, pause_at=3, steps=1000, grids=[5, 10, 20])
    assert (fit.state, fit.report.n_steps) == ("paused", 3)
    for expected in (4, 5):
        fit.step()
        wait_until(lambda expected=expected: fit.report.n_steps >= expected)  # type: ignore[misc]
        with fit.gate.held():
            assert (fit.state, fit.report.n_steps) == ("paused", expected)
    fit.resume()
    assert fit.state == "fitting"
    fit.stop()
    report = fit.wait(20)
    assert report.stopped == "stopped"
    assert report.n_steps < 1000
    assert "  # was stopped, so a replay is alike" in model.script()
    for order in (fit.pause, fit.resume, fit.step, fit.stop):
        order()
    assert fit.state == "done"


def test_stop_ends_a_fit_that_is_paused_or_still_tries_starts() -> None:
    paused = start(make_model(), pause_at=2)
    paused.stop()
    assert paused.wait(20).n_steps == 2
    model = make_model()
    before = bytes_of(model)
    trying = start(model, starts=500)
    trying.stop()
    assert trying.wait(20).stopped == "stopped"
    if trying.report.n_steps == 0:
        assert bytes_of(model) == before
        assert model.steps == []


def test_an_error_is_kept_and_raised_by_wait() -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError("on purpose")

    model = make_model()
    before = bytes_of(model)
    fit = start(model, callbacks=[fail])
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            fit.wait(20)
    assert (fit.state, type(fit.error)) == ("failed", ZeroDivisionError)
    assert (bytes_of(model), model.steps, model.running_fit) == (before, [], None)
    model.remove_edge((0, 0, 0))


def test_bad_options_are_refused_before_anything_runs() -> None:
    model = make_model()
    with pytest.raises(ValueError, match="steps must be"):
        model.fit(make_data(), background=True, steps=-1)
    assert model.running_fit is None


def test_wait_gives_up_in_time_and_refuses_to_wait_for_itself() -> None:
    model = make_model()
    heard: list[str] = []

    def wait(_: Any) -> None:
        with pytest.raises(RuntimeError, match="A callback of a fit cannot wait for it"):
            model.running_fit.wait()  # type: ignore[union-attr]
        heard.append("refused")

    fit = start(model, steps=2, callbacks=[wait])
    fit.wait(20)
    assert heard == ["refused"] * 2
    paused = start(model, pause_at=1)
    with pytest.raises(TimeoutError, match=r"The fit is not over after 0\.01 s"):
        paused.wait(0.01)
    with pytest.raises(RuntimeError, match="A fit is running already"):
        fit_briefly(model)
    paused.stop()
    paused.wait(20)


def test_options_change_while_it_runs() -> None:
    model = make_model()
    fit = start(model, pause_at=2, steps=40)
    fit.set(sparsity=Sparsity(1e-2, entropy=0.5), steps=7)
    assert (fit.options.steps, fit.options.seed) == (7, 0)
    fit.set(optimizer="adam", learning_rate=0.02)
    assert fit.options.sparsity == Sparsity(1e-2, entropy=0.5)
    fit.resume()
    report = fit.wait(20)
    assert (report.optimizer, report.n_steps, fit.total) == ("adam", 7, 7)
    assert len(report.history["sparsity"]) == 5  # of the steps after the change
    assert report.kept_step > 2
    assert "steps=7" in model.script()
    assert "# options were changed while it ran, so a replay is alike" in model.script()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1}, "option must be one of"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0"),
        ({"optimizer": "none"}, "optimizer must be one of"),
        ({"steps": 0}, "steps must be"),
    ],
)
def test_a_change_of_options_that_makes_no_sense_changes_nothing(
    options: dict[str, Any], message: str, unchecked: None
) -> None:
    model, plain = make_model(), make_model()
    start(plain, steps=4).wait(20)
    fit = start(model, pause_at=2, steps=4)
    before = fit.options
    with pytest.raises(ValueError, match=message):
        fit.set(**options)
    assert fit.options is before
    fit.resume()
    fit.wait(20)
    assert bytes_of(model) == bytes_of(plain)


def test_step_watchers_see_each_step_and_errors_of_theirs_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model()
    fit = start(model, pause_at=1, steps=4)
    seen: list[Progress] = []

    def fail(_: Progress) -> None:
        raise ZeroDivisionError

    def look(progress: Progress) -> None:
        assert model.session.live_network() is progress.network
        assert threading.current_thread().name == "kanviz-fit"
        model.snapshot()
        seen.append(progress)

    fit.on_step(fail)
    leave = fit.on_step(look)
    fit.step()
    wait_until(lambda: len(seen) == 1)
    leave()
    fit.resume()
    with caplog.at_level(logging.ERROR):
        assert fit.wait(20).n_steps == 4
    assert [progress.step for progress in seen] == [2]
    assert "A watcher of a fit failed at: Progress(step=2, " in caplog.text
    assert fit.progress is not None
    assert fit.progress.step == 4
    assert model.session.live_network() is model.network


def test_a_fit_in_a_cell_is_paused_and_stopped_from_elsewhere() -> None:
    model = make_model()
    seen: list[str] = []

    def steer() -> None:
        wait_until(lambda: model.running_fit is not None)
        fit = model.running_fit
        assert fit is not None
        fit.pause()
        with fit.gate.held():
            seen.append(fit.state)
        fit.resume()
        wait_until(lambda: fit.report.n_steps > 2)
        fit.stop()

    thread = threading.Thread(target=steer)
    thread.start()
    report = model.fit(make_data(), optimizer="adam", steps=100_000, progress=False)
    thread.join()
    assert (seen, report.stopped, model.running_fit) == (["paused"], "stopped", None)
    assert 2 < report.n_steps < 100_000


def test_ctrl_c_ends_a_paused_fit_in_a_cell_with_the_best_so_far() -> None:
    model = make_model()

    def pause(progress: Progress) -> None:
        if progress.step == 3:
            assert model.running_fit is not None
            model.running_fit.pause()
            threading.Thread(target=interrupt).start()

    def interrupt() -> None:
        fit = model.running_fit
        assert fit is not None
        with fit.gate.held():  # it rests, so it is paused
            pass
        _thread.interrupt_main()

    # A shell that starts the tests in its background has the signal ignored.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        report = model.fit(make_data(), steps=10, starts=1, callbacks=[pause], progress=False)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert (report.stopped, report.n_steps) == ("interrupted", 3)
    assert len(model.steps) == 1
    model.remove_edge((0, 0, 0))


def test_a_fit_ends_with_its_model_and_leaves_nothing_behind() -> None:
    before = threading.active_count()
    model = make_model()
    fit = model.fit(make_data(), optimizer="adam", steps=10**6, progress=False, background=True)
    trace = weakref.ref(model)
    wait_until(lambda: fit.report.n_steps > 0)
    fit.pause()
    del model
    gc.collect()
    assert trace() is None
    assert fit.wait(20).stopped == "stopped"
    wait_until(lambda: threading.active_count() == before)


def test_a_fit_that_is_over_is_in_no_circle_of_references() -> None:
    fits = [start(make_model(), steps=2)]
    fits[0].wait(20)
    gone: weakref.ref[FitHandle] = weakref.ref(fits[0])
    gc.collect()
    gc.disable()
    try:
        fits.clear()
        assert gone() is None
    finally:
        gc.enable()


def test_a_copy_made_while_a_fit_runs_has_no_fit() -> None:
    model = make_model()
    fit = start(model, pause_at=2)
    twin = model.copy()
    assert twin.running_fit is None
    twin.remove_edge((0, 0, 0))
    assert (twin.steps, model.steps) == (["removed edge (0, 0, 0)"], [])
    fit.stop()
    fit.wait(20)
    assert torch.equal(model.network.layers[0].mask, make_model().network.layers[0].mask)


def test_python_may_end_while_a_fit_runs_beside_it() -> None:
    script = (
        "import time, torch, kanviz as kv\n"
        "x = torch.rand(500, 2)\n"
        "model = kv.KAN([2, 3, 1])\n"
        "fit = model.fit((x, x[:, :1]), steps=10**6, optimizer='adam', background=True,"
        " progress=False)\n"
        "while fit.progress is None:\n"
        "    time.sleep(0.01)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
