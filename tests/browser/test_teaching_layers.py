"""The matrix of a layer, films, the staircase and continual learning, in Lab and from files."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from make_snapshot import make_snapshot
from model_helpers import make_model

from browser.cells import IMPORTS
from browser.chromium import WAIT, Console
from browser.diagram import Diagram
from browser.notebook import Notebook
from browser.pages import faults
from kanviz.course import teaching
from kanviz.course.teaching.widget import TeachingWidget
from kanviz.snapshot import EdgeView, Snapshot
from kanviz.training import FitReport

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

X = np.linspace(0, 1, 201)
WINDOWS = [(0.0, 0.5), (0.5, 1.0)]

CELLS = (
    f"""{IMPORTS}
from kanviz.course.recorder import Recorder
from kanviz.course import teaching
data = kv.from_function(
    lambda x: (torch.pi * x[:, 0]).sin() + x[:, 1] ** 2, [(-1, 1)] * 2, dtype=torch.float64
)
model = kv.KAN([2, 3, 1], seed=0, dtype=torch.float64)
recorder = Recorder(data, every=4)
report = model.fit(data, grids=[3, 5], steps=8, callbacks=[recorder], progress=False)
layer = teaching.layer(model, 0)
layer""",
    "teaching.film(list(recorder.snapshots.values()), [str(n) for n in recorder.snapshots])",
    "teaching.staircase(report, recorder.snapshots)",
    """import numpy as np
x = np.linspace(0, 1, 101)
teaching.forgetting(x, x**2, {"KAN": [x, x**2]}, windows=[(0, 0.5), (0.5, 1)])""",
)


def pages() -> dict[str, TeachingWidget]:
    film = teaching.film(
        [make_snapshot((2, 3, 1), seed=seed) for seed in range(4)],
        [f"moment {n}" for n in range(4)],
        losses={"train": [1, 0.1, 0.01, 0.001], "test": [2, 0.3, 0.1, 0.2]},
    )
    history: dict[str, list[float]] = {
        "step": [1, 2, 3, 4],
        "loss": [1.0, 0.1, 0.02, 0.01],
        "grid_size": [3, 3, 5, 5],
    }
    report = FitReport("lm", history=history)
    stairs = teaching.staircase(report, {2: make_snapshot((2, 3, 1)), 4: make_snapshot((2, 3, 1))})
    learned = {"KAN": [np.sin(X), np.sin(6 * X)], "MLP": [X, -X]}
    peaks = teaching.forgetting(X, np.sin(6 * X), learned, windows=WINDOWS)
    return {
        "layer": teaching.layer(make_model(), 0, [0.3, -0.4]),
        "film": film,
        "staircase": stairs,
        "forgetting": peaks,
    }


def open_page(page: "Page", widget: TeachingWidget, folder: Path) -> "Locator":
    widget.to_html(folder / "page.html")
    page.set_default_timeout(WAIT)
    page.goto((folder / "page.html").as_uri())
    root = page.locator(".kv-course")
    root.wait_for()
    page.wait_for_timeout(300)  # for curves that glide
    return root


def points(d: str) -> np.ndarray:
    """Return the points of a path of straight lines."""
    found: np.ndarray = np.array(re.findall(r"-?[\d.]+", d), dtype=float).reshape(-1, 2)
    return found


def layer_is_drawn_as(root: "Locator", views: Sequence[EdgeView]) -> None:
    """Check that each plot of a layer is its function to half a pixel."""
    for view in views:
        cell = root.locator(f'[data-edge="{view.layer},{view.i},{view.j}"]')
        x, y = (
            np.array((cell.get_attribute(name) or "").split(), dtype=float)
            for name in ("data-x", "data-y")
        )
        drawn = points(cell.locator(".kv-phi").get_attribute("d") or "")
        across = 5 + 122 * (np.array(view.curve_x) - x[0]) / (x[1] - x[0])
        down = 79 - 74 * (np.array(view.curve_y) - y[0]) / (y[1] - y[0])
        np.testing.assert_allclose(drawn, np.stack([across, down], 1), atol=0.5)


def film_is_drawn_as(root: "Locator", snapshot: Snapshot) -> None:
    """Check that each curve of a picture is that of an edge, to half a pixel of its range."""
    paths = root.locator(".kv-net-svg > g").first.locator("path")
    texts = paths.evaluate_all("paths => paths.map((path) => path.getAttribute('d') ?? '')")
    curves = [points(d) for d in texts if d.count("L") > 40]
    assert len(curves) == len(snapshot.edges)
    for view in snapshot.edges:
        assert min(difference(curve, view) for curve in curves) < 0.5


def difference(curve: np.ndarray, view: EdgeView) -> float:
    """Return the largest distance of a drawn curve to an edge's, both stretched to one box."""
    if len(curve) != len(view.curve_x):
        return np.inf
    given = np.stack([view.curve_x, np.negative(view.curve_y)], 1)
    size = np.ptp(curve, axis=0)
    shares = (given - given.min(axis=0)) / np.ptp(given, axis=0)
    return float(np.abs(curve - curve.min(axis=0) - shares * size).max())


def scrub(root: "Locator", key: str) -> None:
    root.locator("input[type=range]").first.focus()
    root.page.keyboard.press(key)
    root.page.wait_for_timeout(300)


def test_widgets_open_in_lab_and_the_layer_follows_edits(
    notebook: Callable[..., Notebook], artefacts: Path
) -> None:
    at = notebook(*CELLS)
    for cell in range(len(CELLS)):
        at.run(cell)
    kinds = ("layer", "film", "film", "forgetting")
    roots = [at.page.locator(".kv-course").nth(n) for n in range(len(kinds))]
    for root, kind in zip(roots, kinds, strict=True):
        root.wait_for(state="attached")
        assert root.get_attribute("data-kind") == kind
    before = roots[0].locator(".kv-cell .kv-phi").first.get_attribute("d")
    at.python("model.move_point((0, 0, 0), 2, 3.0)")
    at.wait(
        "before => document.querySelector('.kv-cell .kv-phi').getAttribute('d') !== before", before
    )
    snapshot = Snapshot.from_dict(at.value("model.snapshot().to_dict()"))
    views = [edge for edge in snapshot.edges if edge.layer == 0]
    layer_is_drawn_as(roots[0], views)
    roots[0].locator("input[type=range]").first.focus()
    at.page.keyboard.press("ArrowRight")
    shown = roots[0].locator("output").first
    at.until(
        "round(layer.x[0], 3)", lambda x: f"{x:.3f}" == shown.inner_text().replace("\u2212", "-")
    )
    for n, root in enumerate(roots[1:]):
        scrub(root, "End")
        at.page.screenshot(path=artefacts / f"teaching_lab_{n}.png")
    assert at.console.errors == []


def test_the_page_of_a_layer_computes_by_itself(page: "Page", tmp_path: Path) -> None:
    console, model = Console(page), make_model()
    root = open_page(page, teaching.layer(model, 0, [0.3, -0.4]), tmp_path)
    layer_is_drawn_as(root, [view for view in model.snapshot().edges if view.layer == 0])
    root.locator("input[type=range]").nth(1).focus()
    page.keyboard.press("ArrowRight")
    moved = float(root.locator("input[type=range]").nth(1).input_value())
    expected = model.trace([[0.3, moved]]).layers[1].inputs[0].tolist()
    sums = root.locator(".kv-column-sum").evaluate_all(
        "cells => cells.map((cell) => Number(cell.title))"
    )
    np.testing.assert_allclose(sums, expected, atol=1e-12)
    assert console.errors == []


def test_the_page_of_a_film_shows_each_frame(page: "Page", tmp_path: Path) -> None:
    console = Console(page)
    root = open_page(page, pages()["film"], tmp_path)
    film_is_drawn_as(root, make_snapshot((2, 3, 1), seed=0))
    scrub(root, "ArrowRight")
    film_is_drawn_as(root, make_snapshot((2, 3, 1), seed=1))
    scrub(root, "End")
    film_is_drawn_as(root, make_snapshot((2, 3, 1), seed=3))
    assert root.locator(".kv-moment").inner_text() == "moment 3"
    assert console.errors == []


def test_films_jump_for_whoever_wants_less_motion(page: "Page", tmp_path: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    root = open_page(page, pages()["film"], tmp_path)
    root.locator("input[type=range]").focus()
    page.keyboard.press("End")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    film_is_drawn_as(root, make_snapshot((2, 3, 1), seed=3))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_access(
    theme: str, page: "Page", tmp_path: Path, artefacts: Path
) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for name, widget in pages().items():
        root = open_page(page, widget, tmp_path)
        scrub(root, "ArrowRight")
        assert faults(Diagram(page)) == [], name
        page.screenshot(path=artefacts / f"teaching_{name}_{theme}.png")


@pytest.mark.parametrize("width", [420, 900])
def test_nothing_is_wider_than_the_page(width: int, page: "Page", tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    for name, widget in pages().items():
        open_page(page, widget, tmp_path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
