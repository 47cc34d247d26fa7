import torch
from hypothesis import given
from hypothesis import strategies as st
from model_helpers import bytes_of, make_network, make_sample

from kanviz.nn import Network
from kanviz.nn.compact import put_back, without_idle_nodes
from kanviz.nn.symbols import SymbolicEdges
from kanviz.symbolic import default_library


def make_pruned(seed: int, *, locked: bool = False) -> Network:
    network = make_network((2, 4, 3, 1), seed=seed, grid_size=3)
    generator = torch.Generator().manual_seed(seed)
    function = default_library()["sin"]
    if locked:
        network.layers[1].lock([(1, 0), (3, 2)])
    for layer in network.layers:
        layer.set_mask(torch.rand(layer.mask.shape, generator=generator) < 0.4)
        for i, j in (torch.rand(layer.mask.shape, generator=generator) < 0.3).nonzero().tolist():
            layer.fix(i, j, function, (1.0, 0.2, 0.5, 0.1), 0.9)
    return network


@given(seed=st.integers(0, 10_000), locked=st.booleans())
def test_without_idle_nodes_it_computes_the_same_and_comes_back_to_the_last_bit(
    *, seed: int, locked: bool
) -> None:
    network, x = make_pruned(seed, locked=locked), make_sample(samples=30)
    before = bytes_of(network)
    small, nodes = without_idle_nodes(network)
    with torch.no_grad():
        torch.testing.assert_close(small(x), network(x))
    assert small.widths == tuple(map(len, nodes))
    assert bytes_of(network) == before
    put_back(network, small, nodes)
    other = make_pruned(seed, locked=locked)
    for layer in (*network.layers, *other.layers):
        layer.set_symbols(_sorted(layer.symbols))  # only their order may differ
    assert bytes_of(network) == bytes_of(other)


def _sorted(symbols: SymbolicEdges | None) -> SymbolicEdges | None:
    if symbols is None:
        return None
    order = sorted(range(len(symbols.functions)), key=lambda n: symbols.edges[n])
    return SymbolicEdges(
        symbols.inputs[order],
        symbols.outputs[order],
        [symbols.functions[n] for n in order],
        symbols.affine.detach()[order],
        [symbols.quality[n] for n in order],
    )


def test_what_the_copy_learns_comes_back_and_idle_nodes_keep_theirs() -> None:
    network = make_network((2, 3, 1))
    mask = torch.ones_like(network.layers[0].mask)
    mask[:, 1] = False
    network.layers[0].set_mask(mask)
    network.layers[1].set_mask(torch.tensor([[True], [False], [True]]))
    idle = network.layers[0].weight[:, :, 1].detach().clone()
    small, nodes = without_idle_nodes(network)
    assert small.widths == (2, 2, 1)
    with torch.no_grad():
        for layer in small.layers:
            layer.weight.add_(0.1)
    small.update_grid(make_sample(reach=2.0), grid_eps=0.5)
    put_back(network, small, nodes)
    x = make_sample()
    with torch.no_grad():
        torch.testing.assert_close(network(x), small(x))
    assert torch.equal(network.layers[0].weight[:, :, 1], idle)
    assert not network.layers[0].spec.uniform
