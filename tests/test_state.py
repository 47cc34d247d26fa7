import copy
from dataclasses import replace

import pytest
import torch
from model_helpers import bytes_of, bytes_of_state, make_network, make_sample, make_symbols

from kanviz.nn.state import NetworkState


def test_restore_gives_back_every_byte_after_all_kinds_of_change() -> None:
    network = make_network()
    x = make_sample()
    before, state = bytes_of(network), NetworkState.capture(network)
    network.update_grid(x, grid_eps=0.3)
    network.refine(8)
    layer = network.layers[0]
    layer.set_mask(torch.zeros_like(layer.mask))
    layer.weight.requires_grad = False
    assert bytes_of(network) != before
    state.restore(network)
    assert bytes_of(network) == before


def test_restored_network_computes_the_same_numbers() -> None:
    network = make_network()
    x = make_sample()
    state, outputs = NetworkState.capture(network), network(x)
    network.layers[0].set_mask(torch.zeros_like(network.layers[0].mask))
    network.refine(7)
    state.restore(network)
    assert torch.equal(network(x), outputs)


def test_weight_of_the_same_shape_stays_the_same_parameter() -> None:
    network = make_network()
    state, weight = NetworkState.capture(network), network.layers[0].weight
    with torch.no_grad():
        weight.add_(1)
    state.restore(network)
    assert network.layers[0].weight is weight


def test_restore_gives_back_whether_a_weight_trains() -> None:
    network = make_network()
    state = NetworkState.capture(network)
    network.layers[0].weight.requires_grad = False
    assert not state.is_of(network)
    state.restore(network)
    assert network.layers[0].weight.requires_grad


def test_a_state_of_other_widths_can_be_restored() -> None:
    wide, narrow = make_network((2, 5, 1)), make_network((2, 3, 1))
    NetworkState.capture(narrow).restore(wide)
    assert wide.widths == (2, 3, 1)
    assert bytes_of(wide) == bytes_of(narrow)
    assert torch.equal(wide(make_sample()), narrow(make_sample()))


def test_state_is_apart_from_the_network() -> None:
    network = make_network()
    state = NetworkState.capture(network)
    kept = bytes_of_state(state)
    for _ in range(2):
        with torch.no_grad():
            network.layers[0].weight.add_(1)
            network.layers[0].knots.add_(1)
            network.layers[0].mask[0, 0] = False
        assert bytes_of_state(state) == kept
        state.restore(network)


def test_capture_shares_what_is_unchanged() -> None:
    network = make_network()
    first = NetworkState.capture(network)
    mask = network.layers[1].mask.clone()
    mask[0, 0] = False
    network.layers[1].set_mask(mask)
    second = NetworkState.capture(network, like=first)
    shared = [a is b for a, b in zip(first.tensors(), second.tensors(), strict=True)]
    assert shared == [True] * 7 + [False, True, True]


def test_negative_zero_counts_as_a_change() -> None:
    network = make_network(init="zero")
    state = NetworkState.capture(network)
    assert state.is_of(network)
    with torch.no_grad():
        network.layers[0].weight.neg_()
    assert not state.is_of(network)
    after = NetworkState.capture(network, like=state)
    assert after.layers[0].weight is not state.layers[0].weight


@pytest.mark.parametrize("change", ["weight", "knots", "mask", "trains", "spec"])
def test_is_of_sees_each_kind_of_change(change: str) -> None:
    network = make_network()
    state, layer = NetworkState.capture(network), network.layers[1]
    with torch.no_grad():
        if change == "weight":
            layer.weight[0, 0, 0] += 1e-16 + layer.weight[0, 0, 0].abs() * 1e-15
        elif change == "knots":
            layer.knots[0, 0] -= 1e-9
        elif change == "mask":
            layer.mask[0, 0] = False
        elif change == "trains":
            layer.weight.requires_grad = False
        else:
            layer.spec = replace(layer.spec, uniform=False)
    assert not state.is_of(network)


def test_restored_values_take_the_dtype_that_the_network_has_by_then() -> None:
    network = make_network(dtype=torch.float32)
    state = NetworkState.capture(network)
    weight = network.layers[0].weight.detach().clone()
    network.double()
    assert state.is_of(network)
    network.refine(10)
    state.restore(network)
    assert network.layers[0].weight.dtype == torch.float64
    assert torch.equal(network.layers[0].weight.detach(), weight.double())


@pytest.mark.parametrize("basis", ["bspline", "gaussian"])
def test_build_makes_an_equal_network(basis: str, dtype: torch.dtype) -> None:
    network = make_network((3, 4, 2), basis=basis, grid_size=4, seed=3, dtype=dtype)
    network.update_grid(make_sample(3).to(dtype), grid_eps=0.5)
    network.layers[0].set_mask(network.layers[0].mask.logical_not())
    built = NetworkState.capture(network).build()
    assert bytes_of(built) == bytes_of(network)
    x = make_sample(3).to(dtype)
    assert torch.equal(built(x), network(x))
    assert bytes_of(built.remade(5)) == bytes_of(network.remade(5))


def test_formulas_and_frozen_edges_come_back() -> None:
    network, x = make_network(), make_sample()
    layer = network.layers[0]
    layer.set_symbols(make_symbols())
    layer.set_frozen(layer.mask)
    before, state, outputs = bytes_of(network), NetworkState.capture(network), network(x)
    assert state.is_of(network)
    for change in (None, make_symbols(2.0)):
        layer.set_symbols(change)
        layer.set_frozen(layer.mask.logical_not())
        assert not state.is_of(network)
        state.restore(network)
        assert bytes_of(network) == before
        assert torch.equal(network(x), outputs)
    layer.set_symbols(make_symbols(3.0))
    assert not state.is_of(network)
    later = NetworkState.capture(network, like=state)
    assert [a is b for a, b in zip(state.tensors(), later.tensors(), strict=True)].count(False) == 3
    assert NetworkState.capture(network, like=later).layers[0].symbols is later.layers[0].symbols


def test_deep_copy_of_a_state_is_the_state() -> None:
    state = NetworkState.capture(make_network())
    assert copy.deepcopy(state) is state


def test_states_work_on_the_meta_device() -> None:
    network = make_network(device="meta")
    state = NetworkState.capture(network)
    assert state.is_of(network)
    state.restore(network)
