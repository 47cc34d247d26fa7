"""The benchmark runs and shows what it should; how fast anything is, is never asserted."""

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import growth
from benchmarks.cells import CELLS, Cell
from benchmarks.command import Plan, measure, write
from benchmarks.entrants import OURS, Entrant
from benchmarks.fits import Goal, measure_fits
from benchmarks.peers import PEERS
from benchmarks.plots import growth_figure
from benchmarks.records import MISSING, OK, Quartiles, Report
from benchmarks.tables import document
from benchmarks.timing import Step, alternate, quartiles
from torch import nn

SMALL = Cell((2, 5, 1), 5, 10)


def _fail(cell: Cell) -> nn.Module:
    raise RuntimeError(f"cannot build {cell}\nsecond line")


ABSENT = Entrant("absent", "rbf", _fail, "no_such_package_here")
BROKEN = Entrant("broken", "spline", _fail, "torch")


@pytest.fixture(scope="module")
def report() -> Report:
    plan = Plan(
        cells=(SMALL, Cell((3, 2), 4, 20)),
        entrants=(*OURS, ABSENT, BROKEN),
        parts=("cells",),
        repeats=2,
    )
    return measure(plan, command="the command")


def test_files_hold_every_model_of_every_cell(report: Report, tmp_path: Path) -> None:
    paths = write(report, tmp_path)
    assert [path.name for path in paths] == ["results.json", "results.md", "results.png"]
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    cells = json.loads(paths[0].read_text())["cells"]
    assert [len(cell["outcomes"]) for cell in cells] == [6, 6]
    for name in ("kanviz k=3", "kanviz k=1", "kanviz RBF", "MLP"):
        found = next(o for o in cells[0]["outcomes"] if o["model"] == name)
        assert found["status"] == OK
        assert found["timing"]["repeats"] == 2
        assert found["ratio"] > 0
    assert str(SMALL) in paths[1].read_text()


def test_a_missing_peer_is_shown_as_missing_and_a_failing_one_with_its_error(
    report: Report,
) -> None:
    status = {outcome.model: outcome.status for outcome in report.cells[0].outcomes}
    assert status["absent"] == MISSING
    assert status["broken"] == f"RuntimeError: cannot build {SMALL}"
    text = document(report)
    assert "| missing | error |" in text
    assert "| absent | missing |" in text
    assert "| broken | RuntimeError: cannot build" in text


def test_the_mlp_is_the_measure_and_has_ten_times_the_hidden_width(report: Report) -> None:
    mlp = next(outcome for outcome in report.cells[0].outcomes if outcome.model == "MLP")
    assert mlp.ratio == 1
    assert mlp.parameters == 2 * 50 + 50 + 50 + 1
    assert CELLS[2].mlp_widths == (4, 80, 80, 80, 1)


def test_steps_take_turns_and_slow_ones_stop_early() -> None:
    steps = {entrant.name: Step.of(entrant.make(SMALL), SMALL) for entrant in OURS[:2]}
    assert {t.repeats for t in alternate(steps, 5, most_seconds=60).values()} == {5}
    assert {t.repeats for t in alternate(steps, 5, most_seconds=0).values()} == {3}


def test_a_model_is_the_same_each_time() -> None:
    first, second = (Step.of(OURS[0].make(SMALL), SMALL) for _ in range(2))
    assert first.model(first.x).equal(second.model(second.x))


def test_quartiles_and_slopes() -> None:
    assert quartiles([4.0, 1.0, 2.0, 3.0, 5.0]) == Quartiles(2, 3, 4)
    assert quartiles([7.0]) == Quartiles(7, 7, 7)
    values = [2, 5, 11]
    assert np.isclose(growth.slope(values, [3 * value**1.5 for value in values]), 1.5)


def test_growth_has_slopes_and_a_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "peaks", lambda tasks: [10 * cell.batch for _, cell in tasks])
    sweep = growth.Sweep(
        "batch of [2, 5, 1]",
        lambda batch: Cell((2, 5, 1), 5, batch),
        (10, 20, 40, 80),
        slope_from=20,
    )
    results = growth.measure_growth([sweep], OURS[1:3], repeats=2, most_seconds=1)
    assert [(r.model, len(r.seconds)) for r in results] == [("kanviz k=3", 4), ("kanviz k=1", 4)]
    assert all(np.isfinite([r.slope, r.tail_slope]).all() for r in results)
    assert np.allclose([r.memory_slope for r in results if r.memory_slope], [1, 1])
    assert len(growth_figure(results).axes) == 2


def test_a_fit_ends_where_its_target_is_reached() -> None:
    found = measure_fits([Goal("toy_exp_sin", 200, 0.5)], [0], [], most_seconds=30)
    assert [(run.contender, run.status, run.is_reached) for run in found] == [("kanviz", OK, True)]
    assert found[0].rmse is not None
    assert found[0].rmse <= 0.5


def test_every_peer_has_a_name_and_family_of_its_own() -> None:
    every = OURS + PEERS
    assert len({entrant.name for entrant in every}) == len(every)
    assert {entrant.family for entrant in every} == {"mlp", "spline", "linear", "rbf"}
