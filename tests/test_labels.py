"""Words in pictures: harmless, on one line, and no wider than their room."""

import unicodedata

import pytest
from effort import calls_of
from hypothesis import given
from hypothesis import strategies as st
from make_snapshot import make_snapshot
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from kanviz.layout.labels import ELLIPSIS, details, fit, number, plain, text_width
from kanviz.snapshot import Edge

SIZE = 13.0
NASTY = "\x00\x1b[31m \ud800 \ufffe \u202eabc\u2066 \r\n\t e" + "\u0301" * 50


@given(st.text(max_size=60), st.floats(0, 300))
def test_text_fits_its_room_and_begins_as_it_was(text: str, room: float) -> None:
    short = fit(text, room, SIZE)
    assert text_width(short, SIZE) <= max(room, 0)
    assert short == plain(text) or plain(text).startswith(short.removesuffix(ELLIPSIS))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=4, max_size=30))
def test_the_guessed_width_is_that_of_the_font_or_a_little_more(text: str) -> None:
    word = plain(text)
    font = FontProperties(family="DejaVu Sans", size=SIZE)
    drawn = TextPath((0, 0), word, prop=font, usetex=False)
    true = drawn.get_extents().width if len(drawn.vertices) else 0.0
    assert text_width(word, SIZE) >= 0.95 * true


def test_nothing_dangerous_is_left() -> None:
    safe = plain(NASTY)
    assert not {"Cc", "Cs"} & {unicodedata.category(letter) for letter in safe}
    assert not set("\u202e\u2066\ufffe") & set(safe)
    assert safe.encode().decode() == safe
    assert safe.count("\u0301") == 3


def test_the_work_for_a_name_grows_no_faster_than_its_length() -> None:
    assert fit("n" * 20_000, 100.0, SIZE).endswith(ELLIPSIS)
    short = calls_of(lambda: fit("n" * 2000, 100.0, SIZE))
    long = calls_of(lambda: fit("n" * 20_000, 100.0, SIZE))
    assert short < 200 * 2000
    assert long < 11 * short


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0, "0"), (0.1234, "0.123"), (-1.5e-7, "-1.5e-07"), (12345.0, "12300"), (1.2e6, "1.2e+06")],
)
def test_numbers_have_three_digits_and_no_negative_zero(value: float, text: str) -> None:
    assert number(value) == text


def test_an_edge_names_those_that_share_its_function() -> None:
    groups = [[Edge(0, 0, 0), Edge(0, 1, 0)], [Edge(0, 0, 1), Edge(0, 1, 1), Edge(0, 1, 2)]]
    changes = {
        edge: {"locked": True, "control_y": (float(n),) * 6}
        for n, group in enumerate(groups)
        for edge in group
    }
    snapshot = make_snapshot((2, 3, 1), labels=["u", "v"], changes=changes)
    words = {view.edge: details(snapshot, view).splitlines()[-1] for view in snapshot.edges}
    names = {view.edge: details(snapshot, view).splitlines()[0] for view in snapshot.edges}
    assert words[Edge(0, 0, 0)] == f"same function as {names[Edge(0, 1, 0)]}"
    others = f"{names[Edge(0, 0, 1)]}, {names[Edge(0, 1, 2)]}"
    assert words[Edge(0, 1, 1)] == f"same function as {others}"
    assert "same" not in words[Edge(1, 0, 0)]
