import dataclasses
import functools
from typing import Any, cast

import pytest
import torch
from model_helpers import bytes_of, make_network, make_sample
from type_checks import type_checks_off

from kanviz.analysis.trace import trace
from kanviz.edits import (
    Edit,
    Fitted,
    FixEdge,
    Freeze,
    Lock,
    MovePoint,
    Refine,
    Remove,
    SetCurve,
    UnfixEdge,
    UpdateGrid,
)
from kanviz.edits.code import as_code, call_code, options_given
from kanviz.nn import Network
from kanviz.snapshot import Edge
from kanviz.symbolic.functions import default_library


def live(network: Network) -> list[list[tuple[int, int]]]:
    """Return the (i, j) of the live edges of every layer."""
    return [[tuple(edge) for edge in layer.mask.nonzero().tolist()] for layer in network.layers]


def test_removed_edge_adds_nothing_and_the_others_stay() -> None:
    network, x = make_network(), make_sample()
    before = trace(network, x).layers[0].edge_outputs
    Remove((0, 1, 2)).apply_to(network)
    after = trace(network, x).layers[0].edge_outputs
    assert after[:, 1, 2].abs().max() == 0
    before[:, 1, 2] = 0
    assert torch.equal(after, before)


def test_restored_edge_has_its_very_function() -> None:
    network, x = make_network(), make_sample()
    before = bytes_of(network), network(x)
    Remove((0, 1, 2)).apply_to(network)
    Remove((0, 1, 2), removed=False).apply_to(network)
    assert bytes_of(network) == before[0]
    assert torch.equal(network(x), before[1])


def test_removed_edge_gets_no_gradient() -> None:
    network = make_network()
    Remove((0, 1, 2)).apply_to(network)
    network(make_sample()).sum().backward()
    gradient = network.layers[0].weight.grad
    assert gradient is not None
    assert gradient[1, :, 2].abs().max() == 0
    assert gradient[1, :, 3].abs().max() > 0


def test_removed_hidden_node_loses_the_edges_on_both_sides() -> None:
    network = make_network((2, 3, 2))
    Remove((1, 1)).apply_to(network)
    assert live(network) == [[(0, 0), (0, 2), (1, 0), (1, 2)], [(0, 0), (0, 1), (2, 0), (2, 1)]]


def test_removed_input_is_not_used_and_the_widths_stay() -> None:
    network, x = make_network(), make_sample()
    Remove((0, 1)).apply_to(network)
    other = x.clone()
    other[:, 1] += 0.5
    assert torch.equal(network(x), network(other))
    assert network.widths == (2, 5, 1)


def test_restored_node_has_all_its_edges_whichever_way_they_went() -> None:
    network = make_network((2, 3, 2))
    before = bytes_of(network)
    Remove((0, 0, 1)).apply_to(network)
    Remove((1, 1)).apply_to(network)
    Remove((1, 1), removed=False).apply_to(network)
    assert bytes_of(network) == before


def test_refine_and_update_grid_return_the_change_of_each_layer() -> None:
    network, x = make_network(), make_sample()
    assert Refine(10).apply_to(network) == [0.0, 0.0]
    changes = UpdateGrid(x, "x", 0.5).apply_to(network)
    assert len(changes) == 2
    assert all(change > 0 for change in changes)
    assert not network.layers[0].spec.uniform


def test_fitted_takes_over_what_the_run_ended_with() -> None:
    network, trained = make_network(), make_network(seed=1, grid_size=8)
    edit = Fitted(trained, "model.fit(data, steps=3)", "lm: 3 steps, loss 1")
    edit.apply_to(network)
    assert bytes_of(network) == bytes_of(trained)
    assert edit.sentence() == "trained with lm: 3 steps, loss 1"
    assert edit.code() == "model.fit(data, steps=3)"


@pytest.mark.parametrize(
    ("edit", "sentence", "code"),
    [
        (Remove((0, 1, 2)), "removed edge (0, 1, 2)", "model.remove_edge((0, 1, 2))"),
        (
            Remove((0, 1, 2), removed=False),
            "restored edge (0, 1, 2)",
            "model.restore_edge((0, 1, 2))",
        ),
        (Remove((1, 3)), "removed node (1, 3)", "model.remove_node((1, 3))"),
        (Remove((1, 3), removed=False), "restored node (1, 3)", "model.restore_node((1, 3))"),
        (Refine(10), "refined the grid to 10 intervals", "model.refine(10)"),
        (UpdateGrid(make_sample()), "moved the grid to 200 samples", "model.update_grid()"),
        (
            UpdateGrid(make_sample(), "x_2", 0.5, 0.0),
            "moved the grid to 200 samples",
            "model.update_grid(x_2, grid_eps=0.5, margin=0.0)",
        ),
    ],
)
def test_an_edit_says_what_it_did_and_how_to_do_it_again(
    edit: Any, sentence: str, code: str
) -> None:
    assert edit.sentence() == sentence
    assert edit.code() == code


Restore = functools.partial(Remove, removed=False)


@pytest.mark.parametrize(
    ("kind", "values", "error", "message"),
    [
        (Remove, ((2, 0, 0),), IndexError, r"layer must be from 0 to 1 .* \(2, 5, 1\); got 2"),
        (Remove, ((-1, 0, 0),), IndexError, "layer must be from 0 to 1 .*; got -1"),
        (Remove, ((0, 2, 0),), IndexError, "i must be from 0 to 1 .* layer 0 has 2 inputs; got 2"),
        (Restore, ((0, 0, 5),), IndexError, "j must be from 0 to 4 .* has 5 outputs; got 5"),
        (
            Restore,
            ((0, 0, 0),),
            ValueError,
            r"^Edge \(0, 0, 0\) is not removed. Take it out with remove_edge.$",
        ),
        (Remove, ((2, 0),), IndexError, "layer must be from 0 to 1 .* outputs stay; got 2"),
        (Remove, ((1, 5),), IndexError, "i must be from 0 to 4 .* layer 1 has 5 nodes; got 5"),
        (
            Restore,
            ((1, 0),),
            ValueError,
            r"^Node \(1, 0\) has no removed edge. Take it",
        ),
        (Remove, (("0", 0, 0),), TypeError, "layer must be an integer; got '0'"),
        (Remove, ((0, 0.0, 0),), TypeError, "i must be an integer; got 0.0"),
        (Refine, (0,), ValueError, "grid_size must be an integer .*; got 0"),
        (
            UpdateGrid,
            (make_sample(), "x", 2.0),
            ValueError,
            "grid_eps must be from 0 to 1; got 2.0",
        ),
        (
            UpdateGrid,
            (make_sample(), "", 1.0, -1.0),
            ValueError,
            "margin must be at least 0; got -1",
        ),
        (UpdateGrid, (make_sample(3),), ValueError, r"x must have shape \(..., 2\)"),
    ],
)
def test_a_wrong_edit_says_why_and_changes_nothing(
    kind: Any, values: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    network = make_network()
    before = bytes_of(network)
    with type_checks_off(), pytest.raises(error, match=message):
        kind(*values).apply_to(network)
    assert bytes_of(network) == before


SIN = FixEdge(1, 0, 2, default_library()["sin"], (1.0, 0.0, 1.0, 0.0), trainable=True, text="sin")
TWO = (Edge(1, 0, 0), Edge(1, 1, 2))


def both_ways(edit: Remove | Freeze | Lock) -> list[Any]:
    """Return an edit and the way back from it, which is its last field the other way round."""
    flag = dataclasses.fields(edit)[-1].name
    return [edit, dataclasses.replace(cast("Any", edit), **{flag: False})]


@pytest.mark.parametrize(
    ("edits", "layers"),
    [
        (both_ways(Remove((1, 0, 2))), (1,)),
        (both_ways(Remove((0, 1))), (0,)),
        (both_ways(Remove((2, 1))), (1, 2)),
        (both_ways(Freeze((1,))), (1,)),
        (both_ways(Freeze((0, 1))), (0,)),
        (both_ways(Freeze((2, 1))), (1,)),
        (both_ways(Freeze((2, 1, 0))), (2,)),
        (both_ways(Lock(TWO)), (1,)),
        ([SIN, UnfixEdge(1, 0, 2)], (1,)),
        ([MovePoint(2, 0, 0, 3, 0.7)], (2,)),
        ([SetCurve(0, 0, 2, (0.0, 0.5), (1.0, 2.0))], (0,)),
        ([Refine(8)], None),
        ([UpdateGrid(make_sample(), "x", 0.5)], None),
    ],
)
def test_an_edit_names_exactly_the_layers_that_it_touches(
    edits: list[Edit[Any]], layers: tuple[int, ...] | None
) -> None:
    network = make_network((2, 3, 3, 1))
    for edit in edits:
        before = [bytes_of(layer) for layer in network.layers]
        edit.apply_to(network)
        after = [bytes_of(layer) for layer in network.layers]
        touched = tuple(n for n in range(3) if before[n] != after[n])
        assert edit.layers == layers
        assert touched == (layers or (0, 1, 2))


def test_removing_twice_is_an_error() -> None:
    network = make_network()
    Remove((0, 1, 2)).apply_to(network)
    with pytest.raises(
        ValueError, match=r"^Edge \(0, 1, 2\) is removed already. Bring it back with restore_edge.$"
    ):
        Remove((0, 1, 2)).apply_to(network)
    Remove((1, 2)).apply_to(network)
    with pytest.raises(ValueError, match=r"^Node \(1, 2\) has no edge left to remove. Bring"):
        Remove((1, 2)).apply_to(network)


class OwnAdam(torch.optim.Adam):
    """An optimizer that no script can name."""


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "None"),
        (True, "True"),
        (1e-3, "0.001"),
        ("adam", "'adam'"),
        ((3, 5), "(3, 5)"),
        (torch.float64, "torch.float64"),
        (torch.device("cpu"), "'cpu'"),
        (torch.tensor([[-1.0, 2.0]]), "torch.tensor([[-1.0, 2.0]], dtype=torch.float32)"),
        (torch.zeros(65), "name"),
        (torch.optim.SGD, "torch.optim.SGD"),
        (OwnAdam, "name"),
        (lambda: None, "name"),
        ([3, lambda: None], "name"),
    ],
)
def test_values_are_written_as_python_or_by_name(value: object, code: str) -> None:
    assert as_code(value, "name") == code


def test_only_given_options_are_written() -> None:
    def f(*, a: float = 0.1, b: tuple[int, ...] = (1, 2), c: object = (3, 4)) -> None: ...

    values = {"a": float("0.1"), "b": tuple(range(1, 3)), "c": torch.zeros(2), "d": 4}
    assert list(options_given(f, values)) == ["c", "d"]
    assert call_code("f", "x", a=2, b=[1]) == "f(x, a=2, b=[1])"
