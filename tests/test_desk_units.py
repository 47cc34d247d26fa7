"""The live diagram speaks in the user's units: what it shows, what it takes and what it answers."""

import base64
import random
from typing import Any

import numpy as np
import pytest
import torch
from desk_helpers import ask, edge_of, make_desk
from model_helpers import make_model

from kanviz.data import Dataset, from_arrays
from kanviz.live.desk import Desk
from kanviz.live.packing import unpack
from kanviz.model import KAN

SEEDS = range(4)


def measured(seed: int) -> Dataset:
    """Return data whose columns have sizes and offsets of any kind."""
    rng = random.Random(seed)
    x = np.random.default_rng(seed).uniform(-1, 1, (80, 2))
    y = np.sin(2 * x[:, :1]) + x[:, 1:] ** 2
    sizes = [10 ** rng.uniform(-6, 6) for _ in range(3)]
    shifts = [size * rng.uniform(-50, 50) for size in sizes]
    columns = x * sizes[:2] + shifts[:2]
    return from_arrays(columns, sizes[2] * y + shifts[2], normalize=True, dtype=torch.float64)


def trained(seed: int) -> tuple[Desk, KAN, Dataset]:
    data, model = measured(seed), make_model()
    model.fit(data, steps=3, progress=False)
    desk, _ = make_desk(model, data)
    return desk, model, data


@pytest.mark.parametrize("seed", SEEDS)
def test_the_picture_is_that_of_plot(seed: int) -> None:
    desk, model, _ = trained(seed)
    model.fix((0, 1, 2), "sin")
    model.fix((1, 0, 0), "x^2")
    scene = desk.scene()
    for view in model.snapshot().edges:
        shown = edge_of(scene, *view.edge)
        for name in ("curve_x", "curve_y", "knots", "control_x", "control_y", "sample_x"):
            assert shown[name] == pytest.approx(getattr(view, name), rel=1e-12), name
        assert shown["formula"] == view.formula


@pytest.mark.parametrize("seed", SEEDS)
def test_axes_of_the_inputs_are_those_of_the_columns(seed: int) -> None:
    desk, _, data = trained(seed)
    scene, columns = desk.scene(), data.to_user_inputs(data.x)
    for i in range(2):
        curve = edge_of(scene, 0, i, 0)["curve_x"]
        ends = float(columns[:, i].min()), float(columns[:, i].max())
        assert (curve[0], curve[-1]) == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize("is_trained", [True, False], ids=["trained", "before any fit"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_point_is_where_it_was_put(seed: int, *, is_trained: bool) -> None:
    data, model = measured(seed), make_model()
    if is_trained:
        model.fit(data, steps=3, progress=False)
    desk, _ = make_desk(model, data)
    for edge in ([0, 0, 1], [1, 2, 0]):
        high = max(edge_of(desk.scene(), *edge)["control_y"]) * 1.5 + 0.1
        ask(desk, "move_point", edge=edge, m=2, height=high, drag=1)
        assert edge_of(desk.scene(), *edge)["control_y"][2] == pytest.approx(high)
    if not is_trained:  # the grid does not reach as far as the data yet
        return
    view = edge_of(desk.scene(), 0, 1, 0)
    x, wanted = view["curve_x"], 2 * view["curve_y"]
    ask(desk, "set_curve", edge=[0, 1, 0], x=x.tolist(), y=wanted.tolist(), drag=2, how="drew")
    now = edge_of(desk.scene(), 0, 1, 0)["curve_y"]
    assert now == pytest.approx(wanted, abs=1e-3 * np.ptp(wanted))


@pytest.mark.parametrize("is_trained", [True, False], ids=["trained", "before any fit"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_typed_formula_is_in_the_variable_that_the_axis_shows(
    seed: int, *, is_trained: bool
) -> None:
    data, model = measured(seed), make_model()
    if is_trained:
        model.fit(data, steps=3, progress=False)
    desk, _ = make_desk(model, data)
    x = edge_of(desk.scene(), 0, 0, 0)["curve_x"]
    slope, level = float(1 / np.ptp(x)), float(x[0])
    formula = f"{slope!r}*(x - {level!r})" if level >= 0 else f"{slope!r}*(x + {-level!r})"
    seen = ask(desk, "preview", edge=[0, 0, 0], formula=formula, numbers=None)
    assert seen["curve_y"] == pytest.approx((x - x[0]) / np.ptp(x), abs=1e-6)
    ask(desk, "fix", edge=[0, 0, 0], formula=formula, numbers=None)
    shown = edge_of(desk.scene(), 0, 0, 0)
    assert shown["curve_y"] == pytest.approx((x - x[0]) / np.ptp(x), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_suggestions_lie_on_the_curve_and_are_taken_as_they_were_shown(seed: int) -> None:
    desk, _, _ = trained(seed)
    view = edge_of(desk.scene(), 1, 0, 0)
    best = max(ask(desk, "suggest", edge=[1, 0, 0]), key=lambda row: row["r2"])
    left = np.array(best["curve_y"]) - view["curve_y"]
    assert np.sqrt(np.mean(left**2)) < 0.2 * np.ptp(view["curve_y"])
    ask(desk, "fix", edge=[1, 0, 0], formula=best["name"], numbers=best["numbers"])
    now = edge_of(desk.scene(), 1, 0, 0)["curve_y"]
    assert now == pytest.approx(best["curve_y"], abs=1e-6 * np.ptp(now))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_probed_row_says_what_predict_says(seed: int) -> None:
    desk, model, data = trained(seed)
    row = data.to_user_inputs(data.x[:1])
    found: dict[str, Any] = ask(desk, "probe", x=row[0].tolist())
    assert found["nodes"][0] == pytest.approx(row[0].tolist(), rel=1e-12)
    assert found["nodes"][-1] == pytest.approx(np.ravel(model.predict(row)).tolist())
    mean = float(model.session.about.y_scaling.shift[0])
    size = float(model.session.about.y_scaling.scale[0])
    total = sum(found["edges"][-1]) + mean
    assert found["nodes"][-1][0] == pytest.approx(total, abs=1e-9 * (size + abs(mean)))


def test_rows_have_the_exact_0_and_1_of_a_category_in_float32_too() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 60)
    x = np.stack([kind, 1 - kind, 1.7e9 + 100 * rng.random(60)], 1)
    data = from_arrays(x, x[:, 2:] - 1.7e9, test_fraction=0, normalize=True, dtype=torch.float32)
    desk, _ = make_desk(KAN([3, 1], seed=0), data)
    sample = desk.scene()["sample"].reshape(-1, 3)
    assert set(sample[:, :2].ravel()) == {0.0, 1.0}
    assert np.ptp(sample[:, 2]) == pytest.approx(np.ptp(x[:, 2]), rel=1e-5)


def test_a_page_of_formulas_has_the_formula_of_the_whole() -> None:
    desk, model, _ = trained(0)
    assert "is_fresh" in desk.scene()
    for layer, (inputs, outputs) in enumerate([(2, 3), (3, 1)]):
        for i in range(inputs):
            for j in range(outputs):
                model.fix((layer, i, j), "x")
    found = scene_in(desk.page())["formula"]
    assert found["text"] == str(model.formula())
    model.unfix((0, 0, 0))
    assert scene_in(desk.page())["formula"] is None


def scene_in(page: str) -> dict[str, Any]:
    text = page.split('id="kanviz-scene">"')[1].split('"')[0]
    found: dict[str, Any] = unpack(base64.b64decode(text))
    return found


def test_frames_of_a_fit_are_in_the_same_units() -> None:
    desk, model, data = trained(0)
    scene, frames = desk.scene(), []
    desk.watch(lambda what: frames.append(desk.frame()) if what == "step" else None)
    model.fit(data, steps=2, progress=False, background=True).wait()
    frame = next(one for one in frames if one is not None)
    for n, view in enumerate(scene["edges"]):
        assert frame["curve_y"][n].shape == view["curve_y"].shape
        if view["layer"] == 0:
            ends = view["curve_x"][0], view["curve_x"][-1]
            assert (frame["low"][n], frame["high"][n]) == pytest.approx(ends, rel=1e-9)
    heights = [np.ptp(view["curve_y"]) for view in scene["edges"] if view["layer"] == 1]
    moving = np.ptp(frame["curve_y"][-len(heights) :], axis=1)
    assert moving == pytest.approx(heights, rel=1.0)
