"""A model lives as any torch module does."""

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from kanviz.model import KAN


def make_fitted() -> tuple[KAN, Tensor]:
    """Return a model with units, and rows in them."""
    x = 50 + 5 * torch.rand(40, 2, generator=torch.Generator().manual_seed(0))
    model = KAN([2, 3, 1], seed=0)
    model.fit(x, (x[:, 0] * x[:, 1]).numpy(), steps=8, starts=1, progress=False)
    return model, x


COMPILE = """
import torch
from kanviz.model import KAN
model, x = KAN([2, 3, 1]), torch.linspace(-1.2, 1.2, 40).reshape(20, 2)
compiled = torch.compile(model, backend="eager", fullgraph=True)
torch.testing.assert_close(compiled(x), model(x))
x = 50 + 5 * torch.rand(40, 2)
model = KAN([2, 3, 1])
model.fit(x, x[:, 0] * x[:, 1], steps=3, starts=1, progress=False)
assert model.session.about.has_units
compiled = torch.compile(model, backend="eager", fullgraph=True)
torch.testing.assert_close(compiled(x), model(x))
"""


def test_a_model_compiles_in_one_graph_with_and_without_units() -> None:
    # In a process of its own, because the shape checks of the tests cannot be compiled.
    result = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("part", [nn.Module.named_parameters, nn.Module.state_dict])
def test_functional_call_uses_the_weights_it_is_given(part: Any) -> None:
    model, x = make_fitted()
    weights = dict(part(model))
    torch.testing.assert_close(functional_call(model, weights, (x,)), model(x))
    nothing = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
    mean = model.session.about.y_scaling.shift.float()
    torch.testing.assert_close(functional_call(model, nothing, (x,)), mean.expand(40, 1))


def test_gradients_per_sample() -> None:
    model, x = make_fitted()
    weights: dict[str, Tensor] = dict(model.named_parameters())

    def loss(chosen: dict[str, Tensor], row: Tensor) -> Tensor:
        outputs: Tensor = functional_call(model, chosen, (row.unsqueeze(0),))
        return outputs.square().sum()

    slopes = vmap(grad(loss), in_dims=(None, 0))(weights, x)
    model(x).square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        torch.testing.assert_close(slopes[name].sum(0), weight.grad, rtol=1e-3, atol=1e-1)


def replicas_of(model: nn.Module, count: int) -> list[nn.Module]:
    """Return replicas as ``torch.nn.parallel.replicate`` makes them, which needs CUDA."""
    modules = list(model.modules())
    places = {module: number for number, module in enumerate(modules)}
    copies = []
    for _ in range(count):
        made = [module._replicate_for_data_parallel() for module in modules]
        for module, replica in zip(modules, made, strict=True):
            for name, child in module._modules.items():
                if child is not None:
                    setattr(replica, name, made[places[child]])
            for name, value in [*module._parameters.items(), *module._buffers.items()]:
                if value is not None:
                    setattr(replica, name, value.clone())  # no leaf: gradients flow back
        copies.append(made[0])
    return copies


def test_replicas_give_the_outputs_and_gradients_of_the_whole() -> None:
    model, x = make_fitted()
    whole = model(x)
    whole.sum().backward()
    expected = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    parts = [replica(rows) for replica, rows in zip(replicas_of(model, 2), x.chunk(2), strict=True)]
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.cat(parts).sum().backward()
    found = [weight.grad for weight in model.parameters()]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, KAN.copy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_have_the_units_too(twin: Any) -> None:
    model, x = make_fitted()
    other = twin(model)
    assert torch.equal(other(x), model(x))
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_a_state_dict_goes_through_a_file() -> None:
    model, x = make_fitted()
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    again = KAN([2, 3, 1], seed=9)
    again.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(again(x), model(x))


def test_it_trains_as_a_part_of_another_module() -> None:
    net = nn.Sequential(nn.Linear(2, 2), KAN([2, 3, 1]))
    x = torch.rand(64, 2)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = (net(x) - x.prod(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_forward_takes_no_lock() -> None:
    model, x = make_fitted()
    with model.session.reading():
        pass
    model.session._lock = None  # type: ignore[assignment]  # whoever took it would fail
    assert model(x).shape == (40, 1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_is_shown_edited_and_asked(
    dtype: torch.dtype, tmp_path: Path
) -> None:
    model = KAN([2, 2, 1], seed=0).to(dtype)
    x = torch.rand(20, 2)
    found = model.snapshot(x)
    assert found.edges[0].curve_y.dtype == np.float64
    assert len(model.plot(x).axes)
    model.to_html(tmp_path / "model.html", (x, x[:, :1]))
    model.move_point((0, 0, 0), 2, 0.5)
    model.undo()
    model.explore((x, x[:, :1])).close()
    with pytest.raises(ValueError, match=r"Files hold models in .*Save model.copy\(\).float\(\)"):
        model.save(tmp_path / "model.kan")
    model.copy().float().save(tmp_path / "model.kan")
