"""Steps by conjugate gradients against exact ones, and what they cost."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from fit_helpers import make_data, quick
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import kanviz as kv
from kanviz.data import from_function
from kanviz.nn import Network
from kanviz.nn.spec import BasisName
from kanviz.training import least_squares
from kanviz.training.jacobian import Jacobian, blocks_of, linearise, n_entries, n_weights
from kanviz.training.least_squares import (
    LeastSquares,
    MatrixFree,
    Quadratic,
    conjugate_gradients,
    exact_pays,
    tolerance_for,
)
from kanviz.training.penalties import smoothness, sparse_forms
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import FitOptions, prepare


def make_model() -> kv.KAN:
    return kv.KAN([2, 4, 3, 2], grid_size=3, seed=1, dtype=torch.float64)


def pruned() -> kv.KAN:
    model = make_model()
    model.remove_edge((0, 0, 1))
    return model


def frozen() -> kv.KAN:
    model = make_model()
    model.freeze((0, 1, 1))
    model.freeze((1, 2, 2))
    return model


def locked() -> kv.KAN:
    model = make_model()
    model.lock([(0, 0, 1), (0, 1, 1)])
    model.lock([(0, 0, 2), (0, 1, 3)])
    model.remove_edge((0, 0, 2))
    return model


def symbolic() -> kv.KAN:
    model = make_model()
    model.lock([(0, 0, 1), (0, 1, 1)])
    model.fix((0, 0, 1), "sin")
    model.fix((1, 0, 1), "exp")
    return model


KINDS = [make_model, pruned, frozen, locked, symbolic]


def make_problem(network: Network, held: Tensor | None = None) -> LeastSquares:
    generator = torch.Generator().manual_seed(1)
    x = 2.4 * torch.rand(300, 2, generator=generator, dtype=torch.float64) - 1.2
    first = torch.sin(3 * x[:, :1]) * x[:, 1:]
    penalties = [smoothness(network, 1e-5, 0.5), sparse_forms(network, x, Sparsity(1e-3))]
    return LeastSquares(network, x, torch.cat([first, first**2], 1), penalties, 0.5, held)


def both_models(
    problem: LeastSquares, monkeypatch: pytest.MonkeyPatch
) -> tuple[Quadratic, MatrixFree]:
    """Return the model as a matrix, and by products with steps that are as good as exact."""
    monkeypatch.setattr("kanviz.training.least_squares.MOST_PRODUCTS", 5000)
    monkeypatch.setattr("kanviz.training.least_squares.tolerance_for", lambda _: 1e-9)
    monkeypatch.setattr("kanviz.training.least_squares.PRODUCTS_IN", torch.float64)
    weights = problem.weights()
    exact = problem.model(weights)
    monkeypatch.setattr(least_squares, "exact_pays", lambda *_: False)
    inexact = problem.model(weights)
    assert isinstance(exact, Quadratic)
    assert isinstance(inexact, MatrixFree)
    return exact, inexact


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("damping", [1e-2, 1e-4])
def test_a_step_by_conjugate_gradients_equals_that_by_cholesky(
    make: Callable[[], kv.KAN], damping: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, inexact = both_models(make_problem(make().network), monkeypatch)
    torch.testing.assert_close(inexact.gradient, exact.gradient, rtol=1e-12, atol=1e-13)
    wanted, found = exact.step(damping), inexact.step(damping)
    assert wanted is not None
    assert found is not None
    assert (found[0] - wanted[0]).norm() < 1e-6 * wanted[0].norm()
    assert found[1] == pytest.approx(wanted[1], rel=1e-8)


def test_held_weights_stay_in_both_kinds_of_step(monkeypatch: pytest.MonkeyPatch) -> None:
    network = symbolic().network
    held = torch.zeros(n_weights(network), dtype=torch.bool)
    held[[3, 20, 70, -1]] = True
    exact, inexact = both_models(make_problem(network, held), monkeypatch)
    wanted, found = exact.step(1e-2), inexact.step(1e-2)
    assert wanted is not None
    assert found is not None
    assert not found[0][held].any()
    assert (found[0] - wanted[0]).norm() < 1e-6 * wanted[0].norm()


@pytest.mark.parametrize("make", KINDS)
def test_products_with_the_jacobian_equal_those_with_its_rows(make: Callable[[], kv.KAN]) -> None:
    network = make().network
    problem = make_problem(network)
    rows, total = linearise(network, problem.x), n_weights(network)
    zeros = torch.zeros(*rows.outputs.shape, total, dtype=torch.float64)
    dense = zeros.scatter_add_(-1, rows.columns, rows.values)
    generator = torch.Generator().manual_seed(2)
    weights = torch.randn(total, generator=generator, dtype=torch.float64)
    pulled = torch.randn(rows.outputs.shape, generator=generator, dtype=torch.float64)
    jacobian = Jacobian(network, problem.x)
    torch.testing.assert_close(jacobian.jvp(weights), dense @ weights)
    torch.testing.assert_close(jacobian.vjp(pulled), torch.einsum("now,no->w", dense, pulled))


def test_samples_in_parts_give_the_same_products(monkeypatch: pytest.MonkeyPatch) -> None:
    network = symbolic().network
    problem = make_problem(network)
    whole = Jacobian(network, problem.x)
    monkeypatch.setattr("kanviz.training.jacobian.CHUNK_NUMBERS", 4_000)
    monkeypatch.setattr("kanviz.training.jacobian.KEPT_NUMBERS", 0)
    monkeypatch.setattr("kanviz.training.jacobian.PRODUCTS", 1_000)
    parts = Jacobian(network, problem.x)
    assert len(list(parts.chains())) > 2
    weights = torch.linspace(-1, 1, n_weights(network), dtype=torch.float64)
    torch.testing.assert_close(parts.jvp(weights), whole.jvp(weights))
    pulled = problem.y
    torch.testing.assert_close(parts.vjp(pulled), whole.vjp(pulled))
    for mine, theirs in zip(blocks_of(parts), blocks_of(whole), strict=True):
        torch.testing.assert_close(mine.splines, theirs.splines)
        torch.testing.assert_close(mine.formulas, theirs.formulas)


def test_conjugate_gradients_solve_in_as_many_products_as_there_are_eigenvalues() -> None:
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(30, 30, generator=generator, dtype=torch.float64)).Q
    values = torch.tensor([1.0, 5.0, 100.0], dtype=torch.float64).repeat(10)
    matrix, right = basis @ torch.diag(values) @ basis.T, basis.sum(1)
    solution, residual = conjugate_gradients(
        lambda v: matrix @ v, lambda r: r.clone(), right, tolerance=0.0, most=3
    )
    torch.testing.assert_close(matrix @ solution, right)
    torch.testing.assert_close(residual, right - matrix @ solution, atol=1e-12, rtol=0)


def test_a_system_without_numbers_gives_no_step_but_ends() -> None:
    right = torch.full((3,), torch.nan, dtype=torch.float64)
    solution, _ = conjugate_gradients(
        lambda v: v, lambda r: r, right, tolerance=1e-3, most=1_000_000_000
    )
    assert not solution.any()


def test_the_system_is_solved_the_better_the_less_damping_it_needs() -> None:
    found = [tolerance_for(damping) for damping in (1e3, 1e-2, 1e-4, 1e-12)]
    assert found == sorted(found, reverse=True)
    assert 0 < found[-1] < found[0] < 1


def test_a_large_network_trains_in_a_fraction_of_the_memory_of_its_matrix() -> None:
    data = from_function(
        lambda x: torch.exp(torch.sin(3 * x[:, 0])) + x[:, 1] * x[:, 2],
        [(-1, 1)] * 6,
        n_train=400,
        n_test=10,
        dtype=torch.float64,
    )
    network = Network([6, 16, 16, 1], grid_size=10, dtype=torch.float64)
    whole = 8 * n_weights(network) ** 2
    sizes: list[int] = []

    class Watch(TorchDispatchMode):
        """Notes the largest tensor that any operation makes."""

        def __torch_dispatch__(
            self,
            func: Callable[..., Any],
            types: Any,
            args: Any = (),
            kwargs: Any = None,
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                sizes.append(result.untyped_storage().nbytes())
            return result

    with Watch():
        report = quick(network, data, optimizer="lm", steps=6, starts=1)
    losses = report.history["loss"]
    assert losses[-1] < 0.1 * losses[0]
    assert losses == sorted(losses, reverse=True)
    assert max(sizes) < whole / 10


def test_fine_narrow_networks_are_solved_exactly_and_wide_ones_by_products() -> None:
    few, fine, wide = (
        Network(widths, grid_size=grid_size)
        for widths, grid_size in (([2, 5, 1], 5), ([4, 2, 1, 1], 100), ([10, 20, 20, 1], 10))
    )
    chosen = [exact_pays(n_weights(net), n_entries(net), 3000) for net in (few, fine, wide)]
    assert chosen == [True, True, False]


@pytest.mark.parametrize("basis", ["bspline", "gaussian"])
def test_entries_are_counted_as_they_are_made(basis: BasisName) -> None:
    network = symbolic().network if basis == "bspline" else Network([2, 3, 2], basis=basis)
    x = torch.zeros(1, 2, dtype=network.layers[0].weight.dtype)
    assert n_entries(network) == linearise(network, x).columns.shape[2]


@pytest.mark.parametrize(
    ("widths", "grid_size", "wanted"),
    [((2, 5, 1), 5, "lm"), ((2, 2, 1), 150, "lm"), ((2, 20, 20, 1), 10, "lbfgs")],
)
def test_auto_takes_least_squares_where_its_steps_are_exact(
    widths: tuple[int, ...], grid_size: int, wanted: str
) -> None:
    options = FitOptions(grids=[grid_size])
    assert prepare(Network(widths), make_data(1000), options).optimizer == wanted
