"""Condition to diagnoses: code, certainty, phase; words only where no code is known (F-14 to F-16)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.clinical.facts import Certainty, Diagnosis, DiagnosisKind, Lineage, Phase
from fhir_mappings.fhir.conditions import HISTOLOGY
from tests.fhir_mappings.fhir.charts import (
    B_ALL,
    SNOMED,
    T_ALL,
    clinical,
    concept,
    condition,
    diagnosis_of,
    facts_of,
    ignored_of,
    verification,
)

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOCAL = "http://ehr.example.org"


def coded(*codings: tuple[str, str], **elements: Any) -> dict[str, Any]:
    code = {"coding": [{"system": system, "code": code} for system, code in codings]}
    return condition(**elements) | {"code": code}


@pytest.mark.parametrize(
    ("system", "code", "kind", "lineage", "phase"),
    [
        (SNOMED, B_ALL, DiagnosisKind.ALL, Lineage.B, Phase.UNSTATED),
        (SNOMED, T_ALL, DiagnosisKind.ALL, Lineage.T, Phase.UNSTATED),
        (SNOMED, "91857003", DiagnosisKind.ALL, Lineage.UNKNOWN, Phase.UNSTATED),
        (SNOMED, "425941003", DiagnosisKind.ALL, Lineage.B, Phase.REMISSION),
        (ICD10CM, "C91.01", DiagnosisKind.ALL, Lineage.UNKNOWN, Phase.REMISSION),
        (ICD10CM, "C91.02", DiagnosisKind.ALL, Lineage.UNKNOWN, Phase.RELAPSE),
        (SNOMED, "278453007", DiagnosisKind.MIXED_PHENOTYPE, Lineage.UNKNOWN, Phase.UNSTATED),
        (ICD10CM, "C91.A0", DiagnosisKind.OTHER_LEUKAEMIA, Lineage.UNKNOWN, Phase.UNSTATED),
        (SNOMED, "722795004", DiagnosisKind.CNS, Lineage.UNKNOWN, Phase.UNSTATED),
        (SNOMED, "94623007", DiagnosisKind.TESTIS, Lineage.UNKNOWN, Phase.UNSTATED),
    ],
)
def test_what_a_code_states(
    system: str, code: str, kind: DiagnosisKind, lineage: Lineage, phase: Phase
) -> None:
    found = diagnosis_of(coded((system, code)))
    assert (found.kind, found.lineage, found.phase_by_code) == (kind, lineage, phase)
    assert found.code == f"{system}|{code}"


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (ICD10CM, "C91.10"),
        (ICD10CM, "C92.00"),
        (SNOMED, "195967001"),
        (LOCAL, B_ALL),
        (SNOMED, "C91.02"),
    ],
)
def test_other_diseases_and_codes_of_other_systems_are_no_all(system: str, code: str) -> None:
    assert all(one.kind is not DiagnosisKind.ALL for one in facts_of(coded((system, code))).diagnoses)


@pytest.mark.parametrize(
    ("codings", "lineage", "phase"),
    [
        ([(SNOMED, "91857003"), (SNOMED, B_ALL)], Lineage.B, Phase.UNSTATED),
        ([(SNOMED, B_ALL), (ICD10CM, "C91.02")], Lineage.B, Phase.RELAPSE),
        ([(ICD10CM, "C91.02"), (SNOMED, B_ALL)], Lineage.B, Phase.RELAPSE),
        ([(SNOMED, B_ALL), (SNOMED, T_ALL)], Lineage.MIXED, Phase.UNSTATED),
        ([(LOCAL, "L1"), (SNOMED, B_ALL)], Lineage.B, Phase.UNSTATED),
        ([(ICD10CM, "C91.A0"), (SNOMED, B_ALL)], Lineage.B, Phase.UNSTATED),
    ],
)
def test_several_codings_say_more_together(
    codings: list[tuple[str, str]], lineage: Lineage, phase: Phase
) -> None:
    found = diagnosis_of(coded(*codings))
    assert (found.kind, found.lineage, found.phase_by_code) == (DiagnosisKind.ALL, lineage, phase)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("confirmed", Certainty.CONFIRMED),
        ("", Certainty.CONFIRMED),
        ("unconfirmed", Certainty.PROVISIONAL),
        ("provisional", Certainty.PROVISIONAL),
        ("differential", Certainty.PROVISIONAL),
        ("refuted", "refuted"),
        ("entered-in-error", "entered-in-error"),
    ],
)
def test_certainty(status: str, expected: object) -> None:
    made = condition(verificationStatus=verification(status) if status else None)
    facts = facts_of(made)
    found: list[object] = [one.certainty for one in facts.diagnoses]
    found = found or [why for _, why in ignored_of(facts)]
    assert found == [expected]


@pytest.mark.parametrize(
    ("code", "status", "phase"),
    [
        (B_ALL, "active", Phase.ACTIVE),
        (B_ALL, "relapse", Phase.RELAPSE),
        (B_ALL, "recurrence", Phase.RELAPSE),
        (B_ALL, "remission", Phase.REMISSION),
        (B_ALL, "inactive", Phase.INACTIVE),
        (B_ALL, "resolved", Phase.INACTIVE),
        (B_ALL, "", Phase.UNSTATED),
        (B_ALL, "nonsense", Phase.UNSTATED),
        # The code of a remission that is called active is still that of a remission.
        ("425941003", "active", Phase.REMISSION),
        ("425941003", "relapse", Phase.RELAPSE),
    ],
)
def test_the_phase_of_code_and_status_together(code: str, status: str, phase: Phase) -> None:
    made = condition(code, clinicalStatus=clinical(status) if status else None)
    assert diagnosis_of(made).phase is phase


@pytest.mark.parametrize(
    ("elements", "onset", "recorded"),
    [
        ({}, "2021-03-10", None),
        ({"onsetDateTime": "2021-03", "recordedDate": "2021-04-01"}, "2021-03", "2021-04-01"),
        ({"onsetDateTime": None, "onsetPeriod": {"start": "2021-03-10"}}, "2021-03-10", None),
        ({"onsetDateTime": None, "recordedDate": "2021-04-01"}, None, "2021-04-01"),
        ({"onsetDateTime": "childhood"}, None, None),
    ],
)
def test_dates(elements: dict[str, Any], onset: str | None, recorded: str | None) -> None:
    found = diagnosis_of(condition(**elements))
    assert (found.onset.text if found.onset else None) == onset
    assert (found.recorded.text if found.recorded else None) == recorded


@pytest.mark.parametrize(
    ("text", "lineage"),
    [
        ("Acute lymphoblastic leukemia", Lineage.UNKNOWN),
        ("ACUTE LYMPHOBLASTIC LEUKAEMIA", Lineage.UNKNOWN),
        ("Acute lymphoid leukemia", Lineage.UNKNOWN),
        ("B-cell precursor acute lymphoblastic leukemia", Lineage.B),
        ("T-cell acute lymphoblastic leukemia", Lineage.T),
        ("Acute\u00a0lymphoblastic\u00a0leukemia", Lineage.UNKNOWN),
        ("Acute lympho\u200bblastic leukemia", Lineage.UNKNOWN),
    ],
)
def test_words_are_understood_where_no_code_is(text: str, lineage: Lineage) -> None:
    found = diagnosis_of(condition() | {"code": concept(LOCAL, "L7", text)})
    assert (found.kind, found.lineage, found.code) == (DiagnosisKind.ALL, lineage, "text")


@pytest.mark.parametrize(
    "text",
    [
        "Family history of acute lymphoblastic leukemia",
        "Mother with acute lymphoblastic leukemia",
        "Suspected acute lymphoblastic leukemia",
        "Rule out acute lymphoblastic leukemia",
        "No evidence of acute lymphoblastic leukemia",
        "Possible acute lymphoblastic leukemia",
        "At risk of acute lymphoblastic leukemia",
        "Chronic lymphocytic leukemia",
        "Acute myeloid leukemia",
        "Lymphoma",
        "",
    ],
)
def test_words_of_a_relative_a_question_or_a_denial_are_no_diagnosis(text: str) -> None:
    made = condition() | {"code": concept(LOCAL, "L7", text)}
    assert not any(one.kind is DiagnosisKind.ALL for one in facts_of(made).diagnoses)


def morphology(code: str) -> list[dict[str, Any]]:
    return [{"url": HISTOLOGY, "valueCodeableConcept": concept(SNOMED, code)}]


def histology_of(found: Diagnosis) -> tuple[DiagnosisKind, Lineage]:
    return found.kind, found.lineage


def test_the_morphology_of_mcode_is_read_beside_the_code() -> None:
    generic = diagnosis_of(condition("91857003", extension=morphology(B_ALL)))
    assert histology_of(generic) == (DiagnosisKind.ALL, Lineage.B)
    elsewhere = condition(
        extension=[{"url": "http://example.org", "valueCodeableConcept": concept(SNOMED, T_ALL)}]
    )
    assert histology_of(diagnosis_of(elsewhere)) == (DiagnosisKind.ALL, Lineage.B)


@pytest.mark.parametrize("extension", ["x", [5], {"url": 5}, [{"url": HISTOLOGY, "valueCodeableConcept": 7}]])
def test_extensions_that_cannot_be_understood_leave_the_problem_list_open(extension: Any) -> None:
    facts = facts_of(condition(extension=extension))
    assert not facts.diagnoses
    assert ignored_of(facts) == [("Condition/c1", "unreadable")]
    assert facts.unreadable == {"conditions"}


def test_a_modifier_extension_leaves_the_problem_list_open() -> None:
    facts = facts_of(condition(modifierExtension=[{"url": "http://example.org/not"}]))
    assert not facts.diagnoses
    assert facts.unreadable == {"conditions"}
