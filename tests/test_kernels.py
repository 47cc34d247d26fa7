"""The CPU kernels against the plain torch that they stand in for."""

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from types import ModuleType
from typing import Any

import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_helpers import DTYPES, make_generator, make_knots, make_layer, make_points, type_checks_off
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from kanviz.nn import Network, dispatch, fast
from kanviz.nn.compiled import compiled, over_batch
from kanviz.nn.features import evaluate, evaluate_reference
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.warmup import warmup

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
SPLINES = [
    FunctionSpec(size, order, base=base, extrapolation=extrapolation, uniform=uniform)  # type: ignore[arg-type]
    for size, order, base, extrapolation, uniform in product(
        (1, 5, 40), range(6), ("silu", "identity", "zero"), ("linear", "zero"), (True, False)
    )
]
GAUSSIANS = [
    FunctionSpec(size, basis="gaussian", base=base, extrapolation=extrapolation)  # type: ignore[arg-type]
    for size, base, extrapolation in product((1, 6), ("silu", "zero"), ("linear", "zero"))
]
# One of each path: dense, sparse, any knots, Gaussian; each with one output and with three.
PATHS = [
    FunctionSpec(5, 3),
    FunctionSpec(40, 3, base="zero", extrapolation="zero"),
    FunctionSpec(5, 3, uniform=False, base="identity"),
    FunctionSpec(4, basis="gaussian"),
]
Evaluate = Callable[[Tensor, Tensor, Tensor, FunctionSpec], Tensor]


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


def derivatives(run: Evaluate, case: tuple[Tensor, ...], spec: FunctionSpec) -> list[Tensor]:
    """Return outputs, first and second derivatives, those of a sum with curved parts."""
    x, knots, weight, gradient = (tensor.detach() for tensor in case)
    x.requires_grad_()
    weight.requires_grad_()
    y = run(x, knots, weight, spec)
    firsts = torch.autograd.grad((y * gradient).sum(), (x, weight), create_graph=True)
    total = y.square().sum() + sum(first.square().sum() for first in firsts)
    seconds = torch.autograd.grad(total, (x, weight))
    return [tensor.detach() for tensor in (y, *firsts, *seconds)]


def assert_equal_to_reference(case: tuple[Tensor, ...], spec: FunctionSpec) -> None:
    found = derivatives(evaluate, case, spec)
    wanted = derivatives(evaluate_reference, case, spec)
    for order, a, b in zip((0, 1, 1, 2, 2), found, wanted, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        if b.numel():
            scale = max(1.0, float(b.abs().max()))
            assert (a - b).abs().max() <= 4**order * TOLERANCE[b.dtype] * scale


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def never_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which a kernel runs."""

    def fail(*args: object) -> None:
        raise AssertionError("a kernel ran")

    monkeypatch.setattr(fast, "_for_each_chunk", fail)


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
    assert dispatch.takes_kernels(x, knots, weight, spec)
    case = strided(x, how), strided(knots, how), strided(weight, how), gradient
    assert_equal_to_reference(case, spec)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_many_chunks_and_blocks_equal_the_reference(spec: FunctionSpec, outputs: int) -> None:
    assert_equal_to_reference(make_case(spec, (3000, 17, outputs)), spec)
    assert_equal_to_reference(make_case(spec, (3, 2500, outputs)), spec)


@pytest.mark.parametrize("spec", PATHS, ids=str)
@pytest.mark.parametrize("outputs", [1, 3])
def test_two_threads_give_what_one_gives(spec: FunctionSpec, outputs: int) -> None:
    case = make_case(spec, (3000, 17, outputs))
    with threads(1):
        alone = derivatives(evaluate, case, spec)
    with threads(2):
        together = derivatives(evaluate, case, spec)
    for a, b in zip(alone, together, strict=True):
        assert (a - b).abs().max() <= 1e-13 * b.abs().max()


def test_parts_of_a_batch_cover_it_once_and_an_error_comes_out() -> None:
    seen: list[tuple[int, int]] = []
    with threads(2):
        over_batch(lambda start, stop: seen.append((start, stop)), 5)
        assert sorted(seen) == [(0, 2), (2, 5)]
        with pytest.raises(ZeroDivisionError):
            over_batch(lambda start, stop: 1 // start, 5)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_gradients_pass_gradcheck_twice(spec: FunctionSpec, outputs: int) -> None:
    x, knots, weight, _ = make_case(spec, (4, 2, outputs), reach=0.2)

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return evaluate(x, knots, weight, spec)

    inputs = x.requires_grad_(), weight.requires_grad_()
    assert gradcheck(run, inputs)
    assert gradgradcheck(run, inputs)


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
    monkeypatch.setattr(dispatch, "contractions", lambda: None)
    wanted = residual_gradients()
    assert len(found) == 2
    for a, b in zip(found, wanted, strict=True):
        assert (a - b).abs().max() <= 1e-11 * b.abs().max()


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("spec", PATHS, ids=str)
def test_nan_and_infinity_stay_in_their_sample(spec: FunctionSpec, outputs: int) -> None:
    x, knots, weight, gradient = make_case(spec, (6, 2, outputs))
    whole = evaluate(x, knots, weight, spec)
    for value in (torch.nan, torch.inf, -torch.inf):
        x[2, 1] = value
        hurt, right = evaluate(x, knots, weight, spec), evaluate_reference(x, knots, weight, spec)
        assert torch.equal(hurt.isnan(), right.isnan())
        assert (hurt - whole)[[0, 1, 3, 4, 5]].abs().max() <= 1e-14
    x[2, 1] = torch.nan
    slopes = derivatives(evaluate, (x, knots, weight, gradient), spec)[1]
    assert slopes.isnan().tolist() == [[row == 2 and i == 1 for i in (0, 1)] for row in range(6)]


def test_leading_axes_are_kept() -> None:
    spec = FunctionSpec()
    x, knots, weight, _ = make_case(spec, (12, 2, 3))
    flat = evaluate(x, knots, weight, spec)
    assert torch.equal(evaluate(x.reshape(3, 4, 2), knots, weight, spec), flat.reshape(3, 4, 3))
    assert torch.equal(evaluate(x[0], knots, weight, spec), flat[0])
    assert evaluate(x[:0].reshape(0, 4, 2), knots, weight, spec).shape == (0, 4, 3)


def test_only_wanted_gradients_are_made() -> None:
    layer = make_layer()
    layer.weight.requires_grad = False
    assert not layer(torch.zeros(4, 3, dtype=torch.float64)).requires_grad
    x = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


@pytest.mark.usefixtures("never_kernels")
def test_watched_tensors_take_the_reference() -> None:
    layer = make_layer()
    x = torch.rand(5, 3, dtype=torch.float64)
    wanted = evaluate_reference(x, layer.knots, layer.weight, layer.spec)
    assert torch.equal(torch.func.vmap(layer)(x), wanted)
    tangent = torch.func.jvp(layer, (x,), (torch.ones_like(x),))[1]
    slopes = layer.edge_outputs(x, derivative=1).sum(1)
    assert (tangent - slopes).abs().max() <= 1e-12
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(layer(dual)).tangent
        assert (tangent - slopes).abs().max() <= 1e-12
    assert layer.to("meta")(x.to("meta")).is_meta
    real = make_layer()
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True):
        assert real(torch.rand(5, 3, dtype=torch.float64)).shape == (5, 2)


@pytest.mark.usefixtures("never_kernels")
@pytest.mark.parametrize("spec", [FunctionSpec(5, basis="matern32")], ids=str)
def test_other_bases_take_the_reference(spec: FunctionSpec) -> None:
    x, knots, weight, _ = make_case(spec, (5, 2, 2))
    assert torch.equal(evaluate(x, knots, weight, spec), evaluate_reference(x, knots, weight, spec))


@pytest.mark.usefixtures("never_kernels")
def test_compile_sees_one_graph_of_plain_torch() -> None:
    with type_checks_off():
        net = Network([2, 3, 1])
        x = torch.rand(5, 2)
        wanted = x
        for layer in net.layers:
            wanted = evaluate_reference(wanted, layer.knots, layer.weight, layer.spec)
        compiled_net = torch.compile(net, backend="eager", fullgraph=True)
        assert (compiled_net(x) - wanted).abs().max() <= 1e-6


def test_without_numba_plain_torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    layer, x = make_layer(), torch.rand(5, 3, dtype=torch.float64)
    dispatch.contractions.cache_clear()
    monkeypatch.setattr(importlib, "import_module", missing)
    try:
        assert not dispatch.takes_kernels(x, layer.knots, layer.weight, layer.spec)
        wanted = evaluate_reference(x, layer.knots, layer.weight, layer.spec)
        assert torch.equal(layer(x), wanted)
    finally:
        dispatch.contractions.cache_clear()


def test_importing_does_not_load_numba() -> None:
    script = "import sys, kanviz.nn; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_kernel_compiles_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def no_folder(function: Callable[..., Any], **options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    def double(x: float) -> float:
        return 2 * x

    monkeypatch.setattr(numba, "njit", no_folder)
    assert compiled(double)(1.5) == 3.0


def test_warmup_leaves_nothing_to_compile() -> None:
    assert warmup(torch.float32) >= 0
    assert warmup() >= 0
    assert warmup() <= 2.0
