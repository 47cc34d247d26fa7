"""Models of other libraries give here what they gave there, for every input."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_helpers import make_generator
from torch import Tensor, nn

import kanviz as kv
from kanviz.conversion import convert, to_efficient_kan
from kanviz.nn import KANLayer

F64 = torch.float64
STORED = json.loads((Path(__file__).parent / "fixtures" / "pykan_models.json").read_text())
"""Models of pykan 0.2.8; ``make_converted.py`` wrote them."""


PEERS = json.loads((Path(__file__).parent / "fixtures" / "peer_models.json").read_text())
"""Models of flashkan 0.2.0, inkan 0.5.2 and kanditioned 1.0.4; written there too."""


class PykanModel(nn.Module):
    """What ``convert`` looks at in a model of pykan, from stored numbers."""

    def __init__(self, stored: dict[str, Any]) -> None:
        super().__init__()

        def tensors(record: dict[str, Any]) -> SimpleNamespace:
            is_names = {"funs_name"}
            return SimpleNamespace(
                **{
                    name: value if name in is_names else torch.tensor(value, dtype=F64)
                    for name, value in record.items()
                }
            )

        self.width, self.symbolic_enabled = stored["width"], True
        self.mult_arity = stored.get("mult_arity", 2)
        self.act_fun = [tensors(one) for one in stored["act_fun"]]
        for layer in self.act_fun:
            layer.base_fun = nn.SiLU()
        self.symbolic_fun = [tensors(one) for one in stored["symbolic_fun"]]
        for name in ("node_scale", "node_bias", "subnode_scale", "subnode_bias"):
            setattr(self, name, [torch.tensor(one, dtype=F64) for one in stored[name]])


@pytest.mark.parametrize("name", ["splines", "mixed"])
def test_a_model_of_pykan_gives_what_it_gave(name: str, tmp_path: Path) -> None:
    x, y = (torch.tensor(STORED[name][key], dtype=F64) for key in ("x", "y"))
    model = convert(PykanModel(STORED[name]), x, input_names=["a", "b"])
    assert model.widths == (2, 3, 1)
    torch.testing.assert_close(model(x).detach(), y, rtol=1e-12, atol=1e-12)
    if name == "mixed":
        states = {tuple(view.edge): view.state for view in model.snapshot().edges}
        assert states[0, 0, 2] == "pruned"
        assert states[0, 0, 1] == states[0, 1, 0] == "symbolic"
    model.save(tmp_path / "taken.kan")
    again = kv.load(tmp_path / "taken.kan")
    torch.testing.assert_close(again(x).detach(), y, rtol=1e-12, atol=1e-12)
    assert len(str(model.formula(simplify_seconds=0))) > 0


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("products", (2, (1, 2), (1, 1), 1)),
        ("products out", (2, (0, (3, 3)), (1, (3,)), 2)),
        ("two arities", (2, (1, (2, 3)), 1)),
    ],
)
def test_a_model_of_pykan_that_multiplies_gives_what_it_gave(
    name: str, shape: tuple[object, ...]
) -> None:
    x, y = (torch.tensor(STORED[name][key], dtype=F64) for key in ("x", "y"))
    model = convert(PykanModel(STORED[name]), x)
    assert model.network.shape == shape
    torch.testing.assert_close(model(x).detach(), y, rtol=1e-12, atol=1e-12)


def test_a_node_without_edges_keeps_its_shift() -> None:
    stored = json.loads(json.dumps(STORED["mixed"]))
    for i in range(2):
        stored["act_fun"][0]["mask"][i] = [0.0, 0.0, 0.0]
    stored["symbolic_fun"][0]["mask"] = [[0.0, 0.0]] * 3
    stored["node_bias"][0] = [0.5, -1.5, 2.0]
    model = convert(PykanModel(stored))
    affine = (stored[name][0] for name in ("node_scale", "subnode_bias", "node_bias"))
    scale, inner, outer = (torch.tensor(one, dtype=F64) for one in affine)
    shift = scale * inner + outer
    hidden = model.network.layers[0](torch.zeros(4, 2, dtype=F64)).detach()
    torch.testing.assert_close(hidden, shift.expand(4, 3))


class KANLinear(nn.Module):
    """A layer with the names and the arithmetic of efficient-kan, written down anew."""

    def __init__(self, inputs: int, outputs: int, order: int, size: int, *, scaled: bool) -> None:
        super().__init__()
        draw = make_generator(inputs + 7 * outputs + order)
        step = 2 / size
        knots = (torch.arange(-order, size + order + 1, dtype=F64)) * step - 1
        shape = (outputs, inputs)
        self.order = order
        self.grid = knots.expand(inputs, -1) + 0.1 * torch.rand(inputs, 1, generator=draw)
        self.base_weight = nn.Parameter(torch.randn(shape, generator=draw, dtype=F64))
        self.base_activation: nn.Module = nn.SiLU()
        weight = torch.randn(*shape, size + order, generator=draw, dtype=F64)
        self.spline_weight = nn.Parameter(weight)
        if scaled:
            self.spline_scaler = nn.Parameter(torch.randn(shape, generator=draw, dtype=F64))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs; the recursion of Cox and de Boor, on all knots."""
        x, t = x.unsqueeze(-1), self.grid
        bases = ((x >= t[:, :-1]) & (x < t[:, 1:])).to(x)
        for k in range(1, self.order + 1):
            left = (x - t[:, : -k - 1]) / (t[:, k:-1] - t[:, : -k - 1])
            right = (t[:, k + 1 :] - x) / (t[:, k + 1 :] - t[:, 1:-k])
            bases = left * bases[..., :-1] + right * bases[..., 1:]
        weight: Tensor = self.spline_weight
        if hasattr(self, "spline_scaler"):
            weight = weight * self.spline_scaler.unsqueeze(-1)
        base: Tensor = self.base_activation(x[..., 0]) @ self.base_weight.T
        return base + torch.einsum("sim,oim->so", bases, weight)


@settings(max_examples=30)
@given(
    order=st.integers(0, 4),
    size=st.integers(1, 7),
    scaled=st.booleans(),
    outputs=st.integers(1, 3),
)
def test_layers_of_efficient_kan_are_equal_inside_and_beyond_the_grid(
    *, order: int, size: int, scaled: bool, outputs: int
) -> None:
    first = KANLinear(2, 3, order, size, scaled=scaled)
    source = nn.Module()
    second = KANLinear(3, outputs, order, size, scaled=scaled)
    source.layers = nn.ModuleList([first, second])
    x = 8 * torch.rand(200, 2, generator=make_generator(), dtype=F64) - 4
    model = convert(source, x)
    with torch.no_grad():
        wanted = first(x)
        torch.testing.assert_close(model.network.layers[0](x), wanted, rtol=1e-10, atol=1e-10)
        wanted = second(wanted)
        torch.testing.assert_close(model(x), wanted, rtol=1e-10, atol=1e-10)


def test_float32_stays_float32_and_the_source_stays_as_it_is() -> None:
    source = KANLinear(2, 3, 3, 5, scaled=True).float()
    source.grid = source.grid.float()
    before = {name: value.clone() for name, value in source.state_dict().items()}
    model = convert(source)
    x = 2 * torch.rand(100, 2, generator=make_generator()) - 1
    torch.testing.assert_close(model(x), source(x), rtol=1e-5, atol=1e-5)
    assert model.network.layers[0].weight.dtype == torch.float32
    model.remove_edge((0, 0, 0))
    assert all(torch.equal(before[name], value) for name, value in source.state_dict().items())


def test_a_converted_model_is_refined_pruned_and_read_like_any_other() -> None:
    x, y = (torch.tensor(STORED["splines"][key], dtype=F64) for key in ("x", "y"))
    model = convert(PykanModel(STORED["splines"]), x)
    model.update_grid(x)
    report = model.fit(x, y, steps=20, progress=False)
    assert report.loss < 0.1 * float(y.var())
    assert model.feature_scores().shape == (2,)


def test_what_is_no_sum_of_curves_is_one_sentence() -> None:
    product = PykanModel(STORED["products"])
    product.node_bias[0][-1] = 1.0  # type: ignore[index]  # a list of tensors, as pykan has
    with pytest.raises(ValueError, match="Nothing may be added to a product; got a node_bias of"):
        convert(product)
    both = PykanModel(STORED["splines"])
    both.symbolic_fun[0].mask[1, 0] = 1.0
    with pytest.raises(ValueError, match=r"got both at edge \(0, 0, 1\)\. Set it"):
        convert(both)
    strange = KANLinear(2, 1, 3, 5, scaled=False)
    strange.base_activation = nn.Tanh()
    with pytest.raises(ValueError, match=r"base function must be silu, the identity or 0; got Tan"):
        convert(strange)
    fast = nn.Module()
    fast.rbf, fast.spline_linear, fast.layernorm = nn.Module(), nn.Linear(8, 1), nn.LayerNorm(2)
    with pytest.raises(ValueError, match=r"fast-kan, whose layer norm mixes all inputs"):
        convert(fast)
    del fast.layernorm
    with pytest.raises(ValueError, match=r"fast-kan, whose Gaussians stand on a bias"):
        convert(fast)
    with pytest.raises(TypeError, match=r"kanditioned or kanviz; got Linear"):
        convert(nn.Sequential(KANLayer(2, 3), nn.Linear(3, 1)))


# ---- better_kan ----------------------------------------------------------------------------------


class SplinesKANLayer(nn.Module):
    """A layer with the names and the arithmetic of better_kan (layers.py), written down anew."""

    def __init__(self, inputs: int, outputs: int, order: int, size: int) -> None:
        super().__init__()
        plain = KANLinear(inputs, outputs, order, size, scaled=False)
        draw = make_generator(outputs)
        self.spline_order, self.pooling_op = order, "sum"
        self.grid = nn.Parameter(plain.grid.T.contiguous(), requires_grad=False)
        self.weights = nn.Parameter(plain.spline_weight.detach().transpose(1, 2).contiguous())
        self.base_scaler, self.base_activation = plain.base_weight, plain.base_activation
        self.bias = nn.Parameter(torch.randn(outputs, generator=draw, dtype=F64))

    def basis(self, x: Tensor) -> Tensor:
        """Return (samples, basis, inputs)."""
        x, t = x.unsqueeze(1), getattr(self.grid, "grid", self.grid)
        bases = ((x >= t[:-1]) & (x < t[1:])).to(x)
        for k in range(1, self.spline_order + 1):
            left = (x - t[: -k - 1]) / (t[k:-1] - t[: -k - 1])
            right = (t[k + 1 :] - x) / (t[k + 1 :] - t[1:-k])
            bases = left * bases[:, :-1] + right * bases[:, 1:]
        return bases

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs; as there, keep what was seen."""
        self.seen = x
        splines = torch.einsum("sbi,obi->so", self.basis(x), self.weights)
        base: Tensor = self.base_activation(x)
        return self.bias + base @ self.base_scaler.T + splines


class ReLUKANLayer(SplinesKANLayer):
    """The same names, other curves."""

    def basis(self, x: Tensor) -> Tensor:
        """Return squares of products of ramps."""
        return super().basis(x).square()


class ListedLayer(nn.Module):
    """The newer form of better_kan (5c6aed8): functions in a list, a mean over the inputs."""

    def __init__(self, spline: SplinesKANLayer, *, with_base: bool) -> None:
        super().__init__()
        inputs = spline.grid.shape[1]
        knots, base = spline.grid, nn.Module()
        base.base_activation = nn.SiLU()
        base.weights = nn.Parameter(spline.base_scaler.detach().unsqueeze(1))
        self.bias, self.pooling_op, self.in_features = spline.bias, "sum", inputs
        for name in ("grid", "base_scaler", "base_activation", "bias", "pooling_op"):
            delattr(spline, name)
        grid = nn.Module()
        grid.grid = knots
        spline.grid = grid  # type: ignore[assignment]  # as there
        self.functions = nn.ModuleList([spline, base] if with_base else [spline])

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs."""
        functions: list[Any] = list(self.functions)
        spline, *bases = functions
        outputs = self.bias + torch.einsum("sbi,obi->so", spline.basis(x), spline.weights)
        for one in bases:
            outputs = outputs + one.base_activation(x) @ one.weights[:, 0].T
        return outputs / self.in_features


def test_the_newer_form_of_better_kan_is_equal_everywhere() -> None:
    layers = [
        ListedLayer(SplinesKANLayer(2, 3, 3, 5), with_base=True),
        ListedLayer(SplinesKANLayer(3, 2, 2, 4), with_base=False),
    ]
    source, x = nn.Sequential(*layers), 8 * torch.rand(99, 2, generator=make_generator()).double()
    torch.testing.assert_close(convert(source)(x - 4), source(x - 4), rtol=1e-10, atol=1e-10)
    layers[1].functions.append(nn.Tanh())
    with pytest.raises(ValueError, match=r"one spline.*got 'SplinesKANLayer', 'Tanh' of"):
        convert(source)


@pytest.mark.usefixtures("unchecked")
def test_layers_of_better_kan_are_equal_everywhere() -> None:
    layers = [SplinesKANLayer(2, 3, 3, 5), SplinesKANLayer(3, 2, 2, 4)]
    x = 8 * torch.rand(200, 2, generator=make_generator(), dtype=F64) - 4
    source = nn.Sequential(*layers)
    taken = convert(source)
    assert not hasattr(layers[0], "seen"), "the source stays as it is"
    torch.testing.assert_close(taken(x), source(x), rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="must be made of B-splines; got ReLUKANLayer"):
        convert(ReLUKANLayer(2, 3, 3, 5))
    layers[0].pooling_op = "max"
    with pytest.raises(ValueError, match="better_kan that pools by 'max'"):
        convert(source)


def test_a_state_dict_of_efficient_kan_is_enough() -> None:
    layers = [KANLinear(2, 3, 3, 5, scaled=True), KANLinear(3, 1, 3, 5, scaled=True)]
    state = {
        f"layers.{n}.{name}": value
        for n, layer in enumerate(layers)
        for name, value in (*layer.state_dict().items(), ("grid", layer.grid))
    }
    x = 2 * torch.rand(50, 2, generator=make_generator(), dtype=F64) - 1
    torch.testing.assert_close(convert(state)(x), nn.Sequential(*layers)(x), rtol=1e-10, atol=1e-10)
    with pytest.raises(TypeError, match=r"efficient-kan.*got others at '0'"):
        convert(nn.Sequential(nn.Linear(2, 1)).state_dict())


# ---- flashkan, inkan, kanditioned ----------------------------------------------------------------


def peer_layer(name: str, stored: dict[str, Any]) -> nn.Module:
    """Return what ``convert`` looks at in a layer of another library, from stored numbers."""
    layer, of = nn.Module(), dict[str, Any]()
    numbers = {key: torch.tensor(one, dtype=F64) for key, one in stored.items()}
    if name == "kanditioned":
        weight = numbers["kan_weight"]
        of |= {"num_control_points": weight.shape[1], "spline_width": 3.0}
        of |= {"out_features": weight.shape[2]}
        of |= {"get_interp_tensor": lambda: weight.view(-1, weight.shape[2])}
    else:
        of |= {"grid_starts": numbers["grid_starts"], "inv_h": 2.0, "base_activation": nn.SiLU()}
        if name == "inkan":  # one weight for both: (out, in * bumps + in)
            weight, bumps = numbers["weight"], len(numbers["grid_starts"])
            inputs = weight.shape[1] // (bumps + 1)
            splines, base = weight.split([inputs * bumps, inputs], dim=1)
            numbers |= {"spline_weight": splines.view(-1, inputs, bumps), "base_weight": base}
            of |= {"dim": 1}
        of |= {key: numbers[key] for key in ("spline_weight", "base_weight")}
    for key, value in of.items():
        setattr(layer, key, value)
    return layer


@pytest.mark.parametrize("name", sorted(PEERS))
def test_a_model_of_a_peer_gives_what_it_gave(name: str) -> None:
    layers = [peer_layer(name, stored) for stored in PEERS[name]["layers"]]
    model = convert(nn.Sequential(*layers))
    x, y = (torch.tensor(PEERS[name][key], dtype=F64) for key in ("x", "y"))
    assert model.widths == (2, 3, 1)
    torch.testing.assert_close(model(x).detach(), y, rtol=1e-12, atol=1e-12)
    inside = (x.abs() < 1).all(1)
    assert 3 < inside.sum() < len(x)


def test_a_surface_of_inkan_is_refused() -> None:
    layer = peer_layer("inkan", PEERS["inkan"]["layers"][0])
    layer.dim = 2  # type: ignore[assignment]  # a plain number beside tensors
    with pytest.raises(ValueError, match="one surface over two inputs"):
        convert(layer)


# ---- the way back --------------------------------------------------------------------------------


@given(order=st.integers(1, 4), size=st.integers(1, 6), seed=st.integers(0, 100))
@settings(max_examples=10)
def test_the_way_back_computes_the_same_on_the_grid(order: int, size: int, seed: int) -> None:
    model = kv.KAN([2, 3], grid_size=size, spline_order=order, seed=seed, dtype=F64)
    model.remove_edge((0, 1, 2))
    state = to_efficient_kan(model)
    theirs = KANLinear(2, 3, order, size, scaled=True)
    parts = {name.removeprefix("layers.0."): values for name, values in state.items()}
    theirs.grid = parts.pop("grid")
    theirs.load_state_dict(parts, strict=False)
    x = 2 * torch.rand(50, 2, generator=make_generator(seed), dtype=F64) - 1
    torch.testing.assert_close(theirs(x), model(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(convert(theirs)(x), model(x), rtol=1e-12, atol=1e-12)


def test_what_has_no_counterpart_is_refused() -> None:
    model = kv.KAN([1, 2, 1], base="identity")
    with pytest.raises(ValueError, match=r"Layer 0 must be sums of B-splines.*base 'identity'"):
        to_efficient_kan(model)
    model = kv.KAN([1, 1])
    model.fix((0, 0, 0), "sin")
    with pytest.raises(ValueError, match="edges that are formulas"):
        to_efficient_kan(model)
    with pytest.raises(ValueError, match=r"Layer 0 .* got nodes that multiply"):
        to_efficient_kan(kv.KAN([2, (0, 1), 1]))
    with pytest.raises(ValueError, match="basis 'gaussian'"):
        to_efficient_kan(kv.KAN([1, 1], basis="gaussian"))
