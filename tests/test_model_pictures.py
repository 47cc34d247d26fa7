import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from model_helpers import bytes_of, fitted_model, make_model, make_sample
from type_checks import type_checks_off

from kanviz.model import KAN

PICTURES: dict[str, Callable[[KAN, Path], object]] = {
    "plot": lambda model, _: model.plot(),
    "plot of x": lambda model, _: model.plot(make_sample(), title="T", theme="dark", pruned="off"),
    "plot_layer": lambda model, _: model.plot_layer(0),
    "graph": lambda model, _: model.graph(),
    "to_html": lambda model, folder: model.to_html(folder / "m.html"),
    "notebook": lambda model, _: model._repr_mimebundle_(),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_changes_nothing(name: str, tmp_path: Path, rng_untouched: None) -> None:
    with type_checks_off():  # they draw from the generator of ``random``
        model = fitted_model()
        model.remove_edge((0, 0, 1))
        before = bytes_of(model), model.steps, model.snapshot()
        PICTURES[name](model, tmp_path)
        assert (bytes_of(model), model.steps, model.snapshot()) == before
    assert len(list(tmp_path.iterdir())) == (name == "to_html")


def test_pictures_show_what_x_visits() -> None:
    model = fitted_model()
    x = np.array([[0.1, 0.2], [0.3, 0.6]])
    curve = model.graph(x).edges[(0, 0), (1, 0)]["curve_x"]
    assert (curve[0], curve[-1]) == (0.1, 0.3)
    assert isinstance(model.plot(x), Figure)
    assert isinstance(model.plot_layer(1, x), Figure)


def test_before_any_data_the_base_grids_stand_in() -> None:
    model = make_model(grid_range=torch.tensor([[-2.0, 1.0], [3.0, 5.0]]))
    graph = model.graph()
    assert graph.edges[(0, 0), (1, 0)]["curve_x"][0] == pytest.approx(-2)
    assert graph.edges[(0, 0), (1, 0)]["curve_x"][-1] == pytest.approx(1)
    assert graph.edges[(0, 1), (1, 0)]["curve_x"][-1] == pytest.approx(5)
    assert model.snapshot() == model.snapshot()


def test_the_graph_has_the_networks_nodes_and_edges() -> None:
    model = fitted_model()
    model.remove_edge((0, 1, 2))
    graph = model.graph()
    assert len(graph.nodes) == 6
    assert len(graph.edges) == 9
    assert graph.edges[(0, 1), (1, 2)]["state"] == "pruned"
    assert graph.nodes[0, 1]["label"] == "x_2"
    wanted = model.edge_scores()[0][0, 1].item()
    assert graph.edges[(0, 0), (1, 1)]["score"] == wanted


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    model = fitted_model()
    model.to_html(tmp_path / "m.html", title="a <b> & c")
    page = (tmp_path / "m.html").read_text()
    assert "<svg" in page
    assert "a &lt;b&gt; &amp; c" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")  # names of SVG, MathML
    assert "https://" not in page
    with pytest.raises(FileNotFoundError, match=r"The folder of .* does not exist"):
        model.to_html(tmp_path / "none" / "m.html")


def test_a_notebook_gets_image_page_and_text() -> None:
    model = fitted_model()
    shown, details = model._repr_mimebundle_(include=None, exclude=None)
    assert set(shown) == {"image/png", "text/html", "text/plain"}
    assert shown["image/png"].startswith(b"\x89PNG")
    assert set(details["image/png"]) == {"width", "height"}
    assert shown["text/plain"] == repr(model)
    drawing = shown["text/html"].partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(drawing).decode().startswith("<svg")
    assert as_marimo_shows(model)._repr_html_() == shown["text/html"]


def as_marimo_shows(model: KAN) -> Any:
    """Return what marimo asks first, before it lists the modules of anything of torch's."""
    return model._display_()


def test_a_picture_that_fails_leaves_the_text(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model()
    with torch.no_grad():
        model.network.layers[0].weight[0, 0, 0] = float("nan")
    assert model._repr_mimebundle_() == ({"text/plain": repr(model)}, {})
    assert "The picture of a model failed" in caplog.text


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda model: model.plot(theme="blue"), ValueError, "theme must be"),
        (lambda model: model.plot(pruned="no"), ValueError, "pruned must be"),
        (lambda model: model.plot([[1.0]]), ValueError, r"x must have shape \(samples, 2\)"),
        (lambda model: model.plot_layer(2), IndexError, "layer must be from 0 to 1 .*; got 2"),
        (lambda model: model.plot_layer("0"), TypeError, "layer must be an integer; got '0'"),
    ],
)
def test_a_wrong_option_of_a_picture_is_named(
    draw: Callable[[KAN], Any], error: type[Exception], message: str
) -> None:
    with type_checks_off(), pytest.raises(error, match=message):
        draw(make_model())
