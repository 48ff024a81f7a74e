"""The door alone, with the network replaced: what it sends, and how it names what goes wrong."""

from __future__ import annotations

import http.client

import pytest
import requests
import responses
import urllib3.exceptions

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.transport import Failed, Reply, Request, Transport
from cds_service.http.fhir_base import parse_base

BASE = parse_base("https://ehr.example.org/fhir")
URL = "https://ehr.example.org/fhir/Condition"
GET = Request("/fhir/Condition?patient=1")


def send(request: Request = GET, authorization: str = "Bearer abc", seconds: float = 5) -> Reply | Failed:
    transport = Transport(BASE, False, None, 1000)
    outcome = transport.send(request, authorization, Deadline.after(seconds))
    transport.close()
    return outcome


@pytest.mark.req("F3")
@responses.activate
def test_what_is_sent() -> None:
    responses.get(URL, body=b"{}", headers={"X-Y": "1"})
    outcome = send()
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.body, outcome.headers["x-y"]) == (200, b"{}", "1")
    sent = responses.calls[0].request
    assert dict(sent.headers) == {
        "Accept": "application/fhir+json, application/json;q=0.9",
        "Accept-Encoding": "gzip",
        "Authorization": "Bearer abc",
        "Cache-Control": "no-cache",
        "User-Agent": "relapse-cds",
    }


@responses.activate
def test_no_token_is_sent_where_there_is_none() -> None:
    responses.get(URL, body=b"{}")
    send(authorization="")
    assert "Authorization" not in responses.calls[0].request.headers


@responses.activate
def test_a_form_is_sent_as_one() -> None:
    responses.post(f"{URL}/_search", body=b"{}")
    send(Request("/fhir/Condition/_search", "POST", b"patient=1", "application/x-www-form-urlencoded"))
    sent = responses.calls[0].request
    assert (sent.body, sent.headers["Content-Length"]) == (b"patient=1", "9")


@responses.activate
@pytest.mark.parametrize("status", [204, 301, 401, 404, 500])
def test_the_body_of_another_status_is_left_alone(status: int) -> None:
    responses.get(URL, status=status, body=b"x" * 10_000, headers={"Location": "https://evil.example/"})
    outcome = send()
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.body) == (status, b"")
    assert len(responses.calls) == 1


@responses.activate
def test_a_large_body_is_not_read_to_its_end() -> None:
    responses.get(URL, body=b"x" * 1001)
    assert send() == Failed("too-large")


@responses.activate
@pytest.mark.parametrize(
    "fault",
    [
        requests.ConnectionError("CANARY"),
        requests.exceptions.ChunkedEncodingError("CANARY"),
        requests.exceptions.InvalidURL("CANARY"),
        urllib3.exceptions.ProtocolError("CANARY"),
        http.client.IncompleteRead(b"CANARY"),
        ConnectionResetError("CANARY"),
        ValueError("CANARY"),
    ],
)
def test_every_fault_becomes_a_value(fault: Exception) -> None:
    responses.get(URL, body=fault)
    outcome = send()
    assert outcome == Failed("server-error", repeatable=True)
    assert "CANARY" not in repr(outcome)


@pytest.mark.req("T1")
@responses.activate
def test_nothing_is_sent_after_the_deadline() -> None:
    responses.get(URL, body=b"{}")
    assert send(seconds=0) == Failed("timed-out")
    assert len(responses.calls) == 0
