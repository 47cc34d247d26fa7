import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_helpers import make_sample

from kanviz.data.scaling import Scaling
from kanviz.nn import Network
from kanviz.symbolic import default_library
from kanviz.symbolic.snapping import Units, normalise, read_terms, snap_network
from kanviz.symbolic.symbol_report import SnappedNumber
from kanviz.training.judge import Judge

NAMES = ("0", "x", "x^2", "x^3", "exp", "sin", "cos", "tanh", "sigmoid", "gaussian", "J0", "abs")
Row = tuple[str, float, float, float, float]


def make_units(inputs: int = 2, outputs: int = 1, *, seed: int | None = None) -> Units:
    if seed is None:
        like = torch.empty(0, dtype=torch.float64)
        return Units(Scaling.identity(inputs, like), Scaling.identity(outputs, like))
    generator = torch.Generator().manual_seed(seed)
    numbers = [
        torch.rand(2, width, generator=generator, dtype=torch.float64) + 0.5
        for width in (inputs, outputs)
    ]
    return Units(*(Scaling(shift=pair[0], scale=pair[1]) for pair in numbers))


def make_formulas(widths: tuple[int, ...], formulas: dict[tuple[int, int, int], Row]) -> Network:
    """Return a network of these formulas, given as (name, a, b, c, d), and splines elsewhere."""
    network = Network(widths, dtype=torch.float64)
    for (depth, i, j), (name, *numbers) in formulas.items():
        layer = network.layers[depth]
        layer.fix(i, j, default_library()[name], numbers)
    return network


def rows_of(network: Network) -> dict[tuple[int, int, int], tuple[float, ...]]:
    terms = [term for layer in read_terms(network, make_units()) for term in layer]
    return {(t.edge.layer, t.edge.i, t.edge.j): tuple(t.numbers) for t in terms}


def random_row(rng: random.Random) -> Row:
    a, b, c, d = (rng.uniform(-2, 2) for _ in range(4))
    return (rng.choice(NAMES), a, b, c, d)


@given(seed=st.integers(0, 10_000), is_scaled=st.booleans())
def test_the_normal_form_computes_the_same(*, seed: int, is_scaled: bool) -> None:
    rng = random.Random(seed)
    network = make_formulas(
        (2, 2, 1),
        {
            (depth, i, j): random_row(rng)
            for depth, i, j in [(0, i, j) for i in (0, 1) for j in (0, 1)] + [(1, 0, 0), (1, 1, 0)]
            if rng.random() < 0.85
        },
    )
    x = make_sample(reach=0.9)
    with torch.no_grad():
        before = network(x)
        normalise(network, make_units(seed=seed if is_scaled else None))
        after = network(x)
    size = float(before.abs().max()) + 1
    assert float((after - before).abs().max()) <= 1e-8 * size


def test_roots_of_scaled_sums_get_numbers_of_one() -> None:
    network = make_formulas(
        (2, 1, 1),
        {
            (0, 0, 0): ("x^2", 2.0, 0.0, 0.4, 0.3),
            (0, 1, 0): ("x^2", -1.0, 0.0, 1.6, 0.5),
            (1, 0, 0): ("sqrt", 2.5, -2.0, 1.5, 0.1),
        },
    )
    normalise(network, make_units())
    rows = rows_of(network)
    assert rows[0, 0, 0] == pytest.approx((1, 0, 1, 0))
    assert rows[0, 1, 0] == pytest.approx((1, 0, 1, 0))
    assert rows[1, 0, 0] == pytest.approx((1, 0, 3, 0.1))


def test_turns_and_signs_of_waves_are_taken_out() -> None:
    network = make_formulas((2, 1), {(0, 0, 0): ("sin", -2.0, 7 * torch.pi, 3.0, 0.0)})
    normalise(network, make_units())
    assert rows_of(network)[0, 0, 0] == pytest.approx((2, 0, 3, 0), abs=1e-12)


def test_numbers_are_those_of_the_users_units() -> None:
    network = make_formulas((2, 1), {(0, 0, 0): ("x^2", 1.0, 0.0, 1.0, 0.0)})
    half = torch.tensor([2.0, 1.0], dtype=torch.float64)
    plain = make_units()
    units = Units(Scaling(shift=torch.zeros_like(half), scale=half), plain.y)
    layers = normalise(network, units)
    assert layers[0][0].numbers == pytest.approx([1, 0, 0.25, 0])


def test_frozen_formulas_and_nodes_before_splines_keep_their_numbers() -> None:
    network = make_formulas((2, 1, 1), {(0, 0, 0): ("x^2", 2.0, 1.0, 3.0, 1.0)})
    frozen = network.layers[0].frozen.clone()
    frozen[0, 0] = True
    network.layers[0].set_frozen(frozen)
    before = network.layers[0].affine.detach().clone()
    normalise(network, make_units())
    assert torch.equal(network.layers[0].affine, before)


def make_judge(network: Network, noise: float = 0.0, samples: int = 300) -> Judge:
    x = make_sample(samples=2 * samples, reach=1.0)
    with torch.no_grad():
        y = network(x)
    y = y + noise * float(y.std()) * torch.randn(y.shape, dtype=torch.float64)
    scale = float(y.std(correction=0))
    return Judge(x[:samples], y[:samples], x[samples:], y[samples:], scale)


LAW: dict[tuple[int, int, int], Row] = {
    (0, 0, 0): ("sin", torch.pi, 0.0, 1.0, 0.0),
    (0, 1, 0): ("x^2", 1.0, 0.0, 0.5, 0.0),
    (1, 0, 0): ("exp", 1.0, 0.0, 1.0, 1 / 3),
}


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_numbers_near_nice_ones_become_them_where_the_error_agrees(noise: float) -> None:
    judge = make_judge(make_formulas((2, 1, 1), LAW), noise)
    near: dict[tuple[int, int, int], Row] = {}
    for edge, (name, *numbers) in LAW.items():
        a, b, c, d = (value * (1 + 0.3 * noise) + 0.1 * noise for value in numbers)
        near[edge] = (name, a, b, c, d)
    network = make_formulas((2, 1, 1), near)
    before = judge.error(network)
    found, snapped = snap_network(network, judge, make_units(), before + 1e-3)
    assert judge.error(found) <= max(1e-7, 1.05 * before)
    rows = rows_of(found)
    assert rows[0, 0, 0] == pytest.approx((torch.pi, 0, 1, 0), abs=1e-12)
    assert rows[0, 1, 0][:3] == pytest.approx((1, 0, 0.5), abs=1e-12)
    assert {"pi", "1/2", "1/3"} <= {number.text for number in snapped}
    assert all(isinstance(number, SnappedNumber) for number in snapped)


def test_numbers_that_are_not_nice_stay() -> None:
    law = {(0, 0, 0): ("sin", 2.03, 0.21, 0.77, 0.13), (0, 1, 0): ("x^2", 1.0, 0.77, 1.32, 0.0)}
    network = make_formulas((2, 1), law)
    found, snapped = snap_network(network, make_judge(network), make_units(), 1e-6)
    assert [number.text for number in snapped] == []
    assert rows_of(found)[0, 0, 0][:3] == pytest.approx(law[0, 0, 0][1:4])
