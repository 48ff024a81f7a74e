"""Organ function as trials ask for it: one unit each, and never a guess about another."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.assess import Subject, load_knowledge, read_facts
from fhir_mappings.clinical.facts import Result
from fhir_mappings.clinical.quantities import Measured, Unusable
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry

UCUM = "http://unitsofmeasure.org"


def observed(code: str, value: float, unit: str) -> Result:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-16",
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
    entry = Entry(resource=decode(json.dumps(resource).encode()).resource)
    (result,) = read_facts([entry], Subject("p1"), load_knowledge()).results
    return result


@pytest.mark.parametrize(
    ("code", "concept", "unit", "canonical"),
    [
        ("2160-0", "creatinine", "mg/dL", "mg/dL"),
        ("62238-1", "gfr", "mL/min/{1.73_m2}", "mL/min/1.73m2"),
        ("1975-2", "bilirubin", "mg/dL", "mg/dL"),
        ("1742-6", "alt", "U/L", "U/L"),
        ("1920-8", "ast", "[IU]/L", "U/L"),
        ("10230-1", "ejection-fraction", "%", "%"),
    ],
)
def test_each_is_read_in_the_unit_of_its_criteria(code: str, concept: str, unit: str, canonical: str) -> None:
    found = observed(code, 1.5, unit)
    assert found.concept == concept
    assert found.value == Measured(Decimal("1.5"), Decimal("1.5"), canonical, f"1.5 {unit}")


@pytest.mark.parametrize(
    ("code", "unit"),
    [("14682-9", "umol/L"), ("14631-6", "umol/L"), ("2164-2", "mL/min"), ("1742-6", "ukat/L")],
)
def test_a_unit_without_a_sourced_factor_is_not_used(code: str, unit: str) -> None:
    assert isinstance(observed(code, 90, unit).value, Unusable)


def test_organ_function_is_asked_for_in_one_short_query_and_its_absence_only_said() -> None:
    (need,) = (need for need in load_knowledge().needs if need.key == "organs")
    assert need.requirement == "degradable"
    assert len(",".join(need.codes)) < 1300
