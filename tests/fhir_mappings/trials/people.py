"""Patients and criteria written as short text, for tables that a clinician can read."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.quantities import Measured
from fhir_mappings.trials.criteria import Match, judge_datum, usable_datum
from fhir_mappings.trials.knowledge import load_trial_knowledge
from fhir_mappings.trials.patient_profile import Birth, Coded, Datum, Given, History, Known, TrialProfile
from fhir_mappings.trials.study import (
    Accrual,
    Age,
    AgeSpan,
    AgeUnit,
    Criterion,
    Expected,
    OneOf,
    Origin,
    Study,
    StudyList,
    TrialFact,
)
from fhir_mappings.trials.study import Span as NumberSpan
from fhir_mappings.trials.vocabulary import FactKind, TrialVocabulary

TODAY = date(2026, 11, 20)
_DATED = re.compile(r"^(.*?)(?: on (\d{4}(?:-\d{2}){0,2}))?$")


@functools.cache
def vocabulary() -> TrialVocabulary:
    """The words that ship with the package."""
    return load_trial_knowledge().vocabulary


def patient(record: Mapping[str, str] | None = None, on: date = TODAY) -> TrialProfile:
    """``{"lineage": "B on 2026-10-01", "age": "2014-03-02"}``; ``-`` is not on record."""
    facts = {TrialFact(key): text for key, text in (record or {}).items() if text != "-"}
    return TrialProfile(on, {fact: _known(fact, text) for fact, text in facts.items()})


def criterion(fact: str, expectation: str) -> Criterion:
    """``B or mixed``, ``not blinatumomab``, ``1 years..30 years``, ``..2``, ``<0.01``."""
    key = TrialFact(fact)
    kind = vocabulary().facts[key].kind
    exclude = expectation.startswith("not ")
    text = expectation.removeprefix("not ")
    expected: Expected
    if kind is FactKind.AGE:
        low, _, high = text.partition("..")
        expected = AgeSpan(_age(low), _age(high))
    elif kind is FactKind.NUMBER:
        expected = _span(text)
    else:
        expected = OneOf(frozenset(text.split(" or ")))
    return Criterion(key, expected, exclude)


def judge(criterion: Criterion, profile: TrialProfile, max_age_days: int | None = None) -> Match:
    """The verdict of one criterion, as a list of studies would get it."""
    datum = usable_datum(profile, criterion.fact, max_age_days)
    return Match.UNKNOWN if datum is None else judge_datum(criterion, datum, profile.on)


def study(name: str, *criteria: Criterion, **changes: object) -> Study:
    """An open study of the hospital's own list."""
    values: dict[str, object] = {
        "id": name,
        "title": f"Fictional study {name}",
        "origin": Origin.CATALOGUE,
        "accrual": Accrual.OPEN,
        "status": "recruiting",
        "status_date": Moment.on(date(2026, 10, 1)),
        "criteria": criteria,
    }
    return Study(**{**values, **changes})  # type: ignore[arg-type]


def listed(*studies: Study, **changes: object) -> StudyList:
    """A complete list of the day."""
    values: dict[str, object] = {
        "key": "catalogue",
        "label": "Fictional list",
        "as_of": Moment.on(TODAY),
        "complete": True,
        "studies": studies,
        "fresh_days": 90,
    }
    return StudyList(**{**values, **changes})  # type: ignore[arg-type]


def _known(fact: TrialFact, record: str) -> Known:
    found = _DATED.match(record)
    assert found is not None
    text, day = found[1], found[2] or ""
    return Known(_datum(fact, text), text, day, f"Observation/{fact.value}")


def _datum(fact: TrialFact, text: str) -> Datum:
    kind = vocabulary().facts[fact].kind
    if kind is FactKind.AGE:
        return Birth(_moment(text))
    if kind is FactKind.NUMBER:
        return _measured(text)
    if kind is FactKind.THERAPIES:
        return _history(text)
    assert text in vocabulary().facts[fact].values, f"{text} is no value of {fact.value}"
    return Coded(text)


def _history(text: str) -> History:
    """``blinatumomab; never car-t``: what was given, and what the record says was never given."""
    parts = [part.strip() for part in text.split(";")]
    never = frozenset(part.removeprefix("never ") for part in parts if part.startswith("never "))
    given = tuple(_given(part) for part in parts if not part.startswith("never "))
    return History(given, never)


def _given(agent: str) -> Given:
    classes = {name for name, agents in vocabulary().classes.items() if agent in agents}
    return Given(frozenset({agent, *classes}), agent, "2025-01-01", f"MedicationRequest/{agent}")


def _moment(text: str) -> Moment:
    if len(text) == 4:
        return Moment(date(int(text), 1, 1), date(int(text), 12, 31))
    return Moment.on(date.fromisoformat(text))


def _measured(text: str) -> Measured:
    number = Decimal(text.lstrip("<>"))
    if text.startswith("<"):
        return Measured(None, number, "", text, high_open=True)
    if text.startswith(">"):
        return Measured(number, None, "", text, low_open=True)
    return Measured(number, number, "", text)


def _span(text: str) -> NumberSpan:
    if text.startswith("<"):
        return NumberSpan(high=Decimal(text[1:]), high_open=True)
    if text.startswith(">"):
        return NumberSpan(low=Decimal(text[1:]), low_open=True)
    low, _, high = text.partition("..")
    return NumberSpan(Decimal(low) if low else None, Decimal(high) if high else None)


def _age(text: str) -> Age | None:
    if not text:
        return None
    count, _, unit = text.partition(" ")
    return Age(int(count), AgeUnit(unit))
