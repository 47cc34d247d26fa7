"""What data leave open: how far each curve, and what the model says, may be from the truth.

A fit with ``smoothing="auto"`` ends with a Gaussian of the weights around those that it found, of
covariance V = (J^T J / s^2 + S)^-1 (see ``evidence``). The variance of an output is j^T V j with j
its derivatives in the weights; that of a point of an edge's curve the same with the features of the
edge. Such bands are Bayesian, and cover the truth about as often as they say, on average over the
points (Nychka, Bayesian confidence intervals for smoothing splines, 1988).

Two things are no doubt of a curve but a convention. The level of an edge is shared with the others
into its node: its curve counts less its mean. The mean and the deviation of a hidden node can be
anything, the next edges make up for it: V is taken with both held over the data.

V holds for the precisions that were found, and they are estimates too: what the curves would move
by where the logarithm of a precision does is added (Wood, Pya, Saefken, Smoothing parameter and
model selection for general smooth models, 2016, sec. 4). For few data the quantile is Student's.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from kanviz.data.scaling import mean_of
from kanviz.nn import KANLayer, Network
from kanviz.nn.state import NetworkState
from kanviz.training.evidence import VAGUE, Shapes, Smoothing, has_formulas, inverse_root
from kanviz.training.families import CLASSES, NUMBERS, Family, Robust
from kanviz.training.jacobian import Locks, learning_weights, linearise, n_weights, trainable
from kanviz.training.least_squares import LeastSquares

MOST_KEPT = 2000
"""Learning weights up to which the whole covariance is kept (16 MB), for what a model predicts;
beyond only that of each edge is."""

MOVED = 0.1
"""Share of a standard error by which a curve or an output may be off what was fitted, and is still
the same."""

ROUNDING = 1e-5
"""The same as a share of the size of the curve, for models of few digits."""

NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Doubt:
    """What the data of a fit leave open, in the network's units.

    It says nothing of another function: ``errors_of_edges`` and ``errors_of_outputs`` compare the
    network that they are asked about with the one that was fitted, whoever changed it and how.

    Parameters
    ----------
    state : NetworkState
        Of the network that was fitted.
    smoothing : Smoothing
        The precisions of its edges and the variance of the noise.
    scale : float
        Standard deviation of y.
    n : float
        Numbers in y, each counted as often as its row.
    dof : float
        Effective degrees of freedom of the network.
    edges : list of (in, out)
        Those of each edge, its level left out.
    centres : list of (in, features)
        Means of the features over the data: of a curve less its mean.
    roots : list of (in, out, features, features)
        A root R of the covariance R R^T of the weights of each edge, both conventions taken out.
    formulas : list of (edges, numbers, numbers)
        The same of the numbers of each formula.
    root : (weights, weights) or None
        A lower triangular root of the covariance of all that learn, in the order of ``linearise``;
        None beyond ``MOST_KEPT``.
    is_robust : bool
        Whether the fit was by Huber's loss, so that rows far off count for less.
    shares : tuple of float
        How large the noise of each output is beside that of all; none where all are alike.
    """

    state: NetworkState
    smoothing: Smoothing
    scale: float
    n: float
    dof: float
    edges: list[Float[Tensor, "_inputs _outputs"]]
    centres: list[Float[Tensor, "_inputs _features"]]
    roots: list[Float[Tensor, "_inputs _outputs _features _features"]]
    formulas: list[Float[Tensor, "_edges _numbers _numbers"]]
    root: Float[Tensor, "weights weights"] | None
    is_robust: bool = False
    shares: tuple[float, ...] = ()

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        network: Network,
        x: Float[Tensor, "samples inputs"],
        smoothing: Smoothing,
        scale: float,
        sample_weight: Float[Tensor, " samples"] | None = None,
        family: Family = NUMBERS,
        y: Float[Tensor, "samples outputs"] | None = None,
    ) -> "Doubt":
        """Return the doubt of a network that was fitted with these precisions.

        Parameters
        ----------
        network : Network
            In any dtype; is not changed.
        x : (samples, inputs)
            What it was fitted to, in float64.
        smoothing : Smoothing
            As the fit found it.
        scale : float
            Standard deviation of y.
        sample_weight : (samples,), optional
            How many times each row counts.
        family : Family
            How y scatters.
        y : (samples, outputs), optional
            What it was fitted to, in float64, to tell the noise of several outputs apart; without
            it all are alike.
        """
        work = copy.deepcopy(network).to(x)
        shares: tuple[float, ...] = ()
        if y is not None and family.has_noise and y.shape[1] > 1:
            shares = tuple(shares_of_noise(work(x), y, family, sample_weight).tolist())
        y = family.some(work(x)) if y is None else y
        problem = LeastSquares(work, x, y, (), scale, sample_weight=sample_weight, family=family)
        n = problem.count
        with problem.in_unit():
            root, dof, edges = _root(problem, smoothing)
            conventions = _conventions(work, x, problem.locks, sample_weight)
            if family is CLASSES:
                conventions = torch.cat([conventions, _shared(work)])
        # Back from the unit of the problem.
        size = _sizes(work, problem.unit)
        root = root * size.unsqueeze(1)
        conventions, own = conventions / size, _own(work)
        return cls(
            NetworkState.capture(network),
            smoothing,
            scale,
            n,
            dof,
            edges,
            _centres(work, x, sample_weight),
            *_of_edges(work, root, conventions, problem.locks),
            _triangular(root[own]) if int(own.sum()) <= MOST_KEPT else None,
            isinstance(family, Robust),
            shares,
        )

    @staticmethod
    def size_of(state: NetworkState) -> int:
        """Return of how many weights the whole covariance of a network is."""
        return int(_own(state.build("cpu")).sum())

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor of it, but for those of the state."""
        yield from (*self.edges, *self.centres, *self.roots, *self.formulas)
        yield from (*self.smoothing.bend, *self.smoothing.slope)
        if self.root is not None:
            yield self.root

    @property
    def noise(self) -> float:
        """Standard deviation of the noise in y, in the mean square over the outputs."""
        return math.sqrt(self.smoothing.variance) * self.scale

    @property
    def noises(self) -> Float64[Tensor, " outputs"]:
        """The same of each output."""
        outputs = self.state.widths[-1]
        return self.noise * torch.tensor(self.shares or (1.0,) * outputs, dtype=torch.float64)

    def _widening(self, like: Tensor) -> Float[Tensor, " outputs"]:
        """Return by how much more than the noise of all each output scatters, where it is more.

        All outputs are made as smooth as the noise of all asks for. One with less noise is then
        held off the truth by more than its own noise would let it be, so its errors stay as they
        are.
        """
        return like.new_tensor(self.shares).clamp(min=1)

    def factor(self, level: float) -> float:
        """Return how many standard errors a band of a level reaches to each side."""
        return student(level, max(1.0, self.n - self.dof))

    @torch.no_grad()
    def is_of(self, network: Network, x: Float[Tensor, "samples inputs"]) -> bool:
        """Say whether all curves of a network are those that were fitted, over the range of x."""
        points, z = [], x
        for layer in network.layers:
            points.append(torch.stack([z.amin(0).lerp(z.amax(0), n / 20) for n in range(21)]))
            z = layer(z)
        found = self.errors_of_edges(network, points)
        pairs = zip(found, network.layers, strict=True)
        return all(bool((~errors[:, trainable(one)].isnan()).all()) for errors, one in pairs)

    @torch.no_grad()
    def errors_of_edges(
        self, network: Network, points: Sequence[Float[Tensor, "_points _inputs"]]
    ) -> list[Float[Tensor, "_points _inputs _outputs"]]:
        """Return the standard error of each curve less its mean, in the unit of its node.

        NaN where there is none: of an edge that is removed, did not learn, or is another by now.

        Parameters
        ----------
        network : Network
            As it is now.
        points : sequence of (points, in)
            Where, for each layer.
        """
        found = []
        fitted = self.state.build(points[0].device).double()
        for depth, (layer, then) in enumerate(zip(network.layers, fitted.layers, strict=True)):
            z = points[depth].double()
            centred = then.features(z) - self.centres[depth]
            errors = torch.einsum("pif,iofg->piog", centred, self.roots[depth]).norm(dim=-1)
            errors[:, ~trainable(then)] = math.nan
            if depth == len(network.layers) - 1 and len(self.shares) == errors.shape[2]:
                errors = errors * self._widening(errors)
            if then.symbols is not None:
                where = then.symbols.inputs, then.symbols.outputs
                slopes = then.symbols.slopes(z)
                slopes = slopes - slopes.mean(0)
                own = torch.einsum("pea,eab->peb", slopes, self.formulas[depth]).norm(dim=-1)
                errors[:, where[0], where[1]] = own
            mine, theirs = (copy.deepcopy(one).double().edge_outputs(z) for one in (layer, then))
            moved = (mine - mine.mean(0)) - (theirs - theirs.mean(0))
            size = theirs.abs().amax(0)
            is_same = (moved.abs() <= MOVED * errors + ROUNDING * size).all(0)  # false for NaN
            errors[:, ~(is_same & layer.mask & then.mask)] = math.nan
            found.append(errors)
        return found

    @torch.no_grad()
    def errors_of_outputs(
        self, network: Network, x: Float[Tensor, "samples inputs"], *, of_classes: bool = False
    ) -> Float[Tensor, "samples outputs"] | None:
        """Return the standard error of each output at x; None where the network is another by now.

        Of classes that of log(p / (1 - p)) for each probability p: of scores the sum means nothing.

        Raises
        ------
        ValueError
            If the network is so large that only the doubt of its edges was kept.
        """
        if self.root is None:
            raise ValueError(
                f"This model has more than {MOST_KEPT} weights that learn, and of so many only "
                "the bands of the curves are kept. Take fewer nodes or a coarser grid."
            )
        fitted, x = self.state.build(x.device).double(), x.double()
        own, sources, total = _own(fitted), Locks.of(fitted).sources, n_weights(fitted)
        errors, now = [], network(x.to(network.layers[0].weight)).double()
        moved = now - fitted(x)
        ways = _of_logits(fitted(x)) if of_classes else None
        if ways is not None:
            moved = (ways @ moved.unsqueeze(2)).squeeze(2)
        step = max(1, NUMBERS_AT_ONCE // (total * fitted.widths[-1]))
        for at in range(0, len(x), step):
            rows = linearise(fitted, x[at : at + step])
            columns = rows.columns if sources is None else sources[rows.columns]
            dense = x.new_zeros(*rows.outputs.shape, total)
            dense.scatter_add_(2, columns, rows.values)
            dense = dense if ways is None else ways[at : at + step] @ dense
            errors.append((dense[..., own] @ self.root.to(x)).norm(dim=-1))
        found = torch.cat(errors)
        if self.shares:
            found = found * self._widening(found)
        if bool((moved.abs() <= MOVED * found + ROUNDING * self.scale).all()):
            return found
        return None


@torch.no_grad()
def shares_of_noise(
    outputs: Float[Tensor, "samples outputs"],
    y: Float[Tensor, "samples outputs"],
    family: Family = NUMBERS,
    sample_weight: Float[Tensor, " samples"] | None = None,
) -> Float64[Tensor, " outputs"]:
    """Return how large the noise of each output is beside the one that the evidence takes for all.

    As the residuals are: the squares, in the mean over the outputs, stay what the evidence says. So
    an output without any noise, as a constant, takes none from the others. A single one has it all.
    """
    squares, weight = (outputs.double() - y).square(), sample_weight
    if isinstance(family, Robust):
        weight = family.weight(outputs.double(), y, weight)
    if weight is not None:
        squares = squares * weight.unsqueeze(1)
    mean = squares.mean(0).double().cpu()
    shares: Tensor = (mean / mean.mean()).sqrt().nan_to_num(nan=1.0)
    return shares


def _of_logits(scores: Float[Tensor, "samples classes"]) -> Float[Tensor, "samples classes scores"]:
    """Return the derivatives of each class's log(p / (1 - p)) in the scores."""
    one = torch.eye(scores.shape[1], dtype=torch.bool, device=scores.device)
    others = scores.unsqueeze(1).masked_fill(one, -torch.inf)
    return one.to(scores) - torch.softmax(others, dim=2)


def _own(network: Network) -> Bool[Tensor, " weights"]:
    """Return which weights learn by themselves: of locked edges those of the first."""
    learns = learning_weights(network)
    sources = Locks.of(network).sources
    if sources is None:
        return learns
    return learns & (sources == torch.arange(len(sources), device=sources.device))


def _root(
    problem: LeastSquares, smoothing: Smoothing
) -> tuple[Float[Tensor, "weights columns"], float, list[Tensor]]:
    """Return a root of the covariance of all weights, and the dof of all and of each edge."""
    network, n, scale = problem.network, problem.count, problem.scale
    weights, shapes = problem.weights(), [Shapes.of(layer) for layer in network.layers]
    data = problem.quadratic(weights).matrix * (n / smoothing.variance)
    full, unused = data.clone(), torch.zeros_like(weights)
    for form in smoothing.forms(network, shapes, 1.0, scale):
        form.add(full, unused, weights)
    root = inverse_root(full, is_singular=has_formulas(network))
    dof = float(((root.T @ data) * root.T).sum(dim=1).clamp(0, 1).sum())
    used = _used(network, smoothing, shapes, root, scale)
    moves = root @ (root.T @ _pulls(network, smoothing, shapes, weights, used, scale))
    return torch.cat([root, moves], dim=1), dof, [part.sum(0) for part in used]


def _used(
    network: Network,
    smoothing: Smoothing,
    shapes: Sequence[Shapes],
    root: Float[Tensor, "weights columns"],
    scale: float,
) -> list[Float[Tensor, "2 _inputs _outputs"]]:
    """Return the effective degrees of freedom of the bend and of the straight part of each edge."""
    start, found = 0, []
    for depth, (layer, shape) in enumerate(zip(network.layers, shapes, strict=True)):
        unit = scale**2 if layer is network.layers[-1] else 1.0
        own = root[start : start + layer.weight.numel()].view(*layer.weight.shape, -1)
        own = own.transpose(1, 2)  # (in, out, f, columns)
        learns = (own != 0).any(-1).any(-1)
        parts = []
        for precision, matrix, rank in (
            (smoothing.bend[depth], shape.bend, shape.bend_rank),
            (smoothing.slope[depth], shape.slope, shape.slope_rank),
        ):
            trace = torch.einsum("iofc,ifg,iogc->io", own, matrix, own) / unit
            parts.append((rank - precision * trace).clamp(min=0) * learns)
        found.append(torch.stack(parts))
        start += layer.weight.numel() + layer.affine.numel()
    return found


def _pulls(
    network: Network,
    smoothing: Smoothing,
    shapes: Sequence[Shapes],
    weights: Float[Tensor, " weights"],
    used: Sequence[Float[Tensor, "2 _inputs _outputs"]],
    scale: float,
) -> Float[Tensor, "weights precisions"]:
    """Return for each precision a S w times how far its logarithm may be off.

    V times it is what the weights move by. By the data alone the logarithm is known to
    sqrt(2 / dof).
    """
    start, found = 0, []
    for depth, (layer, shape) in enumerate(zip(network.layers, shapes, strict=True)):
        unit = scale**2 if layer is network.layers[-1] else 1.0
        weight = weights[start : start + layer.weight.numel()].view_as(layer.weight)
        for part, (precision, matrix) in enumerate(
            ((smoothing.bend[depth], shape.bend), (smoothing.slope[depth], shape.slope))
        ):
            off = (1 / VAGUE**2 + used[depth][part] / 2).rsqrt()
            pull = (matrix @ weight) * (precision * off / unit).unsqueeze(1)
            for i, j in (used[depth][part] > 0).nonzero().tolist():
                column = torch.zeros_like(weights)
                column[start : start + weight.numel()].view_as(weight)[i, :, j] = pull[i, :, j]
                found.append(column)
        start += layer.weight.numel() + layer.affine.numel()
    return torch.stack(found, dim=1) if found else weights.new_zeros(len(weights), 0)


def _sizes(network: Network, unit: float) -> Float[Tensor, " weights"]:
    """Return what each weight is multiplied by on the way out of a unit of the outputs."""
    parts = []
    for layer in network.layers:
        is_last = layer is network.layers[-1]
        parts.append(torch.full_like(layer.weight, unit if is_last else 1.0).flatten())
        numbers = torch.ones_like(layer.affine)
        numbers[:, 2:4] = unit if is_last else 1.0
        parts.append(numbers.flatten())
    return torch.cat(parts)


def _conventions(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    locks: Locks,
    sample_weight: Float[Tensor, " samples"] | None,
) -> Float[Tensor, "held weights"]:
    """Return the derivatives of mean and deviation of each hidden sum that is in use.

    Of a factor only its size is a convention, for what leaves the product cannot make up for its
    mean: there the derivative is of the root mean square.
    """
    total = n_weights(network)
    rows: list[Tensor] = [x.new_zeros(0, total)]
    for depth in range(1, len(network.layers)):
        *below, last = network.layers[:depth]
        alone = last.nodes.alone
        if last.nodes.arities:  # up to its sums
            last = KANLayer.from_state(replace(last.state(), products=()), last.weight.device)
        part = Network.from_layers([*below, last])
        z = part(x)
        mean = mean_of(z, sample_weight)
        mean[alone:] = 0
        deviation = mean_of((z - mean).square(), sample_weight).sqrt()
        used = deviation > 1e-9 * float(deviation.max())
        found = x.new_zeros(2, z.shape[1], total)
        step = max(1, NUMBERS_AT_ONCE // (z.shape[1] * n_weights(part)))
        share = x.new_full((len(x),), 1 / len(x))
        if sample_weight is not None:
            share = sample_weight / sample_weight.sum()
        for chunk, own in zip(x.split(step), share.split(step), strict=True):
            lines = linearise(part, chunk)
            columns = lines.columns if locks.sources is None else locks.sources[lines.columns]
            far = ((lines.outputs - mean) / deviation.clamp(min=1e-300)).unsqueeze(-1)
            for kind, values in enumerate((lines.values, lines.values * far)):
                flat = columns.transpose(0, 1).flatten(1)
                weighed = values * own[:, None, None]
                found[kind].scatter_add_(1, flat, weighed.transpose(0, 1).flatten(1))
        found[0, alone:] = 0
        rows.append(found[:, used].flatten(0, 1))
    return torch.cat(rows)


def _shared(network: Network) -> Float[Tensor, "held weights"]:
    """Return the derivatives of what the last edges add to the scores of all classes alike.

    The probabilities do not depend on it: it is a convention, too.
    """
    layer, total = network.layers[-1], n_weights(network)
    start = total - layer.weight.numel() - layer.affine.numel()
    n_in, n_features, n_out = layer.weight.shape
    found = layer.weight.detach().new_zeros(n_in * n_features, total)
    one = torch.eye(n_in * n_features, dtype=found.dtype, device=found.device)
    found[:, start : start + layer.weight.numel()] = one.repeat_interleave(n_out, dim=1)
    return found


def _centres(
    network: Network,
    x: Float[Tensor, "samples inputs"],
    sample_weight: Float[Tensor, " samples"] | None,
) -> list[Tensor]:
    """Return the mean of the features of each input of each layer.

    Where one edge alone leads to every node, as in [1, 1], nothing shares its level: 0.
    """
    found = []
    for layer in network.layers:
        is_alone = bool((layer.mask.sum(0) <= 1).all())
        mean = mean_of(layer.features(x), sample_weight)
        found.append(torch.zeros_like(mean) if is_alone else mean)
        x = layer(x)
    return found


def _of_edges(
    network: Network,
    root: Float[Tensor, "weights columns"],
    conventions: Float[Tensor, "held weights"],
    locks: Locks,
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the roots of the covariance of each edge and each formula, the conventions held."""
    across = conventions @ root
    across = across[across.norm(dim=1) > 0]
    if len(across):
        way, _ = torch.linalg.qr((across / across.norm(dim=1, keepdim=True)).T)
        root = root - (root @ way) @ way.T
    root = root if locks.sources is None else root[locks.sources]
    start, splines, formulas = 0, [], []
    for layer in network.layers:
        size, n_numbers = layer.weight.numel(), layer.affine.numel()
        own = root[start : start + size].view(*layer.weight.shape, -1).transpose(1, 2)
        splines.append(_square(own))
        numbers = root[start + size : start + size + n_numbers]
        formulas.append(_square(numbers.view(*layer.affine.shape, root.shape[1])))
        start += size + n_numbers
    return splines, formulas


def _square(root: Float[Tensor, "*edges n columns"]) -> Float[Tensor, "*edges n n"]:
    """Return a square root of the same covariance."""
    values, vectors = torch.linalg.eigh(root @ root.mT)
    found: Tensor = vectors * values.clamp(min=0).sqrt().unsqueeze(-2)
    return found.contiguous()


def _triangular(root: Float[Tensor, "n columns"]) -> Float[Tensor, "n n"]:
    """Return a lower triangular root of the same covariance."""
    upper: Tensor = torch.linalg.qr(root.T, mode="r").R
    return upper.T.contiguous()


UNSEEN = 1e-10
"""Share of the largest eigenvalue of J^T J, each number in its own unit, below which the data do
not tell what lies along a direction."""


def errors_of_numbers(slopes: Float[Tensor, "rows numbers"], noise: float) -> list[float]:
    """Return the standard errors of numbers by least squares: s^2 (J^T J)^-1.

    Parameters
    ----------
    slopes : (rows, numbers)
        J, the derivatives of what is measured in the numbers.
    noise : float
        s, its standard deviation on one row.

    Returns
    -------
    list of float
        nan where another number can make up for one.
    """
    size = slopes.norm(dim=0)
    known = (size > 0) & size.isfinite()
    found = torch.full_like(size, math.nan)
    if bool(known.any()):
        _, values, ways = torch.linalg.svd(slopes[:, known] / size[known], full_matrices=False)
        seen = values.square() > UNSEEN * values.square().amax()
        is_unsure = ways[~seen].square().sum(0) > math.sqrt(UNSEEN)
        errors = noise * (ways[seen] / values[seen].unsqueeze(1)).norm(dim=0) / size[known]
        found[known] = errors.masked_fill(is_unsure, math.nan)
    return [float(error) for error in found]


def check_level(level: float) -> None:
    """Raise a ValueError unless a level is a share between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level must be above 0 and below 1; got {level!r}. Try 0.95.")


def student(level: float, freedom: float) -> float:
    """Return how far from 0 Student's t stays with a probability, to 1e-3 from 3 degrees on.

    Abramowitz and Stegun, Handbook of mathematical functions, 1964, eq. 26.7.5.
    """
    z = float(torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64)))
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
