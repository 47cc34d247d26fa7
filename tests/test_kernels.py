"""The CPU kernels against the plain torch that they stand in for."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_helpers import DTYPES, make_generator, make_knots, make_layer, make_points, threads
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from kanviz.nn import Network
from kanviz.nn.features import edge_sum_reference, features
from kanviz.nn.kernels import edge_sum, ops
from kanviz.nn.kernels.plan import make_plan
from kanviz.nn.spec import FunctionSpec

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
SPLINES = [
    FunctionSpec(size, order, base=base, extrapolation=extrapolation, uniform=uniform)  # type: ignore[arg-type]
    for size, order, base, extrapolation, uniform in product(
        (1, 5, 40), range(6), ("silu", "identity", "zero"), ("linear", "zero"), (True, False)
    )
]
GAUSSIANS = [
    FunctionSpec(size, basis="gaussian", base=base, extrapolation=extrapolation)  # type: ignore[arg-type]
    for size, base, extrapolation in product((1, 6, 200), ("silu", "zero"), ("linear", "zero"))
]
# One of each path: dense, sparse, any knots, Gaussian; each with one output and with three.
PATHS = [
    FunctionSpec(5, 3),
    FunctionSpec(16, 3, base="zero", extrapolation="zero"),
    FunctionSpec(5, 3, uniform=False, base="identity"),
    FunctionSpec(4, basis="gaussian"),
]
EdgeSum = Callable[[Tensor, Tensor, Tensor, FunctionSpec], Tensor]


def make_case(
    spec: FunctionSpec,
    shape: tuple[int, int, int],
    dtype: torch.dtype = torch.float64,
    *,
    reach: float = 0.5,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return x, knots, weight and a gradient of the outputs for (samples, inputs, outputs)."""
    samples, inputs, outputs = shape
    knots = make_knots(inputs, spec, seed, dtype)
    x = make_points(knots, spec, samples, reach, seed)
    generator = make_generator(seed)
    size = (inputs, spec.n_features, outputs)
    weight = torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)
    gradient = torch.randn(samples, outputs, generator=generator, dtype=torch.float64).to(dtype)
    return x, knots, weight, gradient


def strided(tensor: Tensor, how: str) -> Tensor:
    """Return the same numbers in another memory layout."""
    if how == "transposed":
        return tensor.mT.contiguous().mT
    if how == "sliced":
        return tensor.repeat_interleave(2, dim=-1)[..., ::2]
    return tensor


def derivatives(run: EdgeSum, case: tuple[Tensor, ...], spec: FunctionSpec) -> list[Tensor]:
    """Return outputs, first and second derivatives, those of a sum with curved parts."""
    x, knots, weight, gradient = (tensor.detach() for tensor in case)
    x.requires_grad_()
    weight.requires_grad_()
    y = run(x, knots, weight, spec)
    firsts = torch.autograd.grad((y * gradient).sum(), (x, weight), create_graph=True)
    total = y.square().sum() + sum(first.square().sum() for first in firsts)
    seconds = torch.autograd.grad(total, (x, weight))
    return [tensor.detach() for tensor in (y, *firsts, *seconds)]


def terms_of_values(case: tuple[Tensor, ...], spec: FunctionSpec) -> Tensor:
    """Return the sums of the absolute terms that the values are sums of."""
    x, knots, weight, _ = case
    return features(x, knots, spec).abs().flatten(-2) @ weight.abs().flatten(0, 1)


def assert_equal_to_reference(case: tuple[Tensor, ...], spec: FunctionSpec) -> None:
    found = derivatives(edge_sum, case, spec)
    wanted = derivatives(edge_sum_reference, case, spec)
    # Far outside the grid the tangents of neighbouring splines are large and of opposite signs. A
    # sum of them cannot be more exact than they are, in whatever order it is taken.
    terms = [terms_of_values(case, spec), *wanted[1:]]
    for order, a, b, size in zip((0, 1, 1, 2, 2), found, wanted, terms, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        if b.numel():
            scale = max(1.0, float(size.abs().max()))
            assert (a - b).abs().max() <= 4**order * TOLERANCE[b.dtype] * scale


@settings(max_examples=200)
@given(
    st.sampled_from(SPLINES + GAUSSIANS),
    st.tuples(st.integers(0, 70), st.integers(1, 5), st.integers(1, 4)),
    st.sampled_from(DTYPES),
    st.sampled_from([0.0, 0.7]),
    st.sampled_from(["contiguous", "transposed", "sliced"]),
    st.integers(0, 100),
)
def test_values_and_derivatives_equal_the_reference(
    spec: FunctionSpec,
    shape: tuple[int, int, int],
    dtype: torch.dtype,
    reach: float,
    how: str,
    seed: int,
) -> None:
    x, knots, weight, gradient = make_case(spec, shape, dtype, reach=reach, seed=seed)
    assert ops.usable(x, knots, weight, spec)
    case = strided(x, how), strided(knots, how), strided(weight, how), gradient
    assert_equal_to_reference(case, spec)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_many_chunks_and_blocks_equal_the_reference(spec: FunctionSpec, outputs: int) -> None:
    assert_equal_to_reference(make_case(spec, (3000, 17, outputs)), spec)
    assert_equal_to_reference(make_case(spec, (3, 2500, outputs)), spec)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("extrapolation", ["linear", "zero"])
def test_gaussians_too_far_from_a_number_to_count_are_left_out(
    extrapolation: Any, outputs: int, dtype: torch.dtype
) -> None:
    spec = FunctionSpec(150, basis="gaussian", extrapolation=extrapolation)
    assert make_plan(spec, 0, dtype).active < spec.n_basis / 10
    assert not make_plan(spec, 0, dtype).is_dense
    assert_equal_to_reference(make_case(spec, (200, 3, outputs), dtype, reach=0.7), spec)


@pytest.mark.parametrize("spec", PATHS, ids=str)
@pytest.mark.parametrize("outputs", [1, 3])
def test_two_threads_give_what_one_gives(spec: FunctionSpec, outputs: int) -> None:
    case = make_case(spec, (3000, 17, outputs))
    with threads(1):
        alone = derivatives(edge_sum, case, spec)
    with threads(2):
        together = derivatives(edge_sum, case, spec)
    for a, b in zip(alone, together, strict=True):
        assert (a - b).abs().max() <= 1e-13 * b.abs().max()


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_gradients_pass_gradcheck_twice(spec: FunctionSpec, outputs: int) -> None:
    x, knots, weight, _ = make_case(spec, (4, 2, outputs), reach=0.2)

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return edge_sum(x, knots, weight, spec)

    inputs = x.requires_grad_(), weight.requires_grad_()
    assert gradcheck(run, inputs, fast_mode=True)
    assert gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("options", [{}, {"basis": "gaussian"}, {"spline_order": 5}], ids=str)
def test_the_residual_of_a_differential_equation_trains(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """u'' of a whole network, then the gradient of its square: third derivatives."""

    def residual_gradients() -> list[Tensor]:
        net = Network([2, 4, 1], dtype=torch.float64, **options)
        x = torch.rand(30, 2, generator=make_generator(), dtype=torch.float64).requires_grad_()
        (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        bend.square().mean().backward()
        return [p.grad for p in net.parameters() if p.grad is not None]

    found = residual_gradients()
    monkeypatch.setattr(ops, "usable", lambda *_: False)
    wanted = residual_gradients()
    assert len(found) == 2
    for a, b in zip(found, wanted, strict=True):
        assert (a - b).abs().max() <= 1e-11 * b.abs().max()


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_nan_and_infinity_stay_in_their_sample(spec: FunctionSpec, outputs: int) -> None:
    x, knots, weight, gradient = make_case(spec, (6, 2, outputs))
    whole = edge_sum(x, knots, weight, spec)
    for value in (torch.nan, torch.inf, -torch.inf):
        x[2, 1] = value
        hurt, right = edge_sum(x, knots, weight, spec), edge_sum_reference(x, knots, weight, spec)
        assert torch.equal(hurt.isnan(), right.isnan())
        assert (hurt - whole)[[0, 1, 3, 4, 5]].abs().max() <= 1e-14
    x[2, 1] = torch.nan
    slopes = derivatives(edge_sum, (x, knots, weight, gradient), spec)[1]
    assert slopes.isnan().tolist() == [[row == 2 and i == 1 for i in (0, 1)] for row in range(6)]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_scaled_sums_of_derivatives_equal_the_reference(spec: FunctionSpec, order: int) -> None:
    x, knots, weight, gradient = make_case(spec, (40, 3, 2))
    scale = torch.randn(x.shape, generator=make_generator(1), dtype=x.dtype)
    inputs = [tensor.requires_grad_() for tensor in (x, weight, scale)]
    found, wanted = (
        run(x, knots, weight, spec, order=order, scale=scale)
        for run in (edge_sum, edge_sum_reference)
    )
    torch.testing.assert_close(found, wanted)
    slopes = [torch.autograd.grad(y, inputs, gradient) for y in (found, wanted)]
    for mine, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(mine, theirs)
    many = x.detach().view(5, 8, 3), scale.detach().view(5, 8, 3)
    y = edge_sum(many[0], knots, weight.detach(), spec, order=order, scale=many[1])
    torch.testing.assert_close(y.view_as(found), found)


def test_leading_axes_are_kept() -> None:
    spec = FunctionSpec()
    x, knots, weight, _ = make_case(spec, (12, 2, 3))
    flat = edge_sum(x, knots, weight, spec)
    assert torch.equal(edge_sum(x.reshape(3, 4, 2), knots, weight, spec), flat.reshape(3, 4, 3))
    assert torch.equal(edge_sum(x[0], knots, weight, spec), flat[0])
    assert edge_sum(x[:0].reshape(0, 4, 2), knots, weight, spec).shape == (0, 4, 3)


def test_only_wanted_gradients_are_made() -> None:
    layer = make_layer()
    layer.weight.requires_grad = False
    assert not layer(torch.zeros(4, 3, dtype=torch.float64)).requires_grad
    x = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
