"""The SVG draws exactly the snapshot, in light and dark, and holds nothing but a drawing."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_snapshot import make_snapshot

from kanviz.layout.picture import picture
from kanviz.snapshot import Edge, Snapshot
from kanviz.theme import DARK, LIGHT
from kanviz.views.svg import NAMES, network_svg

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = ("<b>", "$x$", "</script>", "]]>", "&lt;", "\"'", "\x00\x07\x1b", "\ufffe", "a\u202eb")


def parse(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def edges_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    groups = root.iter(f"{NAMESPACE}g")
    return [group for group in groups if "kanviz-edge" in group.attrib["class"].split()]


def title_of(element: ElementTree.Element) -> str:
    return element.findtext(f"{NAMESPACE}title") or ""


def make_mixed() -> Snapshot:
    """Return a [2, 3, 1] network with an edge of each kind."""
    changes: dict[Edge, dict[str, Any]] = {
        Edge(0, 0, 0): {"state": "symbolic", "formula": "sin(2*x)", "quality": 0.99987},
        Edge(0, 1, 1): {"state": "pruned", "score": 0.0, "strength": 0.2},
        Edge(1, 0, 0): {"frozen": True, "locked": True},
    }
    return make_snapshot([2, 3, 1], changes=changes, title="A title")


@pytest.mark.parametrize("widths", [[1, 1], [2, 5, 1], [10, 20, 10, 3], [30, 40, 2]])
def test_each_edge_of_the_snapshot_is_drawn_once(widths: list[int]) -> None:
    snapshot = make_snapshot(widths)
    drawn = edges_of(parse(network_svg(snapshot)))
    addresses = [Edge(*map(int, group.attrib["data-edge"].split())) for group in drawn]
    assert sorted(addresses) == [view.edge for view in snapshot.edges]
    tags = {tuple(part.tag.removeprefix(NAMESPACE) for part in group) for group in drawn}
    assert tags <= {
        ("title", "path", "rect", "line", "polyline"),
        ("title", "path", "rect", "polyline"),
    }


def test_curves_and_lines_are_those_of_the_picture() -> None:
    snapshot = make_mixed()
    for mark, group in zip(
        picture(snapshot).edges, edges_of(parse(network_svg(snapshot))), strict=True
    ):
        curve = group.find(f"{NAMESPACE}polyline")
        lines = group.find(f"{NAMESPACE}path")
        assert curve is not None
        assert lines is not None
        expected = [value for point in mark.plot.curve for value in point]
        assert numbers(curve.attrib["points"]) == pytest.approx(expected, abs=0.0051)
        expected = [value for chain in mark.connectors for point in chain for value in point]
        assert numbers(lines.attrib["d"]) == pytest.approx(expected, abs=0.0051)
        assert f"--kanviz-share:{100 * mark.plot.opacity:.4g}%" in group.attrib["style"]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d[\d.]*", text)]


def test_tooltip_names_ends_score_state_ranges_and_formula() -> None:
    groups = edges_of(parse(network_svg(make_mixed())))
    tooltips = {group.attrib["data-edge"]: title_of(group).split("\n") for group in groups}
    view = make_mixed().edges[0]
    assert tooltips["0 0 0"] == [
        "x_1 to h1.0",
        f"score {view.score:.3g}, formula",
        "x in [-1, 1]",
        f"y in [{min(view.curve_y):.3g}, {max(view.curve_y):.3g}]",
        "y = sin(2*x), R\u00b2 0.99987",
    ]
    assert tooltips["0 1 1"][:2] == ["x_2 to h1.1", "score 0, removed"]
    assert tooltips["1 0 0"][1].endswith(", spline, frozen, locked")
    assert len(tooltips["1 0 0"]) == 4


def test_nodes_have_names_and_scores_and_bare_ones_are_hollow() -> None:
    changes = {Edge(0, i, 1): {"state": "pruned"} for i in range(2)} | {
        Edge(1, 1, 0): {"state": "pruned"}
    }
    root = parse(network_svg(make_snapshot([2, 3, 1], changes=changes)))
    nodes = [circle for circle in root.iter(f"{NAMESPACE}circle") if "class" in circle.attrib]
    names = ["x_1", "x_2", "h1.0", "h1.1", "h1.2", "y"]
    assert [title_of(node) for node in nodes] == [f"{name}\nscore 1" for name in names]
    hollow = [title_of(node) for node in nodes if "kanviz-bare" in node.attrib["class"]]
    assert hollow == ["h1.1\nscore 1"]


def test_pruned_edges_can_be_left_out() -> None:
    drawn = edges_of(parse(network_svg(make_mixed(), pruned="off")))
    assert len(drawn) == len(make_mixed().edges) - 1
    assert not [group for group in drawn if "kanviz-pruned" in group.attrib["class"]]


def test_an_unknown_way_to_draw_pruned_edges_is_refused(unchecked: None) -> None:
    with pytest.raises(ValueError, match=r"pruned must be one of .*; got 'pale'"):
        network_svg(make_mixed(), pruned="pale")  # type: ignore[arg-type]


def test_formula_title_signs_and_key_are_written() -> None:
    root = parse(network_svg(make_mixed()))
    texts = [(text.attrib["class"], text.text) for text in root.iter(f"{NAMESPACE}text")]
    assert ("kanviz-formula", "sin(2*x)") in texts
    assert ("kanviz-title", "A title") in texts
    key = [text for kind, text in texts if kind == "kanviz-note"]
    assert key[-5:] == ["spline", "formula", "removed", "frozen", "locked together"]
    badges = [group for group in root.iter(f"{NAMESPACE}g") if "badge" in group.attrib["class"]]
    assert [len(badge) for badge in badges] == [4, 3]


def test_the_number_left_out_is_written_and_said() -> None:
    text = network_svg(make_snapshot([30, 40, 2], limit=100))
    root = parse(text)
    sentence = "the strongest 100 of 1,280 edges; 1,180 left out"
    assert sentence in [element.text for element in root.iter(f"{NAMESPACE}text")]
    assert sentence in root.attrib["aria-label"]
    assert "left out" not in network_svg(make_snapshot([2, 5, 1]))


def test_the_picture_says_what_it_is_to_those_who_do_not_see_it() -> None:
    root = parse(network_svg(make_mixed()))
    assert root.attrib["role"] == "img"
    expected = "A title: Kolmogorov-Arnold network [2, 3, 1]: all 9 edges"
    assert root.attrib["aria-label"] == expected


def test_all_colours_are_there_for_light_and_for_dark() -> None:
    css = parse(network_svg(make_mixed())).findtext(f"{NAMESPACE}style") or ""
    light, dark = css.split("@media screen and (prefers-color-scheme:dark)")
    for theme, part in ((LIGHT, light), (DARK, dark)):
        for name in NAMES:
            assert f"--kanviz-{name}:{getattr(theme, name)}" in part
    used = set(re.findall(r"var\((--kanviz-[a-z]+)\)", css))
    set_by_picture = set(re.findall(r"(--kanviz-[a-z]+):", network_svg(make_mixed())))
    assert used <= set_by_picture


def test_two_renders_give_equal_bytes_and_no_id_can_clash() -> None:
    first, second = network_svg(make_mixed()), network_svg(make_mixed())
    assert first == second
    assert not [element for element in parse(first).iter() if "id" in element.attrib]


def test_nothing_outside_is_named_and_nothing_runs() -> None:
    text = network_svg(make_mixed())
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|href|url\(|@import|\son\w+=", text)


def make_labelled(text: str) -> Snapshot:
    """Return a network with ``text`` wherever a user may write."""
    changes = {Edge(0, 0, 0): {"state": "symbolic", "formula": text}}
    return make_snapshot([2, 1], labels=[text, "fine"], changes=changes, title=text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    root, harmless = (parse(network_svg(make_labelled(words))) for words in (text, "harmless"))
    assert [part.tag for part in root.iter()] == [part.tag for part in harmless.iter()]
    shown = "".join(root.itertext())
    assert not re.search("[\x00-\x08\x0e-\x1f\ufffe\u202e]", shown)
    if text.isprintable():
        assert [part.text for part in root.iter(f"{NAMESPACE}text")].count(text) == 3


@given(st.text())
def test_any_text_at_all_gives_well_formed_xml(text: str) -> None:
    drawn = network_svg(make_labelled(text))
    assert len(edges_of(parse(drawn))) == 2
    assert drawn.encode()
