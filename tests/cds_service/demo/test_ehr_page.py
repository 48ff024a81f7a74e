"""What the demo EHR's page asks of its server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app_state import parts_of
from cds_service.demo.application import DemoPlace, demo_application

TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    made = demo_application(DemoPlace("127.0.0.1", 8080, TODAY))
    yield made
    parts_of(made).close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token(client: FlaskClient, patient: str) -> str:
    answer = client.post("/demo/ehr/token", json={"patient": patient})
    assert answer.status_code == 200
    return str(answer.json["access_token"]) if answer.json else ""


def read(client: FlaskClient, path: str, bearer: str) -> Any:
    return client.get(f"/demo/fhir/{path}", headers={"Authorization": f"Bearer {bearer}"})


def test_a_token_opens_the_record_of_its_patient_and_no_other(client: FlaskClient) -> None:
    bearer = token(client, "healthy")
    assert read(client, "Patient/healthy", bearer).status_code == 200
    assert read(client, "Patient/early-marrow", bearer).status_code == 403


@pytest.mark.parametrize("body", [{}, {"patient": ""}, {"patient": "nobody"}, {"patient": ["healthy"]}])
def test_there_is_no_token_for_nobody(client: FlaskClient, body: dict[str, Any]) -> None:
    assert client.post("/demo/ehr/token", json=body).status_code == 400


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("none", {"down": False, "slowSeconds": 0.0, "wrongPatient": False}),
        ("down", {"down": True, "slowSeconds": 0.0, "wrongPatient": False}),
        ("slow", {"down": False, "slowSeconds": 3.0, "wrongPatient": False}),
        ("wrong-patient", {"down": False, "slowSeconds": 0.0, "wrongPatient": True}),
    ],
)
def test_one_fault_at_a_time_is_set(client: FlaskClient, fault: str, said: dict[str, Any]) -> None:
    answer = client.put("/demo/ehr/fault", json={"fault": fault, "patient": "healthy"})
    assert (answer.status_code, answer.json) == (200, said)
    assert client.put("/demo/ehr/fault", json={"fault": "none"}).status_code == 200


def test_an_unknown_fault_is_refused_and_none_is_left_on(client: FlaskClient) -> None:
    client.put("/demo/ehr/fault", json={"fault": "down"})
    assert client.put("/demo/ehr/fault", json={"fault": "fire"}).status_code == 400
    assert read(client, "Patient/healthy", token(client, "healthy")).status_code == 200


@pytest.mark.parametrize("path", ["token", "afresh"])
def test_only_json_is_taken_so_that_no_foreign_form_can_send_it(client: FlaskClient, path: str) -> None:
    answer = client.post(f"/demo/ehr/{path}", data={"patient": "healthy"})
    assert answer.status_code == 415
    assert client.post(f"/demo/ehr/{path}", data="[]", content_type="application/json").status_code == 400
    assert client.post(f"/demo/ehr/{path}", data="{", content_type="application/json").status_code == 400


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/demo/ehr/token", json={"patient": "x" * 10_000}).status_code == 413


def test_a_new_start_takes_written_resources_away(client: FlaskClient) -> None:
    bearer = token(client, "healthy")
    order = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/healthy"},
    }
    made = client.post("/demo/fhir/ServiceRequest", json=order, headers={"Authorization": f"Bearer {bearer}"})
    assert made.status_code == 201
    place = f"ServiceRequest/{made.json['id'] if made.json else ''}"
    assert read(client, place, bearer).status_code == 200
    assert client.post("/demo/ehr/afresh", json={}).status_code == 200
    assert read(client, place, bearer).status_code == 404
    assert read(client, "Patient/healthy", bearer).status_code == 200


def test_the_page_shows_the_fault_that_is_on(client: FlaskClient) -> None:
    for fault in ("down", "slow", "wrong-patient", "none"):
        client.put("/demo/ehr/fault", json={"fault": fault, "patient": "healthy"})
        assert f'<option value="{fault}" selected>' in client.get("/demo/").text
