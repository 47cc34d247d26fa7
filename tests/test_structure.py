"""What a function is built of: planted structure is found, none is seen where there is none."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from accuracy.structure import PLANTED, of_planted, of_random
from torch import Tensor

import kanviz as kv
from kanviz.analysis import Structure, structure
from kanviz.analysis.structure import friedman_h


def _of(
    law: Callable[..., Tensor], n: int, low: float = 0.5, high: float = 2.0, noise: float = 0.0
) -> Structure:
    generator = torch.Generator().manual_seed(1)
    x = low + (high - low) * torch.rand(500, n, generator=generator, dtype=torch.float64)

    def f(x: Tensor) -> Tensor:
        return law(*x.unbind(1))[:, None]

    return structure(f, (x, f(x)), error=noise)


def _texts(found: Structure) -> list[str]:
    return [finding.text for finding in found.found]


@pytest.mark.parametrize(
    ("law", "n", "sketch"),
    [
        (lambda a, b, c: a * b / c, 3, "x_1*x_2*f1(x_3)"),
        (lambda m, v, g, h: m * v**2 / 2 + m * g * h, 4, "x_1*(f1(x_2) + x_3*x_4)"),
        (lambda a, b, c, d: (a + b) * (c + d), 4, "(x_1 + x_2)*(x_3 + x_4)"),
        (lambda a, b: 1 / (1 / a + 1 / b), 2, "f1(1/x_1 + 1/x_2)"),
        (lambda a, b, c: (a - 2 * b).sin() * c, 3, "f1(x_1 - 2*x_2)*x_3"),
        (lambda a, b: 3 + a * b, 2, "x_1*x_2"),
        (lambda a, b: (a + b**2).sin(), 2, "f1(x_1 + x_2^2)"),
    ],
)
def test_the_sketch_of_a_law_says_how_it_is_built(
    law: Callable[..., Tensor], n: int, sketch: str
) -> None:
    assert _of(law, n).sketch == sketch


def test_the_tree_of_two_squared_radii_is_found() -> None:
    found = _of(lambda a, b, c, d: (a**2 + b**2) ** 2 + (c**2 + d**2) ** 2, 4, -1, 1)
    assert found.tree().splitlines() == [
        "y: sum",
        "├─ f1, a function of x_1^2 + x_2^2",
        "│  └─ sum",
        "│     ├─ x_1^2",
        "│     └─ x_2^2",
        "└─ f2, a function of x_3^2 + x_4^2",
        "   └─ sum",
        "      ├─ x_3^2",
        "      └─ x_4^2",
    ]
    assert "is homogeneous of degree 4" in _texts(found)


def test_a_combination_that_nearly_holds_is_told_from_one_that_does() -> None:
    def nearly(a: Tensor, b: Tensor) -> Tensor:
        return (a + b + 0.3 * a * b).sin()

    assert "depends on x_1 + x_2 alone" not in _texts(_of(nearly, 2, noise=0.003))
    hidden = next(one for one in _of(nearly, 2, noise=0.2).findings if one.scales == ("x", "x"))
    assert hidden.holds is None  # so much noise tells nothing


def test_random_networks_have_no_structure() -> None:
    assert [of_random(seed).found for seed in range(2)] == [(), ()]


def test_planted_structure_is_found_in_a_network_trained_with_noise() -> None:
    (law,) = (law for law in PLANTED if law.text == "sin(a*b)")
    found, missed = of_planted(law, 0)
    assert (found.sketch, missed) == ("f1(a*b)", [])


def test_an_idle_input_is_in_no_part_of_the_tree() -> None:
    found = _of(lambda a, b, c: a.exp() * c.sin(), 3)
    assert "does not depend on x_2" in _texts(found)
    assert found.sketch == "f1(x_1)*f2(x_3)"
    assert all(1 not in one.inputs for one in found.findings if one.kind != "idle")


def test_friedmans_h_is_0_for_a_sum_and_1_for_a_centred_product() -> None:
    x = torch.rand(400, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    assert friedman_h(lambda x: x[:, 0].exp() + x[:, 1], x, 0, 1) < 1e-12
    centred = x[:60] - x[:60].mean(0)
    assert friedman_h(lambda x: x.prod(1), centred, 0, 1) == pytest.approx(1)


def test_the_question_leaves_the_model_as_it_was(rng_untouched: None, unchecked: None) -> None:
    x = torch.rand(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model = kv.KAN([2, 2, 1], dtype=torch.float64)
    before, steps = copy.deepcopy(model.state_dict()), list(model.steps)
    found = model.structure((x, x.sum(1)))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.steps == steps
    assert all(p.grad is None for p in model.parameters())
    assert "<table>" in found._repr_html_()
    assert "y = " in str(found)


def test_a_model_is_asked_in_the_units_of_its_user() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 100 + 50 * torch.rand(300, 2, generator=generator, dtype=torch.float64)
    y = (x[:, 0] / x[:, 1]).square()
    model = kv.KAN([2, 3, 1], dtype=torch.float64)
    model.fit((x, y), starts=1, steps=40, progress=False)
    assert "depends on x_1/x_2 alone" in _texts(model.structure((x, y)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": 1}, "output must be below 1, the number of outputs; got 1."),
        ({"error": -1.0}, "error must be a finite number of at least 0; got -1.0."),
    ],
)
def test_a_bad_option_is_one_sentence(
    unchecked: None, options: dict[str, Any], message: str
) -> None:
    x = torch.rand(20, 2)
    with pytest.raises(ValueError, match=message):
        structure(lambda x: x, (x, x[:, 0]), **options)


def test_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="y must hold numbers; got classes"):
        structure(lambda x: x, (torch.rand(4, 1), ["a", "b", "a", "b"]))
