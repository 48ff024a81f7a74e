"""Transport: JSON and OperationOutcomes on every path, CORS, headers, tokens (A, G, P, Q)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.api.problems import TABLE
from cds_service.app_state import parts_of
from cds_service.http.problem import Problem, Refusal
from cds_service.settings.loading import contradictions
from cds_service.settings.model import Settings, Tenant
from fhir_mappings.assess import Knowledge
from tests.cds_service.charts import TOKEN, with_server
from tests.conformance.answering import (
    CALL,
    HEALTHY,
    RELAPSED,
    make_service,
    request_of,
    send,
    server_of,
    values_of,
)

ORIGIN = "https://sandbox.cds-hooks.org"
ISSUE_TYPES = {
    "business-rule",
    "conflict",
    "exception",
    "forbidden",
    "incomplete",
    "invalid",
    "login",
    "not-found",
    "not-supported",
    "security",
    "structure",
    "throttled",
    "too-costly",
    "too-long",
    "transient",
}
"""Codes of the FHIR R4 value set issue-type that the service uses."""

PATHS = ["/cds-services", CALL, f"{CALL}/feedback", f"{CALL}/source-attributes"]
EVERYWHERE = [*PATHS, "/livez", "/readyz", "/version", "/nothing", "/cds-services/unknown"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]


@pytest.fixture(scope="module", params=["off", "required"])
def guarded(request: pytest.FixtureRequest, knowledge: Knowledge) -> Iterator[Flask]:
    """The service open and closed."""
    app = make_service(knowledge, auth=request.param, discovery_auth="required")
    yield app
    parts_of(app).close()


def check_body(response: Any) -> None:
    """JSON, nothing null or empty, and an OperationOutcome where the status is no success."""
    assert response.mimetype == "application/json"
    body = orjson.loads(response.data)
    for path, value in values_of(body):
        assert value not in (None, "", [], {}) or path in ("/cards", "/services"), path
    if response.status_code >= 300:
        assert body["resourceType"] == "OperationOutcome"
        (issue,) = body["issue"]
        assert issue["severity"] == "error"
        assert issue["code"] in ISSUE_TYPES
        assert issue["details"]["text"]
        assert ("id" in body) is (response.status_code != 401)


@pytest.mark.req("A1")
@pytest.mark.req("A3")
@pytest.mark.req("G5")
@pytest.mark.req("G6")
@pytest.mark.req("C1")
@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_is_json(guarded: Flask, path: str) -> None:
    client = guarded.test_client()
    for method, body in product(METHODS, (b"", b"{}", b"[]", b"\xff", b'{"feedback":[]}')):
        check_body(client.open(path, method=method, data=body, content_type="application/json"))


@pytest.mark.req("A1")
@pytest.mark.req("G5")
@pytest.mark.req("G6")
@pytest.mark.parametrize("problem", Problem, ids=lambda problem: problem.value)
def test_every_problem_is_told_in_json(
    service: Flask, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise Refusal(problem, "x: y")

    monkeypatch.setitem(service.view_functions, "operations.livez", fail)
    response = service.test_client().get("/livez")
    assert response.status_code == TABLE[problem].status
    check_body(response)


@pytest.mark.req("A1")
@pytest.mark.req("G6")
def test_a_fault_of_ours_is_a_bare_500(service: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setitem(service.view_functions, "operations.livez", fail)
    response = service.test_client().get("/livez")
    assert response.status_code == 500
    check_body(response)
    assert "CANARY" not in response.text


@pytest.mark.req("A2")
@pytest.mark.req("F8")
@pytest.mark.parametrize("where", ["fhir_servers", "jku", "public_url"])
def test_plain_http_is_for_development_alone(where: str) -> None:
    tenant: dict[str, Any] = {
        "id": "t",
        "iss": "https://ehr.example.org",
        "fhir_servers": ("https://ehr.example.org/fhir",),
    }
    tenant["jku"] = "https://ehr.example.org/jwks.json"
    values: dict[str, Any] = {"environment": "production", "public_url": "https://cds.example.org"}
    if where == "public_url":
        values[where] = "http://cds.example.org"
    else:
        tenant[where] = (
            ("http://ehr.example.org/fhir",) if where == "fhir_servers" else "http://ehr.example.org/j"
        )
    faults = contradictions(Settings(**values, tenants=(Tenant(**tenant),)))
    assert any(where in fault.key for fault in faults)
    allowed = contradictions(
        Settings(**{**values, "environment": "development"}, tenants=(Tenant(**tenant),))
    )
    assert not any(where in fault.key for fault in allowed)


@pytest.mark.req("Q2")
@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_token(guarded: Flask, path: str) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    response = guarded.test_client().options(path, headers=asked)
    assert response.status_code == 204
    assert response.data == b""
    headers = response.headers
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"Authorization", "Content-Type"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert {"GET", "POST", "OPTIONS"} == set(headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Origin" in headers["Vary"]


@pytest.mark.req("Q2")
@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_answer_admits_a_listed_origin(guarded: Flask, path: str, method: str) -> None:
    response = guarded.test_client().open(path, method=method, data=b"{}", headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in response.headers["Vary"]
    assert response.headers["Access-Control-Expose-Headers"] == "X-Request-Id"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.req("Q2")
def test_a_fault_of_ours_admits_a_listed_origin_too(service: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setitem(service.view_functions, "operations.livez", fail)
    response = service.test_client().get("/livez", headers={"Origin": ORIGIN})
    assert response.status_code == 500
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.req("Q2")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "*",
        "",
        f"{ORIGIN}.evil.example",
        f"{ORIGIN}:443",
        f"{ORIGIN}/",
        "https://sandbox.cds-hooks.org@evil.example",
        "https://Sandbox.cds-hooks.org",
        "http://sandbox.cds-hooks.org",
        f"{ORIGIN}, https://evil.example",
    ],
)
@pytest.mark.parametrize("preflight", [False, True])
def test_any_other_origin_is_not_admitted(caller: FlaskClient, origin: str, preflight: bool) -> None:
    asked = {"Origin": origin, **({"Access-Control-Request-Method": "POST"} if preflight else {})}
    response = caller.open(CALL, method="OPTIONS" if preflight else "POST", headers=asked, data=b"{}")
    assert not any(name.startswith("Access-Control-") for name in response.headers.keys())
    assert "Origin" in response.headers["Vary"]


@pytest.mark.req("Q3")
@pytest.mark.parametrize("path", ["/cds-services", CALL, f"{CALL}/feedback", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_cached_or_sniffed(caller: FlaskClient, path: str, method: str) -> None:
    response = caller.open(path, method=method, data=b"{}", content_type="application/json")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Request-Id"]


@pytest.mark.req("P1")
@pytest.mark.req("P2")
def test_a_token_is_required_unless_the_configuration_says_otherwise(knowledge: Knowledge) -> None:
    assert Settings().auth == "required"
    app = make_service(knowledge, auth="required")
    answers = [send(app.test_client(), request_of(HEALTHY)), send(app.test_client(), {}, f"{CALL}/feedback")]
    parts_of(app).close()
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].data == answers[1].data
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.req("F5")
@pytest.mark.req("F6")
@pytest.mark.req("F9")
def test_no_token_and_nothing_of_the_request_is_kept(knowledge: Knowledge, tmp_path: Any) -> None:
    app = make_service(knowledge, store=f"sqlite:///{tmp_path}/store.db")
    body = request_of(RELAPSED, **{**with_server(), "fhirServer": server_of("strict")})
    assert send(app.test_client(), body).status_code == 200
    parts_of(app).close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    patient = RELAPSED.resources[0]
    secrets = [TOKEN, RELAPSED.family, patient["id"], patient["birthDate"], "Practitioner/1"]
    assert kept
    assert not [text for text in secrets if text.encode() in kept]
