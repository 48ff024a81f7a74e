"""Points in time as precise as the record states them, and calendar-month arithmetic."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fhir_mappings.clinical.answers import Answer


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened, kept no more precise than it was recorded.

    ``first`` and ``last`` are the calendar days between which it happened, as written in the
    record's own time zone (equal when the day is known). ``instant`` is set only when a time of
    day was recorded; it is naive when no offset was given.
    """

    first: date
    last: date
    instant: datetime | None = None

    @property
    def is_exact_day(self) -> bool:
        """True when the calendar day is known."""
        return self.first == self.last

    @property
    def text(self) -> str:
        """ISO form with the recorded precision: ``2024``, ``2024-06`` or ``2024-06-03``."""
        if self.first == self.last:
            return self.first.isoformat()
        if self.first.year == self.last.year and self.first.month == self.last.month:
            return f"{self.first.year:04d}-{self.first.month:02d}"
        if self.first.month == 1 and self.last.month == 12 and self.first.year == self.last.year:
            return f"{self.first.year:04d}"
        return f"{self.first.isoformat()}/{self.last.isoformat()}"

    @property
    def sort_key(self) -> tuple[date, date, str]:
        """Total order: day, then precision, then time of day where recorded; of instants, the instant."""
        if self.instant is not None and self.instant.tzinfo is not None:
            there = self.instant.astimezone(UTC)
            return (there.date(), there.date(), there.isoformat())
        return (self.first, self.last, self.instant.isoformat() if self.instant else "")

    @classmethod
    def on(cls, day: date) -> Moment:
        """A whole calendar day."""
        return cls(day, day)

    def is_after(self, at: datetime) -> bool:
        """True when the moment certainly lies after ``at`` (an aware instant in the site's zone)."""
        if self.instant is not None and self.instant.tzinfo is not None:
            return self.instant > at
        if self.instant is not None:
            return self.instant > at.replace(tzinfo=None)
        return self.first > at.date()

    def is_before(self, other: Moment) -> Answer:
        """Whether this moment lies before ``other``; unsure when the records overlap."""
        if self.instant and other.instant and _comparable(self.instant, other.instant):
            return Answer.of(self.instant < other.instant)
        if self.last < other.first:
            return Answer.YES
        return Answer.NO if self.first >= other.last else Answer.UNSURE


def _comparable(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) == (other.tzinfo is None)


def last_day_of_month(day: date) -> date:
    """The last calendar day of the month of ``day``."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """Add calendar months; the day is clamped to the month's end (2021-08-31 + 18 = 2023-02-28).

    Source: reference resolution 0.3, "Month thresholds are calendar months".
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def months_between(start: date, end: date) -> float:
    """Calendar months from ``start`` to ``end`` for display, one decimal; negative if reversed."""
    if end < start:
        return -months_between(end, start)
    whole = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, whole) > end:
        whole -= 1
    anchor, following = add_months(start, whole), add_months(start, whole + 1)
    return round(whole + (end - anchor).days / (following - anchor).days, 1)


def reaches_months(anchor: Moment, event: Moment, months: int) -> Answer:
    """Whether ``event`` lies on or after ``anchor`` plus calendar months, over both intervals."""
    if event.first >= add_months(anchor.last, months):
        return Answer.YES
    if event.last < add_months(anchor.first, months):
        return Answer.NO
    return Answer.UNSURE


def exceeds_months(anchor: Moment, event: Moment, months: int) -> Answer:
    """Whether ``event`` lies strictly after ``anchor`` plus calendar months."""
    if event.first > add_months(anchor.last, months):
        return Answer.YES
    if event.last <= add_months(anchor.first, months):
        return Answer.NO
    return Answer.UNSURE


def separated_by_hours(earlier: Moment, later: Moment, hours: int) -> Answer:
    """Whether at least ``hours`` lie between two samples.

    With both times of day known the hours are counted; otherwise whole calendar days
    (168 h = 7 days). Source: reference resolution 0.3, "At least a week".
    """
    if earlier.instant and later.instant and _comparable(earlier.instant, later.instant):
        return Answer.of(later.instant - earlier.instant >= timedelta(hours=hours))
    days = -(-hours // 24)
    if (later.first - earlier.last).days >= days:
        return Answer.YES
    if (later.last - earlier.first).days < days:
        return Answer.NO
    return Answer.UNSURE


def within_days(one: Moment, other: Moment, days: int) -> Answer:
    """Whether two moments lie at most ``days`` calendar days apart."""
    farthest = max((other.last - one.first).days, (one.last - other.first).days)
    if farthest <= days:
        return Answer.YES
    nearest = max((other.first - one.last).days, (one.first - other.last).days)
    return Answer.NO if nearest > days else Answer.UNSURE


def whole_years(birth: Moment, on: Moment) -> int | Answer:
    """Age in completed years on a day; ``Answer.UNSURE`` when the birth date is too coarse."""
    oldest, youngest = _years(birth.first, on.last), _years(birth.last, on.first)
    return youngest if oldest == youngest else Answer.UNSURE


def _years(birth: date, on: date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
