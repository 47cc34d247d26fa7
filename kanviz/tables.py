"""Small tables of text, and reports that are sequences of records and show themselves as one."""

import html
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

Rows = Sequence[Sequence[str]]
Record = TypeVar("Record")


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


class ReportTable(Sequence[Record]):
    """A report that is a sequence of records, and that shows itself as a table with a note.

    A subclass says which records it holds (``_records``), how they read (``_rows``, the head
    first), and what stands below them (``_note``, nothing by default).
    """

    @property
    @abstractmethod
    def _records(self) -> tuple[Record, ...]: ...

    @abstractmethod
    def _rows(self) -> Rows: ...

    def _note(self) -> str:
        return ""

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        """Return one record, or a tuple of some."""
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __str__(self) -> str:
        note = self._note()
        return text_table(self._rows()) + (f"\n{note}" if note else "")

    def _repr_html_(self) -> str:
        return html_table(self._rows(), self._note())
