"""One invented chart of ALL in first remission, and resources as laboratories and servers write them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fhir_mappings.assess import assess, load_knowledge
from fhir_mappings.assessment import Assessment
from fhir_mappings.fhir.decoding import decode
from fhir_mappings.fhir.elements import Entry

Json = dict[str, Any]
AT = datetime.fromisoformat("2023-11-20T09:00:00+00:00")
SUBJECT: Json = {"reference": "Patient/n1"}
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
PATIENT: Json = {"resourceType": "Patient", "id": "n1", "gender": "male", "birthDate": "2014-05-06"}


def coded(system: str | None, code: str, text: str = "") -> Json:
    """A CodeableConcept; ``system`` None leaves it out."""
    coding = {"code": code} if system is None else {"system": system, "code": code}
    return {"coding": [coding]} | ({"text": text} if text else {})


def condition(code: Json | None, **elements: Any) -> Json:
    """The Condition of the chart; ``code`` None leaves it out."""
    made = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "onsetDateTime": "2021-03-01"}
    return made | ({} if code is None else {"code": code}) | elements


def percent(value: float) -> Json:
    """A UCUM percentage."""
    return {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}


def observation(**elements: Any) -> Json:
    """A marrow of 78 % blasts; an element given as None is left out."""
    made = {
        "resourceType": "Observation",
        "id": "x",
        "status": "final",
        "subject": SUBJECT,
        "effectiveDateTime": "2023-11-15",
        "code": coded(LOINC, "11150-0"),
        "valueQuantity": percent(78),
    } | elements
    return {key: value for key, value in made.items() if value is not None}


REMISSION = observation(
    id="rem",
    effectiveDateTime="2021-04-10",
    code=coded(LOINC, "97509-4"),
    valueQuantity=None,
    valueCodeableConcept=coded(SNOMED, "550991000124107"),
)
FIRST_MARROW = observation(id="bm0", effectiveDateTime="2021-04-10", valueQuantity=percent(1.2))
B_ALL = condition(coded(SNOMED, "277571004"))


def assessed(*resources: Json, diagnosis: Json | None = B_ALL, at: datetime = AT) -> Assessment:
    """The chart with these resources beside it; ``diagnosis`` None leaves the problem list empty."""
    listed = [PATIENT, *([diagnosis] if diagnosis is not None else []), REMISSION, FIRST_MARROW, *resources]
    read = [decode(json.dumps(each).encode()).resource for each in listed]
    return assess(read, at, load_knowledge())


def assessed_entries(entries: Sequence[tuple[str, Json]]) -> Assessment:
    """Entries of a file, each with its ``fullUrl``."""
    read = [Entry(full_url=url, resource=decode(json.dumps(each).encode()).resource) for url, each in entries]
    return assess(read, AT, load_knowledge())


def met(found: Assessment) -> set[str]:
    """The criteria of the default set that are met."""
    default = load_knowledge().default_set.id
    verdicts = [one for one in found.criteria if one.criteria_set == default]
    return {one.id for one in verdicts if type(one.verdict).__name__ == "Met"}


def sections(found: Assessment) -> list[str]:
    """The names of the sections, in their order."""
    return [section.name for section in found.sections]
