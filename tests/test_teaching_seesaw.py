"""Two prices on edges: their bills are those that a fit pays, and their pulls are the slopes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kanviz as kv
from kanviz.course import teaching

HEIGHTS = st.lists(st.floats(0.01, 1.5), min_size=2, max_size=8)


@settings(max_examples=25, deadline=None)
@given(HEIGHTS)
def test_the_bills_are_those_of_a_fit(heights: list[float]) -> None:
    scores = [torch.tensor(heights, dtype=torch.float64)[:, None]]
    bars = teaching.seesaw(heights)
    assert bars.l1 == pytest.approx(kv.Sparsity(1.0, l1=1.0, entropy=0.0).of(scores).item())
    entropy = kv.Sparsity(1.0, l1=0.0, entropy=1.0).of(scores).item()
    assert bars.entropy == pytest.approx(entropy, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(HEIGHTS)
def test_the_pulls_are_the_slopes_of_the_bills(heights: list[float]) -> None:
    at = torch.tensor(heights, dtype=torch.float64, requires_grad=True)
    shares = at / at.sum()
    (slope,) = torch.autograd.grad(-(shares * shares.log()).sum(), at)
    pulls = teaching.seesaw(heights).pulls
    np.testing.assert_allclose(pulls[1], -slope.numpy(), rtol=1e-9, atol=1e-9)
    assert (pulls[0] == -1).all()


def test_a_browser_drags_a_bar_and_nothing_that_cannot_be() -> None:
    bars = teaching.seesaw([0.5, 0.5])
    change: dict[str, Any] = {"heights": [0.75, 0.25], "shared": False}
    bars._handle_custom_msg({"type": "change", "view": "a", "turn": 1, "change": change}, [])
    assert bars.heights.tolist() == [0.75, 0.25]
    change = {"heights": [0, 0]}
    bars._handle_custom_msg({"type": "change", "view": "a", "turn": 2, "change": change}, [])
    assert bars.heights.tolist() == [0.75, 0.25]


def test_an_edge_at_zero_is_pressed_down_without_end() -> None:
    assert teaching.seesaw([1, 0]).pulls[1].tolist() == [0, -np.inf]


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        ([1], "heights must be 2 to 8 numbers; got 1"),
        ([0, 0], "heights must lie from 0 to 1.5, and one above 0"),
        ([1, 2], "heights must lie from 0 to 1.5"),
        ([1, float("nan")], "heights must be finite"),
    ],
)
def test_what_cannot_be_is_an_error(heights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        teaching.seesaw(heights)


def test_it_becomes_a_page(tmp_path: Path) -> None:
    teaching.seesaw().to_html(tmp_path / "page.html")
    assert "which of two prices minds?" in (tmp_path / "page.html").read_text("utf-8")
