"""A very small FHIR R4 server: enough to search two patients' records page by page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.faults.wire import Answer, Asked

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
BASE = "/fhir"


@dataclass(frozen=True)
class SmallNeed:
    """A need as the knowledge describes one."""

    key: str
    resource_type: str
    codes: tuple[str, ...] = ()
    patient_parameter: str = "patient"
    sort: str = "-date"
    count: int = 100


NEEDS = (
    SmallNeed("patient", "Patient", patient_parameter="_id", sort="", count=1),
    SmallNeed("conditions", "Condition", sort=""),
    SmallNeed("marrow", "Observation", (f"{LOINC}|11150-7", f"{LOINC}|26453-1")),
    SmallNeed("blood", "Observation", (f"{LOINC}|26464-8",)),
    SmallNeed("procedures", "Procedure", (f"{SNOMED}|77465005",)),
)


def concept(token: str) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    system, _, code = token.partition("|")
    return {"coding": [{"system": system, "code": code}]}


def record(patient: str) -> list[dict[str, Any]]:
    """One patient's resources: every need but the procedures has something, marrow has three pages."""
    subject = {"reference": f"Patient/{patient}"}
    made: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": patient, "birthDate": "2015-01-01"},
        {
            "resourceType": "Condition",
            "id": f"{patient}-c1",
            "subject": subject,
            "code": concept(f"{SNOMED}|91857003"),
            "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical|active"),
        },
    ]
    for number, token in enumerate([f"{LOINC}|11150-7"] * 7 + [f"{LOINC}|26464-8"] * 2):
        made.append(
            {
                "resourceType": "Observation",
                "id": f"{patient}-o{number}",
                "status": "final",
                "subject": subject,
                "code": concept(token),
                "effectiveDateTime": f"2026-01-{number + 1:02}",
                "valueQuantity": {"value": number, "unit": "%"},
            }
        )
    return made


class LittleFhir:
    """Searches by patient (bare or typed) and code, pages by ``_page``; ``page_size`` clamps."""

    def __init__(self, page_size: int = 3, patients: tuple[str, ...] = ("p1", "p2")) -> None:
        self.page_size = page_size
        self.resources = [resource for patient in patients for resource in record(patient)]

    def __call__(self, asked: Asked) -> Answer:
        path, _, query = asked.target.partition("?")
        parts = path.removeprefix(BASE).strip("/").split("/")
        if asked.method == "POST" and parts[-1] == "_search":
            return self.search(parts[0], asked.body.decode(), asked.headers.get("host", ""))
        if len(parts) == 2:
            return self.read(parts[0], parts[1])
        return self.search(parts[0], query, asked.headers.get("host", ""))

    def read(self, resource_type: str, identifier: str) -> Answer:
        """One resource by its id."""
        for resource in self.resources:
            if (resource["resourceType"], resource["id"]) == (resource_type, identifier):
                return Answer(body=json.dumps(resource).encode())
        return Answer(404)

    def search(self, resource_type: str, query: str, host: str) -> Answer:
        """One page of a search."""
        values = {name: texts[-1] for name, texts in parse_qs(query).items()}
        page = int(values.pop("_page", "0"))
        found = [r for r in self.resources if r["resourceType"] == resource_type and _matches(r, values)]
        shown = found[page * self.page_size : (page + 1) * self.page_size]
        base = f"http://{host}{BASE}/{resource_type}"
        links = [{"relation": "self", "url": f"{base}?{urlencode(values)}"}]
        if (page + 1) * self.page_size < len(found):
            following = urlencode({**values, "_page": page + 1})
            links.append({"relation": "next", "url": f"{base}?{following}"})
        return Answer(body=json.dumps(bundle(shown, len(found), links)).encode())


def bundle(
    resources: list[dict[str, Any]], total: int | None, links: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """A searchset; no ``entry`` where nothing was found."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links or []}
    if total is not None:
        made["total"] = total
    if resources:
        made["entry"] = [{"resource": each, "search": {"mode": "match"}} for each in resources]
    return made


def _matches(resource: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    patient = values.get("patient", values.get("subject", "")).removeprefix("Patient/")
    if resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return False
    if "code" not in values:
        return True
    coding = resource["code"]["coding"][0]
    return f"{coding['system']}|{coding['code']}" in values["code"].split(",")
