"""Dates in the text of a report, as precise as they are written."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fhir_mappings.clinical.moments import Moment, last_day_of_month

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar enero janvier", "feb february februar febrero fevrier",
            "mar march marz maerz marzo mars", "apr april abril avril", "may mai mayo",
            "jun june juni junio juin", "jul july juli julio juillet", "aug august agosto aout",
            "sep sept september septiembre septembre",
            "oct okt october oktober octubre octobre", "nov november noviembre novembre",
            "dec dez december dezember diciembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    r"(?<![\d.,/-])(?:"
    r"(?P<y1>(?:19|20)\d\d)-(?P<m1>\d\d)(?:-(?P<d1>\d\d))?(?![\d/])"
    r"|(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<y2>(?:19|20)\d\d|\d\d)(?![\d%])"
    r"|(?P<d3>\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:of\s+|de\s+)?(?P<n3>" + _MONTH + r")\.?,?[\s-]+"
    r"(?:de\s+)?(?P<y3>(?:19|20)\d\d)"
    r"|(?P<m5>\d{1,2})/(?P<y5>(?:19|20)\d\d)(?!\d)"
    r"|(?P<y6>(?:19|20)\d\d)(?!\s*(?:%|cells|/|zellen)|[.,]?\d)"
    r")"
    r"|\b(?P<n4>" + _MONTH + r")\.?,?\s+(?:(?P<d4>\d{1,2})(?:st|nd|rd|th)?,?\s+)?(?:de\s+|of\s+)?"
    r"(?P<y4>(?:19|20)\d\d)(?!\d)"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date at ``start`` to ``end`` of the folded text."""

    start: int
    end: int
    moment: Moment


def dates_in(folded: str, start: int, end: int) -> Iterator[WrittenDate]:
    """Every date between two offsets that a calendar knows."""
    for match in _DATE.finditer(folded, start, end):
        moment = _moment(match)
        if moment is not None:
            yield WrittenDate(match.start(), match.end(), moment)


def _moment(match: re.Match[str]) -> Moment | None:
    if match["y1"]:
        return _day_or_month(match["y1"], match["m1"], match["d1"])
    if match["y2"]:
        return _numeric(match["a"], match["b"], match["y2"], match["sep"])
    if match["y3"]:
        return _day_or_month(match["y3"], str(_MONTHS[match["n3"]]), match["d3"])
    if match["y4"]:
        return _day_or_month(match["y4"], str(_MONTHS[match["n4"]]), match["d4"])
    if match["y5"]:
        return _day_or_month(match["y5"], match["m5"], None)
    year = int(match["y6"])
    return Moment(date(year, 1, 1), date(year, 12, 31))


def _day_or_month(year: str, month: str, day: str | None) -> Moment | None:
    number = int(month)
    if not 1 <= number <= 12:
        return None
    first = date(int(year), number, 1)
    if day is None:
        return Moment(first, last_day_of_month(first))
    if not 1 <= int(day) <= calendar.monthrange(first.year, number)[1]:
        return None
    return Moment.on(first.replace(day=int(day)))


def _numeric(one: str, two: str, year: str, separator: str) -> Moment | None:
    """``03/04/2023`` may be either day; with points the day comes first. Doubt is kept as an interval."""
    whole = year if len(year) == 4 else f"20{year}"
    day_first = _day_or_month(whole, two, one)
    if separator == ".":
        return day_first
    month_first = _day_or_month(whole, one, two)
    if day_first is None or month_first is None:
        return day_first or month_first
    return Moment(min(day_first.first, month_first.first), max(day_first.last, month_first.last))
