"""Dates and times written as text, as days since 1970-01-01.

Read are dates of ISO 8601 (``2024-03-01``, ``2024-03``, with a time and an offset from UTC where
there is one), with points (``1.3.2024``, the day first, as wherever points are written), and with
strokes or hyphens (``3/13/2024``), which say only in some rows whether the day or the month is
first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from jaxtyping import Float64

_TIME = r"(?:(?:T|\s+)(\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|UTC|[+-]\d\d:?\d\d)?)?"
_FORMS = tuple(
    re.compile(form + _TIME, re.ASCII | re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-/])(?P<month>\d\d?)\2(?P<day>\d\d?)",
        r"(?P<year>\d{4})-(?P<month>\d\d)",
        r"(?P<day>\d\d?)(\.)(?P<month>\d\d?)\.(?P<year>\d{4})",
        r"(?P<first>\d\d?)([-/])(?P<second>\d\d?)\2(?P<year>\d{4})",
    )
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Dates:
    """What the cells of a column say.

    Parameters
    ----------
    days : (rows,)
        Since 1970-01-01, with the time as a fraction; not a number where a cell holds no date.
    day_first : bool or None
        What dates such as ``3/4/2024`` begin with; None where there are none.
    is_open : bool
        Whether they may begin with either, by all that the column says; ``days`` takes the day.
    has_zones, lacks_zones : bool
        Whether times have an offset from UTC, to which they are turned, and whether some have none.
    """

    days: Float64[np.ndarray, " rows"]
    day_first: bool | None = None
    is_open: bool = False
    has_zones: bool = False
    lacks_zones: bool = False


def read_dates(cells: Sequence[str], *, day_first: bool | None = None) -> Dates:
    """Return the dates in a column of text; of ``day_first`` None the rows themselves decide.

    Examples
    --------
    >>> read_dates(["1970-01-02", "1970-01-03T12:00+12:00", "soon"]).days.tolist()
    [1.0, 2.0, nan]
    >>> read_dates(["3/4/1970", "3/14/1970"]).day_first
    False
    """
    found = {cell: one for cell in dict.fromkeys(cells) if (one := _match(cell)) is not None}
    pairs = {
        (int(one["first"] or 0), int(one["second"] or 0))
        for one in found.values()
        if "first" in one
    }
    by_day = {
        True: all(1 <= second <= 12 for _, second in pairs),
        False: all(1 <= first <= 12 for first, _ in pairs),
    }
    is_open = bool(pairs) and day_first is None and all(by_day.values())
    if pairs and day_first is None:
        day_first = by_day[True]
    read = {cell: _moment(one, day_first=bool(day_first)) for cell, one in found.items()}
    zones = [one["zone"] is not None for one in found.values()]
    return Dates(
        np.array([read.get(cell, np.nan) for cell in cells], np.float64),
        day_first if pairs else None,
        is_open,
        any(zones),
        not all(zones),
    )


def _match(cell: str) -> dict[str, str | None] | None:
    """Return the parts of a date, or None of another text."""
    for form in _FORMS:
        if match := form.fullmatch(cell):
            time, zone = match.groups()[-2:]
            return match.groupdict() | {"time": time, "zone": zone}
    return None


def _moment(parts: dict[str, str | None], *, day_first: bool) -> float:
    """Return days since 1970-01-01, in UTC where there is an offset; NaN of 31 June."""
    first = ("day", "month") if day_first else ("month", "day")
    named = dict(zip(first, (parts.get("first"), parts.get("second")), strict=True))
    year, month, day = (
        int(parts.get(key) or named.get(key) or 1) for key in ("year", "month", "day")
    )
    clock = (parts["time"] or "0:00").replace(",", ".").split(":")
    try:
        moment = datetime(year, month, day, int(clock[0]), int(clock[1]), tzinfo=UTC)
    except ValueError:
        return np.nan
    seconds = float(clock[2]) if len(clock) > 2 else 0.0
    if seconds >= 60:
        return np.nan
    seconds -= _offset(parts["zone"] or "Z")
    return (moment - _EPOCH) / timedelta(days=1) + seconds / 86400


def _offset(zone: str) -> int:
    """Return the seconds by which a clock is ahead of UTC."""
    if zone.upper() in ("Z", "UTC"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (-1 if zone[0] == "-" else 1) * (3600 * hours + 60 * minutes)
