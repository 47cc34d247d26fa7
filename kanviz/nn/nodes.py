"""What becomes of the sums of a layer: most are nodes as they are, some are multiplied first.

The edges of a layer lead to its sums. The next layer sees nodes: first the sums that stand alone,
then the products, each of a group of the sums that are left (Liu et al., KAN 2.0,
arXiv:2408.10205, 2024, section 2). A sum that is multiplied is a factor. A factor that no live edge
enters is left out of its product, as an edge that is removed is left out of its sum, so that a
product with one factor is a sum; without any it is 0, as a sum is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from operator import mul
from typing import Any

import torch
from jaxtyping import Bool, Float, Num, Shaped
from torch import Tensor

Live = Bool[Tensor, " sums"]

MOST_SUMS = 1_000_000
"""Of a layer that multiplies: their owners are written down, also for a file that is damaged."""


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
    owners: Sequence[int] = field(init=False, repr=False, compare=False)
    """The node that each sum is, or is a factor of."""
    _runs: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    """The arities in a row, and how many products in a row have each."""

    def __post_init__(self) -> None:
        """Work out what every forward needs; cached properties take a lock, which no graph has."""
        owners: Sequence[int] = range(self.alone)  # takes no memory, whatever a damaged file says
        if self.arities:
            if self.n_sums > MOST_SUMS:
                raise ValueError(
                    f"A layer that multiplies may have at most {MOST_SUMS:,} sums; got "
                    f"{self.n_sums}. Take fewer nodes or factors."
                )
            products = (
                node for node, arity in enumerate(self.arities, self.alone) for _ in range(arity)
            )
            owners = (*owners, *products)
        runs = ((arity, len(list(run))) for arity, run in groupby(self.arities))
        object.__setattr__(self, "owners", owners)
        object.__setattr__(self, "_runs", tuple(runs))

    def __len__(self) -> int:
        """Return the number of nodes."""
        return self.alone + len(self.arities)

    @property
    def n_sums(self) -> int:
        """The number of sums that the edges lead to."""
        return self.alone + sum(self.arities)

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
        (alone,), *runs = self._by_place(sums if live is None else torch.where(live, sums, 1.0))
        nodes = torch.cat([alone, *(reduce(mul, run) for run in runs)]).movedim(0, -1)
        return nodes if live is None else nodes * self.any_of(live)

    def slopes(
        self, sums: Float[Tensor, "*batch sums"], live: Live | None = None
    ) -> Float[Tensor, "*batch sums"]:
        """Return the derivative of each sum's node in it: the product of the other factors."""
        (alone,), *runs = self._by_place(sums if live is None else torch.where(live, sums, 1.0))
        slopes = [torch.ones_like(alone)]
        for run in runs:
            others = [[part for m, part in enumerate(run) if m != n] for n in range(len(run))]
            slopes.append(torch.stack([reduce(mul, some) for some in others], dim=1).flatten(0, 1))
        found = torch.cat(slopes).movedim(0, -1)
        return found if live is None else found * live

    def _by_place(self, sums: Float[Tensor, "*batch sums"]) -> list[tuple[Tensor, ...]]:
        """Return the sums alone; then of each run of products all first factors, all second ones.

        Each is (n, *batch): sums lie in memory so, sum by sum, where kernels made them. As few
        operations as it takes: for a small layer each costs as much as all its numbers.
        """
        sizes = [self.alone, *(arity * count for arity, count in self._runs)]
        alone, *parts = sums.movedim(-1, 0).split(sizes)
        runs = zip(parts, self._runs, strict=True)
        return [(alone,), *(part.unflatten(0, (n, arity)).unbind(1) for part, (arity, n) in runs)]

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
