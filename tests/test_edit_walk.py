"""Random walks over every kind of edit: undo gives back equal bytes, the script replays them."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from model_helpers import bytes_of, make_model, run_script

from kanviz.model import KAN

pytestmark = pytest.mark.long

NAMES = ("sin", "exp", "x^2", "0.5*x**2 + 1")
X = [-1.0, -0.4, 0.1, 0.6, 1.0]

Move = tuple[str, Callable[[KAN, random.Random, Any], object]]


def edge_of(model: KAN, rng: random.Random) -> tuple[int, int, int]:
    layer = rng.randrange(2)
    return layer, rng.randrange(model.widths[layer]), rng.randrange(model.widths[layer + 1])


def two_edges(model: KAN, rng: random.Random) -> list[tuple[int, int, int]]:
    first, second = edge_of(model, rng), edge_of(model, rng)
    return [first, (first[0], *second[1:])]


def numbers(rng: random.Random) -> tuple[float, float, float, float]:
    return (rng.uniform(0.5, 2), rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-1, 1))


MOVES: dict[str, Callable[[KAN, random.Random, torch.Tensor], object]] = {
    "remove_edge": lambda m, r, x: m.remove_edge(edge_of(m, r)),
    "restore_edge": lambda m, r, x: m.restore_edge(edge_of(m, r)),
    "remove_node": lambda m, r, x: m.remove_node(edge_of(m, r)[:2]),
    "restore_node": lambda m, r, x: m.restore_node(edge_of(m, r)[:2]),
    "move_point": lambda m, r, x: m.move_point(edge_of(m, r), r.randrange(4), r.uniform(-1, 1)),
    "set_curve": lambda m, r, x: m.set_curve(edge_of(m, r), X, [r.uniform(-1, 1) for _ in X]),
    "refine": lambda m, r, x: m.refine(r.choice([3, 4, 5, 6])),
    "update_grid": lambda m, r, x: m.update_grid(x, grid_eps=r.choice([0.3, 1.0])),
    "fix": lambda m, r, x: m.fix(
        edge_of(m, r), r.choice(NAMES), affine=numbers(r), trainable=r.random() < 0.5
    ),
    "unfix": lambda m, r, x: m.unfix(edge_of(m, r)),
    "freeze": lambda m, r, x: m.freeze(edge_of(m, r)),
    "unfreeze": lambda m, r, x: m.unfreeze(edge_of(m, r)),
    "lock": lambda m, r, x: m.lock(two_edges(m, r)),
    "unlock": lambda m, r, x: m.unlock([edge_of(m, r)]),
    "prune": lambda m, r, x: m.prune(threshold=r.choice([1e-3, 0.02])),
}


def walk(model: KAN, seed: int, steps: int, x: torch.Tensor) -> tuple[list[Any], set[str]]:
    """Make so many random edits; return the bytes after each, and which kinds went through."""
    rng = random.Random(seed)
    line, kinds = [bytes_of(model.network)], set()
    while len(line) <= steps:
        kind = rng.choice(list(MOVES))
        count = len(model.steps)
        try:
            MOVES[kind](model, rng, x)
        except (ValueError, IndexError):
            assert bytes_of(model.network) == line[-1], f"a {kind} that failed changed something"
            continue
        if len(model.steps) == count:  # a drag that goes on is one step with the last
            line[-1] = bytes_of(model.network)
        else:
            line.append(bytes_of(model.network))
        kinds.add(kind)
    return line, kinds


def test_two_hundred_edits_of_every_kind_are_undone_and_done_again_to_the_last_bit(
    unchecked: None,
) -> None:
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model = make_model(grid_size=3)
    line, kinds = walk(model, seed=0, steps=200, x=x)
    assert kinds == set(MOVES)
    for past in reversed(line[:-1]):
        model.undo()
        assert bytes_of(model.network) == past
    for future in line[1:]:
        model.redo()
        assert bytes_of(model.network) == future


def test_a_script_replays_edits_of_every_kind_to_equal_bytes(unchecked: None) -> None:
    x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for seed in range(3):
        model = make_model(grid_size=3)
        walk(model, seed, 60, x)
        assert bytes_of(run_script(model, x=x).network) == bytes_of(model.network)
