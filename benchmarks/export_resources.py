"""The resources of a generated export as bytes with blanks, and the lines that are wrong in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

BASE = "https://ehr.example.org/fhir"
"""Where absolute references point to."""

_LABORATORY = (
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 133, 146),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3, 5),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 7, 14),
    ("26464-8", "Leukocytes [#/volume] in Blood", "10*3/uL", 2, 11),
    ("26453-1", "Erythrocytes [#/volume] in Blood", "10*6/uL", 3, 5),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 150, 400),
)
_CONDITIONS = (
    ("195967001", "Asthma"),
    ("62315008", "Diarrhea"),
    ("386661006", "Fever"),
    ("271737000", "Anemia"),
    ("65363002", "Otitis media"),
    ("38341003", "Hypertensive disorder, systemic arterial"),
)
_OTHER_LEUKAEMIA = ("91861009", "Acute myeloid leukemia")
_PROCEDURES = (("71388002", "Procedure"), ("430193006", "Medication reconciliation"))
DRUGS = (
    ("161", "Acetaminophen"),
    ("26225", "Ondansetron"),
    ("10829", "Trimethoprim"),
    ("103", "mercaptopurine"),
    ("6851", "methotrexate"),
    ("11202", "vincristine"),
)
_PADDING = "Reviewed with the family; no change of the plan. " * 4
_META = {
    "versionId": "1",
    "lastUpdated": "2026-05-01T08:30:00.000Z",
    "source": "#3a9f1c2be0d4",
    "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-resource"],
}


PATIENT = (
    b'{"resourceType":"Patient","id":"p%d","identifier":[{"system":"urn:oid:1.2.36.146.595.217.0.1",'
    b'"value":"MRN%d"}],"active":true,"name":[{"family":"Example","given":["Robin"]}],"gender":"%b",'
    b'"birthDate":"%d-%02d-14"}\n'
)


def chart_lines(resources: Sequence[Any], patient: str) -> list[tuple[str, bytes]]:
    """The resources of a demonstration patient with ``@PATIENT@`` wherever the patient's id stands."""
    return [
        (str(one["resourceType"]), dumped(one)[:-1].replace(patient.encode(), b"@PATIENT@"))
        for one in resources
    ]


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def rxnorm(code: str, title: str) -> Any:
    system = "http://www.nlm.nih.gov/research/umls/rxnorm"
    return {"coding": [{"system": system, "code": code, "display": title}], "text": title}


def _snomed(code: str, title: str) -> Any:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": title}], "text": title}


def _category(system: str, code: str) -> Any:
    return [{"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}]


def _template(kind: str, letter: str, **elements: Any) -> bytes:
    """Bytes with five blanks: patient and number of the id, patient, day, and a number up to 99."""
    whole = {
        "resourceType": kind,
        "id": f"{letter}@ID@",
        "meta": _META,
        **elements,
        "note": [{"text": _PADDING}],
    }
    text = dumped(whole).replace(b"%", b"%%").replace(b"@ID@", b"%d-%d").replace(b"@PATIENT@", b"p%d")
    return text.replace(b"@DAY@", b"%b").replace(b'"@NUMBER@"', b"%d")


_SUBJECT = {"reference": "Patient/@PATIENT@"}


def templates() -> dict[str, list[bytes]]:
    return {
        "Observation": [_observation(*one) for one in _LABORATORY],
        "Condition": [_condition(*one) for one in (*_CONDITIONS, _OTHER_LEUKAEMIA)],
        "Procedure": [_procedure(*one) for one in _PROCEDURES],
        "MedicationRequest": [
            _order(code, title, by_reference=number % 3 == 0) for number, (code, title) in enumerate(DRUGS)
        ],
    }


def _observation(code: str, title: str, unit: str, low: int, high: int) -> bytes:
    ucum = "http://unitsofmeasure.org"
    return _template(
        "Observation",
        "o",
        status="final",
        category=_category("observation-category", "laboratory"),
        code={"coding": [{"system": "http://loinc.org", "code": code, "display": title}], "text": title},
        subject=_SUBJECT,
        effectiveDateTime="@DAY@",
        valueQuantity={"value": "@NUMBER@", "unit": unit, "system": ucum, "code": unit},
        referenceRange=[{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}],
    )


def _condition(code: str, title: str) -> bytes:
    return _template(
        "Condition",
        "c",
        clinicalStatus=_category("condition-clinical", "active")[0],
        verificationStatus=_category("condition-ver-status", "confirmed")[0],
        category=_category("condition-category", "problem-list-item"),
        code=_snomed(code, title),
        subject=_SUBJECT,
        onsetDateTime="@DAY@",
        severity={"text": "grade @NUMBER@".replace("@NUMBER@", "2")},
        stage=[
            {
                "summary": {"text": "visit"},
                "extension": [{"url": f"{BASE}/visit", "valueInteger": "@NUMBER@"}],
            }
        ],
    )


def _procedure(code: str, title: str) -> bytes:
    return _template(
        "Procedure",
        "r",
        status="completed",
        code=_snomed(code, title),
        subject=_SUBJECT,
        performedDateTime="@DAY@",
        extension=[{"url": f"{BASE}/visit", "valueInteger": "@NUMBER@"}],
    )


def _order(code: str, title: str, *, by_reference: bool) -> bytes:
    drug: dict[str, Any] = {"medicationCodeableConcept": rxnorm(code, title)}
    if by_reference:
        drug = {"medicationReference": {"reference": f"Medication/med-{code}", "display": "see Medication"}}
    return _template(
        "MedicationRequest",
        "m",
        status="completed",
        intent="order",
        **drug,
        subject=_SUBJECT,
        authoredOn="@DAY@",
        dispenseRequest={"numberOfRepeatsAllowed": "@NUMBER@"},
    )


def faulty_lines() -> dict[str, list[bytes]]:
    """Planted faults by type of file: what an export really brings."""
    all_code = _snomed("91857003", "Acute lymphoid leukemia")
    subject = {"reference": "Patient/planted-1"}
    return {
        "Condition": [
            b'{"resourceType":"Condition","id":"cut","code":{"coding":[',
            b"not json at all",
            dumped({"resourceType": "Condition", "id": "nobody", "code": all_code})[:-1],
            dumped({"resourceType": "Condition", "id": "ill-typed", "code": 5, "subject": subject})[:-1],
            dumped({"resourceType": "Condition", "id": "caf\u00e9", "subject": subject, "code": all_code})[
                :-1
            ].replace("\u00e9".encode(), b"\xe9"),
            b"",
        ],
        "Observation": [
            b'{"resourceType":"Observation","id":"long","note":[{"text":"'
            + b"x" * (17 * 1024 * 1024)
            + b'"}]}',
            b"[1,2,3]",
            dumped({"resourceType": "Observation", "id": "no-subject", "status": "final"})[:-1],
            # A Condition in a file of Observations is still a Condition.
            dumped(
                {
                    "resourceType": "Condition",
                    "id": "astray",
                    "code": all_code,
                    "subject": {"reference": "Patient/planted-2"},
                }
            )[:-1],
        ],
        "Patient": [
            dumped({"resourceType": "Patient", "id": "planted-1", "gender": "female"})[:-1],
            dumped({"resourceType": "Patient", "id": "planted-2", "gender": "male"})[:-1],
        ],
    }
