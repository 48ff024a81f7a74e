"""FHIR dates, no more precise than they were written."""

from __future__ import annotations

import pytest

from fhir_mappings.fhir.dates import read_moment, read_period
from fhir_mappings.fhir.elements import Period


@pytest.mark.parametrize(
    ("text", "first", "last", "instant"),
    [
        ("2024-06-03", "2024-06-03", "2024-06-03", None),
        ("2024-06", "2024-06-01", "2024-06-30", None),
        ("2024-02", "2024-02-01", "2024-02-29", None),
        ("2024", "2024-01-01", "2024-12-31", None),
        (" 2024-06-03 ", "2024-06-03", "2024-06-03", None),
        ("2024-06-03T10:00:00Z", "2024-06-03", "2024-06-03", "2024-06-03T10:00:00+00:00"),
        # The day is that of the record's own zone, whatever the day is in ours.
        ("2024-06-03T23:30:00-05:00", "2024-06-03", "2024-06-03", "2024-06-03T23:30:00-05:00"),
        ("2024-06-03T10:00:00", "2024-06-03", "2024-06-03", "2024-06-03T10:00:00"),
        ("2024-06-03T10:00:00.1234567Z", "2024-06-03", "2024-06-03", "2024-06-03T10:00:00.123456+00:00"),
        ("2024-06-03T10:00:00.5Z", "2024-06-03", "2024-06-03", "2024-06-03T10:00:00.500000+00:00"),
        # A day in front of a time that cannot be read is still that day.
        ("2024-06-03T24:00:00Z", "2024-06-03", "2024-06-03", None),
        ("2024-06-03Tnoon", "2024-06-03", "2024-06-03", None),
    ],
)
def test_a_date_or_time(text: str, first: str, last: str, instant: str | None) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert (moment.first.isoformat(), moment.last.isoformat()) == (first, last)
    assert (moment.instant.isoformat() if moment.instant else None) == instant


@pytest.mark.parametrize(
    "text", [None, "", "2024-13", "2024-02-30", "03.06.2024", "24", "0000", "2024-6-3", "soon", "20240603T"]
)
def test_what_is_no_date_is_no_moment(text: str | None) -> None:
    assert read_moment(text) is None


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2024-06-01", "2024-06-03", "2024-06"),
        ("2024-06-01", "2024-06-01", "2024-06-01"),
        ("2024-06-01", None, "2024-06-01"),
        (None, "2024-06-03", "2024-06-03"),
        # An end before the start is a slip; the start is kept.
        ("2024-06-03", "2024-06-01", "2024-06-03"),
        ("2024-05-30", "2024-06-03", "2024-05-30/2024-06-03"),
    ],
)
def test_a_period_is_everything_between_its_ends(start: str | None, end: str | None, text: str) -> None:
    moment = read_period(Period(start=start, end=end))
    assert moment is not None
    assert moment.text == text


def test_no_period_is_no_moment() -> None:
    assert read_period(None) is None
    assert read_period(Period(start="soon")) is None
