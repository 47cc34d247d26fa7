"""Least squares: Levenberg-Marquardt with the exact Jacobian of the whole network.

Each step solves (A + damping * diag(A)) s = -g with A = J^T J, so it is a Gauss-Newton step where
the model is trusted and a short gradient step where it is not. The gain ratio, what a step really
won over what the quadratic model promised, controls the damping (Madsen, Nielsen, Tingleff,
Methods for non-linear least squares problems, 2004, sec. 3.2, eq. 3.14-3.16).

The model of the cost at a step s is c + 2 g^T s + s^T A s. Its system is solved by Cholesky with A
written down (``Quadratic``), or by conjugate gradients without (``MatrixFree``) where that pays.
CPU seconds of a step on 2000 samples, one thread, for [10, n, m, 1] of 462, 1876, 4900, 10164 and
19852 weights: Cholesky 0.03, 0.4, 3.4, -, -; conjugate gradients 0.02, 0.05, 0.08, 0.10, 0.15. The
matrix takes 1.7, 28, 192, 826 and 3153 MB.
"""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from kanviz.data.scaling import mean_of
from kanviz.data.stream import Streamed
from kanviz.nn import Network
from kanviz.nn.kernels.ops import can_compile, usable
from kanviz.training.families import NUMBERS, Family
from kanviz.training.jacobian import (
    Jacobian,
    LayerBlocks,
    Linearisation,
    Locks,
    blocks_of,
    learning_weights,
    linearise,
    n_entries,
    n_weights,
    trainable,
)
from kanviz.training.penalties import Penalty, WrittenForms

ALWAYS_EXACT, MOST_EXACT = 500, 5000
"""Up to so many weights the matrix is always written down, and beyond (200 MB) it never is."""

PRODUCTS_OF_A_STEP = 1000
"""Multiplications per sample and weight of a dense matrix product that are worth a step of
conjugate gradients: it takes some 400, but wins less than an exact one."""

ENTRIES_AT_ONCE = 20_000_000


# ---- the model written down ----------------------------------------------------------------------

SMALLEST_DIAGONAL = 1e-6
"""Share of the largest diagonal entry that each entry counts for at least, so that a coefficient
without data is damped too."""


@dataclass(frozen=True)
class Quadratic:
    """The model with A written down, for up to a few thousand weights: exact steps.

    ``kinds`` says which weights are of one kind, see ``scales_of``.
    """

    matrix: Float[Tensor, "weights weights"]
    gradient: Float[Tensor, " weights"]
    kinds: Int[Tensor, " weights"] | None = None

    def step(self, damping: float) -> tuple[Tensor, float] | None:
        """Return s with (A + damping * diag(A)) s = -g, and by how much the model says it wins.

        None where rounding leaves the matrix without an inverse: more damping helps.
        """
        matrix, gradient = self.matrix, self.gradient
        # Marquardt's scaling: damping in units of each weight's own curvature, so that a step does
        # not depend on the units of the weights.
        scales = scales_of(matrix.diagonal(), self.kinds)
        factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag(damping * scales))
        if int(failed):
            return None
        step = -torch.cholesky_solve(gradient.unsqueeze(-1), factor).squeeze(-1)
        # By A itself, not by what the damped system says it wins: the gain ratio asks how true the
        # model is, and the damping is no part of the model.
        return step, -float(2 * gradient @ step + step @ (matrix @ step))


def scales_of(
    diagonal: Float[Tensor, " weights"], kinds: Int[Tensor, " weights"] | None = None
) -> Float[Tensor, " weights"]:
    """Return what the damping multiplies: the diagonal of A, nowhere too small.

    ``kinds`` numbers the weights that have one unit. A kind that is too small as a whole has no
    lack of data but another unit, as splines have beside a base function of inputs of 1e9: it is
    measured by its own largest entry.
    """
    least = SMALLEST_DIAGONAL * float(diagonal.max())
    if kinds is None or float(diagonal.min()) >= least:
        return diagonal.clamp(min=least + 1e-300)
    largest = diagonal.new_zeros(int(kinds.max()) + 1).scatter_reduce(0, kinds, diagonal, "amax")
    floors = torch.where(largest < least, SMALLEST_DIAGONAL * largest, least)
    return torch.maximum(diagonal, floors[kinds] + 1e-300)


def kinds_of(network: Network) -> Int[Tensor, " weights"]:
    """Return the kind of each weight: of each layer splines, base functions and formulas."""
    parts = []
    for depth, layer in enumerate(network.layers):
        kinds = torch.full(layer.weight.shape, 3 * depth, device=layer.weight.device)
        kinds[:, layer.spec.n_basis :] += 1
        parts += [kinds.flatten(), torch.full_like(layer.affine, 3 * depth + 2).long().flatten()]
    return torch.cat(parts)


DENSE_UP_TO = 100
"""Up to so many weights the dense product of rows that are written down is the quicker one."""

SPARSE_UP_TO = 1 / 3
"""Share of entries in a row up to which the compiled version is the quicker one, as measured."""

CHUNK_NUMBERS = 4_000_000


def normal_equations(
    rows: Linearisation, residuals: Float[Tensor, "samples rows"], n_weights: int
) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
    """Return (J^T J, J^T residuals), both in float64 on the CPU or in the dtype of the rows."""
    is_sparse = rows.columns.shape[2] <= SPARSE_UP_TO * n_weights
    on_cpu = rows.values.device.type == "cpu"
    if n_weights <= DENSE_UP_TO or not is_sparse or not on_cpu or not can_compile():
        return dense_normal_equations(rows, residuals, n_weights)
    from kanviz.nn.kernels.normal_equations import add_products  # compiled at its first call

    columns, values = rows.columns.flatten(0, 1), rows.values.double().flatten(0, 1)
    matrix = torch.zeros(n_weights, n_weights, dtype=torch.float64)
    add_products(columns.contiguous().numpy(), values.contiguous().numpy(), matrix.numpy())
    lower = matrix.tril(-1)  # the kernel fills one triangle: half the work
    gradient = torch.zeros(n_weights, dtype=torch.float64)
    gradient.scatter_add_(0, columns.flatten(), (values * residuals.reshape(-1, 1)).flatten())
    return matrix + lower.T, gradient


def dense_normal_equations(
    rows: Linearisation, residuals: Float[Tensor, "samples rows"], n_weights: int
) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
    """Return (J^T J, J^T residuals) through dense chunks of J."""
    columns, values = rows.columns.flatten(0, 1), rows.values.flatten(0, 1)
    flat = residuals.reshape(-1)
    matrix = values.new_zeros(n_weights, n_weights)
    gradient = values.new_zeros(n_weights)
    for part in torch.arange(len(flat), device=flat.device).split(
        max(1, CHUNK_NUMBERS // n_weights)
    ):
        chunk = values.new_zeros(len(part), n_weights)
        chunk.scatter_add_(1, columns[part], values[part])
        matrix += chunk.T @ chunk
        gradient += chunk.T @ flat[part]
    return matrix, gradient


@torch.no_grad()
def network_normal_equations(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    y: Shaped[Tensor, "samples ..."],
    sample_weight: Float[Tensor, " samples"] | None = None,
    family: Family = NUMBERS,
) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
    """Return (J^T W J, J^T W z) of a network at its weights.

    W is the metric of each row, as often as it counts, and z its residual, see ``families``; of
    numbers z = outputs - y. By kernels that make the rows of J as they go where these can do it,
    else by rows written down.
    """
    weights = [layer.live_weight().detach() for layer in network.layers]
    total, n_outputs = n_weights(network), network.widths[-1]
    if x.dtype == torch.float64 and all(
        layer.symbols is None
        and not layer.nodes.arities
        and usable(x, layer.knots, weight, layer.spec)
        for layer, weight in zip(network.layers, weights, strict=True)
    ):
        from kanviz.nn.kernels import normal_equations as kernels  # compiled at its first call

        layers = [
            kernels.LayerArrays.of(layer.knots, weight, trainable(layer), layer.spec)
            for layer, weight in zip(network.layers, weights, strict=True)
        ]
        roots, residuals = family.working(network(x), y)
        if sample_weight is not None:
            if roots is None:
                roots = torch.eye(n_outputs, dtype=x.dtype)
            root = sample_weight.sqrt().unsqueeze(1)
            roots, residuals = roots * root.unsqueeze(2), residuals * root
        return kernels.normal_equations(x, residuals, layers, roots)
    matrix, gradient = x.new_zeros(total, total), x.new_zeros(total)
    edges = sum(layer.mask.numel() for layer in network.layers)
    chunk = max(1, ENTRIES_AT_ONCE // (8 * edges * n_outputs))
    for part in torch.arange(len(x), device=x.device).split(chunk):
        rows = linearise(network, x[part])
        roots, residuals = family.working(rows.outputs, y[part])
        if roots is not None:
            rows = rows.times(roots)
        if sample_weight is not None:
            root = sample_weight[part].sqrt().unsqueeze(1)
            rows = replace(rows, values=rows.values * root.unsqueeze(2))
            residuals = residuals * root
        some, slope = normal_equations(rows, residuals, total)
        matrix += some
        gradient += slope
    return matrix, gradient


# ---- the model by products alone -----------------------------------------------------------------

MOST_PRODUCTS = 100
"""Of a step: where they do not reach the tolerance, more damping is cheaper than more of them."""

PRODUCTS_IN = torch.float32
"""Its rounding is far below what a step leaves undone, and it takes half the time."""


@dataclass(frozen=True)
class MatrixFree:
    """The model c + 2 g^T s + s^T A s with A as a product with vectors.

    ``free`` says which weights move: those of learning edges, of locked edges the first.
    """

    jacobian: Jacobian
    penalties: Sequence[Penalty]
    locks: Locks
    free: Bool[Tensor, " weights"]
    unit: float
    gradient: Float[Tensor, " weights"]
    blocks: list[LayerBlocks]
    kinds: Int[Tensor, " weights"]

    @classmethod
    def at(
        cls,
        network: Network,
        x: Float[Tensor, "samples inputs"],
        y: Shaped[Tensor, "samples ..."],
        penalties: Sequence[Penalty],
        *,
        weights: Float[Tensor, " weights"],
        unit: float,
        locks: Locks,
        frozen: Bool[Tensor, " weights"] | None = None,
        sample_weight: Float[Tensor, " samples"] | None = None,
        family: Family = NUMBERS,
    ) -> "MatrixFree":
        """Return the model of ``unit`` times the deviance, plus penalties, where we are.

        Parameters
        ----------
        network : Network
            In float64, with ``weights`` put in.
        x, y, penalties
            Of the cost.
        weights : (weights,)
            All weights of the network, in the order of ``linearise``.
        unit : float
            Factor of the sum of squares.
        locks : Locks
            Which weights are one and the same.
        frozen : (weights,) bool, optional
            Weights that stay as they are.
        sample_weight : (samples,), optional
            How many times each row counts.
        family : Family
            What the deviance is.
        """
        with torch.no_grad():
            roots, residuals = family.working(network(x), y)
            if sample_weight is not None:
                if roots is None:
                    roots = torch.eye(residuals.shape[1], dtype=x.dtype, device=x.device)
                weight = sample_weight.sqrt().unsqueeze(1)
                roots, residuals = roots * weight.unsqueeze(2), residuals * weight
            if roots is not None:
                residuals = (roots.mT @ residuals.unsqueeze(2)).squeeze(2)
        jacobian = Jacobian(network, x, roots)
        with torch.no_grad():
            gradient = unit * jacobian.vjp(residuals)
        for penalty in penalties:
            gradient = gradient + penalty.half_gradient(weights)
        # Each product is projected onto the weights that move: the others, such as all but the
        # first of locked edges, have no equation of their own.
        free = locks.reduce(learning_weights(network).double()) > 0
        free = free if frozen is None else free & ~frozen
        blocks = [block.scaled(unit) for block in blocks_of(jacobian)]
        for penalty in penalties:
            for depth, extra in enumerate(penalty.edge_blocks()):
                blocks[depth] = blocks[depth].with_splines(extra, network.layers[depth])
        gradient = locks.reduce(gradient) * free
        products = jacobian.to(PRODUCTS_IN)
        return cls(products, penalties, locks, free, unit, gradient, blocks, kinds_of(network))

    def times(self, change: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return A times a change of the free weights."""
        tangent = self.locks.expand(change * self.free)
        image = self.unit * self.jacobian.gauss_newton_product(tangent)
        for penalty in self.penalties:
            image = image + penalty.half_gradient(tangent)
        return self.locks.reduce(image) * self.free

    def step(self, damping: float) -> tuple[Tensor, float]:
        """Return about the step of ``Quadratic``, and by how much the model says it wins."""
        diagonal = torch.cat([block.diagonal for block in self.blocks]) * self.free
        extra = damping * scales_of(diagonal, self.kinds)
        sizes = [len(block.diagonal) for block in self.blocks]
        # Overlapping splines couple the weights of one edge most, and its block is small enough to
        # invert: a good stand-in for the inverse of A.
        near = [
            block.damped(part).inverse()
            for block, part in zip(self.blocks, extra.split(sizes), strict=True)
        ]

        def precondition(residual: Tensor) -> Tensor:
            parts = zip(near, residual.split(sizes), strict=True)
            return torch.cat([block.times(part) for block, part in parts]) * self.free

        step, residual = conjugate_gradients(
            lambda change: self.times(change) + extra * change,
            precondition,
            -self.gradient,
            tolerance=tolerance_for(damping),
            most=MOST_PRODUCTS,
        )
        promised = (extra * step + residual - self.gradient) @ step  # A s = -g - r - extra s
        return step, float(promised)


def tolerance_for(damping: float) -> float:
    """Return how well to solve: the less damping is needed, the more the model is worth."""
    return min(1e-1, max(1e-2, math.sqrt(damping)))


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    precondition: Callable[[Tensor], Tensor],
    right: Float[Tensor, " weights"],
    *,
    tolerance: float,
    most: int,
) -> tuple[Float[Tensor, " weights"], Float[Tensor, " weights"]]:
    """Solve M s = right for a symmetric positive definite M, up to a tolerance.

    Parameters
    ----------
    product : callable
        ``product(v)`` returns M v.
    precondition : callable
        ``precondition(r)`` returns about M^-1 r, itself symmetric positive definite.
    right : (weights,)
        The right side.
    tolerance : float
        The residual that will do, as a share of ``right``, both measured by the preconditioner.
    most : int
        Most products; s is the best in the space that they span, however few they are.

    Returns
    -------
    s, residual : (weights,)
        The residual is right - M s. Where a product gives NaN, the search ends there.

    References
    ----------
    Hestenes, Stiefel, Methods of conjugate gradients for solving linear systems, 1952; with a
    preconditioner as Nocedal, Wright, Numerical optimization, 2006, algorithm 5.3.
    """
    solution, residual = torch.zeros_like(right), right
    near = precondition(residual)
    direction, size = near, float(residual @ near)
    goal = tolerance**2 * size
    for _ in range(most):
        if not size > goal:  # true for NaN as well
            break
        image = product(direction)
        length = size / float(direction @ image)
        solution = solution + length * direction
        residual = residual - length * image
        near = precondition(residual)
        last, size = size, float(residual @ near)
        direction = near + (size / last) * direction
    return solution, residual


# ---- problems ------------------------------------------------------------------------------------


@dataclass
class Problem(ABC):
    """A cost in all weights of a network in float64, which is changed in place."""

    network: Network

    @abstractmethod
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, loss), of which the loss is logged; may be inf or NaN."""

    @abstractmethod
    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic | MatrixFree:
        """Return the Gauss-Newton model of the cost."""

    def in_unit(self) -> AbstractContextManager[None]:
        """Bring the network into the unit that ``cost`` and ``model`` work in, inside a block."""
        return nullcontext()

    def loss(self) -> float:
        """Return the loss of the network as it is."""
        with self.in_unit():
            return self.cost(self.weights())[1]

    @functools.cached_property
    def locks(self) -> Locks:
        """Which weights are one and the same because their edges are locked together."""
        return Locks.of(self.network)

    @functools.cached_property
    def kinds(self) -> Int[Tensor, " weights"]:
        """Which weights are of one kind, see ``scales_of``."""
        return kinds_of(self.network)

    @torch.no_grad()
    def weights(self) -> Float[Tensor, " weights"]:
        """Return all weights of the network in one row, in the order of ``linearise``."""
        weights = torch.cat([parameter.flatten() for parameter in self._parameters()])
        return self.locks.expand(weights)

    @torch.no_grad()
    def put(self, weights: Float[Tensor, " weights"]) -> None:
        """Write one row of weights into the network."""
        parameters = self._parameters()
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, weights.split(sizes), strict=True):
            parameter.copy_(part.view_as(parameter))

    def allowed(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return weights near these with which constrained edges have their shapes.

        A step of Levenberg-Marquardt is taken and then projected, and only the cost of what came of
        it counts (Kanzow, Yamashita and Fukushima, Journal of Computational and Applied Mathematics
        172, 2004, 375-397, algorithm 2.3, without its line search: damping shortens the step).
        """
        if not any(layer.constraints for layer in self.network.layers):
            return weights
        self.put(weights)
        self.network.settle()
        return self.weights()

    def _parameters(self) -> list[Tensor]:
        return [parameter for layer in self.network.layers for parameter in layer.parameters()]


def exact_pays(n: int, n_entries: int, n_residuals: int) -> bool:
    """Return whether steps by Cholesky are worth more than those by conjugate gradients.

    Fine grids keep the rows of the Jacobian sparse, so that narrow networks stay exact for long.

    Parameters
    ----------
    n : int
        Weights.
    n_entries : int
        Entries of a row of the Jacobian that may be other than 0.
    n_residuals : int
        Samples times outputs.
    """
    if not ALWAYS_EXACT < n <= MOST_EXACT:
        return n <= ALWAYS_EXACT
    return work_of_step(n, n_entries, n_residuals) <= PRODUCTS_OF_A_STEP * n_residuals * n


def work_of_step(n: int, n_entries: int, n_residuals: int) -> float:
    """Return about how many multiplications an exact step takes; see ``exact_pays``."""
    return n_residuals * min((n_entries / SPARSE_UP_TO) ** 2, n**2) + n**3 / 6


FAR_FROM_1 = 6
"""Powers of 2 that a unit may be from 1 before it is used: nearer, all is computed as it stands."""


def unit_of(scale: float) -> float:
    """Return the power of 2 near the scale of y that a solver is to take as 1; 1 for most y."""
    exponent = round(math.log2(scale)) if 0 < scale < math.inf else 0
    return 2.0 ** max(-500, min(exponent, 500)) if abs(exponent) > FAR_FROM_1 else 1.0


class Products(NamedTuple):
    """J^T J and J^T (outputs - y) of a network at some weights, whatever is added for a penalty."""

    weights: Float[Tensor, " weights"]
    matrix: Float[Tensor, "weights weights"]
    gradient: Float[Tensor, " weights"]


def count_of(y: Tensor, sample_weight: Float[Tensor, " samples"] | None) -> float:
    """Return how many numbers y has, each counted as often as its row."""
    if sample_weight is None:
        return y.numel()
    return float(sample_weight.sum()) * (y.numel() / len(y))


@dataclass
class LeastSquares(Problem):
    """The problem of one round: the mean deviance, of (outputs - y) / scale, plus penalties.

    ``network`` is in float64 and is changed in place; ``scale`` is the standard deviation of y;
    ``frozen`` says which weights, in the order of ``linearise``, stay as they are;
    ``sample_weight`` (samples,) how many times each row counts; ``family`` how y scatters. Of
    numbers the deviance is the square, and its mean is over all outputs. ``known`` may hold the
    products of the Jacobian where they were needed before.

    Where y is far from 1 the problem is posed in ``unit``: damping compares the weights of all
    layers, and squares of 1e-200 are 0. ``cost`` and ``model`` are to be called with the network
    ``in_unit``, as ``minimise`` does.
    """

    x: Float[Tensor, "samples inputs"]
    y: Shaped[Tensor, "samples ..."]
    penalties: Sequence[Penalty]
    scale: float
    frozen: Bool[Tensor, " weights"] | None = None
    sample_weight: Float[Tensor, " samples"] | None = None
    family: Family = NUMBERS
    known: Products | None = None
    unit: float = field(init=False)

    def __post_init__(self) -> None:
        """Pose the problem in its unit, with penalties as one matrix where that is small."""
        self.unit = unit_of(self.scale)
        if self.unit != 1:
            self.y, self.scale = self.y / self.unit, self.scale / self.unit
            self.penalties = [penalty.in_unit(self.unit) for penalty in self.penalties]
            self.family = self.family.in_unit(self.unit)
        if self.penalties and (total := n_weights(self.network)) <= ALWAYS_EXACT:
            self.penalties = [WrittenForms.of(self.penalties, total, self.x)]

    def in_unit(self) -> AbstractContextManager[None]:
        """Bring the network into the unit of the problem, inside a block."""
        return self.network.in_unit(self.unit)

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, loss in y's unit); may be inf or NaN."""
        self.put(weights)
        outputs = self.network(self.x)
        deviance = self.deviance(outputs)
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        loss = deviance / self.family.deviance_of_loss
        if self.family.has_noise and self.family is not NUMBERS:
            loss = self._squares(outputs)  # what all reports tell of numbers
        return deviance / self.scale**2 + extra, loss * self.unit**2

    def deviance(self, outputs: Float[Tensor, "samples outputs"]) -> float:
        """Return the mean deviance of outputs; of numbers over all of them."""
        return self.deviance_of(outputs, self.y, self.sample_weight)

    def deviance_of(
        self,
        outputs: Float[Tensor, "samples outputs"],
        y: Shaped[Tensor, "samples ..."],
        weight: Float[Tensor, " samples"] | None = None,
    ) -> float:
        """Return the mean deviance of some rows."""
        if self.family is NUMBERS:
            return float(mean_of((outputs - y).square(), weight).mean())
        each = mean_of(self.family.deviance(outputs, y), weight)
        return float(each) * len(y) / y.numel()

    def _squares(self, outputs: Float[Tensor, "samples outputs"]) -> float:
        """Return the mean square of outputs - y."""
        return float(mean_of((outputs - self.y).square(), self.sample_weight).mean())

    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic | MatrixFree:
        """Return the Gauss-Newton model of the cost, as a matrix where that pays."""
        self.put(weights)
        if exact_pays(len(weights), n_entries(self.network), self.y.numel()):
            return self.quadratic(weights)
        return MatrixFree.at(
            self.network,
            self.x,
            self.y,
            self.penalties,
            weights=weights,
            unit=self._factor,
            locks=self.locks,
            frozen=self.frozen,
            sample_weight=self.sample_weight,
            family=self.family,
        )

    @property
    def count(self) -> float:
        """How many numbers y has, each counted as often as its row."""
        return count_of(self.y, self.sample_weight)

    @property
    def _factor(self) -> float:
        return 1 / (self.count * self.scale**2)

    def products(self, weights: Float[Tensor, " weights"]) -> "Products":
        """Return J^T J and J^T (outputs - y) at weights that were put; both in the unit."""
        if self.known is None or not torch.equal(self.known.weights, weights):
            found = network_normal_equations(
                self.network, self.x, self.y, self.sample_weight, self.family
            )
            self.known = Products(weights, *found)
        return self.known

    def quadratic(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        """Return the model with its matrix written down."""
        data = self.products(weights)
        matrix, gradient = data.matrix * self._factor, data.gradient * self._factor
        for penalty in self.penalties:
            penalty.add(matrix, gradient, weights)
        matrix, gradient = self.locks.reduce_system(matrix, gradient)
        if self.frozen is not None:  # rows of zeros: damping alone acts on them, and moves nothing
            matrix[self.frozen] = 0
            matrix[:, self.frozen] = 0
            gradient[self.frozen] = 0
        return Quadratic(matrix, gradient, self.kinds)


@dataclass
class StreamedLeastSquares(LeastSquares):
    """Least squares of rows in batches: cost, matrix and gradient are sums over these.

    ``x`` and ``y`` are those of the sample, and only tell what the others are like.
    """

    streamed: Streamed = field(kw_only=True)

    @torch.no_grad()
    def cost(self, weights: Float[Tensor, " weights"]) -> tuple[float, float]:
        """Put the weights; return (cost, loss in y's unit); may be inf or NaN."""
        self.put(weights)
        deviance, n = 0.0, 0
        for x, y in self._batches():
            deviance += len(x) * self.deviance_of(self.network(x), y)
            n += len(x)
        deviance /= n
        extra = sum(float(penalty.value(weights)) for penalty in self.penalties)
        loss = deviance / self.family.deviance_of_loss
        return deviance / self.scale**2 + extra, loss * self.unit**2

    def model(self, weights: Float[Tensor, " weights"]) -> Quadratic:
        """Return the Gauss-Newton model of the cost, with its matrix written down."""
        self.put(weights)
        return self.quadratic(weights)

    @property
    def count(self) -> float:
        """How many numbers y has."""
        return self.streamed.rows * (self.y.numel() / len(self.y))

    def products(self, weights: Float[Tensor, " weights"]) -> Products:
        """Return J^T J and J^T (outputs - y) at weights that were put; both in the unit."""
        if self.known is None or not torch.equal(self.known.weights, weights):
            matrix = weights.new_zeros(len(weights), len(weights))
            gradient = weights.new_zeros(len(weights))
            for x, y in self._batches():
                some, slope = network_normal_equations(self.network, x, y, None, self.family)
                matrix += some
                gradient += slope
            self.known = Products(weights, matrix, gradient)
        return self.known

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in self.streamed.batches(self.x):
            yield x, y / self.unit if self.unit != 1 else y


# ---- steps ---------------------------------------------------------------------------------------

FIRST_DAMPING = 1e-2
"""Cautious: what the first quadratic model is worth nobody knows."""

MOST_TRIALS = 12
"""Dampings of a step: the last is 10^20 times the first, and its step is nothing."""


@dataclass
class Pace:
    """The damping of the next step, kept by whoever goes on where a call left off."""

    damping: float = FIRST_DAMPING


def minimise(
    problem: Problem,
    steps: int,
    *,
    tolerance: float = 1e-7,
    in_a_row: int = 3,
    pace: Pace | None = None,
) -> Generator[float, None, str]:
    """Take up to ``steps`` Levenberg-Marquardt steps in place; a step that is worse is undone.

    A generator: whoever takes its steps may look at the network in between, or leave it there.

    Parameters
    ----------
    problem : Problem
        Holds the network (float64) that is trained.
    steps : int
        Most accepted steps.
    tolerance, in_a_row
        So many relative decreases in a row below the tolerance count as converged.
    pace : Pace, optional
        Where the damping begins and is kept. Without it each call begins anew.

    Yields
    ------
    float
        The loss after each accepted step.

    Returns
    -------
    str
        ``"steps"``, ``"converged"`` or ``"no better step"``.
    """
    with problem.in_unit():
        weights = problem.weights()
        cost, _ = problem.cost(weights)
    # By default damping is kept from step to step but not from call to call: each round of a fit
    # moves the grid, and the model with it.
    pace, small = pace or Pace(), 0
    for _ in range(steps):
        with problem.in_unit():
            step = _better_step(problem, weights, cost, pace.damping)
            if step is None:
                problem.put(weights)
        if step is None:
            return "no better step"
        weights, (new_cost, loss), pace.damping = step
        small = small + 1 if cost - new_cost < tolerance * cost else 0
        cost = new_cost
        yield loss
        if small == in_a_row or cost == 0:
            return "converged"
    return "steps"


def _better_step(
    problem: Problem, weights: Tensor, cost: float, damping: float
) -> tuple[Tensor, tuple[float, float], float] | None:
    """Return (weights, (cost, loss), next damping) of the first step that lowers the cost."""
    model = problem.model(weights)
    growth = 2.0
    for _ in range(MOST_TRIALS):
        found = model.step(damping)
        if found is not None:
            step, promised = found
            trial = problem.allowed(problem.locks.expand(weights + step))
            new_cost, loss = problem.cost(trial)
            if new_cost < cost:  # false for NaN: such a step is undone and damped
                gain = (cost - new_cost) / max(promised, 1e-300)
                # Smooth in the gain, so that the damping does not flutter between two values; below
                # gain 1/2 it grows although the step is taken.
                damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3) if gain < 2 else 1 / 3
                return trial, (new_cost, loss), max(damping, 1e-15)
        damping *= growth
        growth *= 2  # ever faster: a model that failed twice is far too optimistic
    return None
