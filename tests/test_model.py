import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from model_helpers import (
    bytes_of,
    fit_briefly,
    fitted_model,
    make_data,
    make_model,
    make_sample,
    run_script,
)
from type_checks import type_checks_off

from kanviz.files import load
from kanviz.model import KAN
from kanviz.nn import Network


def test_it_computes_what_its_network_does(dtype: torch.dtype) -> None:
    model = KAN([2, 3, 1], seed=4, dtype=dtype)
    x = make_sample().to(dtype)
    assert torch.equal(model(x), Network([2, 3, 1], seed=4, dtype=dtype)(x))
    assert model(x.reshape(2, 100, 2)).shape == (2, 100, 1)


def test_it_learns_as_part_of_another_torch_net() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), KAN([2, 3, 1]), torch.nn.Tanh())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    x = make_sample().float()
    losses = []
    for _ in range(30):
        loss = (net(x) - x[:, :1] * 0.5).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    assert net[1].steps == []


def test_state_dict_goes_from_one_model_to_another() -> None:
    model, other = make_model(seed=1), make_model(seed=2)
    model.remove_edge((0, 0, 1))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(make_sample()), model(make_sample()))


def test_to_moves_the_dtype() -> None:
    model = make_model(dtype=torch.float32).to(torch.float64)
    assert model(make_sample()).dtype == torch.float64
    model.remove_edge((0, 0, 1))
    assert model.steps == ["removed edge (0, 0, 1)"]


@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, KAN.copy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "copy", "pickle"],
)
def test_copies_are_equal_and_go_their_own_way(twin: Callable[[KAN], KAN]) -> None:
    model = fitted_model()
    model.remove_edge((0, 0, 1))
    heard: list[str] = []
    model.on_change(heard.append)
    other = twin(model)
    assert bytes_of(other) == bytes_of(model)
    assert other.steps == model.steps
    assert other.snapshot() == model.snapshot()
    other.undo()
    other.refine(9)
    assert heard == []
    assert model.steps[-1] == "removed edge (0, 0, 1)"
    assert other.steps[-1] == "refined the grid to 9 intervals"
    assert bytes_of(other.network) != bytes_of(model.network)
    model.undo()
    assert bytes_of(model.network) != bytes_of(other.network)


def test_it_says_what_it_is() -> None:
    model = make_model()
    model.remove_edge((0, 0, 1))
    assert repr(model) == (
        "KAN([2, 3, 1], grid_size=5, spline_order=3, basis='bspline', base='silu'): 8 of 9 edges"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": [2]}, r"widths must be at least two integers of at least 1; got \[2\]"),
        ({"widths": [2, 0, 1]}, "widths must be at least two integers"),
        ({"widths": "251"}, "widths must be at least two integers"),
        ({"grid_size": -1}, "grid_size must be .* at least 1; got -1"),
        ({"spline_order": 11}, "spline_order must be at most 10 .*; got 11"),
        ({"basis": "spline"}, "basis must be one of .*; got 'spline'"),
        ({"base": "relu"}, "base must be one of"),
        ({"extrapolation": "none"}, "extrapolation must be one of"),
        ({"init": "random"}, "init must be one of"),
        ({"grid_range": (1.0, -1.0)}, "grid_range must be finite with low < high"),
        ({"seed": "a"}, "seed must be an integer of at least 0; got 'a'"),
        ({"dtype": torch.int64}, "dtype must be torch.float32 or torch.float64; got torch.int64"),
    ],
)
def test_a_wrong_constructor_argument_is_named(options: dict[str, Any], message: str) -> None:
    with type_checks_off(), pytest.raises(ValueError, match=message):
        KAN(**{"widths": [2, 3, 1], **options})


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(4, 3, dtype=torch.float64), ValueError, r"x must have shape \(..., 2\)"),
        (torch.zeros(4, 2), TypeError, "x must have dtype torch.float64 .*; got torch.float32"),
        (torch.zeros(4, 2, dtype=torch.int64), TypeError, "x must have dtype .*; got torch.int64"),
    ],
)
def test_forward_names_what_is_wrong_with_x(x: Any, error: type[Exception], message: str) -> None:
    with type_checks_off(), pytest.raises(error, match=message):
        make_model()(x)


def test_a_loaded_model_is_equal_and_trains_on_equally(tmp_path: Path) -> None:
    model = fitted_model()
    model.remove_edge((0, 0, 1))
    model.save(tmp_path / "m.kan")
    other = load(tmp_path / "m.kan")
    assert bytes_of(other) == bytes_of(model)
    assert other.input_names == model.input_names
    assert other.steps == []
    fit_briefly(model)
    fit_briefly(other)
    assert bytes_of(other) == bytes_of(model)


def test_an_untouched_model_trains_equally_when_loaded(tmp_path: Path) -> None:
    model = make_model(seed=3)
    model.save(tmp_path / "m.kan")
    other = load(tmp_path / "m.kan")
    reports = [fit_briefly(each, data=make_data()) for each in (model, other)]
    assert bytes_of(other) == bytes_of(model)
    assert reports[0].starts == reports[1].starts


def test_the_sample_is_written_only_if_asked(tmp_path: Path) -> None:
    model = fitted_model()
    model.save(tmp_path / "without.kan")
    model.save(tmp_path / "with.kan", with_sample=True)
    assert load(tmp_path / "with.kan").snapshot() == model.snapshot()
    assert load(tmp_path / "without.kan").snapshot() != model.snapshot()
    with pytest.raises(ValueError, match="has seen no data"):
        load(tmp_path / "without.kan").update_grid()


def test_a_file_that_cannot_be_read_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = fitted_model()
    before = bytes_of(model)
    (tmp_path / "bad.kan").write_bytes(b"not a model")
    with pytest.raises(ValueError, match="path must name a model file written by kanviz"):
        load(tmp_path / "bad.kan")
    assert bytes_of(model) == before


def test_script_of_a_loaded_model_starts_from_its_file(tmp_path: Path) -> None:
    model = fitted_model()
    model.save(tmp_path / "m.kan")
    other = load(tmp_path / "m.kan")
    other.remove_edge((0, 0, 1))
    assert bytes_of(run_script(other)) == bytes_of(other)
