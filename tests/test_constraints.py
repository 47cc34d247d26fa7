"""Shapes that edges keep: what they mean for a curve, and that nothing makes an edge lose one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_helpers import bytes_of
from scipy.optimize import isotonic_regression

import kanviz as kv
from kanviz.nn import KANLayer
from kanviz.nn.constraints import Constraint, Shape, held, isotonic

pytestmark = pytest.mark.long

Rows = np.ndarray

numbers = st.lists(st.floats(-5, 5), min_size=2, max_size=9)


@given(numbers, st.integers(0, 2**16))
@settings(max_examples=40)
def test_pooling_finds_the_nearest_values_that_do_not_fall(values: list[float], seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 3, len(values)).tolist()
    wanted = isotonic_regression(values, weights=weights).x
    assert isotonic(values, weights) == pytest.approx(wanted.tolist(), abs=1e-12)


@given(numbers, st.sampled_from(["increasing", "decreasing", "convex", "concave", "even", "odd"]))
@settings(max_examples=60)
def test_what_has_the_shape_stays_as_it_is(values: list[float], shape: str) -> None:
    points = np.linspace(-1, 1, len(values)).tolist()
    once = held(values, points, [shape])
    assert held(once, points, [shape]) == pytest.approx(once, abs=1e-12)
    if shape not in ("even", "odd"):
        assert sum(once) == pytest.approx(sum(values), abs=1e-9), "the mean stays"


def slope(x: Rows, y: Rows) -> Rows:
    return np.diff(y) / np.diff(x)


SHAPES: dict[tuple[Shape, ...], Callable[[Rows, Rows], bool]] = {
    ("increasing",): lambda x, y: bool((slope(x, y) >= -1e-9).all()),
    ("decreasing",): lambda x, y: bool((slope(x, y) <= 1e-9).all()),
    ("convex",): lambda x, y: bool((np.diff(slope(x, y)) >= -1e-7).all()),
    ("concave",): lambda x, y: bool((np.diff(slope(x, y)) <= 1e-7).all()),
    ("even",): lambda x, y: bool(np.abs(y - y[::-1]).max() < 1e-8),
    ("odd",): lambda x, y: bool(np.abs(y + y[::-1]).max() < 1e-8),
    ("increasing", "concave"): lambda x, y: bool(
        (slope(x, y) >= -1e-9).all() and (np.diff(slope(x, y)) <= 1e-7).all()
    ),
    ("odd", "increasing"): lambda x, y: bool(
        (slope(x, y) >= -1e-9).all() and np.abs(y + y[::-1]).max() < 1e-8
    ),
}
"""Whether a curve over x, symmetric about 0 and even beyond the grid, has the shapes."""


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("shapes", SHAPES)
def test_a_curve_has_its_shape_wherever_it_goes(shapes: tuple[Shape, ...], order: int) -> None:
    generator = torch.Generator().manual_seed(order)
    layer = KANLayer(2, 2, spline_order=order, dtype=torch.float64, generator=generator)
    points = torch.tensor([[-1.0, -0.7, 0.1, 0.4, 0.9, 2.0]] * 2, dtype=torch.float64)
    layer.move_knots(points, uniform=False)
    with torch.no_grad():
        layer.weight.normal_(generator=generator)
    layer.constrain([(1, 0)], Constraint(shapes))
    x = torch.linspace(-3, 3, 601, dtype=torch.float64)

    def has_shape() -> bool:
        y = layer.edge_outputs(x[:, None].expand(-1, 2))[:, 1, 0]
        return SHAPES[shapes](x.numpy(), y.detach().numpy())

    assert has_shape()
    with torch.no_grad():  # as an optimizer, or a hand, that knows nothing of it
        layer.weight.normal_(generator=generator)
    layer.settle()
    assert has_shape()
    layer.refine(10)
    assert has_shape()
    layer.update_grid(torch.rand(50, 2, generator=generator, dtype=torch.float64) * 3 - 1)
    assert has_shape()
    layer.constrain([(1, 0)], None)
    with torch.no_grad():
        layer.weight.normal_(generator=generator)
    layer.settle()
    assert not has_shape(), "it is free again"


def make_rows() -> tuple[torch.Tensor, torch.Tensor]:
    """Return a wave with noise over 1 to 5 and -2 to 3: nothing here has a shape by itself."""
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(60, 2, generator=generator, dtype=torch.float64) * torch.tensor([4.0, 5.0])
    x = x + torch.tensor([1.0, -2.0])
    noise = 0.3 * torch.randn(60, 1, generator=generator, dtype=torch.float64)
    return x, torch.sin(2 * x[:, :1]) * 100 + 20 * x[:, 1:] ** 2 - 10 * x[:, 1:] + 100 * noise


def make_model() -> kv.KAN:
    model = kv.KAN([2, 2, 1], grid_size=3, dtype=torch.float64)
    model.fit(*make_rows(), steps=2, progress=False)
    model.constrain((0, 0, 0), "increasing")
    model.constrain((0, 1, 1), "even")
    model.constrain((1, 0, 0), "decreasing", "convex")
    return model


def keeps(model: kv.KAN) -> bool:
    """Say whether all three edges have their shapes, in the user's units."""
    x = torch.stack([torch.linspace(-4, 9, 400), torch.linspace(-4, 4, 400)], 1).double()
    first = model.network.layers[0].edge_outputs(model.session.inputs(x)).detach().numpy()
    hidden = torch.linspace(-5, 5, 400, dtype=torch.float64).unsqueeze(1).expand(-1, 2)
    second = model.network.layers[1].edge_outputs(hidden).detach().numpy()
    t = hidden[:, 0].numpy()
    return (
        SHAPES["increasing",](x[:, 0].numpy(), first[:, 0, 0])
        and SHAPES["even",](x[:, 1].numpy(), first[:, 1, 1])
        and SHAPES["decreasing",](t, second[:, 0, 0])
        and SHAPES["convex",](t, second[:, 0, 0])
    )


def to_a_formula_and_back(model: kv.KAN) -> None:
    model.fix((0, 0, 0), "sin")
    model.unfix((0, 0, 0))


CHANGES: dict[str, Callable[[kv.KAN], object]] = {
    "lm": lambda model: model.fit(*make_rows(), steps=4, progress=False),
    "adam": lambda model: model.fit(*make_rows(), steps=4, optimizer="adam", progress=False),
    "lbfgs": lambda model: model.fit(*make_rows(), steps=3, optimizer="lbfgs", progress=False),
    "starts": lambda model: model.fit(*make_rows(), steps=3, starts=2, progress=False),
    "grids": lambda model: model.fit(*make_rows(), grids=[3, 5], steps=2, progress=False),
    "refine": lambda model: model.refine(7),
    "a new grid": lambda model: model.update_grid(make_rows()[0] * 0.9),
    "a point": lambda model: model.move_point((0, 0, 0), 2, 3.0),
    "a curve": lambda model: model.set_curve((0, 1, 1), [0.5, 1.5], [10.0, -10.0]),
    "a formula and back": to_a_formula_and_back,
    "pruning": lambda model: model.prune(edges=[(0, 0, 1)]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_makes_an_edge_lose_its_shape(name: str) -> None:
    model = make_model()
    assert keeps(model)
    before = bytes_of(model.network)
    CHANGES[name](model)
    assert (bytes_of(model.network) == before) == (name == "a formula and back")
    assert keeps(model)


def test_a_fit_with_the_right_shape_finds_it_and_is_no_worse_than_it_must() -> None:
    """A law that is increasing, with noise: a curve that must increase is nearer to it."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(80, 1, generator=generator, dtype=torch.float64) * 4 - 2
    law = torch.atan(3 * x)
    y = law + 0.3 * torch.randn(80, 1, generator=generator, dtype=torch.float64)
    errors = []
    for shapes in ([], ["increasing"]):
        model = kv.KAN([1, 1], grid_size=10, dtype=torch.float64)
        if shapes:
            model.constrain((0, 0, 0), "increasing")
        model.fit(x, y, steps=30, smoothing=1e-8, progress=False)
        errors.append(float((torch.tensor(model.predict(x)) - law).square().mean().sqrt()))
    assert errors[1] < 0.8 * errors[0]


def test_a_point_of_a_monotone_curve_pushes_the_others_away() -> None:
    model = make_model()
    height = 7.0
    model.move_point((0, 0, 0), 2, height)
    coef = model.network.layers[0].coef[0, 0].detach()
    assert float(coef[2]) == pytest.approx(height)
    assert (coef[3:] >= height - 1e-9).all()
    assert (coef[:2] <= height + 1e-9).all()


def test_shapes_are_kept_in_files_copies_history_and_scripts(tmp_path: Path) -> None:
    model = make_model()
    wanted = [dict(layer.constraints) for layer in model.network.layers]
    assert wanted[0][1, 1].centre == pytest.approx(
        -float(model.session.about.x_scaling.shift[1] / model.session.about.x_scaling.scale[1])
    )
    path = tmp_path / "shaped.kan"
    model.save(path)
    for other in (kv.load(path), model.copy()):
        assert [dict(layer.constraints) for layer in other.network.layers] == wanted
        other.refine(6)
        assert keeps(other)
    shown = {tuple(view.edge): view.shapes for view in model.snapshot().edges if view.shapes}
    assert shown[1, 0, 0] == ("decreasing", "convex")
    assert kv.Snapshot.from_dict(model.snapshot().to_dict()) == model.snapshot()
    before = bytes_of(model.network)
    model.unconstrain((0, 0, 0))
    assert model.steps[-1] == "freed edge (0, 0, 0) of its constraint"
    assert (0, 0) not in model.network.layers[0].constraints
    model.undo()
    assert bytes_of(model.network) == before
    assert (0, 0) in model.network.layers[0].constraints
    for _ in range(3):
        model.undo()
    assert not model.network.layers[0].constraints
    for _ in range(3):
        model.redo()
    assert bytes_of(model.network) == before
    assert "model.constrain((1, 0, 0), 'decreasing', 'convex')" in model.script()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ((), "constrain needs a shape"),
        (("rising",), "shape must be one of"),
        (
            ("increasing", "decreasing"),
            "got 'increasing' and 'decreasing'",
        ),
        (("even", "odd"), "shapes must go together"),
        (("convex", "convex"), "shapes must be different"),
    ],
)
def test_shapes_that_make_no_sense_are_named(
    shapes: tuple[Shape, ...], message: str, unchecked: None
) -> None:
    model = kv.KAN([1, 1])
    with pytest.raises(ValueError, match=message):
        model.constrain((0, 0, 0), *shapes)
    assert model.steps == []


def test_an_edge_that_cannot_keep_a_shape_says_why() -> None:
    model = make_model()
    with pytest.raises(ValueError, match="x = 0, about which it would be so, lies outside"):
        model.constrain((0, 0, 1), "even")  # its input goes from 1 to 5
    with pytest.raises(ValueError, match="known after the first fit"):
        kv.KAN([1, 1]).constrain((0, 0, 0), "odd")
    with pytest.raises(ValueError, match="is not constrained"):
        model.unconstrain((0, 0, 1))
    with pytest.raises(ValueError, match="is constrained to a shape and cannot be locked"):
        model.lock([(0, 0, 0), (0, 1, 0)])
    model.remove_edge((0, 0, 1))
    with pytest.raises(ValueError, match="is removed or a formula"):
        model.constrain((0, 0, 1), "convex")
    with pytest.raises(ValueError, match="has radial functions"):
        kv.KAN([1, 1], basis="gaussian").constrain((0, 0, 0), "convex")
    with pytest.raises(IndexError, match="i must be from 0 to 1"):
        model.constrain((0, 5, 0), "convex")


def test_locked_edges_keep_the_shape_together() -> None:
    model = kv.KAN([2, 1], dtype=torch.float64)
    model.lock([(0, 0, 0), (0, 1, 0)])
    model.constrain((0, 1, 0), "concave")
    model.fit(*make_rows(), steps=3, progress=False)
    coef = model.network.layers[0].coef[:, 0]
    assert torch.equal(coef[0], coef[1])
    assert set(model.network.layers[0].constraints) == {(0, 0), (1, 0)}
