from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from nn_helpers import DTYPES, layers_of, make_generator, relative_error
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from type_checks import type_checks_off

from kanviz.nn import Network
from kanviz.nn.network import check_widths

KINDS: list[dict[str, Any]] = [
    {},
    {"spline_order": 1, "base": "identity"},
    {"spline_order": 0, "base": "zero", "extrapolation": "zero"},
    {"basis": "gaussian"},
    {"basis": "inverse_quadratic", "extrapolation": "zero"},
]


def make_network(widths: list[int], dtype: torch.dtype = torch.float64, **options: Any) -> Network:
    """Return a network with random weights and knots that were moved."""
    net = Network(widths, dtype=dtype, **options)
    generator = make_generator()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator).to(dtype) / 3)
    net.update_grid(make_data(200, widths[0], dtype), grid_eps=0.3)
    return net


def make_data(samples: int, inputs: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(samples, inputs, generator=make_generator(3), dtype=torch.float64).to(dtype)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def test_a_network_is_its_layers_in_a_row() -> None:
    net = make_network([3, 4, 2])
    x = make_data(7, 3)
    assert torch.equal(net(x), layers_of(net)[1](layers_of(net)[0](x)))
    assert net.widths == (3, 4, 2)
    assert net(x.reshape(7, 1, 3)).shape == (7, 1, 2)
    assert net(x[:0]).shape == (0, 2)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("times", [2, 5])
def test_refining_to_a_multiple_keeps_the_whole_network(
    dtype: torch.dtype, tolerance: float, order: int, times: int
) -> None:
    net = make_network([3, 4, 2, 1], dtype, grid_size=4, spline_order=order)
    x = 1.5 * make_data(300, 3, dtype)  # on the grid and off it
    before = net(x)
    assert net.refine(4 * times) == [0.0, 0.0, 0.0]
    assert relative_error(net(x), before) <= tolerance
    assert net.refine(4 * times) == [0.0, 0.0, 0.0]
    assert relative_error(net(x), before) <= tolerance


def test_refining_to_another_size_reports_each_layer() -> None:
    net = make_network([2, 3, 1])
    errors = net.refine(7)
    assert len(errors) == 2
    assert min(errors) > 1e-6


@pytest.mark.parametrize("grid_eps", [1.0, 0.02])
def test_update_grid_follows_the_data_through_all_layers(grid_eps: float) -> None:
    net = Network([2, 4, 4, 1], grid_size=30, dtype=torch.float64)
    x = 3 + 5 * make_data(400, 2).sin()
    with torch.no_grad():
        net.update_grid(x)
        before = net(x)
        errors = net.update_grid(x, grid_eps=grid_eps)
        assert len(errors) == 3
        assert max(errors) <= 0.02
        assert (net(x) - before).square().mean().sqrt() <= 0.05
        for layer in layers_of(net):
            assert (layer.grid_points[:, 0] <= x.amin(0)).all()
            assert (layer.grid_points[:, -1] >= x.amax(0)).all()
            x = layer(x)


@pytest.mark.usefixtures("rng_untouched")
def test_a_seed_means_the_same_network_on_every_dtype() -> None:
    with type_checks_off():  # the checker draws from Python's own generator
        double = Network([2, 3, 1], seed=4, dtype=torch.float64)
        single = Network([2, 3, 1], seed=4, dtype=torch.float32)
        other = Network([2, 3, 1], seed=5, dtype=torch.float32)
    for a, b, c in zip(*map(layers_of, (double, single, other)), strict=True):
        assert torch.equal(a.weight.float(), b.weight)
        assert not torch.equal(b.weight, c.weight)


def test_only_the_first_layer_takes_the_range_of_the_inputs() -> None:
    net = Network([2, 3, 1], grid_range=(0.0, 10.0))
    ranges = [layer.grid_points[0, [0, -1]].tolist() for layer in layers_of(net)]
    assert ranges == [[0, 10], [-1, 1]]


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("default", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_dtype_is_fixed(
    options: dict[str, Any], default: torch.dtype, dtype: torch.dtype
) -> None:
    with default_dtype(default):
        net = Network([2, 3, 1], dtype=dtype, **options)
        assert layers_of(Network([2, 1], **options))[0].weight.dtype == default
        x = make_data(10, 2, dtype).requires_grad_()
        y = net(x)
        y.square().sum().backward()
        net.update_grid(x)
        net.refine(10)
        assert layers_of(net)[0].edge_outputs(x, derivative=2).dtype == dtype
        found = {y.dtype, net(x).dtype, *(p.dtype for p in net.parameters())}
        found |= {layer.knots.dtype for layer in layers_of(net)}
    assert found == {dtype}
    assert x.grad is not None
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_no_device_is_fixed(options: dict[str, Any]) -> None:
    net = Network([2, 3, 1], device="meta", **options)
    x = torch.empty(10, 2, device="meta", requires_grad=True)
    y = net(x)
    y.square().sum().backward()
    assert y.shape == (10, 1)
    assert y.device.type == x.device.type == "meta"
    for layer in layers_of(net):
        assert layer.edge_outputs(torch.empty(10, layer.in_features, device="meta")).is_meta
        assert layer.control_points.is_meta
        layer.set_mask(torch.zeros_like(layer.mask))
    assert all(p.is_meta and p.grad is not None for p in net.parameters())
    real = net.to_empty(device="cpu")
    real.load_state_dict(Network([2, 3, 1], **options).state_dict())
    assert torch.equal(real(torch.ones(1, 2)), Network([2, 3, 1], **options)(torch.ones(1, 2)))


@pytest.mark.parametrize("options", [KINDS[0], KINDS[3]], ids=str)
def test_gradients_pass_gradcheck_twice(options: dict[str, Any]) -> None:
    net = make_network([2, 2, 1], **options)
    x = make_data(4, 2).requires_grad_()
    weights = [layer.weight for layer in layers_of(net)]

    def run(x: Tensor, *weights: Tensor) -> Tensor:
        names = [f"layers.{depth}.weight" for depth in range(len(weights))]
        y: Tensor = torch.func.functional_call(net, dict(zip(names, weights, strict=True)), (x,))
        return y

    assert gradcheck(run, (x, *weights), fast_mode=True)
    assert gradgradcheck(run, (x, *weights), fast_mode=True)


def test_a_nan_stays_in_its_sample() -> None:
    net = make_network([2, 3, 1])
    x = make_data(4, 2)
    whole = net(x)
    x[2, 0] = torch.nan
    assert net(x).isnan().flatten().tolist() == [False, False, True, False]
    assert torch.equal(net(x)[[0, 1, 3]], whole[[0, 1, 3]])


@pytest.mark.parametrize("widths", [[2], [2, 0], [2, -1, 1], [2, True], [2, 2.5], "21", 3, []])
def test_bad_widths_are_named(widths: Any) -> None:
    message = r"widths must be at least two integers of at least 1; got .*\. Pass for example"
    with type_checks_off(), pytest.raises(ValueError, match=message):
        check_widths(widths)
    with type_checks_off(), pytest.raises(ValueError, match=message):
        Network(widths)
