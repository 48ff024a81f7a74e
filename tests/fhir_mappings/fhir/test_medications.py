"""Medication resources to agents: given, running, planned, or not given at all."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.clinical.facts import MedicationState
from tests.fhir_mappings.fhir.charts import PATIENT, concept, facts_of, ignored_of

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
METHOTREXATE, BLINATUMOMAB = "6851", "1597258"
GIVEN, RUNNING = MedicationState.GIVEN, MedicationState.RUNNING
STOPPED, PLANNED = MedicationState.STOPPED, MedicationState.PLANNED


def medication(kind: str, status: str, **elements: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": kind,
        "id": "m1",
        "status": status,
        "subject": {"reference": f"Patient/{PATIENT}"},
        "medicationCodeableConcept": concept(RXNORM, METHOTREXATE),
    }
    return {name: value for name, value in {**made, **elements}.items() if value is not None}


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("MedicationAdministration", "completed", GIVEN),
        ("MedicationAdministration", "in-progress", RUNNING),
        ("MedicationAdministration", "stopped", GIVEN),
        ("MedicationAdministration", "not-done", "not-given"),
        ("MedicationAdministration", "entered-in-error", "not-given"),
        ("MedicationStatement", "active", RUNNING),
        ("MedicationStatement", "intended", PLANNED),
        ("MedicationStatement", "not-taken", "not-given"),
        ("MedicationRequest", "active", RUNNING),
        ("MedicationRequest", "completed", GIVEN),
        ("MedicationRequest", "stopped", STOPPED),
        ("MedicationRequest", "on-hold", STOPPED),
        ("MedicationRequest", "draft", PLANNED),
        ("MedicationRequest", "cancelled", "not-given"),
        ("MedicationRequest", "unknown", "not-given"),
        ("MedicationRequest", "", "not-given"),
    ],
)
def test_the_state(kind: str, status: str, expected: object) -> None:
    facts = facts_of(medication(kind, status))
    found: list[object] = [one.state for one in facts.medications]
    found = found or [why for _, why in ignored_of(facts)]
    assert found == [expected]


@pytest.mark.parametrize("intent", ["proposal", "plan", "option"])
def test_a_proposal_is_no_treatment(intent: str) -> None:
    (found,) = facts_of(medication("MedicationRequest", "active", intent=intent)).medications
    assert found.state is PLANNED


def test_an_order_not_to_give_is_none() -> None:
    assert not facts_of(medication("MedicationRequest", "active", doNotPerform=True)).medications


@pytest.mark.parametrize(
    ("elements", "start", "end"),
    [
        ({"authoredOn": "2024-05-01"}, "2024-05-01", None),
        ({"effectiveDateTime": "2024-05-02", "authoredOn": "2024-05-01"}, "2024-05-02", None),
        ({"effectivePeriod": {"start": "2024-05-02", "end": "2024-05-09"}}, "2024-05-02", "2024-05-09"),
        ({"effectivePeriod": {"end": "2024-05-09"}}, "2024-05-09", "2024-05-09"),
        ({}, None, None),
    ],
)
def test_when(elements: dict[str, Any], start: str | None, end: str | None) -> None:
    (found,) = facts_of(medication("MedicationStatement", "completed", **elements)).medications
    assert (found.start.text if found.start else None) == start
    assert (found.end.text if found.end else None) == end


@pytest.mark.parametrize(
    ("drug", "agents"),
    [
        (concept(RXNORM, BLINATUMOMAB), ["blinatumomab"]),
        (concept("http://local.example.org", "X", "Methotrexate 15 mg/m2 IT"), ["methotrexate"]),
        (concept("http://local", "X", "mercaptopurine, methotrexate"), ["mercaptopurine", "methotrexate"]),
        (concept("http://local.example.org", BLINATUMOMAB), []),
        (concept(RXNORM, "161", "Acetaminophen"), []),
        ({}, []),
    ],
)  # fmt: skip
def test_agents_by_code_or_name(drug: dict[str, Any], agents: list[str]) -> None:
    facts = facts_of(medication("MedicationRequest", "active", medicationCodeableConcept=drug))
    assert sorted(one.agent for one in facts.medications) == agents


@pytest.mark.parametrize(
    ("reference", "contained"), [("Medication/d1", False), ("#d1", True), ("Medication/absent", False)]
)
def test_a_drug_may_be_named_by_reference(reference: str, contained: bool) -> None:
    drug = {"resourceType": "Medication", "id": "d1", "code": concept(RXNORM, BLINATUMOMAB)}
    elements: dict[str, Any] = {
        "medicationCodeableConcept": None,
        "medicationReference": {"reference": reference, "display": "Methotrexate"},
    }
    if contained:
        elements["contained"] = [drug]
    facts = facts_of(medication("MedicationRequest", "active", **elements), drug)
    # What the reference does not lead to is named by its display at least.
    expected = "methotrexate" if reference == "Medication/absent" else "blinatumomab"
    assert [one.agent for one in facts.medications] == [expected]


@pytest.mark.parametrize(
    ("elements", "intrathecal"),
    [
        ({"dosageInstruction": [{"route": concept("http://snomed.info/sct", "72607000")}]}, True),
        ({"dosage": {"route": {"text": "Intrathecal route"}}}, True),
        ({"dosage": [{"route": {"text": "oral"}}]}, False),
        ({}, False),
    ],
)
def test_the_route(elements: dict[str, Any], intrathecal: bool) -> None:
    (found,) = facts_of(medication("MedicationRequest", "active", **elements)).medications
    assert found.intrathecal is intrathecal
