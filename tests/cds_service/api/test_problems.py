"""Every fault has its row, and no answer says more than its row."""

from __future__ import annotations

import json

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask, abort, g
from flask.testing import FlaskClient

from cds_service.api import problems
from cds_service.api.problems import OF_STATUS, TABLE, outcome
from cds_service.http.problem import Problem, Refusal

CANARY = "CANARY-secret-text"
ISSUE_TYPES = {
    "business-rule", "conflict", "exception", "forbidden", "incomplete", "invalid", "login", "not-found",
    "not-supported", "security", "structure", "throttled", "too-costly", "too-long", "transient",
}  # fmt: skip


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("problems")
    problems.register(app)

    @app.before_request
    def _name() -> None:
        g.request_id = "request-1"

    @app.get("/refused/<name>")
    def refused(name: str) -> str:
        raise Refusal(Problem(name), "keys: marrow", {"Retry-After": "5"})

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError(CANARY)

    @app.get("/abort/<int:status>")
    def stop(status: int) -> str:
        abort(status, CANARY)

    return app.test_client()


def test_every_problem_has_a_row() -> None:
    assert TABLE.keys() == set(Problem)


@pytest.mark.parametrize("problem", Problem)
def test_every_row_is_a_valid_outcome(problem: Problem) -> None:
    body = outcome(problem, "what and where", "request-1")
    OperationOutcome.model_validate(body)
    assert body["issue"][0]["code"] in ISSUE_TYPES
    assert 400 <= TABLE[problem].status < 600


@pytest.mark.parametrize("problem", [one for one in Problem if one is not Problem.UNAUTHORISED])
def test_an_answer_has_status_id_and_diagnostics(client: FlaskClient, problem: Problem) -> None:
    response = client.get(f"/refused/{problem.value}")
    assert response.status_code == TABLE[problem].status
    assert response.content_type == "application/json; charset=utf-8"
    assert response.json is not None
    assert response.json["id"] == "request-1"
    assert response.json["issue"][0]["diagnostics"] == "keys: marrow"
    assert response.headers["Retry-After"] == "5"


def test_the_401_is_one_fixed_body(client: FlaskClient) -> None:
    one, other = client.get("/refused/unauthorised"), client.get("/abort/401")
    assert one.status_code == other.status_code == 401
    assert one.data == other.data
    assert "id" not in json.loads(one.data)
    assert "diagnostics" not in one.text
    assert one.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_exception_is_a_bare_500(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    response = client.get("/crash")
    assert response.status_code == 500
    assert response.json is not None
    assert response.json["issue"][0].keys() == {"severity", "code", "details"}
    assert CANARY not in response.text
    assert CANARY not in caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize("status", [*OF_STATUS, 402, 406, 409, 418, 422, 501, 502, 504])
def test_no_page_of_the_framework_leaks(client: FlaskClient, status: int) -> None:
    response = client.get(f"/abort/{status}")
    assert response.json is not None
    assert response.json["resourceType"] == "OperationOutcome"
    assert CANARY not in response.text
    assert "<" not in response.text


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    response = client.post("/crash")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert response.json is not None


def test_an_unknown_path_is_404(client: FlaskClient) -> None:
    response = client.get(f"/{CANARY}")
    assert response.status_code == 404
    assert CANARY not in response.text
