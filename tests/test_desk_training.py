import math
import threading
from typing import Any

import numpy as np
import pytest
import torch
from desk_helpers import ask, classes, fields_of, make_desk, refusal
from model_helpers import fit_briefly, make_data, make_model

from kanviz.analysis.capture import capture
from kanviz.live import contract as c
from kanviz.live.desk import Desk
from kanviz.live.scene import MOST_POINTS, LossLog
from kanviz.model import KAN
from kanviz.model.user_units import in_user_units
from kanviz.training.errors import Errors
from kanviz.training.report import FitReport
from kanviz.training.sparsity import Sparsity

pytestmark = pytest.mark.long

OPTIONS = {"optimizer": "lm", "steps": 6, "sparsity": 0, "entropy": 2, "learning_rate": None}


def wait(model: KAN) -> None:
    training = model.running_fit
    if training is not None:
        training.wait(60)


def make_report(losses: list[float]) -> FitReport:
    return FitReport("lm", history={"loss": losses})


def test_a_fit_from_the_browser_is_one_step_with_its_losses_and_a_mark() -> None:
    desk, told = make_desk()
    ask(desk, "train", options=OPTIONS)
    wait(desk.model)
    scene = desk.scene()
    assert len(scene["history"]["done"]) == 1
    losses = scene["losses"]
    assert losses["step"].tolist() == list(range(1, len(losses["step"]) + 1))
    assert len(losses["step"]) == told.count("step")
    (mark,) = losses["marks"]
    assert (mark["kind"], mark["position"], mark["step"]) == ("fit", 1, len(losses["step"]))
    assert "status" in told
    assert desk.status()["state"] == "idle"


def test_a_frame_shows_the_fit_as_it_is_at_that_step() -> None:
    desk, told = make_desk()
    version = desk.scene()["version"]
    frames: list[dict[str, Any]] = []
    wanted = []

    def on_step() -> None:
        frame = desk.frame()
        assert frame is not None
        frames.append(frame)
        training = desk.model.running_fit
        assert training is not None
        assert training.progress is not None
        sample = make_data().x
        network, about = training.progress.network, training.about
        wanted.append(in_user_units(capture(network, sample), network, about))
        assert "step" in desk.status()["text"]
        assert desk.status()["state"] == "fitting"

    told.on_step = on_step
    fit_briefly(desk.model)
    assert len(frames) >= 3
    assert frames[0].keys() == fields_of(c.Frame)
    for frame, snapshot in zip(frames, wanted, strict=True):
        assert frame["version"] == version
        for n, view in enumerate(snapshot.edges):
            assert frame["curve_y"][n] == pytest.approx(view.curve_y, abs=1e-5)
            assert frame["strength"][n] == pytest.approx(view.strength, abs=1e-5)
    assert len(frames[-1]["step"]) > len(frames[0]["step"])
    assert not np.isnan(frames[-1]["test"][-1])


def test_a_fit_can_be_paused_edited_steered_and_stopped() -> None:
    desk, told = make_desk()
    began = threading.Event()
    told.on_step = began.set
    ask(desk, "train", options={**OPTIONS, "optimizer": "adam", "steps": 100_000})
    assert began.wait(60)
    ask(desk, "pause")
    assert desk.status()["state"] == "paused"
    ask(desk, "remove_edge", edge=[0, 0, 0])
    ask(desk, "set_training", options={"sparsity": 0.01})
    training = desk.model.running_fit
    assert training is not None
    sparsity: object = training.options.sparsity
    assert sparsity == 0.01
    ask(desk, "set_training", options={"entropy": 1})
    assert training.options.sparsity == Sparsity(0.01, entropy=1)
    began.clear()
    ask(desk, "step")
    assert began.wait(60)
    ask(desk, "resume")
    ask(desk, "stop")
    wait(desk.model)
    assert any("removed edge (0, 0, 0)" in line for line in desk.model.steps)
    assert not bool(desk.model.network.layers[0].mask[0, 0])
    kinds = [mark["kind"] for mark in desk.scene()["losses"]["marks"]]
    assert kinds[0] == "edit"
    assert kinds[-1] == "fit"


def test_a_fit_can_begin_with_one_step_and_go_slowly() -> None:
    desk, told = make_desk()
    began = threading.Event()
    told.on_step = began.set
    options = {**OPTIONS, "optimizer": "adam", "steps": 100_000, "pace": 0.1, "hold": True}
    ask(desk, "train", options=options)
    assert began.wait(60)
    fit = desk.model.running_fit
    assert fit is not None
    with desk.session.reading():  # it rests
        assert (fit.state, fit.report.n_steps) == ("paused", 1)
    began.clear()
    ask(desk, "resume")
    assert began.wait(60)
    with desk.session.reading():  # the next step is due in ten seconds
        assert fit.report.n_steps == 2
    with pytest.raises(ValueError, match=r"pace must be from 0\.1 to 1000 steps a second"):
        set_pace(desk, 1e9)
    began.clear()
    ask(desk, "set_training", options={"pace": None})
    ask(desk, "step")
    assert began.wait(60)
    ask(desk, "stop")
    wait(desk.model)
    with pytest.raises(ValueError, match="steps_per_second must be a number above 0; got 0"):
        fit.slow_down(0)


def set_pace(desk: Desk, pace: float) -> None:
    reply = desk.answer({"seq": 1, "type": "set_training", "options": {"pace": pace}})
    if not reply["ok"]:
        raise ValueError(reply["error"])


def test_a_search_that_is_cancelled_leaves_the_network_as_it_was() -> None:
    desk, _ = make_desk()
    before = [bytes_of_weights(desk)]
    for kind in ("prune_in_context", "symbolify"):
        said: list[str] = []

        def tell(what: str, said: list[str] = said) -> None:
            said.append(desk.status()["text"])
            if len(said) == 2:  # it has begun to try
                desk.cancel()

        stop = desk._tell
        desk._tell = tell
        reply = desk.answer({"seq": 1, "type": kind})
        desk._tell = stop
        assert not reply["ok"]
        assert "broken off. The network is as it was" in reply["error"]
        assert "Breaking off ..." in said
        assert desk.status()["state"] == "idle"
        before.append(bytes_of_weights(desk))
    assert before[0] == before[1] == before[2]
    assert desk.model.steps == []
    desk.cancel()  # nothing runs
    assert desk.status()["text"] == ""


def bytes_of_weights(desk: Desk) -> list[float]:
    return [
        value for layer in desk.model.network.layers for value in layer.weight.flatten().tolist()
    ]


def test_a_fit_that_fails_says_so() -> None:
    desk, _ = make_desk()

    def fail(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        raise FloatingPointError("no finite step")

    with pytest.raises(FloatingPointError):
        desk.model.fit(make_data(), loss=fail, optimizer="adam", steps=2, progress=False)
    assert desk.status()["error"] == "no finite step"
    desk.model.remove_edge((0, 0, 0))
    assert desk.status()["error"] == ""


def test_training_needs_data() -> None:
    desk = Desk(make_model(), None)
    for kind in ("prune_in_context", "symbolify"):
        assert "This needs data: call model.explore(data)." in refusal(desk, {"type": kind})
    train = {"type": "train", "options": OPTIONS}
    assert "This needs data: call model.explore(data)." in refusal(desk, train)


def test_pruning_in_context_tells_what_it_tried() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    states: list[str] = []
    desk._tell = lambda what: states.append(desk.status()["state"]) if what == "status" else None
    found = ask(desk, "prune_in_context")
    assert found.keys() == {"version", "tried"}
    assert found["tried"][0].keys() == {"edges", "score", "before", "after", "removed"}
    assert states[0] == "searching"
    assert states[-1] == "idle"


def test_losses_of_classes_are_losses() -> None:
    desk, told = make_desk(KAN([2, 2]), classes())
    told.on_step = desk.frame
    desk.scene()
    desk.model.fit(classes(), optimizer="lbfgs", steps=3, progress=False)
    losses = desk.scene()["losses"]
    assert losses["name"] == "loss"
    assert losses["train"][-1] < 1


def test_losses_go_on_over_several_fits() -> None:
    log = LossLog()
    for position, losses in ((1, [4.0, 1.0]), (2, [0.25])):
        log.begin()
        log.follow(make_report(losses), Errors("RMSE", 10 * math.sqrt(losses[-1]), None))
        log.mark("trained with lm", position)
    record = log.record()
    log.count_from_here()
    assert record["step"].tolist() == [1, 2, 3]
    assert record["train"].tolist() == [20.0, 10.0, 5.0]
    assert np.isnan(record["test"]).all()
    assert log.news()["step"].size == 0
    log.follow(make_report([0.25, 0.01]), Errors("RMSE", 1.0, 7.0))
    news = log.news()
    assert [news["step"].tolist(), news["train"].tolist()] == [[4], [1.0]]
    assert news["test"].tolist() == [7.0]


def test_the_steps_of_a_fit_that_was_undone_go_with_its_mark() -> None:
    log = LossLog()
    for position, losses in ((1, [4.0, 1.0]), (2, [0.5, 0.25, 0.125])):
        log.begin()
        log.follow(make_report(losses), None)
        log.mark(f"trained with lm: {len(losses)} steps", position)
    log.begin()  # after the second was undone
    log.follow(make_report([0.75]), None)
    log.mark("trained with lm: 1 steps", 2)
    found = log.record()
    assert found["step"].tolist() == [1, 2, 6]
    assert [mark["position"] for mark in found["marks"]] == [1, 2]
    assert log.tail() is None, "what was shown is another, so a scene is due"


def test_marks_that_cannot_be_reached_any_more_go() -> None:
    log = LossLog()
    for position, sentence in enumerate(["refined the grid", "pruned 2 edges", "moved point 1"], 1):
        log.mark(sentence, position)
    log.mark("made 3 of 4 edges formulas", 2)
    assert [(m["kind"], m["position"]) for m in log.record()["marks"]] == [
        ("refine", 1),
        ("edit", 2),
    ]


def test_a_very_long_fit_keeps_its_shape_and_its_last_step() -> None:
    log = LossLog()
    log.begin()
    losses = [1.0 / n for n in range(1, 2 * MOST_POINTS)]
    log.follow(make_report(losses), Errors("RMSE", math.sqrt(losses[-1]), 1.0))
    record = log.record()
    log.count_from_here()
    assert len(record["step"]) <= MOST_POINTS
    assert record["step"][-1] == len(losses)
    assert record["test"][-1] == 1.0
