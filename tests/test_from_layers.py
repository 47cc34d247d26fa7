"""Models made of layers from elsewhere: the same outputs, and a model like any other."""

from pathlib import Path

import pytest
import torch
from nn_helpers import make_generator, make_layer
from torch import Tensor, nn

import kanviz as kv
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.state import NetworkState


def make_layers(dtype: torch.dtype = torch.float64) -> list[kv.KANLayer]:
    """Return layers (3, 4) and (4, 2) with random weights, of two different families."""
    other = FunctionSpec(grid_size=3, spline_order=2, uniform=False)
    return [
        make_layer(widths=(3, 4), seed=1, dtype=dtype),
        make_layer(other, (4, 2), seed=2, dtype=dtype),
    ]


def make_x() -> Tensor:
    return torch.rand(20, 3, generator=make_generator(), dtype=torch.float64) - 0.5


def test_outputs_are_those_of_the_layers_in_a_row() -> None:
    layers = make_layers()
    model = kv.KAN.from_layers(layers)
    assert model.widths == (3, 4, 2)
    assert torch.equal(model(make_x()), nn.Sequential(*layers)(make_x()))


def test_layers_are_copied() -> None:
    layers = make_layers()
    model = kv.KAN.from_layers(layers)
    model.remove_edge((0, 1, 2))
    assert bool(layers[0].mask.all())
    with torch.no_grad():
        layers[0].weight.zero_()
    assert bool(model.network.layers[0].weight.any())


def test_what_stands_of_the_edges_comes_along() -> None:
    source = kv.KAN([2, 2, 1], dtype=torch.float64)
    source.remove_edge((0, 0, 1))
    source.freeze((1, 0, 0))
    source.fix((0, 1, 0), "sin")
    model = kv.KAN.from_layers(list(source.network.layers))
    now, wanted = (NetworkState.capture(one.network).layers for one in (model, source))
    for mine, theirs in zip(now, wanted, strict=True):
        assert all(map(torch.equal, mine.tensors, theirs.tensors))


def test_it_is_edited_fitted_and_saved_like_any_other(tmp_path: Path) -> None:
    model = kv.KAN.from_layers(make_layers())
    x = make_x()
    before = model(x)
    model.refine(6)
    model.fit((x, x[:, :2]), steps=2, starts=2, progress=False)
    assert model.script().splitlines()[2] == "model = kv.KAN.from_layers(layers)"
    model.undo()
    model.undo()
    assert torch.equal(model(x), before)
    model.save(tmp_path / "model.kan")
    assert torch.equal(kv.load(tmp_path / "model.kan")(x), before)


def test_it_remembers_the_inputs_that_it_is_given() -> None:
    x = make_x() / 10
    model = kv.KAN.from_layers(make_layers(), x.numpy())
    assert model.snapshot() == model.snapshot(x)
    assert model.snapshot() != kv.KAN.from_layers(make_layers()).snapshot()
    with pytest.raises(ValueError, match=r"x must have shape \(samples, 3\)"):
        kv.KAN.from_layers(make_layers(), x[:, :2])


def test_it_takes_names() -> None:
    layers = make_layers()
    model = kv.KAN.from_layers(layers, input_names=["a", "b", "c"])
    assert model.input_names == ("a", "b", "c")
    assert model.output_names == ("y_1", "y_2")
    assert kv.KAN.from_layers(layers, output_names=["up", "down"]).output_names == ("up", "down")
    start = "model = kv.KAN.from_layers(layers, input_names=['a', 'b', 'c'])"
    assert start in model.script().splitlines()
    with pytest.raises(ValueError, match="input_names must"):
        kv.KAN.from_layers(layers, input_names=["a", "b"])


@pytest.mark.usefixtures("unchecked")
def test_layers_that_do_not_fit_are_refused() -> None:
    first, second = make_layers()
    with pytest.raises(TypeError, match="layers must be KANLayers, at least one; got none"):
        kv.KAN.from_layers([])
    with pytest.raises(TypeError, match="got KANLayer, Linear"):
        kv.KAN.from_layers([first, nn.Linear(4, 2)])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"layers\[1\] must have 2 inputs.*got 3"):
        kv.KAN.from_layers([second, first])
    with pytest.raises(ValueError, match=r"layers\[1\] must have dtype and device"):
        kv.KAN.from_layers([first, second.float()])
