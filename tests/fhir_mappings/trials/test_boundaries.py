"""Words of open spans, several therapies, unknown codes, and sites at the edge of the reach."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from fhir_mappings.trials.patient_profile import Coded, Given, History, Known, TrialProfile
from fhir_mappings.trials.ranking import Home, distance_km, match_studies, prepare
from fhir_mappings.trials.study import (
    Accrual,
    AgeSpan,
    Criterion,
    OneOf,
    Site,
    Span,
    TrialFact,
)
from fhir_mappings.trials.wording import expected_text, found
from tests.fhir_mappings.trials.people import TODAY, listed, patient, study, vocabulary

HERE = Home(50.0, 8.0, 100)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Span(Decimal(1), Decimal(2), low_open=True), "more than 1, 2 or less"),
        (Span(Decimal(1), Decimal(2), high_open=True), "1 or more, less than 2"),
        (Span(Decimal(1), Decimal(2), low_open=True, high_open=True), "more than 1, less than 2"),
        (Span(None, Decimal(2)), "2 or less"),
        (Span(None, Decimal(2), high_open=True), "less than 2"),
        (Span(), "any"),
    ],
)
def test_spans_in_words(expected: Span, words: str) -> None:
    assert expected_text(Criterion(TrialFact.RELAPSE_NUMBER, expected), vocabulary()) == words


def test_no_age_limit_in_words() -> None:
    assert expected_text(Criterion(TrialFact.AGE, AgeSpan(None, None)), vocabulary()) == "any"


def test_several_therapies_are_named_by_date_and_the_latest_is_the_evidence() -> None:
    both = frozenset({"blinatumomab", "cd19-directed"})
    history = History(
        (
            Given(both, "second", "2025-02-01", "MedicationRequest/a"),
            Given(both, "first", "2025-01-01", "MedicationRequest/z"),
            Given(both, "second", "2025-02-01", "MedicationRequest/b"),
        ),
        frozenset(),
    )
    known = Known(history, "", "", "")
    person = TrialProfile(TODAY, {TrialFact.PRIOR_THERAPIES: known})
    wanted = Criterion(TrialFact.PRIOR_THERAPIES, OneOf(frozenset({"cd19-directed"})))
    shown = found(wanted, person, vocabulary())
    assert (shown.text, shown.date, shown.resource) == ("first, second", "2025-02-01", "MedicationRequest/b")


def test_codes_without_a_word_stand_for_themselves() -> None:
    words = vocabulary()
    assert words.phase("PHASE-NEW") == "PHASE-NEW"
    assert words.status("STATUS-NEW") == "STATUS-NEW"
    assert words.status("RECRUITING") == "recruiting"
    assert words.accrual("STATUS-NEW") is Accrual.UNKNOWN
    assert words.accrual("RECRUITING") is Accrual.OPEN


def site(name: str, latitude: float | None, accrual: Accrual = Accrual.OPEN) -> Site:
    return Site(name, accrual=accrual, latitude=latitude, longitude=8.0 if latitude is not None else None)


@pytest.mark.parametrize(
    ("sites", "chosen"),
    [
        # A closed site loses against any other, however near.
        ((site("closed", 50.0, Accrual.CLOSED), site("open", 50.3)), "open"),
        # Within reach before beyond it, even where it is only to open.
        ((site("far", 60.0), site("to open", 50.1, Accrual.OPENING)), "to open"),
        # Among open ones the nearer.
        ((site("near by", 50.2), site("nearer", 50.1)), "nearer"),
        # A known distance before an unknown one.
        ((site("unknown", None), site("known", 50.5)), "known"),
    ],
)
def test_the_site_that_is_shown(sites: tuple[Site, ...], chosen: str) -> None:
    index = prepare([listed(study("A", sites=sites))], HERE)
    result = match_studies(index, patient({"lineage": "B"}), vocabulary())
    (match,) = result.candidates
    assert match.placed.site is not None
    assert match.placed.site.name == chosen


def test_opposite_ends_of_the_earth_are_half_its_circumference_apart() -> None:
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=10)
    assert distance_km(90, 0, -90, 0) == pytest.approx(20015, abs=10)
    assert distance_km(50, 8, 50, 8) == 0


def test_a_coded_datum_is_shown_as_it_is() -> None:
    person = TrialProfile(
        date(2026, 11, 20), {TrialFact.LINEAGE: Known(Coded("B"), "B", "2026-11-01", "O/1")}
    )
    shown = found(Criterion(TrialFact.LINEAGE, OneOf(frozenset({"B"}))), person, vocabulary())
    assert (shown.text, shown.date) == ("B", "2026-11-01")
