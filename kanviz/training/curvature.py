"""The blocks on the diagonal of J^T J: how strongly each edge's own weights bend the squared error.

They damp a step and precondition the search for it, so that J^T J itself is not needed.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.nn import KANLayer
from kanviz.nn.ties import groups_of, tied_rows
from kanviz.training.jacobian import Jacobian, LayerAt

PRODUCTS = 4_000_000
"""About as many products of features are held at once."""


@dataclass(frozen=True)
class LayerBlocks:
    """The blocks of one layer; those of locked edges are in the place of the first, others 0."""

    splines: Float[Tensor, "inputs outputs features features"]
    formulas: Float[Tensor, "symbols 4 4"]

    @classmethod
    def zeros(cls, layer: KANLayer) -> "LayerBlocks":
        """Return blocks without data."""
        n_in, n_features, n_out = layer.weight.shape
        count = 0 if layer.symbols is None else len(layer.symbols.functions)
        zeros = layer.weight.detach().new_zeros
        return cls(zeros(n_in, n_out, n_features, n_features), zeros(count, 4, 4))

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
            self.formulas + torch.diag_embed(extra[size:].view(-1, 4)),
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
        formulas = torch.einsum("sab,sb->sa", self.formulas, weights[size:].view(-1, 4))
        return torch.cat([splines.flatten(), formulas.flatten()])


def _inverse(blocks: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(blocks)
    inverse = torch.cholesky_inverse(factor)
    return torch.where((failed > 0)[..., None, None], torch.nan, inverse)


@torch.no_grad()
def blocks_of(jacobian: Jacobian) -> list[LayerBlocks]:
    """Return the blocks of J^T J, one per edge, layer by layer."""
    layers = jacobian.network.layers
    blocks = [LayerBlocks.zeros(layer) for layer in layers]
    for chain in jacobian.chains():
        like, n_outputs = chain[0].features, layers[-1].out_features
        outputs = torch.eye(n_outputs, dtype=like.dtype, device=like.device)
        pulled: Tensor | None = outputs.expand(len(like), -1, -1)
        for layer, block in zip(reversed(chain), reversed(blocks), strict=True):
            assert pulled is not None  # only below the first layer
            _add_splines(layer, pulled, block.splines)
            _add_formulas(layer, pulled, block.formulas)
            pulled = layer.carry(pulled)
    return blocks


def _add_splines(layer: LayerAt, pulled: Tensor, blocks: Tensor) -> None:
    """Add the blocks of splines; ``pulled`` (samples, n, outputs) is d outputs / d nodes."""
    gain = pulled.square().sum(1)
    alone = layer.learns.squeeze(1) & ~layer.layer.locked
    rows = max(1, PRODUCTS // blocks.shape[2] ** 2)
    for i in range(blocks.shape[0]):
        for own, by in zip(layer.features[:, i].split(rows), gain.split(rows), strict=True):
            products = (own.unsqueeze(2) * own.unsqueeze(1)).flatten(1)
            blocks[i] += ((by * alone[i]).T @ products).view_as(blocks[i])
    for group in groups_of(layer.layer.leaders):
        ways = sum(
            pulled[:, :, j, None] * layer.features[:, None, i] * layer.learns[i, 0, j]
            for i, j in group
        )
        assert isinstance(ways, Tensor)
        blocks[min(group)] += torch.einsum("nof,nog->fg", ways, ways)


def _add_formulas(layer: LayerAt, pulled: Tensor, blocks: Tensor) -> None:
    """Add the blocks of formulas, as ``_add_splines`` does those of splines."""
    symbols = layer.layer.symbols
    if symbols is None or layer.numbers is None:
        return
    ways = pulled[:, :, symbols.outputs, None] * layer.numbers.unsqueeze(1)
    rows = tied_rows(symbols.inputs, symbols.outputs, layer.layer.leaders)
    ways = torch.zeros_like(ways).index_add(2, rows, ways)
    blocks += torch.einsum("nosa,nosb->sab", ways, ways)
