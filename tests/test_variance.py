"""Moments by kernels against plain torch, and both against what they are moments of."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_helpers import DTYPES, make_generator, make_knots, make_layer, make_points, threads
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from kanviz.nn import variance
from kanviz.nn.features import Variances, edge_variance_reference
from kanviz.nn.kernels import ops
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.variance import edge_variance, edge_variances, feature_covariance, layer_variance

SPECS = [
    FunctionSpec(size, order, base=base, extrapolation=extrapolation, uniform=uniform)  # type: ignore[arg-type]
    for size, order, base, extrapolation, uniform in product(
        (1, 5, 30), (1, 3, 4), ("silu", "zero"), ("linear", "zero"), (True, False)
    )
]
SPECS += [FunctionSpec(5, 0)]  # with a base: steps alone may be constant, where roots have no slope
SPECS += [FunctionSpec(1, basis="gaussian"), FunctionSpec(40, basis="gaussian", base="zero")]
# One of each path: all features, active ones of equal and of any knots, Gaussians.
PATHS = [
    FunctionSpec(5, 3),
    FunctionSpec(30, 3, base="zero"),
    FunctionSpec(5, 3, uniform=False),
    FunctionSpec(4, basis="gaussian"),
]
FEW_AND_MANY = [1, 12]
"""Numbers of outputs below and above the one where the kernels go another way."""

Run = Callable[[Tensor, Tensor, Tensor, FunctionSpec], Variances]
Case = tuple[Tensor, Tensor, Tensor]


def make_case(
    spec: FunctionSpec,
    shape: tuple[int, int, int],
    dtype: torch.dtype = torch.float64,
    *,
    reach: float = 0.3,
    seed: int = 0,
) -> Case:
    """Return x, knots and weight for (samples, inputs, outputs)."""
    samples, inputs, outputs = shape
    knots = make_knots(inputs, spec, seed, dtype)
    size = (inputs, spec.n_features, outputs)
    weight = torch.randn(size, generator=make_generator(seed), dtype=torch.float64).to(dtype)
    return make_points(knots, spec, samples, reach, seed), knots, weight


def values_and_slopes(run: Run, case: Case, spec: FunctionSpec) -> list[Tensor]:
    """Return outputs and variances, and the gradients of a sum in which each part counts."""
    x, knots, weight = (tensor.detach() for tensor in case)
    x.requires_grad_()
    weight.requires_grad_()
    found = run(x, knots, weight, spec)
    generator, total = make_generator(7), x.new_zeros(())
    for part in found:
        factor = torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part)
        total = total + (part * factor).sum()
    return [part.detach() for part in (*found, *torch.autograd.grad(total, (x, weight)))]


def assert_equal_to_reference(
    case: Case, spec: FunctionSpec, tolerance: float, *, rounding: float = 0.0
) -> None:
    x, knots, weight = case
    found = values_and_slopes(edge_variance, case, spec)
    wide = x.double(), knots.double(), weight.double()
    wanted = values_and_slopes(edge_variance_reference, wide, spec)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        assert a.dtype == x.dtype
        scale = max(float(b.abs().max()), rounding)
        assert (a - b).abs().max() <= tolerance * scale


@settings(max_examples=150)
@given(
    st.sampled_from(SPECS),
    st.tuples(st.integers(2, 600), st.integers(1, 4), st.sampled_from([1, 2, 9])),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 100),
)
def test_values_and_gradients_equal_plain_torch(
    spec: FunctionSpec, shape: tuple[int, int, int], reach: float, seed: int
) -> None:
    case = make_case(spec, shape, reach=reach, seed=seed)
    assert ops.usable(*case, spec)
    assert_equal_to_reference(case, spec, 1e-9, rounding=1e-2)


@pytest.mark.parametrize("outputs", FEW_AND_MANY)
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_float32_is_exact_to_its_own_rounding(spec: FunctionSpec, outputs: int) -> None:
    assert_equal_to_reference(make_case(spec, (2000, 20, outputs), torch.float32), spec, 1e-4)


@pytest.mark.parametrize("outputs", FEW_AND_MANY)
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_one_sample_varies_nowhere_and_gives_no_nan(spec: FunctionSpec, outputs: int) -> None:
    found = values_and_slopes(edge_variance, make_case(spec, (1, 3, outputs)), spec)
    assert found[1].abs().max() < 1e-28
    assert found[2].max() < 1e-150
    assert all(bool(part.isfinite().all()) for part in found)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("outputs", FEW_AND_MANY)
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_almost_constant_edges_keep_their_digits(
    spec: FunctionSpec, outputs: int, dtype: torch.dtype
) -> None:
    """x moves by a thousandth of the grid only: plain sums of squares would lose all of it."""
    x, knots, weight = make_case(spec, (3000, 2, outputs), dtype, reach=0.0)
    x = x.mean(0) + 1e-3 * (x - x.mean(0))
    weight = 1.0 + 0.1 * weight
    found = edge_variance(x, knots, weight, spec).edges.double()
    wanted = edge_variance_reference(x.double(), knots.double(), weight.double(), spec).edges
    outer = wanted.max() * (1e-3 if dtype == torch.float32 else 1e-10)
    assert found.min() >= 0
    assert (found - wanted).abs().max() <= outer


@pytest.mark.parametrize("outputs", FEW_AND_MANY)
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_two_threads_give_what_one_gives(spec: FunctionSpec, outputs: int) -> None:
    case = make_case(spec, (3000, 17, outputs))
    with threads(2):
        together = values_and_slopes(edge_variance, case, spec)
    with threads(1):
        alone = values_and_slopes(edge_variance, case, spec)
    for a, b in zip(together, alone, strict=True):
        assert (a - b).abs().max() <= 1e-12 * b.abs().max()


@pytest.mark.parametrize("outputs", [1, 9])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_gradients_pass_gradcheck_twice(spec: FunctionSpec, outputs: int) -> None:
    x, knots, weight = make_case(spec, (4, 1, outputs), reach=0.2)

    def run(x: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        return edge_variance(x, knots, weight, spec)

    inputs = x.requires_grad_(), weight.requires_grad_()
    assert gradcheck(run, inputs, fast_mode=True)
    assert gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_only_wanted_gradients_are_made(spec: FunctionSpec) -> None:
    x, knots, weight = make_case(spec, (30, 2, 3))
    weight.requires_grad_()
    edge_variance(x, knots, weight, spec).edges.sum().backward()
    assert x.grad is None
    alone = weight.grad
    weight.grad = None
    edge_variance_reference(x, knots, weight, spec).edges.sum().backward()
    torch.testing.assert_close(alone, weight.grad)
    assert not edge_variance(x, knots, weight.detach(), spec).outputs.requires_grad


@pytest.mark.parametrize("rows", [1, 700, 2**22])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_covariance_of_features_equals_the_definition(
    spec: FunctionSpec, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = make_layer(spec)
    x = make_points(layer.knots, spec, 100, 0.3)
    columns = layer.features(x)
    wanted = torch.stack([torch.cov(columns[:, i].T, correction=0) for i in range(3)])
    torch.testing.assert_close(feature_covariance(layer, x), wanted, rtol=1e-9, atol=1e-12)
    edges = layer.edge_outputs(x).var(0, correction=0).detach()
    torch.testing.assert_close(edge_variances(layer, x), edges)
    torch.testing.assert_close(layer_variance(layer, x).edges.detach(), edges)
    monkeypatch.setattr(ops, "usable", lambda *_: False)
    monkeypatch.setattr(variance, "CHUNK", rows)
    torch.testing.assert_close(feature_covariance(layer, x), wanted, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(edge_variances(layer, x), edges)
