"""The sparsity penalty equals its expanded definition, and cannot be cheated by scale."""

import gc
import tracemalloc
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_helpers import make_symbols
from torch import Tensor

from kanviz.nn import Network
from kanviz.nn.kernels import ops
from kanviz.nn.spec import BasisName
from kanviz.training.penalties import sparse_forms
from kanviz.training.sparsity import (
    FLOOR,
    Sparsity,
    SparsityMetric,
    importances,
    network_spread,
)


def make_case(
    widths: list[int],
    seed: int = 0,
    basis: BasisName = "bspline",
    dtype: torch.dtype = torch.float64,
) -> tuple[Network, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = 2.4 * torch.rand(50, widths[0], generator=generator, dtype=dtype) - 1.2
    return Network(widths, seed=seed, basis=basis, dtype=dtype), x


def expanded(network: Network, x: Tensor) -> list[Tensor]:
    """Importances from (samples, in, out) tensors, straight from the definition."""
    edges, nodes = [], []
    for layer in network.layers:
        outputs = layer.edge_outputs(x)
        edges.append(outputs.var(0, correction=0))
        x = outputs.sum(1)
        nodes.append(x.std(0, correction=0))
    above = torch.full_like(nodes[-1], 1 / len(nodes[-1]))
    found: list[Tensor] = []
    for variance, spread in zip(reversed(edges), reversed(nodes), strict=True):
        found.insert(0, above * (variance / spread**2 + FLOOR**2).sqrt())
        above = found[0].sum(1)
    return found


def gradients(value: Tensor, network: Network) -> list[Tensor]:
    return list(torch.autograd.grad(value, list(network.parameters())))


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    seed=st.integers(0, 100),
    basis=st.sampled_from(["bspline", "gaussian"]),
    l1=st.floats(0, 2),
    entropy=st.floats(0, 3),
)
def test_value_and_gradient_equal_the_expanded_computation(
    widths: list[int], seed: int, basis: BasisName, l1: float, entropy: float
) -> None:
    network, x = make_case(widths, seed, basis)
    sparsity = Sparsity(1.0, l1=l1, entropy=entropy)
    exact, plain = sparsity.penalty(network, x), sparsity.of(expanded(network, x))
    torch.testing.assert_close(exact, plain, rtol=1e-9, atol=1e-9)
    for mine, theirs in zip(gradients(exact, network), gradients(plain, network), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)


def edit(network: Network, how: str) -> None:
    """Let some edges of the first layer stand otherwise than learning splines do."""
    layer = network.layers[0]
    if how == "removed":
        layer.set_mask(torch.tensor([[True, False, True], [False, True, True]]))
    elif how == "frozen":
        layer.set_frozen(torch.tensor([[True, False, False], [False, False, True]]))
    elif how == "locked":
        layer.lock([(0, 1), (1, 2)])
    elif how == "formula":
        layer.set_symbols(make_symbols(2.0))
    elif how == "any knots":
        layer.update_grid(torch.rand(50, 2, dtype=torch.float64) ** 3, grid_eps=0.0)
    elif how == "held":
        layer.weight.requires_grad_(False)  # noqa: FBT003 - torch names it so


@pytest.mark.parametrize(
    "how", ["plain", "removed", "frozen", "locked", "formula", "any knots", "held"]
)
@pytest.mark.parametrize("metric", get_args(SparsityMetric))
def test_kernels_give_what_plain_torch_gives(
    how: str, metric: SparsityMetric, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, x = make_case([2, 3, 10, 2])
    edit(network, how)
    sparsity = Sparsity(1.0, entropy=0.7, metric=metric)

    def values_and_gradients() -> list[Tensor]:
        network.zero_grad()
        outputs, penalty = sparsity.penalised(network, x, scale=0.3)
        (outputs.square().mean() + penalty).backward()
        learning = [p for p in network.parameters() if p.requires_grad]
        return [outputs.detach(), penalty.detach(), *(p.grad.clone() for p in learning)]  # type: ignore[union-attr]

    found = values_and_gradients()
    monkeypatch.setattr(ops, "usable", lambda *_: False)
    wanted = values_and_gradients()
    assert len(found) > 3
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(found[0], network(x).detach())


def test_second_derivatives_are_those_of_plain_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = make_case([2, 3, 1])

    def bends() -> list[Tensor]:
        outputs, penalty = Sparsity(1.0).penalised(network, x)
        total = penalty + outputs.square().mean()
        slopes = torch.autograd.grad(total, list(network.parameters()), create_graph=True)
        return gradients(sum(slope.square().sum() for slope in slopes), network)  # type: ignore[arg-type]

    found = bends()
    monkeypatch.setattr(ops, "usable", lambda *_: False)
    torch.testing.assert_close(found, bends(), rtol=1e-6, atol=1e-8)


def test_either_of_outputs_and_penalty_may_go_unused() -> None:
    network, x = make_case([2, 3, 1])
    outputs, penalty = Sparsity(1.0).penalised(network, x)
    alone = gradients(penalty, network)
    torch.testing.assert_close(alone, gradients(Sparsity(1.0).penalty(network, x), network))
    outputs, penalty = Sparsity(1.0).penalised(network, x)
    torch.testing.assert_close(
        gradients(outputs.sum(), network), gradients(network(x).sum(), network)
    )


@pytest.mark.parametrize("samples", [1, 2])
def test_samples_that_tell_nothing_give_no_nan(samples: int) -> None:
    network, x = make_case([2, 3, 1])
    same = x[:1].expand(samples, -1)
    outputs, penalty = Sparsity(1.0).penalised(network, same)
    slopes = gradients(penalty + outputs.sum(), network)
    assert all(bool(slope.isfinite().all()) for slope in slopes)
    assert bool(penalty.isfinite())


@pytest.mark.parametrize("outputs", [1, 20])
def test_a_step_is_forgotten_when_it_is_over(outputs: int) -> None:
    """What a step keeps for its way back must not keep itself: memory would grow step by step."""
    network, x = make_case([2, 20, outputs])
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        sizes = []
        for _ in range(4):
            made, penalty = Sparsity(1.0).penalised(network, x.repeat(100, 1))
            (made.square().mean() + penalty).backward()
            del made, penalty
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
        gc.enable()
    assert sizes[-1] - sizes[1] < 1e5


def test_kernels_make_nothing_of_all_samples_and_edges() -> None:
    samples, width = 2000, 60
    network, x = Network([width, width, 1]), torch.rand(samples, width)
    Sparsity(1.0).penalty(network, x).backward()
    tracemalloc.start()
    Sparsity(1.0).penalty(network, x).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < peak < samples * width * width  # a quarter of the bytes that this many floats take


def test_float32_is_exact_to_its_own_rounding() -> None:
    network, x = make_case([3, 4, 2], dtype=torch.float32)
    exact = Sparsity(1.0).penalty(network, x)
    reference = Sparsity(1.0).penalty(network.double(), x.double())
    torch.testing.assert_close(exact.double(), reference, rtol=1e-4, atol=1e-4)


def test_no_tensor_of_all_samples_and_edges_is_made() -> None:
    samples, width = 400, 60
    network, x = Network([width, width, 1]), torch.rand(samples, width)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            for tensor in result if isinstance(result, tuple | list) else [result]:
                if isinstance(tensor, Tensor):
                    largest = max(largest, tensor.numel())
            return result

    with Watch():
        Sparsity(1.0).penalty(network, x).backward()
    assert 0 < largest < samples * width * width


def test_stretching_a_node_and_squeezing_what_follows_changes_nothing() -> None:
    network, x = make_case([2, 3, 1])
    before = Sparsity(1.0).penalty(network, x)
    first, second = network.layers
    with torch.no_grad():
        first.weight[:, :, 1] *= 7.0
        second.weight[1, -1] = 0.0  # silu does not stretch; the spline does
    reference = Sparsity(1.0).penalty(network, x)
    with torch.no_grad():
        first.weight[:, :, 1] /= 7.0
    unstretched = Sparsity(1.0).penalty(network, x)
    second.knots[1] *= 7.0
    with torch.no_grad():
        first.weight[:, :, 1] *= 7.0
    stretched = Sparsity(1.0).penalty(network, x)
    torch.testing.assert_close(stretched, unstretched, rtol=1e-10, atol=1e-10)
    assert abs(reference - unstretched) > 1e-3
    assert abs(before - unstretched) > 1e-6


def test_tangent_form_has_the_slope_of_the_penalty() -> None:
    network, x = make_case([2, 3, 1])
    sparsity = Sparsity(0.7, l1=1.0, entropy=0.0)
    with torch.no_grad():
        _, edges, nodes = network_spread(network, x)
    variances = [v.clone().requires_grad_() for v in edges]
    penalty = 0.7 * sparsity.of(importances(variances, nodes))
    slopes = torch.autograd.grad(penalty, variances)
    forms = sparse_forms(network, x, sparsity)
    for factor, slope in zip(forms.factors, slopes, strict=True):
        torch.testing.assert_close(factor, slope)
    by_hand = sum((v * s).sum() for v, s in zip(edges, slopes, strict=True))
    torch.testing.assert_close(forms.of(network).detach(), by_hand)


@pytest.mark.parametrize("metric", ["abs", "weights"])
def test_other_metrics_follow_their_definition(metric: SparsityMetric) -> None:
    network, x = make_case([2, 3])
    layer = network.layers[0]
    matrix = layer.edge_outputs(x).abs().mean(0) if metric == "abs" else layer.coef.abs().mean(-1)
    share = matrix / matrix.sum()
    wanted = matrix.sum() - 2 * (share * share.log()).sum()
    torch.testing.assert_close(Sparsity(1.0, metric=metric).penalty(network, x), wanted)


def test_one_edge_out_of_many_has_no_entropy_and_unit_weight() -> None:
    only = torch.zeros(3, 4, dtype=torch.float64)
    only[1, 2] = 1.0
    assert float(Sparsity(1.0).of([only])) == 1.0
    assert float(Sparsity(1.0).of([torch.full_like(only, 1 / 12)])) > 5.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -1.0}, "weight must be at least 0; got -1"),
        ({"weight": float("nan")}, "weight must be at least 0; got nan"),
        ({"weight": 1.0, "entropy": -0.1}, "entropy must be at least 0"),
        ({"weight": 1.0, "metric": "variance"}, "metric must be one of"),
    ],
)
def test_bad_options_are_one_clear_sentence(
    options: dict[str, float], message: str, unchecked: None
) -> None:
    with pytest.raises(ValueError, match=message):
        Sparsity(**options)  # type: ignore[arg-type]
