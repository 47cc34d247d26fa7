"""Smoothing by evidence: how much each edge may bend and slope, and the noise, from the data alone.

The weights have a Gaussian prior with two precisions per edge e: a_e for its bend (the squared
second differences of its curve, and how far its slopes are from that of the whole, so that where
there are no data it goes on straight) and b_e for its straight part. With A = J^T J / s^2 for noise
of variance s^2, S the matrix of the prior and V = (A + S)^-1, the bend of an edge has
g_e = rank - a_e tr(V_ee S_bend) effective degrees of freedom, the whole fit has tr(V A). The
precisions that make the data most likely solve

    a_e = g_e / (w_e^T S_bend w_e),   b_e likewise,   s^2 = RSS / (n - tr(V A)),

a fixed point that is iterated between Levenberg-Marquardt steps (MacKay, Bayesian interpolation,
1992, eq. 4.5-4.9; Wood and Fasiolo, A generalized Fellner-Schall method for smoothing parameter
optimization, 2017, eq. 6). As a_e grows an edge becomes a straight line, as b_e grows too nothing:
smoothness and relevance in one. As a_e moves with the square of its weights, nothing depends on the
scale of hidden nodes. Where y has no noise s goes to 0, and the price of bending with it.
"""

import copy
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data.scaling import mean_of
from kanviz.nn import KANLayer, Network
from kanviz.nn.features import BASE_FUNCTIONS
from kanviz.nn.initialise import lines
from kanviz.training.families import CLASSES, NUMBERS, Family, Numbers, Robust
from kanviz.training.jacobian import learning_weights, n_weights, trainable
from kanviz.training.least_squares import LeastSquares, Pace, Products, minimise
from kanviz.training.penalties import EdgeForms, WrittenForms, gaps_of
from kanviz.training.task import DataTask

FIRST_BEND, FIRST_SLOPE, FIRST_NOISE = 100.0, 1.0, 0.3
"""Precisions and variance (a share of that of y) to begin with: smooth, so that the data loosen
what they can; from wild curves the way back is long."""

LEVEL = 1e-3
"""Precision of an edge's level, fixed: only the sum of the levels at a node is seen by the data."""

LEAST, MOST = 1e-9, 1e9
"""Precisions stay between."""

LEAST_OF_CLASSES = (1e-3, 0.1)
"""The same for families without noise, of bends and of straight parts. Where a line parts all rows
of two classes nothing in the data holds the scores, and the evidence grows as they do, by as few
inputs as will do; so straight parts say how far scores go, and more inputs share in that. Bends are
held by the borders of the classes."""

TRUST = 0.7
"""Share of the way to the new precisions, in the logarithm: the full way may swing."""

VAGUE = 3.0
"""Standard deviation of the logarithm of a precision before the data are seen."""

LEAST_NOISE = 1e-14
"""Share of the standard deviation of y below which noise cannot be told from rounding."""

STEPS_OF_ROUND, SETTLED = 4, 1e-4
"""Most Levenberg-Marquardt steps between two choices of the precisions, and the relative decrease
of one below which the next choice comes first."""

MARGIN = 0.1
"""Share of the range that a grid goes beyond its samples at each side."""

LOOSE = 2.5
"""Factor by which the margin may be off it before a grid moves."""

ADDITIVE_ROUNDS = 12
"""Of a sum of functions of single inputs: it has few weights and settles soon."""

HOMING = 0.5
"""How strongly, beside its bends, a slope's distance from that of the whole curve counts: where few
data hold it, in gaps and at its ends, a curve comes home to its straight part within about
1 / HOMING steps. Bends alone would let it run on as steep as its last samples left it."""

IDLE = 1e-3
"""The grid of a node is at least this share of the widest of its layer: that of an idle node would
shrink around nothing, and its curves become so steep that nothing looks like something."""


PRICE, IN_USE = 3.0, 0.1
"""By how much each hidden node must raise the logarithm of the evidence: the Laplace approximation
flatters what bends most. A node is in use whose edges have so many degrees of freedom together."""


# ---- the prior -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shapes:
    """The matrices of the prior of one layer's edges, each (in, features, features).

    ``bend`` has rank ``bend_rank``, ``slope`` rank ``slope_rank``, ``level`` rank 1; together they
    have full rank, and ``log_det`` (in,) is the logarithm of the determinant of their sum. As the
    ranks add up, with a factor on each it is this plus rank times the logarithm of each factor.
    """

    bend: Tensor
    slope: Tensor
    level: Tensor
    bend_rank: int
    slope_rank: int
    log_det: Tensor

    @classmethod
    def of(cls, layer: KANLayer) -> "Shapes":
        """Return the matrices at the layer's knots."""
        spec, n_in, n = layer.spec, layer.in_features, layer.spec.n_basis
        points = layer.control_points.detach().double()
        values = torch.eye(n, spec.n_features, dtype=torch.float64, device=points.device)
        values = values.repeat(n_in, 1, 1)
        if spec.has_base:
            # What splines and base function bend together counts: one may not hide the other.
            values[..., n] = BASE_FUNCTIONS[spec.base](points)
        # In units of the steps here: where knots are close a curve may be as lively as elsewhere.
        slopes = values.diff(dim=1) / points.diff(dim=1).unsqueeze(-1)
        steps = (points[:, 2:] - points[:, :-2]).unsqueeze(-1) / 2
        bends = steps * slopes.diff(dim=1)
        whole = (values[:, -1:] - values[:, :1]) / (points[:, -1:] - points[:, :1]).unsqueeze(-1)
        astray = points.diff(dim=1).unsqueeze(-1) * (slopes - whole)
        bends = torch.cat([bends, HOMING * astray], dim=1)
        line = _line(points)
        slope = torch.zeros(n_in, spec.n_features, spec.n_features).to(points)
        slope[:, :n, :n] = line.unsqueeze(2) * line.unsqueeze(1)
        if spec.has_base:
            slope[:, n, n] = 1.0
        level = torch.zeros_like(slope)
        level[:, :n, :n] = 1 / n
        bend = bends.mT @ bends
        log_det = torch.linalg.slogdet(bend + slope + level)[1]
        return cls(bend, slope, level, max(0, n - 2), int(n > 1) + int(spec.has_base), log_det)


def _line(points: Float[Tensor, "inputs basis"]) -> Float[Tensor, "inputs basis"]:
    """Return the coefficients, of length 1 and mean 0, with which each input's spline is a line.

    Splines of one coefficient are no lines: 0.
    """
    line = points - points.mean(1, keepdim=True)
    size: Tensor = line.norm(dim=1, keepdim=True)
    return line / torch.where(size > 0, size, 1.0)


@dataclass(frozen=True)
class Evidence:
    """What the data say of a network at one point.

    Parameters
    ----------
    log_evidence : float
        Laplace's approximation of the logarithm of the probability of y in units of its deviation,
        less what it costs not to know the precisions (MacKay, Comparison of approximate methods for
        handling hyperparameters, 1999, sec. 4). It compares starts and shapes on the same data.
    noise : float
        Standard deviation of the noise, as a share of that of y.
    dof : float
        Effective degrees of freedom of the whole network: tr(V A).
    edges : list of (in, out)
        Those of each edge, its level left out; 0 where it does nothing that the data ask for.
    used : int
        Hidden nodes in use, see ``IN_USE``; a product counts once.
    covariance : (weights, weights)
        V, of all weights in the order of ``linearise``, the outputs in the unit of the problem; 0
        for those that do not learn.
    """

    log_evidence: float
    noise: float
    dof: float
    edges: list[Float[Tensor, "_inputs _outputs"]]
    used: int
    covariance: Float[Tensor, "weights weights"]

    @property
    def rank(self) -> float:
        """What starts are compared by: log evidence less ``PRICE`` for each hidden node in use."""
        return self.log_evidence - PRICE * self.used


def nodes_in_use(network: Network, edges: list[Float[Tensor, "_inputs _outputs"]]) -> int:
    """Return how many hidden nodes are in use by the degrees of freedom of all edges."""
    pairs = zip(network.layers[:-1], edges[:-1], edges[1:], strict=True)
    return sum(
        int(((layer.nodes.added(into.sum(0)) > IN_USE) & (out.sum(1) > IN_USE)).sum())
        for layer, into, out in pairs
    )


@dataclass(frozen=True)
class Smoothing:
    """The precisions of all edges and the variance of the noise, for outputs of deviation 1.

    ``bend`` and ``slope`` hold (in, out) per layer; ``variance`` is a share of that of y.
    """

    bend: list[Float[Tensor, "_inputs _outputs"]]
    slope: list[Float[Tensor, "_inputs _outputs"]]
    variance: float

    @classmethod
    def first(cls, network: Network, family: Family = NUMBERS) -> "Smoothing":
        """Return what to begin with."""
        variance = FIRST_NOISE if family.has_noise else 1.0
        return cls(_all(network, FIRST_BEND), _all(network, FIRST_SLOPE), variance)

    @classmethod
    def idle(cls, network: Network) -> "Smoothing":
        """Return what holds all edges at nothing."""
        return cls(_all(network, MOST), _all(network, MOST), FIRST_NOISE)

    def of_nodes(self, places: Sequence[tuple[Tensor, Tensor]]) -> "Smoothing":
        """Return those of the edges of a smaller network.

        Parameters
        ----------
        places : sequence of (inputs, outputs)
            For each layer, which rows and columns are in it.
        """

        def chosen(parts: list[Tensor]) -> list[Tensor]:
            found = zip(parts, places, strict=True)
            return [part[rows][:, columns] for part, (rows, columns) in found]

        return replace(self, bend=chosen(self.bend), slope=chosen(self.slope))

    def refined(self, factor: float) -> "Smoothing":
        """Return what means the same of the same curves on grids so many times finer.

        Second differences go with the square of the step, and there are as many more of them.
        """
        return replace(self, bend=[bend * factor**3 for bend in self.bend])

    def penalties(self, network: Network, n: float, scale: float) -> list[WrittenForms]:
        """Return the prior as a penalty of ``LeastSquares`` on n numbers of deviation ``scale``."""
        shapes = [Shapes.of(layer) for layer in network.layers]
        forms = self.forms(network, shapes, self.variance / n, scale)
        return [WrittenForms.of(forms, n_weights(network), network.layers[0].weight.detach())]

    def forms(
        self, network: Network, shapes: Sequence[Shapes], unit: float, scale: float
    ) -> list[EdgeForms]:
        """Return ``unit`` times the prior: of the bends, of the straight parts, of the levels."""
        learns = [_learns(layer) for layer in network.layers]

        def form(name: str, factors: list[Tensor]) -> EdgeForms:
            blocks = [getattr(shape, name) for shape in shapes]
            factors = [unit * f * own for f, own in zip(factors, learns, strict=True)]
            return EdgeForms(blocks, [*factors[:-1], factors[-1] / scale**2], gaps_of(network))

        level = [torch.full_like(bend, LEVEL) for bend in self.bend]
        return [form("bend", self.bend), form("slope", self.slope), form("level", level)]

    @torch.no_grad()
    def judged(self, problem: LeastSquares) -> tuple["Smoothing", Evidence]:
        """Return the next precisions, and what the data say by the present ones.

        Parameters
        ----------
        problem : LeastSquares
            With a network at the minimum of its cost with these penalties, or near it.
        """
        with problem.in_unit():
            return self._judged(problem)

    def _judged(self, problem: LeastSquares) -> tuple["Smoothing", Evidence]:
        network, n, scale = problem.network, problem.count, problem.scale
        weights = problem.weights()
        shapes = [Shapes.of(layer) for layer in network.layers]
        # J^T J is needed once more, at the end of the round; the next step begins with it.
        bare = replace(problem, penalties=())
        data = bare.quadratic(weights).matrix * (n / self.variance)
        problem.known = bare.known
        full, unused = data.clone(), torch.zeros_like(weights)
        for part in self.forms(network, shapes, 1.0, scale):
            part.add(full, unused, weights)
        covariance, log_det = inverse(full, is_singular=has_formulas(network))
        dof = float((covariance * data).sum())
        outputs, family, variance = network(problem.x), problem.family, self.variance
        if isinstance(family, Numbers):
            left = family.variance(outputs - problem.y, problem.sample_weight, dof)
            variance = max(left / scale**2, LEAST_NOISE**2)
        leasts = (LEAST, LEAST) if family.has_noise else LEAST_OF_CLASSES
        found = self._of_edges(network, shapes, weights, covariance, scale, leasts)
        log_evidence = found.log_prior - log_det
        if isinstance(family, Robust):
            log_evidence -= family.surprise(outputs, problem.y, problem.sample_weight, scale)
        else:
            log_evidence -= n * problem.deviance(outputs) / scale**2 / self.variance
            if family.has_noise:
                log_evidence -= n * math.log(2 * math.pi * self.variance)
        used = nodes_in_use(network, found.dof)
        evidence = Evidence(log_evidence / 2, variance**0.5, dof, found.dof, used, covariance)
        return Smoothing(found.bend, found.slope, variance), evidence

    def _of_edges(
        self,
        network: Network,
        shapes: Sequence[Shapes],
        weights: Tensor,
        covariance: Tensor,
        scale: float,
        leasts: tuple[float, float],
    ) -> "_OfEdges":
        start, found = 0, _OfEdges([], [], [], 0.0)
        for depth, (layer, shape) in enumerate(zip(network.layers, shapes, strict=True)):
            size, learns = layer.weight.numel(), _learns(layer)
            unit = scale**2 if layer is network.layers[-1] else 1.0
            weight = weights[start : start + size].view_as(layer.weight)
            square = covariance[start : start + size, start : start + size]
            square = square.view(*layer.weight.shape, *layer.weight.shape)
            own = square.diagonal(dim1=0, dim2=3).diagonal(dim1=1, dim2=3)  # (f, f, in, out)
            start += size + layer.affine.numel()
            parts = (
                (self.bend[depth], shape.bend, shape.bend_rank, found.bend),
                (self.slope[depth], shape.slope, shape.slope_rank, found.slope),
            )
            total = torch.zeros_like(self.bend[depth])
            for (old, matrix, rank, new), least in zip(parts, leasts, strict=True):
                trace = torch.einsum("fgio,ifg->io", own, matrix) / unit
                form = ((matrix @ weight) * weight).sum(1).clamp(min=0) / unit
                used = (rank - old * trace).clamp(min=0) * learns
                total += used
                wanted = (used.clamp(min=1e-6) / (form + 1e-30)).clamp(least, MOST)
                new.append(old.log().lerp(wanted.log(), TRUST).exp())
                # By the data the logarithm of a precision is known to sqrt(2 / dof).
                doubt = (0.5 * VAGUE**2 * used).log1p()
                found.log_prior += float(((rank * old.log() - old * form - doubt) * learns).sum())
            found.dof.append(total)
            form = ((shape.level @ weight) * weight).sum(1) * LEVEL / unit
            rank = shape.bend_rank + shape.slope_rank + 1
            rest = math.log(LEVEL) - rank * math.log(unit) + shape.log_det.unsqueeze(1) - form
            found.log_prior += float((rest * learns).sum())
        return found


@dataclass
class _OfEdges:
    """The next precisions, the dof of each edge, and twice the logarithm of the prior density."""

    bend: list[Tensor]
    slope: list[Tensor]
    dof: list[Tensor]
    log_prior: float


def _all(network: Network, value: float) -> list[Tensor]:
    """Return the same number for each edge of each layer."""
    masks = [layer.mask for layer in network.layers]
    return [torch.full_like(mask, value, dtype=torch.float64) for mask in masks]


def _learns(layer: KANLayer) -> Tensor:
    """Return which edges have weights of their own that learn: of locked ones the first."""
    own = torch.arange(layer.leaders.numel(), device=layer.leaders.device)
    return trainable(layer) & (layer.leaders == own.view_as(layer.leaders))


NOT_SEEN = 1e-12
"""Share of the largest eigenvalue up to which one of the matrix of a fit is rounding."""


def has_formulas(network: Network) -> bool:
    """Say whether numbers of formulas learn, of which the matrix of a fit may be singular.

    They have no prior, and there are ways to change them that change no output, such as both
    factors of c (a x + b) + d.
    """
    return any(layer.symbols is not None for layer in network.layers)


def inverse(
    matrix: Float[Tensor, "n n"], *, is_singular: bool
) -> tuple[Float[Tensor, "n n"], float]:
    """Return the inverse of a positive definite matrix and the logarithm of its determinant.

    Rows of zeros, of weights that do not learn, stay zeros, and count as 1 in the determinant. So
    do, of a matrix that may be singular, the directions in which it is zero but for rounding: the
    inverse is zero there too.
    """
    if is_singular:
        root, log_det = _pseudo_root(matrix)
        return root @ root.T, log_det
    factor, size, log_det = _factored(matrix)
    return torch.cholesky_inverse(factor) * size * size.unsqueeze(1), log_det


def inverse_root(matrix: Float[Tensor, "n n"], *, is_singular: bool) -> Float[Tensor, "n n"]:
    """Return R with R R^T the inverse of a matrix, see ``inverse``."""
    if is_singular:
        return _pseudo_root(matrix)[0]
    factor, size, _ = _factored(matrix)
    eye = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    root: Tensor = torch.linalg.solve_triangular(factor, eye, upper=False).T * size.unsqueeze(1)
    return root


def _factored(
    matrix: Float[Tensor, "n n"],
) -> tuple[Float[Tensor, "n n"], Float[Tensor, " n"], float]:
    """Return lower L and d with inverse d L^-T L^-1 d, d = 0 for rows of zeros, and log det."""
    diagonal = matrix.diagonal()
    rests = diagonal <= 0
    root = torch.where(rests, 1.0, diagonal).rsqrt()
    scaled = matrix * root * root.unsqueeze(1)
    _check_finite(scaled)
    jitter = 1e-14
    while True:
        factor, failed = torch.linalg.cholesky_ex(scaled + torch.diag(jitter + 1.0 * rests))
        if not int(failed):
            break
        jitter *= 10
    log_det = 2 * float((factor.diagonal() / root).log().sum())
    return factor, root * ~rests, log_det


def _pseudo_root(matrix: Float[Tensor, "n n"]) -> tuple[Float[Tensor, "n n"], float]:
    """Return R with R R^T a generalized inverse, and log det where the matrix is not zero."""
    diagonal = matrix.diagonal()
    size = torch.where(diagonal > 0, diagonal, math.inf).rsqrt()
    scaled = matrix * size * size.unsqueeze(1)
    _check_finite(scaled)
    values, vectors = torch.linalg.eigh(scaled)
    known = values > NOT_SEEN * values[-1]
    root = size.unsqueeze(1) * vectors * torch.where(known, values, math.inf).rsqrt()
    return root, float(values[known].log().sum()) - 2 * float(size[size > 0].log().sum())


def _check_finite(matrix: Tensor) -> None:
    if not bool(matrix.isfinite().all()):
        raise FloatingPointError(
            "How smooth the curves are to be cannot be found: derivatives of the outputs are not "
            "finite. Pass smoothing=0.0, or data with normalize=True."
        )


# ---- noise or none -------------------------------------------------------------------------------

ROWS_PER_WEIGHT = 1.2
"""With fewer rows exact steps follow noise so closely that nothing is left to judge by."""

NEIGHBOURS_AMONG, NEIGHBOURS_OF = 10_000, 1_000
"""Rows among which the nearest is looked for, and rows for which it is."""

NEAR = 0.5
"""Share of the variance of y, no neighbours' matter, above which rows are too far apart to tell."""

ALONE, SHARED = 0.8, 0.6
"""The same of residuals: above it they are noise, below it what is not learnt yet. Of noise that
was followed it is more than 1."""

NO_RESIDUAL, SMALL_NOISE = 1e-3, 0.03
"""Shares of the deviation of y: residuals that are none, noise that may wait for finer grids."""


def has_few_rows(network: Network, task: DataTask) -> bool:
    """Say whether the network could follow any noise in so few rows."""
    return task.y.numel() < ROWS_PER_WEIGHT * int(learning_weights(network).sum())


class Neighbours:
    """The nearest other row of some rows, by which noise is told from what is not learnt yet.

    What a network has not learnt, neighbours share; noise each row has of its own. So half the
    squared difference between nearest rows is the variance of the noise, or more where they are far
    (J. von Neumann, Distribution of the ratio of the mean square successive difference to the
    variance, 1941; in several dimensions: Evans, Jones, A proof of the Gamma test, 2002).
    """

    def __init__(self, task: DataTask) -> None:
        self.task = task
        x = task.x[:NEIGHBOURS_AMONG]
        places = (x - x.mean(0)) / x.std(0, correction=0).clamp(min=torch.finfo(x.dtype).tiny)
        apart = torch.cdist(places[:NEIGHBOURS_OF], places)
        apart.fill_diagonal_(math.inf)
        self.nearest = apart.argmin(1)
        middle = mean_of(task.y, task.sample_weight)
        self.can_tell = len(x) > 1 and self._alone(task.y - middle) < NEAR

    def _alone(self, values: Float[Tensor, "samples outputs"]) -> float:
        """Return the share of the mean square of values that neighbours do not share."""
        asked = values[: len(self.nearest)]
        weight = self.task.sample_weight
        weight = None if weight is None else weight[: len(asked)]
        variance = float(mean_of(asked.square(), weight).mean())
        own = float(mean_of((asked - values[self.nearest]).square(), weight).mean()) / 2
        return own / variance if variance else 0.0

    @torch.no_grad()
    def find_noise(self, network: Network) -> bool | None:
        """Say whether what an exact fit leaves of the data is noise; None where that is not clear.

        The network is to have taken a few steps that have no regard to smoothness.
        """
        residual = network(self.task.x) - self.task.y
        squares = mean_of(residual.square(), self.task.sample_weight)
        share = float(squares.mean()) ** 0.5 / self.task.scale
        if not math.isfinite(share):
            return None
        if share < NO_RESIDUAL:
            return False
        alone = self._alone(residual)
        if alone < SHARED and alone**0.5 * share < SMALL_NOISE:
            return False
        return True if self.can_tell and alone > ALONE else None


# ---- a network in training -----------------------------------------------------------------------


@dataclass
class Candidate:
    """A network in training by evidence, with its precisions and what the data say of it by now."""

    network: Network
    smoothing: Smoothing
    evidence: Evidence | None = None
    best: "Candidate | None" = None
    """The likeliest state so far."""
    pace: Pace = field(default_factory=Pace)
    known: Products | None = None
    """What the end of a round has computed that the next begins with, if no grid moves."""
    is_placed: bool = False
    """Whether the grids have been moved to the data before."""

    @classmethod
    def of(cls, network: Network, task: DataTask) -> "Candidate":
        """Return a network at the beginning, with the precisions to begin with."""
        return cls(network, Smoothing.first(network, task.family))

    @classmethod
    def smooth(cls, network: Network, task: DataTask) -> "Candidate":
        """Return a random network whose curves are nearly straight, changed in place."""
        straighten(network)
        return cls.of(network, task)

    @torch.no_grad()
    def continued(self, network: Network, task: DataTask) -> "Candidate":
        """Return a deeper network, changed in place, that computes what this one layer does.

        Each output has one node in each hidden layer, and straight lines behind the first layer;
        all other edges do nothing, and the data leave it so: they are as idle as can be, or the
        evidence would be less than that of the one layer. Where there are fewer nodes, or the
        outputs are scores of classes, whose sum says nothing, the nodes are the main directions of
        the outputs. Only sums that stand alone are such nodes: each layer has to have one
        (``has_sums``). Products keep the factors that they have, for from factors of 0 no step
        leads away, but no edge uses them yet.
        """
        (own,), (first, *rest) = self.network.layers, network.layers
        scale, n = task.scale, own.out_features
        most = max(1, n - 1) if task.family is CLASSES else n
        nodes = min(most, *(layer.nodes.alone for layer in (first, *rest[:-1])))
        ways = torch.eye(n, dtype=own.weight.dtype, device=own.weight.device)
        if nodes < n:
            ways = torch.linalg.svd(own.weight.flatten(0, 1), full_matrices=False).Vh[:nodes].T
        multiplies = any(layer.nodes.arities for layer in network.layers)
        smoothing = Smoothing.first(network) if multiplies else Smoothing.idle(network)
        smoothing = replace(smoothing, variance=self.smoothing.variance)
        weight, alone = first.weight.detach().clone(), first.nodes.alone
        weight[..., :alone] = 0
        weight[..., :nodes] = own.weight @ ways / scale  # a hidden node has no unit
        for before, after in (
            (self.smoothing.bend, smoothing.bend),
            (self.smoothing.slope, smoothing.slope),
        ):
            after[0][:, :nodes] = before[0] if nodes == n else before[0].amin(1, keepdim=True)
        first.replace(own.knots, weight, own.spec)
        for depth, layer in enumerate(rest, start=1):
            slopes, alone = torch.zeros_like(layer.mask, dtype=torch.float64), layer.nodes.alone
            if layer is rest[-1]:
                slopes[:nodes] = scale * ways.T
            else:
                slopes[:nodes, :nodes] = torch.eye(nodes)
            straight = lines(slopes.cpu(), layer.knots.double().cpu(), layer.spec)
            layer.weight[..., :alone] = straight[..., :alone].to(layer.weight)
            smoothing.bend[depth][:] = MOST
            smoothing.slope[depth][slopes != 0] = FIRST_SLOPE
        network.settle()
        return Candidate(network, smoothing)

    def livelier(self) -> "Candidate":
        """Return a copy of a sum of curves in which the straight lines behind them may bend."""
        bend = [
            torch.where(slope < MOST / 2, FIRST_BEND, bend) if depth else bend
            for depth, (bend, slope) in enumerate(
                zip(self.smoothing.bend, self.smoothing.slope, strict=True)
            )
        ]
        return Candidate(copy.deepcopy(self.network), replace(self.smoothing, bend=bend))

    @classmethod
    def additive(cls, network: Network, task: DataTask) -> Generator[None, None, "Candidate"]:
        """Return the network, changed in place, as the likeliest sum of functions of single inputs.

        What the data do not ask for beyond is then idle from the beginning; from a start that uses
        all nodes the way there is long. Yields after each step.
        """
        widths, first = [network.widths[0], network.widths[-1]], network.layers[0]
        asked = network.made_with | {"init": "zero", "dtype": torch.float64}
        one = cls.of(Network(widths, **{**asked, "device": first.weight.device}), task)
        yield from one.train(task, ADDITIVE_ROUNDS)
        assert one.best is not None
        return one.best.continued(network, task)

    def copied(self) -> "Candidate":
        """Return the same with a network of its own."""
        network = copy.deepcopy(self.network)
        return replace(self, network=network, best=None, pace=replace(self.pace))

    @property
    def log_evidence(self) -> float:
        """How likely it makes the data; -inf before the first round."""
        return -math.inf if self.evidence is None else self.evidence.log_evidence

    @torch.no_grad()
    def update_grids(self, task: DataTask) -> None:
        """Move the knots of every layer to its samples; see ``MARGIN`` and ``IDLE``.

        Grids that still fit stay, so that less has to be learnt and computed anew.
        """
        x, digits = task.x, task.network.layers[0].weight.dtype
        known = self.known
        for layer in self.network.layers:
            seen = x
            if layer is not self.network.layers[0]:
                low, width = x.amin(0), x.amax(0) - x.amin(0)
                least = IDLE * float(width.max())
                share = torch.linspace(0, 1, len(x), dtype=x.dtype, device=x.device).unsqueeze(1)
                even = low + width / 2 + (share - 0.5) * least
                seen = torch.where(width < least, even, x)
            if not (self.is_placed and _fits(layer, seen)):
                layer.update_grid(seen, margin=MARGIN, digits=digits)
                known = None
            x = layer(x)
        self.known, self.is_placed = known, True

    def problem(self, task: DataTask) -> LeastSquares:
        """Return what its next steps minimise."""
        penalties = self.smoothing.penalties(self.network, task.count, task.scale)
        noise = math.sqrt(self.smoothing.variance) * task.scale
        problem = replace(task, family=task.family.at(noise)).problem(self.network, penalties)
        assert isinstance(problem, LeastSquares)
        problem.known = self.known
        return problem

    def steps(self, problem: LeastSquares, most: int) -> Generator[float, None, str]:
        """Return what takes the steps of a round."""
        return minimise(problem, most, tolerance=SETTLED, in_a_row=1, pace=self.pace)

    def judge(self, problem: LeastSquares) -> None:
        """Choose the precisions anew."""
        judged = self.smoothing
        self.smoothing, self.evidence = judged.judged(problem)
        self.known = problem.known
        if self.best is None or self.log_evidence > self.best.log_evidence:
            self.best = replace(self.copied(), smoothing=judged)

    def train(self, task: DataTask, rounds: int) -> Generator[None, None, float]:
        """Go on for so many rounds, with a yield after each step; return the loss."""
        for _ in range(rounds):
            if task.options.update_grid:
                self.update_grids(task)
            problem = self.problem(task)
            for _ in self.steps(problem, STEPS_OF_ROUND):
                yield
            self.judge(problem)
        return problem.loss()


def _fits(layer: KANLayer, seen: Float[Tensor, "samples inputs"]) -> bool:
    """Say whether the grid of each input reaches beyond its samples, and not far."""
    low, high = seen.amin(0), seen.amax(0)
    points = layer.grid_points
    beyond = torch.stack([low - points[:, 0], points[:, -1] - high]) / (high - low)
    return bool(((beyond > MARGIN / LOOSE) & (beyond < MARGIN * LOOSE)).all())


def has_sums(network: Network) -> bool:
    """Say whether each layer has a node that is no product."""
    return all(layer.nodes.alone for layer in network.layers)


@torch.no_grad()
def straighten(network: Network, *, keep: float = 0.1) -> None:
    """Make the random curves of a new network nearly straight, as strong as they were."""
    for layer in network.layers:
        n = layer.spec.n_basis
        line = _line(layer.control_points.detach())
        coef = layer.weight[:, :n]
        slope = torch.einsum("if,ifo->io", line, coef)
        straight = slope.unsqueeze(1) * line.unsqueeze(2)
        strength = coef.norm(dim=1) / slope.abs().clamp(min=1e-12)
        straight = straight * strength.clamp(max=3).unsqueeze(1)
        layer.weight[:, :n] = straight + keep * (coef - straight)
        layer.weight[:, n:] *= keep
    network.settle()
