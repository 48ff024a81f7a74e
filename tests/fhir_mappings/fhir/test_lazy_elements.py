"""Codes, values and states are decoded when they are read; of the wrong type they are never nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.fhir.decoding import decode, named_codes
from fhir_mappings.fhir.elements import Entry
from fhir_mappings.fhir.lazy_elements import UnreadableElement, concept_of, quantity_of, understood
from fhir_mappings.fhir.lazy_rare_elements import notes_of
from tests.fhir_mappings.fhir.charts import concept, condition, facts_of, observation, quantity

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SODIUM = "2951-2"


def test_numbers_are_exact() -> None:
    data = json.dumps(observation()).replace("78", "0.1000000000000000055").encode()
    value = quantity_of(decode(data).resource.value_quantity)
    assert value is not None
    assert str(value.value) == "0.1000000000000000055"


def order(concept: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": concept,
    }


@pytest.mark.parametrize(
    ("bad", "needs"),
    [
        (observation(valueQuantity="78 %"), {"marrow"}),
        (observation(valueQuantity=[quantity(78)]), {"marrow"}),
        (observation() | {"code": "11150-0"}, {"marrow", "blood", "csf"}),
        (observation() | {"code": [{"coding": []}]}, {"marrow", "blood", "csf"}),
        (condition() | {"code": {"coding": {"code": "277571004"}}}, {"conditions"}),
        (condition(clinicalStatus=7), {"conditions"}),
        (condition(verificationStatus=["confirmed"]), {"conditions"}),
        (order("mercaptopurine"), {"medications"}),
        (
            {"resourceType": "Procedure", "id": "x", "subject": {"reference": "Patient/p1"}, "code": 5},
            {"procedures"},
        ),
    ],
)
def test_an_element_of_the_wrong_type_leaves_its_need_open(bad: dict[str, Any], needs: set[str]) -> None:
    facts = facts_of(bad, observation(id="o2"))
    assert facts.unreadable == needs
    assert [(one.resource, one.why) for one in facts.ignored] == [
        (f"{bad['resourceType']}/{bad['id']}", "unreadable")
    ]
    assert [result.resource for result in facts.results] == ["Observation/o2"]


@pytest.mark.parametrize(
    "harmless",
    [
        observation(SODIUM, valueQuantity="140"),
        condition("195967001", clinicalStatus=7),
        observation(valueQuantity=None, valueString="no blasts seen"),
        observation(SODIUM) | {"code": None},
        order(None) | {"medicationReference": {"display": "paracetamol"}},
    ],
)
def test_what_no_rule_reads_opens_no_need(harmless: dict[str, Any]) -> None:
    assert not facts_of(harmless).unreadable


def test_a_code_that_stands_often_means_the_same_each_time() -> None:
    counts = [observation(id=f"o{number}", valueQuantity=quantity(number)) for number in range(3)]
    orders = [order(concept(RXNORM, "103")) | {"id": f"m{number}"} for number in range(3)]
    facts = facts_of(*counts, *orders, condition(), condition(id="c2"))
    assert [result.concept for result in facts.results] == ["marrow-blasts"] * 3
    assert [drug.agent for drug in facts.medications] == ["mercaptopurine"] * 3
    assert [found.resource for found in facts.diagnoses] == ["Condition/c1", "Condition/c2"]
    assert len({found.code for found in facts.diagnoses}) == 1


def test_an_unreadable_code_is_unreadable_each_time() -> None:
    bad = [observation(id=f"o{number}") | {"code": 5} for number in range(2)]
    assert [one.resource for one in facts_of(*bad).ignored] == ["Observation/o0", "Observation/o1"]


def test_a_drug_whose_code_cannot_be_read_is_known_by_what_the_order_shows() -> None:
    drug = {"resourceType": "Medication", "id": "d1", "code": 5}
    shown = order(None) | {"medicationReference": {"reference": "Medication/d1", "display": "Vincristine"}}
    assert [found.agent for found in facts_of(drug, shown).medications] == ["vincristine"]


@pytest.mark.parametrize("contained", [False, True])
def test_a_drug_whose_code_cannot_be_read_leaves_the_medicines_open(contained: bool) -> None:
    drug = {"resourceType": "Medication", "id": "d1", "code": 5}
    reference = "#d1" if contained else "Medication/d1"
    given = {**order(None), "medicationReference": {"reference": reference}}
    facts = facts_of({**given, "contained": [drug]}) if contained else facts_of(drug, given)
    assert facts.medications == ()
    assert facts.unreadable == {"medications", "administrations"}


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_a_code_that_is_no_utf_8_is_unreadable(bad: bytes) -> None:
    data = json.dumps(observation()).encode().replace(b"11150-0", bad)
    decoded = decode(data)
    if decoded.unreadable:
        assert [one.resource_type for one in decoded.unreadable] == ["Observation"]
        return
    resource = decoded.resource
    assert named_codes(resource.code) == ()
    with pytest.raises(UnreadableElement):
        concept_of(resource.code)
    entries, lost = understood([Entry(resource=resource)])
    assert entries == []
    assert [one.resource_type for one in lost] == ["Observation"]


def test_a_note_that_is_no_utf_8_is_none() -> None:
    resource = {**observation(), "note": [{"text": "remark"}]}
    data = json.dumps(resource).encode().replace(b"remark", b"\xff\xfe")
    assert notes_of(decode(data).resource) == []
