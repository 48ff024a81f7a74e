"""FHIR date and dateTime text to a Moment that is no more precise than the text."""

from __future__ import annotations

import re
from datetime import date, datetime

from fhir_mappings.clinical.moments import Moment, last_day_of_month
from fhir_mappings.fhir.elements import Period, Timing

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")
_FRACTION = re.compile(r"(\.\d{6})\d+")


def read_moment(text: str | None) -> Moment | None:
    """The moment a FHIR date or dateTime states; None when absent or not a date.

    A dateTime without offset keeps its time of day without a zone. A day that is valid in front of
    an unreadable time (``24:00``, a blank instead of ``T``) is kept as that day.
    """
    if not text:
        return None
    text = text.strip()
    if len(text) < 10:
        return _partial(text)
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    if len(text) == 10:
        return Moment(day, day)
    if "." in text:
        text = _FRACTION.sub(r"\1", text)
    try:
        return Moment(day, day, datetime.fromisoformat(text))
    except ValueError:
        return Moment(day, day)


def read_period(period: Period | None) -> Moment | None:
    """The interval of a FHIR Period; an open end leaves the start alone."""
    if period is None:
        return None
    start, end = read_moment(period.start), read_moment(period.end)
    if start is None or end is None:
        return start or end
    if end.last < start.first:
        return start
    return Moment(start.first, end.last, start.instant if start.first == end.last else None)


def read_timing(timing: Timing | None) -> Moment | None:
    """The interval of a FHIR Timing: from its first to its last event, else the bounds of its repeat."""
    if timing is None:
        return None
    events = [moment for moment in map(read_moment, timing.event or ()) if moment is not None]
    if events:
        first = min(events, key=lambda moment: moment.sort_key)
        last = max(events, key=lambda moment: moment.last)
        return first if first == last else Moment(first.first, last.last)
    return read_period(timing.repeat.bounds_period) if timing.repeat is not None else None


def _partial(text: str) -> Moment | None:
    match = _PARTIAL.fullmatch(text)
    if not match:
        return None
    year, month = int(match[1]), int(match[2] or 0)
    try:
        if month:
            first = date(year, month, 1)
            return Moment(first, last_day_of_month(first))
        return Moment(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        return None
