from kanviz.tables import html_table, text_table

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
