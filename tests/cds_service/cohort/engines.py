"""One export with everything that an export brings, and what hook calls say about each of its charts."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from benchmarks.export import Plan, write_export
from cds_service.api.answers import EXTENSION
from cds_service.app import create_app
from cds_service.cohort.exports import chunks, shards_of
from cds_service.cohort.heads import head_of, joined_to, patients_of
from cds_service.cohort.plan import candidates
from cds_service.cohort.rules import RulesSource
from cds_service.demo.demo_patients import load_patients
from cds_service.settings.model import Settings
from fhir_mappings.assess import Knowledge

Json = dict[str, Any]
ABSOLUTE = "https://ehr.example.org/fhir"
_NOT_OPENED = ("none", "out-of-scope")


def _rxnorm(code: str, title: str) -> Json:
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code, "display": title}
    return {"coding": [coding]}


def _order(number: int, patient: str, **drug: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": f"joined-{number}",
        "status": "completed",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2026-06-12",
        **drug,
    }


_JOINED: tuple[Json, ...] = (
    _order(1, "p0", medicationReference={"reference": "Medication/blina"}),
    _order(2, "p1", medicationReference={"reference": f"{ABSOLUTE}/Medication/blina"}),
    _order(3, "p2", medicationReference={"reference": "Medication/blina/_history/2"}),
    _order(
        4,
        "p3",
        contained=[{"resourceType": "Medication", "id": "m", "code": _rxnorm("1597258", "blinatumomab")}],
        medicationReference={"reference": "#m"},
    ),
    {"resourceType": "Medication", "id": "blina", "code": _rxnorm("1597258", "blinatumomab")},
    {"resourceType": "Medication", "id": "nobody-asks", "code": _rxnorm("161", "Acetaminophen")},
    # Another person's marrow, named by a result of this patient: no relapse of hers.
    {
        "resourceType": "Specimen",
        "id": "of-a-donor",
        "subject": {"reference": "Patient/donor"},
        "type": {"text": "Bone marrow"},
    },
    {
        "resourceType": "Observation",
        "id": "of-a-donor",
        "status": "final",
        "subject": {"reference": "Patient/p10"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "11150-0"}]},
        "specimen": {"reference": "Specimen/of-a-donor"},
        "effectiveDateTime": "2026-06-14",
        "valueQuantity": {"value": 90, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    },
)


# In an export, no result means that there is none. A call that is handed searches by code and can ask no
# server does not believe that; one result shows it that searches by code work.
_SEEN: Json = {
    **_JOINED[-1],
    "id": "of-planted-2",
    "subject": {"reference": "Patient/planted-2"},
    "specimen": {"display": "Bone marrow"},
    "valueQuantity": {"value": 1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
}


def write_everything(folder: Path) -> None:
    """Writes 44 charts: packed, references of every spelling, joined and contained resources, faults."""
    write_export(Plan(patients=44, demo_every=2, packed=True, references="mixed", faults=True), folder)
    lines = b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in (*_JOINED, _SEEN))
    (folder / "joined.ndjson.gz").write_bytes(gzip.compress(lines, mtime=0))


def demonstration(today: date) -> Counter[str]:
    """How many charts of the demonstration open, by the status that they are expected to have."""
    found: Counter[str] = Counter()
    for patient in load_patients(today):
        lines = [json.dumps(resource).encode() for resource in patient.resources]
        found[patient.expect.status] += patient.id in candidates(lines, RulesSource().load())
    return +found


def hook_statuses(export: Path, knowledge: Knowledge, at: datetime) -> dict[str, str]:
    """The status that a hook call gives each patient of an export, whose data come as prefetch."""
    lines = [line for shard in shards_of(export) for chunk in chunks(shard) for line in chunk.lines]
    resources = [found for line in lines if (found := _parsed(line)) is not None]
    types = {one.get("resourceType") for one in resources}
    joined = {f"{one['resourceType']}/{one.get('id')}": one for one in resources if "id" in one}
    settings = Settings.embedded(explain=True)
    client = create_app(settings, clock=lambda: at, knowledge=knowledge).test_client()
    charts: dict[str, list[Json]] = {}
    for resource in resources:
        for patient in _owners(resource):
            own = charts.setdefault(patient, [])
            own.append(resource)
            own += [joined[key] for key in joined_to(json.dumps(resource).encode()) if key in joined]
    return {
        patient: _status(client.post("/cds-services/all-relapse", json=_body(patient, own, types, knowledge)))
        for patient, own in charts.items()
    }


def _owners(resource: Json) -> Iterable[str]:
    head = head_of(json.dumps(resource).encode())
    return patients_of(head) if head is not None else ()


def _parsed(line: bytes) -> Json | None:
    # A resource whose text is not UTF-8 cannot stand in a request as it is.
    try:
        found = json.loads(line.decode(errors="replace"))
    except ValueError:
        return None
    return found if isinstance(found, dict) and "resourceType" in found else None


def _body(patient: str, chart: list[Json], types: set[Any], knowledge: Knowledge) -> Json:
    """A key for every need whose type the export holds; what is referred to stands with what refers to it."""
    prefetch: Json = {}
    beside = [one for one in chart if one["resourceType"] in ("Medication", "Specimen")]
    for need in knowledge.needs:
        if need.resource_type in types:
            own = [one for one in chart if one["resourceType"] == need.resource_type]
            prefetch[need.key] = _searchset(patient, own, beside)
    return {
        "hook": "patient-view",
        "hookInstance": "6b0d2f5e-3a51-4f0b-9d2c-0f6d2c1b7a11",
        "context": {"userId": "Practitioner/1", "patientId": patient},
        "prefetch": {key: value for key, value in prefetch.items() if value is not None},
    }


def _searchset(patient: str, own: list[Json], beside: list[Json]) -> Json:
    entries: list[Json] = [{"resource": one, "search": {"mode": "match"}} for one in own]
    if any(one["resourceType"] in ("MedicationRequest", "Observation") for one in own):
        for one in beside:
            for base in ("", f"{ABSOLUTE}/"):
                name = f"{base}{one['resourceType']}/{one['id']}"
                entries.append({"fullUrl": name, "resource": one, "search": {"mode": "include"}})
    return {"resourceType": "Bundle", "type": "searchset", "total": len(own), "entry": entries}


def _status(reply: Any) -> str:
    if reply.status_code == 200:
        return str(reply.json["extension"][EXTENSION]["status"])
    return "not-evaluable" if reply.status_code == 412 else f"refused {reply.status_code}"
