"""The searches that a browser may ask for: they take seconds and end in one step of the history."""

from typing import Any

from kanviz.analysis.prune_report import PruneReport
from kanviz.symbolic.symbol_report import SymbolReport


def pruned(report: PruneReport) -> dict[str, Any]:
    """Return what pruning in context tried, as the contract's ``Pruned``."""
    tried = [
        {
            "edges": [list(edge) for edge in drop.edges],
            "score": drop.score,
            "before": drop.before,
            "after": drop.after,
            "removed": drop.removed,
        }
        for drop in report.drops
    ]
    return {"tried": tried}


def symbolified(report: SymbolReport) -> dict[str, Any]:
    """Return what became of each edge, as the contract's ``Symbolified``."""
    edges = [
        {"edge": list(r.edge), "chosen": r.chosen, "before": r.before, "after": r.after}
        for r in report.edges
    ]
    return {"edges": edges, "before": report.before, "after": report.after}
