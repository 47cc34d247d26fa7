import sys

import pytest
import torch
from model_helpers import bytes_of, make_network, make_sample

from kanviz.analysis.trace import node_values, trace


def test_edge_outputs_add_up_to_the_next_inputs_and_the_outputs(dtype: torch.dtype) -> None:
    network = make_network((3, 4, 2), dtype=dtype)
    x = make_sample(3).to(dtype)
    found = trace(network, x)
    assert [tuple(step.edge_outputs.shape) for step in found.layers] == [(200, 3, 4), (200, 4, 2)]
    nodes = [*(step.inputs for step in found.layers), found.outputs]
    assert torch.equal(nodes[0], x)
    assert torch.equal(found.outputs, network(x).detach())
    for step, after in zip(found.layers, nodes[1:], strict=True):
        torch.testing.assert_close(step.edge_outputs.sum(1), after)


def test_removed_edge_adds_nothing() -> None:
    network = make_network()
    mask = network.layers[0].mask.clone()
    mask[1, 3] = False
    network.layers[0].set_mask(mask)
    outputs = trace(network, make_sample()).layers[0].edge_outputs
    assert outputs[:, 1, 3].abs().max() == 0
    assert outputs[:, 0, 3].abs().min() > 0


def test_trace_is_detached_and_keeps_nothing() -> None:
    network = make_network()
    x = make_sample().requires_grad_()
    before = bytes_of(network)
    found = trace(network, x)
    tensors = [found.outputs, *(t for step in found.layers for t in vars(step).values())]
    assert not any(tensor.requires_grad for tensor in tensors)
    assert bytes_of(network) == before
    assert all(not value for layer in network.layers for value in [layer._forward_hooks])


def test_node_values_are_those_of_the_trace_also_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make_network((3, 4, 2))
    x = make_sample(3)
    found = trace(network, x)
    wanted = [*(step.inputs for step in found.layers), found.outputs]
    for chunk in (2**22, 500, 1):
        monkeypatch.setattr(sys.modules[trace.__module__], "CHUNK", chunk)
        torch.testing.assert_close(node_values(network, x), wanted, rtol=1e-13, atol=1e-13)
