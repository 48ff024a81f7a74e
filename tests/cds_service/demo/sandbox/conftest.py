"""A sandbox with two patients whose charts show the edges of search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.repository import Repository
from cds_service.demo.sandbox.routes import sandbox_blueprint
from cds_service.demo.sandbox.server import Sandbox

BASE = "http://ehr.test/demo/fhir"
LOINC = "http://loinc.org"
LABS = "http://labs.test"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

Json = dict[str, Any]


def observation(
    identity: str, patient: str = "a", code: str = "11150-0", system: str = LOINC, **more: Any
) -> Json:
    """An Observation with what R4 requires; an empty system leaves the system out."""
    coding = {"code": code} | ({"system": system} if system else {})
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [coding]},
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "subject": {"reference": patient if "/" in patient else f"Patient/{patient}"},
        **more,
    }


def condition(identity: str, clinical: str, **more: Any) -> Json:
    """A Condition of patient a."""
    return {
        "resourceType": "Condition",
        "id": identity,
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": clinical}]},
        "code": {"text": "a diagnosis"},
        "subject": {"reference": "Patient/a"},
        **more,
    }


RESOURCES: tuple[Json, ...] = (
    {"resourceType": "Patient", "id": "a", "gender": "female", "birthDate": "2015", "active": True,
     "name": [{"family": "Beispiel", "given": ["Ada", "Maria"]}]},
    {"resourceType": "Patient", "id": "b", "gender": "male", "birthDate": "2012-04-05",
     "name": [{"family": "Eksempel", "given": ["Emil"]}]},
    observation("year", effectiveDateTime="2024"),
    observation("month", effectiveDateTime="2024-06"),
    observation("day", effectiveDateTime="2024-06-03", code="50724-4"),
    observation("time", effectiveDateTime="2024-06-03T09:30:00Z", code="26464-8"),
    observation("offset", effectiveDateTime="2024-06-04T01:30:00+02:00", code="26464-8",
                status="preliminary"),
    observation("period", effectivePeriod={"start": "2024-05-01", "end": "2024-07-01"},
                code="X", system=LABS),
    observation("open", effectivePeriod={"start": "2024-06-10"}, code="a|b,c", system=LABS),
    observation("undated", code="11150-0", system=""),
    observation("absolute", patient=f"{BASE}/Patient/a/_history/3", effectiveDateTime="2020-02-29"),
    observation("elsewhere", patient="http://other.test/fhir/Patient/a", effectiveDateTime="2020-03-01"),
    observation("other", patient="b", effectiveDateTime="2024-06-03"),
    condition("active", "active", onsetDateTime="2021-03", recordedDate="2021-03-10"),
    condition("resolved", "resolved", onsetPeriod={"start": "2019-01-01", "end": "2019-02-01"}),
    {"resourceType": "MedicationRequest", "id": "order", "status": "active", "intent": "order",
     "medicationCodeableConcept": {"text": "a drug"}, "subject": {"reference": "Patient/a"},
     "authoredOn": "2024-01-05"},
    {"resourceType": "MedicationAdministration", "id": "dose", "status": "completed",
     "medicationCodeableConcept": {"text": "a drug"}, "subject": {"reference": "Patient/a"},
     "effectivePeriod": {"start": "2024-01-05T08:00:00Z", "end": "2024-01-05T09:00:00Z"}},
    {"resourceType": "ResearchSubject", "id": "subject", "status": "on-study",
     "study": {"reference": "ResearchStudy/s"}, "individual": {"reference": "Patient/a"}},
)  # fmt: skip


@pytest.fixture
def sandbox() -> Sandbox:
    """A fresh sandbox."""
    return Sandbox(Repository(RESOURCES), AccessTokens(b"k" * 32), BASE)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[FlaskClient]:
    """A client of an application with the sandbox alone."""
    app = Flask("sandbox_under_test")
    app.register_blueprint(sandbox_blueprint(sandbox, "2026-01-01"), url_prefix="/demo/fhir")
    with app.test_client() as one:
        yield one


Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(client: FlaskClient, sandbox: Sandbox) -> Ask:
    """A request to the sandbox with a token for every patient; the answer is known to be valid R4."""
    bearer = {"Authorization": f"Bearer {sandbox.tokens.issue()}"}

    def send(
        path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        path = path.removeprefix(BASE)
        response = client.open(f"/demo/fhir{path}", method=method, headers=bearer | (headers or {}), **more)
        body = response.get_json()
        get_fhir_model_class(body["resourceType"]).model_validate(body)
        assert response.content_type == "application/fhir+json"
        return response

    return send


@pytest.fixture
def ids(ask: Ask) -> Callable[..., list[str]]:
    """The ids a search finds on its first page, in order."""

    def found(path: str, **more: Any) -> list[str]:
        response = ask(path, **more)
        assert response.status_code == 200, response.get_json()
        return [entry["resource"]["id"] for entry in response.get_json().get("entry", [])]

    return found
