"""Solving an equation: residuals of an unknown function, made small instead of errors on data."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call, jacrev

from kanviz.data.scaling import Scaling
from kanviz.devices import users_default
from kanviz.nn import Network
from kanviz.nn.calculus import Function, Operator, Unknown, derivative_order, each
from kanviz.training.errors import Errors
from kanviz.training.jacobian import learning_weights, n_weights
from kanviz.training.least_squares import MOST_EXACT, Problem, Quadratic
from kanviz.training.penalties import Penalty
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import FitOptions, Task, sparsity_of

Residuals = Callable[[Unknown], Any]
"""``residuals(u)``: a tensor or several, all of which should be 0."""

MOST_STARTS = 4
"""Their steps take some ten times as long as those of a fit to data."""

BUILD_FROM = "Build them from u(x), gradient(u, x), laplacian(u, x) and the like."

OF_AUTOGRAD = (
    "does not require grad",
    "appears to not have been used in the graph",
    "functorch transform",
)
"""What torch says where ``torch.autograd.grad`` or ``backward`` are asked about u."""

MOST_COEFFICIENTS = 50
"""Numbers of the equation's own that are trained: each costs a backward pass of the residuals."""

MOST_ROUNDS, LEAST_GAIN, SMALLEST_STRENGTH = 50, 1e-12, 1e-10
"""Of the coefficients: steps, the share of the squares that one must win, and how much a direction
must change the residuals, beside others, to be told from none."""

NUMBERS_AT_ONCE = 4_000_000
"""About as many derivatives are worked on at a time."""


@dataclass(frozen=True)
class Equation:
    """Residuals that a network is to make 0, in the sense of least squares.

    What the residuals ask of u are values and derivatives at points; each depends on the weights
    through its own point only, so its slopes are made point by point. The residuals may then mix
    them in any way: differences of neighbours, sums over all points, products.

    Unknown coefficients of the equation are no weights: for any u they are those that make the
    residuals least, and a step of the weights is one along which they follow (variable projection:
    Golub, Pereyra, 1973; the Jacobian is Kaufman's, 1975). So they need no start of their own, no
    damping, and every state of u tells them.

    Parameters
    ----------
    residuals : callable
        ``residuals(u)``.
    coefficients : tuple of Tensor
        Those leaves that the residuals depend on; they keep their values but in ``settle``.
    units : (x_scaling, y_scaling), optional
        From the user's units, which the residuals are in, to those of the network.
    """

    residuals: Residuals
    coefficients: tuple[Tensor, ...] = ()
    units: tuple[Scaling, Scaling] | None = None

    @property
    def name(self) -> str:
        """What a script calls the residuals."""
        name = getattr(self.residuals, "__name__", "")
        return name if name.isidentifier() else "residuals"

    def _ask(self, u: Unknown) -> Float[Tensor, " residuals"]:
        """Return what the residuals say of u, in one row.

        Raises
        ------
        TypeError
            If that is no row of real numbers.
        ValueError
            If they ask autograd for derivatives of u, which keeps nothing for it.
        """
        try:
            with users_default():
                found = self.residuals(u)
            return _row(found)
        except RuntimeError as error:
            if not any(words in str(error) for words in OF_AUTOGRAD):
                raise
            raise ValueError(
                "residuals must leave the derivatives of u to gradient, hessian, laplacian and "
                "pointwise of kanviz.nn, as in gradient(u, x); got a call of torch.autograd, "
                "for which u(x) keeps no gradient. Replace it."
            ) from error

    def in_user_units(self, u: Function) -> Function:
        """Return a function of and to the network's units as the residuals take it."""
        if self.units is None:
            return u
        x_scaling, y_scaling = self.units
        return lambda z: y_scaling.undo(u(x_scaling.apply(z)))

    @torch.no_grad()
    def values(self, network: Network) -> Float[Tensor, " residuals"]:
        """Return all residuals in one row."""
        asked = Answers(self, network)
        with _put_back(self.coefficients):
            self._settle(asked)
            return self._ask(asked.again())

    def settle(self, network: Network) -> None:
        """Give the coefficients the values that go with a network, for good."""
        self._settle(Answers(self, network))

    def _settle(self, asked: "Answers") -> Float[Tensor, "residuals directions"] | None:
        """Put the coefficients that make the residuals least, by Gauss and Newton's steps.

        Returns what they can still change the residuals by, as orthonormal columns. Directions that
        change nothing are left alone.
        """
        if not self.coefficients:
            return None
        row, slopes = self._slopes(asked)
        for _ in range(MOST_ROUNDS):
            if not bool(slopes.isfinite().all()):
                return None
            size = slopes.norm(dim=0)
            unit = torch.where(size > 0, size, 1.0)
            left, strength, turn = torch.linalg.svd(slopes / unit, full_matrices=False)
            kept = strength > SMALLEST_STRENGTH
            basis: Tensor = left[:, kept]
            turn, strength = turn[kept], strength[kept]
            step = -(turn.T @ ((basis.T @ row) / strength)) / unit
            better = self._better(asked, row, step)
            if better is None:
                return basis
            row, slopes = better
        return basis

    def _better(self, asked: "Answers", row: Tensor, step: Tensor) -> tuple[Tensor, Tensor] | None:
        """Go along a step, or a part of it; return residuals and slopes there, None if no use."""
        before = [value.detach().clone() for value in self.coefficients]
        parts = step.split([value.numel() for value in before])
        for share in (1.0, 0.5, 0.1, 0.01):
            with torch.no_grad():
                for value, old, part in zip(self.coefficients, before, parts, strict=True):
                    value.copy_(old + share * part.view_as(old))
            found, slopes = self._slopes(asked)
            if float(found.square().sum()) < (1 - LEAST_GAIN) * float(row.square().sum()):
                return found, slopes
        with torch.no_grad():
            for value, old in zip(self.coefficients, before, strict=True):
                value.copy_(old)
        return None

    def _slopes(self, asked: "Answers") -> tuple[Tensor, Tensor]:
        """Return the residuals and (residuals, coefficients) their slopes in the coefficients."""
        with torch.enable_grad():
            row = self._ask(asked.again())
            probe = torch.zeros_like(row, requires_grad=True)
            pulled = torch.autograd.grad(
                row, self.coefficients, probe, create_graph=True, materialize_grads=True
            )
            flat = torch.cat([part.flatten().to(row) for part in pulled])
            if not flat.requires_grad:
                return row.detach(), torch.zeros(len(row), len(flat)).to(row)
            columns = [
                torch.autograd.grad(number, probe, retain_graph=True, materialize_grads=True)[0]
                for number in flat
            ]
        return row.detach(), torch.stack(columns, dim=1)

    def with_coefficients(self, network: Network) -> "Equation":
        """Return the same with the leaves that the residuals depend on beside u.

        Raises
        ------
        ValueError
            If one of them cannot be trained: the residuals see it only through a tensor that was
            made before; or there are too many.
        """
        with torch.enable_grad():
            rows = [self._ask(Answers(self, network).again()) for _ in range(2)]
        (leaves, nodes), (_, others) = (_graph_of(row) for row in rows)
        if any(leaf.is_complex() for leaf in leaves):
            raise TypeError(
                "coefficients of an equation must be real; got complex ones. Make their real and "
                "imaginary parts two of them."
            )
        if nodes & others:
            raise ValueError(
                "residuals must compute with their coefficients at each call; got a tensor that "
                "was made of some before. Move that computation into residuals."
            )
        count = sum(leaf.numel() for leaf in leaves)
        if count > MOST_COEFFICIENTS:
            raise ValueError(
                f"residuals may have at most {MOST_COEFFICIENTS} numbers of their own to train; "
                f"got {count}. Ask u, not the model, and detach what is known."
            )
        return replace(self, coefficients=tuple(leaves))

    @torch.no_grad()
    def points(self, network: Network) -> Float[Tensor, "points inputs"]:
        """Return where the residuals ask for u or its derivatives, each set of points once.

        In the network's units.
        """
        seen: list[Tensor] = []

        def measure(operator: Operator, x: Tensor) -> Tensor:
            if not any(x is other or torch.equal(x, other) for other in seen):
                seen.append(x)
            return self.answers(network, operator, x)

        self._ask(_unknown(network, measure))
        if not seen:
            return network.layers[0].weight.new_zeros(0, network.widths[0])
        found = torch.cat(seen)
        return found if self.units is None else self.units[0].apply(found)

    def derivatives(self, network: Network) -> int:
        """Return the highest order of a derivative of u that the residuals ask for."""
        orders = [0]

        def measure(operator: Operator, x: Tensor) -> Tensor:
            orders.append(derivative_order(operator, x[0], network.widths[-1]))
            return self.answers(network, operator, x)

        self._ask(_unknown(network, measure))
        return max(orders)

    @torch.no_grad()
    def values_of_zero(self, network: Network) -> Float[Tensor, " residuals"]:
        """Return the residuals where a network with these inputs and outputs gives 0.

        That is u = 0, but for a unit with an offset.
        """

        def zero(z: Tensor) -> Tensor:
            return (0 * z.sum()).expand(network.widths[-1])

        def measure(operator: Operator, x: Tensor) -> Tensor:
            answers: Tensor = each(partial(operator, self.in_user_units(zero)), x)
            return answers

        return self._ask(_unknown(network, measure))

    def answers(self, network: Network, operator: Operator, x: Tensor) -> Tensor:
        """Return what an operator gives at every point."""
        answers: Tensor = each(partial(operator, self.in_user_units(network)), x)
        return answers.detach()

    def with_slopes(self, network: Network, operator: Operator, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what an operator gives at every point, and (weights, ...) its slopes."""
        weights = {name: weight.detach() for name, weight in network.named_parameters()}

        def answer(chosen: dict[str, Tensor], point: Tensor) -> tuple[Tensor, Tensor]:
            u = self.in_user_units(lambda z: functional_call(network, chosen, (z,)))
            value = operator(u, point)
            return value, value

        slope = jacrev(answer, has_aux=True)
        total = sum(weight.numel() for weight in weights.values())
        at_once = max(1, NUMBERS_AT_ONCE // total)
        parts, values = each(lambda point: slope(weights, point), x, at_once=at_once)
        rows = [parts[name].flatten(values.ndim) for name in weights]
        return values, torch.cat(rows, dim=-1).movedim(-1, 0)

    def linearised(
        self, network: Network
    ) -> tuple[Float[Tensor, " residuals"], Float[Tensor, "weights residuals"]]:
        """Return the residuals and the transpose of their Jacobian in all weights.

        The slopes of the residuals in what they asked for are applied to the slopes of the answers
        by differentiating the transposed product, which is linear, once more: in reverse only,
        since forward derivatives are a state of the whole process.
        """
        asked = Answers(self, network, with_slopes=True)
        with _put_back(self.coefficients), torch.enable_grad():
            basis = self._settle(asked)
            row = self._ask(asked.again())
            answers = asked.found
            if not any(answer.requires_grad for answer in answers) or not row.requires_grad:
                raise ValueError(
                    f"residuals must depend on u; got numbers that do not. {BUILD_FROM}"
                )
            probe = torch.zeros_like(row, requires_grad=True)
            pulled = torch.autograd.grad(
                row, answers, probe, create_graph=True, materialize_grads=True
            )
            used = [n for n, part in enumerate(pulled) if part.requires_grad]
            (pushed,) = torch.autograd.grad(
                [pulled[n] for n in used],
                probe,
                [asked.slopes[n] for n in used],
                is_grads_batched=True,
            )
        if basis is not None:  # what the coefficients make good is not for the weights to do
            pushed = pushed - (pushed @ basis) @ basis.T
        return row.detach(), pushed


class Answers:
    """What a network answers to the residuals, in the order in which they ask.

    It is asked once: coefficients change what is made of the answers, not the answers.
    """

    def __init__(self, equation: Equation, network: Network, *, with_slopes: bool = False) -> None:
        self.equation, self.network, self.with_slopes = equation, network, with_slopes
        self.found: list[Tensor] = []
        self.slopes: list[Tensor] = []
        self._at = 0

    def again(self) -> Unknown:
        """Return the unknown function for the next call of the residuals."""
        self._at = 0
        return _unknown(self.network, self._answer)

    def _answer(self, operator: Operator, x: Tensor) -> Tensor:
        if self._at == len(self.found):
            if self.with_slopes:
                answer, slope = self.equation.with_slopes(self.network, operator, x)
                self.found.append(answer.requires_grad_())
                self.slopes.append(slope)
            else:
                self.found.append(self.equation.answers(self.network, operator, x))
        self._at += 1
        return self.found[self._at - 1]


@contextmanager
def _put_back(coefficients: Sequence[Tensor]) -> Iterator[None]:
    """Give the coefficients their values back at the end of the block."""
    before = [value.detach().clone() for value in coefficients]
    try:
        yield
    finally:
        with torch.no_grad():
            for value, old in zip(coefficients, before, strict=True):
                value.copy_(old)


def _graph_of(row: Tensor) -> tuple[list[Tensor], set[object]]:
    """Return the leaves that a tensor depends on, in order of finding, and all other nodes."""
    leaves: dict[int, Tensor] = {id(row): row} if row.is_leaf and row.requires_grad else {}
    nodes: set[object] = set()
    waiting = [row.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in nodes:
            continue
        if hasattr(node, "variable"):
            leaves[id(node.variable)] = node.variable
            continue
        nodes.add(node)
        waiting.extend(source for source, _ in reversed(node.next_functions))
    return list(leaves.values()), nodes


def _row(parts: Any) -> Tensor:
    """Return a tensor, or several, as one row of numbers."""
    found = [parts] if isinstance(parts, Tensor) else parts
    if isinstance(found, list | tuple) and any(
        isinstance(part, Tensor) and part.is_complex() for part in found
    ):
        raise TypeError(
            "residuals must be real; got complex numbers. Return their real and imaginary parts, "
            "as in [r.real, r.imag]."
        )
    if not isinstance(found, list | tuple) or not all(
        isinstance(part, Tensor) and part.is_floating_point() for part in found
    ):
        raise TypeError(
            "residuals must return a tensor of numbers, or a list of them; got "
            f"{type(parts).__name__}. {BUILD_FROM}"
        )
    return torch.cat([part.flatten() for part in found]) if found else torch.zeros(0)


def _unknown(network: Network, measure: Callable[[Operator, Tensor], Tensor]) -> Unknown:
    return Unknown(measure, network.widths[0], network.layers[0].weight.detach())


@dataclass(frozen=True)
class EquationTask(Task):
    """To make the residuals of an equation 0; x are its points.

    ``scale`` is the size of the residuals of u = 0.
    """

    equation: Equation

    def problem(self, network: Network, penalties: Sequence[Penalty]) -> Problem:
        """Return the squares of the residuals."""
        return ResidualSquares(network, self.equation, penalties, self.scale)

    def trial(self, samples: int) -> "EquationTask":  # noqa: ARG002 - all points are needed
        """Return the very task: which points could be left out, only the equation knows."""
        return self

    def loss_of(self, network: Network) -> float:
        """Return the mean squared residual, computed in float64."""
        work = copy.deepcopy(network).to(self.x)
        return float(self.equation.values(work).square().mean())

    def quality_of(self, network: Network) -> dict[str, float]:
        """Return nothing: an equation has no targets. Its coefficients now go with the network.

        That is asked of what a fit hands back, once.
        """
        self.equation.settle(copy.deepcopy(network).to(self.x))
        return {}

    def errors(self, network: Network, loss: float) -> Errors:  # noqa: ARG002
        """Return the mean of the squared residuals, which is known."""
        return Errors("loss", loss, None)

    def validation_loss(self, network: Network) -> float | None:  # noqa: ARG002
        """Return None: nothing is held out."""
        return None

    def asked_again(self, options: FitOptions) -> "EquationTask":
        """Return the same task with other options; ValueError if they do not fit it."""
        return prepare_equation(self.network, self.equation, options)


@dataclass
class ResidualSquares(Problem):
    """The problem of one round: mean square of the residuals over ``scale``, plus penalties.

    ``network`` is in float64 and is changed in place; ``scale`` is the size of the residuals of
    u = 0, the unit of the penalties.
    """

    equation: Equation
    penalties: Sequence[Penalty]
    scale: float

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, mean squared residual); may be inf or NaN."""
        self.put(weights)
        loss = float(self.equation.values(self.network).square().mean())
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        return loss / self.scale**2 + extra, loss

    @torch.no_grad()
    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        """Return the Gauss-Newton model of the cost."""
        self.put(weights)
        residuals, slopes = self.equation.linearised(self.network)
        slopes = slopes * learning_weights(self.network).unsqueeze(1)
        unit = 1 / (len(residuals) * self.scale**2)
        matrix, gradient = unit * (slopes @ slopes.T), unit * (slopes @ residuals)
        for penalty in self.penalties:
            penalty.add(matrix, gradient, weights)
        return Quadratic(*self.locks.reduce_system(matrix, gradient))


NOT_HERE = ("loss", "batch_size", "learning_rate", "validation")


def prepare_equation(network: Network, equation: Equation, options: FitOptions) -> EquationTask:
    """Check that network, equation and options fit together; the residuals are computed.

    Raises
    ------
    ValueError, TypeError
        If the residuals are no finite numbers, do not depend on u, or differ from call to call; if
        the network has too many weights for exact steps.
    """
    if not callable(equation.residuals):
        raise TypeError(
            f"residuals must be a function of u; got {type(equation.residuals).__name__}. "
            "Write for example lambda u: gradient(u, x)[:, 0] + u(x)."
        )
    work = copy.deepcopy(network).to(torch.float64)
    grids = list(options.grids or [network.layers[0].spec.grid_size])
    _check_options(options)
    _check_size(work, grids)
    points = equation.points(work)
    equation = equation.with_coefficients(work)
    if any(mine is leaf for leaf in equation.coefficients for mine in network.parameters()):
        raise ValueError(
            f"residuals must ask u, the state of the model in training; got the model itself. "
            f"{BUILD_FROM}"
        )
    if not len(points):
        raise ValueError(f"residuals must ask for u; got numbers without it. {BUILD_FROM}")
    _check_order(equation, work)
    _check_values(equation, work)
    zero = equation.values_of_zero(work)
    size = float(zero.square().mean().sqrt())
    return EquationTask(
        network=network,
        options=options,
        x=points,
        scale=size if 0 < size < float("inf") else 1.0,
        grids=grids,
        optimizer="lm",
        sparsity=sparsity_of(options),
        most_starts=MOST_STARTS,
        notes=(),
        equation=equation,
    )


def _check_options(options: FitOptions) -> None:
    """Raise where an option is for other ways to train."""
    asked = {"optimizer": None if options.optimizer in ("auto", "lm") else options.optimizer}
    asked |= {name: getattr(options, name) for name in NOT_HERE}
    for name, value in asked.items():
        if value is not None:
            raise ValueError(
                f"{name} must be left out because an equation is solved by steps of least squares; "
                f"got {value!r}. Use it with fit."
            )
    if options.smoothing == "auto":
        raise ValueError(
            "smoothing must be a number to solve an equation, which has no noise; got 'auto'. "
            "Leave it out."
        )
    if isinstance(options.sparsity, Sparsity) and options.sparsity.metric != "std":
        raise ValueError(
            "sparsity must have metric='std' to solve an equation; got "
            f"{options.sparsity.metric!r}. Leave the metric out."
        )


def _check_size(network: Network, grids: Sequence[int]) -> None:
    layers = network.layers
    finer = sum((grids[-1] - layer.spec.grid_size) * layer.mask.numel() for layer in layers)
    total = n_weights(network) + finer
    if total > MOST_EXACT:
        raise ValueError(
            f"model must have at most {MOST_EXACT} weights to solve an equation, which takes exact "
            f"steps; got {total}. Choose fewer nodes or a coarser grid."
        )


def _check_order(equation: Equation, network: Network) -> None:
    """Raise where u has fewer derivatives than the residuals ask for: these would be 0.

    Such residuals can be small for a u that is far from any solution.
    """
    order = equation.derivatives(network)
    for layer in network.layers:
        if layer.spec.is_spline and layer.spec.spline_order < order:
            raise ValueError(
                f"residuals take derivatives of u up to order {order}, which splines of order "
                f"{layer.spec.spline_order} do not have. Make the model with spline_order="
                f"{order + 1}, or {order} at least."
            )


def _check_values(equation: Equation, network: Network) -> None:
    values, again = equation.values(network), equation.values(network)
    if not len(values) or not bool(values.isfinite().all()):
        wrong = "none" if not len(values) else "one that is not"
        raise ValueError(
            f"residuals must be finite numbers; got {wrong}. Look at the equation at its points."
        )
    if not torch.equal(values, again):
        raise ValueError(
            "residuals must be the same at every call; got different numbers. Draw random points "
            "once, before the call."
        )
