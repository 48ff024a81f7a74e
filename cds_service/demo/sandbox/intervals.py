"""Dates as intervals and the date prefixes of search (FHIR R4 search, 3.1.1.4.7 prefixes and date)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time a date covers at its written precision: from ``start`` up to, not including, ``end``."""

    start: datetime
    end: datetime


def parse_interval(text: str) -> Interval:
    """The interval of a FHIR date, dateTime or instant. Without an offset the zone is UTC.

    Raises:
        ValueError: when the text is no such date.
    """
    shape = _DATE.fullmatch(text)
    if shape is None:
        raise ValueError("not a FHIR date")
    part = shape.groupdict()
    start = datetime(
        int(part["year"]),
        int(part["month"] or 1),
        int(part["day"] or 1),
        int(part["hour"] or 0),
        int(part["minute"] or 0),
        int(part["second"] or 0),
        int((part["fraction"] or "0")[:6].ljust(6, "0")),
        tzinfo=_zone(part["zone"]),
    )
    return Interval(start, _following(start, part))


def _zone(text: str | None) -> Any:
    if text in (None, "Z"):
        return UTC
    return datetime.strptime(str(text), "%z").tzinfo


def _following(start: datetime, part: dict[str, str | None]) -> datetime:
    """The first moment after the written precision."""
    if part["month"] is None:
        return start.replace(year=start.year + 1) if start.year < 9999 else END
    if part["day"] is None:
        return (start + timedelta(days=31)).replace(day=1)
    if part["hour"] is None:
        return start + timedelta(days=1)
    if part["second"] is None:
        return start + timedelta(minutes=1)
    if part["fraction"] is None:
        return start + timedelta(seconds=1)
    return start + timedelta(microseconds=10 ** max(0, 6 - len(part["fraction"])))


def interval_of(value: Any) -> Interval | None:
    """The interval of an element: a date text or a Period with an open start or end; None if unreadable."""
    try:
        if isinstance(value, str):
            return parse_interval(value)
        if isinstance(value, dict) and ("start" in value or "end" in value):
            start = parse_interval(value["start"]).start if "start" in value else BEGINNING
            return Interval(start, parse_interval(value["end"]).end if "end" in value else END)
    except (ValueError, TypeError, OverflowError):
        return None
    return None


def satisfies(prefix: str, sought: Interval, found: Interval) -> bool:
    """Whether a resource's interval stands in the relation of a prefix to the sought interval."""
    contained = sought.start <= found.start and found.end <= sought.end
    match prefix:
        case "eq":
            return contained
        case "ne":
            return not contained
        case "gt":
            return found.end > sought.end
        case "ge":
            return found.end > sought.end or contained
        case "lt":
            return found.start < sought.start
        case "le":
            return found.start < sought.start or contained
        case "sa":
            return found.start >= sought.end
        case "eb":
            return found.end <= sought.start
    raise ValueError(f"{prefix} is not a prefix of date search")
