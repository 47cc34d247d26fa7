import base64
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_helpers import fit_briefly, make_model, until

from kanviz.course import teaching
from kanviz.course.teaching.layer import Layer
from kanviz.data import from_arrays
from kanviz.live.packing import unpack
from kanviz.model import KAN


def record_of(widget: Layer) -> dict[str, Any]:
    record: dict[str, Any] = unpack(base64.b64decode(widget.state["layer"]))
    return record


@pytest.fixture
def model() -> KAN:
    return make_model()


@pytest.fixture
def widget(model: KAN) -> Iterator[Layer]:
    made = teaching.layer(model, 0)
    yield made
    made.close()


def test_it_holds_the_functions_of_its_layer_and_what_computes_them(
    model: KAN, widget: Layer
) -> None:
    record, snapshot = record_of(widget), model.snapshot()
    assert [(edge["i"], edge["j"]) for edge in record["edges"]] == [
        (view.i, view.j) for view in snapshot.edges if view.layer == 0
    ]
    np.testing.assert_allclose(record["edges"][0]["curve_y"], snapshot.edges[0].curve_y, rtol=1e-5)
    weight = model.network.layers[0].weight.detach().numpy()
    np.testing.assert_array_equal(record["recipe"]["layers"][0]["weight"], weight.ravel())
    assert record["from"] == ["x_1", "x_2"]
    assert record["to"] == ["node 0", "node 1", "node 2"]


def test_it_follows_every_edit(model: KAN, widget: Layer) -> None:
    before = record_of(widget)["edges"][0]["curve_y"]
    model.move_point((0, 0, 0), 3, 5.0)
    until(lambda: not np.array_equal(record_of(widget)["edges"][0]["curve_y"], before))
    model.fix((0, 0, 0), "sin")
    until(lambda: record_of(widget)["edges"][0]["state"] == "symbolic")
    model.undo()
    model.undo()
    until(lambda: np.array_equal(record_of(widget)["edges"][0]["curve_y"], before))


def test_many_edits_are_shown_as_they_end(model: KAN, widget: Layer) -> None:
    for height in range(30):
        model.move_point((0, 0, 0), 3, float(height))
    last = model.snapshot().edges[0].curve_y
    until(lambda: np.allclose(record_of(widget)["edges"][0]["curve_y"], last, rtol=1e-5))


def test_the_row_starts_at_the_first_of_the_data_in_the_users_units() -> None:
    x = np.random.default_rng(0).uniform(100, 200, (50, 2))
    model = make_model()
    fit_briefly(model, from_arrays(x, x[:, :1], normalize=True))
    widget = teaching.layer(model, 1)
    np.testing.assert_allclose(widget.x, x[0])
    low, high = np.array(record_of(widget)["ranges"]).T
    np.testing.assert_allclose(low, x.min(axis=0))
    np.testing.assert_allclose(high, x.max(axis=0))
    widget.close()


def test_python_and_the_browser_move_the_row(widget: Layer) -> None:
    widget.x = [0.25, -0.5]
    assert widget.state["x"] == [0.25, -0.5]
    message = {"type": "change", "view": "v", "turn": 1, "change": {"x": [0.5, 0.75]}}
    widget._handle_custom_msg(message, [])
    assert widget.x == [0.5, 0.75]
    widget._handle_custom_msg({**message, "change": {"x": ["nonsense", 1]}}, [])
    assert widget.x == [0.5, 0.75]


@pytest.mark.parametrize("x", [[1.0], [1.0, float("nan")], [[1.0, 2.0]]])
def test_a_row_that_does_not_fit_is_refused(model: KAN, widget: Layer, x: Any) -> None:
    with pytest.raises(ValueError, match="x must be 2 finite numbers; got"):
        widget.x = x
    with pytest.raises(ValueError, match="x must be 2 finite numbers; got"):
        teaching.layer(model, 0, x)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_must_be_such_a_layer(model: KAN, index: int) -> None:
    with pytest.raises(IndexError, match=f"index must be a layer from 0 to 1; got {index}"):
        teaching.layer(model, index)


def test_a_layer_must_be_small_enough_to_read() -> None:
    with pytest.raises(ValueError, match=r"at most 100 functions, .* got 110 functions"):
        teaching.layer(KAN([10, 11, 1]), 0)


def test_a_model_that_cannot_be_drawn_leaves_the_last_picture(model: KAN, widget: Layer) -> None:
    before = widget.state["layer"]
    model.network.layers[0].weight.data[0, 0, 0] = float("nan")
    widget._renew()
    assert widget.state["layer"] == before


def test_closed_it_lets_go_of_the_model() -> None:
    model = make_model()
    widget = teaching.layer(model, 0)
    widget.close()
    gone = weakref.ref(model)
    del model, widget
    gc.collect()
    assert gone() is None


def test_its_page_loads_nothing(widget: Layer, tmp_path: Path) -> None:
    widget.to_html(tmp_path / "layer.html")
    page = (tmp_path / "layer.html").read_text("utf-8")
    assert "https://" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
