"""Applies a patch to a scene in Python: what the front end does in the browser (src/patch.ts)."""

import copy
from typing import Any

import numpy as np
from recipe_reader import features, formula_values

from kanviz.layout import strengths
from kanviz.recipe import FormulaRecipe, LayerRecipe, StepRecipe

Record = dict[str, Any]


def patched(scene: Record, patch: Record) -> Record:
    """Return the scene that a browser shows which has this scene and this patch, both unpacked."""
    assert patch["since"] == scene["version"]
    now = copy.deepcopy(scene)
    now["version"], now["error"] = patch["version"], patch["error"]
    for node, score in zip(now["nodes"], patch["node_score"], strict=True):
        node["score"] = float(score)
    whole = {_edge(view): view for view in patch["views"]}
    now["edges"] = [whole.get(_edge(view), view) for view in now["edges"]]
    changed = {_edge(change): change for change in patch["edges"]}
    for change in patch["edges"]:
        _change_recipe(now["recipe"]["layers"][change["layer"]], change)
    visited = {(one["layer"], one["i"]): one for one in patch["visited"]}
    for view, score in zip(now["edges"], patch["score"], strict=True):
        view["score"] = float(score)
        _change_view(view, now, changed.get(_edge(view)), visited.get((view["layer"], view["i"])))
    for layer in range(len(now["widths"]) - 1):
        here = [view for view in now["edges"] if view["layer"] == layer]
        for view, strength in zip(here, strengths([v["score"] for v in here]), strict=True):
            view["strength"] = strength
    history, losses = patch["history"], patch["losses"]
    kept = now["history"]["done"][: history["kept"]]
    now["history"] = {"done": kept + history["done"], "undone": history["undone"]}
    for name in ("step", "train", "test"):
        now["losses"][name] = np.concatenate([now["losses"][name], losses[name]])
    now["losses"]["marks"] = now["losses"]["marks"][: losses["kept"]] + losses["marks"]
    return now


def _edge(record: Record) -> tuple[int, int, int]:
    return record["layer"], record["i"], record["j"]


def _change_recipe(layer: Record, change: Record) -> None:
    i, j, outputs = change["i"], change["j"], layer["outputs"]
    layer["weight"].reshape(layer["inputs"], -1, outputs)[i, :, j] = change["weight"]
    layer["mask"][i * outputs + j] = change["live"]
    others = [one for one in layer["formulas"] if (one["i"], one["j"]) != (i, j)]
    layer["formulas"] = others + ([change["program"]] if change["program"] else [])


def _change_view(
    view: Record, scene: Record, change: Record | None, visited: Record | None
) -> None:
    if visited is not None:
        share = np.linspace(0, 1, len(view["curve_x"]))
        view["curve_x"] = visited["low"] + (visited["high"] - visited["low"]) * share
        view["sample_x"] = visited["sample"]
    layer = scene["recipe"]["layers"][view["layer"]] if scene["recipe"] else None
    if change is not None:
        view |= {name: change[name] for name in change if name in view}
        n_basis = len(view["control_x"])
        view["control_y"] = change["weight"][:n_basis] * _units(scene["recipe"], view)[2]
    if layer is not None and (change is not None or visited is not None):
        shift, scale, size = _units(scene["recipe"], view)
        for kind in ("curve", "sample"):
            x = (view[f"{kind}_x"] - shift) / scale
            view[f"{kind}_y"] = size * _values(layer, view["i"], view["j"], x)


def _units(recipe: Record, view: Record) -> tuple[float, float, float]:
    """Return the user's units at an edge: what of x is the network's 0 and 1, and of y its 1."""
    layer, i, j = _edge(view)
    shift, scale = (recipe["x_shift"][i], recipe["x_scale"][i]) if layer == 0 else (0.0, 1.0)
    size = recipe["y_scale"][j] if layer == len(recipe["layers"]) - 1 else 1.0
    return shift, scale, size


def _values(layer: Record, i: int, j: int, x: np.ndarray) -> np.ndarray:
    for formula in layer["formulas"]:
        if (formula["i"], formula["j"]) == (i, j):
            steps = [
                StepRecipe(s["op"], tuple(s["sources"]), s["number"]) for s in formula["steps"]
            ]
            a, b, c, d = map(float, formula["affine"])
            recipe = FormulaRecipe(i, j, (a, b, c, d), tuple(steps), formula["output"])
            return formula_values(recipe, x)
    inputs, outputs = layer["inputs"], layer["outputs"]
    shaped = {"knots": layer["knots"].reshape(inputs, -1), "formulas": (), "owners": ()}
    recipe_layer = LayerRecipe(**(layer | shaped))
    weight = layer["weight"].reshape(inputs, -1, outputs)[i, :, j]
    return np.asarray(features(recipe_layer, i, x) @ weight)


def difference(one: Any, two: Any, *, tolerance: float, at: str = "") -> str:
    """Return where two records differ by more than rounding, or nothing."""
    if isinstance(one, np.ndarray):
        if one.shape == two.shape and np.allclose(one, two, tolerance, tolerance, equal_nan=True):
            return ""
    elif isinstance(one, dict):
        if one.keys() == two.keys():
            parts = (difference(one[k], two[k], tolerance=tolerance, at=f"{at}.{k}") for k in one)
            return next(filter(None, parts), "")
    elif isinstance(one, list):
        if len(one) == len(two):
            pairs = enumerate(zip(one, two, strict=True))
            parts = (difference(a, b, tolerance=tolerance, at=f"{at}[{n}]") for n, (a, b) in pairs)
            return next(filter(None, parts), "")
    elif isinstance(one, float) and isinstance(two, float | int):
        if abs(one - two) <= max(tolerance, 1e-6) * max(1, abs(two)):  # scores come as float32
            return ""
    elif one == two:
        return ""
    return f"{at}: {one!r} and {two!r}"
