"""The derivatives of a network's outputs in all its weights: as sparse rows, or as products.

``linearise`` writes the Jacobian down: a spline has k + 1 active coefficients at a point, so a row
holds only edges * (k + 2) numbers, whatever the grid size. ``Jacobian`` multiplies with it without
that: a small change of the weights moves the inputs of each layer, and the slopes of the edges (and
of products in their factors) carry that on to the outputs; the transpose goes the same way back
(Griewank, Walther, Evaluating derivatives, 2nd edition 2008, sec. 3.1 and 3.2). ``blocks_of`` gives
the blocks on the diagonal of J^T J, one per edge.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kanviz.nn import KANLayer, Network
from kanviz.nn.features import BASE_FUNCTIONS, active
from kanviz.nn.ties import groups_of, tied_rows, tied_weight


@dataclass(frozen=True)
class Linearisation:
    """A network at one point of its weight space.

    ``columns`` and ``values`` give the entries of the Jacobian rows of each sample, one per output;
    columns count all weights, layer by layer: first the layer's weight flattened as
    (in, features, out), then the (edges, numbers) of its formulas.
    """

    outputs: Float[Tensor, "samples outputs"]
    columns: Int[Tensor, "samples rows entries"]
    values: Float[Tensor, "samples rows entries"]

    def times(self, roots: Float[Tensor, "samples new rows"]) -> "Linearisation":
        """Return the rows of R J, with R the root of each sample's metric, see ``families``.

        Where R mixes rows, a column occurs in several entries of a row, which add up.
        """
        count = roots.shape[1]
        columns = self.columns.flatten(1).unsqueeze(1).expand(-1, count, -1)
        values = roots.unsqueeze(-1) * self.values.unsqueeze(1)
        return replace(self, columns=columns, values=values.flatten(2))


def n_weights(network: Network) -> int:
    """Return the number of weights, removed edges and the numbers of formulas included."""
    return sum(_size(layer) for layer in network.layers)


def n_entries(network: Network) -> int:
    """Return how many entries a row of ``linearise`` has."""
    total = 0
    for layer in network.layers:
        spec = layer.spec
        active = spec.spline_order + 1 if spec.is_spline else spec.n_basis
        nodes = 1 if layer is network.layers[-1] else layer.out_features
        total += layer.in_features * (active + int(spec.has_base)) * nodes
        total += layer.affine.numel()
    return total


def _size(layer: KANLayer) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


@torch.no_grad()
def linearise(network: Network, x: Float[Tensor, "samples inputs"]) -> Linearisation:
    """Return outputs and Jacobian of the whole network at its weights.

    The derivative for weight (i, f, j) of a layer is feature f of input i times the sensitivity of
    the output to sum j, which is passed down layer by layer through the edges' slopes. Weights of
    removed edges and of layers that take no gradient get zeros.
    """
    inputs, sums = [x], []
    for layer in network.layers:
        sums.append(layer.sums(inputs[-1]))
        inputs.append(layer.multiplied(sums[-1]))
    n_outputs = inputs[-1].shape[-1]
    sensitivity = torch.eye(n_outputs, dtype=x.dtype, device=x.device).expand(len(x), -1, -1)
    start, columns, values = n_weights(network), [], []
    triples = zip(network.layers, inputs[:-1], sums, strict=True)
    for layer, z, added in reversed(list(triples)):
        sensitivity = _at_sums(layer, sensitivity, added)
        start -= _size(layer)
        column, feature = _active_features(layer, z, start)
        if layer is network.layers[-1]:  # output o depends on the weights of node o only
            column, value = _last_layer(layer, column, feature)
        else:
            column, value = _hidden_layer(layer, column, feature, sensitivity)
        columns.append(column)
        values.append(value)
        if layer.symbols is not None:
            column, value = _formulas(layer, z, start + layer.weight.numel(), sensitivity)
            columns.append(column)
            values.append(value)
        if start:
            slopes = layer.edge_outputs(z, derivative=1)
            sensitivity = torch.einsum("nij,noj->noi", slopes, sensitivity)
    return Linearisation(inputs[-1], torch.cat(columns, dim=2), torch.cat(values, dim=2))


def _at_sums(layer: KANLayer, grad: Tensor, sums: Tensor) -> Tensor:
    """Return gradients (samples, n, sums) in the sums of a layer from those in its nodes."""
    if not layer.nodes.arities:
        return grad
    return layer.nodes.to_sums(grad) * layer.node_slopes(sums).unsqueeze(1)


def trainable(layer: KANLayer) -> Bool[Tensor, "inputs outputs"]:
    """Return which splines of a layer may learn."""
    return layer.spline_mask & ~layer.frozen & layer.weight.requires_grad


def learning_formulas(layer: KANLayer) -> Bool[Tensor, " edges"]:
    """Return which formulas of a layer may learn their numbers."""
    symbols = layer.symbols
    if symbols is None:
        return layer.mask.new_zeros(0)
    where = symbols.inputs, symbols.outputs
    return layer.mask[where] & ~layer.frozen[where] & symbols.affine.requires_grad


def learning_weights(network: Network) -> Bool[Tensor, " weights"]:
    """Return which weights may learn, in the order of ``linearise``."""
    parts = []
    for layer in network.layers:
        splines = trainable(layer).unsqueeze(1).expand_as(layer.weight)
        parts.append(splines.flatten())
        if layer.symbols is not None:
            numbers = learning_formulas(layer).unsqueeze(-1) & layer.symbols.trains
            parts.append(numbers.flatten())
    return torch.cat(parts)


@dataclass(frozen=True)
class Locks:
    """For each weight, in the order of ``linearise``, the one that it equals; None without locks.

    With P the matrix that copies free weights to all, a quadratic model with matrix A and gradient
    g has P^T A P and P^T g in the free weights; the places of the others get 0.
    """

    sources: Int[Tensor, " weights"] | None

    @classmethod
    def of(cls, network: Network) -> "Locks":
        """Return the locks of a network as it is now."""
        if not any(bool(layer.locked.any()) for layer in network.layers):
            return cls(None)
        parts, start = [], 0
        for layer in network.layers:
            own = torch.cat([part.flatten() for part in _sources_of(layer)])
            parts.append(start + own)
            start += len(own)
        return cls(torch.cat(parts))

    def expand(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return the weights with each as the one that it equals."""
        return weights if self.sources is None else weights[self.sources]

    def reduce_system(
        self, matrix: Float[Tensor, "weights weights"], gradient: Float[Tensor, " weights"]
    ) -> tuple[Float[Tensor, "weights weights"], Float[Tensor, " weights"]]:
        """Return matrix and gradient in the free weights."""
        if self.sources is None:
            return matrix, gradient
        rows = torch.zeros_like(matrix).index_add(0, self.sources, matrix)
        both = torch.zeros_like(matrix).index_add(1, self.sources, rows)
        return both, self.reduce(gradient)

    def reduce(self, gradient: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return a gradient in the free weights."""
        if self.sources is None:
            return gradient
        return torch.zeros_like(gradient).index_add(0, self.sources, gradient)


def _sources_of(layer: KANLayer) -> list[Tensor]:
    """Return the place of the weight that each number of a layer equals, for each parameter."""
    places = torch.arange(layer.weight.numel(), device=layer.weight.device)
    found = [tied_weight(places.view_as(layer.weight), layer.leaders)]
    if layer.symbols is not None:
        rows = tied_rows(layer.symbols.inputs, layer.symbols.outputs, layer.leaders)
        length = layer.symbols.affine.shape[1]
        place = torch.arange(length, device=rows.device)
        found.append(layer.weight.numel() + length * rows.unsqueeze(-1) + place)
    return found


def _last_layer(layer: KANLayer, column: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
    nodes = torch.arange(layer.out_features, device=column.device)[:, None, None]
    value = feature.unsqueeze(1) * trainable(layer).T.unsqueeze(-1)
    return (column.unsqueeze(1) + nodes).flatten(2), value.flatten(2)


def _hidden_layer(
    layer: KANLayer, column: Tensor, feature: Tensor, sensitivity: Tensor
) -> tuple[Tensor, Tensor]:
    nodes = torch.arange(layer.out_features, device=column.device)
    gain = sensitivity.unsqueeze(2) * trainable(layer)
    value = feature[:, None, :, :, None] * gain.unsqueeze(3)
    column = (
        (column.unsqueeze(-1) + nodes).unsqueeze(1).expand(-1, sensitivity.shape[1], -1, -1, -1)
    )
    return column.flatten(2), value.flatten(2)


def _formulas(layer: KANLayer, z: Tensor, start: int, sensitivity: Tensor) -> tuple[Tensor, Tensor]:
    """Return the entries of the numbers of every formula of a layer."""
    symbols = layer.symbols
    assert symbols is not None
    gain = sensitivity[:, :, symbols.outputs] * learning_formulas(layer)
    value = symbols.slopes(z).unsqueeze(1) * gain.unsqueeze(-1)
    column = torch.arange(start, start + symbols.affine.numel(), device=z.device)
    return column.expand(*sensitivity.shape[:2], -1), value.flatten(2)


def _active_features(layer: KANLayer, z: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """Return (samples, in, active) columns for output node 0, and the values of the features."""
    spec = layer.spec
    first, values = active(z, layer.knots, spec)
    row = first.unsqueeze(-1) + torch.arange(values.shape[-1], device=z.device)
    if spec.has_base:
        base = BASE_FUNCTIONS[spec.base](z).unsqueeze(-1)
        values = torch.cat([values, base], dim=-1)
        row = torch.cat([row, torch.full_like(row[..., :1], spec.n_basis)], dim=-1)
    inputs = torch.arange(layer.in_features, device=z.device).unsqueeze(-1)
    return (inputs * spec.n_features + row) * layer.out_features + start, values


KEPT_NUMBERS = 50_000_000
"""Most numbers (8 bytes each) that are kept between products; beyond they are made again."""

CHUNK_NUMBERS = 4_000_000
"""About as many are worked on at once."""


@dataclass(frozen=True)
class LayerAt:
    """A layer at given inputs, as a linear map of small changes of its weights and inputs.

    ``slopes`` holds the derivative of every edge, None where the inputs are those of the network;
    ``numbers`` the derivatives of formulas in their numbers. Both and ``learns`` are 0 where
    nothing changes. ``gains`` holds the derivatives of the nodes in their sums, None where all
    nodes are sums.
    """

    layer: KANLayer
    features: Float[Tensor, "samples inputs features"]
    learns: Bool[Tensor, "inputs 1 outputs"]
    slopes: Float[Tensor, "samples inputs outputs"] | None
    numbers: Float[Tensor, "samples symbols numbers"] | None
    gains: Float[Tensor, "samples sums"] | None

    @classmethod
    def of(
        cls, layer: KANLayer, z: Float[Tensor, "samples inputs"], *, is_first: bool
    ) -> "LayerAt":
        """Return the map of a layer at inputs z."""
        gains = layer.node_slopes(layer.sums(z)) if layer.nodes.arities else None
        slopes = None if is_first else layer.edge_outputs(z, derivative=1)
        numbers = None
        if layer.symbols is not None:
            numbers = layer.symbols.slopes(z) * learning_formulas(layer).unsqueeze(-1)
        learns = trainable(layer).unsqueeze(1)
        return cls(layer, layer.features(z), learns, slopes, numbers, gains)

    def jvp(self, weights: Tensor, inputs: Tensor | None) -> Float[Tensor, "samples outputs"]:
        """Return the change of the outputs for changes of the weights and of the inputs."""
        weight, affine = self._split(weights)
        change = self.features.flatten(1) @ (weight * self.learns).flatten(0, 1)
        if inputs is not None and self.slopes is not None:
            change = change + torch.bmm(inputs.unsqueeze(1), self.slopes).squeeze(1)
        if self.numbers is not None and self.layer.symbols is not None:
            own = (self.numbers * affine.view(self.numbers.shape[1:])).sum(-1)
            change = change.index_add(1, self.layer.symbols.outputs, own)
        return change if self.gains is None else self.layer.nodes.added(change * self.gains)

    def grad_sums(self, grad_output: Float[Tensor, "samples n outputs"]) -> Tensor:
        """Return the gradients in the sums, (samples, n, sums), for those in the outputs."""
        if self.gains is None:
            return grad_output
        return self.layer.nodes.to_sums(grad_output) * self.gains.unsqueeze(1)

    def grad_weight(self, grad_output: Float[Tensor, "samples sums"]) -> Float[Tensor, " weights"]:
        """Return the gradient in the weights for one in the sums, added up over the samples."""
        weight = (self.features.flatten(1).T @ grad_output).view_as(self.layer.weight) * self.learns
        parts = [weight.flatten()]
        if self.numbers is not None and self.layer.symbols is not None:
            chosen = grad_output[:, self.layer.symbols.outputs]
            parts.append(torch.einsum("nsa,ns->sa", self.numbers, chosen).flatten())
        return torch.cat(parts)

    def grad_input(self, grad_output: Float[Tensor, "samples n sums"]) -> Tensor | None:
        """Return the gradients in the inputs, (samples, n, inputs); None for the first layer."""
        return None if self.slopes is None else torch.bmm(grad_output, self.slopes.mT)

    def to(self, dtype: torch.dtype) -> "LayerAt":
        """Return the same map with its numbers in another dtype."""
        return replace(
            self,
            features=self.features.to(dtype),
            slopes=None if self.slopes is None else self.slopes.to(dtype),
            numbers=None if self.numbers is None else self.numbers.to(dtype),
            gains=None if self.gains is None else self.gains.to(dtype),
        )

    @property
    def n_weights(self) -> int:
        """How many weights the layer has, the numbers of its formulas included."""
        return sum(parameter.numel() for parameter in self.layer.parameters())

    def _split(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        size = self.layer.weight.numel()
        return weights[:size].view_as(self.layer.weight), weights[size:]


class Jacobian:
    """The derivatives of a network's outputs in all its weights, in the order of ``linearise``.

    Parameters
    ----------
    network : Network
        Must stay as it is while products are asked for.
    x : (samples, inputs)
        In the dtype of the network.
    roots : (samples, rows, outputs), optional
        What the derivatives of each sample's outputs are multiplied by, see ``Family``.
    """

    @torch.no_grad()
    def __init__(
        self,
        network: Network,
        x: Float[Tensor, "samples inputs"],
        roots: Float[Tensor, "samples rows outputs"] | None = None,
    ) -> None:
        self.network, self.x, self.dtype, self.roots = network, x, x.dtype, roots
        per_sample = sum(
            layer.in_features * layer.spec.n_features + layer.mask.numel()
            for layer in network.layers
        )
        self._chunk = max(1, CHUNK_NUMBERS // per_sample)
        is_small = len(x) * per_sample <= KEPT_NUMBERS
        self._kept = list(self._made()) if is_small else None

    @torch.no_grad()
    def jvp(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, "samples outputs"]:
        """Return J v: how the outputs change when the weights change by v."""
        return torch.cat([_jvp(chain, weights) for chain in self.chains()])

    @torch.no_grad()
    def vjp(self, grad_output: Float[Tensor, "samples outputs"]) -> Float[Tensor, " weights"]:
        """Return J^T u: the sum over samples and outputs of u times the row of J."""
        sizes = [len(chain[0].features) for chain in self.chains()]
        parts = zip(self.chains(), grad_output.split(sizes), strict=True)
        return torch.stack([_vjp(chain, part) for chain, part in parts]).sum(0)

    @torch.no_grad()
    def gauss_newton_product(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return J^T J v, in the dtype of v."""
        total, v = torch.zeros_like(weights), weights.to(self.dtype)
        for chain, roots in zip(self.chains(), self.roots_of_chains(), strict=False):
            change = _jvp(chain, v)
            if roots is not None:
                change = torch.einsum("nro,nrp,np->no", roots, roots, change)
            total += _vjp(chain, change)
        return total

    def roots_of_chains(self) -> Iterator[Tensor | None]:
        """Yield the roots of the samples of each chain; None, without end, where there are none."""
        if self.roots is None:
            yield from itertools.repeat(None)
        else:
            yield from self.roots.to(self.dtype).split(self._chunk)

    @torch.no_grad()
    def to(self, dtype: torch.dtype) -> "Jacobian":
        """Return the same with its numbers in another dtype, made in that of x."""
        other = copy.copy(self)
        other.dtype = dtype
        if self._kept is not None:
            other._kept = [[layer.to(dtype) for layer in chain] for chain in self._kept]
        return other

    def chains(self) -> Iterator[list[LayerAt]]:
        """Yield the layers, inputs first, at each part of the samples."""
        return self._made() if self._kept is None else iter(self._kept)

    def _made(self) -> Iterator[list[LayerAt]]:
        for z in self.x.split(self._chunk):
            chain = []
            for depth, layer in enumerate(self.network.layers):
                chain.append(LayerAt.of(layer, z, is_first=depth == 0))
                z = layer(z)
            yield [layer.to(self.dtype) for layer in chain]


def _jvp(chain: list[LayerAt], weights: Tensor) -> Tensor:
    change = None
    for layer, part in zip(chain, weights.split([at.n_weights for at in chain]), strict=True):
        change = layer.jvp(part, change)
    assert change is not None
    return change


def _vjp(chain: list[LayerAt], grad_output: Tensor) -> Tensor:
    parts, grad = [], grad_output.unsqueeze(1)
    for layer in reversed(chain):
        grad = layer.grad_sums(grad)
        parts.append(layer.grad_weight(grad.squeeze(1)))
        below = layer.grad_input(grad)
        grad = grad if below is None else below
    return torch.cat(parts[::-1])


PRODUCTS = 4_000_000
"""About as many products of features are held at once."""


@dataclass(frozen=True)
class LayerBlocks:
    """The blocks of one layer; those of locked edges are in the place of the first, others 0."""

    splines: Float[Tensor, "inputs outputs features features"]
    formulas: Float[Tensor, "symbols numbers numbers"]

    @classmethod
    def zeros(cls, layer: KANLayer) -> "LayerBlocks":
        """Return blocks without data."""
        n_in, n_features, n_out = layer.weight.shape
        zeros = layer.weight.detach().new_zeros
        count, length = layer.affine.shape
        return cls(zeros(n_in, n_out, n_features, n_features), zeros(count, length, length))

    @property
    def diagonal(self) -> Float[Tensor, " weights"]:
        """The diagonal, in the order of the weights."""
        splines = self.splines.diagonal(dim1=2, dim2=3).mT
        return torch.cat([splines.flatten(), self.formulas.diagonal(dim1=1, dim2=2).flatten()])

    def scaled(self, factor: float) -> "LayerBlocks":
        """Return all blocks times a factor."""
        return LayerBlocks(factor * self.splines, factor * self.formulas)

    def with_splines(
        self, blocks: Float[Tensor, "inputs outputs features features"], layer: KANLayer
    ) -> "LayerBlocks":
        """Return the blocks with more on those of splines, edge by edge as each stands alone."""
        places = torch.zeros_like(blocks).flatten(0, 1)
        shared = places.index_add(0, layer.leaders.flatten(), blocks.flatten(0, 1))
        return LayerBlocks(self.splines + shared.view_as(blocks), self.formulas)

    def damped(self, extra: Float[Tensor, " weights"]) -> "LayerBlocks":
        """Return the blocks with more on the diagonal."""
        n_in, n_out, n_features, _ = self.splines.shape
        size = n_in * n_out * n_features
        splines = extra[:size].view(n_in, n_features, n_out).mT
        return LayerBlocks(
            self.splines + torch.diag_embed(splines),
            self.formulas + torch.diag_embed(extra[size:].view(self.formulas.shape[:2])),
        )

    def inverse(self) -> "LayerBlocks":
        """Return the inverse of each block; NaN where one is not positive definite."""
        return LayerBlocks(_inverse(self.splines), _inverse(self.formulas))

    def times(self, weights: Float[Tensor, " weights"]) -> Float[Tensor, " weights"]:
        """Return each block times its weights."""
        n_in, n_out, n_features, _ = self.splines.shape
        size = n_in * n_out * n_features
        weight = weights[:size].view(n_in, n_features, n_out)
        splines = torch.einsum("iofg,igo->ifo", self.splines, weight)
        numbers = weights[size:].view(self.formulas.shape[:2])
        formulas = torch.einsum("sab,sb->sa", self.formulas, numbers)
        return torch.cat([splines.flatten(), formulas.flatten()])


def _inverse(blocks: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(blocks)
    inverse = torch.cholesky_inverse(factor)
    return torch.where((failed > 0)[..., None, None], torch.nan, inverse)


@torch.no_grad()
def blocks_of(jacobian: Jacobian) -> list[LayerBlocks]:
    """Return the blocks of J^T J, one per edge, layer by layer; of (R J)^T R J with roots R."""
    layers = jacobian.network.layers
    blocks = [LayerBlocks.zeros(layer) for layer in layers]
    for chain, roots in zip(jacobian.chains(), jacobian.roots_of_chains(), strict=False):
        like, n_outputs = chain[0].features, layers[-1].out_features
        outputs = torch.eye(n_outputs, dtype=like.dtype, device=like.device)
        grad: Tensor | None = outputs.expand(len(like), -1, -1) if roots is None else roots
        for layer, block in zip(reversed(chain), reversed(blocks), strict=True):
            assert grad is not None  # only below the first layer
            grad = layer.grad_sums(grad)
            _add_splines(layer, grad, block.splines)
            _add_formulas(layer, grad, block.formulas)
            grad = layer.grad_input(grad)
    return blocks


def _add_splines(layer: LayerAt, grad: Tensor, blocks: Tensor) -> None:
    """Add the blocks of splines; ``grad`` (samples, n, sums) is d outputs / d sums."""
    gain = grad.square().sum(1)
    alone = layer.learns.squeeze(1) & ~layer.layer.locked
    rows = max(1, PRODUCTS // blocks.shape[2] ** 2)
    for i in range(blocks.shape[0]):
        for own, by in zip(layer.features[:, i].split(rows), gain.split(rows), strict=True):
            products = (own.unsqueeze(2) * own.unsqueeze(1)).flatten(1)
            blocks[i] += ((by * alone[i]).T @ products).view_as(blocks[i])
    for group in groups_of(layer.layer.leaders):
        ways = sum(
            grad[:, :, j, None] * layer.features[:, None, i] * layer.learns[i, 0, j]
            for i, j in group
        )
        assert isinstance(ways, Tensor)
        blocks[min(group)] += torch.einsum("nof,nog->fg", ways, ways)


def _add_formulas(layer: LayerAt, grad: Tensor, blocks: Tensor) -> None:
    """Add the blocks of formulas, as ``_add_splines`` does those of splines."""
    symbols = layer.layer.symbols
    if symbols is None or layer.numbers is None:
        return
    ways = grad[:, :, symbols.outputs, None] * layer.numbers.unsqueeze(1)
    rows = tied_rows(symbols.inputs, symbols.outputs, layer.layer.leaders)
    ways = torch.zeros_like(ways).index_add(2, rows, ways)
    blocks += torch.einsum("nosa,nosb->sab", ways, ways)
