"""Locking as edits of a model: one edit for all, undone to the last bit, replayed, refused."""

import contextlib
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from lock_helpers import PAIR, assert_tied, make_locked
from model_helpers import bytes_of, make_data, make_sample, run_script
from type_checks import type_checks_off

import kanviz as kv
from kanviz.edits import Lock
from kanviz.nn.ties import tied_knots
from kanviz.snapshot import Edge

STRETCHED = make_sample() ** 3 * torch.tensor([3.0, 0.5], dtype=torch.float64)


def fix_and_unfix(model: kv.KAN) -> None:
    model.fix((0, 1, 1), "exp")
    model.unfix((0, 0, 1))


EDITS: dict[str, Callable[[kv.KAN], object]] = {
    "refine exactly": lambda m: m.refine(10),
    "refine by a fit": lambda m: m.refine(7),
    "update_grid": lambda m: m.update_grid(STRETCHED),
    "quantiles": lambda m: m.update_grid(STRETCHED, grid_eps=0),
    "move_point": lambda m: m.move_point((0, 1, 1), 3, 2.5),
    "set_curve": lambda m: m.set_curve((0, 1, 1), [-0.5, 0.0, 0.5], [1.0, -1.0, 1.0]),
    "fix": lambda m: m.fix((0, 1, 1), "sin"),
    "fix for good": lambda m: m.fix((0, 0, 1), "x**2 + 1", trainable=False),
    "fix and unfix": fix_and_unfix,
    "freeze": lambda m: m.freeze((0, 1, 1)),
    "freeze an input": lambda m: m.freeze((0, 0)),
    "prune": lambda m: m.remove_edge((0, 1, 1)),
    "fit": lambda m: m.fit(make_data(), steps=3, progress=False),
    "lock others": lambda m: m.lock([(0, 0, 0), (0, 1, 2)]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_one_is_an_edit_of_all_and_can_be_undone_and_replayed(name: str) -> None:
    model = make_locked(grid_size=5, grid_range=torch.tensor([[-1.0, 1.0], [-2.0, 0.5]]))
    before = bytes_of(model)
    EDITS[name](model)
    if name == "prune":
        assert model.network.layers[0].mask[1].tolist() == [True, False, True]
        model.restore_edge((0, 1, 1))
    assert_tied(model)
    after = bytes_of(model)
    made = run_script(model, data=make_data(), x=STRETCHED)
    assert bytes_of(made) == after
    while len(model.steps) > 1:
        model.undo()
    assert bytes_of(model) == before
    model.undo()
    assert not bool(model.network.layers[0].locked.any())
    for _ in made.steps:
        model.redo()
    assert bytes_of(model) == after


def test_suggest_sees_the_inputs_of_all_of_them() -> None:
    model = kv.KAN([2, 1, 1], dtype=torch.float64)
    model.lock([(0, 0, 0), (0, 1, 0)])
    model.fix((0, 0, 0), "sin", affine=(1.0, 0.0, 1.0, 0.0))
    x = make_sample(reach=1) * torch.tensor([0.01, 3.0]).double()
    model.update_grid(x)
    assert model.suggest((0, 0, 0))[0].name == "sin"


def test_copy_pickle_and_file_keep_locks(tmp_path: Any) -> None:
    model = make_locked()
    model.lock([(0, 0, 0), (0, 0, 2)])
    model.fix((0, 0, 2), "sin")
    model.save(tmp_path / "m.kan")
    for twin in (model.copy(), pickle.loads(pickle.dumps(model)), kv.load(tmp_path / "m.kan")):
        assert bytes_of(twin.network) == bytes_of(model.network)
        twin.fit(make_data(), steps=2, progress=False)
        assert_tied(twin)


def test_the_snapshot_and_the_formula_show_them() -> None:
    model = make_locked()
    model.fix((0, 0, 1), "sin", affine=(2.0, 0.0, 1.0, 0.0))
    locked = [view.edge for view in model.snapshot().edges if view.locked]
    assert locked == PAIR
    text = str(model.formula(snap=0))
    assert "sin(2.0*x_1)" in text
    assert "sin(2.0*x_2)" in text


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 0, 0)], r"edges must be at least two to be locked; got \(0, 0, 0\)"),
        ([(0, 0, 0), (0, 0, 0)], "edges must be different edges; got"),
        ([(0, 0, 0), (1, 0, 0)], r"^Edges of layers \[0, 1\] cannot be locked together. Take"),
        ([(0, 0, 2), (0, 1, 2)], r"^Edge \(0, 1, 2\) is removed and cannot be locked. Bring it"),
        (
            [(0, 0, 0), (0, 1, 1)],
            r"^Edge \(0, 1, 1\) is locked already, with \(0, 0, 1\). Call",
        ),
        ([(0, 0, 0), (0, 1, 0)], r"^Edge \(0, 1, 0\) is a formula and must come first, because"),
    ],
)
def test_edges_that_cannot_be_locked_are_refused(edges: Any, message: str) -> None:
    model = make_locked()
    model.remove_edge((0, 1, 2))
    model.fix((0, 1, 0), "sin")
    before = bytes_of(model)
    with pytest.raises(ValueError, match=message):
        model.lock(edges)
    assert bytes_of(model) == before


def test_addresses_that_are_none_are_refused() -> None:
    model = make_locked()
    with pytest.raises(IndexError, match="j must be from 0 to 2"):
        model.lock([(0, 0, 0), (0, 1, 3)])
    with type_checks_off(), pytest.raises(TypeError, match=r"edges must be a list of \(layer, i"):
        model.lock((0, 0, 0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="edges must be different edges; got none"):
        model.unlock([])
    with pytest.raises(ValueError, match=r"^Edge \(0, 0, 0\) is not locked. Leave it out.$"):
        model.unlock([(0, 0, 0)])
    assert Lock((Edge(0, 0, 0), Edge(0, 1, 0), Edge(0, 1, 1))).sentence() == (
        "locked edges (0, 0, 0), (0, 1, 0) and (0, 1, 1)"
    )


def test_a_formula_or_a_frozen_edge_in_front_gives_its_function_to_all() -> None:
    model = kv.KAN([2, 3, 1], dtype=torch.float64)
    model.fix((0, 1, 1), "sin", affine=(2.0, 0.5, 1.0, 0.0), trainable=False)
    model.lock([(0, 1, 1), (0, 0, 1)])
    assert_tied(model)
    assert bool(model.network.layers[0].frozen[0, 1])
    model.fit(make_data(), steps=3, progress=False)
    symbols = model.network.layers[0].symbols
    assert symbols is not None
    assert symbols.affine.tolist() == [[2.0, 0.5, 1.0, 0.0]] * 2
    model.unlock(PAIR)
    model.unfix((0, 1, 1))
    assert symbols.edges == [(0, 1), (1, 1)]
    frozen = kv.KAN([2, 1], dtype=torch.float64)
    kept = frozen.network.layers[0].weight[1].detach().clone()
    frozen.freeze((0, 1, 0))
    frozen.lock([(0, 1, 0), (0, 0, 0)])
    assert torch.equal(frozen.network.layers[0].weight, kept.expand(2, -1, -1))


def test_a_removed_edge_goes_alone_and_comes_back_with_what_the_others_learned() -> None:
    model, x = make_locked(), make_sample()
    model.remove_edge((0, 0, 1))  # the first of the group, whose numbers count
    assert not bool(model.trace(x).layers[0].edge_outputs[:, 0, 1].any())
    before = model.trace(x).layers[0].edge_outputs[:, 1, 1]
    model.fit(make_data(), steps=5, progress=False)
    assert not torch.allclose(model.trace(x).layers[0].edge_outputs[:, 1, 1], before)
    model.restore_edge((0, 0, 1))
    assert_tied(model)


def _walk(model: kv.KAN, steps: int) -> None:
    """Do random edits, some of which are refused, and look at all groups after each."""
    pick = random.Random(0)

    def edge() -> tuple[int, int, int]:
        return 0, pick.randrange(3), pick.randrange(3)

    deeds: list[Callable[[], object]] = [
        lambda: model.lock([edge() for _ in range(pick.choice([2, 2, 3]))]),
        lambda: model.unlock([edge()]),
        lambda: model.fix(edge(), "sin", affine=(1.0, 0.0, pick.random(), 0.0)),
        lambda: model.unfix(edge()),
        lambda: model.freeze(pick.choice([edge(), (0, 1), (1, 2)])),
        lambda: model.unfreeze(edge() if pick.random() < 0.5 else 0),
        lambda: model.remove_edge(edge()),
        lambda: model.restore_edge(edge()),
        lambda: model.move_point(edge(), pick.randrange(6), pick.random()),
        lambda: model.refine(pick.choice([4, 5, 8])),
        lambda: model.update_grid(make_sample(3, 40), grid_eps=pick.random()),
        lambda: model.undo(),
        lambda: model.redo(),
    ]
    for _ in range(steps):
        with contextlib.suppress(ValueError, IndexError):
            pick.choices(deeds, [5, 2, 2, 2, 1, 1, 1, 2, 2, 1, 1, 2, 1])[0]()
        layer = model.network.layers[0]
        assert torch.equal(layer.tied_weight(), layer.weight)
        assert torch.equal(tied_knots(layer.knots, layer.leaders), layer.knots)
        assert torch.equal(layer.frozen.flatten()[layer.leaders], layer.frozen)
        if layer.symbols is not None:
            assert torch.equal(layer.affine, layer.symbols.affine)
            formulas = torch.zeros_like(layer.mask).index_put(
                (layer.symbols.inputs, layer.symbols.outputs), torch.tensor(data=True)
            )
            assert torch.equal(formulas.flatten()[layer.leaders], formulas)


def test_locks_hold_through_any_edits_and_undo_gives_back_every_byte() -> None:
    with type_checks_off():  # hundreds of steps
        model = kv.KAN([3, 3, 1], dtype=torch.float64)
        before = bytes_of(model)
        _walk(model, 200)
        assert sum(line.startswith("locked") for line in model.steps) > 1
        after = bytes_of(model)
        assert bytes_of(run_script(model, x=make_sample(3, 40))) == after
        while model.steps:
            model.undo()
    assert bytes_of(model) == before
