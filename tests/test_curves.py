"""Curves edited by hand: points moved and curves drawn, undone to the last bit, replayed."""

import math
from typing import Any

import pytest
import torch

import kanviz as kv


def make_model() -> kv.KAN:
    return kv.KAN([2, 2, 1], grid_size=8, dtype=torch.float64)


def test_moved_point_is_the_coefficient_and_only_it() -> None:
    model = make_model()
    before = model.network.layers[0].weight.detach().clone()
    model.move_point((0, 1, 0), 3, 2.5)
    after = model.network.layers[0].weight.detach()
    assert after[1, 3, 0] == 2.5
    assert int((after != before).sum()) == 1
    model.undo()
    assert torch.equal(model.network.layers[0].weight, before)


def test_drawn_curve_passes_through_its_points_and_stays_elsewhere() -> None:
    model = make_model()
    x = torch.linspace(-1, 1, 201, dtype=torch.float64)
    sample = torch.stack([x, x], dim=1)
    before = model.trace(sample).layers[0].edge_outputs[:, 0, 1]
    drawn = [-0.9 + 0.01 * n for n in range(60)]
    model.set_curve((0, 0, 1), drawn, [math.sin(5 * value) for value in drawn])
    after = model.trace(sample).layers[0].edge_outputs[:, 0, 1]
    inside = (x >= -0.9) & (x <= -0.31)
    torch.testing.assert_close(after[inside], torch.sin(5 * x[inside]), atol=5e-3, rtol=0)
    far = x >= 0.5
    torch.testing.assert_close(after[far], before[far], atol=1e-6, rtol=0)


def test_script_replays_hand_edits_to_equal_bytes() -> None:
    model = make_model()
    model.move_point((1, 0, 0), 0, 0.1)
    model.set_curve((0, 0, 0), [0.0, 0.5], [1.0, 2.0])
    scope: dict[str, Any] = {}
    exec(model.script(), scope)
    for mine, other in zip(
        model.state_dict().values(), scope["model"].state_dict().values(), strict=True
    ):
        assert torch.equal(mine, other)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.move_point((0, 0, 0), 11, 1.0), IndexError, "m must be from 0 to 10"),
        (lambda m: m.move_point((0, 0, 0), 1, float("nan")), ValueError, "height must be finite"),
        (lambda m: m.move_point((0, 0, 9), 1, 1.0), IndexError, "j must be from 0 to 1"),
        (lambda m: m.set_curve((0, 0, 0), [0.0], [1.0, 2.0]), ValueError, "as many"),
        (lambda m: m.set_curve((0, 0, 0), [], []), ValueError, "at least 1"),
        (lambda m: m.set_curve((0, 0, 0), [0.0], [math.inf]), ValueError, "must be finite"),
    ],
)
def test_wrong_hand_edits_say_what_is_wrong_and_change_nothing(
    call: Any, error: type[Exception], message: str
) -> None:
    model = make_model()
    before = model.network.layers[0].weight.detach().clone()
    with pytest.raises(error, match=message):
        call(model)
    assert torch.equal(model.network.layers[0].weight, before)
    assert model.steps == []


def test_removed_or_fixed_edges_are_no_splines_to_edit() -> None:
    model = make_model()
    model.remove_edge((0, 0, 0))
    with pytest.raises(ValueError, match=r"Edge .* is removed or a formula, and only a spline"):
        model.move_point((0, 0, 0), 1, 1.0)
