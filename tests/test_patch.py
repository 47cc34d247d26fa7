"""A scene and its patch are what a fresh scene would be, and take far less to make and to send."""

import random
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from desk_helpers import ask, make_desk
from make_frontend_fixture import fresh
from model_helpers import make_data, make_model, make_sample
from patch_reader import difference, patched
from test_edit_walk import MOVES
from type_checks import type_checks_off

import kanviz
from kanviz.data import from_arrays
from kanviz.live.desk import Desk
from kanviz.live.packing import pack, unpack
from kanviz.model import KAN

MOST_CALLS, MOST_BYTES = 400, 3000


def sent(record: Any) -> dict[str, Any]:
    """Return a record as a browser gets it."""
    found: dict[str, Any] = unpack(pack(record))
    return found


def sorted_formulas(scene: dict[str, Any]) -> dict[str, Any]:
    for layer in (scene["recipe"] or {"layers": []})["layers"]:
        layer["formulas"].sort(key=lambda one: (one["i"], one["j"]))
    return scene


def walk(desk: Desk, seed: int, steps: int, tolerance: float) -> dict[str, int]:
    """Edit at random; after each edit what the browser shows must be what a fresh scene shows."""
    rng, sample = (
        random.Random(seed),
        make_sample(samples=40).to(desk.model.network.layers[0].knots),
    )
    moves = dict(MOVES) | {"undo": lambda m, r, x: m.undo(), "redo": lambda m, r, x: m.redo()}
    base, counts = sent(desk.scene()), {"scene": 0, "patch": 0}
    for _ in range(steps):
        try:
            moves[rng.choice(list(moves))](desk.model, rng, sample)
        except (ValueError, IndexError):
            continue
        if rng.random() < 0.3:
            continue  # as where one picture is of several edits
        news = desk.news()
        if not news:
            continue
        ((kind, record),) = news.items()
        counts[kind] += 1
        record = sent(record)
        base = record if kind == "scene" else base
        shown = base if kind == "scene" else patched(base, record)
        wanted = sorted_formulas(sent(fresh(desk)))
        assert not difference(sorted_formulas(shown), wanted, tolerance=tolerance)
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_a_patched_scene_is_a_fresh_one_after_any_edits(seed: int, unchecked: None) -> None:
    desk, _ = make_desk(make_model(grid_size=3))
    counts = walk(desk, seed, 60, 1e-9)
    assert counts["patch"] > 10
    assert counts["scene"] > 0


@pytest.mark.parametrize("options", [{"basis": "gaussian"}, {"extrapolation": "zero"}], ids=str)
def test_other_bases_are_patched_alike(options: dict[str, Any], unchecked: None) -> None:
    desk, _ = make_desk(make_model(**options))
    assert walk(desk, 0, 40, 1e-9)["patch"] > 5


@pytest.mark.parametrize("has_recipe", [True, False], ids=["computed", "whole"])
def test_in_the_units_of_any_data_they_are_patched_alike(
    monkeypatch: pytest.MonkeyPatch, unchecked: None, *, has_recipe: bool
) -> None:
    if not has_recipe:
        monkeypatch.setattr("kanviz.live.desk.MOST_WEIGHTS", 10)
    x = make_sample()
    data = from_arrays(300 + 40 * x, 1e5 * x[:, :1] - 7e4, normalize=True)
    model = make_model(grid_size=3)
    model.fit(data, steps=2, progress=False)
    desk, _ = make_desk(model, data)
    assert (desk.scene()["recipe"] is not None) == has_recipe
    assert walk(desk, 5, 40, 1e-9)["patch"] > 5


def test_in_float32_they_differ_by_rounding_only(unchecked: None) -> None:
    x = make_sample().float()
    data = from_arrays(x, x[:, :1])
    desk, _ = make_desk(KAN([2, 3, 1], grid_size=3, seed=0, dtype=torch.float32), data)
    assert walk(desk, 1, 40, 1e-4)["patch"] > 5


def test_where_the_browser_has_no_recipe_edges_come_whole(
    monkeypatch: pytest.MonkeyPatch, unchecked: None
) -> None:
    monkeypatch.setattr("kanviz.live.desk.MOST_WEIGHTS", 10)
    desk, _ = make_desk(make_model(grid_size=3))
    assert desk.scene()["recipe"] is None
    assert walk(desk, 2, 40, 1e-9)["patch"] > 5


def test_a_patch_holds_for_a_view_that_missed_the_others() -> None:
    desk, _ = make_desk()
    base = sent(desk.scene())
    for height in (0.1, 0.2, 0.3):
        desk.model.move_point((0, 0, 0), 2, height)
        desk.model.move_point((1, 1, 0), 3, height)
        lost = desk.news()["patch"]
    desk.model.freeze((0, 1, 1))
    last = desk.news()["patch"]
    assert last["since"] == lost["since"] == base["version"]
    assert last["version"] > lost["version"]
    assert not difference(patched(base, sent(last)), sent(fresh(desk)), tolerance=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.model.refine(8),
        lambda desk: desk.model.update_grid(make_sample()),
        lambda desk: ask(desk, "show", max_edges=4),
        lambda desk: ask(desk, "scene"),
    ],
    ids=["refine", "update_grid", "show", "scene"],
)
def test_a_new_structure_or_a_wish_for_it_brings_a_scene(change: Any) -> None:
    desk, _ = make_desk()
    desk.scene()
    desk.model.freeze((0, 0, 0))
    assert desk.news().keys() == {"patch"}
    change(desk)
    assert desk.news().keys() == {"scene"}
    assert desk.news() == {}


def test_losses_and_history_come_with_the_patch() -> None:
    desk, _ = make_desk()
    desk.model.fit(make_data(), steps=3, progress=False)
    base = sent(desk.scene())
    desk.model.remove_edge((0, 0, 0))
    desk.model.undo()
    desk.model.freeze((0, 1, 0))
    shown = patched(base, sent(desk.news()["patch"]))
    assert shown["history"]["done"] == desk.model.steps
    assert [mark["text"] for mark in shown["losses"]["marks"]] == desk.model.steps
    assert not difference(shown, sent(fresh(desk)), tolerance=1e-9)


def test_a_page_made_meanwhile_changes_nothing_of_what_the_browser_has() -> None:
    desk, _ = make_desk()
    base = sent(desk.scene())
    desk.model.freeze((0, 0, 0))
    desk.page()
    assert desk.news()["patch"]["since"] == base["version"]


def test_one_moved_point_passes_few_functions_and_sends_little() -> None:
    with type_checks_off():
        x = torch.rand(1000, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1
        data = from_arrays(x, x[:, :5], x_test=x[:200], y_test=x[:200, :5])
        model = KAN([10, 20, 5], seed=0)
        model.fit(data, steps=2, progress=False)
        desk, _ = make_desk(model, data)
        scene = len(pack(desk.scene()))
        height = iter(range(1, 100))

        def move(edge: tuple[int, int, int]) -> bytes:
            request = {"type": "move_point", "edge": list(edge), "m": 2, "drag": 1, "seq": 1}
            assert desk.answer({**request, "height": next(height) / 10})["ok"]
            return pack(desk.news()["patch"])

        calls = 0
        package = str(Path(kanviz.__file__).parent)

        def count(frame: Any, event: str, _: object) -> None:
            nonlocal calls
            calls += event == "call" and frame.f_code.co_filename.startswith(package)

        for edge in ((0, 3, 4), (1, 3, 4)):
            move(edge)  # what is compiled on first use is compiled now
            desk.scene()
            calls = 0
            sys.setprofile(count)
            try:
                content = move(edge)
            finally:
                sys.setprofile(None)
            assert calls <= MOST_CALLS
            assert len(content) <= MOST_BYTES < scene / 100
