"""Edges that keep still or go together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kanviz.edits import Freeze, LockEdges, UnlockEdges
from kanviz.model.changes import Changes
from kanviz.nn.ties import group_at
from kanviz.snapshot import Edge

EdgeAddress = Sequence[int]


class Locking(Changes):
    """Edges that do not learn, and edges that share one function."""

    def freeze(self, place: int | Sequence[int]) -> None:
        """Keep an edge, the edges at a node or all edges of a layer from learning.

        Parameters
        ----------
        place : layer, (layer, i) or (layer, i, j)
            A layer number: all edges from that layer of nodes to the next. A node: all edges that
            lead to it, which make its value; for an input, which nothing leads to, all that leave
            it. An edge: this one. What is locked with any of them is frozen too.

        Raises
        ------
        IndexError
            If there is no such place.
        ValueError
            If all of it is frozen already.
        """
        self.session.change(Freeze(_place(place)))

    def unfreeze(self, place: int | Sequence[int]) -> None:
        """Let an edge, a node or a layer learn again; as ``freeze``, errors too."""
        self.session.change(Freeze(_place(place), frozen=False))

    def lock(self, edges: Sequence[EdgeAddress]) -> float:
        """Let several edges of one layer be one function, which is trained as one.

        From now on they have the same knots and the same numbers to the last bit, whatever is done
        to any of them: training, grids, points moved by hand, ``fix``, ``freeze``. The grid of
        their inputs follows the joint sample. Only removing concerns one alone; once restored it is
        what the others are.

        The function starts as the mean of the edges, the best compromise by least squares. If the
        first one is a formula or frozen, all become what it is instead.

        Parameters
        ----------
        edges : sequence of (layer, i, j)
            At least two of one layer, none removed or locked already. Where one is a formula, the
            first must be one.

        Returns
        -------
        float
            Largest root-mean-square change of an edge, in the unit of the node it leads to, by the
            move of the inputs to common knots; 0.0 where their knots were alike.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the edges cannot be locked together.
        """
        return self.session.change(LockEdges(_edges(edges)))

    def unlock(self, edges: Sequence[EdgeAddress]) -> None:
        """Let locked edges learn on their own again; each keeps the function that it shared.

        Those locked with them that are not named stay locked, as long as they are two.

        Parameters
        ----------
        edges : sequence of (layer, i, j)
            Of one layer.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If one is not locked.
        """
        self.session.change(UnlockEdges(_edges(edges)))

    def _seen_by(self, edge: Edge) -> tuple[Tensor, Tensor]:
        """Return inputs and outputs (samples,) of an edge on the remembered sample, in float64.

        Of a locked edge's samples a part comes from each live edge that shares its function.
        """
        layer, step = self.network.layers[edge.layer], self.trace().layers[edge.layer]
        mine = edge.i, edge.j
        group = [e for e in group_at(layer.leaders, *mine) if e == mine or bool(layer.mask[e])]
        parts = [
            (step.inputs[n :: len(group), i], step.edge_outputs[n :: len(group), i, j])
            for n, (i, j) in enumerate(group)
        ]
        x, y = (torch.cat(part).double() for part in zip(*parts, strict=True))
        return x, y


def _edges(edges: Sequence[EdgeAddress]) -> tuple[Edge, ...]:
    """Return addresses as edges, or raise a TypeError if they are not such."""
    found = [tuple(edge) if isinstance(edge, Sequence) else (edge,) for edge in edges]
    if any(len(edge) != 3 for edge in found):
        raise TypeError(
            f"edges must be a list of (layer, i, j); got {edges!r}. "
            "Pass for example [(0, 0, 0), (0, 1, 0)]."
        )
    return tuple(Edge(*edge) for edge in found)


def _place(place: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(place) if isinstance(place, Sequence) else (place,)
