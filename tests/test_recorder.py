import weakref
from typing import Any

import pytest
import torch
from fit_helpers import make_data
from model_helpers import bytes_of

from kanviz.course.recorder import Recorder
from kanviz.model import KAN
from kanviz.nn import Network
from kanviz.training.report import FitReport, Progress


def make_model() -> KAN:
    return KAN([2, 1, 1], dtype=torch.float64)


def fit(model: KAN, recorder: Recorder, **options: Any) -> FitReport:
    settings: dict[str, Any] = {"grids": [3, 5, 10], "steps": 4, "starts": 1, "progress": False}
    report: FitReport = model.fit(make_data(), callbacks=[recorder], **settings | options)
    return report


def last_steps(report: FitReport) -> list[int]:
    """Return the last step of each grid level."""
    grids = report.history["grid_size"]
    return [n for n in range(1, len(grids) + 1) if n == len(grids) or grids[n - 1] != grids[n]]


def step(recorder: Recorder, network: Network, number: int, grid_size: int = 5) -> None:
    """Tell of a step as a fit does."""
    nothing: Any = None
    recorder(Progress(number, 1.0, None, grid_size, 0.0, network, lambda: nothing))


def test_what_is_left_is_target_less_network() -> None:
    data, recorder, model = make_data(), Recorder(make_data()), make_model()
    report = fit(model, recorder)
    rows = recorder.left[max(recorder.left)]
    assert rows.shape == (min(len(data.x), 300), 2)
    assert rows[:, 0].tolist() == data.x[:300, 0].tolist()
    missing = data.y[:300, 0] - model.network(data.x[:300])[:, 0]
    assert rows[:, 1] == pytest.approx(missing.detach().numpy(), abs=1e-12)
    assert list(recorder.left) == last_steps(report)


def test_the_last_step_of_every_grid_level_is_kept() -> None:
    recorder = Recorder(make_data())
    report = fit(make_model(), recorder)
    snapshots = recorder.snapshots
    assert list(snapshots) == last_steps(report)
    assert len(snapshots) == 3
    assert [len(each.edges[0].knots) for each in snapshots.values()] == [4, 6, 11]


def test_every_so_many_steps_are_kept_as_well() -> None:
    recorder = Recorder(make_data(), every=3)
    report = fit(make_model(), recorder)
    due = {n for n in range(1, report.n_steps + 1) if (n - 1) % 3 == 0}
    assert list(recorder.snapshots) == sorted(due | set(last_steps(report)))


def test_a_snapshot_is_that_of_the_model_at_this_step() -> None:
    recorder, model = Recorder(make_data()), make_model()
    report = fit(model, recorder, grids=None)
    assert report.kept_step == report.n_steps
    assert recorder.snapshots[report.kept_step] == model.snapshot()


def test_a_fit_is_the_same_with_a_recorder_as_without() -> None:
    plain, recorded = make_model(), make_model()
    plain.fit(make_data(), grids=[3, 5], steps=4, starts=1, progress=False)
    fit(recorded, Recorder(make_data(), every=1), grids=[3, 5])
    assert bytes_of(plain) == bytes_of(recorded)


def test_a_second_fit_clears_the_first() -> None:
    recorder, model = Recorder(make_data(), every=1), make_model()
    fit(model, recorder)
    report = fit(model, recorder, grids=None, steps=2)
    assert list(recorder.snapshots) == list(range(1, report.n_steps + 1))


def test_it_keeps_numbers_and_no_network() -> None:
    recorder, network = Recorder(make_data()), Network([2, 1, 1], dtype=torch.float64)
    step(recorder, network, 1)
    before = recorder.snapshots[1]
    with torch.no_grad():
        network.layers[0].weight.zero_()
    assert recorder.snapshots[1] == before
    gone = weakref.ref(network)
    del network
    assert gone() is None


def test_every_must_be_a_positive_integer() -> None:
    with pytest.raises(ValueError, match="every must be an integer of at least 1; got 0"):
        Recorder(make_data(), every=0)
