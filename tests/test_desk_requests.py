import json
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from desk_helpers import ask, classes, fields_of, make_desk, refusal
from hypothesis import strategies as st
from model_helpers import bytes_of, fit_briefly, make_data, make_model
from type_checks import type_checks_off

from kanviz.live import contract as c
from kanviz.live.desk import HANDLERS
from kanviz.model import KAN

MOVE = {"type": "move_point", "edge": [0, 0, 0], "m": 2, "height": 0.5, "drag": 1}
POINTS: dict[str, Any] = {"x": [0.0], "y": [0.0], "drag": 2}
CURVE = {"type": "set_curve", "edge": [0, 0, 0], **POINTS, "how": "drew"}

EDIT_REQUESTS: list[tuple[dict[str, Any], str]] = [
    (MOVE, "moved point 2 of edge (0, 0, 0)"),
    (
        {**CURVE, "edge": [0, 0, 1], "x": [0.0, 0.1], "y": [1.0, 2.0]},
        "drew edge (0, 0, 1) through 2 points",
    ),
    (
        {**CURVE, "edge": [0, 0, 1], "x": [0.0, 0.1], "y": [1.0, 2.0], "how": "flattened"},
        "flattened edge (0, 0, 1)",
    ),
    ({"type": "fix", "edge": [0, 1, 0], "formula": "sin", "numbers": None}, "to sin"),
    (
        {"type": "fix", "edge": [0, 1, 0], "formula": "2*x+1", "numbers": [1, 0, 1, 0]},
        "fixed edge (0, 1, 0) to 2*x+1",
    ),
    ({"type": "remove_edge", "edge": [0, 0, 0]}, "removed edge (0, 0, 0)"),
    ({"type": "freeze", "edge": [0, 0, 0]}, "froze"),
    ({"type": "remove_node", "layer": 1, "index": 2}, "removed node"),
    ({"type": "lock", "edges": [[0, 0, 0], [0, 1, 0]]}, "locked"),
    ({"type": "refine", "grid_size": 10}, "refined the grid to 10 intervals"),
    ({"type": "update_grid"}, "moved the grid"),
    ({"type": "prune", "edges": [[0, 0, 0]]}, "pruned 1 edge"),
]


@pytest.mark.parametrize(("request_", "sentence"), EDIT_REQUESTS)
def test_each_edit_is_one_step_that_undo_takes_back(
    request_: dict[str, Any], sentence: str
) -> None:
    desk, told = make_desk()
    before = bytes_of(desk.model)
    fields = {key: value for key, value in request_.items() if key != "type"}
    version = ask(desk, request_["type"], **fields)["version"]
    assert len(desk.model.steps) == 1
    assert sentence in desk.model.steps[0]
    assert told.count("picture") >= 1
    assert desk.scene()["version"] >= version
    ask(desk, "undo")
    assert bytes_of(desk.model) == before
    ask(desk, "redo")
    assert len(desk.model.steps) == 1


@pytest.mark.parametrize(
    ("there", "back"), [("fix", "unfix"), ("remove_edge", "restore_edge"), ("freeze", "unfreeze")]
)
def test_what_was_done_to_an_edge_can_be_taken_back_by_name(there: str, back: str) -> None:
    desk, _ = make_desk()
    before = bytes_of(desk.model)
    ask(desk, there, edge=[0, 0, 0], formula="sin", numbers=None)
    assert bytes_of(desk.model) != before
    ask(desk, back, edge=[0, 0, 0])
    assert bytes_of(desk.model) == before


def test_nodes_and_locks_can_be_taken_back_by_name() -> None:
    desk, _ = make_desk()
    ask(desk, "remove_node", layer=1, index=0)
    ask(desk, "restore_node", layer=1, index=0)
    assert all(bool(layer.mask.all()) for layer in desk.model.network.layers)
    ask(desk, "lock", edges=[[0, 0, 0], [0, 0, 1]])
    ask(desk, "unlock", edges=[[0, 0, 0], [0, 0, 1]])
    assert not desk.model.network.layers[0].locked.any()


def test_every_request_of_the_contract_is_answered() -> None:
    assert HANDLERS.keys() == set(c.REQUESTS.values())


def test_the_front_end_has_the_types_that_python_gives() -> None:
    assert c.TYPESCRIPT.read_text() == c.typescript(), "run: python -m kanviz.live.contract"
    assert c.main(["--check"]) == 0


def test_types_out_of_date_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(c, "TYPESCRIPT", tmp_path / "contract.ts")
    (tmp_path / "contract.ts").write_text("// older\n")
    assert c.main(["--check"]) == 1
    assert "Run: python -m kanviz.live.contract" in capsys.readouterr().err
    assert c.main([]) == 0
    assert c.main(["--check"]) == 0


def test_one_drag_is_one_step_and_another_drag_another() -> None:
    desk, _ = make_desk()
    for height in (0.1, 0.2, 0.3):
        ask(desk, "move_point", edge=[0, 0, 0], m=2, height=height, drag=1)
    assert len(desk.model.steps) == 1
    ask(desk, "move_point", edge=[0, 0, 0], m=2, height=0.4, drag=2)
    assert len(desk.model.steps) == 2
    assert desk.model.network.layers[0].weight[0, 2, 0].item() == 0.4
    ask(desk, "undo")
    assert desk.model.network.layers[0].weight[0, 2, 0].item() == 0.3


def test_two_pictures_of_one_model_do_not_join_their_drags() -> None:
    desk, _ = make_desk()
    other, _ = make_desk(desk.model)
    for one in (desk, other):
        ask(one, "move_point", edge=[0, 0, 0], m=2, height=0.5, drag=1)
    assert len(desk.model.steps) == 2


def test_a_jump_goes_through_the_history_both_ways() -> None:
    desk, _ = make_desk()
    states = [bytes_of(desk.model)]
    for j in range(3):
        ask(desk, "remove_edge", edge=[0, 0, j])
        states.append(bytes_of(desk.model))
    for position in (0, 3, 1, 2):
        ask(desk, "jump", position=position)
        assert bytes_of(desk.model) == states[position]
    assert desk.scene()["history"]["undone"] == ["removed edge (0, 0, 2)"]
    assert "position must be from 0 to 3" in refusal(desk, {"type": "jump", "position": 4})


HOSTILE: list[tuple[object, str]] = [
    (None, "request must be a record"),
    ([], "request must be a record"),
    ({}, "request must have the field 'type'"),
    ({"type": 5}, "type must be text"),
    ({"type": "explode"}, "type must be a known request; got 'explode'"),
    ({"type": "__init__"}, "type must be a known request"),
    ({"type": "x" * 10_000}, "type must be text of at most 1000 characters"),
    ({**MOVE, "edge": [0, 0]}, "edge must be three whole numbers"),
    ({**MOVE, "edge": "000"}, "edge must be three whole numbers"),
    ({**MOVE, "edge": [0, 0, 0.5]}, "edge must be three whole numbers"),
    ({**MOVE, "edge": [True, 0, 0]}, "edge must be three whole numbers"),
    ({**MOVE, "edge": [9, 0, 0]}, "layer must be from 0 to 1"),
    ({**MOVE, "edge": [0, -1, 0]}, "i must be from 0 to 1"),
    ({**MOVE, "m": 99}, "m must be from 0 to 7"),
    ({**MOVE, "m": 10**40}, "m must be a whole number from 0"),
    ({**MOVE, "height": float("nan")}, "height must be finite"),
    ({**MOVE, "height": float("inf")}, "height must be finite"),
    ({**MOVE, "height": 1e300}, "height must be finite and at most 1e"),
    ({**MOVE, "height": 10**400}, "height must be finite and at most 1e"),
    ({**MOVE, "height": "1"}, "height must be finite"),
    ({"type": "move_point", "edge": [0, 0, 0]}, "request must have the field 'm'"),
    (
        {
            "type": "set_curve",
            "edge": [0, 0, 0],
            "x": [0.0] * 20_000,
            "y": [],
            "drag": 1,
            "how": "drew",
        },
        "x must be a list of at most 10000 numbers",
    ),
    (
        {"type": "set_curve", "edge": [0, 0, 0], "x": [0.0], "y": [], "drag": 1, "how": "drew"},
        "x and y must be",
    ),
    (
        {"type": "set_curve", "edge": [0, 0, 0], "x": [0.0], "y": [0.0], "drag": 1, "how": "bent"},
        "how must be one of drew, smoothed",
    ),
    (
        {"type": "set_curve", "edge": [0, 0, 0], "x": {}, "y": [], "drag": 1, "how": "drew"},
        "x must be a list",
    ),
    ({"type": "fix", "edge": [0, 0, 0], "formula": "__import__('os')", "numbers": None}, "formula"),
    ({"type": "fix", "edge": [0, 0, 0], "formula": "<img onerror=1>", "numbers": None}, "formula"),
    ({"type": "fix", "edge": [0, 0, 0], "formula": "sin", "numbers": [1.0]}, "numbers must be the"),
    ({"type": "refine", "grid_size": 0}, "grid_size must be a whole number from 1 to 1000"),
    ({"type": "refine", "grid_size": 10**9}, "grid_size must be a whole number from 1 to 1000"),
    ({"type": "lock", "edges": [[0, 0, 0]]}, "edges must"),
    ({"type": "prune", "edges": [[0, 0, j] for j in range(3)] * 2 + [5]}, "edge must be three"),
    ({"type": "undo"}, "Nothing to undo."),
    ({"type": "pause"}, "No fit is running."),
    ({"type": "train", "options": 3}, "options must be a record"),
    ({"type": "train", "options": {"optimizer": "magic"}}, "optimizer must be one of"),
    ({"type": "train", "options": {"steps": 0}}, "steps must be a whole number from 1"),
    ({"type": "train", "options": {"sparsity": -1}}, "weight must be at least 0"),
    ({"type": "probe", "x": [1.0]}, "x must have 2 numbers, one per input; got 1"),
    ({"type": "suggest", "edge": [0, 0, 0]}, "Edge (0, 0, 0) is not drawn."),
    ({"type": "show", "max_edges": 1}, "max_edges must be a whole number from 2"),
]


@pytest.mark.parametrize(("message", "why"), HOSTILE)
def test_a_request_that_makes_no_sense_is_refused_in_one_sentence(
    message: object, why: str, unchecked: None
) -> None:
    desk, _ = make_desk()
    before = bytes_of(desk.model)
    error = refusal(desk, message)
    assert why in error
    assert "\n" not in error
    assert len(error) < 2000
    assert bytes_of(desk.model) == before
    assert desk.model.steps == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
SLOW = {"train", "symbolify", "prune_in_context", "page", "formula"}


@hypothesis.given(
    st.sampled_from(sorted(c.REQUESTS.keys() - SLOW)),
    st.dictionaries(
        st.sampled_from(["edge", "edges", "m", "height", "x", "y", "drag", "numbers", "position"]),
        ANYTHING,
    ),
)
@hypothesis.settings(max_examples=150)
def test_no_request_breaks_the_desk(kind: str, fields: dict[str, Any]) -> None:
    with type_checks_off():
        reply = DESK.answer({**fields, "type": kind, "seq": 3})
    assert reply["seq"] == 3
    assert reply["ok"] or isinstance(reply["error"], str)
    json.dumps(reply, allow_nan=False)


DESK, _ = make_desk()


def test_a_fault_of_our_own_is_answered_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk, _ = make_desk()
    monkeypatch.setattr(desk.model, "script", lambda: ["b"].index("a"), raising=False)
    monkeypatch.setattr(desk.model, "undo", lambda: None.b, raising=False)  # type: ignore[attr-defined]
    assert "is not in list" in refusal(desk, {"type": "script"})
    assert "This went wrong in Python: AttributeError" in refusal(desk, {"type": "undo"})
    assert "A request of the live diagram failed" in caplog.text


def test_suggestions_come_with_their_curves() -> None:
    desk, _ = make_desk()
    x = np.linspace(-1, 1, 50)
    desk.model.set_curve((0, 0, 0), x.tolist(), np.sin(2 * x).tolist())
    scene = desk.scene()
    rows = ask(desk, "suggest", edge=[0, 0, 0])
    assert rows[0].keys() == fields_of(c.Suggestion)
    best = next(row for row in rows if row["name"] == "sin")
    curve = np.array(scene["edges"][0]["curve_y"])
    assert np.abs(np.array(best["curve_y"]) - curve).max() < 0.05
    a, b, factor, d = best["numbers"]
    wanted = factor * np.sin(a * scene["edges"][0]["curve_x"] + b) + d
    assert best["curve_y"] == pytest.approx(wanted)


def test_a_preview_shows_the_errors_of_what_it_would_be_and_changes_nothing() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    desk.scene()
    before = bytes_of(desk.model), desk.model.steps
    found = ask(desk, "preview", edge=[0, 0, 1], formula="sin", numbers=[2.0, 0.0, 1.0, 0.5])
    assert (bytes_of(desk.model), desk.model.steps) == before
    assert found.keys() == fields_of(c.Preview)
    desk.model.fix((0, 0, 1), "sin", affine=(2.0, 0.0, 1.0, 0.5))
    scene = desk.scene()
    assert found["train"] == pytest.approx(scene["error"]["train"])
    assert found["test"] == pytest.approx(scene["error"]["test"])
    edge = next(e for e in scene["edges"] if (e["layer"], e["i"], e["j"]) == (0, 0, 1))
    assert found["curve_y"] == pytest.approx(edge["curve_y"])


def test_a_plan_says_what_pruning_would_cost() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    before = bytes_of(desk.model)
    steps = ask(desk, "plan")["steps"]
    assert bytes_of(desk.model) == before
    gone = [edge for step in steps[:2] for edge in step["edges"]]
    ask(desk, "prune", edges=gone)
    error = desk.scene()["error"]
    assert steps[1]["train"] == pytest.approx(error["train"], rel=1e-6)
    assert steps[1]["test"] == pytest.approx(error["test"], rel=1e-6)


def test_a_probe_adds_up_at_every_node() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    desk.model.remove_edge((0, 0, 0))
    found = ask(desk, "probe", x=[0.3, -0.2])
    assert found["nodes"][0] == [0.3, -0.2]
    mean = float(desk.session.about.y_scaling.shift[0])
    for depth, (inputs, outputs, start) in enumerate([(2, 3, 0.0), (3, 1, mean)]):
        table = np.array(found["edges"][depth]).reshape(inputs, outputs)
        assert table.sum(0) + start == pytest.approx(found["nodes"][depth + 1])
    assert found["nodes"][-1] == pytest.approx(desk.model.predict([[0.3, -0.2]])[0].tolist())


def test_a_diagnosis_tells_every_row_and_adds_up() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    before = bytes_of(desk.model)
    data = make_data()
    assert data.x_test is not None
    found = ask(desk, "diagnosis", output=0)
    assert found.keys() == fields_of(c.Diagnosis)
    assert found["test"] == [False] * len(data.x) + [True] * len(data.x_test)
    x = np.array(found["x"]).reshape(-1, 2)
    assert found["predicted"] == pytest.approx(desk.model.predict(x)[:, 0].tolist())
    off = np.array(found["measured"]) - found["predicted"]
    errors = desk.scene()["error"]
    assert np.sqrt((off[: len(data.x)] ** 2).mean()) == pytest.approx(errors["train"])
    assert np.sqrt((off[len(data.x) :] ** 2).mean()) == pytest.approx(errors["test"])
    one = ask(desk, "contributions", x=[0.3, -0.2], output=0)
    assert one.keys() == fields_of(c.Contributions)
    assert one["base"] + sum(one["parts"]) == pytest.approx(one["value"])
    assert one["value"] == pytest.approx(desk.model.predict([[0.3, -0.2]])[0, 0])
    own = desk.model.contributions([[0.3, -0.2]])[0, :, 0]
    assert one["parts"] == pytest.approx(own.tolist())
    assert bytes_of(desk.model) == before
    assert "output must be below 1" in refusal(desk, {"type": "diagnosis", "output": 1})
    wrong = {"type": "contributions", "x": [1.0], "output": 0}
    assert "A row must have 2 numbers" in refusal(desk, wrong)


def test_a_diagnosis_of_classes_tells_how_sure_it_is() -> None:
    desk, _ = make_desk(KAN([2, 2]), classes())
    desk.model.fit(classes(), steps=3, progress=False)
    found = ask(desk, "diagnosis", output=0)
    x = np.array(found["x"]).reshape(-1, 2)
    shares = desk.model.predict_proba(x)
    is_right = np.arange(len(x)), np.array(found["measured"], dtype=int)
    assert found["predicted"] == pytest.approx(shares[is_right].tolist())
    assert found["guess"] == shares.argmax(1).tolist()


def test_the_formula_comes_in_all_forms() -> None:
    desk, _ = make_desk(make_model())
    for layer, i, j in [(0, 0, 0), (1, 0, 0)]:
        desk.model.fix((layer, i, j), "x")
    found = ask(desk, "formula")
    assert found.keys() == fields_of(c.FormulaText)
    assert "phi_0_1_0" in found["text"]
    assert found["mathml"].startswith("<math>")
    assert found["python"].startswith("# ")
    assert "model.fix((1, 0, 0), 'x'" in ask(desk, "script")


def test_numbers_that_are_not_finite_become_nothing_in_a_reply() -> None:
    desk, _ = make_desk()
    with torch.no_grad():
        desk.model.network.layers[1].weight.mul_(float("inf"))
    assert None in ask(desk, "probe", x=[0.1, 0.1])["nodes"][-1]
