"""The page holds the picture and the table, needs no other file, and runs nothing."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from make_snapshot import make_snapshot
from test_svg import HOSTILE, make_mixed

from kanviz.live.page import page, write_page
from kanviz.snapshot import Edge, Snapshot
from kanviz.views.svg import network_svg


class Reader(HTMLParser):
    """Collects the tags of a page, the words in each kind, and the rows of its table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = [""]
        self.attributes: list[tuple[str, str | None]] = []
        self.words: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        tag = self.tags[-1]
        self.words[tag] = self.words.get(tag, "") + data
        if self.rows and "tbody" in self.tags and tag != "tr" and self.rows[-1]:
            self.rows[-1][-1] += data.rstrip("\n")


def test_page_shows_the_picture_of_the_snapshot() -> None:
    snapshot = make_snapshot([2, 5, 1])
    assert network_svg(snapshot) in page(snapshot)


def test_table_holds_every_edge_strongest_first() -> None:
    snapshot = make_mixed()
    _, *rows = Reader(page(snapshot)).rows
    assert [row[:4] for row in rows] == [
        [*ends(snapshot, view.edge), f"{view.score:.3g}", standing]
        for view, standing in sorted(
            ((view, STANDING.get(view.edge, "spline")) for view in snapshot.edges),
            key=lambda pair: -pair[0].score,
        )
    ]
    assert all(row[4] == "[-1, 1]" and re.fullmatch(r"\[\S+, \S+\]", row[5]) for row in rows)
    formulas = [row[6] for row in rows if row[6]]
    assert formulas == ["sin(2*x) R\u00b2 0.99987"]


STANDING = {
    Edge(0, 0, 0): "formula",
    Edge(0, 1, 1): "removed",
    Edge(1, 0, 0): "spline, frozen, locked",
}


def ends(snapshot: Snapshot, edge: Edge) -> list[str]:
    start, end = snapshot.node(edge.layer, edge.i), snapshot.node(edge.layer + 1, edge.j)
    return [node.label or f"h{node.layer}.{node.index}" for node in (start, end)]


def test_heading_is_the_title_given_or_that_of_the_snapshot_or_the_widths() -> None:
    named, nameless = make_mixed(), make_snapshot([2, 3, 1])
    for text, expected in (
        (page(named, title="Mine"), "Mine"),
        (page(named), "A title"),
        (page(nameless), "Kolmogorov-Arnold network [2, 3, 1]"),
        (page(nameless, title=""), "Kolmogorov-Arnold network [2, 3, 1]"),
    ):
        words = Reader(text).words
        assert words["h1"].strip() == expected
        assert words["title"].startswith(expected)
        assert text.count(f">{expected}<") == 2  # The heading and the tab, not the picture too.


def test_the_number_left_out_is_written_below_the_picture() -> None:
    text = page(make_snapshot([30, 40, 2], limit=100))
    sentence = "<p>Strongest first: the strongest 100 of 1,280 edges; 1,180 left out.</p>"
    assert text.index("</svg>") < text.index(sentence)
    assert len(Reader(text).rows) == 1 + 100
    assert "<p>Strongest first: all 15 edges.</p>" in page(make_snapshot([2, 5, 1]))


def test_page_names_nothing_outside_and_runs_nothing() -> None:
    text = page(make_mixed())
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"url\(|@import", text)
    reader = Reader(text)
    assert not {"script", "iframe", "object", "embed", "form", "a", "img"} & set(reader.tags)
    links = [value for name, value in reader.attributes if name in ("href", "src")]
    assert links == ["data:,"]
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("content", policy) in reader.attributes


def test_page_is_one_for_every_reader() -> None:
    text = page(make_mixed())
    attributes = Reader(text).attributes
    assert text.startswith("<!DOCTYPE html>\n")
    assert ("lang", "en") in attributes
    assert ("charset", "utf-8") in attributes
    assert ("content", "width=device-width, initial-scale=1") in attributes
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    changes = {Edge(0, 0, 0): {"state": "symbolic", "formula": text, "quality": 1.0}}
    snapshot = make_snapshot([2, 1], labels=[text, "fine"], changes=changes, title=text)
    drawn = page(snapshot)
    reader = Reader(drawn)
    assert not {"b", "script"} & set(reader.tags)
    assert not re.search("[\x00-\x08\x0e-\x1f\ufffe\u202e]", drawn)
    (row,) = (row for row in reader.rows if row[6])
    if text.isprintable():
        assert (row[0], row[6]) == (text, f"{text} R\u00b2 1.00000")
        assert reader.words["h1"].strip() == text


def test_two_renders_give_equal_bytes() -> None:
    assert page(make_mixed()) == page(make_mixed())


def test_written_page_is_the_page(tmp_path: Path) -> None:
    for path in (tmp_path / "page.html", str(tmp_path / "page.html")):
        write_page(make_mixed(), path, title="\u03c6")
        assert (tmp_path / "page.html").read_bytes() == page(make_mixed(), title="\u03c6").encode()
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_write_that_fails_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no room")

    path = tmp_path / "page.html"
    path.write_text("before")
    monkeypatch.setattr("kanviz.live.page.os.replace", fail)
    with pytest.raises(OSError, match="no room"):
        write_page(make_mixed(), path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_missing_folder_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "none" / "page.html"
    with pytest.raises(FileNotFoundError, match=r"The folder of '.*none"):
        write_page(make_mixed(), path)
    assert os.listdir(tmp_path) == []
