"""Read, create, update, batch, transaction, capability, tokens, faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.demo.sandbox.access import AccessTokens
from cds_service.demo.sandbox.server import Sandbox

Ask = Callable[..., TestResponse]
Ids = Callable[..., list[str]]
BASE = "http://ehr.test/demo/fhir"
REFERRAL: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/a"},
    "code": {"text": "Referral to a clinical trial"},
}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def put(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    place = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": place}, **more}


def post(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}, **more}


def test_read_gives_version_and_time(ask: Ask) -> None:
    response = ask("/Patient/a")
    assert response.headers["ETag"] == 'W/"1"'
    assert parsedate_to_datetime(response.headers["Last-Modified"]).tzinfo is not None
    assert response.get_json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize("path", ["/Patient/nobody", "/Spaceship/a", "/Patient/a/_history/1", "/"])
def test_what_is_not_here_is_not_found(ask: Ask, path: str) -> None:
    assert ask(path).status_code == 404


def test_create_chooses_an_id_and_says_where(ask: Ask, ids: Ids) -> None:
    response = ask("/ServiceRequest", method="POST", json={**REFERRAL, "id": "mine"})
    created = response.get_json()
    assert response.status_code == 201
    assert created["id"] != "mine"
    assert response.headers["Location"] == f"{BASE}/ServiceRequest/{created['id']}/_history/1"
    assert ids("/ServiceRequest?patient=a&intent=proposal") == [created["id"]]


def test_update_makes_a_new_version(ask: Ask) -> None:
    first = ask("/ServiceRequest/r", method="PUT", json={**REFERRAL, "id": "r"})
    second = ask("/ServiceRequest/r", method="PUT", json={**REFERRAL, "id": "r", "status": "active"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["ETag"] == 'W/"2"'
    assert ask("/ServiceRequest/r").get_json()["status"] == "active"


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        ("/ServiceRequest", "POST", {**REFERRAL, "status": None, "subject": {}, "colour": "red"}, 422),
        ("/ServiceRequest", "POST", {**REFERRAL, "contained": [{"resourceType": "Spaceship"}]}, 422),
        ("/ServiceRequest", "POST", {"resourceType": "Condition"}, 400),
        ("/Spaceship", "POST", {"resourceType": "Spaceship"}, 400),
        ("/ServiceRequest", "POST", [], 400),
        ("/ServiceRequest/r", "PUT", {**REFERRAL, "id": "s"}, 400),
        ("/", "POST", {"resourceType": "Bundle", "type": "collection"}, 400),
        ("/", "POST", {"resourceType": "Bundle", "type": "batch", "entry": {}}, 400),
    ],
)
def test_unusable_bodies_are_refused(ask: Ask, path: str, method: str, body: Any, status: int) -> None:
    assert ask(path, method=method, json=body).status_code == status


def test_a_refusal_names_places_and_not_content(ask: Ask) -> None:
    response = ask("/ServiceRequest", method="POST", json={**REFERRAL, "authoredOn": "secret value"})
    text = response.get_data(as_text=True)
    assert "authoredOn" in text
    assert "secret" not in text


def test_a_body_that_is_not_json_is_refused(ask: Ask) -> None:
    wrong = ask("/ServiceRequest", method="POST", data=b"{", content_type="application/fhir+json")
    typed = ask("/ServiceRequest", method="POST", data=b"<a/>", content_type="application/xml")
    assert (wrong.status_code, typed.status_code) == (400, 415)


def test_a_search_form_of_another_type_is_refused_and_not_taken_for_an_empty_one(ask: Ask) -> None:
    assert ask("/Observation/_search", method="POST", json={"patient": "a"}).status_code == 415


def test_a_body_that_is_too_long_is_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.demo.sandbox.routes._MAXIMUM_BYTES", 100)
    response = ask("/ServiceRequest", method="POST", json={**REFERRAL, "note": [{"text": "x" * 100}]})
    assert response.status_code == 413


def test_decimals_keep_their_precision(ask: Ask, client: FlaskClient, sandbox: Sandbox) -> None:
    body = (
        b'{"resourceType": "Observation", "id": "exact", "status": "final", "code": {"text": "x"},'
        b'"subject": {"reference": "Patient/a"}, "valueQuantity": {"value": 5.10}}'
    )
    ask("/Observation/exact", method="PUT", data=body, content_type="application/fhir+json")
    assert '"value":5.10' in ask("/Observation/exact").get_data(as_text=True)


def test_a_batch_answers_entry_by_entry(ask: Ask) -> None:
    asked = [
        {"request": {"method": "GET", "url": "Observation?patient=b&_sort=-date"}},
        {"request": {"method": "GET", "url": "Patient/a"}},
        {"request": {"method": "GET", "url": f"{BASE}/Patient/b"}},
        {"request": {"method": "GET", "url": "Patient/nobody"}},
        {"request": {"method": "GET", "url": "http://other.test/Patient/a"}},
        {"request": {"method": "GET", "url": "Observation?date=never"}},
        {"request": {"method": "DELETE", "url": "Patient/a"}},
        post(REFERRAL),
        {"request": {"method": "POST", "url": "ServiceRequest"}},
    ]
    answer = ask("/", method="POST", json=bundle("batch", *asked)).get_json()
    assert answer["type"] == "batch-response"
    statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert statuses == ["200", "200", "200", "404", "400", "400", "400", "201", "400"]
    assert answer["entry"][0]["resource"]["total"] == 1
    assert answer["entry"][3]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_a_transaction_rewrites_references_between_its_entries(ask: Ask) -> None:
    person, sample = (
        "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        "urn:uuid:7f1fa7a5-3b3e-4cb7-9c4b-1b1b2b1c1d1e",
    )
    entries = [
        post({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
              "subject": {"reference": person}, "specimen": {"reference": sample}}),
        post({"resourceType": "Specimen", "subject": {"reference": person}}, fullUrl=sample),
        put({"resourceType": "Patient", "id": "new"}, fullUrl=person),
    ]  # fmt: skip
    answer = ask("/", method="POST", json=bundle("transaction", *entries)).get_json()
    places = [entry["response"]["location"].partition("/_history")[0] for entry in answer["entry"]]
    assert places[2] == "Patient/new"
    stored = ask(f"/{places[0]}").get_json()
    assert stored["subject"]["reference"] == "Patient/new"
    assert stored["specimen"]["reference"] == places[1]


@pytest.mark.parametrize(
    "bad",
    [
        put({"resourceType": "Patient", "id": "new", "gender": ["x"]}),
        put({"resourceType": "Patient", "id": "fine"}),
        {"request": {"method": "GET", "url": "Patient/a"}},
        {
            "resource": {"resourceType": "Patient", "id": "x"},
            "request": {"method": "PUT", "url": "Patient/y"},
        },
        None,
    ],
)
def test_a_transaction_is_stored_as_a_whole_or_not_at_all(ask: Ask, bad: Any) -> None:
    response = ask(
        "/", method="POST", json=bundle("transaction", put({"resourceType": "Patient", "id": "fine"}), bad)
    )
    assert response.status_code in (400, 422)
    assert ask("/Patient/fine").status_code == 404


def test_the_capability_statement_needs_no_token_and_is_valid(client: FlaskClient, ask: Ask) -> None:
    assert client.get("/demo/fhir/metadata").status_code == 200
    statement = ask("/metadata").get_json()
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == BASE
    types = {item["type"]: item for item in statement["rest"][0]["resource"]}
    assert {"name": "clinical-status", "type": "token"} in types["Condition"]["searchParam"]


def bearers(tokens: AccessTokens) -> dict[str, str]:
    claims = {"aud": "relapse-cds-demo-sandbox", "patient": ""}
    later = int(time.time()) + 600
    elsewhere = jwt.encode({"aud": "x", "exp": later}, b"k" * 32, algorithm="HS256")
    return {
        "none": "",
        "other scheme": f"Basic {tokens.issue()}",
        "not a token": "Bearer abc",
        "expired": f"Bearer {tokens.issue(lifetime_seconds=-1)}",
        "altered": f"Bearer {tokens.issue()[:-4]}AAAA",
        "another secret": f"Bearer {AccessTokens(b'x' * 32).issue()}",
        "unsigned": f"Bearer {jwt.encode({**claims, 'exp': later}, '', algorithm='none')}",
        "without expiry": f"Bearer {jwt.encode(claims, b'k' * 32, algorithm='HS256')}",
        "for another audience": f"Bearer {elsewhere}",
    }


@pytest.mark.parametrize("name", list(bearers(AccessTokens(b"k" * 32))))
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Patient/a"),
        ("GET", "/Observation?patient=a"),
        ("POST", "/Observation/_search"),
        ("POST", "/"),
        ("POST", "/ServiceRequest"),
        ("PUT", "/Patient/a"),
    ],
)
def test_nothing_opens_without_a_good_token(
    client: FlaskClient, sandbox: Sandbox, name: str, method: str, path: str
) -> None:
    headers = {"Authorization": bearers(sandbox.tokens)[name]}
    response = client.open(f"/demo/fhir{path}", method=method, headers=headers)
    assert response.status_code == 401
    assert response.get_json()["resourceType"] == "OperationOutcome"
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AccessTokens(b"short")


def test_a_token_opens_one_patient_only(client: FlaskClient, sandbox: Sandbox) -> None:
    only_b = {"Authorization": f"Bearer {sandbox.tokens.issue('b')}"}
    found = client.get("/demo/fhir/Observation", headers=only_b).get_json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["other"]
    for asked in ("patient=a", "patient=Patient/a", "patient=b,a", "subject=Patient/a"):
        assert client.get(f"/demo/fhir/Observation?{asked}", headers=only_b).status_code == 403
    assert client.get("/demo/fhir/Observation?patient=b", headers=only_b).get_json()["total"] == 1
    assert client.get("/demo/fhir/Patient/a", headers=only_b).status_code == 403
    assert client.get("/demo/fhir/Patient/b", headers=only_b).status_code == 200
    assert client.post("/demo/fhir/ServiceRequest", headers=only_b, json=REFERRAL).status_code == 403


def test_faults_are_off_until_switched_on(ask: Ask, sandbox: Sandbox) -> None:
    assert ask("/Patient/a").status_code == 200
    sandbox.repository.faults.set(down=True)
    assert ask("/Patient/a").status_code == 503
    sandbox.repository.faults.clear()
    assert ask("/Patient/a").status_code == 200


def test_the_wrong_patient_fault_answers_with_the_other_chart(ids: Ids, sandbox: Sandbox) -> None:
    sandbox.repository.faults.set(wrong_patient="b")
    assert ids("/Observation?patient=a") == ["other"]


def test_slow_and_drip_wait_as_long_as_told(
    ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("cds_service.demo.sandbox.routes.pause", waits.append)
    sandbox.repository.faults.set(slow_seconds=3.0, drip_seconds=0.5)
    response = ask("/Observation?patient=a")
    assert response.get_json()["total"] == 9
    assert waits[0] == 3.0
    assert set(waits[1:]) == {0.5}
    assert len(waits) > 5


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError):
        sandbox.repository.faults.set(on_fire=True)
