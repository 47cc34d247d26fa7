"""Networks, samples, waiting and comparison of bytes, for tests of all that holds a model."""

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from nn_helpers import make_generator
from torch import Tensor, nn
from torch.export import ExportedProgram

import kanviz
from kanviz.data import Dataset, from_function
from kanviz.data.dataset import About
from kanviz.model import KAN
from kanviz.model.history import History
from kanviz.nn import Network
from kanviz.nn.nodes import NodeCount
from kanviz.nn.state import NetworkState
from kanviz.nn.symbols import SymbolicEdges
from kanviz.symbolic import default_library
from kanviz.training import FitReport


def make_network(widths: tuple[int, ...] = (2, 5, 1), **functions: Any) -> Network:
    return Network(widths, **{"dtype": torch.float64, **functions})


def make_sample(inputs: int = 2, samples: int = 200, *, reach: float = 1.2) -> Tensor:
    """Return float64 points somewhat beyond the grid of a new network."""
    unit = torch.rand(samples, inputs, generator=make_generator(7), dtype=torch.float64)
    return reach * (2 * unit - 1)


def make_symbols(scale: float = 1.0) -> SymbolicEdges:
    """Return edge (1, 2) as sin(scale * x)."""
    affine = torch.tensor([[scale, 0.0, 1.0, 0.0]], dtype=torch.float64)
    return SymbolicEdges(torch.tensor([1]), torch.tensor([2]), [default_library()["sin"]], affine)


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


def check_the_way_back_and_forth(model: KAN, line: list[list[tuple[str, object]]]) -> None:
    """Undo all steps of a model and redo them; ``line`` holds ``bytes_of`` it before and after."""
    for past in reversed(line[:-1]):
        model.undo()
        assert bytes_of(model) == past
    for future in line[1:]:
        model.redo()
        assert bytes_of(model) == future


def make_model(widths: Sequence[NodeCount] = (2, 3, 1), **options: Any) -> KAN:
    return KAN(widths, **{"dtype": torch.float64, **options})


def make_data(seed: int = 0) -> Dataset:
    return from_function(
        lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2, 60, 20, seed=seed, dtype=torch.float64
    )


def fit_briefly(model: KAN, data: Any = None, **options: Any) -> FitReport:
    settings: dict[str, Any] = {"optimizer": "lm", "steps": 3, "starts": 2, "progress": False}
    report: FitReport = model.fit(make_data() if data is None else data, **settings, **options)
    return report


def fitted_model() -> KAN:
    model = make_model()
    fit_briefly(model)
    return model


def run_script(model: KAN, **names: object) -> KAN:
    """Run what ``script()`` wrote, with these names known, and return the model that it made."""
    known = {"kv": kanviz, "torch": torch, **names}
    lines = [line for line in model.script().splitlines() if not line.startswith("import")]
    exec("\n".join(lines), known)
    made = known["model"]
    assert isinstance(made, KAN)
    return made


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what other threads do."""
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "nothing came"
        time.sleep(0.005)


def exported(module: nn.Module, x: Tensor, **options: Any) -> tuple[ExportedProgram, nn.Module]:
    """Return what torch.export makes of a module, and that as a module again.

    Without the warnings of torch 2.7, which are its own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (x,), **options)
        return program, program.module()
