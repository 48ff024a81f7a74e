"""One chart for each shape in which a result can stand: what the reader understands, a query has to bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.servers.charts import Chart

Json = dict[str, Any]
AT = datetime(2023, 11, 20, 9, tzinfo=UTC)
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.2201"


def concept(system: str, code: str, text: str = "") -> Json:
    named = {"text": text} if text else {}
    return {"coding": [{"system": system, "code": code}], **named}


def percent(value: float) -> Json:
    return {"value": value, "unit": "%", "system": UCUM, "code": "%"}


MARROW = {"code": concept(LOINC, "11150-0"), "valueQuantity": percent(62)}
COMPONENT = {"code": concept(LOINC, "11150-0"), "valueQuantity": percent(62)}
SHAPES: dict[str, tuple[Json, ...]] = {
    "a code of its own": (MARROW,),
    "a component under a text": ({"code": {"text": "Bone marrow differential"}, "component": [COMPONENT]},),
    "a component under a code of no need": (
        {"code": concept(LOINC, "33721-2", "Bone marrow Pathology biopsy report"), "component": [COMPONENT]},
    ),
    "a component under a local code": ({"code": concept(LOCAL, "77"), "component": [COMPONENT]},),
    "MRD in words": (
        {
            "code": {"text": "Measurable residual disease (MRD), bone marrow, flow cytometry"},
            "valueQuantity": percent(1.8),
        },
    ),
    "MRD under a local code": (
        {
            "code": concept(LOCAL, "MRD", "Minimal residual disease, bone marrow"),
            "valueQuantity": percent(1.8),
        },
    ),
    "a testicular examination in words": (
        {
            "code": {"text": "Testicular examination"},
            "valueCodeableConcept": {"text": "enlarged left testis"},
        },
    ),
    "an alias of the code system": (
        {"code": concept("urn:oid:2.16.840.1.113883.6.1", "11150-0"), "valueQuantity": percent(62)},
    ),
    "a code system with a slash too many": (
        {"code": concept("http://loinc.org/", "11150-0"), "valueQuantity": percent(62)},
    ),
    "a code system by its name": ({"code": concept("LOINC", "11150-0"), "valueQuantity": percent(62)},),
    "a code without system": (
        {
            "code": {"coding": [{"code": "11150-0"}], "text": "Blasts, bone marrow"},
            "valueQuantity": percent(62),
        },
    ),
    "a second coding": (
        {
            "code": {"coding": [{"system": LOCAL, "code": "x"}, {"system": LOINC, "code": "11150-0"}]},
            "valueQuantity": percent(62),
        },
    ),
    "an unmapped local code": (
        {
            "code": {
                "coding": [{"system": LOCAL, "code": "1558020", "display": "BLASTS BM"}],
                "text": "Blasts, bone marrow",
            },
            "valueQuantity": percent(62),
        },
    ),
    "blood blasts in a component": (
        {
            "code": {"text": "Differential"},
            "component": [{"code": concept(LOINC, "26446-5"), "valueQuantity": percent(30)}],
        },
    ),
    "CSF in components": (
        {
            "code": {"text": "CSF cell count"},
            "component": [
                {
                    "code": concept(LOINC, "26465-5"),
                    "valueQuantity": {"value": 12, "unit": "/uL", "system": UCUM, "code": "/uL"},
                },
                {"code": concept(LOINC, "42209-7"), "valueString": "Positive"},
            ],
        },
    ),
    "nothing since the remission": (),
}
"""The Observations of 2023-11-15 that stand beside the common chart."""


def shape_charts() -> list[Chart]:
    """The common chart with each shape, every one a patient of its own."""
    return [_chart(f"s{number}", results) for number, results in enumerate(SHAPES.values())]


def _chart(patient: str, results: Sequence[Json]) -> Chart:
    subject = {"reference": f"Patient/{patient}"}
    remission = {"code": concept(LOINC, "11150-0"), "valueQuantity": percent(1.2)}
    response = {"code": concept(LOINC, "97509-4"), "valueCodeableConcept": concept(SNOMED, "550991000124107")}
    made: list[Json] = [
        {"resourceType": "Patient", "id": patient, "birthDate": "2014-05-06", "gender": "male"},
        {
            "resourceType": "Condition",
            "id": f"{patient}-c1",
            "subject": subject,
            "code": concept(SNOMED, "277571004"),
            "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
            "onsetDateTime": "2021-03-01",
        },
    ]
    dated = [(remission, "2021-04-10"), (response, "2021-04-10"), *((each, "2023-11-15") for each in results)]
    for number, (content, day) in enumerate(dated):
        result = {"resourceType": "Observation", "id": f"{patient}-o{number}", "status": "final"}
        made.append({**result, "subject": subject, "effectiveDateTime": day, **content})
    return Chart(patient, AT, made)
