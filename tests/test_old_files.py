"""Files that kanviz 0.1 wrote mean what they meant; fixtures/0.1 tells how they were made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kanviz as kv

FOLDER = Path(__file__).parent / "fixtures" / "0.1"
NAMES = sorted(path.stem for path in FOLDER.glob("*.kan"))
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def old_model(name: str) -> tuple[kv.KAN, dict[str, Any], float]:
    """Return a model, what 0.1 said of it, and how far a number may be from that, as a share."""
    model = kv.load(FOLDER / f"{name}.kan")
    expected = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return model, expected, TOLERANCE[next(model.parameters()).dtype]


def assert_close(found: Any, expected: list[Any], tolerance: float) -> None:
    wanted = np.asarray(expected)
    np.testing.assert_allclose(
        np.asarray(found), wanted, rtol=0, atol=tolerance * np.abs(wanted).max()
    )


def test_there_are_three_small_files() -> None:
    assert NAMES == ["bump", "penguin_mass", "penguin_species"]
    assert max((FOLDER / f"{name}.kan").stat().st_size for name in NAMES) < 60_000


@pytest.mark.parametrize("name", NAMES)
def test_an_old_network_computes_what_it_did(name: str) -> None:
    model, expected, tolerance = old_model(name)
    x = torch.tensor(expected["network_inputs"], dtype=next(model.parameters()).dtype)
    with torch.no_grad():
        assert_close(model.network(x), expected["network_outputs"], tolerance)
    assert list(model.widths) == expected["widths"]
    assert list(model.input_names) == expected["input_names"]
    assert list(model.output_names) == expected["output_names"]
    states = {str(tuple(view.edge)): view.state for view in model.snapshot().edges}
    assert states == expected["states"]


@pytest.mark.parametrize("name", ["bump", "penguin_mass"])
def test_an_old_model_predicts_in_the_users_units(name: str) -> None:
    model, expected, tolerance = old_model(name)
    assert_close(model.predict(expected["inputs"]), expected["predictions"], tolerance)


def test_old_classes_have_their_names() -> None:
    model, expected, tolerance = old_model("penguin_species")
    scores = model.predict(expected["inputs"])
    assert_close(scores, expected["scores"], tolerance)
    classes = [model.output_names[n] for n in scores.argmax(axis=1)]
    assert classes == expected["classes"]


def test_old_locks_and_frozen_edges_hold() -> None:
    model, expected, _ = old_model("penguin_mass")
    (_, first, j), (_, second, other) = expected["locked"]
    layer = model.network.layers[0]
    assert torch.equal(layer.knots[first], layer.knots[second])
    curves = layer.edge_outputs(torch.linspace(-2, 2, 9)[:, None].expand(-1, model.widths[0]))
    assert torch.equal(curves[:, first, j], curves[:, second, other])
    (edge,) = expected["frozen"]
    assert model.network.layers[edge[0]].frozen.nonzero().tolist() == [edge[1:]]
    with pytest.raises(ValueError, match="locked"):
        model.lock([(0, first, j), (0, 4, 0)])
    with pytest.raises(ValueError, match="frozen already"):
        model.freeze(tuple(edge))


def test_an_old_formula_reads_as_it_did() -> None:
    model, expected, _ = old_model("bump")
    found = str(model.formula(simplify_seconds=0))
    # Names that are no identifiers stand between backquotes since 0.2.
    assert found.replace("`", "") == expected["formula"]
    assert "`temperature in °C`" in found


@pytest.mark.parametrize("name", NAMES)
def test_an_old_model_saved_again_is_the_same(name: str, tmp_path: Path) -> None:
    model, *_ = old_model(name)
    model.save(tmp_path / "new.kan", with_sample=True)
    again = kv.load(tmp_path / "new.kan")
    for before, after in zip(model.state_dict().items(), again.state_dict().items(), strict=True):
        assert before[0] == after[0]
        assert torch.equal(before[1], after[1])
