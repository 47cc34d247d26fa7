import copy
import random
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_helpers import bytes_of, make_history, make_network, make_sample

import kanviz.model.history as history_module
from kanviz.data.dataset import About
from kanviz.edits import (
    Fitted,
    Refine,
    Remove,
    UpdateGrid,
)
from kanviz.model.history import OUTSIDE, History
from kanviz.nn import Network

pytestmark = pytest.mark.long

WIDTHS = (2, 3, 2)


def random_edit(rng: random.Random) -> Any:
    layer = rng.randrange(2)
    edge = layer, rng.randrange(WIDTHS[layer]), rng.randrange(WIDTHS[layer + 1])
    choices = [
        lambda: Remove(edge),
        lambda: Remove(edge, removed=False),
        lambda: Remove(edge[:2]),
        lambda: Remove(edge[:2], removed=False),
        lambda: Refine(rng.choice([3, 4, 5, 6])),
        lambda: UpdateGrid(make_sample(samples=30), "x", rng.choice([0.2, 1.0])),
        lambda: Fitted(make_network(WIDTHS, seed=rng.randrange(99)), "model.fit(data)", "lm"),
        lambda: Remove((9, 0, 0)),
    ]
    return rng.choice(choices)()


def change_by_hand(network: Network) -> None:
    with torch.no_grad():
        network.layers[0].weight.mul_(1.5)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_any_walk_through_time_gives_back_the_exact_bytes(seed: int) -> None:
    rng = random.Random(seed)
    network = make_network(WIDTHS)
    history = make_history(network)
    line, here = [bytes_of(network)], 0
    for _ in range(25):
        move = rng.choice(["do", "do", "do", "undo", "redo", "by hand"])
        if move == "undo" and here > 0:
            history.undo(network)
            here -= 1
        elif move == "redo" and here < len(line) - 1:
            history.redo(network)
            here += 1
        elif move == "by hand":
            change_by_hand(network)
            line, here = [*line[: here + 1], bytes_of(network)], here + 1
            history.do(network, Remove((0, 0, 0)) if network.layers[0].mask[0, 0] else Refine(5))
            line, here = [*line, bytes_of(network)], here + 1
        elif move == "do":
            try:
                history.do(network, random_edit(rng))
            except (ValueError, IndexError):
                assert bytes_of(network) == line[here]
            else:
                line, here = [*line[: here + 1], bytes_of(network)], here + 1
        assert bytes_of(network) == line[here]
        assert len(history.sentences()) == here
    for past in reversed(line[:here]):
        history.undo(network)
        assert bytes_of(network) == past
    for future in line[1:]:
        history.redo(network)
        assert bytes_of(network) == future


def test_two_hundred_edits_are_undone_and_done_again() -> None:
    rng = random.Random(1)
    network = make_network(WIDTHS)
    history = make_history(network)
    line = [bytes_of(network)]
    while len(line) < 201:
        try:
            history.do(network, random_edit(rng))
        except (ValueError, IndexError):
            continue
        line.append(bytes_of(network))
    for past in reversed(line[:-1]):
        history.undo(network)
        assert bytes_of(network) == past
    for future in line[1:]:
        history.redo(network)
        assert bytes_of(network) == future


@dataclass(frozen=True)
class Breaks:
    """An edit that fails half-way."""

    layers = None

    def apply_to(self, network: Network) -> None:
        network.refine(9)
        network.layers[1].set_mask(torch.zeros_like(network.layers[1].mask))
        raise KeyboardInterrupt

    def sentence(self) -> str:
        return ""

    def code(self) -> str:
        return ""


def test_an_edit_that_fails_half_way_changes_nothing() -> None:
    network = make_network()
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    history.undo(network)
    before = bytes_of(network)
    with pytest.raises(KeyboardInterrupt):
        history.do(network, Breaks())
    assert bytes_of(network) == before
    assert history.sentences() == []
    history.redo(network)
    assert history.sentences() == ["removed edge (0, 0, 0)"]


def test_changes_by_hand_become_a_step_of_their_own() -> None:
    network = make_network()
    history = make_history(network)
    before = bytes_of(network)
    change_by_hand(network)
    changed = bytes_of(network)
    history.do(network, Remove((0, 0, 0)))
    assert history.sentences() == [OUTSIDE[0], "removed edge (0, 0, 0)"]
    history.undo(network)
    assert bytes_of(network) == changed
    history.undo(network)
    assert bytes_of(network) == before


def test_undo_takes_back_changes_by_hand_first() -> None:
    network = make_network()
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    after_edit = bytes_of(network)
    change_by_hand(network)
    assert history.undo(network) == OUTSIDE[0]
    assert bytes_of(network) == after_edit


def test_changing_the_dtype_is_no_step() -> None:
    network = make_network(dtype=torch.float32)
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    network.double()
    history.do(network, Remove((0, 0, 1)))
    assert history.sentences() == ["removed edge (0, 0, 0)", "removed edge (0, 0, 1)"]
    history.undo(network)
    history.undo(network)
    assert network.layers[0].weight.dtype == torch.float64


def test_a_new_step_clears_what_was_undone() -> None:
    network = make_network()
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    history.undo(network)
    history.do(network, Remove((0, 0, 1)))
    with pytest.raises(IndexError, match="Nothing to redo"):
        history.redo(network)
    history.undo(network)
    with pytest.raises(IndexError, match="Nothing to undo"):
        history.undo(network)


def test_states_share_what_they_can() -> None:
    network = make_network((50, 50, 1))
    history = make_history(network)
    for j in range(40):
        history.do(network, Remove((0, 0, j)))
    weights = sum(tensor.nbytes for tensor in network.state_dict().values())
    assert history._n_bytes() < 1.6 * weights


@pytest.mark.parametrize(
    ("name", "limit", "kept"), [("MAX_STEPS", 5, 5), ("MAX_BYTES", 20_000, 4), ("MAX_BYTES", 1, 1)]
)
def test_the_oldest_states_are_forgotten_but_not_how_they_read(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: int, kept: int
) -> None:
    monkeypatch.setattr(history_module, name, limit)
    network = make_network()
    history = make_history(network)
    for grid_size in range(6, 26):
        history.do(network, Refine(grid_size))
    assert history._n_bytes() <= limit or kept in (1, 5)
    assert len(history.sentences()) == 20
    for _ in range(kept):
        history.undo(network)
    with pytest.raises(IndexError, match=r"before .refined the grid to .* is no longer kept"):
        history.undo(network)
    assert network.layers[0].spec.grid_size == 25 - kept
    assert history.script().count("refine") == len(history.sentences()) == 20 - kept


def test_names_and_units_go_back_and_forth_with_the_steps() -> None:
    network = make_network()
    history = make_history(network)
    first = history.about
    second = first.seeing(make_sample(samples=3))
    history.do(network, UpdateGrid(make_sample(), "x"), about=second)
    assert history.about is second
    history.undo(network)
    assert history.about is first
    history.redo(network)
    assert history.about is second


def test_a_copy_goes_its_own_way() -> None:
    network = make_network()
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    twin_network, twin = copy.deepcopy(network), copy.deepcopy(history)
    twin.undo(twin_network)
    twin.do(twin_network, Refine(7))
    assert history.sentences() == ["removed edge (0, 0, 0)"]
    assert twin.sentences() == ["refined the grid to 7 intervals"]
    history.undo(network)
    assert bytes_of(network) == bytes_of(make_network())


def test_script_has_one_line_per_step_and_imports_what_it_uses() -> None:
    network = make_network()
    history = make_history(network)
    history.do(network, Remove((0, 0, 0)))
    change_by_hand(network)
    history.do(network, Refine(7))
    assert history.script().splitlines() == [
        "import torch",
        "",
        "import kanviz as kv",
        "",
        "model = kv.KAN([2, 5, 1], dtype=torch.float64)",
        "model.remove_edge((0, 0, 0))",
        OUTSIDE[1],
        "model.refine(7)",
    ]
    plain = History(network, About.nothing(2, 1), "model = kv.KAN([2, 5, 1])")
    assert plain.script() == "import kanviz as kv\n\nmodel = kv.KAN([2, 5, 1])\n"


def test_different_data_get_different_names() -> None:
    history = make_history(make_network())
    x, other = make_sample(samples=3), make_sample(samples=4)
    names = [history.name_of("data", (x, other)), history.name_of("data", (other, x))]
    assert names == ["data", "data_2"]
    assert history.name_of("data", (x.clone(), other)) == "data"
    assert history.name_of("x", (x,)) == "x"
