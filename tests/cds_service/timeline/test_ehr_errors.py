"""An EHR that says no: each of its errors is named on the page and in the log, and nothing else of it."""

from __future__ import annotations

import json

import pytest

from tests.cds_service.timeline.conftest import Visitor, refused

_ADMINISTRATOR = "administers this service"


def refusals(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """What was logged of refused launches."""
    ours = [record.getMessage() for record in caplog.records if record.name == "relapse_cds"]
    return [line for line in map(json.loads, ours) if line["event"] == "timeline-refused"]


@pytest.mark.parametrize(
    ("error", "named", "then"),
    [
        ("invalid_request", "invalid_request", _ADMINISTRATOR),
        ("unauthorized_client", "unauthorized_client", _ADMINISTRATOR),
        ("unsupported_response_type", "unsupported_response_type", _ADMINISTRATOR),
        ("invalid_scope", "invalid_scope", _ADMINISTRATOR),
        ("invalid_client", "invalid_client", _ADMINISTRATOR),
        ("server_error", "server_error", "Try again in a moment"),
        ("temporarily_unavailable", "temporarily_unavailable", "Try again in a moment"),
        ("<script>CANARY</script>", "other", _ADMINISTRATOR),
        ("Invalid_Scope", "other", _ADMINISTRATOR),
        ("CANARY" * 500, "other", _ADMINISTRATOR),
    ],
)
def test_an_authorization_error_is_named(
    visitor: Visitor, caplog: pytest.LogCaptureFixture, error: str, named: str, then: str
) -> None:
    visitor.ehr.behaviour.answer_error = error
    answer = visitor.client.get(visitor.sign_in(visitor.launch()))
    text = answer.get_data(as_text=True)
    refused(answer, 502, f"(error: {named})")
    assert "The EHR refused the sign-in" in text
    assert then in text
    assert (_ADMINISTRATOR in text) == (then == _ADMINISTRATOR)
    assert "CANARY" not in text
    assert "ERROR-DESCRIPTION" not in text
    [line] = refusals(caplog)
    assert (line["reason"], line["error"], line["tenant"]) == ("authorization-failed", named, "general")
    assert visitor.ehr.token_requests == []


@pytest.mark.parametrize(
    ("status", "body", "reason", "error", "words"),
    [
        (
            401,
            '{"error":"invalid_client"}',
            "client-refused",
            "invalid_client",
            "id or secret was not accepted",
        ),
        (
            400,
            '{"error":"invalid_client"}',
            "client-refused",
            "invalid_client",
            "id or secret was not accepted",
        ),
        (401, "", "client-refused", "invalid_client", "id or secret was not accepted"),
        (400, '{"error":"invalid_grant"}', "code-refused", None, "expired, used before"),
        (401, '{"error":"invalid_grant"}', "code-refused", None, "expired, used before"),
        (400, '{"error":"unauthorized_client"}', "token-refused", "unauthorized_client", _ADMINISTRATOR),
        (
            400,
            '{"error":"unsupported_grant_type"}',
            "token-refused",
            "unsupported_grant_type",
            _ADMINISTRATOR,
        ),
        (400, '{"error":"CANARY"}', "token-refused", "other", _ADMINISTRATOR),
        (400, '{"error":["CANARY"]}', "token-refused", "other", _ADMINISTRATOR),
        (400, "<html>CANARY", "token-refused", "other", _ADMINISTRATOR),
        (403, '{"error":"CANARY"}', "token-refused", "other", _ADMINISTRATOR),
        (503, "CANARY", "token-failed", None, "did not answer, or failed"),
    ],
)
def test_a_token_endpoints_error_is_named(
    visitor: Visitor,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: str,
    reason: str,
    error: str | None,
    words: str,
) -> None:
    visitor.ehr.behaviour.token_error = (status, body)
    answer = visitor.client.get(visitor.sign_in(visitor.launch()))
    refused(answer, 403 if reason == "code-refused" else 502, words)
    assert "CANARY" not in answer.get_data(as_text=True)
    [line] = refusals(caplog)
    assert (line["reason"], line.get("error")) == (reason, error)
    assert visitor.ehr.fhir_requests == []
