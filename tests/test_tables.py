from kanviz.tables import html_table, text_table

ROWS = [("name", "error"), ("a<b>", "1"), ("sin", "0.25")]


def test_columns_of_text_are_aligned_without_spaces_at_the_end() -> None:
    assert text_table(ROWS).splitlines() == ["name  error", "a<b>  1", "sin   0.25"]


def test_html_is_escaped_and_has_one_row_per_row() -> None:
    found = html_table(ROWS, "x & y")
    assert "<caption>x &amp; y</caption>" in found
    assert "<td>a&lt;b&gt;</td>" in found
    assert (found.count("<tr>"), found.count("<th>"), found.count("<td>")) == (3, 2, 4)
    assert "<caption>" not in html_table(ROWS)
