"""The tests' own authorisation server refuses what the specifications tell it to refuse."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.smart.authorization_server import AuthorizationServer, authorization_app, s256

BACK = "http://app.example.org/callback"
VERIFIER = "v" * 43


@pytest.fixture
def server() -> AuthorizationServer:
    """A server with one client and one launch."""
    return AuthorizationServer(
        redirect_uris=frozenset({BACK}), url="http://ehr.example.org", launches={"handle": "p1"}
    )


@pytest.fixture
def client(server: AuthorizationServer) -> FlaskClient:
    """Calls it without a socket."""
    return authorization_app(server, []).test_client()


def request(server: AuthorizationServer, **changes: str | None) -> dict[str, str]:
    """A good authorisation request with some parameters changed or left out."""
    good: dict[str, str | None] = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": BACK,
        "scope": "launch patient/Condition.rs",
        "state": "s" * 43,
        "aud": server.iss,
        "launch": "handle",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def sent_back(client: FlaskClient, asked: dict[str, str]) -> dict[str, str]:
    """The parameters with which the server sends the user back."""
    answer = client.get("/authorize", query_string=asked)
    assert answer.status_code == 302
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchange(client: FlaskClient, server: AuthorizationServer, code: str, **changes: str) -> tuple[int, Any]:
    """Exchange a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": server.client_id,
        "code_verifier": VERIFIER,
        **changes,
    }
    answer = client.post("/token", data=form)
    return answer.status_code, answer.get_json()


def test_a_good_request_gets_a_code_and_a_token(client: FlaskClient, server: AuthorizationServer) -> None:
    back = sent_back(client, request(server))
    assert back["state"] == "s" * 43
    status, body = exchange(client, server, back["code"])
    assert status == 200
    assert body["patient"] == "p1"
    assert body["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"aud": "https://other.example.org/fhir"}, "invalid_request"),
        ({"state": "short"}, "invalid_request"),
        ({"launch": "forged"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "launch patient/Condition.cud"}, "invalid_scope"),
        ({"scope": "patient/Condition.rs"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_bad_requests_are_sent_back_with_an_error(
    client: FlaskClient, server: AuthorizationServer, changes: dict[str, str | None], error: str
) -> None:
    assert sent_back(client, request(server, **changes))["error"] == error


@pytest.mark.parametrize("changes", [{"redirect_uri": "http://evil.example.org/"}, {"client_id": "other"}])
def test_nobody_is_sent_to_an_unknown_place(
    client: FlaskClient, server: AuthorizationServer, changes: dict[str, str]
) -> None:
    assert client.get("/authorize", query_string=request(server, **changes)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "w" * 43}, {"code_verifier": "short"}, {"redirect_uri": "http://app.example.org/"}],
)
def test_a_code_goes_only_to_who_asked_for_it(
    client: FlaskClient, server: AuthorizationServer, changes: dict[str, str]
) -> None:
    code = sent_back(client, request(server))["code"]
    assert exchange(client, server, code, **changes) == (400, {"error": "invalid_grant"})


def test_a_code_is_used_once_and_expires(client: FlaskClient, server: AuthorizationServer) -> None:
    code = sent_back(client, request(server))["code"]
    assert exchange(client, server, code)[0] == 200
    assert exchange(client, server, code) == (400, {"error": "invalid_grant"})
    server.behaviour.code_seconds = 0.0
    server.launches["handle"] = "p1"
    code = sent_back(client, request(server))["code"]
    assert exchange(client, server, code) == (400, {"error": "invalid_grant"})
