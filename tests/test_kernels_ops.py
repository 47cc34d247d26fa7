"""Which calls the CPU kernels do, and which the plain torch."""

import shutil

import pytest
import torch
from nn_helpers import layers_of, make_layer, make_points
from type_checks import type_checks_off

from kanviz.nn import Network
from kanviz.nn.features import edge_sum_reference
from kanviz.nn.kernels import ops
from kanviz.nn.spec import FunctionSpec


@pytest.fixture
def never_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which a kernel runs."""

    def fail(*args: object) -> None:
        raise AssertionError("a kernel ran")

    for run in ("forward", "grad_input", "grad_weight"):
        monkeypatch.setattr(ops, run, fail)


@pytest.mark.usefixtures("never_kernels")
def test_watched_tensors_take_the_reference() -> None:
    layer = make_layer()
    x = torch.rand(5, 3, dtype=torch.float64)
    with pytest.raises(AssertionError, match="a kernel ran"):
        layer(x)
    wanted = edge_sum_reference(x, layer.knots, layer.weight, layer.spec)
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
def test_other_bases_take_the_reference() -> None:
    layer = make_layer(FunctionSpec(5, basis="matern32"))
    x = make_points(layer.knots, layer.spec, 5)
    assert torch.equal(layer(x), edge_sum_reference(x, layer.knots, layer.weight, layer.spec))


@pytest.mark.usefixtures("never_kernels")
def test_compile_sees_one_graph_of_plain_torch() -> None:
    with type_checks_off():
        net = Network([2, 3, 1])
        x = torch.rand(5, 2)
        wanted = x
        for layer in layers_of(net):
            wanted = edge_sum_reference(wanted, layer.knots, layer.weight, layer.spec)
        compiled_net = torch.compile(net, backend="eager", fullgraph=True)
        assert (compiled_net(x) - wanted).abs().max() <= 1e-6


@pytest.mark.usefixtures("never_kernels")
def test_a_compiled_step_back_is_that_of_plain_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    # What vectors the processor has is taken from its word, not from programs built to try them.
    monkeypatch.setenv("TORCHINDUCTOR_VEC_ISA_OK", "1")
    backend = "inductor" if shutil.which("g++") else "aot_eager"
    with type_checks_off():
        net = Network([3, 1])
        (layer,) = layers_of(net)
        layer.lock([(0, 0), (1, 0)])
        layer.set_mask(torch.tensor([[True], [True], [False]]))
        x = torch.rand(5, 3, requires_grad=True)
        wanted = edge_sum_reference(x, layer.knots, layer.live_weight(), layer.spec)
        found = torch.compile(net, backend=backend, fullgraph=True)(x)
        inputs = [x, *net.parameters()]
        for a, b in zip(
            torch.autograd.grad(found.sum(), inputs),
            torch.autograd.grad(wanted.sum(), inputs),
            strict=True,
        ):
            assert (a - b).abs().max() <= 1e-5
