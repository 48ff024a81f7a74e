"""Moments at their edges: hours known on one side only, days that overlap at one end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import Moment, separated_by_hours, within_days
from fhir_mappings.fhir.dates import read_moment

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def at(text: str) -> Moment:
    moment = read_moment(text)
    assert moment is not None
    return moment


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("2024-06-03T08:00:00Z", "2024-06-03T09:00:00Z", YES),
        ("2024-06-03T09:00:00Z", "2024-06-03T09:00:00Z", NO),
        ("2024-06-03T08:00:00Z", "2024-06-03", NO),
        ("2024-06-03", "2024-06-03T08:00:00Z", NO),
        ("2024-06-03T08:00:00Z", "2024-06-04", YES),
        ("2024-07-01", "2024-06", NO),
        ("2024-06-30", "2024-06", NO),
        ("2024-06-01", "2024-06", UNSURE),
        ("2024-06", "2024-06-30", UNSURE),
        ("2024-06", "2024-06", UNSURE),
    ],
)
def test_before(one: str, other: str, answer: Answer) -> None:
    assert at(one).is_before(at(other)) is answer


@pytest.mark.parametrize(
    ("later", "answer"),
    [("2024-06-07", NO), ("2024-06-08", UNSURE), ("2024-07-06", UNSURE), ("2024-07-07", YES)],
)
def test_a_week_after_some_day_of_june(later: str, answer: Answer) -> None:
    assert separated_by_hours(at("2024-06"), at(later), 168) is answer


@pytest.mark.parametrize(("hours", "later", "answer"), [(25, "2024-06-04", NO), (25, "2024-06-05", YES)])
def test_hours_that_are_no_whole_days_are_rounded_up(hours: int, later: str, answer: Answer) -> None:
    assert separated_by_hours(at("2024-06-03"), at(later), hours) is answer


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        ("2024-06-03T08:59:59", False),
        ("2024-06-03T09:00:00", False),
        ("2024-06-03T09:00:01", True),
        ("2024-06-03T09:00:00Z", False),
        ("2024-06-03T09:00:01Z", True),
        ("2024-06-03", False),
        ("2024-06-04", True),
    ],
)
def test_what_lies_after_nine_o_clock(moment: str, after: bool) -> None:
    assert at(moment).is_after(datetime(2024, 6, 3, 9, tzinfo=UTC)) is after


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        # June begins seven days after the 25th of May, and ends more than seven days after it.
        ("2024-05-24", NO),
        ("2024-05-25", UNSURE),
        ("2024-05-26", UNSURE),
        ("2024-06-15", UNSURE),
        ("2024-07-07", UNSURE),
        ("2024-07-08", NO),
    ],
)
def test_within_a_week_of_some_day_of_june(other: str, answer: Answer) -> None:
    assert within_days(at("2024-06"), at(other), 7) is answer
    assert within_days(at(other), at("2024-06"), 7) is answer
