"""Questions to a network that change nothing: what happens in it, what matters, what could go.

``prune_in_context`` and ``take_out`` are given a copy, which they change.
"""

from kanviz.analysis.attribution import (
    Metric,
    Scores,
    edge_scores,
    feature_scores,
    node_scores,
    scores,
)
from kanviz.analysis.prune_plan import PlanStep, PrunePlan, plan_of
from kanviz.analysis.pruning import Drop, PruneReport, prune_in_context
from kanviz.analysis.removal import candidates, edge_means, live_edges, take_out
from kanviz.analysis.structure import Finding, Part, Structure, structure
from kanviz.analysis.trace import LayerTrace, Trace, node_values, trace

__all__ = [
    "Drop",
    "Finding",
    "LayerTrace",
    "Metric",
    "Part",
    "PlanStep",
    "PrunePlan",
    "PruneReport",
    "Scores",
    "Structure",
    "Trace",
    "candidates",
    "edge_means",
    "edge_scores",
    "feature_scores",
    "live_edges",
    "node_scores",
    "node_values",
    "plan_of",
    "prune_in_context",
    "scores",
    "structure",
    "take_out",
    "trace",
]
