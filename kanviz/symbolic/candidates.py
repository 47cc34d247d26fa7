"""Which functions are worth a trial on an edge, by the curve that the edge has now."""

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.symbolic.in_network import edge_samples
from kanviz.symbolic.library import Function
from kanviz.symbolic.suggest import Suggestion, suggest
from kanviz.symbolic.traits import traits

SUGGESTION_SAMPLES = 600
MOST_CANDIDATES = 6

NEAR, SIMPLE = 3.0, 2
"""Candidates up to this complexity are tried too if their error is within this factor."""

WORST_SHAPE = 0.3
"""Error of a candidate on its own edge, as a share of the edge's spread, beyond which it is not
tried: the refit moves numbers, it makes no sine of a parabola."""

FAINT = 0.01
"""An edge with less than this share of the spread at its node may be a constant or a line,
whatever its shape."""

ALIKE = 1e-6
"""Errors of two functions on one curve that differ by less than this share, when their numbers are
as many, show that they are one function but for a shift, as the sine and the cosine are."""


def candidates(
    network: Network,
    edge: Edge,
    x: Float[Tensor, "samples inputs"],
    functions: Mapping[str, Function],
) -> list[Suggestion]:
    """Return the few functions worth a trial, the simplest first, then as ``suggest`` has them."""
    inputs, values, share = edge_samples(network, edge, x)
    step = max(1, math.ceil(len(x) / SUGGESTION_SAMPLES))
    table = suggest(inputs[::step], values[::step], functions=functions)
    good = [row for row in table if row.error < WORST_SHAPE]
    chosen = {row.name for row in good[:MOST_CANDIDATES]}
    chosen |= {row.name for row in good if row.on_front}
    close = NEAR * min((row.error for row in good), default=0.0)
    chosen |= {row.name for row in good if row.error <= close and row.complexity <= SIMPLE}
    if share < FAINT:
        chosen |= {row.name for row in table if row.complexity <= 1}
    # A stable sort: among equal ones the table's own order stays, fewer numbers before more.
    ranked = _without_twins([row for row in table if row.name in chosen])
    return sorted(ranked, key=lambda row: row.complexity)


def free_numbers(function: Function) -> int:
    """Return how many of a, b, c, d a function really has."""
    known = traits(function)
    return 4 - known.scale_free - known.shift_free


def _without_twins(rows: Sequence[Suggestion]) -> list[Suggestion]:
    """Return one of each set of functions that fit alike: the one that needs the least shift."""
    kept: list[Suggestion] = []
    for row in rows:
        twin = next((n for n, other in enumerate(kept) if _is_twin(row, other)), None)
        if twin is None:
            kept.append(row)
        elif abs(row.b) < 0.5 * abs(kept[twin].b):
            kept[twin] = row
    return kept


def _is_twin(one: Suggestion, other: Suggestion) -> bool:
    if one.complexity != other.complexity:
        return False
    numbers = free_numbers(one.function), free_numbers(other.function)
    is_alike = abs(one.r2 - other.r2) <= ALIKE * (1 - min(one.r2, other.r2)) + 1e-15
    close = abs(one.error - other.error) <= ALIKE * max(one.error, other.error) + 1e-9
    return numbers == (4, 4) and is_alike and close
