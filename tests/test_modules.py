"""A layer and a network are modules like any other: copies, replicas, states, transforms."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from nn_helpers import make_generator
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, stack_module_state, vmap

from kanviz.nn import KANLayer, Network
from kanviz.symbolic.functions import default_library


def make_network(how: str = "plain", seed: int = 0) -> Network:
    """Return a network whose edges stand in different ways."""
    network = Network([2, 3, 1], seed=seed, dtype=torch.float64)
    layer = network.layers[0]
    if how != "plain":
        layer.set_mask(torch.tensor([[True, False, True], [True, True, True]]))
        layer.set_frozen(torch.tensor([[True, False, False], [False, False, False]]))
        layer.lock([(0, 2), (1, 2)])
    if how == "formula":
        layer.fix(1, 0, default_library()["sin"], (2.0, 0.1, 0.7, 0.2))
    return network


def points(samples: int = 7) -> Tensor:
    return 2 * torch.rand(samples, 2, generator=make_generator(), dtype=torch.float64) - 1


def by_bytes(network: Network) -> Network:
    copied: Network = pickle.loads(pickle.dumps(network))
    return copied


def by_state(network: Network) -> Network:
    """Return another network that loaded the state of this one, as written by torch."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = make_network(seed=1)
    for mine, theirs in zip(other.layers, network.layers, strict=True):
        mine.set_symbols(copy.deepcopy(theirs.symbols))  # formulas are no tensors
    other.load_state_dict(torch.load(file, weights_only=True))
    return other


@pytest.mark.parametrize("how", ["plain", "edited", "formula"])
@pytest.mark.parametrize("remade", [copy.deepcopy, by_bytes, by_state])
def test_a_copy_computes_the_same_and_is_apart(
    how: str, remade: Callable[[Network], Network]
) -> None:
    network, x = make_network(how), points()
    before = network(x).detach()
    other = remade(network)
    assert torch.equal(other(x), before)
    assert other.state_dict().keys() == network.state_dict().keys()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    assert torch.equal(network(x), before)


def test_the_keys_of_a_state_are_those_of_0_1_and_the_functions() -> None:
    names = ["weight", "knots", "mask", "frozen", "leaders", "_extra_state"]
    assert list(KANLayer(2, 1).state_dict()) == names
    keys = [f"layers.{depth}.{name}" for depth in (0, 1) for name in names]
    assert list(make_network().state_dict()) == keys


@pytest.mark.parametrize("how", ["plain", "edited", "formula"])
def test_parameters_can_be_given_from_outside(how: str) -> None:
    network, x = make_network(how), points()
    parameters = {name: p.detach().clone() for name, p in network.named_parameters()}

    def loss(parameters: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = functional_call(network, parameters, (x,))
        return outputs.square().mean()

    slopes = grad(loss)(parameters)
    network(x).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(slopes[name], parameter.grad)


def test_an_ensemble_runs_as_one() -> None:
    networks, x = [make_network(seed=seed) for seed in range(3)], points()
    modules: list[nn.Module] = list(networks)
    parameters, buffers = stack_module_state(modules)

    def run(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = functional_call(networks[0], (parameters, buffers), (x,))
        return outputs

    found = vmap(run)(parameters, buffers)
    torch.testing.assert_close(found, torch.stack([network(x) for network in networks]))


@pytest.mark.parametrize("how", ["plain", "edited", "formula"])
def test_derivatives_of_single_points_are_those_of_the_batch(how: str) -> None:
    network, x = make_network(how), points().requires_grad_()
    found = vmap(jacrev(network))(x.detach())[:, 0]
    (wanted,) = torch.autograd.grad(network(x).sum(), x)
    torch.testing.assert_close(found, wanted)


def replica_of(module: nn.Module) -> nn.Module:
    """Return what ``DataParallel`` runs on one device: shallow modules with tensors that track."""
    replica: nn.Module = module._replicate_for_data_parallel()
    for name, child in module.named_children():
        setattr(replica, name, replica_of(child))
    for name, parameter in module.named_parameters(recurse=False):
        setattr(replica, name, parameter * 1)
    for name, buffer in module.named_buffers(recurse=False):
        setattr(replica, name, buffer.clone())
    return replica


@pytest.mark.parametrize("how", ["plain", "edited", "formula"])
def test_replicas_share_a_batch_and_add_up_their_gradients(how: str) -> None:
    network, x = make_network(how), points(10)
    network(x).square().sum().backward()
    wanted = {name: p.grad for name, p in network.named_parameters()}
    network.zero_grad()
    outputs = [replica_of(network)(part) for part in x.split(5)]
    torch.testing.assert_close(torch.cat(outputs), network(x))
    torch.cat(outputs).square().sum().backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name])
