"""Edges that keep still or go together."""

from collections.abc import Sequence

from kanviz.edits import FreezeEdge
from kanviz.edits.address import check_edge
from kanviz.model.changes import Changes

EdgeAddress = Sequence[int]


class Locking(Changes):
    """Edges that do not learn."""

    def freeze(self, edge: EdgeAddress) -> None:
        """Keep an edge from learning; ValueError if it is frozen already."""
        self._bench.do(FreezeEdge(*check_edge(self.network, *edge)))

    def unfreeze(self, edge: EdgeAddress) -> None:
        """Let a frozen edge learn again; ValueError if it is not frozen."""
        self._bench.do(FreezeEdge(*check_edge(self.network, *edge), frozen=False))
