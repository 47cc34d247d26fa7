"""Places, strengths and selection: laws that hold for every network."""

import itertools
import math
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanviz.layout import (
    FAINTEST,
    MAX_EDGES,
    SELECTED,
    Rect,
    Slot,
    edge_slots,
    node_positions,
    spread,
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


def make_slots(before: int, after: int, area: Rect) -> dict[tuple[int, int], Slot]:
    ends = [(i, j) for i in range(before) for j in range(after)]
    places = [area.left + (j + 0.5) / after * area.width for j in range(after)]
    return dict(zip(ends, edge_slots(ends, places, area, largest=54.0), strict=True))


def overlapping(boxes: Sequence[Rect]) -> int:
    """Count the pairs of boxes that overlap; sides in plain tuples, for speed."""
    sides = [(box.left, box.right, box.top, box.bottom) for box in boxes]
    return sum(
        min(a[1], b[1]) - max(a[0], b[0]) > 1e-9 and min(a[3], b[3]) - max(a[2], b[2]) > 1e-9
        for a, b in itertools.combinations(sides, 2)
    )


@given(
    st.integers(1, 16),
    st.integers(1, 16),
    st.builds(Rect, st.just(10.0), st.just(5.0), st.floats(30, 1500), st.floats(10, 400)),
)
def test_boxes_are_squares_inside_the_area_and_none_overlap(
    before: int, after: int, area: Rect
) -> None:
    boxes = [slot.box for slot in make_slots(before, after, area).values()]
    assert len(boxes) == before * after
    for box in boxes:
        assert 0 < box.width == box.height <= 54
    assert min(box.left for box in boxes) >= area.left - 1e-6
    assert max(box.right for box in boxes) <= area.right + 1e-6
    assert min(box.top for box in boxes) >= area.top - 1e-6
    assert max(box.bottom for box in boxes) <= area.bottom + 1e-6
    assert overlapping(boxes) == 0


def test_the_boxes_into_a_node_stand_below_it_from_left_to_right() -> None:
    slots = make_slots(3, 4, Rect(0, 0, 1200, 80))
    for j in range(4):
        middles = [slots[i, j].box.middle for i in range(3)]
        assert middles == sorted(middles)
        assert sum(middles) / 3 == pytest.approx((j + 0.5) * 300)


def test_one_row_is_enough_where_there_is_room() -> None:
    slots = make_slots(2, 5, Rect(0, 0, 900, 100)).values()
    assert {slot.box.top for slot in slots} == {0.0}
    assert all(slot.highest and slot.lowest for slot in slots)
    assert {slot.box.width for slot in slots} == {54.0}


def test_only_the_ends_of_a_column_are_highest_and_lowest() -> None:
    slots = make_slots(10, 20, Rect(0, 0, 1152, 260)).values()
    columns = itertools.groupby(
        sorted(slots, key=lambda slot: (slot.box.left, slot.box.top)),
        key=lambda slot: slot.box.left,
    )
    for _, column in columns:
        stack = list(column)
        assert [slot.highest for slot in stack] == [True] + [False] * (len(stack) - 1)
        assert [slot.lowest for slot in stack] == [False] * (len(stack) - 1) + [True]


def test_crowded_nodes_share_columns_rather_than_have_tiny_boxes() -> None:
    ends = [(j % 7, j) for j in range(64)] + [(j % 5 + 7, j) for j in range(64)]
    places = [(j + 0.5) / 64 * 1152 for j in range(64)]
    slots = edge_slots(ends, places, Rect(0, 0, 1152, 250), largest=54.0)
    assert min(slot.box.width for slot in slots) > 24


def test_no_edges_take_no_place() -> None:
    assert edge_slots([], [0.5], Rect(0, 0, 1, 1), largest=1.0) == []


@given(st.lists(st.tuples(st.floats(-50, 150), st.floats(0.1, 10)), min_size=1, max_size=10))
def test_spread_intervals_keep_their_order_and_do_not_overlap(
    items: list[tuple[float, float]],
) -> None:
    wanted, sizes = zip(*items, strict=True)
    middles = spread(wanted, sizes, 0.0, 100.0)
    for middle, size in zip(middles, sizes, strict=True):
        assert middle - size / 2 >= -1e-9
        assert middle + size / 2 <= 100 + 1e-9
    for (a, half_a), (b, half_b) in itertools.pairwise(zip(middles, sizes, strict=True)):
        assert b - a >= (half_a + half_b) / 2 - 1e-9


def test_intervals_that_fit_stay_where_they_were_wanted() -> None:
    assert spread([10.0, 50.0, 80.0], [4.0, 8.0, 4.0], 0.0, 100.0) == [10.0, 50.0, 80.0]


def test_intervals_that_collide_share_the_shift() -> None:
    assert spread([50.0, 50.0], [4.0, 4.0], 0.0, 100.0) == [48.0, 52.0]
    assert spread([0.0, 99.0], [10.0, 10.0], 0.0, 100.0) == [5.0, 95.0]
