"""The diagram and the model in step, in JupyterLab with an idle kernel and beside a fit."""

from collections.abc import Callable
from statistics import median, quantiles

from effort import crowding

from browser.cells import COEFFICIENT, SHOW, START
from browser.notebook import Notebook

Open = Callable[..., Notebook]
Note = Callable[..., None]

MOST_IDLE, MOST_TRAINING = 250.0, 500.0
"""Milliseconds that a round trip may take, where others share the machine so many times as long as
it is crowded; CONTRIBUTING.md has those of a quiet one."""


def test_a_dragged_point_is_pythons_coefficient(notebook: Open, note: Note) -> None:
    at = notebook(START, SHOW)
    at.run(0)
    at.run(1)
    at.diagram.open(0, 0, 0)
    before = at.value(COEFFICIENT)
    at.diagram.drag(3, -30)
    at.until(COEFFICIENT, lambda c: c != before and abs(c - at.diagram.height(3)) < 1e-6)
    assert at.value("len(model.steps)") == 1
    times, draws = at.diagram.measure(3, 50)
    p90 = quantiles(times, n=10)[-1]
    note("drag, idle kernel", median_ms=median(times), p90_ms=p90, own_frame_ms=median(draws))
    assert median(times) <= MOST_IDLE * crowding()
    at.until(COEFFICIENT, lambda c: abs(c - at.diagram.height(3)) < 1e-6)
    assert at.console.errors == []


def test_a_point_is_dragged_while_a_fit_runs(notebook: Open, note: Note) -> None:
    at = notebook(START, SHOW)
    at.run(0)
    at.run(1)
    # What was never compiled on this machine is compiled now.
    at.python("_ = model.copy().fit(data, optimizer='adam', steps=3, progress=False)")
    at.diagram.start_training()
    at.diagram.open(0, 0, 0)
    times, draws = at.diagram.measure(3, 30)
    p90 = quantiles(times, n=10)[-1]
    rate = at.diagram.updates_per_second()
    crowd = crowding()
    note("drag beside a fit", median_ms=median(times), p90_ms=p90, own_frame_ms=median(draws))
    note("pictures of a fit", per_second=rate)
    at.diagram.tab("Train")
    at.diagram.button("Stop").click()
    at.until("model.running_fit is None", bool)
    assert p90 <= MOST_TRAINING * crowd
    assert rate >= 4 / crowd
    assert at.console.errors == []
