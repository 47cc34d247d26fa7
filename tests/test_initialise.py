from itertools import pairwise

import pytest
import torch
from nn_helpers import make_generator, make_knots, make_points
from torch import Tensor
from type_checks import type_checks_off

from kanviz.nn import KANLayer, Network
from kanviz.nn.initialise import InitName, initial_weight
from kanviz.nn.kernels import edge_sum
from kanviz.nn.spec import BaseName, BasisName, FunctionSpec

BASES = ["bspline", "gaussian"]


def uniform_data(samples: int, inputs: int) -> Tensor:
    """Return points that fill (-1, 1)."""
    unit = torch.rand(samples, inputs, generator=make_generator(7), dtype=torch.float64)
    return 2 * unit - 1


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("grid_size", [3, 5, 20, 50])
@pytest.mark.parametrize("width", [1, 2, 8, 50, 200])
def test_a_node_has_the_promised_root_mean_square(
    basis: BasisName, grid_size: int, width: int
) -> None:
    layer = KANLayer(width, 400, basis=basis, grid_size=grid_size, dtype=torch.float64)
    with torch.no_grad():
        rms = layer(uniform_data(200, width)).square().mean().sqrt()
    assert 0.4 <= rms <= 0.6


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("grid_size", [3, 10, 50])
@pytest.mark.parametrize(("width", "depth"), [(1, 8), (5, 1), (5, 8), (50, 4), (100, 8)])
def test_outputs_and_gradients_stay_bounded_at_any_width_and_depth(
    basis: BasisName, grid_size: int, width: int, depth: int
) -> None:
    widths = [width] * (depth + 1)
    outputs, gradients = [], []
    for seed in range(1 if width > 20 else 5):
        net = Network(widths, basis=basis, grid_size=grid_size, seed=seed, dtype=torch.float64)
        x = uniform_data(60, width).requires_grad_()
        y = net(x)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        outputs.append(y.square().mean().sqrt().item())
        gradients.append(gradient.square().mean().sqrt().item())
    assert 0.1 <= sorted(outputs)[len(outputs) // 2] <= 1.5
    assert max(outputs) <= 4.0
    assert 1e-3 <= sorted(gradients)[len(gradients) // 2] <= 5.0 * width**0.5 * 2.0**depth


@pytest.mark.parametrize("basis", BASES)
def test_gradients_of_all_layers_have_like_size(basis: BasisName) -> None:
    net = Network([10] * 9, basis=basis, dtype=torch.float64)
    net(uniform_data(200, 10)).square().mean().backward()
    norms = [p.grad.norm().item() for p in net.parameters() if p.grad is not None]
    assert len(norms) == 8
    assert max(norms) <= 100 * min(norms)
    for before, after in pairwise(norms):
        assert 0.1 <= after / before <= 10


@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
@pytest.mark.parametrize("basis", BASES)
def test_zero_gives_zero(basis: BasisName, base: BaseName) -> None:
    layer = KANLayer(3, 2, init="zero", basis=basis, base=base)
    assert layer.weight.count_nonzero() == 0
    assert layer(torch.randn(5, 3)).count_nonzero() == 0


@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
@pytest.mark.parametrize(("basis", "tolerance"), [("bspline", 1e-11), ("gaussian", 0.02)])
def test_identity_gives_the_input_back(basis: BasisName, base: BaseName, tolerance: float) -> None:
    net = Network([4, 4, 4], init="identity", basis=basis, base=base, dtype=torch.float64)
    x = uniform_data(50, 4)
    exact = base == "identity" or basis == "bspline"
    assert (net(x) - x).abs().max() <= (1e-11 if exact else tolerance)
    if exact:
        assert (net(10 * x) - 10 * x).abs().max() <= 1e-9


@pytest.mark.parametrize("base", ["silu", "identity"])
@pytest.mark.parametrize("order", [1, 3])
def test_linear_gives_straight_lines_of_unit_norm(order: int, base: BaseName) -> None:
    layer = KANLayer(6, 4, init="linear", spline_order=order, base=base, dtype=torch.float64)
    slopes = layer.edge_outputs(3 * uniform_data(30, 6), derivative=1)
    assert slopes.std(0).max() <= 1e-10
    assert slopes.mean(0).norm(dim=0).tolist() == pytest.approx([1.0] * 4)
    assert slopes.mean(0).unique().numel() == 24
    assert layer(torch.zeros(1, 6, dtype=torch.float64)).abs().max() <= 1e-11


def test_steps_can_be_lines_only_through_an_identity_base() -> None:
    layer = KANLayer(2, 2, init="identity", spline_order=0, base="identity", dtype=torch.float64)
    x = uniform_data(5, 2)
    assert (layer(x) - x).abs().max() == 0
    with pytest.raises(ValueError, match=r"spline_order must be at least 1 for init='linear'"):
        KANLayer(2, 3, init="linear", spline_order=0)


def test_identity_needs_equal_widths() -> None:
    message = r"out_features must equal in_features for init='identity'; got 2 inputs and 3 outputs"
    with pytest.raises(ValueError, match=message):
        KANLayer(2, 3, init="identity")


def test_an_unknown_name_lists_the_known() -> None:
    with (
        type_checks_off(),
        pytest.raises(ValueError, match=r"init must be one of 'auto', 'zero', .*spam"),
    ):
        KANLayer(2, 3, init="spam")  # type: ignore[arg-type]


@pytest.mark.usefixtures("rng_untouched")
@pytest.mark.parametrize("init", ["auto", "linear"])
def test_the_generator_is_the_only_source_of_randomness(init: InitName) -> None:
    with type_checks_off():  # the checker draws from Python's own generator
        spec = FunctionSpec()
        knots = make_knots(2, spec)
        first, again, other = (
            initial_weight(init, knots, 3, spec, make_generator(seed)) for seed in (5, 5, 6)
        )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_curves_follow_the_grid_wherever_it_lies() -> None:
    spec = FunctionSpec(5, base="zero")
    knots = make_knots(50, spec)
    x = make_points(knots, spec, 200)
    here = edge_sum(x, knots, initial_weight("auto", knots, 30, spec, make_generator()), spec)
    there = edge_sum(
        1e3 * x, 1e3 * knots, initial_weight("auto", 1e3 * knots, 30, spec, make_generator()), spec
    )
    assert (here - there).abs().max() <= 1e-9
