"""Formulas as edges of a layer: values, derivatives, training, and their standing."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call, jacrev

from kanviz.nn import KANLayer, Network
from kanviz.nn.symbols import SymbolicEdges
from kanviz.training.jacobian import linearise, n_weights


@dataclass(frozen=True)
class Known:
    """A function by name."""

    name: str
    torch: Callable[..., Tensor]
    constants: tuple[str, ...] = ()


SIN, SQUARE, CONSTANT = (
    Known("sin", torch.sin),
    Known("x^2", torch.square),
    Known("0", torch.zeros_like),
)


def make_symbols(layer: KANLayer, edges: dict[tuple[int, int], Known]) -> SymbolicEdges:
    generator = torch.Generator().manual_seed(0)
    inputs, outputs = (torch.tensor(part) for part in zip(*edges, strict=True))
    affine = torch.randn(len(edges), 4, generator=generator, dtype=torch.float64)
    return SymbolicEdges(inputs, outputs, list(edges.values()), affine)


def make_network() -> Network:
    network = Network([2, 3, 2], dtype=torch.float64, seed=1)
    network.layers[0].set_symbols(
        make_symbols(network.layers[0], {(0, 1): SIN, (1, 1): SQUARE, (1, 2): CONSTANT})
    )
    network.layers[1].set_symbols(make_symbols(network.layers[1], {(2, 0): SQUARE}))
    return network


def make_x(samples: int = 9) -> Tensor:
    return torch.randn(samples, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_symbolic_edge_computes_its_formula_and_others_stay() -> None:
    layer, x = Network([2, 3], dtype=torch.float64, seed=1).layers[0], make_x()
    before = layer.edge_outputs(x)
    layer.set_symbols(make_symbols(layer, {(0, 1): SIN}))
    assert layer.symbols is not None
    a, b, c, d = layer.symbols.affine[0]
    after = layer.edge_outputs(x)
    torch.testing.assert_close(after[:, 0, 1], c * torch.sin(a * x[:, 0] + b) + d)
    others = torch.ones(2, 3, dtype=torch.bool)
    others[0, 1] = False
    assert torch.equal(after[:, others], before[:, others])
    torch.testing.assert_close(layer(x), after.sum(1))
    layer.set_symbols(None)
    assert torch.equal(layer.edge_outputs(x), before)


def test_derivatives_in_x_equal_autograd() -> None:
    layer = make_network().layers[0]
    x = make_x().requires_grad_()
    value = layer.edge_outputs(x)[:, 1, 1].sum()
    for order in (1, 2, 3):
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
        mine = layer.edge_outputs(x.detach(), derivative=order)[:, 1, 1]
        torch.testing.assert_close(mine.detach(), slope[:, 1].detach(), rtol=1e-9, atol=1e-9)
        value = slope[:, 1].sum()


def test_jacobian_counts_the_numbers_of_the_formulas() -> None:
    network, x = make_network(), make_x()
    rows = linearise(network, x)
    zeros = torch.zeros(*rows.outputs.shape, n_weights(network), dtype=torch.float64)
    jacobian = zeros.scatter_add_(-1, rows.columns, rows.values)
    weights = {name: p.detach() for name, p in network.named_parameters()}
    by_autograd = jacrev(lambda p: functional_call(network, p, (x,)))(weights)
    wanted = torch.cat([by_autograd[name].flatten(2) for name in weights], dim=-1)
    torch.testing.assert_close(jacobian, wanted, rtol=1e-9, atol=1e-9)


def test_removed_formula_adds_nothing_and_frozen_one_does_not_learn() -> None:
    network, x = make_network(), make_x()
    first = network.layers[0]
    mask = first.mask.clone()
    mask[0, 1] = False
    first.set_mask(mask)
    assert not first.edge_outputs(x)[:, 0, 1].any()
    frozen = torch.zeros_like(mask)
    frozen[1, 1] = frozen[0, 0] = True
    first.set_frozen(frozen)
    network(x).sum().backward()
    assert first.symbols is not None
    gradient = first.symbols.affine.grad
    assert gradient is not None
    assert not gradient[:2].any()
    assert gradient[2].any()
    assert first.weight.grad is not None
    assert not first.weight.grad[0, :, 0].any()
    assert first.weight.grad[1, :, 0].any()
    assert not first.weight.grad[0, :, 1].any()  # its spline rests


def test_copies_and_takes_keep_formulas() -> None:
    network, x = make_network(), make_x()
    other = Network([2, 3, 2], dtype=torch.float64)
    other.take(network)
    assert torch.equal(other(x), network(x))
    assert not network.is_untouched()
