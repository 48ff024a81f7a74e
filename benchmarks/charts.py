"""Seeded charts of one patient as request bodies: the same seed gives the same bytes.

The mix is that of a hospital's chart: 65 % Observation, 12 % Condition, 8 % Procedure, 15 %
MedicationRequest, about 2.0 KB each when compact, about a quarter of them with codes that the rules read.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

Json = dict[str, Any]

AT = datetime(2026, 6, 15, 9, tzinfo=UTC)
PATIENT_ID = "bench-1"
HOOK_INSTANCE = "6b0d2f5e-3a51-4f0b-9d2c-0f6d2c1b7a11"
DIAGNOSED, RELAPSED = date(2023, 2, 1), date(2026, 6, 10)
MARROW_BLASTS = ("http://loinc.org", "11150-0")

LOINC, SNOMED, RXNORM = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
)
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_EXTENSIONS = "http://ehr.example.org/fhir/StructureDefinition"
_RELEVANT_SHARE = 0.25
_RESOURCE_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A kind of result: the need it belongs to, its code, unit, and the range of its values."""

    need: str
    code: str
    title: str
    unit: str
    low: float
    high: float


_WATCHED = (
    Laboratory("marrow", "11150-0", "Blasts/100 cells in Bone marrow", "%", 0, 4),
    Laboratory("blood", "26464-8", "Leukocytes [#/volume] in Blood", "10*3/uL", 2, 11),
    Laboratory("blood", "26453-1", "Erythrocytes [#/volume] in Blood", "10*6/uL", 3, 5),
    Laboratory("blood", "26446-5", "Blasts/100 leukocytes in Blood", "%", 0, 0),
    Laboratory("csf", "26465-5", "Leukocytes [#/volume] in Cerebral spinal fluid", "/uL", 0, 3),
    Laboratory("csf", "26454-9", "Erythrocytes [#/volume] in Cerebral spinal fluid", "/uL", 0, 5),
)
_WATCHED_WEIGHTS = (6, 36, 30, 12, 8, 8)
_OTHER = (
    Laboratory("blood", "2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 133, 146),
    Laboratory("blood", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3, 5),
    Laboratory("blood", "2075-0", "Chloride [Moles/volume] in Serum or Plasma", "mmol/L", 98, 107),
    Laboratory("blood", "17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 8, 11),
    Laboratory("blood", "718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 7, 14),
    Laboratory("csf", "2342-4", "Glucose [Mass/volume] in Cerebral spinal fluid", "mg/dL", 40, 80),
    Laboratory("marrow", "11118-7", "Lymphocytes/100 cells in Bone marrow", "%", 5, 20),
)
_OTHER_WEIGHTS = (20, 20, 18, 16, 18, 4, 4)
_CONDITIONS = (
    ("195967001", "Asthma"),
    ("62315008", "Diarrhea"),
    ("386661006", "Fever"),
    ("165816005", "Human immunodeficiency virus negative"),
    ("271737000", "Anemia"),
    ("65363002", "Otitis media"),
)
_OTHER_PROCEDURES = (("71388002", "Procedure"), ("430193006", "Medication reconciliation"))
_WATCHED_PROCEDURES = (("277762005", "Lumbar puncture"), ("234326005", "Bone marrow sampling"))
_OTHER_DRUGS = (("161", "Acetaminophen"), ("26225", "Ondansetron"), ("10829", "Trimethoprim"))
_WATCHED_DRUGS = (("103", "mercaptopurine"), ("6851", "methotrexate"), ("11202", "vincristine"))


def relapse_chart(resources: int, seed: int = 2026) -> Json:
    """The prefetch of a child with B-ALL whose marrow relapsed days ago, of that many resources."""
    maker = _Maker(random.Random(seed))
    history = [maker.diagnosis()]
    history += [maker.result(_WATCHED[0], DIAGNOSED, 88.0), maker.result(_WATCHED[0], date(2023, 3, 20), 1.0)]
    history += [maker.result(_WATCHED[0], RELAPSED, 78.0), maker.expression(RELAPSED)]
    return _prefetch([*history, *maker.chart(resources - len(history) - 1, _RELEVANT_SHARE)])


def other_chart(resources: int, seed: int = 2026) -> Json:
    """The prefetch of a patient without leukaemia, with as many blood counts as anybody's chart holds."""
    maker = _Maker(random.Random(seed))
    return _prefetch(maker.chart(resources - 1, _RELEVANT_SHARE))


def body(prefetch: Json, *, pretty: bool = False) -> bytes:
    """The bytes of a patient-view call."""
    call: Json = {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": PATIENT_ID, "encounterId": "e-1"},
        "prefetch": prefetch,
    }
    return orjson.dumps(call, option=orjson.OPT_INDENT_2 if pretty else 0)


def searchset(resources: Sequence[Json]) -> Json:
    """The Bundle of a complete search."""
    entries = [
        {
            "fullUrl": f"https://ehr.example.org/fhir/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


_NEEDS = {"Condition": "conditions", "Procedure": "procedures", "MedicationRequest": "medications"}
_EMPTY = ("genetics", "mrd", "status", "fitness", "administrations", "specimens", "careplans")


def _prefetch(made: Sequence[tuple[str, Json]]) -> Json:
    """By the keys that discovery offers; what nobody has is an empty searchset."""
    keys: dict[str, list[Json]] = {
        name: [] for name in ("conditions", "marrow", "blood", "csf", "markers", "procedures", "medications")
    }
    for key, resource in made:
        keys[key].append(resource)
    found: Json = {"patient": patient()}
    found |= {key: searchset(resources) for key, resources in keys.items()}
    return found | {key: searchset([]) for key in (*_EMPTY, "studies", "referrals")}


def patient() -> Json:
    """The patient of every chart."""
    return {"resourceType": "Patient", "id": PATIENT_ID, "birthDate": "2014-05-01", "gender": "female"}


class _Maker:
    """Draws resources from one stream of chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0

    def chart(self, count: int, relevant: float) -> list[tuple[str, Json]]:
        """That many resources of the usual mix, with the need each belongs to."""
        kinds = ("Observation", "Condition", "Procedure", "MedicationRequest")
        drawn = self._chance.choices(kinds, weights=(65, 12, 8, 15), k=count)
        return [self._one(kind, self._chance.random() < relevant) for kind in drawn]

    def diagnosis(self) -> tuple[str, Json]:
        """B-cell acute lymphoblastic leukaemia."""
        return self._condition("277571004", "B-cell acute lymphoblastic leukaemia", DIAGNOSED)

    def expression(self, day: date) -> tuple[str, Json]:
        """CD19 on nearly all blasts."""
        return self.result(Laboratory("markers", "51101-4", "CD19 cells in Blasts", "%", 0, 0), day, 96.0)

    def result(self, kind: Laboratory, day: date, value: float) -> tuple[str, Json]:
        """One laboratory result."""
        made = self._resource("Observation", kind.title, LOINC, kind.code)
        made |= {
            "status": "final",
            "category": [_concept(f"{_TERMINOLOGY}/observation-category", "laboratory")],
            "effectiveDateTime": f"{day.isoformat()}T08:30:00+00:00",
            "issued": f"{day.isoformat()}T10:05:00.000+00:00",
            "valueQuantity": {
                "value": value,
                "unit": kind.unit,
                "system": "http://unitsofmeasure.org",
                "code": kind.unit,
            },
            "interpretation": [_concept(f"{_TERMINOLOGY}/v3-ObservationInterpretation", "N")],
            "performer": [{"reference": "Organization/lab", "display": "Central laboratory"}],
            "referenceRange": [
                {
                    "low": {"value": kind.low, "unit": kind.unit},
                    "high": {"value": kind.high, "unit": kind.unit},
                    "text": f"{kind.low} - {kind.high} {kind.unit}",
                }
            ],
        }
        return kind.need, _filled(made)

    def _one(self, kind: str, relevant: bool) -> tuple[str, Json]:
        day = DIAGNOSED + timedelta(days=self._chance.randrange(60, (RELAPSED - DIAGNOSED).days - 1))
        if kind == "Observation":
            kinds, weights = (_WATCHED, _WATCHED_WEIGHTS) if relevant else (_OTHER, _OTHER_WEIGHTS)
            laboratory = self._chance.choices(kinds, weights=weights)[0]
            return self.result(
                laboratory, day, round(self._chance.uniform(laboratory.low, laboratory.high), 1)
            )
        if kind == "Condition":
            code, title = self._chance.choice(_CONDITIONS)
            return self._condition(code, title, day)
        if kind == "Procedure":
            code, title = self._chance.choice(_WATCHED_PROCEDURES if relevant else _OTHER_PROCEDURES)
            made = self._resource("Procedure", title, SNOMED, code)
            return "procedures", _filled(made | {"status": "completed", "performedDateTime": day.isoformat()})
        code, title = self._chance.choice(_WATCHED_DRUGS if relevant else _OTHER_DRUGS)
        made = self._resource("MedicationRequest", title, RXNORM, code)
        made |= {"medicationCodeableConcept": made.pop("code"), "status": "completed", "intent": "order"}
        return "medications", _filled(made | {"authoredOn": day.isoformat()})

    def _condition(self, code: str, title: str, day: date) -> tuple[str, Json]:
        status = f"{_TERMINOLOGY}/condition-"
        made = self._resource("Condition", title, SNOMED, code)
        made |= {
            "clinicalStatus": _concept(f"{status}clinical", "active"),
            "verificationStatus": _concept(f"{status}ver-status", "confirmed"),
            "onsetDateTime": day.isoformat(),
            "recordedDate": day.isoformat(),
        }
        return "conditions", _filled(made)

    def _resource(self, kind: str, title: str, system: str, code: str) -> Json:
        self._made += 1
        local = {
            "system": "urn:oid:1.2.840.114350.1.13.861.1.7.5.737384.1000",
            "code": f"L{code}",
            "display": title.upper(),
            "userSelected": True,
        }
        return {
            "resourceType": kind,
            "id": f"e{self._made:06d}.{self._chance.randrange(16**12):012x}",
            "meta": {
                "versionId": "1",
                "lastUpdated": "2026-06-11T05:12:44.000+00:00",
                "profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{kind.lower()}"],
            },
            "text": {"status": "generated"},
            "extension": [
                {"url": f"{_EXTENSIONS}/reviewed", "valueBoolean": self._chance.random() < 0.5},
            ],
            "identifier": [
                {
                    "use": "usual",
                    "type": _concept(f"{_TERMINOLOGY}/v2-0203", "FILL"),
                    "system": "urn:oid:1.2.840.114350.1.13.861.1.7.2.798268",
                    "value": f"{self._chance.randrange(10**9):09d}",
                }
            ],
            "code": {"coding": [{"system": system, "code": code, "display": title}, local], "text": title},
            "subject": {"reference": f"Patient/{PATIENT_ID}", "display": "Bench, One"},
            "encounter": {
                "reference": f"Encounter/e{self._chance.randrange(500)}",
                "display": "Office visit",
            },
        }


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": code.capitalize()}], "text": code}


_CELL = "<td>Verified by the laboratory, see the report of the day for method and reference interval.</td>"


def _filled(resource: Json) -> Json:
    """The resource with a narrative that brings it to the size of real ones."""
    room = _RESOURCE_BYTES - len(orjson.dumps(resource))
    rows = f"<tr>{_CELL * 3}</tr>\n"
    table = (rows * (room // len(rows) + 1))[: max(0, room)]
    resource["text"]["div"] = f'<div xmlns="http://www.w3.org/1999/xhtml"><table>{table}</table></div>'
    return resource
