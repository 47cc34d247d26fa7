"""Edges, nodes and layers that do not learn."""

from typing import Any

import pytest
import torch
from model_helpers import bytes_of, make_data, run_script
from type_checks import type_checks_off

import kanviz as kv


def make_model() -> kv.KAN:
    return kv.KAN([2, 3, 1], dtype=torch.float64)


def frozen_edges(model: kv.KAN) -> list[tuple[int, int, int]]:
    return [
        (depth, i, j)
        for depth, layer in enumerate(model.network.layers)
        for i, j in layer.frozen.nonzero().tolist()
    ]


@pytest.mark.parametrize(
    ("place", "edges", "words"),
    [
        ((0, 1, 2), [(0, 1, 2)], "edge (0, 1, 2)"),
        ((0, 1), [(0, 1, 0), (0, 1, 1), (0, 1, 2)], "node (0, 1)"),
        ((1, 2), [(0, 0, 2), (0, 1, 2)], "node (1, 2)"),
        ((2, 0), [(1, 0, 0), (1, 1, 0), (1, 2, 0)], "node (2, 0)"),
        (1, [(1, 0, 0), (1, 1, 0), (1, 2, 0)], "layer 1"),
    ],
)
def test_a_place_freezes_its_edges_and_they_learn_again(
    place: Any, edges: list[tuple[int, int, int]], words: str
) -> None:
    model = make_model()
    before = bytes_of(model)
    model.freeze(place)
    assert frozen_edges(model) == edges
    assert model.steps == [f"froze {words}"]
    weights = [model.network.layers[d].weight[i, :, j].detach().clone() for d, i, j in edges]
    model.fit(make_data(), steps=3, update_grid=False, progress=False)
    for (d, i, j), weight in zip(edges, weights, strict=True):
        assert torch.equal(model.network.layers[d].weight[i, :, j], weight)
    model.unfreeze(place)
    assert model.steps[-1] == f"unfroze {words}"
    assert frozen_edges(model) == []
    assert bytes_of(run_script(model, data=make_data())) == bytes_of(model)
    for _ in range(3):
        model.undo()
    assert bytes_of(model) == before


def test_a_place_that_is_frozen_in_part_freezes_whole() -> None:
    model = make_model()
    model.freeze((0, 1, 2))
    model.freeze((1, 2))
    assert frozen_edges(model) == [(0, 0, 2), (0, 1, 2)]
    model.unfreeze(0)
    assert frozen_edges(model) == []


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ((0, 0, 0), ValueError, r"^Edge \(0, 0, 0\) is frozen already.$"),
        ((1, 0), ValueError, r"^Node \(1, 0\) is frozen already.$"),
        (2, IndexError, "layer must be from 0 to 1 because widths are"),
        ((3, 0), IndexError, "layer must be from 0 to 2"),
        ((1, 3), IndexError, "i must be from 0 to 2 because layer 1 has 3 nodes"),
        ((0, 0, 0, 0), ValueError, r"place must be a layer, a node \(layer, i\) or an edge"),
        (0.5, TypeError, "layer must be an integer"),
    ],
)
def test_a_wrong_place_says_why_and_changes_nothing(
    place: Any, error: type[Exception], message: str
) -> None:
    model = make_model()
    model.freeze((1, 0))
    before = bytes_of(model)
    with type_checks_off(), pytest.raises(error, match=message):
        model.freeze(place)
    assert bytes_of(model) == before


def test_what_is_not_frozen_cannot_be_unfrozen() -> None:
    with pytest.raises(ValueError, match=r"^Layer 1 is not frozen.$"):
        make_model().unfreeze(1)
