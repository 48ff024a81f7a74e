"""One criterion against one patient: met, not met, or unknown. Unknown never counts as not met."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum

from fhir_mappings.clinical.answers import Answer, both
from fhir_mappings.clinical.moments import Moment, add_months
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.trials.patient_profile import (
    Birth,
    Coded,
    Datum,
    Given,
    History,
    Known,
    TrialProfile,
)
from fhir_mappings.trials.study import AgeSpan, AgeUnit, Criterion, Expected, OneOf, Span, TrialFact


class Match(Enum):
    """The verdict on one criterion."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


def usable_datum(profile: TrialProfile, fact: TrialFact, max_age_days: int | None) -> Datum | None:
    """What is known of ``fact``; None where nothing is, or nothing recent enough."""
    known = profile.fact(fact)
    if not isinstance(known, Known) or is_outdated(known, profile.on, max_age_days):
        return None
    return known.datum


def judge_datum(criterion: Criterion, datum: Datum, on: date) -> Match:
    """The verdict of ``criterion`` for a known datum."""
    answer = _answer(criterion.expected, datum, on)
    if answer is Answer.UNSURE:
        return Match.UNKNOWN
    return Match.MET if (answer is Answer.YES) is not criterion.exclude else Match.NOT_MET


def is_outdated(known: Known, on: date, max_age_days: int | None) -> bool:
    """Whether a datum lies more than ``max_age_days`` back; an undated one counts as outdated."""
    if max_age_days is None:
        return False
    try:
        day = date.fromisoformat(known.date[:10])
    except ValueError:
        return True
    return on - day > timedelta(days=max_age_days)


def matched_therapies(expected: Expected, history: History) -> tuple[Given, ...]:
    """The therapies on record that ``expected`` names."""
    if not isinstance(expected, OneOf):
        return ()
    return tuple(one for one in history.given if one.names & expected.values)


def _answer(expected: Expected, datum: Datum, on: date) -> Answer:
    match expected, datum:
        case OneOf(), Coded():
            return Answer.of(datum.value in expected.values)
        case OneOf(), History():
            return _in_history(expected, datum)
        case Span(), Measured():
            return _in_span(expected, datum)
        case AgeSpan(), Birth():
            return _in_ages(expected, datum.moment, on)
        case _:
            return Answer.UNSURE


def _in_history(expected: OneOf, history: History) -> Answer:
    if matched_therapies(expected, history):
        return Answer.YES
    return Answer.NO if expected.values <= history.never else Answer.UNSURE


def _in_span(span: Span, value: Measured) -> Answer:
    low = high = Answer.YES
    if span.low is not None:
        low = value.is_above(span.low) if span.low_open else value.is_at_least(span.low)
    if span.high is not None:
        high = _negated(value.is_at_least(span.high) if span.high_open else value.is_above(span.high))
    return both(low, high)


def _in_ages(span: AgeSpan, birth: Moment, on: date) -> Answer:
    low = high = Answer.YES
    if span.low is not None:
        low = _has_completed(birth, on, span.low.count, span.low.unit)
    if span.high is not None:
        high = _negated(_has_completed(birth, on, span.high.count + 1, span.high.unit))
    return both(low, high)


def _has_completed(birth: Moment, on: date, count: int, unit: AgeUnit) -> Answer:
    """Whether ``count`` units of age were completed by ``on``, over the interval of the birth date."""
    if _birthday(birth.last, count, unit) <= on:
        return Answer.YES
    if birth.is_exact_day or _birthday(birth.first, count, unit) > on:
        return Answer.NO
    return Answer.UNSURE


def _birthday(birth: date, count: int, unit: AgeUnit) -> date:
    try:
        if unit is AgeUnit.YEARS or unit is AgeUnit.MONTHS:
            return add_months(birth, count * 12 if unit is AgeUnit.YEARS else count)
        return birth + timedelta(days=count * 7 if unit is AgeUnit.WEEKS else count)
    except (ValueError, OverflowError):
        return date.max


def _negated(answer: Answer) -> Answer:
    if answer is Answer.UNSURE:
        return answer
    return Answer.NO if answer is Answer.YES else Answer.YES
