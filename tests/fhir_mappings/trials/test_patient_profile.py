"""What is known of a patient for trials, and the digest that says when it became news."""

from __future__ import annotations

from fhir_mappings.trials.patient_profile import NOT_KNOWN, Given, History, Known, TrialProfile
from fhir_mappings.trials.study import TrialFact
from tests.fhir_mappings.trials.people import TODAY, patient

BLINATUMOMAB = Given(frozenset({"blinatumomab"}), "blinatumomab", "2025-01-01", "MedicationRequest/b")
NELARABINE = Given(frozenset({"nelarabine"}), "nelarabine", "2025-03-01", "MedicationRequest/n")


def treated(*given: Given, never: frozenset[str] = frozenset()) -> TrialProfile:
    return TrialProfile(TODAY, {TrialFact.PRIOR_THERAPIES: Known(History(given, never), "therapies")})


def test_what_is_not_on_record_is_a_value_of_its_own() -> None:
    assert patient({"lineage": "B"}).fact(TrialFact.CD19) is NOT_KNOWN


def test_the_order_of_therapies_is_no_news() -> None:
    assert treated(BLINATUMOMAB, NELARABINE).evidence == treated(NELARABINE, BLINATUMOMAB).evidence


def test_another_therapy_is_news() -> None:
    seen = {
        treated().evidence,
        treated(BLINATUMOMAB).evidence,
        treated(BLINATUMOMAB, NELARABINE).evidence,
        treated(BLINATUMOMAB, never=frozenset({"car-t"})).evidence,
        treated(BLINATUMOMAB, never=frozenset({"car-t", "hsct"})).evidence,
    }
    assert len(seen) == 5


def test_a_day_later_nothing_is_news() -> None:
    profile = patient({"lineage": "B", "age": "2014-03-02"})
    later = patient({"lineage": "B", "age": "2014-03-02"}, on=TODAY.replace(day=21))
    assert profile.evidence == later.evidence
