"""What an assessment and its facts say that a study may ask for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.assessment import Assessment, CriterionResult, KnowledgeStamp, Status, Timing, TimingClass
from fhir_mappings.clinical.answers import Answer
from fhir_mappings.clinical.facts import (
    Certainty,
    Diagnosis,
    DiagnosisKind,
    Facts,
    Lineage,
    Medication,
    MedicationState,
    Person,
    Phase,
    ProcedureDone,
    Result,
    ResultStatus,
)
from fhir_mappings.clinical.moments import Moment
from fhir_mappings.clinical.options import Marker
from fhir_mappings.clinical.quantities import Measured, Presence
from fhir_mappings.clinical.verdict import Evidence, Met
from fhir_mappings.trials.patient import trial_profile
from fhir_mappings.trials.patient_profile import History, Known, TrialProfile
from fhir_mappings.trials.study import TrialFact
from tests.fhir_mappings.trials.people import TODAY, criterion, judge, vocabulary

EVENT = Moment.on(date(2026, 11, 2))
UNSET = TimingClass("")
MARROW = Met((Evidence("Observation/marrow", "marrow lymphoblasts", date="2026-11-02"),), EVENT)


def assessed(**changes: Any) -> Assessment:
    values: dict[str, Any] = {
        "patient": "p",
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "knowledge": KnowledgeStamp("all", "1", "sha256:0", "draft"),
        "status": Status.RELAPSE,
        "phase": "active",
        "relapse_number": 1,
        "event": EVENT,
        "event_source": "measured",
        "criteria": (CriterionResult("seed-000", "A", MARROW, ()),),
        "site": "isolated-marrow",
        "timing": Timing(TimingClass("late"), UNSET, UNSET, UNSET),
    }
    return Assessment(**{**values, **changes})


def profile(facts: Facts | None = None, **changes: Any) -> TrialProfile:
    return trial_profile(assessed(**changes), facts or Facts(), vocabulary(), TODAY)


def known(found: TrialProfile, fact: TrialFact) -> tuple[str, str, str]:
    what = found.fact(fact)
    assert isinstance(what, Known)
    return what.text, what.date, what.resource


def diagnosis(kind: DiagnosisKind, **changes: Any) -> Diagnosis:
    values: dict[str, Any] = {
        "resource": f"Condition/{kind.value}",
        "kind": kind,
        "certainty": Certainty.CONFIRMED,
        "phase": Phase.UNSTATED,
        "phase_by_code": Phase.UNSTATED,
        "onset": Moment.on(date(2023, 1, 2)),
        "recorded": Moment.on(date(2023, 1, 3)),
    }
    return Diagnosis(**{**values, **changes})


def result(concept: str, value: str, day: date, **changes: Any) -> Result:
    number = Decimal(value)
    values: dict[str, Any] = {
        "resource": f"Observation/{concept}-{day.isoformat()}",
        "concept": concept,
        "value": Measured(number, number, "%", f"{value} %"),
        "collected": Moment.on(day),
    }
    return Result(**{**values, **changes})


def test_of_an_empty_chart_nothing_is_known() -> None:
    nothing = trial_profile(
        Assessment("p", datetime(2026, 11, 20, tzinfo=UTC), KnowledgeStamp("all", "1", "", ""), Status.NONE),
        Facts(),
        vocabulary(),
        TODAY,
    )
    assert nothing.facts == {}


def test_the_relapse_carries_its_date_and_source() -> None:
    found = profile()
    source = ("2026-11-02", "Observation/marrow")
    assert known(found, TrialFact.DISEASE_STATE) == ("relapsed", *source)
    assert known(found, TrialFact.TIMING) == ("late", *source)
    assert known(found, TrialFact.SITE) == ("isolated marrow", *source)
    assert known(found, TrialFact.RELAPSE_NUMBER) == ("1", *source)


@pytest.mark.parametrize(
    ("status", "phase", "state"),
    [
        (Status.RELAPSE, "active", "relapsed"),
        (Status.RELAPSE, "in-remission", "in remission again after a relapse"),
        (Status.PERSISTENT, "", "relapsed"),
        (Status.REFRACTORY, "", "refractory"),
        (Status.PROBABLE, "", None),
        (Status.SUSPECT, "", None),
        (Status.NONE, "", None),
    ],
)
def test_disease_now(status: Status, phase: str, state: str | None) -> None:
    found = profile(status=status, phase=phase).fact(TrialFact.DISEASE_STATE)
    assert (found.text if isinstance(found, Known) else None) == state


def test_the_event_is_shown_by_evidence_of_its_own_day() -> None:
    because = (Evidence("Observation/flow", "MRD", date="2026-10-30"), *MARROW.because)
    shown = (CriterionResult("seed-000", "A", Met(because, EVENT), ()),)
    assert known(profile(criteria=shown), TrialFact.SITE)[2] == "Observation/marrow"
    assert known(profile(criteria=()), TrialFact.SITE)[2] == ""


@pytest.mark.parametrize("site", ["isolated-marrow", "combined", "isolated-testis"])
def test_a_site_alone_says_nothing_about_the_cns(site: str) -> None:
    assert TrialFact.CNS not in profile(site=site).facts


@pytest.mark.parametrize(("answer", "words"), [(Answer.YES, "CNS involved"), (Answer.NO, "CNS not involved")])
def test_the_lumbar_puncture_that_decides_is_named(answer: Answer, words: str) -> None:
    because = (Evidence("Observation/csf", "CSF blasts", "absent", date="2026-11-04"),)
    found = profile(cns=answer, cns_because=because)
    assert known(found, TrialFact.CNS) == (words, "2026-11-04", "Observation/csf")


def test_what_lies_after_the_assessment_changes_nothing() -> None:
    later = date(2026, 11, 21)
    facts = Facts(
        results=(result("creatinine", "1", date(2026, 11, 19)), result("creatinine", "3", later)),
        medications=(Medication("M/1", "blinatumomab", MedicationState.GIVEN, Moment.on(later)),),
        procedures=(ProcedureDone("P/1", "hsct-allogeneic", Moment.on(later)),),
        diagnoses=(diagnosis(DiagnosisKind.DOWN_SYNDROME, onset=Moment.on(later)),),
    )
    found = profile(facts)
    assert known(found, TrialFact.CREATININE)[1] == "2026-11-19"
    assert not found.facts.keys() & {
        TrialFact.PRIOR_THERAPIES,
        TrialFact.PRIOR_TRANSPLANT,
        TrialFact.DOWN_SYNDROME,
    }


def test_another_measurement_of_the_same_organ_is_no_news() -> None:
    monday = profile(Facts(results=(result("creatinine", "1", date(2026, 11, 16)),)))
    tuesday = profile(Facts(results=(result("creatinine", "2", date(2026, 11, 17)),)))
    assert monday.evidence == tuesday.evidence
    mrd = profile(Facts(results=(result("mrd", "1", date(2026, 11, 17)),)))
    assert mrd.evidence != monday.evidence


def test_a_test_that_decided_nothing_is_not_named_as_the_source_of_a_marker() -> None:
    sure = Result("Observation/1", "cd19", Presence.PRESENT, Moment.on(date(2026, 11, 2)))
    unsure = Result("Observation/2", "cd19", Presence.INDETERMINATE, Moment.on(date(2026, 11, 9)))
    found = profile(Facts(results=(sure, unsure)), cd19=Marker.POSITIVE)
    assert known(found, TrialFact.CD19)[1] == "2026-11-02"


def test_timing_that_is_not_classified_is_not_known() -> None:
    unclear = Timing(TimingClass("indeterminate"), UNSET, UNSET, UNSET)
    assert TrialFact.TIMING not in profile(timing=unclear).facts


def test_markers_take_date_and_resource_from_the_latest_result() -> None:
    facts = Facts(results=(result("cd19", "95", date(2026, 11, 3)), result("cd19", "99", date(2023, 1, 2))))
    found = profile(facts, cd19=Marker.POSITIVE)
    assert known(found, TrialFact.CD19) == ("positive", "2026-11-03", "Observation/cd19-2026-11-03")
    assert TrialFact.CD22 not in found.facts


def test_lineage_takes_its_source_from_the_diagnosis() -> None:
    facts = Facts(diagnoses=(diagnosis(DiagnosisKind.ALL, lineage=Lineage.B),))
    found = profile(facts, lineage=Lineage.B)
    assert known(found, TrialFact.LINEAGE) == ("B lineage", "2023-01-02", "Condition/all")


def test_age_now_is_counted_on_the_day() -> None:
    facts = Facts(persons=(Person("Patient/p", Moment.on(date(2014, 11, 20)), "female"),))
    found = profile(facts)
    assert known(found, TrialFact.AGE) == ("12 years", "2026-11-20", "Patient/p")
    assert known(found, TrialFact.SEX) == ("female", "", "Patient/p")


def test_age_in_years_alone_decides_whole_years_only() -> None:
    found = profile(age_years=17)
    assert judge(criterion("age", "..17 years"), found).value == "met"
    assert judge(criterion("age", "18 years.."), found).value == "not-met"
    assert judge(criterion("age", "210 months.."), found).value == "unknown"


def test_drugs_bring_their_classes_and_planned_ones_do_not_count() -> None:
    given = Medication("MedicationAdministration/1", "blinatumomab", MedicationState.GIVEN, EVENT)
    planned = Medication("MedicationRequest/2", "inotuzumab-ozogamicin", MedicationState.PLANNED, None)
    found = profile(Facts(medications=(given, planned)))
    history = found.facts[TrialFact.PRIOR_THERAPIES].datum
    assert isinstance(history, History)
    assert [one.names for one in history.given] == [{"blinatumomab", "cd19-directed"}]
    assert judge(criterion("prior-therapies", "not cd19-directed"), found).value == "not-met"
    assert judge(criterion("prior-therapies", "not cd22-directed"), found).value == "unknown"


def test_car_t_cells_of_unnamed_target_do_not_decide_about_cd19() -> None:
    found = profile(Facts(procedures=(ProcedureDone("Procedure/1", "car-t", EVENT),)))
    assert judge(criterion("prior-therapies", "not car-t"), found).value == "not-met"
    assert judge(criterion("prior-therapies", "not cd19-directed"), found).value == "unknown"


@pytest.mark.parametrize(
    "facts",
    [
        Facts(procedures=(ProcedureDone("Procedure/1", "hsct-allogeneic", EVENT),)),
        Facts(diagnoses=(diagnosis(DiagnosisKind.TRANSPLANT_STATUS),)),
    ],
)
def test_a_transplant_is_found_as_procedure_or_status(facts: Facts) -> None:
    assert judge(criterion("prior-transplant", "no"), profile(facts)).value == "not-met"


def test_no_transplant_on_record_is_unknown() -> None:
    assert judge(criterion("prior-transplant", "no"), profile()).value == "unknown"


def test_down_syndrome() -> None:
    found = profile(Facts(diagnoses=(diagnosis(DiagnosisKind.DOWN_SYNDROME),)))
    assert judge(criterion("down-syndrome", "not yes"), found).value == "not-met"


def test_results_are_the_latest_final_ones() -> None:
    facts = Facts(
        results=(
            result("mrd", "0.5", date(2026, 11, 3)),
            result("mrd", "0.001", date(2026, 11, 10), status=ResultStatus.PRELIMINARY),
            result("mrd", "0.9", date(2025, 11, 3)),
        )
    )
    assert known(profile(facts), TrialFact.MRD) == ("0.5 %", "2026-11-03", "Observation/mrd-2026-11-03")


def test_the_disease_takes_its_source_from_the_first_confirmed_diagnosis() -> None:
    doubted = diagnosis(DiagnosisKind.ALL, resource="Condition/0", certainty=Certainty.PROVISIONAL)
    found = profile(Facts(diagnoses=(doubted, diagnosis(DiagnosisKind.ALL))), status=Status.NONE)
    assert known(found, TrialFact.DISEASE)[1:] == ("2023-01-02", "Condition/all")
