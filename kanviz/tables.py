"""Small tables of text, for reports that show themselves."""

import html
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def text_table(rows: Rows) -> str:
    """Return rows as lines with aligned columns; the first row is the head.

    >>> print(text_table([("name", "error"), ("sin", "0.1")]))
    name  error
    sin   0.1
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def html_table(rows: Rows, caption: str = "") -> str:
    """Return rows as an HTML table, all text escaped; the first row is the head.

    Cells of one word, numbers above all, are not broken; JupyterLab's style sheet would else.
    """
    head, *body = [
        "".join(f"<{tag}{_style(cell)}>{html.escape(cell)}</{tag}>" for cell in row)
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _style(cell: str) -> str:
    return "" if " " in cell else ' style="white-space: nowrap"'
