"""Places, strengths and selection: laws that hold for every network."""

import itertools
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanviz.layout import (
    FAINTEST,
    MAX_EDGES,
    SELECTED,
    node_positions,
    strengths,
    strongest,
)
from kanviz.snapshot import Edge

widths = st.lists(st.integers(1, 40), min_size=2, max_size=6)
scores = st.lists(st.floats(0, sys.float_info.max), min_size=1, max_size=30)


@given(widths)
def test_nodes_stand_in_the_unit_square_layer_above_layer(widths: list[int]) -> None:
    places = node_positions(widths)
    assert [len(row) for row in places] == widths
    heights = [{y for _, y in row} for row in places]
    assert all(len(ys) == 1 for ys in heights)
    levels = [y for ys in heights for y in ys]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0.0, 1.0)
    for row in places:
        across = [x for x, _ in row]
        assert all(0 < x < 1 for x in across)
        assert across == pytest.approx([1 - x for x in reversed(across)])
        assert all(a < b for a, b in itertools.pairwise(across))


def test_layers_with_more_edges_stand_further_apart() -> None:
    low, middle, high = (row[0][1] for row in node_positions([10, 10, 1]))
    assert middle - low > high - middle


@given(scores)
def test_strengths_grow_with_the_scores_and_none_vanishes(scores: list[float]) -> None:
    found = strengths(scores)
    assert all(FAINTEST <= strength <= 1 for strength in found)
    assert max(found) == 1
    for (a, drawn_a), (b, drawn_b) in itertools.combinations(zip(scores, found, strict=True), 2):
        if a <= b:
            assert drawn_a <= drawn_b
        if a == b:
            assert drawn_a == drawn_b


@pytest.mark.parametrize("score", [0.0, 5e-324, 0.3, 1e308])
def test_equal_scores_are_all_drawn_in_full(score: float) -> None:
    assert strengths([score] * 4) == (1.0,) * 4


def test_the_weakest_edge_is_pale_yet_there() -> None:
    assert strengths([0.0, 1.0, 0.25]) == pytest.approx((FAINTEST, 1, (1 + FAINTEST) / 2))


def test_no_scores_give_no_strengths() -> None:
    assert strengths([]) == ()


@pytest.mark.parametrize("score", [math.nan, math.inf, -1e-9])
def test_a_score_must_be_finite_and_at_least_zero(score: float) -> None:
    with pytest.raises(ValueError, match=f"scores must be finite and at least 0; got {score}"):
        strengths([1.0, score])


def make_scores(widths: list[int], value: float | None = None) -> list[list[list[float]]]:
    return [
        [[value if value is not None else (7 * i + 3 * j) % 11 for j in range(b)] for i in range(a)]
        for a, b in itertools.pairwise(widths)
    ]


def test_a_small_network_is_drawn_whole() -> None:
    found = strongest(make_scores([10, 20, 10, 3]))
    assert len(found) == 430 <= MAX_EDGES
    assert found == sorted(set(found))


def test_of_a_large_network_the_strongest_of_each_layer_are_drawn() -> None:
    found = strongest(make_scores([64, 64, 1]))
    assert len(found) == SELECTED
    assert sum(edge.layer == 1 for edge in found) == 64
    values = make_scores([64, 64, 1])[0]
    drawn = {(edge.i, edge.j) for edge in found if edge.layer == 0}
    least = min(values[i][j] for i, j in drawn)
    left = [(i, j) for i in range(64) for j in range(64) if (i, j) not in drawn]
    assert all(values[i][j] <= least for i, j in left)


def test_equal_scores_are_taken_in_the_order_of_their_address() -> None:
    found = strongest(make_scores([3, 3, 3], value=1.0), limit=4)
    assert found == [Edge(0, 0, 0), Edge(0, 0, 1), Edge(1, 0, 0), Edge(1, 0, 1)]


@given(widths, st.integers(5, 300))
def test_a_limit_is_used_in_full_and_no_layer_is_empty(widths: list[int], limit: int) -> None:
    found = strongest(make_scores(widths), limit=limit)
    total = sum(a * b for a, b in itertools.pairwise(widths))
    assert len(found) == min(limit, total)
    assert {edge.layer for edge in found} == set(range(len(widths) - 1))


def test_a_limit_must_leave_an_edge_to_each_layer() -> None:
    with pytest.raises(ValueError, match="limit must be at least 2, one edge per layer; got 1"):
        strongest(make_scores([2, 2, 2]), limit=1)
