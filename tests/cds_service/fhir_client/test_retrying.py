"""When a request is sent a second time, and after what pause."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.retrying import RetryBudget, pause_before_retry, wished_pause
from cds_service.fhir_client.transport import Failed, Reply, Request

GET = Request("/fhir/Condition?patient=1")
POST = Request("/fhir/Condition/_search", "POST", b"patient=1")


def reply(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    "outcome", [reply(502), reply(503), reply(504), Failed("server-error", repeatable=True)]
)
def test_a_passing_fault_of_a_read_is_tried_again(outcome: Reply | Failed) -> None:
    pause = pause_before_retry(GET, outcome, Deadline.after(10))
    assert pause is not None
    assert 0.02 <= pause <= 0.08
    assert pause_before_retry(POST, outcome, Deadline.after(10)) is None


@pytest.mark.parametrize(
    "outcome",
    [
        reply(200),
        reply(400),
        reply(401),
        reply(404),
        reply(429),
        reply(500),
        Failed("timed-out"),
        Failed("refused"),
    ],
)
def test_everything_else_is_not(outcome: Reply | Failed) -> None:
    assert pause_before_retry(GET, outcome, Deadline.after(10)) is None


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_not_when_most_of_the_time_is_gone() -> None:
    late = Deadline(time.monotonic() + 3.9, 10)
    early = Deadline(time.monotonic() + 4.9, 10)
    assert pause_before_retry(GET, reply(503), late) is None
    assert pause_before_retry(GET, reply(503), early) is not None


@pytest.mark.parametrize(("seconds", "fits"), [("0", True), ("4", True), ("5", False), ("9999999999", False)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wished_pause_has_to_fit(seconds: str, fits: bool, status: int) -> None:
    pause = pause_before_retry(GET, reply(status, retry_after=seconds), Deadline.after(10))
    if seconds == "9999999999":
        assert pause is None or status == 503
    else:
        assert (pause is not None and pause >= float(seconds)) is fits


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"x_ms_retry_after_ms": "1500"}, 1.5),
        ({"x_ms_retry_after_ms": "soon", "retry_after": "2"}, 2.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "\u00b2"}, None),
        ({"x_ms_retry_after_ms": "\u0663"}, None),
        ({"retry_after": "tomorrow"}, None),
        ({}, None),
    ],
)
def test_the_forms_of_a_wished_pause(headers: dict[str, str], expected: float | None) -> None:
    assert wished_pause(reply(503, **headers)) == expected


def test_a_date_ahead_is_a_pause() -> None:
    pause = wished_pause(reply(503, retry_after=formatdate(time.time() + 100, usegmt=True)))
    assert pause is not None
    assert 90 < pause <= 100


def test_retries_are_a_tenth_of_the_calls() -> None:
    budget = RetryBudget()
    while budget.spend():
        pass
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()
