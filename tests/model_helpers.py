"""Networks, samples and byte-wise comparison that the tests of edits, history and model share."""

import torch
from nn_helpers import make_generator
from torch import Tensor

from kanviz.data.about import About
from kanviz.history import History
from kanviz.nn import Network
from kanviz.nn.state import NetworkState


def make_network(widths: tuple[int, ...] = (2, 5, 1), **functions: object) -> Network:
    return Network(widths, **{"dtype": torch.float64, **functions})


def make_sample(inputs: int = 2, samples: int = 200, *, reach: float = 1.2) -> Tensor:
    """Return float64 points somewhat beyond the grid of a new network."""
    unit = torch.rand(samples, inputs, generator=make_generator(7), dtype=torch.float64)
    return reach * (2 * unit - 1)


def make_history(network: Network) -> History:
    about = About.nothing(network.widths[0], network.widths[-1])
    return History(network, about, f"model = kv.KAN({list(network.widths)}, dtype=torch.float64)")


def bytes_of(network: torch.nn.Module) -> list[tuple[str, object]]:
    """Return everything that an undo must give back, as bytes and plain values."""
    tensors = [
        (name, tensor.dtype, tuple(tensor.shape), tensor.detach().cpu().numpy().tobytes())
        for name, tensor in network.state_dict().items()
    ]
    trains = [(name, parameter.requires_grad) for name, parameter in network.named_parameters()]
    specs = [str(getattr(module, "spec", None)) for module in network.modules()]
    ends = [str(getattr(module, "in_features", None)) for module in network.modules()]
    return [("tensors", tensors), ("trains", trains), ("specs", specs), ("ends", ends)]


def bytes_of_state(state: NetworkState) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in state.tensors()]
