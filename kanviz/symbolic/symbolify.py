"""From splines to formulas, each accepted only if the whole network stays as good.

In context (see In-Context Symbolic Regression for KANs, arXiv 2603.15250): a candidate is judged
inside the network after a brief refit of everything, not by how it looks on its own edge. A pass
over all edges takes the simplest function that does; then each choice is questioned again, now that
the others are known; at last numbers become nice ones where the error agrees.
"""

from collections.abc import Callable, Mapping

import torch

from kanviz.data.dataset import Scaling
from kanviz.nn.compact import put_back, without_idle_nodes
from kanviz.nn.network import Network
from kanviz.symbolic.library import Function
from kanviz.symbolic.search import Search
from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport
from kanviz.symbolic.terms import Units
from kanviz.training.judge import Judge

ACCURATE = 1e-6
"""Default limit for very good networks, as a share of the standard deviation of y: a formula that
is right to the six digits that ``formula`` shows is not refused because a spline is righter."""


def symbolify(
    network: Network,
    judge: Judge,
    *,
    tolerance: float | None,
    functions: Mapping[str, Function],
    units: Units | None = None,
    n_jobs: int = 1,
    on_edge: Callable[[EdgeReport], object] = lambda _: None,
) -> SymbolReport:
    """Turn splines into formulas in place, as long as the held-out error stays.

    Frozen edges stay as they are.

    Parameters
    ----------
    network : Network
        In float64; changed in place.
    judge : Judge
        Refits and judges.
    tolerance : float or None
        By how much the held-out error may rise in all, in its own unit: 0.01 is 1 % of the
        standard deviation of y. None: by half of what it is, so that the formula has to be as good
        as the splines; but an error of ``ACCURATE`` is always good enough.
    functions : mapping
        The library to choose from.
    units : Units, optional
        The user's, in which numbers are made nice; by default those of the network.
    n_jobs : int
        How many candidates are tried at a time, as joblib has it; the result is the same.
    on_edge : callable
        Called with the report of each edge as it comes.

    Returns
    -------
    SymbolReport
    """
    small, nodes = without_idle_nodes(network)
    before = judge.error(network)
    limit = max(1.5 * before, ACCURATE) if tolerance is None else before + tolerance
    search = Search(small, nodes, judge, limit, functions, n_jobs, on_edge)
    search.note("splines")
    search.first_pass()
    search.branch()
    search.question()
    snapped = search.finish(units or _plain_units(network))
    put_back(network, small, nodes)
    reports = tuple(search.reports.values())
    after = judge.error(network)
    return SymbolReport(reports, before, after, limit, snapped, tuple(search.way))


def _plain_units(network: Network) -> Units:
    like = torch.empty(0, dtype=torch.float64)
    ends = network.widths[0], network.widths[-1]
    return Units(*(Scaling.identity(width, like) for width in ends))
