import math
import re
from dataclasses import dataclass
from xml.etree import ElementTree

from kanviz.tables import (
    ReportTable,
    Series,
    Shown,
    html_table,
    report_html,
    small_chart,
    text_table,
)

ROWS = [("name", "error"), ("a<b>", "1"), ("sin", "0.25")]


def test_columns_of_text_are_aligned_without_spaces_at_the_end() -> None:
    assert text_table(ROWS).splitlines() == ["name  error", "a<b>  1", "sin   0.25"]


def test_html_is_escaped_and_has_one_row_per_row() -> None:
    found = html_table(ROWS, "x & y")
    assert "<caption>x &amp; y</caption>" in found
    assert ">a&lt;b&gt;</td>" in found
    assert (found.count("<tr>"), found.count("<th"), found.count("<td")) == (3, 3, 4)
    assert "<caption>" not in html_table(ROWS)


def test_only_cells_of_several_words_are_broken() -> None:
    found = html_table([("error",), ("1.0e-07",), ("a + b",)])
    assert '<td style="text-align: left; white-space: nowrap">1.0e-07</td>' in found
    assert '<td style="text-align: left">a + b</td>' in found


def test_words_begin_at_the_left_and_numbers_end_at_the_right() -> None:
    found = html_table([("form", "error"), ("a + b", "-1.0e-07"), ("", "inf"), ("c", "< 3 %")])
    assert found.count("text-align: left") == 4  # the head and three cells
    assert "text-align" not in found[found.index("-1.0e-07") - 30 : found.index("-1.0e-07")]


@dataclass(frozen=True)
class _Letters(ReportTable[str]):
    letters: tuple[str, ...]

    @property
    def _records(self) -> tuple[str, ...]:
        return self.letters

    def _rows(self) -> list[tuple[str, str]]:
        return [("n", "letter"), *((str(n), letter) for n, letter in enumerate(self.letters))]

    def _note(self) -> str:
        return "<that is all>"


def test_a_report_is_the_sequence_of_its_records_and_shows_them_with_its_note() -> None:
    report = _Letters(("a", "b", "c"))
    assert (len(report), list(report), report[-1], report[:2]) == (
        3,
        ["a", "b", "c"],
        "c",
        ("a", "b"),
    )
    assert "b" in report
    assert str(report).splitlines() == ["n  letter", "0  a", "1  b", "2  c", "<that is all>"]
    assert "<caption>&lt;that is all&gt;</caption>" in report._repr_html_()


def points_of(chart: str) -> list[list[tuple[float, float]]]:
    """Return the points of each line of a chart, in pixels; the first path is the frame."""
    paths = re.findall(r'd="([^"]*)"', chart)[1:]
    pairs = (re.findall(r"([-\d.]+),([-\d.]+)", path) for path in paths)
    return [[(float(x), float(y)) for x, y in line] for line in pairs]


def test_a_small_chart_has_a_point_for_each_finite_number_and_falls_where_they_fall() -> None:
    lines = [
        Series("training", [1, 2, 3, 4], [1.0, 0.1, math.inf, 0.001]),
        Series("<validation>", [1, 2, 3, 4], [2.0, math.nan, 0.3, 0.02]),
    ]
    chart = small_chart(lines, x_label="step", y_label="loss")
    ElementTree.fromstring(chart)  # well formed, so names are escaped
    drawn = points_of(chart)
    assert [len(line) for line in drawn] == [3, 3]
    for line in drawn:
        assert [x for x, _ in line] == sorted(x for x, _ in line)
        assert [y for _, y in line] == sorted(y for _, y in line), "a smaller loss stands lower"
    # One decade is as long as another: the axis is logarithmic.
    (_, one), (_, tenth), (_, thousandth) = drawn[0]
    assert abs((thousandth - tenth) - 2 * (tenth - one)) < 0.3
    for text in ("step", "loss", "training solid", "&lt;validation&gt; dashed", "0.001"):
        assert text in chart
    assert small_chart([Series("one", [1], [1.0])], x_label="x", y_label="y") == ""


def test_a_long_line_is_thinned_and_keeps_its_last_point() -> None:
    count = 5000
    chart = small_chart(
        [Series("loss", range(count), [float(n) for n in range(count)])], x_label="", y_label=""
    )
    (line,) = points_of(chart)
    assert 100 < len(line) <= 300
    assert line[-1][0] == max(x for x, _ in line) == 350


def test_a_report_and_what_is_shown_are_escaped() -> None:
    found = report_html("a <b>", "<svg/>", ROWS, ["x & y"])
    assert found.startswith("<div><p>a &lt;b&gt;</p><svg/><table>")
    assert found.endswith("<p>x &amp; y</p></div>")
    assert repr(Shown({"text/plain": "KAN"})) == "KAN"
    assert Shown({"text/plain": "KAN"})._repr_html_() is None
