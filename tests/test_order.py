"""The order of nodes: few lines cross, and it depends on the edges that there are alone."""

import dataclasses
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_snapshot import make_snapshot

from kanviz.layout import natural, untangled
from kanviz.layout.picture import picture
from kanviz.model import KAN
from kanviz.snapshot import Edge, Snapshot


def crossings(order: tuple[tuple[int, ...], ...], edges: tuple[Edge, ...]) -> int:
    """Count pairs of lines that cross, each pair looked at."""
    places = [(e.layer, order[e.layer][e.i], order[e.layer + 1][e.j]) for e in edges]
    return sum(
        a[0] == b[0] and (a[1] - b[1]) * (a[2] - b[2]) < 0
        for a, b in itertools.combinations(places, 2)
    )


def sparse(widths: tuple[int, ...], seed: int, share: float) -> tuple[Edge, ...]:
    generator = random.Random(seed)
    pairs = enumerate(itertools.pairwise(widths))
    every = (Edge(n, i, j) for n, (a, b) in pairs for i in range(a) for j in range(b))
    return tuple(edge for edge in every if generator.random() < share)


def test_crossed_lines_are_untangled_and_inputs_and_outputs_stay() -> None:
    edges = [Edge(0, 0, 2), Edge(0, 1, 1), Edge(0, 2, 0)]
    edges += [Edge(1, 2, 0), Edge(1, 1, 1), Edge(1, 0, 2)]
    assert untangled((3, 3, 3), tuple(edges)) == ((0, 1, 2), (2, 1, 0), (0, 1, 2))


@pytest.mark.parametrize("widths", [(2, 5, 1), (4, 4), (3, 7, 7, 2)], ids=str)
def test_where_all_are_joined_to_all_nodes_stand_by_their_numbers(widths: tuple[int, ...]) -> None:
    assert untangled(widths, sparse(widths, 0, 1.0)) == natural(widths)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=5).map(tuple),
    st.integers(0, 10**6),
    st.floats(0.0, 1.0),
)
def test_an_order_is_one_of_the_nodes_and_crosses_less_or_is_the_natural_one(
    widths: tuple[int, ...], seed: int, share: float
) -> None:
    edges = sparse(widths, seed, share)
    order = untangled(widths, edges)
    assert [sorted(row) for row in order] == [list(range(width)) for width in widths]
    assert (order[0], order[-1]) == (natural(widths)[0], natural(widths)[-1])
    before = crossings(natural(widths), edges)
    assert order == natural(widths) or crossings(order, edges) <= 0.9 * before


def test_the_order_of_a_model_is_that_of_its_edges_and_stays_while_it_learns() -> None:
    model = KAN([3, 4, 2], seed=0)
    assert places(model.snapshot()) == natural((3, 4, 2))
    for edge in [(0, 0, 0), (0, 1, 0), (0, 2, 3), (0, 1, 3), (1, 0, 0), (1, 3, 1)]:
        model.remove_edge(edge)
    before = places(model.snapshot())
    assert before[1] != (0, 1, 2, 3)
    model.set_curve((0, 0, 1), [-0.5, 0.5], [3.0, -3.0])
    assert places(model.snapshot()) == before
    for _ in range(7):
        model.undo()
    assert places(model.snapshot()) == natural((3, 4, 2))


def places(snapshot: Snapshot) -> tuple[tuple[int, ...], ...]:
    rows: dict[int, list[float]] = {}
    for node in snapshot.nodes:
        rows.setdefault(node.layer, []).append(node.x)
    return tuple(tuple(sorted(row).index(x) for x in row) for row in rows.values())


def test_nodes_have_their_names_beside_them_in_any_order() -> None:
    snapshot = make_snapshot([2, 3, 1])
    swapped = {0: 1, 1: 0, 2: 2}
    nodes = tuple(
        dataclasses.replace(node, x=(swapped[node.index] + 0.5) / 3) if node.layer == 1 else node
        for node in snapshot.nodes
    )
    drawing = picture(dataclasses.replace(snapshot, nodes=nodes))
    names = {mark.text: mark.x for mark in drawing.texts if mark.text.startswith("h")}
    assert names["h1.1"] < names["h1.0"] < names["h1.2"]
    middles = {mark.view.edge: mark.plot.box.middle for mark in drawing.edges}
    assert middles[Edge(0, 0, 1)] < middles[Edge(0, 0, 0)]
