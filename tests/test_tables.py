from dataclasses import dataclass

from kanviz.tables import ReportTable, html_table, text_table

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
    assert '<td style="white-space: nowrap">1.0e-07</td>' in found
    assert "<td>a + b</td>" in found


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
