"""What becomes of the sums of a layer: most are nodes as they are, some are multiplied first.

The edges of a layer lead to its sums. The next layer sees nodes: first the sums that stand alone,
then the products, each of a group of the sums that are left (Liu et al., KAN 2.0,
arXiv:2408.10205, 2024, section 2). A sum that is multiplied is a factor. A factor that no live edge
enters is left out of its product, as an edge that is removed is left out of its sum, so that a
product with one factor is a sum; without any it is 0, as a sum is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import groupby
from operator import mul
from typing import Any

import torch
from jaxtyping import Bool, Float, Num, Shaped
from torch import Tensor

Live = Bool[Tensor, " sums"]


@dataclass(frozen=True)
class Nodes:
    """The nodes that a layer makes of its sums, without parameters.

    Parameters
    ----------
    alone : int
        How many sums are nodes as they are; they come first.
    arities : tuple of int
        How many factors each product has, at least 2; in a row they are the other sums.

    Examples
    --------
    >>> nodes = Nodes(1, (2, 3))
    >>> nodes.values(torch.tensor([[7.0, 2.0, 3.0, 1.0, 2.0, 4.0]]))
    tensor([[7., 6., 8.]])
    """

    alone: int
    arities: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Return the number of nodes."""
        return self.alone + len(self.arities)

    @property
    def n_sums(self) -> int:
        """The number of sums that the edges lead to."""
        return self.alone + sum(self.arities)

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The node that each sum is, or is a factor of."""
        products = (
            node for node, arity in enumerate(self.arities, self.alone) for _ in range(arity)
        )
        return (*range(self.alone), *products)

    def sums_of(self, node: int) -> range:
        """Return the sums that a node is made of: itself alone, or its factors."""
        if node < self.alone:
            return range(node, node + 1)
        start = self.alone + sum(self.arities[: node - self.alone])
        return range(start, start + self.arities[node - self.alone])

    def part(self, nodes: Sequence[int]) -> "Nodes":
        """Return the nodes that are left when only these stay, numbered in order."""
        kept = [node - self.alone for node in nodes if node >= self.alone]
        return Nodes(len(nodes) - len(kept), tuple(self.arities[n] for n in kept))

    # ---- values and derivatives; ``live`` says which sums have a live edge, None that all have

    def values(
        self, sums: Float[Tensor, "*batch sums"], live: Live | None = None
    ) -> Float[Tensor, "*batch nodes"]:
        """Return the values of the nodes."""
        if not self.arities:
            return sums
        factors = sums[..., self.alone :]
        if live is not None:
            factors = torch.where(live[self.alone :], factors, 1.0)
        products = torch.cat([reduce(mul, part) for part in self._by_place(factors)], dim=-1)
        if live is not None:
            products = products * self.any_of(live)[self.alone :]
        return torch.cat([sums[..., : self.alone], products], dim=-1)

    def slopes(
        self, sums: Float[Tensor, "*batch sums"], live: Live | None = None
    ) -> Float[Tensor, "*batch sums"]:
        """Return the derivative of each sum's node in it: the product of the other factors."""
        factors = sums[..., self.alone :]
        if live is not None:
            factors = torch.where(live[self.alone :], factors, 1.0)
        parts = []
        for run in self._by_place(factors):
            others = [[part for m, part in enumerate(run) if m != n] for n in range(len(run))]
            parts.append(torch.stack([reduce(mul, some) for some in others], dim=-1).flatten(-2))
        slopes = torch.cat([torch.ones_like(sums[..., : self.alone]), *parts], dim=-1)
        return slopes if live is None else slopes * live

    def _by_place(self, factors: Float[Tensor, "*batch factors"]) -> list[tuple[Tensor, ...]]:
        """Return for each run of products of one arity their first factors, their second ones."""
        runs = [(arity, len(list(run))) for arity, run in groupby(self.arities)]
        parts = factors.split([arity * count for arity, count in runs], dim=-1)
        return [
            part.unflatten(-1, (count, arity)).unbind(-1)
            for part, (arity, count) in zip(parts, runs, strict=True)
        ]

    # ---- from sums to nodes and back

    def to_sums(self, nodes: Shaped[Tensor, "*batch nodes"]) -> Shaped[Tensor, "*batch sums"]:
        """Return for each sum what stands at its node."""
        return nodes[..., list(self.owners)] if self.arities else nodes

    def added(self, sums: Num[Tensor, "*batch sums"]) -> Num[Tensor, "*batch nodes"]:
        """Return for each node the total of what stands at its sums."""
        if not self.arities:
            return sums
        owners = torch.tensor(self.owners, device=sums.device)
        return sums.new_zeros(*sums.shape[:-1], len(self)).index_add(-1, owners, sums)

    def any_of(self, sums: Bool[Tensor, " sums"]) -> Bool[Tensor, " nodes"]:
        """Return which nodes have a sum of which something is true."""
        return self.added(sums.long()) > 0 if self.arities else sums


NodeCount = int | Sequence[int | Sequence[int]]
"""As a user says it: sums, or (sums, products), or (sums, arities of the products)."""


def nodes_of(count: Any, product_arity: int = 2) -> Nodes:
    """Return the nodes of a layer from its entry in ``widths``, which ``check_shape`` has read."""
    if isinstance(count, int):
        return Nodes(count)
    alone, products = count
    if isinstance(products, int):
        return Nodes(alone, (product_arity,) * products)
    return Nodes(alone, tuple(products))


def count_of(nodes: Nodes) -> NodeCount:
    """Return the shortest entry in ``widths`` that says these nodes, for a product arity of 2.

    >>> count_of(Nodes(3)), count_of(Nodes(2, (2,))), count_of(Nodes(2, (3, 2)))
    (3, (2, 1), (2, (3, 2)))
    """
    if not nodes.arities:
        return nodes.alone
    is_usual = set(nodes.arities) == {2}
    return nodes.alone, len(nodes.arities) if is_usual else nodes.arities
