"""What the tests of the requirements share: a service with one tenant for each kind of client, charts to
ask it about, and a walk over everything it answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, get_args

import orjson
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.demo.demo_patients import DemoPatient, load_patients
from cds_service.hooks import HOOKS
from cds_service.settings.model import Profile, Settings, Tenant
from fhir_mappings.assess import Knowledge
from fhir_mappings.records.codes import LOCAL_LABS
from tests.cds_service.charts import TableReader

Json = dict[str, Any]

BASE = "https://cds.example.org"
CALL = "/cds-services/all-relapse"
TODAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROFILES: tuple[str, ...] = get_args(Profile)
INSTANCE = "D1577C69-DFBE-11EE-BA6D-3E05E953B2EA"
"""Of version 1 and in capitals, as some EHRs write it."""

_KEYS = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "marrow",
    "Procedure": "procedures",
    "MedicationRequest": "medications",
    "MedicationAdministration": "administrations",
    "Specimen": "specimens",
    "CarePlan": "careplans",
}
PATIENTS = load_patients(TODAY)
HEALTHY = next(one for one in PATIENTS if one.id == "healthy")
RELAPSED = next(one for one in PATIENTS if one.id == "early-marrow")


@dataclass(frozen=True)
class Asked:
    """One call and its answer."""

    profile: str
    patient: DemoPatient
    status: int
    body: Json


def server_of(profile: str) -> str:
    """The FHIR server of the tenant that stands for a kind of client."""
    return f"https://{profile}.example.org/fhir"


def make_service(knowledge: Knowledge, **changes: Any) -> Flask:
    """A service with one tenant for each kind of client; no FHIR server can be read."""
    tenants = tuple(
        Tenant(
            id=profile,
            fhir_servers=(server_of(profile),),
            profile=profile,  # type: ignore[arg-type]
            codes={"mrd": (f"{LOCAL_LABS}|MRD-FLOW",)},
        )
        for profile in PROFILES
    )
    values = {"public_url": BASE, "tenants": tenants, "hooks": tuple(HOOKS), **changes}
    reader = TableReader(refuses="token-missing")
    return create_app(Settings.embedded(**values), clock=lambda: AT, reader=reader, knowledge=knowledge)


def searchset(resources: list[Json]) -> Json:
    """A complete answer to a search."""
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return {**found, "entry": entries} if entries else found


def prefetch_of(patient: DemoPatient) -> Json:
    """The chart under our keys."""
    by_type: dict[str, list[Json]] = defaultdict(list)
    for resource in patient.resources:
        by_type[resource["resourceType"]].append(resource)
    keys = {_KEYS.get(kind, kind.lower()): searchset(found) for kind, found in by_type.items()}
    required = {key: searchset([]) for key in ("conditions", "marrow", "blood", "csf")}
    return {**required, **keys, "patient": patient.resources[0]}


def request_of(patient: DemoPatient, profile: str = "strict", **changes: Any) -> Json:
    """A call of patient-view with the whole chart in the prefetch."""
    return {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "fhirServer": server_of(profile),
        "context": {"userId": "Practitioner/1", "patientId": patient.resources[0]["id"]},
        "prefetch": prefetch_of(patient),
        **changes,
    }


def send(client: FlaskClient, body: object, path: str = CALL, **more: Any) -> Any:
    """Posts a body as JSON."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post(path, data=data, **{"content_type": "application/json", **more})


def ask_everything(client: FlaskClient) -> Iterator[Asked]:
    """Every demonstration patient as every kind of client."""
    for profile in PROFILES:
        for patient in PATIENTS:
            response = send(client, request_of(patient, profile))
            yield Asked(profile, patient, response.status_code, response.json)


def values_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON document with its path, itself included."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from values_of(item, f"{path}/{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from values_of(item, f"{path}/{number}")
