"""The places of small plots: laws that hold for every layer."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanviz.layout.marks import Rect
from kanviz.layout.slots import Slot, edge_slots, spread


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


def test_a_block_stands_below_its_node_also_beside_wider_blocks() -> None:
    ends = [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (1, 2)]
    places = [250.0, 500.0, 750.0]
    slots = dict(
        zip(ends, edge_slots(ends, places, Rect(0, 0, 1000, 70), largest=54.0), strict=True)
    )
    assert slots[0, 1].box.middle == pytest.approx(500)
    assert (slots[0, 2].box.middle + slots[1, 2].box.middle) / 2 == pytest.approx(750)


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
