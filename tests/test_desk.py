import json
from typing import Any

import numpy as np
import pytest
import torch
from desk_helpers import ask, classes, edge_of, fields_of, make_desk
from model_helpers import bytes_of, fit_briefly, make_data, make_model, make_sample
from recipe_reader import predict
from type_checks import type_checks_off

from kanviz.analysis.recipe import recipe_of
from kanviz.data import from_arrays
from kanviz.live import contract as c
from kanviz.live.desk import Desk
from kanviz.live.packing import pack, unpack
from kanviz.model import KAN
from kanviz.recipe import FormulaRecipe, LayerRecipe, Recipe
from kanviz.snapshot import NodeView


def test_a_scene_has_the_fields_of_the_contract_and_can_be_packed() -> None:
    desk, _ = make_desk()
    desk.model.fix((0, 0, 0), "sin")
    scene = unpack(pack(desk.scene()))
    assert scene.keys() == fields_of(c.Scene)
    assert scene["edges"][0].keys() == fields_of(c.EdgeView)
    assert scene["nodes"][0].keys() == fields_of(NodeView)
    assert scene["recipe"].keys() == fields_of(Recipe)
    assert scene["recipe"]["layers"][0].keys() == fields_of(LayerRecipe)
    assert scene["recipe"]["layers"][0]["formulas"][0].keys() == fields_of(FormulaRecipe)
    assert scene["losses"].keys() == fields_of(c.Losses)
    assert {*desk.status(), "answered"} == fields_of(c.Status)


def test_a_scene_shows_the_snapshot_of_the_model() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    desk.model.fix((0, 1, 2), "sin")
    desk.model.remove_edge((0, 0, 1))
    desk.model.freeze((1, 0, 0))
    scene, wanted = desk.scene(), desk.snapshot()
    assert len(scene["edges"]) == len(wanted.edges)
    for found, view in zip(scene["edges"], wanted.edges, strict=True):
        assert (found["layer"], found["i"], found["j"]) == view.edge
        assert found["curve_y"].tolist() == list(view.curve_y)
        assert (found["state"], found["frozen"]) == (view.state, view.frozen)
    assert edge_of(scene, 0, 1, 2)["mathml"].startswith("<math>")
    assert edge_of(scene, 0, 0, 0)["mathml"] is None
    assert scene["history"]["done"] == desk.model.steps


def test_before_any_fit_names_units_and_ranges_are_those_of_the_data() -> None:
    x = np.random.default_rng(0).uniform(10, 30, (50, 2))
    options: dict[str, Any] = {"input_names": ["a", "b"], "dtype": torch.float64}
    data = from_arrays(x, x[:, :1], x_test=x[:5], y_test=x[:5, :1], **options).normalized()
    desk, _ = make_desk(data=data)
    scene = desk.scene()
    assert scene["input_names"] == ["a", "b"]
    assert scene["sample"].reshape(-1, 2) == pytest.approx(x)
    assert scene["target"] == pytest.approx(x[:, :1])
    low, high = x.min(0), x.max(0)
    curve = edge_of(scene, 0, 1, 0)["curve_x"]
    assert (curve[0], curve[-1]) == pytest.approx((float(low[1]), float(high[1])))


def test_errors_are_in_the_users_units() -> None:
    x = make_sample().numpy()
    y = 100 * x[:, :1]
    data = from_arrays(x, y, x_test=x[:50], y_test=y[:50], dtype=torch.float64)
    desk, _ = make_desk(data=data.normalized())
    fit_briefly(desk.model, data.normalized())
    left = desk.model.predict(x)[:, 0] - 100 * x[:, 0]
    error = desk.scene()["error"]
    assert error["name"] == "RMSE"
    assert error["train"] == pytest.approx(np.sqrt((left**2).mean()))
    assert error["test"] == pytest.approx(np.sqrt((left[:50] ** 2).mean()))
    assert error["r2_train"] == pytest.approx(desk.model.score(x, y))
    assert error["r2_test"] == pytest.approx(desk.model.score(x[:50], y[:50]))
    assert desk.scene()["rows"] == [len(x), 50]


def test_errors_of_classes_are_accuracies() -> None:
    data = classes()
    desk, _ = make_desk(KAN([2, 2], dtype=torch.float64), data)
    error, found = desk.scene()["error"], desk.model.evaluate(data)
    assert error == {
        "name": "accuracy",
        "train": found["train_accuracy"],
        "test": found["test_accuracy"],
        "r2_train": None,
        "r2_test": None,
    }
    assert desk.scene()["target"].tolist() == data.y.tolist()


def test_without_data_there_are_no_errors_and_no_targets() -> None:
    desk = Desk(make_model())
    scene = desk.scene()
    nothing = dict.fromkeys(("train", "test", "r2_train", "r2_test"))
    assert scene["error"] == {"name": "RMSE", **nothing}
    assert (scene["rows"], scene["formula"], scene["is_fresh"]) == ([0, 0], None, True)
    assert (scene["has_data"], scene["target"].size) == (False, 0)
    assert scene["sample"].size > 0


def test_the_recipe_of_a_scene_computes_the_model() -> None:
    desk, _ = make_desk()
    fit_briefly(desk.model)
    recipe = recipe_of(desk.model.network, desk.model.session.about)
    sent = desk.scene()["recipe"]["layers"][0]["weight"]
    assert (sent == recipe.layers[0].weight).all()
    x = make_sample().numpy()
    assert predict(recipe, x) == pytest.approx(desk.model.predict(x))


def test_a_large_network_comes_without_recipe_and_with_its_strongest_edges() -> None:
    desk = Desk(KAN([100, 64, 10], dtype=torch.float32))
    scene = desk.scene()
    assert scene["recipe"] is None
    assert scene["n_edges"] == 7040
    assert len(scene["edges"]) == 200
    ask(desk, "show", max_edges=60)
    assert len(desk.scene()["edges"]) == 60
    ask(desk, "show", max_edges=None)
    assert len(desk.scene()["edges"]) == 200
    values = ask(desk, "probe", x=[0.1] * 100)
    assert [len(row) for row in values["nodes"]] == [100, 64, 10]


def test_edges_share_the_arrays_of_their_input() -> None:
    scene = make_desk()[0].scene()
    one, two = edge_of(scene, 0, 0, 0), edge_of(scene, 0, 0, 1)
    assert one["curve_x"] is two["curve_x"]
    assert one["curve_y"] is not two["curve_y"]


def test_each_change_is_told_and_gives_a_later_version() -> None:
    desk, told = make_desk()
    first = desk.scene()["version"]
    desk.model.remove_edge((0, 0, 0))
    assert told == ["picture"]
    assert desk.scene()["version"] > first
    desk.close()
    desk.model.undo()
    assert told == ["picture"]


def test_pictures_change_nothing(rng_untouched: None) -> None:
    with type_checks_off():
        desk, _ = make_desk()
        before = bytes_of(desk.model), desk.model.steps
        desk.scene(), desk.status(), desk.snapshot()
        assert (bytes_of(desk.model), desk.model.steps) == before


def test_what_cannot_be_drawn_is_said() -> None:
    desk, _ = make_desk()
    with torch.no_grad():
        desk.model.network.layers[0].weight[0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"weight of edge \(0, 0, 0\) must be finite"):
        desk.scene()


def test_data_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must have 3 columns"):
        make_desk(KAN([3, 1], dtype=torch.float64), make_data())


def test_the_status_of_a_quiet_model_is_idle() -> None:
    desk, _ = make_desk()
    status = desk.status()
    assert json.loads(json.dumps(status)) == status
    assert (status["state"], status["text"], status["error"]) == ("idle", "", "")
