"""How reports show themselves: small tables and charts, as text and as HTML for a notebook."""

import html
import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, overload

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

    Cells of one word, numbers above all, are not broken, and words begin at the left: JupyterLab's
    style sheet would break and right-align them.
    """
    sides = ["left" if any(map(_is_word, column)) else "" for column in zip(*rows[1:], strict=True)]
    head, *body = [
        "".join(
            f"<{tag}{_style(cell, side)}>{html.escape(cell)}</{tag}>"
            for cell, side in zip(row, sides or [""] * len(row), strict=True)
        )
        for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
    ]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _is_word(cell: str) -> bool:
    return cell != "" and re.match(r"[-+<>~ ]*[0-9.]|-?(inf|nan)\b", cell) is None


def _style(cell: str, side: str) -> str:
    rules = ["text-align: " + side] * bool(side) + ["white-space: nowrap"] * (" " not in cell)
    return f' style="{"; ".join(rules)}"' if rules else ""


class Series(NamedTuple):
    """A line of a small chart; y that is not finite leaves a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


CHART = (360, 140)
"""Width and height of a small chart in pixels."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 18, 34
_DASHES = ("", "5 3", "1 3")
_WIDE = 20.0
"""From this ratio of the largest to the smallest value on an axis of values is logarithmic."""

MOST_PLACES = 300
"""Points of a line; of more every second one is left out until so few are left."""


def small_chart(series: Sequence[Series], *, x_label: str, y_label: str) -> str:
    """Return lines as SVG that takes the colour of the text around it; empty without two points.

    Lines differ by dashes. The axis of values is logarithmic where they differ much and are
    positive; both axes are labelled, at their ends.

    Parameters
    ----------
    series : sequence of Series
        The first is drawn solid.
    x_label, y_label : str
        What the axes measure.
    """
    lines = [_finite(line) for line in series]
    points = [point for line in lines for part in line for point in part]
    if len({x for x, _ in points}) < 2:
        return ""
    low, high = min(y for _, y in points), max(y for _, y in points)
    is_log = low > 0 and high / low > _WIDE
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    width, height = CHART

    def up(y: float) -> float:
        share = (
            _share(math.log(y), math.log(low), math.log(high)) if is_log else _share(y, low, high)
        )
        return height - _BOTTOM - share * (height - _TOP - _BOTTOM)

    def along(x: float) -> float:
        return _LEFT + _share(x, left, right) * (width - _LEFT - _RIGHT)

    drawn = []
    for number, line in enumerate(lines):
        path = " ".join(
            "M" + " L".join(f"{along(x):.1f},{up(y):.1f}" for x, y in part) for part in line if part
        )
        dash = _DASHES[number % len(_DASHES)]
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        drawn.append(
            f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5"{dashes}/>'
        )
    frame = f"M{_LEFT},{_TOP}V{height - _BOTTOM}H{width - _RIGHT}"
    key = ", ".join(
        f"{line.name} {('solid', 'dashed', 'dotted')[n % 3]}" for n, line in enumerate(series)
    )
    texts = [
        _text(_LEFT, 11, "start", f"{y_label}{f': {key}' if len(series) > 1 else ''}"),
        _text(_LEFT - 5, height - _BOTTOM, "end", _short(low)),
        _text(_LEFT - 5, _TOP + 8, "end", _short(high)) if high > low else "",
        _text(_LEFT, height - _BOTTOM + 14, "start", f"{left:g}"),
        _text(width - _RIGHT, height - _BOTTOM + 14, "end", f"{right:g}"),
        _text((_LEFT + width - _RIGHT) / 2, height - 6, "middle", x_label),
    ]
    words = html.escape(f"{y_label} over {x_label}, from {low:.3g} to {high:.3g}")
    return (
        f'<svg role="img" aria-label="{words}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="max-width:100%;display:block">'
        f'<path d="{frame}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
        f"{''.join(drawn)}{''.join(texts)}</svg>"
    )


def _finite(line: Series) -> list[list[tuple[float, float]]]:
    """Return the stretches of a line without gaps, with few enough points."""
    pairs = list(zip(line.x, line.y, strict=True))
    while len(pairs) > MOST_PLACES:
        pairs = pairs[::-2][::-1]  # the last one stays
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in pairs:
        if math.isfinite(x) and math.isfinite(y):
            parts[-1].append((x, y))
        elif parts[-1]:
            parts.append([])
    return parts


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _short(value: float) -> str:
    """Return two digits of a number; 31000 is no 3.1e+04."""
    text = f"{value:.2g}"
    return f"{float(text):g}" if abs(value) < 1e5 else text


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="currentColor" '
        f'font-size="11" font-family="system-ui,sans-serif">{html.escape(text)}</text>'
    )


@dataclass(frozen=True)
class Shown:
    """What a notebook shows of an object, by kind, for hosts that ask for one kind at a time.

    Parameters
    ----------
    kinds : mapping
        MIME type to content, ``text/plain`` at least.
    """

    kinds: Mapping[str, object]

    def __repr__(self) -> str:
        return str(self.kinds["text/plain"])

    def _repr_html_(self) -> str | None:
        found = self.kinds.get("text/html")
        return None if found is None else str(found)


def report_html(sentence: str, chart: str, rows: Rows = (), notes: Sequence[str] = ()) -> str:
    """Return a report as HTML: a sentence, a chart (SVG or nothing), a table, remarks."""
    parts = [f"<p>{html.escape(sentence)}</p>", chart, html_table(rows) if rows else ""]
    parts += [f"<p>{html.escape(note)}</p>" for note in notes]
    return f"<div>{''.join(parts)}</div>"


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
