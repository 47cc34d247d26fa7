"""Removing what does not matter."""

import copy
from typing import Any

import torch

from kanviz.analysis.attribution import edge_scores
from kanviz.analysis.prune_in_context import Drop, prune_in_context
from kanviz.analysis.pruning import below, is_connected, without
from kanviz.data import as_dataset
from kanviz.edits import Became
from kanviz.edits.code import call_code
from kanviz.model.locking import Locking
from kanviz.nn.network import Network
from kanviz.training.judge import judge_of

PRUNE_SCORE = 0.03
"""Score below which ``prune`` without data drops an edge (the value of pykan 0.2.8)."""


class Pruning(Locking):
    """Which edges matter, and a network without the others."""

    def prune(
        self, data: Any = None, *, threshold: float = PRUNE_SCORE, tolerance: float = 0.01
    ) -> list[Drop]:
        """Remove the edges that do not matter, as one step of the history.

        Without data, the edges whose score is below ``threshold``, and what leads nowhere without
        them. With data, in context: the weakest edge goes, all others are refitted briefly, and it
        stays away if the held-out error has not risen by more than ``tolerance`` in all.

        Parameters
        ----------
        data : Dataset or (x, y), optional
            To refit and judge on; without a test part a fifth of it is held out.
        threshold : float
            Score (see ``edge_scores``), without data.
        tolerance : float
            Share of the standard deviation of y, with data.

        Returns
        -------
        list of Drop
            What was tried, with the errors; empty without data.

        Raises
        ------
        ValueError
            If an output would lose its last edge.
        """
        with self._bench.lock:
            work = self._copy_for_search()
            if data is None:
                gone = below(work, edge_scores(work, self._input(None).double()), threshold)
                masks = without(work, gone)
                if not is_connected(masks):
                    raise ValueError(
                        f"threshold must leave every output an edge; got {threshold!r}. Lower it."
                    )
                for layer, mask in zip(work.layers, masks, strict=True):
                    layer.set_mask(mask)
                call = call_code("model.prune", threshold=threshold)
                self._bench.do(Became(work, call, f"pruned {len(gone)} edges"))
                return []
            dataset = as_dataset(data)
            drops = prune_in_context(work, judge_of(dataset), tolerance=tolerance)
            name = self._bench.history.name_of("data", (dataset.x, dataset.y))
            count = sum(len(drop.edges) for drop in drops if drop.kept)
            call = call_code("model.prune", name, tolerance=tolerance)
            self._bench.do(Became(work, call, f"pruned {count} edges in context"))
            return drops

    def _copy_for_search(self) -> Network:
        """Return a copy of the network in float64."""
        return copy.deepcopy(self.network).to(torch.float64)
