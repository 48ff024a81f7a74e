"""Small R4 resources, and the facts that the readers make of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fhir_mappings.assess import Knowledge, Subject, load_knowledge, read_facts
from fhir_mappings.clinical.facts import Diagnosis, Facts, Result
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry

Json = dict[str, Any]

PATIENT = "p1"
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
MARROW, CSF_WBC, BLOOD_WBC, CYTOLOGY = "11150-0", "26465-5", "26464-8", "42209-7"
B_ALL, T_ALL = "277571004", "277575008"
_STATUS = "http://terminology.hl7.org/CodeSystem/condition-"
_NO_CODES: Mapping[str, Sequence[str]] = {}


@cache
def knowledge() -> Knowledge:
    """The knowledge inside the package."""
    return load_knowledge()


def concept(system: str = "", code: str = "", text: str = "") -> Json:
    """A CodeableConcept of at most one coding."""
    found: Json = {"text": text} if text else {}
    return {**found, "coding": [{"system": system, "code": code}]} if code else found


def quantity(value: float, unit: str = "%", comparator: str = "", system: str = UCUM) -> Json:
    """A Quantity; without system its unit is text alone."""
    found: Json = {"value": value, "unit": unit}
    if comparator:
        found["comparator"] = comparator
    return {**found, "system": system, "code": unit} if system else found


def observation(code: str = MARROW, **elements: Any) -> Json:
    """A final marrow result of 78 %, with some elements changed; None takes one away."""
    made: Json = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(LOINC, code),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": "2024-06-03",
        "valueQuantity": quantity(78),
    }
    return _changed(made, elements)


def condition(code: str = B_ALL, **elements: Any) -> Json:
    """A confirmed, active B-ALL, with some elements changed; None takes one away."""
    made: Json = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": concept(f"{_STATUS}clinical", "active"),
        "verificationStatus": concept(f"{_STATUS}ver-status", "confirmed"),
        "code": concept(SNOMED, code),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "onsetDateTime": "2021-03-10",
    }
    return _changed(made, elements)


def clinical(code: str) -> Json:
    """A clinicalStatus."""
    return concept(f"{_STATUS}clinical", code)


def verification(code: str) -> Json:
    """A verificationStatus."""
    return concept(f"{_STATUS}ver-status", code)


def entry(resource: Json, full_url: str = "") -> Entry:
    """The decoded entry of a resource."""
    return Entry(full_url=full_url or None, resource=decode(json.dumps(resource).encode()).resource)


def facts_of(*resources: Json, codes: Mapping[str, Sequence[str]] = _NO_CODES) -> Facts:
    """What the readers find in the resources of the patient."""
    return read_facts([entry(one) for one in resources], Subject(PATIENT), knowledge(), codes)


def result_of(*resources: Json, codes: Mapping[str, Sequence[str]] = _NO_CODES) -> Result:
    """The one result of the resources."""
    (result,) = facts_of(*resources, codes=codes).results
    return result


def diagnosis_of(*resources: Json) -> Diagnosis:
    """The one diagnosis of the resources."""
    (diagnosis,) = facts_of(*resources).diagnoses
    return diagnosis


def ignored_of(facts: Facts) -> list[tuple[str, str]]:
    """What was left out, and why."""
    return [(one.resource, one.why) for one in facts.ignored]


def _changed(made: Json, elements: Mapping[str, Any]) -> Json:
    return {name: value for name, value in {**made, **elements}.items() if value is not None}
