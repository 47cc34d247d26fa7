"""The Jacobian of residuals is exact, whatever they mix; what is not an equation is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from model_helpers import bytes_of, make_model, make_sample
from torch import Tensor

from kanviz.model import KAN
from kanviz.nn import Network, gradient, laplacian
from kanviz.nn.calculus import Unknown
from kanviz.training.solve import Equation, ResidualSquares

X = make_sample(samples=12) / 2


def poisson(u: Unknown) -> list[Tensor]:
    return [laplacian(u, X) - X[:, :1], 3 * u(X[:4])]


def entangled(u: Unknown) -> Tensor:
    """Mix points, orders and the mean of all points, none of it linear."""
    values, slopes = u(X), gradient(u, X)
    ends = values[1:] * values[:-1] - slopes[1:, :, 0]
    return torch.cat([ends.flatten(), (values.mean() - 1).square().view(1), slopes.sin().flatten()])


def with_formula() -> KAN:
    model = make_model()
    model.fix((0, 0, 1), "sin")
    model.fix((1, 1, 0), "x^2")
    return model


def locked_and_frozen() -> KAN:
    model = make_model()
    model.lock([(0, 0, 1), (0, 1, 1)])
    model.freeze((0, 0, 0))
    model.remove_edge((0, 1, 2))
    return model


@pytest.mark.parametrize("residuals", [poisson, entangled])
@pytest.mark.parametrize("make", [make_model, with_formula])
def test_jacobian_equals_that_of_autograd_row_by_row(
    make: Callable[[], KAN], residuals: Callable[[Unknown], Any]
) -> None:
    network, equation = make().network, Equation(residuals)
    values, slopes = equation.linearised(network)
    assert torch.allclose(values, equation.values(network), rtol=0, atol=1e-12)
    weights = list(network.parameters())
    operators = Unknown(
        lambda operator, x: torch.stack([operator(network, point) for point in x]), 2, X
    )
    found = residuals(operators)
    row = torch.cat([part.flatten() for part in found]) if isinstance(found, list) else found
    for n in (0, 3, len(row) - 1):
        parts = torch.autograd.grad(row[n], weights, retain_graph=True, materialize_grads=True)
        wanted = torch.cat([part.flatten() for part in parts])
        assert torch.allclose(slopes[:, n], wanted, rtol=1e-9, atol=1e-9)


def test_gauss_newton_model_foretells_the_cost_of_a_small_step() -> None:
    network = locked_and_frozen().network
    problem = ResidualSquares(network, Equation(poisson), [], 2.0)
    weights = problem.weights()
    cost, loss = problem.cost(weights)
    assert cost == pytest.approx(loss / 4)
    found = problem.model(weights).step(1e3)
    assert found is not None
    step, promised = found
    won = cost - problem.cost(problem.locks.expand(weights + step))[0]
    assert won == pytest.approx(promised, rel=0.02)
    frozen = torch.zeros_like(network.layers[0].weight, dtype=torch.bool)
    frozen[0, :, 0] = frozen[1, :, 2] = True
    assert not bool(step[: frozen.numel()][frozen.flatten()].any())


BAD = [
    (lambda u: 3.0, TypeError, "residuals must return a tensor of numbers, or a list of them"),
    (lambda u: X, ValueError, "residuals must ask for u; got numbers without it"),
    (lambda u: (u(X), X)[1], ValueError, "residuals must depend on u; got numbers that do not"),
    (lambda u: u(X) / 0, ValueError, "residuals must be finite numbers; got one that is not"),
    (lambda u: u(X)[:0], ValueError, "residuals must be finite numbers; got none"),
    (lambda u: u(X[:, :1]), ValueError, r"x must have shape \(samples, 2\).* got \(12, 1\)"),
    (lambda u: u(X.clone().requires_grad_()), ValueError, "x must not require a gradient"),
    (lambda u: u(X + torch.rand(1)), ValueError, "residuals must be the same at every call"),
]


@pytest.mark.parametrize(("residuals", "kind", "text"), BAD)
def test_what_is_no_equation_is_refused_and_changes_nothing(
    residuals: Any, kind: type[Exception], text: str, unchecked: None
) -> None:
    model = make_model()
    before = bytes_of(model)
    with pytest.raises(kind, match=text):
        model.solve(residuals, progress=False)
    assert (bytes_of(model), model.steps, model.running_fit) == (before, [], None)


def test_points_are_each_counted_once() -> None:
    points = Equation(lambda u: [laplacian(u, X), u(X), u(X[:4])]).points(make_model().network)
    assert len(points) == len(X) + 4


def test_a_network_too_large_for_exact_steps_is_refused() -> None:
    model = KAN([2, 30, 30, 1])
    with pytest.raises(ValueError, match="model must have at most 5000 weights"):
        model.solve(poisson)
    assert isinstance(model.network, Network)


def test_a_layer_that_takes_no_gradient_stays_as_it_is() -> None:
    network = make_model().network
    network.layers[0].weight.requires_grad = False
    problem = ResidualSquares(network, Equation(poisson), [], 1.0)
    found = problem.model(problem.weights()).step(1e-2)
    assert found is not None
    size = network.layers[0].weight.numel()
    assert not bool(found[0][:size].any())
    assert bool(found[0][size:].any())
