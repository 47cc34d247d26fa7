"""A model among torch's own modules: optimizers, autocast, inference mode, export."""

import contextlib
import inspect
import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_helpers import bytes_of, exported
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

import kanviz as kv
from kanviz import KAN, KANLayer, Network
from kanviz.conversion import to_efficient_kan
from kanviz.sklearn import KANRegressor

pytestmark = pytest.mark.long

X = 2 * torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) - 1
Y = torch.sin(3 * X[:, :1]) + X[:, 1:] ** 2


LINE = (1.0, 0.0, 1.0, 0.0)


def do(model: KAN, *calls: tuple[Any, ...]) -> None:
    """Call methods of a model, each given as its name and what it takes."""
    for name, *taken in calls:
        getattr(model, name)(*taken)


def fixed(model: KAN) -> None:
    model.fix((1, 0, 0), "sin", affine=LINE)


def unfixed(model: KAN) -> None:
    fixed(model)
    model.unfix((1, 0, 0))


def undo_of_unfix(model: KAN) -> None:
    unfixed(model)
    model.undo()


def symbolified(model: KAN) -> None:
    do(model, ("remove_node", (1, 1)), ("remove_node", (1, 2)), ("remove_node", (0, 1)))
    model.symbolify((X[:20], Y[:20]), functions=["x"], tolerance=9.0)


PAIR = [(0, 0, 2), (0, 1, 2)]

EDITS: dict[str, Callable[[KAN], object]] = {
    "remove_edge": lambda m: m.remove_edge((0, 0, 0)),
    "restore_edge": lambda m: do(m, ("remove_edge", (0, 0, 2)), ("restore_edge", (0, 0, 2))),
    "remove_node": lambda m: m.remove_node((1, 1)),
    "restore_node": lambda m: do(m, ("remove_node", (1, 2)), ("restore_node", (1, 2))),
    "move_point": lambda m: m.move_point((0, 1, 2), 2, 0.5),
    "set_curve": lambda m: m.set_curve((0, 1, 0), [-1.0, 0.0, 1.0], [0.3, 0.0, 0.3]),
    "update_grid": lambda m: m.update_grid(X * 2),
    "freeze": lambda m: m.freeze((0, 0, 1)),
    "unfreeze": lambda m: do(m, ("freeze", (0, 1, 1)), ("unfreeze", (0, 1, 1))),
    "constrain": lambda m: m.constrain((0, 0, 1), "increasing"),
    "unconstrain": lambda m: do(m, ("constrain", (0, 1, 1), "convex"), ("unconstrain", (0, 1, 1))),
    "lock": lambda m: m.lock([(0, 0, 0), (0, 1, 0)]),
    "unlock": lambda m: do(m, ("lock", PAIR), ("unlock", PAIR)),
    "prune": lambda m: m.prune(edges=[(0, 0, 1)]),
    "undo": lambda m: do(m, ("remove_edge", (0, 0, 0)), ("undo",)),
    "redo": lambda m: do(m, ("remove_edge", (0, 0, 0)), ("undo",), ("redo",)),
    "fit": lambda m: m.fit(X, Y, steps=1, starts=1, smoothing=1e-8, progress=False),
    "solve": lambda m: m.solve(lambda u: u(X) - Y, steps=1, starts=1, progress=False),
    "fix": fixed,
    "unfix": unfixed,
    "undo of unfix": undo_of_unfix,
    "symbolify": symbolified,
    "refine": lambda m: m.refine(10),
    "refine and undo": lambda m: do(m, ("refine", 7), ("undo",)),
    "load_state_dict": lambda m: m.load_state_dict(KAN([2, 3, 1], seed=3).state_dict()),
    "set_extra_state": lambda m: m.set_extra_state(torch.ones(2, 3)),
}
RESHAPING = {"fix", "undo of unfix", "symbolify", "refine", "refine and undo"}
"""Those that make parameters new, or others of their numbers: they ask for ``refresh``."""


def test_no_edit_is_forgotten_here() -> None:
    changes = re.compile(r"self\.session\.(change|fit|undo|redo|take_units)\(")
    public = {name: value for name, value in vars(KAN).items() if not name.startswith("_")}
    names = {
        name
        for name, value in public.items()
        if callable(value) and changes.search(inspect.getsource(value))
    }
    assert len(names) > 20
    assert names - EDITS.keys() == set()


class Loop:
    """A user's own loop: a model, an optimizer that nobody tells of anything, and what to learn."""

    def __init__(self, kind: Any, model: KAN) -> None:
        self.model, self.wanted = model, Y
        self.optimizer = kind(model.parameters(), lr=0.01)

    def loss(self) -> Tensor:
        self.optimizer.zero_grad()
        value = nn.functional.mse_loss(self.model(X), self.wanted)
        value.backward()
        return value

    def goes_on(self) -> None:
        """Fail unless all that may learn does, and something new is learnt."""
        learning = [p for p in self.model.parameters() if p.requires_grad]
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        assert {id(p) for p in learning} <= held
        self.wanted = Y + 1  # what an edit or a fit has learnt is not this
        before, first = [p.detach().clone() for p in learning], float(self.loss().detach())
        for _ in range(10):
            self.optimizer.step(self.loss)
        assert float(self.loss().detach()) < first
        assert all(not torch.equal(one, p) for one, p in zip(before, learning, strict=True))


# Of SGD and LBFGS, whose steps may run away from where an edit leads, the plain ones.
PLAIN = ("update_grid", "prune", "undo", "move_point", "fit", "lock", "fix", "refine")
KINDS: list[tuple[Any, str]] = [(torch.optim.Adam, name) for name in EDITS]
KINDS += [(kind, name) for kind in (torch.optim.SGD, torch.optim.LBFGS) for name in PLAIN]


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_an_optimizer_of_the_users_own_goes_on_after_an_edit(kind: Any, name: str) -> None:
    loop = Loop(kind, KAN([2, 3, 1]))
    for _ in range(3):
        loop.optimizer.step(loop.loss)
    EDITS[name](loop.model)
    if name in RESHAPING:
        loop.model.refresh(loop.optimizer)
    loop.goes_on()


@settings(max_examples=10)
@given(st.lists(st.sampled_from(sorted(EDITS.keys() - RESHAPING)), min_size=2, max_size=5))
def test_an_optimizer_goes_on_through_all_edits_that_keep_the_shapes(names: list[str]) -> None:
    loop = Loop(torch.optim.Adam, KAN([2, 3, 1]))
    first = {name: id(p) for name, p in loop.model.named_parameters()}
    for name in names:
        loop.optimizer.step(loop.loss)
        with contextlib.suppress(ValueError):  # what is removed cannot be removed again, and so on
            EDITS[name](loop.model)
    assert {name: id(p) for name, p in loop.model.named_parameters()} == first
    loop.goes_on()


@pytest.mark.parametrize("basis", ["bspline", "gaussian", "matern32"])
@pytest.mark.parametrize("grid_size", [5, 60])  # dense and sparse kernels
def test_a_layer_casts_under_autocast_as_layers_of_torch_do(basis: Any, grid_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = KANLayer(3, 2, basis=basis, grid_size=grid_size, generator=generator)
    net = nn.Sequential(nn.Linear(2, 3), layer, nn.Linear(2, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = net[0](X)
        assert hidden.dtype == torch.bfloat16
        found = layer(hidden)
        loss = nn.functional.mse_loss(net(X), Y)
    assert found.dtype == torch.float32
    wanted = layer(hidden.float())
    assert torch.equal(found, wanted)
    (grad,) = torch.autograd.grad(found.square().sum(), layer.weight)
    (right,) = torch.autograd.grad(wanted.square().sum(), layer.weight)
    assert torch.equal(grad, right)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # as some write it
        loss.backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in net.parameters())


@settings(max_examples=6)
@given(
    st.sampled_from([torch.bfloat16, torch.float16]),
    st.sampled_from(["bspline", "gaussian"]),
    st.sampled_from(["first", "last", "alone"]),
    st.booleans(),
)
def test_a_loop_in_half_precision_trains(
    dtype: torch.dtype,
    basis: Any,
    place: str,
    has_units: bool,  # noqa: FBT001 - drawn
) -> None:
    model = KAN([2, 3, 1] if place != "last" else [4, 3, 1], basis=basis)
    if has_units:
        scales = torch.cat([torch.full((2, model.widths[0]), 2.0), torch.ones(2, 1)], dim=1)
        model.set_extra_state(scales)
    around = {
        "first": nn.Sequential(model, nn.Linear(1, 1)),
        "last": nn.Sequential(nn.Linear(2, 4), model),
        "alone": model,
    }
    net = around[place]
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    for _ in range(40):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=dtype):
            loss = nn.functional.mse_loss(net(X), Y + 2)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_weight_decay_and_groups_of_parameters_reach_each_layer() -> None:
    model = KAN([2, 3, 1])
    first, last = (layer.weight for layer in model.network.layers)
    groups = [{"params": [first], "weight_decay": 0.5}, {"params": [last], "lr": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.0)
    before = first.detach().clone(), last.detach().clone()
    for weight in (first, last):
        weight.grad = torch.zeros_like(weight)  # what moves then is the decay alone
    optimizer.step()
    torch.testing.assert_close(first, before[0] * (1 - 0.1 * 0.5))
    assert torch.equal(last, before[1])


@pytest.mark.parametrize("basis", ["bspline", "gaussian"])
def test_gradient_checkpointing_gives_the_same_gradients(basis: Any) -> None:
    model, found = KAN([2, 3, 1], basis=basis), []
    for again in (False, True):
        model.zero_grad()
        x = X
        for layer in model.network.layers:
            x = checkpoint(layer, x, use_reentrant=False) if again else layer(x)
        nn.functional.mse_loss(x, Y).backward()
        found.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert len(found[0]) == 2
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)


class LitLike:
    """A run in Lightning's manner: a loader, closures, a schedule, a checkpoint of all of it."""

    def __init__(self) -> None:
        self.model = KAN([2, 3, 1], seed=3)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.02)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
        self.parts: dict[str, Any] = {
            "model": self.model,
            "optimizer": self.optimizer,
            "lr": self.schedule,
        }

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            for batch in DataLoader(TensorDataset(X, Y), batch_size=16):
                self.optimizer.step(lambda batch=batch: self.closure(*batch))
            self.schedule.step()

    def closure(self, x: Tensor, y: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = nn.functional.mse_loss(self.model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        return float(loss.detach())


def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_not_ended() -> None:
    whole, first, second, file = LitLike(), LitLike(), LitLike(), io.BytesIO()
    whole.run(4)
    first.run(2)
    torch.save({name: part.state_dict() for name, part in first.parts.items()}, file)
    file.seek(0)
    for name, state in torch.load(file, weights_only=True).items():
        second.parts[name].load_state_dict(state)
    second.run(2)
    assert torch.equal(second.model(X), whole.model(X))


@pytest.mark.parametrize("small", [torch.float16, torch.bfloat16])
def test_weights_are_saved_with_half_the_digits(small: torch.dtype) -> None:
    model, file = KAN([2, 3, 1]), io.BytesIO()
    state = model.state_dict()
    torch.save({name: value.to(small) for name, value in state.items()}, file)
    assert file.tell() < 8_000
    file.seek(0)
    twin = KAN([2, 3, 1], seed=5)
    twin.load_state_dict(torch.load(file, weights_only=True))
    assert twin.network.layers[0].weight.dtype == torch.float32
    torch.testing.assert_close(twin(X), model(X), rtol=2e-2, atol=2e-2)


PROCESSES = """
import datetime, os, sys
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import kanviz as kv

torch.set_num_threads(1)
x = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

def gradients(model, rows):
    (model(rows) - rows.prod(1, keepdim=True)).square().mean().backward()
    return [p.grad.clone() for p in model.parameters()]

whole = gradients(kv.KAN([2, 3, 1], dtype=torch.float64), x)  # with compiled kernels, then:
child = os.fork()
rank = 0 if child else 1
limit = datetime.timedelta(seconds=60)
dist.init_process_group("gloo", f"file://{sys.argv[1]}", limit, 2, rank)
model = DistributedDataParallel(kv.KAN([2, 3, 1], seed=rank, dtype=torch.float64))
torch.testing.assert_close(gradients(model, x[rank::2]), whole, rtol=1e-12, atol=1e-14)
dist.destroy_process_group()
if not child:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_two_processes_give_the_gradient_of_one(tmp_path: Path) -> None:
    """Forked after the kernels ran; each has half of the rows and its own start."""
    command = [sys.executable, "-W", "ignore", "-c", PROCESSES, str(tmp_path / "store")]
    env = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_model_with_units_keeps_them_under_autocast() -> None:
    model = KAN([2, 3, 1])
    model.fit(1000 + 10 * X, 5 * Y, steps=5, starts=1, progress=False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model(1000 + 10 * X), model(1000 + 10 * X).float())


def test_edits_and_fits_in_inference_mode_leave_a_model_that_trains() -> None:
    model = KAN([2, 3, 1])
    with torch.inference_mode():
        model.refine(10)
        model.remove_edge((0, 0, 0))
        model.undo()
        model.fix((1, 0, 0), "sin", affine=(1.0, 0.0, 1.0, 0.0))
        model.fit(X + 0, Y + 0, steps=3, progress=False)
        model.fit(X + 0, Y + 0, steps=3, optimizer="adam", progress=False)
    assert not any(p.is_inference() for p in model.parameters())
    model(X).sum().backward()
    assert model.fit(X, Y, steps=3, progress=False).loss < 1


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_is_fitted_in_full(dtype: torch.dtype, optimizer: Any) -> None:
    model = KAN([2, 2, 1]).to(dtype)
    report = model.fit(X, Y, steps=4, starts=1, optimizer=optimizer, progress=False)
    assert report.errors == model.evaluate((X, Y))
    assert report.errors["train_r2"] > 0.3
    assert {p.dtype for p in model.parameters()} == {dtype}


def test_a_fit_within_no_grad_trains() -> None:
    model = KAN([2, 3, 1])
    with torch.no_grad():
        report = model.fit(X, Y, steps=20, optimizer="adam", progress=False)
    assert report.history["loss"][-1] < report.history["loss"][0]


def test_lm_leaves_parameters_alone_that_do_not_require_gradients() -> None:
    model = KAN([2, 3, 1])
    model.network.layers[1].requires_grad_(requires_grad=False)
    before = model.network.layers[1].weight.clone()
    model.fit(X, Y, steps=5, starts=1, update_grid=False, progress=False)
    assert torch.equal(model.network.layers[1].weight, before)


@pytest.mark.parametrize("basis", ["bspline", "gaussian", "multiquadric"])
def test_a_model_is_exported(basis: Any) -> None:
    model = KAN([2, 3, 1], basis=basis)
    _, program = exported(model, X)
    torch.testing.assert_close(program(X), model(X))


@pytest.mark.usefixtures("unchecked")
def test_a_model_of_formulas_and_units_is_exported_for_any_number_of_rows() -> None:
    model = KAN([2, 2, 1])  # as torch.onnx.export does it
    model.fix((0, 0, 0), "sin", affine=(2.0, 0.5, 1.0, 0.0))
    model.fix((0, 1, 0), "exp(-x**2)", affine=(1.0, 0.0, 1.0, 0.0))
    model.remove_edge((0, 1, 1))
    model.set_extra_state(torch.tensor([[10.0, 20.0, 5.0], [2.0, 3.0, 7.0]]))
    rows = {0: torch.export.Dim("rows")}
    _, program = exported(model.eval(), X, dynamic_shapes=(rows,))
    for x in (X, X[:7]):
        torch.testing.assert_close(program(x), model(x))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("basis", ["bspline", "gaussian", "matern32"])
def test_a_model_is_traced(basis: Any) -> None:
    model = KAN([2, 3, 1], basis=basis)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own: of the end of trace, and of checks of shapes
        traced = torch.jit.trace(model, X)
    torch.testing.assert_close(traced(X[:7]), model(X[:7]))


orders, sizes = st.integers(0, 5), st.integers(1, 8)


@settings(max_examples=6)
@given(
    st.sampled_from(["bspline", "gaussian", "matern32", "multiquadric"]),
    st.sampled_from(["silu", "identity", "zero"]),
    st.sampled_from(["linear", "zero"]),
    orders,
    sizes,
    st.sampled_from(["", "sin", "exp(-x**2)", "x^2"]),
)
def test_a_model_of_any_family_is_traced_and_loaded(
    basis: Any, base: Any, extrapolation: Any, order: int, size: int, formula: str
) -> None:
    kind: dict[str, Any] = {"basis": basis, "base": base, "extrapolation": extrapolation}
    model, twin = (
        KAN([2, 2, 1], grid_size=size, spline_order=order, seed=seed, **kind) for seed in (0, 1)
    )
    for one in (model, twin):
        if formula:
            one.fix((0, 1, 0), formula, affine=LINE)
    model.set_extra_state(torch.tensor([[0.5, -0.5, 5.0], [2.0, 3.0, 7.0]]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own: of the end of trace, and of checks of shapes
        traced = torch.jit.trace(model, X)
    torch.testing.assert_close(traced(3 * X[:7]), model(3 * X[:7]), rtol=1e-4, atol=1e-4)
    twin.load_state_dict(model.state_dict(), assign=bool(size % 2))
    torch.testing.assert_close(twin(3 * X), model(3 * X), rtol=0, atol=0)
    parts = {name: value for name, value in model.state_dict().items() if "layers.1" in name}
    missing, unexpected = twin.load_state_dict(parts, strict=False)
    assert {name for name in missing if "layers.1" in name} == set()
    assert unexpected == []
    torch.testing.assert_close(twin(3 * X), model(3 * X), rtol=0, atol=0)


def test_a_state_dict_says_what_it_does_not_hold() -> None:
    model = KAN([2, 3, 1])
    model.fix((0, 0, 0), "sin", affine=(1.0, 0.0, 1.0, 0.0))
    for there, back in ((model, KAN([2, 3, 1])), (KAN([2, 3, 1]), model)):
        for strict in (True, False):
            with pytest.raises(RuntimeError, match=r"formulas.*kanviz\.load"):
                back.load_state_dict(there.state_dict(), strict=strict)
    with pytest.raises(RuntimeError, match=r"with grid_size=5.*kanviz\.load"):
        KAN([2, 3, 1], grid_size=7).load_state_dict(KAN([2, 3, 1]).state_dict())
    twin = model.copy()
    twin.load_state_dict(model.state_dict())


@given(
    st.sampled_from(["silu", "identity"]),
    st.sampled_from(["linear", "zero"]),
    st.sampled_from(["gaussian", "matern32", "inverse_quadratic"]),
    st.booleans(),
)
@settings(max_examples=12)
def test_a_state_dict_carries_the_functions(
    base: Any,
    extrapolation: Any,
    basis: Any,
    is_spline: bool,  # noqa: FBT001 - drawn
) -> None:
    kind: dict[str, Any] = {"base": base, "extrapolation": extrapolation}
    if not is_spline:
        kind["basis"] = basis
    model, twin = KAN([2, 3, 1], seed=1, **kind), KAN([2, 3, 1])
    if not is_spline:
        twin = KAN([2, 3, 1], basis="multiquadric")
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    twin.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(twin(3 * X), model(3 * X))
    assert twin.network.remade(5).layers[0].spec == model.network.layers[0].spec
    layer, other = nn.Sequential(KANLayer(2, 2, **kind)), nn.Sequential(KANLayer(2, 2, **kind))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(X), layer(X))


def test_a_state_dict_of_0_1_leaves_the_functions_as_they_are() -> None:
    model = KAN([2, 3, 1], base="identity", extrapolation="zero")
    old = {name: value for name, value in model.state_dict().items() if "extra" not in name}
    twin = KAN([2, 3, 1], base="identity", extrapolation="zero", seed=2)
    twin.load_state_dict(old)
    assert torch.equal(twin(3 * X), model(3 * X))
    with pytest.raises(RuntimeError, match=r"weights per edge.*base='identity'.*kanviz\.load"):
        KAN([2, 3, 1], base="zero").load_state_dict(model.state_dict())
    broken = model.state_dict() | {"network.layers.0._extra_state": torch.tensor([5, 3, 99, 0, 0])}
    with pytest.raises(ValueError, match="must be 5 whole numbers"):
        twin.load_state_dict(broken)


@pytest.mark.parametrize("cast", [nn.Module.float, nn.Module.half])
def test_a_cast_that_lets_knots_fall_together_is_refused_whole(cast: Callable[[Any], Any]) -> None:
    offset = 1e8 if cast is nn.Module.float else 1e4
    fine = KANLayer(2, 2, grid_size=20, grid_range=(offset, offset + 1), dtype=torch.float64)
    plain = KANLayer(1, 2, dtype=torch.float64)
    model = KAN.from_layers([plain, fine])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for module in (model, model.network, fine):
        with pytest.raises(ValueError, match=r"must increase.*cannot tell 27 of them apart"):
            cast(module)
    after = model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert {value.dtype for value in model.parameters()} == {torch.float64}
    assert cast(plain).weight.dtype != torch.float64
    assert model.to("meta").widths == (1, 2, 2)


WITHOUT_NUMBERS = {"copy", "refresh", "on_change", "script", "undo", "redo", "get_extra_state"}
WITHOUT_NUMBERS |= {"train", "forward", "set_extra_state", "from_layers", "from_formula"}
"""Methods that need no numbers of the model, or make one."""

TAKEN: dict[str, tuple[Any, ...]] = {
    "plot_layer": (0,),
    "to_html": ("never.html",),
    "save": ("never.kan",),
    "suggest": ((0, 0, 0),),
    "score": (X, Y),
    **dict.fromkeys(("evaluate", "structure", "plan"), ((X, Y),)),
    **dict.fromkeys(
        ("predict", "predict_interval", "predict_proba", "decision_function", "contributions"), (X,)
    ),
}


def with_noise() -> KAN:
    """Return a model of noisy data, which knows its bands."""
    model = KAN([2, 3, 1])
    noise = 0.1 * torch.randn(60, 1, generator=torch.Generator().manual_seed(1))
    model.fit(X, Y + noise, smoothing="auto", starts=1, steps=3, progress=False)
    model.fix((0, 1, 0), "sin", affine=LINE)
    return model


@pytest.mark.usefixtures("unchecked")
def test_every_method_tells_a_model_on_meta_in_one_sentence(tmp_path: Path) -> None:
    public = {name: one for name, one in vars(KAN).items() if not name.startswith("_")}
    names = {name for name, one in public.items() if callable(one)} - WITHOUT_NUMBERS
    assert len(names) > 40
    on_meta = {"made": KAN([2, 3, 1], device="meta"), "moved": with_noise().to("meta")}
    for way, model in on_meta.items():
        for name in sorted(names):
            asked = EDITS.get(name, lambda m, n=name: getattr(m, n)(*TAKEN.get(n, ())))
            if way == "made" and name in ("bands", "predict_interval", "predict_proba"):
                continue  # these say first what the model does not know
            is_classes = name == "predict_proba"
            wanted = "predicts numbers" if is_classes else "is on the meta device, which holds no n"
            with pytest.raises(ValueError, match=f"^This model {wanted}") as told:
                asked(model)
            assert str(told.value).count(". ") <= 1, name
        assert model.to("meta").steps == model.steps
        assert not list(tmp_path.iterdir())
    filled = KAN([2, 3, 1], device="meta")
    filled.load_state_dict(KAN([2, 3, 1], seed=3).state_dict(), assign=True)
    before = filled(X)
    torch.testing.assert_close(before, KAN([2, 3, 1], seed=3)(X), rtol=0, atol=0)
    filled.fit(X, Y, steps=2, starts=1, progress=False)
    assert not torch.equal(filled(X), before)
    filled.undo()
    assert torch.equal(filled(X), before)
    with pytest.raises(IndexError, match="was on the meta device"):
        filled.undo()


ELSEWHERE = {"structure", "explore", "to_html", "plot", "plot_layer", "graph"}
"""Methods whose answer has no text of its own that could be compared."""


def without_times(answer: object) -> str:
    """Return the text of an answer without the seconds that it took."""
    return re.sub(r"\d[\d.]* m?s\b", "", str(answer))


@pytest.mark.usefixtures("unchecked")
def test_a_default_device_is_not_taken_for_the_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after ``torch.set_default_device("cuda")``; ``meta`` is one that every machine has."""
    monkeypatch.chdir(tmp_path)
    public = {name: one for name, one in vars(KAN).items() if not name.startswith("_")}
    names = {name for name, one in public.items() if callable(one)}
    names -= {"from_layers", "from_formula", "predict_proba", "get_extra_state", "refresh"}
    names -= {"copy", "on_change", "set_extra_state"}
    taken = TAKEN | {"forward": (X,), "bands": (X,), "contributions": (X[:3],)}
    fitted = with_noise()
    fitted.unfix((0, 1, 0))
    for name in sorted(names):
        asked = EDITS.get(name, lambda m, n=name: getattr(m, n)(*taken.get(n, ())))
        model, twin = fitted.copy(), fitted.copy()
        with torch.device("meta"):
            answer = asked(model)
        wanted = asked(twin)
        assert bytes_of(model) == bytes_of(twin), name
        if name not in ELSEWHERE:
            assert without_times(answer) == without_times(wanted), name


def rows_of(data: Any) -> bytes:
    """Return the rows of a data set, in user's units."""
    return bytes(data.x_scaling.undo(data.x).numpy().tobytes())


@pytest.mark.usefixtures("unchecked")
def test_models_are_made_on_the_default_device_and_data_read_on_the_cpu(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 5}\n" for i in range(30)))
    KAN([2, 1]).save(tmp_path / "model.kan")
    makers: dict[str, Callable[[Any], nn.Module]] = {
        "KAN": lambda device: KAN([2, 3, 1], device=device),
        "KANLayer": lambda device: KANLayer(2, 3, basis="gaussian", device=device),
        "Network": lambda device: Network([2, (1, 1), 1], device=device),
        "load": lambda device: kv.load(tmp_path / "model.kan", device=device),
    }
    for name, make in makers.items():
        wanted = bytes_of(make(None))
        with torch.device("meta"):
            assert {value.device.type for value in make(None).parameters()} == {"meta"}, name
            assert bytes_of(make("cpu")) == wanted, name
    readers: dict[str, Callable[[], Any]] = {
        "from_arrays": lambda: kv.from_arrays(X.numpy(), Y.numpy()),
        "from_csv": lambda: kv.from_csv(table, target="y"),
        "from_function": lambda: kv.from_function(
            lambda x: torch.ones(len(x), 1) * x[:, :1] * x[:, 1:], [(0, 1), (0, 2)]
        ),
    }
    for name, read in readers.items():
        rows = rows_of(read())
        with torch.device("meta"):
            assert rows_of(read()) == rows, name
    fitted = with_noise()
    answers: dict[str, Callable[[], Any]] = {
        "search": lambda: (
            kv.search((X, Y), widths=[[2, 1]], starts=1, device="cpu", progress=False).best
        ),
        "KANRegressor": lambda: (
            KANRegressor(hidden=(1,), steps=2, device="cpu").fit(X.numpy(), Y.numpy()[:, 0]).model_
        ),
        "from_layers": lambda: KAN.from_layers(list(fitted.network.layers)),
        "from_formula": lambda: KAN.from_formula("sin(x) + y**2", {"x": (0, 1), "y": (0, 1)}),
        "to_efficient_kan": lambda: KAN.from_layers(
            kv.convert(to_efficient_kan(KAN([2, 1], device="cpu"))).network.layers
        ),
    }
    for name, ask in answers.items():
        wanted = bytes_of(ask())
        with torch.device("meta"):
            assert bytes_of(ask()) == wanted, name


def test_residuals_make_tensors_on_the_users_default_device() -> None:
    seen = []

    def residuals(u: Any) -> Tensor:
        seen.append(torch.zeros(1).device.type)
        found: Tensor = u(X) - Y
        return found

    with torch.device("meta"):
        KAN([2, 1], device="cpu").solve(residuals, steps=1, starts=1, progress=False)
    assert set(seen) == {"meta"}


shapes = st.lists(st.integers(1, 3), min_size=2, max_size=4)


@settings(max_examples=40)
@given(shapes, shapes, st.integers(2, 4), st.integers(2, 4), st.booleans())
def test_a_state_dict_of_another_shape_is_one_sentence_and_changes_nothing(
    mine: list[int],
    theirs: list[int],
    size: int,
    other: int,
    strict: bool,  # noqa: FBT001 - drawn
) -> None:
    model, there = KAN(mine, grid_size=size), KAN(theirs, grid_size=other, seed=1)
    there.set_extra_state(torch.full((2, theirs[0] + theirs[-1]), 2.0))
    for to, state in (
        (model, there.state_dict()),
        (model.network, there.network.state_dict()),
        (nn.Sequential(model), nn.Sequential(there).state_dict()),
    ):
        before = {name: value.clone() for name, value in to.state_dict().items()}
        if mine == theirs and size == other:
            to.load_state_dict(state)
            assert all(torch.equal(value, state[name]) for name, value in to.state_dict().items())
            continue
        if mine == theirs:
            wanted = (
                r"layers\.0 has knots of shape .* the state dict .*kanviz\.load, which keep them"
            )
        else:
            wanted = r"^This model has the widths .*, the state dict .* or use model\.save and"
        with pytest.raises(RuntimeError, match=wanted) as told:
            to.load_state_dict(state, strict=strict or mine != theirs)
        assert "\n" not in str(told.value)
        assert "size mismatch" not in str(told.value)
        assert all(torch.equal(value, before[name]) for name, value in to.state_dict().items())


def test_a_model_without_numbers_says_what_it_is() -> None:
    model = KAN([2, 3, 1])
    model.remove_edge((0, 0, 0))
    assert repr(model).endswith("8 of 9 edges")
    assert repr(model.to("meta")).endswith("9 edges on meta")
