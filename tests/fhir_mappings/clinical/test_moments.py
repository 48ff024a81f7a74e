"""Calendar months, clamped month ends, partial dates, gaps in hours or days, and offsets."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.moments import (
    Moment,
    add_months,
    exceeds_months,
    months_between,
    reaches_months,
    separated_by_hours,
    whole_years,
    within_days,
)
from fhir_mappings.fhir.dates import read_moment

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def at(text: str) -> Moment:
    moment = read_moment(text)
    assert moment is not None
    return moment


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2021-03-10", 36, "2024-03-10"),
        ("2021-08-31", 18, "2023-02-28"),
        ("2022-08-31", 18, "2024-02-29"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2021-12-15", 1, "2022-01-15"),
        ("2021-01-31", 1, "2021-02-28"),
        ("2021-06-10", 0, "2021-06-10"),
    ],
)
def test_months_are_calendar_months_and_the_day_is_clamped(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("anchor", "event", "reaches", "exceeds"),
    [
        ("2021-03-10", "2024-03-09", NO, NO),
        ("2021-03-10", "2024-03-10", YES, NO),
        ("2021-03-10", "2024-03-11", YES, YES),
        ("2021-03", "2024-03-01", UNSURE, NO),
        ("2021-03", "2024-03-31", YES, UNSURE),
        ("2021-03", "2024-04-01", YES, YES),
        ("2021", "2024-01-01", UNSURE, NO),
        ("2021", "2024", UNSURE, UNSURE),
        ("2021", "2023", NO, NO),
        ("2021-03-10", "2024-03", UNSURE, UNSURE),
    ],
)
def test_thirty_six_months_over_everything_a_partial_date_may_mean(
    anchor: str, event: str, reaches: Answer, exceeds: Answer
) -> None:
    assert reaches_months(at(anchor), at(event), 36) is reaches
    assert exceeds_months(at(anchor), at(event), 36) is exceeds


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2021-03-10", "2024-06-03", 38.8),
        ("2021-03-10", "2024-03-10", 36.0),
        ("2024-06-03", "2021-03-10", -38.8),
        ("2021-03-10", "2021-03-10", 0.0),
    ],
)
def test_months_for_display_have_one_decimal(start: str, end: str, months: float) -> None:
    assert months_between(date.fromisoformat(start), date.fromisoformat(end)) == months


@pytest.mark.parametrize(
    ("earlier", "later", "answer"),
    [
        # Without a time of day on both sides, seven calendar days are a week.
        ("2024-06-01", "2024-06-07", NO),
        ("2024-06-01", "2024-06-08", YES),
        ("2024-06-01T23:00:00Z", "2024-06-08", YES),
        # With both times, 168 hours are.
        ("2024-06-01T10:00:00Z", "2024-06-08T09:59:00Z", NO),
        ("2024-06-01T10:00:00Z", "2024-06-08T10:00:00Z", YES),
        # Hours are counted across offsets.
        ("2024-06-01T10:00:00+02:00", "2024-06-08T08:00:00Z", YES),
        ("2024-06-01T10:00:00-05:00", "2024-06-08T10:00:00Z", NO),
        # A time without an offset cannot be compared with one that has it: days decide.
        ("2024-06-01T23:00:00", "2024-06-08T01:00:00Z", YES),
        ("2024-05", "2024-06-01", UNSURE),
        ("2024-05", "2024-06-07", YES),
        ("2024-05", "2024-05-03", NO),
    ],
)
def test_a_week_apart_is_168_hours_or_seven_days(earlier: str, later: str, answer: Answer) -> None:
    assert separated_by_hours(at(earlier), at(later), 168) is answer


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("2024-06-01", "2024-06-15", YES),
        ("2024-06-01", "2024-06-16", NO),
        ("2024-06-16", "2024-06-01", NO),
        ("2024-06", "2024-06-10", UNSURE),
        ("2024-06", "2024-08-01", NO),
    ],
)
def test_a_window_of_fourteen_days_is_symmetric(one: str, other: str, answer: Answer) -> None:
    assert within_days(at(one), at(other), 14) is answer
    assert within_days(at(other), at(one), 14) is answer


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2024-06-04", False),
        ("2024-06-05", True),
        ("2024-06-04T12:00:00Z", False),
        ("2024-06-04T12:00:01Z", True),
        ("2024-06-04T13:30:00+02:00", False),
        ("2024-06-04T11:30:00-02:00", True),
        ("2024-06-04T12:30:00", True),
        ("2024-06", False),
        ("2024-07", True),
    ],
)
def test_after_the_evaluation_is_certain_or_it_is_not_after(text: str, after: bool) -> None:
    assert at(text).is_after(datetime(2024, 6, 4, 12, tzinfo=UTC)) is after


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("2024-06-01", "2024-06-02", YES),
        ("2024-06-02", "2024-06-01", NO),
        ("2024-06-01", "2024-06-01", NO),
        ("2024-06", "2024-06-10", UNSURE),
        ("2024-05", "2024-06-10", YES),
        ("2024-06-01T08:00:00Z", "2024-06-01T09:00:00Z", YES),
        ("2024-06-01T10:00:00+02:00", "2024-06-01T08:30:00Z", YES),
    ],
)
def test_before(one: str, other: str, answer: Answer) -> None:
    assert at(one).is_before(at(other)) is answer


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        ("2014-06-04", "2024-06-03", 9),
        ("2014-06-04", "2024-06-04", 10),
        ("2014-06", "2024-06-04", UNSURE),
        ("2014", "2024-12-31", 10),
        ("2014", "2024-06-04", UNSURE),
        ("2012-02-29", "2024-02-28", 11),
    ],
)
def test_age_in_completed_years_or_doubt(birth: str, day: str, years: object) -> None:
    assert whole_years(at(birth), at(day)) == years


@pytest.mark.parametrize("text", ["2024", "2024-06", "2024-06-03"])
def test_a_date_is_shown_as_precisely_as_it_was_recorded(text: str) -> None:
    assert at(text).text == text


def test_an_answer_cannot_be_taken_for_a_truth_value() -> None:
    with pytest.raises(TypeError, match="three values"):
        bool(Answer.UNSURE)
